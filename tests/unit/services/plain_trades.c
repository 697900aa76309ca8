#include "tests/unit/services/plain_trades.h"

#include "base/decimal.h"

bool plain_trades_add(struct plain_trades *p, uint64_t seq, uint64_t time_ns,
                      struct wire_reader *fields)
{
    struct trade t;
    if (p->count == PLAIN_TRADES)
        return false;
    trade_get_fields(fields, &t);
    p->trades[p->count++] = (struct past_trade){
        seq, time_ns, t.trade_id, t.maker_order_id, t.taker_order_id, t.price, t.qty, t.aggressor};
    return true;
}

bool trades_told_event(struct trades_told *t, uint64_t type, struct wire_reader *fields)
{
    if (type == MESSAGE_TRADE_TOTALS) {
        trade_totals_get_fields(fields, &t->totals);
        return t->count == 0;
    }
    if (type != MESSAGE_PAST_TRADE || t->count == PLAIN_TRADES_TOLD)
        return type == MESSAGE_BOOK_POSITION;
    past_trade_get_fields(fields, &t->trades[t->count++]);
    return true;
}

static bool same_trade(const struct past_trade *a, const struct past_trade *b)
{
    return a->seq == b->seq && a->time_ns == b->time_ns && a->trade_id == b->trade_id &&
           a->maker_order_id == b->maker_order_id && a->taker_order_id == b->taker_order_id &&
           a->price == b->price && a->qty == b->qty && a->aggressor == b->aggressor;
}

static bool is(struct i64_or_nil told, bool given, int64_t value)
{
    return told.given == given && (!given || told.value == value);
}

/* Totals against these trades, one by one. */
static bool totals_fit(const struct trade_totals *all, const struct past_trade *trades,
                       unsigned count)
{
    wide_t qty = 0, notional = 0;
    int64_t high = INT64_MIN, low = INT64_MAX;
    for (unsigned i = 0; i < count; i++) {
        qty += trades[i].qty;
        notional += (wide_t)trades[i].qty * trades[i].price;
        high = trades[i].price > high ? trades[i].price : high;
        low = trades[i].price < low ? trades[i].price : low;
    }
    return all->trade_count == count && all->qty_high == (int64_t)(qty >> 64) &&
           all->qty_low == (uint64_t)qty && all->notional_high == (int64_t)(notional >> 64) &&
           all->notional_low == (uint64_t)notional &&
           is(all->first_price, count > 0, count > 0 ? trades[0].price : 0) &&
           is(all->last_price, count > 0, count > 0 ? trades[count - 1].price : 0) &&
           is(all->high_price, count > 0, high) && is(all->low_price, count > 0, low);
}

bool plain_trades_fit(const struct plain_trades *p, uint64_t at, const struct trades_told *t)
{
    unsigned first = 0, end = p->count;
    while (first < end && p->trades[first].seq < t->totals.since_seq)
        first++;
    while (end > first && p->trades[end - 1].seq > at)
        end--;
    unsigned kept = end - first < PLAIN_TRADES_TOLD ? end - first : PLAIN_TRADES_TOLD;
    if (t->count != kept || !totals_fit(&t->totals, &p->trades[first], end - first))
        return false;
    for (unsigned i = 0; i < kept; i++) {
        if (!same_trade(&t->trades[i], &p->trades[end - kept + i]))
            return false;
    }
    if (t->totals.since_seq == 1)
        return t->totals.since_ns == 0;
    return t->totals.since_seq <= at + 1 && t->totals.since_ns > 0 &&
           (first == end || t->totals.since_ns <= p->trades[first].time_ns);
}
