/* snapshot_reading: what the two halves of snapshot.h's reader share: snapshot_read.c, and
 * snapshot_orders.c for accounts, their orders and the books. */
#ifndef OUTCRY_ENGINE_SNAPSHOT_READING_H
#define OUTCRY_ENGINE_SNAPSHOT_READING_H

#include <inttypes.h>

#include "engine/snapshot_format.h"
#include "engine/snapshot_input.h"
#include "engine/state.h"

/* Ids have their shard above 48 bits of these. */
#define COUNTER_MAX ((UINT64_C(1) << 48) - 1)

/* An order that is on a book. */
struct resting {
    uint64_t priority;
    const uint8_t *at; /* where it stands in the bytes */
    uint32_t symbol;
    uint32_t order;
};

struct reading {
    struct snapshot_input in;
    engine_t *e;
    uint32_t orders_max; /* that can be in so many bytes, within the limits */
    struct resting *resting;
    uint32_t resting_count;
    uint64_t *ids; /* every order's: a set, open addressing, at most half full */
    uint64_t ids_mask;
    uint32_t adrift;  /* the open order on no book: a sweep's */
    uint32_t unready; /* outcomes that are not ready */
};

bool reading_is_reject(uint64_t code);

/* Not empty. */
bool reading_is_name(struct text name);

/* An order's id; where that may be, 0. */
uint64_t reading_order_id(struct reading *r, bool may_be_none);

/* ---- snapshot_orders.c ---- */

void reading_accounts(struct reading *r);

/* The orders join their books, and what a symbol has beside its orders follows. */
void reading_books(struct reading *r);

#endif
