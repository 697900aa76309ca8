/* metrics: what a process counts and measures, told in Prometheus' text form.
 *
 *     metrics_t *m = metrics_new(families, FAMILY_COUNT);           families: rows of one table
 *     metric_t *n = metrics_series(m, FAMILY_COMMANDS, "0");        one value for each label
 *     metric_add(n, 5);
 *     # HELP outcry_commands_total commands sequenced
 *     # TYPE outcry_commands_total counter
 *     outcry_commands_total{shard="0"} 5
 *
 * All memory is taken at start; from then on counting is one relaxed atomic operation (a histogram:
 * two), which steps may do. Whoever reads sees each number whole, not all of one moment.
 *
 * Times are given in ns and told in seconds, as Prometheus has it. A histogram's buckets are fixed:
 * times 1-2.5-5 from 10 us to 10 s, sizes powers of two from 1 to 65,536.
 *
 * Where nothing is to be counted, as in tests and tools, there is no metrics_t: series of NULL are
 * NULL, and counting with NULL does nothing. Thread: any. */
#ifndef OUTCRY_BASE_METRICS_H
#define OUTCRY_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_GAUGE_SECONDS, /* given in ns */
    METRIC_SECONDS,       /* a histogram of times, given in ns */
    METRIC_SIZES,         /* a histogram of counts */
};

enum {
    METRIC_LABELS_MAX = 3,
    METRIC_LABEL_SIZE = 64,
    METRIC_SERIES_MAX = 16384, /* a strategy of 1,024 symbols has 6,200 */
};

struct metric_family {
    const char *name; /* base unit last, `_total` for counters */
    enum metric_type type;
    const char *labels; /* their names, with commas between them; "" for none */
    const char *help;
};

typedef struct metrics metrics_t;
typedef struct metric metric_t;

/* KEEPS families. */
metrics_t *metrics_new(const struct metric_family *families, unsigned family_count);
void metrics_destroy(metrics_t **m);

/* The series of these label values, as many texts as the family has labels, each of less than
 * METRIC_LABEL_SIZE bytes; made if there is none yet. Good for the life of m. Cost: a lock, and a
 * look-up by name: not for every count of a step. */
metric_t *metrics_series(metrics_t *m, unsigned family, ...);

/* Count; or, of a gauge, set. What a counter is set to is counted elsewhere, and only grows. */
void metric_add(metric_t *m, uint64_t more);
void metric_set(metric_t *m, uint64_t value);

/* Take a value into a histogram. */
void metric_observe(metric_t *m, uint64_t value);

/* All series in the order of their families, those of a family in the order they were made; a
 * family without series is left out. The bytes they take, without a NUL; if that is more than size,
 * nothing of use is in text: try again with room. */
size_t metrics_write(const metrics_t *m, char *text, size_t size);

/* The type as Prometheus calls it. */
const char *metric_type_name(enum metric_type type);

#endif
