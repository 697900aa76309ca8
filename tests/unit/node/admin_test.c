/* admin: probes and metrics over a real socket, and what strangers may do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "node/admin.h"
#include "tests/unit/base/scratch.h"

enum { ANSWER_SIZE = 1 << 16, WAIT_MS = 10000 };

static struct fixture {
    struct cluster cluster;
    metrics_t *metrics;
    admin_t *admin;
    char file[256];
    char error[ADMIN_ERROR_SIZE];
    char text[ANSWER_SIZE]; /* of the last answer, headers included */
} fixture;

static bool listen_at(struct fixture *f, const char *address)
{
    strcpy(f->cluster.settings.service_admin_address, address);
    return admin_open(&f->admin, &f->cluster, "matcher-0", f->metrics, f->error);
}

static int setup_closed(void **state)
{
    struct fixture *f = &fixture;
    memset(f, 0, sizeof *f);
    scratch_open(state);
    strcpy(f->cluster.settings.run_dir, scratch_path());
    snprintf(f->file, sizeof f->file, "%s/matcher-0.admin", scratch_path());
    f->metrics = metrics_of_service("matcher");
    *state = f;
    return 0;
}

static int setup(void **state)
{
    setup_closed(state);
    assert_true(listen_at(*state, "127.0.0.1:0"));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    admin_close(&f->admin);
    metrics_destroy(&f->metrics);
    return scratch_close(state);
}

/* ---- a client ---- */

/* The port it is told to listen at. */
static in_port_t port_told(const struct fixture *f)
{
    unsigned port = 0;
    FILE *in = fopen(f->file, "r");
    assert_non_null(in);
    assert_int_equal(fscanf(in, "127.0.0.1:%u", &port), 1);
    assert_int_equal(fgetc(in), '\n');
    assert_int_equal(fgetc(in), EOF);
    fclose(in);
    assert_in_range(port, 1, 65535);
    return (in_port_t)port;
}

static int connect_to(const struct fixture *f)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port_told(f))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const void *bytes, size_t size)
{
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

/* Until the other side closes: all it has to say. */
static void listen_to(struct fixture *f, int fd)
{
    size_t size = 0;
    ssize_t more = 1;
    while (more > 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, WAIT_MS), 1);
        more = recv(fd, f->text + size, ANSWER_SIZE - 1 - size, 0);
        size += more > 0 ? (size_t)more : 0;
    }
    f->text[size] = '\0';
    close(fd);
}

/* The status; 0: none was told. */
static unsigned ask(struct fixture *f, const char *request)
{
    unsigned status = 0;
    int fd = connect_to(f);
    say(fd, request, strlen(request));
    listen_to(f, fd);
    (void)sscanf(f->text, "HTTP/1.1 %u ", &status);
    return status;
}

static unsigned get(struct fixture *f, const char *path)
{
    char request[256];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    return ask(f, request);
}

static const char *body(const struct fixture *f)
{
    const char *at = strstr(f->text, "\r\n\r\n");
    return at == NULL ? "" : at + 4;
}

/* ---- probes ---- */

static void before_it_has_started_it_lives_and_is_not_ready(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, "/livez"), 200);
    assert_string_equal(body(f), "ok\n");
    assert_int_equal(get(f, "/startupz"), 503);
    assert_string_equal(body(f), "starting\n");
    assert_int_equal(get(f, "/readyz"), 503);
    assert_string_equal(body(f), "starting\n");
}

static void started_and_ready_are_two_things(void **state)
{
    struct fixture *f = *state;
    admin_started(f->admin);
    assert_int_equal(get(f, "/startupz"), 200);
    assert_int_equal(get(f, "/readyz"), 503);
    admin_ready(f->admin, true, "not said");
    assert_int_equal(get(f, "/readyz"), 200);
    assert_string_equal(body(f), "ok\n");
    admin_ready(f->admin, false, "the disk is full");
    assert_int_equal(get(f, "/readyz"), 503);
    assert_string_equal(body(f), "the disk is full\n");
    assert_int_equal(get(f, "/livez"), 200);
}

