/* incidents: problems over time: since when each is there, and until when it was. Thread: one. */
#ifndef OUTCRY_CLI_INCIDENTS_H
#define OUTCRY_CLI_INCIDENTS_H

#include "cli/problems.h"

enum { INCIDENTS_MAX = 2 * PROBLEMS_MAX };

struct incident {
    struct problem problem;
    uint64_t since_ns, until_ns; /* Unix ns; until 0: it is there now */
};

/* Those there now, worst first; then those that are over, the latest first. At the limit those
 * that have been over for longest are forgotten. */
struct incidents {
    struct incident at[INCIDENTS_MAX];
    unsigned count;
};

/* What is found at that time. */
void incidents_update(struct incidents *all, const struct problems *found, uint64_t now_ns);

#endif
