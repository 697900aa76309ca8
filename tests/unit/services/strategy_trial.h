/* strategy_trial: one strategy as it would be configured, run by the real host against a trial's
 * market in the real engine; what it does is written down line by line, and what must hold of any
 * strategy is checked after every step, from outside of it:
 *
 *     - filled + what may still be filled is never more than `most_bought` / `most_sold`
 *     - its position, everything working filled, is within `position_most`
 *     - never more than `share` of all that was traded + `clip`
 *     - when it has ended nothing of it works, in the host or on the book */
#ifndef OUTCRY_UNIT_SERVICES_STRATEGY_TRIAL_H
#define OUTCRY_UNIT_SERVICES_STRATEGY_TRIAL_H

#include "tests/unit/services/trial.h"

#define SECOND UINT64_C(1000000000)

struct strategy_trial {
    struct strategy_spec spec;
    int64_t most_bought, most_sold; /* lots; INT64_MAX: not checked, as the next one */
    int64_t position_most;
    double share; /* 0: not checked */
    int64_t clip;
    /* What came of it. */
    int64_t bought, sold, position, volume;
    uint64_t commands, fills, refused, amends;
    int64_t low, high; /* of the position */
    char did[1 << 16]; /* "12.5 buy 3 @ 100 GTC post", ... one a line */
    char logged[512];
    char described[512];
    char why[256];
    uint64_t ended_ns;
};

/* The one there is. `settings`: name, value, ..., NULL. Symbol: trial_symbol, tick 0.01, lot 0.001.
 * A recording begins; write it with trial_limit and so on. */
struct strategy_trial *strategy_trial_open(const char *type, const char *const *settings);
#define STRATEGY_TRIAL(type, ...)                                                                  \
    strategy_trial_open(type, (const char *const[]){__VA_ARGS__, NULL})

/* Run all of it. latency: one way. */
void strategy_trial_run(uint64_t latency_ns, uint64_t seed);
void strategy_trial_close(void);

/* A random market of so many seconds from 1 s on, around price 10,000; `calm`: both sides are never
 * empty, and nobody but the strategy touches its orders. */
void strategy_trial_market(uint64_t seed, unsigned seconds, bool calm);

/* A book that stands: `qty` at bid and at ask from time 0. Nothing trades; each second until
 * `seconds` an order comes and goes far away. */
void strategy_trial_quiet(int64_t bid, int64_t ask, int64_t qty, unsigned seconds);

#endif