static void a_cycle_that_stands_still_for_10_s_lives_no_more_until_it_turns(void **state)
{
    struct fixture *f = *state;
    admin_started(f->admin);
    admin_ready(f->admin, true, NULL);
    assert_int_equal(get(f, "/livez"), 200);
    admin_turned(f->admin, clock_monotonic_ns() - (ADMIN_STILL_MS - 5000) * NS_PER_MS);
    assert_int_equal(get(f, "/livez"), 200);
    admin_turned(f->admin, clock_monotonic_ns() - ADMIN_STILL_MS * NS_PER_MS);
    assert_int_equal(get(f, "/livez"), 503);
    assert_string_equal(body(f), "the duty cycle has stood still for 10 s\n");
    assert_int_equal(get(f, "/readyz"), 200);
    admin_turned(f->admin, clock_monotonic_ns());
    assert_int_equal(get(f, "/livez"), 200);
}

static void what_has_not_started_may_stand_still(void **state)
{
    struct fixture *f = *state;
    admin_turned(f->admin, clock_monotonic_ns() - 2 * ADMIN_STILL_MS * NS_PER_MS);
    assert_int_equal(get(f, "/livez"), 200);
    admin_started(f->admin); /* from now on it may not */
    assert_int_equal(get(f, "/livez"), 200);
}

/* ---- metrics ---- */

static void metrics_are_all_there_are(void **state)
{
    struct fixture *f = *state;
    static char expected[ANSWER_SIZE];
    metric_add(metrics_series(f->metrics, FAMILY_MATCHER_COMMANDS, "3"), 8);
    admin_ready(f->admin, true, NULL);
    assert_int_equal(get(f, "/metrics"), 200);
    assert_non_null(strstr(f->text, "Content-Type: text/plain; version=0.0.4\r\n"));
    assert_non_null(strstr(body(f), "\noutcry_matcher_commands_total{shard=\"3\"} 8\n"));
    assert_non_null(strstr(body(f), "\noutcry_ready 1\n"));
    assert_non_null(strstr(body(f), "service=\"matcher\"} 1\n"));
    expected[metrics_write(f->metrics, expected, sizeof expected - 1)] = '\0';
    assert_string_equal(body(f), expected);
    admin_ready(f->admin, false, "why");
    assert_int_equal(get(f, "/metrics"), 200);
    assert_non_null(strstr(body(f), "\noutcry_ready 0\n"));
}

/* ---- other requests ---- */

