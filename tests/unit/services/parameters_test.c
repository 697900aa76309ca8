/* parameters: what each kind takes and refuses, at its limits; and what is said of a mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "strategy/parameters.h"

static const struct parameter table[] = {
    {.name = "price",
     .kind = PARAMETER_PRICE,
     .low = -100,
     .high = 1000,
     .unit = "of the quote currency",
     .summary = "a price that must be given"},
    {.name = "size",
     .kind = PARAMETER_QUANTITY,
     .otherwise = "0.5",
     .low = 0.001,
     .high = 10,
     .summary = "a quantity"},
    {.name = "most",
     .kind = PARAMETER_QUANTITY,
     .otherwise = "none",
     .low = 0,
     .high = 10,
     .summary = "one that may be absent"},
    {.name = "time",
     .kind = PARAMETER_SECONDS,
     .otherwise = "1.5",
     .low = 0.000000001,
     .high = 3600,
     .unit = "s",
     .summary = "a time"},
    {.name = "count",
     .kind = PARAMETER_COUNT,
     .otherwise = "10",
     .low = 1,
     .high = 100,
     .summary = "a count"},
    {.name = "share",
     .kind = PARAMETER_NUMBER,
     .otherwise = "0.1",
     .low = 0,
     .high = 1,
     .summary = "a number"},
    {.name = "style",
     .kind = PARAMETER_WORD,
     .otherwise = "slow",
     .words = "fast|slow|none at all",
     .summary = "a word"},
    {.name = "file", .kind = PARAMETER_FILE, .otherwise = "", .summary = "a file"},
    {.name = NULL},
};
static const struct parameter_units units = {{5, 2}, {1, 3}}; /* ticks of 0.05, lots of 0.001 */

static struct parameters p;
static char error[PARAMETER_ERROR_SIZE];

static int begin(void **state)
{
    (void)state;
    parameters_init(&p, table);
    return 0;
}

static void assert_set(const char *name, const char *text, int64_t number)
{
    if (!parameters_set(&p, &units, name, text, error))
        fail_msg("%s", error);
    assert_int_equal(parameters_get(&p, name)->number, number);
    assert_string_equal(parameters_get(&p, name)->text, text);
}

static void assert_refused(const char *name, const char *text, const char *expected)
{
    char words[PARAMETER_ERROR_SIZE];
    assert_false(parameters_set(&p, &units, name, text, error));
    snprintf(words, sizeof words, "%s: found \"%s\", expected %s", name, text, expected);
    assert_string_equal(error, words);
}

static void decimals_are_ticks_and_lots_exactly(void **state)
{
    (void)state;
    assert_set("price", "100.25", 2005);
    assert_set("price", "-100", -2000);
    assert_set("price", "1000.00", 20000);
    assert_set("size", "0.001", 1);
    assert_set("size", "10", 10000);
    assert_set("time", "0.000000001", 1);
    assert_set("time", "3600", 3600000000000);
    assert_refused("price", "100.26", "a multiple of the tick, which is 0.05");
    assert_refused("size", "0.0015", "a multiple of the lot, which is 0.001");
    assert_refused("time", "0.0000000011", "a multiple of the nanosecond, which is 0.000000001");
}

static void ranges_are_inclusive(void **state)
{
    (void)state;
    assert_refused("price", "-100.05", "a price from -100 to 1000");
    assert_refused("price", "1000.05", "a price from -100 to 1000");
    assert_refused("size", "0", "a quantity from 0.001 to 10");
    assert_refused("size", "10.001", "a quantity from 0.001 to 10");
    assert_refused("time", "0", "seconds from 1e-09 to 3600");
    assert_refused("time", "3600.000000001", "seconds from 1e-09 to 3600");
    assert_set("count", "1", 1);
    assert_set("count", "100", 100);
    assert_refused("count", "0", "a whole number from 1 to 100");
    assert_refused("count", "101", "a whole number from 1 to 100");
    assert_true(parameters_set(&p, &units, "share", "0", error));
    assert_true(parameters_set(&p, &units, "share", "1", error));
    assert_float_equal(parameters_get(&p, "share")->real, 1, 0);
    assert_refused("share", "1.000000001", "a number from 0 to 1");
    assert_refused("share", "-0.1", "a number from 0 to 1");
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        " 1",
                                        "1 ",
                                        "1e0",
                                        "0x1",
                                        "nan",
                                        "inf",
                                        ".5",
                                        "1.",
                                        "1,5",
                                        "+1",
                                        "--1",
                                        "1234567890123456789"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_refused("price", texts[i], "a price from -100 to 1000");
        assert_refused("share", texts[i], "a number from 0 to 1");
        assert_refused("count", texts[i], "a whole number from 1 to 100");
    }
    assert_refused("count", "1.0", "a whole number from 1 to 100");
    assert_refused("count", "18446744073709551617", "a whole number from 1 to 100");
}

