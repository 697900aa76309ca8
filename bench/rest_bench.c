/* Orders are bids, each a tick below the one before: they rest, never trade, and change no best
 * price but the first. Between runs all are cancelled, so that every run begins with an empty book.
 * The order book is read with ten levels on each side. */
#include "rest_bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "http_load.h"

enum {
    TOP_PRICE = 1000000, /* ticks */
    PRICES = 900000,     /* then it begins anew */
    LEVELS = 10,
    CANCEL_REPEATS = 100,
};

static const struct rest_case {
    const char *name;
    const char *unit;
    enum sample_kind kind; /* SAMPLE_TIME: the mean latency in us; SAMPLE_RATE: answers a second */
    unsigned connection_count;
    uint64_t rate;
    uint64_t count;
    uint64_t count_quick;
    bool book; /* read the book, rather than place orders */
} cases[] = {
    {REST_ORDER_1, "us", SAMPLE_TIME, 1, 0, 5000, 500, false},
    {REST_ORDERS_64, "/s", SAMPLE_RATE, 64, 0, 100000, 10000, false},
    {REST_ORDERS_1K, "us", SAMPLE_TIME, 16, 1000, 5000, 1000, false},
    {REST_ORDERS_10K, "/s", SAMPLE_RATE, 64, 10000, 100000, 20000, false},
    {REST_BOOK_1, "us", SAMPLE_TIME, 1, 0, 5000, 500, true},
};

/* ---- requests ---- */

static size_t post(struct edge *e, char *bytes, size_t size, const char *side, int64_t price)
{
    char body[256];
    int body_size =
        snprintf(body, sizeof body,
                 "{\"symbol\":\"" EDGE_CLUSTER_SYMBOL "\",\"side\":\"%s\",\"type\":\"limit\","
                 "\"quantity\":\"0.5\",\"price\":\"%" PRId64 ".%02d\","
                 "\"client_order_id\":\"bench-%" PRIu64 "\"}",
                 side, price / 100, (int)(price % 100), e->orders_made++);
    int written = snprintf(bytes, size,
                           "POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                           "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                           edge_cluster_port(e->cluster), body_size, body);
    CHECK(written > 0 && (size_t)written < size);
    return (size_t)written;
}

static size_t write_order(void *self, uint64_t index, char *bytes, size_t size)
{
    return post(self, bytes, size, "buy", TOP_PRICE - (int64_t)(index % PRICES));
}

static size_t write_read(void *self, uint64_t index, char *bytes, size_t size)
{
    const struct edge *e = self;
    (void)index;
    int written = snprintf(bytes, size,
                           "GET /api/v1/orderbook/" EDGE_CLUSTER_SYMBOL " HTTP/1.1\r\n"
                           "Host: 127.0.0.1:%u\r\n\r\n",
                           edge_cluster_port(e->cluster));
    CHECK(written > 0 && (size_t)written < size);
    return (size_t)written;
}

/* One request outside all figures; its answer stays in `bytes`. */
static bool ask(struct edge *e, const char *request, unsigned status, struct http_answer *answer,
                char bytes[HTTP_ANSWER_SIZE_MAX + 1])
{
    char words[256];
    bool good = http_load_once(edge_cluster_port(e->cluster), request, answer, bytes);
    if (good && answer->status == status) {
        return true;
    }
    snprintf(words, sizeof words, "answered \"%.200s\"", bytes);
    edge_fail(e, request, words);
    return false;
}

static bool lay_book(struct edge *e)
{
    static char bytes[HTTP_ANSWER_SIZE_MAX + 1];
    char request[HTTP_LOAD_REQUEST_MAX];
    struct http_answer answer;
    bool good = true;
    for (int64_t level = 1; good && level <= LEVELS; level++) {
        post(e, request, sizeof request, "buy", TOP_PRICE - level);
        good = ask(e, request, 201, &answer, bytes);
        post(e, request, sizeof request, "sell", TOP_PRICE + level);
        good = good && ask(e, request, 201, &answer, bytes);
    }
    return good;
}

