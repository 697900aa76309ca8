/* market_json: a market as JSON: answers of REST, and what messages share with them. Prices are in
 * ticks and quantities in lots until here. */
#include "gateway/market_parts.h"
#include "proto/catalog.h"

/* ---- a book ---- */

static void put_level(struct json_writer *j, const struct market *m, const struct book_level *l)
{
    json_array_begin(j, NULL);
    json_units(j, NULL, l->price, &m->tick);
    json_units(j, NULL, l->qty, &m->lot);
    json_array_end(j);
}

static void put_queue(struct json_writer *j, const struct market *m, const struct book_level *l)
{
    const struct order *orders = m->mirror.pool->orders;
    for (uint32_t n = l->head; n != 0 && !j->full; n = orders[n].next) {
        json_array_begin(j, NULL);
        json_units(j, NULL, l->price, &m->tick);
        json_units(j, NULL, orders[n].open_qty, &m->lot);
        json_id(j, NULL, orders[n].order_id);
        json_u64(j, NULL, orders[n].priority);
        json_array_end(j);
    }
}

static void put_side(struct json_writer *j, const char *key, const struct market *m, enum side side,
                     uint64_t depth, unsigned level)
{
    const struct book_level *levels = m->mirror.pool->levels;
    uint64_t count = 0;
    json_array_begin(j, key);
    for (uint32_t n = m->mirror.book.sides[side - 1].best; n != 0 && !j->full;
         n = levels[n].worse) {
        if (depth != 0 && count++ == depth)
            break;
        if (level == 3)
            put_queue(j, m, &levels[n]);
        else
            put_level(j, m, &levels[n]);
    }
    json_array_end(j);
}

/* Where the book stands. */
static void put_position(struct json_writer *j, const struct market *m)
{
    json_string(j, "symbol", m->name);
    json_u64(j, "epoch", m->epoch);
    json_u64(j, "seq", m->book_seq);
    json_time(j, "timestamp", m->book_ns);
    json_u64(j, "ts", m->book_ns / 1000);
}

void market_put_book_members(const struct market *m, struct json_writer *j, uint64_t depth,
                             unsigned level)
{
    const struct book *b = &m->mirror.book;
    put_position(j, m);
    put_side(j, "bids", m, SIDE_BUY, depth, level);
    put_side(j, "asks", m, SIDE_SELL, depth, level);
    json_hash(j, "hash", level == 3 ? b->l3_hash : b->l2_hash);
}

void market_put_book(const struct market *m, struct json_writer *j, uint64_t depth, unsigned level)
{
    json_object_begin(j, NULL);
    market_put_book_members(m, j, depth, level);
    json_object_end(j);
}

/* ---- trades ---- */

void market_put_aggressor(struct json_writer *j, uint64_t aggressor)
{
    if (aggressor == SIDE_BUY || aggressor == SIDE_SELL)
        json_string(j, "aggressor_side", catalog_value_text(KIND_side, aggressor));
    else
        json_null(j, "aggressor_side");
}

static void put_trade(struct json_writer *j, const struct market *m,
                      const struct past_trade_row *row)
{
    json_object_begin(j, NULL);
    json_id(j, "trade_id", row->trade_id);
    json_units(j, "price", row->price, &m->tick);
    json_units(j, "quantity", row->qty, &m->lot);
    market_put_aggressor(j, row->aggressor);
    json_u64(j, "epoch", m->trades_epoch);
    json_u64(j, "seq", row->seq);
    json_time(j, "timestamp", row->time_ns);
    json_u64(j, "ts", row->time_ns / 1000);
    json_object_end(j);
}

void market_put_trades(const struct market *m, struct json_writer *j, uint64_t before_trade_id,
                       unsigned limit, uint64_t *next, bool *more)
{
    uint64_t left = market_trades_kept(m), last = 0;
    while (before_trade_id != 0 && left > 0 &&
           market_trade_at(m, left - 1)->trade_id >= before_trade_id)
        left--;
    json_array_begin(j, "data");
    for (; limit > 0 && left > 0; limit--, left--) {
        const struct past_trade_row *row = market_trade_at(m, left - 1);
        put_trade(j, m, row);
        last = row->trade_id;
    }
    json_array_end(j);
    *more = left > 0;
    *next = *more ? last : 0;
}

/* ---- totals ---- */

static wide_t sum_of(int64_t high, uint64_t low)
{
    return (wide_t)((uwide_t)(uint64_t)high << 64 | low);
}

static void put_price(struct json_writer *j, const char *key, const struct market *m,
                      struct i64_or_nil price)
{
    if (price.given)
        json_units(j, key, price.value, &m->tick);
    else
        json_null(j, key);
}

/* Null where there is none: no trades, or sums, which come from the network, that are not those of
 * trades. */
static void put_vwap(struct json_writer *j, const struct market *m, wide_t notional, wide_t qty)
{
    bool sound = m->notional_known && qty > 0;
    wide_t average = sound ? notional / qty : 0;
    if (sound && average <= INT64_MAX && average >= INT64_MIN)
        json_ratio(j, "vwap", notional, (uwide_t)qty, &m->tick);
    else
        json_null(j, "vwap");
}

static void put_totals(struct json_writer *j, const struct market *m)
{
    const struct trade_totals *all = &m->totals;
    wide_t qty = sum_of(all->qty_high, all->qty_low);
    if (all->since_ns != 0)
        json_time(j, "since", all->since_ns);
    else
        json_null(j, "since"); /* since the epoch began */
    json_u64(j, "since_seq", all->since_seq);
    json_u64(j, "trade_count", all->trade_count);
    json_sum(j, "volume", qty, &m->lot);
    put_vwap(j, m, sum_of(all->notional_high, all->notional_low), qty);
    put_price(j, "open", m, all->first_price);
    put_price(j, "high", m, all->high_price);
    put_price(j, "low", m, all->low_price);
    put_price(j, "last", m, all->last_price);
}

void market_put_stats(const struct market *m, struct json_writer *j)
{
    const struct book *b = &m->mirror.book;
    struct bbo_state bbo = book_bbo(m->mirror.pool, b);
    json_object_begin(j, NULL);
    put_position(j, m);
    put_totals(j, m);
    put_price(j, "best_bid", m, (struct i64_or_nil){bbo.price[0], bbo.qty[0] > 0});
    put_price(j, "best_ask", m, (struct i64_or_nil){bbo.price[1], bbo.qty[1] > 0});
    if (bbo.qty[0] > 0 && bbo.qty[1] > 0)
        json_sum(j, "spread", (wide_t)bbo.price[1] - bbo.price[0], &m->tick);
    else
        json_null(j, "spread");
    json_u64(j, "order_count", b->order_count);
    json_u64(j, "bid_levels", b->sides[SIDE_BUY - 1].level_count);
    json_u64(j, "ask_levels", b->sides[SIDE_SELL - 1].level_count);
    json_object_end(j);
}
