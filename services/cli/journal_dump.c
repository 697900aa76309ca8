/* journal_dump: `outcry journal dump DIR`: a journal's commands as the CSV that `outcry match`
 * reads, or as JSON lines.
 *
 * A command in the journal says what was asked; what became of it is only known when it is run
 * again. So each batch is run, and what the matcher says of it is laid beside its commands:
 *
 *     ack.   result          the order a command made or acted on, or the code it was refused with
 *     acct.  order_amended   what was open after an amend
 *
 * CSV has the commands that changed something, with orders named by order_id, and nothing that
 * `outcry match` could see otherwise than the exchange did: refusals, repeats and the matcher's own
 * continue_work are left out. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/memory.h"
#include "cli/journal.h"
#include "cli/journal_json.h"
#include "cli/past.h"
#include "journal/file_disk.h"
#include "proto/catalog.h"
#include "proto/frame.h"

enum { ROW_SIZE_MAX = 512, BATCH_FIRST = 4096 };

static const char usage[] =
    "usage: outcry journal dump DIR [--symbol S] [--json] [--from SEQ] [--to SEQ]\n"
    "\n"
    "Writes the commands of a shard's journal: as the CSV that `outcry match` reads or, with "
    "--json,\n"
    "as JSON lines.\n"
    "\n"
    "The CSV is of one symbol; --symbol may be left out if there is only one. It has the commands\n"
    "that changed something: what was refused, and repeats of a client_order_id, are not in it.\n"
    "Orders are named by their order_id, whatever the command named them by; prices and "
    "quantities\n"
    "are ticks and lots. From the first command on, `outcry match` makes the same trades of it "
    "and\n"
    "leaves the same book (a symbol with any_price needs its --any-price). From a later one on\n"
    "(--from, or where the first records were removed) what rested before is not in it.\n"
    "\n"
    "A JSON line is a command, with where and when it was sequenced, who sent it, all its fields "
    "and\n"
    "its result: null for one that goes on, whose result comes with the continue_work that ends "
    "it.\n"
    "Notes of the journal (epoch, checkpoint, close) are lines, too, unless --symbol is given.\n"
    "\n"
    "Exit status: 0; 1 if the journal cannot be read, or is damaged behind what was written; 2 if\n"
    "the arguments are wrong.\n"
    "\n"
    "  outcry journal dump /tmp/outcry/journal/0 --symbol BTC-USD > orders.csv\n"
    "  outcry match orders.csv --queues book.csv > events.csv\n"
    "  outcry journal dump /tmp/outcry/journal/0 --json --from 1000 --to 2000\n";

/* A command of the batch at hand. */
struct item {
    struct command command;
    struct text symbol; /* whose it is; empty: all, or nobody knows */
    struct result result;
    int64_t open_qty; /* after an amend */
    bool resulted;
};

struct dump {
    const char *directory;
    const char *symbol; /* NULL: all */
    bool json;
    uint64_t from, to;
    past_t *past;
    struct csv_writer out;
    struct item *items;
    uint64_t item_count, item_room;
    uint64_t first_seq;
    bool checked; /* that there is such a symbol */
    char error[JOURNAL_ERROR_SIZE];
};

static bool tell(const char *words)
{
    fprintf(stderr, "outcry journal dump: %s\n", words);
    return false;
}

/* ---- what became of the commands ---- */

static struct item *item_at(struct dump *d, uint64_t seq)
{
    uint64_t place = seq - d->first_seq;
    return seq >= d->first_seq && place < d->item_count ? &d->items[place] : NULL;
}

static void on_event(struct item *item, uint64_t type, struct wire_reader fields)
{
    struct order_amended amended;
    if (type == MESSAGE_RESULT) {
        result_get_fields(&fields, &item->result);
        item->resulted = true;
    } else if (type == MESSAGE_ORDER_AMENDED) {
        order_amended_get_fields(&fields, &amended);
        item->open_qty = amended.open_qty;
    }
}

/* A group is of one command: the one whose result it has, or the continue_work that ended that. */
static void on_frame(void *self, unsigned output, const uint8_t *message, size_t size)
{
    struct dump *d = self;
    struct frame_reader f;
    struct wire_reader fields;
    uint64_t type;
    if (output != MATCHER_OUTPUT_PRIVATE || frame_read(&f, message, size) != FRAME_READ_OK)
        return;
    while (frame_next_group(&f)) {
        struct item *item = item_at(d, f.group_seq);
        while (item != NULL && frame_next_event(&f, &type, &fields))
            on_event(item, type, fields);
    }
}

