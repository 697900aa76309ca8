#include "edge.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

struct sample_row edge_row(const char *bench, const char *name, const char *unit,
                           enum sample_kind kind)
{
    struct sample_row row = SAMPLE_ROW_EMPTY;
    row.bench = bench;
    row.name = name;
    row.unit = unit;
    row.kind = kind;
    return row;
}

void edge_row_done(struct edge *e, const struct sample_row *row)
{
    CHECK(e->row_count < EDGE_ROWS_MAX);
    edge_say_nothing();
    e->rows[e->row_count++] = *row;
    sample_report_row(e->report, row);
}

void edge_row_percentiles(struct sample_row *row, const struct histogram *latencies)
{
    const double us = (double)NS_PER_US;
    if (latencies->count > 0) {
        row->p50 = (double)histogram_percentile(latencies, 0.5) / us;
        row->p99 = (double)histogram_percentile(latencies, 0.99) / us;
        row->p999 = (double)histogram_percentile(latencies, 0.999) / us;
    }
}

const struct sample_row *edge_row_find(const struct edge *e, const char *bench, const char *name)
{
    for (unsigned index = 0; index < e->row_count; index++) {
        const struct sample_row *row = &e->rows[index];
        if (strcmp(row->bench, bench) == 0 && strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

void edge_fail(struct edge *e, const char *name, const char *words)
{
    edge_say_nothing();
    fprintf(stderr, "outcry bench: %s: %s\n", name, words);
    e->failed = true;
}

static bool on_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void edge_say(const char *bench, const char *name, unsigned run, unsigned run_count)
{
    if (on_terminal()) {
        fprintf(stderr, "\r\033[K%s: %s, run %u of %u ", bench, name, run + 1, run_count);
        fflush(stderr);
    }
}

void edge_say_nothing(void)
{
    if (on_terminal()) {
        fputs("\r\033[K", stderr);
    }
}
