/* The owner and the process speak over a socket pair: an instruction with its bytes, and one
 * reply to each. The end of the pair is the end of the process. */
#include "floor_server.h"

#include <civetweb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "tcp.h"
#include "websocket_frame.h"

enum {
    CLIENTS_MAX = 1024,
    PATIENCE_MS = 10000, /* for clients to come, or those of the run before to go */
    TS_DIGITS = 16,      /* microseconds since 1970, until the year 2286 */
};

static const char TS[] = "\"ts\":";

enum instruction_kind {
    INSTRUCTION_START,
    INSTRUCTION_BROADCAST,
};

struct instruction {
    enum instruction_kind kind;
    uint32_t thread_count; /* of START */
    uint16_t port;
    uint32_t client_count; /* of BROADCAST */
    uint32_t rate;
    uint32_t count;
    size_t sizes[2]; /* bytes behind it: the two answers; the message */
};

struct floor_server {
    int pair;
    pid_t pid;
};

/* ---- the process ---- */

static struct {
    struct mg_context *civetweb;
    char *answers[2]; /* of orders, of the book; written before civetweb starts */
    size_t sizes[2];
    pthread_mutex_t mutex; /* over what follows */
    struct mg_connection *clients[CLIENTS_MAX];
    unsigned client_count;
} server = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int answer(struct mg_connection *c, unsigned which)
{
    char body[4096];
    while (mg_read(c, body, sizeof body) > 0) {
    }
    mg_write(c, server.answers[which], server.sizes[which]);
    return 200;
}

static int on_order(struct mg_connection *c, void *self)
{
    (void)self;
    return answer(c, 0);
}

static int on_book(struct mg_connection *c, void *self)
{
    (void)self;
    return answer(c, 1);
}

static void on_websocket(struct mg_connection *c, void *self)
{
    (void)self;
    pthread_mutex_lock(&server.mutex);
    if (server.client_count < CLIENTS_MAX) {
        server.clients[server.client_count++] = c;
    }
    pthread_mutex_unlock(&server.mutex);
}

static void on_websocket_closed(const struct mg_connection *c, void *self)
{
    (void)self;
    pthread_mutex_lock(&server.mutex);
    for (unsigned index = 0; index < server.client_count; index++) {
        if (server.clients[index] == c) {
            server.clients[index] = server.clients[--server.client_count];
            break;
        }
    }
    pthread_mutex_unlock(&server.mutex);
}

static int on_websocket_data(struct mg_connection *c, int bits, char *data, size_t size, void *self)
{
    (void)c, (void)bits, (void)data, (void)size, (void)self;
    return 1; /* it stays open */
}