/* ---- whose they are ---- */

/* Orders are numbered by the command that made them, perhaps in this very batch. */
static struct text symbol_of_order(struct dump *d, uint64_t order_id)
{
    const matcher_t *m = history_matcher(past_history(d->past));
    const struct item *maker = item_at(d, order_id & ((UINT64_C(1) << 48) - 1));
    if (maker != NULL)
        return maker->symbol;
    if (m == NULL)
        return (struct text){"", 0};
    const engine_t *e = matcher_engine(m);
    uint32_t order = order_find(engine_pool(e), order_id);
    return order == 0 ? (struct text){"", 0} : engine_order(e, order).symbol;
}

static struct text symbol_of(struct dump *d, const struct command *c)
{
    switch (c->type) {
    case MESSAGE_NEW_ORDER:
        return c->new_order.symbol;
    case MESSAGE_CANCEL_ORDER:
        return c->cancel_order.symbol.size > 0 ? c->cancel_order.symbol
                                               : symbol_of_order(d, c->cancel_order.order_id);
    case MESSAGE_AMEND_ORDER:
        return c->amend_order.symbol.size > 0 ? c->amend_order.symbol
                                              : symbol_of_order(d, c->amend_order.order_id);
    case MESSAGE_MASS_CANCEL:
        return c->mass_cancel.symbol;
    case MESSAGE_ADD_SYMBOL:
        return c->add_symbol.symbol;
    default:
        return (struct text){"", 0};
    }
}

/* Before the batch is run: an order it ends is still known. */
static void read_batch(struct dump *d, const struct journal_record *r)
{
    const uint8_t *at = r->bytes, *end = at + r->size;
    if (r->count > d->item_room) {
        memory_free(d->items, d->item_room, sizeof *d->items);
        d->item_room = r->count > BATCH_FIRST ? r->count : BATCH_FIRST;
        d->items = memory_new(d->item_room, sizeof *d->items, "a batch's commands");
    }
    d->first_seq = r->first_seq;
    d->item_count = 0;
    while (at < end && d->item_count < r->count) {
        struct item *item = &d->items[d->item_count];
        *item = (struct item){.resulted = false};
        if (command_read(&at, end, &item->command) != COMMAND_READ_OK)
            return; /* running it says so */
        item->symbol = symbol_of(d, &item->command);
        d->item_count++;
    }
}

static bool is_wanted(const struct dump *d, const struct item *item)
{
    if (d->symbol == NULL)
        return true;
    bool all = item->command.type == MESSAGE_MASS_CANCEL && item->symbol.size == 0;
    return all || text_equal(item->symbol, text_of(d->symbol));
}

/* ---- CSV ---- */

static char *put_cell(char *at, struct text text)
{
    *at++ = ',';
    return csv_put_text(at, text);
}

static char *put_set(char *at, enum catalog_kind kind, uint64_t value)
{
    return put_cell(at, text_of(catalog_value_text(kind, value)));
}

static char *put_number(char *at, struct i64_or_nil value)
{
    *at++ = ',';
    return value.given ? csv_put_i64(at, value.value) : at;
}

static char *put_op(char *at, const char *op, uint64_t order_id, struct text account)
{
    at = csv_put_text(at, text_of(op));
    *at++ = ',';
    if (order_id != 0)
        at = csv_put_u64(at, order_id);
    return put_cell(at, account);
}

static char *put_new_order(char *at, const struct item *item)
{
    const struct new_order *m = &item->command.new_order;
    at = put_op(at, "new", item->result.order_id, m->account);
    at = put_set(at, KIND_side, m->side);
    at = put_set(at, KIND_order_type, m->type);
    at = put_set(at, KIND_time_in_force, m->time_in_force);
    at = put_number(at, m->price);
    at = put_number(at, (struct i64_or_nil){m->qty, true});
    at = put_cell(at, text_of(m->post_only ? "1" : "0"));
    at = put_set(at, KIND_stp, m->stp);
    return put_cell(at, text_of(""));
}

