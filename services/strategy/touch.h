/* touch: the best price of the others: what a strategy that quotes has to look at, for its own
 * order at the best price would else be its own reason to stay there.
 *
 * What of a level is ours is asked of the book (trader_ahead), since what the host knows of an
 * order may be older or newer than that: a level with more orders than ours is others'. While an
 * order is not accepted yet, or an amend on its way, nobody can say where in the book it is: ask
 * when touch_settled().
 *
 * Cost: levels looked at x own orders x their places in the queue. Thread: the host's. */
#ifndef OUTCRY_STRATEGY_TOUCH_H
#define OUTCRY_STRATEGY_TOUCH_H

#include "strategy/strategy.h"

enum { TOUCH_LEVELS = 8 }; /* looked at: where ours stand alone at so many, there is no other */

/* The best level of a side that others have something at, and what they have, at least 1. False:
 * there is none. */
bool touch_best(const trader_t *t, enum side side, struct market_level *level);

/* Whether it is known where all of its own orders are. */
bool touch_settled(const trader_t *t);

static inline enum side side_opposite(enum side side)
{
    return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

#endif
