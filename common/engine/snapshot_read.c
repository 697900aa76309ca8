/* The reader of snapshot.h.
 *
 * It builds an engine the way history would have: names and orders by the functions commands use,
 * and nothing is given to them that they would not have been given then. So each value is held
 * against what the engine's own rules allow it to be, and each CHECK behind this file keeps
 * holding.
 *
 * What memory it takes is bounded by the limits in the bytes and by how many bytes there are. */
#include "engine/snapshot.h"

#include "base/decimal.h"
#include "base/memory.h"
#include "engine/snapshot_reading.h"
#include "proto/names.h"

/* ---- what may stand in a field ---- */

#define IS_REJECT(NAME, code, precedence, http_status, text) case code:

bool reading_is_reject(uint64_t value)
{
    switch (value) {
        REJECT_TABLE(IS_REJECT)
        return true;
    default:
        return false;
    }
}

bool reading_is_name(struct text name)
{
    return name.size > 0 && name_is_plain(name);
}

uint64_t reading_order_id(struct reading *r, bool may_be_none)
{
    uint64_t first = r->e->limits.shard << 48;
    uint64_t id = input_u64(&r->in, "order_id", 0, UINT64_MAX);
    if (id > first && id <= first + r->e->seq)
        return id;
    if (id != 0 || !may_be_none)
        input_refuse(&r->in,
                     "found order_id %" PRIu64 ", expected %" PRIu64 " to %" PRIu64
                     ": those of the shard up to its sequence",
                     id, first + 1, first + r->e->seq);
    return 0;
}

/* ---- limits ---- */

static uint64_t ids_size_for(uint32_t orders_max)
{
    uint64_t size = 16;
    while (size < 2 * (uint64_t)orders_max)
        size *= 2;
    return size;
}

static void read_limits(struct reading *r, uint64_t hash_seed)
{
    struct snapshot_input *in = &r->in;
    struct configure limits = {0};
    uint64_t low, high;
    input_array(in, "limits", CONFIGURE_FIELD_COUNT, CONFIGURE_FIELD_COUNT);
    configure_get_fields(&in->reader, &limits);
    input_check(in, "limits");
    uint8_t form[WIRE_ARRAY_SIZE_MAX + CONFIGURE_SIZE_MAX];
    struct wire_writer w = {form};
    wire_put_array(&w, CONFIGURE_FIELD_COUNT);
    configure_put_fields(&w, &limits);
    input_check_form(in, "limits", form, (size_t)(w.at - form));
    if (in->failed)
        return;
    const char *field = engine_limits_check(&limits, &low, &high);
    if (field != NULL) {
        input_refuse(in, "found another %s, expected %" PRIu64 " to %" PRIu64, field, low, high);
        return;
    }
    r->e = engine_new(&limits, hash_seed);
    size_t fit = (size_t)(in->reader.end - in->reader.at) / ORDER_ENTRY_SIZE_MIN;
    r->orders_max = fit < r->e->pool.order_max ? (uint32_t)fit : r->e->pool.order_max;
    r->resting = memory_new(r->orders_max, sizeof *r->resting, "resting orders");
    r->ids_mask = ids_size_for(r->orders_max) - 1;
    r->ids = memory_new(r->ids_mask + 1, sizeof *r->ids, "order ids");
}

static void read_counters(struct reading *r)
{
    r->e->seq = input_u64(&r->in, "seq", 0, COUNTER_MAX);
    r->e->time_ns = input_u64(&r->in, "time_ns", 0, UINT64_MAX);
    r->e->trade_count = input_u64(&r->in, "trade_count", 0, COUNTER_MAX);
}

/* ---- symbols ---- */

static struct text read_unit(struct snapshot_input *in, const char *what)
{
    struct decimal_unit unit;
    struct text text = input_text(in, what, DECIMAL_SIZE_MAX);
    if (!decimal_unit_read(&unit, text.data, text.size))
        input_refuse(in, "found \"%.*s\", expected %s: a decimal above 0", (int)text.size,
                     text.data, what);
    return text;
}

static void read_symbol(struct reading *r)
{
    struct snapshot_input *in = &r->in;
    engine_t *e = r->e;
    struct add_symbol m;
    input_array(in, "the fields of a symbol", SYMBOL_ENTRY_FIELDS, SYMBOL_ENTRY_FIELDS);
    m.symbol = input_text(in, "a symbol's name", SYMBOL_SIZE_MAX);
    if (!name_is_symbol(m.symbol) || engine_symbol_find(e, m.symbol) != 0)
        input_refuse(in, "found \"%.*s\", expected the name of another symbol", (int)m.symbol.size,
                     m.symbol.data);
    m.tick_size = read_unit(in, "tick_size");
    m.lot_size = read_unit(in, "lot_size");
    m.any_price = input_flag(in, "any_price");
    if (in->failed)
        return;
    struct symbol *s = engine_add_symbol(e, &m);
    s->next_priority = input_u64(in, "next_priority", 1, e->seq);
    s->marks.book_seq = input_u64(in, "book_seq", 0, e->seq);
    s->marks.bbo_seq = input_u64(in, "bbo_seq", 0, s->marks.book_seq);
    s->marks.trade_seq = input_u64(in, "trade_seq", 0, s->marks.book_seq);
}

