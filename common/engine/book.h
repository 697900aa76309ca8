/* book: the resting orders of one symbol, by price, then time; and the hashes that say so.
 *
 * The matcher matches against it, market-data and every L3 reader keep one as their mirror: the
 * same code on both ends of the wire.
 *
 *     book ── side[bid] ── best ─> level ─worse─> level ─worse─> ...     (and a level_tree by
 * price) │ head                    tail order <-> order <-> order             oldest first
 *
 * Orders, levels and tree nodes come from a book_pool which all books of a shard share; they are
 * named by 32-bit numbers, 0 being none. An order is 64 bytes, one cache line; the index by
 * order_id adds 8: order ids are near-consecutive, so the low bits of the id choose the bucket and
 * chains form only when live ids are a whole table apart.
 *
 * Hashes (PROTOCOL.md, "Book hash"): the sum modulo 2^64 of one term per level (L2) and per order
 * (L3), brought up to date by every change.
 *
 * Invariants: no empty level; level.qty is the sum of its orders' open_qty and fits int64; tree
 * and list hold the same levels. Pure: no I/O, no clock, no allocation after init. */
#ifndef OUTCRY_ENGINE_BOOK_H
#define OUTCRY_ENGINE_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/level_tree.h"

struct order {
    uint64_t order_id;
    int64_t open_qty;
    uint64_t priority;     /* place in the symbol's time order */
    uint32_t level;        /* where it rests; 0: nowhere */
    uint32_t prev, next;   /* in its level */
    uint32_t id_next;      /* in its bucket of the index by order_id */
    uint32_t account;      /* the rest is the engine's; a mirror leaves it 0 */
    uint32_t account_prev; /* in its account's list of open, or of finished, orders */
    uint32_t account_next;
    uint16_t book;
    uint16_t reason; /* enum reason: why it is gone or was refused */
    uint8_t side;
    uint8_t type;
    uint8_t time_in_force;
    uint8_t stp;
    uint8_t status;
    bool post_only;
    bool labelled; /* it has a client order id */
};

struct book_level {
    _Alignas(64) int64_t price; /* a cache line each */
    int64_t qty;
    uint64_t prefix;  /* mix(mix(S + side) + price): what all hash terms here begin with */
    uint64_t l2_term; /* the term now in the L2 hash */
    uint32_t head, tail;
    uint32_t better, worse;
    uint32_t order_count;
    uint32_t side;
};

/* 256: a market of tight prices finds nearly every level there; 1 KiB a side of each symbol. */
enum { BOOK_NEAR_COUNT = 256 };

struct book_side {
    uint32_t best;
    uint32_t tree;
    uint32_t level_count;
    int64_t qty_high;               /* the most any level here ever held */
    uint32_t near[BOOK_NEAR_COUNT]; /* by price, modulo: a level, found without the tree */
};

struct bbo_state {
    int64_t price[2]; /* by side - 1; 0 where empty */
    int64_t qty[2];   /* 0: empty */
};

struct book {
    struct book_side sides[2]; /* side - 1 */
    uint64_t l2_hash;
    uint64_t l3_hash;
    uint64_t order_count;
};

struct book_pool {
    struct order *orders; /* 1..order_max */
    uint32_t order_max;
    uint32_t order_fresh;
    uint32_t order_free;
    uint32_t *by_id; /* bucket -> order */
    uint64_t by_id_mask;
    struct book_level *levels; /* 1..level_max */
    uint32_t level_max;
    uint32_t level_fresh;
    uint32_t level_free;
    struct level_nodes nodes;
    uint16_t mirror_count; /* books of one pool that are mirrors (mirror.h) */
};

/* order_max: orders there can be, resting or not. resting_max: of those, resting at once; each may
 * have a level of its own, so levels never run out before orders do. */
void book_pool_init(struct book_pool *pool, uint32_t order_max, uint32_t resting_max);
void book_pool_close(struct book_pool *pool);

/* An order to fill in, zeroed; 0 if there are order_max already. */
static inline uint32_t order_new(struct book_pool *pool)
{
    uint32_t slot = pool->order_free;
    if (slot != 0)
        pool->order_free = pool->orders[slot].next;
    else if (pool->order_fresh <= pool->order_max)
        slot = pool->order_fresh++;
    else
        return 0;
    pool->orders[slot] = (struct order){0};
    return slot;
}

static inline void order_free(struct book_pool *pool, uint32_t slot)
{
    pool->orders[slot].next = pool->order_free;
    pool->order_free = slot;
}

/* The index by order_id: open orders only. */
static inline void order_index(struct book_pool *pool, uint32_t slot)
{
    struct order *o = &pool->orders[slot];
    uint32_t *head = &pool->by_id[o->order_id & pool->by_id_mask];
    o->id_next = *head;
    *head = slot;
}

static inline void order_unindex(struct book_pool *pool, uint32_t slot)
{
    struct order *o = &pool->orders[slot];
    uint32_t *link = &pool->by_id[o->order_id & pool->by_id_mask];
    while (*link != slot)
        link = &pool->orders[*link].id_next;
    *link = o->id_next;
    o->id_next = 0;
}

static inline uint32_t order_find(const struct book_pool *pool, uint64_t order_id)
{
    uint32_t slot = pool->by_id[order_id & pool->by_id_mask];
    while (slot != 0 && pool->orders[slot].order_id != order_id)
        slot = pool->orders[slot].id_next;
    return slot;
}

/* Put an order at the end of its price's queue. order_id, side, priority and open_qty are set and
 * it is resting nowhere. The level must have room: book_room() >= open_qty. */
void book_insert(struct book_pool *pool, struct book *b, uint32_t slot, int64_t price);

/* Take qty, 1..open_qty, off a resting order: for fills, reductions and cancels alike. At 0 it
 * leaves the book (but stays an order). */
void book_take(struct book_pool *pool, struct book *b, uint32_t slot, int64_t qty);

/* How much more the level at this price can hold: 2^63-1 less what it holds. */
int64_t book_room(const struct book_pool *pool, const struct book *b, unsigned side, int64_t price);

/* What stands before a resting order at its price; -1 if it is not resting, or if more than
 * orders_max orders do: each is looked at. */
int64_t book_ahead(const struct book_pool *pool, uint64_t order_id, uint32_t orders_max);

/* Whether book_room() >= qty. Looks for the level only if any was ever so full
 * that it matters. */
static inline bool book_has_room(const struct book_pool *pool, const struct book *b, unsigned side,
                                 int64_t price, int64_t qty)
{
    return qty <= INT64_MAX - b->sides[side - 1].qty_high || qty <= book_room(pool, b, side, price);
}

struct bbo_state book_bbo(const struct book_pool *pool, const struct book *b);

/* Take every order out of the book and free it, index included: for mirrors. */
void book_clear(struct book_pool *pool, struct book *b);

static inline bool bbo_equal(const struct bbo_state *x, const struct bbo_state *y)
{
    return ((x->price[0] ^ y->price[0]) | (x->qty[0] ^ y->qty[0]) | (x->price[1] ^ y->price[1]) |
            (x->qty[1] ^ y->qty[1])) == 0;
}

#endif
