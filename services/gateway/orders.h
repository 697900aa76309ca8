/* orders: every order of every shard, open or among the last finished ones of its account, as the
 * matchers' private streams tell of them: what lets any gateway answer for any order.
 *
 * It follows the matcher's own rule of what is remembered: all open orders, and of each account
 * and shard the last finished_per_account finished ones, refused ones included, by when they
 * finished. Times are those of the frames. Orders are found by id, by (shard, account, client
 * order id), and listed by account, newest first by (accepted_ns, shard, order_id).
 * Thread: owner only. Memory is taken by orders_new. */
#ifndef OUTCRY_GATEWAY_ORDERS_H
#define OUTCRY_GATEWAY_ORDERS_H

#include "base/decimal.h"
#include "proto/messages.h"

typedef struct orders orders_t;

enum { ORDERS_SHARDS_MAX = 64 };

/* So many open orders always have room, and more while finished ones need less than theirs: the
 * accounts of a batch come one behind the other, so what one has placed may be told before what
 * made room for it. Finished ones of all accounts have room for 2^26 at most. */
struct orders_limits {
    uint32_t shard_count;          /* 1..64 */
    uint32_t open_max;             /* open orders, of all shards; at most 2^30 */
    uint32_t accounts_max;         /* of all shards together; at most 2^30 */
    uint32_t finished_per_account; /* of a shard */
    uint64_t hash_seed;            /* unpredictable */
};

struct live_order {
    uint64_t order_id;
    char symbol[SYMBOL_SIZE_MAX + 1];
    char account[ACCOUNT_SIZE_MAX + 1];
    char client_order_id[CLIENT_ORDER_ID_SIZE_MAX + 1]; /* empty: none */
    uint16_t shard;
    uint16_t reason; /* enum reason; 0: none */
    uint8_t side, type, time_in_force, stp, status;
    bool post_only;
    struct i64_or_nil price;
    int64_t qty, open_qty, filled_qty;
    wide_t notional;      /* ticks x lots of its fills */
    uint64_t accepted_ns; /* Unix ns */
    uint64_t changed_ns;  /* of its last change; where only a snapshot told of it, accepted_ns */
    uint64_t epoch;
    uint64_t changed_seq;
};

orders_t *orders_new(const struct orders_limits *limits);
void orders_destroy(orders_t **o);

/* The shard's history begins anew, or a snapshot of all its orders follows: forget its orders and
 * accounts. Cost: that of its own ones. */
void orders_reset(orders_t *o, unsigned shard, uint64_t epoch);

/* `order_state` of a snapshot: finished ones of an account come oldest first, then open ones. What
 * cannot be true is counted as unknown. */
void orders_state(orders_t *o, unsigned shard, const struct order_state *m);

/* One event of the group of this seq, in a frame of this time. account: whose topic it came on.
 * Returns the order as it is now (for whoever logs it), even if it is forgotten with that: valid
 * until the next call; NULL if the event names an order nobody knows, does not fit it, cannot be
 * read, or is of a type that is no order's, which is counted as unknown; or if there is no room. */
const struct live_order *orders_event(orders_t *o, unsigned shard, struct text account,
                                      uint64_t seq, uint64_t time_ns, uint64_t type,
                                      struct wire_reader *fields);

/* NULL: there is none. Of several orders with the label, the newest. Valid until the next event. */
const struct live_order *orders_find(const orders_t *o, uint64_t order_id);
const struct live_order *orders_find_label(const orders_t *o, unsigned shard, struct text account,
                                           struct text client_order_id);

/* The sequence of the account's last event there, or last change in the snapshot; 0: none. */
uint64_t orders_account_seq(const orders_t *o, unsigned shard, struct text account);

/* Where a list stands: behind this order. All zero: at its beginning. */
struct orders_place {
    uint64_t accepted_ns;
    uint16_t shard;
    uint64_t order_id;
};

/* A walk through an account's orders, newest first. Good until the next event. */
struct orders_walk {
    uint32_t next[ORDERS_SHARDS_MAX]; /* of each shard, what is not told yet */
};

/* Begin behind `place` (which need not exist any more): walks there from the newest. The first time
 * after a snapshot it puts the account's orders in order, as a merge sort does. */
void orders_walk_begin(orders_t *o, struct text account, const struct orders_place *place,
                       struct orders_walk *walk);

/* The next order, or NULL. Costs a look at each shard. */
const struct live_order *orders_walk_next(const orders_t *o, struct orders_walk *walk);

struct orders_counts {
    uint64_t open;
    uint64_t finished;
    uint64_t unknown; /* events of orders nobody knows, and those that cannot be true */
    uint64_t full;    /* orders there was no room for, and finished ones forgotten too soon */
};
struct orders_counts orders_counts(const orders_t *o);

#endif
