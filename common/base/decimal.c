#include "base/decimal.h"

#include <stdbool.h>

__extension__ typedef __int128 wide_t; /* 36 digits fit */

enum { SIDE_DIGITS_MAX = 18 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal times 10^18. */
static enum decimal_read read_scaled(const char *text, size_t size, wide_t *scaled)
{
    size_t at = size > 0 && text[0] == '-' ? 1 : 0;
    bool negative = at == 1;
    size_t whole = 0, part = 0;
    wide_t value = 0;
    for (; at < size && is_digit(text[at]); at++, whole++) {
        if (whole == SIDE_DIGITS_MAX)
            return DECIMAL_TOO_LARGE;
        value = value * 10 + (text[at] - '0');
    }
    if (whole == 0)
        return DECIMAL_MALFORMED;
    if (at < size && text[at] == '.') {
        for (at++; at < size && is_digit(text[at]); at++, part++) {
            if (part == SIDE_DIGITS_MAX)
                return DECIMAL_TOO_LARGE;
            value = value * 10 + (text[at] - '0');
        }
        if (part == 0)
            return DECIMAL_MALFORMED;
    }
    if (at != size)
        return DECIMAL_MALFORMED;
    for (; part < SIDE_DIGITS_MAX; part++)
        value *= 10;
    *scaled = negative ? -value : value;
    return DECIMAL_OK;
}

enum decimal_read decimal_to_units(const char *text, size_t size, const char *unit,
                                   size_t unit_size, int64_t *units)
{
    wide_t value, one;
    enum decimal_read read = read_scaled(text, size, &value);
    if (read != DECIMAL_OK)
        return read;
    if (read_scaled(unit, unit_size, &one) != DECIMAL_OK || one <= 0)
        return DECIMAL_MALFORMED;
    if (value % one != 0)
        return DECIMAL_UNEVEN;
    wide_t count = value / one;
    if (count > INT64_MAX || count < INT64_MIN)
        return DECIMAL_TOO_LARGE;
    *units = (int64_t)count;
    return DECIMAL_OK;
}
