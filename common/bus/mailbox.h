/* mailbox: a bounded way into a step from other threads: any thread puts messages, the one that
 * runs the step takes them, in the order they were put. Its descriptor is readable while something
 * may be in it, so the step's driver can wait for it beside its sockets.
 *
 * A ring of bytes behind a mutex: what is copied is a few hundred bytes, and TSan can follow it.
 * Putting never waits: a full mailbox says so. */
#ifndef OUTCRY_BUS_MAILBOX_H
#define OUTCRY_BUS_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct mailbox mailbox_t;

/* size: bytes of the ring, a multiple of 64; a message, with 8 bytes of its own, takes multiples
 * of 8 of it and is at most a quarter of it. */
mailbox_t *mailbox_new(size_t size);
void mailbox_destroy(mailbox_t **m);

/* Readable while something may be in it. */
int mailbox_fd(const mailbox_t *m);

/* Errors: STATUS_FULL  no room; nothing was put.   Thread: any. */
enum status mailbox_put(mailbox_t *m, const void *bytes, size_t size);

/* The first message; false if there is none. It is BORROWED until the next call.
 * Thread: the taker only. */
bool mailbox_take(mailbox_t *m, const uint8_t **bytes, size_t *size);

#endif
