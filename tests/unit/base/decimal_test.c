/* decimal: exact, or not at all. There and back at random is decimal_random_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"
#include "tests/unit/base/death.h"

static struct decimal_unit unit_of(const char *text)
{
    struct decimal_unit unit;
    if (!decimal_unit_read(&unit, text, strlen(text)))
        fail_msg("\"%s\" is not read as a unit", text);
    return unit;
}

/* ---- from text ---- */

static void assert_units(const char *text, const char *unit_text, int64_t expected)
{
    struct decimal_unit unit = unit_of(unit_text);
    int64_t units = ~expected;
    assert_int_equal(decimal_to_units(text, strlen(text), &unit, &units), DECIMAL_OK);
    if (units != expected)
        fail_msg("%s in units of %s is %lld, not %lld", text, unit_text, (long long)expected,
                 (long long)units);
}

static void assert_refused(const char *text, const char *unit_text, enum decimal_read why)
{
    struct decimal_unit unit = unit_of(unit_text);
    int64_t units = 42;
    enum decimal_read got = decimal_to_units(text, strlen(text), &unit, &units);
    if (got != why)
        fail_msg("\"%s\" in units of %s is read as %d, not %d", text, unit_text, (int)got,
                 (int)why);
    assert_true(units == 42); /* untouched */
}

static void a_decimal_is_counted_in_units(void **state)
{
    (void)state;
    assert_units("100.25", "0.05", 2005);
    assert_units("0", "0.01", 0);
    assert_units("0.00", "0.01", 0);
    assert_units("7", "1", 7);
    assert_units("7.000", "1", 7);
    assert_units("0.0001", "0.0001", 1);
    assert_units("12", "3", 4);
    assert_units("0.3", "0.1", 3); /* which a double would not be sure of */
    assert_units("007.50", "0.5", 15);
}

static void a_decimal_may_be_below_zero(void **state)
{
    (void)state;
    assert_units("-0.05", "0.05", -1);
    assert_units("-100.25", "0.05", -2005);
    assert_units("-0", "1", 0);
}

static void nothing_is_rounded(void **state)
{
    (void)state;
    assert_refused("100.26", "0.05", DECIMAL_UNEVEN);
    assert_refused("-0.001", "0.01", DECIMAL_UNEVEN);
    assert_refused("0.000000000000000001", "0.01", DECIMAL_UNEVEN);
    assert_refused("1", "3", DECIMAL_UNEVEN);
}

static void what_is_not_a_decimal_is_refused(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "",    "-",   ".",     "-.",   ".5",  "5.",  "--5", "+5",   " 5", "5 ",
        "5e2", "1,5", "1.2.3", "0x10", "NaN", "inf", "1-",  "1.-2", "１", "1.5x",
    };
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        assert_refused(malformed[i], "1", DECIMAL_MALFORMED);
}

static void only_size_bytes_are_read(void **state)
{
    (void)state;
    struct decimal_unit unit;
    int64_t units;
    assert_true(decimal_unit_read(&unit, "0.5y", 3));
    assert_int_equal(decimal_to_units("12.5x", 4, &unit, &units), DECIMAL_OK);
    assert_true(units == 25);
    assert_int_equal(decimal_to_units("1\0002", 3, &unit, &units), DECIMAL_MALFORMED);
}

static void each_side_of_the_point_holds_18_digits(void **state)
{
    (void)state;
    assert_units("99999999999999999", "1", 99999999999999999);     /* 17 */
    assert_units("999999999999999999", "1", 999999999999999999);   /* 18 */
    assert_units("000000000000000001", "1", 1);                    /* zeros are digits too */
    assert_units("0.00000000000000001", "0.00000000000000001", 1); /* 17 */
    assert_units("0.000000000000000001", "0.000000000000000001", 1);
    assert_refused("1000000000000000000", "1", DECIMAL_TOO_LARGE);
    assert_refused("0000000000000000001", "1", DECIMAL_TOO_LARGE);
    assert_refused("0.0000000000000000010", "0.000000000000000001", DECIMAL_TOO_LARGE);
}

static void units_fill_int64_and_no_more(void **state)
{
    (void)state;
    const char *tiny = "0.000000000000000001";
    assert_units("9.223372036854775807", tiny, INT64_MAX);
    assert_units("9.223372036854775806", tiny, INT64_MAX - 1);
    assert_units("-9.223372036854775808", tiny, INT64_MIN);
    assert_units("-9.223372036854775807", tiny, INT64_MIN + 1);
    assert_refused("9.223372036854775808", tiny, DECIMAL_TOO_LARGE);
    assert_refused("-9.223372036854775809", tiny, DECIMAL_TOO_LARGE);
    assert_refused("999999999999999999.999999999999999999", tiny, DECIMAL_TOO_LARGE);
    assert_units("999999999999999999", "999999999999999999", 1);
}

/* ---- units ---- */

