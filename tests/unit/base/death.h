/* death: what a CHECK does, tried in a child so that the test lives on. */
#ifndef OUTCRY_UNIT_BASE_DEATH_H
#define OUTCRY_UNIT_BASE_DEATH_H

#include <stdbool.h>
#include <stddef.h>

/* How a child ended that ran act(self), and what it said on stdout and stderr. */
struct death {
    bool aborted; /* by SIGABRT */
    int status;   /* its exit status; -1 if a signal ended it */
    char words[8192];
};

struct death death_of(void (*act)(void *self), void *self);

#endif
