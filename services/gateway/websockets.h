/* websockets: every WebSocket of a gateway: on one side civetweb's threads, one a connection, that
 * read; on the other the step, whose messages are handed to all who watch; and between them, for
 * each WebSocket, an outbox and a writer of its own, so that one that does not read is nobody
 * else's concern.
 *
 *     step ── websockets_deliver ──> text encoded once, counted reference ──> outbox of each
 *     outbox ── its writer thread ──> as many messages as wait, in one write
 *
 *     websockets.c           which there are, and who watches which channel
 *     websocket.c            one of them: its writer, its pings, its end
 *     websocket_outbox.c     what waits for it
 *     websocket_message.c    what is shared by all who get it
 *     websocket_input.c      what it sends, against RFC 6455
 *     websocket_inflow.c     how much of a frame is on its way in
 *     websocket_frame.c      frames of a server
 *     connection_socket.c    the socket below civetweb's connection
 *
 * An outbox is bounded in messages and bytes. While more than WEBSOCKET_LAG messages wait, best bid
 * and offer and top-10 books are conflated: those that wait are dropped for a newer one, which goes
 * to the end, so what is told stays in the order of sequences. What must not be lost (trades,
 * events, snapshots) is never dropped: an outbox that is full is emptied, a close frame 4008 is put
 * in, and after a grace the connection is cut.
 *
 * What clients send: pings are answered, pongs noted, a close is answered; a text is answered by
 * one message {"type":"error",...} that says the path takes none; anything else that is not
 * RFC 6455 ends the connection: 1002 protocol, 1003 binary, 1007 not UTF-8, 1009 larger than
 * WEBSOCKET_RECEIVED_MAX. A frame has 30 s to come in; one that is too large is cut while it comes.
 * A ping goes out every 15 s, and 30 s without a pong end it with 1002.
 *
 * Threads: see each function. */
#ifndef OUTCRY_GATEWAY_WEBSOCKETS_H
#define OUTCRY_GATEWAY_WEBSOCKETS_H

#include <civetweb.h>

#include "bus/mailbox.h"
#include "gateway/problem.h"
#include "gateway/stream.h"
#include "node/cluster.h"

typedef struct websockets websockets_t;

struct websockets_options {
    const struct cluster *cluster; /* KEPT: symbols; settings websockets_max, websocket_queue_max */
    mailbox_t *desk;               /* KEPT: where ASK_SUBSCRIBE and ASK_UNSUBSCRIBE go */
    /* Answer an upgrade that is refused with a problem, instead of the handshake. Thread: the
     * connection's. */
    void (*refuse)(struct mg_connection *connection, const struct problem *problem);
    uint64_t ping_ms; /* between pings: 15000; a test may want less */
    uint64_t pong_ms; /* without a pong: 30000 */
};

websockets_t *websockets_new(const struct websockets_options *options);

/* All connections must be gone: the civetweb context is stopped before. */
void websockets_destroy(websockets_t **w);

/* Take the paths /ws/market-data/{symbol}, /ws/trades/, /ws/events/ and /ws/quotes/ of this
 * context. Before the first connection. Upgrades come here only after the context's owner has
 * checked Host and Origin. */
void websockets_serve(websockets_t *w, struct mg_context *context);

/* A message of the step, as stream.h says.   Thread: the step's. */
void websockets_deliver(websockets_t *w, const uint8_t *message, size_t size);

/* Close all with 1001, after what waits for them, and take no more. They have `within_ms` to take
 * it in, and are cut then. Returns when all are gone, or a moment after that.
 * Thread: any but a connection's. */
void websockets_drain(websockets_t *w, uint64_t within_ms);

struct websocket_counts {
    uint64_t open;     /* now */
    uint64_t opened;   /* ever */
    uint64_t refused;  /* upgrades: too many, or no such path */
    uint64_t slow;     /* closed with 4008 */
    uint64_t silent;   /* closed for want of a pong */
    uint64_t bad;      /* closed for what they sent */
    uint64_t messages; /* written */
    uint64_t bytes;
    uint64_t conflated; /* messages a newer one took the place of */
    uint64_t waiting;   /* messages in all outboxes, at most WEBSOCKET_TEND_MS ago */
};
/* Thread: any. */
struct websocket_counts websockets_counts(websockets_t *w);

#endif
