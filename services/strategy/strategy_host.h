/* strategy_host: runs strategies: gives each what concerns it, holds it to its limits, and turns
 * what it does into commands. A pure step: time, market data, results and orders come in, commands
 * go out; it reads no clock and sends nothing. Two drivers: strategy_service.h with the live
 * cluster, backtest.h with a virtual one; and inputs.h plays a recorded run to it again.
 *
 *     driver ─ strategy_host_market, _account, _result, _time ─> host ─ callbacks ─> strategy
 *     driver <─ command ─ host <─ limits <─ trader_place, _amend, _cancel ─ strategy
 *
 * What a strategy does within a callback is sent in that order, when the callback has returned;
 * what the host refuses is told in on_order behind what it has to be told already. Nothing is told
 * within a callback. Timers fire by their times; those of one time in the order of the strategies.
 *
 * Stopping (strategy_host_stop, is_done, a loss beyond loss_max, HOST_CALLS_MAX, events of its
 * account that cannot be): everything that works is cancelled, new orders are refused, and when the
 * last one is known to be done the strategy has ended: no callback follows. What its account says
 * after that still goes into orders and ledger, and to the owner. No memory is taken after
 * strategy_host_new. Thread: one. */
#ifndef OUTCRY_STRATEGY_STRATEGY_HOST_H
#define OUTCRY_STRATEGY_STRATEGY_HOST_H

#include "engine/mirror.h"
#include "strategy/ledger.h"
#include "strategy/strategy.h"

enum {
    STRATEGIES_MAX = 64,           /* of one host */
    STRATEGY_WORKING_MAX = 256,    /* orders of one that are not done */
    STRATEGY_UNANSWERED_MAX = 512, /* commands of one without a result */
    HOST_BOOK_ORDERS = 1 << 20,    /* orders the mirrors of one host hold, all symbols */
    HOST_CALLS_MAX = 4096, /* callbacks of one strategy from one input: then it is stopped */
};

/* 0: no limit, but for loss_max: see has_loss_max. What is sent counts as if it were filled whole
 * until it is known to be done, and an amend as the larger of both orders it may be. */
struct strategy_limits {
    int64_t position_max; /* lots, long or short, what is working included */
    int64_t order_max;    /* lots of one order in all: what is filled of it included */
    bool has_loss_max;
    notional_t loss_max;          /* ticks x lots, after fees, marked at the mid */
    uint32_t messages_per_second; /* commands, cancels excepted: in this tenth of a second and the
                                     ten before it, so in no second are there more */
};

/* The symbol it trades. */
struct strategy_symbol {
    char name[SYMBOL_SIZE_MAX + 1];
    char tick_size[DECIMAL_SIZE_MAX + 1];
    char lot_size[DECIMAL_SIZE_MAX + 1];
    struct parameter_units units; /* the same, to count in */
    uint16_t shard;
    bool any_price;
};

/* One strategy as configured. */
struct strategy_spec {
    char name[STRATEGY_NAME_SIZE_MAX + 1];
    char type[PARAMETER_TEXT_SIZE]; /* as it was named: a built-in one, or a path */
    const struct strategy_class *class;
    char account[ACCOUNT_SIZE_MAX + 1]; /* no two of a host have the same */
    struct strategy_symbol symbol;
    struct parameters parameters; /* complete */
    struct strategy_limits limits;
    struct fees fees;
    int64_t inventory;       /* lots it begins with */
    int64_t inventory_price; /* ticks; 0: the first mid there is, cut to a tick, or price of a fill,
                                if that comes first; until then it is not valued, and loss_max does
                                not bind */
};

/* What an account event says of an order of ours: order_accepted .. order_cancelled (proto). */
struct own_event {
    uint64_t type; /* MESSAGE_ORDER_ACCEPTED .. MESSAGE_ORDER_CANCELLED */
    uint64_t order_id;
    struct text client_order_id; /* of accepted and rejected */
    int64_t price;               /* of accepted, amended, filled */
    int64_t qty;                 /* filled, cancelled: lots of it; amended: in all */
    int64_t open_qty;            /* of amended, filled */
    uint64_t trade_id;
    uint16_t reason; /* of rejected, amended, cancelled */
    bool maker;
};

/* What becomes of it goes to these; what is not wanted is NULL. */
struct strategy_host_owner {
    void *self;
    /* A command for its symbol's shard, to be sent in this order; its envelope is empty. It cannot
     * be refused: at most STRATEGY_UNANSWERED_MAX a strategy wait for a result; each order that is
     * not done has room for its cancel among them. No input may be given from in here. BORROWED. */
    void (*command)(void *self, unsigned strategy, struct command *c);
    /* For reports, as it happens, before the strategy hears of it: each update, and where the
     * market stands then; each change of an order, its sending included; fills, each behind the
     * change of its order; words for the log; an end. */
    void (*market)(void *self, unsigned strategy, const struct market_update *u,
                   const struct bbo_state *bbo);
    void (*order)(void *self, unsigned strategy, const struct own_order *o);
    void (*fill)(void *self, unsigned strategy, const struct own_fill *f,
                 const struct bbo_state *bbo);
    void (*log)(void *self, unsigned strategy, const char *words);
    void (*ended)(void *self, unsigned strategy, const char *why);
};

