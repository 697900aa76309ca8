/* log: the places a line may go to, and what becomes of a file that is full or fails. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/death.h"
#include "tests/unit/base/scratch.h"

static bool file_is(const char *name)
{
    return access(name, F_OK) == 0;
}

static const char *file_text(const char *name)
{
    static char text[1 << 16];
    FILE *f = fopen(name, "r");
    if (f == NULL)
        fail_msg("there is no %s", name);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static enum status open_file(const char *path, uint64_t size_max, unsigned files_max)
{
    return log_open(&(struct log_options){LOG_FORMAT_JSON, path, size_max, files_max, 0});
}

/* As if log_open() had never been called. */
static int close_log(void **state)
{
    log_open(&(struct log_options){LOG_FORMAT_JSON, "stderr", 1, 1, 0});
    return scratch_close(state);
}

/* Log to stdout while stderr is nobody's. */
static void log_to_stdout(void *self)
{
    int nobody = open("/dev/null", O_WRONLY);
    dup2(nobody, STDERR_FILENO);
    CHECK(open_file("stdout", 1, 1) == STATUS_OK);
    log_info("test", self, LOG_U64("n", 1));
}

static void stdout_gets_it_if_it_is_asked_for(void **state)
{
    (void)state;
    char event[] = "said";
    struct death d = death_of(log_to_stdout, event);
    assert_int_equal(strncmp(d.words, "{\"time\":\"", 9), 0);
    assert_non_null(strstr(d.words, "\"event\":\"said\",\"n\":1}"));
}

/* A line whose size is always the same. */
static void say_line(unsigned number)
{
    char text[8];
    snprintf(text, sizeof text, "%04u", number);
    log_info("test", "line", LOG_TEXT("n", text));
}

static size_t line_size(void)
{
    char line[LOG_LINE_SIZE_MAX];
    return log_compose(line, 0, LOG_LEVEL_INFO, "test", "line", LOG_FIELDS(LOG_TEXT("n", "0000")));
}

/* The file holds exactly these lines, in order. */
static void assert_lines(const char *name, unsigned first, unsigned count)
{
    const char *at = file_text(name);
    for (unsigned i = 0; i < count; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "\"event\":\"line\",\"n\":\"%04u\"}\n", first + i);
        const char *end = strchr(at, '\n');
        if (end == NULL || (size_t)(end + 1 - at) < strlen(expected) ||
            strncmp(end + 1 - strlen(expected), expected, strlen(expected)) != 0)
            fail_msg("%s: not line %u: %s", name, first + i, at);
        at = end + 1;
    }
    assert_string_equal(at, "");
}

static void a_file_is_rotated_before_it_is_too_large(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 3; more++) { /* one byte too few, what fits, one more */
        unsigned fit = more == 0 ? 2 : 3;
        assert_int_equal(open_file("log", 3 * line_size() + more - 1, 3), STATUS_OK);
        for (unsigned i = 0; i < fit; i++)
            say_line(i);
        assert_false(file_is("log.1"));
        say_line(fit);
        assert_lines("log.1", 0, fit);
        assert_lines("log", fit, 1);
        remove("log");
        remove("log.1");
    }
}

static void the_oldest_file_is_dropped(void **state)
{
    (void)state;
    for (unsigned files = 1; files <= 4; files++) {
        assert_int_equal(open_file("log", 2 * line_size(), files), STATUS_OK);
        for (unsigned i = 0; i < 11; i++)
            say_line(i);
        assert_lines("log", 10, 1);
        for (unsigned i = 1; i <= 4; i++) {
            char name[16];
            snprintf(name, sizeof name, "log.%u", i);
            assert_int_equal(file_is(name), i < files);
            if (i < files)
                assert_lines(name, 10 - 2 * i, 2);
            remove(name);
        }
        remove("log");
    }
}

static void a_line_larger_than_a_file_has_one_to_itself(void **state)
{
    (void)state;
    assert_int_equal(open_file("log", 1, 3), STATUS_OK);
    say_line(0);
    assert_false(file_is("log.1"));
    say_line(1);
    say_line(2);
    assert_lines("log.2", 0, 1);
    assert_lines("log.1", 1, 1);
    assert_lines("log", 2, 1);
}

static void a_file_that_is_there_is_gone_on_with(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(open_file("log", 2 * line_size(), 2), STATUS_OK);
        say_line(i);
    }
    assert_lines("log.1", 0, 2);
    assert_lines("log", 2, 1);
}

/* Its age is real time: lines are said until it is over, which is when the file was begun by the
 * file system's word, and not when it was opened last. */
static void a_file_is_rotated_when_it_is_too_old(void **state)
{
    (void)state;
    const struct log_options options = {LOG_FORMAT_JSON, "log", 1 << 20, 3, .file_age_max_s = 1};
    uint64_t began_ns = clock_wall_ns();
    unsigned lines = 0;
    while (!file_is("log.1") && clock_wall_ns() < began_ns + 10 * NS_PER_SECOND) {
        if (lines % 100 == 0)
            assert_int_equal(log_open(&options), STATUS_OK);
        say_line(lines++);
        usleep(5000);
    }
    /* A file system's clock may be a tick behind. */
    assert_true(clock_wall_ns() >= began_ns + NS_PER_SECOND - 20 * NS_PER_MS);
    assert_lines("log.1", 0, lines - 1);
    assert_lines("log", lines - 1, 1);
}

