/* engine: the frame every command runs in, and the life of an order: open, finished, forgotten. */
#include "engine/engine.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/mix.h"
#include "engine/state.h"

/* What sets the same book of another symbol apart: an odd constant, that of hash terms. */
#define BOOKS_HASH_STEP UINT64_C(0x9E3779B97F4A7C15)

/* ---- limits ---- */

struct range {
    const char *field;
    uint64_t value, low, high;
};

const char *engine_limits_check(const struct configure *l, uint64_t *low, uint64_t *high)
{
    const struct range ranges[] = {
        {"shard", l->shard, 0, 65535},
        {"open_orders_max", l->open_orders_max, 1, 1 << 26},
        {"accounts_max", l->accounts_max, 1, 1 << 20},
        {"finished_per_account", l->finished_per_account, 0, 1 << 20},
        {"symbols_max", l->symbols_max, 1, 4096},
        {"origins_max", l->origins_max, 1, 4096},
        {"origin_window", l->origin_window, 1, 1 << 17},
        /* a group of so many events fits a frame, FRAME_SIZE_MAX */
        {"events_max", l->events_max, 1, 4096},
        {"accounts_max x finished_per_account", l->accounts_max * l->finished_per_account, 0,
         UINT64_C(1) << 30},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        *low = ranges[i].low;
        *high = ranges[i].high;
        if (ranges[i].value < *low || ranges[i].value > *high)
            return ranges[i].field;
    }
    return NULL;
}

static uint32_t order_max(const struct configure *l)
{
    return (uint32_t)(l->open_orders_max + l->accounts_max * l->finished_per_account +
                      l->events_max + EVENTS_BESIDE_UNITS);
}

engine_t *engine_new(const struct configure *limits, uint64_t hash_seed)
{
    uint64_t low, high;
    CHECK(engine_limits_check(limits, &low, &high) == NULL);
    engine_t *e = memory_new(1, sizeof *e, "the engine");
    uint32_t orders = order_max(limits);
    e->limits = *limits;
    book_pool_init(&e->pool, orders, (uint32_t)limits->open_orders_max);
    e->details = memory_new((size_t)orders + 1, sizeof *e->details, "orders");
    labels_init(&e->labels, orders, orders, hash_seed);
    name_table_init(&e->symbol_names, (uint32_t)limits->symbols_max, hash_seed, "symbols");
    e->symbols = memory_new((size_t)limits->symbols_max + 1, sizeof *e->symbols, "symbols");
    name_table_init(&e->account_names, (uint32_t)limits->accounts_max, hash_seed, "accounts");
    e->accounts = memory_new((size_t)limits->accounts_max + 1, sizeof *e->accounts, "accounts");
    origins_init(&e->origins, (uint32_t)limits->origins_max, (uint32_t)limits->origin_window,
                 hash_seed);
    e->mass_heap = memory_new((size_t)limits->accounts_max, sizeof *e->mass_heap, "accounts");
    e->event_max = (size_t)limits->events_max + EVENTS_BESIDE_UNITS;
    e->events = memory_new(e->event_max, sizeof *e->events, "events");
    e->touched = memory_new((size_t)limits->symbols_max, sizeof *e->touched, "symbols");
    if (limits->anonymous)
        CHECK(name_table_add(&e->account_names, "", 0) == ACCOUNT_ANONYMOUS);
    return e;
}

void engine_destroy(engine_t **engine)
{
    engine_t *e = *engine;
    if (e == NULL)
        return;
    uint32_t orders = order_max(&e->limits);
    book_pool_close(&e->pool);
    memory_free(e->details, (size_t)orders + 1, sizeof *e->details);
    labels_close(&e->labels);
    name_table_close(&e->symbol_names);
    memory_free(e->symbols, (size_t)e->limits.symbols_max + 1, sizeof *e->symbols);
    name_table_close(&e->account_names);
    memory_free(e->accounts, (size_t)e->limits.accounts_max + 1, sizeof *e->accounts);
    origins_close(&e->origins);
    memory_free(e->mass_heap, (size_t)e->limits.accounts_max, sizeof *e->mass_heap);
    memory_free(e->events, e->event_max, sizeof *e->events);
    memory_free(e->touched, (size_t)e->limits.symbols_max, sizeof *e->touched);
    memory_free(e, 1, sizeof *e);
    *engine = NULL;
}

/* ---- one command ---- */

