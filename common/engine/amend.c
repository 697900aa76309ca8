/* amend: down or unchanged at the same price keeps the place; anything else takes the order off
 * and brings it in again as a new one, with the same order_id, in one step. A refused amend leaves
 * the order as it was. */
#include "engine/state.h"

/* What the order will be. */
struct target {
    int64_t price;
    int64_t open_qty; /* 0: it is cancelled */
    int64_t total_qty;
};

/* Price and quantities the amend asks for, or the refusal. */
static enum reason target_of(const struct symbol *s, const struct order *o,
                             const struct order_detail *d, const struct amend_order *m,
                             struct target *t)
{
    *t = (struct target){d->price, o->open_qty, 0};
    if (m->qty_is == QTY_IS_REDUCE_BY && !m->qty.given)
        return REJECT_INVALID_QUANTITY;
    if (m->qty.given) {
        if (m->qty.value <= 0)
            return REJECT_INVALID_QUANTITY;
        if (m->qty_is == QTY_IS_OPEN)
            t->open_qty = m->qty.value;
        else if (m->qty_is == QTY_IS_TOTAL)
            t->open_qty = m->qty.value - d->filled_qty;
        else
            t->open_qty = o->open_qty - m->qty.value;
        if (t->open_qty < 0)
            t->open_qty = 0;
    }
    if (m->price.given) {
        if (m->price.value <= 0 && !s->any_price)
            return REJECT_INVALID_PRICE;
        t->price = m->price.value;
    }
    if (__builtin_add_overflow(d->filled_qty, t->open_qty, &t->total_qty))
        return REJECT_QUANTITY_OVERFLOW;
    return 0;
}

/* What the book has against the order coming in again. */
static enum reason check_requeue(const engine_t *e, const struct symbol *s, const struct order *o,
                                 int64_t price_now, const struct target *t)
{
    struct limit limit = {.price = t->price};
    int64_t room = book_room(&e->pool, &s->book, o->side, t->price);
    if (t->price == price_now)
        room += o->open_qty; /* its own place becomes free */
    if (room < t->open_qty)
        return REJECT_QUANTITY_OVERFLOW;
    if (o->post_only && match_would_trade(e, s, o->side, limit))
        return REJECT_POST_ONLY;
    bool anonymous = e->limits.anonymous && o->account == ACCOUNT_ANONYMOUS;
    if (o->stp == STP_REJECT && !anonymous &&
        match_would_meet_own(e, s, o->side, limit, t->open_qty, o->account))
        return REJECT_STP;
    return 0;
}

/* The event of an accepted amend, before the order is changed. */
static void emit_amended(engine_t *e, uint32_t order, const struct target *t, enum reason reason)
{
    struct event *event = engine_emit(e, EVENT_AMENDED, order);
    event->price = t->price;
    event->qty = t->open_qty;
    event->open_qty = t->open_qty;
    event->other_qty = order_at(e, order)->open_qty;
    event->reason = (uint16_t)reason;
    e->details[order].qty = t->total_qty;
    e->details[order].changed_seq = e->seq;
}

static void keep(engine_t *e, uint32_t order, const struct target *t)
{
    struct order *o = order_at(e, order);
    int64_t less = o->open_qty - t->open_qty;
    emit_amended(e, order, t, REASON_KEPT);
    if (less > 0) {
        engine_touch(e, o->book);
        book_take(&e->pool, &e->symbols[o->book].book, order, less);
    }
}

static void requeue(engine_t *e, uint32_t order, const struct target *t)
{
    struct order *o = order_at(e, order);
    emit_amended(e, order, t, REASON_REQUEUED);
    engine_touch(e, o->book);
    book_take(&e->pool, &e->symbols[o->book].book, order, o->open_qty);
    o->open_qty = t->open_qty;
    e->details[order].price = t->price;
    match_order(e, order);
}

/* The order the amend names, or the refusal. */
static enum reason amended_order(engine_t *e, const struct amend_order *m, uint32_t *order)
{
    if (m->qty_is < QTY_IS_OPEN || m->qty_is > QTY_IS_REDUCE_BY)
        return REJECT_INVALID_FIELD;
    uint32_t account, symbol;
    enum reason code = check_account(e, m->account, &account);
    if (code == 0)
        code = check_order_name(m->order_id, m->client_order_id);
    if (code == 0)
        code = check_order_symbol(e, m->symbol, m->order_id, &symbol);
    if (code != 0)
        return code;
    *order = named_order(e, symbol, account, m->order_id, m->client_order_id);
    return *order == 0 ? REJECT_UNKNOWN_ORDER : 0;
}

void amend_apply(engine_t *e, const struct amend_order *m)
{
    uint32_t order = 0;
    struct target t = {0, 0, 0};
    enum reason code = amended_order(e, m, &order);
    if (code != 0) {
        engine_refuse(e, code);
        return;
    }
    const struct order *o = order_at(e, order);
    const struct order_detail *d = &e->details[order];
    const struct symbol *s = &e->symbols[o->book];
    code = target_of(s, o, d, m, &t);
    bool keeps = t.price == d->price && t.open_qty <= o->open_qty;
    if (code == 0 && t.open_qty > 0 && !keeps)
        code = check_requeue(e, s, o, d->price, &t);
    if (code != 0) {
        engine_refuse(e, code);
        return;
    }
    e->outcome.order_id = o->order_id;
    if (t.open_qty == 0)
        cancel_order_now(e, order, REASON_REDUCED);
    else if (keeps)
        keep(e, order, &t);
    else
        requeue(e, order, &t);
}
