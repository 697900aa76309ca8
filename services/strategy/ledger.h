/* ledger: what a strategy's fills come to: position, cash, fees, profit and loss. Integers all:
 * money is ticks x lots, fees millionths of that, 128 bit; nothing is rounded but the cost of a
 * part of a position (below), and that evens out: realised + unrealised is exact at every moment.
 *
 *     realised + unrealised = cash + position x mark: `inventory` was bought at its own price
 *     realised: average cost. A fill that makes the position smaller by q of p lots takes
 *               cost x q / p, cut towards zero, out of the cost of what is held
 *
 * Pure. */
#ifndef OUTCRY_STRATEGY_LEDGER_H
#define OUTCRY_STRATEGY_LEDGER_H

#include "engine/engine.h"

struct fees {
    int64_t maker_ppm; /* millionths of the notional; below 0: a rebate. -100,000..100,000 */
    int64_t taker_ppm;
};

struct ledger {
    struct fees fees;
    int64_t position;      /* lots */
    notional_t cost;       /* of what is held: what was paid (long) or received (short, below 0) */
    notional_t cash;       /* sold less bought; without fees */
    notional_t realised;   /* without fees */
    notional_t fees_micro; /* paid, in millionths of ticks x lots */
    int64_t bought, sold;  /* lots */
    notional_t bought_notional, sold_notional;
    int64_t position_high, position_low;
    uint64_t fill_count;
};

/* inventory: lots it begins with (below 0: short), bought or sold at `price`. */
void ledger_init(struct ledger *l, const struct fees *fees, int64_t inventory, int64_t price);

/* What it holds, and began with unvalued (price 0), was bought or sold at this price. */
void ledger_value(struct ledger *l, int64_t price);

void ledger_fill(struct ledger *l, enum side side, int64_t price, int64_t qty, bool maker);

/* What is held is worth this much more than its cost, at twice_mark / 2 ticks (a mid may lie
 * between two ticks); in half ticks x lots. */
notional_t ledger_unrealised_halves(const struct ledger *l, int64_t twice_mark);

/* Everything after fees: 2 (realised + unrealised) - 2 fees, in millionths of half ticks x lots. */
notional_t ledger_total_micro_halves(const struct ledger *l, int64_t twice_mark);

#endif
