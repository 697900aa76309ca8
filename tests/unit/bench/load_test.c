/* The load generators against the floor server: everything asked for is counted once, a rate is
 * kept, and what goes wrong is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bench/floor_server.h"
#include "bench/http_load.h"
#include "bench/websocket_load.h"

#define ORDER   "HTTP/1.1 201 Created\r\nContent-Length: 7\r\n\r\n{\"a\":1}"
#define BOOK    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define MESSAGE "{\"type\":\"bbo\",\"seq\":1,\"ts\":1700000000000000}"

enum { CLIENTS = 20, MESSAGES = 50 };

static floor_server_t *server;
static uint16_t port;
static struct histogram latencies;

static int setup(void **state)
{
    const struct floor_answer order = {ORDER, sizeof ORDER - 1}, book = {BOOK, sizeof BOOK - 1};
    (void)state;
    server = floor_server_new();
    return server != NULL && floor_server_start(server, 32, &order, &book, &port) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    floor_server_destroy(&server);
    return server == NULL ? 0 : -1;
}

static int begin(void **state)
{
    (void)state;
    memset(&latencies, 0, sizeof latencies);
    return 0;
}

static uint64_t indexes; /* the sum of those asked for */

static size_t write_order(void *self, uint64_t index, char *bytes, size_t size)
{
    (void)self;
    indexes += index;
    return (size_t)snprintf(bytes, size,
                            "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

static struct http_load load_of(unsigned connections, uint64_t requests)
{
    indexes = 0;
    return (struct http_load){
        .port = port,
        .connection_count = connections,
        .request_count = requests,
        .status = 201,
        .request = write_order,
        .latencies = &latencies,
    };
}

static void every_request_is_made_once_and_answered(void **state)
{
    static const unsigned connections[] = {1, 2, 16};
    struct http_load_result result;
    (void)state;
    for (size_t i = 0; i < sizeof connections / sizeof connections[0]; i++) {
        struct http_load load = load_of(connections[i], 400);
        begin(NULL);
        assert_true(http_load_run(&load, &result));
        assert_int_equal(result.answered, 400);
        assert_int_equal(result.errors, 0);
        assert_int_equal(latencies.count, 400);
        assert_int_equal(indexes, 399 * 400 / 2);
        assert_true(result.sum_ns > 0 && result.sum_ns / 400 <= latencies.max);
    }
}

static void no_request_is_made_before_it_is_due(void **state)
{
    struct http_load_result result;
    struct http_load load = load_of(8, 200);
    (void)state;
    load.rate = 1000;
    assert_true(http_load_run(&load, &result));
    assert_int_equal(result.answered, 200);
    assert_true(result.spent_ns >= 199 * NS_PER_MS);
}

static void another_status_is_an_error_and_is_quoted(void **state)
{
    struct http_load_result result;
    struct http_load load = load_of(2, 10);
    (void)state;
    load.status = 200;
    assert_false(http_load_run(&load, &result));
    assert_int_equal(result.answered, 0);
    assert_int_equal(result.errors, 10);
    assert_string_equal(result.error, "answered 201, expected 200: {\"a\":1}");
}

static void a_server_that_is_not_there_is_an_error(void **state)
{
    struct http_load_result result;
    struct http_load load = load_of(2, 10);
    (void)state;
    load.port = 1; /* nobody's */
    assert_false(http_load_run(&load, &result));
    assert_true(result.error[0] != '\0');
}

static void one_request_alone_has_its_answer(void **state)
{
    static char bytes[HTTP_ANSWER_SIZE_MAX + 1];
    struct http_answer answer;
    (void)state;
    assert_true(http_load_once(port, "GET /api/v1/orderbook/X HTTP/1.1\r\nHost: localhost\r\n\r\n",
                               &answer, bytes));
    assert_int_equal(answer.status, 200);
    assert_string_equal(bytes, BOOK);
}

static uint64_t start_us;

static bool sent_at(void *self, const char *text, size_t size, uint64_t *sent_ns)
{
    unsigned long long us = 0;
    (void)self;
    assert_int_equal(size, sizeof MESSAGE - 1);
    assert_int_equal(sscanf(text, "{\"type\":\"bbo\",\"seq\":1,\"ts\":%16llu}", &us), 1);
    *sent_ns = us * NS_PER_US;
    return us >= start_us;
}

static void a_broadcast_reaches_every_client_every_time(void **state)
{
    char error[WEBSOCKET_LOAD_ERROR_SIZE];
    const struct websocket_load_owner owner = {NULL, sent_at, &latencies};
    (void)state;
    websocket_load_t *load = websocket_load_open(port, "/ws/quotes/X", CLIENTS, &owner, error);
    assert_non_null(load);
    const struct websocket_load_counts *counts = websocket_load_counts(load);
    start_us = clock_wall_ns() / NS_PER_US;
    assert_true(
        floor_server_broadcast(server, CLIENTS, MESSAGE, sizeof MESSAGE - 1, 1000, MESSAGES));
    uint64_t give_up_ns = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    while (counts->measured < CLIENTS * MESSAGES && clock_monotonic_ns() < give_up_ns)
        websocket_load_poll(load, 100);
    assert_int_equal(counts->errors, 0);
    assert_int_equal(counts->messages, CLIENTS * MESSAGES);
    assert_int_equal(counts->measured, CLIENTS * MESSAGES);
    assert_int_equal(latencies.count, CLIENTS * MESSAGES);
    assert_true(latencies.max < 10 * NS_PER_SECOND);
    assert_true(floor_server_wait(server));
    websocket_load_close(&load);
    assert_null(load);
}

static void a_message_without_a_time_is_not_broadcast(void **state)
{
    static const char *const messages[] = {"{}", "{\"ts\":}", "{\"ts\":170000000000000}"};
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        assert_false(floor_server_broadcast(server, 0, messages[i], strlen(messages[i]), 1, 1));
}

static void an_upgrade_that_is_refused_is_told(void **state)
{
    char error[WEBSOCKET_LOAD_ERROR_SIZE] = "";
    const struct websocket_load_owner owner = {NULL, sent_at, &latencies};
    (void)state;
    assert_null(websocket_load_open(port, "/ws/nothing", 1, &owner, error));
    assert_non_null(strstr(error, "404"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_request_is_made_once_and_answered, begin),
        cmocka_unit_test_setup(no_request_is_made_before_it_is_due, begin),
        cmocka_unit_test_setup(another_status_is_an_error_and_is_quoted, begin),
        cmocka_unit_test_setup(a_server_that_is_not_there_is_an_error, begin),
        cmocka_unit_test(one_request_alone_has_its_answer),
        cmocka_unit_test_setup(a_broadcast_reaches_every_client_every_time, begin),
        cmocka_unit_test(a_message_without_a_time_is_not_broadcast),
        cmocka_unit_test_setup(an_upgrade_that_is_refused_is_told, begin),
    };
    return cmocka_run_group_tests_name("load", tests, setup, teardown);
}
