#include "cli/replay_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "cli/replay_lobster.h"
#include "proto/messages.h"
#include "proto/names.h"

enum { COLUMNS_MAX = 7 };

/* A form with a header: its columns, and which must be there. */
enum column { COLUMN_ROW, COLUMN_TS, COLUMN_OP, COLUMN_ID, COLUMN_SIDE, COLUMN_PRICE, COLUMN_QTY };

struct reading {
    struct replay_input *in;
    const struct replay_options *options;
    const char *const *names; /* of the columns in this form; NULL: it has none such */
    int places[COLUMNS_MAX];  /* column -> field, or -1 */
    struct text fields[COLUMNS_MAX];
    size_t field_count;
    struct csv_fault fault;
};

static const char *const commands_names[COLUMNS_MAX] = {"row",  "ts",    "op", "order_id",
                                                        "side", "price", "qty"};
static const char *const csv_names[COLUMNS_MAX] = {NULL,   "ts",    "msg_type", "order_id",
                                                   "side", "price", "qty"};

static bool is_word(struct text field, const char *word)
{
    return text_equal(field, text_of(word));
}

static struct text field_at(const struct reading *r, enum column column)
{
    int place = r->places[column];
    return place < 0 || (size_t)place >= r->field_count ? (struct text){"", 0} : r->fields[place];
}

/* Remember what is wrong with a field of the line; false, for the caller to return. */
static bool fault(struct reading *r, enum column column, const char *expected)
{
    r->fault.column = text_of(r->names[column]);
    r->fault.found = field_at(r, column);
    r->fault.expected = expected;
    return false;
}

static bool read_header(struct reading *r, struct text line)
{
    struct text names[16];
    size_t count = csv_split(line, names, 16);
    for (int c = 0; c < COLUMNS_MAX; c++) {
        r->places[c] = -1;
        for (size_t f = 0; r->names[c] != NULL && f < count && f < COLUMNS_MAX; f++) {
            if (is_word(names[f], r->names[c]))
                r->places[c] = (int)f;
        }
        if (r->names[c] != NULL && r->places[c] < 0) {
            r->fault.column = text_of(r->names[c]);
            r->fault.found = (struct text){"", 0};
            r->fault.expected = "this column in the header";
            return false;
        }
    }
    if (count > COLUMNS_MAX) {
        r->fault.column_number = COLUMNS_MAX + 1;
        r->fault.found = names[COLUMNS_MAX];
        r->fault.expected = "no more columns";
        return false;
    }
    return true;
}

/* A time of `unit` ns as ns. Decimals of it below a ns are cut. */
static bool read_time(struct text field, uint64_t unit_ns, uint64_t *ns)
{
    int64_t nanos;
    const struct decimal_unit nanosecond = {1, unit_ns == NS_PER_SECOND ? 9
                                               : unit_ns == NS_PER_MS   ? 6
                                               : unit_ns == NS_PER_US   ? 3
                                                                        : 0};
    if (decimal_to_units(field.data, field.size, &nanosecond, &nanos) != DECIMAL_OK || nanos < 0)
        return false;
    *ns = (uint64_t)nanos;
    return true;
}

static bool read_side(struct text field, uint8_t *side)
{
    if (is_word(field, "buy") || is_word(field, "B") || is_word(field, "b"))
        *side = SIDE_BUY;
    else if (is_word(field, "sell") || is_word(field, "S") || is_word(field, "s"))
        *side = SIDE_SELL;
    else
        return false;
    return true;
}

static bool read_id(struct text field)
{
    return field.size >= 1 && field.size <= REPLAY_ID_SIZE_MAX && name_is_label(field);
}

static bool read_units(struct text field, const struct decimal_unit *unit, struct i64_or_nil *value)
{
    value->given = field.size > 0;
    return field.size == 0 ||
           decimal_to_units(field.data, field.size, unit, &value->value) == DECIMAL_OK;
}

/* ---- form `commands` ---- */

