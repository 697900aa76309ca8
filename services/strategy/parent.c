#include "strategy/parent.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "strategy/touch.h"

enum { REJECT_CODE_MIN = 1000 }; /* below: why something accepted ended (proto/value_table.h) */

void parent_init(struct parent *p, const trader_t *t)
{
    *p = (struct parent){
        .side = trader_number(t, "side") == 0 ? SIDE_BUY : SIDE_SELL,
        .style = (enum parent_style)trader_number(t, "style"),
        .limit_price = trader_number(t, "limit_price"),
        .pace_ns = (uint64_t)trader_number(t, "pace"),
        .quantity = trader_number(t, "quantity"),
        .clip_min = 1,
        .clip_max = INT64_MAX,
    };
}

bool parent_check(const struct parameters *parameters, char error[PARAMETER_ERROR_SIZE])
{
    const struct parameter_value *quantity = parameters_get(parameters, "quantity");
    if (quantity->number > 0)
        return true;
    snprintf(error, PARAMETER_ERROR_SIZE, "quantity: found \"%.60s\", expected one above zero",
             quantity->text);
    return false;
}

void parent_aim(struct parent *p, int64_t goal)
{
    p->goal = goal < p->quantity ? goal : p->quantity;
}

void parent_take(struct parent *p, enum parent_take take)
{
    p->take = take;
}

bool parent_idle(const struct parent *p)
{
    return p->child == 0 && p->take == PARENT_TAKE_NOT;
}

/* ---- what became of a child ---- */

static void refused(struct parent *p, uint64_t now_ns, const struct own_order *o)
{
    p->refusals++;
    p->refusal = o->refusal;
    p->reason = o->reason;
    p->obstacle = o->refusal == OWN_REFUSED_STOPPING ? PARENT_STOPPED : PARENT_REFUSED;
    p->ready_ns = now_ns + p->pace_ns;
}

/* Its last word: o is done. */
static void child_done(struct parent *p, uint64_t now_ns, const struct own_order *o)
{
    bool whole = o->filled_qty > 0 && o->filled_qty >= o->qty;
    bool ioc = o->time_in_force == TIME_IN_FORCE_IOC;
    bool pulled = p->pulling;
    p->child = 0;
    p->pulling = false;
    if (ioc)
        p->take = PARENT_TAKE_NOT;
    if (whole)
        return;
    if (ioc && p->style == PARENT_AGGRESSIVE)
        p->ready_ns = now_ns + p->pace_ns;
    if (o->refusal != OWN_REFUSED_NOT || o->reason >= REJECT_CODE_MIN)
        refused(p, now_ns, o);
    else if (ioc)
        p->obstacle = o->type == ORDER_TYPE_LIMIT && p->limit_price == o->price
                          ? PARENT_LIMIT_PRICE
                          : PARENT_NO_LIQUIDITY;
    else if (!pulled) {
        p->obstacle = PARENT_STOPPED;
        p->ready_ns = now_ns + p->pace_ns;
    }
}

void parent_order(struct parent *p, const trader_t *t, const struct own_order *o)
{
    if (o->number != p->child)
        return;
    p->filled += o->filled_qty - p->child_filled;
    p->child_filled = o->filled_qty;
    CHECK(p->filled <= p->quantity);
    if (o->state == OWN_DONE)
        child_done(p, trader_now_ns(t), o);
}

/* ---- what to do ---- */

/* Whether a is a worse price to us than b: higher for a buyer. */
static bool worse(const struct parent *p, int64_t a, int64_t b)
{
    return p->side == SIDE_BUY ? a > b : a < b;
}

static bool beyond_limit(const struct parent *p, int64_t price)
{
    return p->limit_price != PARAMETER_NONE && worse(p, price, p->limit_price);
}

/* Where it rests: with the best of its side or, if nobody is there, a tick from the other's. */
static bool resting_price(const struct parent *p, const trader_t *t, int64_t *price)
{
    struct market_level level;
    if (touch_best(t, p->side, &level))
        *price = level.price;
    else if (touch_best(t, side_opposite(p->side), &level))
        *price = p->side == SIDE_BUY ? level.price - 1 : level.price + 1;
    else
        return false;
    if (beyond_limit(p, *price))
        *price = p->limit_price;
    return true;
}

static void send(struct parent *p, trader_t *t, const struct order_request *request)
{
    p->child = trader_place(t, request);
    p->child_filled = 0;
    p->pulling = false;
    p->children++;
}

static void rest(struct parent *p, trader_t *t, int64_t qty)
{
    struct order_request request = {.side = p->side,
                                    .type = ORDER_TYPE_LIMIT,
                                    .time_in_force = TIME_IN_FORCE_GTC,
                                    .post_only = true,
                                    .qty = qty};
    p->obstacle = PARENT_NO_LIQUIDITY; /* until somebody comes */
    if (resting_price(p, t, &request.price))
        send(p, t, &request);
}

