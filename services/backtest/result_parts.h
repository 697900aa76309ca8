/* result_parts: what the parts of a result know of each other: result.c gathers, result_queue.c
 * follows each order, result_figures.c makes figures of it. */
#ifndef OUTCRY_BACKTEST_RESULT_PARTS_H
#define OUTCRY_BACKTEST_RESULT_PARTS_H

#include "backtest/result.h"
#include "base/decimal.h"

enum { MICRO = 1000000 };

struct result_log {
    const struct strategy_spec *spec;
    uint64_t sample_ns, samples_per_year;

    bool begun, ended, finished;
    uint64_t begin_ns, now_ns, next_sample_ns;

    /* The market: the mid as it is since mid_ns, and its sum over the time before. */
    bool has_mid, has_mark;
    int64_t twice_mid, twice_mark, twice_arrival;
    uint64_t mid_ns;
    wide_t mid_sum; /* twice_mid x ns */
    uwide_t mid_sum_ns;
    wide_t traded_sum; /* price x qty */
    wide_t traded_qty;

    /* P&L as it was valued last. */
    bool valued;
    int64_t position;
    notional_t total, realised, highest, drawdown, drawdown_max;

    int64_t placed_qty, filled_qty;
    uint64_t rejected; /* orders, by the exchange */

    struct result_point *points;
    struct result_fill *fills;
    struct result_order *orders; /* number - 1, one never told of has number 0, until finished */
    struct result_note *notes;
    size_t point_count, point_max, fill_count, fill_max;
    size_t order_count, order_max, note_count, note_max;
    char *why;
    struct result_figures figures;
};

/* ---- result_queue.c ---- */

void result_queue_order(result_log_t *l, const struct own_order *o, int64_t ahead, uint64_t now_ns);
void result_queue_fill(result_log_t *l, const struct own_fill *f, uint64_t now_ns);

/* Drop the numbers that never were, and fill in the figures of the queue. */
void result_queue_finish(result_log_t *l, struct result_figures *f);

#endif
