/* vwap: volume-weighted average price: each slice of time gets the part of the quantity that the
 * day's volume usually has in it, so that what it pays is near the average price of all that is
 * traded meanwhile (S. Berkowitz, D. Logue, E. Noser: The total cost of transactions on the NYSE,
 * Journal of Finance 43(1), 1988, for the benchmark; J. Bialkowski, S. Darolles, G. Le Fol:
 * Improving VWAP strategies: a dynamic volume approach, Journal of Banking & Finance 32, 2008, for
 * slicing by a profile):
 *
 *     slice i: Q x (V(t[i+1]) - V(t[i])) / (V(t[n]) - V(t[0])), V: the profile's cumulated share
 *
 * `profile` is `default` (profile.h), `none`, with which it behaves as TWAP, or a file. What it
 * used stands first in what it says of itself, and in the log at its start.
 *
 * `profile_fit = clock`: a bin is at its time of day, UTC: time 34200 of a LOBSTER day is its
 * 09:30. `open` moves the profile so that it begins then: live, where the day is in UTC, an open in
 * New York is 48600 in summer and 52200 in winter. Slices outside of the profile's hours get
 * nothing; if all are, there is no profile to go by, it behaves as TWAP, and says so. `profile_fit
 * = stretch`: the whole profile is spread over the duration, whatever time it is.
 *
 * A profile file is read twice: when the parameters are checked, so that a mistake is told before
 * anything starts, and at the start. */
#ifndef OUTCRY_STRATEGY_VWAP_H
#define OUTCRY_STRATEGY_VWAP_H

#include "strategy/slicer.h"
#include "strategy/strategies.h"

enum { VWAP_SOURCE_SIZE = 320 };

struct vwap {
    struct slicer slicer; /* first: its callbacks are the strategy's */
    struct profile profile;
    char source[VWAP_SOURCE_SIZE]; /* "volume profile: ..." */
    bool failed;                   /* its file cannot be read any more: nothing is traded */
};

#endif
