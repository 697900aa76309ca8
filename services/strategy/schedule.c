#include "strategy/schedule.h"

#include "base/check.h"
#include "base/mix.h"

uint64_t schedule_boundary_ns(const struct schedule *s, uint32_t slice)
{
    return s->start_ns + (uint64_t)((uwide_t)s->duration_ns * slice / s->slices);
}

uint64_t schedule_begin_ns(const struct schedule *s, uint32_t slice)
{
    uint64_t begin = schedule_boundary_ns(s, slice);
    uint64_t time = schedule_boundary_ns(s, slice + 1) - begin;
    /* The slice's number stands for its place in SplitMix64's sequence. */
    uint64_t drawn = mix(s->seed + (slice + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15));
    double share = (double)(drawn >> 11) * 0x1p-53 * s->jitter;
    return begin + (uint64_t)(share * (double)time);
}

static int64_t due_equal(const struct schedule *s, uint32_t slices)
{
    int64_t remainder = s->quantity % s->slices;
    return s->quantity / s->slices * slices + (slices < remainder ? slices : remainder);
}

static double share_of(const struct schedule *s, uint32_t slices)
{
    uint64_t span = (uint64_t)((uwide_t)s->profile_span_ns * slices / s->slices);
    return profile_share(s->profile, s->profile_from_ns, span);
}

int64_t schedule_due(const struct schedule *s, uint32_t slices)
{
    CHECK(slices <= s->slices);
    if (s->profile == NULL)
        return due_equal(s, slices);
    if (slices == s->slices)
        return s->quantity;
    double lots = (double)s->quantity * (share_of(s, slices) / share_of(s, s->slices));
    return lots < (double)s->quantity ? (int64_t)lots : s->quantity;
}

int64_t schedule_quantity(const struct schedule *s, uint32_t slice, int64_t filled)
{
    int64_t before = schedule_due(s, slice), own = schedule_due(s, slice + 1) - before;
    int64_t missing = before - filled, to_come = s->quantity - before;
    if (s->catch_up == CATCH_UP_NONE)
        return own;
    if (s->catch_up == CATCH_UP_NEXT || to_come == 0)
        return own + missing;
    return own + (int64_t)(((wide_t)missing * own + to_come - 1) / to_come);
}
