#include "cli/backtest_options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/memory.h"
#include "proto/names.h"

enum {
    SEED_DEFAULT = 1,
    JOBS_MAX = 1024,
    SECONDS_DIGITS = 9,
    MS_DIGITS = 6, /* of a ms, down to ns */
};

static const uint64_t LATENCY_NS_MAX = 3600 * NS_PER_SECOND;
static const uint64_t SAMPLE_NS_MAX = 86400 * NS_PER_SECOND;

static bool mistake(const char *flag, const char *found, const char *expected)
{
    fprintf(stderr, "outcry backtest: %s: found %s%s%s, expected %s (see --help)\n", flag,
            found == NULL ? "nothing" : "\"", found == NULL ? "" : found, found == NULL ? "" : "\"",
            expected);
    return false;
}

/* A decimal with so many digits behind the point, as ns. */
static bool read_ns(const char *text, size_t size, unsigned digits, uint64_t max_ns, uint64_t *ns)
{
    const struct decimal_unit nanosecond = {1, digits};
    int64_t units;
    if (decimal_to_units(text, size, &nanosecond, &units) != DECIMAL_OK || units < 0 ||
        (uint64_t)units > max_ns)
        return false;
    *ns = (uint64_t)units;
    return true;
}

static bool take_text(const char **text, const char *flag, const char *value)
{
    if (*text != NULL)
        return mistake(flag, value, "it once");
    *text = value;
    return true;
}

/* ---- what runs ---- */

static bool take_word(struct backtest_options *o, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t size = equals == NULL ? 0 : (size_t)(equals - word);
    if (size == 0 || size >= BACKTEST_NAME_SIZE)
        return mistake("argument", word, "TYPE first, then NAME=VALUE");
    if (o->word_count == BACKTEST_WORDS_MAX)
        return mistake("argument", word, "at most 64 of NAME=VALUE");
    struct backtest_word *w = &o->words[o->word_count++];
    memcpy(w->name, word, size);
    w->name[size] = '\0';
    w->value = equals + 1;
    for (unsigned i = 0; i + 1 < o->word_count; i++) {
        if (strcmp(o->words[i].name, w->name) == 0)
            return mistake("argument", word, "each name once");
    }
    return true;
}

/* Shorthands of words that may stand among the others, too. */
static bool take_short(struct backtest_options *o, const char *name, const char *value)
{
    char word[BACKTEST_NAME_SIZE];
    snprintf(word, sizeof word, "%s=", name);
    if (!take_word(o, word))
        return false;
    o->words[o->word_count - 1].value = value;
    return true;
}

/* ---- the history ---- */

static bool take_form(struct backtest_options *o, const char *flag, const char *value)
{
    return history_form_read(value, &o->form) ||
           mistake(flag, value, "journal, lobster, commands, csv or l2");
}

static bool take_ts_unit(struct backtest_options *o, const char *flag, const char *value)
{
    o->ts_unit_ns = strcmp(value, "s") == 0    ? NS_PER_SECOND
                    : strcmp(value, "ms") == 0 ? NS_PER_MS
                    : strcmp(value, "us") == 0 ? NS_PER_US
                    : strcmp(value, "ns") == 0 ? 1
                                               : 0;
    return o->ts_unit_ns > 0 || mistake(flag, value, "s, ms, us or ns");
}

static bool take_price_unit(struct backtest_options *o, const char *flag, const char *value)
{
    o->has_price_unit = decimal_unit_read(&o->price_unit, value, strlen(value));
    return o->has_price_unit || mistake(flag, value, "a decimal above 0, like 0.0001");
}

static bool take_day(struct backtest_options *o, const char *flag, const char *value)
{
    o->has_day = strlen(value) == strlen("2012-06-21") && history_day_read(value, &o->day_ns);
    return o->has_day || mistake(flag, value, "a day from 1970 on, like 2012-06-21");
}

static bool take_from(struct backtest_options *o, const char *flag, const char *value)
{
    return history_time_read(&o->from, value) ||
           mistake(flag, value,
                   "seconds after midnight, like 34200; a time, like 09:30:00; or "
                   "2026-11-21T09:30:00Z");
}

