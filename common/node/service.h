/* service: what every process of the cluster is: a step function with its state.
 *
 *     begin      a batch begins, at this time
 *     receive    one message of one input; any number of times
 *     end        the batch is whole: its commands, if any, are handed over for the journal, and
 *                what follows from them is in the outbox, tagged with the batch
 *
 * No step reads a clock, sends, waits or takes memory: time and messages come in, the outbox goes
 * out. node.h drives it with real sockets; a simulator drives the same functions with its own. */
#ifndef OUTCRY_NODE_SERVICE_H
#define OUTCRY_NODE_SERVICE_H

#include <stdbool.h>

#include "bus/guard.h"
#include "bus/outbox.h"
#include "journal/journal.h"
#include "proto/messages.h"

enum intake {
    INTAKE_MORE,   /* the message is done with */
    INTAKE_FULL,   /* the batch is full: offer the same message again in the next one */
    INTAKE_RESUME, /* done with; it confirms that the clock is right (cycle.h) */
};

/* Which input, if any, is not read while no commands are taken in. */
enum { SERVICE_NO_COMMANDS = -1 };

struct service {
    void *self;
    struct outbox *outbox;
    int commands_input;    /* or SERVICE_NO_COMMANDS */
    size_t batch_size_max; /* bytes a batch for the journal has at most */
    /* now_ns: Unix ns, never less than the time before. batch: what the outbox is tagged with. */
    void (*begin)(void *self, uint64_t now_ns, uint64_t batch);
    enum intake (*receive)(void *self, unsigned input, const uint8_t *message, size_t size);
    /* Whether a message may be received from its sender: asked before receive(), once a message, of
     * what came through a guarded socket (bus/guard.h). What may not is passed over. NULL: all. */
    bool (*admit)(void *self, unsigned input, const struct guard_sender *sender,
                  const uint8_t *message, size_t size);
    /* True if there is something for the journal: *batch is filled in but for its number. */
    bool (*end)(void *self, struct journal_batch *batch);
    /* Whether the state behind the batch just made is to be recorded, and its hash. last: the
     * service is about to end. NULL: never. */
    bool (*checkpoint)(void *self, bool last, uint64_t *hash);
    /* Whether commands are taken in, and the last one that is committed: when the first of them
     * changes. Once FAILED, nothing may be said but that. NULL if the service does not care. */
    void (*stand)(void *self, enum standing standing, uint64_t committed_seq);
    /* A subscription message of an XPUB output; NULL if the service does not care for them. */
    void (*subscription)(void *self, unsigned output, const uint8_t *message, size_t size);
    /* Nobody came for a while; how long may we sleep until the next begin() is wanted, ms. */
    unsigned (*patience_ms)(void *self);
    /* Not part of the step: called about once a second, to log what is new; NULL if the service
     * has nothing to say. */
    void (*report)(void *self);
};

#endif
