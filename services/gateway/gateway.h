/* gateway: the edge's step. It holds no truth of its own: it follows the private stream of every
 * shard (all orders, open and last finished) and the public one of market-data (books, trades),
 * sends commands as an origin of every shard, and answers what civetweb's threads ask.
 *
 *     desk (mailbox) ─> gateway_receive ─┬─ commands.c ─> origin ─> matcher ─> result ─> answer
 *                                        ├─ reads.c ────> answer, at once or when a position is
 *                                        │                reached
 *                                        └─ watchers.c ─> streams for WebSockets
 *
 * What comes in and goes out is messages, as with every service (node/service.h); the outputs that
 * are neighbours in the process (answers, streams, log lines) are messages too.
 * Thread: owner only. Memory is taken by gateway_new. */
#ifndef OUTCRY_GATEWAY_GATEWAY_H
#define OUTCRY_GATEWAY_GATEWAY_H

#include "node/cluster.h"
#include "node/metrics_table.h"
#include "node/service.h"

typedef struct gateway gateway_t;

/* The node's numbers. Shard s has input GATEWAY_INPUT_SHARDS + s (its private PUB), and outputs
 * GATEWAY_OUTPUT_SHARDS + 2 s (commands) and + 2 s + 1 (requests). */
enum {
    GATEWAY_INPUT_DESK,   /* struct ask */
    GATEWAY_INPUT_MARKET, /* market-data's PUB */
    GATEWAY_INPUT_SHARDS,
};
enum {
    GATEWAY_OUTPUT_ANSWERS, /* struct answer, position, body */
    GATEWAY_OUTPUT_STREAMS, /* struct stream_head, texts */
    GATEWAY_OUTPUT_LOG,     /* a line for log_write() */
    GATEWAY_OUTPUT_MARKET_REQUESTS,
    GATEWAY_OUTPUT_SHARDS,
};

struct gateway_options {
    const struct cluster *cluster; /* KEPT */
    const char *reply;             /* 32 hexadecimal digits, unpredictable */
    uint64_t origin_epoch;         /* greater than that of any session before: the clock, in ns */
    uint64_t hash_seed;            /* unpredictable */
    metrics_t *metrics;            /* KEPT: of metric_families; NULL: nothing is counted */
};

gateway_t *gateway_new(const struct gateway_options *options);
void gateway_destroy(gateway_t **g);

struct service gateway_service(gateway_t *g);

/* Every shard's orders and every symbol's book and trades are known. */
bool gateway_ready(const gateway_t *g);

/* Asks that are not answered yet. */
uint64_t gateway_unanswered(const gateway_t *g);

#endif
