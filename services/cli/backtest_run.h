/* backtest_run: one back-test: a recording, strategies, and what came of them. Thread: one. */
#ifndef OUTCRY_CLI_BACKTEST_RUN_H
#define OUTCRY_CLI_BACKTEST_RUN_H

#include "backtest/venue.h"
#include "cli/backtest_logs.h"

struct backtest_run_options {
    struct venue_options venue;
    struct result_options result;
    const struct strategy_spec *specs; /* KEPT */
    unsigned count;
    bool progress; /* a bar on the terminal */
};

struct backtest_run {
    venue_t *venue; /* as it stands at the end */
    struct backtest_logs logs;
    struct venue_counts counts;
    double seconds; /* it took */
};

/* From beginning to end. */
void backtest_run(struct backtest_run *r, const struct backtest_run_options *o);
void backtest_run_close(struct backtest_run *r);

#endif
