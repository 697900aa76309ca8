/* sim_client: a sender of commands: an origin, a random flow, and what it knows of its orders.
 *
 * Names, labels, accounts and prices are few, so that orders meet, labels come again and
 * cancels find somebody else's order. A client that is killed comes back as a new session and
 * knows nothing. One whose session is lost begins a new one: that is right only if the cluster
 * has lost something, and has said so. Thread: one. */
#ifndef OUTCRY_SIM_SIM_CLIENT_H
#define OUTCRY_SIM_SIM_CLIENT_H

#include "bus/origin.h"
#include "tests/sim/sim_history.h"
#include "tests/sim/sim_network.h"

enum { SIM_CLIENT_ORDERS = 32, SIM_WINDOW_MAX = 64 };

/* How clients behave in this run. */
struct sim_temper {
    uint64_t gap_ns;   /* between two looks at what to send, up to this */
    uint64_t burst;    /* commands at once, up to this */
    uint64_t labels;   /* there are so many; 0: each is new */
    uint64_t accounts; /* likewise, at least 1 */
    uint64_t width;    /* prices are in a band of so many ticks */
    uint64_t qty_max;
    uint64_t late_in;    /* one deadline in so many is near */
    uint32_t window;     /* of an origin */
    unsigned weights[4]; /* of new, cancel, amend, mass cancel */
};

struct sim_known_order {
    uint64_t order_id;
    unsigned account, symbol;
};

struct sim_client {
    struct sim_world *world;
    struct sim_network *network;
    struct sim_history *history;
    const struct sim_temper *temper;
    const char *const *symbols;
    unsigned symbol_count;
    struct random random;
    struct sim_peer peer;
    origin_t *origin; /* NULL: it does not run */
    uint64_t session;
    uint64_t cuts; /* of the history, when the session began */
    uint64_t generation;
    bool finishing; /* it sends nothing new */
    uint64_t label_count;
    struct sim_known_order orders[SIM_CLIENT_ORDERS];
    uint64_t order_count;
    struct sim_known_order asked[SIM_WINDOW_MAX]; /* of commands without a result */
    uint64_t answered;                            /* of this session */
    uint64_t results;
    uint64_t sessions_lost;
};

/* KEEPS all of it. It begins to run. */
struct sim_client_setup {
    struct sim_network *network;
    struct sim_history *history;
    const struct sim_temper *temper;
    struct sim_peer *matcher;
    const char *name;
    const char *const *symbols;
    unsigned symbol_count;
};
void sim_client_init(struct sim_client *c, const struct sim_client_setup *setup);
void sim_client_close(struct sim_client *c);

/* Killed, and back within a second. */
void sim_client_kill(struct sim_client *c);

/* Every command has its result. */
bool sim_client_done(const struct sim_client *c);

#endif