/* all: as far as it may; else at the best price of the other side. False: there is nothing. */
static bool cross(struct parent *p, trader_t *t, int64_t qty, bool all)
{
    struct market_level level;
    p->obstacle = PARENT_NO_LIQUIDITY;
    if (!touch_best(t, side_opposite(p->side), &level))
        return false;
    if (beyond_limit(p, level.price)) {
        p->obstacle = PARENT_LIMIT_PRICE;
        return false;
    }
    bool market = all && p->limit_price == PARAMETER_NONE;
    struct order_request request = {.side = p->side,
                                    .type = market ? ORDER_TYPE_MARKET : ORDER_TYPE_LIMIT,
                                    .time_in_force = TIME_IN_FORCE_IOC,
                                    .price = all ? p->limit_price : level.price,
                                    .qty = qty};
    send(p, t, &request);
    return true;
}

/* Where it rests, follow the best price; an amend that was refused would be refused again. */
static void follow(struct parent *p, trader_t *t, const struct own_order *o)
{
    int64_t price;
    if (!touch_settled(t) || !resting_price(p, t, &price) || price == o->price)
        return;
    if (o->reason < REJECT_CODE_MIN)
        trader_amend(t, p->child, price, o->open_qty);
    else
        p->pulling = trader_cancel(t, p->child);
}

static void look_after_child(struct parent *p, trader_t *t)
{
    const struct own_order *o = trader_order(t, p->child);
    if (o == NULL || p->pulling || o->time_in_force != TIME_IN_FORCE_GTC)
        return;
    if (p->filled + o->open_qty > p->goal || p->take != PARENT_TAKE_NOT)
        p->pulling = trader_cancel(t, p->child);
    else
        follow(p, t, o);
}

void parent_step(struct parent *p, trader_t *t)
{
    if (p->child != 0) {
        look_after_child(p, t);
        return;
    }
    int64_t left = p->goal - p->filled;
    int64_t qty = left < p->clip_max ? left : p->clip_max;
    bool enough = qty >= p->clip_min || p->goal == p->quantity; /* the rest may be smaller */
    bool stopped = p->refusal == OWN_REFUSED_STOPPING;
    if (left <= 0 || !enough || stopped)
        p->take = PARENT_TAKE_NOT;
    else if (p->take != PARENT_TAKE_NOT) {
        if (!cross(p, t, qty, p->take == PARENT_TAKE_ALL))
            p->take = PARENT_TAKE_NOT;
    } else if (trader_now_ns(t) < p->ready_ns)
        return;
    else if (p->style == PARENT_PASSIVE)
        rest(p, t, qty);
    else
        cross(p, t, qty, false);
}

uint64_t parent_due_ns(const struct parent *p, uint64_t now_ns)
{
    bool waits = p->child == 0 && p->goal > p->filled && now_ns < p->ready_ns;
    return waits ? p->ready_ns : UINT64_MAX;
}

/* ---- words ---- */

void parent_describe(const struct parent *p, char *text, size_t size)
{
    snprintf(text, size, "%s %" PRId64 " of %" PRId64 " lots",
             p->side == SIDE_BUY ? "bought" : "sold", p->filled, p->quantity);
}

static const char *const refusals[] = {
    [OWN_REFUSED_NOT] = "the exchange",
    [OWN_REFUSED_POSITION] = "the limit position_max",
    [OWN_REFUSED_ORDER_SIZE] = "order_max",
    [OWN_REFUSED_RATE] = "messages_per_second",
    [OWN_REFUSED_WORKING] = "the number of orders it may have",
    [OWN_REFUSED_STOPPING] = "its being stopped",
    [OWN_REFUSED_BOOK] = "a book that is not known to be right",
};

void parent_obstacle_words(const struct parent *p, char *text, size_t size)
{
    const char *why = "";
    char refusal[120];
    text[0] = '\0';
    if (p->filled == p->quantity)
        return;
    switch (p->obstacle) {
    case PARENT_FREE:
        break;
    case PARENT_NO_LIQUIDITY:
        why = ": there was no more liquidity";
        break;
    case PARENT_LIMIT_PRICE:
        why = ": the market was beyond limit_price";
        break;
    case PARENT_STOPPED:
        why = ": it was stopped, or its order cancelled by somebody else";
        break;
    case PARENT_REFUSED:
        snprintf(refusal, sizeof refusal, ": %" PRIu64 " orders were refused, the last by %s",
                 p->refusals, refusals[p->refusal]);
        if (p->refusal == OWN_REFUSED_NOT)
            snprintf(refusal + strlen(refusal), sizeof refusal - strlen(refusal), " (code %u)",
                     p->reason);
        why = refusal;
        break;
    }
    snprintf(text, size, ", %" PRId64 " not%s", p->quantity - p->filled, why);
}
