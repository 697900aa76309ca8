#include "engine/mirror.h"

void mirror_init(struct mirror *m, struct book_pool *pool)
{
    *m = (struct mirror){.pool = pool, .number = ++pool->mirror_count};
}

void mirror_reset(struct mirror *m)
{
    book_clear(m->pool, &m->book);
    m->broken = false;
}

uint64_t mirror_hash(const struct mirror *m)
{
    return m->broken ? ~m->book.l3_hash : m->book.l3_hash;
}

static struct mirror_change broken(struct mirror *m)
{
    m->broken = true;
    return (struct mirror_change){.changed = false};
}

static struct mirror_change on_add(struct mirror *m, struct wire_reader *fields)
{
    struct add a;
    add_get_fields(fields, &a);
    if ((a.side != SIDE_BUY && a.side != SIDE_SELL) || a.qty <= 0 ||
        order_find(m->pool, a.order_id) != 0 ||
        book_room(m->pool, &m->book, (unsigned)a.side, a.price) < a.qty)
        return broken(m);
    uint32_t slot = order_new(m->pool);
    if (slot == 0)
        return broken(m);
    struct order *o = &m->pool->orders[slot];
    o->order_id = a.order_id;
    o->open_qty = a.qty;
    o->priority = a.priority;
    o->side = (uint8_t)a.side;
    o->book = m->number;
    order_index(m->pool, slot);
    book_insert(m->pool, &m->book, slot, a.price);
    return (struct mirror_change){true, o->side, a.price};
}

/* Take qty off an order; 0: all of it. */
static struct mirror_change take(struct mirror *m, uint64_t order_id, int64_t qty)
{
    uint32_t slot = order_find(m->pool, order_id);
    if (slot == 0 || m->pool->orders[slot].book != m->number)
        return broken(m); /* nobody's, or another mirror's */
    struct order *o = &m->pool->orders[slot];
    if (qty == 0)
        qty = o->open_qty;
    if (qty < 0 || qty > o->open_qty)
        return broken(m);
    struct mirror_change change = {true, o->side, m->pool->levels[o->level].price};
    book_take(m->pool, &m->book, slot, qty);
    if (o->open_qty == 0) {
        order_unindex(m->pool, slot);
        order_free(m->pool, slot);
    }
    return change;
}

struct mirror_change mirror_event(struct mirror *m, uint64_t type, struct wire_reader *fields)
{
    struct execute e;
    struct reduce r;
    struct delete d;
    if (m->broken)
        return (struct mirror_change){.changed = false};
    switch (type) {
    case MESSAGE_ADD:
        return on_add(m, fields);
    case MESSAGE_EXECUTE:
        execute_get_fields(fields, &e);
        return e.qty <= 0 ? broken(m) : take(m, e.order_id, e.qty);
    case MESSAGE_REDUCE:
        reduce_get_fields(fields, &r);
        return r.qty <= 0 ? broken(m) : take(m, r.order_id, r.qty);
    case MESSAGE_DELETE:
        delete_get_fields(fields, &d);
        return take(m, d.order_id, 0);
    default:
        return (struct mirror_change){.changed = false};
    }
}
