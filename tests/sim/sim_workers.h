/* sim_workers: many runs, in processes beside each other, so that one that aborts is a failure of
 * its seed and of nothing else. Thread: one. */
#ifndef OUTCRY_SIM_SIM_WORKERS_H
#define OUTCRY_SIM_SIM_WORKERS_H

#include "tests/sim/sim_cluster.h"

enum { SIM_WORKERS = 2, SIM_TWICE_EVERY = 20 };

struct sim_plan {
    uint64_t first;     /* seed */
    uint64_t seeds;     /* at least so many are run */
    uint64_t minutes;   /* and on until so much time has passed */
    bool until_failure; /* the first one ends it */
    bool quiet;         /* what aborts says nothing */
};

struct sim_totals {
    uint64_t seeds, failures, commands, virtual_ns, twice;
    uint64_t faults[SIM_FAULT_COUNT];
    char first_failure[SIM_FAILURE_SIZE];
    uint64_t first_failed; /* seed */
};

/* `done` hears of each run, in no order. One run in SIM_TWICE_EVERY is made twice, and must be the
 * same to the byte. */
void sim_workers_run(const struct sim_plan *plan, struct sim_totals *totals,
                     void (*done)(const struct sim_totals *totals,
                                  const struct sim_result *result));

#endif
