/* twap: time-weighted average price: the same quantity in each slice of time, so that what it pays
 * is near the mean of the prices over its duration. The slices are schedule.h's, equal; how one is
 * worked is slicer.h's and parent.h's. It is the usual benchmark execution where nothing is known
 * of the volume to come (e.g. R. Kissell, The Science of Algorithmic Trading and Portfolio
 * Management, 2013):
 *
 *     slice i of n, Q lots: Q / n, and a lot more for i < Q mod n
 *
 * It ends filled, or says what it did not get and why. */
#ifndef OUTCRY_STRATEGY_TWAP_H
#define OUTCRY_STRATEGY_TWAP_H

#include "strategy/slicer.h"
#include "strategy/strategies.h"

struct twap {
    struct slicer slicer; /* first: its callbacks are the strategy's */
};

#endif
