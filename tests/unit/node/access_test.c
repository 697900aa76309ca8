/* access: who may connect to what, and whose name is whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/access.h"

static bool may(const char *role, const char *socket)
{
    return access_rules.may_connect(socket, role, false);
}

static void every_socket_is_bound_by_a_role(void **state)
{
    (void)state;
#define CHECK_ROW(socket, role, roles, limited)                                                    \
    assert_string_equal(access_rules.binder(#socket), role);                                       \
    assert_true(access_rules.is_role(role));
    ACCESS_TABLE(CHECK_ROW)
#undef CHECK_ROW
    assert_null(access_rules.binder("desk"));
    assert_null(access_rules.binder(""));
}

static void only_those_in_the_table_connect(void **state)
{
    (void)state;
    assert_true(may("gateway", "commands"));
    assert_true(may("operator", "private"));
    assert_true(may("subscriber", "market"));
    assert_true(may("follower", "private_answers"));
    assert_true(may("matcher", "follower_requests"));
    assert_false(may("subscriber", "commands"));
    assert_false(may("market-data", "commands"));
    assert_false(may("market-data", "private"));
    assert_false(may("gateway", "public"));
    assert_false(may("gateway", "private_answers"));
    assert_false(may("matcher", "commands"));
    /* what is no role, or part of one, or a socket nobody has */
    assert_false(may("", "commands"));
    assert_false(may("gate", "commands"));
    assert_false(may("gateway strategy", "commands"));
    assert_false(may("gateway", ""));
    assert_false(may("gateway", "command"));
}

static void who_is_for_some_accounts_reads_nothing_private(void **state)
{
    (void)state;
    assert_true(access_rules.may_connect("commands", "strategy", true));
    assert_true(access_rules.may_connect("public", "strategy", true));
    assert_true(access_rules.may_connect("market", "strategy", true));
    assert_false(access_rules.may_connect("private", "strategy", true));
    assert_false(access_rules.may_connect("follower_private", "strategy", true));
}

static bool owns(const char *name, const char *origin)
{
    return access_owns(&(struct guard_sender){name, "strategy", ""}, origin, strlen(origin));
}

static void an_origin_is_its_senders_name_or_that_and_more(void **state)
{
    (void)state;
    assert_true(owns("desk", "desk"));
    assert_true(owns("desk", "desk-"));
    assert_true(owns("desk", "desk-2"));
    assert_false(owns("desk", "desk2"));
    assert_false(owns("desk", "des"));
    assert_false(owns("desk", ""));
    assert_false(owns("desk", "other"));
    assert_false(owns("desk", "-desk"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_socket_is_bound_by_a_role),
        cmocka_unit_test(only_those_in_the_table_connect),
        cmocka_unit_test(who_is_for_some_accounts_reads_nothing_private),
        cmocka_unit_test(an_origin_is_its_senders_name_or_that_and_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
