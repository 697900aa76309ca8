/* volatility: how much a price moves, from its changes: the exponentially weighted moving average
 * of squared changes (J.P. Morgan/Reuters: RiskMetrics Technical Document, 4th ed., 1996, ch. 5),
 * in continuous time, since ticks do not come at equal distances:
 *
 *     sigma^2(t) = sum of exp(-(t - t_i) / w) x dp_i^2  /  (w x (1 - exp(-(t - t_0) / w)))
 *
 * dp_i: the change between two looks at the price, at least VOLATILITY_LOOK_NS apart: what a mid
 * does from one event to the next is mostly the bounce between quotes, and added up would be taken
 * for volatility many times what it is (L. Zhang, P. Mykland, Y. Ait-Sahalia: A tale of two time
 * scales, 2005). w: the window; t_0: the first price. The denominator is the weight of
 * all the time since, so a short history is not taken for a calm one. In price units / sqrt(s). */
#ifndef OUTCRY_STRATEGY_VOLATILITY_H
#define OUTCRY_STRATEGY_VOLATILITY_H

#include <stdbool.h>
#include <stdint.h>

enum { VOLATILITY_LOOK_NS = 1000000000 };

struct volatility {
    double window_s;
    double squares;                    /* of changes, weighted to `at_ns` */
    double price;                      /* as it was looked at last */
    uint64_t first_ns, look_ns, at_ns; /* of the first price, the last look, the last change */
    bool begun;
};

/* window_s: above 0. */
void volatility_init(struct volatility *v, double window_s);

/* The price is this now; now_ns never goes back. */
void volatility_add(struct volatility *v, uint64_t now_ns, double price);

/* sigma, in price units / sqrt(s); 0: no time has passed. */
double volatility_sigma(const struct volatility *v, uint64_t now_ns);

/* How long there has been a price. */
double volatility_age_s(const struct volatility *v, uint64_t now_ns);

#endif
