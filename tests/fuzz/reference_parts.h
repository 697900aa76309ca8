/* reference_parts: what the files of the reference say to each other. For them only. */
#ifndef OUTCRY_FUZZ_REFERENCE_PARTS_H
#define OUTCRY_FUZZ_REFERENCE_PARTS_H

#include "tests/fuzz/reference.h"

/* ---- reference.c ---- */

bool reference_name_is(const struct reference_name *name, struct text text);
struct reference_name reference_name_of(struct text text);
void *reference_grown(void *array, size_t *capacity, size_t count, size_t size);
struct reference_event *reference_emit(struct reference *r, enum reference_event_kind kind,
                                       const struct reference_order *o);

/* The order is open no more: the newest of its account's finished ones, the oldest of which may be
 * forgotten, and then is nowhere: do not look at it again. */
void reference_finish(struct reference *r, struct reference_order *o, enum order_status status,
                      enum reason reason);

/* ---- reference_orders.c ---- */

enum reason reference_new_order(struct reference *r, const struct new_order *m);
enum reason reference_amend(struct reference *r, const struct amend_order *m);
enum reason reference_cancel(struct reference *r, const struct cancel_order *m);
enum reason reference_mass_cancel(struct reference *r, const struct mass_cancel *m);
void reference_mass_cancel_go_on(struct reference *r);
void reference_cancel_order(struct reference *r, struct reference_order *o, enum reason reason);

/* ---- reference_book.c ---- */

void reference_list_insert(struct reference_list *l, size_t at, struct reference_order *o);
void reference_list_append(struct reference_list *l, struct reference_order *o);
void reference_list_remove(struct reference_list *l, const struct reference_order *o);

/* An order as the book would meet it: what asks, not what is. */
struct reference_taker {
    const struct reference_symbol *symbol;
    const struct reference_account *account;
    uint64_t side;
    bool market;
    int64_t price;
    int64_t qty;
};

bool reference_would_trade(const struct reference_taker *t);
bool reference_would_meet_own(const struct reference_taker *t);
bool reference_could_fill(const struct reference_taker *t);

/* Whether what is left of it would make its level hold more than 2^63-1; `except` (may be NULL) is
 * not on the book by then. */
bool reference_would_overflow(const struct reference_taker *t,
                              const struct reference_order *except);

/* The two ways a book changes: an order goes to the end of its price; a resting one has qty taken
 * off, and with the last of it leaves. */
void reference_join(struct reference *r, struct reference_order *o);
void reference_take_off(struct reference *r, struct reference_order *o, int64_t qty);

/* Match an open order that is not on the book; rest or cancel what is left, or leave it as work. */
void reference_match(struct reference *r, struct reference_order *o);

/* ---- reference_origins.c ---- */

struct reference_origin *reference_take(struct reference *r, const struct envelope *m);
void reference_keep(struct reference_origin *origin, uint64_t origin_seq,
                    const struct reference_outcome *outcome);

#endif
