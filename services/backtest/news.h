/* news: what strategies hear of what the engine decided: gathered while commands happen, told when
 * they have, or, where data has latency, put by as bytes until it is time.
 *
 *     engine ─ news_take ... ─> news_send ─┬─> host                 (no latency: its book is
 * attached) └─> queue ─ news_deliver ─> host's own mirror
 */
#ifndef OUTCRY_BACKTEST_NEWS_H
#define OUTCRY_BACKTEST_NEWS_H

#include "backtest/delay.h"

/* What became of an order of a strategy; its client order id stands here. */
struct own_news {
    unsigned strategy;
    struct own_event event;
    char client_order_id[CLIENT_ORDER_ID_SIZE_MAX];
};

/* A run of bytes that grows. */
struct news_bytes {
    uint8_t *data;
    size_t size, size_max;
};

struct news {
    engine_t *engine;
    strategy_host_t *host;
    struct delay delay;
    bool attached;
    bool begun;      /* strategies hear of it */
    uint32_t symbol; /* ours, in the engine; 0: not there yet. Set by the owner */
    uint32_t account_max;
    uint8_t *strategies;    /* by number of an account of the engine: strategy + 1, or 0 */
    unsigned account_count; /* of strategies that are in there */

    /* gathered */
    bool book_changed;
    struct news_bytes trades; /* struct market_trade */
    struct news_bytes own;    /* struct own_news */
    struct news_bytes l3;     /* size u8 | an L3 message, ... */
    bool has_result;
    struct result result;
    uint64_t trade_count; /* ever */

    struct news_bytes queue; /* parcels that wait, from `first` on */
    size_t first;
};

/* KEEPS engine and host; data: the way to the strategies. */
void news_init(struct news *n, engine_t *engine, strategy_host_t *host, const struct delay *data);
void news_close(struct news *n);

/* The symbol is there; strategies begin to hear of it now: its book is attached or, with latency,
 * told as a snapshot. */
void news_begin(struct news *n, uint64_t now_ns);

/* Orders of this account of the engine are a strategy's. */
void news_account(struct news *n, uint32_t account, unsigned strategy);
bool news_knows(const struct news *n, uint32_t account);

/* Gather what the engine's last command did; and a result of ours. */
void news_take(struct news *n);
void news_result(struct news *n, const struct result *r);

/* All gathered so far is what happened now. */
void news_send(struct news *n, uint64_t now_ns);

/* When the next parcel is due; UINT64_MAX: there is none. Deliver it: there is one. */
uint64_t news_due_ns(const struct news *n);
void news_deliver(struct news *n, uint64_t now_ns);

#endif
