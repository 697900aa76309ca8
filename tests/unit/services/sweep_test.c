/* sweep: axes read exactly, points in the order of their values whoever is done first, and what
 * becomes of a point whose run fails or whose process dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backtest/sweep.h"

/* ---- axes ---- */

static struct sweep_axis axis;

static void assert_axis(const char *text, const char *name, const char *values)
{
    char error[SWEEP_ERROR_SIZE] = "", found[1024] = "";
    if (!sweep_axis_read(&axis, text, error))
        fail_msg("%s: refused: %s", text, error);
    assert_string_equal(axis.name, name);
    for (unsigned i = 0; i < axis.count; i++) {
        strcat(found, i > 0 ? " " : "");
        strcat(found, axis.values[i]);
    }
    assert_string_equal(found, values);
}

static void assert_refused(const char *text, const char *words)
{
    char error[SWEEP_ERROR_SIZE] = "";
    if (sweep_axis_read(&axis, text, error))
        fail_msg("%s: was read", text);
    if (strstr(error, words) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", text, error, words);
}

static void an_axis_goes_from_first_to_last_by_exact_steps(void **state)
{
    (void)state;
    assert_axis("gamma=0.1:0.5:0.1", "gamma", "0.1 0.2 0.3 0.4 0.5");
    assert_axis("n=1:3:1", "n", "1 2 3");
    assert_axis("n=3:1:-1", "n", "3 2 1");
    assert_axis("n=-1:1:0.5", "n", "-1.0 -0.5 0.0 0.5 1.0");
    assert_axis("price=585.10:585.20:0.05", "price", "585.10 585.15 585.20");
    assert_axis("x=0:0.3:0.1", "x", "0.0 0.1 0.2 0.3");
}

static void a_last_value_that_is_not_met_is_not_passed(void **state)
{
    (void)state;
    assert_axis("gamma=0.1:0.55:0.2", "gamma", "0.1 0.3 0.5");
    assert_axis("n=5:1.5:-2", "n", "5 3");
    assert_axis("n=1:1.9:1", "n", "1");
    assert_axis("n=1:1:7", "n", "1");
    assert_axis("n=1:1:-7", "n", "1");
}

static void an_axis_that_cannot_be_is_refused_in_words(void **state)
{
    (void)state;
    assert_refused("gamma", "expected NAME=FIRST:LAST:STEP");
    assert_refused("=1:2:1", "expected NAME=FIRST:LAST:STEP");
    assert_refused("gamma=1:2", "expected NAME=FIRST:LAST:STEP");
    assert_refused("gamma=1:2:1:1", "the step is \"1:1\"");
    assert_refused("gamma=a:2:1", "the first value is \"a\": expected a decimal");
    assert_refused("gamma=1::1", "the last value is \"\"");
    assert_refused("gamma=1:2:1e-3", "the step is \"1e-3\"");
    assert_refused("gamma=1:2:0", "a step of 0 goes nowhere");
    assert_refused("gamma=1:2:0.000", "a step of 0 goes nowhere");
    assert_refused("gamma=1:2:-1", "expected one above 0");
    assert_refused("gamma=2:1:1", "expected one below 0");
    assert_refused("gamma=0:1:0.0000000000000000001", "at most 18 digits");
    assert_refused("gamma=1:9999999999999999999:1", "at most 18 digits");
}

static void an_axis_has_as_many_values_as_a_sweep_may(void **state)
{
    (void)state;
    char error[SWEEP_ERROR_SIZE];
    for (int count = SWEEP_POINTS_MAX - 1; count <= SWEEP_POINTS_MAX + 1; count++) {
        char text[64];
        snprintf(text, sizeof text, "n=1:%d:1", count);
        assert_int_equal(sweep_axis_read(&axis, text, error), count <= SWEEP_POINTS_MAX);
        if (count <= SWEEP_POINTS_MAX)
            assert_int_equal(axis.count, count);
    }
    assert_non_null(strstr(error, "4097 values: expected at most 4096"));
    assert_refused("n=-999999999999999999:999999999999999999:0.1", "at most 18 digits");
    assert_refused("n=-999999999999999999:999999999999999999:1", "1999999999999999999 values");
}

static void a_name_fits_or_is_refused(void **state)
{
    (void)state;
    for (int size = 62; size <= 64; size++) {
        char text[96], error[SWEEP_ERROR_SIZE];
        memset(text, 'n', sizeof text);
        strcpy(text + size, "=1:2:1");
        assert_int_equal(sweep_axis_read(&axis, text, error), size <= 63);
    }
}

/* ---- runs ---- */

static struct sweep_axis axes[2];
static const struct strategy_spec spec = {.name = "swept"};

/* What a point is to do; in the child, values say which point it is. */
struct plan {
    int gate[2];  /* the first point ends when the last has: its word comes through here */
    int alive[2]; /* held open by children that live */
    unsigned told, last_done;
};

static void on_progress(void *self, unsigned done, unsigned count)
{
    struct plan *p = self;
    (void)count;
    assert_int_equal(done, p->last_done + 1);
    p->last_done = done;
    p->told++;
}

static bool run_well(void *self, const char *const *values, struct result_figures *f,
                     char words[SWEEP_ERROR_SIZE])
{
    (void)self;
    static char ended[64];
    f->fills = strtoull(values[0], NULL, 10) * 100 + strtoull(values[1], NULL, 10);
    f->sharpe = (struct real_or_nil){1.5, true};
    snprintf(ended, sizeof ended, "ended at %s", values[0]);
    f->ended = ended;
    snprintf(f->described, sizeof f->described, "described %s/%s", values[0], values[1]);
    snprintf(words, SWEEP_ERROR_SIZE, "not looked at");
    return true;
}

static void read_axes(const char *first, const char *second)
{
    char error[SWEEP_ERROR_SIZE];
    assert_true(sweep_axis_read(&axes[0], first, error));
    if (second != NULL)
        assert_true(sweep_axis_read(&axes[1], second, error));
}

static struct report_point *run(struct sweep_options *o, struct plan *p, unsigned expected)
{
    char error[SWEEP_ERROR_SIZE] = "";
    struct report_point *points;
    unsigned count;
    *p = (struct plan){.gate = {p->gate[0], p->gate[1]}};
    o->axes = axes;
    o->progress = on_progress;
    o->self = p;
    o->spec = &spec;
    enum status status = sweep_run(o, &points, &count, error);
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, error);
    assert_int_equal(count, expected);
    assert_int_equal(p->told, expected);
    return points;
}

