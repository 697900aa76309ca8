/* CHECK: a broken invariant ends the process, in every build, and says where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/memory.h"
#include "tests/unit/base/death.h"

static void check_number(void *self)
{
    CHECK(*(int *)self == 1);
}

static void a_true_check_does_nothing(void **state)
{
    (void)state;
    int one = 1;
    struct death d = death_of(check_number, &one);
    assert_int_equal(d.status, EXIT_SUCCESS);
    assert_string_equal(d.words, "");
}

static void a_broken_check_aborts_and_names_file_and_expression(void **state)
{
    (void)state;
    int two = 2;
    struct death d = death_of(check_number, &two);
    assert_true(d.aborted);
    assert_non_null(strstr(d.words, "check_test.c:"));
    assert_non_null(strstr(d.words, "CHECK failed: *(int *)self == 1"));
}

/* Not static: its name is there for the trace. Not inlined: it is a call. */
void innermost_of_a_test(int *number);
__attribute__((noinline)) void innermost_of_a_test(int *number)
{
    CHECK(*number == 1);
    *number = 0; /* behind the CHECK, so that it is not the last call */
}

static void call_innermost(void *self)
{
    innermost_of_a_test(self);
}

static void a_broken_check_names_the_calls_that_led_there(void **state)
{
    (void)state;
    int two = 2;
    struct death d = death_of(call_innermost, &two);
    assert_true(d.aborted);
    const char *message = strstr(d.words, "CHECK failed: *number == 1\n");
    assert_non_null(message);
    const char *check = strstr(message, "(check_failed+0x");
    const char *innermost = strstr(message, "(innermost_of_a_test+0x");
    const char *outer = strstr(message, "(death_of+0x");
    assert_true(check != NULL && innermost != NULL && outer != NULL);
    assert_true(check < innermost && innermost < outer);
}

static void break_a_long_check(void *self)
{
    (void)self;
    static char expression[5000];
    memset(expression, 'x', sizeof expression - 1);
    check_failed("file.c", 7, expression);
}

static void a_long_expression_is_cut_and_ends_its_line(void **state)
{
    (void)state;
    struct death d = death_of(break_a_long_check, NULL);
    assert_true(d.aborted);
    assert_int_equal(strncmp(d.words, "file.c:7: CHECK failed: xxx", 27), 0);
    assert_int_equal(strcspn(d.words, "\n"), 1022);
    assert_non_null(strstr(d.words, "(check_failed+0x"));
}

static void an_expression_is_evaluated_once(void **state)
{
    (void)state;
    int count = 0;
    CHECK(++count == 1);
    assert_int_equal(count, 1);
}

/* ---- memory ---- */

static void assert_fresh(size_t count, size_t size)
{
    uint8_t *memory = memory_new(count, size, "a test");
    assert_non_null(memory);
    assert_true((uintptr_t)memory % 64 == 0);
    for (size_t i = 0; i < count * size; i++) {
        if (memory[i] != 0)
            fail_msg("byte %zu of %zu is not zero", i, count * size);
        memory[i] = 0xff;
    }
    memory_free(memory, count, size);
}

static void memory_is_zeroed_and_aligned_below_and_above_a_mib(void **state)
{
    (void)state;
    enum { MIB = 1 << 20 };
    static const size_t sizes[] = {0, 1, 63, 64, 65, MIB - 64, MIB - 63, MIB, MIB + 1, 3 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_fresh(1, sizes[i]);
        assert_fresh(sizes[i], 1);
        assert_fresh(1, sizes[i]); /* also where something was before */
    }
}

static void untouched_memory_costs_nothing(void **state)
{
    (void)state;
    enum { PIECES = 64 };
    static uint8_t *pieces[PIECES];
    for (unsigned i = 0; i < PIECES; i++) { /* 1 TiB */
        pieces[i] = memory_new(1 << 24, 1 << 10, "a test");
        pieces[i][(size_t)i << 20] = 1;
    }
    for (unsigned i = 0; i < PIECES; i++)
        memory_free(pieces[i], 1 << 24, 1 << 10);
}

static void nothing_is_freed_without_harm(void **state)
{
    (void)state;
    memory_free(NULL, 5, 5);
}

static void ask_for_too_much(void *self)
{
    (void)self;
    memory_new((size_t)1 << 32, (size_t)1 << 30, "a planet");
}

static void ask_for_more_than_a_size(void *self)
{
    (void)self;
    memory_new(SIZE_MAX, 2, "a planet");
}

static void a_lack_of_memory_at_start_is_told_with_its_purpose(void **state)
{
    (void)state;
    struct death d = death_of(ask_for_too_much, NULL);
    assert_int_equal(d.status, EXIT_FAILURE);
    assert_non_null(strstr(d.words, "no memory for a planet: 4611686018427387904 bytes"));
}

static void a_size_that_overflows_is_a_broken_invariant(void **state)
{
    (void)state;
    assert_true(death_of(ask_for_more_than_a_size, NULL).aborted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_check_does_nothing),
        cmocka_unit_test(a_broken_check_aborts_and_names_file_and_expression),
        cmocka_unit_test(a_broken_check_names_the_calls_that_led_there),
        cmocka_unit_test(a_long_expression_is_cut_and_ends_its_line),
        cmocka_unit_test(an_expression_is_evaluated_once),
        cmocka_unit_test(memory_is_zeroed_and_aligned_below_and_above_a_mib),
        cmocka_unit_test(untouched_memory_costs_nothing),
        cmocka_unit_test(nothing_is_freed_without_harm),
        cmocka_unit_test(a_lack_of_memory_at_start_is_told_with_its_purpose),
        cmocka_unit_test(a_size_that_overflows_is_a_broken_invariant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
