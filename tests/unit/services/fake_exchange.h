/* fake_exchange: an exchange that does what it likes, within the protocol: it accepts, refuses
 * (remembered or not), fills, amends and cancels by a seed. What it says of the market and what it
 * says to an account and its sender are two streams, each in order, that its reader hears as they
 * come. */
#ifndef OUTCRY_UNIT_SERVICES_FAKE_EXCHANGE_H
#define OUTCRY_UNIT_SERVICES_FAKE_EXCHANGE_H

#include "tests/unit/services/host_kit.h"

enum { FAKE_ORDERS_MAX = 1 << 14, FAKE_STREAM_MAX = 1 << 14, FAKE_GROUP_MAX = 16 };

struct fake_order {
    uint64_t order_id;
    unsigned strategy;
    char label[CLIENT_ORDER_ID_SIZE_MAX + 1];
    enum side side;
    int64_t price, qty, filled, open;
    bool rests;
};

/* What the private stream says: an event, or a result. */
struct fake_word {
    bool is_result;
    unsigned strategy;
    struct own_event event;
    char label[CLIENT_ORDER_ID_SIZE_MAX + 1];
    uint16_t code;
};

struct fake_market_event {
    uint64_t type; /* add, execute, reduce, delete, trade */
    uint64_t order_id;
    enum side side;
    int64_t price, qty;
};

struct fake_group {
    struct fake_market_event events[FAKE_GROUP_MAX];
    unsigned count;
};

struct fake_exchange {
    uint64_t random;
    uint64_t ids;
    struct fake_order orders[FAKE_ORDERS_MAX]; /* ours, and ever; and others' */
    unsigned order_count;
    struct host_kit_command commands[FAKE_STREAM_MAX]; /* on their way to it */
    unsigned command_head, command_count;
    struct fake_word private[FAKE_STREAM_MAX];
    unsigned private_head, private_count;
    struct fake_group public[FAKE_STREAM_MAX];
    unsigned public_head, public_count;
    int64_t position[HOST_KIT_STRATEGIES_MAX]; /* the truth */
    uint64_t fills;
};

void fake_exchange_init(struct fake_exchange *x, uint64_t seed);
uint64_t fake_exchange_random(struct fake_exchange *x, uint64_t below);

/* A command is on its way. */
void fake_exchange_send(struct fake_exchange *x, const struct host_kit_command *c);

/* It takes in a batch of those, if there are any: its events come before its results. */
void fake_exchange_work(struct fake_exchange *x);

/* Others place, cancel, and trade, with ours too. */
void fake_exchange_others(struct fake_exchange *x);

/* The reader hears one more word of a stream; false: there is none. */
bool fake_exchange_private(struct fake_exchange *x, struct host_kit *k);
bool fake_exchange_public(struct fake_exchange *x, struct host_kit *k);

/* The reader's book begins anew, from a snapshot of what the exchange has now. */
void fake_exchange_snapshot(struct fake_exchange *x, struct host_kit *k);

/* Lots of a strategy open on a side. */
int64_t fake_exchange_open(const struct fake_exchange *x, unsigned strategy, enum side side);

#endif
