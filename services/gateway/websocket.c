#include "gateway/websocket.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "gateway/websocket_inflow.h"
#include "gateway/websocket_input.h"

enum {
    STACK_SIZE = 128 << 10,         /* of a writer: civetweb's write needs a few KiB */
    SEND_BUFFER_SIZE = 256 << 10,   /* of the kernel, for one that does not read */
    RECEIVE_BUFFER_SIZE = 64 << 10, /* clients have little to say */
    AT_ONCE_MS = 50,                /* civetweb's time-out for a write is no less than 100 ms */
    CUT_GRACE_MS = 100,             /* for last words that need not be taken in */
};

struct websocket {
    struct websocket_options options;
    pthread_t writer;
    pthread_mutex_t mutex; /* of all that follows, up to the batch */
    pthread_cond_t wake;   /* the writer has something to do */
    pthread_cond_t done;   /* it has written its last */
    struct websocket_outbox outbox;
    struct websocket_input input;
    struct websocket_inflow inflow;
    uint64_t ping_ns;   /* when the next one is due; monotonic, as all times here */
    uint64_t pong_ns;   /* the last one */
    bool begun;         /* the handshake is written */
    bool sleeping;      /* the writer waits for `wake` */
    bool writer_done;   /* it will write no more */
    bool closing;       /* with words */
    bool cut_when_said; /* the client need not answer them */
    uint64_t cut_ns;    /* then: the end of the grace */
    bool cut;
    struct websocket_batch batch; /* the writer's, while it writes */
    uint8_t bytes[];              /* WEBSOCKET_BATCH_BYTES: the batch in one piece */
};

/* ---- under its mutex ---- */

static void lock(struct websocket *s)
{
    pthread_mutex_lock(&s->mutex);
}

static bool something_to_write(const struct websocket *s)
{
    return s->begun && !websocket_outbox_empty(&s->outbox);
}

/* The writer is woken outside, so that it does not run into the mutex at once. */
static void unlock(struct websocket *s)
{
    bool wake = s->sleeping && (s->cut || something_to_write(s));
    if (wake)
        s->sleeping = false;
    pthread_mutex_unlock(&s->mutex);
    if (wake)
        pthread_cond_signal(&s->wake);
}

static void cut(struct websocket *s)
{
    if (!s->cut)
        (void)shutdown(s->options.socket, SHUT_RDWR);
    s->cut = true;
}

static void finish(struct websocket *s, uint16_t code, const char *reason, uint64_t grace_ms)
{
    if (s->closing)
        return;
    struct websocket_message *last = websocket_message_close(code, reason);
    websocket_outbox_finish(&s->outbox, &last);
    s->closing = true;
    s->cut_ns = clock_monotonic_ns() + grace_ms * NS_PER_MS;
}

/* What waits is not worth the time any more. */
static void finish_at_once(struct websocket *s, uint16_t code, const char *reason,
                           uint64_t grace_ms, atomic_uint_least64_t *total)
{
    if (s->closing)
        return;
    if (total != NULL)
        atomic_fetch_add_explicit(total, 1, memory_order_relaxed);
    websocket_outbox_clear(&s->outbox);
    finish(s, code, reason, grace_ms);
}

static void put(struct websocket *s, struct websocket_message *m)
{
    struct websocket_totals *totals = s->options.totals;
    uint64_t conflated = s->outbox.conflated;
    if (s->cut || s->closing)
        return;
    if (websocket_outbox_put(&s->outbox, m) == STATUS_FULL)
        finish_at_once(s, WEBSOCKET_TOO_SLOW, "too slow", WEBSOCKET_CLOSE_GRACE_MS, &totals->slow);
    if (s->outbox.conflated > conflated)
        atomic_fetch_add_explicit(&totals->conflated, s->outbox.conflated - conflated,
                                  memory_order_relaxed);
}

/* ---- the writer ---- */

/* mg_write returns short when the socket has ended, when civetweb stops, and when nothing could be
 * written for civetweb's request_timeout_ms, which is no concern of a WebSocket's: how long one may
 * take is for its outbox and its pongs to say. Only the first two return at once. */
static bool write_all(struct websocket *s, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        uint64_t start_ns = clock_monotonic_ns();
        int written = mg_write(s->options.http, bytes, size);
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        } else if (clock_monotonic_ns() - start_ns < AT_ONCE_MS * NS_PER_MS) {
            return false;
        }
    }
    return true;
}

