/* response: what goes back on a connection: status line, headers and body, in one write. */
#ifndef OUTCRY_GATEWAY_RESPONSE_H
#define OUTCRY_GATEWAY_RESPONSE_H

#include "gateway/edge_parts.h"
#include "gateway/routes.h"
#include "gateway/trust.h"

/* One request and what is known of it so far. */
struct exchange {
    edge_t *edge;
    struct mg_connection *http;
    const struct mg_request_info *info;
    struct connection *connection;
    bool admin;
    bool outside_tls;  /* it should have come through TLS, and did not */
    uint64_t start_ns; /* monotonic */
    uint64_t received_ns;
    enum route_name route;
    struct text part;
    char request_id[REQUEST_ID_SIZE_MAX + 1];
    char client[TRUST_ADDRESS_SIZE];
    char allow[ROUTE_ALLOW_SIZE];
    const char *cors_origin; /* NULL: no CORS headers */
    struct rate_verdict rate;
    bool body_left; /* a body, or some of it, was not read */
    bool close;     /* the connection ends with this answer */
};

struct response {
    unsigned status;
    enum reason code; /* why it is not a success; 0: it is */
    const char *type; /* of the body */
    struct text body;
    struct text at;
    unsigned retry_after_s;
    uint64_t waited_ns; /* from command to result; 0: no command */
    uint64_t result_ns; /* Unix ns: when that came */
};

/* Each returns the status, for civetweb. Thread: the connection's. */
int response_send(struct exchange *x, const struct response *r);
int response_text(struct exchange *x, const char *type, const char *text, size_t size);
int response_problem(struct exchange *x, const struct problem *p);

/* A problem of a request that was handed over: by then (Unix ns) it is certain what became of it;
 * 0: a cancel, which is never too late. */
int response_unknown(struct exchange *x, const struct problem *p, uint64_t certain_by_ns);

/* A page of a listed origin asks beforehand. */
int response_preflight(struct exchange *x);

#endif
