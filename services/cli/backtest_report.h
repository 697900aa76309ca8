/* backtest_report: what came of a back-test, to where it is wanted: the terminal, JSON, CSV, HTML.
 */
#ifndef OUTCRY_CLI_BACKTEST_REPORT_H
#define OUTCRY_CLI_BACKTEST_REPORT_H

#include "backtest/report.h"
#include "cli/backtest_options.h"

/* The terminal's is left out where JSON goes to standard output. False: something could not be
 * written, which was said on stderr. */
bool backtest_report(const struct backtest_options *o, const struct report_run *run,
                     result_log_t *const *logs, const struct result_figures *const *figures,
                     unsigned count);
bool backtest_report_sweep(const struct backtest_options *o, const struct report_run *run,
                           const struct report_point *points, unsigned count);

/* Latencies in words. */
void backtest_report_latency(const struct backtest_options *o, char *text, size_t size);

/* What the host's limits refused of a strategy, by reason; nothing where nothing was. */
void backtest_report_refused(FILE *out, const strategy_host_t *host, unsigned strategy);

#endif