static void head_is_get_without_the_body(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask(f, "HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    assert_non_null(strstr(f->text, "Content-Length: 3\r\n"));
    assert_string_equal(body(f), "");
    assert_int_equal(ask(f, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    assert_string_equal(body(f), "");
    assert_int_equal(ask(f, "HEAD /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), 503);
}

static void other_methods_are_405_and_say_which_there_are(void **state)
{
    struct fixture *f = *state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    char request[128];
    for (unsigned i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        snprintf(request, sizeof request,
                 "%s /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", methods[i]);
        assert_int_equal(ask(f, request), 405);
        assert_non_null(strstr(f->text, "\r\nAllow: GET, HEAD\r\n"));
        assert_string_equal(body(f), "expected GET or HEAD\n");
    }
}

static void other_paths_are_404_and_say_which_there_are(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"/",           "/livez/",    "/Livez",
                                        "/livez2",     "/v1/orders", "/../../etc/passwd",
                                        "/%6civez%00", "//metrics"};
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        unsigned status = get(f, paths[i]);
        assert_int_equal(status, 404);
        assert_null(strstr(f->text, "root:"));
    }
    assert_int_equal(get(f, "/orders"), 404);
    assert_string_equal(body(f), "there are /livez, /startupz, /readyz and /metrics\n");
    assert_int_equal(get(f, "/livez?verbose"), 200);
}

static void garbage_hurts_nobody(void **state)
{
    struct fixture *f = *state;
    static char long_line[1 << 15];
    static const char *const lines[] = {"\r\n\r\n",
                                        "hello\r\n\r\n",
                                        "GET\r\n\r\n",
                                        "GET /livez\r\n\r\n",
                                        "GET /livez HTTP/9.9\r\n\r\n",
                                        "\x16\x03\x01\x02\r\n\r\n"};
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        unsigned status = ask(f, lines[i]);
        assert_true(status == 0 || (status >= 400 && status < 600));
        assert_int_equal(get(f, "/livez"), 200);
    }
    memset(long_line, 'a', sizeof long_line - 1);
    memcpy(long_line, "GET /", 5);
    int fd = connect_to(f);
    (void)send(fd, long_line, sizeof long_line - 1, MSG_NOSIGNAL); /* too long: not all is taken */
    listen_to(f, fd);
    assert_null(strstr(f->text, " 200 "));
    assert_int_equal(get(f, "/livez"), 200);
}

/* More who say nothing than there are threads: they are given up one after another. */
static void silence_ends_and_others_are_answered(void **state)
{
    struct fixture *f = *state;
    int silent[6];
    for (unsigned i = 0; i < 6; i++) {
        silent[i] = connect_to(f);
        say(silent[i], "GET /liv", 8);
    }
    assert_int_equal(get(f, "/livez"), 200);
    for (unsigned i = 0; i < 6; i++) {
        listen_to(f, silent[i]); /* until it is given up */
        assert_null(strstr(f->text, " 200 "));
    }
}

/* ---- opening and closing ---- */

static void where_it_listens_is_told_to_its_user_only_and_while_it_does(void **state)
{
    struct fixture *f = *state;
    struct stat about;
    char temporary[300];
    (void)port_told(f);
    assert_int_equal(stat(f->file, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    snprintf(temporary, sizeof temporary, "%s.new", f->file);
    assert_int_equal(access(temporary, F_OK), -1);
    uint64_t began_ns = clock_monotonic_ns();
    admin_close(&f->admin);
    assert_true(clock_monotonic_ns() - began_ns < NS_PER_SECOND); /* it is about 20 ms */
    assert_null(f->admin);
    assert_int_equal(access(f->file, F_OK), -1);
    admin_close(&f->admin); /* of nothing */
}

static void none_listens_nowhere_and_takes_all_calls(void **state)
{
    struct fixture *f = *state;
    scratch_write("matcher-0.admin", "127.0.0.1:1\n"); /* of one that was killed */
    assert_true(listen_at(f, "none"));
    assert_null(f->admin);
    assert_int_equal(access(f->file, F_OK), -1);
    admin_started(f->admin);
    admin_turned(f->admin, 1);
    admin_ready(f->admin, true, NULL);
}

static void a_port_that_is_taken_is_told(void **state)
{
    struct fixture *f = *state, other = fixture;
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)port_told(f));
    strcpy(other.cluster.settings.service_admin_address, address);
    assert_false(
        admin_open(&other.admin, &other.cluster, "follower-0", other.metrics, other.error));
    assert_null(other.admin);
    assert_non_null(strstr(other.error, "service_admin_address: cannot serve at 127.0.0.1:"));
    assert_int_equal(get(f, "/livez"), 200);
}

static void an_address_that_is_none_is_told(void **state)
{
    struct fixture *f = *state;
    assert_false(listen_at(f, "8001"));
    assert_string_equal(f->error, "service_admin_address: found \"8001\", expected an address and "
                                  "a port, like 127.0.0.1:0, or none");
    assert_false(listen_at(f, "127.0.0.1:x"));
    assert_non_null(strstr(f->error, "cannot serve at 127.0.0.1:x"));
    assert_false(listen_at(f, "192.0.2.1:0"));
    assert_non_null(strstr(f->error, "cannot serve at 192.0.2.1:0"));
    assert_null(f->admin);
}

static void a_run_directory_that_cannot_be_written_is_told(void **state)
{
    struct fixture *f = *state;
    strcat(f->cluster.settings.run_dir, "/nowhere");
    assert_false(listen_at(f, "127.0.0.1:0"));
    assert_non_null(strstr(f->error, "/nowhere/matcher-0.admin: No such file or directory"));
}

int main(void)
{
#define TEST(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CLOSED(name) cmocka_unit_test_setup_teardown(name, setup_closed, teardown)
    const struct CMUnitTest tests[] = {
        TEST(before_it_has_started_it_lives_and_is_not_ready),
        TEST(started_and_ready_are_two_things),
        TEST(a_cycle_that_stands_still_for_10_s_lives_no_more_until_it_turns),
        TEST(what_has_not_started_may_stand_still),
        TEST(metrics_are_all_there_are),
        TEST(head_is_get_without_the_body),
        TEST(other_methods_are_405_and_say_which_there_are),
        TEST(other_paths_are_404_and_say_which_there_are),
        TEST(garbage_hurts_nobody),
        TEST(silence_ends_and_others_are_answered),
        TEST(where_it_listens_is_told_to_its_user_only_and_while_it_does),
        CLOSED(none_listens_nowhere_and_takes_all_calls),
        TEST(a_port_that_is_taken_is_told),
        CLOSED(an_address_that_is_none_is_told),
        CLOSED(a_run_directory_that_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
