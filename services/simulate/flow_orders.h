/* flow_orders: the open orders of one market, by when their owners want to cancel them: a binary
 * heap of the engine's order numbers, whose details stand in a table that all markets share.
 *
 * Nothing is allocated after init. Thread: owner only. */
#ifndef OUTCRY_SIMULATE_FLOW_ORDERS_H
#define OUTCRY_SIMULATE_FLOW_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "simulate/order_flow.h"

/* An open order, by the engine's number for it. */
struct flow_order {
    uint64_t label;  /* the number in its client order id */
    uint64_t due_ns; /* when it is to be cancelled */
    uint32_t place;  /* in its market's heap */
    uint32_t account;
};

struct flow_orders {
    struct flow_order *known;           /* KEPT: of all markets */
    uint32_t heap[ORDER_FLOW_OPEN_MAX]; /* no order is due before the one at (place - 1) / 2 */
    uint32_t count;
};

void flow_orders_init(struct flow_orders *o, struct flow_order *known);

/* An order rests; known[order] is filled in but for its place. There is room for it. */
void flow_orders_add(struct flow_orders *o, uint32_t order);

/* It is to be cancelled then, unless it was to be before. */
void flow_orders_hasten(struct flow_orders *o, uint32_t order, uint64_t due_ns);

/* It is gone. */
void flow_orders_remove(struct flow_orders *o, uint32_t order);

/* The first that is due; there is one. */
static inline uint32_t flow_orders_first(const struct flow_orders *o)
{
    return o->heap[0];
}

static inline bool flow_orders_due(const struct flow_orders *o, uint64_t now_ns)
{
    return o->count > 0 && o->known[o->heap[0]].due_ns <= now_ns;
}

#endif
