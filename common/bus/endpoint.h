/* endpoint: sockets of one context, opened the one way we use them.
 *
 * Requests and commands: PUSH connects to a bound PULL. What follows: SUB connects to a bound XPUB.
 * What was sent last lingers for a moment, a message larger than FRAME_SIZE_MAX is not taken in,
 * tcp sockets beat (ZMTP heartbeats) so that a dead peer is noticed, and an XPUB passes every
 * subscription message on. Under a guard (guard.h) tcp is CURVE's. Errors come back in words.
 * Thread: one. */
#ifndef OUTCRY_BUS_ENDPOINT_H
#define OUTCRY_BUS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "bus/guard.h"

enum endpoint_kind { ENDPOINT_PULL, ENDPOINT_PUSH, ENDPOINT_XPUB, ENDPOINT_SUB };

enum {
    ENDPOINT_ERROR_SIZE = KEYS_ERROR_SIZE,
    ENDPOINT_ADDRESS_MAX = 127,
    ENDPOINT_MARK_PULL = 4096, /* messages kept for us before senders must wait */
    ENDPOINT_MARK_PUB = 16384, /* messages kept for one slow subscriber before it loses some */
};

/* Bind (PULL, XPUB) or connect (PUSH, SUB) at address: `ipc://PATH` or `tcp://HOST:PORT`.
 * On failure NULL, and error says what was wrong in words. */
void *endpoint_open(void *context, enum endpoint_kind kind, const char *address,
                    char error[ENDPOINT_ERROR_SIZE]);

/* The same under a guard (NULL: none), as the socket of this name; refused counts whoever it does
 * not let in (NULL: nobody asks). KEEPS guard and refused. */
void *endpoint_open_guarded(void *context, guard_t *guard, enum endpoint_kind kind,
                            const char *name, const char *address, metric_t *refused,
                            char error[ENDPOINT_ERROR_SIZE]);
void endpoint_close(void **socket);

/* Whether an XPUB drops what a slow subscriber has no room for (true), or sends it to nobody and
 * says EAGAIN (false, as opened). */
void endpoint_drop(void *socket, bool drops);

/* Subscribe a SUB to a topic, its NUL included: `l2.BTC-USD` is not `l2.BTC-USDT`. */
void endpoint_subscribe(void *socket, const char *topic);

/* Subscribe to every topic that begins so. */
void endpoint_subscribe_prefix(void *socket, const char *prefix);

#endif
