/* http_metrics: what the edge counts, for Prometheus: a histogram of durations for each route and
 * status, refusals by error, connections. Thread: any; all counters are atomic. */
#ifndef OUTCRY_GATEWAY_HTTP_METRICS_H
#define OUTCRY_GATEWAY_HTTP_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/websockets.h"

typedef struct http_metrics http_metrics_t;

/* route_names: labels, KEPT; a request of no route counts as route_count - 1. */
http_metrics_t *http_metrics_new(const char *const *route_names, unsigned route_count);
void http_metrics_destroy(http_metrics_t **m);

/* A request was answered. code: why it was refused; 0: it was not. */
void http_metrics_add(http_metrics_t *m, unsigned route, unsigned status, enum reason code,
                      uint64_t duration_ns);

/* A connection came; it went, and had asked so many things. */
void http_metrics_connected(http_metrics_t *m);
void http_metrics_disconnected(http_metrics_t *m, uint64_t requests);

/* Lines in Prometheus' text form, at most `size` bytes; how many bytes there are. */
size_t http_metrics_write(http_metrics_t *m, const struct websocket_counts *sockets, char *text,
                          size_t size);

#endif
