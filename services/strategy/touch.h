/* touch: the best price of the others: what a strategy that quotes has to look at, for its own
 * order at the best price would else be its own reason to stay there.
 *
 * Its own is what is known to rest (OWN_WORKING) at that price. While an answer is on its way the
 * two may not fit for a moment; then a level may seem to be others' that is ours, and no more.
 * Cost: levels looked at x own orders. Thread: the host's. */
#ifndef OUTCRY_STRATEGY_TOUCH_H
#define OUTCRY_STRATEGY_TOUCH_H

#include "strategy/strategy.h"

enum { TOUCH_LEVELS = 8 }; /* looked at: where ours stand alone at so many, there is no other */

/* The best level of a side that others have something at, and what they have. False: none. */
bool touch_best(const trader_t *t, enum side side, struct market_level *level);

static inline enum side side_opposite(enum side side)
{
    return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

#endif
