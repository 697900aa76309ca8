#include "cli/backtest_history.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/backtest_journal.h"
#include "cli/backtest_levels.h"
#include "cli/progress.h"
#include "cli/replay_input.h"
#include "cli/zip.h"

enum {
    HEADER_COLUMNS_MAX = 16,
    TIME_SIZE = 32,
    FILE_NAME_SIZE = 1024,
    LOBSTER_COLUMNS = 6,
};

static const char *const form_words[] = {"", "journal", "lobster", "commands", "csv", "l2"};

enum { FORM_COUNT = sizeof form_words / sizeof form_words[0] };

/* LOBSTER's prices are dollars times 10000. */
static const struct decimal_unit lobster_price = {1, 4};

/* What is being read. */
struct source {
    const struct backtest_history_options *o;
    struct backtest_history *h;
    struct csv_file file, book; /* data NULL: none */
    struct zip zip;
    char names[2][FILE_NAME_SIZE]; /* of members of the zip */
    uint64_t day_ns;               /* ts counts from here */
};

const char *history_form_word(enum history_form form)
{
    return form_words[form];
}

bool history_form_read(const char *word, enum history_form *form)
{
    for (unsigned i = HISTORY_JOURNAL; i < FORM_COUNT; i++) {
        if (strcmp(word, form_words[i]) == 0) {
            *form = (enum history_form)i;
            return true;
        }
    }
    return false;
}

struct strategy_symbol backtest_history_symbol(const struct cluster_symbol *s)
{
    struct strategy_symbol symbol = {
        .units = {s->tick, s->lot}, .shard = s->shard, .any_price = s->any_price};
    snprintf(symbol.name, sizeof symbol.name, "%s", s->name);
    snprintf(symbol.tick_size, sizeof symbol.tick_size, "%s", s->tick_size);
    snprintf(symbol.lot_size, sizeof symbol.lot_size, "%s", s->lot_size);
    return symbol;
}

static enum status complain(const char *path, const char *why, enum status status)
{
    fprintf(stderr, "outcry backtest: %s: %s\n", path, why);
    return status;
}

/* ---- rows that do not follow ---- */

void backtest_history_unsorted(const struct csv_file *file, uint64_t line, uint64_t found_ns,
                               uint64_t before_ns)
{
    char found[TIME_SIZE], expected[96];
    snprintf(found, sizeof found, "%llu.%09llu s", (unsigned long long)(found_ns / NS_PER_SECOND),
             (unsigned long long)(found_ns % NS_PER_SECOND));
    snprintf(expected, sizeof expected, "a time not before the %llu.%09llu s of the row before",
             (unsigned long long)(before_ns / NS_PER_SECOND),
             (unsigned long long)(before_ns % NS_PER_SECOND));
    csv_fault_print(file, &(struct csv_fault){line, 0, text_of("ts"), text_of(found), expected});
}

void backtest_history_gap(const struct csv_file *file, uint64_t line, struct text found,
                          int64_t expected)
{
    char words[96];
    snprintf(words, sizeof words, "%lld: one more than the row before, or rows are missing",
             (long long)expected);
    csv_fault_print(file, &(struct csv_fault){line, 0, text_of("seq"), found, words});
}

/* A column `seq`, if the header has one, counts the rows. */
static bool check_seq(const struct csv_file *file)
{
    struct csv_cursor cursor;
    struct text line, fields[HEADER_COLUMNS_MAX];
    int64_t seq, last = 0;
    size_t place = 0;
    csv_begin(&cursor, file);
    size_t count = csv_line(&cursor, &line) ? csv_split(line, fields, HEADER_COLUMNS_MAX) : 0;
    while (place < count && place < HEADER_COLUMNS_MAX &&
           !text_equal(fields[place], text_of("seq")))
        place++;
    if (place >= count || place == HEADER_COLUMNS_MAX)
        return true;
    while (!csv_only_blank_left(&cursor) && csv_line(&cursor, &line)) {
        bool first = cursor.line == 2;
        count = csv_split(line, fields, HEADER_COLUMNS_MAX);
        struct text found = place < count ? fields[place] : (struct text){"", 0};
        if (!csv_i64(found, &seq) || (!first && seq - 1 != last)) {
            backtest_history_gap(file, cursor.line, found, first ? 1 : last + 1);
            return false;
        }
        last = seq;
    }
    return true;
}

