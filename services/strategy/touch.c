#include "strategy/touch.h"

/* Take what is ours at a level out of it. */
static void take_out_own(const trader_t *t, enum side side, struct market_level *level)
{
    for (uint32_t n = trader_next_order(t, 0); n != 0; n = trader_next_order(t, n)) {
        const struct own_order *o = trader_order(t, n);
        if (o->side != side || o->price != level->price || trader_ahead(t, n) < 0)
            continue;
        level->orders--;
        level->qty -= o->open_qty;
    }
}

bool touch_best(const trader_t *t, enum side side, struct market_level *level)
{
    struct market_level levels[TOUCH_LEVELS];
    unsigned count = trader_levels(t, side, levels, TOUCH_LEVELS);
    for (unsigned i = 0; i < count; i++) {
        take_out_own(t, side, &levels[i]);
        if (levels[i].orders == 0)
            continue;
        *level = levels[i];
        level->qty = level->qty > 0 ? level->qty : 1; /* a fill of ours is in the book already */
        return true;
    }
    return false;
}

bool touch_settled(const trader_t *t)
{
    for (uint32_t n = trader_next_order(t, 0); n != 0; n = trader_next_order(t, n)) {
        const struct own_order *o = trader_order(t, n);
        if (o->state == OWN_SENT || o->amending)
            return false;
    }
    return true;
}
