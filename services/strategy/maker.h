/* maker: makes a market: an order to buy and one to sell, placed as
 *
 *     M. Avellaneda, S. Stoikov: High-frequency trading in a limit order book,
 *     Quantitative Finance 8(3), 2008, pp. 217-224
 *
 * has it (section 3.2). The reservation price, and the spread around it:
 *
 *     r = s - q gamma sigma^2 (T - t)
 *     delta_a + delta_b = gamma sigma^2 (T - t) + (2 / gamma) ln(1 + gamma / kappa)
 *
 *     s       the reference price: the mid of the others' best prices, or their size-weighted mean,
 *             the microprice: (bid x ask size + ask x bid size) / (bid size + ask size)
 *     q       inventory, in units of `quantity`: so gamma means the same for lots of any size
 *     gamma   risk aversion, per tick and `quantity`
 *     sigma   ticks / sqrt(s); given, or estimated (volatility.h)
 *     kappa   how fast fills get rarer away from s, per tick
 *     T - t   what is left of `horizon`, in s; at its end another one begins (horizon_end = renew),
 *             or it stops
 *
 * bid = r - half the spread, cut to a tick, ask = r + half of it, rounded up; at least min_spread
 * apart, and not where they would trade at once (post_only). `mode = symmetric`: s -+ half_spread
 * ticks, and inventory does not matter but for its bound.
 *
 * A side is not quoted beyond inventory_max: inventory + what works to buy <= inventory_max, and
 * the same for selling, whatever is on its way. With size_decay the order that would add to the
 * inventory is smaller: quantity x exp(-size_decay x q) (P. Fushimi, C. Gonzalez Rojas, M. Herman:
 * Optimal high-frequency market making, Stanford, 2018).
 *
 * A place in the queue is worth keeping: an order stays while it is within `tolerance` ticks of
 * where it should be, and is amended to there when it is not; one that is too large is amended
 * down, which keeps its place. One that was filled in part is not made larger before it has to
 * move. */
#ifndef OUTCRY_STRATEGY_MAKER_H
#define OUTCRY_STRATEGY_MAKER_H

#include "strategy/strategies.h"
#include "strategy/volatility.h"

enum maker_mode { MAKER_AVELLANEDA, MAKER_SYMMETRIC }; /* as the parameters name them */
enum maker_reference { MAKER_MID, MAKER_MICROPRICE };

struct maker_model {
    enum maker_mode mode;
    double gamma, kappa;
    double half_spread;    /* ticks, of MAKER_SYMMETRIC */
    int64_t min_spread;    /* ticks */
    int64_t quantity;      /* lots a side */
    double size_decay;     /* per quantity */
    int64_t inventory_max; /* lots */
};

/* Prices in ticks. */
struct maker_quotes {
    int64_t price[2]; /* buy, sell */
    int64_t qty[2];   /* lots; 0: no quote */
};

/* Where to quote. reference in ticks, inventory in lots, sigma in ticks / sqrt(s), left_s: T - t.
 * Pure. */
struct maker_quotes maker_quotes(const struct maker_model *m, double reference, int64_t inventory,
                                 double sigma, double left_s);

struct maker_side {
    uint32_t order;    /* 0: none */
    bool pulled;       /* it was cancelled by us */
    uint64_t ready_ns; /* none before that: one was refused, or cancelled by somebody else */
};

struct maker {
    struct maker_model model;
    struct maker_side sides[2]; /* buy, sell */
    struct volatility volatility;
    enum maker_reference reference;
    double sigma; /* given; 0: estimated */
    int64_t tolerance;
    uint64_t pace_ns, horizon_ns, start_ns;
    bool stops; /* at the end of the horizon */
    bool done;
    int64_t position; /* as it was last seen, for its words */
    double sigma_now;
    uint64_t fills, refusals;
};

#endif
