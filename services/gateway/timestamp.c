#include "gateway/timestamp.h"

enum { US_DIGITS_MAX = 16, FRACTION_DIGITS_MAX = 9 };

/* `count` digits as a number. */
static bool take_number(struct text *t, unsigned count, unsigned *number)
{
    *number = 0;
    if (t->size < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (t->data[i] < '0' || t->data[i] > '9')
            return false;
        *number = *number * 10 + (unsigned)(t->data[i] - '0');
    }
    t->data += count;
    t->size -= count;
    return true;
}

static bool take_letter(struct text *t, char upper)
{
    if (t->size == 0 || (t->data[0] != upper && t->data[0] != (char)(upper | 0x20)))
        return false;
    t->data++;
    t->size--;
    return true;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
    uint64_t days = day - 1;
    for (unsigned y = 1970; y < year; y++)
        days += is_leap(y) ? 366 : 365;
    for (unsigned m = 1; m < month; m++)
        days += days_of_month(year, m);
    return days;
}

/* The digits behind a point, as ns. */
static bool take_fraction(struct text *t, uint64_t *ns)
{
    unsigned count = 0;
    *ns = 0;
    if (t->size == 0 || t->data[0] != '.')
        return true;
    t->data++;
    t->size--;
    for (; t->size > 0 && t->data[0] >= '0' && t->data[0] <= '9'; t->data++, t->size--) {
        if (count++ == FRACTION_DIGITS_MAX)
            return false;
        *ns = *ns * 10 + (uint64_t)(t->data[0] - '0');
    }
    for (unsigned i = count; i < FRACTION_DIGITS_MAX; i++)
        *ns *= 10;
    return count > 0;
}

bool timestamp_read(struct text text, uint64_t *time_ns)
{
    unsigned year, month, day, hour, minute, second;
    uint64_t ns;
    struct text *t = &text;
    if (!take_number(t, 4, &year) || !take_letter(t, '-') || !take_number(t, 2, &month) ||
        !take_letter(t, '-') || !take_number(t, 2, &day) || !take_letter(t, 'T') ||
        !take_number(t, 2, &hour) || !take_letter(t, ':') || !take_number(t, 2, &minute) ||
        !take_letter(t, ':') || !take_number(t, 2, &second) || !take_fraction(t, &ns) ||
        !take_letter(t, 'Z') || t->size > 0)
        return false;
    if (year < 1970 || year > 2553 || month < 1 || month > 12 || day < 1 ||
        day > days_of_month(year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    uint64_t seconds =
        days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *time_ns = seconds * UINT64_C(1000000000) + ns;
    return true;
}

bool timestamp_read_us(struct text text, uint64_t *time_ns)
{
    uint64_t us = 0;
    if (text.size == 0 || text.size > US_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        us = us * 10 + (uint64_t)(text.data[i] - '0');
    }
    *time_ns = us * 1000;
    return true;
}