/* 202 is a mass cancel that had not come to its end in time; asked again, it does. */
static bool clear_book(struct edge *e)
{
    static char bytes[HTTP_ANSWER_SIZE_MAX + 1];
    char request[HTTP_LOAD_REQUEST_MAX];
    uint16_t port = edge_cluster_port(e->cluster);
    struct http_answer answer;
    snprintf(request, sizeof request,
             "DELETE /api/v1/orders?symbol=" EDGE_CLUSTER_SYMBOL " HTTP/1.1\r\n"
             "Host: 127.0.0.1:%u\r\n\r\n",
             port);
    for (unsigned repeat = 0; repeat < CANCEL_REPEATS; repeat++) {
        bool whole = http_load_once(port, request, &answer, bytes);
        if (!whole || answer.status != 202) {
            break;
        }
    }
    return ask(e, request, 200, &answer, bytes);
}

bool rest_bench_floor(struct edge *e)
{
    static char order[HTTP_ANSWER_SIZE_MAX + 1], book[HTTP_ANSWER_SIZE_MAX + 1];
    const struct settings *s = &edge_cluster_settings(e->cluster)->settings;
    char request[HTTP_LOAD_REQUEST_MAX];
    struct http_answer order_answer, book_answer;
    if (!lay_book(e)) {
        return false;
    }
    post(e, request, sizeof request, "buy", TOP_PRICE - LEVELS - 1);
    if (!ask(e, request, 201, &order_answer, order)) {
        return false;
    }
    write_read(e, 0, request, sizeof request);
    if (!ask(e, request, 200, &book_answer, book) || !clear_book(e)) {
        return false;
    }
    const struct floor_answer answers[] = {
        {order, order_answer.head_size + order_answer.body_size},
        {book, book_answer.head_size + book_answer.body_size},
    };
    unsigned thread_count = (unsigned)(s->rest_connections_max + s->websockets_max);
    if (!floor_server_start(e->floor, thread_count, &answers[0], &answers[1], &e->floor_port)) {
        edge_fail(e, "floor", "civetweb does not start");
        return false;
    }
    return true;
}

/* ---- cases ---- */

/* One run against one server; false if anything failed. */
static bool load(struct edge *e, const struct rest_case *c, uint16_t port, struct sample *sample,
                 struct histogram *latencies, double *rate)
{
    struct http_load_result result;
    const struct http_load load = {
        .port = port,
        .connection_count = c->connection_count,
        .request_count = e->quick ? c->count_quick : c->count,
        .rate = c->rate,
        .status = c->book ? 200 : 201,
        .self = e,
        .request = c->book ? write_read : write_order,
        .latencies = latencies,
    };
    if (!http_load_run(&load, &result)) {
        char words[HTTP_LOAD_ERROR_SIZE + 64];
        snprintf(words, sizeof words, "%" PRIu64 " of %" PRIu64 " requests failed: %s",
                 result.errors, load.request_count, result.error);
        edge_fail(e, c->name, words);
        return false;
    }
    *rate = (double)result.answered * (double)NS_PER_SECOND / (double)result.spent_ns;
    double mean_us = (double)result.sum_ns / (double)result.answered / (double)NS_PER_US;
    sample_add(sample, c->kind == SAMPLE_RATE ? *rate : mean_us);
    return true;
}

static bool case_run(struct edge *e, const struct rest_case *c, struct sample_row *row)
{
    static struct histogram ours, floor_latencies;
    struct sample rates = {.run_count = 0};
    bool good = true;
    memset(&ours, 0, sizeof ours);
    for (unsigned run = 0; good && run < e->run_count; run++) {
        double rate = 0, floor_rate;
        edge_say("rest", c->name, run, e->run_count);
        good = load(e, c, e->floor_port, &row->floor, &floor_latencies, &floor_rate) &&
               (!c->book || lay_book(e)) &&
               load(e, c, edge_cluster_port(e->cluster), &row->ours, &ours, &rate);
        sample_add(&rates, rate);
        good = clear_book(e) && good;
    }
    row->rate = sample_median(&rates);
    edge_row_percentiles(row, &ours);
    return good;
}

void rest_bench_run(struct edge *e)
{
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        const struct rest_case *c = &cases[index];
        struct sample_row row = edge_row("rest", c->name, c->unit, c->kind);
        if (case_run(e, c, &row)) {
            edge_row_done(e, &row);
        }
    }
}
