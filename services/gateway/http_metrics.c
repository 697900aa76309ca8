#include "gateway/http_metrics.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/memory.h"
#include "node/counts.h"
#include "proto/catalog.h"

static const unsigned statuses[] = {200, 201, 202, 204, 400, 403, 404, 405, 408, 409,
                                    410, 413, 415, 421, 422, 426, 429, 500, 503, 504};

enum {
    STATUS_COUNT = sizeof statuses / sizeof statuses[0],
    ERROR_MAX = 6000, /* reject codes are below */
};

/* NULL until it occurs. Two who make it at once get the same of the registry. */
typedef _Atomic(metric_t *) lazy_metric_t;

struct http_metrics {
    metrics_t *metrics;
    const char *const *route_names;
    unsigned route_count;
    lazy_metric_t *durations; /* route x (STATUS_COUNT + 1): the last is any other status */
    lazy_metric_t *errors;    /* by code */
    metric_t *edge, *matcher, *answer;
    metric_t *connections, *connected, *silent;
    atomic_uint_least64_t came, went;
    struct counts sockets;
};

static const struct counts_row socket_rows[] = {
    {FAMILY_WEBSOCKETS, offsetof(struct websocket_counts, open)},
    {FAMILY_WEBSOCKETS_OPENED, offsetof(struct websocket_counts, opened)},
    {FAMILY_WEBSOCKETS_REFUSED, offsetof(struct websocket_counts, refused)},
    {FAMILY_WEBSOCKETS_SLOW, offsetof(struct websocket_counts, slow)},
    {FAMILY_WEBSOCKETS_SILENT, offsetof(struct websocket_counts, silent)},
    {FAMILY_WEBSOCKETS_BAD, offsetof(struct websocket_counts, bad)},
    {FAMILY_WEBSOCKET_MESSAGES, offsetof(struct websocket_counts, messages)},
    {FAMILY_WEBSOCKET_BYTES, offsetof(struct websocket_counts, bytes)},
    {FAMILY_WEBSOCKET_CONFLATED, offsetof(struct websocket_counts, conflated)},
    {FAMILY_WEBSOCKET_WAITING, offsetof(struct websocket_counts, waiting)},
};

http_metrics_t *http_metrics_new(metrics_t *metrics, const char *const *route_names,
                                 unsigned route_count)
{
    http_metrics_t *m = memory_new(1, sizeof *m, "metrics");
    m->metrics = metrics;
    m->route_names = route_names;
    m->route_count = route_count;
    m->durations =
        memory_new((size_t)route_count * (STATUS_COUNT + 1), sizeof *m->durations, "metrics");
    m->errors = memory_new(ERROR_MAX, sizeof *m->errors, "metrics");
    m->edge = metrics_series(metrics, FAMILY_ORDER_STAGE, "edge");
    m->matcher = metrics_series(metrics, FAMILY_ORDER_STAGE, "matcher");
    m->answer = metrics_series(metrics, FAMILY_ORDER_STAGE, "answer");
    m->connections = metrics_series(metrics, FAMILY_HTTP_CONNECTIONS);
    m->connected = metrics_series(metrics, FAMILY_HTTP_CONNECTED);
    m->silent = metrics_series(metrics, FAMILY_HTTP_SILENT);
    counts_init(&m->sockets, metrics, socket_rows, sizeof socket_rows / sizeof socket_rows[0], NULL,
                NULL);
    return m;
}

void http_metrics_destroy(http_metrics_t **metrics)
{
    http_metrics_t *m = *metrics;
    if (m == NULL)
        return;
    memory_free(m->durations, (size_t)m->route_count * (STATUS_COUNT + 1), sizeof *m->durations);
    memory_free(m->errors, ERROR_MAX, sizeof *m->errors);
    memory_free(m, 1, sizeof *m);
    *metrics = NULL;
}

static metric_t *duration_of(http_metrics_t *m, unsigned route, unsigned status)
{
    unsigned s = 0;
    char label[16] = "other";
    while (s < STATUS_COUNT && statuses[s] != status)
        s++;
    lazy_metric_t *place = &m->durations[route * (STATUS_COUNT + 1) + s];
    metric_t *series = atomic_load(place);
    if (series != NULL)
        return series;
    if (s < STATUS_COUNT)
        snprintf(label, sizeof label, "%u", status);
    series = metrics_series(m->metrics, FAMILY_HTTP_DURATION, m->route_names[route], label);
    atomic_store(place, series);
    return series;
}

static metric_t *refused_of(http_metrics_t *m, enum reason code)
{
    metric_t *series = atomic_load(&m->errors[code]);
    if (series != NULL)
        return series;
    const char *name = catalog_reason_name(code);
    series = metrics_series(m->metrics, FAMILY_HTTP_REFUSED, name == NULL ? "other" : name);
    atomic_store(&m->errors[code], series);
    return series;
}

void http_metrics_add(http_metrics_t *m, unsigned route, unsigned status, enum reason code,
                      uint64_t duration_ns)
{
    metric_observe(duration_of(m, route, status), duration_ns);
    if (code != 0 && (unsigned)code < ERROR_MAX)
        metric_add(refused_of(m, code), 1);
}

static uint64_t span(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? to_ns - from_ns : 0;
}

void http_metrics_order(http_metrics_t *m, const struct http_order_times *times)
{
    metric_observe(m->edge, span(times->read_ns, times->sent_ns));
    metric_observe(m->matcher, span(times->sent_ns, times->result_ns));
    metric_observe(m->answer, span(times->result_ns, times->written_ns));
}

void http_metrics_connected(http_metrics_t *m)
{
    atomic_fetch_add(&m->came, 1);
}

void http_metrics_disconnected(http_metrics_t *m, uint64_t requests)
{
    atomic_fetch_add(&m->went, 1);
    if (requests == 0)
        metric_add(m->silent, 1);
}

static void refresh_tls(http_metrics_t *m, const struct tls_counts *tls)
{
    metric_set(metrics_series(m->metrics, FAMILY_TLS_REFUSED), tls->refused);
    metric_set(metrics_series(m->metrics, FAMILY_TLS_EXPIRY), tls->not_after_ns);
}

void http_metrics_refresh(http_metrics_t *m, const struct websocket_counts *sockets,
                          const struct tls_counts *tls)
{
    uint64_t went = atomic_load(&m->went), came = atomic_load(&m->came); /* in this order: >= 0 */
    metric_set(m->connected, came);
    metric_set(m->connections, came - went);
    counts_set(&m->sockets, sockets);
    if (tls != NULL)
        refresh_tls(m, tls);
}
