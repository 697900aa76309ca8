/* edge_cluster: a cluster for the benches of the edge: two matchers, market-data and a gateway, of
 * the programs beside this one, in a run directory of its own under /tmp that is gone afterwards.
 * Nothing of it is heard beyond this machine: ipc in that directory, and two free ports of
 * 127.0.0.1. Settings of the environment (OUTCRY_*) are put aside, so that a figure is of the
 * defaults; the programs' words go to logs in the run directory. */
#ifndef OUTCRY_BENCH_EDGE_CLUSTER_H
#define OUTCRY_BENCH_EDGE_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cluster.h"

enum {
    EDGE_CLUSTER_ERROR_SIZE = 4096,
};

#define EDGE_CLUSTER_SYMBOL "BTC-USD" /* the one that is traded: 0.01 a tick, 0.0001 a lot */

typedef struct edge_cluster edge_cluster_t;

/* Start it, and wait until the gateway says that it is ready. Changes our environment; until it is
 * stopped, SIGINT and SIGTERM stop it and end us.
 *
 * Errors: NULL  with error filled in, the last words of who ended included.
 * Thread: before any other is made; one cluster at a time. */
edge_cluster_t *edge_cluster_start(char error[EDGE_CLUSTER_ERROR_SIZE]);

/* Stop it, each with SIGTERM, readers before what they read, and remove its run directory.
 *
 * Errors: false  with error filled in: one had ended before, or did not end well. */
bool edge_cluster_stop(edge_cluster_t **c, char error[EDGE_CLUSTER_ERROR_SIZE]);

const struct cluster *edge_cluster_settings(const edge_cluster_t *c);
uint16_t edge_cluster_port(const edge_cluster_t *c); /* of REST and WebSocket */

#endif
