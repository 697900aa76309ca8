#include "gateway/websockets.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "gateway/connection_socket.h"
#include "gateway/desk.h"
#include "gateway/websocket.h"
#include "proto/catalog.h"

enum {
    KEY_SIZE = 24,        /* of Sec-WebSocket-Key: 16 bytes in base64 */
    NO_TEXT_SIZE = 256,   /* of the answer to texts */
    DRAIN_SLACK_MS = 200, /* for those that were cut to be gone */
};

static const char path_begin[] = "/ws/";

static const char *const channel_names[CHANNEL_COUNT] = {
    [CHANNEL_MARKET_DATA] = "market-data",
    [CHANNEL_TRADES] = "trades",
    [CHANNEL_EVENTS] = "events",
    [CHANNEL_QUOTES] = "quotes",
};

/* One WebSocket among all: what it watches, and its place. */
struct watcher {
    websocket_t *socket;
    uint64_t id; /* never used again; modulo the number of slots it is its slot */
    uint32_t symbol;
    enum channel channel;
    bool subscribed; /* the step was told, and must be told when it is gone */
    bool attached;
    struct watcher *next, *previous; /* of those attached to the channel; of those owed: next */
};

/* The mutex holds slots, channels and what is owed together. Each WebSocket has one of its own,
 * which is taken under this one, never the other way round. Nobody waits for anything under it. */
struct websockets {
    struct websockets_options options;
    uint64_t slot_count;
    uint32_t channel_count;
    /* The watcher of the connection a thread of civetweb serves: one thread serves a connection as
     * long as it lasts, and civetweb's own pointer for a connection is its owner's. */
    pthread_key_t mine;
    pthread_mutex_t mutex;
    pthread_cond_t work; /* for the keeper */
    pthread_cond_t gone; /* one is */
    struct watcher **slots;
    /* Slots that are taken, or promised to an upgrade that is under way. Changed under the mutex;
     * read without it by whoever only counts, who is not to wait for a broadcast. */
    atomic_uint_least64_t open;
    uint64_t round;
    struct watcher **channels; /* lists */
    struct watcher *owed;      /* gone, and the step could not be told yet: the desk was full */
    bool draining;
    bool stopping;
    atomic_uint_least64_t opened, refused, waiting;
    struct websocket_totals totals;
    struct websocket_message *no_text;
    struct mg_websocket_subprotocols protocols;
    pthread_t keeper;
};

static void *keep(void *self);

/* ---- making it ---- */

static struct websocket_message *no_text_message(void)
{
    const struct catalog_reject *row = catalog_reject_find(REJECT_NOT_SUPPORTED);
    char text[NO_TEXT_SIZE];
    CHECK(row != NULL);
    int size = snprintf(text, sizeof text,
                        "{\"type\":\"error\",\"status\":%u,\"error\":\"%s\",\"code\":%u,"
                        "\"detail\":\"this path takes no messages\"}",
                        (unsigned)row->http_status, row->name, (unsigned)row->code);
    CHECK(size > 0 && size < NO_TEXT_SIZE);
    return websocket_message_texts(text, (size_t)size, CONFLATION_NEVER);
}

websockets_t *websockets_new(const struct websockets_options *options)
{
    static const char *const protocols[] = {"outcry.v1"};
    websockets_t *w = memory_new(1, sizeof *w, "the WebSockets");
    pthread_condattr_t monotonic;
    w->options = *options;
    w->slot_count = options->cluster->settings.websockets_max;
    w->channel_count = options->cluster->symbol_count * CHANNEL_COUNT;
    w->slots = memory_new(w->slot_count, sizeof(struct watcher *), "the WebSockets");
    w->channels = memory_new(w->channel_count, sizeof(struct watcher *), "the channels");
    w->no_text = no_text_message();
    w->protocols = (struct mg_websocket_subprotocols){1, (const char **)(uintptr_t)protocols};
    CHECK(pthread_key_create(&w->mine, NULL) == 0);
    CHECK(pthread_mutex_init(&w->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&w->work, NULL) == 0);
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&w->gone, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    CHECK(pthread_create(&w->keeper, NULL, keep, w) == 0);
    return w;
}

void websockets_destroy(websockets_t **sockets)
{
    websockets_t *w = *sockets;
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->mutex);
    CHECK(w->open == 0);
    w->stopping = true;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->keeper, NULL);
    while (w->owed != NULL) { /* nobody is left to be told */
        struct watcher *next = w->owed->next;
        free(w->owed);
        w->owed = next;
    }
    websocket_message_release(&w->no_text);
    pthread_cond_destroy(&w->gone);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->mutex);
    pthread_key_delete(w->mine);
    memory_free(w->channels, w->channel_count, sizeof(struct watcher *));
    memory_free(w->slots, w->slot_count, sizeof(struct watcher *));
    memory_free(w, 1, sizeof *w);
    *sockets = NULL;
}

