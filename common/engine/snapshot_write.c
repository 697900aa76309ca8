/* The writer of snapshot.h. It walks as state_hash.c does, in the order only the history decides.
 */
#include "engine/snapshot.h"
#include "engine/snapshot_format.h"
#include "engine/state.h"

enum {
    OUTCOME_SIZE_MAX = WIRE_ARRAY_SIZE_MAX + OUTCOME_FIELDS * WIRE_INTEGER_SIZE_MAX,
    HEAD_SIZE_MAX = 4 * WIRE_ARRAY_SIZE_MAX + 4 * WIRE_INTEGER_SIZE_MAX + CONFIGURE_SIZE_MAX,
    SYMBOL_ENTRY_SIZE_MAX = WIRE_ARRAY_SIZE_MAX + ADD_SYMBOL_SIZE_MAX + 4 * WIRE_INTEGER_SIZE_MAX,
    ACCOUNT_ENTRY_SIZE_MAX = 3 * WIRE_ARRAY_SIZE_MAX + NAME_TEXT_SIZE_MAX,
    ORDER_ENTRY_SIZE_MAX = WIRE_ARRAY_SIZE_MAX + ORDER_ENTRY_FIELDS * WIRE_INTEGER_SIZE_MAX +
                           CLIENT_ORDER_ID_SIZE_MAX + 5 + WIRE_INTEGER_SIZE_MAX,
    ORIGIN_ENTRY_SIZE_MAX =
        2 * WIRE_ARRAY_SIZE_MAX + NAME_TEXT_SIZE_MAX + 3 * WIRE_INTEGER_SIZE_MAX,
    WORK_SIZE_MAX = 2 * WIRE_ARRAY_SIZE_MAX + 7 * WIRE_INTEGER_SIZE_MAX + OUTCOME_SIZE_MAX,
    CURSOR_SIZE_MAX = WIRE_INTEGER_SIZE_MAX,
};

size_t engine_snapshot_size_max(const engine_t *e)
{
    size_t accounts = e->account_names.count;
    size_t orders = e->open_count;
    for (uint32_t a = 1; a <= e->account_names.count; a++)
        orders += e->accounts[a].finished_count;
    size_t outcomes = 0;
    for (uint32_t n = 1; n <= e->origins.names.count; n++)
        outcomes += e->origins.origins[n].next_seq - 1 - e->origins.origins[n].acked_through;
    return HEAD_SIZE_MAX + e->symbol_names.count * (size_t)SYMBOL_ENTRY_SIZE_MAX +
           accounts * ACCOUNT_ENTRY_SIZE_MAX + orders * ORDER_ENTRY_SIZE_MAX +
           e->origins.names.count * (size_t)ORIGIN_ENTRY_SIZE_MAX + outcomes * OUTCOME_SIZE_MAX +
           WORK_SIZE_MAX + (1 + accounts) * CURSOR_SIZE_MAX;
}

static void put_symbols(struct wire_writer *w, const engine_t *e)
{
    wire_put_array(w, e->symbol_names.count);
    for (uint32_t n = 1; n <= e->symbol_names.count; n++) {
        const struct symbol *s = &e->symbols[n];
        wire_put_array(w, SYMBOL_ENTRY_FIELDS);
        wire_put_text(w, engine_symbol_name(e, n));
        wire_put_text(w, s->tick_size);
        wire_put_text(w, s->lot_size);
        wire_put_flag(w, s->any_price);
        wire_put_u64(w, s->next_priority);
        wire_put_u64(w, s->marks.book_seq);
        wire_put_u64(w, s->marks.bbo_seq);
        wire_put_u64(w, s->marks.trade_seq);
    }
}

static void put_order(struct wire_writer *w, const engine_t *e, uint32_t slot)
{
    const struct order *o = order_at(e, slot);
    const struct order_detail *d = &e->details[slot];
    wire_put_array(w, ORDER_ENTRY_FIELDS + (o->labelled ? ORDER_LABEL_FIELDS : 0));
    wire_put_u64(w, o->order_id);
    wire_put_u64(w, o->book);
    wire_put_u64(w, o->side);
    wire_put_u64(w, o->type);
    wire_put_u64(w, o->time_in_force);
    wire_put_u64(w, o->stp);
    wire_put_flag(w, o->post_only);
    wire_put_u64(w, o->status);
    wire_put_u64(w, o->reason);
    wire_put_i64(w, d->price);
    wire_put_i64(w, d->qty);
    wire_put_i64(w, d->filled_qty);
    wire_put_i64(w, (int64_t)(d->notional >> 64));
    wire_put_u64(w, (uint64_t)d->notional);
    wire_put_u64(w, d->accepted_ns);
    wire_put_u64(w, d->changed_seq);
    wire_put_u64(w, o->level != 0 ? o->priority : 0);
    if (o->labelled) {
        wire_put_text(w, labels_text(&e->labels, slot));
        wire_put_u64(w, e->labels.labels[slot].body_hash);
    }
}