void engine_settle_hash(engine_t *e, uint32_t symbol)
{
    struct symbol *s = &e->symbols[symbol];
    uint64_t term = mix(s->book.l3_hash + symbol * BOOKS_HASH_STEP);
    e->books_hash += term - s->books_term;
    s->books_term = term;
}

/* Where best bid or offer changed, that is now the last time they did. */
static void settle_touched(engine_t *e)
{
    for (uint32_t i = 0; i < e->touched_count; i++) {
        struct symbol *s = &e->symbols[e->touched[i]];
        struct bbo_state now = book_bbo(&e->pool, &s->book);
        if (!bbo_equal(&now, &s->bbo)) {
            s->bbo = now;
            s->marks.bbo_seq = e->seq;
        }
        engine_settle_hash(e, e->touched[i]);
    }
}

struct symbol *engine_add_symbol(engine_t *e, const struct add_symbol *m)
{
    uint32_t known = e->symbol_names.count;
    uint32_t symbol = name_table_add(&e->symbol_names, m->symbol.data, m->symbol.size);
    CHECK(symbol > known); /* the configuration was checked before it was sequenced */
    struct symbol *s = &e->symbols[symbol];
    s->any_price = m->any_price;
    s->next_priority = 1;
    char *text = s->sizes_text;
    memcpy(text, m->tick_size.data, m->tick_size.size);
    s->tick_size = (struct text){text, m->tick_size.size};
    memcpy(text + DECIMAL_SIZE_MAX, m->lot_size.data, m->lot_size.size);
    s->lot_size = (struct text){text + DECIMAL_SIZE_MAX, m->lot_size.size};
    engine_settle_hash(e, symbol);
    return s;
}

static void continue_apply(engine_t *e, const struct continue_work *m)
{
    CHECK(m->waiting == engine_waiting(e) && e->work.kind != WORK_NONE);
    if (e->work.kind == WORK_MASS_CANCEL) {
        mass_cancel_go_on(e);
        return;
    }
    uint32_t order = e->work.order;
    e->work.kind = WORK_NONE;
    e->outcome.ready = false; /* its sender has had the result */
    match_order(e, order);
}

/* Cancels are never too late. */
static bool too_late(const engine_t *e, const struct command *c)
{
    return !PLANTED(DEADLINE_IGNORED) && c->envelope.deadline_ns != 0 &&
           e->time_ns > c->envelope.deadline_ns && c->type != MESSAGE_CANCEL_ORDER &&
           c->type != MESSAGE_MASS_CANCEL;
}

static void dispatch(engine_t *e, const struct command *c)
{
    bool ours = c->envelope.origin.size == 0;
    if (too_late(e, c))
        engine_refuse(e, REJECT_TOO_LATE);
    else if (c->type == MESSAGE_NEW_ORDER)
        place_order(e, &c->new_order);
    else if (c->type == MESSAGE_CANCEL_ORDER)
        cancel_apply(e, &c->cancel_order);
    else if (c->type == MESSAGE_AMEND_ORDER)
        amend_apply(e, &c->amend_order);
    else if (c->type == MESSAGE_MASS_CANCEL)
        mass_cancel_apply(e, &c->mass_cancel);
    else if (c->type == MESSAGE_CONTINUE_WORK && ours)
        continue_apply(e, &c->continue_work);
    else if (c->type == MESSAGE_ADD_SYMBOL && ours)
        engine_add_symbol(e, &c->add_symbol);
    else if (c->type == MESSAGE_CONFIGURE && ours)
        CHECK(e->seq == 1); /* the limits it states are those this engine was made with */
    else if (c->type == COMMAND_MALFORMED)
        engine_refuse(e, REJECT_MALFORMED);
    else
        engine_refuse(e, REJECT_UNKNOWN_COMMAND);
}

void engine_apply(engine_t *e, uint64_t seq, uint64_t time_ns, const struct command *c)
{
    CHECK(seq == e->seq + 1 && time_ns >= e->time_ns);
    CHECK(engine_waiting(e) == 0 || c->type == MESSAGE_CONTINUE_WORK);
    e->seq = seq;
    e->time_ns = time_ns;
    e->event_count = 0;
    e->units_left = (size_t)e->limits.events_max;
    e->touched_count = 0;
    e->outcome = (struct outcome){.seq = seq, .ready = true};
    e->result_origin = 0;
    e->result_origin_seq = c->envelope.origin_seq;
    if (c->envelope.origin.size > 0)
        e->result_origin = origins_take(&e->origins, &c->envelope, time_ns);
    dispatch(e, c);
    settle_touched(e);
    if (e->result_origin != 0)
        origins_keep(&e->origins, e->result_origin, e->result_origin_seq, &e->outcome);
}