static bool commands_op(struct text op, struct replay_row *row)
{
    row->type = ORDER_TYPE_LIMIT;
    row->time_in_force = is_word(op, "ioc") ? TIME_IN_FORCE_IOC : TIME_IN_FORCE_GTC;
    if (is_word(op, "new") || is_word(op, "ioc"))
        row->op = REPLAY_NEW;
    else if (is_word(op, "cancel"))
        row->op = REPLAY_CANCEL;
    else if (is_word(op, "reduce"))
        row->op = REPLAY_REDUCE;
    else
        return false;
    return true;
}

static bool commands_row(struct reading *r, struct replay_row *row)
{
    int64_t number;
    if (!csv_i64(field_at(r, COLUMN_ROW), &number) || number < 0)
        return fault(r, COLUMN_ROW, "a whole number");
    row->row = (uint64_t)number;
    if (!read_time(field_at(r, COLUMN_TS), NS_PER_SECOND, &row->ts_ns))
        return fault(r, COLUMN_TS, "seconds, at most 9 decimals");
    if (!commands_op(field_at(r, COLUMN_OP), row))
        return fault(r, COLUMN_OP, "new, cancel, reduce or ioc");
    row->id = field_at(r, COLUMN_ID);
    if (!read_id(row->id))
        return fault(r, COLUMN_ID, "1 to 24 of A-Z a-z 0-9 _ . : -");
    if (!read_side(field_at(r, COLUMN_SIDE), &row->side))
        return fault(r, COLUMN_SIDE, "buy or sell");
    row->price.given = row->qty.given = true;
    if (!csv_i64(field_at(r, COLUMN_PRICE), &row->price.value))
        return fault(r, COLUMN_PRICE, "ticks, an int64");
    if (!csv_i64(field_at(r, COLUMN_QTY), &row->qty.value))
        return fault(r, COLUMN_QTY, "lots, an int64");
    return true;
}

/* ---- form `csv` ---- */

static bool csv_type(struct text type, struct replay_row *row)
{
    static const struct form {
        const char *word, *letter;
        enum replay_op op;
        uint8_t type, time_in_force;
    } forms[] = {
        {"add", "A", REPLAY_NEW, ORDER_TYPE_LIMIT, TIME_IN_FORCE_GTC},
        {"cancel", "C", REPLAY_CANCEL, 0, 0},
        {"amend", "U", REPLAY_AMEND, 0, 0},
        {"market", "M", REPLAY_NEW, ORDER_TYPE_MARKET, TIME_IN_FORCE_IOC},
        {"ioc", "I", REPLAY_NEW, ORDER_TYPE_LIMIT, TIME_IN_FORCE_IOC},
        {"fok", "F", REPLAY_NEW, ORDER_TYPE_LIMIT, TIME_IN_FORCE_FOK},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (is_word(type, forms[i].word) || is_word(type, forms[i].letter)) {
            row->op = forms[i].op;
            row->type = forms[i].type;
            row->time_in_force = forms[i].time_in_force;
            return true;
        }
    }
    return false;
}

static bool csv_row(struct reading *r, struct replay_row *row)
{
    const struct cluster_symbol *symbol = r->options->symbol;
    row->row = r->fault.line - 1;
    if (!read_time(field_at(r, COLUMN_TS), r->options->ts_unit_ns, &row->ts_ns))
        return fault(r, COLUMN_TS, "a time in the unit of --ts-unit, no finer than 1 ns");
    if (!csv_type(field_at(r, COLUMN_OP), row))
        return fault(r, COLUMN_OP, "add, cancel, amend, market, ioc, fok, or A C U M I F");
    row->id = field_at(r, COLUMN_ID);
    if (!read_id(row->id))
        return fault(r, COLUMN_ID, "1 to 24 of A-Z a-z 0-9 _ . : -");
    if (row->op == REPLAY_NEW && !read_side(field_at(r, COLUMN_SIDE), &row->side))
        return fault(r, COLUMN_SIDE, "buy, sell, B or S");
    if (!read_units(field_at(r, COLUMN_PRICE), &symbol->tick, &row->price))
        return fault(r, COLUMN_PRICE, "a decimal, a whole number of the symbol's ticks");
    if (!read_units(field_at(r, COLUMN_QTY), &symbol->lot, &row->qty))
        return fault(r, COLUMN_QTY, "a decimal, a whole number of the symbol's lots");
    if (row->type == ORDER_TYPE_MARKET)
        row->price = (struct i64_or_nil){0, false}; /* recordings write 0 or the last price */
    return true;
}