static bool take_to(struct backtest_options *o, const char *flag, const char *value)
{
    return history_time_read(&o->to, value) ||
           mistake(flag, value,
                   "seconds after midnight, like 57600; a time, like 16:00:00; or "
                   "2026-11-21T16:00:00Z");
}

static bool take_symbol(struct backtest_options *o, const char *flag, const char *value)
{
    if (!name_is_symbol(text_of(value)))
        return mistake(flag, value, "1 to 16 of A-Z 0-9 . _ -, the first a letter or digit");
    return take_text(&o->symbol, flag, value);
}

static bool take_unit(const char **text, const char *flag, const char *value)
{
    struct decimal_unit unit;
    if (strlen(value) > DECIMAL_SIZE_MAX || !decimal_unit_read(&unit, value, strlen(value)))
        return mistake(flag, value, "a decimal above 0, like 0.01");
    return take_text(text, flag, value);
}

static bool take_tick_size(struct backtest_options *o, const char *flag, const char *value)
{
    return take_unit(&o->tick_size, flag, value);
}

static bool take_lot_size(struct backtest_options *o, const char *flag, const char *value)
{
    return take_unit(&o->lot_size, flag, value);
}

static bool take_without(struct backtest_options *o, const char *flag, const char *value)
{
    struct text account = text_of(value);
    if (account.size < 1 || account.size > ACCOUNT_SIZE_MAX || !name_is_plain(account))
        return mistake(flag, value, "an account: 1 to 32 of A-Z a-z 0-9 _ -");
    return take_text(&o->without, flag, value);
}

/* ---- the exchange ---- */

static bool take_latency_of(struct latency *l, const char *flag, const char *value)
{
    return read_ns(value, strlen(value), MS_DIGITS, LATENCY_NS_MAX, &l->constant_ns) ||
           mistake(flag, value, "milliseconds, 0 to 3600000, at most 6 decimals");
}

static bool take_latency(struct backtest_options *o, const char *flag, const char *value)
{
    return take_latency_of(&o->order_latency, flag, value) &&
           take_latency_of(&o->data_latency, flag, value);
}

static bool take_order_latency(struct backtest_options *o, const char *flag, const char *value)
{
    return take_latency_of(&o->order_latency, flag, value);
}

static bool take_data_latency(struct backtest_options *o, const char *flag, const char *value)
{
    return take_latency_of(&o->data_latency, flag, value);
}

static bool read_samples(struct backtest_options *o, const struct csv_file *file)
{
    struct csv_cursor cursor;
    struct text line;
    size_t lines = csv_line_count(file);
    if (lines == 0 || lines > BACKTEST_LATENCY_SAMPLES_MAX)
        return mistake(file->name, NULL, "1 to 10000000 lines, a number of milliseconds each");
    o->samples_ns = calloc(lines, sizeof *o->samples_ns);
    CHECK(o->samples_ns != NULL);
    csv_begin(&cursor, file);
    while (!csv_only_blank_left(&cursor) && csv_line(&cursor, &line)) {
        if (!read_ns(line.data, line.size, MS_DIGITS, LATENCY_NS_MAX,
                     &o->samples_ns[o->sample_count++])) {
            csv_fault_print(file,
                            &(struct csv_fault){cursor.line, 1, text_of(""), line,
                                                "milliseconds, 0 to 3600000, at most 6 decimals"});
            return false;
        }
    }
    return o->sample_count > 0 || mistake(file->name, NULL, "a number of milliseconds a line");
}

static bool take_latency_file(struct backtest_options *o, const char *flag, const char *value)
{
    struct csv_file file;
    const char *why = "";
    if (!take_text(&o->latency_file, flag, value))
        return false;
    if (csv_load(&file, value, &why) != STATUS_OK)
        return mistake(flag, value, why);
    bool fine = read_samples(o, &file);
    csv_unload(&file);
    o->order_latency.samples_ns = o->data_latency.samples_ns = o->samples_ns;
    o->order_latency.sample_count = o->data_latency.sample_count = o->sample_count;
    return fine;
}

