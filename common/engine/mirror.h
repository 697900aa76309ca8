/* mirror: a book kept from L3 events: what market-data, and every L3 reader of ours, holds.
 *
 * Events come from the network, so each is checked against the book; one that does not fit (an
 * unknown order, more taken than there is) breaks the mirror: it stops following, and its hash is
 * wrong on purpose, so that its reader finds out the usual way and joins again. */
#ifndef OUTCRY_ENGINE_MIRROR_H
#define OUTCRY_ENGINE_MIRROR_H

#include "engine/book.h"

struct mirror {
    struct book_pool *pool; /* KEPT; may be shared by several mirrors */
    struct book book;
    uint16_t number; /* of this mirror in its pool, from 1: whose an order is */
    bool broken;
};

/* What an event changed. */
struct mirror_change {
    bool changed; /* a level */
    unsigned side;
    int64_t price;
};

void mirror_init(struct mirror *m, struct book_pool *pool);

/* Forget everything. */
void mirror_reset(struct mirror *m);

/* Follow one event. Types that do not concern the book are passed over. */
struct mirror_change mirror_event(struct mirror *m, uint64_t type, struct wire_reader *fields);

/* The L3 hash. */
uint64_t mirror_hash(const struct mirror *m);

#endif
