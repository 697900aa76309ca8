#include "backtest_bench.h"

#include <stdio.h>
#include <string.h>

#include "backtest/venue.h"
#include "base/clock.h"
#include "base/memory.h"
#include "flow.h"

enum {
    RUNS = 9,
    RUNS_QUICK = 3,
    COMMANDS = 1000000,
    COMMANDS_QUICK = 300000,
    SEED = 1,
    BATCH_COUNT = 64, /* commands read before the floor's clock starts: they stay in the cache */
    INDEX_AT = 12,    /* as engine_run.c */
    ORDER_AT = 8,
    NEIGHBOURS_AT = 4,
    DELAY_NS = 1000000,
    SPACING_NS = 1000, /* between two commands */
    SHARD = 1,
};

#define BEGIN_NS  UINT64_C(1700000000000000000)
#define HASH_SEED UINT64_C(0x4F7574637279) /* any */

static const struct bench_case {
    const char *name;
    const char *delayed_name; /* NULL: not measured */
    enum flow_kind kind;
    uint32_t live_count;
    bool quick;
} cases[] = {
    {"A_1k", "A_1k_delayed", FLOW_A, 1000, true},
    {"A_100k", "A_100k_delayed", FLOW_A, 100000, true},
    {"B_100k", NULL, FLOW_B, 100000, false},
    {"C_1k", "C_1k_delayed", FLOW_C, 1000, true},
    {"C_100k", NULL, FLOW_C, 100000, false},
};

static const struct configure limits = {
    .shard = SHARD,
    .open_orders_max = 200000,
    .accounts_max = 8,
    .finished_per_account = 10000,
    .symbols_max = 8,
    .origins_max = 8,
    .origin_window = 16,
    .events_max = 1024,
};

static const struct strategy_symbol symbol = {.name = "BTC-USD",
                                              .tick_size = "0.01",
                                              .lot_size = "0.0001",
                                              .units = {{1, 2}, {1, 4}},
                                              .shard = SHARD};

/* ---- the recording ---- */

/* A flow, as what was recorded of an engine that ran it. */
struct past {
    recording_t *recording;
    engine_t *engine; /* that ran it */
    const struct flow *flow;
    uint64_t *order_ids; /* by ref */
    uint64_t untimed;    /* commands before the timed part */
};

static uint64_t record(struct past *p, const struct command *c)
{
    uint64_t seq = engine_seq(p->engine) + 1;
    uint64_t time_ns = BEGIN_NS + SPACING_NS * seq;
    engine_apply(p->engine, seq, time_ns, c);
    recording_command(p->recording, time_ns, seq, seq, c);
    while (engine_waiting(p->engine) > 0) {
        engine_apply(p->engine, engine_seq(p->engine) + 1, time_ns,
                     &(struct command){.type = MESSAGE_CONTINUE_WORK,
                                       .continue_work = {engine_waiting(p->engine)}});
    }
    return (uint64_t)SHARD << 48 | seq;
}

static struct command new_order(uint64_t side, uint64_t tif, struct i64_or_nil price, int64_t qty)
{
    return (struct command){
        .type = MESSAGE_NEW_ORDER,
        .new_order = {.symbol = text_of("BTC-USD"),
                      .account = text_of("trader-1"),
                      .client_order_id = text_of(""),
                      .side = side,
                      .type = price.given ? ORDER_TYPE_LIMIT : ORDER_TYPE_MARKET,
                      .time_in_force = tif,
                      .stp = STP_NONE,
                      .price = price,
                      .qty = qty},
    };
}

static void record_flow_command(struct past *p, const struct flow_command *f)
{
    struct i64_or_nil nil = {0, false};
    struct i64_or_nil price = {f->price, true};
    struct command c;
    switch (f->op) {
    case FLOW_NEW:
        c = new_order(f->side == FLOW_BUY ? SIDE_BUY : SIDE_SELL,
                      f->tif == FLOW_GTC ? TIME_IN_FORCE_GTC : TIME_IN_FORCE_IOC,
                      f->type == FLOW_MARKET ? nil : price, f->qty);
        p->order_ids[f->ref] = record(p, &c);
        return;
    case FLOW_CANCEL:
        c = (struct command){.type = MESSAGE_CANCEL_ORDER,
                             .cancel_order = {text_of("BTC-USD"), text_of("trader-1"),
                                              p->order_ids[f->ref], text_of("")}};
        break;
    default:
        c = (struct command){.type = MESSAGE_AMEND_ORDER,
                             .amend_order = {
                                 .symbol = text_of("BTC-USD"),
                                 .account = text_of("trader-1"),
                                 .order_id = p->order_ids[f->ref],
                                 .client_order_id = text_of(""),
                                 .qty_is = f->op == FLOW_REPLACE ? QTY_IS_OPEN : QTY_IS_REDUCE_BY,
                                 .qty = {f->qty, true},
                                 .price = f->op == FLOW_REPLACE ? price : nil,
                             }};
        break;
    }
    (void)record(p, &c);
}

