/* sim_reader: somebody who reads what is published, from whatever moment on, and must always be
 * right about it: books kept in the plainest way from L3 and L2, best prices, and the orders of all
 * accounts.
 *
 *     floor      l3. of the matcher
 *     market     l3. l2. bbo. trade. of market-data
 *     accounts   acct. of the matcher, all accounts as one family
 *
 * A fault of its subscriber, or an event that does not fit, is a failure. Thread: one. */
#ifndef OUTCRY_SIM_SIM_READER_H
#define OUTCRY_SIM_SIM_READER_H

#include "bus/subscriber.h"
#include "tests/sim/sim_history.h"
#include "tests/sim/sim_network.h"
#include "tests/unit/services/plain_book.h"

enum sim_reader_kind { SIM_READER_FLOOR, SIM_READER_MARKET, SIM_READER_ACCOUNTS };

enum { SIM_READER_TOPICS_MAX = 4 * SIM_SYMBOLS_MAX, SIM_READER_ORDERS_MAX = 1024 };

struct sim_open_order {
    uint64_t order_id;
    int64_t open_qty;
};

struct sim_reader {
    struct sim_world *world;
    struct sim_network *network;
    struct sim_history *history;
    enum sim_reader_kind kind;
    const char *const *symbols;
    unsigned symbol_count;
    struct random random;
    struct sim_peer peer;
    struct sim_link *link;
    char reply[REPLY_SIZE + 1];
    subscriber_t *subscriber; /* NULL: it does not run */
    uint64_t generation;
    struct plain_book books[SIM_SYMBOLS_MAX];
    struct sim_open_order orders[SIM_READER_ORDERS_MAX];
    unsigned order_count;
    uint64_t at[SIM_READER_TOPICS_MAX], epoch[SIM_READER_TOPICS_MAX]; /* of the last frame */
    uint64_t frames;
};

/* KEEPS all of it. It begins to run. */
struct sim_reader_setup {
    struct sim_network *network;
    struct sim_history *history;
    enum sim_reader_kind kind;
    const char *name;
    struct sim_peer *publisher;
    unsigned publisher_output, publisher_input;
    const char *const *symbols;
    unsigned symbol_count;
};
void sim_reader_init(struct sim_reader *r, const struct sim_reader_setup *setup);
void sim_reader_close(struct sim_reader *r);

/* Killed, and back within a second or so. */
void sim_reader_kill(struct sim_reader *r);

/* Whether it is live, complete up to the end of the history, and right; if not, why is told. */
bool sim_reader_right(const struct sim_reader *r, struct difference *d);

#endif
