/* edge_parts: the edge's state, and what its files need of each other. Private to them. */
#ifndef OUTCRY_GATEWAY_EDGE_PARTS_H
#define OUTCRY_GATEWAY_EDGE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/edge.h"
#include "gateway/http_metrics.h"
#include "gateway/rate_limit.h"
#include "gateway/tls.h"
#include "node/admin_file.h"

enum {
    BODY_SIZE_MAX = 64 << 10, /* of a request */
    THREADS_SPARE = 16,       /* that tell those beyond the budget so */
    ADMIN_THREADS = 8,
    ADDRESS_SIZE = SETTING_TEXT_SIZE + 8,
    EXCHANGE_GRACE_MS = 3000, /* past the step's own patience: then the step is stuck */
};

/* One connection, as long as it lasts. */
struct connection {
    struct connection *next, *previous;
    struct mg_connection *http;
    uint64_t requests;
    atomic_uint_least64_t reading_ns; /* since when a body is being read; monotonic, 0: none is */
};

/* What a civetweb context knows of us. */
struct listener {
    struct edge *edge;
    bool admin; /* probes and metrics only, from anywhere, under any name */
};

struct edge {
    struct edge_options options;
    struct listener everybody, operators;
    const struct settings *settings;
    struct mg_context *context;
    struct mg_context *admin;
    char address[ADDRESS_SIZE], admin_address[ADDRESS_SIZE]; /* where these two listen */
    tls_t *tls; /* what everybody comes through; NULL: nothing */
    calls_t *calls;
    rate_limit_t *limits;
    http_metrics_t *metrics;
    websockets_t *websockets;
    atomic_bool draining;
    atomic_uint under_way; /* exchanges without their answer */
    atomic_uint_least64_t request_count;
    pthread_mutex_t mutex; /* of the list of connections */
    struct connection *connections;
    unsigned connection_count;
    pthread_t keeper;
    bool keeping;
    char admin_file[ADMIN_FILE_SIZE]; /* where the admin port is told; empty: nowhere yet */
    atomic_bool stop_keeping;
};

/* ---- exchange.c ---- */

/* civetweb's begin_request: the status of the answer, or 0 for an upgrade that may go on. */
int exchange_begin(struct mg_connection *http);

/* What civetweb itself refuses (a request line or header it cannot read): our form of it. */
int exchange_http_error(struct mg_connection *http, int status, const char *message);

/* Answer a refused upgrade: websockets_options.refuse. */
void exchange_refuse_upgrade(struct mg_connection *http, const struct problem *p);

#endif
