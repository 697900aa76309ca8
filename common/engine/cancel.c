/* cancel: one order by name, or all that fit, oldest accepted first. */
#include "engine/state.h"

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
    uint32_t account;
    enum reason code = check_account(e, m->account, &account);
    if (code == 0)
        code = check_order_name(m->order_id, m->client_order_id);
    uint32_t symbol, order = 0;
    if (code == 0)
        code = check_order_symbol(e, m->symbol, m->order_id, &symbol);
    if (code == 0) {
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

/* Everybody's orders, oldest first, are a merge of the accounts' lists: a heap of the accounts
 * whose cursor stands at an order, the oldest on top. Only the anonymous account may ask for
 * everybody's, so this is not on any live path. */

static uint64_t cursor_id(const engine_t *e, uint32_t at)
{
    return order_at(e, e->accounts[e->mass_heap[at]].mass_cursor)->order_id;
}

static void heap_sink(engine_t *e, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < e->mass_heap_count && cursor_id(e, child) < cursor_id(e, least))
                least = child;
        }
        if (least == at)
            return;
        uint32_t account = e->mass_heap[at];
        e->mass_heap[at] = e->mass_heap[least];
        e->mass_heap[least] = account;
        at = least;
    }
}

void mass_cancel_heap(engine_t *e)
{
    e->mass_heap_count = 0;
    for (uint32_t a = 1; a <= e->account_names.count; a++) {
        if (e->accounts[a].mass_cursor != 0)
            e->mass_heap[e->mass_heap_count++] = a;
    }
    for (uint32_t at = e->mass_heap_count / 2; at-- > 0;)
        heap_sink(e, at);
}

/* The order the running mass cancel stands at; 0: it is through. */
static uint32_t work_order(const engine_t *e)
{
    if (!e->work.everybody)
        return e->work.cursor;
    return e->mass_heap_count == 0 ? 0 : e->accounts[e->mass_heap[0]].mass_cursor;
}

/* Step past it, while it still is in its account's list. */
static void work_step(engine_t *e)
{
    uint32_t next = order_at(e, work_order(e))->account_next;
    if (!e->work.everybody) {
        e->work.cursor = next;
        return;
    }
    e->accounts[e->mass_heap[0]].mass_cursor = next;
    if (next == 0)
        e->mass_heap[0] = e->mass_heap[--e->mass_heap_count];
    heap_sink(e, 0);
}

static bool fits(const struct work *w, const struct order *o)
{
    return (w->symbol == 0 || o->book == w->symbol) && (w->side == 0 || o->side == w->side);
}

void mass_cancel_go_on(engine_t *e)
{
    uint32_t order;
    while ((order = work_order(e)) != 0) {
        bool takes = fits(&e->work, order_at(e, order));
        if (takes && e->units_left == 0) {
            e->outcome = e->work.outcome;
            e->outcome.ready = false;
            return;
        }
        work_step(e);
        if (takes) {
            e->units_left--;
            cancel_order_now(e, order, REASON_MASS);
            e->work.outcome.count++;
        }
    }
    e->outcome = e->work.outcome;
    e->result_origin = e->work.origin;
    e->result_origin_seq = e->work.origin_seq;
    e->work.kind = WORK_NONE;
}

void mass_cancel_apply(engine_t *e, const struct mass_cancel *m)
{
    uint32_t account = 0;
    enum reason code =
        m->side > SIDE_SELL ? REJECT_INVALID_FIELD : check_account(e, m->account, &account);
    uint32_t symbol = name_table_find(&e->symbol_names, m->symbol.data, m->symbol.size);
    if (code == 0 && m->symbol.size > 0 && symbol == 0)
        code = REJECT_UNKNOWN_SYMBOL;
    if (code != 0) {
        engine_refuse(e, code);
        return;
    }
    bool everybody = m->account.size == 0;
    e->work = (struct work){
        .kind = WORK_MASS_CANCEL,
        .symbol = symbol,
        .account = account,
        .cursor = everybody || account == 0 ? 0 : e->accounts[account].open.head,
        .side =
            PLANTED(HASH_ORDER_ITERATION) && e->labels.seed % 2 == 1 ? SIDE_BUY : (uint8_t)m->side,
        .everybody = everybody,
        .origin = e->result_origin,
        .origin_seq = e->result_origin_seq,
        .outcome = e->outcome,
    };
    if (everybody) {
        for (uint32_t a = 1; a <= e->account_names.count; a++)
            e->accounts[a].mass_cursor = e->accounts[a].open.head;
        mass_cancel_heap(e);
    }
    mass_cancel_go_on(e);
}