/* ---- forms of replay_input ---- */

/* Where a row of a form without blank lines stands. */
static uint64_t line_of(const struct source *s, size_t index, const struct replay_row *row)
{
    if (s->h->form == HISTORY_LOBSTER)
        return row->row == 0 ? 1 : row->row;
    return index + 2;
}

/* From the source's prices to the symbol's ticks. */
static bool convert_price(const struct source *s, struct i64_or_nil *price)
{
    char text[DECIMAL_TEXT_SIZE];
    const struct decimal_unit *from = &s->h->price_unit, *to = &s->h->symbol.tick;
    if (!price->given || (from->digits == to->digits && from->scale == to->scale))
        return true;
    size_t size = decimal_from_units(text, price->value, from);
    return decimal_to_units(text, size, to, &price->value) == DECIMAL_OK;
}

static void uneven_price(const struct source *s, uint64_t line, int64_t price)
{
    char found[2 * DECIMAL_TEXT_SIZE], text[DECIMAL_TEXT_SIZE], expected[DECIMAL_SIZE_MAX + 64];
    decimal_from_units(text, price, &s->h->price_unit);
    snprintf(found, sizeof found, "%lld: %s", (long long)price, text);
    snprintf(expected, sizeof expected, "a whole number of the symbol's ticks of %s",
             s->h->symbol.tick_size);
    csv_fault_print(&s->file,
                    &(struct csv_fault){line, 0, text_of("price"), text_of(found), expected});
}

/* The row after the one before it: sorted, and its price in ticks. */
static bool check_row(const struct source *s, struct replay_row *row, const struct replay_row *last,
                      uint64_t line)
{
    int64_t price = row->price.value;
    if (last != NULL && row->ts_ns < last->ts_ns) {
        backtest_history_unsorted(&s->file, line, row->ts_ns, last->ts_ns);
        return false;
    }
    if (last != NULL && row->row < last->row) {
        char found[TIME_SIZE], expected[TIME_SIZE * 2];
        snprintf(found, sizeof found, "%llu", (unsigned long long)row->row);
        snprintf(expected, sizeof expected, "%llu, that of the row before, or more",
                 (unsigned long long)last->row);
        csv_fault_print(&s->file,
                        &(struct csv_fault){line, 0, text_of("row"), text_of(found), expected});
        return false;
    }
    if (row->op == REPLAY_NEW && !convert_price(s, &row->price)) {
        uneven_price(s, line, price);
        return false;
    }
    return true;
}

static bool take_rows(struct source *s, struct replay_input *in)
{
    struct history_span span = {.from = s->o->from, .to = s->o->to};
    struct text symbol = text_of(s->h->symbol.name), account = text_of(HISTORY_ACCOUNT);
    struct progress progress;
    bool wanted = true;
    progress_begin(&progress, "load", in->row_count);
    for (size_t i = 0; i < in->row_count; i++) {
        struct replay_row *row = &in->rows[i];
        if (!check_row(s, row, i > 0 ? row - 1 : NULL, line_of(s, i, row))) {
            progress_end(&progress);
            return false;
        }
        uint64_t time_ns = s->day_ns + row->ts_ns;
        wanted = wanted && history_span_take(&span, &time_ns);
        if (!wanted)
            continue; /* but it is checked */
        struct command c = replay_row_command(row, symbol, account, row->id);
        recording_command(s->h->recording, time_ns, row->row, 0, &c);
        progress_at(&progress, i);
    }
    progress_end(&progress);
    return true;
}

