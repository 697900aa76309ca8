#include "strategy/parameters.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/config.h"

static const struct decimal_unit nanosecond = {1, 9};

static bool complain(char *error, const char *name, const char *found, const char *expected)
{
    snprintf(error, PARAMETER_ERROR_SIZE, "%.60s: found \"%.100s\", expected %.300s", name, found,
             expected);
    return false;
}

static unsigned table_count(const struct parameter *table)
{
    unsigned count = 0;
    while (table[count].name != NULL)
        count++;
    return count;
}

bool parameter_units_money(const struct parameter_units *units, struct decimal_unit *money)
{
    money->scale = units->tick.scale + units->lot.scale;
    return money->scale <= DECIMAL_SIDE_DIGITS_MAX &&
           !__builtin_mul_overflow(units->tick.digits, units->lot.digits, &money->digits);
}

void parameters_init(struct parameters *p, const struct parameter *table)
{
    *p = (struct parameters){.table = table, .count = table_count(table)};
    CHECK(p->count <= PARAMETERS_MAX);
}

/* ---- what is expected ---- */

/* How many | are in it, and one more. */
static unsigned words_count(const char *words)
{
    unsigned count = 1;
    for (; *words != '\0'; words++)
        count += *words == '|';
    return count;
}

/* The index of a word; its count if it is none of them. */
static unsigned words_find(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (unsigned i = 0;; i++) {
        size_t this_size = strcspn(words, "|");
        if (this_size == size && memcmp(words, word, size) == 0)
            return i;
        words += this_size;
        if (*words++ == '\0')
            return i + 1;
    }
}

/* "passive, aggressive or both". */
static void words_list(const char *words, char *text, size_t size)
{
    unsigned count = words_count(words), i = 0;
    size_t at = 0;
    while (at < size) {
        size_t word = strcspn(words, "|");
        const char *before = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        int more = snprintf(text + at, size - at, "%s%.*s", before, (int)word, words);
        at += (size_t)more;
        words += word;
        if (*words++ == '\0')
            return;
        i++;
    }
}

static const char *kind_words(const struct parameter *row)
{
    switch (row->kind) {
    case PARAMETER_PRICE:
        return "a price";
    case PARAMETER_QUANTITY:
        return "a quantity";
    case PARAMETER_SECONDS:
        return "seconds";
    case PARAMETER_COUNT:
        return "a whole number";
    case PARAMETER_NUMBER:
        return "a number";
    case PARAMETER_WORD:
        return "one word";
    case PARAMETER_FILE:
        return "a file";
    }
    return "";
}

static bool may_be_absent(const struct parameter *row)
{
    return row->kind != PARAMETER_WORD && row->kind != PARAMETER_FILE && row->otherwise != NULL &&
           strcmp(row->otherwise, "none") == 0;
}

/* "seconds from 0.001 to 3600, or none". */
static void expected_words(const struct parameter *row, char *text, size_t size)
{
    const char *absent = may_be_absent(row) ? ", or none" : "";
    if (row->kind == PARAMETER_WORD)
        words_list(row->words, text, size);
    else if (row->kind == PARAMETER_FILE)
        snprintf(text, size, "a path of at most %d characters", PARAMETER_TEXT_SIZE - 1);
    else
        snprintf(text, size, "%s from %.15g to %.15g%s", kind_words(row), row->low, row->high,
                 absent);
}

static void unit_words(const char *what, const struct decimal_unit *unit, char *text, size_t size)
{
    char one[DECIMAL_TEXT_SIZE];
    decimal_from_units(one, 1, unit);
    snprintf(text, size, "a multiple of the %s, which is %s", what, one);
}

/* ---- one value ---- */

static bool in_range(const struct parameter *row, double real)
{
    return real >= row->low && real <= row->high;
}

/* Of prices, quantities and seconds. */
static bool read_units(const struct parameter *row, const struct decimal_unit *unit,
                       const char *what, struct parameter_value *v, char *error)
{
    char expected[200];
    expected_words(row, expected, sizeof expected);
    enum decimal_read read = decimal_to_units(v->text, strlen(v->text), unit, &v->number);
    if (read == DECIMAL_UNEVEN)
        unit_words(what, unit, expected, sizeof expected);
    if (read != DECIMAL_OK)
        return complain(error, row->name, v->text, expected);
    v->real = strtod(v->text, NULL);
    return (in_range(row, v->real) && v->number != PARAMETER_NONE) ||
           complain(error, row->name, v->text, expected);
}

/* Digits with a point between them, and nothing else strtod would take. */
static bool is_decimal(const char *text)
{
    int64_t units;
    enum decimal_read read =
        decimal_to_units(text, strlen(text), &(struct decimal_unit){1, 18}, &units);
    return read == DECIMAL_OK || read == DECIMAL_TOO_LARGE;
}

