/* reference_book: one array of orders a side, best price first, oldest first. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/fuzz/reference_parts.h"

/* ---- lists ---- */

void reference_list_insert(struct reference_list *l, size_t at, struct reference_order *o)
{
    l->orders = reference_grown(l->orders, &l->capacity, l->count + 1, sizeof(o));
    memmove(&l->orders[at + 1], &l->orders[at], (l->count - at) * sizeof(o));
    l->orders[at] = o;
    l->count++;
}

void reference_list_append(struct reference_list *l, struct reference_order *o)
{
    reference_list_insert(l, l->count, o);
}

void reference_list_remove(struct reference_list *l, const struct reference_order *o)
{
    size_t at = 0;
    while (at < l->count && l->orders[at] != o)
        at++;
    CHECK(at < l->count);
    memmove(&l->orders[at], &l->orders[at + 1], (l->count - at - 1) * sizeof(o));
    l->count--;
}

/* ---- what an order would do ---- */

static const struct reference_list *makers_for(const struct reference_symbol *s, uint64_t side)
{
    return side == SIDE_BUY ? &s->sides[SIDE_SELL - 1] : &s->sides[SIDE_BUY - 1];
}

static bool takes(const struct reference_taker *t, const struct reference_order *maker)
{
    if (t->market)
        return true;
    return t->side == SIDE_BUY ? maker->price <= t->price : maker->price >= t->price;
}

bool reference_would_trade(const struct reference_taker *t)
{
    const struct reference_list *makers = makers_for(t->symbol, t->side);
    return makers->count > 0 && takes(t, makers->orders[0]);
}

bool reference_would_meet_own(const struct reference_taker *t)
{
    const struct reference_list *makers = makers_for(t->symbol, t->side);
    wide_t left = t->qty;
    for (size_t i = 0; i < makers->count && left > 0; i++) {
        const struct reference_order *maker = makers->orders[i];
        if (!takes(t, maker))
            break;
        if (maker->account == t->account)
            return true;
        left -= maker->open_qty;
    }
    return false;
}

/* All it could trade with, were it large enough. */
static wide_t available(const struct reference_taker *t)
{
    const struct reference_list *makers = makers_for(t->symbol, t->side);
    wide_t sum = 0;
    for (size_t i = 0; i < makers->count; i++) {
        if (takes(t, makers->orders[i]))
            sum += makers->orders[i]->open_qty;
    }
    return sum;
}

bool reference_could_fill(const struct reference_taker *t)
{
    return available(t) >= t->qty;
}

bool reference_would_overflow(const struct reference_taker *t, const struct reference_order *except)
{
    const struct reference_list *own_side = &t->symbol->sides[t->side - 1];
    wide_t left = t->qty - available(t);
    if (left <= 0)
        return false;
    for (size_t i = 0; i < own_side->count; i++) {
        const struct reference_order *o = own_side->orders[i];
        if (o != except && o->price == t->price)
            left += o->open_qty;
    }
    return left > INT64_MAX;
}

/* ---- the book changes ---- */

static bool better(const struct reference_order *a, const struct reference_order *b)
{
    return a->asked.side == SIDE_BUY ? a->price > b->price : a->price < b->price;
}

void reference_join(struct reference *r, struct reference_order *o)
{
    struct reference_list *side = &o->symbol->sides[o->asked.side - 1];
    size_t at = 0;
    while (at < side->count && !better(o, side->orders[at]))
        at++;
    reference_list_insert(side, at, o);
    o->resting = true;
    o->symbol->book_seq = r->seq;
}

void reference_take_off(struct reference *r, struct reference_order *o, int64_t qty)
{
    CHECK(o->resting && qty > 0 && qty <= o->open_qty);
    o->symbol->book_seq = r->seq;
    o->open_qty -= qty;
    if (o->open_qty > 0)
        return;
    reference_list_remove(&o->symbol->sides[o->asked.side - 1], o);
    o->resting = false;
}

/* ---- matching ---- */

static void fill(struct reference *r, struct reference_order *o, int64_t qty, int64_t price)
{
    o->filled_qty += qty;
    o->notional += (wide_t)qty * price;
    o->changed_seq = r->seq;
    o->status = ORDER_STATUS_PARTIALLY_FILLED;
}

