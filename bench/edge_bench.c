#include "edge_bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge.h"
#include "rest_bench.h"
#include "websocket_bench.h"

enum {
    RUNS = 5,
    RUNS_QUICK = 1,
};

/* What of a row is held against a figure. */
enum measure {
    MEASURE_MEDIAN, /* of its runs: the mean latency in us, or a rate */
    MEASURE_P50,    /* in us */
    MEASURE_RATIO,
};

/* Times and shares of the floor are bounds from above and from below; so are rates. */
struct target {
    const char *words;
    const char *bench;
    const char *name;
    enum measure measure;
    double bound;
    bool at_least; /* otherwise at most */
    bool inclusive;
};

static const struct target conceived[] = {
    {"order submission to answer, mean < 5 ms", "rest", REST_ORDERS_1K, MEASURE_MEDIAN, 5000, false,
     false},
    {"BBO change to a ZeroMQ subscriber < 1 ms", "websocket", WEBSOCKET_BBO_ZEROMQ, MEASURE_MEDIAN,
     1000, false, false},
    {"BBO change to a WebSocket < 1 ms", "websocket", WEBSOCKET_BBO, MEASURE_MEDIAN, 1000, false,
     false},
    {"trade to a ZeroMQ subscriber < 1 ms", "websocket", WEBSOCKET_TRADE_ZEROMQ, MEASURE_MEDIAN,
     1000, false, false},
    {"trade to a WebSocket < 1 ms", "websocket", WEBSOCKET_TRADE, MEASURE_MEDIAN, 1000, false,
     false},
    {"orders a second sustained > 1,000", "rest", REST_ORDERS_10K, MEASURE_MEDIAN, 1000, true,
     false},
};

/* 9,900: the last answer comes after the last order was due, so the full rate is never reached. */
static const struct target bars[] = {
    {"order to answer, 1 connection, mean <= 500 us", "rest", REST_ORDER_1, MEASURE_MEDIAN, 500,
     false, true},
    {"orders, 64 connections, >= 0.15 of the floor", "rest", REST_ORDERS_64, MEASURE_RATIO, 0.15,
     true, true},
    {"10,000 orders a second sustained (>= 9,900)", "rest", REST_ORDERS_10K, MEASURE_MEDIAN, 9900,
     true, true},
    {"BBO change to ZeroMQ, p50 <= 200 us", "websocket", WEBSOCKET_BBO_ZEROMQ, MEASURE_P50, 200,
     false, true},
    {"trade to ZeroMQ, p50 <= 200 us", "websocket", WEBSOCKET_TRADE_ZEROMQ, MEASURE_P50, 200, false,
     true},
    {"BBO change to a WebSocket, p50 <= 500 us", "websocket", WEBSOCKET_BBO, MEASURE_P50, 500,
     false, true},
    {"trade to a WebSocket, p50 <= 500 us", "websocket", WEBSOCKET_TRADE, MEASURE_P50, 500, false,
     true},
};

/* ---- the verdict ---- */

static double measured(const struct sample_row *row, enum measure what)
{
    switch (what) {
    case MEASURE_MEDIAN:
        return sample_median(&row->ours);
    case MEASURE_P50:
        return row->p50;
    case MEASURE_RATIO:
        return sample_ratio(row);
    }
    return NAN;
}

static bool met(const struct target *t, double value)
{
    if (t->inclusive && value == t->bound) {
        return true;
    }
    return t->at_least ? value > t->bound : value < t->bound;
}

static void print_targets(const struct edge *e, FILE *out, const char *title,
                          const struct target *targets, size_t count)
{
    fprintf(out, "\n%-46s %10s %8s %8s %8s %8s\n", title, "measured", "p50", "p99", "p99.9",
            "rate");
    for (size_t index = 0; index < count; index++) {
        const struct target *t = &targets[index];
        const struct sample_row *row = edge_row_find(e, t->bench, t->name);
        if (!row) {
            continue;
        }
        double value = measured(row, t->measure);
        fprintf(out, "%-46s %10.*f %8.0f %8.0f %8.0f %8.0f  %s\n", t->words,
                t->measure == MEASURE_RATIO ? 2 : 0, value, row->p50, row->p99, row->p999,
                row->rate, met(t, value) ? "met" : "MISSED");
    }
}

static void print_verdict(const struct edge *e, FILE *out)
{
    print_targets(e, out, "conceived target", conceived, sizeof conceived / sizeof conceived[0]);
    print_targets(e, out, "bar", bars, sizeof bars / sizeof bars[0]);
    fputs(
        "\nTimes in us; rate: orders (of a broadcast: changes) a second while it was measured.\n"
        "Floor: civetweb alone, the same bytes without work, in turn with ours. Medians of runs;\n"
        "percentiles over all of them.\n",
        out);
}

/* ---- running ---- */

static void measure(struct edge *e, const struct edge_bench_options *options)
{
    if (!rest_bench_floor(e)) {
        return;
    }
    if (options->rest) {
        rest_bench_run(e);
    }
    if (options->websocket) {
        websocket_bench_run(e);
    }
    print_verdict(e, stderr);
}

bool edge_bench_run(const struct edge_bench_options *options, struct sample_report *report)
{
    char error[EDGE_CLUSTER_ERROR_SIZE];
    struct edge *e = calloc(1, sizeof *e);
    if (!e || !(e->floor = floor_server_new())) {
        fprintf(stderr, "outcry bench: %s\n", strerror(errno));
        free(e);
        return false;
    }
    e->report = report;
    e->quick = options->quick;
    e->run_count = options->quick ? RUNS_QUICK : RUNS;
    e->cluster = edge_cluster_start(error);
    if (e->cluster) {
        measure(e, options);
    } else {
        edge_fail(e, "the cluster", error);
    }
    if (!edge_cluster_stop(&e->cluster, error)) {
        edge_fail(e, "the cluster", error);
    }
    floor_server_destroy(&e->floor);
    bool good = !e->failed;
    free(e);
    return good;
}
