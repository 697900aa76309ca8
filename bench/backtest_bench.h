/* backtest_bench: a back-test beside the engine by itself, on the flows of flow.h: a recording in
 * memory, read and done again with a strategy that does nothing, against engine_apply() of the same
 * commands, read before the clock starts. Both ask for memory ahead, and take turns run by run;
 * after each pair the books must hash alike. The rows named `_delayed` have a latency of a
 * millisecond for data, so that each update is put by and applied to a mirror. */
#ifndef OUTCRY_BENCH_BACKTEST_BENCH_H
#define OUTCRY_BENCH_BACKTEST_BENCH_H

#include <stdbool.h>

#include "sample.h"

/* Measure, into a report that is open.
 *
 * Errors: false  the books differ, or there is no memory; told on stderr. */
bool backtest_bench_run(bool quick, struct sample_report *report);

#endif
