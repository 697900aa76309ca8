/* match_input: see match_input.h. One table says what each column may hold and where in a row it
 * goes; header and cells are checked against it, and the messages are made of it. */
#include "cli/match_input.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "proto/names.h"

enum cell_kind { CELL_WORD, CELL_LABEL, CELL_ACCOUNT, CELL_NUMBER };

struct word {
    const char *text;
    uint8_t number;
};

struct column {
    const char *name;
    enum cell_kind kind;
    const struct word *words; /* ended by a NULL */
    size_t place;             /* of the member in struct match_row */
    size_t given_place;       /* numbers only */
    const char *expected;
};

#define VALUE_WORD(prefix, NAME, number, text)   {(text), (number)},
#define VALUE_SPOKEN(prefix, NAME, number, text) " " text

static const struct word op_words[] = {
    {"new", MATCH_NEW},       {"cancel", MATCH_CANCEL},           {"amend", MATCH_AMEND},
    {"reduce", MATCH_REDUCE}, {"mass_cancel", MATCH_MASS_CANCEL}, {NULL, 0},
};
static const struct word side_words[] = {SIDE_TABLE(VALUE_WORD){NULL, 0}};
static const struct word type_words[] = {ORDER_TYPE_TABLE(VALUE_WORD){NULL, 0}};
static const struct word tif_words[] = {TIME_IN_FORCE_TABLE(VALUE_WORD){NULL, 0}};
static const struct word stp_words[] = {STP_TABLE(VALUE_WORD){NULL, 0}};
static const struct word flag_words[] = {{"0", 0}, {"1", 1}, {NULL, 0}};
/* Not the whole set: the third of it is what the op `reduce` says. */
static const struct word qty_is_words[] = {
    {"open", QTY_IS_OPEN}, {"total", QTY_IS_TOTAL}, {NULL, 0}};

#define PLACE(member) offsetof(struct match_row, member)
#define INT64_SPOKEN  "a whole number from -9223372036854775808 to 9223372036854775807"

enum { COLUMN_COUNT = 11, COLUMN_ID = 1, COLUMN_SIDE = 3 };

static const struct column columns[COLUMN_COUNT] = {
    {"op", CELL_WORD, op_words, PLACE(op), 0, "one of: new cancel amend reduce mass_cancel"},
    [COLUMN_ID] = {"id", CELL_LABEL, NULL, PLACE(label), 0, "1 to 36 of A-Z a-z 0-9 _ . : -"},
    {"account", CELL_ACCOUNT, NULL, PLACE(account), 0, "at most 32 of A-Z a-z 0-9 _ -"},
    [COLUMN_SIDE] = {"side", CELL_WORD, side_words, PLACE(side), 0,
                     "one of:" SIDE_TABLE(VALUE_SPOKEN)},
    {"type", CELL_WORD, type_words, PLACE(type), 0, "one of:" ORDER_TYPE_TABLE(VALUE_SPOKEN)},
    {"tif", CELL_WORD, tif_words, PLACE(time_in_force), 0,
     "one of:" TIME_IN_FORCE_TABLE(VALUE_SPOKEN)},
    {"price", CELL_NUMBER, NULL, PLACE(price), PLACE(price_given), INT64_SPOKEN},
    {"qty", CELL_NUMBER, NULL, PLACE(qty), PLACE(qty_given), INT64_SPOKEN},
    {"post_only", CELL_WORD, flag_words, PLACE(post_only), 0, "0 or 1"},
    {"stp", CELL_WORD, stp_words, PLACE(stp), 0, "one of:" STP_TABLE(VALUE_SPOKEN)},
    {"qty_is", CELL_WORD, qty_is_words, PLACE(qty_is), 0, "one of: open total"},
};

#define COLUMN_NAMES "op id account side type tif price qty post_only stp qty_is"

/* The header: which column each field is. */
struct header {
    size_t count;
    const struct column *fields[COLUMN_COUNT];
};

/* ---- the header ---- */

static const struct column *column_find(struct text name)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (text_equal(name, text_of(columns[i].name)))
            return &columns[i];
    }
    return NULL;
}

static bool header_has(const struct header *h, const struct column *column)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->fields[i] == column)
            return true;
    }
    return false;
}

static bool read_header(struct header *h, struct csv_cursor *c, struct csv_fault *fault)
{
    struct text line, cells[COLUMN_COUNT + 1];
    *h = (struct header){0};
    *fault = (struct csv_fault){
        .line = 1, .column_number = 1, .expected = "a column name, one of: " COLUMN_NAMES};
    if (!csv_line(c, &line))
        return false;
    size_t count = csv_split(line, cells, COLUMN_COUNT + 1);
    for (size_t i = 0; i < count && i <= COLUMN_COUNT; i++) {
        const struct column *column = column_find(cells[i]);
        fault->column_number = i + 1;
        fault->column = fault->found = cells[i];
        if (column == NULL)
            return false;
        if (header_has(h, column)) {
            fault->expected = "each column once";
            return false;
        }
        h->fields[h->count++] = column;
    }
    return true;
}

