/* gateway_parts: the gateway's state, and what its files need of each other. Private to them. */
#ifndef OUTCRY_GATEWAY_GATEWAY_PARTS_H
#define OUTCRY_GATEWAY_GATEWAY_PARTS_H

#include "bus/origin.h"
#include "bus/subscriber.h"
#include "gateway/desk.h"
#include "gateway/gateway.h"
#include "gateway/gateway_metrics.h"
#include "gateway/market.h"
#include "gateway/orders.h"
#include "gateway/problem.h"
#include "gateway/stream.h"

enum {
    WAITING_MAX = 8192,         /* asks that wait for a position, and results for their order */
    MASS_MAX = 1024,            /* mass cancels without all their results */
    RECENT_MAX = 1 << 14,       /* what the last groups of a shard did, for the log */
    ANSWER_SMALL = 16 << 10,    /* an order, a problem */
    OUTBOX_FREE_MIN = 64 << 20, /* while less is free, nothing is taken in or answered: one answer,
                                   and what a frame makes, fit for certain */
    ANSWER_MAX = 16 << 20,      /* a book, a list */
};

/* Who waits for an answer. */
struct caller {
    uint64_t call; /* 0: nobody, or nobody any more */
    char request_id[REQUEST_ID_SIZE_MAX + 1];
};

/* A command without a result. */
struct pending {
    struct caller caller;
    uint32_t kind; /* enum ask_kind */
    uint32_t symbol;
    uint32_t mass; /* of ASK_MASS_CANCEL: which, from 0 */
    uint64_t sent_ns;
    uint64_t due_ns;      /* the caller is answered by then */
    uint64_t deadline_ns; /* and by then it is certain what became of it; 0: never too late */
    uint64_t order_id;    /* as asked; 0: none */
    char account[ACCOUNT_SIZE_MAX + 1];
    char client_order_id[CLIENT_ORDER_ID_SIZE_MAX + 1];
};

/* One event of an order, kept until a result says whose command caused it. */
struct recent {
    uint64_t seq;
    uint64_t type; /* MESSAGE_ORDER_FILLED (the taker's) or MESSAGE_ORDER_CANCELLED */
    uint64_t order_id;
    uint64_t trade_id;
    int64_t price, qty;
    uint32_t symbol;
    uint16_t reason;
    char account[ACCOUNT_SIZE_MAX + 1];
};

struct shard {
    gateway_t *gateway;
    unsigned number;
    subscriber_t *subscriber;
    uint32_t family; /* its topic: `acct.` of everybody */
    origin_t *origin;
    struct pending *pending; /* by origin_seq modulo the window */
    uint64_t next_seq;       /* origin_seq of the next command */
    uint64_t due_through;    /* up to here, time-outs have been looked at */
    uint64_t heard_ns;       /* when the last heartbeat came; 0: none yet */
    uint64_t heartbeat_ns;   /* its matcher's stamp */
    uint64_t standing;       /* its matcher's last word; enum standing, 0: none yet */
    uint64_t journal;        /* likewise; enum journal_mode */
    uint64_t epoch;          /* of its history; 0: not known yet */
    bool superseded;         /* another gateway has our name */
    bool logged_heard, logged_superseded;
    uint64_t logged_epoch, logged_standing;
    struct recent *recent;
    uint64_t recent_count; /* ever */
};

/* An ask that cannot be answered yet, or a result whose order is not known yet. */
struct waiting {
    uint64_t due_ns;
    bool has_result;
    unsigned shard; /* of the result */
    struct pending pending;
    struct result result;
    struct ask ask;
    uint64_t question; /* of an ask for an order that is not known; 0: not put yet */
};

enum mass_outcome { MASS_NONE, MASS_ASKED, MASS_DONE, MASS_REFUSED, MASS_UNKNOWN };

struct mass {
    struct caller caller; /* call 0: the place is free */
    uint64_t due_ns;
    unsigned left; /* shards without a result */
    struct {
        uint8_t outcome; /* enum mass_outcome */
        uint16_t code;
        uint64_t epoch, seq, cancelled;
    } shards[ORDERS_SHARDS_MAX];
};

struct gateway_counts {
    uint64_t commands, late, sessions_lost;
};

struct gateway {
    const struct cluster *cluster;
    struct outbox outbox;
    orders_t *orders;
    struct book_pool pool;
    struct market *markets; /* by symbol, as in the cluster's configuration */
    struct market_sink sink;
    char *scratch;
    subscriber_t *market_subscriber; /* topics 2 i: `l3.`, 2 i + 1: `trade.` of symbol i */
    uint64_t market_heard_ns;
    struct shard *shards;
    unsigned shard_count;
    uint32_t window;
    struct waiting *waiting;
    unsigned waiting_count;
    struct mass *masses;
    unsigned mass_count; /* in use */
    uint32_t *watchers;  /* by stream_channel() */
    uint64_t now_ns;
    uint64_t session;     /* epoch of the newest origin session */
    uint64_t answered_ns; /* waited_ns of the answer being made */
    bool started;         /* all orders and markets were known once */
    bool draining;
    uint64_t logged_faults;
    struct gateway_counts counts;
    gateway_metrics_t *metrics;
};

