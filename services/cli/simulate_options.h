/* simulate_options: what the command line of `outcry simulate` asks for, checked. */
#ifndef OUTCRY_CLI_SIMULATE_OPTIONS_H
#define OUTCRY_CLI_SIMULATE_OPTIONS_H

#include "node/cluster.h"
#include "simulate/order_flow.h"

enum simulate_form { SIMULATE_CSV, SIMULATE_COMMANDS, SIMULATE_MATCH };

struct simulate_options {
    struct order_flow_options flow; /* start_ns and session are the caller's to set */
    struct order_flow_symbol symbols[ORDER_FLOW_SYMBOLS_MAX];
    const struct cluster_symbol *chosen[ORDER_FLOW_SYMBOLS_MAX]; /* the same, of the cluster */
    uint64_t count_max;
    uint64_t duration_ns;
    const char *file; /* NULL: a live cluster */
    enum simulate_form form;
};

/* Read what host_load() left of the command line. A mistake is said on stderr, in words; its exit
 * status is returned, or 0. KEEPS cluster and argv. */
int simulate_options_read(struct simulate_options *o, const struct cluster *cluster, int argc,
                          char **argv);

#endif
