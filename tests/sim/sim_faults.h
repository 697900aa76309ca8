/* sim_faults: what goes wrong, when, and for how long. Thread: one. */
#ifndef OUTCRY_SIM_SIM_FAULTS_H
#define OUTCRY_SIM_SIM_FAULTS_H

#include "tests/sim/sim_cluster.h"

enum { SIM_FAULT_KINDS_MAX = 24 };

struct sim_faults {
    struct sim_cluster *cluster;
    struct random random;
    uint64_t gap_ns;                       /* between two, up to this */
    unsigned weights[SIM_FAULT_KINDS_MAX]; /* what this run likes */
    bool over;
};

/* KEEPS cluster. Faults begin. */
void sim_faults_init(struct sim_faults *f, struct sim_cluster *cluster);

/* No more of them; all that is broken is mended. */
void sim_faults_end(struct sim_faults *f);

#endif
