/* The engine beside the floor: the cases, the rows of the report, the command line. How the engine
 * is driven is in engine_run.c. */
#include "engine_bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "engine/state.h" /* for the sizes only */
#include "engine_run.h"
#include "sample.h"

enum {
    TIMER_READS = 100000,
    SEED_DEFAULT = 1,
    RUNS_DEFAULT = 15,
    RUNS_QUICK = 9,
    COMMANDS_QUICK = 500000,
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

/* What is not said, by whether it is to be quick. */
static void options_complete(struct options *o)
{
    if (o->runs == 0) {
        o->runs = o->quick ? RUNS_QUICK : RUNS_DEFAULT;
    }
    if (o->commands == 0) {
        o->commands = o->quick ? COMMANDS_QUICK : FLOW_COMMANDS_DEFAULT;
    }
}

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
static bool flow_run(const struct flow *flow, floor_book_t *book, int64_t floor_lots,
                     struct sample *rates, struct histogram *latencies)
{
    struct engine_run run;
    engine_run_begin(&run, flow, latencies);
    engine_run_flow(&run);
    if (rates) {
        sample_add(rates, rate(flow->command_count, run.spent_ns));
    }
    bool agree = engine_run_agrees(&run, book, floor_lots);
    engine_run_end(&run);
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
        good = flow_run(flow, book, floor_lots, &row.ours, NULL);
    }
    good = good && flow_run(flow, book, floor_lots, NULL, latencies);
    if (good) {
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
    engine_t *engine = engine_new(&engine_run_limits, 0);
    const struct book_pool *pool = engine_pool(engine);
    const struct labels *labels = &engine->labels;
    double index = (double)((pool->by_id_mask + 1) * sizeof pool->by_id[0]) /
                   (double)engine_run_limits.open_orders_max;
    double buckets =
        (double)((labels->bucket_mask + 1) * sizeof labels->heads[0]) / (double)labels->order_max;
    report_figure(report, "bytes_order",
                  (double)(sizeof(struct order) + sizeof(struct order_detail)) + index, "B");
    report_figure(report, "bytes_label", (double)sizeof(struct label) + buckets, "B");
    engine_destroy(&engine);
}

static bool bench_run(const void *self, struct sample_report *report)
{
    const struct options *options = self;
    bool good = true;
    for (size_t index = 0; good && index < CASE_COUNT; index++) {
        const struct bench_case *c = &cases[index];
        if (options->only ? strcmp(options->only, c->name) == 0 : c->quick || !options->quick) {
            good = case_run(c, options, report);
        }
    }
    report_figure(report, "timer", timer_ns(), "ns");
    report_memory(report);
    fputs("ours: engine_apply and reading its events. floor: floor_book_apply. In turn, medians;\n"
          "both books compared after each run. Percentiles: one command in ns, the timer's own\n"
          "cost included. bytes_order: order, detail, id index; bytes_label: a client order id.\n",
          stderr);
    return good;
}

bool engine_bench_run(bool quick, struct sample_report *report)
{
    struct options options = {.quick = quick, .seed = SEED_DEFAULT};
    options_complete(&options);
    return bench_run(&options, report);
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

static bool case_known(const char *name)
{
    for (size_t index = 0; index < CASE_COUNT; index++) {
        if (strcmp(cases[index].name, name) == 0) {
            return true;
        }
    }
    return false;
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
            good = value && case_known(value);
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
    options_complete(o);
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
    return sample_report_write(options.json_path, bench_run, &options) ? 0 : 1;
}
