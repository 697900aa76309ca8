/* endpoint: real sockets: what arrives, what does not, and what is said when one cannot be
 * opened. Nothing sleeps: each test waits for a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <zmq.h>

#include "bus/endpoint.h"
#include "proto/messages.h"
#include "tests/unit/base/scratch.h"

enum { PATIENCE_MS = 10000 };

static void *context;

static int setup(void **state)
{
    context = zmq_ctx_new();
    return scratch_open(state);
}

static int teardown(void **state)
{
    zmq_ctx_term(context);
    return scratch_close(state);
}

static void *open(enum endpoint_kind kind, const char *address)
{
    char error[ENDPOINT_ERROR_SIZE] = "";
    void *socket = endpoint_open(context, kind, address, error);
    if (socket == NULL)
        fail_msg("%s", error);
    return socket;
}

/* The address a socket is bound to, the port the system chose included. */
static const char *bound(void *socket)
{
    static char address[256];
    size_t size = sizeof address;
    assert_int_equal(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &size), 0);
    return address;
}

static void *open_ipc(enum endpoint_kind kind)
{
    char address[64];
    snprintf(address, sizeof address, "ipc://%s/a", scratch_path());
    return open(kind, address);
}

static void receive(void *socket, char *text, size_t size)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
    int got = zmq_recv(socket, text, size - 1, 0);
    assert_true(got >= 0);
    text[got < (int)size ? got : (int)size - 1] = '\0';
}

static void assert_receives(void *socket, const char *expected)
{
    char text[64];
    receive(socket, text, sizeof text);
    assert_string_equal(text, expected);
}

/* Waits for the connection, which is what IMMEDIATE is for. */
static void push(void *socket, const void *bytes, size_t size)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLOUT};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
    assert_int_equal(zmq_send(socket, bytes, size, 0), size);
}

static void what_is_pushed_is_pulled_over_ipc_and_tcp(void **state)
{
    (void)state;
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        void *pull = tcp ? open(ENDPOINT_PULL, "tcp://127.0.0.1:*") : open_ipc(ENDPOINT_PULL);
        void *push_socket = open(ENDPOINT_PUSH, bound(pull));
        push(push_socket, "hello", 5);
        assert_receives(pull, "hello");
        endpoint_close(&push_socket);
        endpoint_close(&pull);
        assert_null(pull);
        endpoint_close(&pull); /* once more is no harm */
    }
}

