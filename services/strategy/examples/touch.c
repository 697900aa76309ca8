/* touch: a strategy in 30 lines. While it holds nothing it has an order at the best bid and one at
 * the best ask; once one of them has traded, it only gives back what it holds. In Python: touch.py.
 *
 *     cc -shared -fPIC -I services -I common -I . services/strategy/examples/touch.c -o touch.so
 *     ./outcry backtest ./touch.so --history DAY --symbol AAPL qty=100
 */
#include "strategy/strategy.h"

struct touch {
    uint32_t numbers[3]; /* of its orders, by side */
};

static const struct parameter parameters[] = {
    {"qty", PARAMETER_QUANTITY, "100", 1e-8, 1e12, .unit = "base", .summary = "of each order"},
    {.name = NULL},
};

static void quote(struct touch *s, trader_t *t, enum side side, int64_t qty)
{
    const struct own_order *o = trader_order(t, s->numbers[side]);
    struct market_level best;
    bool any = trader_best(t, side, &best);
    if (o != NULL && qty == 0)
        trader_cancel(t, o->number);
    else if (o == NULL && qty > 0 && any)
        s->numbers[side] = trader_limit(t, side, best.price, qty);
    else if (o != NULL && any && (o->price != best.price || o->open_qty != qty))
        trader_amend(t, o->number, best.price, qty);
}

static void on_market_data(void *self, trader_t *t, const struct market_update *u)
{
    int64_t held = trader_position(t), qty = trader_number(t, "qty");
    (void)u;
    quote(self, t, SIDE_BUY, held == 0 ? qty : held < 0 ? -held : 0);
    quote(self, t, SIDE_SELL, held == 0 ? qty : held > 0 ? held : 0);
}

const struct strategy_class outcry_strategy = {
    .abi = STRATEGY_ABI,
    .name = "touch",
    .summary = "quotes at the touch while flat, then gets rid of what it holds",
    .parameters = parameters,
    .state_size = sizeof(struct touch),
    .on_market_data = on_market_data,
};
