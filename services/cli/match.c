/* match: see match.h.
 *
 *     FILE ── match_input ──> rows ──> session ──> engine ──> match_report ──> events, book, queues
 *
 * A label names one order whatever its account, while the engine's client order ids are unique per
 * account. So labels stay on this side: the engine is given none, and orders are named by their
 * order_id, which is the sequence of the command that placed them. What only labels can tell is
 * decided here: DUPLICATE_ORDER before the engine sees the order (in its precedence nothing a
 * checked row can be refused for comes earlier), UNKNOWN_ORDER for a label never used. Whether a
 * known label's order is still open, and of whom, the engine decides. */
#include "cli/match.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/match_input.h"
#include "cli/match_report.h"
#include "engine/engine.h"

#define SYMBOL text_of("MATCH")

enum {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,
    EXIT_MALFORMED = 2,
    EVENTS_DEFAULT = 1024, /* fills or cancels a command; more go on under the same step */
    EVENTS_MAX = 4096,     /* what the engine allows */
};

/* The engine's own limits; a file may have more, and orders beyond are refused. */
enum { OPEN_ORDERS_MAX = 1 << 26, ACCOUNTS_MAX = 1 << 20 };

static const char usage[] =
    "usage: outcry match [OPTIONS] [FILE|-]\n"
    "\n"
    "Runs a CSV of commands (gzip or not; - or nothing: standard input) through the matching "
    "engine\n"
    "and prints a CSV of events. The first line names the columns, in any order; columns left out\n"
    "and empty cells take the default:\n"
    "\n"
    "  op         new (default), cancel, amend, reduce, mass_cancel\n"
    "  id         the order's label: 1 to 36 of A-Z a-z 0-9 _ . : -\n"
    "  account    at most 32 of A-Z a-z 0-9 _ -; empty: may act on all orders\n"
    "  side       buy, sell\n"
    "  type       limit (default), market\n"
    "  tif        GTC (default), IOC, FOK\n"
    "  price qty  in ticks and lots; amend keeps what is left empty, reduce takes qty off\n"
    "  post_only  0 (default), 1: refuse rather than trade on arrival\n"
    "  stp        none (default), reject: refuse rather than trade with its own account\n"
    "  qty_is     open (default), total: what the qty of an amend means\n"
    "\n"
    "  --book FILE     write the book after every row to FILE, with\n"
    "  --depth N       so many levels a side, 1 to 10000\n"
    "  --queues FILE   write the orders left at the end to FILE\n"
    "  --any-price     prices may be zero and negative\n"
    "  --reuse-labels  a label is free again when its order is gone or was refused\n"
    "  --events-max N  fills or cancels the engine makes in one go, 1 to 4096 (1024);\n"
    "                  the output is the same whatever it is\n"
    "\n"
    "Exit status: 0; 1 if a file cannot be read or written; 2 if the input is malformed, which is\n"
    "then said as FILE:LINE:COLUMN, and nothing is printed.\n"
    "\n"
    "  outcry match orders.csv\n"
    "  outcry match --depth 5 --book book.csv --queues queues.csv orders.csv.gz > events.csv\n"
    "  printf 'id,side,price,qty\\na,sell,101,5\\nb,buy,101,3\\n' | outcry match\n";

struct options {
    const char *path;
    const char *book_path;
    const char *queues_path;
    int64_t depth;
    int64_t events_max;
    bool any_price;
    bool reuse_labels;
    bool help;
};

struct session {
    const struct match_input *in;
    engine_t *engine;
    uint64_t seq;
    uint64_t *order_ids; /* by label, of the last order that tried to bear it; 0: none did */
    bool reuse_labels;
    struct match_report report;
};

/* ---- the options ---- */

static bool refuse_usage(const char *found, const char *expected)
{
    fprintf(stderr, "outcry match: found \"%s\", expected %s\noutcry match --help says more.\n",
            found, expected);
    return false;
}

static bool number_option(const char *text, int64_t max, const char *expected, int64_t *value)
{
    if (csv_i64(text_of(text), value) && *value >= 1 && *value <= max)
        return true;
    return refuse_usage(text, expected);
}

static bool take_path(struct options *o, const char *path)
{
    if (o->path != NULL)
        return refuse_usage(path, "one FILE");
    o->path = path;
    return true;
}