static bool receive(int pair, void *bytes, size_t size)
{
    return size == 0 || recv(pair, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

static bool start(int pair, const struct instruction *o)
{
    char address[32], threads[16];
    for (unsigned index = 0; index < 2; index++) {
        server.sizes[index] = o->sizes[index];
        server.answers[index] = malloc(o->sizes[index]);
        CHECK(server.answers[index]);
        if (!receive(pair, server.answers[index], o->sizes[index])) {
            return false;
        }
    }
    snprintf(address, sizeof address, "127.0.0.1:%u", o->port);
    snprintf(threads, sizeof threads, "%u", o->thread_count);
    const char *options[] = {"listening_ports",
                             address,
                             "num_threads",
                             threads,
                             "tcp_nodelay",
                             "1",
                             "enable_keep_alive",
                             "yes",
                             "keep_alive_timeout_ms",
                             "30000",
                             "request_timeout_ms",
                             "30000",
                             "connection_queue",
                             "1024",
                             "websocket_timeout_ms",
                             "60000",
                             NULL};
    server.civetweb = mg_start(NULL, NULL, options);
    if (!server.civetweb) {
        return false;
    }
    mg_set_request_handler(server.civetweb, "/api/v1/orders", on_order, NULL);
    mg_set_request_handler(server.civetweb, "/api/v1/orderbook/", on_book, NULL);
    mg_set_websocket_handler(server.civetweb, "/ws/quotes/", NULL, on_websocket, on_websocket_data,
                             on_websocket_closed, NULL);
    return true;
}

static void sleep_until(uint64_t at_ns)
{
    struct timespec at = {(time_t)(at_ns / NS_PER_SECOND), (long)(at_ns % NS_PER_SECOND)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0) {
    }
}

static void broadcast_once(const uint8_t *frame, size_t size)
{
    pthread_mutex_lock(&server.mutex);
    for (unsigned index = 0; index < server.client_count; index++) {
        mg_write(server.clients[index], frame, size);
    }
    pthread_mutex_unlock(&server.mutex);
}

/* A client has its handshake a moment before it is among ours. */
static bool wait_for_clients(uint32_t count)
{
    uint64_t give_up_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;
    for (;;) {
        pthread_mutex_lock(&server.mutex);
        bool there = server.client_count == count;
        pthread_mutex_unlock(&server.mutex);
        if (there || clock_monotonic_ns() > give_up_ns) {
            return there;
        }
        sleep_until(clock_monotonic_ns() + NS_PER_MS);
    }
}

static bool broadcast(int pair, const struct instruction *o)
{
    char message[FLOOR_SERVER_MESSAGE_MAX], digits[32];
    uint8_t frame[WEBSOCKET_HEAD_SIZE_MAX + FLOOR_SERVER_MESSAGE_MAX];
    if (!receive(pair, message, o->sizes[0])) {
        return false;
    }
    char *ts = memmem(message, o->sizes[0], TS, sizeof TS - 1);
    CHECK(ts);
    if (!wait_for_clients(o->client_count)) {
        return false;
    }
    uint64_t start_ns = clock_monotonic_ns();
    for (uint32_t index = 0; index < o->count; index++) {
        sleep_until(start_ns + index * NS_PER_SECOND / o->rate);
        snprintf(digits, sizeof digits, "%016llu",
                 (unsigned long long)(clock_wall_ns() / NS_PER_US));
        memcpy(ts + sizeof TS - 1, digits, TS_DIGITS);
        size_t size = websocket_frame_put(frame, WEBSOCKET_TEXT, message, o->sizes[0], NULL);
        broadcast_once(frame, size);
    }
    return true;
}

_Noreturn static void serve(int pair)
{
    struct instruction o;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (receive(pair, &o, sizeof o)) {
        bool done = o.kind == INSTRUCTION_START ? start(pair, &o) : broadcast(pair, &o);
        if (send(pair, &done, sizeof done, MSG_NOSIGNAL) != sizeof done) {
            break;
        }
    }
    _exit(0); /* what civetweb has open, the kernel closes; and nothing here is the owner's */
}

/* ---- the owner ---- */

floor_server_t *floor_server_new(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        serve(pair[1]);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return NULL;
    }
    floor_server_t *f = memory_new(1, sizeof *f, "the floor server");
    f->pair = pair[0];
    f->pid = pid;
    return f;
}

void floor_server_destroy(floor_server_t **server_to_end)
{
    floor_server_t *f = *server_to_end;
    if (!f) {
        return;
    }
    close(f->pair);
    kill(f->pid, SIGKILL); /* it holds nothing that could be lost */
    waitpid(f->pid, NULL, 0);
    memory_free(f, 1, sizeof *f);
    *server_to_end = NULL;
}

bool floor_server_start(floor_server_t *f, unsigned thread_count, const struct floor_answer *order,
                        const struct floor_answer *book, uint16_t *port)
{
    struct instruction o = {.kind = INSTRUCTION_START, .thread_count = thread_count};
    if (!tcp_free_ports(port, 1)) {
        return false;
    }
    o.port = *port;
    o.sizes[0] = order->size;
    o.sizes[1] = book->size;
    return tcp_send(f->pair, &o, sizeof o) && tcp_send(f->pair, order->bytes, order->size) &&
           tcp_send(f->pair, book->bytes, book->size) && floor_server_wait(f);
}

static bool has_time(const char *message, size_t size)
{
    const char *ts = memmem(message, size, TS, sizeof TS - 1);
    if (!ts || (size_t)(message + size - ts) < sizeof TS - 1 + TS_DIGITS) {
        return false;
    }
    for (unsigned index = 0; index < TS_DIGITS; index++) {
        char digit = ts[sizeof TS - 1 + index];
        if (digit < '0' || digit > '9') {
            return false;
        }
    }
    return true;
}

bool floor_server_broadcast(floor_server_t *f, unsigned client_count, const char *message,
                            size_t size, uint32_t rate, uint32_t count)
{
    struct instruction o = {
        .kind = INSTRUCTION_BROADCAST, .client_count = client_count, .rate = rate, .count = count};
    o.sizes[0] = size;
    return size <= FLOOR_SERVER_MESSAGE_MAX && has_time(message, size) &&
           tcp_send(f->pair, &o, sizeof o) && tcp_send(f->pair, message, size);
}

bool floor_server_wait(floor_server_t *f)
{
    bool done;
    return receive(f->pair, &done, sizeof done) && done;
}
