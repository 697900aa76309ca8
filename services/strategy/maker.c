#include "strategy/maker.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "strategy/touch.h"

enum {
    INVENTORY_DEFAULT = 10,  /* times quantity */
    PRICE_MAX_EXPONENT = 62, /* ticks beyond 2^62 are no price: not quoted */
    REJECT_CODE_MIN = 1000,  /* below: why something accepted ended (proto/value_table.h) */
    WARM_UP = 10,            /* an estimate is used after window / 10 */
};

/* ---- the model ---- */

static double skew(const struct maker_model *m, int64_t inventory, double sigma, double left_s)
{
    if (m->mode == MAKER_SYMMETRIC)
        return 0;
    double q = (double)inventory / (double)m->quantity;
    return q * m->gamma * sigma * sigma * left_s;
}

static double spread(const struct maker_model *m, double sigma, double left_s)
{
    if (m->mode == MAKER_SYMMETRIC)
        return 2 * m->half_spread;
    return m->gamma * sigma * sigma * left_s + 2 / m->gamma * log1p(m->gamma / m->kappa);
}

/* Lots of a side: inventory counted its way, above 0: the order would add to it. */
static int64_t size_of(const struct maker_model *m, int64_t inventory)
{
    double q = (double)inventory / (double)m->quantity;
    int64_t room = m->inventory_max - inventory;
    int64_t qty = m->quantity;
    if (q > 0 && m->size_decay > 0)
        qty = (int64_t)ceil((double)m->quantity * exp(-m->size_decay * q));
    qty = qty < room ? qty : room;
    return qty > 0 ? qty : 0;
}

struct maker_quotes maker_quotes(const struct maker_model *m, double reference, int64_t inventory,
                                 double sigma, double left_s)
{
    struct maker_quotes q = {{0, 0}, {size_of(m, inventory), size_of(m, -inventory)}};
    double r = reference - skew(m, inventory, sigma, left_s);
    double half = spread(m, sigma, left_s) / 2;
    double bid = floor(r - half), ask = ceil(r + half);
    double missing = (double)m->min_spread - (ask - bid);
    if (missing > 0) {
        bid -= floor(missing / 2);
        ask += ceil(missing / 2);
    }
    double most = ldexp(1, PRICE_MAX_EXPONENT);
    if (!(bid > -most && ask < most))
        return (struct maker_quotes){{0, 0}, {0, 0}};
    q.price[0] = (int64_t)bid;
    q.price[1] = (int64_t)ask;
    return q;
}

/* ---- what it sees ---- */

struct maker_view {
    struct market_level best[2];
    double mid;
};

static bool look(const trader_t *t, struct maker_view *v)
{
    if (!touch_best(t, SIDE_BUY, &v->best[0]) || !touch_best(t, SIDE_SELL, &v->best[1]))
        return false;
    v->mid = ((double)v->best[0].price + (double)v->best[1].price) / 2;
    return true;
}

static double reference_price(const struct maker *s, const struct maker_view *v)
{
    double bid = (double)v->best[0].price, ask = (double)v->best[1].price;
    double bid_qty = (double)v->best[0].qty, ask_qty = (double)v->best[1].qty;
    if (s->reference == MAKER_MID)
        return v->mid;
    return (bid * ask_qty + ask * bid_qty) / (bid_qty + ask_qty);
}

/* T - t. */
static double left_s(const struct maker *s, uint64_t now_ns)
{
    uint64_t passed = (now_ns - s->start_ns) % s->horizon_ns;
    return (double)(s->horizon_ns - passed) / 1e9;
}

/* False: not known yet. */
static bool know_sigma(struct maker *s, uint64_t now_ns)
{
    bool needed = s->model.mode == MAKER_AVELLANEDA && s->sigma <= 0;
    s->sigma_now = needed ? volatility_sigma(&s->volatility, now_ns) : s->sigma;
    return !needed || volatility_age_s(&s->volatility, now_ns) * WARM_UP >= s->volatility.window_s;
}

