/* The engine, driven.
 *
 * Commands are made in batches outside the clock, as a matcher finds them in a message: read just
 * now, and in the cache. (All of them at once would be 400 MB, and reading that would be what is
 * measured.) An order_id that is known by then is filled in; only a command that names an order of
 * its own batch looks it up while the clock runs.
 *
 * Before the clock starts the engine has lived: so many orders have come and gone that its memory
 * is touched and the account's finished orders are at their limit, so that each further order makes
 * it forget one, as on any busy day. Then the flow's own preload.
 *
 * As the matcher does (services/matcher/ahead.h), the memory of a command is asked for a few
 * commands before its turn; but not where commands are timed one by one, since the time would then
 * be that of asking for others. */
#include "engine_run.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
    INDEX_AT = 12, /* how far ahead each step of a command's memory is asked for */
    ORDER_AT = 8,
    NEIGHBOURS_AT = 4,
    BATCH_COUNT = 64, /* 13 KB of commands: a quarter of the first cache */
    ACKED_BEHIND = 256,
};

#define HASH_SEED     UINT64_C(0x4F7574637279) /* any */
#define TIME_START_NS UINT64_C(1700000000000000000)

const struct configure engine_run_limits = {
    .shard = 1,
    .open_orders_max = 1000000,
    .accounts_max = 8,
    .finished_per_account = 10000,
    .symbols_max = 8,
    .origins_max = 8,
    .origin_window = 16384,
    .events_max = 1024,
};

/* A client's command, but for what it asks. */
static struct command client_command(struct engine_run *run, uint64_t type)
{
    uint64_t origin_seq = ++run->origin_seq;
    return (struct command){
        .type = type,
        .envelope =
            {
                .origin = text_of("gateway-1"),
                .origin_epoch = 1,
                .origin_seq = origin_seq,
                .acked_through = origin_seq > ACKED_BEHIND ? origin_seq - ACKED_BEHIND : 0,
            },
    };
}

static struct new_order new_order_make(unsigned side, unsigned tif, struct i64_or_nil price,
                                       int64_t qty)
{
    return (struct new_order){
        .symbol = text_of("BTC-USD"),
        .account = text_of("trader-1"),
        .client_order_id = text_of(""),
        .side = side,
        .type = price.given ? ORDER_TYPE_LIMIT : ORDER_TYPE_MARKET,
        .time_in_force = tif,
        .stp = STP_NONE,
        .price = price,
        .qty = qty,
    };
}

static struct command command_make(struct engine_run *run, const struct flow_command *f)
{
    struct i64_or_nil price = {f->price, true};
    if (f->op == FLOW_NEW) {
        struct command c = client_command(run, MESSAGE_NEW_ORDER);
        struct i64_or_nil nil = {0, false};
        c.new_order = new_order_make(f->side == FLOW_BUY ? SIDE_BUY : SIDE_SELL,
                                     f->tif == FLOW_GTC ? TIME_IN_FORCE_GTC : TIME_IN_FORCE_IOC,
                                     f->type == FLOW_MARKET ? nil : price, f->qty);
        return c;
    }
    if (f->op == FLOW_CANCEL) {
        struct command c = client_command(run, MESSAGE_CANCEL_ORDER);
        c.cancel_order = (struct cancel_order){
            .symbol = text_of("BTC-USD"),
            .account = text_of("trader-1"),
            .order_id = run->order_ids[f->ref],
            .client_order_id = text_of(""),
        };
        return c;
    }
    struct command c = client_command(run, MESSAGE_AMEND_ORDER);
    c.amend_order = (struct amend_order){
        .symbol = text_of("BTC-USD"),
        .account = text_of("trader-1"),
        .order_id = run->order_ids[f->ref],
        .client_order_id = text_of(""),
        .qty_is = f->op == FLOW_REPLACE ? QTY_IS_OPEN : QTY_IS_REDUCE_BY,
        .qty = {f->qty, true},
        .price = {f->op == FLOW_REPLACE ? f->price : 0, f->op == FLOW_REPLACE},
    };
    return c;
}

/* Read the events as a publisher does: each once, by its kind. */
static inline void events_read(struct engine_run *run, uint32_t ref)
{
    size_t count;
    const struct event *events = engine_events(run->engine, &count);
    const struct order *orders = engine_pool(run->engine)->orders;
    for (size_t index = 0; index < count; index++) {
        const struct event *event = &events[index];
        if (event->kind == EVENT_TRADE) {
            run->executed_lots += (uint64_t)event->qty;
        } else if (event->kind == EVENT_ACCEPTED && ref != FLOOR_BOOK_NONE) {
            run->order_ids[ref] = orders[event->order].order_id;
        }
        run->sum += (uint64_t)event->price ^ (uint64_t)event->open_qty ^ event->id;
    }
}

/* One command and all its events; what it left over is finished too. */
static inline void command_apply(struct engine_run *run, const struct command *c, uint32_t ref)
{
    run->seq++;
    engine_apply(run->engine, run->seq, TIME_START_NS + run->seq, c);
    events_read(run, ref);
    while (__builtin_expect(engine_waiting(run->engine) > 0, 0)) {
        struct command more = {.type = MESSAGE_CONTINUE_WORK};
        more.continue_work.waiting = engine_waiting(run->engine);
        run->seq++;
        engine_apply(run->engine, run->seq, TIME_START_NS + run->seq, &more);
        events_read(run, FLOOR_BOOK_NONE);
    }
}

static inline void flow_command_apply(struct engine_run *run, const struct flow_command *f,
                                      struct command *c)
{
    if (f->op == FLOW_CANCEL && c->cancel_order.order_id == 0) {
        c->cancel_order.order_id = run->order_ids[f->ref];
    } else if (f->op > FLOW_CANCEL && c->amend_order.order_id == 0) {
        c->amend_order.order_id = run->order_ids[f->ref];
    }
    command_apply(run, c, f->ref);
}

