/* reference: the engine a second time, slow and obvious, for the fuzz to hold the real one to.
 *
 * Written from the rules (PROTOCOL.md, engine.h), it shares nothing with common/engine but what is
 * said: the command structs, the sets and the codes of proto/. Where the engine is clever this is
 * plain:
 *
 *     the engine                               here
 *     tree, linked levels, linked orders       one array of orders a side, best first, oldest first
 *     indexes by id, label, account            look at every order there is
 *     checks in the order of precedence        all that apply are considered, the table chooses
 *     hashes kept up to date                   computed from nothing each time they are asked for
 *     room of a level decides an overflow      what would rest is added up in 128 bits
 *     cursors of a mass cancel                 each time the oldest open order that fits
 *     a ring of results an origin              every result of the session
 *     slots, pools, limits on memory           malloc
 *
 *     reference.c          one command at a time; reading
 *     reference_orders.c   new, amend, cancel, mass cancel
 *     reference_book.c     lists of orders, matching, hashes
 *     reference_origins.c  who may send what
 *
 * The structs are plain data that the comparison and the maker of commands read. */
#ifndef OUTCRY_FUZZ_REFERENCE_H
#define OUTCRY_FUZZ_REFERENCE_H

#include "proto/command.h"

__extension__ typedef __int128 wide_t; /* prices x quantities, and sums that must not overflow */

struct reference_name {
    size_t size;
    char text[CLIENT_ORDER_ID_SIZE_MAX]; /* the longest of the names kept here */
};

struct reference_order {
    uint64_t order_id;
    struct reference_symbol *symbol;
    struct reference_account *account;
    struct reference_name label; /* the client order id; empty: none */
    struct new_order asked;      /* as it came, to know a repeat; its texts are not kept */
    int64_t price;               /* 0 for a market order */
    int64_t qty;
    int64_t open_qty;
    int64_t filled_qty;
    wide_t notional;
    uint64_t priority;
    uint64_t accepted_ns;
    uint64_t changed_seq;
    enum order_status status;
    enum reason reason;
    bool resting;
};

struct reference_list {
    struct reference_order **orders;
    size_t count;
    size_t capacity;
};

struct reference_bbo {
    int64_t price[2]; /* by side - 1; 0 where empty */
    int64_t qty[2];
};

struct reference_symbol {
    struct reference_name name;
    bool any_price;
    struct reference_list sides[2]; /* by side - 1: best price first, then oldest first */
    uint64_t priority_count;
    uint64_t book_seq, bbo_seq, trade_seq;
};

struct reference_account {
    struct reference_name name;
    struct reference_list finished; /* in the order they finished */
};

struct reference_outcome {
    uint64_t seq;
    uint64_t order_id;
    uint32_t count;
    enum reason code;
    bool duplicate;
    bool ready;
};

struct reference_origin {
    struct reference_name name;
    uint64_t last_ns; /* of its last command */
    uint64_t epoch;
    uint64_t next_seq;
    uint64_t acked_through;
    struct reference_outcome *results; /* of this epoch, by origin_seq - 1 */
    size_t capacity;
};

enum reference_event_kind {
    REFERENCE_ACCEPTED = 1,
    REFERENCE_REJECTED,
    REFERENCE_AMENDED,
    REFERENCE_TRADE,
    REFERENCE_RESTED,
    REFERENCE_CANCELLED,
};

/* The fields mean what they mean in engine.h; those a kind does not have are 0. */
struct reference_event {
    enum reference_event_kind kind;
    uint64_t side;
    enum reason reason;
    bool rested;
    const struct reference_symbol *symbol;
    uint64_t order_id;
    uint64_t maker_id;
    int64_t price;
    int64_t qty;
    int64_t open_qty;
    int64_t other_qty;
    uint64_t id;
};

enum reference_admission {
    REFERENCE_NEXT = 1,
    REFERENCE_REPEAT,
    REFERENCE_GAP,
    REFERENCE_REFUSE,
};

struct reference_answer {
    enum reference_admission admission;
    uint64_t expected_seq;
    enum reason code;
    struct reference_outcome outcome;
};

/* What a command left for continue_work: a taker that goes on, or a mass cancel. */
struct reference_work {
    bool waiting;
    struct reference_order *taker; /* NULL: a mass cancel */
    const struct reference_symbol *symbol;
    struct reference_name account; /* empty: everybody's orders */
    uint64_t side;
    struct reference_origin *origin;
    uint64_t origin_seq;
    struct reference_outcome outcome;
};

struct reference {
    struct configure limits;
    uint64_t seq;
    uint64_t time_ns;
    uint64_t trade_count;
    struct reference_symbol *symbols; /* limits.symbols_max of them, likewise below */
    size_t symbol_count;
    struct reference_account *accounts;
    size_t account_count;
    struct reference_origin *origins;
    size_t origin_count;
    struct reference_list open; /* of all accounts, oldest accepted first */
    struct reference_work work;

    /* the last command */
    struct reference_event *events;
    size_t event_count;
    size_t event_capacity;
    uint64_t units_left;
    struct reference_origin *result_origin; /* NULL: nobody's */
    uint64_t result_origin_seq;
    struct reference_outcome outcome;
};

struct reference *reference_new(const struct configure *limits);
void reference_destroy(struct reference **reference);

/* As engine_admit() and engine_apply(). */
struct reference_answer reference_admit(const struct reference *r, const struct envelope *envelope,
                                        uint64_t time_ns);
void reference_apply(struct reference *r, uint64_t seq, uint64_t time_ns, const struct command *c);

struct reference_bbo reference_bbo(const struct reference_symbol *s);
uint64_t reference_l2_hash(const struct reference_symbol *s);
uint64_t reference_l3_hash(const struct reference_symbol *s);

/* NULL if there is none of this name. */
struct reference_symbol *reference_symbol(const struct reference *r, struct text name);
struct reference_account *reference_account(const struct reference *r, struct text name);
struct reference_origin *reference_origin(const struct reference *r, struct text name);

#endif
