#include "engine/book.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/mix.h"

/* The start of every hash term; 2^64 divided by the golden ratio, as in SplitMix64. */
#define HASH_START UINT64_C(0x9E3779B97F4A7C15)

static uint64_t bucket_count_for(uint32_t resting_max)
{
    uint64_t buckets = 16;
    while (buckets < resting_max)
        buckets *= 2;
    return buckets;
}

void book_pool_init(struct book_pool *pool, uint32_t order_max, uint32_t resting_max)
{
    uint64_t buckets = bucket_count_for(resting_max);
    CHECK(order_max < UINT32_MAX && resting_max <= order_max);
    *pool = (struct book_pool){
        .orders = memory_new((size_t)order_max + 1, sizeof *pool->orders, "orders"),
        .order_max = order_max,
        .order_fresh = 1,
        .by_id = memory_new(buckets, sizeof *pool->by_id, "the index of order ids"),
        .by_id_mask = buckets - 1,
        .levels = memory_new((size_t)resting_max + 1, sizeof *pool->levels, "price levels"),
        .level_max = resting_max,
        .level_fresh = 1,
    };
    level_nodes_init(&pool->nodes, resting_max);
}

void book_pool_close(struct book_pool *pool)
{
    memory_free(pool->orders, (size_t)pool->order_max + 1, sizeof *pool->orders);
    memory_free(pool->by_id, pool->by_id_mask + 1, sizeof *pool->by_id);
    memory_free(pool->levels, (size_t)pool->level_max + 1, sizeof *pool->levels);
    level_nodes_close(&pool->nodes);
    *pool = (struct book_pool){0};
}

/* ---- levels ---- */

/* 0: there is no such level. */
static inline uint32_t level_find(const struct book_pool *pool, const struct book_side *s,
                                  unsigned side, int64_t price)
{
    uint32_t n = s->near[(uint64_t)price % BOOK_NEAR_COUNT];
    if (n != 0 && pool->levels[n].price == price)
        return n;
    return level_tree_find(&pool->nodes, s->tree, level_tree_key(side, price));
}

static uint32_t level_new(struct book_pool *pool, struct book *b, unsigned side, int64_t price)
{
    uint32_t n = pool->level_free;
    if (n != 0) {
        pool->level_free = pool->levels[n].worse;
    } else {
        CHECK(pool->level_fresh <= pool->level_max);
        n = pool->level_fresh++;
    }
    struct book_side *s = &b->sides[side - 1];
    uint32_t better = level_tree_insert(&pool->nodes, &s->tree, level_tree_key(side, price), n);
    uint32_t worse = better != 0 ? pool->levels[better].worse : s->best;
    pool->levels[n] = (struct book_level){
        .price = price,
        .prefix = mix(mix(HASH_START + side) + (uint64_t)price),
        .better = better,
        .worse = worse,
        .side = side,
    };
    if (better != 0)
        pool->levels[better].worse = n;
    else
        s->best = n;
    if (worse != 0)
        pool->levels[worse].better = n;
    s->level_count++;
    s->near[(uint64_t)price % BOOK_NEAR_COUNT] = n;
    return n;
}

static void level_free(struct book_pool *pool, struct book *b, uint32_t n)
{
    struct book_level *l = &pool->levels[n];
    struct book_side *s = &b->sides[l->side - 1];
    level_tree_remove(&pool->nodes, &s->tree, level_tree_key(l->side, l->price));
    if (l->better != 0)
        pool->levels[l->better].worse = l->worse;
    else
        s->best = l->worse;
    if (l->worse != 0)
        pool->levels[l->worse].better = l->better;
    s->level_count--;
    uint32_t *near = &s->near[(uint64_t)l->price % BOOK_NEAR_COUNT];
    if (*near == n)
        *near = 0;
    l->worse = pool->level_free;
    pool->level_free = n;
}

/* ---- hashes ---- */

static uint64_t l3_term(const struct book_level *l, const struct order *o)
{
    return mix(mix(mix(l->prefix + o->priority) + o->order_id) + (uint64_t)o->open_qty);
}

