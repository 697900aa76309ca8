/* engine: one shard's history, made one command at a time. Its whole state, and all that decides.
 *
 * Commands go in in sequence; each yields one group of events and one result. Nothing else goes
 * in: no clock (time comes with the command), no randomness, no I/O, and no memory is taken after
 * engine_new(). So the same commands give the same events, hashes and results on any machine.
 *
 *     engine_admit    may this command be sequenced? (its origin's order, repeats)   no change
 *     engine_apply    the command happens
 *       place.c         new orders: checks in the precedence of reject_table.h, then
 *       amend.c         amend and reduce
 *       cancel.c        cancel and mass cancel
 *       matching.c        the incoming order against the book, both sides by one routine
 *     engine_result   what became of it, for its sender
 *     engine_events   what happened, for everybody
 *
 * Bounded work: one command makes at most events_max fills or cancels. What it could not finish
 * waits in the state; until engine_waiting() is false the only command allowed is continue_work.
 *
 * order_id is shard << 48 | seq of the command that made it, trade_id shard << 48 | a counter.
 *
 * Thread: owner only. */
#ifndef OUTCRY_ENGINE_ENGINE_H
#define OUTCRY_ENGINE_ENGINE_H

#include <stddef.h>

#include "engine/book.h"
#include "proto/command.h"

typedef struct engine engine_t;

/* ticks x lots; aligned to 16 bytes it would make an order_detail 8 bytes larger */
__extension__ typedef __int128 notional_t __attribute__((aligned(8)));

enum event_kind {
    EVENT_ACCEPTED,  /* order, side, price (unless a market order), qty */
    EVENT_REJECTED,  /* a new order was refused and is remembered: order, reason */
    EVENT_AMENDED,   /* order, side, price, qty = open_qty = new open, other_qty = open before;
                        reason KEPT or REQUEUED */
    EVENT_TRADE,     /* order = taker, maker, side = taker's, price, qty, open_qty = taker's left,
                        other_qty = maker's left, id = trade_id */
    EVENT_RESTED,    /* order, side, price, open_qty, id = priority */
    EVENT_CANCELLED, /* order, side, price, qty taken off, reason; rested: it was on the book */
};

/* One thing the engine decided. `order` and `maker` are numbers for engine_order(): good until the
 * next engine_apply(). */
struct event {
    _Alignas(64) uint8_t kind; /* enum event_kind */
    uint8_t side;
    uint16_t reason; /* enum reason */
    uint16_t book;   /* number of the symbol */
    bool rested;
    uint32_t order;
    uint32_t maker;
    int64_t price;
    int64_t qty;
    int64_t open_qty;
    int64_t other_qty;
    uint64_t id;
};

/* What became of a command. */
struct outcome {
    uint64_t seq;      /* where it was sequenced */
    uint64_t order_id; /* the order it made or acted on; 0: none */
    uint32_t count;    /* orders a mass cancel took off */
    uint16_t code;     /* 0 or a reject code */
    bool duplicate;
    bool ready; /* false: a mass cancel that goes on */
};

/* The cold half of an order: what matching does not touch. */
struct order_detail {
    int64_t price; /* as entered or last amended; 0 for a market order */
    uint64_t changed_seq;
    int64_t filled_qty;
    notional_t notional; /* sum of price x qty of its fills */
    int64_t qty;         /* in all: filled + open, or + what was open when it was cancelled */
    uint64_t accepted_ns;
};

/* An order, open or finished, for reading. Valid until the next engine_apply(). */
struct order_view {
    const struct order *order;
    const struct order_detail *detail;
    struct text account;
    struct text symbol;
    struct text client_order_id;
};

enum admission {
    ADMIT_NEXT,   /* sequence it */
    ADMIT_REPEAT, /* seen before: *outcome is its first result, unless not ready */
    ADMIT_GAP,    /* commands before it are missing: *expected_seq is the next one */
    ADMIT_REFUSE, /* not sequenced: *code says why */
};

struct admission_answer {
    enum admission admission;
    uint64_t expected_seq;
    uint16_t code;
    struct outcome outcome;
};

/* Takes all memory the limits ask for. hash_seed: better unpredictable, so that strangers cannot
 * choose names that collide; it decides nothing else. limits: see engine_limits_check(). */
engine_t *engine_new(const struct configure *limits, uint64_t hash_seed);
void engine_destroy(engine_t **e);

