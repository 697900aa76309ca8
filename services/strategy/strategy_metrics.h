/* strategy_metrics: what a host of strategies tells of itself: copied once a second, outside the
 * step, from what the host and the service count in plain numbers. What several strategies of one
 * symbol have done is told together. Thread: the node's. */
#ifndef OUTCRY_STRATEGY_STRATEGY_METRICS_H
#define OUTCRY_STRATEGY_STRATEGY_METRICS_H

#include "node/admin.h"
#include "strategy/strategy_service.h"

typedef struct strategy_metrics strategy_metrics_t;

/* KEEPS all: service, metrics, admin (NULL: none). */
strategy_metrics_t *strategy_metrics_new(const strategy_service_t *service, metrics_t *metrics,
                                         admin_t *admin);
void strategy_metrics_destroy(strategy_metrics_t **m);

/* For node_watch. */
void strategy_metrics_report(void *strategy_metrics);

#endif
