/* market_data_metrics: what market-data's process tells of itself: copied once a second, outside
 * the step, from what it counts in plain numbers; and after each turn, how late it is. Thread: the
 * node's. */
#ifndef OUTCRY_MARKET_DATA_MARKET_DATA_METRICS_H
#define OUTCRY_MARKET_DATA_MARKET_DATA_METRICS_H

#include "market-data/market_data.h"
#include "node/admin.h"

typedef struct market_data_metrics market_data_metrics_t;

/* KEEPS all: market_data, cluster, metrics, admin (NULL: none). */
market_data_metrics_t *market_data_metrics_new(market_data_t *market_data,
                                               const struct cluster *cluster, metrics_t *metrics,
                                               admin_t *admin);
void market_data_metrics_destroy(market_data_metrics_t **m);

/* For node_watch. */
void market_data_metrics_turned(void *market_data_metrics);
void market_data_metrics_report(void *market_data_metrics);

#endif