/* Bring the level's term in the L2 hash up to date; an empty level has none. */
static void l2_update(struct book *b, struct book_level *l)
{
    uint64_t there = 0 - (uint64_t)(l->qty != 0); /* a mask, for want of a branch to guess */
    uint64_t term = mix(l->prefix + (uint64_t)l->qty) & there;
    b->l2_hash += term - l->l2_term;
    l->l2_term = term;
}

/* ---- the book ---- */

void book_insert(struct book_pool *pool, struct book *b, uint32_t slot, int64_t price)
{
    struct order *o = &pool->orders[slot];
    struct book_side *s = &b->sides[o->side - 1];
    uint32_t n = level_find(pool, s, o->side, price);
    if (n == 0)
        n = level_new(pool, b, o->side, price);
    struct book_level *l = &pool->levels[n];
    o->level = n;
    o->prev = l->tail;
    o->next = 0;
    pool->orders[l->tail].next = slot; /* order 0, nobody's, if the level is new */
    l->head = l->tail != 0 ? l->head : slot;
    l->tail = slot;
    l->order_count++;
    l->qty += o->open_qty;
    if (l->qty > s->qty_high)
        s->qty_high = l->qty;
    b->order_count++;
    b->l3_hash += l3_term(l, o);
    l2_update(b, l);
}

/* Unlink an order from its level; the level goes with its last one. */
static void leave(struct book_pool *pool, struct book *b, struct order *o)
{
    struct book_level *l = &pool->levels[o->level];
    /* Order 0 is nobody's, so its links may be written. Nobody can guess who is first or last in a
     * short queue: better two moves too many than a branch. */
    pool->orders[o->prev].next = o->next;
    pool->orders[o->next].prev = o->prev;
    l->head = o->prev != 0 ? l->head : o->next;
    l->tail = o->next != 0 ? l->tail : o->prev;
    b->order_count--;
    if (--l->order_count == 0)
        level_free(pool, b, o->level);
    o->level = 0;
}

void book_take(struct book_pool *pool, struct book *b, uint32_t slot, int64_t qty)
{
    struct order *o = &pool->orders[slot];
    struct book_level *l = &pool->levels[o->level];
    b->l3_hash -= l3_term(l, o);
    o->open_qty -= qty;
    l->qty -= qty;
    l2_update(b, l);
    if (o->open_qty == 0)
        leave(pool, b, o);
    else
        b->l3_hash += l3_term(l, o);
}

int64_t book_room(const struct book_pool *pool, const struct book *b, unsigned side, int64_t price)
{
    uint32_t n = level_find(pool, &b->sides[side - 1], side, price);
    return n == 0 ? INT64_MAX : INT64_MAX - pool->levels[n].qty;
}

int64_t book_ahead(const struct book_pool *pool, uint64_t order_id, uint32_t orders_max)
{
    uint32_t slot = order_find(pool, order_id), count = 0;
    int64_t ahead = 0;
    if (slot == 0 || pool->orders[slot].level == 0)
        return -1;
    while ((slot = pool->orders[slot].prev) != 0) {
        if (count++ == orders_max)
            return -1;
        ahead += pool->orders[slot].open_qty;
    }
    return ahead;
}

struct bbo_state book_bbo(const struct book_pool *pool, const struct book *b)
{
    /* Level 0 is never used and stays zero, which is what is said of an empty
     * side. */
    const struct book_level *bid = &pool->levels[b->sides[SIDE_BUY - 1].best];
    const struct book_level *ask = &pool->levels[b->sides[SIDE_SELL - 1].best];
    return (struct bbo_state){{bid->price, ask->price}, {bid->qty, ask->qty}};
}

void book_clear(struct book_pool *pool, struct book *b)
{
    for (unsigned s = 0; s < 2; s++) {
        while (b->sides[s].best != 0) {
            uint32_t slot = pool->levels[b->sides[s].best].head;
            order_unindex(pool, slot);
            book_take(pool, b, slot, pool->orders[slot].open_qty);
            order_free(pool, slot);
        }
    }
}
