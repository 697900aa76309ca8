/* plain_book: a book kept in the simplest way there is, from L3 events and from L2 events apart, so
 * that one can be held against the other, and hashes against what they are defined as. */
#ifndef OUTCRY_UNIT_SERVICES_PLAIN_BOOK_H
#define OUTCRY_UNIT_SERVICES_PLAIN_BOOK_H

#include "proto/frame.h"

enum { PLAIN_ORDERS = 2000, PLAIN_LEVELS = 500 };

struct plain_order {
    uint64_t order_id, priority;
    uint64_t side;
    int64_t price, qty;
};

struct plain_level {
    uint64_t side;
    int64_t price, qty;
};

struct plain_book {
    struct plain_order orders[PLAIN_ORDERS]; /* from L3, in the order they joined */
    unsigned order_count;
    struct plain_level levels[PLAIN_LEVELS]; /* from L2, in no order */
    unsigned level_count;
    struct bbo bbo;     /* as told last */
    uint64_t trades[2]; /* hash and count of all trades: by `l3.`, by `trade.` */
    uint64_t trade_count[2];
};

enum plain_source { PLAIN_L3, PLAIN_L2, PLAIN_BBO, PLAIN_TRADE };

/* One event of the symbol's topic of this kind. False: it does not fit the book. */
bool plain_event(struct plain_book *b, enum plain_source source, uint64_t type,
                 struct wire_reader *fields);

/* Forget what this topic brought. */
void plain_forget(struct plain_book *b, enum plain_source source);

/* The hashes, by their definition, over all of it. */
uint64_t plain_l3_hash(const struct plain_book *b);
uint64_t plain_l2_hash(const struct plain_book *b);

/* Whether the levels are those the orders make, and the best bid and offer theirs. */
bool plain_levels_fit(const struct plain_book *b);
bool plain_bbo_fits(const struct plain_book *b);

#endif
