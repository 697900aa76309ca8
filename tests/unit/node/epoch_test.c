/* epoch: it only grows, whatever the clock does and whatever is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>

#include "node/epoch.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/scratch.h"

static uint64_t next(uint64_t unix_seconds)
{
    uint64_t epoch = 0;
    assert_int_equal(epoch_next("e", unix_seconds, &epoch), STATUS_OK);
    assert_int_equal(epoch_keep("e", epoch), STATUS_OK);
    return epoch;
}

static void the_first_epoch_is_the_seconds(void **state)
{
    (void)state;
    assert_true(next(1700000000) == 1700000000);
}

static void without_a_clock_the_first_epoch_is_1(void **state)
{
    (void)state;
    assert_true(next(0) == 1);
    assert_true(next(0) == 2);
}

static void within_a_second_it_grows_by_one(void **state)
{
    (void)state;
    assert_true(next(100) == 100);
    assert_true(next(100) == 101);
    assert_true(next(101) == 102);
    assert_true(next(103) == 103);
    assert_true(next(104) == 104);
}

static void it_grows_though_the_clock_goes_back(void **state)
{
    (void)state;
    struct random r = {1};
    uint64_t last = 0;
    for (unsigned i = 0; i < 200; i++) {
        uint64_t epoch = next(1000 + random_below(&r, 100));
        assert_true(epoch > last);
        last = epoch;
    }
}

static void where_the_file_is_lost_the_seconds_have_grown(void **state)
{
    (void)state;
    assert_true(next(1000) == 1000);
    assert_int_equal(unlink("e"), 0);
    assert_true(next(1001) == 1001);
}

static void what_is_returned_stands_in_the_file(void **state)
{
    (void)state;
    char line[64] = "";
    next(4711);
    FILE *f = fopen("e", "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_string_equal(line, "4711\n");
    assert_int_equal(access("e.new", F_OK), -1); /* and nothing else is left */
}

static void a_line_end_is_not_needed(void **state)
{
    (void)state;
    scratch_write("e", "41");
    assert_true(next(1) == 42);
}

static void a_file_half_written_does_not_count(void **state)
{
    (void)state;
    scratch_write("e", "41\n");
    scratch_write("e.new", "9999");
    assert_true(next(1) == 42);
}

static void a_file_that_holds_something_else_is_refused_and_left_alone(void **state)
{
    (void)state;
    static const char *const contents[] = {"",
                                           "\n",
                                           "abc\n",
                                           "-5\n",
                                           "12x\n",
                                           " 5\n",
                                           "0\n",
                                           "007\n",
                                           "18446744073709551615\n",
                                           "99999999999999999999999999999999999999999\n"};
    for (unsigned i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        uint64_t epoch = 0;
        char line[64] = "";
        scratch_write("e", contents[i]);
        assert_int_equal(epoch_next("e", 1000, &epoch), STATUS_INVALID);
        FILE *f = fopen("e", "r");
        line[fread(line, 1, sizeof line - 1, f)] = '\0';
        fclose(f);
        assert_string_equal(line, contents[i]);
    }
}

static void the_last_epoch_there_is_can_be_reached_and_not_passed(void **state)
{
    (void)state;
    uint64_t epoch;
    scratch_write("e", "18446744073709551613\n");
    assert_true(next(5) == UINT64_MAX - 1);
    assert_true(next(5) == UINT64_MAX);
    assert_int_equal(epoch_next("e", 5, &epoch), STATUS_INVALID);
}

static void a_directory_that_is_not_there_is_told(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(epoch_keep("nowhere/e", 5), STATUS_IO);
    assert_int_equal(errno, ENOENT);
}

static void a_file_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    scratch_write("e", "41\n");
    assert_int_equal(mkdir("e.new", 0700), 0);
    errno = 0;
    assert_int_equal(epoch_keep("e", 50), STATUS_IO);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(rmdir("e.new"), 0);
    assert_true(next(1) == 42); /* nothing was taken */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(the_first_epoch_is_the_seconds),
        TEST(without_a_clock_the_first_epoch_is_1),
        TEST(within_a_second_it_grows_by_one),
        TEST(it_grows_though_the_clock_goes_back),
        TEST(where_the_file_is_lost_the_seconds_have_grown),
        TEST(what_is_returned_stands_in_the_file),
        TEST(a_line_end_is_not_needed),
        TEST(a_file_half_written_does_not_count),
        TEST(a_file_that_holds_something_else_is_refused_and_left_alone),
        TEST(the_last_epoch_there_is_can_be_reached_and_not_passed),
        TEST(a_directory_that_is_not_there_is_told),
        TEST(a_file_that_cannot_be_written_is_told),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