/* Not where they would trade at once: it is others that are to come to it. */
static void keep_apart(struct maker_quotes *q, const struct maker_view *v)
{
    if (q->price[0] >= v->best[1].price)
        q->price[0] = v->best[1].price - 1;
    if (q->price[1] <= v->best[0].price)
        q->price[1] = v->best[0].price + 1;
}

/* ---- what it does ---- */

static void place(struct maker *s, trader_t *t, enum side side, int64_t price, int64_t qty)
{
    struct maker_side *m = &s->sides[side - 1];
    if (qty == 0 || trader_now_ns(t) < m->ready_ns)
        return;
    m->pulled = false;
    m->order = trader_place(t, &(struct order_request){.side = side,
                                                       .type = ORDER_TYPE_LIMIT,
                                                       .time_in_force = TIME_IN_FORCE_GTC,
                                                       .post_only = true,
                                                       .price = price,
                                                       .qty = qty});
}

static void pull(trader_t *t, struct maker_side *m)
{
    m->pulled = trader_cancel(t, m->order) || m->pulled;
}

/* Have a quote of this side where it should be. */
static void quote(struct maker *s, trader_t *t, enum side side, const struct maker_quotes *q)
{
    struct maker_side *m = &s->sides[side - 1];
    int64_t price = q->price[side - 1], qty = q->qty[side - 1];
    int64_t apart = q->price[1] - q->price[0]; /* one that stays must not meet one that moves */
    int64_t tolerance = s->tolerance < apart ? s->tolerance : apart - 1;
    const struct own_order *o = trader_order(t, m->order);
    if (m->order == 0) {
        place(s, t, side, price, qty);
        return;
    }
    if (o == NULL || o->cancelling)
        return; /* its end is on its way */
    int64_t off = o->price > price ? o->price - price : price - o->price;
    bool amended = true;
    if (qty > 0 && off > tolerance)
        amended = trader_amend(t, o->number, price, qty);
    else if (qty > 0 && o->open_qty > qty)
        amended = trader_amend(t, o->number, o->price, qty);
    if (qty == 0 || !amended)
        pull(t, m); /* it must not stay where it is */
}

/* What it knows is whole only when it knows where its own orders are: till then it waits. */
static void step(struct maker *s, trader_t *t)
{
    struct maker_view v;
    uint64_t now_ns = trader_now_ns(t);
    struct maker_quotes q = {{0, 0}, {0, 0}};
    s->position = trader_position(t);
    s->done = s->done || (s->stops && now_ns >= s->start_ns + s->horizon_ns);
    trader_wake(t, now_ns + s->pace_ns);
    if (!touch_settled(t))
        return;
    bool seen = look(t, &v);
    if (seen)
        volatility_add(&s->volatility, now_ns, v.mid);
    if (seen && !s->done && know_sigma(s, now_ns)) {
        q = maker_quotes(&s->model, reference_price(s, &v), s->position, s->sigma_now,
                         left_s(s, now_ns));
        keep_apart(&q, &v);
    }
    /* The one in front moves first, or the other would run into it. */
    const struct own_order *bid = trader_order(t, s->sides[0].order);
    enum side first = bid != NULL && q.price[0] > bid->price ? SIDE_SELL : SIDE_BUY;
    quote(s, t, first, &q);
    quote(s, t, side_opposite(first), &q);
}

/* ---- callbacks ---- */

