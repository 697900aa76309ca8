/* decimal: exact, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"

static enum decimal_read read(const char *text, const char *unit, int64_t *units)
{
    return decimal_to_units(text, strlen(text), unit, strlen(unit), units);
}

static void assert_units(const char *text, const char *unit, int64_t expected)
{
    int64_t units = ~expected;
    assert_int_equal(read(text, unit, &units), DECIMAL_OK);
    if (units != expected)
        fail_msg("%s in units of %s is %lld, not %lld", text, unit, (long long)expected,
                 (long long)units);
}

static void assert_refused(const char *text, const char *unit, enum decimal_read why)
{
    int64_t units = 42;
    enum decimal_read got = read(text, unit, &units);
    if (got != why)
        fail_msg("\"%s\" in units of \"%s\" is read as %d, not %d", text, unit, (int)got, (int)why);
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
    int64_t units;
    assert_int_equal(decimal_to_units("12.5x", 4, "0.5y", 3, &units), DECIMAL_OK);
    assert_true(units == 25);
    assert_int_equal(decimal_to_units("1\0002", 3, "1", 1, &units), DECIMAL_MALFORMED);
}

static void a_unit_is_a_decimal_above_zero(void **state)
{
    (void)state;
    static const char *const units[] = {"0", "0.000", "-1", "-0.5", "", "x", "1.", ".1"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        assert_refused("1", units[i], DECIMAL_MALFORMED);
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
    assert_refused("1", "0.0000000000000000001", DECIMAL_MALFORMED); /* a unit that cannot be */
}

static void units_fill_int64_and_no_more(void **state)
{
    (void)state;
    const char *tiny = "0.000000000000000001";
    assert_units("9.223372036854775807", tiny, INT64_MAX);
    assert_units("9.223372036854775806", tiny, INT64_MAX - 1);
    assert_units("-9.223372036854775808", tiny, INT64_MIN);
    assert_refused("9.223372036854775808", tiny, DECIMAL_TOO_LARGE);
    assert_refused("-9.223372036854775809", tiny, DECIMAL_TOO_LARGE);
    assert_refused("999999999999999999.999999999999999999", tiny, DECIMAL_TOO_LARGE);
    assert_units("999999999999999999", "999999999999999999", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decimal_is_counted_in_units),
        cmocka_unit_test(a_decimal_may_be_below_zero),
        cmocka_unit_test(nothing_is_rounded),
        cmocka_unit_test(what_is_not_a_decimal_is_refused),
        cmocka_unit_test(only_size_bytes_are_read),
        cmocka_unit_test(a_unit_is_a_decimal_above_zero),
        cmocka_unit_test(each_side_of_the_point_holds_18_digits),
        cmocka_unit_test(units_fill_int64_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
