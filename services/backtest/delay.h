/* delay: one way between a strategy and the exchange: when something sent on it arrives. Nothing
 * overtakes what went before it. Deterministic: samples are drawn by a seed. */
#ifndef OUTCRY_BACKTEST_DELAY_H
#define OUTCRY_BACKTEST_DELAY_H

#include "backtest/venue.h"

struct delay {
    struct latency latency;
    uint64_t random;  /* SplitMix64's state */
    uint64_t last_ns; /* when the last one arrives */
};

void delay_init(struct delay *d, const struct latency *latency, uint64_t seed);

/* It takes no time, ever. */
bool delay_none(const struct delay *d);

/* When what is sent now arrives. */
uint64_t delay_arrival_ns(struct delay *d, uint64_t now_ns);

#endif
