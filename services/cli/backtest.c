/* backtest: see backtest.h.
 *
 *     words ── backtest_options ──> what is to be done
 *     files ── backtest_history ──> recording ──┐
 *     words ── backtest_specs ────> strategies ─┴─ backtest_run, backtest_sweep or serve ──> report
 *
 *     a live run's inputs ── backtest_inputs ──> compared, report */
#include "cli/backtest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/serve.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cli/backtest_inputs.h"
#include "cli/backtest_report.h"
#include "cli/backtest_specs.h"
#include "cli/backtest_sweep.h"
#include "cli/progress.h"
#include "node/host.h"

enum {
    EXIT_MISTAKE = 2,
    TEXT_SIZE = 160,
    SERVE_PATIENCE_MS = 60000,
};

static const uint64_t SECONDS_OF_YEAR = 365 * 86400; /* around the clock */

static const char usage[] =
    "usage: outcry backtest TYPE [NAME=VALUE ...] --history PATH --symbol S [options]\n"
    "       outcry backtest --strategies FILE [--only NAME] --history PATH [options]\n"
    "       outcry backtest --inputs FILE [--json FILE] [--csv DIR] [--html FILE]\n"
    "       outcry backtest --serve --history PATH --symbol S [options] [-- PROGRAM ARGS]\n"
    "\n"
    "Runs strategies against recorded orders, in the real engine on a virtual clock: orders of "
    "ours\n"
    "are put into the recorded stream, stand in its queues and take its liquidity. The same words\n"
    "give the same result, to the byte.\n"
    "\n"
    "  TYPE          twap, vwap, pov, maker; ./my.so; none: no strategy, the history as it was.\n"
    "                `outcry-strategy --list` says what each can be told\n"
    "  --strategies  those of the section `strategies` of a configuration FILE, all at once\n"
    "  --inputs      what a live run was given (strategy_inputs_dir): every order is made again "
    "and\n"
    "                compared to the byte\n"
    "  --serve       for a strategy outside: PROGRAM trades over the sockets of a live matcher, "
    "in\n"
    "                virtual time\n"
    "\n"
    "The history:\n"
    "  --history PATH      what was recorded; its form is seen, or told by --form:\n"
    "                      journal   the directory of a shard's journal, {journal_dir}/0\n"
    "                      lobster   a LOBSTER zip, or its message file with --book FILE\n"
    "                      commands  row,ts,op,order_id,side,price,qty (see outcry replay)\n"
    "                      csv       ts,msg_type,side,price,qty,order_id (see outcry replay)\n"
    "                      l2        ts,msg_type,side,price,qty; msg_type level (L): what a price\n"
    "                                holds now, 0: nothing; trade (T): side is the aggressor's\n"
    "                      a column seq of csv and l2 must go up by one: a gap is told\n"
    "  --symbol S          tick and lot are a journal's own, else those of the configuration, "
    "else\n"
    "                      --tick-size (0.01), --lot-size (1) and --any-price\n"
    "  --ts-unit UNIT      csv, l2: what ts counts: s, ms, us or ns (ns)\n"
    "  --price-unit U      commands: what prices count (the symbol's ticks); LOBSTER's are 0.0001\n"
    "  --day DATE          ts counts from this day, like 2012-06-21 (1970-01-01; LOBSTER's files\n"
    "                      have it in their names)\n"
    "  --from T, --to T    only a part of it: 34200 (seconds after midnight), 09:30:00, or\n"
    "                      2026-11-21T09:30:00Z; what was before is there as the market\n"
    "  --without ACCOUNT   leave out what this account did\n"
    "\n"
    "The exchange:\n"
    "  --latency MS        each way (0); or --order-latency MS, --data-latency MS\n"
    "  --latency-file F    drawn from a file, each way: a number of ms a line\n"
    "  --seed N            of what is drawn (1)\n"
    "  --queue MODEL       l2: who cancels stands behind us: back, or anywhere: proportional "
    "(back)\n"
    "  --maker-fee BP, --taker-fee BP, --inventory QTY: short for maker_fee= taker_fee= "
    "inventory=\n"
    "\n"
    "The report is printed, and:\n"
    "  --json FILE         all figures and fills (-: instead of the report)\n"
    "  --csv DIR           fills.csv orders.csv curve.csv\n"
    "  --html FILE         one page with plots, which opens offline\n"
    "  --sample SECONDS    between points of the curves (1); --around-the-clock: a year has 365 "
    "days\n"
    "                      of 24 hours, not 252 of 6.5\n"
    "  --sweep NAME=A:B:STEP  the same with many values, up to four times; --jobs N at a time\n"
    "  --trades FILE       for checks: each fill of a recorded order\n"
    "  --book-rows FILE    for checks: the best --book-levels N (1) behind each recorded row\n"
    "\n"
    "Exit status: 0; 1 if something cannot be read or written, is damaged or differs; 2 if what "
    "was\n"
    "told or recorded makes no sense, which is then said as FILE:LINE:COLUMN.\n"
    "\n"
    "  outcry backtest none --history AAPL_1.zip --symbol AAPL --trades fills.csv\n"
    "  outcry backtest twap side=buy quantity=5000 duration=3600 --history AAPL_1.zip --symbol "
    "AAPL\n"
    "  outcry backtest maker quantity=100 --history AAPL_1.zip --symbol AAPL --latency 0.5 \\\n"
    "      --maker-fee -0.2 --taker-fee 0.3 --html maker.html --json maker.json\n"
    "  outcry backtest maker --history AAPL_1.zip --symbol AAPL --sweep gamma=0.001:0.003:0.001\n"
    "  outcry backtest --strategies venue.cfg --history journal/0 --symbol BTC-USD --csv results\n"
    "  outcry backtest --inputs strategy-1.inputs\n";

