/* gateway_metrics: the step's numbers, set into their series when somebody asks for them, so that
 * they are of that moment. Thread: the step's. */
#ifndef OUTCRY_GATEWAY_GATEWAY_METRICS_H
#define OUTCRY_GATEWAY_GATEWAY_METRICS_H

#include <stdbool.h>

#include "node/metrics_table.h"

struct gateway;
typedef struct gateway_metrics gateway_metrics_t;

/* KEEPS metrics; NULL: nothing is counted. The shards of g are made. */
gateway_metrics_t *gateway_metrics_new(const struct gateway *g, metrics_t *metrics);
void gateway_metrics_destroy(gateway_metrics_t **m);

/* ready: whether every shard takes orders here. */
void gateway_metrics_set(gateway_metrics_t *m, const struct gateway *g, bool ready);

#endif