/* One message is written from where it is; several are put together, and let go before the write,
 * which may take long. */
static bool write_batch(struct websocket *s)
{
    struct websocket_batch *b = &s->batch;
    struct websocket_totals *totals = s->options.totals;
    size_t size = 0;
    uint64_t count = 0;
    bool alone = b->count == 1;
    for (unsigned i = 0; i < b->count; i++) {
        count += b->messages[i]->count;
        if (alone)
            break;
        memcpy(s->bytes + size, b->messages[i]->bytes, b->messages[i]->size);
        size += b->messages[i]->size;
        websocket_message_release(&b->messages[i]);
    }
    bool fine = write_all(s, alone ? b->messages[0]->bytes : s->bytes, b->bytes);
    if (alone)
        websocket_message_release(&b->messages[0]);
    if (fine) {
        atomic_fetch_add_explicit(&totals->messages, count, memory_order_relaxed);
        atomic_fetch_add_explicit(&totals->bytes, b->bytes, memory_order_relaxed);
    }
    return fine;
}

/* False: it is cut. */
static bool wait_for_messages(struct websocket *s)
{
    while (!s->cut && !something_to_write(s)) {
        s->sleeping = true;
        pthread_cond_wait(&s->wake, &s->mutex);
    }
    s->sleeping = false;
    return !s->cut;
}

static void *write_out(void *self)
{
    struct websocket *s = self;
    bool fine = true, last = false;
    lock(s);
    while (fine && !last && wait_for_messages(s)) {
        websocket_outbox_take(&s->outbox, &s->batch);
        last = s->batch.last;
        unlock(s);
        fine = write_batch(s);
        lock(s);
    }
    if (!fine || s->cut_when_said)
        cut(s);
    s->writer_done = true;
    pthread_cond_signal(&s->done);
    unlock(s);
    return NULL;
}

/* ---- its life ---- */

static void set_buffers(int socket)
{
    int send_size = SEND_BUFFER_SIZE, receive_size = RECEIVE_BUFFER_SIZE;
    (void)setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &send_size, sizeof send_size);
    (void)setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_size, sizeof receive_size);
}

static bool start_writer(struct websocket *s)
{
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0);
    bool started = pthread_create(&s->writer, &attributes, write_out, s) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

