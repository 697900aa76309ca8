/* report_decimals: amounts as exact decimals. A product of ticks, lots and their two units has up
 * to 80 digits, so it is multiplied in limbs of nine. */
#include <string.h>

#include "backtest/report_parts.h"
#include "base/check.h"

enum { LIMB_DIGITS = 9, LIMB_BASE = 1000000000, LIMBS = 11, DIGITS_MAX = LIMBS * LIMB_DIGITS };

/* 2^127 has 39 digits, two units 20 each, and a 5. */
_Static_assert(DIGITS_MAX >= 39 + 2 * 20 + 1, "every amount has its text");
_Static_assert(REPORT_TEXT_SIZE > DIGITS_MAX + 4, "sign, point, a 0 before it, NUL");

struct limbs {
    uint32_t at[LIMBS]; /* the lowest first */
};

static void multiply(struct limbs *l, uint64_t factor)
{
    uwide_t carry = 0;
    for (unsigned i = 0; i < LIMBS; i++) {
        carry += (uwide_t)l->at[i] * factor;
        l->at[i] = (uint32_t)(carry % LIMB_BASE);
        carry /= LIMB_BASE;
    }
    CHECK(carry == 0);
}

static struct limbs limbs_of(uwide_t units)
{
    struct limbs l = {{0}};
    for (unsigned i = 0; units > 0; i++, units /= LIMB_BASE)
        l.at[i] = (uint32_t)(units % LIMB_BASE);
    return l;
}

/* The digit that stands for 10^place. */
static char digit_at(const struct limbs *l, unsigned place)
{
    uint32_t limb = place < DIGITS_MAX ? l->at[place / LIMB_DIGITS] : 0;
    for (unsigned i = place % LIMB_DIGITS; i > 0; i--)
        limb /= 10;
    return (char)('0' + limb % 10);
}

/* units x factors x 10^-scale, with at least digits_min behind the point. */
static void write(char text[REPORT_TEXT_SIZE], notional_t units, const uint64_t factors[3],
                  unsigned scale, unsigned digits_min)
{
    struct limbs l = limbs_of(units < 0 ? -(uwide_t)units : (uwide_t)units);
    for (unsigned i = 0; i < 3; i++)
        multiply(&l, factors[i]);
    unsigned top = DIGITS_MAX - 1, bottom = 0; /* the places that are written */
    while (top > scale && digit_at(&l, top) == '0')
        top--;
    if (top < scale)
        top = scale;
    while (scale - bottom > digits_min && digit_at(&l, bottom) == '0')
        bottom++;
    char *at = text;
    if (units < 0)
        *at++ = '-';
    for (unsigned place = top + 1; place-- > bottom;) {
        *at++ = digit_at(&l, place);
        if (place == scale && place > bottom)
            *at++ = '.';
    }
    *at = '\0';
}

static void write_money(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s,
                        notional_t money, uint64_t factor, unsigned scale)
{
    const struct decimal_unit *tick = &s->units.tick, *lot = &s->units.lot;
    const uint64_t factors[] = {factor, tick->digits, lot->digits};
    write(text, money, factors, scale + tick->scale + lot->scale, tick->scale);
}

void report_money(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s, notional_t money)
{
    write_money(text, s, money, 1, 0);
}

void report_money_fine(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s,
                       notional_t micro_halves)
{
    write_money(text, s, micro_halves, 5, 7);
}

void report_price_halves(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s,
                         int64_t halves)
{
    const uint64_t factors[] = {5, s->units.tick.digits, 1};
    write(text, halves, factors, s->units.tick.scale + 1, s->units.tick.scale);
}

void report_price(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s, int64_t ticks)
{
    (void)decimal_from_units(text, ticks, &s->units.tick);
}

void report_qty(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s, int64_t lots)
{
    (void)decimal_from_units(text, lots, &s->units.lot);
}

/* One more in the last place of the digits in text; a 9 before all of them becomes a 10. */
static void count_up(char *text)
{
    char *first = text[0] == '-' ? text + 1 : text;
    for (char *at = first + strlen(first); at-- > first;) {
        if (*at == '.')
            continue;
        if (*at != '9') {
            (*at)++;
            return;
        }
        *at = '0';
    }
    memmove(first + 1, first, strlen(first) + 1);
    *first = '1';
}

void report_round(char text[REPORT_TEXT_SIZE], unsigned digits)
{
    char *point = strchr(text, '.');
    if (point != NULL && strlen(point + 1) > digits) {
        bool up = point[1 + digits] >= '5';
        point[digits > 0 ? 1 + digits : 0] = '\0';
        if (up)
            count_up(text);
    }
    if (text[0] == '-' && strspn(text + 1, "0.") == strlen(text + 1))
        memmove(text, text + 1, strlen(text));
}

void report_group_digits(char text[REPORT_TEXT_SIZE])
{
    char *first = text[0] == '-' ? text + 1 : text;
    size_t whole = strspn(first, "0123456789");
    if (whole + (whole - 1) / 3 + strlen(first + whole) + 2 > REPORT_TEXT_SIZE)
        return;
    for (size_t at = whole; at > 3;) {
        at -= 3;
        memmove(first + at + 1, first + at, strlen(first + at) + 1);
        first[at] = ',';
    }
}

double report_unit(const struct decimal_unit *unit)
{
    double power = 1;
    for (unsigned i = 0; i < unit->scale; i++)
        power *= 10;
    return (double)unit->digits / power;
}