/* The files are the source's again, for complaints. */
static enum status read_rows(struct source *s)
{
    struct replay_options options = {
        .format = s->h->form == HISTORY_LOBSTER    ? REPLAY_LOBSTER
                  : s->h->form == HISTORY_COMMANDS ? REPLAY_COMMANDS
                                                   : REPLAY_CSV,
        .symbol = &s->h->symbol,
        .ts_unit_ns = s->o->ts_unit_ns,
    };
    struct replay_input in = {.file = s->file, .book = s->book};
    enum status status = replay_input_read(&in, &options);
    if (status == STATUS_OK && s->h->form == HISTORY_CSV && !check_seq(&s->file))
        status = STATUS_INVALID;
    if (status == STATUS_OK && !take_rows(s, &in))
        status = STATUS_INVALID;
    s->h->unexplained = in.unexplained;
    in.file.data = in.book.data = NULL;
    replay_input_unload(&in);
    return status;
}

/* ---- which form ---- */

static bool holds(const struct text *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count && i < HEADER_COLUMNS_MAX; i++) {
        if (text_equal(fields[i], text_of(name)))
            return true;
    }
    return false;
}

/* What a text file is, by its first line. */
static enum history_form guess(const struct csv_file *file)
{
    struct csv_cursor cursor;
    struct text line, fields[HEADER_COLUMNS_MAX];
    csv_begin(&cursor, file);
    if (!csv_line(&cursor, &line))
        return HISTORY_UNKNOWN;
    size_t count = csv_split(line, fields, HEADER_COLUMNS_MAX);
    if (holds(fields, count, "op") && holds(fields, count, "row"))
        return HISTORY_COMMANDS;
    if (holds(fields, count, "msg_type"))
        return holds(fields, count, "order_id") ? HISTORY_CSV : HISTORY_L2;
    int64_t number;
    if (count == LOBSTER_COLUMNS && csv_i64(fields[1], &number))
        return HISTORY_LOBSTER;
    return HISTORY_UNKNOWN;
}

static enum status no_form(const struct csv_file *file)
{
    struct csv_cursor cursor;
    struct text line = {"", 0};
    csv_begin(&cursor, file);
    csv_line(&cursor, &line);
    csv_fault_print(file, &(struct csv_fault){
                              1, 0, text_of("header"), line,
                              "a header with row and op (commands), with msg_type and order_id "
                              "(csv), with msg_type (l2), or LOBSTER's six columns; --form says "
                              "which"});
    return STATUS_INVALID;
}

/* ---- LOBSTER's zip ---- */

static bool name_holds(struct text name, const char *word)
{
    return memmem(name.data, name.size, word, strlen(word)) != NULL;
}

/* The one member with this word in its name. */
static enum status unpack_member(struct source *s, const char *word, char name[FILE_NAME_SIZE],
                                 struct csv_file *file)
{
    char why[2 * FILE_NAME_SIZE];
    const char *said;
    struct zip_member m = {.number = 0}, wanted = m;
    unsigned count = 0;
    while (zip_next(&s->zip, &m)) {
        if (name_holds(m.name, word)) {
            wanted = m;
            count++;
        }
    }
    if (count != 1) {
        snprintf(why, sizeof why, "found %u files named like *%s*, expected one, as LOBSTER packs",
                 count, word);
        return complain(s->o->path, why, STATUS_INVALID);
    }
    snprintf(name, FILE_NAME_SIZE, "%.500s/%.*s", s->o->path,
             (int)(wanted.name.size < 500 ? wanted.name.size : 500), wanted.name.data);
    enum status status = zip_read(&s->zip, &wanted, name, file, &said);
    return status == STATUS_OK ? status : complain(name, said, status);
}

static enum status unpack(struct source *s)
{
    const char *why;
    enum status status = zip_open(&s->zip, &s->file, &why);
    if (status != STATUS_OK)
        return complain(s->o->path, why, status);
    status = unpack_member(s, "_message_", s->names[0], &s->file);
    if (status == STATUS_OK)
        status = unpack_member(s, "_orderbook_", s->names[1], &s->book);
    zip_close(&s->zip);
    return status;
}

/* ---- all ---- */

/* LOBSTER names its files AAPL_2012-06-21_34200000_57600000_message_1.csv; their times are of that
 * day. */
