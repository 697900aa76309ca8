/* pretend_run: a run put together word by word, for the tests of what comes after one: `maker` on
 * AAPL, ticks of a cent, lots of 1, until a test says otherwise. */
#ifndef OUTCRY_UNIT_SERVICES_PRETEND_RUN_H
#define OUTCRY_UNIT_SERVICES_PRETEND_RUN_H

#include "backtest/result.h"

struct pretend {
    struct strategy_spec spec;
    struct strategy_standing standing; /* what its host says at the end */
    const char *described;
    struct ledger ledger;
    struct bbo_state bbo;
    result_log_t *log;
};
extern struct pretend pretend;

/* A run begins. */
void pretend_begin(const struct fees *fees, const struct result_options *o);

/* The market as it is now; bid or ask 0: none. qty 0: nothing traded. */
void pretend_market(uint64_t time_ns, int64_t bid, int64_t ask, int64_t price, int64_t qty);

/* A fill; the order has been told of before. */
void pretend_fill(uint64_t time_ns, const struct own_order *o, int64_t price, int64_t qty,
                  bool maker);

const struct result_figures *pretend_finish(void);
void pretend_end(void);

#endif
