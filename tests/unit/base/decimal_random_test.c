/* decimal, there and back: text to units to text and units to text to units, over random scales. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"

enum { ROUND_TRIPS = 20000 };

/* A number of as many bits as is drawn first: small ones as often as large ones. */
static uint64_t any_u64(struct random *r)
{
    uint64_t bits = random_below(r, 65);
    return bits == 0 ? 0 : random_next(r) >> (64 - bits);
}

static int64_t any_i64(struct random *r)
{
    static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    if (random_once_in(r, 10))
        return RANDOM_OF(r, edges);
    return (int64_t)any_u64(r);
}

static struct decimal_unit any_unit(struct random *r)
{
    static const uint64_t usual[] = {1, 1, 2, 5, 25, 125, 1000};
    struct decimal_unit unit;
    unit.scale = (unsigned)random_below(r, DECIMAL_SIDE_DIGITS_MAX + 1);
    unit.digits = random_once_in(r, 2) ? RANDOM_OF(r, usual) : any_u64(r) | 1;
    return unit;
}

/* How many digits a text has before its point. */
static size_t whole_digits(const char *text)
{
    return strcspn(text + (text[0] == '-'), ".");
}

static void units_to_text_and_back(uint64_t seed)
{
    struct random r = {seed};
    for (unsigned i = 0; i < ROUND_TRIPS; i++) {
        struct decimal_unit unit = any_unit(&r);
        int64_t units = any_i64(&r), again = ~units;
        char text[DECIMAL_TEXT_SIZE];
        size_t size = decimal_from_units(text, units, &unit);
        enum decimal_read read = decimal_to_units(text, size, &unit, &again);
        if (whole_digits(text) > DECIMAL_SIDE_DIGITS_MAX)
            assert_int_equal(read, DECIMAL_TOO_LARGE);
        else if (read != DECIMAL_OK || again != units)
            fail_msg("%lld units of %llu at scale %u are \"%s\", read as %d: %lld",
                     (long long)units, (unsigned long long)unit.digits, unit.scale, text, (int)read,
                     (long long)again);
    }
}

static void units_survive_their_text(void **state)
{
    (void)state;
    seeds_run("units_survive_their_text", 5, units_to_text_and_back);
}

/* What a value is in units, both at scale 18, where they are below 10^38: a way of its own, which
 * needs nothing of what is tested. */
static enum decimal_read judged(wide_t value_e18, const struct decimal_unit *unit, wide_t *units)
{
    wide_t one = (wide_t)unit->digits;
    for (unsigned i = unit->scale; i < 18; i++)
        one *= 10;
    if (value_e18 % one != 0)
        return DECIMAL_UNEVEN;
    *units = value_e18 / one;
    return *units < INT64_MIN || *units > INT64_MAX ? DECIMAL_TOO_LARGE : DECIMAL_OK;
}

/* A decimal with any number of digits behind its point, zeros among them; its value times 10^18. */
static wide_t any_decimal(struct random *r, char *text)
{
    static const uint64_t powers[] = {
        1, 10, 100, 10000, 1000000, 1000000000, 1000000000000, UINT64_C(1000000000000000000)};
    uint64_t whole = any_u64(r) % RANDOM_OF(r, powers);
    unsigned scale = (unsigned)random_below(r, DECIMAL_SIDE_DIGITS_MAX + 1);
    uint64_t fraction_e18 = 0, place = UINT64_C(1000000000000000000);
    bool negative = random_once_in(r, 4);
    int size = sprintf(text, "%s%llu%s", negative ? "-" : "", (unsigned long long)whole,
                       scale > 0 ? "." : "");
    for (unsigned i = 0; i < scale; i++) {
        uint64_t digit = random_once_in(r, 2) ? 0 : random_below(r, 10);
        place /= 10;
        fraction_e18 += digit * place;
        size += sprintf(text + size, "%llu", (unsigned long long)digit);
    }
    wide_t value = (wide_t)whole * 1000000000000000000 + fraction_e18;
    return negative ? -value : value;
}

/* What is shown is what was given but for zeros at the end, at the unit's scale; a minus before 0
 * is gone. */
static void assert_same_decimal(const char *given, const char *shown, unsigned scale)
{
    size_t at = 0, shown_size = strlen(shown);
    if (given[0] == '-' && shown[0] != '-') {
        if (strspn(given + 1, "0.") != strlen(given + 1))
            fail_msg("\"%s\" is shown as \"%s\"", given, shown);
        given++;
    }
    while (given[at] != '\0' && given[at] == shown[at])
        at++;
    const char *more = given[at] != '\0' ? given + at : shown + at;
    size_t point = strcspn(shown, ".");
    if ((given[at] != '\0' && shown[at] != '\0') || strspn(more, ".0") != strlen(more) ||
        (at < point && shown[at] != '\0'))
        fail_msg("\"%s\" is shown as \"%s\"", given, shown);
    assert_int_equal(scale == 0 ? 0 : shown_size - point - 1, scale);
}

static void text_to_units_and_back(uint64_t seed)
{
    struct random r = {seed};
    unsigned counts[DECIMAL_TOO_LARGE + 1] = {0};
    for (unsigned i = 0; i < ROUND_TRIPS; i++) {
        struct decimal_unit unit = any_unit(&r);
        char text[DECIMAL_TEXT_SIZE], shown[DECIMAL_TEXT_SIZE];
        wide_t expected = 0, value = any_decimal(&r, text);
        int64_t units = 0;
        enum decimal_read read = decimal_to_units(text, strlen(text), &unit, &units);
        enum decimal_read right = judged(value, &unit, &expected);
        if (read != right || (read == DECIMAL_OK && units != expected))
            fail_msg("\"%s\" in units of %llu at scale %u is read as %d: %lld, not %d", text,
                     (unsigned long long)unit.digits, unit.scale, (int)read, (long long)units,
                     (int)right);
        counts[read]++;
        if (read != DECIMAL_OK)
            continue;
        decimal_from_units(shown, units, &unit);
        assert_same_decimal(text, shown, unit.scale);
    }
    /* none of the three is so rare that it would go untested */
    assert_true(counts[DECIMAL_OK] > ROUND_TRIPS / 100);
    assert_true(counts[DECIMAL_UNEVEN] > ROUND_TRIPS / 100);
    assert_true(counts[DECIMAL_TOO_LARGE] > ROUND_TRIPS / 1000);
}

static void text_on_a_unit_is_exact_and_all_other_refused(void **state)
{
    (void)state;
    seeds_run("text_on_a_unit_is_exact_and_all_other_refused", 5, text_to_units_and_back);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(units_survive_their_text),
        SEEDS_TEST(text_on_a_unit_is_exact_and_all_other_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
