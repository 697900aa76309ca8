/* turns: what is counted of a node's turns. What a node gives it is tested in node_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/turns.h"
#include "tests/unit/base/death.h"

static struct fixture {
    metrics_t *metrics;
    struct turns turns;
    unsigned turned, reported;
    char text[1 << 14];
} fixture;

static void on_turned(void *self)
{
    ((struct fixture *)self)->turned++;
}

static void on_report(void *self)
{
    ((struct fixture *)self)->reported++;
}

static int setup(void **state)
{
    struct fixture *f = &fixture;
    memset(f, 0, sizeof *f);
    f->metrics = metrics_new(metric_families, FAMILY_COUNT);
    turns_init(&f->turns, &(struct node_watch){
                              .metrics = f->metrics,
                              .commit = metrics_series(f->metrics, FAMILY_JOURNAL_COMMIT, "0"),
                              .turned = on_turned,
                              .report = on_report,
                              .self = f});
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    metrics_destroy(&((struct fixture *)*state)->metrics);
    return 0;
}

static void assert_line(struct fixture *f, const char *line)
{
    char whole[256];
    f->text[metrics_write(f->metrics, f->text, sizeof f->text - 1)] = '\0';
    snprintf(whole, sizeof whole, "\n%s\n", line);
    assert_non_null(strstr(f->text, whole));
}

static void a_turn_is_counted_and_told(void **state)
{
    struct fixture *f = *state;
    turns_end(&f->turns, 640, 1);
    turns_end(&f->turns, 64, 2);
    assert_line(f, "outcry_node_cycles_total 2");
    assert_line(f, "outcry_node_outbox_bytes 64");
    assert_line(f, "outcry_node_batch_messages_count 0");
    assert_int_equal(f->turned, 2);
    assert_int_equal(f->reported, 0);
    turns_report(&f->turns);
    assert_int_equal(f->reported, 1);
}

static void a_batch_has_its_messages_and_its_time(void **state)
{
    struct fixture *f = *state;
    turns_batch(&f->turns, 3, 1500);
    turns_batch(&f->turns, 5, 20000);
    assert_line(f, "outcry_node_batch_messages_sum 8");
    assert_line(f, "outcry_node_batch_messages_bucket{le=\"4\"} 1");
    assert_line(f, "outcry_node_step_seconds_sum 0.000021500");
    assert_line(f, "outcry_node_step_seconds_count 2");
}

static void a_commit_takes_from_the_end_of_its_own_batch(void **state)
{
    struct fixture *f = *state;
    turns_committed(&f->turns, 9, 50); /* of before */
    turns_written(&f->turns, 10, 100);
    turns_written(&f->turns, 12, 300); /* 11: no batch */
    turns_committed(&f->turns, 9, 400);
    assert_line(f, "outcry_journal_commit_seconds_count{shard=\"0\"} 0");
    turns_committed(&f->turns, 11, 500);
    assert_line(f, "outcry_journal_commit_seconds_count{shard=\"0\"} 1");
    assert_line(f, "outcry_journal_commit_seconds_sum{shard=\"0\"} 0.000000400");
    turns_committed(&f->turns, 12, 1300);
    assert_line(f, "outcry_journal_commit_seconds_count{shard=\"0\"} 2");
    assert_line(f, "outcry_journal_commit_seconds_sum{shard=\"0\"} 0.000001400");
    for (uint64_t b = 13; b < 41; b += 2) { /* round the ring */
        turns_written(&f->turns, b, b);
        turns_written(&f->turns, b + 1, b);
        turns_committed(&f->turns, b + 1, b + 1);
    }
    assert_line(f, "outcry_journal_commit_seconds_count{shard=\"0\"} 30");
}

static void write_five(void *self)
{
    for (uint64_t b = 1; b <= TURNS_WRITTEN_MAX + 1; b++)
        turns_written(&((struct fixture *)self)->turns, b, b);
}

static void more_batches_than_can_wait_are_a_mistake_of_ours(void **state)
{
    assert_true(death_of(write_five, *state).aborted);
}

static void what_is_not_wanted_is_not_counted(void **state)
{
    (void)state;
    struct turns t;
    turns_init(&t, &(struct node_watch){0});
    turns_batch(&t, 1, 1);
    turns_written(&t, 1, 1);
    turns_committed(&t, 1, 2);
    turns_end(&t, 1, 2);
    turns_report(&t);
    assert_int_equal(t.written_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_turn_is_counted_and_told),
        TEST(a_batch_has_its_messages_and_its_time),
        TEST(a_commit_takes_from_the_end_of_its_own_batch),
        TEST(more_batches_than_can_wait_are_a_mistake_of_ours),
        TEST(what_is_not_wanted_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
