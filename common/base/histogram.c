#include "base/histogram.h"

/* Values below 64 have a bucket each; above, the 6 bits after the leading one choose. */
static unsigned bucket_of(uint64_t value)
{
    if (value < (UINT64_C(1) << HISTOGRAM_LINEAR_BITS))
        return (unsigned)value;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(value);
    unsigned shift = exponent - HISTOGRAM_LINEAR_BITS;
    unsigned linear = (unsigned)(value >> shift) & ((1u << HISTOGRAM_LINEAR_BITS) - 1);
    return ((shift + 1) << HISTOGRAM_LINEAR_BITS) + linear;
}

/* The largest value of a bucket. */
static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < (1u << HISTOGRAM_LINEAR_BITS))
        return bucket;
    unsigned shift = (bucket >> HISTOGRAM_LINEAR_BITS) - 1;
    uint64_t linear =
        (1u << HISTOGRAM_LINEAR_BITS) + (bucket & ((1u << HISTOGRAM_LINEAR_BITS) - 1));
    return (linear << shift) + ((UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *h, uint64_t value)
{
    h->count++;
    h->buckets[bucket_of(value)]++;
    if (value > h->max)
        h->max = value;
}

uint64_t histogram_percentile(const struct histogram *h, double share)
{
    double exact = (double)h->count * share;
    uint64_t wanted = (uint64_t)exact;
    uint64_t seen = 0;
    /* Half of three values is two of them; what is less than a billionth off is rounding. */
    if (wanted < 1 || exact - (double)wanted > exact * 1e-9)
        wanted++;
    for (unsigned b = 0; b < HISTOGRAM_BUCKET_COUNT; b++) {
        seen += h->buckets[b];
        if (seen >= wanted && h->buckets[b] > 0)
            return bucket_top(b) < h->max ? bucket_top(b) : h->max;
    }
    return h->max;
}
