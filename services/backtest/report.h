/* report: a result for people and programs: on the terminal, as JSON, as CSV files, and as one HTML
 * file with its plots in it, which opens without a network. All say the same figures, in the
 * symbol's decimals. */
#ifndef OUTCRY_BACKTEST_REPORT_H
#define OUTCRY_BACKTEST_REPORT_H

#include <stdio.h>

#include "backtest/result.h"

/* How it was run; texts BORROWED. */
struct report_run {
    const char *history; /* the file or directory */
    const char *form;    /* "journal", "lobster", "commands", "csv", "l2", "inputs" */
    const char *mode;    /* "exact", "queue model: back", ..., "as it was live" */
    const char *latency; /* in words */
    const char *seed;    /* in words */
    uint64_t events;     /* venue_counts */
    uint64_t recorded_refused;
    const char *short_qty; /* lots, decimal */
    double seconds;        /* it took; not in JSON, CSV or HTML: those are the same each time */
};

/* The first line of every form: strategy, symbol, what of its parameters decides what it is (VWAP:
 * the profile it used, or that it behaved as TWAP). */
void report_terminal(FILE *out, const struct report_run *run, const struct result_figures *f);
enum status report_json(FILE *out, const struct report_run *run, result_log_t *const *logs,
                        const struct result_figures *const *figures, unsigned count);

/* `fills.csv orders.csv curve.csv` in a directory that is there; with several strategies, each has
 * a directory of its name in it. STATUS_IO: errno says why. */
enum status report_csv(const char *directory, result_log_t *const *logs,
                       const struct result_figures *const *figures, unsigned count);
enum status report_html(FILE *out, const struct report_run *run, result_log_t *const *logs,
                        const struct result_figures *const *figures, unsigned count);

/* ---- a sweep: one row a point ---- */

struct report_point {
    const char *values;            /* "gamma=0.1 kappa=1.5" */
    double x;                      /* of the first swept parameter */
    struct result_figures figures; /* spec NULL: it failed; `described` says why */
};
void report_sweep_terminal(FILE *out, const struct report_point *points, unsigned count);
enum status report_sweep_json(FILE *out, const struct report_point *points, unsigned count);
enum status report_sweep_html(FILE *out, const struct report_run *run, const char *parameter,
                              const struct report_point *points, unsigned count);

#endif
