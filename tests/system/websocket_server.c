/* websocket_server: the gateway's WebSockets with a step that only plays one: it takes what is
 * asked of the desk, and says what it is told to say.
 *
 *     websocket_server --address 127.0.0.1:P [--ping-ms N] [--pong-ms N] [--desk-size N]
 *                      [--config FILE] [--websockets-max N] ...
 *
 * Told by requests:
 *     /publish?symbol=&channel=&count=&size=&conflation=&rate=   messages {"seq":...}, all in all
 *                          so many bytes each, so many a second (0: at once)
 *     /hold?on=            the step takes nothing while that is 1
 *     /drain?ms=           websockets_drain()
 *     /counts              what websockets_counts() says, and what the step was asked
 * Who watches the symbol REFUSED is refused; all others are told two first messages. */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "gateway/desk.h"
#include "gateway/websockets.h"

enum { PUBLISH = ASK_PLACE, TEXT_SIZE_MAX = 1 << 20, ANSWER_SIZE = 1024, REQUEST_MS = 500 };

struct server {
    struct cluster cluster;
    mailbox_t *desk;
    websockets_t *sockets;
    struct mg_context *context;
    pthread_t step;
    atomic_bool stop, hold;
    atomic_uint_least64_t subscribed, unsubscribed, published;
    uint64_t seq;
    uint8_t message[sizeof(struct stream_head) + TEXT_SIZE_MAX];
};

static uint64_t variable(const struct mg_request_info *info, const char *name, uint64_t otherwise)
{
    char text[32];
    const char *query = info->query_string == NULL ? "" : info->query_string;
    return mg_get_var(query, strlen(query), name, text, sizeof text) > 0 ? strtoull(text, NULL, 10)
                                                                         : otherwise;
}

/* ---- the step ---- */

static void deliver(struct server *s, const struct stream_head *head, size_t size)
{
    memcpy(s->message, head, sizeof *head);
    websockets_deliver(s->sockets, s->message, sizeof *head + size);
}

static void answer_subscribe(struct server *s, const struct ask *ask)
{
    static const char first[] = "{\"first\":1}\n{\"first\":2}\n";
    bool refused = strcmp(s->cluster.symbols[ask->symbol].name, "REFUSED") == 0;
    struct stream_head head = {.kind = refused ? STREAM_REFUSE : STREAM_ATTACH,
                               .channel = stream_channel(ask->symbol, (enum channel)ask->channel),
                               .socket = ask->call};
    atomic_fetch_add(&s->subscribed, 1);
    memcpy(s->message + sizeof head, first, sizeof first - 1);
    deliver(s, &head, refused ? 0 : sizeof first - 1);
}

static void publish_one(struct server *s, const struct stream_head *head, size_t size)
{
    char *text = (char *)s->message + sizeof *head;
    int begun = snprintf(text, TEXT_SIZE_MAX, "{\"seq\":%" PRIu64 ",\"ns\":%" PRIu64 ",\"pad\":\"",
                         ++s->seq, clock_monotonic_ns());
    size_t end = size < (size_t)begun + 2 ? (size_t)begun + 2 : size;
    memset(text + begun, 'x', end - 2 - (size_t)begun);
    memcpy(text + end - 2, "\"}", 2);
    deliver(s, head, end);
    atomic_fetch_add(&s->published, 1);
}

static void sleep_until(uint64_t time_ns)
{
    const struct timespec end = {(time_t)(time_ns / NS_PER_SECOND),
                                 (long)(time_ns % NS_PER_SECOND)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) != 0)
        continue;
}

static void publish(struct server *s, const struct ask *ask)
{
    uint64_t start_ns = clock_monotonic_ns(), rate = ask->before_trade_id;
    struct stream_head head = {.kind = STREAM_MESSAGE,
                               .conflation = (uint8_t)ask->level,
                               .channel = stream_channel(ask->symbol, (enum channel)ask->channel)};
    for (uint32_t i = 0; i < ask->limit; i++) {
        if (rate > 0)
            sleep_until(start_ns + i * NS_PER_SECOND / rate);
        publish_one(s, &head, ask->depth);
    }
}

static void *run_step(void *self)
{
    struct server *s = self;
    struct pollfd wait = {.fd = mailbox_fd(s->desk), .events = POLLIN};
    const uint8_t *bytes;
    size_t size;
    struct ask ask;
    while (!atomic_load(&s->stop)) {
        (void)poll(&wait, 1, 10);
        while (!atomic_load(&s->hold) && mailbox_take(s->desk, &bytes, &size)) {
            CHECK(size == sizeof ask);
            memcpy(&ask, bytes, sizeof ask);
            if (ask.kind == ASK_SUBSCRIBE)
                answer_subscribe(s, &ask);
            else if (ask.kind == ASK_UNSUBSCRIBE)
                atomic_fetch_add(&s->unsubscribed, 1);
            else
                publish(s, &ask);
        }
    }
    return NULL;
}

/* ---- what it is told ---- */

static int reply(struct mg_connection *http, int status, const char *body)
{
    mg_printf(http,
              "HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
              "Connection: close\r\n\r\n%s",
              status, strlen(body), body);
    mg_disable_keep_alive(http);
    return status;
}

