/* edge: what the benches of the edge share: the cluster they measure, the floor beside it, the rows
 * they have made, and whether anything went wrong. Latencies are in microseconds. */
#ifndef OUTCRY_BENCH_EDGE_H
#define OUTCRY_BENCH_EDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "edge_cluster.h"
#include "floor_server.h"
#include "sample.h"

enum {
    EDGE_ROWS_MAX = 24,
};

struct edge {
    edge_cluster_t *cluster;
    floor_server_t *floor;
    uint16_t floor_port;
    struct sample_report *report;
    bool quick;
    unsigned run_count;
    uint64_t orders_made; /* so that no client_order_id is used twice */
    struct sample_row rows[EDGE_ROWS_MAX];
    unsigned row_count;
    bool failed;
};

/* A row to be filled in. */
struct sample_row edge_row(const char *bench, const char *name, const char *unit,
                           enum sample_kind kind);

/* Report a row and keep it for the verdict. */
void edge_row_done(struct edge *e, const struct sample_row *row);

/* Percentiles of a row, from a histogram of ns. */
void edge_row_percentiles(struct sample_row *row, const struct histogram *latencies);

/* The row of this case; NULL if it was not measured. */
const struct sample_row *edge_row_find(const struct edge *e, const char *bench, const char *name);

/* A request failed or a message was lost: say so; the bench will end with status 1. */
void edge_fail(struct edge *e, const char *name, const char *words);

/* On a terminal: the line that says what is running, until the next is written over it. */
void edge_say(const char *bench, const char *name, unsigned run, unsigned run_count);
void edge_say_nothing(void);

#endif
