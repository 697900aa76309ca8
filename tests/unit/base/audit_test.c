/* audit: what is recorded of an admin action, and what happens where it cannot be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/audit.h"
#include "tests/unit/base/scratch.h"

static const char *text_of_file(void)
{
    static char text[4096];
    FILE *f = fopen("audit.log", "r");
    if (f == NULL)
        fail_msg("there is no audit.log");
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static enum status record(const char *path, unsigned shard)
{
    return audit_write(path, "resume", "alice (uid 7)", LOG_FIELDS(LOG_U64("shard", shard)));
}

static void an_action_is_a_line_of_json_whatever_the_level_is(void **state)
{
    (void)state;
    char expected[128];
    log_set_level(LOG_LEVEL_ERROR);
    assert_int_equal(record("audit.log", 3), STATUS_OK);
    log_set_level(LOG_LEVEL_INFO);
    snprintf(expected, sizeof expected,
             "\"level\":\"info\",\"module\":\"audit\",\"event\":\"resume\","
             "\"actor\":\"alice (uid 7)\",\"pid\":%d,\"shard\":3}\n",
             (int)getpid());
    const char *text = text_of_file();
    assert_int_equal(strncmp(text, "{\"time\":\"2", 10), 0);
    assert_string_equal(strstr(text, "\"level\""), expected);
}

static void lines_are_added_to_what_is_there(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(record("audit.log", i), STATUS_OK);
    const char *at = text_of_file();
    for (unsigned i = 0; i < 3; i++) {
        char shard[16];
        snprintf(shard, sizeof shard, "\"shard\":%u}\n", i);
        assert_non_null(at = strstr(at, shard));
    }
    assert_string_equal(strchr(at, '\n'), "\n");
}

static void a_line_that_was_cut_short_spoils_no_other(void **state)
{
    (void)state;
    FILE *f = fopen("audit.log", "w");
    assert_non_null(f);
    assert_true(fputs("{\"time\":\"2026", f) >= 0 && fclose(f) == 0);
    assert_int_equal(record("audit.log", 1), STATUS_OK);
    assert_int_equal(record("audit.log", 2), STATUS_OK);
    const char *text = text_of_file();
    assert_ptr_equal(strstr(text, "{\"time\":\"2026\n{\"time\":\"2"), text);
    assert_null(strstr(text, "\n\n"));
}

static void its_file_is_not_everybodys(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(record("audit.log", 0), STATUS_OK);
    assert_int_equal(stat("audit.log", &found), 0);
    assert_int_equal(found.st_mode & 0137, 0);
}

static void where_it_cannot_be_recorded_errno_says_why(void **state)
{
    (void)state;
    assert_int_equal(record("nowhere/audit.log", 0), STATUS_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(symlink("elsewhere", "audit.log"), 0);
    assert_int_equal(record("audit.log", 0), STATUS_IO);
    assert_int_equal(errno, ELOOP);
    assert_int_not_equal(access("elsewhere", F_OK), 0);
    assert_int_equal(record("/dev/full", 0), STATUS_IO);
    assert_int_equal(errno, ENOSPC);
}

static void none_is_nowhere(void **state)
{
    (void)state;
    assert_int_equal(record("none", 0), STATUS_OK);
    assert_int_not_equal(access("none", F_OK), 0);
}

static void the_actor_is_who_runs_the_process(void **state)
{
    (void)state;
    char actor[AUDIT_ACTOR_SIZE], uid[32];
    audit_actor(actor);
    snprintf(uid, sizeof uid, " (uid %u)", (unsigned)getuid());
    assert_non_null(strstr(actor, uid));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(an_action_is_a_line_of_json_whatever_the_level_is),
        TEST(lines_are_added_to_what_is_there),
        TEST(a_line_that_was_cut_short_spoils_no_other),
        TEST(its_file_is_not_everybodys),
        TEST(where_it_cannot_be_recorded_errno_says_why),
        TEST(none_is_nowhere),
        TEST(the_actor_is_who_runs_the_process),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
