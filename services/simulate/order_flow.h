/* order_flow: the orders of many people, one after the other, deterministic for a seed: what
 * `outcry simulate` sends to a cluster or writes to a file, and what tests and benches trade
 * against.
 *
 * Each symbol has a market of its own: a reference price that wanders (a discretised
 * Ornstein-Uhlenbeck around a random walk), informed traders who take towards it, noise traders who
 * take either side, and makers of liquidity who place, move and cancel. How often, how far from the
 * best price, how large, and for how long are drawn from the shapes of two real days; the
 * parameters and what they were fitted on are in flow_shapes.h. Arrivals: Poisson, or Hawkes
 * (self-exciting, exponential kernels: Hawkes 1971; simulated by thinning: Ogata 1981), of each
 * market by itself; all markets get the same share of the rate.
 *
 *     order_flow.c ── flow_market.c ── flow_orders.c     who does what next; who is to cancel when
 *        engine        flow_arrivals.c flow_random.c     when; drawn how
 *
 * It keeps books of its own, and keeps them with the real engine, so they are exactly what a
 * cluster's are where nobody else trades. A file needs no cluster, and the same seed gives the same
 * commands whatever a cluster does, on any machine.
 *
 * No clock: time is its own, from the start it is given. Doubles shape it; what comes out is ticks
 * and lots. Thread: one. */
#ifndef OUTCRY_SIMULATE_ORDER_FLOW_H
#define OUTCRY_SIMULATE_ORDER_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/command.h"

enum {
    ORDER_FLOW_SYMBOLS_MAX = 1024,
    ORDER_FLOW_ACCOUNTS = 16,   /* sim-0 .. sim-15 */
    ORDER_FLOW_TAKERS = 4,      /* the last of them; an order never meets one of its own account */
    ORDER_FLOW_OPENING = 16,    /* orders that make the book of a symbol, before anything else */
    ORDER_FLOW_OPEN_MAX = 1024, /* orders a symbol has open; at that, who would place cancels */
    ORDER_FLOW_RATE_MAX = 10000000,
    ORDER_FLOW_SESSION_SIZE_MAX = 12,
    ORDER_FLOW_SPREAD_MAX = 1000000,
    ORDER_FLOW_SIZE_MAX = 1000000000,
};
#define ORDER_FLOW_PRICE_MAX INT64_C(1000000000000)

enum order_flow_arrivals { ORDER_FLOW_POISSON, ORDER_FLOW_HAWKES };

/* Shares of what happens, in percent; they add up to 100. What came must go: between them limit and
 * cancel have the share that both ask for, but each the part at which orders do not pile up. An
 * amend, cancel or aggressor that finds nothing to act on is a limit order instead. */
struct order_flow_mix {
    double limit, cancel, amend, market, ioc;
};

struct order_flow_symbol {
    const char *name; /* KEPT */
    bool any_price;
    int64_t base_price; /* ticks, 1..ORDER_FLOW_PRICE_MAX; with any_price also the same below 0 */
    int64_t spread;     /* ticks, typical; 1..ORDER_FLOW_SPREAD_MAX */
    int64_t size;       /* lots, median of an order; 1..ORDER_FLOW_SIZE_MAX */
};

struct order_flow_options {
    const struct order_flow_symbol *symbols; /* copied */
    unsigned symbol_count;                   /* 1..ORDER_FLOW_SYMBOLS_MAX */
    uint64_t seed;
    double rate; /* commands a second, all symbols together, on average; to ORDER_FLOW_RATE_MAX */
    enum order_flow_arrivals arrivals;
    struct order_flow_mix mix;
    double informed; /* share of takers who know the reference price, 0..1 */
    uint64_t start_ns;
    const char *session; /* what its client order ids begin with, before a number; KEPT */
};

/* The mix of the real days. */
extern const struct order_flow_mix order_flow_mix_real;

typedef struct order_flow order_flow_t;

/* The options are in range (CHECKed). */
order_flow_t *order_flow_new(const struct order_flow_options *o);
void order_flow_destroy(order_flow_t **f);

struct order_flow_command {
    uint64_t time_ns; /* never before the last one */
    unsigned symbol;
    struct command command; /* its envelope is empty; texts are good until the next one */
};

/* The next command; there is always one. Each market begins with orders that make a book, all at
 * the start. None is refused where nobody else trades. */
void order_flow_next(order_flow_t *f, struct order_flow_command *c);

/* The name of account 0..ORDER_FLOW_ACCOUNTS - 1. */
const char *order_flow_account(unsigned account);

/* Its own book, for measures. symbol: 0, 1, ... */
struct book;
struct book_pool;
const struct book *order_flow_book(const order_flow_t *f, unsigned symbol);
const struct book_pool *order_flow_pool(const order_flow_t *f);

#endif