static void on_start(void *self, trader_t *t)
{
    struct maker *s = self;
    int64_t inventory_max = trader_number(t, "inventory_max");
    int64_t quantity = trader_number(t, "quantity");
    s->model = (struct maker_model){
        .mode = (enum maker_mode)trader_number(t, "mode"),
        .gamma = trader_real(t, "gamma"),
        .kappa = trader_real(t, "kappa"),
        .half_spread = trader_real(t, "half_spread"),
        .min_spread = trader_number(t, "min_spread"),
        .quantity = quantity,
        .size_decay = trader_real(t, "size_decay"),
        .inventory_max =
            inventory_max == PARAMETER_NONE ? quantity * INVENTORY_DEFAULT : inventory_max,
    };
    s->reference = (enum maker_reference)trader_number(t, "reference");
    s->sigma = trader_real(t, "sigma");
    s->tolerance = trader_number(t, "tolerance");
    s->pace_ns = (uint64_t)trader_number(t, "pace");
    s->horizon_ns = (uint64_t)trader_number(t, "horizon");
    s->stops = trader_number(t, "horizon_end") == 1;
    s->start_ns = trader_now_ns(t);
    volatility_init(&s->volatility, (double)trader_number(t, "window") / 1e9);
    step(s, t);
}

static void on_market_data(void *self, trader_t *t, const struct market_update *u)
{
    (void)u;
    step(self, t);
}

/* Its last word. */
static void side_done(struct maker *s, struct maker_side *m, uint64_t now_ns,
                      const struct own_order *o)
{
    bool refused = o->refusal != OWN_REFUSED_NOT || o->reason >= REJECT_CODE_MIN;
    s->refusals += refused && o->refusal != OWN_REFUSED_STOPPING;
    if (refused || (!m->pulled && o->filled_qty < o->qty))
        m->ready_ns = now_ns + s->pace_ns;
    m->order = 0;
}

static void on_order(void *self, trader_t *t, const struct own_order *o)
{
    struct maker *s = self;
    struct maker_side *m = &s->sides[o->side - 1];
    if (o->number != m->order)
        return;
    if (o->state == OWN_DONE)
        side_done(s, m, trader_now_ns(t), o);
    else if (o->reason >= REJECT_CODE_MIN && !o->amending)
        pull(t, m); /* an amend was refused: the same would be again */
    if (o->refusal != OWN_REFUSED_STOPPING)
        step(s, t);
}

static void on_fill(void *self, trader_t *t, const struct own_fill *f)
{
    (void)t;
    (void)f;
    ((struct maker *)self)->fills++;
}

static void on_timer(void *self, trader_t *t)
{
    step(self, t);
}

static bool is_done(const void *self)
{
    return ((const struct maker *)self)->done;
}

static void describe(const void *self, char *text, size_t size)
{
    const struct maker *s = self;
    int done =
        snprintf(text, size, "%" PRIu64 " fills, inventory %" PRId64 " of at most %" PRId64 " lots",
                 s->fills, s->position, s->model.inventory_max);
    if (s->model.mode == MAKER_AVELLANEDA && (size_t)done < size)
        done += snprintf(text + done, size - (size_t)done, ", sigma %.3g ticks/sqrt(s)%s",
                         s->sigma_now, s->sigma > 0 ? ", given" : "");
    if (s->refusals > 0 && (size_t)done < size)
        snprintf(text + done, size - (size_t)done, ", %" PRIu64 " orders refused", s->refusals);
}

static bool check(const struct parameters *p, char error[PARAMETER_ERROR_SIZE])
{
    const struct parameter_value *quantity = parameters_get(p, "quantity");
    const struct parameter_value *most = parameters_get(p, "inventory_max");
    if (quantity->number <= 0 || quantity->number > INT64_MAX / 64) {
        snprintf(error, PARAMETER_ERROR_SIZE,
                 "quantity: found \"%.60s\", expected one above zero, and below 2^57 lots",
                 quantity->text);
        return false;
    }
    if (most->number != PARAMETER_NONE && most->number <= 0) {
        snprintf(error, PARAMETER_ERROR_SIZE,
                 "inventory_max: found \"%.60s\", expected one above zero, or none", most->text);
        return false;
    }
    return true;
}

/* gamma, kappa and horizon go together: with them and a sigma of 5 ticks/sqrt(s) the quotes are 21
 * ticks apart, and an inventory of one quantity moves them by 1.5. A smaller spread than the
 * market's own is hit by all who know more: on a day of AAPL, kappa 0.3 lost 2.5 times as much. */