/* NULL if the limits can be met; else the name of the field that is out of range, with the range
 * in *low and *high. */
const char *engine_limits_check(const struct configure *limits, uint64_t *low, uint64_t *high);

/* Whether a client's command may be sequenced now, stamped time_ns. Changes nothing. */
struct admission_answer engine_admit(engine_t *e, const struct envelope *envelope,
                                     uint64_t time_ns);

/* The command at seq, stamped time_ns, happens. seq: one more than the last. A client's command
 * must have been admitted; while engine_waiting(), only continue_work may come. */
void engine_apply(engine_t *e, uint64_t seq, uint64_t time_ns, const struct command *c);

/* Ask for the memory a coming command will touch: three times, some commands apart, because each
 * step is found through the one before. May be left out. Changes nothing. */
enum engine_ahead {
    ENGINE_AHEAD_INDEX,      /* where the index names its order */
    ENGINE_AHEAD_ORDER,      /* the order */
    ENGINE_AHEAD_NEIGHBOURS, /* its level, and the orders before and after it */
};
void engine_prefetch(const engine_t *e, const struct command *c, enum engine_ahead distance);

/* The group of the last command. */
const struct event *engine_events(const engine_t *e, size_t *count);

/* The result of the last command, and whose it is: for continue_work that of the command it
 * finished (outcome.ready is false if there is none). */
struct finished_command {
    uint32_t origin_number; /* 1..origins_max; 0: nobody's. Of a forgotten one, another's */
    struct text origin;     /* empty: nobody's */
    uint64_t origin_epoch;
    uint64_t origin_seq;
    struct outcome outcome;
};
struct finished_command engine_result(const engine_t *e);

/* Pieces of work that wait for continue_work. */
uint64_t engine_waiting(const engine_t *e);

uint64_t engine_seq(const engine_t *e);

/* The stamp of the last command; 0 before the first. */
uint64_t engine_time_ns(const engine_t *e);

/* The limits it was made with. */
const struct configure *engine_limits(const engine_t *e);

struct order_view engine_order(const engine_t *e, uint32_t order);

/* Symbols are numbered 1..engine_symbol_count() in the order they were added. 0: no such. */
uint32_t engine_symbol_count(const engine_t *e);
uint32_t engine_symbol_find(engine_t *e, struct text symbol);
struct text engine_symbol_name(const engine_t *e, uint32_t symbol);
struct text engine_symbol_tick_size(const engine_t *e, uint32_t symbol);
struct text engine_symbol_lot_size(const engine_t *e, uint32_t symbol);
bool engine_symbol_any_price(const engine_t *e, uint32_t symbol);
const struct book *engine_book(const engine_t *e, uint32_t symbol);
const struct book_pool *engine_pool(const engine_t *e);

/* Where the topics of a symbol stand: the sequence of the last change of its book, of its best bid
 * or offer, and of its last trade. */
struct book_marks {
    uint64_t book_seq;
    uint64_t bbo_seq;
    uint64_t trade_seq;
};
struct book_marks engine_book_marks(const engine_t *e, uint32_t symbol);

/* The digest of all books, which each batch of the journal carries: the sum modulo 2^64 over all
 * symbols of mix(L3 hash + number x 0x9E3779B97F4A7C15), so 0 before there is a symbol. Kept up to
 * date with every command. Cost: a load. */
uint64_t engine_books_hash(const engine_t *e);

/* Accounts likewise. Walk an account's orders: `previous` 0 starts, 0 ends; open ones oldest first,
 * finished ones likewise. */
uint32_t engine_account_count(const engine_t *e);
uint32_t engine_account_find(engine_t *e, struct text account);
struct text engine_account_name(const engine_t *e, uint32_t account);
uint32_t engine_next_open(const engine_t *e, uint32_t account, uint32_t previous);
uint32_t engine_next_finished(const engine_t *e, uint32_t account, uint32_t previous);

/* Orders that are open, and senders that are known. Cost: a load. */
uint64_t engine_open_count(const engine_t *e);
uint32_t engine_origin_count(const engine_t *e);

/* Orders, open and finished: everybody's, and an account's. Everybody's walks the accounts. */
uint64_t engine_order_count(const engine_t *e);
uint64_t engine_account_order_count(const engine_t *e, uint32_t account);

/* The hash over everything that decides what the engine will do. Walks it all. */
uint64_t engine_state_hash(const engine_t *e);

#endif
