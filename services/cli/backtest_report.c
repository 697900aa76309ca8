#include "cli/backtest_report.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

enum { DIRECTORY_MODE = 0777 };

static bool on_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

static bool failed(const char *path)
{
    fprintf(stderr, "outcry backtest: %s: %s\n", path, strerror(errno));
    return false;
}

/* NULL: it cannot be opened, which was said. */
static FILE *open_file(const char *path)
{
    FILE *file = on_stdout(path) ? stdout : fopen(path, "we");
    if (file == NULL)
        failed(path);
    return file;
}

static bool close_file(FILE *file, const char *path, enum status status)
{
    bool fine = status == STATUS_OK && fflush(file) == 0 && ferror(file) == 0;
    int error = errno;
    if (file != stdout && fclose(file) != 0 && fine) {
        fine = false;
        error = errno;
    }
    errno = error;
    return fine || failed(path);
}

static bool make_directory(const char *path)
{
    return mkdir(path, DIRECTORY_MODE) == 0 || errno == EEXIST || failed(path);
}

/* ---- of a run ---- */

static bool write_json(const char *path, const struct report_run *run, result_log_t *const *logs,
                       const struct result_figures *const *figures, unsigned count)
{
    FILE *file = open_file(path);
    return file != NULL && close_file(file, path, report_json(file, run, logs, figures, count));
}

static bool write_html(const char *path, const struct report_run *run, result_log_t *const *logs,
                       const struct result_figures *const *figures, unsigned count)
{
    FILE *file = open_file(path);
    return file != NULL && close_file(file, path, report_html(file, run, logs, figures, count));
}

bool backtest_report(const struct backtest_options *o, const struct report_run *run,
                     result_log_t *const *logs, const struct result_figures *const *figures,
                     unsigned count)
{
    bool fine = true;
    for (unsigned i = 0; !on_stdout(o->json) && i < count; i++) {
        if (count > 1)
            printf("%s[%s]\n", i > 0 ? "\n" : "", figures[i]->spec->name);
        report_terminal(stdout, run, figures[i]);
    }
    if (o->json != NULL)
        fine &= write_json(o->json, run, logs, figures, count);
    if (o->csv != NULL)
        fine &= make_directory(o->csv) &&
                (report_csv(o->csv, logs, figures, count) == STATUS_OK || failed(o->csv));
    if (o->html != NULL)
        fine &= write_html(o->html, run, logs, figures, count);
    return fine;
}

/* ---- of a sweep ---- */

bool backtest_report_sweep(const struct backtest_options *o, const struct report_run *run,
                           const struct report_point *points, unsigned count)
{
    bool fine = true;
    FILE *file;
    if (!on_stdout(o->json))
        report_sweep_terminal(stdout, points, count);
    if (o->json != NULL)
        fine &= (file = open_file(o->json)) != NULL &&
                close_file(file, o->json, report_sweep_json(file, points, count));
    if (o->html != NULL)
        fine &=
            (file = open_file(o->html)) != NULL &&
            close_file(file, o->html, report_sweep_html(file, run, o->axes[0].name, points, count));
    return fine;
}

/* ---- words ---- */

static void put_ms(char *text, size_t size, uint64_t ns)
{
    char decimal[DECIMAL_TEXT_SIZE];
    const struct decimal_unit nanosecond = {1, 6};
    size_t digits = decimal_from_units(decimal, (int64_t)ns, &nanosecond);
    while (decimal[digits - 1] == '0')
        digits--;
    digits -= decimal[digits - 1] == '.';
    snprintf(text, size, "%.*s ms", (int)digits, decimal);
}

void backtest_report_latency(const struct backtest_options *o, char *text, size_t size)
{
    char order[DECIMAL_TEXT_SIZE], data[DECIMAL_TEXT_SIZE];
    put_ms(order, sizeof order, o->order_latency.constant_ns);
    put_ms(data, sizeof data, o->data_latency.constant_ns);
    if (o->latency_file != NULL)
        snprintf(text, size, "drawn from the %zu of %s, both ways", o->sample_count,
                 o->latency_file);
    else if (o->order_latency.constant_ns == 0 && o->data_latency.constant_ns == 0)
        snprintf(text, size, "none");
    else
        snprintf(text, size, "orders %s, data %s", order, data);
}

void backtest_report_refused(FILE *out, const strategy_host_t *host, unsigned strategy)
{
    static const char *const words[] = {
        [OWN_REFUSED_POSITION] = "position_max",
        [OWN_REFUSED_ORDER_SIZE] = "order_max",
        [OWN_REFUSED_RATE] = "messages_per_second",
        [OWN_REFUSED_WORKING] = "too many orders at once",
        [OWN_REFUSED_STOPPING] = "it was stopping",
        [OWN_REFUSED_BOOK] = "the book was not known",
    };
    struct strategy_standing standing = strategy_host_standing(host, strategy);
    for (unsigned i = 1; i < sizeof words / sizeof words[0]; i++) {
        if (standing.refused[i] > 0)
            fprintf(out, "refused  %llu by %s: %s\n", (unsigned long long)standing.refused[i],
                    strategy_host_spec(host, strategy)->name, words[i]);
    }
}