/* ---- all ---- */

static bool read_rows(struct reading *r)
{
    bool (*read_row)(struct reading *, struct replay_row *) =
        r->options->format == REPLAY_COMMANDS ? commands_row : csv_row;
    struct csv_cursor cursor;
    struct text line = {"", 0};
    r->names = r->options->format == REPLAY_COMMANDS ? commands_names : csv_names;
    csv_begin(&cursor, &r->in->file);
    csv_line(&cursor, &line);
    r->fault.line = 1;
    if (!read_header(r, line))
        return false;
    while (!csv_only_blank_left(&cursor) && csv_line(&cursor, &line)) {
        struct replay_row row = {0};
        r->fault.line = cursor.line;
        r->field_count = csv_split(line, r->fields, COLUMNS_MAX);
        if (r->field_count > COLUMNS_MAX)
            return fault(r, COLUMN_QTY, "no more fields than the header has");
        if (!read_row(r, &row))
            return false;
        r->in->rows[r->in->row_count++] = row;
    }
    return true;
}

static enum status load_file(struct csv_file *file, const char *path)
{
    const char *why = "";
    enum status status = csv_load(file, path, &why);
    if (status != STATUS_OK)
        fprintf(stderr, "outcry replay: %s: %s\n", path, why);
    return status;
}

enum status replay_input_load(struct replay_input *in, const struct replay_options *options)
{
    *in = (struct replay_input){.rows = NULL};
    enum status status = load_file(&in->file, options->path);
    if (status == STATUS_OK && options->book_path != NULL)
        status = load_file(&in->book, options->book_path);
    return status == STATUS_OK ? replay_input_read(in, options) : status;
}

enum status replay_input_read(struct replay_input *in, const struct replay_options *options)
{
    in->rows = calloc(csv_line_count(&in->file) + 1, sizeof *in->rows);
    CHECK(in->rows != NULL);

    struct reading reading = {.in = in, .options = options};
    bool fine;
    if (options->format == REPLAY_LOBSTER)
        fine = replay_lobster_read(in, &reading.fault);
    else
        fine = read_rows(&reading);
    if (!fine)
        csv_fault_print(&in->file, &reading.fault);
    return fine ? STATUS_OK : STATUS_INVALID;
}

void replay_input_unload(struct replay_input *in)
{
    if (in->file.data != NULL)
        csv_unload(&in->file);
    if (in->book.data != NULL)
        csv_unload(&in->book);
    free(in->rows);
    replay_lobster_free_ids(&in->made_ids);
    *in = (struct replay_input){.rows = NULL};
}

struct command replay_row_command(const struct replay_row *row, struct text symbol,
                                  struct text account, struct text client_order_id)
{
    struct command c = {.type = MESSAGE_CANCEL_ORDER};
    switch (row->op) {
    case REPLAY_NEW:
        c.type = MESSAGE_NEW_ORDER;
        c.new_order = (struct new_order){
            symbol, account,  client_order_id, row->side,     row->type, row->time_in_force,
            false,  STP_NONE, row->price,      row->qty.value};
        break;
    case REPLAY_CANCEL:
        c.cancel_order = (struct cancel_order){symbol, account, 0, client_order_id};
        break;
    default:
        c.type = MESSAGE_AMEND_ORDER;
        c.amend_order = (struct amend_order){
            symbol,
            account,
            0,
            client_order_id,
            row->op == REPLAY_REDUCE ? QTY_IS_REDUCE_BY : QTY_IS_OPEN,
            row->qty,
            row->op == REPLAY_REDUCE ? (struct i64_or_nil){0, false} : row->price};
        break;
    }
    return c;
}
