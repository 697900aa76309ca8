/* status_health: how a cluster is as one gateway sees it (its /health): matchers, market data,
 * orders. What `outcry status` has to go by where no service tells its own address. */
#ifndef OUTCRY_CLI_STATUS_HEALTH_H
#define OUTCRY_CLI_STATUS_HEALTH_H

#include "node/cluster.h"

/* Print it; as it came if json. 0 if the gateway says that all is well, else 1. */
int status_health(const struct cluster *c, bool json);

/* What an acknowledgement is worth in a journal's mode ("sync", ...). */
const char *status_promise(const char *journal_mode);

#endif