/* ---- gateway.c ---- */

/* Whether the shard's matcher speaks, whether it speaks and takes commands, and whether its orders
 * are known. */
bool shard_heard(const struct shard *s);
bool shard_open(const struct shard *s);
bool shard_ready(const struct shard *s);

/* ---- answers.c ---- */

/* An answer being written: its JSON goes straight into the outbox. */
struct answering {
    struct json_writer json;
    uint8_t *place;
    size_t at_size;
    bool problem; /* it becomes a problem: set between begin and end */
};

/* `at` is copied in front of the body. The step takes nothing in while the outbox has less room
 * than the largest answer. */
void answer_begin(gateway_t *g, struct answering *a, const char *at, size_t size_max);
void answer_end(gateway_t *g, struct answering *a, uint64_t call, unsigned status,
                enum reason code);

/* Whole answers. answer_refuse: by what the ask itself says; the last are a printf form. */
struct caller caller_of(const struct ask *ask);
__attribute__((format(printf, 6, 7))) void answer_refuse(gateway_t *g, const struct ask *ask,
                                                         enum reason code, const char *in,
                                                         const char *name, const char *detail, ...);

/* An order that is not known here: it may be on its way, so the matcher is asked how far the
 * account's orders have come, and this waits (false) until what it says is known; last: no longer,
 * and then it says that this is not known. question: 0 at first, kept by who waits. */
bool answer_unknown_order(gateway_t *g, const struct ask *ask, unsigned shard, uint64_t *question,
                          bool last);

void answer_problem(gateway_t *g, const struct caller *caller, const struct problem *p,
                    const struct problem_context *context);
void answer_order(gateway_t *g, const struct caller *caller, unsigned status,
                  const struct live_order *order, bool duplicate, const char *at);

/* ORDER_FINISHED: a problem with the final order in it. */
void answer_finished(gateway_t *g, const struct caller *caller, const struct live_order *order,
                     const char *at);

/* An order, as a value. */
void order_put(const gateway_t *g, struct json_writer *j, const char *key,
               const struct live_order *order, bool duplicate);

/* `shard.epoch.seq`. */
enum { AT_SIZE = 64, AT_ALL_SIZE = ORDERS_SHARDS_MAX * AT_SIZE };
void at_write(char at[AT_SIZE], unsigned shard, uint64_t epoch, uint64_t seq);

/* ---- intake.c ---- */

/* Whether what is asked may be sent to this shard now; if not, it is answered. */
bool intake_takes(gateway_t *g, const struct shard *s, const struct ask *ask);

/* ---- commands.c ---- */

void commands_ask(gateway_t *g, const struct ask *ask);
void commands_result(struct shard *s, uint64_t origin_seq, const struct result *result);
void commands_lost(struct shard *s, enum reason code);

/* A result whose order was not known: again, or for the last time. True: it is answered. */
bool commands_try_result(gateway_t *g, const struct waiting *w, bool last);

/* An amend, as soon as its order is known: false if that may still come. question: as in
 * answer_unknown_order. */
bool commands_try_amend(gateway_t *g, const struct ask *ask, uint64_t *question, bool last);

/* Answer those that have waited long enough; send what is put. */
void commands_end(gateway_t *g);

/* ---- reads.c ---- */

void reads_ask(gateway_t *g, const struct ask *ask);

/* Try everything that waits again. */
void reads_end(gateway_t *g);

/* Let a result wait for its order; false if there is no room. */
bool reads_wait_result(gateway_t *g, const struct shard *s, const struct pending *p,
                       const struct result *result);

/* ---- status.c ---- */

/* Symbols whose book and trades are known. */
unsigned markets_known(const gateway_t *g);

void status_health(gateway_t *g, const struct ask *ask);
void status_started(gateway_t *g, const struct ask *ask);
void status_ready(gateway_t *g, const struct ask *ask);
void status_metrics(gateway_t *g, const struct ask *ask);

/* ---- watchers.c ---- */

void watchers_init(gateway_t *g);
void watchers_ask(gateway_t *g, const struct ask *ask);

/* ---- order_log.c ---- */

/* The lines of the log, with the request they belong to. */
void order_log_submitted(gateway_t *g, const struct shard *s, const struct ask *ask);
void order_log_result(gateway_t *g, const struct shard *s, const struct pending *p,
                      const struct result *result);

/* Keep an event until a result says whose command caused it. */
void order_log_keep(struct shard *s, const struct live_order *order, uint64_t seq, uint64_t type,
                    struct wire_reader fields);

#endif
