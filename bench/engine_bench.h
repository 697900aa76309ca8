/* engine_bench: the engine in process beside the floor book, on the flows of flow.h.
 *
 *     outcry bench engine [--quick] [--json FILE] [--seed N] [--runs N] [--commands N] [--case
 * NAME]
 *
 * What is measured: engine_apply() and reading the events of each command, on an engine with the
 * limits a shard has by default and one symbol, hashes on, commands as a client's: with an origin
 * (so that exactly-once is paid for), an account, no client order id, cancels and amends by the
 * order_id an earlier event told. Beside it floor_book_apply(), one call a command likewise, the
 * two in turn, run by run. After each pair of runs both books are walked and compared: quantity
 * executed, and every resting order with its place, price and quantity. */
#ifndef OUTCRY_BENCH_ENGINE_BENCH_H
#define OUTCRY_BENCH_ENGINE_BENCH_H

/* Returns the exit status: 0; 1 if the books differ or a file cannot be written; 2 for usage. */
int engine_bench_main(int argc, char **argv);

#endif
