/* flow: random commands of a few accounts in a few narrow markets, so that orders trade, meet their
 * own account, are amended, cancelled and refused. All from a seed. */
#ifndef OUTCRY_UNIT_SERVICES_FLOW_H
#define OUTCRY_UNIT_SERVICES_FLOW_H

#include "tests/fuzz/random.h"
#include "tests/unit/services/orders.h"

enum { FLOW_RECENT = 40 };

struct recent_order {
    struct text symbol;
    struct text account;
    char label[16];
};

struct flow {
    struct random random;
    uint64_t shard;
    uint64_t seq;                            /* about where the shard stands */
    struct recent_order recent[FLOW_RECENT]; /* the last ones with a label, in a ring */
    uint64_t labelled;
};

void flow_init(struct flow *f, uint64_t seed, uint64_t shard);

/* The next command, its envelope empty. Texts are good until the next one. */
void flow_next(struct flow *f, struct command *c);

#endif
