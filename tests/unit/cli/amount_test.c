/* amount: what people read at a glance, in few columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "cli/amount.h"

static void assert_amount(void (*amount)(char *, double), double value, const char *expected)
{
    char text[AMOUNT_SIZE];
    amount(text, value);
    assert_string_equal(text, expected);
}

static void amounts_are_short_and_never_wider_than_their_columns(void **state)
{
    (void)state;
    assert_amount(amount_count, NAN, "-");
    assert_amount(amount_count, 0, "0");
    assert_amount(amount_count, 7, "7");
    assert_amount(amount_count, 2.34, "2.3");
    assert_amount(amount_count, 23.4, "23");
    assert_amount(amount_count, 999, "999");
    assert_amount(amount_count, 999.5, "1.0k");
    assert_amount(amount_count, 12345, "12.3k");
    assert_amount(amount_count, 999400, "999k");
    assert_amount(amount_count, 4.1e6, "4.1M");
    assert_amount(amount_seconds, NAN, "-");
    assert_amount(amount_seconds, 9.4e-6, "9.4us");
    assert_amount(amount_seconds, 120e-6, "120us");
    assert_amount(amount_seconds, 999.4e-6, "999us");
    assert_amount(amount_seconds, 999.6e-6, "1.0ms");
    assert_amount(amount_seconds, 0.9994, "999ms");
    assert_amount(amount_seconds, 1, "1.0s");
    assert_amount(amount_seconds, 10, "10.0s");
    assert_amount(amount_bytes, 0, "0 B");
    assert_amount(amount_bytes, 1024, "1.0 KiB");
    assert_amount(amount_bytes, 17179869184.0, "16.0 GiB");
    assert_amount(amount_whole, 1795276777, "1795276777");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_short_and_never_wider_than_their_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
