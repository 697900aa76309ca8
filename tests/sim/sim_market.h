/* sim_market: the process that runs market-data, on a machine of its own. Thread: one. */
#ifndef OUTCRY_SIM_SIM_MARKET_H
#define OUTCRY_SIM_SIM_MARKET_H

#include "market-data/market_data.h"
#include "tests/sim/sim_ear.h"
#include "tests/sim/sim_process.h"

enum { SIM_MARKET_INPUT_FRAMES, SIM_MARKET_INPUT_REQUESTS };
enum { SIM_MARKET_OUTPUT_PUBLIC, SIM_MARKET_OUTPUT_REQUESTS };

struct sim_market {
    struct sim_world *world;
    struct random random;
    struct sim_clock clock;
    struct sim_ear *ear;
    struct cluster *cluster;
    char reply[REPLY_SIZE + 1];
    struct sim_link *link; /* to the matcher */
    uint64_t restart_ns;   /* it comes back within this */
    struct sim_process process;
    market_data_t *market_data;
};

/* KEEPS network, ear and matcher. Its first start is to come. */
void sim_market_init(struct sim_market *m, struct sim_network *network, struct sim_ear *ear,
                     struct sim_peer *matcher, const char *const *symbols, unsigned symbol_count);
void sim_market_close(struct sim_market *m);

/* Killed, and back. */
void sim_market_kill(struct sim_market *m);

#endif
