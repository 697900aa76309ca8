/* teller: tells a gateway's cache of orders, by hand, what matchers would, one event a line. */
#ifndef OUTCRY_UNIT_SERVICES_TELLER_H
#define OUTCRY_UNIT_SERVICES_TELLER_H

#include "gateway/orders.h"

enum { TELLER_EPOCH = 77 }; /* of shard 0; the next one's is one more */

struct teller {
    orders_t *orders;
    uint64_t now_ns; /* of the next event */
    uint64_t seq;    /* likewise */
};

/* A cache of these limits: shards, open orders, accounts, finished orders of each. */
void teller_open(struct teller *t, uint32_t shards, uint32_t open, uint32_t accounts,
                 uint32_t finished);
void teller_close(struct teller *t);

static inline uint64_t teller_id(unsigned shard, uint64_t seq)
{
    return (uint64_t)shard << 48 | seq;
}

/* An event of these bytes; the others write them. Each is of the shard in the order's id. */
const struct live_order *teller_event(struct teller *t, unsigned shard, const char *account,
                                      uint64_t type, const uint8_t *bytes, size_t size);

/* Buys on X-Y at 100 ticks. */
const struct live_order *teller_accepted(struct teller *t, uint64_t id, const char *account,
                                         const char *label, int64_t qty);

/* A market order for -7 lots. */
const struct live_order *teller_rejected(struct teller *t, uint64_t id, const char *account,
                                         const char *label);
const struct live_order *teller_amended(struct teller *t, uint64_t id, const char *account,
                                        int64_t price, int64_t qty, int64_t open_qty);
const struct live_order *teller_filled(struct teller *t, uint64_t id, const char *account,
                                       uint64_t trade_id, int64_t price, int64_t qty,
                                       int64_t open_qty, bool maker);
const struct live_order *teller_cancelled(struct teller *t, uint64_t id, const char *account,
                                          int64_t qty);

/* An order of 5 lots that comes and is cancelled at once. */
void teller_finished(struct teller *t, uint64_t id, const char *account, const char *label);

/* A state that may be: "a" bought 2 of 5 lots at 100. */
struct order_state teller_state(const struct teller *t, uint64_t id);

void teller_assert_counts(const struct teller *t, uint64_t open, uint64_t finished,
                          uint64_t unknown, uint64_t full);

/* The id of the order with this label; 0: there is none. */
uint64_t teller_labelled(const struct teller *t, unsigned shard, const char *account,
                         const char *label);

/* The account's list behind a place is these orders, and no more. */
void teller_assert_list(const struct teller *t, const char *account, struct orders_place place,
                        const uint64_t *ids, unsigned count);

#define TELLER_START ((struct orders_place){0, 0, 0})
#define TELLER_LIST(t, account, place, ...)                                                        \
    teller_assert_list(t, account, place, (const uint64_t[]){__VA_ARGS__},                         \
                       sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

#endif
