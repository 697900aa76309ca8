/* backtest_sweep: the same back-test with many values, and a table of them. */
#ifndef OUTCRY_CLI_BACKTEST_SWEEP_H
#define OUTCRY_CLI_BACKTEST_SWEEP_H

#include "backtest/report.h"
#include "cli/backtest_options.h"
#include "cli/backtest_run.h"

/* run: as one point is run, but for its strategy; about: of the report. Exit status: 0; 1: a point
 * failed, or a report cannot be written; 2: values a strategy does not take. What is wrong was said
 * on stderr. */
int backtest_sweep(const struct backtest_options *o, const struct cluster_symbol *symbol,
                   const struct backtest_run_options *run, struct report_run *about);

#endif
