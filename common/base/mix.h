/* mix: the 64-bit finaliser the book hashes are made of, and random numbers from a seed.
 *
 * The constants are those of David Stafford's "Mix13" (2011), known as the finaliser of
 * SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
#ifndef OUTCRY_BASE_MIX_H
#define OUTCRY_BASE_MIX_H

#include <stdint.h>

static inline uint64_t mix(uint64_t z)
{
    z ^= z >> 30;
    z *= UINT64_C(0xBF58476D1CE4E5B9);
    z ^= z >> 27;
    z *= UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return z;
}

/* The next number of SplitMix64; *state: any value is a seed. */
static inline uint64_t mix_next(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    return mix(*state);
}

#endif
