/* metrics_table: every row is one Prometheus takes, and labels have only words we mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bus/publisher.h"
#include "bus/subscriber.h"
#include "node/counts.h"

static const char *const label_names[] = {
    "shard",  "symbol", "code",  "standing", "route",  "status",  "error",   "input",
    "output", "stream", "stage", "level",    "socket", "version", "service", NULL};

static bool ends(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static bool is_label(const char *name, size_t size)
{
    for (unsigned i = 0; label_names[i] != NULL; i++) {
        if (strlen(label_names[i]) == size && memcmp(label_names[i], name, size) == 0)
            return true;
    }
    return false;
}

static void assert_row(const struct metric_family *f)
{
    bool seconds = f->type == METRIC_SECONDS || f->type == METRIC_GAUGE_SECONDS;
    assert_true(strncmp(f->name, "outcry_", 7) == 0);
    assert_int_equal(strspn(f->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(f->name));
    assert_int_equal(ends(f->name, "_total"), f->type == METRIC_COUNTER);
    assert_int_equal(ends(f->name, "_seconds"), seconds);
    assert_false(ends(f->name, "_count") || ends(f->name, "_sum") || ends(f->name, "_bucket"));
    assert_true(strlen(f->help) > 0 && !ends(f->help, ".") && strpbrk(f->help, "|\n\\") == NULL);
}

static void names_types_and_units_go_together(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FAMILY_COUNT; i++) {
        assert_row(&metric_families[i]);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(metric_families[i].name, metric_families[j].name);
    }
}

static void labels_are_those_that_stay_few(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FAMILY_COUNT; i++) {
        const char *labels = metric_families[i].labels;
        unsigned count = 0;
        for (size_t size; *labels != '\0'; labels += size + (labels[size] == ',')) {
            size = strcspn(labels, ",");
            assert_true(is_label(labels, size));
            count++;
        }
        assert_in_range(count, 0, METRIC_LABELS_MAX);
    }
}

static void assert_line(const metrics_t *m, const char *line)
{
    static char text[1 << 14];
    char whole[256];
    text[metrics_write(m, text, sizeof text - 1)] = '\0';
    snprintf(whole, sizeof whole, "\n%s\n", line);
    assert_non_null(strstr(text, whole));
}

static void what_runs_and_since_when_is_there_from_the_start(void **state)
{
    (void)state;
    metrics_t *m = metrics_of_service("follower");
    char text[1024];
    size_t size = metrics_write(m, text, sizeof text - 1);
    text[size] = '\0';
    assert_non_null(strstr(text, "\noutcry_build_info{version=\""));
    assert_non_null(strstr(text, "\",service=\"follower\"} 1\n"));
    const char *start = strstr(text, "\noutcry_start_time_seconds ");
    double seconds = 0;
    assert_int_equal(sscanf(start, "\noutcry_start_time_seconds %lf", &seconds), 1);
    assert_true(seconds > 1.7e9);
    metrics_destroy(&m);
}

/* A number a member: were one left out, or taken for another, it would show. */
static void every_count_has_its_series(void **state)
{
    (void)state;
    metrics_t *m = metrics_new(metric_families, FAMILY_COUNT);
    struct counts said, heard;
    counts_of_publisher(&said, m, "private");
    counts_of_subscriber(&heard, m, "public", "3");
    counts_set(
        &said,
        &(struct publisher_counts){
            .frames = 1, .resends = 2, .snapshots = 3, .refused = 4, .garbage = 5, .dropped = 6});
    counts_set(&heard, &(struct subscriber_counts){.frames = 11,
                                                   .gaps = 12,
                                                   .resends = 13,
                                                   .snapshots = 14,
                                                   .repeats = 15,
                                                   .faults = 16,
                                                   .garbage = 17,
                                                   .overflows = 18});
    assert_line(m, "outcry_publisher_frames_total{output=\"private\"} 1");
    assert_line(m, "outcry_publisher_resends_total{output=\"private\"} 2");
    assert_line(m, "outcry_publisher_snapshots_total{output=\"private\"} 3");
    assert_line(m, "outcry_publisher_requests_refused_total{output=\"private\"} 4");
    assert_line(m, "outcry_publisher_requests_unreadable_total{output=\"private\"} 5");
    assert_line(m, "outcry_publisher_requests_dropped_total{output=\"private\"} 6");
    assert_line(m, "outcry_stream_frames_total{stream=\"public\",shard=\"3\"} 11");
    assert_line(m, "outcry_stream_gaps_total{stream=\"public\",shard=\"3\"} 12");
    assert_line(m, "outcry_stream_resends_total{stream=\"public\",shard=\"3\"} 13");
    assert_line(m, "outcry_stream_snapshots_total{stream=\"public\",shard=\"3\"} 14");
    assert_line(m, "outcry_stream_repeats_total{stream=\"public\",shard=\"3\"} 15");
    assert_line(m, "outcry_stream_faults_total{stream=\"public\",shard=\"3\"} 16");
    assert_line(m, "outcry_stream_unreadable_total{stream=\"public\",shard=\"3\"} 17");
    assert_line(m, "outcry_stream_overflows_total{stream=\"public\",shard=\"3\"} 18");
    metrics_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_types_and_units_go_together),
        cmocka_unit_test(labels_are_those_that_stay_few),
        cmocka_unit_test(what_runs_and_since_when_is_there_from_the_start),
        cmocka_unit_test(every_count_has_its_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