/* ---- cells ---- */

/* The number of a label or account, or 0. */
static uint32_t read_name(struct match_input *in, struct text cell, bool account)
{
    if (cell.size > (size_t)(account ? ACCOUNT_SIZE_MAX : CLIENT_ORDER_ID_SIZE_MAX) ||
        !(account ? name_is_plain(cell) : name_is_label(cell)))
        return 0;
    return name_table_add(account ? &in->accounts : &in->labels, cell.data, cell.size);
}

static bool read_word(const struct word *words, struct text cell, uint8_t *number)
{
    for (const struct word *w = words; w->text != NULL; w++) {
        if (text_equal(cell, text_of(w->text))) {
            *number = w->number;
            return true;
        }
    }
    return false;
}

/* A cell that is not empty. */
static bool read_cell(struct match_input *in, const struct column *column, struct text cell,
                      struct match_row *row)
{
    char *member = (char *)row + column->place;
    switch (column->kind) {
    case CELL_WORD:
        return read_word(column->words, cell, (uint8_t *)member);
    case CELL_LABEL:
        return (row->label = read_name(in, cell, false)) != 0;
    case CELL_ACCOUNT:
        return (row->account = read_name(in, cell, true)) != 0;
    case CELL_NUMBER:
        *(bool *)((char *)row + column->given_place) = true;
        return csv_i64(cell, (int64_t *)(void *)member);
    }
    return false;
}

/* ---- rows ---- */

static bool fault_at(struct csv_fault *fault, const struct column *column, struct text found)
{
    fault->column = text_of(column->name);
    fault->found = found;
    fault->expected = column->expected;
    return false;
}

/* fault->line is set. */
static bool read_row(struct match_input *in, const struct header *h, struct text line,
                     struct match_row *row, struct csv_fault *fault)
{
    struct text cells[COLUMN_COUNT + 1];
    size_t count = csv_split(line, cells, h->count + 1);
    *row = (struct match_row){
        .op = MATCH_NEW,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = TIME_IN_FORCE_GTC,
        .stp = STP_NONE,
        .qty_is = QTY_IS_OPEN,
    };
    for (size_t i = 0; i < count && i < h->count; i++) {
        if (cells[i].size > 0 && !read_cell(in, h->fields[i], cells[i], row))
            return fault_at(fault, h->fields[i], cells[i]);
    }
    if (count > h->count) {
        *fault = (struct csv_fault){.line = fault->line,
                                    .column_number = h->count + 1,
                                    .found = cells[h->count],
                                    .expected = "no more fields than the header has"};
        return false;
    }
    if (row->label == 0 && row->op != MATCH_MASS_CANCEL)
        return fault_at(fault, &columns[COLUMN_ID], (struct text){"", 0});
    if (row->side == 0 && row->op == MATCH_NEW)
        return fault_at(fault, &columns[COLUMN_SIDE], (struct text){"", 0});
    return true;
}

static bool read_rows(struct match_input *in, struct csv_cursor *c, struct csv_fault *fault)
{
    struct header header;
    struct text line;
    if (!read_header(&header, c, fault))
        return false;
    while (csv_line(c, &line)) {
        if (line.size == 0 && csv_only_blank_left(c))
            break;
        *fault = (struct csv_fault){.line = c->line};
        if (in->row_count == MATCH_ROWS_MAX) {
            fault->column_number = 1;
            fault->found = line;
            fault->expected = "at most 1073741824 rows";
            return false;
        }
        struct match_row *row = &in->rows[in->row_count];
        if (!read_row(in, &header, line, row, fault))
            return false;
        in->row_count++;
        in->new_count += row->op == MATCH_NEW;
    }
    return true;
}

bool match_input_read(struct match_input *in, const struct csv_file *file, struct csv_fault *fault)
{
    uint64_t lines = csv_line_count(file);
    uint32_t rows = lines > MATCH_ROWS_MAX ? MATCH_ROWS_MAX : (uint32_t)lines;
    struct csv_cursor cursor;
    *in = (struct match_input){.row_max = rows};
    in->rows = memory_new(rows, sizeof *in->rows, "rows");
    /* The seeds are constant: whoever chose the file waits for it. */
    name_table_init(&in->labels, rows, 0, "labels");
    name_table_init(&in->accounts, rows, 0, "accounts");
    csv_begin(&cursor, file);
    if (read_rows(in, &cursor, fault))
        return true;
    match_input_close(in);
    return false;
}

void match_input_close(struct match_input *in)
{
    memory_free(in->rows, in->row_max, sizeof *in->rows);
    name_table_close(&in->labels);
    name_table_close(&in->accounts);
    *in = (struct match_input){0};
}