static bool take_queue(struct backtest_options *o, const char *flag, const char *value)
{
    o->queue_model = strcmp(value, "proportional") == 0 ? QUEUE_PROPORTIONAL : QUEUE_BACK;
    return o->queue_model == QUEUE_PROPORTIONAL || strcmp(value, "back") == 0 ||
           mistake(flag, value, "back or proportional");
}

static bool take_seed(struct backtest_options *o, const char *flag, const char *value)
{
    return config_u64(value, 0, UINT64_MAX, &o->seed) || mistake(flag, value, "a whole number");
}

/* ---- what is written ---- */

static bool take_sample(struct backtest_options *o, const char *flag, const char *value)
{
    bool fine = read_ns(value, strlen(value), SECONDS_DIGITS, SAMPLE_NS_MAX, &o->sample_ns);
    return (fine && o->sample_ns >= NS_PER_MS) || mistake(flag, value, "seconds, 0.001 to 86400");
}

static bool take_book_levels(struct backtest_options *o, const char *flag, const char *value)
{
    uint64_t number;
    if (!config_u64(value, 1, BACKTEST_LEVELS_MAX, &number))
        return mistake(flag, value, "a whole number from 1 to 50");
    o->book_levels = (unsigned)number;
    return true;
}

static bool take_sweep(struct backtest_options *o, const char *flag, const char *value)
{
    char error[SWEEP_ERROR_SIZE];
    if (o->axes == NULL)
        o->axes = memory_new(SWEEP_AXES_MAX, sizeof *o->axes, "a sweep");
    if (o->axis_count == SWEEP_AXES_MAX)
        return mistake(flag, value, "it at most four times");
    struct sweep_axis *axis = &o->axes[o->axis_count];
    if (!sweep_axis_read(axis, value, error)) {
        fprintf(stderr, "outcry backtest: %s: %s\n", flag, error);
        return false;
    }
    for (unsigned i = 0; i < o->axis_count; i++) {
        if (strcmp(o->axes[i].name, axis->name) == 0)
            return mistake(flag, value, "each name once");
    }
    o->axis_count++;
    return true;
}

static bool take_jobs(struct backtest_options *o, const char *flag, const char *value)
{
    uint64_t number;
    if (!config_u64(value, 1, JOBS_MAX, &number))
        return mistake(flag, value, "a whole number from 1 to 1024");
    o->jobs = (unsigned)number;
    return true;
}

/* ---- all ---- */

/* One of: where its text goes, which bool it sets (no value follows), the word it is short for, or
 * what reads it. */
static const struct flag {
    const char *name;
    size_t text, yes;
    const char *word;
    bool (*take)(struct backtest_options *o, const char *flag, const char *value);
} flags[] = {
    {"--strategies", .text = offsetof(struct backtest_options, strategies)},
    {"--only", .text = offsetof(struct backtest_options, only)},
    {"--inputs", .text = offsetof(struct backtest_options, inputs)},
    {"--serve", .yes = offsetof(struct backtest_options, serve)},
    {"--maker-fee", .word = "maker_fee"},
    {"--taker-fee", .word = "taker_fee"},
    {"--inventory", .word = "inventory"},
    {"--history", .text = offsetof(struct backtest_options, history)},
    {"--form", .take = take_form},
    {"--book", .text = offsetof(struct backtest_options, book)},
    {"--ts-unit", .take = take_ts_unit},
    {"--price-unit", .take = take_price_unit},
    {"--day", .take = take_day},
    {"--from", .take = take_from},
    {"--to", .take = take_to},
    {"--symbol", .take = take_symbol},
    {"--tick-size", .take = take_tick_size},
    {"--lot-size", .take = take_lot_size},
    {"--any-price", .yes = offsetof(struct backtest_options, any_price)},
    {"--without", .take = take_without},
    {"--latency", .take = take_latency},
    {"--order-latency", .take = take_order_latency},
    {"--data-latency", .take = take_data_latency},
    {"--latency-file", .take = take_latency_file},
    {"--queue", .take = take_queue},
    {"--seed", .take = take_seed},
    {"--json", .text = offsetof(struct backtest_options, json)},
    {"--csv", .text = offsetof(struct backtest_options, csv)},
    {"--html", .text = offsetof(struct backtest_options, html)},
    {"--sample", .take = take_sample},
    {"--around-the-clock", .yes = offsetof(struct backtest_options, around_the_clock)},
    {"--trades", .text = offsetof(struct backtest_options, trades)},
    {"--book-rows", .text = offsetof(struct backtest_options, book_rows)},
    {"--book-levels", .take = take_book_levels},
    {"--sweep", .take = take_sweep},
    {"--jobs", .take = take_jobs},
};