/* The bucket of the order a command names; bucket 0, for nothing, if it names none. Cancel and
 * amend begin alike. Nobody can guess what the next command is, so there is no branch. */
static const uint32_t *named_bucket(const engine_t *e, const struct command *c)
{
    bool names = (c->type == MESSAGE_CANCEL_ORDER) | (c->type == MESSAGE_AMEND_ORDER);
    uint64_t order_id = c->cancel_order.order_id & (0 - (uint64_t)names);
    return &e->pool.by_id[order_id & e->pool.by_id_mask];
}

void engine_prefetch(const engine_t *e, const struct command *c, enum engine_ahead distance)
{
    const uint32_t *bucket = named_bucket(e, c);
    if (distance == ENGINE_AHEAD_INDEX) {
        __builtin_prefetch(bucket, 1);
        return;
    }
    const struct order *o = order_at(e, *bucket); /* most likely: the first in its bucket */
    if (distance == ENGINE_AHEAD_ORDER) {
        __builtin_prefetch(o, 1);
        __builtin_prefetch(&e->details[*bucket], 1);
    } else {
        __builtin_prefetch(order_at(e, o->prev), 1);
        __builtin_prefetch(order_at(e, o->next), 1);
        __builtin_prefetch(order_at(e, o->account_prev), 1);
        __builtin_prefetch(order_at(e, o->account_next), 1);
        __builtin_prefetch(&e->pool.levels[o->level], 1);
    }
}

struct admission_answer engine_admit(engine_t *e, const struct envelope *envelope, uint64_t time_ns)
{
    return origins_admit(&e->origins, envelope, time_ns);
}

void engine_refuse(engine_t *e, enum reason code)
{
    e->outcome.code = (uint16_t)code;
}

/* ---- the life of an order ---- */

static void list_append(engine_t *e, struct order_list *list, uint32_t order)
{
    struct order *o = order_at(e, order);
    o->account_prev = list->tail;
    o->account_next = 0;
    if (list->tail != 0)
        order_at(e, list->tail)->account_next = order;
    else
        list->head = order;
    list->tail = order;
}

static void list_remove(engine_t *e, struct order_list *list, uint32_t order)
{
    struct order *o = order_at(e, order);
    if (o->account_prev != 0)
        order_at(e, o->account_prev)->account_next = o->account_next;
    else
        list->head = o->account_next;
    if (o->account_next != 0)
        order_at(e, o->account_next)->account_prev = o->account_prev;
    else
        list->tail = o->account_prev;
}

void engine_open(engine_t *e, uint32_t order)
{
    struct account *a = &e->accounts[order_at(e, order)->account];
    list_append(e, &a->open, order);
    a->open_count++;
    e->open_count++;
    order_index(&e->pool, order);
}

/* Forget the account's oldest finished order. Its slot is free at once, but taken again only by a
 * later command, so this command's events may still be read by it. Only the first is ever taken
 * off, so the link back of the next one, which is not in the cache, stays as it is. */
static inline void retire_oldest(engine_t *e, struct account *a)
{
    uint32_t oldest = a->finished.head;
    struct order *o = order_at(e, oldest);
    a->finished.head = o->account_next;
    if (a->finished.head == 0)
        a->finished.tail = 0;
    if (o->labelled)
        labels_remove(&e->labels, oldest, o->account);
    order_free(&e->pool, oldest);
    __builtin_prefetch(order_at(e, a->finished.head), 1); /* the next to go */
    __builtin_prefetch(&e->details[a->finished.head], 1); /* it lies across two lines, mostly */
    __builtin_prefetch(&e->details[a->finished.head].accepted_ns, 1);
}

static inline void remember(engine_t *e, struct account *a, uint32_t order,
                            enum order_status status, enum reason reason)
{
    struct order *o = order_at(e, order);
    o->status = (uint8_t)status;
    o->reason = (uint16_t)reason;
    e->details[order].changed_seq = e->seq;
    list_append(e, &a->finished, order);
    if (a->finished_count < e->limits.finished_per_account)
        a->finished_count++;
    else
        retire_oldest(e, a);
}

void engine_remember(engine_t *e, uint32_t order, enum order_status status, enum reason reason)
{
    remember(e, &e->accounts[order_at(e, order)->account], order, status, reason);
}

