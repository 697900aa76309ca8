/* strategy_service: the host live: follows the symbols' books and the accounts' orders at their
 * matchers (bus/subscriber), sends commands as one origin a shard (bus/origin), and records what it
 * does (inputs.h). A step function (node/service.h). Thread: one.
 *
 * Inputs: for each shard it trades on, in order, the matcher's public PUB and its private PUB;
 * outputs likewise: commands, and requests; then, last, lines for the log.
 *
 *     JOINING ─ every book and account is live, and every account cleared ─> RUNNING
 *     RUNNING ─ strategy_service_stop ─> STOPPING
 *     RUNNING, STOPPING ─ every strategy has ended and nothing of it is left, or the time for
 *                         that is over ─> ENDED
 *
 * Clearing: at its start, whatever an earlier life has left working in its accounts on these shards
 * is cancelled (one mass cancel an account, answered) before on_start; what the earlier life had on
 * its way is refused from then on, its session being an older one. At a stop (the node's SIGTERM)
 * it cancels what works and waits for the answers, at most STRATEGY_STOP_MS.
 *
 * While a matcher takes nothing in, or is gone for a moment, commands wait in the origin and are
 * repeated; orders and amends are refused (TOO_LATE) if they come later than the setting
 * deadline_ms, cancels never are. A book that has a gap is repaired frame by frame, and is late
 * meanwhile, not wrong; where it must be joined again, the host is told reset, and joined.
 *
 * Where the shard may have forgotten what it told us (a new epoch, a session it does not know, an
 * account's events that cannot be had any more), strategies on it stop: what became of their orders
 * is unknown. Their accounts are cleared again before they count as ended. */
#ifndef OUTCRY_STRATEGY_STRATEGY_SERVICE_H
#define OUTCRY_STRATEGY_STRATEGY_SERVICE_H

#include "bus/subscriber.h"
#include "node/cluster.h"
#include "node/service.h"
#include "strategy/inputs.h"

typedef struct strategy_service strategy_service_t;

enum {
    STRATEGY_STOP_MS = 5000,
    STRATEGY_WINDOW = STRATEGY_UNANSWERED_MAX + 1, /* of origin_window, each strategy needs this */
};

struct strategy_service_options {
    const struct cluster *cluster;
    const struct strategy_spec *specs;
    unsigned count;            /* of one shard at most origin_window / STRATEGY_WINDOW */
    const char *origin;        /* the name of this host as a sender of commands */
    uint64_t origin_epoch;     /* above that of any earlier life */
    uint64_t session;          /* likewise, 1..2^40: of client order ids (strategy_host.h) */
    const char *reply;         /* 32 hexadecimal digits */
    inputs_recorder_t *record; /* KEPT; NULL: none */
};

strategy_service_t *strategy_service_new(const struct strategy_service_options *options);
void strategy_service_destroy(strategy_service_t **s);
struct service strategy_service(strategy_service_t *s);

/* Which shards these are, in order. */
unsigned strategy_service_shard_count(const strategy_service_t *s);
uint16_t strategy_service_shard(const strategy_service_t *s, unsigned index);

/* What was heard of a shard: of its books, or of our accounts there. */
struct subscriber_counts strategy_service_heard(const strategy_service_t *s, unsigned index,
                                                bool accounts);

/* Everything is joined, and it has not begun to stop. */
bool strategy_service_running(const strategy_service_t *s);

/* Begin to stop; ended: nothing works any more, or the time for it is over. Twice is once. */
void strategy_service_stop(strategy_service_t *s, const char *why);
bool strategy_service_ended(const strategy_service_t *s);

/* Once it has ended: nothing of ours is left on a book, by its matcher's word. */
bool strategy_service_clean(const strategy_service_t *s);

const strategy_host_t *strategy_service_host(const strategy_service_t *s);

#endif
