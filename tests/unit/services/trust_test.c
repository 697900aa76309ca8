/* trust: no page of another's can speak to a local exchange. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/trust.h"

static void loopback_names_are_this_machine(void **state)
{
    (void)state;
    static const char *const ours[] = {"localhost",   "LocalHost", "127.0.0.1",
                                       "127.255.1.2", "::1",       "[::1]"};
    static const char *const others[] = {"",          "localhost.", "localhost.evil.com",
                                         "128.0.0.1", "127.0.0",    "127.0.0.1.evil.com",
                                         "0.0.0.0",   "::2",        "[::]"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        assert_true(trust_loopback(ours[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(trust_loopback(others[i]));
}

static void a_host_is_loopback_or_listed_at_any_port(void **state)
{
    (void)state;
    assert_true(trust_host("localhost:8000", "none"));
    assert_true(trust_host("[::1]:8000", "none"));
    assert_true(trust_host("127.0.0.1", "none"));
    assert_true(trust_host("ex.example.com:80", "a.example, ex.example.com"));
    assert_true(trust_host("EX.example.com", "ex.example.com"));
    assert_false(trust_host(NULL, "none"));
    assert_false(trust_host("", "none"));
    assert_false(trust_host("evil.com", "none"));
    assert_false(trust_host("none", "none"));
    assert_false(trust_host("example.com", "ex.example.com"));
    assert_false(trust_host("ex.example.com.evil.com", "ex.example.com"));
    assert_false(trust_host("localhost:", "none"));
    assert_false(trust_host("localhost:80x", "none"));
    assert_false(trust_host("localhost@evil.com", "none"));
    assert_false(trust_host("[::1", "none"));
    assert_false(trust_host("[::1]evil.com", "none"));
    assert_false(trust_host(":8000", "none"));
}

static void an_origin_is_own_listed_or_foreign(void **state)
{
    (void)state;
    const char *host = "localhost:8000", *listed = "http://app.example,http://localhost:3000";
    assert_int_equal(trust_origin(NULL, host, "none", false), TRUST_ORIGIN_NONE);
    assert_int_equal(trust_origin("http://localhost:8000", host, "none", false), TRUST_ORIGIN_OWN);
    assert_int_equal(trust_origin("https://localhost:8000", host, "none", false), TRUST_ORIGIN_OWN);
    assert_int_equal(trust_origin("http://localhost:3000", host, listed, false),
                     TRUST_ORIGIN_LISTED);
    assert_int_equal(trust_origin("http://localhost:3000", host, "none", false),
                     TRUST_ORIGIN_FOREIGN);
    assert_int_equal(trust_origin("http://localhost", host, listed, false), TRUST_ORIGIN_FOREIGN);
    assert_int_equal(trust_origin("null", host, listed, false), TRUST_ORIGIN_FOREIGN);
    assert_int_equal(trust_origin("none", host, "none", false), TRUST_ORIGIN_FOREIGN);
    assert_int_equal(trust_origin("", host, listed, false), TRUST_ORIGIN_FOREIGN);
    assert_int_equal(trust_origin("file://localhost:8000", host, listed, false),
                     TRUST_ORIGIN_FOREIGN);
    assert_int_equal(trust_origin("http://localhost:8000.evil.com", host, listed, false),
                     TRUST_ORIGIN_FOREIGN);
    assert_int_equal(trust_origin("http://app.example.evil.com", host, listed, false),
                     TRUST_ORIGIN_FOREIGN);
}

static void a_page_beside_tls_is_foreign_if_it_came_without(void **state)
{
    (void)state;
    const char *host = "localhost:8000", *listed = "http://localhost:8000";
    assert_int_equal(trust_origin("https://localhost:8000", host, "none", true), TRUST_ORIGIN_OWN);
    assert_int_equal(trust_origin("http://localhost:8000", host, "none", true),
                     TRUST_ORIGIN_FOREIGN);
    assert_int_equal(trust_origin("http://localhost:8000", host, listed, true),
                     TRUST_ORIGIN_LISTED);
    assert_int_equal(trust_origin(NULL, host, "none", true), TRUST_ORIGIN_NONE);
}

static void assert_client(const char *remote, const char *forwarded, const char *proxies,
                          const char *expected)
{
    char client[TRUST_ADDRESS_SIZE];
    trust_client(remote, forwarded, proxies, client);
    assert_string_equal(client, expected);
}

static void only_a_trusted_proxy_is_believed_about_a_client(void **state)
{
    (void)state;
    const char *proxies = "10.0.0.1,10.0.0.2";
    assert_client("10.0.0.9", "1.2.3.4", proxies, "10.0.0.9");
    assert_client("10.0.0.1", "1.2.3.4", "none", "10.0.0.1");
    assert_client("10.0.0.1", NULL, proxies, "10.0.0.1");
    assert_client("10.0.0.1", "1.2.3.4", proxies, "1.2.3.4");
    /* what a client wrote itself stands before what the proxies appended */
    assert_client("10.0.0.1", "6.6.6.6, 1.2.3.4", proxies, "1.2.3.4");
    assert_client("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", proxies, "1.2.3.4");
    assert_client("10.0.0.1", "10.0.0.2", proxies, "10.0.0.2");
    assert_client("10.0.0.1", " , ", proxies, "10.0.0.1");
    assert_client("10.0.0.1", "", proxies, "10.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_names_are_this_machine),
        cmocka_unit_test(a_host_is_loopback_or_listed_at_any_port),
        cmocka_unit_test(an_origin_is_own_listed_or_foreign),
        cmocka_unit_test(a_page_beside_tls_is_foreign_if_it_came_without),
        cmocka_unit_test(only_a_trusted_proxy_is_believed_about_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
