#include "backtest/order_queue.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"

enum { ORDERS_FIRST = 64 };

void order_queue_init(struct order_queue *q)
{
    *q = (struct order_queue){.count_max = ORDERS_FIRST};
    q->orders = memory_new(q->count_max, sizeof *q->orders, "orders on their way");
}

void order_queue_close(struct order_queue *q)
{
    memory_free(q->orders, q->count_max, sizeof *q->orders);
}

static struct queued_order *at(const struct order_queue *q, size_t index)
{
    return &q->orders[(q->first + index) & (q->count_max - 1)];
}

static void grow(struct order_queue *q)
{
    struct queued_order *more = memory_new(q->count_max * 2, sizeof *more, "orders on their way");
    for (size_t i = 0; i < q->count; i++)
        more[i] = *at(q, i);
    memory_free(q->orders, q->count_max, sizeof *q->orders);
    q->orders = more;
    q->count_max *= 2;
    q->first = 0;
}

/* Where a command says which client order id it means. */
static struct text *id_of(struct command *c)
{
    switch (c->type) {
    case MESSAGE_NEW_ORDER:
        return &c->new_order.client_order_id;
    case MESSAGE_CANCEL_ORDER:
        return &c->cancel_order.client_order_id;
    default:
        CHECK(c->type == MESSAGE_AMEND_ORDER); /* what a host sends */
        return &c->amend_order.client_order_id;
    }
}

void order_queue_add(struct order_queue *q, uint64_t arrival_ns, bool at_once, unsigned strategy,
                     const struct command *c)
{
    if (q->count == q->count_max)
        grow(q);
    struct queued_order *o = at(q, q->count++);
    *o = (struct queued_order){
        .arrival_ns = arrival_ns, .at_once = at_once, .strategy = strategy, .command = *c};
    struct text id = *id_of(&o->command);
    CHECK(id.size <= sizeof o->client_order_id);
    if (id.size > 0)
        memcpy(o->client_order_id, id.data, id.size);
}

const struct queued_order *order_queue_first(const struct order_queue *q)
{
    return q->count == 0 ? NULL : at(q, 0);
}

void order_queue_take(struct order_queue *q, struct queued_order *o)
{
    CHECK(q->count > 0);
    *o = *at(q, 0);
    id_of(&o->command)->data = o->client_order_id;
    q->first = (q->first + 1) & (q->count_max - 1);
    q->count--;
}