typedef struct strategy_host strategy_host_t;

/* KEEPS specs' classes, and a copy of the rest. session: 1..2^40, what client order ids begin with
 * (`<name>-<session>-<number>`, in base 36): another one in each life of this host. books: false if
 * every symbol's book is attached. */
strategy_host_t *strategy_host_new(const struct strategy_host_owner *owner,
                                   const struct strategy_spec *specs, unsigned count,
                                   uint64_t session, bool books);
void strategy_host_destroy(strategy_host_t **h);

/* ---- inputs: all that decides. A now_ns before the last one counts as the last ---- */

/* on_start of all; once, first. Timers due are fired by each of these after what it is for. */
void strategy_host_start(strategy_host_t *h, uint64_t now_ns);

/* Symbols are numbered as strategy_host_symbol() says. The book begins anew: events of a snapshot
 * follow (seq 0), then joined. Until then the strategy sees it empty, and no order or amend is
 * taken for it (OWN_REFUSED_BOOK). That it has joined is told as an update of seq 0. */
void strategy_host_book_reset(strategy_host_t *h, unsigned symbol);
void strategy_host_book_event(strategy_host_t *h, unsigned symbol, uint64_t type,
                              struct wire_reader *fields);
void strategy_host_book_joined(strategy_host_t *h, unsigned symbol, uint64_t now_ns);
/* The events since the last one were the group of seq, of a frame of time_ns. */
void strategy_host_book_group(strategy_host_t *h, unsigned symbol, uint64_t now_ns, uint64_t seq,
                              uint64_t time_ns);

/* The other way: the book is this one, always right; and an update of it. KEEPS both. */
void strategy_host_book_attach(strategy_host_t *h, unsigned symbol, const struct book *book,
                               const struct book_pool *pool);
void strategy_host_market(strategy_host_t *h, unsigned symbol, uint64_t now_ns,
                          const struct market_update *u);

/* An event of the account of this strategy, and the result of the oldest unanswered command of a
 * shard. Events of a batch come before its results. */
void strategy_host_account(strategy_host_t *h, unsigned strategy, uint64_t now_ns,
                           const struct own_event *e);
void strategy_host_result(strategy_host_t *h, uint16_t shard, uint64_t now_ns,
                          const struct result *r);

/* The shard forgot us: what is unanswered there is unknown and will not be told. Its strategies
 * stop; what they have working counts as done (reason 0, its open_qty as it was). */
void strategy_host_lost(strategy_host_t *h, uint16_t shard, uint64_t now_ns);

/* Only time. */
void strategy_host_time(strategy_host_t *h, uint64_t now_ns);

/* Stop one, or all. Twice is once. why: for log and report. */
void strategy_host_stop(strategy_host_t *h, unsigned strategy, uint64_t now_ns, const char *why);
void strategy_host_stop_all(strategy_host_t *h, uint64_t now_ns, const char *why);

/* ---- looking ---- */

/* When _time is wanted at the latest; UINT64_MAX: never. */
uint64_t strategy_host_due_ns(const strategy_host_t *h);

unsigned strategy_host_count(const strategy_host_t *h);
const struct strategy_spec *strategy_host_spec(const strategy_host_t *h, unsigned strategy);
unsigned strategy_host_symbol_count(const strategy_host_t *h);
const struct strategy_symbol *strategy_host_symbol_at(const strategy_host_t *h, unsigned symbol);
unsigned strategy_host_symbol(const strategy_host_t *h, unsigned strategy);
const struct ledger *strategy_host_ledger(const strategy_host_t *h, unsigned strategy);
struct u64_or_nil strategy_host_book_hash(const strategy_host_t *h, unsigned symbol); /* L3 */

struct strategy_standing {
    bool ended;
    bool stopping;
    uint32_t working;                 /* orders that are not done */
    uint32_t unanswered;              /* commands without a result */
    uint64_t orders, amends, cancels; /* commands it sent */
    uint64_t refused[8];              /* by enum own_refusal; amends, too */
    uint64_t callbacks;               /* so far */
    const char *why;                  /* it stopped; "" */
};
struct strategy_standing strategy_host_standing(const strategy_host_t *h, unsigned strategy);
bool strategy_host_all_ended(const strategy_host_t *h);

/* The time of the last input; 0 before the first. */
uint64_t strategy_host_now_ns(const strategy_host_t *h);

/* trader_ahead() of an order of this strategy. */
int64_t strategy_host_ahead(const strategy_host_t *h, unsigned strategy, uint32_t order);

/* What its describe() says. */
void strategy_host_describe(const strategy_host_t *h, unsigned strategy, char *text, size_t size);

#endif
