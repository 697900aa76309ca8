/* websocket_inflow: what is judged of a frame that is coming in, from numbers and on a socket; and
 * connection_socket, which finds the socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ifaddrs.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/connection_socket.h"
#include "gateway/websocket_inflow.h"
#include "gateway/websocket_input.h"

enum { REQUEST_SIZE = 200, HEAD_MAX = 14, SMALL = 6 + 5 /* a masked frame of 5 bytes */ };
static const uint64_t start_ns = 1000 * NS_PER_SECOND;

static struct websocket_inflow begun(void)
{
    return (struct websocket_inflow){
        .known = true, .begin_bytes = REQUEST_SIZE, .since_ns = start_ns};
}

static unsigned judge(struct websocket_inflow *f, uint64_t pending, uint64_t after_ms)
{
    return websocket_inflow_judge(f, f->begin_bytes + f->taken_bytes + pending,
                                  start_ns + after_ms * NS_PER_MS);
}

static void frames_count_with_masked_heads(void **state)
{
    (void)state;
    struct websocket_inflow f = begun();
    static const struct {
        size_t payload, whole;
    } sizes[] = {{0, 6}, {125, 131}, {126, 134}, {65535, 65543}, {65536, 65550}};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t before = f.taken_bytes;
        websocket_inflow_frame(&f, sizes[i].payload);
        assert_int_equal(f.taken_bytes - before, sizes[i].whole);
    }
}

static void a_frame_may_be_as_large_as_a_message(void **state)
{
    (void)state;
    struct websocket_inflow f = begun();
    websocket_inflow_frame(&f, 5);
    assert_int_equal(judge(&f, WEBSOCKET_RECEIVED_MAX + HEAD_MAX - 1, 0), WEBSOCKET_INFLOW_FINE);
    assert_int_equal(judge(&f, WEBSOCKET_RECEIVED_MAX + HEAD_MAX, 0), WEBSOCKET_INFLOW_FINE);
    assert_int_equal(judge(&f, WEBSOCKET_RECEIVED_MAX + HEAD_MAX + 1, 0), WEBSOCKET_INFLOW_LARGE);
}

static void a_frame_has_30_seconds_to_come_in(void **state)
{
    (void)state;
    struct websocket_inflow f = begun();
    assert_int_equal(judge(&f, 0, 5000), WEBSOCKET_INFLOW_FINE);
    assert_int_equal(judge(&f, 3, 5050), WEBSOCKET_INFLOW_FINE);
    assert_int_equal(judge(&f, 900, 34999), WEBSOCKET_INFLOW_FINE); /* one byte more is no excuse */
    assert_int_equal(judge(&f, 900, 35000), WEBSOCKET_INFLOW_FINE);
    assert_int_equal(judge(&f, 901, 35001), WEBSOCKET_INFLOW_STALLED);
}

static void a_frame_that_is_handed_on_gives_the_next_its_own_30_seconds(void **state)
{
    (void)state;
    struct websocket_inflow f = begun();
    assert_int_equal(judge(&f, 10, 20000), WEBSOCKET_INFLOW_FINE);
    websocket_inflow_frame(&f, 5);
    assert_int_equal(judge(&f, 10, 29000), WEBSOCKET_INFLOW_FINE);
    assert_int_equal(judge(&f, 10, 59000), WEBSOCKET_INFLOW_FINE);
    assert_int_equal(judge(&f, 10, 59001), WEBSOCKET_INFLOW_STALLED);
}

static void who_sends_nothing_is_left_alone(void **state)
{
    (void)state;
    struct websocket_inflow f = begun();
    for (uint64_t ms = 0; ms <= 3600 * 1000; ms += 20000)
        assert_int_equal(judge(&f, 0, ms), WEBSOCKET_INFLOW_FINE);
}

static void a_frame_without_a_mask_is_seen(void **state)
{
    (void)state;
    struct websocket_inflow f = begun();
    websocket_inflow_frame(&f, 5);
    assert_int_equal(websocket_inflow_judge(&f, REQUEST_SIZE + SMALL, start_ns),
                     WEBSOCKET_INFLOW_FINE);
    assert_int_equal(websocket_inflow_judge(&f, REQUEST_SIZE + SMALL - 4, start_ns),
                     WEBSOCKET_INFLOW_UNMASKED);
}

/* ---- on sockets ---- */

struct pair {
    int listener, client, server;
    struct mg_request_info info; /* as civetweb tells of it */
};

static void pair_open_at(struct pair *p, const char *name)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *at;
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char port[8];
    assert_int_equal(getaddrinfo(name, "0", &hints, &at), 0);
    *p = (struct pair){.listener = socket(at->ai_family, SOCK_STREAM, 0),
                       .client = socket(at->ai_family, SOCK_STREAM, 0)};
    assert_int_equal(bind(p->listener, at->ai_addr, at->ai_addrlen), 0);
    freeaddrinfo(at);
    assert_int_equal(listen(p->listener, 1), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(p->client, (struct sockaddr *)&address, size), 0);
    assert_int_equal(
        getnameinfo((struct sockaddr *)&address, size, NULL, 0, port, sizeof port, NI_NUMERICSERV),
        0);
    p->info.server_port = atoi(port);
    p->server = accept(p->listener, (struct sockaddr *)&address, &size);
    assert_true(p->server >= 0);
    assert_int_equal(getnameinfo((struct sockaddr *)&address, size, p->info.remote_addr,
                                 sizeof p->info.remote_addr, port, sizeof port,
                                 NI_NUMERICHOST | NI_NUMERICSERV),
                     0);
    p->info.remote_port = atoi(port);
}

static void pair_open(struct pair *p)
{
    pair_open_at(p, "127.0.0.1");
}