static struct backtest {
    struct cluster cluster;
    struct backtest_options o;
    struct backtest_history history;
    struct backtest_specs specs;
    struct report_run about;
    char mode[TEXT_SIZE], latency[TEXT_SIZE], seed[TEXT_SIZE], short_qty[DECIMAL_TEXT_SIZE];
} backtest;

/* ---- the symbol ---- */

static bool refuse(const char *words)
{
    fprintf(stderr, "outcry backtest: %s\n", words);
    return false;
}

/* That all strategies of the file trade; NULL: they trade several, or cannot be read. */
static const char *symbol_of_file(struct backtest *b)
{
    char error[STRATEGY_SPEC_ERROR_SIZE];
    struct backtest_specs *s = &b->specs;
    static char name[SYMBOL_SIZE_MAX + 1];
    s->all = memory_new(STRATEGIES_MAX, sizeof *s->all, "strategies");
    bool fine = strategy_specs_load(&b->cluster, b->o.strategies, b->o.only, s->all, STRATEGIES_MAX,
                                    &s->count, error);
    if (fine && s->count == 0) {
        snprintf(error, sizeof error, "%.400s: found no section `strategies`, expected one",
                 b->o.strategies);
        fine = false;
    }
    for (unsigned i = 1; fine && i < s->count; i++) {
        if (strcmp(s->all[i].symbol.name, s->all[0].symbol.name) == 0)
            continue;
        snprintf(error, sizeof error,
                 "--symbol: found nothing, and strategies on %s and %s, expected one of them",
                 s->all[0].symbol.name, s->all[i].symbol.name);
        fine = false;
    }
    snprintf(name, sizeof name, "%s", s->all[0].symbol.name);
    backtest_specs_free(s);
    return fine || refuse(error) ? name : NULL;
}

/* As configured, or as flags say, or 0.01 and 1. */
static bool find_symbol(struct backtest *b, struct cluster_symbol *s)
{
    const struct backtest_options *o = &b->o;
    const char *name = o->symbol != NULL ? o->symbol : symbol_of_file(b);
    if (name == NULL)
        return false;
    const struct cluster_symbol *known = cluster_symbol_find(&b->cluster, name);
    *s = known != NULL ? *known : (struct cluster_symbol){.tick_size = "0.01", .lot_size = "1"};
    snprintf(s->name, sizeof s->name, "%s", name);
    if (o->tick_size != NULL)
        snprintf(s->tick_size, sizeof s->tick_size, "%s", o->tick_size);
    if (o->lot_size != NULL)
        snprintf(s->lot_size, sizeof s->lot_size, "%s", o->lot_size);
    s->any_price |= o->any_price;
    return decimal_unit_read(&s->tick, s->tick_size, strlen(s->tick_size)) &&
           decimal_unit_read(&s->lot, s->lot_size, strlen(s->lot_size));
}

/* Strategies of a file count in the history's tick and lot. */
static bool keep_symbol(struct backtest *b)
{
    struct cluster *c = &b->cluster;
    const struct cluster_symbol *known = cluster_symbol_find(c, b->history.symbol.name);
    if (known == NULL && c->symbol_count == CLUSTER_SYMBOLS_MAX)
        return refuse("the configuration has no room for one more symbol");
    size_t place = known == NULL ? c->symbol_count++ : (size_t)(known - c->symbols);
    c->symbols[place] = b->history.symbol;
    return true;
}

/* ---- the history ---- */