static void points_come_in_the_order_of_their_values_however_many_run_at_once(void **state)
{
    (void)state;
    read_axes("a=1:3:1", "b=10:40:10");
    for (unsigned at_once = 0; at_once <= 13; at_once++) {
        struct plan p = {.told = 0};
        struct sweep_options o = {.axis_count = 2, .at_once = at_once, .run = run_well};
        struct report_point *points = run(&o, &p, 12);
        for (unsigned i = 0; i < 12; i++) {
            unsigned a = 1 + i / 4, b = 10 * (1 + i % 4);
            char values[64], described[64];
            snprintf(values, sizeof values, "a=%u b=%u", a, b);
            snprintf(described, sizeof described, "described %u/%u", a, b);
            assert_string_equal(points[i].values, values);
            assert_true(points[i].x == a);
            assert_ptr_equal(points[i].figures.spec, &spec);
            assert_int_equal(points[i].figures.fills, a * 100 + b);
            assert_true(points[i].figures.sharpe.given && points[i].figures.sharpe.value == 1.5);
            assert_string_equal(points[i].figures.described, described);
            assert_int_equal(strncmp(points[i].figures.ended, "ended at", 8), 0);
        }
        sweep_free(&points, 12);
        assert_null(points);
    }
}

/* The first waits for the last: so it is done after it, and yet stands before it. */
static bool run_backwards(void *self, const char *const *values, struct result_figures *f,
                          char words[SWEEP_ERROR_SIZE])
{
    struct plan *p = self;
    char word = '.';
    (void)words;
    f->fills = strtoull(values[0], NULL, 10);
    if (f->fills == 1)
        return read(p->gate[0], &word, 1) == 1;
    if (f->fills == 3)
        return write(p->gate[1], &word, 1) == 1;
    return true;
}

