/* schedule: how many lots are due when: a quantity cut into slices of equal time.
 *
 *     slice 0        slice 1        slice 2         n slices of duration / n each
 *     |..|-----------|.....|--------|.|-------->    each begins up to `jitter` of its time late,
 *      jitter                                       drawn from the seed and its number
 *
 * Equal: quantity / n each, the remainder a lot each on the first ones. Weighted: by a profile
 * (profile.h), quantity x (share up to the end of a slice) / (share of all), cut to a lot; what is
 * cut is in the next one.
 *
 * What slices before did not get (`short`) is caught up with as catch_up says:
 *     next     all of it in the next slice
 *     spread   over all that are left, in proportion to their own, rounded up
 *     none     not at all: it is never traded
 * Pure. */
#ifndef OUTCRY_STRATEGY_SCHEDULE_H
#define OUTCRY_STRATEGY_SCHEDULE_H

#include <stddef.h>

#include "base/decimal.h"
#include "strategy/profile.h"

enum { SCHEDULE_SLICES_MAX = 100000 };

enum catch_up { CATCH_UP_NEXT, CATCH_UP_SPREAD, CATCH_UP_NONE };

struct schedule {
    int64_t quantity;     /* lots */
    uint32_t slices;      /* 1..SCHEDULE_SLICES_MAX */
    uint64_t start_ns;    /* of slice 0 */
    uint64_t duration_ns; /* above 0, below 2^62 */
    double jitter;        /* 0..1, of a slice's time */
    uint64_t seed;        /* of the jitter */
    enum catch_up catch_up;
    const struct profile *profile; /* NULL: equal slices. KEPT */
    uint64_t profile_from_ns;      /* in the profile's time: where slice 0 begins there */
    uint64_t profile_span_ns;      /* and how long the schedule is there */
};

/* When a slice begins without its jitter, and ends: 0..slices. */
uint64_t schedule_boundary_ns(const struct schedule *s, uint32_t slice);
/* And with it. */
uint64_t schedule_begin_ns(const struct schedule *s, uint32_t slice);

/* Lots due when that many slices are over: 0..slices. */
int64_t schedule_due(const struct schedule *s, uint32_t slices);

/* Lots to do in this slice when so many have been filled before it. */
int64_t schedule_quantity(const struct schedule *s, uint32_t slice, int64_t filled);

#endif