/* ---- the step is told who watches ---- */

static bool tell_step(websockets_t *w, const struct watcher *watcher, enum ask_kind kind)
{
    struct ask ask = {.kind = kind,
                      .symbol = watcher->symbol,
                      .call = watcher->id,
                      .received_ns = clock_wall_ns(),
                      .channel = watcher->channel};
    return mailbox_put(w->options.desk, &ask, sizeof ask) == STATUS_OK;
}

/* ---- an upgrade ---- */

/* The channel of that name, or CHANNEL_COUNT. */
static unsigned channel_of(const char *name, size_t size)
{
    unsigned channel = 0;
    while (channel < CHANNEL_COUNT && (strlen(channel_names[channel]) != size ||
                                       memcmp(channel_names[channel], name, size) != 0))
        channel++;
    return channel;
}

/* What a path names; false with the problem filled in if nothing. */
static bool read_path(const struct cluster *c, const char *path, struct watcher *watcher,
                      struct problem *p)
{
    bool begins = path != NULL && strncmp(path, path_begin, sizeof path_begin - 1) == 0;
    const char *name = begins ? path + sizeof path_begin - 1 : "";
    const char *slash = strchr(name, '/');
    unsigned channel = slash == NULL ? CHANNEL_COUNT : channel_of(name, (size_t)(slash - name));
    if (channel == CHANNEL_COUNT || slash[1] == '\0' || strchr(slash + 1, '/') != NULL)
        return problem_set(p, REJECT_UNKNOWN_PATH, "path", NULL,
                           "expected /ws/ and market-data, trades, events or quotes, then / and a "
                           "symbol");
    const struct cluster_symbol *symbol = cluster_symbol_find(c, slash + 1);
    if (symbol == NULL)
        return problem_set(p, REJECT_UNKNOWN_SYMBOL, "path", "symbol", "there is no symbol %.32s",
                           slash + 1);
    watcher->symbol = (uint32_t)(symbol - c->symbols);
    watcher->channel = (enum channel)channel;
    return true;
}

/* civetweb fails at a key that is too long, after it has called us, and forgets to say so. */
static bool check_key(struct mg_connection *http, struct problem *p)
{
    const char *key = mg_get_header(http, "Sec-WebSocket-Key");
    if (key != NULL && strlen(key) == KEY_SIZE)
        return true;
    return problem_set(p, REJECT_BAD_REQUEST, "header", "Sec-WebSocket-Key",
                       "expected 16 bytes in base64");
}

/* A slot is promised. */
static bool promise(websockets_t *w, struct problem *p)
{
    pthread_mutex_lock(&w->mutex);
    bool draining = w->draining, room = w->open < w->slot_count;
    if (!draining && room)
        w->open++;
    pthread_mutex_unlock(&w->mutex);
    if (draining)
        return problem_set(p, REJECT_DRAINING, NULL, NULL, "the gateway is stopping");
    return room || problem_set(p, REJECT_TOO_MANY_WEBSOCKETS, NULL, NULL,
                               "%" PRIu64 " WebSockets are served at once", w->slot_count);
}

static void take_back(websockets_t *w)
{
    pthread_mutex_lock(&w->mutex);
    w->open--;
    pthread_cond_broadcast(&w->gone);
    pthread_mutex_unlock(&w->mutex);
}

/* The WebSocket itself, in its slot. */
static bool settle(websockets_t *w, struct watcher *watcher, struct mg_connection *http,
                   struct problem *p)
{
    struct websocket_options options = {
        .http = http,
        .socket = connection_socket(mg_get_request_info(http)),
        .queue_max = (unsigned)w->options.cluster->settings.websocket_queue_max,
        .ping_ms = w->options.ping_ms,
        .pong_ms = w->options.pong_ms,
        .no_text = w->no_text,
        .totals = &w->totals,
    };
    if (options.socket < 0)
        return problem_set(p, REJECT_INTERNAL, NULL, NULL, "the connection cannot be looked after");
    watcher->socket = websocket_new(&options);
    if (watcher->socket == NULL)
        return problem_set(p, REJECT_TOO_MANY_WEBSOCKETS, NULL, NULL,
                           "there is no memory, or no thread, for another one");
    pthread_mutex_lock(&w->mutex);
    uint64_t slot = 0;
    while (w->slots[slot] != NULL)
        slot++; /* one was promised */
    w->slots[slot] = watcher;
    watcher->id = ++w->round * w->slot_count + slot;
    if (w->draining) /* since it was promised */
        websocket_close(watcher->socket, WEBSOCKET_GOING_AWAY, "stopping",
                        WEBSOCKET_ANSWER_GRACE_MS);
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->mutex);
    return true;
}

