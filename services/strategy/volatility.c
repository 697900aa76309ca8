#include "strategy/volatility.h"

#include <math.h>

static double seconds(uint64_t from_ns, uint64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e9;
}

void volatility_init(struct volatility *v, double window_s)
{
    *v = (struct volatility){.window_s = window_s};
}

/* Squares as they weigh now. */
static double decayed(const struct volatility *v, uint64_t now_ns)
{
    return v->squares * exp(-seconds(v->at_ns, now_ns) / v->window_s);
}

void volatility_add(struct volatility *v, uint64_t now_ns, double price)
{
    if (!v->begun) {
        v->begun = true;
        v->first_ns = v->at_ns = now_ns;
    } else if (now_ns - v->look_ns < VOLATILITY_LOOK_NS) {
        return;
    } else if (price < v->price || price > v->price) {
        double change = price - v->price;
        v->squares = decayed(v, now_ns) + change * change;
        v->at_ns = now_ns;
    }
    v->look_ns = now_ns;
    v->price = price;
}

double volatility_age_s(const struct volatility *v, uint64_t now_ns)
{
    return v->begun ? seconds(v->first_ns, now_ns) : 0;
}

double volatility_sigma(const struct volatility *v, uint64_t now_ns)
{
    double weight = v->window_s * (1 - exp(-volatility_age_s(v, now_ns) / v->window_s));
    return weight > 0 ? sqrt(decayed(v, now_ns) / weight) : 0;
}
