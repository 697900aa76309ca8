/* websocket: one WebSocket: its outbox, the thread that writes it out, and all that leads to its
 * end.
 *
 *     step ────────> websocket_send ──┐
 *     its reader ──> websocket_receive ├──> outbox ──> its writer ──> one mg_write a batch
 *     keeper ──────> websocket_tend ──┘
 *
 * It ends in one of three ways, and the reader leaves civetweb's loop in each of them:
 *     with words: a close frame is put, the writer writes it as its last; then the client has a
 *         grace to answer with its own;
 *     the client closes, is gone, or a write fails;
 *     it is cut: shutdown() of the socket, which ends a reader and a writer wherever they are.
 * The reader is the last to leave (websocket_end), so whoever holds a WebSocket must have been made
 * to forget it before. */
#ifndef OUTCRY_GATEWAY_WEBSOCKET_H
#define OUTCRY_GATEWAY_WEBSOCKET_H

#include <civetweb.h>

#include "gateway/websocket_outbox.h"

enum {
    WEBSOCKET_CLOSE_GRACE_MS = 5000,  /* for a slow one to take in its close frame */
    WEBSOCKET_ANSWER_GRACE_MS = 1000, /* for one that is not, to answer it */
};

typedef struct websocket websocket_t;

/* Sums over all WebSockets there ever were. */
struct websocket_totals {
    atomic_uint_least64_t slow, silent, bad, messages, bytes, conflated;
};

struct websocket_options {
    struct mg_connection *http;        /* KEPT until websocket_end returns */
    int socket;                        /* below it */
    unsigned queue_max;                /* messages of its outbox */
    uint64_t ping_ms, pong_ms;         /* between pings; without a pong */
    struct websocket_message *no_text; /* KEPT: the answer to every text */
    struct websocket_totals *totals;   /* KEPT */
};

/* Starts the writer. NULL: there is no memory or thread for it.
 * Thread: the connection's own, that reads it. */
websocket_t *websocket_new(const struct websocket_options *options);

/* The handshake is written: from now on frames may be. Thread: the connection's. */
void websocket_begin(websocket_t *s);

/* Put a message into its outbox; one that is full for it ends the WebSocket with 4008.
 * Thread: any.   Cost: a lock, and a wake-up if the writer sleeps. */
void websocket_send(websocket_t *s, struct websocket_message *m);

/* End it with words, after all that waits. Only the first words count.
 * BORROWS reason.   Thread: any. */
void websocket_close(websocket_t *s, uint16_t code, const char *reason, uint64_t grace_ms);

/* A frame came: its first byte, its payload unmasked. False: read no more.
 * BORROWS payload.   Thread: the connection's. */
bool websocket_receive(websocket_t *s, uint8_t first, const uint8_t *payload, size_t size);

/* Look after it: pings that are due, pongs that are missing, frames that do not come to their end,
 * graces that are over. To be done every WEBSOCKET_TEND_MS. The messages in its outbox.
 * Thread: any. */
enum { WEBSOCKET_TEND_MS = 50 };
unsigned websocket_tend(websocket_t *s);

/* Reading is over. Waits for the writer, at most WEBSOCKET_ANSWER_GRACE_MS if there are last words,
 * and frees all. Nobody else may know it any more.   Thread: the connection's. */
void websocket_end(websocket_t **s);

#endif
