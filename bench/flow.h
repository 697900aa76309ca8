/* flow: deterministic flows of commands on one symbol, for the benches.
 *
 * The flows are those of the figures the project compares itself with:
 *
 *   A  exchange-like: 51% passive limit, 43% cancels of random live orders, 2% replaces, 1%
 *      reduces, 5% aggressive (40% IOC, 40% GTC, 20% market). Passive prices stand off a
 *      random-walk mid by a log-normal(ln 12, 1), rounded, 1 to 200 ticks. (The shares as given
 *      add up to 102; they are used as weights.)
 *   B  A with passive limits and cancels only, half and half.
 *   C  cross-heavy: every order a GTC limit at a price even over +-40 ticks round the mid, so that
 *      43% of the orders trade on arrival, at 1.5 to 1.6 levels each; random cancels keep the live
 *      count steady.
 *   E  C over +-9,000 ticks (1.8 levels: few levels hold more than one order).
 *
 * The same arguments give the same bytes on any machine and with any compiler: nothing here is
 * floating point. flow_hash() lets a result name the flow it was measured on. */
#ifndef OUTCRY_BENCH_FLOW_H
#define OUTCRY_BENCH_FLOW_H

#include <stdint.h>

enum flow_kind { FLOW_A, FLOW_B, FLOW_C, FLOW_E };

enum flow_op { FLOW_NEW, FLOW_CANCEL, FLOW_REPLACE, FLOW_REDUCE };
enum flow_side { FLOW_BUY, FLOW_SELL };
enum flow_tif { FLOW_GTC, FLOW_IOC };
enum flow_type { FLOW_LIMIT, FLOW_MARKET };

enum {
    FLOW_COMMANDS_DEFAULT = 2000000,
    FLOW_LIVE_MAX = 1000000,
    FLOW_COMMANDS_MAX = 100000000,
};

/* One command. All fields are set in every command; those that do not apply are 0.
 *
 *   new      side, tif, type, price (limit only), qty
 *   cancel   side (the order's own)
 *   replace  side (the order's own), price and qty: the new price, always another one, and the new
 *            open quantity. The order keeps its ref and goes to the back of its new level. Never
 *            trades.
 *   reduce   side (the order's own), qty: by how much; always less than the open quantity
 */
struct flow_command {
    uint8_t op;    /* enum flow_op */
    uint8_t side;  /* enum flow_side */
    uint8_t tif;   /* enum flow_tif; IOC in a market order */
    uint8_t type;  /* enum flow_type */
    uint32_t ref;  /* new: its own number, 0, 1, 2, ... in order; otherwise that of a live order */
    int64_t price; /* ticks, positive */
    int64_t qty;   /* lots, positive */
};

struct flow {
    struct flow_command *commands; /* preload_count, then command_count */
    uint32_t preload_count;        /* fill the book to live_count; not timed */
    uint32_t command_count;        /* the timed part, from commands[preload_count] on */
    uint32_t order_count;          /* refs are 0..order_count-1, preload included */
    uint32_t live_count;           /* open orders held while timed, give or take: flow.c */
    int64_t price_min;             /* every price in ticks is in price_min..price_max */
    int64_t price_max;
    uint64_t seed;
    enum flow_kind kind;
};

/* Generate a flow. A book of live orders is kept while generating, so that cancels name live
 * orders and the live count stays where it is.
 *
 * live_count: 100..FLOW_LIVE_MAX.   command_count: 1..FLOW_COMMANDS_MAX.   seed: any.
 * Errors: NULL  out of range, or no memory.
 * Cost: about 0.1 us a command (0.2 to 0.5 s for the default count); 24 bytes a command to keep,
 * and 32 more while generating. */
struct flow *flow_new(enum flow_kind kind, uint32_t live_count, uint32_t command_count,
                      uint64_t seed);

void flow_destroy(struct flow **flow);

/* A number that names the commands of a flow: equal for equal flows on any machine. */
uint64_t flow_hash(const struct flow *flow);

/* "A", "B", "C" or "E". */
const char *flow_kind_name(enum flow_kind kind);

#endif