static void free_all(struct websocket *s)
{
    websocket_outbox_close(&s->outbox);
    pthread_cond_destroy(&s->done);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

websocket_t *websocket_new(const struct websocket_options *options)
{
    uint64_t now_ns = clock_monotonic_ns();
    struct websocket *s = malloc(sizeof *s + WEBSOCKET_BATCH_BYTES);
    pthread_condattr_t monotonic;
    if (s == NULL)
        return NULL;
    *s = (struct websocket){.options = *options, .pong_ns = now_ns};
    s->ping_ns = now_ns + options->ping_ms * NS_PER_MS;
    CHECK(pthread_mutex_init(&s->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&s->wake, NULL) == 0);
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&s->done, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    set_buffers(options->socket);
    websocket_inflow_begin(&s->inflow, options->socket, now_ns);
    if (websocket_outbox_init(&s->outbox, options->queue_max) && start_writer(s))
        return s;
    free_all(s);
    return NULL;
}

void websocket_begin(websocket_t *s)
{
    lock(s);
    s->begun = true;
    unlock(s);
}

void websocket_send(websocket_t *s, struct websocket_message *m)
{
    lock(s);
    put(s, m);
    unlock(s);
}

void websocket_close(websocket_t *s, uint16_t code, const char *reason, uint64_t grace_ms)
{
    lock(s);
    finish(s, code, reason, grace_ms);
    unlock(s);
}

/* ---- what the client sends ---- */

/* Once there are last words, only the client's matter. */
static void take_input(struct websocket *s, enum websocket_input_kind kind, uint16_t code,
                       const uint8_t *payload, size_t size)
{
    struct websocket_message *pong;
    if (s->closing || s->cut)
        return;
    switch (kind) {
    case WEBSOCKET_INPUT_PART:
        break;
    case WEBSOCKET_INPUT_TEXT:
        put(s, s->options.no_text);
        break;
    case WEBSOCKET_INPUT_PING:
        pong = websocket_message_control(WEBSOCKET_PONG, payload, size);
        websocket_outbox_urge(&s->outbox, WEBSOCKET_URGENT_PONG, &pong);
        break;
    case WEBSOCKET_INPUT_PONG:
        s->pong_ns = clock_monotonic_ns();
        break;
    case WEBSOCKET_INPUT_CLOSE:
        finish_at_once(s, code, "", WEBSOCKET_ANSWER_GRACE_MS, NULL);
        break;
    case WEBSOCKET_INPUT_BAD:
        finish_at_once(s, code, "", WEBSOCKET_ANSWER_GRACE_MS, &s->options.totals->bad);
        break;
    }
}

bool websocket_receive(websocket_t *s, uint8_t first, const uint8_t *payload, size_t size)
{
    uint16_t code;
    lock(s);
    websocket_inflow_frame(&s->inflow, size);
    enum websocket_input_kind kind = websocket_input_take(&s->input, first, payload, size, &code);
    take_input(s, kind, code, payload, size);
    bool more = !s->cut && kind != WEBSOCKET_INPUT_CLOSE;
    unlock(s);
    return more;
}

/* ---- looking after it ---- */

static void tend_pings(struct websocket *s, uint64_t now_ns)
{
    if (now_ns - s->pong_ns >= s->options.pong_ms * NS_PER_MS) {
        finish_at_once(s, WEBSOCKET_PROTOCOL_ERROR, "no pong", WEBSOCKET_ANSWER_GRACE_MS,
                       &s->options.totals->silent);
    } else if (now_ns >= s->ping_ns) {
        struct websocket_message *ping = websocket_message_control(WEBSOCKET_PING, NULL, 0);
        websocket_outbox_urge(&s->outbox, WEBSOCKET_URGENT_PING, &ping);
        s->ping_ns = now_ns + s->options.ping_ms * NS_PER_MS;
    }
}

/* A frame that does not come in properly is not waited for: the client is told, and cut when it is
 * told, or the next time. */
static void tend_inflow(struct websocket *s, uint64_t now_ns)
{
    static const struct {
        uint16_t code;
        const char *reason;
    } words[] = {
        [WEBSOCKET_INFLOW_LARGE] = {WEBSOCKET_TOO_LARGE, "the frame is too large"},
        [WEBSOCKET_INFLOW_STALLED] = {WEBSOCKET_PROTOCOL_ERROR, "the frame does not end"},
        [WEBSOCKET_INFLOW_UNMASKED] = {WEBSOCKET_PROTOCOL_ERROR, "frames are to be masked"},
    };
    enum websocket_inflow_verdict verdict =
        websocket_inflow_look(&s->inflow, s->options.socket, now_ns);
    if (verdict == WEBSOCKET_INFLOW_FINE)
        return;
    if (s->closing)
        cut(s);
    finish_at_once(s, words[verdict].code, words[verdict].reason, CUT_GRACE_MS,
                   &s->options.totals->bad);
    s->cut_when_said = true;
}

unsigned websocket_tend(websocket_t *s)
{
    lock(s);
    uint64_t now_ns = clock_monotonic_ns();
    if (!s->cut)
        tend_inflow(s, now_ns);
    if (!s->cut && !s->closing)
        tend_pings(s, now_ns);
    if (s->closing && now_ns >= s->cut_ns)
        cut(s);
    unsigned waiting = s->outbox.count;
    unlock(s);
    return waiting;
}

/* ---- its end ---- */

void websocket_end(websocket_t **socket)
{
    struct websocket *s = *socket;
    lock(s);
    if (!s->closing && !s->cut && websocket_inflow_given_up(&s->inflow, s->options.socket))
        finish_at_once(s, WEBSOCKET_TOO_LARGE, "the frame is too large", CUT_GRACE_MS,
                       &s->options.totals->bad);
    unlock(s);
    uint64_t end_ns = clock_monotonic_ns() + WEBSOCKET_ANSWER_GRACE_MS * NS_PER_MS;
    const struct timespec end = {(time_t)(end_ns / NS_PER_SECOND), (long)(end_ns % NS_PER_SECOND)};
    lock(s);
    while (s->closing && !s->writer_done && !s->cut)
        if (pthread_cond_timedwait(&s->done, &s->mutex, &end) == ETIMEDOUT)
            break;
    cut(s);
    unlock(s);
    pthread_join(s->writer, NULL);
    free_all(s);
    *socket = NULL;
}