static const struct parameter parameters[] = {
    {.name = "mode",
     .kind = PARAMETER_WORD,
     .otherwise = "avellaneda",
     .words = "avellaneda|symmetric",
     .summary = "Avellaneda-Stoikov, or half_spread ticks round the reference"},
    {.name = "quantity",
     .kind = PARAMETER_QUANTITY,
     .otherwise = "1",
     .low = 0,
     .high = 1e15,
     .unit = "of the base currency",
     .summary = "of each quote"},
    {.name = "inventory_max",
     .kind = PARAMETER_QUANTITY,
     .otherwise = "none",
     .low = 0,
     .high = 1e15,
     .unit = "of the base currency",
     .summary = "the most it may hold, long or short; none: 10 times quantity"},
    {.name = "gamma",
     .kind = PARAMETER_NUMBER,
     .otherwise = "0.001",
     .low = 0.000000001,
     .high = 1000,
     .unit = "per tick and quantity",
     .summary = "risk aversion"},
    {.name = "kappa",
     .kind = PARAMETER_NUMBER,
     .otherwise = "0.1",
     .low = 0.000001,
     .high = 1000,
     .unit = "per tick",
     .summary = "how fast fills get rarer away from the reference"},
    {.name = "sigma",
     .kind = PARAMETER_NUMBER,
     .otherwise = "0",
     .low = 0,
     .high = 1e9,
     .unit = "ticks / sqrt(s)",
     .summary = "volatility; 0: estimated"},
    {.name = "window",
     .kind = PARAMETER_SECONDS,
     .otherwise = "300",
     .low = 0.1,
     .high = 604800,
     .unit = "s",
     .summary = "of the estimate; it does not quote before a tenth of it"},
    {.name = "horizon",
     .kind = PARAMETER_SECONDS,
     .otherwise = "60",
     .low = 0.001,
     .high = 604800,
     .unit = "s",
     .summary = "T: over which inventory is a risk"},
    {.name = "horizon_end",
     .kind = PARAMETER_WORD,
     .otherwise = "renew",
     .words = "renew|stop",
     .summary = "at its end: another one begins, or the strategy ends"},
    {.name = "half_spread",
     .kind = PARAMETER_NUMBER,
     .otherwise = "5",
     .low = 0,
     .high = 1e9,
     .unit = "ticks",
     .summary = "of the mode symmetric"},
    {.name = "min_spread",
     .kind = PARAMETER_COUNT,
     .otherwise = "2",
     .low = 1,
     .high = 1e9,
     .unit = "ticks",
     .summary = "between the two quotes"},
    {.name = "tolerance",
     .kind = PARAMETER_COUNT,
     .otherwise = "1",
     .low = 0,
     .high = 1e9,
     .unit = "ticks",
     .summary = "so far off a quote stays where it is, and keeps its place in the queue"},
    {.name = "reference",
     .kind = PARAMETER_WORD,
     .otherwise = "mid",
     .words = "mid|microprice",
     .summary = "the price it quotes around"},
    {.name = "size_decay",
     .kind = PARAMETER_NUMBER,
     .otherwise = "0",
     .low = 0,
     .high = 100,
     .unit = "per quantity",
     .summary = "the side that would add to the inventory gets smaller with it"},
    {.name = "pace",
     .kind = PARAMETER_SECONDS,
     .otherwise = "1",
     .low = 0.001,
     .high = 3600,
     .unit = "s",
     .summary = "looks again though nothing happens, and after a refusal"},
    {.name = NULL},
};

const struct strategy_class maker_class = {
    .abi = STRATEGY_ABI,
    .name = "maker",
    .summary = "quotes both sides, with its inventory in mind (Avellaneda-Stoikov)",
    .parameters = parameters,
    .state_size = sizeof(struct maker),
    .check = check,
    .on_start = on_start,
    .on_market_data = on_market_data,
    .on_order = on_order,
    .on_fill = on_fill,
    .on_timer = on_timer,
    .is_done = is_done,
    .describe = describe,
};