static void assert_unit(const char *text, uint64_t digits, unsigned scale)
{
    struct decimal_unit unit = unit_of(text);
    if (unit.digits != digits || unit.scale != scale)
        fail_msg("the unit %s is read as %llu at scale %u", text, (unsigned long long)unit.digits,
                 unit.scale);
}

static void a_unit_keeps_the_scale_of_its_text(void **state)
{
    (void)state;
    assert_unit("1", 1, 0);
    assert_unit("0.05", 5, 2);
    assert_unit("0.050", 50, 3);
    assert_unit("1.00", 100, 2);
    assert_unit("00.1", 1, 1);
    assert_unit("0.000000000000000001", 1, 18);
}

static void a_unit_has_the_digits_of_64_bits(void **state)
{
    (void)state;
    assert_unit("18.446744073709551614", UINT64_MAX - 1, 18);
    assert_unit("18.446744073709551615", UINT64_MAX, 18);
    struct decimal_unit unit = {7, 7};
    const char *above = "18.446744073709551616";
    assert_false(decimal_unit_read(&unit, above, strlen(above)));
    assert_true(unit.digits == 7 && unit.scale == 7); /* untouched */
}

static void a_unit_is_a_decimal_above_zero(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0",
        "0.000",
        "-1",
        "-0.5",
        "",
        "x",
        "1.",
        ".1",
        "0.0000000000000000001",
        "1e2",
        "1 ",
        " 1",
        "+1",
        "NaN",
        "--1",
        "1000000000000000000", /* 19 digits */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct decimal_unit unit;
        if (decimal_unit_read(&unit, bad[i], strlen(bad[i])))
            fail_msg("\"%s\" is read as a unit", bad[i]);
    }
}

/* ---- to text ---- */

