/* problems: what is wrong with a cluster, worst first, in words. `outcry status` says it once,
 * `outcry top` since when. k8s/observability/alerts.yml knows the same and more, over time. */
#ifndef OUTCRY_CLI_PROBLEMS_H
#define OUTCRY_CLI_PROBLEMS_H

#include "cli/overview.h"

enum problem_weight {
    PROBLEM_STOPS,   /* orders are not taken, or readers not served */
    PROBLEM_THREATS, /* it goes on, and will not for long */
    PROBLEM_HAPPENS, /* it was lost and repaired, or refused */
};

enum { PROBLEMS_MAX = 64, PROBLEM_KEY_SIZE = 300, PROBLEM_TEXT_SIZE = 640 };

struct problem {
    enum problem_weight weight;
    char key[PROBLEM_KEY_SIZE]; /* what and whose: the same problem has the same */
    char text[PROBLEM_TEXT_SIZE];
};

struct problems {
    struct problem at[PROBLEMS_MAX];
    unsigned count; /* beyond PROBLEMS_MAX, the lightest are left out */
};

void problems_find(struct problems *p, const struct overview *o);

#endif
