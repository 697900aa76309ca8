/* host: what a program says and does before its loop. Each case is a child, because it exits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "node/host.h"
#include "tests/unit/base/death.h"
#include "tests/unit/base/scratch.h"

/* A command line, as the shell would give it. */
struct line {
    const char *words[6];
};

static int fill(const struct line *line, char **argv)
{
    int argc = 0;
    for (; line->words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)line->words[argc];
    argv[argc] = NULL;
    return argc;
}

/* What the start of outcry-matcher does with its line. */
static void start(void *self)
{
    static struct cluster cluster;
    char *argv[8];
    int argc = fill(self, argv);
    host_load(&cluster, &argc, argv, "usage: program\n");
    uint64_t shard = host_number_flag(&argc, argv, "--shard", 2, 5, 4);
    host_no_more_flags(argc, argv);
    fprintf(stderr, "shard %u of %u\n", (unsigned)shard, (unsigned)cluster.settings.shards);
    exit(EXIT_SUCCESS);
}

static void assert_start(struct line line, int status, const char *words)
{
    struct death d = death_of(start, &line);
    assert_string_equal(d.words, words);
    assert_int_equal(d.status, status);
}

static void a_good_line_starts(void **state)
{
    (void)state;
    assert_start((struct line){{"/bin/program"}}, 0, "shard 4 of 1\n");
    assert_start((struct line){{"program", "--shard", "2", "--shards", "9"}}, 0, "shard 2 of 9\n");
    assert_start((struct line){{"program", "--shards", "9", "--shard", "5"}}, 0, "shard 5 of 9\n");
}

static void help_is_usage_and_no_mistake(void **state)
{
    (void)state;
    assert_start((struct line){{"program", "--help"}}, 0, "usage: program\n");
    assert_start((struct line){{"program", "--shards", "wrong", "-h"}}, 0, "usage: program\n");
}

static void mistakes_end_with_status_2_and_the_programs_name(void **state)
{
    (void)state;
    assert_start((struct line){{"/usr/bin/program", "--shards", "0"}}, 2,
                 "program: --shards: found \"0\", expected a whole number from 1 to 64\n");
    assert_start((struct line){{"program", "--shard", "1"}}, 2,
                 "program: --shard: found \"1\", expected a whole number from 2 to 5\n");
    assert_start((struct line){{"program", "--shard", "6"}}, 2,
                 "program: --shard: found \"6\", expected a whole number from 2 to 5\n");
    assert_start((struct line){{"program", "--shard"}}, 2,
                 "program: --shard: found \"nothing\", expected a whole number from 2 to 5\n");
    assert_start((struct line){{"program", "--speed", "9"}}, 2,
                 "program: found \"--speed\", expected a flag that is a setting (see --help)\n");
    assert_start((struct line){{"program", "--config", "none"}}, 2,
                 "program: none: cannot read it: No such file or directory\n");
}

/* ---- the run directory ---- */

static struct cluster entered;

/* The settings of a run directory, else the defaults. */
static void settle(const char *run_dir)
{
    char error[CONFIG_ERROR_SIZE], program[] = "program", *argv[] = {program, NULL};
    int argc = 1;
    assert_true(cluster_load(&entered, &argc, argv, error));
    strcpy(entered.settings.run_dir, run_dir);
}

static void enter(void *self)
{
    host_enter(&entered, self);
    fprintf(stderr, "entered\n");
    exit(EXIT_SUCCESS);
}

static char name[] = "matcher-0", other[] = "matcher-1";

static void a_run_directory_is_made_and_is_ours_alone(void **state)
{
    (void)state;
    struct stat s;
    settle("run");
    assert_string_equal(death_of(enter, name).words, "entered\n");
    assert_int_equal(stat("run", &s), 0);
    assert_true(S_ISDIR(s.st_mode) && (s.st_mode & 0777) == 0700);
    assert_string_equal(death_of(enter, name).words, "entered\n"); /* the first one is gone */
    assert_int_equal(remove("run/matcher-0.lock"), 0);
}

