/* virtual_matcher: the real matcher (matcher.h) on a clock of ours, to which recorded commands come
 * as they came, and whoever drives it adds more between them: for serve.h.
 *
 *     recording ─ in a batch of its own each, at its time ─┐
 *     clients' commands, requests, subscriptions ──────────┴─> matcher ─ frames ─> its owner
 *
 * Recorded commands are of one origin, RECORDED_ORIGIN, in order and acknowledged, so they are
 * always admitted; what they named by order_id when recorded is looked up by where that is now
 * (seq_map.h). All symbols the recording ever adds are there from the beginning. What no codec
 * could read when it was recorded is passed over: it was refused, and changed nothing. Journal and
 * wall clock there is none. Thread: one. */
#ifndef OUTCRY_BACKTEST_VIRTUAL_MATCHER_H
#define OUTCRY_BACKTEST_VIRTUAL_MATCHER_H

#include "backtest/upcoming.h"
#include "matcher/matcher.h"

#define RECORDED_ORIGIN "recorded"

enum {
    VIRTUAL_EPOCH = 1,
    VIRTUAL_CLIENTS = 64,     /* origins and accounts of clients, besides the recording's */
    VIRTUAL_ORDERS = 1 << 16, /* orders of theirs, open at once */
    VIRTUAL_WINDOW = 1 << 14, /* origin_window, at least: what a live matcher has */
};

struct virtual_matcher_options {
    const recording_t *recording; /* KEPT; RECORDING_COMMANDS */
    uint64_t hash_seed;
    uint64_t heartbeat_ns;
    size_t kept_size;             /* matcher_options */
    const char *requests_address; /* likewise */
    /* What it says, in order, each at once. BORROWED. */
    void (*frame)(void *self, const uint8_t *message, size_t size);
    void *self;
};

struct virtual_matcher {
    struct virtual_matcher_options options;
    matcher_t *matcher;
    struct service service;
    struct upcoming upcoming;
    struct seq_map seqs;
    uint64_t now_ns;
    uint64_t batch;
    uint64_t origin_seq; /* of RECORDED_ORIGIN */
    uint64_t recorded;   /* commands done again */
    /* Since the first of a client's, as venue_counts: */
    bool changed;
    uint64_t refused;
    notional_t short_qty;
    uint32_t symbol; /* ours, as the engine numbers it */
};

/* Its first batch is made, at the recording's first moment; nothing recorded has happened yet. */
void virtual_matcher_open(struct virtual_matcher *v, const struct virtual_matcher_options *o);
void virtual_matcher_close(struct virtual_matcher *v);

/* When the next recorded command is; UINT64_MAX: there is none. */
static inline uint64_t virtual_matcher_next_ns(const struct virtual_matcher *v)
{
    return upcoming_ns(&v->upcoming);
}

/* It happens, at its time. There is one. */
void virtual_matcher_recorded(struct virtual_matcher *v);

/* A client's command arrives, now; true: it was sequenced. */
bool virtual_matcher_command(struct virtual_matcher *v, const uint8_t *bytes, size_t size);

/* A request that a matcher answers; a message of an XPUB that everything is published by. */
void virtual_matcher_request(struct virtual_matcher *v, const uint8_t *message, size_t size);
void virtual_matcher_subscription(struct virtual_matcher *v, const uint8_t *message, size_t size);

/* The clock goes on to this time, if it is later; heartbeats that are due are said. */
void virtual_matcher_time(struct virtual_matcher *v, uint64_t now_ns);

/* Say where everything stands, now. */
void virtual_matcher_heartbeat(struct virtual_matcher *v);

static inline const engine_t *virtual_matcher_engine(const struct virtual_matcher *v)
{
    return matcher_engine(v->matcher);
}

#endif
