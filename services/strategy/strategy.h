/* strategy: what a strategy is, and all it can see and do. The same code runs live
 * (outcry-strategy) and in `outcry backtest`, and cannot tell which.
 *
 * A strategy is a table of callbacks and a state of its own. Callbacks come one at a time; a
 * strategy reads no clock, draws no unpredictable number and does no I/O: all it knows comes
 * through its trader, so the same inputs give the same orders, which is what
 * `outcry backtest --inputs` checks. It trades one symbol under one account.
 *
 *     on_start ─> on_market_data, on_order, on_fill, on_timer ... ─> is_done
 *
 * To add one of your own: write this table in a shared object that exports it as
 * `outcry_strategy`, and name the file where a strategy's type is asked for:
 *
 *     cc -shared -fPIC -I services -I common -I . my.c -o my.so
 *     ./outcry backtest ./my.so ...
 *
 * Prices are ticks, quantities lots, times Unix ns. Thread: the host's. */
#ifndef OUTCRY_STRATEGY_STRATEGY_H
#define OUTCRY_STRATEGY_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/messages.h"
#include "strategy/parameters.h"

typedef struct trader trader_t;

enum {
    STRATEGY_ABI = 1,            /* grows when a struct or function of this file changes */
    STRATEGY_NAME_SIZE_MAX = 16, /* of one configured strategy: A-Z a-z 0-9 _ - */
};

/* ---- what it is told ---- */

struct market_trade {
    uint64_t trade_id;
    int64_t price;
    int64_t qty;
    uint8_t aggressor; /* enum side; 0: none */
};

/* One command changed the book, or traded. */
struct market_update {
    uint64_t time_ns; /* of the matcher */
    uint64_t seq;
    bool book_changed;
    const struct market_trade *trades;
    size_t trade_count;
};

enum own_state {
    OWN_SENT,    /* no word of it yet */
    OWN_WORKING, /* accepted, something open */
    OWN_DONE,    /* filled, cancelled or refused: `reason`; nothing more comes of it */
};

/* Why an order of ours is done, where it is not the exchange that said so (enum reason). */
enum own_refusal {
    OWN_REFUSED_NOT = 0,
    OWN_REFUSED_POSITION,   /* with what is working it could pass position_max */
    OWN_REFUSED_ORDER_SIZE, /* order_max */
    OWN_REFUSED_RATE,       /* messages_per_second */
    OWN_REFUSED_WORKING,    /* too many at once: STRATEGY_WORKING_MAX */
    OWN_REFUSED_STOPPING,   /* the strategy is being stopped */
    OWN_REFUSED_BOOK,       /* the book is not known to be right just now */
};

/* An order of ours. BORROWED: good until the callback returns. */
struct own_order {
    uint32_t number; /* 1, 2, ... in the order they were placed */
    uint8_t state;   /* enum own_state */
    uint8_t refusal; /* enum own_refusal */
    uint8_t side;
    uint8_t type;
    uint8_t time_in_force;
    bool post_only;
    bool amending;     /* an amend is on its way */
    bool cancelling;   /* a cancel is on its way */
    uint16_t reason;   /* enum reason, also a reject code; of an amend or cancel that was refused,
                          too: the order is then not done */
    uint64_t order_id; /* 0: not known yet */
    int64_t price;
    int64_t qty;
    int64_t open_qty;
    int64_t filled_qty;
    uint64_t placed_ns;
    uint64_t done_ns;
};

struct own_fill {
    const struct own_order *order;
    uint64_t trade_id;
    int64_t price;
    int64_t qty;
    bool maker;
};

/* ---- what it is ---- */