void engine_finish(engine_t *e, uint32_t order, enum order_status status, enum reason reason)
{
    struct account *a = &e->accounts[order_at(e, order)->account];
    list_remove(e, &a->open, order);
    a->open_count--;
    e->open_count--;
    order_unindex(&e->pool, order);
    remember(e, a, order, status, reason);
}

/* ---- reading ---- */

const struct event *engine_events(const engine_t *e, size_t *count)
{
    *count = e->event_count;
    return e->events;
}

static struct text name_text(const struct name_table *t, uint32_t n)
{
    return (struct text){t->names[n].text, t->names[n].size};
}

struct finished_command engine_result(const engine_t *e)
{
    struct finished_command f = {.outcome = e->outcome};
    if (e->result_origin != 0) {
        f.origin_number = e->result_origin;
        f.origin = name_text(&e->origins.names, e->result_origin);
        f.origin_epoch = e->origins.origins[e->result_origin].epoch;
        f.origin_seq = e->result_origin_seq;
    }
    return f;
}

uint64_t engine_waiting(const engine_t *e)
{
    return e->work.kind == WORK_NONE ? 0 : 1;
}

uint64_t engine_seq(const engine_t *e)
{
    return e->seq;
}

uint64_t engine_time_ns(const engine_t *e)
{
    return e->time_ns;
}

const struct configure *engine_limits(const engine_t *e)
{
    return &e->limits;
}

struct order_view engine_order(const engine_t *e, uint32_t order)
{
    const struct order *o = order_at(e, order);
    return (struct order_view){
        .order = o,
        .detail = &e->details[order],
        .account = name_text(&e->account_names, o->account),
        .symbol = name_text(&e->symbol_names, o->book),
        .client_order_id = o->labelled ? labels_text(&e->labels, order) : (struct text){"", 0},
    };
}

uint32_t engine_symbol_count(const engine_t *e)
{
    return e->symbol_names.count;
}

uint32_t engine_symbol_find(engine_t *e, struct text symbol)
{
    return name_table_find(&e->symbol_names, symbol.data, symbol.size);
}

struct text engine_symbol_name(const engine_t *e, uint32_t symbol)
{
    return name_text(&e->symbol_names, symbol);
}

struct text engine_symbol_tick_size(const engine_t *e, uint32_t symbol)
{
    return e->symbols[symbol].tick_size;
}

struct text engine_symbol_lot_size(const engine_t *e, uint32_t symbol)
{
    return e->symbols[symbol].lot_size;
}

bool engine_symbol_any_price(const engine_t *e, uint32_t symbol)
{
    return e->symbols[symbol].any_price;
}

const struct book *engine_book(const engine_t *e, uint32_t symbol)
{
    return &e->symbols[symbol].book;
}

const struct book_pool *engine_pool(const engine_t *e)
{
    return &e->pool;
}

struct book_marks engine_book_marks(const engine_t *e, uint32_t symbol)
{
    return e->symbols[symbol].marks;
}

uint64_t engine_books_hash(const engine_t *e)
{
    return e->books_hash;
}

uint32_t engine_account_count(const engine_t *e)
{
    return e->account_names.count;
}

uint32_t engine_account_find(engine_t *e, struct text account)
{
    return name_table_find(&e->account_names, account.data, account.size);
}

struct text engine_account_name(const engine_t *e, uint32_t account)
{
    return name_text(&e->account_names, account);
}

uint32_t engine_next_open(const engine_t *e, uint32_t account, uint32_t previous)
{
    return previous == 0 ? e->accounts[account].open.head : order_at(e, previous)->account_next;
}

uint32_t engine_next_finished(const engine_t *e, uint32_t account, uint32_t previous)
{
    return previous == 0 ? e->accounts[account].finished.head : order_at(e, previous)->account_next;
}

uint64_t engine_account_order_count(const engine_t *e, uint32_t account)
{
    return (uint64_t)e->accounts[account].open_count + e->accounts[account].finished_count;
}

uint64_t engine_open_count(const engine_t *e)
{
    return e->open_count;
}

uint32_t engine_origin_count(const engine_t *e)
{
    return e->origins.names.count;
}

uint64_t engine_order_count(const engine_t *e)
{
    uint64_t count = 0;
    for (uint32_t a = 1; a <= e->account_names.count; a++)
        count += engine_account_order_count(e, a);
    return count;
}