static void read_symbols(struct reading *r)
{
    uint32_t count = input_array(&r->in, "symbols", 0, r->e->limits.symbols_max);
    for (uint32_t n = 1; n <= count && !r->in.failed; n++)
        read_symbol(r);
}

/* ---- origins ---- */

static struct outcome read_outcome(struct reading *r, uint64_t seq_low)
{
    struct snapshot_input *in = &r->in;
    struct outcome o;
    input_array(in, "the fields of an outcome", OUTCOME_FIELDS, OUTCOME_FIELDS);
    o.seq = input_u64(in, "an outcome's seq", seq_low, r->e->seq);
    o.order_id = reading_order_id(r, true);
    o.count = (uint32_t)input_u64(in, "count", 0, UINT32_MAX);
    o.code = (uint16_t)input_u64(in, "code", 0, UINT16_MAX);
    if (o.code != 0 && !reading_is_reject(o.code))
        input_refuse(in, "found code %u, expected 0 or one of the reject codes", o.code);
    o.duplicate = input_flag(in, "duplicate");
    o.ready = input_flag(in, "ready");
    return o;
}

static void read_origin(struct reading *r)
{
    struct snapshot_input *in = &r->in;
    struct origins *origins = &r->e->origins;
    input_array(in, "the fields of an origin", ORIGIN_ENTRY_FIELDS, ORIGIN_ENTRY_FIELDS);
    struct text name = input_text(in, "an origin's name", ORIGIN_SIZE_MAX);
    if (!reading_is_name(name) || name_table_find(&origins->names, name.data, name.size) != 0)
        input_refuse(in, "found \"%.*s\", expected the name of another origin", (int)name.size,
                     name.data);
    struct origin o;
    o.last_ns = input_u64(in, "last_ns", 0, r->e->time_ns);
    o.epoch = input_u64(in, "epoch", 0, UINT64_MAX);
    o.next_seq = input_u64(in, "next_seq", 2, r->e->seq + 1); /* it sent one, or it were not here */
    uint64_t sent = o.next_seq - 1;
    uint64_t acked_low = sent > origins->window ? sent - origins->window : 0;
    o.acked_through = input_u64(in, "acked_through", acked_low, sent - 1);
    uint64_t kept = sent - o.acked_through;
    input_array(in, "the outcomes that are not acked", kept, kept);
    if (in->failed)
        return;
    uint32_t n = name_table_add(&origins->names, name.data, name.size);
    origins->origins[n] = o;
    uint64_t last = 0;
    for (uint64_t seq = o.acked_through + 1; seq <= sent && !in->failed; seq++) {
        struct outcome *outcome = outcome_at(origins, n, seq);
        *outcome = read_outcome(r, last + 1);
        last = outcome->seq;
        r->unready += !outcome->ready;
    }
}

static void read_origins(struct reading *r)
{
    uint32_t count = input_array(&r->in, "origins", 0, r->e->limits.origins_max);
    for (uint32_t n = 1; n <= count && !r->in.failed; n++)
        read_origin(r);
}

/* ---- work ---- */

/* An open order of the account by its id; 0, unless that may be, is refused. */
static uint32_t read_cursor(struct reading *r, uint32_t account, bool may_be_none)
{
    uint64_t id = reading_order_id(r, may_be_none);
    uint32_t order = id == 0 ? 0 : order_find(&r->e->pool, id);
    if (id != 0 && (order == 0 || order_at(r->e, order)->account != account)) {
        input_refuse(&r->in, "found order %" PRIu64 ", expected an open order of account %" PRIu32,
                     id, account);
        return 0;
    }
    return order;
}

static void read_cursors(struct reading *r)
{
    struct snapshot_input *in = &r->in;
    engine_t *e = r->e;
    uint32_t count = e->work.everybody ? e->account_names.count : 1;
    input_array(in, "cursors", count, count);
    if (!e->work.everybody) {
        e->work.cursor = read_cursor(r, e->work.account, false);
        return;
    }
    for (uint32_t a = 1; a <= count && !in->failed; a++)
        e->accounts[a].mass_cursor = read_cursor(r, a, true);
    mass_cancel_heap(e);
    if (e->mass_heap_count == 0)
        input_refuse(in, "found no cursor at an order, expected one at least");
}

