#include "simulate/flow_market.h"

#include <math.h>

#include "simulate/flow_shapes.h"

/* The walk is drawn back by so much of itself a command, and so strays about 700 steps. */
static const double walk_return = 1e-6;
static const double walk_reach = 707.0;
/* Where prices must stay above zero it strays no further than a twentieth of the base price. */
static const double walk_share = 0.05;
static const double wobble_return = 0.005;
/* How much more often makers stand on the side the reference asks for, per spread that the mid
 * price is off; and at most. */
static const double lean = 0.12, lean_max = 0.4;
/* Whether the next is a cancel: the odds of the mix, times this if an order is due, else over it.
 * At 2 both what the spread does and how long orders live are nearest to the days (1, 2, 4, 8 and
 * 32 were tried). Nobody cancels earlier than so many intervals before it is due; in a book of more
 * than so many orders who is due goes before anybody comes. */
static const double due_odds = 2.0, early_intervals = 100.0;
enum { ORDERS_MANY = 256 };
/* A side of fewer levels than this gets the next order. */
enum { LEVELS_MIN = 4 };
/* What stands further out than the days' observers saw, and for long, is a guess: of the orders
 * behind the best so many are patient, stand so much further away, and a spread on top, and stay
 * so much longer. It gives the book its depth. */
static const double patient_share = 0.05, patient_distance = 4.0, patient_life = 60.0;
/* The average of how eager takers are is over about so many commands. */
static const double eagerness_update = 1.0 / 1024.0;

/* Orders of one level that are told they were outbid: the first, if there are more. */
enum { OUTBID_MAX = 16 };

void flow_market_init(struct flow_market *m, const struct order_flow_options *o, unsigned number,
                      struct flow_order *known)
{
    const struct order_flow_symbol *s = &o->symbols[number];
    m->symbol = *s;
    m->mix = o->mix;
    m->informed = o->informed;
    m->interval_ns = 1e9 * o->symbol_count / o->rate;
    m->random.state = mix(o->seed + mix(number + 1));
    flow_orders_init(&m->orders, known);
    double spread = (double)s->spread;
    double walk_step_max =
        s->any_price ? INFINITY : (double)s->base_price * walk_share / walk_reach;
    m->walk = m->wobble = 0.0;
    m->eagerness = 1.0;
    m->side = SIDE_BUY;
    m->last_ns = o->start_ns;
    m->walk_step = fmin(spread * flow_volatility, walk_step_max);
    m->wobble_step = spread * flow_wobble * sqrt(2.0 * wobble_return);
    m->opening = ORDER_FLOW_OPENING;
}

/* ticks */
static double reference_of(const struct flow_market *m)
{
    double reference = (double)m->symbol.base_price + m->walk + m->wobble;
    return m->symbol.any_price ? reference : fmax(reference, 1.0 + (double)m->symbol.spread / 2.0);
}

static void wander(struct flow_market *m)
{
    m->walk += m->walk_step * flow_random_step(&m->random) - m->walk * walk_return;
    m->wobble += m->wobble_step * flow_random_step(&m->random) - m->wobble * wobble_return;
}

static int64_t ticks(double x)
{
    return (int64_t)floor(x + 0.5);
}

static int64_t at_least_one(double x)
{
    return x < 1.5 ? 1 : ticks(x);
}

static uint64_t life_of(struct flow_market *m, const double table[FLOW_TABLE + 1])
{
    return (uint64_t)(flow_random_quantile(&m->random, table) * m->interval_ns);
}

/* ---- placement ---- */

/* The best prices as a maker sees them: where a side is empty, half a spread from the reference. */
struct touch {
    int64_t bid, ask;
    bool bids, asks; /* there are any */
};

