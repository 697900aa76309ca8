/* access: who may connect to what: with CURVE (bus/guard.h) each socket of the cluster lets in
 * these roles and nobody else. PROTOCOL.md's "Transport security" is this table in words.
 *
 *     A(socket, binder, "roles that may connect", limited)
 *
 * limited: whether an identity that is for some accounts only may connect as well. Not to what
 * names accounts: a PUB cannot keep one reader from another's topics (libzmq 4.3.4's XPUB_MANUAL,
 * which is to do that, holds on to a connection that is gone, and so is not safe to use). */
#ifndef OUTCRY_NODE_ACCESS_H
#define OUTCRY_NODE_ACCESS_H

#include "bus/guard.h"
#include "node/cluster.h"

/* clang-format off */
#define ACCESS_TABLE(A)                                                                            \
    A(commands,          "matcher",     "gateway strategy operator",                      true)    \
    A(requests,          "matcher",     "gateway strategy operator market-data follower", true)    \
    A(private,           "matcher",     "gateway strategy operator",                      false)   \
    A(public,            "matcher",     "market-data strategy operator",                  true)    \
    A(private_answers,   "matcher",     "follower",                                       false)   \
    A(public_answers,    "matcher",     "follower",                                       false)   \
    A(follower_requests, "follower",    "matcher",                                        false)   \
    A(follower_private,  "follower",    "gateway strategy operator",                      false)   \
    A(follower_public,   "follower",    "market-data strategy operator",                  true)    \
    A(market,            "market-data", "gateway subscriber strategy operator",           true)    \
    A(market_requests,   "market-data", "gateway subscriber strategy operator",           true)
/* clang-format on */

#define ACCESS_ROLES                                                                               \
    {                                                                                              \
        "matcher", "follower", "market-data", "gateway", "strategy", "operator", "subscriber"      \
    }

enum { ACCESS_ROLE_COUNT = 7 };

/* The roles, in the order of a cluster's description. */
extern const char *const access_roles[ACCESS_ROLE_COUNT];

extern const struct guard_rules access_rules;

/* The guard of a context's sockets as `role`, in *g; NULL there if the cluster has no keys. KEEPS
 * nothing of c. False with error in words. */
bool access_guard(const struct cluster *c, const char *role, void *context, guard_t **g,
                  char error[KEYS_ERROR_SIZE]);

/* Whether this identity may speak as the origin: its own name, or that and a dash before more. One
 * that is for some accounts only is one sender: it could take all the places for senders else. */
bool access_owns(const struct guard_sender *who, const char *origin, size_t size);

#endif
