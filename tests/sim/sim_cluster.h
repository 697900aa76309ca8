/* sim_cluster: a whole cluster, and one run of it from a seed.
 *
 *     clients ─> matcher + follower on one machine ─> market-data ─> readers
 *
 * A run draws its temper (limits, marks, delays, flow, what faults it likes), lets faults happen
 * for some time, then mends everything, and wants everything well within a bounded time: every
 * command has its result, every reader is live, complete and right. Thread: one. */
#ifndef OUTCRY_SIM_SIM_CLUSTER_H
#define OUTCRY_SIM_SIM_CLUSTER_H

#include "tests/sim/sim_client.h"
#include "tests/sim/sim_market.h"
#include "tests/sim/sim_matcher.h"
#include "tests/sim/sim_reader.h"

enum { SIM_CLIENTS = 3, SIM_READERS = 4, SIM_READER_KILLED = 3 /* the only one that ever is */ };

struct sim_cluster {
    struct sim_world world;
    struct random random;
    struct sim_network network;
    struct sim_history history;
    struct sim_ear ear;
    struct sim_temper temper;
    struct sim_matcher matcher;
    struct sim_market market;
    struct sim_client clients[SIM_CLIENTS];
    struct sim_reader readers[SIM_READERS];
    struct sim_peer operator;
    uint64_t resume_ns; /* when the operator believes the clock; 0: there is nothing to believe */
    uint64_t faults_ns; /* how long there are faults */
    bool heavy;         /* it has so much to do that segments fill up */
};

/* What a run came to. */
struct sim_result {
    uint64_t seed;
    uint64_t digest;
    uint64_t now_ns; /* virtual time when it ended */
    uint64_t commands;
    uint64_t faults[SIM_FAULT_COUNT];
    char failure[SIM_FAILURE_SIZE]; /* empty: none */
};

void sim_cluster_run(uint64_t seed, bool verbose, struct sim_result *result);

#endif
