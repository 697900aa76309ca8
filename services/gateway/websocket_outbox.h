/* websocket_outbox: the messages that wait for one WebSocket, in the order they came; bounded in
 * messages and bytes. No sockets, no threads.
 *
 *     put ──> [ oldest ... newest ] ──> take: as many as fit one write
 *     urge ──> pong, ping: the newest of each, before everything else
 *     finish ──> a close frame, the last that is ever taken
 *
 * While more than WEBSOCKET_LAG messages wait, a newer best bid and offer, or top 10, makes those
 * of its kind that wait pointless: they are dropped, and the newer one goes to the end, so what is
 * taken is in the order of sequences always.
 *
 * Thread: owner only. Memory is taken by websocket_outbox_init. */
#ifndef OUTCRY_GATEWAY_WEBSOCKET_OUTBOX_H
#define OUTCRY_GATEWAY_WEBSOCKET_OUTBOX_H

#include <stdbool.h>

#include "base/status.h"
#include "gateway/websocket_message.h"

enum {
    WEBSOCKET_LAG = 64,                  /* messages that may wait before anything is conflated */
    WEBSOCKET_QUEUE_BYTES_MAX = 8 << 20, /* that may wait for one WebSocket */
    WEBSOCKET_BATCH_BYTES = 64 << 10,    /* of one write; a larger message is written alone */
    WEBSOCKET_BATCH_MAX = 256,           /* messages of one write */
};

enum websocket_urgent { WEBSOCKET_URGENT_PONG, WEBSOCKET_URGENT_PING, WEBSOCKET_URGENT_COUNT };

struct websocket_outbox {
    struct websocket_message **ring; /* of max + 1: the close frame always has a place */
    unsigned max, head, count;
    size_t bytes;
    struct websocket_message *urgent[WEBSOCKET_URGENT_COUNT];
    bool finishing;     /* a close frame was put */
    uint64_t conflated; /* messages a newer one made pointless, ever */
};

/* What is written next. Whoever took it holds its references. */
struct websocket_batch {
    struct websocket_message *messages[WEBSOCKET_BATCH_MAX];
    unsigned count;
    size_t bytes;
    bool last; /* the close frame is among them: nothing will follow */
};

/* False: there is no memory for it. */
bool websocket_outbox_init(struct websocket_outbox *o, unsigned message_max);
void websocket_outbox_close(struct websocket_outbox *o);

/* Put a message to the end, with a reference of its own.
 * Errors: STATUS_FULL     too many messages or bytes wait; nothing was put.
 *         STATUS_MISSING  a close frame was put; nothing comes after it. */
enum status websocket_outbox_put(struct websocket_outbox *o, struct websocket_message *m);

/* Take it over, to be written before all that waits, in the place of one of its kind that waits.
 * TAKES m. */
void websocket_outbox_urge(struct websocket_outbox *o, enum websocket_urgent kind,
                           struct websocket_message **m);

/* Drop all that waits. */
void websocket_outbox_clear(struct websocket_outbox *o);

/* Put the close frame, after what waits. Only the first one counts.
 * TAKES close. */
void websocket_outbox_finish(struct websocket_outbox *o, struct websocket_message **close);

bool websocket_outbox_empty(const struct websocket_outbox *o);

/* Take what one write holds: at least one message, unless it is empty. */
void websocket_outbox_take(struct websocket_outbox *o, struct websocket_batch *batch);

#endif
