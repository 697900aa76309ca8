#include "strategy/ledger.h"

#include "base/check.h"

enum { MILLION = 1000000 };

void ledger_init(struct ledger *l, const struct fees *fees, int64_t inventory, int64_t price)
{
    *l = (struct ledger){
        .fees = *fees,
        .position = inventory,
        .cost = (notional_t)inventory * price,
        .cash = -(notional_t)inventory * price,
        .position_high = inventory > 0 ? inventory : 0,
        .position_low = inventory < 0 ? inventory : 0,
    };
}

void ledger_value(struct ledger *l, int64_t price)
{
    l->cost += (notional_t)l->position * price;
    l->cash -= (notional_t)l->position * price;
}

static int64_t magnitude(int64_t qty)
{
    return qty < 0 ? -qty : qty;
}

/* What makes the position smaller, at average cost. qty: signed, against the position, and at most
 * all of it. */
static void reduce(struct ledger *l, int64_t qty, int64_t price)
{
    int64_t part = magnitude(qty), all = magnitude(l->position);
    notional_t cost = l->cost / all * part + l->cost % all * part / all; /* fits, in this order */
    l->realised += -(notional_t)qty * price - cost;
    l->cost -= cost;
    l->position += qty;
}

void ledger_fill(struct ledger *l, enum side side, int64_t price, int64_t qty, bool maker)
{
    CHECK(qty > 0);
    notional_t notional = (notional_t)qty * price;
    notional_t base = notional < 0 ? -notional : notional; /* prices may be below zero */
    int64_t left = side == SIDE_BUY ? qty : -qty;
    bool against = (l->position > 0 && left < 0) || (l->position < 0 && left > 0);
    if (against) {
        int64_t part = magnitude(left) < magnitude(l->position) ? left : -l->position;
        reduce(l, part, price);
        left -= part;
    }
    l->position += left;
    l->cost += (notional_t)left * price;
    l->cash += side == SIDE_BUY ? -notional : notional;
    l->fees_micro += base * (maker ? l->fees.maker_ppm : l->fees.taker_ppm);
    *(side == SIDE_BUY ? &l->bought : &l->sold) += qty;
    *(side == SIDE_BUY ? &l->bought_notional : &l->sold_notional) += notional;
    l->position_high = l->position > l->position_high ? l->position : l->position_high;
    l->position_low = l->position < l->position_low ? l->position : l->position_low;
    l->fill_count++;
}

notional_t ledger_unrealised_halves(const struct ledger *l, int64_t twice_mark)
{
    return (notional_t)l->position * twice_mark - 2 * l->cost;
}

notional_t ledger_total_micro_halves(const struct ledger *l, int64_t twice_mark)
{
    return (2 * l->realised + ledger_unrealised_halves(l, twice_mark)) * MILLION -
           2 * l->fees_micro;
}
