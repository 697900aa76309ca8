/* host_kit: a strategy_host with strategies made of the test's own functions, and what came of it:
 * commands, callbacks, reports, in the order in which they happened. */
#ifndef OUTCRY_UNIT_SERVICES_HOST_KIT_H
#define OUTCRY_UNIT_SERVICES_HOST_KIT_H

#include "proto/command.h"
#include "strategy/inputs.h"

enum {
    HOST_KIT_HEARD_MAX = 1 << 14,
    HOST_KIT_COMMANDS_MAX = 1 << 13,
    HOST_KIT_STRATEGIES_MAX = 4,
};

#define HOST_KIT_T0 UINT64_C(1700000000000000000)

enum host_kit_kind {
    KIT_START,
    KIT_MARKET,
    KIT_ORDER,
    KIT_FILL,
    KIT_TIMER,
    KIT_COMMAND, /* the host said it to its owner, as those below */
    KIT_ENDED,
    KIT_TOLD_MARKET,
    KIT_TOLD_ORDER,
    KIT_TOLD_FILL,
};

struct host_kit_heard {
    enum host_kit_kind kind;
    unsigned strategy;
    struct own_order order; /* of order and fill */
    struct market_update update;
    int64_t price, qty, position; /* of a fill; position: as it was in the callback */
    bool in_callback;             /* of a command */
};

struct host_kit_command {
    unsigned strategy;
    struct command command; /* its texts are the kit's */
    char label[CLIENT_ORDER_ID_SIZE_MAX + 1];
};

/* What the strategies do; NULL: nothing. `index`: which one. */
struct host_kit_script {
    void (*start)(unsigned index, trader_t *t);
    void (*market)(unsigned index, trader_t *t, const struct market_update *u);
    void (*order)(unsigned index, trader_t *t, const struct own_order *o);
    void (*fill)(unsigned index, trader_t *t, const struct own_fill *f);
    void (*timer)(unsigned index, trader_t *t);
    bool done[HOST_KIT_STRATEGIES_MAX];
};

struct host_kit {
    strategy_host_t *host;
    inputs_recorder_t *record; /* through which all inputs go; NULL: nowhere else */
    inputs_player_t *player;   /* by which commands are compared; NULL: there is none */
    struct strategy_spec specs[HOST_KIT_STRATEGIES_MAX]; /* to be changed before host_kit_begin */
    unsigned count;
    struct host_kit_script script;
    trader_t *traders[HOST_KIT_STRATEGIES_MAX];
    uint64_t now_ns, seq;
    uint64_t order_ids; /* of the others' orders */
    bool in_callback;
    void (*todo)(trader_t *t);
    struct host_kit_heard heard[HOST_KIT_HEARD_MAX];
    unsigned heard_count;
    struct host_kit_command commands[HOST_KIT_COMMANDS_MAX];
    unsigned command_count;
    struct bbo_state bbo; /* as the owner was told it last */
    bool ended[HOST_KIT_STRATEGIES_MAX];
    char log[512];
    char why[512];
    unsigned ended_count;
};

extern const struct strategy_class host_kit_class;

/* One for all tests of a program; count strategies "s0", "s1", ... of accounts "a0", ..., which
 * trade BTC-USD on shard 0, in ticks of 0.01 and lots of 0.001. */
struct host_kit *host_kit_open(unsigned count);
void host_kit_close(struct host_kit *k);

/* Make the host; the books are empty, joined, if `joined`; start. */
void host_kit_begin(struct host_kit *k, bool joined);
struct strategy_host_owner host_kit_owner(struct host_kit *k);

/* Begin with a market of 100 to 110; and with order 1 of strategy 0, 5 lots to buy at 100,
 * accepted. What was said so far is cleared. */
void host_kit_begin_market(struct host_kit *k);
void host_kit_begin_working(struct host_kit *k);

/* Do this in a callback of strategy 0: of each update; of one that is made for it. */
void host_kit_todo(struct host_kit *k, void (*what)(trader_t *t));
void host_kit_act(struct host_kit *k, void (*what)(trader_t *t));
void host_kit_buy_5(trader_t *t); /* 5 lots at 100 */

/* ---- what it heard and said ---- */

void host_kit_clear(struct host_kit *k);
unsigned host_kit_count(const struct host_kit *k, enum host_kit_kind kind);
/* The last of a kind; CHECKed. */
const struct host_kit_heard *host_kit_last(const struct host_kit *k, enum host_kit_kind kind);
const struct host_kit_command *host_kit_command(const struct host_kit *k, unsigned from_last);

/* Assert that these kinds were heard, all of them, in this order. */
#define HOST_KIT_HEARD(k, ...)                                                                     \
    assert_true(host_kit_heard_are(k, (const enum host_kit_kind[]){__VA_ARGS__},                   \
                                   sizeof((enum host_kit_kind[]){__VA_ARGS__}) /                   \
                                       sizeof(enum host_kit_kind)))
bool host_kit_heard_are(const struct host_kit *k, const enum host_kit_kind *kinds, unsigned count);

/* ---- the market of symbol 0 ---- */

uint64_t host_kit_add(struct host_kit *k, enum side side, int64_t price, int64_t qty);
void host_kit_add_order(struct host_kit *k, uint64_t order_id, enum side side, int64_t price,
                        int64_t qty);
void host_kit_delete(struct host_kit *k, uint64_t order_id);
void host_kit_trade(struct host_kit *k, uint64_t trade_id, int64_t price, int64_t qty);
void host_kit_group(struct host_kit *k);
/* One bid and one ask of 10 lots, in one group. */
void host_kit_quote(struct host_kit *k, int64_t bid, int64_t ask);

/* ---- the exchange's word on order `number` of a strategy; its order_id is 1000 + number ---- */

uint64_t host_kit_id(uint32_t number);
void host_kit_accepted(struct host_kit *k, unsigned strategy, uint32_t number, int64_t price);
void host_kit_rejected(struct host_kit *k, unsigned strategy, uint32_t number, uint16_t code);
void host_kit_amended(struct host_kit *k, unsigned strategy, uint32_t number, int64_t price,
                      int64_t qty, int64_t open_qty);
void host_kit_filled(struct host_kit *k, unsigned strategy, uint32_t number, int64_t price,
                     int64_t qty, int64_t open_qty);
void host_kit_cancelled(struct host_kit *k, unsigned strategy, uint32_t number, int64_t qty,
                        uint16_t reason);
void host_kit_result(struct host_kit *k, uint16_t code);

#endif
