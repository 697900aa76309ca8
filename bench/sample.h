/* sample: the statistics all benches share, and the one way in which they report.
 *
 * A bench adds one figure per run to a struct sample, puts it into a row beside the floor's runs
 * of the same session, and hands the row to a report, which writes it as JSON and as a line of a
 * table. The figure of a row is the median of its runs: these machines are shared, and single runs
 * move by a factor of two. Compare the ratio, and let ours and the floor take turns run by run.
 *
 *     [{"bench":"engine","case":"A_1k","ours":21.4,"floor":64.7,"ratio":0.3308,"unit":"M/s",
 *       "p50":null,"p99":null,"p999":null,"rate":null,"runs":[21.1,21.4,21.9]}]
 *
 * Absent numbers (no floor, no percentiles) are NAN here and null in JSON. */
#ifndef OUTCRY_BENCH_SAMPLE_H
#define OUTCRY_BENCH_SAMPLE_H

#include <math.h> /* NAN */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    SAMPLE_RUNS_MAX = 64,
};

struct sample {
    double runs[SAMPLE_RUNS_MAX]; /* in the order they were made */
    uint32_t run_count;
};

/* Which way is better: decides how the ratio is formed. */
enum sample_kind {
    SAMPLE_RATE, /* more is better: ratio = ours / floor */
    SAMPLE_TIME, /* less is better: ratio = floor / ours */
};

/* One row of the report. Start from SAMPLE_ROW_EMPTY, so that what is not measured is absent. */
struct sample_row {
    const char *bench;
    const char *name; /* "case" in JSON */
    const char *unit; /* of ours and floor, and for SAMPLE_TIME of the percentiles too */
    enum sample_kind kind;
    struct sample ours;
    struct sample floor; /* no runs: no floor */
    double p50;          /* percentiles of single operations: of the engine in ns, of the edge in */
    double p99;          /* us; NAN: not measured */
    double p999;
    double rate; /* operations a second at which they were taken; NAN: as fast as it goes */
};

#define SAMPLE_ROW_EMPTY ((struct sample_row){.p50 = NAN, .p99 = NAN, .p999 = NAN, .rate = NAN})

/* Add one run. A sample that is full ignores it. */
void sample_add(struct sample *sample, double value);

/* Over the runs so far; NAN if there are none. The median of an even number is the mean of the two
 * in the middle. */
double sample_median(const struct sample *sample);
double sample_min(const struct sample *sample);
double sample_max(const struct sample *sample);

/* The ratio of the medians by the row's kind, so that more is better; NAN without a floor. */
double sample_ratio(const struct sample_row *row);

struct sample_report {
    FILE *json;
    FILE *table;
    uint32_t row_count;
};

/* Begin a report.
 *
 * KEEPS json, table: open until sample_report_close() has returned, never closed here. Either may
 * be NULL: then that half is not written. `table` is stderr in the benches. */
void sample_report_open(struct sample_report *report, FILE *json, FILE *table);

/* Write one row to both. Flushed, so that a long bench shows where it is.
 *
 * BORROWS row. */
void sample_report_row(struct sample_report *report, const struct sample_row *row);

/* End the JSON array.
 *
 * Errors: false  something could not be written to `json`. */
bool sample_report_close(struct sample_report *report);

/* A whole report: on stderr, and into the file of this name if it is not NULL, opened before
 * anything is measured. `run` writes the rows; false is its own failure.
 *
 * BORROWS json_path, self.
 * Errors: false  run has failed, or the file cannot be written: that is told on stderr. */
bool sample_report_write(const char *json_path,
                         bool (*run)(const void *self, struct sample_report *report),
                         const void *self);

#endif
