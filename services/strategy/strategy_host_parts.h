/* strategy_host_parts: what a strategy_host is made of; for its own files only:
 *
 *     strategy_host.c   making it, its inputs, stopping, looking
 *     host_market.c     books, and what strategies are told of them
 *     host_orders.c     orders and commands, and what becomes of them
 *     host_limits.c     what a strategy may not do
 *     host_calls.c      callbacks, one after the other
 *     trader.c          what a strategy calls
 *
 * Nothing here calls a strategy while another callback runs: what happens within one waits, as
 * commands in `outgoing` and as words to the strategy in `notices`, until it has returned. */
#ifndef OUTCRY_STRATEGY_STRATEGY_HOST_PARTS_H
#define OUTCRY_STRATEGY_STRATEGY_HOST_PARTS_H

#include "strategy/strategy_host.h"

#define HOST_NEVER_NS UINT64_MAX

enum {
    HOST_TRADES_MAX = 4096, /* of one group: the most events_max can be */
    HOST_TENTHS = 11,       /* the one that runs, and ten before it: never less than a second */
    HOST_WHY_SIZE = 256,
    HOST_WORDS_SIZE = 512, /* of one word for the log */
    HOST_SHARDS_MAX = STRATEGIES_MAX,
};

/* ---- one symbol ---- */

struct host_market {
    struct strategy_symbol symbol;
    struct mirror mirror;
    const struct book *book; /* the mirror's, or the attached one; NULL: there is none */
    const struct book_pool *pool;
    bool mirrored;
    bool joined;
    bool changed; /* by the events since the last group */
    bool has_mid; /* ever */
    int64_t twice_mid;
    uint32_t trade_count;
    struct market_trade *trades; /* since the last group; HOST_TRADES_MAX */
};

/* ---- one strategy ---- */

/* An order that is not done, or one whose end nobody knows (strategy_host_lost). */
struct held_order {
    struct own_order own;
    int64_t amend_qty; /* in all, as an amend on its way asks; 0: none is */
    bool cancel_sent;  /* own.cancelling may wait until the order is accepted */
};

enum message_kind { MESSAGE_PLACES, MESSAGE_AMENDS, MESSAGE_CANCELS };

/* A command that leaves when the callback has returned. */
struct host_message {
    enum message_kind kind;
    uint32_t number;
    int64_t price;
    int64_t qty; /* in all */
};

/* What the strategy has to be told: its order, and a fill of it. */
struct host_notice {
    struct own_order order;
    struct own_fill fill;
    bool has_fill;
};

struct trader {
    strategy_host_t *host;
    unsigned index;
    struct strategy_spec spec;
    struct host_market *market;
    struct host_shard *shard;
    void *state;
    struct ledger ledger;
    bool unpriced; /* what it began with has no price yet */

    struct held_order slots[STRATEGY_WORKING_MAX];
    uint16_t working[STRATEGY_WORKING_MAX]; /* slots of those not done, oldest first */
    uint16_t free[STRATEGY_WORKING_MAX];
    uint16_t lost[STRATEGY_WORKING_MAX];
    unsigned working_count, free_count, lost_count;
    uint32_t number_last;

    struct host_message outgoing[STRATEGY_UNANSWERED_MAX];
    unsigned outgoing_count;
    unsigned unanswered; /* outgoing ones included */
    unsigned reserve;    /* not done and no cancel sent: each has room for its cancel */
    uint32_t sent[HOST_TENTHS];
    uint64_t tenth;      /* the one that runs */
    uint32_t sent_count; /* in all of them */

    struct host_notice *notices; /* a ring of HOST_CALLS_MAX */
    unsigned notice_head, notice_count;
    uint64_t input; /* to which `calls` belongs */
    unsigned calls;
    bool overrun; /* more is to be told than one input may cause */

    uint64_t wake_ns; /* HOST_NEVER_NS: no timer */
    bool stopping, ended;
    char why[HOST_WHY_SIZE];
    uint64_t orders, amends, cancels, callbacks;
    uint64_t refused[8];
};

/* ---- all of it ---- */

/* Whose a result is: commands of a shard are answered in the order they were sent. */
struct sent_command {
    uint16_t strategy;
    uint16_t kind; /* enum message_kind */
    uint32_t number;
};

struct host_shard {
    uint16_t number;
    struct sent_command *sent; /* a ring */
    uint32_t sent_max, sent_head, sent_count;
};

struct strategy_host {
    struct strategy_host_owner owner;
    char session[16]; /* in base 36 */
    struct book_pool pool;
    bool books;
    trader_t *traders;
    unsigned count;
    struct host_market *markets;
    unsigned market_count;
    struct host_shard shards[HOST_SHARDS_MAX];
    unsigned shard_count;
    bool started;
    uint64_t now_ns;
    uint64_t input;  /* counts them */
    uint64_t due_ns; /* the first of all timers */
};

/* ---- strategy_host.c ---- */

/* Write a number in base 36; its digits, without the NUL. */
size_t host_base36(char text[16], uint64_t value);

/* Everything that works is cancelled; nothing new is placed. */
void host_stop(trader_t *t, const char *why);

/* ---- host_market.c ---- */

void host_market_init(struct host_market *m, const struct strategy_symbol *symbol,
                      struct book_pool *pool);
void host_market_close(struct host_market *m);

/* Whether its book is right, as far as anybody knows. */
bool host_market_known(const struct host_market *m);

/* Both sides empty where it is not known. */
struct bbo_state host_market_bbo(const struct host_market *m);

/* ---- host_limits.c ---- */

enum own_refusal host_limits_place(trader_t *t, const struct order_request *r);
/* open_qty: 1 or more, and filled_qty + open_qty fits. */
enum own_refusal host_limits_amend(trader_t *t, const struct held_order *o, int64_t open_qty);

/* An order or amend is sent. */
void host_limits_count(trader_t *t);

/* Stop it if it has lost more than it may. */
void host_limits_loss(trader_t *t);

/* ---- host_orders.c ---- */

/* NULL: there is none of this number that is not done. */
struct held_order *host_order_find(trader_t *t, uint32_t number);

/* Where `number` is in t->working, or would be. */
unsigned host_order_at(const trader_t *t, uint32_t number);

void host_order_place(trader_t *t, const struct own_order *own);
void host_order_amend(trader_t *t, struct held_order *o, int64_t price, int64_t open_qty);
void host_order_cancel(trader_t *t, struct held_order *o);

/* Hand over what a callback asked for. */
void host_orders_send(trader_t *t);

/* ---- host_calls.c ---- */

/* An input begins. */
void host_input(strategy_host_t *h, uint64_t now_ns);

/* Before and after a callback. begin false: none may be made. */
bool host_call_begin(trader_t *t);
void host_call_end(trader_t *t);

/* The strategy, and whoever reports, are told; the strategy when its turn comes. */
void host_tell_order(trader_t *t, const struct own_order *own);
void host_tell_fill(trader_t *t, const struct own_order *own, const struct own_event *e);

/* Deliver what waits; and the end, if this is it. */
void host_settle(trader_t *t);

void host_wake(trader_t *t, uint64_t at_ns);
void host_timers(strategy_host_t *h);

#endif
