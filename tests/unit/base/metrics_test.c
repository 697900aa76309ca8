/* metrics: the text, byte for byte, and what many threads count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "tests/unit/base/death.h"

enum { COMMANDS, ORDERS, STARTED, SYNC, BATCH, ODD };

static const struct metric_family families[] = {
    {"test_commands_total", METRIC_COUNTER, "shard", "commands sequenced"},
    {"test_orders", METRIC_GAUGE, "", "orders that rest"},
    {"test_start_time_seconds", METRIC_GAUGE_SECONDS, "", "since when"},
    {"test_sync_seconds", METRIC_SECONDS, "shard", "a sync"},
    {"test_batch_commands", METRIC_SIZES, "", "commands of a batch"},
    {"test_odd", METRIC_GAUGE, "a,b,c", "one\\two\nlines \"quoted\""},
};
enum { FAMILIES = sizeof families / sizeof families[0] };

static int setup(void **state)
{
    *state = metrics_new(families, FAMILIES);
    return 0;
}

static int teardown(void **state)
{
    metrics_t *m = *state;
    metrics_destroy(&m);
    assert_null(m);
    metrics_destroy(&m); /* of nothing */
    return 0;
}

static void assert_text(const metrics_t *m, const char *expected)
{
    static char text[1 << 16];
    size_t size = metrics_write(m, text, sizeof text - 1);
    assert_true(size < sizeof text);
    text[size] = '\0';
    assert_string_equal(text, expected);
}

/* ---- the text ---- */

static void without_series_there_is_no_text(void **state)
{
    assert_text(*state, "");
}

static void a_family_is_told_once_and_its_series_in_the_order_they_were_made(void **state)
{
    metrics_t *m = *state;
    metric_set(metrics_series(m, ORDERS), 18446744073709551615u);
    metric_add(metrics_series(m, COMMANDS, "1"), 5);
    metric_add(metrics_series(m, COMMANDS, "0"), 2);
    assert_text(m, "# HELP test_commands_total commands sequenced\n"
                   "# TYPE test_commands_total counter\n"
                   "test_commands_total{shard=\"1\"} 5\n"
                   "test_commands_total{shard=\"0\"} 2\n"
                   "# HELP test_orders orders that rest\n"
                   "# TYPE test_orders gauge\n"
                   "test_orders 18446744073709551615\n");
}

static void a_series_begins_at_0_and_is_made_once(void **state)
{
    metrics_t *m = *state;
    metric_t *first = metrics_series(m, COMMANDS, "0");
    assert_text(m, "# HELP test_commands_total commands sequenced\n"
                   "# TYPE test_commands_total counter\n"
                   "test_commands_total{shard=\"0\"} 0\n");
    assert_ptr_equal(metrics_series(m, COMMANDS, "0"), first);
    assert_ptr_not_equal(metrics_series(m, COMMANDS, "00"), first);
    assert_ptr_equal(metrics_series(m, COMMANDS, "0"), first);
}

static void counters_add_and_gauges_are_set(void **state)
{
    metrics_t *m = *state;
    metric_t *commands = metrics_series(m, COMMANDS, "0"), *orders = metrics_series(m, ORDERS);
    metric_add(commands, 3);
    metric_add(commands, 0);
    metric_add(commands, 4);
    metric_set(orders, 9);
    metric_set(orders, 1);
    assert_text(m, "# HELP test_commands_total commands sequenced\n"
                   "# TYPE test_commands_total counter\n"
                   "test_commands_total{shard=\"0\"} 7\n"
                   "# HELP test_orders orders that rest\n"
                   "# TYPE test_orders gauge\n"
                   "test_orders 1\n");
}

static void nanoseconds_are_told_in_seconds(void **state)
{
    metrics_t *m = *state;
    metric_set(metrics_series(m, STARTED), 1790000000 * NS_PER_SECOND + 50);
    assert_text(m, "# HELP test_start_time_seconds since when\n"
                   "# TYPE test_start_time_seconds gauge\n"
                   "test_start_time_seconds 1790000000.000000050\n");
}

static void what_would_end_a_value_or_its_line_is_escaped(void **state)
{
    metrics_t *m = *state;
    metric_set(metrics_series(m, ODD, "a\"b", "\\", "x\ny,{}="), 1);
    metric_set(metrics_series(m, ODD, "", "", ""), 2);
    assert_text(m, "# HELP test_odd one\\\\two\\nlines \"quoted\"\n"
                   "# TYPE test_odd gauge\n"
                   "test_odd{a=\"a\\\"b\",b=\"\\\\\",c=\"x\\ny,{}=\"} 1\n"
                   "test_odd{a=\"\",b=\"\",c=\"\"} 2\n");
}

