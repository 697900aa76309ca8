#include "node/counts.h"

#include "base/check.h"
#include "bus/publisher.h"
#include "bus/subscriber.h"

void counts_init(struct counts *c, metrics_t *metrics, const struct counts_row *rows,
                 unsigned row_count, const char *label, const char *second_label)
{
    CHECK(row_count <= COUNTS_MAX);
    c->rows = rows;
    c->row_count = row_count;
    for (unsigned i = 0; i < row_count; i++)
        c->series[i] = metrics_series(metrics, rows[i].family, label, second_label);
}

void counts_set(const struct counts *c, const void *numbers)
{
    for (unsigned i = 0; i < c->row_count; i++)
        metric_set(c->series[i], *(const uint64_t *)((const char *)numbers + c->rows[i].offset));
}

static const struct counts_row publisher_rows[] = {
    {FAMILY_PUBLISHER_FRAMES, offsetof(struct publisher_counts, frames)},
    {FAMILY_PUBLISHER_RESENDS, offsetof(struct publisher_counts, resends)},
    {FAMILY_PUBLISHER_SNAPSHOTS, offsetof(struct publisher_counts, snapshots)},
    {FAMILY_PUBLISHER_REFUSED, offsetof(struct publisher_counts, refused)},
    {FAMILY_PUBLISHER_GARBAGE, offsetof(struct publisher_counts, garbage)},
    {FAMILY_PUBLISHER_DROPPED, offsetof(struct publisher_counts, dropped)},
};

static const struct counts_row subscriber_rows[] = {
    {FAMILY_STREAM_FRAMES, offsetof(struct subscriber_counts, frames)},
    {FAMILY_STREAM_GAPS, offsetof(struct subscriber_counts, gaps)},
    {FAMILY_STREAM_RESENDS, offsetof(struct subscriber_counts, resends)},
    {FAMILY_STREAM_SNAPSHOTS, offsetof(struct subscriber_counts, snapshots)},
    {FAMILY_STREAM_REPEATS, offsetof(struct subscriber_counts, repeats)},
    {FAMILY_STREAM_FAULTS, offsetof(struct subscriber_counts, faults)},
    {FAMILY_STREAM_GARBAGE, offsetof(struct subscriber_counts, garbage)},
    {FAMILY_STREAM_OVERFLOWS, offsetof(struct subscriber_counts, overflows)},
};

#define ROWS(table) (table), sizeof(table) / sizeof(table)[0]

void counts_of_publisher(struct counts *c, metrics_t *metrics, const char *output)
{
    counts_init(c, metrics, ROWS(publisher_rows), output, NULL);
}

void counts_of_subscriber(struct counts *c, metrics_t *metrics, const char *stream,
                          const char *shard)
{
    counts_init(c, metrics, ROWS(subscriber_rows), stream, shard);
}