static const struct flag *find_flag(const char *name)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].name, name) == 0)
            return &flags[i];
    }
    return NULL;
}

/* The argument at *i, and its value. */
static bool take_argument(struct backtest_options *o, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    if (word[0] != '-') {
        if (o->type != NULL || strchr(word, '=') != NULL)
            return take_word(o, word);
        o->type = word;
        return true;
    }
    const struct flag *flag = find_flag(word);
    if (flag == NULL)
        return mistake("argument", word, "a flag that --help lists, or a setting");
    if (flag->yes != 0)
        return *(bool *)((char *)o + flag->yes) = true;
    if (++*i == argc)
        return mistake(word, NULL, "a value after it");
    if (flag->text != 0)
        return take_text((const char **)((char *)o + flag->text), word, argv[*i]);
    return flag->word != NULL ? take_short(o, flag->word, argv[*i]) : flag->take(o, word, argv[*i]);
}

/* What goes together. */
static bool check(const struct backtest_options *o)
{
    int kinds = (o->type != NULL) + (o->strategies != NULL) + (o->inputs != NULL) + o->serve;
    if (kinds != 1)
        return mistake("argument", kinds == 0 ? NULL : "several of them",
                       "one of TYPE, --strategies FILE, --inputs FILE and --serve");
    if (o->inputs != NULL)
        return (o->history == NULL && o->symbol == NULL && o->word_count == 0 && o->axes == NULL &&
                o->trades == NULL && o->book_rows == NULL) ||
               mistake("--inputs", o->inputs,
                       "no history, symbol, parameters or sweep with it: the file says it all");
    if (o->history == NULL)
        return mistake("--history", NULL, "a file or a journal's directory");
    if (o->latency_file != NULL &&
        (o->order_latency.constant_ns | o->data_latency.constant_ns) != 0)
        return mistake("--latency-file", o->latency_file, "no other latency with it");
    if (o->only != NULL && o->strategies == NULL)
        return mistake("--only", o->only, "it with --strategies FILE");
    if (o->strategies != NULL && o->word_count > 0)
        return mistake("argument", o->words[0].name, "parameters in the file of --strategies");
    if (o->symbol == NULL && o->strategies == NULL)
        return mistake("--symbol", NULL, "the symbol to trade");
    if (o->axes != NULL && o->type == NULL)
        return mistake("--sweep", NULL, "one TYPE to sweep");
    if (o->axes != NULL && (o->csv != NULL || o->trades != NULL || o->book_rows != NULL))
        return mistake("--sweep", NULL,
                       "--json and --html with it, no --csv, --trades, "
                       "--book-rows: those are of one run");
    return true;
}

bool backtest_options_read(struct backtest_options *o, int argc, char **argv)
{
    *o = (struct backtest_options){.ts_unit_ns = 1, .seed = SEED_DEFAULT, .book_levels = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            if (!o->serve || i + 1 == argc)
                return mistake("--", NULL, "--serve before it, a program behind it");
            o->program = &argv[i + 1];
            break;
        }
        if (!take_argument(o, argc, argv, &i))
            return false;
    }
    return check(o);
}

void backtest_options_free(struct backtest_options *o)
{
    free(o->samples_ns);
    if (o->axes != NULL)
        memory_free(o->axes, SWEEP_AXES_MAX, sizeof *o->axes);
    *o = (struct backtest_options){.type = NULL};
}