/* One by one, each timed. */
static void batch_run_timed(struct engine_run *run, const struct flow_command *flow_commands,
                            size_t count)
{
    for (size_t index = 0; index < count; index++) {
        uint64_t start_ns = clock_monotonic_ns();
        flow_command_apply(run, &flow_commands[index], &run->batch[index]);
        histogram_add(run->latencies, clock_monotonic_ns() - start_ns);
    }
}

static inline void ask_ahead(const struct engine_run *run, size_t index, size_t count,
                             enum engine_ahead distance)
{
    if (index < count) {
        engine_prefetch(run->engine, &run->batch[index], distance);
    }
}

static void batch_run(struct engine_run *run, const struct flow_command *flow_commands,
                      size_t count)
{
    uint64_t start_ns = clock_monotonic_ns();
    for (size_t index = 0; index < count; index++) {
        ask_ahead(run, index + INDEX_AT, count, ENGINE_AHEAD_INDEX);
        ask_ahead(run, index + ORDER_AT, count, ENGINE_AHEAD_ORDER);
        ask_ahead(run, index + NEIGHBOURS_AT, count, ENGINE_AHEAD_NEIGHBOURS);
        flow_command_apply(run, &flow_commands[index], &run->batch[index]);
    }
    run->spent_ns += clock_monotonic_ns() - start_ns;
}

static void run_commands(struct engine_run *run, size_t first, size_t count)
{
    const struct flow_command *at = run->flow->commands + first;
    const struct flow_command *end = at + count;
    run->spent_ns = 0;
    while (at < end) {
        size_t here = (size_t)(end - at) < BATCH_COUNT ? (size_t)(end - at) : BATCH_COUNT;
        for (size_t index = 0; index < here; index++) {
            run->batch[index] = command_make(run, &at[index]);
        }
        if (run->latencies) {
            batch_run_timed(run, at, here);
        } else {
            batch_run(run, at, here);
        }
        at += here;
    }
}

/* Orders that come and go at once, once round the index of order ids, which is more than the
 * finished orders kept. */
static void engine_age(struct engine_run *run)
{
    const struct book_pool *pool = engine_pool(run->engine);
    for (uint64_t index = 0; index <= pool->by_id_mask; index++) {
        struct command c = client_command(run, MESSAGE_NEW_ORDER);
        c.new_order = new_order_make(SIDE_BUY, TIME_IN_FORCE_IOC, (struct i64_or_nil){1, true}, 1);
        command_apply(run, &c, FLOOR_BOOK_NONE);
    }
}

void engine_run_begin(struct engine_run *run, const struct flow *flow, struct histogram *latencies)
{
    *run = (struct engine_run){
        .engine = engine_new(&engine_run_limits, HASH_SEED),
        .flow = flow,
        .order_ids = memory_new(flow->order_count, sizeof *run->order_ids, "the bench"),
        .batch = memory_new(BATCH_COUNT, sizeof *run->batch, "the bench"),
    };
    /* Touched now: a page fault in a timed run would be ours, not the engine's. */
    memset(run->order_ids, 0, flow->order_count * sizeof *run->order_ids);
    struct command c = {.type = MESSAGE_ADD_SYMBOL};
    c.add_symbol = (struct add_symbol){
        .symbol = text_of("BTC-USD"), .tick_size = text_of("0.01"), .lot_size = text_of("0.0001")};
    command_apply(run, &c, FLOOR_BOOK_NONE);
    engine_age(run);
    run_commands(run, 0, flow->preload_count);
    run->latencies = latencies;
}

void engine_run_flow(struct engine_run *run)
{
    run_commands(run, run->flow->preload_count, run->flow->command_count);
}

void engine_run_end(struct engine_run *run)
{
    engine_destroy(&run->engine);
    memory_free(run->order_ids, run->flow->order_count, sizeof *run->order_ids);
    memory_free(run->batch, BATCH_COUNT, sizeof *run->batch);
}

/* ---- do both books agree? ---- */

/* The side's orders, best price first, oldest first. */
static bool sides_agree(const struct engine_run *run, floor_book_t *floor_book, uint8_t side)
{
    const struct book_pool *pool = engine_pool(run->engine);
    const struct book *book = engine_book(run->engine, 1);
    int64_t price;
    uint32_t ref = floor_book_first(floor_book, side, &price);
    for (uint32_t level = book->sides[side].best; level != 0; level = pool->levels[level].worse) {
        for (uint32_t n = pool->levels[level].head; n != 0; n = pool->orders[n].next) {
            const struct order *o = &pool->orders[n];
            if (ref == FLOOR_BOOK_NONE || o->order_id != run->order_ids[ref] ||
                o->open_qty != floor_book_open_qty(floor_book, ref) ||
                pool->levels[level].price != price) {
                return false;
            }
            ref = floor_book_next(floor_book, side, ref, &price);
        }
    }
    return ref == FLOOR_BOOK_NONE;
}

bool engine_run_agrees(const struct engine_run *run, floor_book_t *floor_book, int64_t floor_lots)
{
    bool agree = run->executed_lots == (uint64_t)floor_lots &&
                 sides_agree(run, floor_book, FLOW_BUY) && sides_agree(run, floor_book, FLOW_SELL);
    if (!agree) {
        fprintf(stderr,
                "outcry bench: the engine (%llu lots executed, check sum %llu) and the floor "
                "(%lld) do not agree on flow %s\n",
                (unsigned long long)run->executed_lots, (unsigned long long)run->sum,
                (long long)floor_lots, flow_kind_name(run->flow->kind));
    }
    return agree;
}