static void pair_close(struct pair *p)
{
    close(p->client);
    close(p->server);
    close(p->listener);
}

static void send_bytes(struct pair *p, size_t size)
{
    static const char zeros[4096];
    while (size > 0) {
        size_t part = size < sizeof zeros ? size : sizeof zeros;
        assert_int_equal(send(p->client, zeros, part, 0), part);
        size -= part;
    }
}

static void read_bytes(struct pair *p, size_t size)
{
    char bytes[4096];
    while (size > 0) {
        size_t part = size < sizeof bytes ? size : sizeof bytes;
        assert_int_equal(recv(p->server, bytes, part, MSG_WAITALL), part);
        size -= part;
    }
}

static void what_lies_in_the_kernel_is_not_read_yet(void **state)
{
    (void)state;
    struct websocket_inflow f;
    struct pair p;
    pair_open(&p);
    send_bytes(&p, REQUEST_SIZE);
    read_bytes(&p, REQUEST_SIZE);
    websocket_inflow_begin(&f, p.server, start_ns);
    assert_true(f.known);
    assert_int_equal(f.begin_bytes, REQUEST_SIZE);
    send_bytes(&p, SMALL + 1);
    assert_int_equal(websocket_inflow_look(&f, p.server, start_ns), WEBSOCKET_INFLOW_FINE);
    assert_false(f.pending);
    read_bytes(&p, SMALL);
    websocket_inflow_frame(&f, 5);
    assert_int_equal(websocket_inflow_look(&f, p.server, start_ns), WEBSOCKET_INFLOW_FINE);
    assert_false(f.pending);
    assert_false(websocket_inflow_given_up(&f, p.server));
    read_bytes(&p, 1);
    send_bytes(&p, 1);
    assert_int_equal(websocket_inflow_look(&f, p.server, start_ns), WEBSOCKET_INFLOW_FINE);
    assert_true(f.pending);
    assert_true(websocket_inflow_given_up(&f, p.server));
    shutdown(p.client, SHUT_WR);
    read_bytes(&p, 1);
    assert_int_equal(recv(p.server, &f, 1, 0), 0); /* it is half closed now */
    assert_false(websocket_inflow_given_up(&f, p.server));
    pair_close(&p);
}

static void a_large_frame_is_seen_while_it_comes(void **state)
{
    (void)state;
    struct websocket_inflow f;
    struct pair p;
    pair_open(&p);
    send_bytes(&p, REQUEST_SIZE);
    read_bytes(&p, REQUEST_SIZE);
    websocket_inflow_begin(&f, p.server, start_ns);
    for (size_t size = 0; size + 4096 <= WEBSOCKET_RECEIVED_MAX; size += 4096) {
        send_bytes(&p, 4096);
        read_bytes(&p, 4096);
        assert_int_equal(websocket_inflow_look(&f, p.server, start_ns), WEBSOCKET_INFLOW_FINE);
    }
    send_bytes(&p, HEAD_MAX + 1);
    read_bytes(&p, HEAD_MAX + 1);
    assert_int_equal(websocket_inflow_look(&f, p.server, start_ns), WEBSOCKET_INFLOW_LARGE);
    pair_close(&p);
}

/* Where the machine has IPv6; what the other end is called there is another text. */
static void a_socket_of_ipv6_is_found(void **state)
{
    (void)state;
    struct pair four, six;
    struct ifaddrs *all;
    bool has_ipv6 = false;
    assert_int_equal(getifaddrs(&all), 0);
    for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
        has_ipv6 = has_ipv6 || (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET6 &&
                                strcmp(i->ifa_name, "lo") == 0);
    freeifaddrs(all);
    if (!has_ipv6)
        skip();
    pair_open(&four);
    pair_open_at(&six, "::1");
    assert_string_equal(six.info.remote_addr, "::1");
    assert_int_equal(connection_socket(&six.info), six.server);
    strcpy(six.info.remote_addr, "127.0.0.1");
    assert_int_equal(connection_socket(&six.info), -1);
    assert_int_equal(connection_socket(&four.info), four.server);
    pair_close(&four);
    pair_close(&six);
}

static void a_socket_is_found_by_both_ends(void **state)
{
    (void)state;
    struct pair one, two;
    pair_open(&one);
    pair_open(&two);
    assert_int_equal(connection_socket(&one.info), one.server);
    assert_int_equal(connection_socket(&two.info), two.server);
    struct mg_request_info other = one.info;
    other.server_port = two.info.server_port;
    assert_int_equal(connection_socket(&other), -1);
    other = one.info;
    strcpy(other.remote_addr, "127.0.0.2");
    assert_int_equal(connection_socket(&other), -1);
    int copy = dup(one.server);
    assert_int_equal(connection_socket(&one.info), -1); /* which of them is meant? */
    close(copy);
    assert_int_equal(connection_socket(&one.info), one.server);
    pair_close(&one);
    assert_int_equal(connection_socket(&one.info), -1);
    pair_close(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_count_with_masked_heads),
        cmocka_unit_test(a_frame_may_be_as_large_as_a_message),
        cmocka_unit_test(a_frame_has_30_seconds_to_come_in),
        cmocka_unit_test(a_frame_that_is_handed_on_gives_the_next_its_own_30_seconds),
        cmocka_unit_test(who_sends_nothing_is_left_alone),
        cmocka_unit_test(a_frame_without_a_mask_is_seen),
        cmocka_unit_test(what_lies_in_the_kernel_is_not_read_yet),
        cmocka_unit_test(a_large_frame_is_seen_while_it_comes),
        cmocka_unit_test(a_socket_is_found_by_both_ends),
        cmocka_unit_test(a_socket_of_ipv6_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
