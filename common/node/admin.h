/* admin: where a service that is not the gateway is looked at: probes and metrics over HTTP, on
 * threads of its own, outside the step.
 *
 *     GET /livez     200 while the duty cycle turns; 503 once it has stood still for 10 s. It never
 *                    depends on anybody else.
 *     GET /startupz  200 once the service has begun (its journal is read); 503 before
 *     GET /readyz    200 while it does what it is for; else 503 with one line that says why not
 *     GET /metrics   base/metrics.h, of all there is
 *
 * The address is the setting service_admin_address. With port 0 a free one is taken. Where it
 * listens is told in {run_dir}/NAME.admin, one line `HOST:PORT`, removed at the end: `outcry
 * probe`, `status` and `top` find the services of a machine by these files. Anybody who reaches it
 * may read: it has no secrets, and changes nothing. Other methods and paths are 405 and 404;
 * requests are limited in size, in time and in number at once, and each has a connection of its
 * own.
 *
 * Threads: civetweb's four; what is below may be called by any. */
#ifndef OUTCRY_NODE_ADMIN_H
#define OUTCRY_NODE_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cluster.h"
#include "node/metrics_table.h"

typedef struct admin admin_t;

enum { ADMIN_ERROR_SIZE = 384, ADMIN_STILL_MS = 10000 };

/* NULL in *a, and true, if the address is `none`. KEEPS metrics, of metric_families. name: as for
 * host_enter(), which came before. False, with error in words, if it cannot listen. */
bool admin_open(admin_t **a, const struct cluster *c, const char *name, metrics_t *metrics,
                char error[ADMIN_ERROR_SIZE]);
void admin_close(admin_t **a);

/* All of these do nothing if a is NULL. */

/* The duty cycle turned at this time, of clock_monotonic_ns(). Cost: a store. */
void admin_turned(admin_t *a, uint64_t now_ns);

/* The service has begun. Before that it need not turn. */
void admin_started(admin_t *a);

/* Whether it does what it is for; why not: KEPT, a literal. Not ready to begin with: "starting". */
void admin_ready(admin_t *a, bool ready, const char *why_not);

#endif