static struct touch touch_of(const struct flow_market *m, const struct bbo_state *bbo)
{
    struct touch t = {bbo->price[0], bbo->price[1], bbo->qty[0] > 0, bbo->qty[1] > 0};
    double half = (double)m->symbol.spread / 2.0, reference = reference_of(m);
    if (!t.bids)
        t.bid = ticks(reference - half);
    if (!t.asks)
        t.ask = ticks(reference + half);
    if (!t.bids && t.bid >= t.ask)
        t.bid = t.ask - 1;
    if (!t.asks && t.ask <= t.bid)
        t.ask = t.bid + 1;
    return t;
}

static double mid_of(const struct touch *t)
{
    return (double)t->bid + (double)(t->ask - t->bid) / 2.0;
}

static enum side maker_side(struct flow_market *m, const struct touch *t, const struct book *book)
{
    uint32_t bids = book->sides[0].level_count, asks = book->sides[1].level_count;
    if ((bids < LEVELS_MIN || asks < LEVELS_MIN) && bids != asks)
        return bids < asks ? SIDE_BUY : SIDE_SELL;
    if (m->bursting && flow_random_chance(&m->random, 2.0 * flow_burst_side - 1.0))
        return m->side;
    double off = (reference_of(m) - mid_of(t)) / (double)m->symbol.spread;
    double more = fmax(-lean_max, fmin(lean_max, lean * off));
    return flow_random_chance(&m->random, 0.5 + more) ? SIDE_BUY : SIDE_SELL;
}

/* By how many ticks an order inside a spread of so many, at least 2, betters the best price. */
static int64_t improvement(struct flow_market *m, int64_t spread, unsigned bin)
{
    if (flow_random_chance(&m->random, flow_one_tick[bin]))
        return 1;
    int64_t better =
        at_least_one(flow_random_quantile(&m->random, flow_improvement) * (double)spread);
    return better < spread ? better : spread - 1;
}

/* How wide the spread is, as a bin of the tables. */
static unsigned spread_bin(const struct flow_market *m, const struct touch *t)
{
    double wide = (double)(t->ask - t->bid) / (double)m->symbol.spread;
    unsigned bin = 0;
    while (bin < FLOW_SPREAD_BINS - 1 && wide > flow_spread_edges[bin])
        bin++;
    return bin;
}

/* A price that does not cross, and how long it will stand there. */
static void choose_price(struct flow_market *m, const struct touch *t, enum side side,
                         struct flow_decision *d)
{
    int64_t spread = t->ask - t->bid, behind = 0;
    unsigned bin = spread_bin(m, t);
    double inside = spread > 1 ? flow_inside[bin] : 0.0, at = flow_at[bin];
    if (m->bursting) {
        inside *= m->top ? flow_burst_top : flow_burst_behind;
        at *= m->top ? flow_burst_top : flow_burst_behind;
    }
    double where = flow_random_uniform(&m->random) * fmax(1.0, inside + at);
    const double *life = flow_life_at;
    bool patient = false;
    if (where < inside) {
        behind = -improvement(m, spread, bin);
        life = flow_life_inside;
    } else if (where >= inside + at) {
        double far = flow_random_quantile(&m->random, flow_behind);
        life = far <= flow_near ? flow_life_near : flow_life_far;
        patient = flow_random_chance(&m->random, patient_share);
        if (patient)
            far = 1.0 + far * patient_distance;
        behind = at_least_one(far * (double)m->symbol.spread);
    }
    d->priced = true;
    m->top = behind <= 0;
    d->price = side == SIDE_BUY ? t->bid - behind : t->ask + behind;
    d->life_ns = (uint64_t)((double)life_of(m, life) * (patient ? patient_life : 1.0));
    if (m->symbol.any_price)
        return;
    int64_t lowest = side == SIDE_BUY ? 1 : 2; /* a bid finds room below every ask */
    if (d->price < lowest)
        d->price = lowest;
}

static int64_t choose_qty(struct flow_market *m)
{
    return at_least_one(flow_random_quantile(&m->random, flow_size) * (double)m->symbol.size);
}

