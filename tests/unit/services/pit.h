/* pit: one market of a gateway, driven by hand: the frames it is fed, event by event, and what it
 * told those who watch. */
#ifndef OUTCRY_UNIT_SERVICES_PIT_H
#define OUTCRY_UNIT_SERVICES_PIT_H

#include "gateway/market.h"

enum {
    PIT_SYMBOL = 7, /* the market's number */
    PIT_TOLD_MAX = 4096,
    PIT_TEXT_SIZE = 16 << 20,
};

#define PIT_EPOCH 1763683000
#define PIT_NS    UINT64_C(1763683200123456789) /* 2025-11-21T00:00:00.123456Z, and 789 ns */

struct pit_told {
    enum channel channel;
    enum conflation conflation;
    char *text; /* heap */
};

struct pit {
    struct book_pool pool;
    struct market_sink sink;
    struct market market;
    char *scratch;
    char *text; /* of the last answer */
    bool watched[CHANNEL_COUNT];
    struct pit_told told[PIT_TOLD_MAX];
    unsigned told_count; /* and not forgotten */
    uint64_t epoch;      /* of the frames fed */
    uint64_t time_ns;    /* and their time */
};

/* A market named "X-Y" that nobody watches and nothing is known of. Room for orders_max orders. */
void pit_open(struct pit *p, const char *tick, const char *lot, uint32_t orders_max);
void pit_close(struct pit *p);

void pit_watch(struct pit *p, enum channel channel, bool on);

/* Forget what was told. */
void pit_forget(struct pit *p);

/* The next message told, in order, must be this one; and nothing more. */
void pit_assert_told(struct pit *p, enum channel channel, enum conflation conflation,
                     const char *text);
void pit_assert_quiet(const struct pit *p);

/* ---- `l3.`: seq 0 is an event of a snapshot ---- */

void pit_add(struct pit *p, uint64_t seq, const struct add *add);
void pit_execute(struct pit *p, uint64_t seq, uint64_t order_id, int64_t qty);
void pit_reduce(struct pit *p, uint64_t seq, uint64_t order_id, int64_t qty);
void pit_delete(struct pit *p, uint64_t seq, uint64_t order_id);
void pit_match(struct pit *p, uint64_t seq, const struct trade *trade);
void pit_group(struct pit *p, uint64_t seq);
void pit_frame(struct pit *p, uint64_t seq);
void pit_joined(struct pit *p, uint64_t seq);

/* ---- `trade.` ---- */

void pit_totals(struct pit *p, const struct trade_totals *totals);
void pit_past_trade(struct pit *p, const struct past_trade *trade);
void pit_trades_joined(struct pit *p, uint64_t seq);
void pit_trade(struct pit *p, uint64_t seq, const struct trade *trade);
void pit_trades_group(struct pit *p, uint64_t seq);

/* Trade number `id`: a buyer took 3 lots at 10000 ticks. */
struct trade pit_trade_of(uint64_t id);

/* ---- answers, each good until the next ---- */

const char *pit_book(struct pit *p, uint64_t depth, unsigned level);
const char *pit_trades(struct pit *p, uint64_t before, unsigned limit, uint64_t *next, bool *more);
const char *pit_stats(struct pit *p);
const char *pit_first(struct pit *p, enum channel channel);

#endif
