/* http_metrics: what the edge counts: a histogram of durations for each route and status, refusals
 * by error, connections, WebSockets, handshakes, and where an order's time goes.
 *
 * The series of a route and status, or of an error, is made when it first occurs. Thread: any. */
#ifndef OUTCRY_GATEWAY_HTTP_METRICS_H
#define OUTCRY_GATEWAY_HTTP_METRICS_H

#include "gateway/tls.h"
#include "gateway/websockets.h"
#include "node/metrics_table.h"

typedef struct http_metrics http_metrics_t;

/* KEEPS metrics, and route_names: labels; a request of no route counts as route_count - 1. */
http_metrics_t *http_metrics_new(metrics_t *metrics, const char *const *route_names,
                                 unsigned route_count);
void http_metrics_destroy(http_metrics_t **m);

/* A request was answered. code: why it was refused; 0: it was not. */
void http_metrics_add(http_metrics_t *m, unsigned route, unsigned status, enum reason code,
                      uint64_t duration_ns);

/* The way of a command that has its result, in Unix ns: its request's head was read; the step sent
 * it, and had its result; its answer was written. The step's two are the stamps of its batches, so
 * they are early by up to the length of a batch (outcry_node_step_seconds): that much of `edge` is
 * told as `matcher`, and of `matcher` as `answer`. No stage is below 0. */
struct http_order_times {
    uint64_t read_ns, sent_ns, result_ns, written_ns;
};
void http_metrics_order(http_metrics_t *m, const struct http_order_times *times);

/* A connection came; it went, and had asked so many things. */
void http_metrics_connected(http_metrics_t *m);
void http_metrics_disconnected(http_metrics_t *m, uint64_t requests);

/* Before they are written: what is counted elsewhere. tls: NULL if there is none. */
void http_metrics_refresh(http_metrics_t *m, const struct websocket_counts *sockets,
                          const struct tls_counts *tls);

#endif