static struct flow_decision place(struct flow_market *m, const struct book *book,
                                  const struct bbo_state *bbo)
{
    struct touch t = touch_of(m, bbo);
    struct flow_decision d = {.act = FLOW_PLACE, .side = maker_side(m, &t, book)};
    m->side = d.side;
    choose_price(m, &t, d.side, &d);
    d.qty = choose_qty(m);
    return d;
}

/* The sides in turn; the first of each half a spread from the base price, the others behind and
 * patient, as what stands in a book at any time mostly is. */
static struct flow_decision place_opening(struct flow_market *m)
{
    struct flow_decision d = {.act = FLOW_PLACE, .priced = true, .qty = choose_qty(m)};
    int64_t bid = m->symbol.base_price - m->symbol.spread / 2, behind = 0;
    if (!m->symbol.any_price && bid < 1)
        bid = 1;
    if (m->opening <= ORDER_FLOW_OPENING - 2)
        behind = ticks(flow_random_quantile(&m->random, flow_behind) * (double)m->symbol.spread);
    d.side = m->opening % 2 == 0 ? SIDE_BUY : SIDE_SELL;
    d.price = d.side == SIDE_BUY ? bid - behind : bid + m->symbol.spread + behind;
    if (!m->symbol.any_price && d.price < 1)
        d.price = 1;
    d.life_ns = (uint64_t)((double)life_of(m, flow_life_far) * patient_life);
    m->opening--;
    return d;
}

void flow_market_outbid(struct flow_market *m, const struct book_pool *pool,
                        const struct book *book, enum side side, uint64_t now_ns)
{
    uint32_t best = book->sides[side - 1].best;
    uint32_t second = best != 0 ? pool->levels[best].worse : 0;
    if (second == 0 || m->opening > 0)
        return;
    uint32_t order = pool->levels[second].head;
    for (unsigned i = 0; i < OUTBID_MAX && order != 0; i++) {
        flow_orders_hasten(&m->orders, order, now_ns + life_of(m, flow_life_outbid));
        order = pool->orders[order].next;
    }
}

/* ---- the others ---- */

static struct flow_decision cancel(struct flow_market *m)
{
    return (struct flow_decision){.act = FLOW_CANCEL, .order = flow_orders_first(&m->orders)};
}

/* Most of those amended were to be cancelled next, and move to where a new order might have come
 * instead; some, whichever, become smaller where they are. */
static struct flow_decision amend(struct flow_market *m, const struct book_pool *pool,
                                  const struct bbo_state *bbo)
{
    bool reduces = flow_random_chance(&m->random, flow_reductions);
    uint32_t order = reduces ? m->orders.heap[flow_random_below(&m->random, m->orders.count)]
                             : flow_orders_first(&m->orders);
    const struct order *o = &pool->orders[order];
    struct flow_decision d = {.act = FLOW_AMEND, .order = order, .qty = o->open_qty};
    if (reduces && o->open_qty > 1) {
        uint64_t less = (uint64_t)(flow_random_uniform(&m->random) * (double)(o->open_qty - 1));
        d.qty = 1 + (int64_t)less;
    } else {
        struct touch t = touch_of(m, bbo);
        choose_price(m, &t, o->side, &d);
    }
    return d;
}

static enum side taker_side(struct flow_market *m, const struct bbo_state *bbo)
{
    struct touch t = touch_of(m, bbo);
    enum side side;
    if (flow_random_chance(&m->random, m->informed))
        side = reference_of(m) > mid_of(&t) ? SIDE_BUY : SIDE_SELL;
    else
        side = flow_random_chance(&m->random, 0.5) ? SIDE_BUY : SIDE_SELL;
    if (side == SIDE_BUY && !t.asks)
        side = SIDE_SELL;
    else if (side == SIDE_SELL && !t.bids)
        side = SIDE_BUY;
    return side;
}

/* Takes some of what stands at the touch, all, or more. A limit is where the touch is, or reaches
 * two spreads through it. */
