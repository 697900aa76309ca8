/* targets: where the services of a cluster are looked at: HOST:PORT of each one's probes and
 * metrics (node/admin.h). Found in the run directory, where every service tells its own in a file
 * NAME.admin, or given as a list. Thread: one. */
#ifndef OUTCRY_CLI_TARGETS_H
#define OUTCRY_CLI_TARGETS_H

#include <stdbool.h>

#include "node/cluster.h"

enum {
    TARGETS_MAX = 256,
    TARGET_ADDRESS_SIZE = 264, /* a host name, a colon, a port */
    TARGET_NAME_SIZE = TARGET_ADDRESS_SIZE,
    TARGET_ERROR_SIZE = 384,
};

struct target {
    char name[TARGET_NAME_SIZE];
    char address[TARGET_ADDRESS_SIZE]; /* "": its file does not say one */
};

struct targets {
    struct target at[TARGETS_MAX];
    unsigned count;
};

/* Its name as people know it: the file of a gateway, or of a host of strategies, has what it is
 * before that (gateway-NAME.admin). */
const char *target_shown(const struct target *t);

/* Those that tell of themselves in the directory, sorted by name; none if there is none. A service
 * that was killed leaves its file behind: where two name one address, it is the younger file's. */
void targets_find(struct targets *t, const char *run_dir);

/* "HOST:PORT,HOST:PORT,...", each under its address as its name. False with error in words. */
bool targets_read(struct targets *t, const char *list, char error[TARGET_ERROR_SIZE]);

/* The targets of a command: of the list, or if it is NULL of the cluster's run directory. A mistake
 * in the list exits 2 with a message in the command's name. */
void targets_of(struct targets *t, const char *command, const struct cluster *c, const char *list);

#endif