static void the_longest_labels_fit_also_escaped(void **state)
{
    metrics_t *m = *state;
    char longest[METRIC_LABEL_SIZE], escaped[2 * METRIC_LABEL_SIZE], expected[1024];
    memset(longest, '"', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < 2 * strlen(longest); i++)
        escaped[i] = i % 2 == 0 ? '\\' : '"';
    escaped[2 * strlen(longest)] = '\0';
    metric_set(metrics_series(m, ODD, longest, longest, longest), 3);
    snprintf(expected, sizeof expected,
             "# HELP test_odd one\\\\two\\nlines \"quoted\"\n# TYPE test_odd gauge\n"
             "test_odd{a=\"%s\",b=\"%s\",c=\"%s\"} 3\n",
             escaped, escaped, escaped);
    assert_text(m, expected);
}

/* ---- histograms ---- */

static void times_fall_into_cumulative_buckets(void **state)
{
    metrics_t *m = *state;
    metric_t *sync = metrics_series(m, SYNC, "0");
    const uint64_t times_ns[] = {
        0, 10000, 10001, 1000000, 10 * NS_PER_SECOND, 10 * NS_PER_SECOND + 1};
    for (unsigned i = 0; i < sizeof times_ns / sizeof times_ns[0]; i++)
        metric_observe(sync, times_ns[i]);
    assert_text(m, "# HELP test_sync_seconds a sync\n"
                   "# TYPE test_sync_seconds histogram\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"1e-05\"} 2\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"2.5e-05\"} 3\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"5e-05\"} 3\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.0001\"} 3\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.00025\"} 3\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.0005\"} 3\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.001\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.0025\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.005\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.01\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.025\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.05\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.1\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.25\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"0.5\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"1\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"2.5\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"5\"} 4\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"10\"} 5\n"
                   "test_sync_seconds_bucket{shard=\"0\",le=\"+Inf\"} 6\n"
                   "test_sync_seconds_sum{shard=\"0\"} 20.001020002\n"
                   "test_sync_seconds_count{shard=\"0\"} 6\n");
}

static void sizes_fall_into_powers_of_two(void **state)
{
    metrics_t *m = *state;
    metric_t *batch = metrics_series(m, BATCH);
    const uint64_t sizes[] = {0, 1, 2, 3, 4, 65535, 65536, 65537};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        metric_observe(batch, sizes[i]);
    assert_text(m, "# HELP test_batch_commands commands of a batch\n"
                   "# TYPE test_batch_commands histogram\n"
                   "test_batch_commands_bucket{le=\"1\"} 2\n"
                   "test_batch_commands_bucket{le=\"2\"} 3\n"
                   "test_batch_commands_bucket{le=\"4\"} 5\n"
                   "test_batch_commands_bucket{le=\"8\"} 5\n"
                   "test_batch_commands_bucket{le=\"16\"} 5\n"
                   "test_batch_commands_bucket{le=\"32\"} 5\n"
                   "test_batch_commands_bucket{le=\"64\"} 5\n"
                   "test_batch_commands_bucket{le=\"128\"} 5\n"
                   "test_batch_commands_bucket{le=\"256\"} 5\n"
                   "test_batch_commands_bucket{le=\"512\"} 5\n"
                   "test_batch_commands_bucket{le=\"1024\"} 5\n"
                   "test_batch_commands_bucket{le=\"2048\"} 5\n"
                   "test_batch_commands_bucket{le=\"4096\"} 5\n"
                   "test_batch_commands_bucket{le=\"8192\"} 5\n"
                   "test_batch_commands_bucket{le=\"16384\"} 5\n"
                   "test_batch_commands_bucket{le=\"32768\"} 5\n"
                   "test_batch_commands_bucket{le=\"65536\"} 7\n"
                   "test_batch_commands_bucket{le=\"+Inf\"} 8\n"
                   "test_batch_commands_sum 196618\n"
                   "test_batch_commands_count 8\n");
}

/* ---- limits ---- */

static void too_little_room_says_how_much_is_needed_and_writes_no_further(void **state)
{
    metrics_t *m = *state;
    metric_observe(metrics_series(m, SYNC, "0"), 1);
    metric_add(metrics_series(m, COMMANDS, "0"), 1);
    char text[4096];
    size_t size = metrics_write(m, NULL, 0);
    assert_true(size > 1000 && size < sizeof text - 1);
    const size_t rooms[] = {0, 1, 2, size / 2, size - 1, size, size + 1};
    for (unsigned i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        memset(text, '~', sizeof text);
        assert_true(metrics_write(m, text, rooms[i]) == size);
        assert_int_equal(text[rooms[i]], '~');
        assert_true(rooms[i] < size || memcmp(text + size - 4, "} 1\n", 4) == 0);
    }
}