static int on_publish(struct mg_connection *http, void *self)
{
    struct server *s = self;
    const struct mg_request_info *info = mg_get_request_info(http);
    struct ask ask = {.kind = PUBLISH,
                      .symbol = (uint32_t)variable(info, "symbol", 0),
                      .channel = (uint32_t)variable(info, "channel", CHANNEL_TRADES),
                      .limit = (uint32_t)variable(info, "count", 1),
                      .depth = variable(info, "size", 0),
                      .level = (uint32_t)variable(info, "conflation", CONFLATION_NEVER),
                      .before_trade_id = variable(info, "rate", 0)};
    bool fine = ask.symbol < s->cluster.symbol_count && ask.channel < CHANNEL_COUNT &&
                ask.depth <= TEXT_SIZE_MAX && mailbox_put(s->desk, &ask, sizeof ask) == STATUS_OK;
    return reply(http, fine ? 200 : 400, "{}");
}

static int on_hold(struct mg_connection *http, void *self)
{
    struct server *s = self;
    atomic_store(&s->hold, variable(mg_get_request_info(http), "on", 1) == 1);
    return reply(http, 200, "{}");
}

static int on_drain(struct mg_connection *http, void *self)
{
    struct server *s = self;
    websockets_drain(s->sockets, variable(mg_get_request_info(http), "ms", 1000));
    return reply(http, 200, "{}");
}

static int on_counts(struct mg_connection *http, void *self)
{
    struct server *s = self;
    struct websocket_counts c = websockets_counts(s->sockets);
    char text[ANSWER_SIZE];
    snprintf(text, sizeof text,
             "{\"open\":%" PRIu64 ",\"opened\":%" PRIu64 ",\"refused\":%" PRIu64
             ",\"slow\":%" PRIu64 ",\"silent\":%" PRIu64 ",\"bad\":%" PRIu64
             ",\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"conflated\":%" PRIu64
             ",\"subscribed\":%" PRIu64 ",\"unsubscribed\":%" PRIu64 ",\"published\":%" PRIu64 "}",
             c.open, c.opened, c.refused, c.slow, c.silent, c.bad, c.messages, c.bytes, c.conflated,
             atomic_load(&s->subscribed), atomic_load(&s->unsubscribed),
             atomic_load(&s->published));
    return reply(http, 200, text);
}

static void refuse(struct mg_connection *http, const struct problem *p)
{
    char text[ANSWER_SIZE];
    snprintf(text, sizeof text, "{\"code\":%u,\"detail\":\"%s\"}", (unsigned)p->code, p->detail);
    (void)reply(http, (int)problem_status(p->code), text);
}

/* ---- its life ---- */

/* The value of an option of our own, or NULL. */
static const char *option(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

static uint64_t number(int argc, char **argv, const char *name, uint64_t otherwise)
{
    const char *text = option(argc, argv, name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static bool serve(struct server *s, const char *address)
{
    char request_ms[16], threads[16];
    snprintf(request_ms, sizeof request_ms, "%d", REQUEST_MS);
    snprintf(threads, sizeof threads, "%u", (unsigned)s->cluster.settings.websockets_max + 8);
    const char *options[] = {"listening_ports",
                             address,
                             "num_threads",
                             threads,
                             "request_timeout_ms",
                             request_ms,
                             "enable_keep_alive",
                             "yes",
                             "tcp_nodelay",
                             "1",
                             "decode_url",
                             "no",
                             NULL};
    struct mg_callbacks callbacks = {0};
    mg_init_library(0);
    s->context = mg_start(&callbacks, s, options);
    if (s->context == NULL)
        return false;
    mg_set_request_handler(s->context, "/publish$", on_publish, s);
    mg_set_request_handler(s->context, "/hold$", on_hold, s);
    mg_set_request_handler(s->context, "/drain$", on_drain, s);
    mg_set_request_handler(s->context, "/counts$", on_counts, s);
    websockets_serve(s->sockets, s->context);
    return true;
}

int main(int argc, char **argv)
{
    static struct server server;
    struct server *s = &server;
    char error[CONFIG_ERROR_SIZE];
    sigset_t ends;
    int ended;
    if (!cluster_load(&s->cluster, &argc, argv, error)) {
        fprintf(stderr, "websocket_server: %s\n", error);
        return EXIT_FAILURE;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    s->desk = mailbox_new(number(argc, argv, "--desk-size", 16 << 20));
    s->sockets = websockets_new(&(struct websockets_options){
        .cluster = &s->cluster,
        .desk = s->desk,
        .refuse = refuse,
        .ping_ms = number(argc, argv, "--ping-ms", 15000),
        .pong_ms = number(argc, argv, "--pong-ms", 30000),
    });
    CHECK(pthread_create(&s->step, NULL, run_step, s) == 0);
    const char *address = option(argc, argv, "--address");
    bool serving = address != NULL && serve(s, address);
    if (serving)
        sigwait(&ends, &ended);
    else
        fprintf(stderr, "websocket_server: cannot serve at %s\n", address);
    if (serving)
        mg_stop(s->context);
    mg_exit_library();
    atomic_store(&s->stop, true);
    pthread_join(s->step, NULL);
    websockets_destroy(&s->sockets);
    mailbox_destroy(&s->desk);
    return serving ? EXIT_SUCCESS : EXIT_FAILURE;
}
