/* counts: structs of counts, as steps keep them, copied into series: one row a number.
 *
 * A step counts in plain numbers; about once a second its driver copies them here, where another
 * thread may read them. Thread: the driver's. */
#ifndef OUTCRY_NODE_COUNTS_H
#define OUTCRY_NODE_COUNTS_H

#include "node/metrics_table.h"

enum { COUNTS_MAX = 24 };

struct counts_row {
    enum metric_number family;
    size_t offset; /* of a uint64_t */
};

struct counts {
    const struct counts_row *rows;
    unsigned row_count;
    metric_t *series[COUNTS_MAX];
};

/* Make the series of these rows, all with these label values; of a family with fewer labels the
 * others are passed over. KEEPS rows. */
void counts_init(struct counts *c, metrics_t *metrics, const struct counts_row *rows,
                 unsigned row_count, const char *label, const char *second_label);

/* Copy the numbers of the struct the rows are about. */
void counts_set(const struct counts *c, const void *numbers);

/* The rows of struct publisher_counts (labels: output), and of struct subscriber_counts (stream,
 * shard). */
void counts_of_publisher(struct counts *c, metrics_t *metrics, const char *output);
void counts_of_subscriber(struct counts *c, metrics_t *metrics, const char *stream,
                          const char *shard);

#endif