static bool accept_upgrade(websockets_t *w, struct mg_connection *http, struct problem *p)
{
    struct watcher found = {0};
    const struct mg_request_info *info = mg_get_request_info(http);
    if (!read_path(w->options.cluster, info->local_uri, &found, p) || !check_key(http, p) ||
        !promise(w, p))
        return false;
    struct watcher *watcher = malloc(sizeof *watcher);
    CHECK(watcher != NULL);
    *watcher = found;
    if (!settle(w, watcher, http, p)) {
        free(watcher);
        take_back(w);
        return false;
    }
    CHECK(pthread_setspecific(w->mine, watcher) == 0);
    atomic_fetch_add(&w->opened, 1);
    return true;
}

/* civetweb's: non-zero refuses. */
static int on_connect(const struct mg_connection *connection, void *self)
{
    websockets_t *w = self;
    struct mg_connection *http = (struct mg_connection *)(uintptr_t)connection; /* to answer on */
    struct problem p;
    if (accept_upgrade(w, http, &p))
        return 0;
    atomic_fetch_add(&w->refused, 1);
    w->options.refuse(http, &p);
    return 1;
}

static void on_ready(struct mg_connection *http, void *self)
{
    websockets_t *w = self;
    struct watcher *watcher = pthread_getspecific(w->mine);
    (void)http;
    websocket_begin(watcher->socket);
    watcher->subscribed = tell_step(w, watcher, ASK_SUBSCRIBE);
    if (!watcher->subscribed)
        websocket_close(watcher->socket, WEBSOCKET_TRY_LATER, "the gateway has too much to do",
                        WEBSOCKET_ANSWER_GRACE_MS);
}

static int on_data(struct mg_connection *http, int first, char *data, size_t size, void *self)
{
    websockets_t *w = self;
    struct watcher *watcher = pthread_getspecific(w->mine);
    (void)http;
    return websocket_receive(watcher->socket, (uint8_t)first, (const uint8_t *)data, size) ? 1 : 0;
}

/* ---- its end ---- */

/* From now on nobody but its own thread knows it. */
static void forget(websockets_t *w, struct watcher *watcher)
{
    pthread_mutex_lock(&w->mutex);
    w->slots[watcher->id % w->slot_count] = NULL;
    if (watcher->attached) {
        if (watcher->next != NULL)
            watcher->next->previous = watcher->previous;
        if (watcher->previous != NULL)
            watcher->previous->next = watcher->next;
        else
            w->channels[stream_channel(watcher->symbol, watcher->channel)] = watcher->next;
    }
    pthread_mutex_unlock(&w->mutex);
}

static void on_close(const struct mg_connection *http, void *self)
{
    websockets_t *w = self;
    struct watcher *watcher = pthread_getspecific(w->mine);
    (void)http;
    CHECK(pthread_setspecific(w->mine, NULL) == 0);
    forget(w, watcher);
    websocket_end(&watcher->socket);
    bool owed = watcher->subscribed && !tell_step(w, watcher, ASK_UNSUBSCRIBE);
    if (!owed)
        free(watcher);
    pthread_mutex_lock(&w->mutex);
    if (owed) {
        watcher->next = w->owed;
        w->owed = watcher;
        pthread_cond_signal(&w->work);
    }
    w->open--;
    pthread_cond_broadcast(&w->gone);
    pthread_mutex_unlock(&w->mutex);
}

void websockets_serve(websockets_t *w, struct mg_context *context)
{
    mg_set_websocket_handler_with_subprotocols(context, "/ws", &w->protocols, on_connect, on_ready,
                                               on_data, on_close, w);
}

/* ---- from the step ---- */

static struct watcher *find(websockets_t *w, uint64_t id)
{
    struct watcher *watcher = w->slots[id % w->slot_count];
    return watcher != NULL && watcher->id == id ? watcher : NULL;
}

static void broadcast(websockets_t *w, const struct stream_head *head, const char *text,
                      size_t size)
{
    pthread_mutex_lock(&w->mutex);
    bool anybody = w->channels[head->channel] != NULL;
    pthread_mutex_unlock(&w->mutex);
    if (!anybody)
        return;
    struct websocket_message *m =
        websocket_message_texts(text, size, (enum conflation)head->conflation);
    pthread_mutex_lock(&w->mutex);
    for (struct watcher *i = w->channels[head->channel]; i != NULL; i = i->next)
        websocket_send(i->socket, m);
    pthread_mutex_unlock(&w->mutex);
    websocket_message_release(&m);
}

