/* backtest_levels: levels and trades, without orders, into a recording: the form `l2`.
 *
 *     ts,msg_type,side,price,qty    msg_type level (or L): this level holds qty now, 0: it is gone;
 *                                   trade (or T): side is the aggressor's
 *
 * Prices and quantities are decimals of the symbol. A column `seq`, if there is one, goes up by one
 * from row to row. */
#ifndef OUTCRY_CLI_BACKTEST_LEVELS_H
#define OUTCRY_CLI_BACKTEST_LEVELS_H

#include "cli/backtest_history.h"

/* What is wrong was said on stderr: STATUS_INVALID. */
enum status backtest_levels_read(recording_t *r, const struct csv_file *file,
                                 const struct backtest_history_options *o);

#endif
