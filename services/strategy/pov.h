/* pov: percentage of volume: takes part in what is traded, up to a share of it (R. Kissell, The
 * Science of Algorithmic Trading and Portfolio Management, 2013: participation rate = own
 * quantity / all quantity traded meanwhile, own included):
 *
 *     goal = floor(share x volume), volume: lots of all trades since its start, its own included
 *
 * and it has, at any moment, filled + working <= goal: it is never above its share, and rather
 * behind it. A clip is sent when at least clip_min is to be done, of at most clip_max. Passive:
 * when clip_max more than what rests is due, what rests is pulled and a clip takes the touch, so
 * that it stays within about two clips of its share. share counts in millionths, and is below 1:
 * with all of the volume its own trades would be a reason for more.
 *
 * It ends filled, or when its duration is over: then what works is cancelled, and it says what is
 * missing. Volume it was not told of (a gap in the feed) is volume that was not. */
#ifndef OUTCRY_STRATEGY_POV_H
#define OUTCRY_STRATEGY_POV_H

#include "base/decimal.h"
#include "strategy/parent.h"
#include "strategy/strategies.h"

enum { POV_MILLION = 1000000, POV_CLIPS_DEFAULT = 20 };

struct pov {
    struct parent parent;
    int64_t share_ppm;
    wide_t volume; /* lots */
    uint64_t end_ns;
    bool over; /* its time is */
};

/* Lots it may have done when so much was traded. */
int64_t pov_goal(int64_t share_ppm, wide_t volume, int64_t quantity);

#endif
