#include "base/decimal.h"

#include <string.h>

#include "base/check.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What a decimal is made of: its digits as one number, and how many of them stand behind the
 * point. 36 digits fit. */
struct digits {
    wide_t value;
    unsigned scale;
};

static enum decimal_read read_digits(const char *text, size_t size, struct digits *d)
{
    size_t at = size > 0 && text[0] == '-' ? 1 : 0;
    bool negative = at == 1;
    unsigned whole = 0;
    *d = (struct digits){0, 0};
    for (; at < size && is_digit(text[at]); at++, whole++) {
        if (whole == DECIMAL_SIDE_DIGITS_MAX)
            return DECIMAL_TOO_LARGE;
        d->value = d->value * 10 + (text[at] - '0');
    }
    if (whole == 0)
        return DECIMAL_MALFORMED;
    if (at < size && text[at] == '.') {
        for (at++; at < size && is_digit(text[at]); at++, d->scale++) {
            if (d->scale == DECIMAL_SIDE_DIGITS_MAX)
                return DECIMAL_TOO_LARGE;
            d->value = d->value * 10 + (text[at] - '0');
        }
        if (d->scale == 0)
            return DECIMAL_MALFORMED;
    }
    if (at != size)
        return DECIMAL_MALFORMED;
    if (negative)
        d->value = -d->value;
    return DECIMAL_OK;
}

static wide_t power_of_ten(unsigned exponent)
{
    wide_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

bool decimal_unit_read(struct decimal_unit *unit, const char *text, size_t size)
{
    struct digits d;
    if (read_digits(text, size, &d) != DECIMAL_OK || d.value <= 0 || d.value > UINT64_MAX)
        return false;
    *unit = (struct decimal_unit){(uint64_t)d.value, d.scale};
    return true;
}

enum decimal_read decimal_to_units(const char *text, size_t size, const struct decimal_unit *unit,
                                   int64_t *units)
{
    struct digits d;
    enum decimal_read read = read_digits(text, size, &d);
    if (read != DECIMAL_OK)
        return read;
    /* Both at the finer of the two scales: at most 18 digits are appended to at most 20. */
    wide_t value = d.value, one = (wide_t)unit->digits;
    if (d.scale < unit->scale)
        value *= power_of_ten(unit->scale - d.scale);
    else
        one *= power_of_ten(d.scale - unit->scale);
    if (value % one != 0)
        return DECIMAL_UNEVEN;
    wide_t count = value / one;
    if (count > INT64_MAX || count < INT64_MIN)
        return DECIMAL_TOO_LARGE;
    *units = (int64_t)count;
    return DECIMAL_OK;
}

/* ---- to text ---- */

/* Digits of base 10^18, the lowest first: what 192 bits hold needs four. */
enum { LIMB_DIGITS = 18, LIMBS_MAX = 4 };
static const uint64_t limb_base = UINT64_C(1000000000000000000);

struct limbs {
    uint64_t at[LIMBS_MAX];
    unsigned count; /* at least 1; the last is 0 only if it is alone */
};

/* units * digits + more, exactly. */
static struct limbs multiply(uwide_t units, uint64_t digits, uint64_t more)
{
    struct limbs l = {.count = 0};
    uint64_t small;
    /* Nearly every price and quantity there is; it saves the divisions of 128 bits. */
    if (units < limb_base && more == 0 &&
        !__builtin_mul_overflow((uint64_t)units, digits, &small) && small < limb_base)
        return (struct limbs){.at = {small}, .count = 1};
    uwide_t carry = more;
    do {
        carry += units % limb_base * digits;
        l.at[l.count++] = (uint64_t)(carry % limb_base);
        carry /= limb_base;
        units /= limb_base;
    } while (units > 0 || carry > 0);
    return l;
}

static bool is_zero(const struct limbs *l)
{
    return l->count == 1 && l->at[0] == 0;
}

/* The digits of a number, the last `scale` of them behind a point, at least one before it. */
static size_t write_digits(char *text, const struct limbs *l, bool negative, unsigned scale)
{
    char backwards[DECIMAL_TEXT_SIZE];
    char *const end = backwards + sizeof backwards, *at = end;
    unsigned written = 0;
    for (unsigned i = 0; i < l->count; i++) {
        bool last = i + 1 == l->count;
        uint64_t rest = l->at[i];
        for (unsigned k = 0; last ? rest > 0 || written <= scale : k < LIMB_DIGITS; k++) {
            if (written > 0 && written == scale)
                *--at = '.';
            *--at = (char)('0' + (int)(rest % 10));
            rest /= 10;
            written++;
        }
    }
    if (negative)
        *--at = '-';
    size_t size = (size_t)(end - at);
    memcpy(text, at, size);
    text[size] = '\0';
    return size;
}

size_t decimal_from_units(char text[DECIMAL_TEXT_SIZE], int64_t units,
                          const struct decimal_unit *unit)
{
    return decimal_from_sum(text, units, unit);
}

static uwide_t magnitude_of(wide_t value)
{
    return value < 0 ? -(uwide_t)value : (uwide_t)value;
}

size_t decimal_from_sum(char text[DECIMAL_TEXT_SIZE], wide_t units, const struct decimal_unit *unit)
{
    struct limbs l = multiply(magnitude_of(units), unit->digits, 0);
    return write_digits(text, &l, units < 0, unit->scale);
}

/* left * factor / count, and in `left` what is left of it; left < count < 2^127. Where the product
 * is beyond 128 bits, by doubling. */
static uint64_t divide_scaled(uwide_t *left, uint64_t factor, uwide_t count)
{
    uwide_t product;
    if (!__builtin_mul_overflow(*left, (uwide_t)factor, &product)) {
        *left = product % count;
        return (uint64_t)(product / count);
    }
    uint64_t quotient = 0;
    uwide_t rest = 0;
    for (int bit = 63; bit >= 0; bit--) {
        quotient *= 2;
        rest *= 2;
        if (rest >= count) {
            rest -= count;
            quotient++;
        }
        if ((factor >> bit & 1) == 0)
            continue;
        rest += *left;
        if (rest >= count) {
            rest -= count;
            quotient++;
        }
    }
    *left = rest;
    return quotient;
}

size_t decimal_ratio(char text[DECIMAL_TEXT_SIZE], wide_t sum, uwide_t count,
                     const struct decimal_unit *unit)
{
    CHECK(count > 0 && count <= ~(uwide_t)0 >> 1);
    uwide_t magnitude = magnitude_of(sum);
    uwide_t quotient = magnitude / count, left = magnitude % count;
    CHECK(quotient <= (uwide_t)INT64_MAX + 1);
    uint64_t more = divide_scaled(&left, unit->digits, count);
    struct limbs l = multiply(quotient, unit->digits, more);

    char cut[DECIMAL_RATIO_DIGITS];
    unsigned cut_size = 0; /* without the zeros at its end */
    for (unsigned i = 0; i < DECIMAL_RATIO_DIGITS && left > 0; i++) {
        cut[i] = (char)('0' + (int)divide_scaled(&left, 10, count));
        if (cut[i] != '0')
            cut_size = i + 1;
    }
    bool negative = sum < 0 && (cut_size > 0 || !is_zero(&l));
    size_t size = write_digits(text, &l, negative, unit->scale);
    if (cut_size > 0 && unit->scale == 0)
        text[size++] = '.';
    memcpy(text + size, cut, cut_size);
    text[size + cut_size] = '\0';
    return size + cut_size;
}