static void nothing_is_pushed_to_nobody(void **state)
{
    (void)state;
    void *socket = open_ipc(ENDPOINT_PUSH);
    assert_int_equal(zmq_send(socket, "x", 1, ZMQ_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    endpoint_close(&socket);
}

static void what_was_pushed_last_still_arrives(void **state)
{
    (void)state;
    void *pull = open_ipc(ENDPOINT_PULL);
    void *socket = open_ipc(ENDPOINT_PUSH);
    push(socket, "last words", 10);
    endpoint_close(&socket);
    assert_receives(pull, "last words");
    endpoint_close(&pull);
}

/* ---- topics ---- */

static void publish(void *xpub, const char *text)
{
    assert_int_equal(zmq_send(xpub, text, strlen(text) + 1, 0), strlen(text) + 1);
}

static void a_topic_is_not_the_beginning_of_another(void **state)
{
    (void)state;
    void *xpub = open_ipc(ENDPOINT_XPUB), *sub = open_ipc(ENDPOINT_SUB);
    char text[64];
    endpoint_subscribe(sub, "l2.BTC-USD");
    receive(xpub, text, sizeof text);
    assert_memory_equal(text, "\1l2.BTC-USD", 12); /* its NUL included */
    publish(xpub, "l2.BTC-USDT");
    publish(xpub, "l2.BTC-US");
    publish(xpub, "l2.BTC-USD");
    assert_receives(sub, "l2.BTC-USD");
    publish(xpub, "l2.BTC-USDT");
    publish(xpub, "l2.BTC-USD");
    assert_receives(sub, "l2.BTC-USD");
    endpoint_close(&sub);
    endpoint_close(&xpub);
}

static void a_prefix_is_the_beginning_of_many(void **state)
{
    (void)state;
    void *xpub = open_ipc(ENDPOINT_XPUB), *sub = open_ipc(ENDPOINT_SUB);
    char text[64];
    endpoint_subscribe_prefix(sub, "l2.BTC");
    receive(xpub, text, sizeof text);
    assert_string_equal(text, "\1l2.BTC");
    publish(xpub, "l2.ETH-USD");
    publish(xpub, "l2.BTC-USDT");
    publish(xpub, "l2.BTC");
    assert_receives(sub, "l2.BTC-USDT");
    assert_receives(sub, "l2.BTC");
    endpoint_close(&sub);
    endpoint_close(&xpub);
}

static void each_subscriber_of_a_topic_is_seen(void **state)
{
    (void)state;
    void *xpub = open_ipc(ENDPOINT_XPUB);
    void *subs[3];
    for (unsigned i = 0; i < 3; i++) {
        subs[i] = open_ipc(ENDPOINT_SUB);
        endpoint_subscribe(subs[i], "re.0");
        assert_receives(xpub, "\1re.0");
    }
    for (unsigned i = 0; i < 3; i++)
        endpoint_close(&subs[i]);
    assert_receives(xpub, (const char[]){0, 'r', 'e', '.', '0', 0}); /* the last one left */
    endpoint_close(&xpub);
}

/* ---- limits ---- */

static void a_message_larger_than_a_frame_is_not_taken_in(void **state)
{
    (void)state;
    static uint8_t large[FRAME_SIZE_MAX + 1];
    static char got[FRAME_SIZE_MAX + 1];
    void *pull = open_ipc(ENDPOINT_PULL);
    void *one = open_ipc(ENDPOINT_PUSH);
    zmq_pollitem_t item = {.socket = pull, .events = ZMQ_POLLIN};
    memset(large, 'x', sizeof large);
    push(one, large, FRAME_SIZE_MAX);
    receive(pull, got, sizeof got);
    assert_int_equal(strlen(got), FRAME_SIZE_MAX);
    push(one, large, FRAME_SIZE_MAX + 1);
    do { /* it is cut off, what it has sent with it, and comes back */
        push(one, "small", 5);
    } while (zmq_poll(&item, 1, 20) == 0);
    assert_receives(pull, "small");
    endpoint_close(&one);
    endpoint_close(&pull);
}

/* cluster.c accepts addresses of ipc:// and 106 characters: they must open. */
static void a_path_of_106_characters_can_be_opened_and_108_cannot(void **state)
{
    (void)state;
    char error[ENDPOINT_ERROR_SIZE], address[128] = "ipc://";
    size_t size = 6 + strlen(scratch_path());
    strcat(address, scratch_path());
    address[size++] = '/';
    memset(address + size, 'a', sizeof address - size);
    address[6 + 106] = '\0';
    void *socket = open(ENDPOINT_PULL, address);
    endpoint_close(&socket);
    address[6 + 106] = 'a';
    address[6 + 108] = '\0';
    assert_null(endpoint_open(context, ENDPOINT_PULL, address, error));
    assert_non_null(strstr(error, ": the path is longer than a socket's may be"));
}

/* ---- what is said ---- */

static void assert_error(enum endpoint_kind kind, const char *address, const char *expected)
{
    char error[ENDPOINT_ERROR_SIZE] = "";
    assert_null(endpoint_open(context, kind, address, error));
    assert_string_equal(error, expected);
}

static void an_address_in_use_is_told_in_words(void **state)
{
    (void)state;
    char expected[512], address[256];
    void *first = open(ENDPOINT_XPUB, "tcp://127.0.0.1:*");
    strcpy(address, bound(first));
    snprintf(expected, sizeof expected,
             "cannot listen at %s: the address is in use by another process", address);
    assert_error(ENDPOINT_XPUB, address, expected);
    assert_error(ENDPOINT_PULL, address, expected);
    endpoint_close(&first);
}

static void a_directory_that_is_not_there_is_told_in_words(void **state)
{
    (void)state;
    assert_error(ENDPOINT_PULL, "ipc:///nowhere/at/all",
                 "cannot listen at ipc:///nowhere/at/all: the directory does not exist");
}

static void a_machine_that_is_not_ours_is_told_in_words(void **state)
{
    (void)state;
    assert_error(ENDPOINT_PULL, "tcp://192.0.2.1:5555",
                 "cannot listen at tcp://192.0.2.1:5555: this machine has no such address");
}

static void an_address_that_is_none_is_told(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "", "nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:port", "udp://127.0.0.1:1"};
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        char error[ENDPOINT_ERROR_SIZE] = "";
        assert_null(endpoint_open(context, ENDPOINT_PULL, addresses[i], error));
        assert_int_equal(strncmp(error, "cannot listen at ", 17), 0);
        error[0] = '\0';
        assert_null(endpoint_open(context, ENDPOINT_SUB, addresses[i], error));
        assert_int_equal(strncmp(error, "cannot connect to ", 18), 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_pushed_is_pulled_over_ipc_and_tcp),
        TEST(nothing_is_pushed_to_nobody),
        TEST(what_was_pushed_last_still_arrives),
        TEST(a_topic_is_not_the_beginning_of_another),
        TEST(a_prefix_is_the_beginning_of_many),
        TEST(each_subscriber_of_a_topic_is_seen),
        TEST(a_message_larger_than_a_frame_is_not_taken_in),
        TEST(a_path_of_106_characters_can_be_opened_and_108_cannot),
        TEST(an_address_in_use_is_told_in_words),
        TEST(a_directory_that_is_not_there_is_told_in_words),
        TEST(a_machine_that_is_not_ours_is_told_in_words),
        TEST(an_address_that_is_none_is_told),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
