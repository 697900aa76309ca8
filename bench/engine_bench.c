/* The engine beside the floor.
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
 * The real origin is dearer than the internal one by the lookup of its name and 32 bytes kept for
 * each command. It is here because no client's command comes without. */
#include "engine_bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "engine/state.h" /* for the sizes only */
#include "floor_book.h"
#include "flow.h"
#include "sample.h"

enum {
    INDEX_AT = 12, /* how far ahead each step of a command's memory is asked for */
    ORDER_AT = 8,
    NEIGHBOURS_AT = 4,
    BATCH_COUNT = 64, /* 13 KB of commands: a quarter of the first cache */
    ACKED_BEHIND = 256,
    TIMER_READS = 100000,
    SEED_DEFAULT = 1,
    RUNS_DEFAULT = 15,
    RUNS_QUICK = 9,
    COMMANDS_QUICK = 500000,
};

#define HASH_SEED     UINT64_C(0x4F7574637279) /* any */
#define TIME_START_NS UINT64_C(1700000000000000000)

static const struct configure limits = {
    .shard = 1,
    .open_orders_max = 1000000,
    .accounts_max = 8,
    .finished_per_account = 10000,
    .symbols_max = 8,
    .origins_max = 8,
    .origin_window = 16384,
    .events_max = 1024,
};

static const struct bench_case {
    const char *name;
    enum flow_kind kind;
    uint32_t live_count;
    bool quick;
} cases[] = {
    {"A_1k", FLOW_A, 1000, true},  {"A_100k", FLOW_A, 100000, true},
    {"B_1k", FLOW_B, 1000, true},  {"B_100k", FLOW_B, 100000, true},
    {"C_1k", FLOW_C, 1000, true},  {"C_100k", FLOW_C, 100000, true},
    {"E_1k", FLOW_E, 1000, false}, {"E_100k", FLOW_E, 100000, false},
};

enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

struct options {
    bool quick;
    const char *json_path;
    const char *only; /* a case; NULL: all */
    uint64_t seed;
    uint64_t runs;
    uint64_t commands;
};

/* One engine on its way through a flow. */
struct run {
    engine_t *engine;
    const struct flow *flow;
    uint64_t *order_ids; /* by ref; 0: not known yet */
    struct command *batch;
    uint64_t seq;
    uint64_t origin_seq;
    uint64_t executed_lots;
    uint64_t sum; /* of whatever events say, so that they are read */
    uint64_t spent_ns;
    struct histogram *latencies; /* NULL: only the batches are timed */
};

static void run_begin(struct run *run, const struct flow *flow, struct histogram *latencies);
static void run_end(struct run *run);
static void run_commands(struct run *run, size_t first, size_t count);
static bool books_agree(const struct run *run, floor_book_t *floor_book, int64_t floor_lots);

static double rate(uint64_t count, uint64_t spent_ns)
{
    return (double)count * 1e3 / (double)spent_ns;
}

/* The preload and the timed part through the floor; returns all it executed. */
static int64_t floor_run(floor_book_t *book, const struct flow *flow, struct sample *rates)
{
    const struct flow_command *timed = flow->commands + flow->preload_count;
    floor_book_reset(book);
    int64_t lots = floor_book_run(book, flow->commands, flow->preload_count);
    uint64_t start_ns = clock_monotonic_ns();
    for (size_t index = 0; index < flow->command_count; index++) {
        lots += floor_book_apply(book, &timed[index]);
    }
    sample_add(rates, rate(flow->command_count, clock_monotonic_ns() - start_ns));
    return lots;
}

/* The same through the engine; either sample or histogram. */
static bool engine_run(const struct flow *flow, floor_book_t *book, int64_t floor_lots,
                       struct sample *rates, struct histogram *latencies)
{
    struct run run;
    run_begin(&run, flow, latencies);
    run_commands(&run, flow->preload_count, flow->command_count);
    if (rates) {
        sample_add(rates, rate(flow->command_count, run.spent_ns));
    }
    bool agree = books_agree(&run, book, floor_lots);
    run_end(&run);
    return agree;
}

