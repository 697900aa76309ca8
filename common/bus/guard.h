/* guard: CURVE on the tcp sockets of one ZeroMQ context: who is let in, and by which key we go to
 * others. Sockets that are not tcp are left plain: a run directory is 0700.
 *
 *     bound socket       has our pair; whoever connects must prove a key of the directory (keys.h)
 *                        whose role may connect to this socket: asked of us by ZAP (RFC 27)
 *     connected socket   has our pair, and a public key of the role that binds it: one of up to
 *                        three while keys are changed; if the handshake fails, the next is tried
 *
 *      libzmq's I/O thread                guard's thread                 the owner's thread
 *        handshake ---- ZAP request ----> table of keys
 *                 <---- User-Id, role --- refusals: counted, logged
 *        monitor events ----------------> marks on links --------------> guard_tend(): unbinds and
 *                                         looks at the directory         binds, connects again
 *
 * CZMQ's zauth is not used: it is an actor in CZMQ's own context, so it cannot serve the sockets of
 * ours; it lets in whoever has a certificate, wherever he goes; and it counts nothing. Where nobody
 * answers ZAP libzmq lets all in: so the guard answers before the first socket is opened, until the
 * last one is closed.
 *
 * A message that came through a guarded socket carries, as libzmq's metadata of it, who sent it:
 * guard_sender_of(). A peer cannot choose these: what ZAP answered goes before what he says of
 * himself.
 *
 * When a key is withdrawn (a public file gone, or other accounts in it) every bound socket is bound
 * anew, which cuts all its connections: those who still may come again at once, and what they had
 * on its way is repeated, as after any cut. There is no other way: libzmq does not part with one
 * peer of a PULL or a PUB.
 *
 * Threads: one of its own; guard_open to guard_tend by the owner of the sockets; guard_sender_of by
 * whoever holds the message. */
#ifndef OUTCRY_BUS_GUARD_H
#define OUTCRY_BUS_GUARD_H

#include "base/metrics.h"
#include "bus/keys.h"

enum {
    GUARD_LINKS_MAX = 256,  /* tcp sockets */
    GUARD_PATIENCE_MS = 50, /* how often guard_tend() is wanted */
};

typedef struct guard guard_t;

/* What a cluster's roles are, and its sockets by name. */
struct guard_rules {
    bool (*is_role)(const char *role);
    /* The role that binds the socket of this name; NULL: there is no such socket. */
    const char *(*binder)(const char *socket);
    /* limited: the identity is for some accounts only. */
    bool (*may_connect)(const char *socket, const char *role, bool limited);
};

/* Who sent a message. The texts live as long as the message. */
struct guard_sender {
    const char *name;
    const char *role;
    const char *accounts; /* "": all (certificate_has_account) */
};

/* Load the keys of the directory as `role` and begin to guard. KEEPS rules. NULL with error in
 * words (keys.h). */
guard_t *guard_open(void *context, const char *directory, const char *role,
                    const struct guard_rules *rules, char error[KEYS_ERROR_SIZE]);

/* After its sockets are closed and before the context ends. */
void guard_close(guard_t **g);

/* A tcp socket before it is bound or connected, once. KEEPS socket and refused (counts whoever is
 * not let in; NULL: nobody asks). False with error in words: there is no public key of the role
 * that binds it. */
bool guard_add(guard_t *g, void *socket, const char *name, const char *address, bool binds,
               metric_t *refused, char error[KEYS_ERROR_SIZE]);

/* Let go of a socket that is about to be closed while others go on. */
void guard_remove(guard_t *g, const void *socket);

/* What must be done to the sockets by their owner, if anything. Cost: an atomic load. */
void guard_tend(guard_t *g);

/* Who sent the zmq_msg_t; false: it came by a socket that has no guard. */
bool guard_sender_of(void *message, struct guard_sender *sender);

/* Our own name, as others hear it. */
const char *guard_name(const guard_t *g);

#endif