static struct flow_decision take(struct flow_market *m, const struct book *book,
                                 const struct bbo_state *bbo, bool market)
{
    struct flow_decision d = {.act = FLOW_TAKE, .side = taker_side(m, bbo), .priced = !market};
    unsigned other = d.side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    double size = (double)m->symbol.size;
    int64_t touch = bbo->qty[other - 1], through = 0;
    double kind = flow_random_uniform(&m->random);
    d.qty = touch;
    if (kind < flow_take_less) {
        d.qty = at_least_one((double)touch * flow_random_quantile(&m->random, flow_less));
    } else if (kind >= flow_take_less + flow_take_all) {
        d.qty = touch + at_least_one(flow_random_quantile(&m->random, flow_more) * size);
        through = 2 * m->symbol.spread;
    }
    uint32_t levels = book->sides[other - 1].level_count;
    if (levels < LEVELS_MIN && d.qty > touch)
        d.qty = touch;
    if (levels == 1 && d.qty == touch && touch > 1)
        d.qty--;
    d.price = bbo->price[other - 1] + (d.side == SIDE_BUY ? through : -through);
    if (!m->symbol.any_price && d.price < 1)
        d.price = 1;
    return d;
}

/* Whether somebody cancels now; who places else, and comes more often where the spread is wide. */
static bool cancels(struct flow_market *m, const struct bbo_state *bbo, uint64_t now_ns)
{
    uint32_t count = m->orders.count;
    struct touch t = touch_of(m, bbo);
    unsigned bin = spread_bin(m, &t);
    double eager = flow_behind_share + flow_inside[bin] + flow_at[bin];
    double cancel = m->mix.cancel, limit = m->mix.limit * fmax(1.0, eager);
    bool due = flow_orders_due(&m->orders, now_ns);
    if (count == ORDER_FLOW_OPEN_MAX || (due && count > ORDERS_MANY && cancel > 0.0))
        return true;
    if (due)
        cancel *= due_odds;
    else if (!flow_orders_due(&m->orders, now_ns + (uint64_t)(early_intervals * m->interval_ns)))
        cancel = 0.0;
    else
        limit *= due_odds;
    return flow_random_uniform(&m->random) * (cancel + limit) < cancel;
}

/* Whether the order is all that a level holds of a side with few. */
static bool needed(const struct book_pool *pool, const struct book *book, uint32_t order)
{
    const struct order *o = &pool->orders[order];
    return book->sides[o->side - 1].level_count < LEVELS_MIN &&
           pool->levels[o->level].order_count == 1;
}

/* How much more often aggressors come now, such that in the long run their share is the mix's
 * however wide the spread tends to be. */
static double eagerness(struct flow_market *m, const struct bbo_state *bbo)
{
    struct touch t = touch_of(m, bbo);
    double eager = flow_take[spread_bin(m, &t)];
    m->eagerness += (eager - m->eagerness) * eagerness_update;
    return eager / m->eagerness;
}

struct flow_decision flow_market_decide(struct flow_market *m, const struct book_pool *pool,
                                        const struct book *book, uint64_t now_ns)
{
    if (m->opening > 0)
        return place_opening(m);
    struct bbo_state bbo = book_bbo(pool, book);
    double share = flow_random_uniform(&m->random) * 100.0;
    m->bursting = (double)(now_ns - m->last_ns) < flow_burst * m->interval_ns;
    m->last_ns = now_ns;
    wander(m);
    if (m->orders.count > 0) {
        double eager = eagerness(m, &bbo), take_share = (m->mix.market + m->mix.ioc) * eager;
        if (share < take_share)
            return take(m, book, &bbo, share < m->mix.market * eager);
        share = (share - take_share) / (100.0 - take_share) * (100.0 - m->mix.market - m->mix.ioc);
        if (share < m->mix.amend)
            return amend(m, pool, &bbo);
    }
    if (cancels(m, &bbo, now_ns) && !needed(pool, book, flow_orders_first(&m->orders)))
        return cancel(m);
    return place(m, book, &bbo);
}
