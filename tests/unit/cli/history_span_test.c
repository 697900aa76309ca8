/* history_span: times as they are told, and which rows of a history are wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/history_span.h"

#define SECOND NS_PER_SECOND

static void times_are_seconds_of_a_day_or_utc(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool of_day;
        uint64_t ns;
    } good[] = {
        {"0", true, 0},
        {"34200", true, 34200 * SECOND},
        {"34200.004241176", true, 34200 * SECOND + 4241176},
        {"86399.999999999", true, 86400 * SECOND - 1},
        {"09:30:00", true, 34200 * SECOND},
        {"23:59:59.5", true, 86399 * SECOND + SECOND / 2},
        {"1970-01-02T00:00:01Z", false, 86401 * SECOND},
        {"2012-06-21T09:30:00.25Z", false, 1340271000 * SECOND + SECOND / 4},
        {"2012-02-29T00:00:00Z", false, 1330473600 * SECOND},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct history_time t;
        if (!history_time_read(&t, good[i].text))
            fail_msg("%s is not read", good[i].text);
        assert_true(t.given);
        assert_int_equal(t.of_day, good[i].of_day);
        assert_int_equal(t.ns, good[i].ns);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-1",
        "86400",
        "9:30",
        "09:30",
        "24:00:00",
        "23:60:00",
        "09:30:60",
        "09:30:0",
        "09:30:00x",
        "noon",
        "2012-06-21",
        "34200.0000000001",
        "2012-06-21T09:30:00",
        "2012-02-30T09:30:00Z",
        "2012-13-01T09:30:00Z",
        "1969-12-31T23:59:59Z",
        "2012-06-21T09:30:00+01:00",
        "2012-06-21T09:30:Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct history_time t;
        if (history_time_read(&t, bad[i]))
            fail_msg("%s is read", bad[i]);
    }
}

static void what_was_before_is_there_at_the_beginning(void **state)
{
    (void)state;
    const uint64_t day = 3 * 86400 * SECOND;
    struct history_span s = {.from = {true, true, 10 * SECOND}, .to = {true, true, 20 * SECOND}};
    uint64_t time_ns = day + 5 * SECOND;
    assert_true(history_span_take(&s, &time_ns));
    assert_int_equal(time_ns, day + 10 * SECOND);
    time_ns = day + 10 * SECOND + 1;
    assert_true(history_span_take(&s, &time_ns));
    assert_int_equal(time_ns, day + 10 * SECOND + 1);
    time_ns = day + 20 * SECOND - 1;
    assert_true(history_span_take(&s, &time_ns));
    time_ns = day + 20 * SECOND;
    assert_false(history_span_take(&s, &time_ns));
}

static void all_of_it_is_wanted_where_nothing_is_told(void **state)
{
    (void)state;
    struct history_span s = {.begun = false};
    uint64_t times[] = {0, 1, UINT64_MAX - 1};
    for (size_t i = 0; i < 3; i++) {
        uint64_t time_ns = times[i];
        assert_true(history_span_take(&s, &time_ns));
        assert_int_equal(time_ns, times[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_seconds_of_a_day_or_utc),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(what_was_before_is_there_at_the_beginning),
        cmocka_unit_test(all_of_it_is_wanted_where_nothing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
