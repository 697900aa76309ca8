/* flow: the orders of many people, one after the other, deterministic for a seed: what
 * `outcry simulate` sends to a cluster or writes to a file, and what tests and benches trade
 * against.
 *
 * Each symbol has a market of its own: a reference price that wanders (a discretised
 * Ornstein-Uhlenbeck around a random walk), informed traders who take towards it, noise traders who
 * take either side, and makers of liquidity who place and cancel. How often, how far from the best
 * price, how large, and for how long are drawn from the shapes of two real days; the parameters and
 * what they were fitted on are in flow_shapes.h. Arrivals: Poisson, or Hawkes (self-exciting,
 * exponential kernel: Hawkes 1971; simulated by thinning: Ogata 1981).
 *
 * What it needs to know of the book it is told by what became of its own orders, or not at all: it
 * keeps a book of its own (engine/book), so a file needs no cluster and the same seed gives the
 * same commands whatever a cluster does.
 *
 * No clock: time is its own, from the start it is given. Doubles shape it; what comes out is ticks
 * and lots. Thread: one. */
#ifndef OUTCRY_SIMULATE_FLOW_H
#define OUTCRY_SIMULATE_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/command.h"

enum {
    FLOW_SYMBOLS_MAX = 1024,
    FLOW_ACCOUNTS = 16, /* sim-0 .. sim-15 */
};

enum flow_arrivals { FLOW_POISSON, FLOW_HAWKES };

/* Shares of what happens, in percent; they add up to 100. */
struct flow_mix {
    double limit, cancel, amend, market, ioc;
};

struct flow_symbol {
    const char *name; /* KEPT */
    bool any_price;
    int64_t base_price; /* ticks */
    int64_t spread;     /* ticks, typical; at least 1 */
    int64_t size;       /* lots, median of an order; at least 1 */
};

struct flow_options {
    const struct flow_symbol *symbols; /* copied */
    unsigned symbol_count;
    uint64_t seed;
    double rate; /* commands a second, all symbols together, on average */
    enum flow_arrivals arrivals;
    struct flow_mix mix;
    double informed; /* share of takers who know the reference price, 0..1 */
    uint64_t start_ns;
    const char *session; /* what its client order ids begin with, at most 12; KEPT */
};

/* The mix of the real days. */
extern const struct flow_mix flow_mix_real;

typedef struct flow flow_t;

flow_t *flow_new(const struct flow_options *o);
void flow_destroy(flow_t **f);

struct flow_command {
    uint64_t time_ns;
    unsigned symbol;
    struct command command; /* its envelope is empty; texts are good until the next one */
};

/* The next command; there is always one. Each market begins with orders that make a book. */
void flow_next(flow_t *f, struct flow_command *c);

/* Its own book, for measures: NULL-safe never; symbol: 0, 1, ... */
struct book;
struct book_pool;
const struct book *flow_book(const flow_t *f, unsigned symbol);
const struct book_pool *flow_pool(const flow_t *f);

#endif
