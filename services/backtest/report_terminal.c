/* report_terminal: a run's figures in columns, for who just ran it. */
#include "backtest/report_parts.h"

#include <inttypes.h>
#include <stdlib.h>

static void put_run(FILE *out, const struct report_run *run, const struct result_figures *f)
{
    char begin[REPORT_TEXT_SIZE], end[REPORT_TEXT_SIZE];
    report_time_shown(begin, f->begin_ns);
    report_time_shown(end, f->end_ns);
    fputs("history  ", out);
    report_put_plain(out, run->history);
    fprintf(out, " (%s)\nmode     %s; latency %s; seed %s\n", run->form, run->mode, run->latency,
            run->seed);
    fprintf(out, "time     %s to %s UTC\n", begin, end);
    fprintf(out, "events   %" PRIu64 " in %.2f s", run->events, run->seconds);
    if (run->seconds > 0)
        fprintf(out, ", %.0f a second", (double)run->events / run->seconds);
    fprintf(out,
            "\n         recorded commands refused because of us: %" PRIu64
            "; lots recorded aggressors did not get: %s\n",
            run->recorded_refused, run->short_qty);
    if (f->ended[0] != '\0') {
        fputs("ended    ", out);
        report_put_plain(out, f->ended);
        putc('\n', out);
    }
}

void report_terminal(FILE *out, const struct report_run *run, const struct result_figures *f)
{
    char *headline = report_headline(f);
    fprintf(out, "%s\n\n", headline);
    free(headline);
    put_run(out, run, f);
    int group = -1;
    const struct report_figure *figure;
    for (unsigned i = 0; (figure = report_figure_at(i)) != NULL; i++) {
        if ((int)figure->group != group) {
            group = (int)figure->group;
            fprintf(out, "\n%s\n", report_group_name(figure->group));
        }
        struct report_value v = report_value(figure, f);
        fprintf(out, "  %-24s %20s\n", figure->label, v.shown);
    }
}
