/* requests: from what an HTTP request says to what is asked of the step: paths, queries and JSON
 * bodies read, checked and turned into units. Pure; what is wrong comes back as the problem to
 * answer. Shape first (422), then what this release cannot do (400 NOT_SUPPORTED), then the symbol
 * (404), then its units (400); what only the matcher can judge (zero, negative, combinations) is
 * its to refuse. */
#ifndef OUTCRY_GATEWAY_REQUESTS_H
#define OUTCRY_GATEWAY_REQUESTS_H

#include "gateway/desk.h"
#include "gateway/json_reader.h"
#include "gateway/query.h"
#include "node/cluster.h"

enum { LIST_LIMIT_DEFAULT = 100, LIST_LIMIT_MAX = 1000, BOOK_DEPTH_DEFAULT = 10 };

/* What was received. */
struct http_request {
    const struct cluster *cluster;
    struct text path_part; /* {id} or {symbol}, decoded; empty where the path has none */
    const struct query *query;
    const struct json_reader *body; /* an object; NULL: there is none */
};

/* Each fills in an ask whose call, request_id and received_ns are set, or the problem (false). */
bool request_place(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_amend(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_cancel(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_mass_cancel(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_order(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_orders(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_book(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_trades(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_stats(const struct http_request *r, struct ask *ask, struct problem *p);
bool request_nothing(const struct http_request *r, struct ask *ask, struct problem *p);

/* A price or quantity, well-formed already, in the symbol's units; false with the problem. */
bool request_price(const struct cluster_symbol *symbol, const char *text, int64_t *ticks,
                   struct problem *p);
bool request_qty(const struct cluster_symbol *symbol, const char *name, const char *text,
                 int64_t *lots, struct problem *p);

#endif