static void put_accounts(struct wire_writer *w, const engine_t *e)
{
    wire_put_array(w, e->account_names.count);
    for (uint32_t a = 1; a <= e->account_names.count; a++) {
        wire_put_array(w, ACCOUNT_ENTRY_FIELDS);
        wire_put_text(w, engine_account_name(e, a));
        wire_put_array(w, e->accounts[a].open_count);
        for (uint32_t n = engine_next_open(e, a, 0); n != 0; n = engine_next_open(e, a, n))
            put_order(w, e, n);
        wire_put_array(w, e->accounts[a].finished_count);
        for (uint32_t n = engine_next_finished(e, a, 0); n != 0; n = engine_next_finished(e, a, n))
            put_order(w, e, n);
    }
}

static void put_outcome(struct wire_writer *w, const struct outcome *o)
{
    wire_put_array(w, OUTCOME_FIELDS);
    wire_put_u64(w, o->seq);
    wire_put_u64(w, o->order_id);
    wire_put_u64(w, o->count);
    wire_put_u64(w, o->code);
    wire_put_flag(w, o->duplicate);
    wire_put_flag(w, o->ready);
}

static void put_origins(struct wire_writer *w, const engine_t *e)
{
    const struct origins *o = &e->origins;
    wire_put_array(w, o->names.count);
    for (uint32_t n = 1; n <= o->names.count; n++) {
        const struct origin *origin = &o->origins[n];
        wire_put_array(w, ORIGIN_ENTRY_FIELDS);
        wire_put_text(w, (struct text){o->names.names[n].text, o->names.names[n].size});
        wire_put_u64(w, origin->last_ns);
        wire_put_u64(w, origin->epoch);
        wire_put_u64(w, origin->next_seq);
        wire_put_u64(w, origin->acked_through);
        wire_put_array(w, (uint32_t)(origin->next_seq - 1 - origin->acked_through));
        for (uint64_t seq = origin->acked_through + 1; seq < origin->next_seq; seq++)
            put_outcome(w, outcome_at(o, n, seq));
    }
}

static void put_cursor(struct wire_writer *w, const engine_t *e, uint32_t order)
{
    wire_put_u64(w, order == 0 ? 0 : order_at(e, order)->order_id);
}

static void put_work(struct wire_writer *w, const engine_t *e)
{
    const struct work *work = &e->work;
    switch (work->kind) {
    case WORK_NONE:
        wire_put_array(w, WORK_NONE_FIELDS);
        wire_put_u64(w, WORK_NONE);
        break;
    case WORK_SWEEP:
        wire_put_array(w, WORK_SWEEP_FIELDS);
        wire_put_u64(w, WORK_SWEEP);
        wire_put_u64(w, order_at(e, work->order)->order_id);
        break;
    case WORK_MASS_CANCEL:
        wire_put_array(w, WORK_MASS_CANCEL_FIELDS);
        wire_put_u64(w, WORK_MASS_CANCEL);
        wire_put_u64(w, work->symbol);
        wire_put_u64(w, work->account);
        wire_put_u64(w, work->side);
        wire_put_flag(w, work->everybody);
        wire_put_u64(w, work->origin);
        wire_put_u64(w, work->origin_seq);
        put_outcome(w, &work->outcome);
        wire_put_array(w, work->everybody ? e->account_names.count : 1);
        if (!work->everybody)
            put_cursor(w, e, work->cursor);
        for (uint32_t a = 1; work->everybody && a <= e->account_names.count; a++)
            put_cursor(w, e, e->accounts[a].mass_cursor);
        break;
    }
}

size_t engine_snapshot_write(const engine_t *e, uint8_t *bytes)
{
    struct wire_writer w = {bytes};
    wire_put_array(&w, ENGINE_SNAPSHOT_FIELDS);
    wire_put_u64(&w, ENGINE_SNAPSHOT_VERSION);
    wire_put_array(&w, CONFIGURE_FIELD_COUNT);
    configure_put_fields(&w, &e->limits);
    wire_put_u64(&w, e->seq);
    wire_put_u64(&w, e->time_ns);
    wire_put_u64(&w, e->trade_count);
    put_symbols(&w, e);
    put_accounts(&w, e);
    put_origins(&w, e);
    put_work(&w, e);
    return (size_t)(w.at - bytes);
}
