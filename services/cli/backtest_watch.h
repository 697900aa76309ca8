/* backtest_watch: what a back-test's engine made of the recorded commands, in files, for checks:
 *
 *     trades      row,ts,taker_id,maker_id,price,qty: each fill of a recorded command; ids are
 *                 client order ids
 *     book rows   no header; line k is the book behind row k of the history, as LOBSTER's orderbook
 *                 files have it: ask price, ask size, bid price, bid size, level by level
 *
 * Prices in the units of the source. Our own orders are in both. Thread: one. */
#ifndef OUTCRY_CLI_BACKTEST_WATCH_H
#define OUTCRY_CLI_BACKTEST_WATCH_H

#include "backtest/venue.h"
#include "cli/backtest_history.h"
#include "cli/csv_writer.h"

enum { BACKTEST_LEVELS_MAX = 50 };

struct backtest_watch {
    const struct backtest_history *history;
    struct csv_writer trades, rows; /* buffer NULL: not wanted */
    unsigned levels;                /* of book rows: 1..BACKTEST_LEVELS_MAX */
    uint32_t symbol;                /* its number in the engine; 0: not known yet */
    uint64_t row;                   /* of the last command */
    struct {
        int64_t price, qty;
    } top[2][BACKTEST_LEVELS_MAX]; /* by side - 1; behind the last command */
};

/* NULL: that file is not wanted. KEEPS history and paths. False: what is wrong was said on stderr.
 */
bool backtest_watch_open(struct backtest_watch *w, const struct backtest_history *history,
                         const char *trades, const char *rows, unsigned levels);

/* The venue's: venue_options.watch. */
void backtest_watch_see(void *self, const struct recorded *e, const engine_t *engine);

/* False: something could not be written, which was said on stderr. */
bool backtest_watch_close(struct backtest_watch *w);

#endif
