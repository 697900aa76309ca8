#include "cli/backtest_run.h"

#include "base/clock.h"
#include "cli/progress.h"

enum { STEPS_AT_ONCE = 4096 }; /* between two looks at the bar */

static void run(struct backtest_run *r, const struct backtest_run_options *o)
{
    struct progress progress = {.shown = false};
    if (o->progress)
        progress_begin(&progress, "run", recording_count(o->venue.recording));
    while (venue_run(r->venue, STEPS_AT_ONCE) == STEPS_AT_ONCE) {
        struct venue_counts counts = venue_counts(r->venue);
        if (o->progress)
            progress_at(&progress, counts.recorded + counts.left_out);
    }
    progress_end(&progress);
}

void backtest_run(struct backtest_run *r, const struct backtest_run_options *o)
{
    *r = (struct backtest_run){.venue = NULL};
    backtest_logs_init(&r->logs, o->specs, o->count, &o->result);
    struct strategy_host_owner owner = backtest_logs_owner(&r->logs);
    r->venue = venue_new(&o->venue, &owner, o->specs, o->count);
    backtest_logs_attach(&r->logs, venue_host(r->venue));
    uint64_t start_ns = clock_monotonic_ns();
    run(r, o);
    r->seconds = (double)(clock_monotonic_ns() - start_ns) / (double)NS_PER_SECOND;
    r->counts = venue_counts(r->venue);
    backtest_logs_finish(&r->logs);
}

void backtest_run_close(struct backtest_run *r)
{
    backtest_logs_close(&r->logs);
    venue_destroy(&r->venue);
}
