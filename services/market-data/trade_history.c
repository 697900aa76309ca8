#include "market-data/trade_history.h"

#include "base/check.h"
#include "base/decimal.h"
#include "base/memory.h"

void trade_history_init(struct trade_history *h)
{
    *h = (struct trade_history){.trades = memory_new(TRADES_KEPT, sizeof *h->trades, "trades")};
}

void trade_history_close(struct trade_history *h)
{
    memory_free(h->trades, TRADES_KEPT, sizeof *h->trades);
    *h = (struct trade_history){0};
}

void trade_history_forget(struct trade_history *h)
{
    *h = (struct trade_history){.trades = h->trades};
}

void trade_history_join(struct trade_history *h, const struct frame_head *head, uint64_t trade_seq)
{
    if (h->epoch == head->epoch && h->last_seq == trade_seq)
        return; /* nothing was missed */
    trade_history_forget(h);
    h->epoch = head->epoch;
    h->last_seq = trade_seq;
    /* When the epoch began is told nowhere, and when we joined it is no part of its history: two
     * replicas that both saw every trade must say the same. */
    h->totals.since_seq = trade_seq == 0 ? 1 : head->seq + 1;
    h->totals.since_ns = trade_seq == 0 ? 0 : head->time_ns;
}

/* Unsigned, so that a sum nobody foresaw wraps round and is not undefined. */
static void sum_add(int64_t *high, uint64_t *low, wide_t value)
{
    uwide_t sum = ((uwide_t)(uint64_t)*high << 64 | *low) + (uwide_t)value;
    *high = (int64_t)(uint64_t)(sum >> 64);
    *low = (uint64_t)sum;
}

static void totals_add(struct trade_totals *all, const struct trade *t)
{
    const struct i64_or_nil price = {t->price, true};
    sum_add(&all->qty_high, &all->qty_low, t->qty);
    sum_add(&all->notional_high, &all->notional_low, (wide_t)t->price * t->qty);
    if (all->trade_count++ == 0)
        all->first_price = all->high_price = all->low_price = price;
    if (t->price > all->high_price.value)
        all->high_price = price;
    if (t->price < all->low_price.value)
        all->low_price = price;
    all->last_price = price;
}

void trade_history_add(struct trade_history *h, uint64_t seq, const struct trade *t)
{
    h->trades[h->totals.trade_count % TRADES_KEPT] = (struct past_trade){
        .seq = seq,
        .trade_id = t->trade_id,
        .maker_order_id = t->maker_order_id,
        .taker_order_id = t->taker_order_id,
        .price = t->price,
        .qty = t->qty,
        .aggressor = t->aggressor,
    };
    totals_add(&h->totals, t);
    h->last_seq = seq;
    h->group_count++;
}

void trade_history_group_end(struct trade_history *h, uint64_t time_ns)
{
    for (; h->group_count > 0; h->group_count--)
        h->trades[(h->totals.trade_count - h->group_count) % TRADES_KEPT].time_ns = time_ns;
}

uint64_t trade_history_kept(const struct trade_history *h)
{
    return h->totals.trade_count < TRADES_KEPT ? h->totals.trade_count : TRADES_KEPT;
}

const struct past_trade *trade_history_at(const struct trade_history *h, uint64_t index)
{
    CHECK(index < trade_history_kept(h));
    return &h->trades[(h->totals.trade_count - trade_history_kept(h) + index) % TRADES_KEPT];
}