static bool case_run(const struct bench_case *c, const struct options *options,
                     struct sample_report *report)
{
    struct flow *flow =
        flow_new(c->kind, c->live_count, (uint32_t)options->commands, options->seed);
    struct histogram *latencies = calloc(1, sizeof *latencies);
    floor_book_t *book =
        flow ? floor_book_new(flow->price_min, flow->price_max, flow->order_count) : NULL;
    struct sample_row row = SAMPLE_ROW_EMPTY;
    row.bench = "engine";
    row.name = c->name;
    row.unit = "M/s";
    bool good = flow && latencies && book;
    if (!good) {
        fprintf(stderr, "outcry bench: no memory for %s\n", c->name);
    }
    int64_t floor_lots = 0;
    for (uint64_t index = 0; good && index < options->runs; index++) {
        floor_lots = floor_run(book, flow, &row.floor);
        good = engine_run(flow, book, floor_lots, &row.ours, NULL);
    }
    if (good && engine_run(flow, book, floor_lots, NULL, latencies)) {
        row.p50 = (double)histogram_percentile(latencies, 0.5);
        row.p99 = (double)histogram_percentile(latencies, 0.99);
        row.p999 = (double)histogram_percentile(latencies, 0.999);
        sample_report_row(report, &row);
    }
    floor_book_destroy(&book);
    free(latencies);
    flow_destroy(&flow);
    return good;
}

/* What is not a rate: a row with one figure and no floor. */
static void report_figure(struct sample_report *report, const char *name, double value,
                          const char *unit)
{
    struct sample_row row = SAMPLE_ROW_EMPTY;
    row.bench = "engine";
    row.name = name;
    row.unit = unit;
    row.kind = SAMPLE_TIME;
    sample_add(&row.ours, value);
    sample_report_row(report, &row);
}

/* What reading the clock twice costs: part of every latency. */
static double timer_ns(void)
{
    struct histogram *spans = calloc(1, sizeof *spans);
    for (unsigned index = 0; spans && index < TIMER_READS; index++) {
        uint64_t start_ns = clock_monotonic_ns();
        histogram_add(spans, clock_monotonic_ns() - start_ns);
    }
    double median = spans ? (double)histogram_percentile(spans, 0.5) : NAN;
    free(spans);
    return median;
}

static void report_memory(struct sample_report *report)
{
    engine_t *engine = engine_new(&limits, HASH_SEED);
    const struct book_pool *pool = engine_pool(engine);
    const struct labels *labels = &engine->labels;
    double index =
        (double)((pool->by_id_mask + 1) * sizeof pool->by_id[0]) / (double)limits.open_orders_max;
    double buckets =
        (double)((labels->bucket_mask + 1) * sizeof labels->heads[0]) / (double)labels->order_max;
    report_figure(report, "bytes_order",
                  (double)(sizeof(struct order) + sizeof(struct order_detail)) + index, "B");
    report_figure(report, "bytes_label", (double)sizeof(struct label) + buckets, "B");
    engine_destroy(&engine);
}

static int bench_run(const struct options *options, FILE *json)
{
    struct sample_report report;
    sample_report_open(&report, json, stderr);
    bool good = true;
    bool found = false;
    for (size_t index = 0; good && index < CASE_COUNT; index++) {
        const struct bench_case *c = &cases[index];
        if (options->only ? strcmp(options->only, c->name) == 0 : c->quick || !options->quick) {
            found = true;
            good = case_run(c, options, &report);
        }
    }
    if (!found) {
        fprintf(stderr, "outcry bench: there is no case \"%s\"\n", options->only);
        return 2;
    }
    report_figure(&report, "timer", timer_ns(), "ns");
    report_memory(&report);
    fputs("ours: engine_apply and reading its events. floor: floor_book_apply. In turn, medians;\n"
          "both books compared after each run. Percentiles: one command in ns, the timer's own\n"
          "cost included. bytes_order: order, detail, id index; bytes_label: a client order id.\n",
          stderr);
    if (!sample_report_close(&report)) {
        fprintf(stderr, "outcry bench: %s cannot be written\n", options->json_path);
        good = false;
    }
    return good ? 0 : 1;
}

/* ---- the command line ---- */

static int usage(FILE *out, int status)
{
    fputs("usage: outcry bench engine [--quick] [--json FILE] [--seed N] [--runs N]\n"
          "                           [--commands N] [--case NAME]\n"
          "\n"
          "  --quick       fewer commands and runs, under 40 s; no flow E\n"
          "  --json FILE   figures as JSON too; /dev/stdout for a pipe\n"
          "  --seed N      of the flows (1)\n"
          "  --runs N      of ours and of the floor each (15; quick 9), at most 64\n"
          "  --commands N  a run (2000000; quick 500000)\n"
          "  --case NAME   only this one: A_1k A_100k B_1k B_100k C_1k C_100k E_1k E_100k\n"
          "\n"
          "  outcry bench engine --quick --json /dev/stdout | jq '.[] | [.case, .ratio]'\n",
          out);
    return status;
}

