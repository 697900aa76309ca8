/* market_parts: what the files of a market need of each other. Private to them. */
#ifndef OUTCRY_GATEWAY_MARKET_PARTS_H
#define OUTCRY_GATEWAY_MARKET_PARTS_H

#include "gateway/market.h"

struct past_trade_row {
    uint64_t trade_id;
    uint64_t seq;
    uint64_t time_ns;
    int64_t price, qty;
    uint64_t aggressor; /* enum side; else none */
};

/* Trades there are, and one of them: 0 is the oldest. */
uint64_t market_trades_kept(const struct market *m);
const struct past_trade_row *market_trade_at(const struct market *m, uint64_t index);

/* ---- market_json.c ---- */

/* The members of a book, in an object that is open. */
void market_put_book_members(const struct market *m, struct json_writer *j, uint64_t depth,
                             unsigned level);

/* `aggressor_side`. */
void market_put_aggressor(struct json_writer *j, uint64_t aggressor);

/* ---- market_feed.c ---- */

/* The topic has joined: the first messages, to all who watch one of its channels. */
void market_feed_book_joined(struct market *m);
void market_feed_trades_joined(struct market *m);

/* An event the book has followed, or a trade: kept until the end of its frame, or group. */
void market_feed_event(struct market *m, uint64_t seq, uint64_t type, struct wire_reader *fields);
void market_feed_trade(struct market *m, uint64_t seq, const struct trade *t);

/* The group is complete: the newest text kept is the last of its sequence. */
void market_feed_group_end(const struct market *m, struct market_texts *texts);

/* Tell what is kept, and what changed of the top. */
void market_feed_frame_end(struct market *m);
void market_feed_trades_end(struct market *m, uint64_t time_ns);

#endif
