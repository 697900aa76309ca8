/* random: numbers that depend on a seed and nothing else (SplitMix64). */
#ifndef OUTCRY_FUZZ_RANDOM_H
#define OUTCRY_FUZZ_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mix.h"

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
    return mix_next(&r->state);
}

/* 0..count-1; count >= 1. */
static inline uint64_t random_below(struct random *r, uint64_t count)
{
    return random_next(r) % count;
}

/* True once in `times` on average. */
static inline bool random_once_in(struct random *r, uint64_t times)
{
    return random_below(r, times) == 0;
}

/* One of the elements of an array. */
#define RANDOM_OF(r, array) ((array)[random_below((r), sizeof(array) / sizeof((array)[0]))])

#endif
