/* A message says when the matcher stamped the batch it comes from: a frame of ZeroMQ in time_ns, a
 * message of a WebSocket in "ts", in microseconds. That is just before the engine's step, and both
 * ends read the wall clock of one machine; so a latency is the matcher's step and publishing,
 * market-data, for WebSockets the gateway, and every hop between them, until the bytes are in the
 * reader's hands.
 *
 * Nothing but best bids may be missing: those the gateway conflates for a WebSocket that lags. */
#include "websocket_bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/reader.h"
#include "edge_orders.h"
#include "websocket_load.h"

enum {
    RATE = 1000,          /* orders a second */
    BROADCAST_RATE = 100, /* BBO changes a second: 50,000 messages to 500 clients */
    SECONDS = 4,
    SECONDS_QUICK = 1,
    JOIN_MS = 20000,
    PATIENCE_MS = 5000, /* for the last messages */
    QUIET_MS = 200,     /* no message for so long: there will be none */
    MESSAGE_MAX = FLOOR_SERVER_MESSAGE_MAX,
};

/* What a run has seen. */
struct tally {
    const edge_orders_t *orders; /* NULL: the floor's run, which began at start_ns */
    uint64_t start_ns;
    uint64_t measured;
    uint64_t sum_ns;
    uint64_t last_ns; /* the last measured message came */
    struct histogram *latencies;
    char message[MESSAGE_MAX]; /* the first measured one */
    size_t message_size;
};

struct run {
    struct edge *edge;
    const char *name;
    uint64_t rate;
    uint64_t count; /* of orders */
    struct tally tally;
};

static void run_begin(struct run *r, struct edge *e, const char *name, uint64_t rate,
                      struct histogram *latencies)
{
    *r = (struct run){.edge = e, .name = name, .rate = rate};
    r->count = rate * (e->quick ? SECONDS_QUICK : SECONDS);
    r->tally.latencies = latencies;
}

static bool run_fail(const struct run *r, const char *words)
{
    edge_fail(r->edge, r->name, words);
    return false;
}

static bool of_this_run(const struct tally *t, uint64_t sent_ns)
{
    uint64_t start_ns = t->orders ? edge_orders_start_ns(t->orders) : t->start_ns;
    return start_ns != 0 && sent_ns >= start_ns;
}

/* The orders' end, told once; and whether all that must come has come. */
static bool run_end(struct run *r, edge_orders_t **orders, uint64_t expected)
{
    char error[EDGE_ORDERS_ERROR_SIZE];
    uint64_t spent_ns;
    r->tally.start_ns = edge_orders_start_ns(*orders);
    r->tally.orders = NULL;
    if (!edge_orders_stop(orders, &spent_ns, error)) {
        return run_fail(r, error);
    }
    if (r->tally.measured < expected) {
        snprintf(error, sizeof error, "%" PRIu64 " of %" PRIu64 " messages came", r->tally.measured,
                 expected);
        return run_fail(r, error);
    }
    return true;
}

static double mean_us(const struct tally *t)
{
    return (double)t->sum_ns / (double)t->measured / (double)NS_PER_US;
}

/* ---- over ZeroMQ ---- */

/* A group is what one command did: one change of the best bid, or one trade. */
static void on_group(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head)
{
    struct tally *t = self;
    (void)topic, (void)seq;
    if (!of_this_run(t, head->time_ns)) {
        return;
    }
    t->last_ns = clock_wall_ns();
    uint64_t spent_ns = t->last_ns > head->time_ns ? t->last_ns - head->time_ns : 0;
    t->measured++;
    t->sum_ns += spent_ns;
    histogram_add(t->latencies, spent_ns);
}

static bool reader_join(reader_t *reader)
{
    uint64_t give_up_ns = clock_monotonic_ns() + JOIN_MS * NS_PER_MS;
    while (!subscriber_all_live(reader_subscriber(reader)) && clock_monotonic_ns() < give_up_ns) {
        reader_poll(reader, 20);
    }
    return subscriber_all_live(reader_subscriber(reader));
}

static void read_run(struct run *r, reader_t *reader, const edge_orders_t *orders,
                     uint64_t expected)
{
    uint64_t give_up_ns = 0;
    r->tally.orders = orders;
    while (r->tally.measured < expected) {
        reader_poll(reader, 20);
        uint64_t now_ns = clock_monotonic_ns();
        if (give_up_ns == 0 && edge_orders_done(orders)) {
            give_up_ns = now_ns + PATIENCE_MS * NS_PER_MS;
        }
        if (give_up_ns != 0 && now_ns > give_up_ns) {
            return;
        }
    }
}

