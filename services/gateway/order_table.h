/* order_table: the orders of the cache, their accounts, and the ways to find them. For orders.c
 * only; everybody else sees orders.h.
 *
 *     by_id    order id -> row                     ┐ hashed chains through the rows
 *     by_label account, client order id -> row     ┘ newest first, so the newest is found
 *     account  of one shard ── oldest .. newest      all its orders, by place
 *                           └─ finished              the same rows again, by when they finished
 *
 * Rows and accounts are named by 32-bit numbers, 0 being none. A row that is taken off is free at
 * once but keeps what it holds until the next one is added, so whoever logs an order that is
 * forgotten the moment it finishes can still read it.
 *
 * Nothing here scans: adding, finishing and taking off cost a few cache lines. The one exception
 * is the order of an account's list after a snapshot, which tells finished orders by when they
 * finished: the list is sorted once, when it is first walked. */
#ifndef OUTCRY_GATEWAY_ORDER_TABLE_H
#define OUTCRY_GATEWAY_ORDER_TABLE_H

#include "gateway/orders.h"

struct order_row {
    struct live_order order;
    uint32_t account;
    uint32_t id_next; /* in its bucket; of a free row, the next free one */
    uint32_t label_prev, label_next;
    uint32_t older, newer;                 /* in its account */
    uint32_t finished_prev, finished_next; /* in its account, if it is finished */
};

/* An account of one shard. */
struct order_account {
    char name[ACCOUNT_SIZE_MAX];
    uint8_t name_size;
    uint8_t shard;
    bool unsorted; /* oldest .. newest are not in order */
    uint32_t bucket_next;
    uint32_t shard_next; /* in its shard's list; of a free one, the next free one */
    uint32_t oldest, newest;
    uint32_t finished_head, finished_tail;
    uint32_t finished_count;
    uint64_t seq;             /* of its last event */
    uint64_t filled_trade_id; /* that finished the last of its orders to finish as a taker */
};

struct order_table {
    struct orders_limits limits;
    struct order_row *rows; /* 1..row_max */
    uint32_t row_max;
    uint32_t row_fresh; /* this one and those behind it were never used */
    uint32_t row_free;
    uint32_t open_count, finished_count;
    uint32_t finished_max;
    uint32_t *by_id;
    uint64_t by_id_mask;
    uint32_t *by_label;
    uint64_t by_label_mask;
    struct order_account *accounts; /* 1..limits.accounts_max */
    uint32_t account_fresh;
    uint32_t account_free;
    uint32_t *by_name;
    uint64_t by_name_mask;
    uint32_t shard_accounts[ORDERS_SHARDS_MAX]; /* its accounts, the newest first */
};

static inline bool live_order_open(const struct live_order *o)
{
    return o->status == ORDER_STATUS_NEW || o->status == ORDER_STATUS_PARTIALLY_FILLED;
}

static inline struct orders_place live_order_place(const struct live_order *o)
{
    return (struct orders_place){o->accepted_ns, o->shard, o->order_id};
}

/* Whether a stands before b where the oldest is first. */
static inline bool orders_place_before(struct orders_place a, struct orders_place b)
{
    if (a.accepted_ns != b.accepted_ns)
        return a.accepted_ns < b.accepted_ns;
    return a.shard != b.shard ? a.shard < b.shard : a.order_id < b.order_id;
}

/* Takes all memory the limits ask for. */
void order_table_init(struct order_table *t, const struct orders_limits *limits);
void order_table_close(struct order_table *t);

/* Each of these: 0 if there is none. */
uint32_t order_table_find(const struct order_table *t, uint64_t order_id);
uint32_t order_table_find_account(const struct order_table *t, unsigned shard, struct text name);
uint32_t order_table_find_label(const struct order_table *t, uint32_t account, struct text id);

/* A new row for the order, whose id is not there yet: open, and the newest of its account, which
 * comes to be if need be. 0: there is no room. */
uint32_t order_table_add(struct order_table *t, const struct live_order *order);

/* The row is finished and stands behind those of its account that finished before it; or one place
 * further to the front, if before_last. The oldest of them go where there are too many; true if
 * that is because all accounts together have too many. */
bool order_table_finish(struct order_table *t, uint32_t row, bool before_last);

/* Forget the shard's accounts, and all their orders. */
void order_table_reset(struct order_table *t, unsigned shard);

/* Put the account's list in order. */
void order_table_sort(struct order_table *t, uint32_t account);

#endif
