#include "gateway/http_metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/memory.h"
#include "proto/catalog.h"

/* Upper ends of the buckets, in us: from what an order takes on one machine to past every wait. */
static const uint64_t bucket_us[] = {100,   250,   500,    1000,   2500,    5000,    10000,
                                     25000, 50000, 100000, 250000, 1000000, 2500000, 10000000};
static const unsigned statuses[] = {200, 201, 202, 204, 400, 403, 404, 405, 408, 409,
                                    410, 413, 415, 421, 422, 426, 429, 500, 503, 504};

enum {
    BUCKET_COUNT = sizeof bucket_us / sizeof bucket_us[0],
    STATUS_COUNT = sizeof statuses / sizeof statuses[0],
    ERROR_MAX = 6000, /* reject codes are below */
};

struct durations {
    atomic_uint_least64_t buckets[BUCKET_COUNT + 1];
    atomic_uint_least64_t count;
    atomic_uint_least64_t sum_ns;
};

struct http_metrics {
    const char *const *route_names;
    unsigned route_count;
    struct durations *durations; /* route x (STATUS_COUNT + 1): the last is any other status */
    atomic_uint_least64_t errors[ERROR_MAX];
    atomic_uint_least64_t connected, disconnected, silent;
};

http_metrics_t *http_metrics_new(const char *const *route_names, unsigned route_count)
{
    http_metrics_t *m = memory_new(1, sizeof *m, "metrics");
    m->route_names = route_names;
    m->route_count = route_count;
    m->durations =
        memory_new((size_t)route_count * (STATUS_COUNT + 1), sizeof *m->durations, "metrics");
    return m;
}

void http_metrics_destroy(http_metrics_t **metrics)
{
    http_metrics_t *m = *metrics;
    if (m == NULL)
        return;
    memory_free(m->durations, (size_t)m->route_count * (STATUS_COUNT + 1), sizeof *m->durations);
    memory_free(m, 1, sizeof *m);
    *metrics = NULL;
}

