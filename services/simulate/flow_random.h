/* flow_random: seeded randomness in the shapes that a flow of orders takes.
 *
 * The same on every machine: SplitMix64 (base/mix.h), and of floating point only what IEEE 754
 * rounds exactly, so the logarithm and the exponential are our own and not a libm's, whose last
 * digit differs from one to the next. Thread: owner only. */
#ifndef OUTCRY_SIMULATE_FLOW_RANDOM_H
#define OUTCRY_SIMULATE_FLOW_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mix.h"
#include "simulate/flow_shapes.h"

struct flow_random {
    uint64_t state; /* any value is a seed */
};

static inline uint64_t flow_random_bits(struct flow_random *r)
{
    return mix_next(&r->state);
}

/* Above 0 and below 1. */
static inline double flow_random_uniform(struct flow_random *r)
{
    return ((double)(flow_random_bits(r) >> 12) + 0.5) * 0x1p-52;
}

static inline bool flow_random_chance(struct flow_random *r, double probability)
{
    return flow_random_uniform(r) < probability;
}

/* 0..count-1; even but for one part in 2^32 / count. */
static inline uint32_t flow_random_below(struct flow_random *r, uint32_t count)
{
    return (uint32_t)((flow_random_bits(r) >> 32) * count >> 32);
}

/* With mean 1. */
double flow_random_exponential(struct flow_random *r);

/* Mean 0, variance 1, and never beyond 3.5: the sum of four uniform numbers. Steps of a walk are
 * drawn with it, whose sums are normal soon enough. */
double flow_random_step(struct flow_random *r);

/* By its quantiles. */
double flow_random_quantile(struct flow_random *r, const double table[FLOW_TABLE + 1]);

/* e^x for x <= 0, and ln x for x > 0; within 1e-14. */
double flow_exp(double x);
double flow_log(double x);

#endif
