/* routes: every path there is, one line each: what is served, what its metrics are called, how its
 * request is read, and which limit it counts against.
 *
 *     R(NAME, "METHOD", "path", class, read, has_body)
 *
 * A path that ends with a slash takes one more part, {id} or {symbol}. class: enum rate_class, or
 * RATE_CLASS_COUNT where nothing is limited (probes). read: a function of requests.h. */
#ifndef OUTCRY_GATEWAY_ROUTES_H
#define OUTCRY_GATEWAY_ROUTES_H

#include "gateway/rate_limit.h"
#include "gateway/requests.h"

#define ROUTES_TABLE(R)                                                                            \
    R(PLACE, "POST", "/api/v1/orders", RATE_ORDERS, request_place, true)                           \
    R(LIST, "GET", "/api/v1/orders", RATE_READS, request_orders, false)                            \
    R(MASS_CANCEL, "DELETE", "/api/v1/orders", RATE_CANCELS, request_mass_cancel, false)           \
    R(ORDER, "GET", "/api/v1/orders/", RATE_READS, request_order, false)                           \
    R(CANCEL, "DELETE", "/api/v1/orders/", RATE_CANCELS, request_cancel, false)                    \
    R(AMEND, "PATCH", "/api/v1/orders/", RATE_ORDERS, request_amend, true)                         \
    R(BOOK, "GET", "/api/v1/orderbook/", RATE_READS, request_book, false)                          \
    R(TRADES, "GET", "/api/v1/trades/", RATE_READS, request_trades, false)                         \
    R(SYMBOLS, "GET", "/api/v1/symbols", RATE_READS, request_nothing, false)                       \
    R(TIME, "GET", "/api/v1/time", RATE_READS, request_nothing, false)                             \
    R(STATS, "GET", "/stats/", RATE_READS, request_stats, false)                                   \
    R(HEALTH, "GET", "/health", RATE_CLASS_COUNT, request_nothing, false)                          \
    R(LIVE, "GET", "/livez", RATE_CLASS_COUNT, request_nothing, false)                             \
    R(READY, "GET", "/readyz", RATE_CLASS_COUNT, request_nothing, false)                           \
    R(STARTED, "GET", "/startupz", RATE_CLASS_COUNT, request_nothing, false)                       \
    R(METRICS, "GET", "/metrics", RATE_CLASS_COUNT, request_nothing, false)                        \
    R(OPENAPI, "GET", "/openapi.json", RATE_READS, request_nothing, false)                         \
    R(SOCKET, "GET", "/ws/", RATE_READS, request_nothing, false)

#define ROUTE_ENUMERATOR(NAME, method, path, class, read, body) ROUTE_##NAME,
enum route_name {
    ROUTES_TABLE(ROUTE_ENUMERATOR) ROUTE_NONE, /* a path or method there is not */
    ROUTE_COUNT,
};

struct route {
    const char *method;
    const char *path;
    const char *label; /* of metrics: method and path */
    enum rate_class class;
    bool (*read)(const struct http_request *r, struct ask *ask, struct problem *p);
    bool has_body;
};

/* The route of a path (decoded by nobody yet) and method, HEAD being GET's; *part is what stands
 * behind its slash. ROUTE_NONE with the problem: UNKNOWN_PATH, or METHOD_NOT_ALLOWED with the
 * methods there are in `allow`. */
enum { ROUTE_ALLOW_SIZE = 64 };
enum route_name route_find(const char *method, const char *path, struct text *part,
                           char allow[ROUTE_ALLOW_SIZE], struct problem *p);

const struct route *route_of(enum route_name name);

/* By number, for metrics. */
const char *const *route_labels(void);

#endif