static void trade(struct reference *r, struct reference_order *taker, struct reference_order *maker)
{
    int64_t qty = taker->open_qty < maker->open_qty ? taker->open_qty : maker->open_qty;
    fill(r, taker, qty, maker->price);
    fill(r, maker, qty, maker->price);
    taker->open_qty -= qty;
    reference_take_off(r, maker, qty);

    taker->symbol->trade_seq = r->seq;
    struct reference_event *event = reference_emit(r, REFERENCE_TRADE, taker);
    event->maker_id = maker->order_id;
    event->price = maker->price;
    event->qty = qty;
    event->open_qty = taker->open_qty;
    event->other_qty = maker->open_qty;
    event->id = r->limits.shard << 48 | ++r->trade_count;
    if (maker->open_qty == 0)
        reference_finish(r, maker, ORDER_STATUS_FILLED, 0);
}

static void rest(struct reference *r, struct reference_order *o)
{
    o->priority = ++o->symbol->priority_count;
    reference_join(r, o);
    struct reference_event *event = reference_emit(r, REFERENCE_RESTED, o);
    event->price = o->price;
    event->open_qty = o->open_qty;
    event->id = o->priority;
}

void reference_match(struct reference *r, struct reference_order *o)
{
    bool market = o->asked.type == ORDER_TYPE_MARKET;
    const struct reference_taker taker = {
        .symbol = o->symbol, .side = o->asked.side, .market = market, .price = o->price};
    while (o->open_qty > 0 && reference_would_trade(&taker)) {
        if (r->units_left == 0) {
            r->work = (struct reference_work){.waiting = true, .taker = o};
            return;
        }
        r->units_left--;
        trade(r, o, makers_for(o->symbol, o->asked.side)->orders[0]);
    }
    if (o->open_qty == 0)
        reference_finish(r, o, ORDER_STATUS_FILLED, 0);
    else if (market)
        reference_cancel_order(r, o, REASON_INSUFFICIENT_LIQUIDITY);
    else if (o->asked.time_in_force == TIME_IN_FORCE_GTC)
        rest(r, o);
    else
        reference_cancel_order(r, o, REASON_IOC_REMAINDER);
}

/* ---- hashes, PROTOCOL.md "Book hash" ---- */

static uint64_t scramble(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t hash_of(const uint64_t *values, size_t count)
{
    uint64_t hash = UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 0; i < count; i++)
        hash = scramble(hash + values[i]);
    return hash;
}

/* What the level of the order at `first` holds; the next level begins at *next. */
static int64_t level_qty(const struct reference_list *side, size_t first, size_t *next)
{
    int64_t qty = 0;
    size_t i = first;
    for (; i < side->count && side->orders[i]->price == side->orders[first]->price; i++)
        qty += side->orders[i]->open_qty;
    *next = i;
    return qty;
}

uint64_t reference_l2_hash(const struct reference_symbol *s)
{
    uint64_t sum = 0;
    for (uint64_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        const struct reference_list *orders = &s->sides[side - 1];
        for (size_t i = 0, next; i < orders->count; i = next) {
            int64_t qty = level_qty(orders, i, &next);
            sum +=
                hash_of((uint64_t[]){side, (uint64_t)orders->orders[i]->price, (uint64_t)qty}, 3);
        }
    }
    return sum;
}

uint64_t reference_l3_hash(const struct reference_symbol *s)
{
    uint64_t sum = 0;
    for (uint64_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        const struct reference_list *orders = &s->sides[side - 1];
        for (size_t i = 0; i < orders->count; i++) {
            const struct reference_order *o = orders->orders[i];
            sum += hash_of((uint64_t[]){side, (uint64_t)o->price, o->priority, o->order_id,
                                        (uint64_t)o->open_qty},
                           5);
        }
    }
    return sum;
}

struct reference_bbo reference_bbo(const struct reference_symbol *s)
{
    struct reference_bbo bbo = {{0, 0}, {0, 0}};
    for (size_t i = 0; i < 2; i++) {
        size_t next;
        if (s->sides[i].count > 0) {
            bbo.price[i] = s->sides[i].orders[0]->price;
            bbo.qty[i] = level_qty(&s->sides[i], 0, &next);
        }
    }
    return bbo;
}