static void assert_text(const char *what, const char *text, size_t size, const char *expected)
{
    if (strcmp(text, expected) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", what, text, expected);
    assert_int_equal(size, strlen(expected));
}

static void assert_from(int64_t units, const char *unit_text, const char *expected)
{
    struct decimal_unit unit = unit_of(unit_text);
    char text[DECIMAL_TEXT_SIZE];
    size_t size = decimal_from_units(text, units, &unit);
    assert_text("the text of units", text, size, expected);
}

static void assert_sum(wide_t units, const char *unit_text, const char *expected)
{
    struct decimal_unit unit = unit_of(unit_text);
    char text[DECIMAL_TEXT_SIZE];
    size_t size = decimal_from_sum(text, units, &unit);
    assert_text("the text of a sum", text, size, expected);
}

static void assert_ratio(wide_t sum, uwide_t count, const char *unit_text, const char *expected)
{
    struct decimal_unit unit = unit_of(unit_text);
    char text[DECIMAL_TEXT_SIZE];
    size_t size = decimal_ratio(text, sum, count, &unit);
    assert_text("the text of a ratio", text, size, expected);
}

static void units_show_their_scale_always(void **state)
{
    (void)state;
    assert_from(2005, "0.05", "100.25");
    assert_from(2000, "0.05", "100.00");
    assert_from(0, "0.05", "0.00");
    assert_from(0, "1", "0");
    assert_from(1, "0.05", "0.05");
    assert_from(-1, "0.05", "-0.05");
    assert_from(-2005, "0.05", "-100.25");
    assert_from(3, "0.50", "1.50");
    assert_from(7, "100", "700");
    assert_from(10, "1", "10");
    assert_from(1, "0.000000000000000001", "0.000000000000000001");
}

static void the_ends_of_int64_have_their_text(void **state)
{
    (void)state;
    assert_from(INT64_MAX, "1", "9223372036854775807");
    assert_from(INT64_MIN, "1", "-9223372036854775808");
    assert_from(INT64_MAX, "0.000000000000000001", "9.223372036854775807");
    assert_from(INT64_MIN, "0.01", "-92233720368547758.08");
    /* at 18 digits the one way of writing ends and the other begins */
    assert_from(99999999999999999, "1", "99999999999999999");
    assert_from(999999999999999999, "1", "999999999999999999");
    assert_from(1000000000000000000, "1", "1000000000000000000");
    assert_from(1000000000000000001, "1", "1000000000000000001");
    assert_from(1000000000000000000, "0.000000000000000001", "1.000000000000000000");
    assert_from(999999999999999999, "0.000000000000000001", "0.999999999999999999");
}

static const wide_t wide_max = (wide_t)(~(uwide_t)0 >> 1);

static void every_sum_has_its_text(void **state)
{
    (void)state;
    assert_sum((wide_t)INT64_MAX + 1, "0.01", "92233720368547758.08");
    assert_sum((wide_t)1 << 100, "1", "1267650600228229401496703205376");
    assert_sum(wide_max, "1", "170141183460469231731687303715884105727");
    assert_sum(-wide_max - 1, "0.001", "-170141183460469231731687303715884105.728");
    /* (2^127 - 1) * (2^64 - 1) and -2^127 * (2^64 - 1): the longest there is */
    assert_sum(wide_max, "18.446744073709551615",
               "3138550867693340381747753528143363976301.043674442423599105");
    assert_sum(-wide_max - 1, "18.446744073709551615",
               "-3138550867693340381747753528143363976319.490418516133150720");
}

static void a_ratio_is_cut_not_rounded(void **state)
{
    (void)state;
    assert_ratio(2, 3, "1", "0.66666666");
    assert_ratio(200, 3, "0.01", "0.6666666666");
    assert_ratio(-200, 3, "0.01", "-0.6666666666");
    assert_ratio(2005, 2, "0.05", "50.125");
    assert_ratio(1, 3, "0.000000000000000001", "0.00000000000000000033333333");
}

static void a_ratio_ends_without_zeros(void **state)
{
    (void)state;
    assert_ratio(200, 2, "0.01", "1.00"); /* but keeps those of its unit */
    assert_ratio(5, 2, "1", "2.5");
    assert_ratio(4, 2, "1", "2");
    assert_ratio(0, 7, "0.01", "0.00");
    assert_ratio(0, 7, "1", "0");
    assert_ratio(1001, 1000, "1", "1.001");
    assert_ratio(1, 10000000, "1", "0.0000001");
    assert_ratio(10, 100000000, "1", "0.0000001");
    assert_ratio(1, 100000000, "1", "0.00000001");
}

static void a_ratio_cut_to_0_is_0(void **state)
{
    (void)state;
    assert_ratio(1, 1000000000, "1", "0");
    assert_ratio(-1, 1000000000, "1", "0");
    assert_ratio(-1, 1000000000, "0.01", "0.00");
    assert_ratio(-1, 100000000, "1", "-0.00000001");
}

static void a_ratio_of_wide_numbers_is_exact(void **state)
{
    (void)state;
    uwide_t most = (uwide_t)wide_max;
    assert_ratio(wide_max, most, "0.05", "0.05");
    assert_ratio(-wide_max, most, "18.446744073709551615", "-18.446744073709551615");
    /* (2^127 - 2) / (2^127 - 1) of 2^64 - 1: all but nothing */
    assert_ratio(wide_max - 1, most, "18.446744073709551615", "18.44674407370955161499999999");
    /* a third and a seventh of 2^64 - 1, whose products are beyond 128 bits */
    assert_ratio((wide_t)1 << 100, 3 * ((uwide_t)1 << 100), "18.446744073709551615",
                 "6.148914691236517205");
    assert_ratio((wide_t)1 << 100, 7 * ((uwide_t)1 << 100), "18.446744073709551615",
                 "2.63524915338707880214285714");
    assert_ratio(-wide_max - 1, (uwide_t)1 << 64, "1", "-9223372036854775808");
    assert_ratio(wide_max, (uwide_t)1 << 64, "0.01", "92233720368547758.0799999999");
    assert_ratio((wide_t)INT64_MAX, 1, "18.446744073709551615",
                 "170141183460469231704.017187605319778305");
}

static void divide_by_0(void *self)
{
    (void)self;
    assert_ratio(1, 0, "1", "");
}

static void divide_by_2_to_127(void *self)
{
    (void)self;
    assert_ratio(1, (uwide_t)1 << 127, "1", "");
}

static void exceed_int64(void *self)
{
    (void)self;
    assert_ratio((wide_t)INT64_MAX + 2, 1, "1", "");
}

static void a_ratio_beyond_its_contract_is_an_error_of_ours(void **state)
{
    (void)state;
    assert_true(death_of(divide_by_0, NULL).aborted);
    assert_true(death_of(divide_by_2_to_127, NULL).aborted);
    assert_true(death_of(exceed_int64, NULL).aborted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decimal_is_counted_in_units),
        cmocka_unit_test(a_decimal_may_be_below_zero),
        cmocka_unit_test(nothing_is_rounded),
        cmocka_unit_test(what_is_not_a_decimal_is_refused),
        cmocka_unit_test(only_size_bytes_are_read),
        cmocka_unit_test(each_side_of_the_point_holds_18_digits),
        cmocka_unit_test(units_fill_int64_and_no_more),
        cmocka_unit_test(a_unit_keeps_the_scale_of_its_text),
        cmocka_unit_test(a_unit_has_the_digits_of_64_bits),
        cmocka_unit_test(a_unit_is_a_decimal_above_zero),
        cmocka_unit_test(units_show_their_scale_always),
        cmocka_unit_test(the_ends_of_int64_have_their_text),
        cmocka_unit_test(every_sum_has_its_text),
        cmocka_unit_test(a_ratio_is_cut_not_rounded),
        cmocka_unit_test(a_ratio_ends_without_zeros),
        cmocka_unit_test(a_ratio_cut_to_0_is_0),
        cmocka_unit_test(a_ratio_of_wide_numbers_is_exact),
        cmocka_unit_test(a_ratio_beyond_its_contract_is_an_error_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
