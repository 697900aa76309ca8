/* edge: the gateway's HTTP server, on civetweb: one context for everybody (REST and WebSocket), one
 * for probes and metrics, on threads and a port of their own. With tls_certificate set, everybody
 * comes through TLS (tls.h); probes and metrics stay plain. Each request is an exchange
 * (exchange.c); connections are counted against their budget here, and those whose requests do not
 * come in time are cut.
 *
 * Threads: civetweb's, one a connection, and one that looks after slow connections. */
#ifndef OUTCRY_GATEWAY_EDGE_H
#define OUTCRY_GATEWAY_EDGE_H

#include "bus/mailbox.h"
#include "gateway/calls.h"
#include "gateway/websockets.h"
#include "node/cluster.h"
#include "node/metrics_table.h"

typedef struct edge edge_t;

enum { EDGE_ERROR_SIZE = 384 };

struct edge_options {
    const struct cluster *cluster; /* KEPT */
    mailbox_t *desk;               /* KEPT: where asks go */
    uint64_t hash_seed;            /* unpredictable, and told to nobody */
    uint64_t request_base;         /* unpredictable: request ids of our own begin with it */
    metrics_t *metrics;            /* KEPT: of metric_families; all there is, the step's too */
};

/* Whether the settings let the gateway listen where it is to; false with error in words. */
bool edge_may_listen(const struct cluster *c, char error[EDGE_ERROR_SIZE]);

edge_t *edge_new(const struct edge_options *options);

/* Begin to serve. False with error in words if a port cannot be had. */
bool edge_open(edge_t *e, char error[EDGE_ERROR_SIZE]);

/* No new requests: 503 DRAINING from now on; WebSockets are closed with 1001. Returns when what was
 * under way has its answer, or has had its time. */
void edge_drain(edge_t *e);

/* Stop serving: waits for what is under way, which the step must still answer. */
void edge_close(edge_t *e);
void edge_destroy(edge_t **e);

/* What the step says.   Thread: the step's. */
void edge_answer(void *edge, const uint8_t *message, size_t size);
void edge_stream(void *edge, const uint8_t *message, size_t size);

#endif