static bool zeromq_run(struct run *r, const char *topic, uint64_t expected)
{
    char error[ENDPOINT_ERROR_SIZE];
    const struct cluster *cluster = edge_cluster_settings(r->edge->cluster);
    const struct subscriber_owner owner = {.self = &r->tally, .group = on_group};
    reader_t *reader = reader_open(cluster, &owner, &topic, 1, error);
    if (!reader) {
        return run_fail(r, error);
    }
    bool good = reader_join(reader);
    if (good) {
        edge_orders_t *orders = edge_orders_start(cluster, r->rate, r->count);
        read_run(r, reader, orders, expected);
        good = run_end(r, &orders, expected);
    } else {
        run_fail(r, "the topic cannot be followed");
    }
    reader_close(&reader);
    return good;
}

/* ---- over WebSockets ---- */

/* The digits behind "ts": in microseconds, as ns; 0 if there are none. */
static uint64_t message_time_ns(const char *text, size_t size)
{
    static const char key[] = "\"ts\":";
    const char *end = text + size;
    const char *at = memmem(text, size, key, sizeof key - 1);
    uint64_t us = 0;
    if (at) {
        for (at += sizeof key - 1; at < end && *at >= '0' && *at <= '9'; at++) {
            us = us * 10 + (uint64_t)(*at - '0');
        }
    }
    return us * NS_PER_US;
}

static bool on_message(void *self, const char *text, size_t size, uint64_t *sent_ns)
{
    struct tally *t = self;
    *sent_ns = message_time_ns(text, size);
    /* "ts" is cut to whole microseconds: the first may seem to be of just before the run */
    if (!of_this_run(t, *sent_ns + NS_PER_US - 1)) {
        return false;
    }
    if (t->message_size == 0 && size <= sizeof t->message) {
        memcpy(t->message, text, size);
        t->message_size = size;
    }
    return true;
}

static void take_counts(struct tally *t, const websocket_load_t *load)
{
    const struct websocket_load_counts *counts = websocket_load_counts(load);
    t->measured = counts->measured;
    t->sum_ns = counts->sum_ns;
    t->last_ns = counts->last_ns;
}

/* Until `most` messages came, or after the end none does any more. */
static void watch_run(struct run *r, websocket_load_t *load, const edge_orders_t *orders,
                      uint64_t most)
{
    uint64_t heard_ns = clock_monotonic_ns();
    r->tally.orders = orders;
    for (;;) {
        bool came = websocket_load_poll(load, 20);
        uint64_t now_ns = clock_monotonic_ns();
        if (came || !edge_orders_done(orders)) {
            heard_ns = now_ns;
        }
        take_counts(&r->tally, load);
        if (r->tally.measured >= most || now_ns > heard_ns + QUIET_MS * NS_PER_MS) {
            return;
        }
    }
}

static bool load_good(const struct run *r, const websocket_load_t *load)
{
    const struct websocket_load_counts *counts = websocket_load_counts(load);
    return counts->errors == 0 || run_fail(r, counts->error);
}

static websocket_load_t *load_open(struct run *r, uint16_t port, const char *path,
                                   unsigned client_count)
{
    char error[WEBSOCKET_LOAD_ERROR_SIZE];
    const struct websocket_load_owner owner = {&r->tally, on_message, r->tally.latencies};
    websocket_load_t *load = websocket_load_open(port, path, client_count, &owner, error);
    if (!load) {
        run_fail(r, error);
    }
    return load;
}

/* least: messages that must come; most: that can. */
static bool websocket_run(struct run *r, const char *path, unsigned client_count, uint64_t least,
                          uint64_t most)
{
    websocket_load_t *load = load_open(r, edge_cluster_port(r->edge->cluster), path, client_count);
    if (!load) {
        return false;
    }
    edge_orders_t *orders =
        edge_orders_start(edge_cluster_settings(r->edge->cluster), r->rate, r->count);
    watch_run(r, load, orders, most);
    bool good = run_end(r, &orders, least) && load_good(r, load);
    websocket_load_close(&load);
    return good;
}

/* The same message to as many clients at the same rate, from the floor. */
static bool floor_run(struct run *r, const struct tally *ours, unsigned client_count)
{
    uint64_t expected = r->count * client_count;
    websocket_load_t *load =
        load_open(r, r->edge->floor_port, "/ws/quotes/" EDGE_CLUSTER_SYMBOL, client_count);
    if (!load) {
        return false;
    }
    r->tally.start_ns = clock_wall_ns();
    bool good = floor_server_broadcast(r->edge->floor, client_count, ours->message,
                                       ours->message_size, (uint32_t)r->rate, (uint32_t)r->count);
    uint64_t heard_ns = clock_monotonic_ns();
    while (good && r->tally.measured < expected &&
           clock_monotonic_ns() < heard_ns + PATIENCE_MS * NS_PER_MS) {
        if (websocket_load_poll(load, 20)) {
            heard_ns = clock_monotonic_ns();
        }
        take_counts(&r->tally, load);
    }
    good = good && floor_server_wait(r->edge->floor);
    websocket_load_close(&load);
    if (!good || r->tally.measured < expected) {
        return run_fail(r, "the floor did not send all its messages");
    }
    return true;
}