static void words_are_one_of_theirs(void **state)
{
    (void)state;
    assert_set("style", "fast", 0);
    assert_set("style", "none at all", 2);
    assert_refused("style", "none", "fast, slow or none at all");
    assert_refused("style", "fas", "fast, slow or none at all");
    assert_refused("style", "fast|slow", "fast, slow or none at all");
    assert_refused("style", "", "fast, slow or none at all");
}

static void none_is_for_what_may_be_absent(void **state)
{
    (void)state;
    assert_set("most", "none", PARAMETER_NONE);
    assert_set("most", "0", 0);
    assert_refused("most", "nothing", "a quantity from 0 to 10, or none");
    assert_refused("size", "none", "a quantity from 0.001 to 10");
}

static void a_text_has_room_or_is_refused(void **state)
{
    (void)state;
    char text[PARAMETER_TEXT_SIZE + 1];
    memset(text, 'a', sizeof text);
    text[PARAMETER_TEXT_SIZE - 1] = '\0';
    assert_true(parameters_set(&p, &units, "file", text, error));
    assert_string_equal(parameters_get(&p, "file")->text, text);
    text[PARAMETER_TEXT_SIZE - 1] = 'a';
    text[PARAMETER_TEXT_SIZE] = '\0';
    assert_false(parameters_set(&p, &units, "file", text, error));
    assert_non_null(strstr(error, "expected at most 255 characters"));
}

static void an_unknown_one_is_told_with_those_there_are(void **state)
{
    (void)state;
    assert_false(parameters_set(&p, &units, "prise", "1", error));
    assert_string_equal(error, "parameter: found \"prise\", expected one of price, size, most, "
                               "time, count, share, style, file");
    assert_null(parameters_get(&p, "prise"));
}

static void defaults_fill_in_and_what_must_be_given_is_asked_for(void **state)
{
    (void)state;
    assert_false(parameters_complete(&p, &units, error));
    assert_string_equal(error, "price: found \"nothing\", expected a price from -100 to 1000");
    assert_set("price", "1", 20);
    assert_set("count", "7", 7);
    assert_set("count", "8", 8); /* the last word counts */
    assert_true(parameters_complete(&p, &units, error));
    assert_int_equal(parameters_get(&p, "size")->number, 500);
    assert_int_equal(parameters_get(&p, "most")->number, PARAMETER_NONE);
    assert_int_equal(parameters_get(&p, "time")->number, 1500000000);
    assert_int_equal(parameters_get(&p, "count")->number, 8);
    assert_float_equal(parameters_get(&p, "share")->real, 0.1, 0);
    assert_int_equal(parameters_get(&p, "style")->number, 1);
    assert_string_equal(parameters_get(&p, "file")->text, "");
}

static void a_default_that_does_not_fit_the_symbol_is_told(void **state)
{
    (void)state;
    static const struct parameter_units whole = {{1, 0}, {1, 0}};
    assert_true(parameters_set(&p, &whole, "price", "1", error));
    assert_false(parameters_complete(&p, &whole, error));
    assert_string_equal(error, "size: found \"0.5\", expected a multiple of the lot, which is 1; "
                               "it is the default: give another one");
}

static void help_has_them_all(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    parameters_print(table, f);
    fclose(f);
    assert_non_null(strstr(text, "  price              a price that must be given\n"
                                 "                     a price from -100 to 1000 of the quote "
                                 "currency; must be given\n"));
    assert_non_null(strstr(text, "fast, slow or none at all; default slow\n"));
    assert_non_null(strstr(text, "a path of at most 255 characters; default none\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(decimals_are_ticks_and_lots_exactly, begin),
        cmocka_unit_test_setup(ranges_are_inclusive, begin),
        cmocka_unit_test_setup(what_is_no_number_is_refused, begin),
        cmocka_unit_test_setup(words_are_one_of_theirs, begin),
        cmocka_unit_test_setup(none_is_for_what_may_be_absent, begin),
        cmocka_unit_test_setup(a_text_has_room_or_is_refused, begin),
        cmocka_unit_test_setup(an_unknown_one_is_told_with_those_there_are, begin),
        cmocka_unit_test_setup(defaults_fill_in_and_what_must_be_given_is_asked_for, begin),
        cmocka_unit_test_setup(a_default_that_does_not_fit_the_symbol_is_told, begin),
        cmocka_unit_test_setup(help_has_them_all, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
