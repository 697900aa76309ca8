/* match_report: see match_report.h. An order keeps its number while it is open, and an event that
 * accepts one gives the number anew, so labels by number need no clearing. */
#include "cli/match_report.h"

#include <unistd.h>

#include "base/memory.h"
#include "proto/catalog.h"

enum {
    /* ten cells, the longest being three labels, five numbers and the name of a reason */
    EVENT_ROW_SIZE_MAX = 512,
    QUEUE_ROW_SIZE_MAX = 128,
    DEPTH_SIZE_MAX = 4 * (CSV_I64_SIZE_MAX + 1),
};

#define SIDE_ENTRY(prefix, NAME, number, text) [number] = {(text), sizeof(text) - 1},
static const struct text side_texts[] = {SIDE_TABLE(SIDE_ENTRY)};

/* ---- events ---- */

/* A row of the event file. What is not given stays empty. */
struct event_row {
    uint64_t step;
    const char *event;
    uint32_t label;
    uint8_t side; /* 0: empty */
    struct i64_or_nil price;
    struct i64_or_nil qty;
    uint32_t maker, taker; /* labels */
    struct i64_or_nil open_qty;
    uint16_t reason; /* 0: empty */
};

static char *put_number_cell(char *at, struct i64_or_nil value)
{
    *at++ = ',';
    return value.given ? csv_put_i64(at, value.value) : at;
}

static char *put_text_cell(char *at, struct text text)
{
    *at++ = ',';
    return csv_put_text(at, text);
}

static void put_event_row(struct match_report *r, const struct event_row *row)
{
    const struct text empty = {"", 0};
    char *at = csv_writer_row(&r->events, EVENT_ROW_SIZE_MAX);
    at = csv_put_u64(at, row->step);
    at = put_text_cell(at, text_of(row->event));
    at = put_text_cell(at, match_input_label(r->in, row->label));
    at = put_text_cell(at, row->side != 0 ? side_texts[row->side] : empty);
    at = put_number_cell(at, row->price);
    at = put_number_cell(at, row->qty);
    at = put_text_cell(at, match_input_label(r->in, row->maker));
    at = put_text_cell(at, match_input_label(r->in, row->taker));
    at = put_number_cell(at, row->open_qty);
    at = put_text_cell(at, row->reason != 0 ? text_of(catalog_reason_name(row->reason)) : empty);
    *at++ = '\n';
    csv_writer_done(&r->events, at);
}

static struct i64_or_nil given(int64_t value)
{
    return (struct i64_or_nil){value, true};
}

/* Everything of an event that has a column; the engine's kinds are the words of the file. */
static struct event_row row_of(const struct match_report *r, uint64_t step, const struct event *e)
{
    bool market = engine_order(r->engine, e->order).order->type == ORDER_TYPE_MARKET;
    struct event_row row = {
        .step = step,
        .label = r->labels[e->order],
        .side = e->side,
        .price = {e->price, !market || e->kind == EVENT_TRADE},
        .reason = e->reason,
    };
    switch (e->kind) {
    case EVENT_ACCEPTED:
        row.event = "accepted";
        row.qty = given(e->qty);
        break;
    case EVENT_AMENDED:
        row.event = "amended";
        row.qty = row.open_qty = given(e->open_qty);
        break;
    case EVENT_TRADE:
        row.event = "trade";
        row.qty = given(e->qty);
        row.maker = r->labels[e->maker];
        row.taker = row.label;
        row.open_qty = given(e->open_qty);
        break;
    case EVENT_RESTED:
        row.event = "rested";
        row.open_qty = given(e->open_qty);
        break;
    default: /* EVENT_CANCELLED */
        row.event = "cancelled";
        row.qty = given(e->qty);
        row.open_qty = given(0);
        break;
    }
    return row;
}

void match_report_events(struct match_report *r, uint64_t step, uint32_t label)
{
    size_t count;
    const struct event *events = engine_events(r->engine, &count);
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == EVENT_ACCEPTED)
            r->labels[events[i].order] = label;
        struct event_row row = row_of(r, step, &events[i]);
        put_event_row(r, &row);
    }
}

void match_report_rejected(struct match_report *r, uint64_t step, uint32_t label,
                           enum reason reason)
{
    struct event_row row = {
        .step = step, .event = "rejected", .label = label, .reason = (uint16_t)reason};
    put_event_row(r, &row);
}

/* ---- the book ---- */

static const struct book_level *level_at(const struct match_report *r, uint32_t level)
{
    return level == 0 ? NULL : &engine_pool(r->engine)->levels[level];
}

static const struct book_level *best_level(const struct match_report *r, enum side side)
{
    return level_at(r, engine_book(r->engine, r->symbol)->sides[side - 1].best);
}

