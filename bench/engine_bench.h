/* engine_bench: the engine in process beside the floor book, on the flows of flow.h. The options
 * are those of `outcry bench engine --help`.
 *
 * What is measured is engine_apply() and reading the events of each command, hashes on, commands as
 * a client's (engine_run.h). Beside it floor_book_apply(), one call a command likewise, the two in
 * turn, run by run. The engine asks for memory ahead, as the matcher does; the floor does not: its
 * 16 bytes an order gain at most a twentieth by it. After each pair of runs both books are walked
 * and compared: the quantity executed, and every resting order with its place, price and quantity.
 */
#ifndef OUTCRY_BENCH_ENGINE_BENCH_H
#define OUTCRY_BENCH_ENGINE_BENCH_H

#include <stdbool.h>

#include "sample.h"

/* Measure with the default options, into a report that is open.
 *
 * Errors: false  the books differ; told on stderr. */
bool engine_bench_run(bool quick, struct sample_report *report);

/* `outcry bench engine`. Returns the exit status: 0; 1 if the books differ or a file cannot be
 * written; 2 for usage. */
int engine_bench_main(int argc, char **argv);

#endif