/* Orders that come and go at once, once round the index of order ids: the engine's memory is
 * touched, and its finished orders are at their limit, as on any busy day. */
static void record_age(struct past *p)
{
    struct command c = new_order(SIDE_BUY, TIME_IN_FORCE_IOC, (struct i64_or_nil){1, true}, 1);
    for (uint64_t left = engine_pool(p->engine)->by_id_mask + 1; left > 0; left--) {
        (void)record(p, &c);
    }
}

static void past_open(struct past *p, const struct flow *flow)
{
    *p = (struct past){
        .recording = recording_new(RECORDING_COMMANDS, &limits, &symbol),
        .engine = engine_new(&limits, HASH_SEED),
        .flow = flow,
        .order_ids = memory_new(flow->order_count, sizeof *p->order_ids, "the bench"),
    };
    struct command c = {.type = MESSAGE_CONFIGURE, .configure = limits};
    (void)record(p, &c);
    c = (struct command){.type = MESSAGE_ADD_SYMBOL,
                         .add_symbol = {text_of(symbol.name), text_of(symbol.tick_size),
                                        text_of(symbol.lot_size), false}};
    (void)record(p, &c);
    record_age(p);
    for (uint32_t index = 0; index < flow->preload_count; index++) {
        record_flow_command(p, &flow->commands[index]);
    }
    p->untimed = recording_count(p->recording);
    for (uint32_t index = 0; index < flow->command_count; index++) {
        record_flow_command(p, &flow->commands[flow->preload_count + index]);
    }
    recording_digest(p->recording, engine_books_hash(p->engine));
    recording_seal(p->recording);
}

static void past_close(struct past *p)
{
    recording_destroy(&p->recording);
    engine_destroy(&p->engine);
    memory_free(p->order_ids, p->flow->order_count, sizeof *p->order_ids);
}

/* ---- the floor ---- */

static double rate(uint64_t count, uint64_t spent_ns)
{
    return (double)count * 1e3 / (double)spent_ns;
}

static inline void ask_ahead(const engine_t *engine, const struct recorded *batch, size_t index,
                             size_t count, enum engine_ahead distance)
{
    if (index < count) {
        engine_prefetch(engine, &batch[index].command, distance);
    }
}

static uint64_t floor_batch(engine_t *engine, const struct recorded *batch, size_t count)
{
    uint64_t start_ns = clock_monotonic_ns();
    for (size_t index = 0; index < count; index++) {
        ask_ahead(engine, batch, index + INDEX_AT, count, ENGINE_AHEAD_INDEX);
        ask_ahead(engine, batch, index + ORDER_AT, count, ENGINE_AHEAD_ORDER);
        ask_ahead(engine, batch, index + NEIGHBOURS_AT, count, ENGINE_AHEAD_NEIGHBOURS);
        engine_apply(engine, engine_seq(engine) + 1, batch[index].time_ns, &batch[index].command);
        while (__builtin_expect(engine_waiting(engine) > 0, 0)) {
            engine_apply(engine, engine_seq(engine) + 1, batch[index].time_ns,
                         &(struct command){.type = MESSAGE_CONTINUE_WORK,
                                           .continue_work = {engine_waiting(engine)}});
        }
    }
    return clock_monotonic_ns() - start_ns;
}

/* The next so many of the recording; how long the engine took. */
static uint64_t floor_commands(engine_t *engine, struct recording_cursor *at, uint64_t count)
{
    static struct recorded batch[BATCH_COUNT];
    uint64_t spent_ns = 0;
    while (count > 0) {
        size_t here = 0;
        while (here < BATCH_COUNT && here < count && recording_next(at, &batch[here])) {
            here++;
        }
        spent_ns += floor_batch(engine, batch, here);
        count -= here;
    }
    return spent_ns;
}

