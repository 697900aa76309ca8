/* sweep_axis: `name=first:last:step` into values, counted in the finest digits that are written in
 * it, so that 0.1 + 0.1 + 0.1 is 0.3. */
#include <string.h>

#include "backtest/sweep.h"
#include "base/decimal.h"

static const char form[] = "expected NAME=FIRST:LAST:STEP with decimals, as in gamma=0.1:0.5:0.1";

struct span {
    const char *text;
    size_t size;
};

static bool refuse(char error[SWEEP_ERROR_SIZE], const char *text, const char *words)
{
    snprintf(error, SWEEP_ERROR_SIZE, "\"%.128s\": %s", text, words);
    return false;
}

/* NAME=A:B:C taken apart; false: it is not of this form. */
static bool take_apart(const char *text, struct span *name, struct span part[3])
{
    const char *at = strchr(text, '=');
    if (at == NULL || at == text)
        return false;
    *name = (struct span){text, (size_t)(at - text)};
    for (unsigned i = 0; i < 3; i++) {
        at++;
        size_t size = i < 2 ? strcspn(at, ":") : strlen(at);
        part[i] = (struct span){at, size};
        at += size;
        if (i < 2 && *at != ':')
            return false;
    }
    return true;
}

static unsigned digits_behind_point(const struct span *s)
{
    const char *point = memchr(s->text, '.', s->size);
    return point != NULL ? (unsigned)(s->size - (size_t)(point - s->text) - 1) : 0;
}

static bool read_part(const struct span *s, unsigned scale, const char *what, int64_t *units,
                      char error[SWEEP_ERROR_SIZE])
{
    const struct decimal_unit unit = {1, scale};
    enum decimal_read read = decimal_to_units(s->text, s->size, &unit, units);
    if (read == DECIMAL_OK)
        return true;
    snprintf(error, SWEEP_ERROR_SIZE, "%s is \"%.*s\": expected a decimal%s", what,
             s->size < 64 ? (int)s->size : 64, s->text,
             read == DECIMAL_TOO_LARGE ? " of at most 18 digits" : ", as 0.25");
    return false;
}

/* How many values there are; 0, with error: none, or too many. */
static unsigned count_values(const char *text, const int64_t units[3], char error[SWEEP_ERROR_SIZE])
{
    int64_t first = units[0], last = units[1], step = units[2];
    wide_t way = (wide_t)last - first;
    if (step == 0) {
        refuse(error, text, "a step of 0 goes nowhere; expected one that is not 0");
        return 0;
    }
    if ((way > 0 && step < 0) || (way < 0 && step > 0)) {
        refuse(error, text,
               way > 0 ? "a step below 0 leads away from the last value; expected one above 0"
                       : "a step above 0 leads away from the last value; expected one below 0");
        return 0;
    }
    wide_t count = way / step + 1;
    if (count > SWEEP_POINTS_MAX) {
        char number[DECIMAL_TEXT_SIZE];
        const struct decimal_unit one = {1, 0};
        decimal_from_sum(number, count, &one);
        snprintf(error, SWEEP_ERROR_SIZE, "\"%.128s\" has %s values: expected at most %d", text,
                 number, SWEEP_POINTS_MAX);
        return 0;
    }
    return (unsigned)count;
}

bool sweep_axis_read(struct sweep_axis *a, const char *text, char error[SWEEP_ERROR_SIZE])
{
    static const char *const names[] = {"the first value", "the last value", "the step"};
    struct span name, part[3];
    if (!take_apart(text, &name, part))
        return refuse(error, text, form);
    if (name.size >= sizeof a->name)
        return refuse(error, text,
                      "the name is longer than any parameter's: expected at most 63 "
                      "characters before the =");
    unsigned scale = 0, shown = 0; /* the last value need not be met: its digits are not shown */
    for (unsigned i = 0; i < 3; i++) {
        unsigned digits = digits_behind_point(&part[i]);
        digits = digits < DECIMAL_SIDE_DIGITS_MAX ? digits : DECIMAL_SIDE_DIGITS_MAX;
        scale = digits > scale ? digits : scale;
        shown = i != 1 && digits > shown ? digits : shown;
    }
    int64_t units[3];
    for (unsigned i = 0; i < 3; i++)
        if (!read_part(&part[i], scale, names[i], &units[i], error))
            return false;
    a->count = count_values(text, units, error);
    if (a->count == 0)
        return false;
    memcpy(a->name, name.text, name.size);
    a->name[name.size] = '\0';
    int64_t finer = 1;
    for (unsigned i = shown; i < scale; i++)
        finer *= 10;
    const struct decimal_unit unit = {1, shown};
    for (unsigned i = 0; i < a->count; i++) {
        char value[DECIMAL_TEXT_SIZE];
        decimal_from_units(value, (units[0] + i * units[2]) / finer, &unit);
        snprintf(a->values[i], sizeof a->values[i], "%.*s", SWEEP_VALUE_SIZE - 1, value);
    }
    return true;
}