/* ---- cases ---- */

static const struct sink_case {
    const char *name;
    const char *topic; /* NULL: a WebSocket */
    const char *path;
    unsigned orders_each; /* orders that make one message */
    bool conflated;       /* some may be left out */
} sink_cases[] = {
    {WEBSOCKET_BBO_ZEROMQ, "bbo." EDGE_CLUSTER_SYMBOL, NULL, 1, false},
    {WEBSOCKET_TRADE_ZEROMQ, "trade." EDGE_CLUSTER_SYMBOL, NULL, 2, false},
    {WEBSOCKET_BBO, NULL, "/ws/quotes/" EDGE_CLUSTER_SYMBOL, 1, true},
    {WEBSOCKET_TRADE, NULL, "/ws/trades/" EDGE_CLUSTER_SYMBOL, 2, false},
};

static void sink_case_run(struct edge *e, const struct sink_case *c)
{
    static struct histogram latencies;
    struct sample_row row = edge_row("websocket", c->name, "us", SAMPLE_TIME);
    struct run r;
    memset(&latencies, 0, sizeof latencies);
    for (unsigned run = 0; run < e->run_count; run++) {
        edge_say("websocket", c->name, run, e->run_count);
        run_begin(&r, e, c->name, RATE, &latencies);
        uint64_t messages = r.count / c->orders_each;
        if (!(c->topic ? zeromq_run(&r, c->topic, messages)
                       : websocket_run(&r, c->path, 1, c->conflated ? 1 : messages, messages))) {
            return;
        }
        sample_add(&row.ours, mean_us(&r.tally));
    }
    row.rate = RATE;
    edge_row_percentiles(&row, &latencies);
    edge_row_done(e, &row);
}

/* Messages a second. The last change is due a period before the end of the flow. */
static double delivered(const struct run *r)
{
    uint64_t spent_ns = r->tally.last_ns - r->tally.start_ns;
    uint64_t flow_ns = r->count * NS_PER_SECOND / r->rate;
    return (double)r->tally.measured * (double)NS_PER_SECOND /
           (double)(spent_ns > flow_ns ? spent_ns : flow_ns);
}

static void broadcast_case_run(struct edge *e, const char *name, const char *latency_name,
                               unsigned client_count)
{
    static struct histogram latencies, floor_latencies;
    struct sample_row rates = edge_row("websocket", name, "/s", SAMPLE_RATE);
    struct sample_row means = edge_row("websocket", latency_name, "us", SAMPLE_TIME);
    struct run ours, floor_side;
    memset(&latencies, 0, sizeof latencies);
    for (unsigned run = 0; run < e->run_count; run++) {
        edge_say("websocket", name, run, e->run_count);
        run_begin(&ours, e, name, BROADCAST_RATE, &latencies);
        run_begin(&floor_side, e, name, BROADCAST_RATE, &floor_latencies);
        if (!websocket_run(&ours, "/ws/quotes/" EDGE_CLUSTER_SYMBOL, client_count, client_count,
                           ours.count * client_count) ||
            !floor_run(&floor_side, &ours.tally, client_count)) {
            return;
        }
        sample_add(&rates.ours, delivered(&ours));
        sample_add(&rates.floor, delivered(&floor_side));
        sample_add(&means.ours, mean_us(&ours.tally));
        sample_add(&means.floor, mean_us(&floor_side.tally));
    }
    rates.rate = means.rate = BROADCAST_RATE;
    edge_row_percentiles(&rates, &latencies);
    edge_row_percentiles(&means, &latencies);
    edge_row_done(e, &rates);
    edge_row_done(e, &means);
}

void websocket_bench_run(struct edge *e)
{
    for (size_t index = 0; index < sizeof sink_cases / sizeof sink_cases[0]; index++) {
        sink_case_run(e, &sink_cases[index]);
    }
    broadcast_case_run(e, WEBSOCKET_BROADCAST_100, WEBSOCKET_LATENCY_100, 100);
    broadcast_case_run(e, WEBSOCKET_BROADCAST_500, WEBSOCKET_LATENCY_500, 500);
}
