/* supervisor: who is started again when, who is hopeless, and how all are stopped. The programs are
 * the system's; time is ours, but for how long they take to end. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/supervisor.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/scratch.h"

/* Programs lie where ours does; the root is above every directory. */
#define ROOT "../../../../../../../"

static const struct supervised fails = {"fails", 0, {ROOT "bin/false"}};

static supervisor_t *open_supervisor(bool begun)
{
    supervisor_t *s = supervisor_new(scratch_path(), NULL, 0);
    if (begun)
        supervisor_begun(s);
    return s;
}

/* Until it has something to say at this time: what it says. */
static const char *tend(supervisor_t *s, uint64_t now_ns, bool *hopeful)
{
    const char *words = "";
    for (unsigned i = 0; i < 5000 && *words == '\0'; i++) {
        usleep(1000); /* a program takes its time to end */
        capture_begin();
        *hopeful = supervisor_tend(s, now_ns);
        words = capture_end();
    }
    return words;
}

static void assert_says(const char *words, const char *expected)
{
    if (strstr(words, expected) == NULL)
        fail_msg("it does not say \"%s\": %s", expected, words);
}

static bool never(void)
{
    return false;
}

static bool always(void)
{
    return true;
}

static void what_ends_at_once_is_started_again_later_each_time(void **state)
{
    static const unsigned pauses_ms[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};
    (void)state;
    supervisor_t *s = open_supervisor(true);
    uint64_t now_ns = NS_PER_SECOND;
    assert_true(supervisor_start(s, &fails, now_ns));
    for (unsigned i = 0; i < sizeof pauses_ms / sizeof pauses_ms[0]; i++) {
        bool hopeful;
        char pause[64];
        const char *words = tend(s, now_ns, &hopeful);
        snprintf(pause, sizeof pause, "it is started again in %.1f s; its last words",
                 pauses_ms[i] / 1000.0);
        assert_true(hopeful);
        assert_says(words, "outcry up: fails (process ");
        assert_says(words, ") ended with status 1; ");
        assert_says(words, pause);
        now_ns += pauses_ms[i] * NS_PER_MS;
        capture_begin();
        supervisor_tend(s, now_ns - 1);
        assert_string_equal(capture_end(), "");
        assert_says(tend(s, now_ns, &hopeful), "outcry up: fails is started again (process ");
    }
    (void)supervisor_stop(s, never); /* it has ended, or is about to: either is well */
    supervisor_destroy(&s);
    assert_null(s);
}

static void after_a_long_life_the_pause_is_short_again(void **state)
{
    (void)state;
    supervisor_t *s = open_supervisor(true);
    uint64_t now_ns = NS_PER_SECOND;
    bool hopeful;
    assert_true(supervisor_start(s, &fails, now_ns));
    assert_says(tend(s, now_ns, &hopeful), "in 0.1 s");
    now_ns += 100 * NS_PER_MS;
    assert_says(tend(s, now_ns, &hopeful), "is started again (");
    now_ns += 30 * NS_PER_SECOND - 1; /* it ends now, as far as anybody knows */
    assert_says(tend(s, now_ns, &hopeful), "in 0.2 s");
    now_ns += 200 * NS_PER_MS;
    assert_says(tend(s, now_ns, &hopeful), "is started again (");
    now_ns += 30 * NS_PER_SECOND;
    assert_says(tend(s, now_ns, &hopeful), "in 0.1 s");
    assert_true(supervisor_stop(s, never));
    supervisor_destroy(&s);
}

static void while_it_begins_three_ends_are_hopeless(void **state)
{
    (void)state;
    supervisor_t *s = open_supervisor(false);
    uint64_t now_ns = NS_PER_SECOND;
    bool hopeful;
    assert_true(supervisor_start(s, &fails, now_ns));
    for (unsigned end = 1; end <= 2; end++) {
        assert_says(tend(s, now_ns, &hopeful), "it is started again in");
        assert_true(hopeful);
        now_ns += NS_PER_SECOND;
        assert_says(tend(s, now_ns, &hopeful), "is started again (");
    }
    const char *words = tend(s, now_ns, &hopeful);
    assert_false(hopeful);
    assert_says(words, "ended with status 1; its last words");
    capture_begin();
    assert_false(supervisor_tend(s, now_ns + 60 * NS_PER_SECOND)); /* and stays so */
    assert_string_equal(capture_end(), "");
    assert_true(supervisor_stop(s, never));
    supervisor_destroy(&s);
}

static void while_it_begins_one_that_refuses_what_it_was_told_is_hopeless(void **state)
{
    (void)state;
    static const struct supervised refuses = {
        "refuses", 0, {ROOT "bin/sh", "-c", "echo expected a number; exit 2"}};
    bool hopeful;
    supervisor_t *s = open_supervisor(false);
    assert_true(supervisor_start(s, &refuses, 0));
    const char *words = tend(s, 0, &hopeful);
    assert_false(hopeful);
    assert_says(words, "ended with status 2; its last words");
    assert_says(words, "refuses.log):\nexpected a number\n");
    supervisor_destroy(&s);

    s = open_supervisor(true);
    assert_true(supervisor_start(s, &refuses, 0));
    assert_says(tend(s, 0, &hopeful), "ended with status 2; it is started again in 0.1 s");
    assert_true(hopeful);
    supervisor_destroy(&s);
}

