#include "cli/history_span.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/decimal.h"

enum { DAY_S = 24 * 60 * 60 };

static bool read_seconds(const char *text, size_t size, uint64_t *ns)
{
    const struct decimal_unit nanosecond = {1, 9};
    int64_t units;
    if (decimal_to_units(text, size, &nanosecond, &units) != DECIMAL_OK || units < 0)
        return false;
    *ns = (uint64_t)units;
    return true;
}

/* Digits and colons as they must stand: d is a digit. Nothing else is looked at. */
static bool looks_like(const char *text, const char *form)
{
    for (; *form != '\0'; text++, form++) {
        if (*form == 'd' ? *text < '0' || *text > '9' : *text != *form)
            return false;
    }
    return true;
}

static unsigned two_digits(const char *text)
{
    return (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
}

/* HH:MM:SS, perhaps with a fraction. */
static bool read_time_of_day(const char *text, size_t size, uint64_t *ns)
{
    uint64_t rest_ns;
    if (!looks_like(text, "dd:dd:dd") || !read_seconds(text + 6, size - 6, &rest_ns))
        return false;
    unsigned hour = two_digits(text), minute = two_digits(text + 3);
    *ns = (hour * 60 + minute) * 60 * NS_PER_SECOND + rest_ns;
    return hour < 24 && minute < 60 && rest_ns < 60 * NS_PER_SECOND;
}

bool history_time_read(struct history_time *t, const char *text)
{
    size_t size = strlen(text);
    uint64_t date_ns;
    *t = (struct history_time){.given = true, .of_day = true};
    if (looks_like(text, "dddd-dd-ddTdd:dd:dd") && text[size - 1] == 'Z') {
        t->of_day = false;
        if (!history_day_read(text, &date_ns) || !read_time_of_day(text + 11, size - 12, &t->ns))
            return false;
        t->ns += date_ns;
        return true;
    }
    if (looks_like(text, "dd:"))
        return read_time_of_day(text, size, &t->ns);
    return read_seconds(text, size, &t->ns) && t->ns < DAY_S * NS_PER_SECOND;
}

bool history_day_read(const char *text, uint64_t *ns)
{
    struct tm t = {0};
    const char *end = looks_like(text, "dddd-dd-dd") ? strptime(text, "%Y-%m-%d", &t) : NULL;
    int day = t.tm_mday;
    time_t seconds = end == NULL ? -1 : timegm(&t); /* which makes a 1 March of a 30 February */
    *ns = (uint64_t)seconds * NS_PER_SECOND;
    return seconds >= 0 && t.tm_mday == day;
}

static uint64_t place(const struct history_time *t, uint64_t first_ns, uint64_t otherwise)
{
    if (!t->given)
        return otherwise;
    return t->ns + (t->of_day ? first_ns - first_ns % (DAY_S * NS_PER_SECOND) : 0);
}

bool history_span_take(struct history_span *s, uint64_t *time_ns)
{
    if (!s->begun) {
        s->begun = true;
        s->from_ns = place(&s->from, *time_ns, 0);
        s->to_ns = place(&s->to, *time_ns, UINT64_MAX);
    }
    if (*time_ns >= s->to_ns)
        return false;
    if (*time_ns < s->from_ns)
        *time_ns = s->from_ns;
    return true;
}
