/* edge_orders: a steady flow of orders straight to the matcher, on a thread of its own, while the
 * caller's reads what comes of it. On a book of ten levels a side, in turn: a bid above all others,
 * and an order that takes it. So every command changes the best bid, and every second one is a
 * trade. The book is cleared at the end. */
#ifndef OUTCRY_BENCH_EDGE_ORDERS_H
#define OUTCRY_BENCH_EDGE_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cluster.h"

enum {
    EDGE_ORDERS_ERROR_SIZE = 512,
};

typedef struct edge_orders edge_orders_t;

/* Lay the book, then send `count` orders, `rate` a second.
 *
 * KEEPS cluster. */
edge_orders_t *edge_orders_start(const struct cluster *cluster, uint64_t rate, uint64_t count);

/* When the flow began, by the wall clock: what is stamped earlier is not of it. 0: not yet. */
uint64_t edge_orders_start_ns(const edge_orders_t *o);

/* Every order is sent and answered, or never will be: edge_orders_stop() says which. */
bool edge_orders_done(const edge_orders_t *o);

/* Wait for that, clear the book, end the thread. spent_ns: what the flow took.
 *
 * Errors: false  with error filled in: an order was refused or lost. */
bool edge_orders_stop(edge_orders_t **o, uint64_t *spent_ns, char error[EDGE_ORDERS_ERROR_SIZE]);

#endif
