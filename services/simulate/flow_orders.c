#include "simulate/flow_orders.h"

#include "base/check.h"

static void put(struct flow_orders *o, uint32_t place, uint32_t order)
{
    o->heap[place] = order;
    o->known[order].place = place;
}

/* Orders due at the same time are taken as they lie: the same in every run. */
static bool before(const struct flow_orders *o, uint32_t x, uint32_t y)
{
    return o->known[x].due_ns < o->known[y].due_ns;
}

/* Find the place for an order, from one that is free, towards the first. */
static void rise(struct flow_orders *o, uint32_t place, uint32_t order)
{
    while (place > 0 && before(o, order, o->heap[(place - 1) / 2])) {
        put(o, place, o->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(o, place, order);
}

/* And away from it, and then back as far as it must: what moved in may be due before all here. */
static void sink(struct flow_orders *o, uint32_t place, uint32_t order)
{
    for (uint32_t child = 2 * place + 1; child < o->count; child = 2 * place + 1) {
        if (child + 1 < o->count && before(o, o->heap[child + 1], o->heap[child]))
            child++;
        if (!before(o, o->heap[child], order))
            break;
        put(o, place, o->heap[child]);
        place = child;
    }
    rise(o, place, order);
}

void flow_orders_init(struct flow_orders *o, struct flow_order *known)
{
    o->known = known;
    o->count = 0;
}

void flow_orders_add(struct flow_orders *o, uint32_t order)
{
    CHECK(o->count < ORDER_FLOW_OPEN_MAX);
    rise(o, o->count++, order);
}

void flow_orders_hasten(struct flow_orders *o, uint32_t order, uint64_t due_ns)
{
    if (due_ns >= o->known[order].due_ns)
        return;
    o->known[order].due_ns = due_ns;
    rise(o, o->known[order].place, order);
}

void flow_orders_remove(struct flow_orders *o, uint32_t order)
{
    uint32_t place = o->known[order].place;
    CHECK(place < o->count && o->heap[place] == order);
    uint32_t last = o->heap[--o->count];
    if (last != order)
        sink(o, place, last);
}