/* A reduction that also changes the price is told by what it left open, if anything: `reduce` has
 * no price. */
static char *put_amend_order(char *at, const struct item *item)
{
    const struct amend_order *m = &item->command.amend_order;
    bool reduces = m->qty_is == QTY_IS_REDUCE_BY;
    bool by_open = reduces && m->price.given && item->open_qty > 0;
    bool reduce = reduces && !by_open;
    at = put_op(at, reduce ? "reduce" : "amend", item->result.order_id, m->account);
    at = csv_put_text(at, text_of(",,,"));
    at = put_number(at, reduce ? (struct i64_or_nil){0, false} : m->price);
    at = put_number(at, by_open ? (struct i64_or_nil){item->open_qty, true} : m->qty);
    at = csv_put_text(at, text_of(",,,"));
    if (!reduce)
        at = csv_put_text(at, text_of(by_open || m->qty_is == QTY_IS_OPEN ? "open" : "total"));
    return at;
}

static char *put_mass_cancel(char *at, const struct mass_cancel *m)
{
    at = put_op(at, "mass_cancel", 0, m->account);
    *at++ = ',';
    if (m->side != 0)
        at = csv_put_text(at, text_of(catalog_value_text(KIND_side, m->side)));
    return csv_put_text(at, text_of(",,,,,,,"));
}

/* Whether it changed something, or may have: of a mass cancel that goes on there is no result yet.
 */
static bool did_something(const struct item *item)
{
    if (!item->resulted)
        return item->command.type == MESSAGE_MASS_CANCEL;
    return item->result.code == 0 && !item->result.duplicate;
}

static void put_row(struct dump *d, const struct item *item)
{
    const struct command *c = &item->command;
    if (!did_something(item))
        return;
    char *at = csv_writer_row(&d->out, ROW_SIZE_MAX);
    switch (c->type) {
    case MESSAGE_NEW_ORDER:
        at = put_new_order(at, item);
        break;
    case MESSAGE_CANCEL_ORDER:
        at = put_op(at, "cancel", item->result.order_id, c->cancel_order.account);
        at = csv_put_text(at, text_of(",,,,,,,,"));
        break;
    case MESSAGE_AMEND_ORDER:
        at = put_amend_order(at, item);
        break;
    case MESSAGE_MASS_CANCEL:
        at = put_mass_cancel(at, &c->mass_cancel);
        break;
    default:
        return; /* the matcher's own */
    }
    *at++ = '\n';
    csv_writer_done(&d->out, at);
}

/* ---- all of it ---- */

/* Once the symbols are there: is the one that is wanted among them, and is it clear which it is? */
static bool check_symbol(struct dump *d)
{
    const matcher_t *m = history_matcher(past_history(d->past));
    if (d->checked || m == NULL)
        return true;
    const engine_t *e = matcher_engine(m);
    uint32_t count = engine_symbol_count(e);
    bool found = d->symbol == NULL && (d->json || count == 1);
    d->checked = true;
    for (uint32_t n = 1; d->symbol != NULL && n <= count; n++)
        found = found || text_equal(engine_symbol_name(e, n), text_of(d->symbol));
    if (found)
        return true;
    fprintf(stderr, "outcry journal dump: found %s%s, expected --symbol with one of:",
            d->symbol == NULL ? "no --symbol" : "--symbol ", d->symbol == NULL ? "" : d->symbol);
    for (uint32_t n = 1; n <= count; n++)
        fprintf(stderr, " %.*s", (int)engine_symbol_name(e, n).size, engine_symbol_name(e, n).data);
    fputc('\n', stderr);
    return false;
}

static void put_batch(struct dump *d, const struct journal_record *r)
{
    for (uint64_t i = 0; i < d->item_count; i++) {
        const struct item *item = &d->items[i];
        uint64_t seq = r->first_seq + i;
        if (seq < d->from || seq > d->to || !is_wanted(d, item))
            continue;
        if (d->json)
            journal_json_command(&d->out, r, seq, &item->command,
                                 item->resulted ? &item->result : NULL);
        else
            put_row(d, item);
    }
}

