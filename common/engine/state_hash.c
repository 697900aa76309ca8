/* state_hash: one number over everything that decides what the engine will do next.
 *
 * It walks the state in an order that only the history decides (symbols, accounts and origins in
 * the order they came, orders in the order they were accepted or finished), never by where things
 * lie in memory, and hashes fixed little-endian numbers, so two engines with the same future have
 * the same hash on any machine. What can be derived (levels, book hashes, indexes) is left out. */
#include <endian.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/state.h"

enum { BUFFER_COUNT = 64 };

struct hasher {
    XXH3_state_t state;
    uint64_t buffer[BUFFER_COUNT];
    unsigned count;
};

static void flush(struct hasher *h)
{
    XXH3_64bits_update(&h->state, h->buffer, h->count * sizeof h->buffer[0]);
    h->count = 0;
}

static void add(struct hasher *h, uint64_t value)
{
    h->buffer[h->count++] = htole64(value);
    if (h->count == BUFFER_COUNT)
        flush(h);
}

static void add_text(struct hasher *h, struct text text)
{
    add(h, text.size);
    flush(h);
    XXH3_64bits_update(&h->state, text.data, text.size);
}

static void add_order(struct hasher *h, const engine_t *e, uint32_t slot)
{
    const struct order *o = order_at(e, slot);
    const struct order_detail *d = &e->details[slot];
    add(h, o->order_id);
    add(h, (uint64_t)o->open_qty);
    add(h, o->level != 0 ? o->priority : 0);
    add(h, o->book);
    add(h, (uint64_t)o->reason << 48 | (uint64_t)o->side << 40 | (uint64_t)o->type << 32 |
               (uint64_t)o->time_in_force << 24 | (uint64_t)o->stp << 16 |
               (uint64_t)o->status << 8 | (uint64_t)o->post_only << 1 | (uint64_t)o->labelled);
    add(h, (uint64_t)d->price);
    add(h, (uint64_t)d->qty);
    add(h, (uint64_t)d->filled_qty);
    add(h, (uint64_t)(d->notional >> 64));
    add(h, (uint64_t)d->notional);
    add(h, d->accepted_ns);
    add(h, d->changed_seq);
    if (o->labelled) {
        add(h, e->labels.labels[slot].body_hash);
        add_text(h, labels_text(&e->labels, slot));
    }
}

static void add_limits(struct hasher *h, const struct configure *l)
{
    add(h, l->shard);
    add(h, l->open_orders_max);
    add(h, l->accounts_max);
    add(h, l->finished_per_account);
    add(h, l->symbols_max);
    add(h, l->origins_max);
    add(h, l->origin_window);
    add(h, l->events_max);
    add(h, l->anonymous);
}

static void add_symbols(struct hasher *h, const engine_t *e)
{
    add(h, e->symbol_names.count);
    for (uint32_t n = 1; n <= e->symbol_names.count; n++) {
        const struct symbol *s = &e->symbols[n];
        add_text(h, engine_symbol_name(e, n));
        add_text(h, s->tick_size);
        add_text(h, s->lot_size);
        add(h, s->any_price);
        add(h, s->next_priority);
        add(h, s->marks.book_seq);
        add(h, s->marks.bbo_seq);
        add(h, s->marks.trade_seq);
    }
}

static void add_accounts(struct hasher *h, const engine_t *e)
{
    add(h, e->account_names.count);
    for (uint32_t a = 1; a <= e->account_names.count; a++) {
        add_text(h, engine_account_name(e, a));
        add(h, e->accounts[a].open_count);
        for (uint32_t n = engine_next_open(e, a, 0); n != 0; n = engine_next_open(e, a, n))
            add_order(h, e, n);
        add(h, e->accounts[a].finished_count);
        for (uint32_t n = engine_next_finished(e, a, 0); n != 0; n = engine_next_finished(e, a, n))
            add_order(h, e, n);
    }
}

static void add_outcome(struct hasher *h, const struct outcome *o)
{
    add(h, o->seq);
    add(h, o->order_id);
    add(h, (uint64_t)o->count << 32 | (uint64_t)o->code << 16 | (uint64_t)o->duplicate << 8 |
               (uint64_t)o->ready);
}

static void add_origins(struct hasher *h, const engine_t *e)
{
    const struct origins *o = &e->origins;
    add(h, o->names.count);
    for (uint32_t n = 1; n <= o->names.count; n++) {
        const struct origin *origin = &o->origins[n];
        add_text(h, (struct text){o->names.names[n].text, o->names.names[n].size});
        add(h, origin->last_ns);
        add(h, origin->epoch);
        add(h, origin->next_seq);
        add(h, origin->acked_through);
        for (uint64_t seq = origin->acked_through + 1; seq < origin->next_seq; seq++)
            add_outcome(h, outcome_at(o, n, seq));
    }
}

/* The order a piece of work stands at, by what it is, not where it lies. */
static uint64_t order_id_or_0(const engine_t *e, uint32_t slot)
{
    return slot == 0 ? 0 : order_at(e, slot)->order_id;
}

static void add_work(struct hasher *h, const engine_t *e)
{
    const struct work *w = &e->work;
    add(h, w->kind);
    if (w->kind == WORK_NONE)
        return;
    add(h, order_id_or_0(e, w->order));
    add(h, order_id_or_0(e, w->cursor));
    add(h, w->symbol);
    add(h, w->account);
    add(h, w->side);
    add(h, w->origin);
    add(h, w->origin_seq);
    add_outcome(h, &w->outcome);
    for (uint32_t a = 1; w->everybody && a <= e->account_names.count; a++)
        add(h, order_id_or_0(e, e->accounts[a].mass_cursor));
}

uint64_t engine_state_hash(const engine_t *e)
{
    struct hasher h;
    XXH3_64bits_reset(&h.state);
    h.count = 0;
    add(&h, e->seq);
    add(&h, e->time_ns);
    add(&h, e->trade_count);
    add_limits(&h, &e->limits);
    add_symbols(&h, e);
    add_accounts(&h, e);
    add_origins(&h, e);
    add_work(&h, e);
    flush(&h);
    return XXH3_64bits_digest(&h.state);
}