static void without_metrics_counting_does_nothing(void **state)
{
    (void)state;
    metric_t *none = metrics_series(NULL, COMMANDS, "0");
    assert_null(none);
    metric_add(none, 1);
    metric_set(none, 1);
    metric_observe(none, 1);
}

static void make_series(metrics_t *m, unsigned count)
{
    char shard[16];
    for (unsigned i = 0; i < count; i++) {
        snprintf(shard, sizeof shard, "%u", i);
        /* Several families, so that none is long. */
        (void)metrics_series(m, ODD, i % 2 == 0 ? "even" : "odd", i % 3 == 0 ? "3" : "", shard);
    }
}

static void make_one_too_many(void *self)
{
    make_series(self, METRIC_SERIES_MAX + 1);
}

static void the_last_series_fits_and_one_more_is_a_mistake_of_ours(void **state)
{
    make_series(*state, METRIC_SERIES_MAX);
    struct death d = death_of(make_one_too_many, *state);
    assert_true(d.aborted);
    assert_non_null(strstr(d.words, "METRIC_SERIES_MAX"));
}

static void label_of_64_bytes(void *self)
{
    char label[METRIC_LABEL_SIZE + 1];
    memset(label, 'x', METRIC_LABEL_SIZE);
    label[METRIC_LABEL_SIZE] = '\0';
    (void)metrics_series(self, COMMANDS, label);
}

static void a_label_too_long_is_a_mistake_of_ours(void **state)
{
    assert_true(death_of(label_of_64_bytes, *state).aborted);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 20000 };

static void *count_many(void *self)
{
    char shard[16];
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % 256 == 0) /* series come while others read */
            snprintf(shard, sizeof shard, "%u", i / 256 % 7);
        if (i % 256 == 0 || i % 5 == 0)
            metric_add(metrics_series(self, COMMANDS, shard), 1);
        metric_observe(metrics_series(self, BATCH), 2);
    }
    return NULL;
}

/* The number behind a line's beginning; -1: there is no such line. */
static long number_of(const char *text, const char *beginning)
{
    const char *at = strstr(text, beginning);
    return at == NULL ? -1 : atol(at + strlen(beginning));
}

static void read_once(const metrics_t *m, char *text, size_t size, long *last)
{
    size_t written = metrics_write(m, text, size - 1);
    assert_true(written < size);
    text[written] = '\0';
    long inf = number_of(text, "test_batch_commands_bucket{le=\"+Inf\"} ");
    assert_true(inf == number_of(text, "test_batch_commands_count "));
    assert_true(inf >= *last);
    *last = inf;
}

static void threads_count_together_while_others_read(void **state)
{
    static char text[1 << 14];
    pthread_t threads[THREADS];
    long last = -1, commands = 0;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, *state), 0);
    for (unsigned i = 0; i < 50; i++)
        read_once(*state, text, sizeof text, &last);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    read_once(*state, text, sizeof text, &last);
    assert_int_equal(last, THREADS * ROUNDS);
    assert_int_equal(number_of(text, "test_batch_commands_sum "), 2 * THREADS * ROUNDS);
    for (unsigned i = 0; i < 7; i++) {
        char beginning[64];
        snprintf(beginning, sizeof beginning, "test_commands_total{shard=\"%u\"} ", i);
        commands += number_of(text, beginning);
    }
    long each = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        each += i % 256 == 0 || i % 5 == 0;
    assert_int_equal(commands, THREADS * each);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_series_there_is_no_text),
        TEST(a_family_is_told_once_and_its_series_in_the_order_they_were_made),
        TEST(a_series_begins_at_0_and_is_made_once),
        TEST(counters_add_and_gauges_are_set),
        TEST(nanoseconds_are_told_in_seconds),
        TEST(what_would_end_a_value_or_its_line_is_escaped),
        TEST(the_longest_labels_fit_also_escaped),
        TEST(times_fall_into_cumulative_buckets),
        TEST(sizes_fall_into_powers_of_two),
        TEST(too_little_room_says_how_much_is_needed_and_writes_no_further),
        TEST(without_metrics_counting_does_nothing),
        TEST(the_last_series_fits_and_one_more_is_a_mistake_of_ours),
        TEST(a_label_too_long_is_a_mistake_of_ours),
        TEST(threads_count_together_while_others_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
