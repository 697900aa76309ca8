#include "http_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "tcp.h"

enum {
    SILENCE_MS = 10000,
    EVENTS_MAX = 64,
    ERROR_BODY_MAX = 400,              /* of an answer that is quoted */
    TIMER = HTTP_LOAD_CONNECTIONS_MAX, /* in epoll's data, beside connections' numbers */
};

struct connection {
    int fd;           /* -1: cut */
    uint64_t from_ns; /* when its request was sent, or due */
    size_t held;
    char bytes[HTTP_ANSWER_SIZE_MAX];
};

struct run {
    const struct http_load *load;
    struct http_load_result *result;
    struct connection *connections;
    /* Connections without a request, in a ring: who has been idle the longest is next, so that none
     * is idle until the server cuts it. */
    unsigned idle[HTTP_LOAD_CONNECTIONS_MAX];
    unsigned idle_first, idle_count;
    unsigned open_count;
    int epoll;
    int timer; /* wakes us when the next request is due */
    uint64_t start_ns;
    uint64_t sent;
};

/* ---- errors ---- */

static void fail(struct run *r, const char *words)
{
    r->result->errors++;
    if (r->result->error[0] == '\0') {
        snprintf(r->result->error, sizeof r->result->error, "%s", words);
    }
}

static void cut(struct run *r, struct connection *c, const char *words)
{
    fail(r, words);
    close(c->fd);
    c->fd = -1;
    r->open_count--;
}

static void quote(struct run *r, const struct connection *c, const struct http_answer *a)
{
    char words[HTTP_LOAD_ERROR_SIZE];
    int size = a->body_size < ERROR_BODY_MAX ? (int)a->body_size : ERROR_BODY_MAX;
    snprintf(words, sizeof words, "answered %u, expected %u: %.*s", a->status, r->load->status,
             size, c->bytes + a->head_size);
    fail(r, words);
}

/* ---- requests and answers ---- */

/* The time request `index` is due; with no rate, now. */
static uint64_t due_ns(const struct run *r, uint64_t index, uint64_t now_ns)
{
    uint64_t rate = r->load->rate;
    if (rate == 0) {
        return now_ns;
    }
    return r->start_ns + index / rate * NS_PER_SECOND + index % rate * NS_PER_SECOND / rate;
}

static void make_idle(struct run *r, unsigned number)
{
    r->idle[(r->idle_first + r->idle_count++) % HTTP_LOAD_CONNECTIONS_MAX] = number;
}

/* A request is smaller than any socket's buffer, and only one is in it: it goes out whole. */
static void send_next(struct run *r, unsigned number, uint64_t from_ns)
{
    char request[HTTP_LOAD_REQUEST_MAX];
    struct connection *c = &r->connections[number];
    size_t size = r->load->request(r->load->self, r->sent++, request, sizeof request);
    CHECK(size <= sizeof request);
    c->from_ns = from_ns;
    c->held = 0;
    ssize_t sent = send(c->fd, request, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != (ssize_t)size) {
        cut(r, c, sent < 0 ? strerror(errno) : "a request did not go out whole");
    }
}

/* Everything that is due and finds a connection. */
static void send_due(struct run *r)
{
    uint64_t now_ns = clock_monotonic_ns();
    while (r->idle_count > 0 && r->sent < r->load->request_count) {
        uint64_t from_ns = due_ns(r, r->sent, now_ns);
        if (from_ns > now_ns) {
            struct itimerspec at = {
                .it_value = {(time_t)(from_ns / NS_PER_SECOND), (long)(from_ns % NS_PER_SECOND)}};
            CHECK(timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &at, NULL) == 0);
            return;
        }
        unsigned number = r->idle[r->idle_first];
        r->idle_first = (r->idle_first + 1) % HTTP_LOAD_CONNECTIONS_MAX;
        r->idle_count--;
        if (r->connections[number].fd >= 0) {
            send_next(r, number, from_ns);
        }
    }
}

static void take_answer(struct run *r, unsigned number, const struct http_answer *a)
{
    struct connection *c = &r->connections[number];
    uint64_t spent_ns = clock_monotonic_ns() - c->from_ns;
    if (c->held != a->head_size + a->body_size) {
        cut(r, c, "more bytes came than the answer has");
    } else if (a->status != r->load->status) {
        quote(r, c, a);
    } else if (a->close) {
        cut(r, c, "the server closes a connection that was to be kept alive");
    } else {
        r->result->answered++;
        r->result->sum_ns += spent_ns;
        histogram_add(r->load->latencies, spent_ns);
    }
    make_idle(r, number);
}

