/* floor: strategies live, without a process: a strategy_service beside a real matcher, over a
 * network that loses what the test wants lost, and strategies that do what the test wishes. */
#ifndef OUTCRY_UNIT_SERVICES_FLOOR_H
#define OUTCRY_UNIT_SERVICES_FLOOR_H

#include "strategy/strategy_service.h"
#include "tests/fuzz/random.h"
#include "tests/unit/services/stage.h"

enum {
    FLOOR_TURNS_MAX = 20000, /* of a millisecond; nothing takes as long */
    FLOOR_ORDERS = 1024,
    FLOOR_PROBES = 2,
    FLOOR_LATEST_MS = 1000,      /* deadline_ms */
    FLOOR_KEPT_SIZE = 256 << 10, /* of frames that can be had again */
    FLOOR_PIPE_MAX = 4096,
};

#define FLOOR_ORIGIN "strategy-test"

/* A strategy that does what it is told, and what it was told. */
struct probe {
    unsigned starts, timers, groups;
    struct own_order orders[FLOOR_ORDERS]; /* as told last, by number */
    unsigned told[FLOOR_ORDERS];           /* on_order calls */
    int64_t bid_at_start;                  /* 0: none */
    unsigned fills;
    int64_t position;          /* by its fills */
    void (*wish)(trader_t *t); /* in the next callback, once */
    bool done;
};

struct floor_message {
    uint8_t *bytes; /* heap */
    size_t size;
    unsigned input; /* of the matcher */
};

struct floor {
    struct stage stage;
    struct cluster cluster;
    struct strategy_spec specs[FLOOR_PROBES]; /* "mine" on SYMBOL_ONE, "second" on SYMBOL_OTHER */
    unsigned count;                           /* of them that run: 1 */
    struct probe probes[FLOOR_PROBES];
    unsigned probe_count;
    strategy_service_t *strategies;
    struct service service;
    struct floor_message pipe[FLOOR_PIPE_MAX]; /* from the service, and others, to the matcher */
    unsigned pipe_count;
    uint64_t now_ns;
    uint64_t others_seq; /* of the other origin, "gw" */
    /* the weather */
    bool cut;         /* nothing of the service arrives */
    bool deaf;        /* it hears nothing the matcher says to the public */
    const char *lose; /* frames whose topic is this one are lost, the next so many */
    unsigned lose_count;
    unsigned lose_once_in; /* any message, either way, on average; 0: none */
    struct random random;
};

/* cmocka's setup and teardown: a matcher, and nothing beside it yet; in a scratch directory. */
int floor_open(void **state);
int floor_close(void **state);

/* Make the service; its strategies have not begun. */
void floor_serve(struct floor *f, inputs_recorder_t *record);

/* A millisecond passes, or so many: the matcher's batch, then the service's. */
void floor_turn(struct floor *f);
void floor_turns(struct floor *f, unsigned count);

#define FLOOR_UNTIL(f, condition)                                                                  \
    do {                                                                                           \
        unsigned left = FLOOR_TURNS_MAX;                                                           \
        while (!(condition)) {                                                                     \
            if (left-- == 0)                                                                       \
                fail_msg("never: %s", #condition);                                                 \
            floor_turn(f);                                                                         \
        }                                                                                          \
    } while (false)

/* Make it, and wait until its strategies have begun. */
void floor_begin(struct floor *f);

/* The matcher is gone, and another one begins a new history. */
void floor_new_matcher(struct floor *f, uint64_t epoch);

/* What is on its way to the matcher is lost. */
void floor_lose_commands(struct floor *f);

/* A message of commands is on its way to it; somebody else's order, in an account that is named, or
 * of "others" on SYMBOL_ONE. */
void floor_send(struct floor *f, const struct message *m);
void floor_order_on(struct floor *f, const char *symbol, const char *account, enum side side,
                    int64_t price, int64_t qty);
void floor_order(struct floor *f, enum side side, int64_t price, int64_t qty);

/* The first strategy does so in its next callback, for which somebody makes the market move. */
void floor_wish(struct floor *f, void (*act)(trader_t *t));

/* The price of the account's oldest open order; 0: it has none. */
int64_t floor_open_price(const struct floor *f, const char *account);

/* What its orders have come to, by the matcher's word: bought less sold. */
int64_t floor_position_of(const struct floor *f, const char *account);

struct strategy_standing floor_standing(const struct floor *f, unsigned strategy);
bool floor_ended(const struct floor *f);

#endif
