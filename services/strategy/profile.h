/* profile: how the volume of a day is spread over its hours, in bins.
 *
 * The default one is that of US stocks, 09:30 to 16:00 in 78 bins of 5 minutes. It is
 *
 *     density(u) = 1 + 2.20 exp(-u / 0.0787) + 16.7 exp(-(1 - u) / 0.01),   u = 0..1 of the day
 *
 * integrated over each bin and brought to 100 %: a flat middle, a morning that calms down within
 * the first hour, and a close. Fitted by least squares on the mean profile of 9 symbols, 37
 * symbol-days of 2013 to 2023 (AAPL AIG BAC FOXA GOOG IBM NWSA SPY TWX; one-minute trade bars,
 * QuantConnect Lean's samples, closing auctions included); root mean square error 0.232 % of the
 * day a bin, where a flat profile has 1.115; the cumulated share is at most 3.1 % of the day off,
 * flat 12.4. On days it has not seen (NASDAQ, 2012-06-21, without auctions): AAPL 8.5 (flat 16.9),
 * AMZN 7.0 (16.1), GOOG 15.7 (24.6).
 *
 * A file has a line a bin, its begin and its share, in order:
 *
 *     bin_start,share        (a line that does not begin with a digit may stand first)
 *     09:30,6.5              HH:MM, HH:MM:SS or seconds after midnight; any number above zero:
 *     09:35,3.0              what counts is its part of their sum
 *
 * A bin ends where the next begins; the last is as long as the one before it, one alone lasts until
 * midnight. Thread: any. */
#ifndef OUTCRY_STRATEGY_PROFILE_H
#define OUTCRY_STRATEGY_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PROFILE_BINS_MAX = 1440,
    PROFILE_ERROR_SIZE = 512,
};

#define PROFILE_DAY_NS (UINT64_C(86400) * 1000000000)

struct profile {
    unsigned count;
    uint32_t begin_s[PROFILE_BINS_MAX + 1]; /* after midnight, ascending; the last: its end */
    double share[PROFILE_BINS_MAX];         /* of the day; their sum is 1 */
};

void profile_default(struct profile *p);

/* False, with error: FILE:LINE, what was found and expected; or the file cannot be read. */
bool profile_read(struct profile *p, const char *file, char error[PROFILE_ERROR_SIZE]);

/* Where it begins after midnight, and how long it is. */
uint64_t profile_begin_ns(const struct profile *p);
uint64_t profile_span_ns(const struct profile *p);

/* The share of a day's volume in span_ns from from_ns after midnight. It comes again every day, so
 * it may be more than 1. */
double profile_share(const struct profile *p, uint64_t from_ns, uint64_t span_ns);

#endif
