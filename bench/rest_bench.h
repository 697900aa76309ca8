/* rest_bench: orders and books over REST, beside civetweb's floor with the same answers. */
#ifndef OUTCRY_BENCH_REST_BENCH_H
#define OUTCRY_BENCH_REST_BENCH_H

#include "edge.h"

/* The names of the cases, as their rows have them. */
#define REST_ORDER_1    "order to answer, 1 connection"
#define REST_ORDERS_64  "orders, 64 connections"
#define REST_ORDERS_1K  "orders at 1,000 a second"
#define REST_ORDERS_10K "orders at 10,000 a second"
#define REST_BOOK_1     "order book, 1 connection"

/* Place one order and read one book, for the floor to answer as the gateway does, and start it.
 *
 * Errors: false  told on stderr. */
bool rest_bench_floor(struct edge *e);

/* Measure all cases. A failed request ends its case and marks e->failed. */
void rest_bench_run(struct edge *e);

#endif
