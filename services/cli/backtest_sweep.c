#include "cli/backtest_sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/backtest_report.h"
#include "cli/backtest_specs.h"
#include "cli/progress.h"

struct swept {
    const struct backtest_options *o;
    const struct cluster_symbol *symbol;
    const struct backtest_run_options *run;
    struct strategy_spec *spec; /* with the first values: what all points have besides */
    struct strategy_spec *point_spec;
    struct backtest_run point;
    struct progress progress;
};

/* In a process of its own, which ends when the figures have gone home: nothing is taken down, for
 * they point into it. */
static bool run_point(void *self, const char *const *values, struct result_figures *figures,
                      char words[SWEEP_ERROR_SIZE])
{
    struct swept *s = self;
    char error[STRATEGY_SPEC_ERROR_SIZE];
    if (!backtest_specs_one(s->point_spec, s->o, s->symbol, values, error)) {
        snprintf(words, SWEEP_ERROR_SIZE, "%.*s", SWEEP_ERROR_SIZE - 1, error);
        return false;
    }
    struct backtest_run_options options = *s->run;
    options.specs = s->point_spec;
    options.count = 1;
    options.progress = false;
    backtest_run(&s->point, &options);
    *figures = *s->point.logs.figures[0];
    return true;
}

static void on_progress(void *self, unsigned done, unsigned count)
{
    struct swept *s = self;
    if (done == 0 || s->progress.what == NULL)
        progress_begin(&s->progress, "sweep", count);
    progress_at(&s->progress, done);
}

/* The values of the n-th point: the last axis changes first. */
static void values_of(const struct backtest_options *o, unsigned n, const char **values)
{
    for (unsigned axis = o->axis_count; axis-- > 0; n /= o->axes[axis].count)
        values[axis] = o->axes[axis].values[n % o->axes[axis].count];
}

static uint64_t point_count(const struct backtest_options *o)
{
    uint64_t count = 1;
    for (unsigned axis = 0; axis < o->axis_count; axis++)
        count *= o->axes[axis].count; /* at most 2^48 */
    return count;
}

/* What no point may be is a mistake in what was asked, and said before any runs. */
static bool check_points(struct swept *s)
{
    char error[STRATEGY_SPEC_ERROR_SIZE];
    const char *values[SWEEP_AXES_MAX];
    uint64_t count = point_count(s->o);
    if (count > SWEEP_POINTS_MAX) {
        fprintf(stderr, "outcry backtest: --sweep: found %llu points, expected at most %d\n",
                (unsigned long long)count, SWEEP_POINTS_MAX);
        return false;
    }
    for (unsigned n = (unsigned)count; n-- > 0;) {
        values_of(s->o, n, values);
        if (!backtest_specs_one(s->spec, s->o, s->symbol, values, error)) {
            fprintf(stderr, "outcry backtest: --sweep: %s\n", error);
            return false;
        }
    }
    return true;
}

static unsigned failures(const struct report_point *points, unsigned count)
{
    unsigned failed = 0;
    for (unsigned i = 0; i < count; i++)
        failed += points[i].figures.spec == NULL;
    return failed;
}

static int sweep(struct swept *s, struct report_run *about)
{
    char error[SWEEP_ERROR_SIZE];
    struct report_point *points = NULL;
    unsigned count = 0;
    struct sweep_options options = {
        .axes = s->o->axes,
        .axis_count = s->o->axis_count,
        .at_once = s->o->jobs,
        .run = run_point,
        .progress = on_progress,
        .self = s,
        .spec = s->spec,
    };
    uint64_t start_ns = clock_monotonic_ns();
    fflush(stdout); /* or each process has what is still in its buffer */
    enum status status = sweep_run(&options, &points, &count, error);
    progress_end(&s->progress);
    if (status != STATUS_OK) {
        fprintf(stderr, "outcry backtest: %s\n", error);
        return EXIT_FAILURE;
    }
    about->seconds = (double)(clock_monotonic_ns() - start_ns) / (double)NS_PER_SECOND;
    unsigned failed = failures(points, count);
    bool fine = backtest_report_sweep(s->o, about, points, count);
    sweep_free(&points, count);
    if (failed > 0)
        fprintf(stderr, "outcry backtest: %u of %u points failed\n", failed, count);
    return fine && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int backtest_sweep(const struct backtest_options *o, const struct cluster_symbol *symbol,
                   const struct backtest_run_options *run, struct report_run *about)
{
    struct swept s = {.o = o, .symbol = symbol, .run = run};
    s.spec = memory_new(2, sizeof *s.spec, "strategies");
    s.point_spec = s.spec + 1;
    int status = check_points(&s) ? sweep(&s, about) : 2;
    memory_free(s.spec, 2, sizeof *s.spec);
    return status;
}
