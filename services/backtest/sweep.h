/* sweep: the same back-test with many values of parameters, at once: a process a point, forked when
 * the recording is in memory, so that all share it; as many at a time as there are processors.
 * Points come back in the order of their values, whichever is done first, so what is said of a
 * sweep does not depend on how many ran at a time. */
#ifndef OUTCRY_BACKTEST_SWEEP_H
#define OUTCRY_BACKTEST_SWEEP_H

#include "backtest/report.h"
#include "backtest/venue.h"

enum {
    SWEEP_POINTS_MAX = 4096,
    SWEEP_AXES_MAX = 4,
    SWEEP_ERROR_SIZE = 512,
    SWEEP_VALUE_SIZE = 32,
};

/* `name=first:last:step`, decimals, exact: first, first + step, ... up to last. */
struct sweep_axis {
    char name[64];
    unsigned count;
    char values[SWEEP_POINTS_MAX][SWEEP_VALUE_SIZE]; /* decimals, as they would be typed */
};

/* False, with error: what was found and expected. */
bool sweep_axis_read(struct sweep_axis *a, const char *text, char error[SWEEP_ERROR_SIZE]);

struct sweep_options {
    const struct sweep_axis *axes;
    unsigned axis_count;
    unsigned at_once; /* processes; 0: as many as processors are ours */
    /* In the process of a point: run it, with the value of each axis; false: words say why not.
     * figures go back to us as they are, their texts (spec aside) with them. */
    bool (*run)(void *self, const char *const *values, struct result_figures *figures,
                char words[SWEEP_ERROR_SIZE]);
    /* Here: so many are done. */
    void (*progress)(void *self, unsigned done, unsigned count);
    void *self;
    const struct strategy_spec *spec; /* figures->spec of every point that came back */
};

/* All of them; *points is the caller's to free with sweep_free. Errors: STATUS_IO  a process could
 * not be made; STATUS_INVALID  more than SWEEP_POINTS_MAX. A point whose process died is told as
 * failed, with how. */
enum status sweep_run(const struct sweep_options *o, struct report_point **points, unsigned *count,
                      char error[SWEEP_ERROR_SIZE]);
void sweep_free(struct report_point **points, unsigned count);

#endif