static bool read_number(const struct parameter *row, struct parameter_value *v)
{
    if (!is_decimal(v->text))
        return false;
    v->real = strtod(v->text, NULL);
    return in_range(row, v->real);
}

static bool read_count(const struct parameter *row, struct parameter_value *v)
{
    uint64_t number;
    if (!config_u64(v->text, 0, INT64_MAX, &number))
        return false;
    v->number = (int64_t)number;
    v->real = (double)number;
    return in_range(row, v->real);
}

static bool read_word(const struct parameter *row, struct parameter_value *v)
{
    v->number = words_find(row->words, v->text);
    return v->number < words_count(row->words);
}

/* v->text against its row. */
static bool read_value(const struct parameter *row, const struct parameter_units *units,
                       struct parameter_value *v, char *error)
{
    char expected[300];
    bool good = true;
    if (may_be_absent(row) && strcmp(v->text, "none") == 0) {
        v->number = PARAMETER_NONE;
        return true;
    }
    switch (row->kind) {
    case PARAMETER_PRICE:
        return read_units(row, &units->tick, "tick", v, error);
    case PARAMETER_QUANTITY:
        return read_units(row, &units->lot, "lot", v, error);
    case PARAMETER_SECONDS:
        return read_units(row, &nanosecond, "nanosecond", v, error);
    case PARAMETER_COUNT:
        good = read_count(row, v);
        break;
    case PARAMETER_NUMBER:
        good = read_number(row, v);
        break;
    case PARAMETER_WORD:
        good = read_word(row, v);
        break;
    case PARAMETER_FILE:
        break;
    }
    expected_words(row, expected, sizeof expected);
    return good || complain(error, row->name, v->text, expected);
}

static int find(const struct parameters *p, const char *name)
{
    for (unsigned i = 0; i < p->count; i++) {
        if (strcmp(p->table[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

bool parameters_set(struct parameters *p, const struct parameter_units *units, const char *name,
                    const char *text, char error[PARAMETER_ERROR_SIZE])
{
    int at = find(p, name);
    if (at < 0) {
        char names[300];
        parameters_names(p->table, names, sizeof names);
        return complain(error, "parameter", name, names);
    }
    const struct parameter *row = &p->table[at];
    struct parameter_value v = {.given = true};
    char expected[80];
    snprintf(expected, sizeof expected, "at most %d characters", PARAMETER_TEXT_SIZE - 1);
    if (strlen(text) >= PARAMETER_TEXT_SIZE)
        return complain(error, name, text, expected);
    strcpy(v.text, text);
    if (!read_value(row, units, &v, error))
        return false;
    p->values[at] = v;
    return true;
}

/* A default is written for no symbol in particular: 0.1 is no quantity where lots are 1. */
static bool take_default(struct parameters *p, unsigned at, const struct parameter_units *units,
                         char *error)
{
    const struct parameter *row = &p->table[at];
    char expected[300], why[PARAMETER_ERROR_SIZE];
    if (row->otherwise == NULL) {
        expected_words(row, expected, sizeof expected);
        return complain(error, row->name, "nothing", expected);
    }
    if (parameters_set(p, units, row->name, row->otherwise, why))
        return true;
    snprintf(error, PARAMETER_ERROR_SIZE, "%.400s; it is the default: give another one", why);
    return false;
}

bool parameters_complete(struct parameters *p, const struct parameter_units *units,
                         char error[PARAMETER_ERROR_SIZE])
{
    for (unsigned i = 0; i < p->count; i++) {
        if (!p->values[i].given && !take_default(p, i, units, error))
            return false;
    }
    return true;
}

const struct parameter_value *parameters_get(const struct parameters *p, const char *name)
{
    int at = find(p, name);
    return at < 0 ? NULL : &p->values[at];
}

/* ---- for people ---- */

static void print_row(const struct parameter *row, FILE *out)
{
    char expected[300];
    expected_words(row, expected, sizeof expected);
    const char *unit = row->unit == NULL ? "" : row->unit;
    fprintf(out, "  %-18s %s\n", row->name, row->summary);
    fprintf(out, "  %-18s %s%s%s; ", "", expected, unit[0] == '\0' ? "" : " ", unit);
    if (row->otherwise == NULL)
        fprintf(out, "must be given\n");
    else
        fprintf(out, "default %s\n", row->otherwise[0] == '\0' ? "none" : row->otherwise);
}

void parameters_print(const struct parameter *table, FILE *out)
{
    for (; table->name != NULL; table++)
        print_row(table, out);
}

void parameters_names(const struct parameter *table, char *text, size_t size)
{
    unsigned count = table_count(table);
    size_t at = (size_t)snprintf(text, size, count == 0 ? "none at all" : "one of ");
    for (unsigned i = 0; i < count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s", i == 0 ? "" : ", ", table[i].name);
}