static void a_second_one_of_a_name_is_told_of_the_first(void **state)
{
    (void)state;
    char expected[256];
    settle(".");
    host_enter(&entered, name); /* for the life of this process */
    struct death d = death_of(enter, name);
    snprintf(expected, sizeof expected,
             "matcher-0: another matcher-0 already runs in . (process %d); stop it, or choose "
             "another run_dir\n",
             (int)getpid());
    assert_string_equal(d.words, expected);
    assert_int_equal(d.status, 1);
    assert_string_equal(death_of(enter, other).words, "entered\n"); /* but a neighbour may */
}

static void a_run_directory_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    settle("no/where");
    struct death d = death_of(enter, name);
    assert_string_equal(d.words, "matcher-0: cannot make the run directory no/where: No such file "
                                 "or directory\n");
    assert_int_equal(d.status, 1);
    scratch_write("file", "");
    settle("file");
    d = death_of(enter, name);
    assert_string_equal(d.words, "matcher-0: cannot lock file/matcher-0.lock: Not a directory\n");
    assert_int_equal(d.status, 1);
}

/* ---- the log ---- */

/* Enter, and log a fact; what stderr is told is told apart. */
static void enter_and_log(void *self)
{
    host_enter(&entered, self);
    fputs("err:", stderr);
    log_info("test", "fact", LOG_U64("n", 1));
    exit(EXIT_SUCCESS);
}

static void a_service_logs_as_its_settings_say(void **state)
{
    (void)state;
    settle(".");
    struct death d = death_of(enter_and_log, name);
    assert_non_null(strstr(d.words, "err:{\"time\":"));
    assert_non_null(strstr(d.words, "\"event\":\"fact\",\"n\":1}\n"));
    strcpy(entered.settings.log_format, "text");
    d = death_of(enter_and_log, name);
    assert_non_null(strstr(d.words, "Z info  test fact n=1\n"));
    strcpy(entered.settings.log_destination, "{run_dir}/{name}.log");
    assert_string_equal(death_of(enter_and_log, name).words, "err:");
    char text[128];
    FILE *f = fopen("matcher-0.log", "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    assert_non_null(strstr(text, "Z info  test fact n=1\n"));
}

static void a_log_that_cannot_be_opened_is_told_and_goes_to_stderr(void **state)
{
    (void)state;
    settle(".");
    strcpy(entered.settings.log_destination, "no/where/{name}");
    struct death d = death_of(enter_and_log, name);
    assert_int_equal(d.status, 0);
    assert_non_null(strstr(d.words, "\"level\":\"error\",\"module\":\"log\",\"event\":"
                                    "\"open_failed\",\"destination\":\"no/where/matcher-0\","
                                    "\"why\":\"No such file or directory\"}\nerr:{\"time\":"));
    assert_non_null(strstr(d.words, "\"event\":\"fact\",\"n\":1}\n"));
}

static void write_to_nobody(void *self)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    enter_and_log(self);
}

static void a_service_outlives_the_reader_of_its_log(void **state)
{
    (void)state;
    settle(".");
    struct death d = death_of(write_to_nobody, name);
    assert_int_equal(d.status, 0);
    assert_non_null(strstr(d.words, "\"event\":\"write_failed\",\"destination\":\"stdout\","
                                    "\"why\":\"Broken pipe\"}\n"));
    assert_non_null(strstr(d.words, "\"event\":\"fact\",\"n\":1}\n"));
}

/* ---- what must be unpredictable ---- */

static void replies_are_32_hexadecimal_digits_and_differ(void **state)
{
    (void)state;
    char replies[64][REPLY_SIZE + 1];
    for (unsigned i = 0; i < 64; i++) {
        host_random_reply(replies[i]);
        assert_int_equal(strspn(replies[i], "0123456789abcdef"), REPLY_SIZE);
        assert_int_equal(replies[i][REPLY_SIZE], '\0');
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(replies[i], replies[j]);
    }
    assert_true(host_random() != host_random());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_good_line_starts),
        TEST(help_is_usage_and_no_mistake),
        TEST(mistakes_end_with_status_2_and_the_programs_name),
        TEST(a_run_directory_is_made_and_is_ours_alone),
        TEST(a_second_one_of_a_name_is_told_of_the_first),
        TEST(a_run_directory_that_cannot_be_made_is_told),
        TEST(a_service_logs_as_its_settings_say),
        TEST(a_log_that_cannot_be_opened_is_told_and_goes_to_stderr),
        TEST(a_service_outlives_the_reader_of_its_log),
        TEST(replies_are_32_hexadecimal_digits_and_differ),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
