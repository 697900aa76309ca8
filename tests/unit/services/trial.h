/* trial: a recording written line by line, and strategies that do what a test says, for the
 * tests of back-tests. */
#ifndef OUTCRY_UNIT_SERVICES_TRIAL_H
#define OUTCRY_UNIT_SERVICES_TRIAL_H

#include "backtest/venue.h"

#define TRIAL_SYMBOL "BTC-USD"

enum { TRIAL_SHARD = 3, TRIAL_HEARD_MAX = 1 << 15 };

/* What a test's strategies do; n: which of them, 0, 1, ... NULL: nothing. */
struct trial_script {
    void (*start)(unsigned n, trader_t *t);
    void (*market)(unsigned n, trader_t *t, const struct market_update *u);
    void (*order)(unsigned n, trader_t *t, const struct own_order *o);
    void (*fill)(unsigned n, trader_t *t, const struct own_fill *f);
    void (*timer)(unsigned n, trader_t *t);
};

enum trial_heard_kind { TRIAL_START, TRIAL_MARKET, TRIAL_ORDER, TRIAL_FILL, TRIAL_TIMER };

/* One callback, as it came. */
struct trial_heard {
    enum trial_heard_kind kind;
    unsigned strategy;
    uint64_t time_ns;
    uint32_t order;  /* order, fill */
    uint8_t state;   /* order */
    uint16_t reason; /* order */
    bool maker;      /* fill */
    int64_t price;   /* fill */
    int64_t qty;     /* fill */
    size_t trades;   /* market */
};

struct trial {
    recording_t *recording;
    uint64_t row;
    uint64_t seq;
    struct venue_options options;
    struct strategy_spec specs[STRATEGIES_MAX];
    venue_t *venue;
    struct trial_heard heard[TRIAL_HEARD_MAX]; /* the first so many */
    size_t heard_count;
};

/* Limits that are in nobody's way. */
struct configure trial_limits(void);
struct strategy_symbol trial_symbol(void);

/* the one trial there is; begins a recording, which adds its symbol at time 0. */
struct trial *trial_open(enum recording_kind kind, const struct trial_script *script);
void trial_close(void);

/* Recorded commands of account "m"; what an order is named by, as recorded. */
uint64_t trial_limit(uint64_t time_ns, enum side side, int64_t price, int64_t qty);
uint64_t trial_ioc(uint64_t time_ns, enum side side, int64_t price, int64_t qty);
void trial_cancel(uint64_t time_ns, uint64_t order_id);
void trial_reduce(uint64_t time_ns, uint64_t order_id, int64_t qty);
uint64_t trial_command(uint64_t time_ns, const struct command *c); /* any */
struct command trial_new(enum side side, enum time_in_force tif, int64_t price, int64_t qty);

/* Seal the recording, and make a venue of so many strategies. */
venue_t *trial_run_begin(unsigned strategies);

/* The same and run it to its end. */
venue_t *trial_run(unsigned strategies);

/* Fills and changes of orders heard, in their order; NULL behind the last. */
const struct trial_heard *trial_fill(size_t index);
const struct trial_heard *trial_heard_of(enum trial_heard_kind kind, size_t index);

/* Quantity at a price of the engine's book now. */
int64_t trial_qty_at(enum side side, int64_t price);

#endif