static bool number_read(const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    char *end;
    if (!text || *text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    *value = number;
    return errno == 0 && *end == '\0' && number >= low && number <= high;
}

static bool options_read(int argc, char **argv, struct options *o)
{
    *o = (struct options){.seed = SEED_DEFAULT};
    for (int index = 1; index < argc; index++) {
        const char *name = argv[index];
        if (strcmp(name, "--quick") == 0) {
            o->quick = true;
            continue;
        }
        const char *value = argv[++index]; /* NULL at the end */
        bool good = value;
        if (strcmp(name, "--json") == 0) {
            o->json_path = value;
        } else if (strcmp(name, "--case") == 0) {
            o->only = value;
        } else if (strcmp(name, "--seed") == 0) {
            good = number_read(value, 0, UINT64_MAX, &o->seed);
        } else if (strcmp(name, "--runs") == 0) {
            good = number_read(value, 1, SAMPLE_RUNS_MAX, &o->runs);
        } else if (strcmp(name, "--commands") == 0) {
            good = number_read(value, 1, FLOW_COMMANDS_MAX, &o->commands);
        } else {
            good = false;
        }
        if (!good) {
            fprintf(stderr, "outcry bench: \"%s %s\" is not an option\n", name, value ? value : "");
            return false;
        }
    }
    if (o->runs == 0) {
        o->runs = o->quick ? RUNS_QUICK : RUNS_DEFAULT;
    }
    if (o->commands == 0) {
        o->commands = o->quick ? COMMANDS_QUICK : FLOW_COMMANDS_DEFAULT;
    }
    return true;
}

int engine_bench_main(int argc, char **argv)
{
    struct options options;
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, 0);
    }
    if (!options_read(argc, argv, &options)) {
        return usage(stderr, 2);
    }
    FILE *json = NULL;
    if (options.json_path) {
        json = fopen(options.json_path, "w");
        if (!json) {
            fprintf(stderr, "outcry bench: %s: %s\n", options.json_path, strerror(errno));
            return 1;
        }
    }
    int status = bench_run(&options, json);
    if (json && fclose(json) != 0) {
        fprintf(stderr, "outcry bench: %s: %s\n", options.json_path, strerror(errno));
        status = 1;
    }
    return status;
}

/* ---- one run of the engine ---- */

/* A client's command, but for what it asks. */
static struct command client_command(struct run *run, uint64_t type)
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

static struct command command_make(struct run *run, const struct flow_command *f)
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
static inline void events_read(struct run *run, uint32_t ref)
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
static inline void command_apply(struct run *run, const struct command *c, uint32_t ref)
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

static inline void flow_command_apply(struct run *run, const struct flow_command *f,
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
static void batch_run_timed(struct run *run, const struct flow_command *flow_commands, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        uint64_t start_ns = clock_monotonic_ns();
        flow_command_apply(run, &flow_commands[index], &run->batch[index]);
        histogram_add(run->latencies, clock_monotonic_ns() - start_ns);
    }
}

/* As the matcher does (services/matcher/ahead.h): commands are known a little before their turn. */
static inline void ask_ahead(const struct run *run, size_t index, size_t count,
                             enum engine_ahead distance)
{
    if (index < count) {
        engine_prefetch(run->engine, &run->batch[index], distance);
    }
}

static void batch_run(struct run *run, const struct flow_command *flow_commands, size_t count)
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

static void run_commands(struct run *run, size_t first, size_t count)
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
static void engine_age(struct run *run)
{
    const struct book_pool *pool = engine_pool(run->engine);
    for (uint64_t index = 0; index <= pool->by_id_mask; index++) {
        struct command c = client_command(run, MESSAGE_NEW_ORDER);
        c.new_order = new_order_make(SIDE_BUY, TIME_IN_FORCE_IOC, (struct i64_or_nil){1, true}, 1);
        command_apply(run, &c, FLOOR_BOOK_NONE);
    }
}

static void run_begin(struct run *run, const struct flow *flow, struct histogram *latencies)
{
    *run = (struct run){
        .engine = engine_new(&limits, HASH_SEED),
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

static void run_end(struct run *run)
{
    engine_destroy(&run->engine);
    memory_free(run->order_ids, run->flow->order_count, sizeof *run->order_ids);
    memory_free(run->batch, BATCH_COUNT, sizeof *run->batch);
}

/* ---- do both books agree? ---- */

/* The side's orders, best price first, oldest first. */
static bool sides_agree(const struct run *run, floor_book_t *floor_book, uint8_t side)
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

static bool books_agree(const struct run *run, floor_book_t *floor_book, int64_t floor_lots)
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
