/* matcher_metrics: what the processes of a shard tell of themselves: a matcher and its journal, or
 * a follower. Copied once a second, outside the step, from what these count in plain numbers.
 * Thread: the node's. */
#ifndef OUTCRY_MATCHER_MATCHER_METRICS_H
#define OUTCRY_MATCHER_MATCHER_METRICS_H

#include "matcher/follower.h"
#include "matcher/recovery.h"
#include "node/admin.h"
#include "node/cluster.h"

typedef struct matcher_metrics matcher_metrics_t;

/* KEEPS all: cluster, metrics, admin (NULL: none). */
matcher_metrics_t *matcher_metrics_new(const struct cluster *cluster, unsigned shard,
                                       metrics_t *metrics, admin_t *admin);
void matcher_metrics_destroy(matcher_metrics_t **m);

/* Takes the commands of each batch; takes the time of each from its end to its commit. */
metric_t *matcher_metrics_batch(matcher_metrics_t *m);
metric_t *matcher_metrics_commit(matcher_metrics_t *m);

/* A matcher has begun: what its journal was, and how long it took to read. directory: of the
 * journal, NULL: there is none. KEEPS r->matcher, r->journal and directory. */
void matcher_metrics_recovered(matcher_metrics_t *m, const struct recovery *r, uint64_t took_ns,
                               const char *directory);

/* It is a follower. KEEPS follower. */
void matcher_metrics_follows(matcher_metrics_t *m, const follower_t *follower);

/* node_watch.report of a matcher, and of a follower. */
void matcher_metrics_report(void *matcher_metrics);
void matcher_metrics_report_follower(void *matcher_metrics);

#endif