static void take_bytes(struct run *r, unsigned number)
{
    struct connection *c = &r->connections[number];
    if (c->fd < 0) {
        return;
    }
    ssize_t size = recv(c->fd, c->bytes + c->held, sizeof c->bytes - c->held, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size <= 0) {
        cut(r, c, size < 0 ? strerror(errno) : "a connection was closed by the server");
        return;
    }
    c->held += (size_t)size;
    struct http_answer answer;
    enum http_answer_read read = http_answer_read(&answer, c->bytes, c->held);
    if (read == HTTP_ANSWER_WHOLE) {
        take_answer(r, number, &answer);
    } else if (read == HTTP_ANSWER_GARBAGE) {
        cut(r, c, "what came is not an HTTP answer");
    }
}

/* ---- life ---- */

static void watch(struct run *r, int fd, uint32_t number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    CHECK(epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static bool open_all(struct run *r)
{
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    CHECK(r->epoll >= 0 && r->timer >= 0);
    watch(r, r->timer, TIMER);
    while (r->open_count < r->load->connection_count) {
        int fd = tcp_open(r->load->port);
        if (fd < 0) {
            fail(r, strerror(errno));
            return false;
        }
        watch(r, fd, r->open_count);
        make_idle(r, r->open_count);
        r->connections[r->open_count++].fd = fd;
    }
    return true;
}

static void close_all(struct run *r)
{
    for (unsigned number = 0; number < r->load->connection_count; number++) {
        if (r->connections[number].fd >= 0) {
            close(r->connections[number].fd);
        }
    }
    close(r->timer);
    close(r->epoll);
}

static void loop(struct run *r)
{
    const struct http_load_result *result = r->result;
    while (result->answered + result->errors < r->load->request_count && r->open_count > 0) {
        struct epoll_event events[EVENTS_MAX];
        send_due(r);
        int count = epoll_wait(r->epoll, events, EVENTS_MAX, SILENCE_MS);
        if (count == 0) {
            fail(r, "nothing came for 10 s");
            return;
        }
        for (int index = 0; index < count; index++) {
            uint64_t expirations;
            if (events[index].data.u32 == TIMER) {
                (void)!read(r->timer, &expirations, sizeof expirations);
            } else {
                take_bytes(r, events[index].data.u32);
            }
        }
    }
}

bool http_load_run(const struct http_load *load, struct http_load_result *result)
{
    CHECK(load->connection_count >= 1 && load->connection_count <= HTTP_LOAD_CONNECTIONS_MAX);
    *result = (struct http_load_result){.error = ""};
    struct run *r = memory_new(1, sizeof *r, "a load");
    r->load = load;
    r->result = result;
    r->connections = memory_new(load->connection_count, sizeof *r->connections, "connections");
    for (unsigned number = 0; number < load->connection_count; number++) {
        r->connections[number].fd = -1;
    }
    if (open_all(r)) {
        r->start_ns = clock_monotonic_ns();
        loop(r);
        result->spent_ns = clock_monotonic_ns() - r->start_ns;
    }
    close_all(r);
    memory_free(r->connections, load->connection_count, sizeof *r->connections);
    memory_free(r, 1, sizeof *r);
    return result->errors == 0;
}

bool http_load_once(uint16_t port, const char *request, struct http_answer *answer,
                    char bytes[HTTP_ANSWER_SIZE_MAX + 1])
{
    enum http_answer_read read = HTTP_ANSWER_PART;
    size_t held = 0;
    int fd = tcp_open(port);
    bool good = fd >= 0 && tcp_send(fd, request, strlen(request));
    while (good && read == HTTP_ANSWER_PART) {
        ssize_t size = recv(fd, bytes + held, HTTP_ANSWER_SIZE_MAX - held, 0);
        good = size > 0;
        if (good) {
            held += (size_t)size;
            read = http_answer_read(answer, bytes, held);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    bytes[held] = '\0';
    return good && read == HTTP_ANSWER_WHOLE;
}
