#include "gateway/market.h"

#include <stdio.h>

#include "base/memory.h"
#include "gateway/market_parts.h"

void market_init(struct market *m, const struct market_sink *sink, uint32_t symbol,
                 const char *name, const struct decimal_unit *tick, const struct decimal_unit *lot,
                 struct book_pool *pool, char *scratch)
{
    *m = (struct market){
        .sink = sink,
        .symbol = symbol,
        .tick = *tick,
        .lot = *lot,
        .notional_known = true,
        .trades = memory_new(MARKET_TRADES_KEPT, sizeof *m->trades, "the last trades"),
        .scratch = scratch,
    };
    snprintf(m->name, sizeof m->name, "%s", name);
    mirror_init(&m->mirror, pool);
}

void market_close(struct market *m)
{
    market_book_reset(m);
    memory_free(m->trades, MARKET_TRADES_KEPT, sizeof *m->trades);
    *m = (struct market){0};
}

/* ---- from `l3.` ---- */

void market_book_reset(struct market *m)
{
    mirror_reset(&m->mirror);
    m->book_known = false;
    m->book_texts = (struct market_texts){0};
}

void market_book_snapshot_event(struct market *m, uint64_t type, struct wire_reader *fields)
{
    mirror_event(&m->mirror, type, fields);
}

void market_book_joined(struct market *m, const struct frame_head *head)
{
    m->epoch = head->epoch;
    m->book_seq = head->seq;
    m->book_ns = head->time_ns;
    m->book_known = true;
    market_feed_book_joined(m);
}

void market_book_event(struct market *m, uint64_t seq, uint64_t type, struct wire_reader *fields)
{
    struct wire_reader again = *fields;
    mirror_event(&m->mirror, type, fields);
    if (!m->mirror.broken && m->sink->watched(m->sink->self, m->symbol, CHANNEL_EVENTS))
        market_feed_event(m, seq, type, &again);
}

void market_book_group_end(struct market *m, uint64_t seq, const struct frame_head *head)
{
    (void)seq;
    (void)head; /* its time is told with the frame */
    market_feed_group_end(m, &m->book_texts);
}

void market_book_frame_end(struct market *m, const struct frame_head *head)
{
    m->book_seq = head->seq;
    m->book_ns = head->time_ns;
    market_feed_frame_end(m);
}

struct u64_or_nil market_book_hash(const struct market *m)
{
    return (struct u64_or_nil){mirror_hash(&m->mirror), true};
}

bool market_queue_ahead(const struct market *m, uint64_t order_id, int64_t *qty)
{
    *qty = m->book_known ? book_ahead(m->mirror.pool, order_id, MARKET_QUEUE_MAX) : -1;
    return *qty >= 0;
}

/* ---- from `trade.` ---- */

uint64_t market_trades_kept(const struct market *m)
{
    return m->trade_count < MARKET_TRADES_KEPT ? m->trade_count : MARKET_TRADES_KEPT;
}

const struct past_trade_row *market_trade_at(const struct market *m, uint64_t index)
{
    return &m->trades[(m->trade_count - market_trades_kept(m) + index) % MARKET_TRADES_KEPT];
}

static void keep_trade(struct market *m, const struct past_trade_row *row)
{
    m->trades[m->trade_count++ % MARKET_TRADES_KEPT] = *row;
}

void market_trades_reset(struct market *m)
{
    m->trades_known = false;
    m->trade_count = 0;
    m->group_trade_count = 0;
    m->totals = (struct trade_totals){0};
    m->notional_known = true;
    m->trade_texts = (struct market_texts){0};
}

void market_trades_snapshot_event(struct market *m, uint64_t type, struct wire_reader *fields)
{
    struct past_trade p;
    if (type == MESSAGE_TRADE_TOTALS) {
        trade_totals_get_fields(fields, &m->totals);
    } else if (type == MESSAGE_PAST_TRADE) {
        past_trade_get_fields(fields, &p);
        keep_trade(
            m, &(struct past_trade_row){p.trade_id, p.seq, p.time_ns, p.price, p.qty, p.aggressor});
    }
}

void market_trades_joined(struct market *m, const struct frame_head *head)
{
    m->trades_epoch = head->epoch;
    m->trades_known = true;
    market_feed_trades_joined(m);
}

/* Add to a sum told in two halves; false, and it is not changed, if it would be beyond 128 bits:
 * prices and quantities come from the network, and may be anything. */
static bool sum_add(int64_t *high, uint64_t *low, wide_t value)
{
    wide_t sum = (wide_t)((uwide_t)(uint64_t)*high << 64 | *low);
    if (__builtin_add_overflow(sum, value, &sum))
        return false;
    *high = (int64_t)(sum >> 64);
    *low = (uint64_t)sum;
    return true;
}

static void count_trade(struct market *m, const struct trade *t)
{
    struct trade_totals *all = &m->totals;
    struct i64_or_nil price = {t->price, true};
    all->trade_count++;
    sum_add(&all->qty_high, &all->qty_low, t->qty);
    if (!sum_add(&all->notional_high, &all->notional_low, (wide_t)t->price * t->qty))
        m->notional_known = false;
    if (!all->first_price.given)
        all->first_price = price;
    if (!all->high_price.given || t->price > all->high_price.value)
        all->high_price = price;
    if (!all->low_price.given || t->price < all->low_price.value)
        all->low_price = price;
    all->last_price = price;
}

void market_trade(struct market *m, uint64_t seq, uint64_t type, struct wire_reader *fields)
{
    struct trade t;
    if (type != MESSAGE_TRADE)
        return;
    trade_get_fields(fields, &t);
    keep_trade(m, &(struct past_trade_row){t.trade_id, seq, 0, t.price, t.qty, t.aggressor});
    m->group_trade_count++;
    count_trade(m, &t);
    if (m->sink->watched(m->sink->self, m->symbol, CHANNEL_TRADES))
        market_feed_trade(m, seq, &t);
}

void market_trades_group_end(struct market *m, uint64_t seq, const struct frame_head *head)
{
    (void)seq;
    uint64_t kept = market_trades_kept(m);
    uint64_t count = m->group_trade_count < kept ? m->group_trade_count : kept;
    for (uint64_t i = 1; i <= count; i++)
        m->trades[(m->trade_count - i) % MARKET_TRADES_KEPT].time_ns = head->time_ns;
    m->group_trade_count = 0;
    market_feed_group_end(m, &m->trade_texts);
    market_feed_trades_end(m, head->time_ns);
}
