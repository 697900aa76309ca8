#include "cli/backtest_levels.h"

#include "base/clock.h"
#include "cli/progress.h"

enum column { COLUMN_TS, COLUMN_TYPE, COLUMN_SIDE, COLUMN_PRICE, COLUMN_QTY, COLUMN_SEQ };

enum { COLUMN_COUNT = COLUMN_SEQ + 1, FIELDS_MAX = 16 };

static const char *const names[COLUMN_COUNT] = {"ts", "msg_type", "side", "price", "qty", "seq"};

struct row {
    uint64_t ts_ns;
    bool trade;
    enum side side;
    int64_t price, qty;
};

struct levels {
    recording_t *recording;
    const struct csv_file *file;
    const struct backtest_history_options *o;
    struct history_span span;
    size_t places[COLUMN_COUNT]; /* column -> field; FIELDS_MAX: there is none */
    struct text fields[FIELDS_MAX];
    size_t field_count;
    uint64_t line;
    uint64_t last_ns;
    int64_t last_seq;
};

static struct text field_at(const struct levels *l, enum column column)
{
    size_t place = l->places[column];
    return place < l->field_count ? l->fields[place] : (struct text){"", 0};
}

static bool fault(const struct levels *l, enum column column, const char *expected)
{
    csv_fault_print(l->file, &(struct csv_fault){l->line, 0, text_of(names[column]),
                                                 field_at(l, column), expected});
    return false;
}

/* Of a line; its fields are then looked at. */
static bool split(struct levels *l, struct text line)
{
    l->field_count = csv_split(line, l->fields, FIELDS_MAX);
    if (l->field_count <= FIELDS_MAX)
        return true;
    csv_fault_print(l->file,
                    &(struct csv_fault){
                        l->line, FIELDS_MAX + 1, text_of(""), {"", 0}, "no more than 16 columns"});
    return false;
}

static bool read_header(struct levels *l)
{
    for (unsigned c = 0; c < COLUMN_COUNT; c++) {
        l->places[c] = FIELDS_MAX;
        for (size_t f = 0; f < l->field_count; f++) {
            if (text_equal(l->fields[f], text_of(names[c])))
                l->places[c] = f;
        }
        if (l->places[c] == FIELDS_MAX && c != COLUMN_SEQ)
            return fault(l, (enum column)c, "this column in the header");
    }
    return true;
}

static bool read_time(struct text field, uint64_t unit_ns, uint64_t *ns)
{
    const struct decimal_unit nanosecond = {1, unit_ns == NS_PER_SECOND ? 9
                                               : unit_ns == NS_PER_MS   ? 6
                                               : unit_ns == NS_PER_US   ? 3
                                                                        : 0};
    int64_t units;
    if (decimal_to_units(field.data, field.size, &nanosecond, &units) != DECIMAL_OK || units < 0)
        return false;
    *ns = (uint64_t)units;
    return true;
}

static bool is(struct text field, const char *word, const char *letter)
{
    return text_equal(field, text_of(word)) || text_equal(field, text_of(letter));
}

static bool read_units(struct text field, const struct decimal_unit *unit, int64_t *units)
{
    return decimal_to_units(field.data, field.size, unit, units) == DECIMAL_OK;
}

static bool read_row(const struct levels *l, struct row *row)
{
    const struct cluster_symbol *symbol = &l->o->symbol;
    struct text type = field_at(l, COLUMN_TYPE), side = field_at(l, COLUMN_SIDE);
    if (!read_time(field_at(l, COLUMN_TS), l->o->ts_unit_ns, &row->ts_ns))
        return fault(l, COLUMN_TS, "a time in the unit of --ts-unit, no finer than 1 ns");
    row->trade = is(type, "trade", "T");
    if (!row->trade && !is(type, "level", "L"))
        return fault(l, COLUMN_TYPE, "level, trade, L or T");
    row->side = is(side, "buy", "B") ? SIDE_BUY : SIDE_SELL;
    if (row->side == SIDE_SELL && !is(side, "sell", "S"))
        return fault(l, COLUMN_SIDE, "buy, sell, B or S");
    if (!read_units(field_at(l, COLUMN_PRICE), &symbol->tick, &row->price))
        return fault(l, COLUMN_PRICE, "a decimal, a whole number of the symbol's ticks");
    if (row->price <= 0 && !symbol->any_price)
        return fault(l, COLUMN_PRICE, "a price above 0");
    if (!read_units(field_at(l, COLUMN_QTY), &symbol->lot, &row->qty))
        return fault(l, COLUMN_QTY, "a decimal, a whole number of the symbol's lots");
    if (row->qty < 0 || (row->trade && row->qty == 0))
        return fault(l, COLUMN_QTY, row->trade ? "more than 0" : "0 or more");
    return true;
}

/* It comes behind the row before. */
static bool follows(struct levels *l, const struct row *row)
{
    int64_t seq;
    bool first = l->line == 2;
    struct text found = field_at(l, COLUMN_SEQ);
    if (!first && row->ts_ns < l->last_ns) {
        backtest_history_unsorted(l->file, l->line, row->ts_ns, l->last_ns);
        return false;
    }
    l->last_ns = row->ts_ns;
    if (l->places[COLUMN_SEQ] == FIELDS_MAX)
        return true;
    if (!csv_i64(found, &seq) || (!first && seq - 1 != l->last_seq)) {
        backtest_history_gap(l->file, l->line, found, first ? 1 : l->last_seq + 1);
        return false;
    }
    l->last_seq = seq;
    return true;
}

static void take(const struct levels *l, const struct row *row, uint64_t time_ns)
{
    uint64_t number = l->line - 1;
    if (row->trade)
        recording_trade(l->recording, time_ns, number, row->side, row->price, row->qty);
    else
        recording_level(l->recording, time_ns, number, row->side, row->price, row->qty);
}

static bool read_rows(struct levels *l, struct csv_cursor *cursor, struct progress *progress)
{
    struct text line;
    bool wanted = true;
    while (!csv_only_blank_left(cursor) && csv_line(cursor, &line)) {
        struct row row;
        l->line = cursor->line;
        if (!split(l, line) || !read_row(l, &row) || !follows(l, &row))
            return false;
        uint64_t time_ns = row.ts_ns + (l->o->has_day ? l->o->day_ns : 0);
        wanted = wanted && history_span_take(&l->span, &time_ns);
        if (wanted)
            take(l, &row, time_ns);
        progress_at(progress, (uint64_t)(cursor->at - l->file->data));
    }
    return true;
}

enum status backtest_levels_read(recording_t *r, const struct csv_file *file,
                                 const struct backtest_history_options *o)
{
    struct levels l = {
        .recording = r, .file = file, .o = o, .span = {.from = o->from, .to = o->to}, .line = 1};
    struct csv_cursor cursor;
    struct progress progress;
    struct text line = {"", 0};
    csv_begin(&cursor, file);
    csv_line(&cursor, &line);
    if (!split(&l, line) || !read_header(&l))
        return STATUS_INVALID;
    progress_begin(&progress, "load", file->size);
    bool fine = read_rows(&l, &cursor, &progress);
    progress_end(&progress);
    return fine ? STATUS_OK : STATUS_INVALID;
}