static bool put_record(struct dump *d, const struct journal_record *r)
{
    d->item_count = 0;
    if (r->kind == RECORD_BATCH)
        read_batch(d, r);
    if (!past_take(d->past, r, d->error))
        return tell(d->error);
    if (!check_symbol(d))
        return false;
    bool run = record_last_seq(r) > past_snapshot_seq(d->past);
    if (r->kind == RECORD_BATCH && run)
        put_batch(d, r);
    else if (d->json && d->symbol == NULL && r->first_seq + 1 >= d->from && r->first_seq <= d->to)
        journal_json_note(&d->out, r);
    return true;
}

static bool put_all(struct dump *d)
{
    struct journal_record r;
    enum past_step step = PAST_RECORD;
    const char *words;
    while (history_seq(past_history(d->past)) < d->to && !csv_writer_failed(&d->out) &&
           (step = past_next(d->past, &r, d->error)) == PAST_RECORD) {
        if (!put_record(d, &r))
            return false;
    }
    if (step == PAST_FAILED)
        return tell(d->error);
    if (step != PAST_END)
        return true;
    enum past_verdict verdict = past_verdict(d->past, &words);
    return verdict == PAST_WHOLE || verdict == PAST_WRITTEN || tell(words);
}

static bool run(struct dump *d, const struct disk *disk)
{
    struct past_options o = {
        .disk = disk, .from_seq = d->from > 1 ? d->from : 0, .frame = on_frame, .self = d};
    if (past_open(&d->past, &o, d->error) != STATUS_OK)
        return tell(d->error);
    if (past_snapshot_seq(d->past) > 0 && d->from <= past_snapshot_seq(d->past))
        fprintf(stderr,
                "outcry journal dump: the first records are not kept any more: it begins with "
                "command %" PRIu64 "\n",
                past_snapshot_seq(d->past) + 1);
    csv_writer_attach(&d->out, STDOUT_FILENO, "standard output");
    if (!d->json)
        csv_writer_done(&d->out,
                        csv_put_text(csv_writer_row(&d->out, ROW_SIZE_MAX),
                                     text_of("op,id,account,side,type,tif,price,qty,post_only,stp,"
                                             "qty_is\n")));
    bool done = check_symbol(d) && put_all(d);
    if (csv_writer_close(&d->out) != STATUS_OK) {
        fprintf(stderr, "outcry journal dump: cannot write %s: %s\n", d->out.name,
                strerror(d->out.error));
        return false;
    }
    return done;
}

static int mistake(const char *found, const char *expected)
{
    fprintf(stderr, "outcry journal dump: found %s, expected %s (see --help)\n", found, expected);
    return 2;
}

/* A flag and its value; 0, or the exit status of a mistake. */
static int read_flag(struct dump *d, const char *flag, const char *value)
{
    bool from = strcmp(flag, "--from") == 0;
    if (!from && strcmp(flag, "--to") != 0 && strcmp(flag, "--symbol") != 0)
        return mistake(flag, "one DIR and flags that --help lists");
    if (value == NULL)
        return mistake("nothing", "a value behind the last flag");
    if (strcmp(flag, "--symbol") == 0)
        d->symbol = value;
    else if (!config_u64(value, 1, UINT64_MAX - 1, from ? &d->from : &d->to))
        return mistake(value, "a sequence from 1 on");
    return 0;
}

static int read_arguments(struct dump *d, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            d->json = true;
        } else if (argv[i][0] != '-' && d->directory == NULL) {
            d->directory = argv[i];
        } else {
            int status = read_flag(d, argv[i], argv[i + 1]);
            if (status != 0)
                return status;
            i++;
        }
    }
    return d->directory == NULL ? mistake("nothing", "the DIR of a shard's journal") : 0;
}

int journal_dump_main(int argc, char **argv)
{
    struct dump d = {.from = 1, .to = UINT64_MAX};
    file_disk_t *disk = NULL;
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    int status = read_arguments(&d, argc, argv);
    if (status != 0)
        return status;
    if (file_disk_open(&disk, d.directory, false) != STATUS_OK) {
        fprintf(stderr, "outcry journal dump: %s: %s\n", d.directory, strerror(errno));
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is a write that fails, and is told */
    bool done = run(&d, file_disk_ops(disk));
    past_close(&d.past);
    memory_free(d.items, d.item_room, sizeof *d.items);
    file_disk_close(&disk);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
