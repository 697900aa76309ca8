/* targets: who tells of himself in the run directory is found there, by his own name; a list is
 * read, or refused with what was wrong. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <string.h>

#include "../base/scratch.h"
#include "cli/targets.h"

static struct targets targets;
static char error[TARGET_ERROR_SIZE];

static void services_are_found_in_order_with_the_address_others_reach(void **state)
{
    (void)state;
    scratch_write("matcher-10.admin", "127.0.0.1:4010\n");
    scratch_write("matcher-2.admin", "0.0.0.0:4002\n");
    scratch_write("gateway-a.admin", "[::]:4003\n");
    scratch_write("market-data.admin", "host.example:8001\n");
    scratch_write("matcher-2.admin.new", "127.0.0.1:1\n");
    scratch_write("matcher-2.lock", "1\n");
    scratch_write(".admin", "127.0.0.1:1\n");
    targets_find(&targets, scratch_path());
    static const char *const expected[][2] = {{"gateway-a", "127.0.0.1:4003"},
                                              {"market-data", "host.example:8001"},
                                              {"matcher-2", "127.0.0.1:4002"},
                                              {"matcher-10", "127.0.0.1:4010"}};
    assert_int_equal(targets.count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(targets.at[i].name, expected[i][0]);
        assert_string_equal(targets.at[i].address, expected[i][1]);
    }
}

static void a_file_that_says_no_address_is_a_target_without_one(void **state)
{
    static const char *const texts[] = {"",         "127.0.0.1\n",     "127.0.0.1:0\n",
                                        ":80\n",    "127.0.0.1:65536", "a b:80\n",
                                        "a/b:80\n", "a:80x\n",         "http://a:80\n"};
    (void)state;
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        scratch_write("one.admin", texts[i]);
        targets_find(&targets, scratch_path());
        assert_int_equal(targets.count, 1);
        assert_string_equal(targets.at[0].address, "");
    }
}

static void an_address_told_twice_is_the_younger_files(void **state)
{
    struct timespec times[2] = {{1000, 0}, {1000, 0}};
    (void)state;
    scratch_write("killed.admin", "127.0.0.1:4000\n");
    scratch_write("running.admin", "127.0.0.1:4000\n");
    assert_int_equal(utimensat(AT_FDCWD, "killed.admin", times, 0), 0);
    targets_find(&targets, scratch_path());
    assert_int_equal(targets.count, 2);
    assert_string_equal(targets.at[0].address, "");
    assert_string_equal(targets.at[1].address, "127.0.0.1:4000");
}

static void where_nobody_runs_nobody_is_found(void **state)
{
    (void)state;
    targets_find(&targets, scratch_path());
    assert_int_equal(targets.count, 0);
    targets_find(&targets, "/nowhere/at/all");
    assert_int_equal(targets.count, 0);
}

static void a_list_is_read_or_refused(void **state)
{
    (void)state;
    assert_true(targets_read(&targets, "matcher-0:8001,10.0.0.1:65535", error));
    assert_int_equal(targets.count, 2);
    assert_string_equal(targets.at[0].name, "matcher-0:8001");
    assert_string_equal(targets.at[1].address, "10.0.0.1:65535");
    assert_false(targets_read(&targets, "", error));
    assert_false(targets_read(&targets, "a:1,", error));
    assert_false(targets_read(&targets, "a:1,b", error));
    assert_string_equal(error, "found \"b\", expected HOST:PORT");
}

static void a_list_has_at_most_so_many(void **state)
{
    static char list[8 * (TARGETS_MAX + 1)];
    (void)state;
    for (unsigned i = 0; i < TARGETS_MAX; i++)
        strcat(list, i == 0 ? "a:1" : ",a:1");
    assert_true(targets_read(&targets, list, error));
    assert_int_equal(targets.count, TARGETS_MAX);
    strcat(list, ",a:1");
    assert_false(targets_read(&targets, list, error));
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(services_are_found_in_order_with_the_address_others_reach),
        IN_SCRATCH(a_file_that_says_no_address_is_a_target_without_one),
        IN_SCRATCH(an_address_told_twice_is_the_younger_files),
        IN_SCRATCH(where_nobody_runs_nobody_is_found),
        cmocka_unit_test(a_list_is_read_or_refused),
        cmocka_unit_test(a_list_has_at_most_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
