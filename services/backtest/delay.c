#include "backtest/delay.h"

#include "base/mix.h"

void delay_init(struct delay *d, const struct latency *latency, uint64_t seed)
{
    *d = (struct delay){.latency = *latency, .random = seed};
}

static bool drawn(const struct delay *d)
{
    return d->latency.samples_ns != NULL && d->latency.sample_count > 0;
}

bool delay_none(const struct delay *d)
{
    return !drawn(d) && d->latency.constant_ns == 0;
}

/* One of the samples: the high half of a product is even enough over so few of them. */
static uint64_t draw(struct delay *d)
{
    uwide_t place = (uwide_t)mix_next(&d->random) * d->latency.sample_count;
    return d->latency.samples_ns[(size_t)(place >> 64)];
}

uint64_t delay_arrival_ns(struct delay *d, uint64_t now_ns)
{
    uint64_t arrival_ns;
    uint64_t latency_ns = drawn(d) ? draw(d) : d->latency.constant_ns;
    if (__builtin_add_overflow(now_ns, latency_ns, &arrival_ns) || arrival_ns == UINT64_MAX)
        arrival_ns = UINT64_MAX - 1; /* as late as can be, but not never */
    if (arrival_ns > d->last_ns)
        d->last_ns = arrival_ns;
    return d->last_ns;
}
