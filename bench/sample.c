/* Statistics and reports of the benches.
 *
 * The ratio is formed from the two medians that stand beside it, not from the median of the ratios
 * of single runs: a reader can check it, and with runs made in turn both come out alike.
 *
 * Numbers are written with six significant digits, which is more than any run can tell apart, and
 * always with a point: no bench sets a locale. */
#include "sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int double_compare(const void *a, const void *b);
static void json_string(FILE *json, const char *key, const char *text);
static void json_number(FILE *json, const char *key, double value);
static void table_number(FILE *table, int width, int digits, double value);

void sample_add(struct sample *sample, double value)
{
    if (sample->run_count < SAMPLE_RUNS_MAX) {
        sample->runs[sample->run_count++] = value;
    }
}

double sample_median(const struct sample *sample)
{
    uint32_t count = sample->run_count;
    if (count == 0) {
        return NAN;
    }
    double sorted[SAMPLE_RUNS_MAX];
    memcpy(sorted, sample->runs, count * sizeof sorted[0]);
    qsort(sorted, count, sizeof sorted[0], double_compare);
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

double sample_min(const struct sample *sample)
{
    double least = sample->run_count > 0 ? sample->runs[0] : NAN;
    for (uint32_t index = 1; index < sample->run_count; index++) {
        least = sample->runs[index] < least ? sample->runs[index] : least;
    }
    return least;
}

double sample_max(const struct sample *sample)
{
    double most = sample->run_count > 0 ? sample->runs[0] : NAN;
    for (uint32_t index = 1; index < sample->run_count; index++) {
        most = sample->runs[index] > most ? sample->runs[index] : most;
    }
    return most;
}

double sample_ratio(const struct sample_row *row)
{
    double ours = sample_median(&row->ours);
    double floor_median = sample_median(&row->floor);
    return row->kind == SAMPLE_RATE ? ours / floor_median : floor_median / ours;
}

void sample_report_open(struct sample_report *report, FILE *json, FILE *table)
{
    *report = (struct sample_report){.json = json, .table = table};
    if (json) {
        fputs("[", json);
    }
    if (table) {
        fprintf(table, "%-10s %-33s %10s %10s %10s %10s %7s %-6s %8s %8s %8s %5s\n", "bench",
                "case", "ours", "min", "max", "floor", "ratio", "unit", "p50", "p99", "p99.9",
                "runs");
    }
}

static void report_json(FILE *json, const struct sample_row *row, bool first)
{
    fputs(first ? "\n{" : ",\n{", json);
    json_string(json, "bench", row->bench);
    json_string(json, "case", row->name);
    json_number(json, "ours", sample_median(&row->ours));
    json_number(json, "floor", sample_median(&row->floor));
    json_number(json, "ratio", sample_ratio(row));
    json_string(json, "unit", row->unit);
    json_number(json, "p50", row->p50);
    json_number(json, "p99", row->p99);
    json_number(json, "p999", row->p999);
    json_number(json, "rate", row->rate);
    fputs("\"runs\":[", json);
    for (uint32_t index = 0; index < row->ours.run_count; index++) {
        json_number(json, NULL, row->ours.runs[index]);
        fputs(index + 1 < row->ours.run_count ? "," : "", json);
    }
    fputs("]}", json);
    fflush(json);
}

static void report_table(FILE *table, const struct sample_row *row)
{
    fprintf(table, "%-10s %-33s", row->bench, row->name);
    table_number(table, 10, 3, sample_median(&row->ours));
    table_number(table, 10, 3, sample_min(&row->ours));
    table_number(table, 10, 3, sample_max(&row->ours));
    table_number(table, 10, 3, sample_median(&row->floor));
    table_number(table, 7, 3, sample_ratio(row));
    fprintf(table, " %-6s", row->unit);
    table_number(table, 8, 1, row->p50);
    table_number(table, 8, 1, row->p99);
    table_number(table, 8, 1, row->p999);
    fprintf(table, " %5u\n", row->ours.run_count);
    fflush(table);
}

void sample_report_row(struct sample_report *report, const struct sample_row *row)
{
    if (report->json) {
        report_json(report->json, row, report->row_count == 0);
    }
    if (report->table) {
        report_table(report->table, row);
    }
    report->row_count++;
}

bool sample_report_close(struct sample_report *report)
{
    if (!report->json) {
        return true;
    }
    fputs("\n]\n", report->json);
    return fflush(report->json) == 0 && !ferror(report->json);
}

bool sample_report_write(const char *json_path,
                         bool (*run)(const void *self, struct sample_report *report),
                         const void *self)
{
    struct sample_report report;
    FILE *json = json_path ? fopen(json_path, "w") : NULL;
    bool written = !json_path || json;
    bool good = false;
    if (written) {
        sample_report_open(&report, json, stderr);
        good = run(self, &report);
        written = sample_report_close(&report);
    }
    written = (!json || fclose(json) == 0) && written;
    if (!written) {
        fprintf(stderr, "outcry bench: %s: %s\n", json_path, strerror(errno));
    }
    return good && written;
}

static int double_compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The names are the benches' own, so quotes and backslashes are all that could need care. */
static void json_string(FILE *json, const char *key, const char *text)
{
    fprintf(json, "\"%s\":\"", key);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', json);
        }
        fputc(*text, json);
    }
    fputs("\",", json);
}

/* With a key and a comma behind, or bare. What is not finite is null: JSON has no other word. */
static void json_number(FILE *json, const char *key, double value)
{
    if (key) {
        fprintf(json, "\"%s\":", key);
    }
    if (isfinite(value)) {
        fprintf(json, "%.6g", value);
    } else {
        fputs("null", json);
    }
    fputs(key ? "," : "", json);
}

static void table_number(FILE *table, int width, int digits, double value)
{
    if (isfinite(value)) {
        fprintf(table, " %*.*f", width, digits, value);
    } else {
        fprintf(table, " %*s", width, "-");
    }
}
