/* histogram: counts of times, to be asked for percentiles. Log-linear: 64 buckets to each power
 * of two, so a value is known to 1.6% of itself. Plain data: zero it to begin. One thread. */
#ifndef OUTCRY_BASE_HISTOGRAM_H
#define OUTCRY_BASE_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_LINEAR_BITS = 6,
    HISTOGRAM_BUCKET_COUNT = (64 - HISTOGRAM_LINEAR_BITS + 1) << HISTOGRAM_LINEAR_BITS,
};

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKET_COUNT];
};

void histogram_add(struct histogram *h, uint64_t value);

/* The value that `share` (0.0 to 1.0) of the values do not exceed, within one bucket; 0 if
 * nothing was added. */
uint64_t histogram_percentile(const struct histogram *h, double share);

#endif
