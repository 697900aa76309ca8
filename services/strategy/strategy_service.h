/* strategy_service: the host live: follows the symbols' books and the accounts' orders at their
 * matchers (bus/subscriber), sends commands as one origin a shard (bus/origin), and records what it
 * does (inputs.h). A step function (node/service.h). Thread: one.
 *
 * Inputs: for each shard it trades on, in order, the matcher's public PUB and its private PUB;
 * outputs likewise: commands, and requests.
 *
 * At its start, whatever an earlier life has left working in its accounts is cancelled before
 * on_start. At a stop (the node's SIGTERM) it cancels what works and waits for the answers, at most
 * STRATEGY_STOP_MS. */
#ifndef OUTCRY_STRATEGY_STRATEGY_SERVICE_H
#define OUTCRY_STRATEGY_STRATEGY_SERVICE_H

#include "node/cluster.h"
#include "node/service.h"
#include "strategy/inputs.h"

typedef struct strategy_service strategy_service_t;

enum { STRATEGY_STOP_MS = 5000 };

struct strategy_service_options {
    const struct cluster *cluster;
    const struct strategy_spec *specs;
    unsigned count;
    const char *origin;        /* the name of this host as a sender of commands */
    uint64_t origin_epoch;     /* above that of any earlier life */
    const char *reply;         /* 32 hexadecimal digits */
    inputs_recorder_t *record; /* KEPT; NULL: none */
};

strategy_service_t *strategy_service_new(const struct strategy_service_options *options);
void strategy_service_destroy(strategy_service_t **s);
struct service strategy_service(strategy_service_t *s);

/* Begin to stop; ended: nothing works any more, or the time for it is over. */
void strategy_service_stop(strategy_service_t *s, const char *why);
bool strategy_service_ended(const strategy_service_t *s);

const strategy_host_t *strategy_service_host(const strategy_service_t *s);

#endif
