/* cancel: one order by name, or all that fit, oldest accepted first. */
#include "engine/state.h"

uint32_t named_order(engine_t *e, uint32_t symbol, uint32_t account, uint64_t order_id,
                     struct text client_order_id)
{
    uint32_t order = order_id != 0 ? order_find(&e->pool, order_id)
                                   : labels_find(&e->labels, &e->pool, account, client_order_id);
    if (order == 0)
        return 0;
    const struct order *o = order_at(e, order);
    bool open = o->status == ORDER_STATUS_NEW || o->status == ORDER_STATUS_PARTIALLY_FILLED;
    return open && o->book == symbol && engine_may_act(e, account, o) ? order : 0;
}

void cancel_order_now(engine_t *e, uint32_t slot, enum reason reason)
{
    struct order *o = order_at(e, slot);
    struct event *event = engine_emit(e, EVENT_CANCELLED, slot);
    event->price = e->details[slot].price;
    event->qty = o->open_qty;
    event->reason = (uint16_t)reason;
    event->rested = o->level != 0;
    if (event->rested) {
        engine_touch(e, o->book);
        book_take(&e->pool, &e->symbols[o->book].book, slot, o->open_qty);
    }
    o->open_qty = 0;
    engine_finish(e, slot, ORDER_STATUS_CANCELLED, reason);
}

void cancel_apply(engine_t *e, const struct cancel_order *m)
{
    enum reason code = check_account(e, m->account);
    if (code == 0)
        code = check_order_name(m->order_id, m->client_order_id);
    uint32_t symbol = name_table_find(&e->symbol_names, m->symbol.data, m->symbol.size);
    if (code == 0 && symbol == 0)
        code = REJECT_UNKNOWN_SYMBOL;
    uint32_t order = 0;
    if (code == 0) {
        uint32_t account = name_table_find(&e->account_names, m->account.data, m->account.size);
        if (account != 0)
            order = named_order(e, symbol, account, m->order_id, m->client_order_id);
        if (order == 0)
            code = REJECT_UNKNOWN_ORDER;
    }
    if (code != 0) {
        engine_refuse(e, code);
        return;
    }
    e->outcome.order_id = order_at(e, order)->order_id;
    cancel_order_now(e, order, REASON_USER);
}

/* ---- mass cancel ---- */

/* The account whose cursor stands at the order accepted first; 0 if none is left. Only the
 * anonymous account may ask for everybody's orders, so this is not on any live path. */
static uint32_t oldest_cursor(const engine_t *e)
{
    uint32_t oldest = 0;
    uint64_t oldest_id = UINT64_MAX;
    for (uint32_t a = 1; a <= e->account_names.count; a++) {
        uint32_t order = e->accounts[a].mass_cursor;
        if (order != 0 && order_at(e, order)->order_id < oldest_id) {
            oldest = a;
            oldest_id = order_at(e, order)->order_id;
        }
    }
    return oldest;
}

/* Where the running mass cancel stands; NULL if it is through. */
static uint32_t *work_cursor(engine_t *e)
{
    if (!e->work.everybody)
        return e->work.cursor == 0 ? NULL : &e->work.cursor;
    uint32_t account = oldest_cursor(e);
    return account == 0 ? NULL : &e->accounts[account].mass_cursor;
}

static bool fits(const struct work *w, const struct order *o)
{
    return (w->symbol == 0 || o->book == w->symbol) && (w->side == 0 || o->side == w->side);
}

void mass_cancel_go_on(engine_t *e)
{
    uint32_t *cursor;
    while ((cursor = work_cursor(e)) != NULL) {
        uint32_t order = *cursor;
        if (fits(&e->work, order_at(e, order))) {
            if (e->units_left == 0) {
                e->outcome = e->work.outcome;
                e->outcome.ready = false;
                return;
            }
            e->units_left--;
            *cursor = order_at(e, order)->account_next;
            cancel_order_now(e, order, REASON_MASS);
            e->work.outcome.count++;
        } else {
            *cursor = order_at(e, order)->account_next;
        }
    }
    e->outcome = e->work.outcome;
    e->result_origin = e->work.origin;
    e->result_origin_seq = e->work.origin_seq;
    e->work.kind = WORK_NONE;
}

void mass_cancel_apply(engine_t *e, const struct mass_cancel *m)
{
    enum reason code = m->side > SIDE_SELL ? REJECT_INVALID_FIELD : check_account(e, m->account);
    uint32_t symbol = name_table_find(&e->symbol_names, m->symbol.data, m->symbol.size);
    if (code == 0 && m->symbol.size > 0 && symbol == 0)
        code = REJECT_UNKNOWN_SYMBOL;
    if (code != 0) {
        engine_refuse(e, code);
        return;
    }
    uint32_t account = name_table_find(&e->account_names, m->account.data, m->account.size);
    e->work = (struct work){
        .kind = WORK_MASS_CANCEL,
        .symbol = symbol,
        .account = account,
        .cursor = account == 0 ? 0 : e->accounts[account].open.head,
        .side = (uint8_t)m->side,
        .everybody = m->account.size == 0,
        .origin = e->result_origin,
        .origin_seq = e->result_origin_seq,
        .outcome = e->outcome,
    };
    for (uint32_t a = 1; e->work.everybody && a <= e->account_names.count; a++)
        e->accounts[a].mass_cursor = e->accounts[a].open.head;
    mass_cancel_go_on(e);
}