static void who_is_done_last_stands_where_its_value_is(void **state)
{
    (void)state;
    read_axes("a=1:3:1", NULL);
    struct plan p;
    assert_int_equal(pipe(p.gate), 0);
    struct sweep_options o = {.axis_count = 1, .at_once = 2, .run = run_backwards};
    struct report_point *points = run(&o, &p, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(points[i].figures.fills, i + 1);
    sweep_free(&points, 3);
    close(p.gate[0]);
    close(p.gate[1]);
}

static bool run_badly(void *self, const char *const *values, struct result_figures *f,
                      char words[SWEEP_ERROR_SIZE])
{
    (void)self;
    switch (values[0][0]) {
    case '1':
        snprintf(words, SWEEP_ERROR_SIZE, "gamma is 1: expected less");
        return false;
    case '2':
        raise(SIGKILL);
        return true;
    case '3':
        _exit(7);
    case '4':
        memset(words, 'w', SWEEP_ERROR_SIZE - 1);
        words[SWEEP_ERROR_SIZE - 1] = '\0';
        return false;
    }
    f->fills = 5;
    return true;
}

static void a_point_that_fails_or_dies_is_told_with_how_and_the_others_go_on(void **state)
{
    (void)state;
    read_axes("a=1:5:1", NULL);
    struct plan p = {.told = 0};
    struct sweep_options o = {.axis_count = 1, .at_once = 2, .run = run_badly};
    struct report_point *points = run(&o, &p, 5);
    for (unsigned i = 0; i < 4; i++) {
        assert_null(points[i].figures.spec);
        assert_string_equal(points[i].figures.ended, "");
    }
    assert_string_equal(points[0].figures.described, "gamma is 1: expected less");
    assert_string_equal(points[1].figures.described, "its process was ended by signal 9 (Killed)");
    assert_string_equal(points[2].figures.described, "its process ended with status 7");
    assert_int_equal(strlen(points[3].figures.described), SWEEP_ERROR_SIZE - 1);
    assert_ptr_equal(points[4].figures.spec, &spec);
    assert_int_equal(points[4].figures.fills, 5);
    sweep_free(&points, 5);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left behind */
    assert_int_equal(errno, ECHILD);
}

static bool run_nothing(void *self, const char *const *values, struct result_figures *f,
                        char words[SWEEP_ERROR_SIZE])
{
    (void)self, (void)values, (void)f, (void)words;
    return true;
}

static void more_points_than_a_sweep_may_have_are_refused(void **state)
{
    (void)state;
    struct report_point *points;
    unsigned count;
    char error[SWEEP_ERROR_SIZE] = "";
    struct sweep_options o = {.axes = axes, .axis_count = 2, .run = run_nothing, .spec = &spec};
    read_axes("a=1:241:1", "b=1:17:1"); /* 4097 */
    assert_int_equal(sweep_run(&o, &points, &count, error), STATUS_INVALID);
    assert_non_null(strstr(error, "more than 4096 points"));
    assert_null(points);
    assert_int_equal(count, 0);
}

static void as_many_points_as_a_sweep_may_have_are_run(void **state)
{
    (void)state;
    for (unsigned expected = SWEEP_POINTS_MAX - 1; expected <= SWEEP_POINTS_MAX; expected++) {
        bool two = expected == SWEEP_POINTS_MAX;
        read_axes(two ? "a=1:64:1" : "a=1:4095:1", two ? "b=1:64:1" : NULL);
        struct plan p = {.told = 0};
        struct sweep_options o = {.axis_count = two ? 2 : 1, .at_once = 4, .run = run_nothing};
        struct report_point *points = run(&o, &p, expected);
        for (unsigned i = 0; i < expected; i++)
            assert_ptr_equal(points[i].figures.spec, &spec);
        sweep_free(&points, expected);
    }
}

/* ---- when a process cannot be made, and when the parent dies ---- */

static bool run_forever(void *self, const char *const *values, struct result_figures *f,
                        char words[SWEEP_ERROR_SIZE])
{
    struct plan *p = self;
    (void)values, (void)f, (void)words;
    char word = '.';
    if (p->alive[1] > 0 && write(p->alive[1], &word, 1) != 1)
        return false;
    for (;;)
        pause();
}

/* Pipes end where descriptors do: the third point's cannot be made while two run. */
static void a_process_that_cannot_be_made_ends_the_sweep_and_its_children(void **state)
{
    (void)state;
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = dup(0);
    close(lowest);
    low = before;
    low.rlim_cur = (rlim_t)lowest + 3; /* a pipe needs two, and one of them stays */
    read_axes("a=1:9:1", NULL);
    struct plan p = {.told = 0};
    struct report_point *points;
    unsigned count;
    char error[SWEEP_ERROR_SIZE] = "";
    struct sweep_options o = {
        .axes = axes, .axis_count = 1, .at_once = 9, .run = run_forever, .self = &p, .spec = &spec};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    enum status status = sweep_run(&o, &points, &count, error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, STATUS_IO);
    assert_string_equal(error, "a process for a=3 could not be made: Too many open files");
    assert_null(points);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* The children hold the pipe's end: it is at its end when the last of them is gone. */
static void children_die_with_their_parent(void **state)
{
    (void)state;
    struct plan p = {.told = 0};
    assert_int_equal(pipe(p.alive), 0);
    read_axes("a=1:2:1", NULL);
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        struct report_point *points;
        unsigned count;
        char error[SWEEP_ERROR_SIZE];
        struct sweep_options o = {.axes = axes,
                                  .axis_count = 1,
                                  .at_once = 2,
                                  .run = run_forever,
                                  .self = &p,
                                  .spec = &spec};
        sweep_run(&o, &points, &count, error);
        _exit(1);
    }
    close(p.alive[1]);
    char word;
    for (int i = 0; i < 2; i++) /* both live */
        assert_int_equal(read(p.alive[0], &word, 1), 1);
    kill(parent, SIGKILL);
    assert_int_equal(read(p.alive[0], &word, 1), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    close(p.alive[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_axis_goes_from_first_to_last_by_exact_steps),
        cmocka_unit_test(a_last_value_that_is_not_met_is_not_passed),
        cmocka_unit_test(an_axis_that_cannot_be_is_refused_in_words),
        cmocka_unit_test(an_axis_has_as_many_values_as_a_sweep_may),
        cmocka_unit_test(a_name_fits_or_is_refused),
        cmocka_unit_test(points_come_in_the_order_of_their_values_however_many_run_at_once),
        cmocka_unit_test(who_is_done_last_stands_where_its_value_is),
        cmocka_unit_test(a_point_that_fails_or_dies_is_told_with_how_and_the_others_go_on),
        cmocka_unit_test(more_points_than_a_sweep_may_have_are_refused),
        cmocka_unit_test(as_many_points_as_a_sweep_may_have_are_run),
        cmocka_unit_test(a_process_that_cannot_be_made_ends_the_sweep_and_its_children),
        cmocka_unit_test(children_die_with_their_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