/* 0, or the exit status. */
static int load_history(struct backtest *b)
{
    const struct backtest_options *o = &b->o;
    struct backtest_history_options h = {
        .path = o->history,
        .form = o->form,
        .book_path = o->book,
        .ts_unit_ns = o->ts_unit_ns,
        .has_price_unit = o->has_price_unit,
        .price_unit = o->price_unit,
        .has_day = o->has_day,
        .day_ns = o->day_ns,
        .from = o->from,
        .to = o->to,
    };
    if (!find_symbol(b, &h.symbol))
        return EXIT_MISTAKE;
    h.limits = cluster_limits(&b->cluster, h.symbol.shard);
    enum status status = backtest_history_load(&b->history, &h);
    if (status != STATUS_OK)
        return status == STATUS_INVALID ? EXIT_MISTAKE : EXIT_FAILURE;
    if (b->history.unexplained > 0)
        fprintf(stderr,
                "outcry backtest: %llu rows of the recording do not follow from the book before "
                "them; the book was put right\n",
                (unsigned long long)b->history.unexplained);
    return keep_symbol(b) ? 0 : EXIT_MISTAKE;
}

/* ---- how it is run ---- */

static struct result_options result_options(const struct backtest_options *o)
{
    struct result_options r = {.sample_ns = o->sample_ns};
    uint64_t sample_ns = o->sample_ns == 0 ? NS_PER_SECOND : o->sample_ns;
    if (o->around_the_clock)
        r.samples_per_year = SECONDS_OF_YEAR * NS_PER_SECOND / sample_ns;
    return r;
}

static void tell_about(struct backtest *b)
{
    const struct backtest_options *o = &b->o;
    bool levels = recording_kind_of(b->history.recording) == RECORDING_LEVELS;
    snprintf(b->mode, sizeof b->mode, "%s",
             !levels                        ? "exact"
             : o->queue_model == QUEUE_BACK ? "queue model: back"
                                            : "queue model: proportional");
    backtest_report_latency(o, b->latency, sizeof b->latency);
    snprintf(b->seed, sizeof b->seed, "%llu", (unsigned long long)o->seed);
    snprintf(b->short_qty, sizeof b->short_qty, "0");
    b->about = (struct report_run){
        .history = o->history,
        .form = history_form_word(b->history.form),
        .mode = b->mode,
        .latency = b->latency,
        .seed = b->seed,
        .short_qty = b->short_qty,
    };
}

static void tell_counts(struct backtest *b, const struct backtest_run *r)
{
    b->about.events = r->counts.events;
    b->about.recorded_refused = r->counts.refused;
    b->about.seconds = r->seconds;
    decimal_from_sum(b->short_qty, r->counts.short_qty, &b->history.symbol.lot);
}

/* What is not of one strategy. */
static void print_venue(const struct backtest *b, const struct backtest_run *r)
{
    const struct venue_counts *n = &r->counts;
    bool json = b->o.json != NULL && strcmp(b->o.json, "-") == 0;
    FILE *out = json ? stderr : stdout;
    putc('\n', out);
    for (unsigned i = 0; i < r->logs.count; i++)
        backtest_report_refused(out, venue_host(r->venue), i);
    fprintf(out, "replayed %llu recorded, %llu left out, %llu of ours; %llu trades in all\n",
            (unsigned long long)n->recorded, (unsigned long long)n->left_out,
            (unsigned long long)n->ours, (unsigned long long)n->trades);
    if (b->history.form == HISTORY_JOURNAL)
        fprintf(out, "digests  %llu compared, %llu differ\n", (unsigned long long)n->digests,
                (unsigned long long)n->digests_differ);
}

static struct backtest_run_options run_options(struct backtest *b)
{
    const struct backtest_options *o = &b->o;
    return (struct backtest_run_options){
        .venue =
            {
                .recording = b->history.recording,
                .order_latency = o->order_latency,
                .data_latency = o->data_latency,
                .queue_model = o->queue_model,
                .seed = o->seed,
                .without_account = o->without,
            },
        .result = result_options(o),
        .specs = b->specs.all,
        .count = b->specs.count,
        .progress = true,
    };
}

/* ---- running ---- */

