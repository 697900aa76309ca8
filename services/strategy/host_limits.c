/* host_limits: what a strategy may not do. Each limit holds whatever is on its way: an order counts
 * as if it were filled whole, from when it is sent until it is known to be done. */
#include <inttypes.h>

#include "strategy/strategy_host_parts.h"

enum {
    TENTH_NS = 100000000,
    MICRO_HALVES = 2000000, /* of what ledger_total_micro_halves counts in, to a tick x lot */
};

/* ---- messages ---- */

static void tenths_pass(trader_t *t)
{
    uint64_t now = t->host->now_ns / TENTH_NS;
    for (unsigned i = 0; t->tenth < now && i < HOST_TENTHS; i++) {
        t->tenth++;
        t->sent_count -= t->sent[t->tenth % HOST_TENTHS];
        t->sent[t->tenth % HOST_TENTHS] = 0;
    }
    t->tenth = now;
}

void host_limits_count(trader_t *t)
{
    tenths_pass(t);
    t->sent[t->tenth % HOST_TENTHS]++;
    t->sent_count++;
}

/* Whether one more order (room for its cancel is needed as well) or amend may be sent. */
static bool message_fits(trader_t *t, bool order)
{
    tenths_pass(t);
    uint32_t most = t->spec.limits.messages_per_second;
    unsigned needed = order ? 2 : 1;
    return (most == 0 || t->sent_count < most) &&
           t->unanswered + t->reserve + needed <= STRATEGY_UNANSWERED_MAX;
}

/* ---- position ---- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Lots an order may still trade. */
static int64_t exposure(const struct held_order *o)
{
    return larger(0, larger(o->own.qty, o->amend_qty) - o->own.filled_qty);
}

/* Whether the position stays within its limit if everything of this side, and `more`, is filled.
 * Where there is none, it stays a number. */
static bool position_fits(const trader_t *t, enum side side, int64_t more)
{
    int64_t most = t->spec.limits.position_max > 0 ? t->spec.limits.position_max : INT64_MAX;
    notional_t position = t->ledger.position;
    notional_t reach = (side == SIDE_SELL ? -position : position) + more;
    for (unsigned i = 0; i < t->working_count; i++) {
        const struct held_order *o = &t->slots[t->working[i]];
        if (o->own.side == side)
            reach += exposure(o);
    }
    return reach <= most;
}

static bool size_fits(const trader_t *t, int64_t qty)
{
    return t->spec.limits.order_max <= 0 || qty <= t->spec.limits.order_max;
}

/* ---- what is asked for ---- */

enum own_refusal host_limits_place(trader_t *t, const struct order_request *r)
{
    if (t->stopping)
        return OWN_REFUSED_STOPPING;
    if (!host_market_known(t->market))
        return OWN_REFUSED_BOOK;
    if (!size_fits(t, r->qty))
        return OWN_REFUSED_ORDER_SIZE;
    if (r->qty > 0 && !position_fits(t, r->side, r->qty))
        return OWN_REFUSED_POSITION; /* of less than a lot the exchange makes nothing */
    if (t->working_count == STRATEGY_WORKING_MAX)
        return OWN_REFUSED_WORKING;
    return message_fits(t, true) ? OWN_REFUSED_NOT : OWN_REFUSED_RATE;
}

enum own_refusal host_limits_amend(trader_t *t, const struct held_order *o, int64_t open_qty)
{
    int64_t more = open_qty - exposure(o); /* no other amend is on its way */
    if (t->stopping)
        return OWN_REFUSED_STOPPING;
    if (!host_market_known(t->market))
        return OWN_REFUSED_BOOK;
    if (more > 0 && !size_fits(t, o->own.filled_qty + open_qty))
        return OWN_REFUSED_ORDER_SIZE;
    if (more > 0 && !position_fits(t, o->own.side, more))
        return OWN_REFUSED_POSITION;
    return message_fits(t, false) ? OWN_REFUSED_NOT : OWN_REFUSED_RATE;
}

/* ---- loss ---- */

/* What so many ticks x lots are, as a decimal; one of more than 18 digits behind the point, which
 * no symbol needs, is said in ticks x lots. */
static void money_text(char text[DECIMAL_TEXT_SIZE], notional_t money,
                       const struct parameter_units *units)
{
    struct decimal_unit unit;
    if (!parameter_units_money(units, &unit))
        unit = (struct decimal_unit){1, 0};
    decimal_from_sum(text, money, &unit);
}

void host_limits_loss(trader_t *t)
{
    const struct strategy_limits *l = &t->spec.limits;
    if (!l->has_loss_max || t->stopping || t->unpriced || !t->market->has_mid)
        return;
    notional_t loss = -ledger_total_micro_halves(&t->ledger, t->market->twice_mid);
    notional_t whole = loss / MICRO_HALVES;
    bool more = loss % MICRO_HALVES > 0;
    if (loss <= 0 || whole < l->loss_max || (whole == l->loss_max && !more))
        return;
    char found[DECIMAL_TEXT_SIZE], most[DECIMAL_TEXT_SIZE], why[HOST_WHY_SIZE];
    money_text(found, more ? whole + 1 : whole, &t->spec.symbol.units);
    money_text(most, l->loss_max, &t->spec.symbol.units);
    snprintf(why, sizeof why, "loss of %s passed loss_max %s", found, most);
    host_stop(t, why);
}
