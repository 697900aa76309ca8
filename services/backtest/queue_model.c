/* queue_model: what was recorded of levels, as commands. What others have at a price are anonymous
 * orders in the engine's own queue, ours among them where they arrived; so the engine does all the
 * trading, and the model only says where quantity goes that left without one (venue.h). */
#include "backtest/venue_parts.h"
#include "base/check.h"

enum { OTHERS = 1 }; /* the number of the anonymous account */

static struct text symbol_of(const venue_t *v)
{
    return text_of(recording_symbol(v->options.recording)->name);
}

static const struct order *order_of(const venue_t *v, uint32_t order)
{
    return &engine_pool(v->engine)->orders[order];
}

static bool of_others(const venue_t *v, uint32_t order)
{
    return order_of(v, order)->account == OTHERS;
}

static const struct book_level *level_of(const venue_t *v, enum side side, int64_t price)
{
    const struct book_pool *pool = engine_pool(v->engine);
    const struct book *b = engine_book(v->engine, v->news.symbol);
    uint32_t level =
        level_tree_find(&pool->nodes, b->sides[side - 1].tree, level_tree_key(side, price));
    return level == 0 ? NULL : &pool->levels[level];
}

static int64_t others_at(const venue_t *v, const struct book_level *level)
{
    int64_t qty = 0;
    for (uint32_t n = level == NULL ? 0 : level->head; n != 0; n = order_of(v, n)->next) {
        if (of_others(v, n))
            qty += order_of(v, n)->open_qty;
    }
    return qty;
}

/* ---- commands of others ---- */

static void place(venue_t *v, enum side side, enum time_in_force tif, int64_t price, int64_t qty)
{
    venue_apply(v, &(struct command){.type = MESSAGE_NEW_ORDER,
                                     .new_order = {.symbol = symbol_of(v),
                                                   .account = {"", 0},
                                                   .client_order_id = {"", 0},
                                                   .side = side,
                                                   .type = ORDER_TYPE_LIMIT,
                                                   .time_in_force = tif,
                                                   .stp = STP_NONE,
                                                   .price = {price, true},
                                                   .qty = qty}});
    if (engine_result(v->engine).outcome.code != 0)
        v->counts.refused++;
}

/* Off one order, which keeps its place if something is left of it. */
static void take_off(venue_t *v, uint32_t order, int64_t qty)
{
    venue_apply(v, &(struct command){.type = MESSAGE_AMEND_ORDER,
                                     .amend_order = {.symbol = symbol_of(v),
                                                     .account = {"", 0},
                                                     .order_id = order_of(v, order)->order_id,
                                                     .client_order_id = {"", 0},
                                                     .qty_is = QTY_IS_REDUCE_BY,
                                                     .qty = {qty, true}}});
    CHECK(engine_result(v->engine).outcome.code == 0);
}

/* Off the orders of others from `last` on towards the front, ours passed over; `until`, an order
 * before them or 0, is not reached. */
static void take_back(venue_t *v, uint32_t last, uint32_t until, int64_t qty)
{
    while (qty > 0 && last != until) {
        const struct order *o = order_of(v, last);
        uint32_t before = o->prev;
        if (of_others(v, last)) {
            int64_t here = o->open_qty < qty ? o->open_qty : qty;
            qty -= here;
            take_off(v, last, here);
        }
        last = before;
    }
    CHECK(qty == 0);
}

/* ---- what a level has too much ---- */

/* A run of others' orders with none of ours between, from its last order back. */
struct stretch {
    uint32_t last;
    uint32_t before; /* the order before its first; 0: none */
    int64_t qty;
};

/* The last stretch at or before an order. */
static struct stretch stretch_back(const venue_t *v, uint32_t order)
{
    struct stretch s = {.last = order};
    while (s.last != 0 && !of_others(v, s.last))
        s.last = order_of(v, s.last)->prev;
    for (s.before = s.last; s.before != 0 && of_others(v, s.before);
         s.before = order_of(v, s.before)->prev)
        s.qty += order_of(v, s.before)->open_qty;
    return s;
}

static int64_t share(int64_t excess, int64_t qty, int64_t total)
{
    return (int64_t)((wide_t)excess * qty / total);
}

static void take_proportional(venue_t *v, uint32_t tail, int64_t excess, int64_t total)
{
    int64_t left = excess; /* what cutting to lots leaves over: fewer lots than stretches */
    for (struct stretch s = stretch_back(v, tail); s.last != 0; s = stretch_back(v, s.before))
        left -= share(excess, s.qty, total);
    for (struct stretch s = stretch_back(v, tail); s.last != 0;) {
        int64_t here = share(excess, s.qty, total);
        int64_t more = s.qty - here < left ? s.qty - here : left;
        left -= more;
        take_back(v, s.last, s.before, here + more);
        s = stretch_back(v, s.before);
    }
    CHECK(left == 0);
}

/* ---- what a level contradicts ---- */

static bool meets(enum side side, int64_t price, const struct book_level *other)
{
    return side == SIDE_BUY ? other->price <= price : other->price >= price;
}

/* The first order of others on the other side that a level here would trade with; 0: none. */
static uint32_t out_of_date(const venue_t *v, enum side side, int64_t price)
{
    const struct book_pool *pool = engine_pool(v->engine);
    const struct book *b = engine_book(v->engine, v->news.symbol);
    uint32_t l = b->sides[(side == SIDE_BUY ? SIDE_SELL : SIDE_BUY) - 1].best;
    for (; l != 0 && meets(side, price, &pool->levels[l]); l = pool->levels[l].worse) {
        for (uint32_t n = pool->levels[l].head; n != 0; n = order_of(v, n)->next) {
            if (of_others(v, n))
                return n;
        }
    }
    return 0;
}

/* ---- updates ---- */

static void set_level(venue_t *v, const struct recorded *e)
{
    uint32_t old;
    while (e->qty > 0 && (old = out_of_date(v, e->side, e->price)) != 0)
        take_off(v, old, order_of(v, old)->open_qty);
    const struct book_level *level = level_of(v, e->side, e->price);
    int64_t others = others_at(v, level);
    if (others < e->qty)
        place(v, e->side, TIME_IN_FORCE_GTC, e->price, e->qty - others);
    else if (others > e->qty && v->options.queue_model == QUEUE_BACK)
        take_back(v, level->tail, 0, others - e->qty);
    else if (others > e->qty)
        take_proportional(v, level->tail, others - e->qty, others);
}

void queue_model_update(venue_t *v, const struct recorded *e)
{
    if (e->trade)
        place(v, e->side, TIME_IN_FORCE_IOC, e->price, e->qty);
    else
        set_level(v, e);
    v->counts.recorded++;
    news_send(&v->news, v->now_ns);
    if (v->options.watch != NULL)
        v->options.watch(v->options.self, e, v->engine);
}