static void last_words_are_those_of_the_last_life_and_the_log_has_all(void **state)
{
    (void)state;
    static const struct supervised speaks = {
        "speaks", 0, {ROOT "bin/sh", "-c", "test -s speaks.log||echo first"}};
    bool hopeful;
    char line[64];
    supervisor_t *s = open_supervisor(true);
    scratch_write("speaks.log", "of another supervisor\n");
    assert_true(supervisor_start(s, &speaks, 0));
    assert_says(tend(s, 0, &hopeful),
                "ended with status 0; it is started again in 0.1 s; its last");
    assert_says(tend(s, NS_PER_SECOND, &hopeful), "is started again (");
    assert_says(tend(s, NS_PER_SECOND, &hopeful), "speaks.log):\nnone\n");
    FILE *log = fopen("speaks.log", "r");
    assert_non_null(log);
    assert_non_null(fgets(line, sizeof line, log));
    assert_string_equal(line, "first\n");
    assert_null(fgets(line, sizeof line, log));
    fclose(log);
    supervisor_destroy(&s);
}

static void a_task_that_ends_well_is_done(void **state)
{
    (void)state;
    static const struct supervised task = {
        "task", 0, {ROOT "bin/sh", "-c", "test -s task.log||! echo 1"}};
    bool hopeful;
    supervisor_t *s = open_supervisor(true);
    assert_true(supervisor_start_task(s, &task, 0));
    assert_says(tend(s, 0, &hopeful), "ended with status 1; it is started again in 0.1 s");
    assert_says(tend(s, NS_PER_SECOND, &hopeful), "is started again (");
    assert_says(tend(s, NS_PER_SECOND, &hopeful), ") has done what it was to do (");
    assert_true(hopeful);
    capture_begin();
    assert_true(supervisor_tend(s, 60 * NS_PER_SECOND)); /* and stays so */
    assert_string_equal(capture_end(), "");
    assert_true(supervisor_stop(s, never));
    supervisor_destroy(&s);
}

static void a_program_that_is_not_there_is_told_by_its_name(void **state)
{
    (void)state;
    static const struct supervised absent = {"absent", 0, {"no-such-program"}};
    bool hopeful;
    supervisor_t *s = open_supervisor(true);
    assert_true(supervisor_start(s, &absent, 0));
    const char *words = tend(s, 0, &hopeful);
    assert_says(words, "cannot start /");
    assert_says(words, "/no-such-program: No such file or directory");
    supervisor_destroy(&s);
}

static void those_that_run_are_stopped_and_nothing_is_started_any_more(void **state)
{
    (void)state;
    static const struct supervised second = {"second", 1, {ROOT "bin/sleep", "1000"}};
    static const struct supervised first = {"first", 0, {ROOT "bin/sleep", "1000"}};
    supervisor_t *s = open_supervisor(true);
    assert_true(supervisor_start(s, &second, 0));
    assert_true(supervisor_start(s, &first, 0));
    capture_begin();
    bool well = supervisor_stop(s, never);
    assert_string_equal(capture_end(), "");
    assert_true(well);
    supervisor_destroy(&s);
}

static void who_does_not_stop_is_killed_when_there_is_a_hurry(void **state)
{
    (void)state;
    static const struct supervised stays = {
        "stays", 0, {ROOT "bin/sh", "-c", "trap '' TERM;echo;exec sleep 99"}};
    supervisor_t *s = open_supervisor(true);
    assert_true(supervisor_start(s, &stays, 0));
    for (unsigned i = 0; i < 5000; i++) { /* until it ignores us */
        FILE *log = fopen("stays.log", "r");
        int said = log == NULL ? EOF : fgetc(log);
        if (log != NULL)
            fclose(log);
        if (said != EOF)
            break;
        usleep(1000);
    }
    capture_begin();
    bool well = supervisor_stop(s, always);
    const char *words = capture_end();
    assert_says(words, "outcry up: stays does not stop; killing it\n");
    assert_says(words, "was ended by signal 9 (Killed)");
    assert_false(well);
    supervisor_destroy(&s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(what_ends_at_once_is_started_again_later_each_time),
        TEST(after_a_long_life_the_pause_is_short_again),
        TEST(while_it_begins_three_ends_are_hopeless),
        TEST(while_it_begins_one_that_refuses_what_it_was_told_is_hopeless),
        TEST(last_words_are_those_of_the_last_life_and_the_log_has_all),
        TEST(a_task_that_ends_well_is_done),
        TEST(a_program_that_is_not_there_is_told_by_its_name),
        TEST(those_that_run_are_stopped_and_nothing_is_started_any_more),
        TEST(who_does_not_stop_is_killed_when_there_is_a_hurry),
    };
#undef TEST
    return cmocka_run_group_tests_name("cli/supervisor", tests, NULL, NULL);
}
