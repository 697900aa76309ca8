/* edge_bench: the gateway as its users meet it, on a demo cluster of its own (edge_cluster.h), each
 * figure beside civetweb's floor where there is one (floor_server.h); and the verdict: what was
 * conceived beside what was measured, and the bars. A bar that is missed is printed as missed and
 * is no failure: these machines are shared. A request that failed or a message that was lost is. */
#ifndef OUTCRY_BENCH_EDGE_BENCH_H
#define OUTCRY_BENCH_EDGE_BENCH_H

#include <stdbool.h>

#include "sample.h"

struct edge_bench_options {
    bool rest;
    bool websocket;
    bool quick; /* one short run a case, instead of five */
};

/* Measure, and print the verdict on stderr.
 *
 * BORROWS options, report. Before any thread of the caller's: it forks.
 * Errors: false  told on stderr. */
bool edge_bench_run(const struct edge_bench_options *options, struct sample_report *report);

#endif