struct strategy_class {
    unsigned abi; /* STRATEGY_ABI */
    const char *name;
    const char *summary;
    const struct parameter *parameters; /* ends with a name of NULL */
    size_t state_size;                  /* bytes; all zero before on_start */
    /* What no single parameter can say: false, with error filled in, if they do not go together.
     * NULL: nothing. */
    bool (*check)(const struct parameters *p, char error[PARAMETER_ERROR_SIZE]);
    /* NULL: does not care for it. is_done NULL: never. */
    void (*on_start)(void *self, trader_t *t);
    void (*on_market_data)(void *self, trader_t *t, const struct market_update *u);
    void (*on_order)(void *self, trader_t *t, const struct own_order *o); /* its state changed */
    void (*on_fill)(void *self, trader_t *t, const struct own_fill *f);   /* after on_order */
    void (*on_timer)(void *self, trader_t *t);
    bool (*is_done)(const void *self); /* asked after each callback; true is final: what is still
                                          working is cancelled */
    /* One line for report and log: what it did or why it could not; at most size - 1 bytes. */
    void (*describe)(const void *self, char *text, size_t size);
};

/* ---- what it can see ---- */

struct market_level {
    int64_t price;
    int64_t qty;
    uint32_t orders;
};

uint64_t trader_now_ns(const trader_t *t);

/* The best level of a side; false: it is empty. */
bool trader_best(const trader_t *t, enum side side, struct market_level *level);

/* The best levels, at most count; how many there are. */
unsigned trader_levels(const trader_t *t, enum side side, struct market_level *levels,
                       unsigned count);

/* All that rests at a price; 0: nothing. */
int64_t trader_qty_at(const trader_t *t, enum side side, int64_t price);

/* Lots before ours in its queue; -1: it is not known to rest. Cost: the orders of that level. */
int64_t trader_ahead(const trader_t *t, uint32_t order);

/* Lots: bought less sold, and what it began with. */
int64_t trader_position(const trader_t *t);

/* An order of ours that is not done; NULL: there is none of that number. */
const struct own_order *trader_order(const trader_t *t, uint32_t order);

/* Walk those that are not done, oldest first: 0 starts, 0 ends. */
uint32_t trader_next_order(const trader_t *t, uint32_t previous);

/* A parameter of its table. CHECKed: it exists, and is of that kind. trader_number: ticks, lots,
 * ns, a count, or the index of a word; trader_real: a number; trader_text: a file. */
int64_t trader_number(const trader_t *t, const char *name);
double trader_real(const trader_t *t, const char *name);
const char *trader_text(const trader_t *t, const char *name);

/* ---- what it can do ---- */

struct order_request {
    enum side side;
    enum order_type type;
    enum time_in_force time_in_force;
    bool post_only;
    int64_t price; /* of a market order: not looked at */
    int64_t qty;
};

/* Place an order; its number. What becomes of it, a refusal by a limit of the host included, comes
 * in on_order: never before this callback has returned. With an order of its own account it does
 * not trade: the exchange refuses it (STP). */
uint32_t trader_place(trader_t *t, const struct order_request *request);

/* The common case: a limit order, good till cancelled. */
uint32_t trader_limit(trader_t *t, enum side side, int64_t price, int64_t qty);

/* Change price and open quantity, 1 or more. Less quantity at the same price keeps the place in the
 * queue; anything else loses it. What is filled while the amend is on its way comes off the new
 * quantity, too (if nothing is left, the order is cancelled: REDUCED), so that no more is traded
 * than was meant. False: nothing was sent: it is done, not yet accepted, being amended or cancelled
 * already, or a limit of the host forbids it. */
bool trader_amend(trader_t *t, uint32_t order, int64_t price, int64_t open_qty);

/* False: it is done, or being cancelled already. One not accepted yet is cancelled when it is; one
 * that cannot rest (IOC, FOK, market) is done by itself, and no command is sent. */
bool trader_cancel(trader_t *t, uint32_t order);
void trader_cancel_all(trader_t *t);

/* Call on_timer at this time or as soon as it can be after it; one timer, the last word counts.
 * 0: none. */
void trader_wake(trader_t *t, uint64_t at_ns);

/* A word for the log; printf's. */
__attribute__((format(printf, 2, 3))) void trader_log(trader_t *t, const char *words, ...);

#endif
