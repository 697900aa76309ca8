/* strategy_service_parts: what a strategy_service is made of; for strategy_service.c (making, the
 * step), strategy_service_streams.c (what matchers tell), strategy_service_session.c (what they are
 * asked) and strategy_service_log.c only. */
#ifndef OUTCRY_STRATEGY_STRATEGY_SERVICE_PARTS_H
#define OUTCRY_STRATEGY_STRATEGY_SERVICE_PARTS_H

#include "bus/origin.h"
#include "bus/subscriber.h"
#include "strategy/strategy_service.h"

enum { SHARDS_MAX = 64 };

enum service_phase { PHASE_JOINING, PHASE_RUNNING, PHASE_STOPPING, PHASE_ENDED };

/* A command without a result, or with one that is not told yet. */
struct pending {
    unsigned strategy;
    bool clears; /* our own mass cancel of its account */
    uint64_t type;
    struct result result;
};

/* An account, one a strategy. */
struct service_account {
    struct service_shard *shard;
    uint32_t topic; /* at its shard's `accounts` */
    bool asked;     /* its mass cancel is on its way */
    bool clear;     /* nothing from before works */
};

struct service_shard {
    struct strategy_service *service;
    unsigned index;
    uint16_t number;
    subscriber_t *books;    /* public; topic t is the host's symbol symbols[t] */
    subscriber_t *accounts; /* private; topic t is the account of strategies[t] */
    unsigned *symbols, *strategies;
    uint32_t account_count;
    origin_t *origin;
    struct pending *pending; /* a ring: told <= answered <= sent, modulo window */
    uint32_t window;
    uint64_t told, answered, sent;
    uint64_t epoch;    /* in which it began; 0: not yet */
    bool lost;         /* the host was told so, and waits for nothing from it any more */
    bool closed;       /* no session can be had */
    uint64_t heard_ns; /* its last heartbeat */
    uint64_t standing;
    uint64_t unreadable; /* account events nobody could read */
    struct {
        uint64_t standing, faults, unreadable;
        bool silent;
    } logged;
};

struct service_report {
    struct bbo_state bbo; /* of its symbol, when it changed last */
    uint64_t refused[8];  /* as logged last */
};

struct strategy_service {
    const struct cluster *cluster;
    struct outbox outbox;
    strategy_host_t *host;
    inputs_recorder_t *record;
    struct service_shard shards[SHARDS_MAX];
    unsigned shard_count;
    struct service_account *accounts; /* by strategy */
    struct service_report *reports;   /* by strategy */
    unsigned count;
    enum service_phase phase;
    bool clean;
    uint64_t now_ns;
    uint64_t session; /* of the origins: the newest */
    uint64_t stop_ns; /* when it was told to stop */
    uint64_t unsaid;  /* lines of the log there was no room for */
};

/* ---- strategy_service_streams.c ---- */

void streams_open(strategy_service_t *s, const char *reply);
void streams_close(strategy_service_t *s);
bool streams_live(const strategy_service_t *s);
void streams_receive(struct service_shard *shard, bool private, const uint8_t *message,
                     size_t size);

/* ---- strategy_service_session.c ---- */

void sessions_open(strategy_service_t *s, const char *origin);
void sessions_close(strategy_service_t *s);

/* The host's command, or our own mass cancel of a strategy's account. */
void session_command(struct service_shard *shard, unsigned strategy, struct command *c);

/* Tell what results can be told; cancel what must be cancelled before we begin, or end. */
void session_go_on(struct service_shard *shard);

/* An account's events up to here cannot be had: it is to be cleared and, if strategies run on the
 * shard, these stop. */
void session_account_lost(struct service_shard *shard, uint32_t topic);

/* Whether nothing from before works in any account; of those that can still be asked. */
bool sessions_clear(const strategy_service_t *s);

/* ---- strategy_service_log.c ---- */

/* For the host's owner. */
void service_log_market(void *self, unsigned strategy, const struct market_update *u,
                        const struct bbo_state *bbo);
void service_log_order(void *self, unsigned strategy, const struct own_order *o);
void service_log_fill(void *self, unsigned strategy, const struct own_fill *f,
                      const struct bbo_state *bbo);
void service_log_words(void *self, unsigned strategy, const char *words);
void service_log_ended(void *self, unsigned strategy, const char *why);

void service_log_begun(strategy_service_t *s);
void service_log_lost(struct service_shard *shard);
void service_log_closed(struct service_shard *shard, enum reason code);
void service_log_cleared(strategy_service_t *s, unsigned strategy, const struct result *r);

/* Not part of the step: about once a second. */
void service_report(void *self);

#endif