static int run_watched(struct backtest *b, struct backtest_run_options *options)
{
    struct backtest_run r;
    backtest_run(&r, options);
    tell_counts(b, &r);
    bool fine = backtest_report(&b->o, &b->about, r.logs.logs, r.logs.figures, r.logs.count);
    print_venue(b, &r);
    if (r.counts.digests_differ > 0)
        fine = refuse("the history was not made again as it was recorded: its digests differ");
    backtest_run_close(&r);
    return fine && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(struct backtest *b)
{
    const struct backtest_options *o = &b->o;
    struct backtest_run_options options = run_options(b);
    struct backtest_watch watch;
    if (o->trades == NULL && o->book_rows == NULL)
        return run_watched(b, &options);
    if (o->trades != NULL && recording_kind_of(b->history.recording) == RECORDING_LEVELS) {
        refuse("--trades: found a history of levels, expected one of orders");
        return EXIT_MISTAKE;
    }
    if (!backtest_watch_open(&watch, &b->history, o->trades, o->book_rows, o->book_levels))
        return EXIT_FAILURE;
    options.venue.watch = backtest_watch_see;
    options.venue.self = &watch;
    int status = run_watched(b, &options);
    return backtest_watch_close(&watch) ? status : EXIT_FAILURE;
}

static int run_strategies(struct backtest *b)
{
    if (!backtest_specs_make(&b->specs, &b->o, &b->cluster, &b->history.symbol) ||
        !backtest_specs_alone(&b->specs, b->history.recording, b->o.without))
        return EXIT_MISTAKE;
    struct backtest_run_options options = run_options(b);
    return b->o.axes != NULL ? backtest_sweep(&b->o, &b->history.symbol, &options, &b->about)
                             : run(b);
}

static void on_served(void *self, uint64_t done, uint64_t total)
{
    (void)total;
    progress_at(self, done);
}

/* What came of the clients; 0, or the exit status of one that failed. */
static int report_served(struct backtest *b, const struct serve_outcome *outcome)
{
    b->about.events = outcome->recorded + outcome->commands;
    b->about.recorded_refused = outcome->refused;
    decimal_from_sum(b->short_qty, outcome->short_qty, &b->history.symbol.lot);
    if (outcome->log == NULL)
        puts("no client placed an order");
    else if (!backtest_report(&b->o, &b->about, &outcome->log, &outcome->figures, 1))
        return EXIT_FAILURE;
    if (outcome->program_status != 0)
        fprintf(stderr, "outcry backtest: the program ended with status %d\n",
                outcome->program_status);
    return outcome->program_status == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int serve(struct backtest *b)
{
    char error[SERVE_ERROR_SIZE];
    struct progress progress;
    struct serve_outcome outcome = {.log = NULL};
    struct serve_options options = {
        .recording = b->history.recording,
        .cluster = &b->cluster,
        .order_latency = b->o.order_latency,
        .seed = b->o.seed,
        .sampling = result_options(&b->o),
        .program = b->o.program,
        .progress = on_served,
        .self = &progress,
        .patience_ms = SERVE_PATIENCE_MS,
    };
    if (!backtest_specs_fees(&options.fees, &b->o, &b->history.symbol))
        return EXIT_MISTAKE;
    if (recording_kind_of(options.recording) == RECORDING_LEVELS) {
        refuse("--serve: found a history of levels, expected one of orders");
        return EXIT_MISTAKE;
    }
    uint64_t start_ns = clock_monotonic_ns();
    progress_begin(&progress, "serve", recording_count(options.recording));
    enum status status = serve_run(&options, &outcome, error);
    progress_end(&progress);
    if (status != STATUS_OK) {
        refuse(error);
        return EXIT_FAILURE;
    }
    b->about.seconds = (double)(clock_monotonic_ns() - start_ns) / (double)NS_PER_SECOND;
    int exit_status = report_served(b, &outcome);
    result_log_destroy(&outcome.log);
    return exit_status;
}

static int run_history(struct backtest *b)
{
    int status = load_history(b);
    if (status != 0)
        return status;
    tell_about(b);
    return b->o.serve ? serve(b) : run_strategies(b);
}

/* ---- arguments ---- */

/* The file of --strategies is the configuration, unless another is named; what stands behind `--`
 * is not ours. What is left of argv is for backtest_options. */
static int load_cluster(struct backtest *b, int argc, char **argv)
{
    int own = 1;
    for (; own < argc && strcmp(argv[own], "--") != 0; own++) {
        if (strcmp(argv[own], "--strategies") == 0 && own + 1 < argc)
            setenv("OUTCRY_CONFIG", argv[own + 1], 0);
    }
    int left = own;
    char *behind = argv[own];
    host_load(&b->cluster, &left, argv, usage);
    argv[own] = behind; /* its argv ends there */
    memmove(&argv[left], &argv[own], (size_t)(argc - own + 1) * sizeof argv[0]); /* and the NULL */
    return left + argc - own;
}

int backtest_main(int argc, char **argv)
{
    struct backtest *b = &backtest;
    int status = EXIT_MISTAKE;
    argc = load_cluster(b, argc, argv);
    if (backtest_options_read(&b->o, argc, argv)) {
        struct result_options result = result_options(&b->o);
        status = b->o.inputs != NULL ? backtest_inputs_run(&b->o, &result) : run_history(b);
    }
    backtest_specs_free(&b->specs);
    backtest_history_unload(&b->history);
    backtest_options_free(&b->o);
    return status;
}