static bool take_option(struct options *o, int option, const char *found)
{
    switch (option) {
    case 1: /* none, an argument of its own */
        return take_path(o, optarg);
    case 'b':
        o->book_path = optarg;
        return true;
    case 'd':
        return number_option(optarg, MATCH_DEPTH_MAX, "a --depth from 1 to 10000", &o->depth);
    case 'q':
        o->queues_path = optarg;
        return true;
    case 'e':
        return number_option(optarg, EVENTS_MAX, "an --events-max from 1 to 4096", &o->events_max);
    case 'p':
        return o->any_price = true;
    case 'r':
        return o->reuse_labels = true;
    case 'h':
        return o->help = true;
    case ':':
        return refuse_usage(found, "a value behind it");
    default:
        return refuse_usage(found, "an option of this command");
    }
}

static bool read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"book", required_argument, NULL, 'b'},       {"depth", required_argument, NULL, 'd'},
        {"queues", required_argument, NULL, 'q'},     {"any-price", no_argument, NULL, 'p'},
        {"reuse-labels", no_argument, NULL, 'r'},     {"help", no_argument, NULL, 'h'},
        {"events-max", required_argument, NULL, 'e'}, {NULL, 0, NULL, 0},
    };
    *o = (struct options){.events_max = EVENTS_DEFAULT};
    optind = 0; /* begin, even if somebody has used getopt before */
    for (;;) {
        const char *found = argv[optind == 0 ? 1 : optind];
        int option = getopt_long(argc, argv, "-:", known, NULL);
        if (option == -1)
            break;
        if (!take_option(o, option, found))
            return false;
        if (o->help)
            return true;
    }
    for (int i = optind; i < argc; i++) {
        if (!take_path(o, argv[i]))
            return false;
    }
    if ((o->book_path == NULL) != (o->depth == 0))
        return refuse_usage(o->depth == 0 ? "--book" : "--depth", "both --book and --depth");
    if (o->path == NULL)
        o->path = "-";
    return true;
}

/* ---- the session ---- */

static void apply(struct session *s, const struct command *c)
{
    engine_apply(s->engine, ++s->seq, 0, c);
}

static void session_open(struct session *s, const struct match_input *in, const struct options *o)
{
    uint64_t orders = in->new_count > 0 ? in->new_count : 1;
    uint64_t accounts = (uint64_t)in->accounts.count + 1;
    struct command setup = {
        .type = MESSAGE_CONFIGURE,
        .configure = {.open_orders_max = orders < OPEN_ORDERS_MAX ? orders : OPEN_ORDERS_MAX,
                      .accounts_max = accounts < ACCOUNTS_MAX ? accounts : ACCOUNTS_MAX,
                      .symbols_max = 1,
                      .origins_max = 1,
                      .origin_window = 1,
                      .events_max = (uint64_t)o->events_max,
                      .anonymous = true},
    };
    struct command symbol = {
        .type = MESSAGE_ADD_SYMBOL,
        .add_symbol = {SYMBOL, text_of("1"), text_of("1"), o->any_price},
    };
    *s = (struct session){.in = in, .reuse_labels = o->reuse_labels};
    s->engine = engine_new(&setup.configure, 0);
    s->order_ids = memory_new((size_t)in->labels.count + 1, sizeof *s->order_ids, "order ids");
    apply(s, &setup);
    apply(s, &symbol);
    match_report_open(&s->report, in, s->engine, engine_symbol_find(s->engine, SYMBOL),
                      o->book_path, (unsigned)o->depth, o->queues_path);
}

static void session_close(struct session *s)
{
    memory_free(s->order_ids, (size_t)s->in->labels.count + 1, sizeof *s->order_ids);
    engine_destroy(&s->engine);
}

/* What the label alone refuses the row for; 0: nothing. */
static enum reason check_label(const struct session *s, const struct match_row *row)
{
    uint64_t order_id = s->order_ids[row->label];
    if (row->op == MATCH_MASS_CANCEL)
        return 0;
    if (row->op != MATCH_NEW)
        return order_id == 0 ? REJECT_UNKNOWN_ORDER : 0;
    if (order_id == 0)
        return 0;
    bool gone = order_find(engine_pool(s->engine), order_id) == 0;
    return s->reuse_labels && gone ? 0 : REJECT_DUPLICATE_ORDER;
}