static bool floor_run(const struct past *p, struct sample *rates)
{
    engine_t *engine = engine_new(&limits, HASH_SEED);
    struct command c = {.type = MESSAGE_CONFIGURE, .configure = limits};
    struct recording_cursor at;
    uint64_t timed = recording_count(p->recording) - p->untimed;
    engine_apply(engine, 1, BEGIN_NS, &c);
    recording_begin(p->recording, &at);
    (void)floor_commands(engine, &at, p->untimed);
    sample_add(rates, rate(timed, floor_commands(engine, &at, timed)));
    bool agree = engine_books_hash(engine) == engine_books_hash(p->engine);
    engine_destroy(&engine);
    return agree;
}

/* ---- ours ---- */

static const struct parameter no_parameters[] = {{.name = NULL}};
static const struct strategy_class idle_class = {.abi = STRATEGY_ABI,
                                                 .name = "idle",
                                                 .summary = "does nothing",
                                                 .parameters = no_parameters,
                                                 .state_size = 1};

static bool venue_once(const struct past *p, uint64_t delay_ns, struct sample *rates)
{
    struct strategy_spec spec = {.name = "idle",
                                 .type = "idle",
                                 .class = &idle_class,
                                 .account = "idle",
                                 .symbol = symbol,
                                 .parameters = {.table = no_parameters}};
    struct venue_options options = {.recording = p->recording,
                                    .data_latency = {.constant_ns = delay_ns}};
    venue_t *v = venue_new(&options, NULL, &spec, 1);
    while (venue_counts(v).recorded < p->untimed) {
        (void)venue_run(v, 1);
    }
    uint64_t start_ns = clock_monotonic_ns();
    while (venue_run(v, UINT64_MAX) > 0) {
    }
    uint64_t timed = recording_count(p->recording) - p->untimed;
    sample_add(rates, rate(timed, clock_monotonic_ns() - start_ns));
    struct venue_counts counts = venue_counts(v);
    venue_destroy(&v);
    return counts.digests == 1 && counts.digests_differ == 0;
}

/* ---- the report ---- */

static bool report_case(const struct past *p, const char *name, uint64_t delay_ns, unsigned runs,
                        struct sample_report *report)
{
    struct sample_row row = SAMPLE_ROW_EMPTY;
    bool good = true;
    row.bench = "backtest";
    row.name = name;
    row.unit = "M/s";
    for (unsigned run = 0; good && run < runs; run++) {
        good = floor_run(p, &row.floor) && venue_once(p, delay_ns, &row.ours);
    }
    if (!good) {
        fprintf(stderr, "outcry bench: the books of %s differ\n", name);
        return false;
    }
    sample_report_row(report, &row);
    return true;
}

static void report_memory(const struct past *p, struct sample_report *report)
{
    struct sample_row row = SAMPLE_ROW_EMPTY;
    row.bench = "backtest";
    row.name = "bytes_command";
    row.unit = "B";
    row.kind = SAMPLE_TIME;
    sample_add(&row.ours,
               (double)recording_size(p->recording) / (double)recording_count(p->recording));
    sample_report_row(report, &row);
}

static bool case_run(const struct bench_case *c, bool quick, struct sample_report *report)
{
    struct flow *flow = flow_new(c->kind, c->live_count, quick ? COMMANDS_QUICK : COMMANDS, SEED);
    struct past past;
    if (!flow) {
        fprintf(stderr, "outcry bench: no memory for %s\n", c->name);
        return false;
    }
    past_open(&past, flow);
    unsigned runs = quick ? RUNS_QUICK : RUNS;
    bool good = report_case(&past, c->name, 0, runs, report);
    if (good && c->delayed_name) {
        good = report_case(&past, c->delayed_name, DELAY_NS, runs, report);
    }
    if (good && c == &cases[0]) {
        report_memory(&past, report);
    }
    past_close(&past);
    flow_destroy(&flow);
    return good;
}

bool backtest_bench_run(bool quick, struct sample_report *report)
{
    const size_t count = sizeof cases / sizeof cases[0];
    bool good = true;
    for (size_t index = 0; good && index < count; index++) {
        const struct bench_case *c = &cases[index];
        if (c->quick || !quick) {
            good = case_run(c, quick, report);
        }
    }
    fputs("ours: a back-test of a strategy that does nothing, from a recording in memory. floor:\n"
          "engine_apply of the same commands, read before. Delayed: data 1 ms late, by a mirror.\n"
          "bytes_command: of the recording.\n",
          stderr);
    return good;
}