static void read_mass_cancel(struct reading *r)
{
    struct snapshot_input *in = &r->in;
    engine_t *e = r->e;
    struct work *w = &e->work;
    w->symbol = (uint32_t)input_u64(in, "symbol", 0, e->symbol_names.count);
    w->account = (uint32_t)input_u64(in, "account", 1, e->account_names.count);
    w->side = (uint8_t)input_u64(in, "side", 0, SIDE_SELL);
    w->everybody = input_flag(in, "everybody");
    if (w->everybody != (e->limits.anonymous && w->account == ACCOUNT_ANONYMOUS))
        input_refuse(in, "found the wrong account, expected everybody's to be the anonymous one's");
    w->origin = (uint32_t)input_u64(in, "origin", 0, e->origins.names.count);
    uint64_t last = w->origin == 0 ? 0 : e->origins.origins[w->origin].next_seq - 1;
    w->origin_seq = input_u64(in, "origin_seq", last, w->origin == 0 ? UINT64_MAX : last);
    w->outcome = read_outcome(r, 1);
    if (!w->outcome.ready)
        input_refuse(in, "found an outcome that is not ready, expected it to be, once it is told");
    read_cursors(r);
}

/* The taker is on no book, and would trade; and it is the only one like that. */
static void read_sweep(struct reading *r)
{
    engine_t *e = r->e;
    e->work.order = order_find(&e->pool, reading_order_id(r, false));
    if (r->in.failed)
        return;
    const struct order *o = order_at(e, r->adrift);
    const struct symbol *s = &e->symbols[o->book];
    struct limit limit = {o->type == ORDER_TYPE_MARKET, e->details[r->adrift].price};
    if (r->adrift == 0 || e->work.order != r->adrift || !match_would_trade(e, s, o->side, limit))
        input_refuse(&r->in, "found a sweep of another order, expected the one that is on no book "
                             "and would trade");
}

static void read_work(struct reading *r)
{
    static const uint32_t fields[] = {
        [WORK_NONE] = WORK_NONE_FIELDS,
        [WORK_SWEEP] = WORK_SWEEP_FIELDS,
        [WORK_MASS_CANCEL] = WORK_MASS_CANCEL_FIELDS,
    };
    struct snapshot_input *in = &r->in;
    struct work *w = &r->e->work;
    const uint8_t *at = in->reader.at;
    uint32_t count = input_array(in, "the fields of work", 1, WORK_MASS_CANCEL_FIELDS);
    w->kind = (enum work_kind)input_u64(in, "work", WORK_NONE, WORK_MASS_CANCEL);
    if (!in->failed && count != fields[w->kind])
        input_refuse(in, "found work %d of %" PRIu32 " fields, expected %" PRIu32, (int)w->kind,
                     count, fields[w->kind]);
    if (!in->failed && w->kind == WORK_SWEEP)
        read_sweep(r);
    if (!in->failed && w->kind == WORK_MASS_CANCEL)
        read_mass_cancel(r);
    bool told = !in->failed && w->kind == WORK_MASS_CANCEL && w->origin != 0;
    in->at = at;
    if (r->adrift != 0 && w->kind != WORK_SWEEP)
        input_refuse(in, "found no sweep, expected that of the order on no book");
    if (r->unready != told || (told && outcome_at(&r->e->origins, w->origin, w->origin_seq)->ready))
        input_refuse(in,
                     "found %" PRIu32 " outcomes not ready, expected that of the waiting mass "
                     "cancel and no other",
                     r->unready);
}

/* ---- all ---- */

static void read_engine(struct reading *r, uint64_t hash_seed)
{
    struct snapshot_input *in = &r->in;
    input_array(in, "the fields of an engine", ENGINE_SNAPSHOT_FIELDS, ENGINE_SNAPSHOT_FIELDS);
    input_u64(in, "version", ENGINE_SNAPSHOT_VERSION, ENGINE_SNAPSHOT_VERSION);
    read_limits(r, hash_seed);
    if (in->failed)
        return;
    read_counters(r);
    read_symbols(r);
    reading_accounts(r);
    reading_books(r);
    read_origins(r);
    read_work(r);
}

engine_t *engine_snapshot_read(const uint8_t *bytes, size_t size, uint64_t hash_seed, size_t *used,
                               char error[ENGINE_SNAPSHOT_ERROR_SIZE])
{
    struct reading r = {.ids = NULL};
    input_init(&r.in, bytes, size, error, ENGINE_SNAPSHOT_ERROR_SIZE);
    read_engine(&r, hash_seed);
    memory_free(r.resting, r.orders_max, sizeof *r.resting);
    memory_free(r.ids, r.ids_mask + 1, sizeof *r.ids);
    if (r.in.failed)
        engine_destroy(&r.e);
    else
        *used = (size_t)(r.in.reader.at - bytes);
    return r.e;
}