static uint64_t day_of(const struct source *s)
{
    uint64_t ns;
    if (s->o->has_day || s->h->form != HISTORY_LOBSTER)
        return s->o->has_day ? s->o->day_ns : 0;
    for (const char *at = strchr(s->file.name, '_'); at != NULL; at = strchr(at + 1, '_')) {
        if (history_day_read(at + 1, &ns))
            return ns;
    }
    return 0;
}

/* The files in memory, and which form they are. */
static enum status open_files(struct source *s)
{
    const char *why = "";
    const struct backtest_history_options *o = s->o;
    enum status status = csv_load(&s->file, o->path, &why);
    if (status != STATUS_OK)
        return complain(o->path, why, status);
    bool zipped = zip_is(&s->file);
    s->h->form = zipped ? HISTORY_LOBSTER : o->form != HISTORY_UNKNOWN ? o->form : guess(&s->file);
    if (o->form != HISTORY_UNKNOWN && o->form != s->h->form)
        return complain(o->path, "found a zip, expected it only of the form lobster",
                        STATUS_INVALID);
    if (s->h->form == HISTORY_UNKNOWN)
        return no_form(&s->file);
    if (s->h->form == HISTORY_JOURNAL)
        return complain(o->path, "found a file, expected the directory of a shard's journal",
                        STATUS_INVALID);
    if (zipped)
        return unpack(s);
    if (o->book_path == NULL)
        return STATUS_OK;
    if (s->h->form != HISTORY_LOBSTER)
        return complain(o->book_path, "found --book, expected it only of the form lobster",
                        STATUS_INVALID);
    status = csv_load(&s->book, o->book_path, &why);
    return status == STATUS_OK ? status : complain(o->book_path, why, status);
}

static enum status read_file(struct source *s)
{
    struct backtest_history *h = s->h;
    struct strategy_symbol symbol = backtest_history_symbol(&h->symbol);
    enum status status = open_files(s);
    if (status != STATUS_OK)
        return status;
    h->price_unit = h->form == HISTORY_LOBSTER                            ? lobster_price
                    : h->form == HISTORY_COMMANDS && s->o->has_price_unit ? s->o->price_unit
                                                                          : h->symbol.tick;
    h->recording = recording_new(h->form == HISTORY_L2 ? RECORDING_LEVELS : RECORDING_COMMANDS,
                                 &s->o->limits, &symbol);
    s->day_ns = day_of(s);
    return h->form == HISTORY_L2 ? backtest_levels_read(h->recording, &s->file, s->o)
                                 : read_rows(s);
}

static bool is_directory(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static enum status read_directory(struct source *s)
{
    enum history_form form = s->o->form;
    s->h->form = HISTORY_JOURNAL;
    if (form != HISTORY_JOURNAL && form != HISTORY_UNKNOWN)
        return complain(s->o->path, "found a directory, expected a file of the form --form says",
                        STATUS_INVALID);
    enum status status = backtest_journal_read(&s->h->recording, &s->h->symbol, s->o);
    s->h->price_unit = s->h->symbol.tick;
    return status;
}

/* A back-test of nothing says nothing. */
static enum status check_size(const struct source *s)
{
    const recording_t *r = s->h->recording;
    if (recording_count(r) == 0)
        return complain(s->o->path, "found no rows within --from and --to, expected some",
                        STATUS_INVALID);
    return STATUS_OK;
}

enum status backtest_history_load(struct backtest_history *h,
                                  const struct backtest_history_options *o)
{
    struct source *s = memory_new(1, sizeof *s, "a history");
    *h = (struct backtest_history){.form = o->form, .symbol = o->symbol};
    *s = (struct source){.o = o, .h = h};
    enum status status = is_directory(o->path) ? read_directory(s) : read_file(s);
    if (s->file.data != NULL)
        csv_unload(&s->file);
    if (s->book.data != NULL)
        csv_unload(&s->book);
    memory_free(s, 1, sizeof *s);
    if (status == STATUS_OK) {
        recording_seal(h->recording);
        status = check_size(&(struct source){.o = o, .h = h});
    }
    if (status != STATUS_OK)
        backtest_history_unload(h);
    return status;
}

void backtest_history_unload(struct backtest_history *h)
{
    recording_destroy(&h->recording);
}
