/* market: what a gateway knows of one symbol: the book, order by order, the last trades and the
 * totals since market-data knows of them; and how all of it is written as JSON, for REST answers
 * and for WebSockets.
 *
 * Fed from two topics of market-data: `l3.` (book, best bid and offer, events) and `trade.`
 * (trades, totals). It is pure: events and times in, JSON out. What is encoded for WebSockets is
 * encoded once per frame and channel, and only while somebody watches the channel.
 *
 *     market.c        the state, and what is fed to it
 *     market_json.c   the state as JSON
 *     market_feed.c   what is told to those who watch
 *
 * Each change of state is told as it is; a topic that joins anew (a new epoch, a fault) tells the
 * first messages of its channels again, and what was told before them is void. Where the first
 * message is too large to be told, it is {"type":"reset",...}: what was told is void, and the book
 * is to be read from REST.
 * Thread: owner only. Memory is taken by market_init. */
#ifndef OUTCRY_GATEWAY_MARKET_H
#define OUTCRY_GATEWAY_MARKET_H

#include "base/decimal.h"
#include "engine/mirror.h"
#include "gateway/json_writer.h"
#include "proto/frame.h"

/* What can be watched of a symbol: the paths /ws/<name>/{symbol}. */
enum channel {
    CHANNEL_MARKET_DATA, /* snapshot of the top, then `bbo` and `orderbook` (the whole top 10) */
    CHANNEL_TRADES,      /* recent trades, then `trade` */
    CHANNEL_EVENTS,      /* snapshot order by order, then every L3 event */
    CHANNEL_QUOTES,      /* `bbo` only */
    CHANNEL_COUNT,
};

/* How a message may be treated in the outbox of a WebSocket that lags. */
enum conflation {
    CONFLATION_NEVER, /* every one counts: trades, events, snapshots */
    CONFLATION_BBO,   /* a newer best bid and offer makes it pointless */
    CONFLATION_BOOK,  /* a newer top 10 does */
};

enum {
    MARKET_TOP_LEVELS = 10,
    MARKET_TRADES_KEPT = 1000,  /* as many as market-data tells of */
    MARKET_TRADES_RECENT = 100, /* of them, what a watcher of trades is told first */
};

/* Where encoded messages go. */
struct market_sink {
    void *self;
    /* One JSON text for everybody who watches the channel. BORROWS text. */
    void (*message)(void *self, uint32_t symbol, enum channel channel, enum conflation conflation,
                    const char *text, size_t size);
    /* Whether anybody does. */
    bool (*watched)(void *self, uint32_t symbol, enum channel channel);
};

/* One level as readers were told of it last; qty 0: there is none. */
struct market_level {
    int64_t price, qty;
};

/* Messages of one frame, or of one group of trades, that lie in the scratch until all is known that
 * they say: their time, and which is the last of its sequence. */
struct market_texts {
    size_t size;   /* bytes of the scratch they take */
    size_t newest; /* where the newest one begins */
    bool full;     /* there were more than the scratch holds */
};

struct past_trade_row; /* market_parts.h */

struct market {
    const struct market_sink *sink;
    uint32_t symbol; /* its index in the cluster's configuration */
    char name[SYMBOL_SIZE_MAX + 1];
    struct decimal_unit tick, lot;
    struct mirror mirror;
    /* The top as last told: by side - 1, best first. */
    struct market_level told[2][MARKET_TOP_LEVELS];
    uint64_t epoch;    /* of the book */
    uint64_t book_seq; /* of the last frame of `l3.`, or of the snapshot */
    uint64_t book_ns;  /* and its time */
    bool book_known;   /* joined */
    bool trades_known;
    uint64_t trades_epoch;
    struct past_trade_row *trades; /* ring of MARKET_TRADES_KEPT */
    uint64_t trade_count;          /* ever put into the ring */
    uint64_t group_trade_count;    /* of them, in the group being read: their time is not known */
    struct trade_totals totals;
    bool notional_known; /* else it was beyond 128 bits, and there is no average price */
    struct market_texts book_texts, trade_texts;
    char *scratch;
};

/* KEEPS sink, pool and scratch (shared by all markets; at least MARKET_SCRATCH_SIZE). tick and lot
 * are those of the configuration. */
enum { MARKET_SCRATCH_SIZE = 8 << 20 };
void market_init(struct market *m, const struct market_sink *sink, uint32_t symbol,
                 const char *name, const struct decimal_unit *tick, const struct decimal_unit *lot,
                 struct book_pool *pool, char *scratch);
void market_close(struct market *m);

/* ---- from `l3.` ---- */

/* Forget the book: its epoch is over, its hash was wrong, or a snapshot begins. */
void market_book_reset(struct market *m);
void market_book_snapshot_event(struct market *m, uint64_t type, struct wire_reader *fields);
/* Complete at the head's seq; everybody who watches gets the first messages of the channel. */
void market_book_joined(struct market *m, const struct frame_head *head);
/* What an event says to those who watch is kept in the scratch until the frame's end. No other
 * market may be fed, nor this one's trades, from a frame's first event to its end. */
void market_book_event(struct market *m, uint64_t seq, uint64_t type, struct wire_reader *fields);
void market_book_group_end(struct market *m, uint64_t seq, const struct frame_head *head);
/* A frame is through, its hash was right: what it changed is told to those who watch. */
void market_book_frame_end(struct market *m, const struct frame_head *head);
struct u64_or_nil market_book_hash(const struct market *m);

/* ---- from `trade.` ---- */

void market_trades_reset(struct market *m);
/* `trade_totals`, and `past_trade` oldest first. */
void market_trades_snapshot_event(struct market *m, uint64_t type, struct wire_reader *fields);
void market_trades_joined(struct market *m, const struct frame_head *head);
void market_trade(struct market *m, uint64_t seq, uint64_t type, struct wire_reader *fields);
void market_trades_group_end(struct market *m, uint64_t seq, const struct frame_head *head);

/* ---- JSON ---- */

/* What a new watcher of the channel gets first: one or more complete JSON texts, each followed by a
 * newline, which is not part of it; nothing (*used 0) while it is not known, or there were no
 * trades. False if it does not fit: the watcher must be refused. */
bool market_put_first(const struct market *m, enum channel channel, char *text, size_t size,
                      size_t *used);

/* Answers of REST: the whole value, from { to }, of a book that is known. depth: levels of a side,
 * 0: all. level: 2 or 3. */
void market_put_book(const struct market *m, struct json_writer *j, uint64_t depth, unsigned level);

/* Trades before `before_trade_id` (0: the newest), newest first, at most `limit`, as the member
 * `data` of an object that is open. *more says whether there are older ones still known; *next is
 * then the before_trade_id that goes on from here, else 0. */
void market_put_trades(const struct market *m, struct json_writer *j, uint64_t before_trade_id,
                       unsigned limit, uint64_t *next, bool *more);

/* Of a symbol whose book and trades are known. */
void market_put_stats(const struct market *m, struct json_writer *j);

/* How many lots stand before this order in its level; false if it does not rest there (any more),
 * the book is not known, or more than MARKET_QUEUE_MAX orders stand before it: each is looked at.
 */
enum { MARKET_QUEUE_MAX = 1000 };
bool market_queue_ahead(const struct market *m, uint64_t order_id, int64_t *qty);

#endif
