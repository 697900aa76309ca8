#include "websocket_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http_answer.h"
#include "tcp.h"
#include "websocket_frame.h"

/* The example of RFC 6455, 1.3: a server that can shake hands can with this key, and nobody needs
 * SHA-1 to check what it answers. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum { EVENTS_MAX = 64, HANDSHAKE_SIZE_MAX = 512 };

struct client {
    int fd; /* -1: cut */
    size_t held;
    uint8_t bytes[WEBSOCKET_FRAME_SIZE_MAX];
};

struct websocket_load {
    struct websocket_load_owner owner;
    struct websocket_load_counts counts;
    struct client *clients;
    unsigned client_count;
    int epoll;
};

static void cut(websocket_load_t *l, struct client *c, const char *words)
{
    l->counts.errors++;
    if (l->counts.error[0] == '\0') {
        snprintf(l->counts.error, sizeof l->counts.error, "%s", words);
    }
    close(c->fd);
    c->fd = -1;
}

/* ---- frames ---- */

static void take_text(websocket_load_t *l, const struct websocket_frame *f, uint64_t now_ns)
{
    uint64_t sent_ns;
    l->counts.messages++;
    if (!l->owner.sent_at(l->owner.self, (const char *)f->payload, f->payload_size, &sent_ns)) {
        return;
    }
    uint64_t spent_ns = now_ns > sent_ns ? now_ns - sent_ns : 0;
    l->counts.measured++;
    l->counts.sum_ns += spent_ns;
    l->counts.last_ns = now_ns;
    histogram_add(l->owner.latencies, spent_ns);
}

static bool send_pong(const struct client *c, const struct websocket_frame *ping)
{
    static const uint8_t mask[4] = {0x37, 0xFA, 0x21, 0x3D}; /* of no use against ourselves */
    uint8_t frame[WEBSOCKET_HEAD_SIZE_MAX + WEBSOCKET_CONTROL_SIZE_MAX];
    size_t size =
        websocket_frame_put(frame, WEBSOCKET_PONG, ping->payload, ping->payload_size, mask);
    return send(c->fd, frame, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

static void take_frame(websocket_load_t *l, struct client *c, const struct websocket_frame *f,
                       uint64_t now_ns)
{
    char words[64];
    if (f->opcode == WEBSOCKET_TEXT) {
        take_text(l, f, now_ns);
    } else if (f->opcode == WEBSOCKET_CLOSE) {
        snprintf(words, sizeof words, "a WebSocket was closed by the server with code %u",
                 f->payload_size >= 2 ? (unsigned)f->payload[0] << 8 | f->payload[1] : 1005U);
        cut(l, c, words);
    } else if (f->opcode == WEBSOCKET_PING && !send_pong(c, f)) {
        cut(l, c, "a pong did not go out");
    }
}

/* Every whole frame; what is left moves to the front. */
static void take_frames(websocket_load_t *l, struct client *c, uint64_t now_ns)
{
    size_t at = 0;
    while (c->fd >= 0) {
        struct websocket_frame frame;
        enum websocket_frame_read read = websocket_frame_read(&frame, c->bytes + at, c->held - at);
        if (read == WEBSOCKET_FRAME_GARBAGE) {
            cut(l, c, "what came is not a WebSocket frame");
        }
        if (read != WEBSOCKET_FRAME_WHOLE) {
            break;
        }
        take_frame(l, c, &frame, now_ns);
        at += frame.size;
    }
    c->held -= at;
    memmove(c->bytes, c->bytes + at, c->held);
}

static void take_bytes(websocket_load_t *l, struct client *c)
{
    if (c->fd < 0) {
        return;
    }
    ssize_t size = recv(c->fd, c->bytes + c->held, sizeof c->bytes - c->held, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size <= 0) {
        cut(l, c, size < 0 ? strerror(errno) : "a WebSocket's connection was cut by the server");
        return;
    }
    c->held += (size_t)size;
    take_frames(l, c, clock_wall_ns());
}

/* ---- life ---- */

/* Ask for the upgrade and read the answer; frames may follow it at once and stay for later. */
static bool shake_hands(struct client *c, uint16_t port, const char *path, char *error)
{
    char request[HANDSHAKE_SIZE_MAX];
    struct http_answer answer;
    enum http_answer_read read = HTTP_ANSWER_PART;
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
             "Sec-WebSocket-Version: 13\r\n\r\n",
             path, port);
    ssize_t size = tcp_send(c->fd, request, strlen(request)) ? 1 : -1;
    while (size > 0 && read == HTTP_ANSWER_PART) {
        size = recv(c->fd, c->bytes + c->held, sizeof c->bytes - c->held, 0);
        if (size > 0) {
            c->held += (size_t)size;
            read = http_answer_read(&answer, (const char *)c->bytes, c->held);
        }
    }
    if (read != HTTP_ANSWER_WHOLE || answer.status != 101 ||
        !memmem(c->bytes, answer.head_size, ACCEPT "\r\n", sizeof ACCEPT + 1)) {
        snprintf(error, WEBSOCKET_LOAD_ERROR_SIZE, "%s: the handshake was answered \"%.*s\"", path,
                 c->held < 100 ? (int)c->held : 100, (const char *)c->bytes);
        return false;
    }
    c->held -= answer.head_size;
    memmove(c->bytes, c->bytes + answer.head_size, c->held);
    return true;
}

static bool client_open(websocket_load_t *l, unsigned number, uint16_t port, const char *path,
                        char *error)
{
    struct client *c = &l->clients[number];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    c->fd = tcp_open(port);
    if (c->fd < 0) {
        snprintf(error, WEBSOCKET_LOAD_ERROR_SIZE, "port %u: %s", port, strerror(errno));
        return false;
    }
    if (!shake_hands(c, port, path, error)) {
        return false;
    }
    tcp_unblock(c->fd);
    CHECK(epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0);
    take_frames(l, c, clock_wall_ns());
    return true;
}

websocket_load_t *websocket_load_open(uint16_t port, const char *path, unsigned client_count,
                                      const struct websocket_load_owner *owner,
                                      char error[WEBSOCKET_LOAD_ERROR_SIZE])
{
    CHECK(client_count >= 1 && client_count <= WEBSOCKET_LOAD_CLIENTS_MAX);
    websocket_load_t *l = memory_new(1, sizeof *l, "a load");
    l->owner = *owner;
    l->client_count = client_count;
    l->clients = memory_new(client_count, sizeof *l->clients, "WebSockets");
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(l->epoll >= 0);
    for (unsigned number = 0; number < client_count; number++) {
        l->clients[number].fd = -1;
    }
    for (unsigned number = 0; number < client_count; number++) {
        if (!client_open(l, number, port, path, error)) {
            websocket_load_close(&l);
            return NULL;
        }
    }
    return l;
}

void websocket_load_close(websocket_load_t **load)
{
    websocket_load_t *l = *load;
    if (!l) {
        return;
    }
    for (unsigned number = 0; number < l->client_count; number++) {
        if (l->clients[number].fd >= 0) {
            close(l->clients[number].fd);
        }
    }
    close(l->epoll);
    memory_free(l->clients, l->client_count, sizeof *l->clients);
    memory_free(l, 1, sizeof *l);
    *load = NULL;
}

bool websocket_load_poll(websocket_load_t *l, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(l->epoll, events, EVENTS_MAX, timeout_ms);
    for (int index = 0; index < count; index++) {
        take_bytes(l, &l->clients[events[index].data.u32]);
    }
    return count > 0;
}

const struct websocket_load_counts *websocket_load_counts(const websocket_load_t *l)
{
    return &l->counts;
}
