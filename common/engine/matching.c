/* matching: an incoming order against the other side's book. Price, then time; a trade prints at
 * the resting order's price. Prices are compared as keys (level_tree.h), for which smaller is
 * better on either side, so there is one routine for both.
 *
 * Before anything is changed, three questions can be asked of the book as it stands: would the
 * order trade at all, would it meet an order of its own account, could it be filled whole. */
#include "base/check.h"
#include "engine/state.h"

static unsigned opposite(unsigned side)
{
    return SIDE_BUY + SIDE_SELL - side;
}

/* The worst key on the other side that the limit still takes. */
static uint64_t limit_key(unsigned side, struct limit limit)
{
    return limit.any ? UINT64_MAX : level_tree_key(opposite(side), limit.price);
}

static const struct book_level *best_level(const engine_t *e, const struct symbol *s, unsigned side)
{
    uint32_t best = s->book.sides[side - 1].best;
    return best == 0 ? NULL : &e->pool.levels[best];
}

static const struct book_level *worse_level(const engine_t *e, const struct book_level *l)
{
    return l->worse == 0 ? NULL : &e->pool.levels[l->worse];
}

static bool takes(const struct book_level *l, uint64_t key_max)
{
    return level_tree_key(l->side, l->price) <= key_max;
}

bool match_would_trade(const engine_t *e, const struct symbol *s, unsigned side, struct limit limit)
{
    const struct book_level *l = best_level(e, s, opposite(side));
    return l != NULL && takes(l, limit_key(side, limit));
}

bool match_would_meet_own(const engine_t *e, const struct symbol *s, unsigned side,
                          struct limit limit, int64_t qty, uint32_t account)
{
    uint64_t key_max = limit_key(side, limit);
    const struct book_level *l = best_level(e, s, opposite(side));
    for (; l != NULL && takes(l, key_max); l = worse_level(e, l)) {
        for (uint32_t n = l->head; n != 0; n = order_at(e, n)->next) {
            const struct order *maker = order_at(e, n);
            if (maker->account == account)
                return true;
            if (maker->open_qty >= qty)
                return false;
            qty -= maker->open_qty;
        }
    }
    return false;
}

bool match_could_fill(const engine_t *e, const struct symbol *s, unsigned side, struct limit limit,
                      int64_t qty)
{
    uint64_t key_max = limit_key(side, limit);
    const struct book_level *l = best_level(e, s, opposite(side));
    for (; l != NULL && takes(l, key_max); l = worse_level(e, l)) {
        if (l->qty >= qty)
            return true;
        qty -= l->qty;
    }
    return false;
}

static void fill(struct order_detail *d, int64_t qty, int64_t price, uint64_t seq)
{
    d->filled_qty += qty;
    d->notional += (notional_t)qty * price;
    d->changed_seq = seq;
}

/* One trade: as much as both have. */
static void trade(engine_t *e, struct symbol *s, uint32_t taker_slot, const struct book_level *l)
{
    struct order *taker = order_at(e, taker_slot);
    uint32_t maker_slot = l->head;
    struct order *maker = order_at(e, maker_slot);
    int64_t price = l->price;
    int64_t qty = taker->open_qty < maker->open_qty ? taker->open_qty : maker->open_qty;
    s->marks.trade_seq = e->seq;
    taker->open_qty -= qty;
    taker->status = ORDER_STATUS_PARTIALLY_FILLED; /* until it is found filled */
    book_take(&e->pool, &s->book, maker_slot, qty);
    fill(&e->details[taker_slot], qty, price, e->seq);
    fill(&e->details[maker_slot], qty, price, e->seq);

    struct event *event = engine_emit(e, EVENT_TRADE, taker_slot);
    event->maker = maker_slot;
    event->price = price;
    event->qty = qty;
    event->open_qty = taker->open_qty;
    event->other_qty = maker->open_qty;
    event->id = e->limits.shard << 48 | ++e->trade_count;
    if (maker->open_qty == 0)
        engine_finish(e, maker_slot, ORDER_STATUS_FILLED, 0);
    else
        maker->status = ORDER_STATUS_PARTIALLY_FILLED;
}

/* Trade until the order is filled or the book has nothing for it; false: the work is used up. */
static bool trade_all(engine_t *e, struct symbol *s, uint32_t slot, uint64_t key_max)
{
    struct order *taker = order_at(e, slot);
    while (taker->open_qty > 0) {
        const struct book_level *l = best_level(e, s, opposite(taker->side));
        if (l == NULL || !takes(l, key_max))
            return true;
        if (e->units_left == 0)
            return false;
        e->units_left--;
        engine_touch(e, taker->book);
        trade(e, s, slot, l);
    }
    return true;
}

static void rest(engine_t *e, struct symbol *s, uint32_t slot)
{
    struct order *o = order_at(e, slot);
    int64_t price = e->details[slot].price;
    o->priority = s->next_priority++;
    engine_touch(e, o->book);
    book_insert(&e->pool, &s->book, slot, price);
    struct event *event = engine_emit(e, EVENT_RESTED, slot);
    event->price = price;
    event->open_qty = o->open_qty;
    event->id = o->priority;
}

void match_order(engine_t *e, uint32_t slot)
{
    struct order *o = order_at(e, slot);
    struct symbol *s = &e->symbols[o->book];
    bool market = o->type == ORDER_TYPE_MARKET;
    struct limit limit = {.any = market, .price = e->details[slot].price};
    if (!trade_all(e, s, slot, limit_key(o->side, limit))) {
        e->work = (struct work){.kind = WORK_SWEEP, .order = slot};
        return;
    }
    if (o->open_qty == 0)
        engine_finish(e, slot, ORDER_STATUS_FILLED, 0);
    else if (!market && o->time_in_force == TIME_IN_FORCE_GTC)
        rest(e, s, slot);
    else
        cancel_order_now(e, slot, market ? REASON_INSUFFICIENT_LIQUIDITY : REASON_IOC_REMAINDER);
}
