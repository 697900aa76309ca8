#include "strategy/touch.h"

static int64_t own_qty_at(const trader_t *t, enum side side, int64_t price)
{
    int64_t qty = 0;
    for (uint32_t n = trader_next_order(t, 0); n != 0; n = trader_next_order(t, n)) {
        const struct own_order *o = trader_order(t, n);
        if (o->state == OWN_WORKING && o->side == side && o->price == price)
            qty += o->open_qty;
    }
    return qty;
}

bool touch_best(const trader_t *t, enum side side, struct market_level *level)
{
    struct market_level levels[TOUCH_LEVELS];
    unsigned count = trader_levels(t, side, levels, TOUCH_LEVELS);
    for (unsigned i = 0; i < count; i++) {
        int64_t qty = levels[i].qty - own_qty_at(t, side, levels[i].price);
        if (qty > 0) {
            *level = levels[i];
            level->qty = qty;
            return true;
        }
    }
    return false;
}