/* Price and quantity of a level, and step to the next worse one. */
static char *put_level(char *at, const struct match_report *r, const struct book_level **level)
{
    const struct book_level *l = *level;
    *at++ = ',';
    at = csv_put_i64(at, l == NULL ? 0 : l->price);
    *at++ = ',';
    at = csv_put_i64(at, l == NULL ? 0 : l->qty);
    *level = l == NULL ? NULL : level_at(r, l->worse);
    return at;
}

void match_report_book(struct match_report *r, uint64_t step)
{
    if (!r->with_book)
        return;
    const struct book_level *ask = best_level(r, SIDE_SELL);
    const struct book_level *bid = best_level(r, SIDE_BUY);
    char *at = csv_writer_row(&r->book, (size_t)(r->depth + 1) * DEPTH_SIZE_MAX);
    at = csv_put_u64(at, step);
    for (unsigned i = 0; i < r->depth; i++) {
        at = put_level(at, r, &ask);
        at = put_level(at, r, &bid);
    }
    *at++ = '\n';
    csv_writer_done(&r->book, at);
}

static void put_queue(struct match_report *r, enum side side)
{
    for (const struct book_level *l = best_level(r, side); l != NULL; l = level_at(r, l->worse)) {
        for (uint32_t n = l->head; n != 0;) {
            const struct order *o = engine_order(r->engine, n).order;
            char *at = csv_writer_row(&r->queues, QUEUE_ROW_SIZE_MAX);
            at = csv_put_text(at, side_texts[side]);
            at = put_number_cell(at, given(l->price));
            at = put_text_cell(at, match_input_label(r->in, r->labels[n]));
            at = put_number_cell(at, given(o->open_qty));
            *at++ = '\n';
            csv_writer_done(&r->queues, at);
            n = o->next;
        }
    }
}

void match_report_queues(struct match_report *r)
{
    if (!r->with_queues)
        return;
    csv_writer_flush(&r->events); /* the two may lead to one terminal */
    put_queue(r, SIDE_BUY);
    put_queue(r, SIDE_SELL);
}

/* ---- the files ---- */

static void put_header(struct csv_writer *w, const char *header)
{
    struct text text = text_of(header);
    csv_writer_done(w, csv_put_text(csv_writer_row(w, text.size), text));
}

static void put_book_header(struct match_report *r)
{
    static const char *const cells[] = {",ask", "_price,ask", "_qty,bid", "_price,bid", "_qty"};
    char *at = csv_writer_row(&r->book, (size_t)(r->depth + 1) * DEPTH_SIZE_MAX);
    at = csv_put_text(at, text_of("step"));
    for (unsigned i = 1; i <= r->depth; i++) {
        at = csv_put_text(at, text_of(cells[0]));
        for (unsigned cell = 1; cell <= 4; cell++)
            at = csv_put_text(csv_put_u64(at, i), text_of(cells[cell]));
    }
    *at++ = '\n';
    csv_writer_done(&r->book, at);
}

void match_report_open(struct match_report *r, const struct match_input *in, const engine_t *engine,
                       uint32_t symbol, const char *book_path, unsigned depth,
                       const char *queues_path)
{
    *r = (struct match_report){.in = in, .engine = engine, .symbol = symbol, .depth = depth};
    r->label_count = (uint64_t)engine_pool(engine)->order_max + 1;
    r->labels = memory_new(r->label_count, sizeof *r->labels, "labels of orders");
    if (book_path != NULL && csv_writer_open(&r->book, book_path) == STATUS_OK) {
        r->with_book = true;
        put_book_header(r);
    }
    if (queues_path != NULL && csv_writer_open(&r->queues, queues_path) == STATUS_OK) {
        r->with_queues = true;
        put_header(&r->queues, "side,price,id,open_qty\n");
    }
    if (match_report_failed(r))
        return; /* standard output stays empty */
    csv_writer_attach(&r->events, STDOUT_FILENO, "standard output");
    put_header(&r->events, "step,event,id,side,price,qty,maker_id,taker_id,open_qty,reason\n");
}

bool match_report_failed(const struct match_report *r)
{
    return csv_writer_failed(&r->events) || csv_writer_failed(&r->book) ||
           csv_writer_failed(&r->queues);
}

const char *match_report_close(struct match_report *r, int *error)
{
    struct csv_writer *writers[] = {&r->events, &r->book, &r->queues};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        if (csv_writer_close(writers[i]) != STATUS_OK && name == NULL) {
            name = writers[i]->name;
            *error = writers[i]->error;
        }
    }
    memory_free(r->labels, r->label_count, sizeof *r->labels);
    r->labels = NULL;
    return name;
}