/* One that went before its answer came is not there any more. */
static void attach(websockets_t *w, const struct stream_head *head, const char *text, size_t size)
{
    struct websocket_message *m = websocket_message_texts(text, size, CONFLATION_NEVER);
    pthread_mutex_lock(&w->mutex);
    struct watcher *watcher = find(w, head->socket), **list = &w->channels[head->channel];
    if (watcher != NULL) {
        CHECK(!watcher->attached &&
              stream_channel(watcher->symbol, watcher->channel) == head->channel);
        if (m->size > 0)
            websocket_send(watcher->socket, m);
        watcher->attached = true;
        watcher->next = *list;
        if (*list != NULL)
            (*list)->previous = watcher;
        *list = watcher;
    }
    pthread_mutex_unlock(&w->mutex);
    websocket_message_release(&m);
}

static void refuse(websockets_t *w, const struct stream_head *head)
{
    pthread_mutex_lock(&w->mutex);
    struct watcher *watcher = find(w, head->socket);
    if (watcher != NULL)
        websocket_close(watcher->socket, WEBSOCKET_TRY_LATER, "there is too much to tell",
                        WEBSOCKET_ANSWER_GRACE_MS);
    pthread_mutex_unlock(&w->mutex);
}

void websockets_deliver(websockets_t *w, const uint8_t *message, size_t size)
{
    struct stream_head head;
    CHECK(size >= sizeof head);
    memcpy(&head, message, sizeof head);
    CHECK(head.channel < w->channel_count);
    const char *text = (const char *)message + sizeof head;
    size -= sizeof head;
    switch ((enum stream_kind)head.kind) {
    case STREAM_MESSAGE:
        broadcast(w, &head, text, size);
        break;
    case STREAM_ATTACH:
        attach(w, &head, text, size);
        break;
    case STREAM_REFUSE:
        refuse(w, &head);
        break;
    }
}

/* ---- looking after them ---- */

/* Those that are gone and whose channel the step still counts them to. */
static void pay(websockets_t *w)
{
    pthread_mutex_lock(&w->mutex);
    while (w->owed != NULL && tell_step(w, w->owed, ASK_UNSUBSCRIBE)) {
        struct watcher *told = w->owed;
        w->owed = told->next;
        free(told);
    }
    pthread_mutex_unlock(&w->mutex);
}

/* False: it is time to stop. */
static bool wait_for_work(websockets_t *w)
{
    pthread_mutex_lock(&w->mutex);
    while (!w->stopping && w->open == 0 && w->owed == NULL) {
        atomic_store(&w->waiting, 0);
        pthread_cond_wait(&w->work, &w->mutex);
    }
    bool stopping = w->stopping;
    pthread_mutex_unlock(&w->mutex);
    return !stopping;
}

/* One by one, so that the step never waits for more than one of them. */
static void *keep(void *self)
{
    websockets_t *w = self;
    const struct timespec pause = {0, WEBSOCKET_TEND_MS * (long)NS_PER_MS};
    while (wait_for_work(w)) {
        uint64_t waiting = 0;
        for (uint64_t i = 0; i < w->slot_count; i++) {
            pthread_mutex_lock(&w->mutex);
            if (w->slots[i] != NULL)
                waiting += websocket_tend(w->slots[i]->socket);
            pthread_mutex_unlock(&w->mutex);
        }
        atomic_store(&w->waiting, waiting);
        pay(w);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

void websockets_drain(websockets_t *w, uint64_t within_ms)
{
    uint64_t end_ns = clock_monotonic_ns() + (within_ms + DRAIN_SLACK_MS) * NS_PER_MS;
    const struct timespec end = {(time_t)(end_ns / NS_PER_SECOND), (long)(end_ns % NS_PER_SECOND)};
    pthread_mutex_lock(&w->mutex);
    w->draining = true;
    for (uint64_t i = 0; i < w->slot_count; i++)
        if (w->slots[i] != NULL)
            websocket_close(w->slots[i]->socket, WEBSOCKET_GOING_AWAY, "stopping", within_ms);
    int waited = 0;
    while (w->open > 0 && waited == 0)
        waited = pthread_cond_timedwait(&w->gone, &w->mutex, &end);
    pthread_mutex_unlock(&w->mutex);
}

struct websocket_counts websockets_counts(websockets_t *w)
{
    return (struct websocket_counts){
        .open = atomic_load(&w->open),
        .opened = atomic_load(&w->opened),
        .refused = atomic_load(&w->refused),
        .slow = atomic_load(&w->totals.slow),
        .silent = atomic_load(&w->totals.silent),
        .bad = atomic_load(&w->totals.bad),
        .messages = atomic_load(&w->totals.messages),
        .bytes = atomic_load(&w->totals.bytes),
        .conflated = atomic_load(&w->totals.conflated),
        .waiting = atomic_load(&w->waiting),
    };
}