static void a_device_is_written_and_never_rotated(void **state)
{
    (void)state;
    assert_int_equal(symlink("/dev/null", "log"), 0);
    assert_int_equal(open_file("log", 1, 3), STATUS_OK);
    capture_begin();
    say_line(0);
    say_line(1);
    assert_string_equal(capture_end(), "");
    assert_false(file_is("log.1"));
    assert_true(file_is("log"));
}

static void a_file_that_cannot_be_opened_leaves_stderr(void **state)
{
    (void)state;
    static char longest[LOG_PATH_SIZE_MAX + 1];
    memset(longest, 'x', LOG_PATH_SIZE_MAX);
    const char *const paths[] = {"no/where", ".", longest};
    const int numbers[] = {ENOENT, EISDIR, ENAMETOOLONG};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(open_file(paths[i], 1000, 2), STATUS_IO);
        assert_int_equal(errno, numbers[i]);
        capture_begin();
        say_line(0);
        assert_non_null(strstr(capture_end(), "\"n\":\"0000\"}\n"));
    }
}

static unsigned lines_in(const char *text)
{
    unsigned count = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        count++;
    return count;
}

static void a_file_that_cannot_be_written_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(open_file("/dev/full", 1000, 2), STATUS_OK);
    capture_begin();
    say_line(0);
    say_line(1);
    const char *text = capture_end();
    assert_int_equal(lines_in(text), 3);
    assert_non_null(strstr(text,
                           "\"level\":\"error\",\"module\":\"log\",\"event\":\"write_failed\","
                           "\"destination\":\"/dev/full\",\"why\":\"No space left on "
                           "device\"}\n"));
    assert_non_null(strstr(text, "\"n\":\"0000\"}\n"));
    assert_non_null(strstr(text, "\"n\":\"0001\"}\n"));
}

static void a_rotation_that_fails_is_told_once_and_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(mkdir("log.1", 0700), 0); /* no file can take its place */
    assert_int_equal(open_file("log", line_size(), 2), STATUS_OK);
    say_line(0);
    capture_begin();
    say_line(1);
    say_line(2);
    const char *text = capture_end();
    assert_int_equal(lines_in(text), 3);
    assert_non_null(strstr(text, "\"event\":\"rotation_failed\",\"destination\":\"log\",\"why\":"
                                 "\"Is a directory\"}\n"));
    assert_non_null(strstr(text, "\"n\":\"0001\"}\n"));
    assert_non_null(strstr(text, "\"n\":\"0002\"}\n"));
    assert_lines("log", 0, 1);
}

/* ---- threads ---- */

enum { THREADS = 4, LINES_EACH = 2000, FILES = 100 };

static void *say_lines(void *self)
{
    unsigned first = *(unsigned *)self;
    for (unsigned i = 0; i < LINES_EACH; i++)
        say_line(first + i);
    return NULL;
}

static unsigned count_file(const char *name, unsigned char *seen, size_t size_max)
{
    const char *text = file_text(name);
    if (strlen(text) > size_max)
        fail_msg("%s has %zu bytes", name, strlen(text));
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, "\"n\":\"")) != NULL; at++, count++)
        seen[strtoul(at + 5, NULL, 10)]++;
    assert_int_equal(lines_in(text), count);
    return count;
}

static void threads_lose_and_mix_no_line_over_rotations(void **state)
{
    (void)state;
    static unsigned char seen[THREADS * LINES_EACH];
    pthread_t threads[THREADS];
    unsigned firsts[THREADS], count = 0;
    size_t size_max = 200 * line_size();
    memset(seen, 0, sizeof seen);
    assert_int_equal(open_file("log", size_max, FILES), STATUS_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        firsts[i] = i * LINES_EACH;
        assert_int_equal(pthread_create(&threads[i], NULL, say_lines, &firsts[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    size_t most = size_max + THREADS * line_size();
    count += count_file("log", seen, most);
    for (unsigned i = 1; i < FILES; i++) {
        char name[16];
        snprintf(name, sizeof name, "log.%u", i);
        if (file_is(name))
            count += count_file(name, seen, most);
    }
    assert_int_equal(count, THREADS * LINES_EACH);
    for (unsigned i = 0; i < THREADS * LINES_EACH; i++)
        assert_int_equal(seen[i], 1);
    /* It did rotate, and once for a full file: each holds 200 lines, less one for each thread. */
    assert_true(file_is("log.39"));
    assert_false(file_is("log.44"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, close_log)
    const struct CMUnitTest tests[] = {
        TEST(stdout_gets_it_if_it_is_asked_for),
        TEST(a_file_is_rotated_before_it_is_too_large),
        TEST(the_oldest_file_is_dropped),
        TEST(a_line_larger_than_a_file_has_one_to_itself),
        TEST(a_file_that_is_there_is_gone_on_with),
        TEST(a_file_is_rotated_when_it_is_too_old),
        TEST(a_device_is_written_and_never_rotated),
        TEST(a_file_that_cannot_be_opened_leaves_stderr),
        TEST(a_file_that_cannot_be_written_is_told_once),
        TEST(a_rotation_that_fails_is_told_once_and_loses_nothing),
        TEST(threads_lose_and_mix_no_line_over_rotations),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
