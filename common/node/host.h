/* host: what every service's main() does before its loop: read the cluster's configuration, take
 * its place in the run directory, and draw what must be unpredictable. Failures are told on stderr
 * in words. Thread: one, at start. */
#ifndef OUTCRY_NODE_HOST_H
#define OUTCRY_NODE_HOST_H

#include "node/cluster.h"

/* What argv says. `usage` is printed for --help, which exits 0; a mistake exits 2. Flags left over
 * are the caller's. */
void host_load(struct cluster *c, int *argc, char **argv, const char *usage);

/* A number flag of the program's own (`--shard 0`), taken out of argv; a mistake exits 2. */
uint64_t host_number_flag(int *argc, char **argv, const char *flag, uint64_t low, uint64_t high,
                          uint64_t otherwise);

/* Whether a flag without a value stands there; taken out of argv. */
bool host_flag(int *argc, char **argv, const char *flag);

/* Nothing may be left over in argv; a mistake exits 2. */
void host_no_more_flags(int argc, char **argv);

/* Make the run directory (0700) and be the only `name` in it; exits 1 with the reason. Then open
 * the log, and prepare for a CHECK that fails. A pipe whose reader has gone ends us no more. */
void host_enter(const struct cluster *c, const char *name);

/* Record an admin action in audit_destination (base/audit.h), as of whoever runs this process. What
 * cannot be recorded is told on stderr; it happens all the same, because who is on call must be
 * able to act with a full disk. */
void host_audit(const struct cluster *c, const char *action, const struct log_field *fields);

/* The number of this life of `name` in the run directory: Unix seconds or, where the clock has been
 * set back, one more than that of the last life. Sessions (origin_epoch) are made of it, so that
 * matchers never take a newer life for an older one. Durable on return; exits 1 with the reason. */
uint64_t host_session(const struct cluster *c, const char *name);

/* Unpredictable: a number, and 32 hexadecimal digits with their NUL. */
uint64_t host_random(void);
void host_random_reply(char reply[33]);

#endif
