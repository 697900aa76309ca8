#include "tests/unit/services/plain_book.h"

#include "base/mix.h"

static struct plain_order *order_of(struct plain_book *b, uint64_t order_id)
{
    for (unsigned i = 0; i < b->order_count; i++) {
        if (b->orders[i].order_id == order_id)
            return &b->orders[i];
    }
    return NULL;
}

static bool take(struct plain_book *b, uint64_t order_id, int64_t qty)
{
    struct plain_order *o = order_of(b, order_id);
    if (o == NULL || qty <= 0 || qty > o->qty)
        return false;
    o->qty -= qty;
    if (o->qty == 0) {
        unsigned i = (unsigned)(o - b->orders);
        b->order_count--;
        memmove(&b->orders[i], &b->orders[i + 1], (b->order_count - i) * sizeof *o);
    }
    return true;
}

static bool add_order(struct plain_book *b, const struct add *m)
{
    if (b->order_count == PLAIN_ORDERS || order_of(b, m->order_id) != NULL || m->qty <= 0)
        return false;
    if (b->order_count > 0 && m->priority <= b->orders[b->order_count - 1].priority &&
        m->price == b->orders[b->order_count - 1].price)
        return false;
    b->orders[b->order_count++] =
        (struct plain_order){m->order_id, m->priority, m->side, m->price, m->qty};
    return true;
}

static bool set_level(struct plain_book *b, const struct level *m)
{
    unsigned i = 0;
    while (i < b->level_count && (b->levels[i].side != m->side || b->levels[i].price != m->price))
        i++;
    if (i == b->level_count) {
        if (m->qty == 0)
            return true; /* it came and went within one group */
        if (b->level_count == PLAIN_LEVELS)
            return false;
        b->level_count++;
    }
    b->levels[i] = (struct plain_level){m->side, m->price, m->qty};
    if (m->qty == 0)
        b->levels[i] = b->levels[--b->level_count];
    return m->qty >= 0;
}

static void note_trade(struct plain_book *b, unsigned by, const struct trade *m)
{
    const uint64_t words[] = {m->trade_id,        m->maker_order_id, m->taker_order_id,
                              (uint64_t)m->price, (uint64_t)m->qty,  m->aggressor};
    for (unsigned i = 0; i < 6; i++)
        b->trades[by] = mix(b->trades[by] + words[i] + i);
    b->trade_count[by]++;
}

static bool l3_event(struct plain_book *b, uint64_t type, struct wire_reader *fields)
{
    struct add a;
    struct execute e;
    struct reduce r;
    struct delete d;
    struct trade t;
    switch (type) {
    case MESSAGE_ADD:
        add_get_fields(fields, &a);
        return add_order(b, &a);
    case MESSAGE_EXECUTE:
        execute_get_fields(fields, &e);
        return take(b, e.order_id, e.qty);
    case MESSAGE_REDUCE:
        reduce_get_fields(fields, &r);
        return take(b, r.order_id, r.qty);
    case MESSAGE_DELETE:
        delete_get_fields(fields, &d);
        return order_of(b, d.order_id) != NULL && take(b, d.order_id, order_of(b, d.order_id)->qty);
    case MESSAGE_TRADE:
        trade_get_fields(fields, &t);
        note_trade(b, 0, &t);
        return true;
    default:
        return type == MESSAGE_BOOK_POSITION;
    }
}

bool plain_event(struct plain_book *b, enum plain_source source, uint64_t type,
                 struct wire_reader *fields)
{
    struct level l;
    struct trade t;
    if (source == PLAIN_L3)
        return l3_event(b, type, fields);
    if (type == MESSAGE_BOOK_POSITION)
        return true;
    if (source == PLAIN_L2 && type == MESSAGE_LEVEL) {
        level_get_fields(fields, &l);
        return set_level(b, &l);
    }
    if (source == PLAIN_BBO && type == MESSAGE_BBO) {
        bbo_get_fields(fields, &b->bbo);
        return true;
    }
    if (source == PLAIN_TRADE && type == MESSAGE_TRADE) {
        trade_get_fields(fields, &t);
        note_trade(b, 1, &t);
        return true;
    }
    /* What a snapshot tells of trades is no part of a book. */
    return source == PLAIN_TRADE && (type == MESSAGE_TRADE_TOTALS || type == MESSAGE_PAST_TRADE);
}

void plain_forget(struct plain_book *b, enum plain_source source)
{
    if (source == PLAIN_L3)
        b->order_count = 0;
    else if (source == PLAIN_L2)
        b->level_count = 0;
    else if (source == PLAIN_BBO)
        b->bbo = (struct bbo){{0, false}, 0, {0, false}, 0};
}

/* ---- hashes, as PROTOCOL.md defines them ---- */

static uint64_t level_prefix(uint64_t side, int64_t price)
{
    return mix(mix(UINT64_C(0x9E3779B97F4A7C15) + side) + (uint64_t)price);
}

uint64_t plain_l3_hash(const struct plain_book *b)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < b->order_count; i++) {
        const struct plain_order *o = &b->orders[i];
        hash += mix(mix(mix(level_prefix(o->side, o->price) + o->priority) + o->order_id) +
                    (uint64_t)o->qty);
    }
    return hash;
}

uint64_t plain_l2_hash(const struct plain_book *b)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < b->level_count; i++)
        hash +=
            mix(level_prefix(b->levels[i].side, b->levels[i].price) + (uint64_t)b->levels[i].qty);
    return hash;
}

/* ---- one against the other ---- */

/* What the orders make of a level. */
static int64_t qty_at(const struct plain_book *b, uint64_t side, int64_t price)
{
    int64_t qty = 0;
    for (unsigned i = 0; i < b->order_count; i++) {
        if (b->orders[i].side == side && b->orders[i].price == price)
            qty += b->orders[i].qty;
    }
    return qty;
}

bool plain_levels_fit(const struct plain_book *b)
{
    int64_t by_orders = 0, by_levels = 0;
    for (unsigned i = 0; i < b->level_count; i++) {
        const struct plain_level *l = &b->levels[i];
        if (l->qty != qty_at(b, l->side, l->price))
            return false;
        by_levels += l->qty;
    }
    for (unsigned i = 0; i < b->order_count; i++)
        by_orders += b->orders[i].qty;
    return by_orders == by_levels;
}

/* The best price of a side; false if it is empty. */
static bool best(const struct plain_book *b, uint64_t side, int64_t *price)
{
    bool any = false;
    for (unsigned i = 0; i < b->order_count; i++) {
        const struct plain_order *o = &b->orders[i];
        if (o->side != side)
            continue;
        if (!any || (side == SIDE_BUY ? o->price > *price : o->price < *price))
            *price = o->price;
        any = true;
    }
    return any;
}

static bool side_fits(const struct plain_book *b, uint64_t side, struct i64_or_nil price,
                      int64_t qty)
{
    int64_t expected = 0;
    if (!best(b, side, &expected))
        return !price.given && qty == 0;
    return price.given && price.value == expected && qty == qty_at(b, side, expected);
}

bool plain_bbo_fits(const struct plain_book *b)
{
    int64_t bid = 0, ask = 0;
    bool crossed = best(b, SIDE_BUY, &bid) && best(b, SIDE_SELL, &ask) && bid >= ask;
    return !crossed && side_fits(b, SIDE_BUY, b->bbo.bid_price, b->bbo.bid_qty) &&
           side_fits(b, SIDE_SELL, b->bbo.ask_price, b->bbo.ask_qty);
}