static struct command new_order_of(const struct match_row *row, struct text account)
{
    return (struct command){
        .type = MESSAGE_NEW_ORDER,
        .new_order = {.symbol = SYMBOL,
                      .account = account,
                      .side = row->side,
                      .type = row->type,
                      .time_in_force = row->time_in_force,
                      .post_only = row->post_only != 0,
                      .stp = row->stp,
                      .price = {row->price, row->price_given},
                      .qty = row->qty},
    };
}

/* An amend, or a reduce, which says nothing of the price. */
static struct command amend_order_of(const struct match_row *row, struct text account,
                                     uint64_t order_id)
{
    bool reduce = row->op == MATCH_REDUCE;
    return (struct command){
        .type = MESSAGE_AMEND_ORDER,
        .amend_order = {.symbol = SYMBOL,
                        .account = account,
                        .order_id = order_id,
                        .qty_is = reduce ? QTY_IS_REDUCE_BY : row->qty_is,
                        .qty = {row->qty, row->qty_given},
                        .price = {reduce ? 0 : row->price, !reduce && row->price_given}},
    };
}

static struct command command_of(const struct session *s, const struct match_row *row)
{
    struct text account = match_input_account(s->in, row->account);
    uint64_t order_id = s->order_ids[row->label];
    if (row->op == MATCH_NEW)
        return new_order_of(row, account);
    if (row->op == MATCH_CANCEL)
        return (struct command){.type = MESSAGE_CANCEL_ORDER,
                                .cancel_order = {SYMBOL, account, order_id, {"", 0}}};
    if (row->op == MATCH_MASS_CANCEL)
        return (struct command){.type = MESSAGE_MASS_CANCEL,
                                .mass_cancel = {SYMBOL, account, row->side}};
    return amend_order_of(row, account, order_id);
}

/* The row is a command, and then as many more as its work needs. */
static void run_row(struct session *s, uint64_t step, const struct match_row *row)
{
    enum reason refused = check_label(s, row);
    if (refused == 0) {
        struct command c = command_of(s, row);
        apply(s, &c);
        if (row->op == MATCH_NEW)
            s->order_ids[row->label] = s->seq; /* shard 0: the sequence is the order_id */
        refused = (enum reason)engine_result(s->engine).outcome.code;
    }
    if (refused != 0)
        match_report_rejected(&s->report, step, row->label, refused);
    else
        match_report_events(&s->report, step, row->label);
    while (engine_waiting(s->engine) != 0) {
        struct command c = {.type = MESSAGE_CONTINUE_WORK,
                            .continue_work = {engine_waiting(s->engine)}};
        apply(s, &c);
        match_report_events(&s->report, step, row->label);
    }
    match_report_book(&s->report, step);
}

static int run_all(const struct match_input *in, const struct options *o)
{
    struct session s;
    int error = 0;
    session_open(&s, in, o);
    for (uint64_t i = 0; i < in->row_count && !match_report_failed(&s.report); i++)
        run_row(&s, i + 1, &in->rows[i]);
    if (!match_report_failed(&s.report))
        match_report_queues(&s.report);
    const char *unwritten = match_report_close(&s.report, &error);
    if (unwritten != NULL)
        fprintf(stderr, "outcry match: cannot write %s: %s\n", unwritten, strerror(error));
    session_close(&s);
    return unwritten != NULL ? EXIT_FAILED : EXIT_FINE;
}

/* ---- the input ---- */

static int read_input(struct match_input *in, const char *path)
{
    struct csv_file file;
    struct csv_fault fault;
    const char *why = "";
    enum status status = csv_load(&file, path, &why);
    if (status != STATUS_OK) {
        fprintf(stderr, "outcry match: cannot read %s: %s\n", file.name, why);
        return status == STATUS_INVALID ? EXIT_MALFORMED : EXIT_FAILED;
    }
    bool good = match_input_read(in, &file, &fault);
    if (!good)
        csv_fault_print(&file, &fault);
    csv_unload(&file);
    return good ? EXIT_FINE : EXIT_MALFORMED;
}

int match_main(int argc, char **argv)
{
    struct options options;
    struct match_input in;
    if (!read_options(&options, argc, argv))
        return EXIT_MALFORMED;
    if (options.help) {
        fputs(usage, stdout);
        return fflush(stdout) == 0 ? EXIT_FINE : EXIT_FAILED;
    }
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is a write that fails, and is told */
    int status = read_input(&in, options.path);
    if (status != EXIT_FINE)
        return status;
    status = run_all(&in, &options);
    match_input_close(&in);
    return status;
}