static void count(atomic_uint_least64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static uint64_t look(atomic_uint_least64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void http_metrics_add(http_metrics_t *m, unsigned route, unsigned status, enum reason code,
                      uint64_t duration_ns)
{
    unsigned s = 0, b = 0;
    while (s < STATUS_COUNT && statuses[s] != status)
        s++;
    while (b < BUCKET_COUNT && duration_ns > bucket_us[b] * 1000)
        b++;
    struct durations *d = &m->durations[route * (STATUS_COUNT + 1) + s];
    count(&d->buckets[b], 1);
    count(&d->count, 1);
    count(&d->sum_ns, duration_ns);
    if (code != 0 && (unsigned)code < ERROR_MAX)
        count(&m->errors[code], 1);
}

void http_metrics_connected(http_metrics_t *m)
{
    count(&m->connected, 1);
}

void http_metrics_disconnected(http_metrics_t *m, uint64_t requests)
{
    count(&m->disconnected, 1);
    if (requests == 0)
        count(&m->silent, 1);
}

/* ---- text ---- */

struct lines {
    char *at, *end;
};

__attribute__((format(printf, 2, 3))) static void put(struct lines *l, const char *form, ...)
{
    va_list arguments;
    va_start(arguments, form);
    int size = vsnprintf(l->at, (size_t)(l->end - l->at), form, arguments);
    va_end(arguments);
    if (size > 0 && size < l->end - l->at)
        l->at += size;
}

static void put_durations(struct lines *l, const char *route, const char *status,
                          struct durations *d)
{
    uint64_t below = 0;
    for (unsigned b = 0; b < BUCKET_COUNT; b++) {
        below += look(&d->buckets[b]);
        put(l,
            "outcry_http_request_duration_seconds_bucket{route=\"%s\",status=\"%s\",le=\"%g\"} "
            "%" PRIu64 "\n",
            route, status, (double)bucket_us[b] / 1e6, below);
    }
    below += look(&d->buckets[BUCKET_COUNT]);
    put(l,
        "outcry_http_request_duration_seconds_bucket{route=\"%s\",status=\"%s\",le=\"+Inf\"} "
        "%" PRIu64 "\n",
        route, status, below);
    uint64_t sum_ns = look(&d->sum_ns);
    put(l,
        "outcry_http_request_duration_seconds_sum{route=\"%s\",status=\"%s\"} %" PRIu64
        ".%09" PRIu64 "\n",
        route, status, sum_ns / 1000000000, sum_ns % 1000000000);
    put(l, "outcry_http_request_duration_seconds_count{route=\"%s\",status=\"%s\"} %" PRIu64 "\n",
        route, status, below);
}

static void put_routes(struct lines *l, http_metrics_t *m)
{
    put(l, "# HELP outcry_http_request_duration_seconds time to answer a request\n"
           "# TYPE outcry_http_request_duration_seconds histogram\n");
    for (unsigned r = 0; r < m->route_count; r++) {
        for (unsigned s = 0; s <= STATUS_COUNT; s++) {
            char status[16] = "other";
            struct durations *d = &m->durations[r * (STATUS_COUNT + 1) + s];
            if (s < STATUS_COUNT)
                snprintf(status, sizeof status, "%u", statuses[s]);
            if (look(&d->count) > 0)
                put_durations(l, m->route_names[r], status, d);
        }
    }
}

static void put_errors(struct lines *l, http_metrics_t *m)
{
    uint32_t rejects;
    const struct catalog_reject *table = catalog_rejects(&rejects);
    put(l, "# HELP outcry_http_refused_total requests refused, by error\n"
           "# TYPE outcry_http_refused_total counter\n");
    for (uint32_t i = 0; i < rejects; i++) {
        uint64_t errors = look(&m->errors[table[i].code]);
        if (errors > 0)
            put(l, "outcry_http_refused_total{error=\"%s\"} %" PRIu64 "\n", table[i].name, errors);
    }
}

static void put_one(struct lines *l, const char *name, const char *type, const char *help,
                    uint64_t value)
{
    put(l, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, type, name, value);
}

static void put_sockets(struct lines *l, const struct websocket_counts *c)
{
    put_one(l, "outcry_websockets_open", "gauge", "WebSockets now", c->open);
    put_one(l, "outcry_websockets_opened_total", "counter", "WebSockets ever", c->opened);
    put_one(l, "outcry_websockets_refused_total", "counter", "upgrades refused", c->refused);
    put_one(l, "outcry_websockets_slow_total", "counter", "closed with 4008", c->slow);
    put_one(l, "outcry_websockets_silent_total", "counter", "closed for want of a pong", c->silent);
    put_one(l, "outcry_websockets_bad_total", "counter", "closed for what they sent", c->bad);
    put_one(l, "outcry_websocket_messages_total", "counter", "messages written", c->messages);
    put_one(l, "outcry_websocket_bytes_total", "counter", "bytes written", c->bytes);
    put_one(l, "outcry_websocket_conflated_total", "counter",
            "messages a newer one took the place of", c->conflated);
}

size_t http_metrics_write(http_metrics_t *m, const struct websocket_counts *sockets, char *text,
                          size_t size)
{
    struct lines l = {text, text + size};
    uint64_t gone = look(&m->disconnected);
    put_routes(&l, m);
    put_errors(&l, m);
    uint64_t came = look(&m->connected);
    put_one(&l, "outcry_http_connections_total", "counter", "connections ever", came);
    put_one(&l, "outcry_http_connections", "gauge", "connections now, WebSockets included",
            came - gone);
    put_one(&l, "outcry_http_connections_silent_total", "counter",
            "connections that ended without a request", look(&m->silent));
    put_sockets(&l, sockets);
    return (size_t)(l.at - text);
}
