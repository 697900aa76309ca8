/* backtest_logs: the result logs of a host's strategies, written as it runs: wired the same way for
 * a back-test and for a live run played again. Thread: one. */
#ifndef OUTCRY_CLI_BACKTEST_LOGS_H
#define OUTCRY_CLI_BACKTEST_LOGS_H

#include "backtest/result.h"
#include "strategy/strategy_host.h"

struct backtest_logs {
    unsigned count;
    const strategy_host_t *host;
    result_log_t *logs[STRATEGIES_MAX];
    const struct result_figures *figures[STRATEGIES_MAX]; /* once finished */
    /* What the host sends is handed on; NULL: to nobody. */
    void (*command)(void *to, unsigned strategy, struct command *c);
    void *to;
};

/* KEEPS specs. */
void backtest_logs_init(struct backtest_logs *l, const struct strategy_spec *specs, unsigned count,
                        const struct result_options *options);

/* What a host is to be told to tell us; KEEPS l. */
struct strategy_host_owner backtest_logs_owner(struct backtest_logs *l);

/* Before anything happens: KEEPS host, until finished. */
void backtest_logs_attach(struct backtest_logs *l, const strategy_host_t *host);
void backtest_logs_finish(struct backtest_logs *l);
void backtest_logs_close(struct backtest_logs *l);

#endif
