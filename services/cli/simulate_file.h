/* simulate_file: a flow of orders as a file that other commands read.
 *
 *   csv       ts,msg_type,side,price,qty,order_id        outcry replay --format csv, backtest
 *   commands  row,ts,op,order_id,side,price,qty          outcry replay, backtest
 *   match     op,id,account,side,type,tif,price,qty      outcry match
 *
 * ts begins at 09:30: ns since midnight in csv, seconds in commands. The same options write the
 * same bytes. */
#ifndef OUTCRY_CLI_SIMULATE_FILE_H
#define OUTCRY_CLI_SIMULATE_FILE_H

#include <signal.h>

#include "cli/simulate_options.h"

/* Where the day of a file begins, ns since midnight. */
#define SIMULATE_FILE_START_NS UINT64_C(34200000000000)

/* Write the flow to o->file, gzip if it ends in .gz, - being standard output, until the count, the
 * duration, or *stop is set. What goes wrong is said on stderr.
 * Errors: STATUS_IO */
enum status simulate_file_write(const struct simulate_options *o, order_flow_t *flow,
                                const volatile sig_atomic_t *stop);

#endif
