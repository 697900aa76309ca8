/* backtest_specs: the strategies of a back-test, as they were told: one TYPE with its words, or the
 * section of a file. `none` is a strategy that does nothing: the history as it was. Thread: one. */
#ifndef OUTCRY_CLI_BACKTEST_SPECS_H
#define OUTCRY_CLI_BACKTEST_SPECS_H

#include "cli/backtest_options.h"
#include "node/cluster.h"
#include "strategy/strategy_spec.h"

struct backtest_specs {
    struct strategy_spec *all; /* STRATEGIES_MAX of them; NULL: there are none yet */
    unsigned count;
};

/* One, of options' TYPE; values: of each swept axis, or NULL. False: error says what was found and
 * expected. */
bool backtest_specs_one(struct strategy_spec *s, const struct backtest_options *o,
                        const struct cluster_symbol *symbol, const char *const *values,
                        char error[STRATEGY_SPEC_ERROR_SIZE]);

/* All there are to be; of a file those of this symbol. False: what is wrong was said on stderr. */
bool backtest_specs_make(struct backtest_specs *s, const struct backtest_options *o,
                         const struct cluster *c, const struct cluster_symbol *symbol);

/* The fees of whoever comes from outside: of the words nothing else may be told. False: what is
 * wrong was said on stderr. */
bool backtest_specs_fees(struct fees *fees, const struct backtest_options *o,
                         const struct cluster_symbol *symbol);

/* Whether no recorded command is of an account of theirs, but for those left out (--without).
 * False: was said on stderr. */
bool backtest_specs_alone(const struct backtest_specs *s, const recording_t *r,
                          const char *without);

void backtest_specs_free(struct backtest_specs *s);

#endif
