/* cycle: one turn of a service around its journal, without sockets and clocks: what node.h does
 * with real ones, and the simulator with its own.
 *
 *     cycle_begin      time is stamped; may commands be taken in?
 *     cycle_offer      messages, input by input; subscriptions before them
 *     cycle_end        the batch goes into the journal
 *     cycle_commit     idle: sync and wait; with input waiting: let it go on in the background
 *     cycle_due        whatever is committed may be sent
 *
 * Commands are not taken in while (enum standing, in this order of precedence) the journal has
 * failed, the service is stopping, the wall clock has jumped, or the journal has no room: what has
 * come waits in its socket, and the service says why in its heartbeats.
 *
 * Clock: stamps are the wall clock; while that is behind the last stamp, they go on half as fast as
 * the clock of time since boot does. For a service with a journal, a wall clock that goes
 * more than CLOCK_JUMP_MAX_NS further than the clock of time since boot did has jumped; until
 * somebody confirms it (INTAKE_RESUME) or it comes back, stamps follow the other clock.
 *
 * Thread: one. No memory after init. */
#ifndef OUTCRY_NODE_CYCLE_H
#define OUTCRY_NODE_CYCLE_H

#include "base/status.h"
#include "node/service.h"

#define CLOCK_JUMP_MAX_NS (60 * UINT64_C(1000000000))

struct cycle {
    struct service service;
    journal_t *journal; /* NULL: everything is due at once */
    uint64_t now_ns;    /* the last stamp */
    uint64_t wall_ns;   /* both clocks when the wall clock was last believed; 0: never */
    uint64_t boot_ns;
    uint64_t turn_ns;       /* the boot clock at the last turn; 0: there was none */
    enum standing standing; /* as told to the service */
    bool jumped;
    bool stopping;
    bool closed;
    bool failed;
    bool took;      /* a message was taken in this turn */
    uint64_t batch; /* tag of what is said now: the number of the batch being made */
    bool unwritten; /* the journal had no space for the batch below */
    struct journal_batch kept;
};

/* KEEPS service and journal. now_ns: the last stamp of the history so far; 0: none. */
void cycle_init(struct cycle *c, const struct service *service, journal_t *journal,
                uint64_t now_ns);

/* A turn begins. wall_ns: Unix ns. boot_ns: a clock that goes on while the machine sleeps and is
 * never set. False: no batch can be made in this turn (the last one is not written yet). */
bool cycle_begin(struct cycle *c, uint64_t wall_ns, uint64_t boot_ns);

/* Whether this input may be read now. */
bool cycle_reads(const struct cycle *c, unsigned input);

/* A message of an input that may be read. INTAKE_FULL: offer it again in the next turn. */
enum intake cycle_offer(struct cycle *c, unsigned input, const uint8_t *message, size_t size);

/* The batch is whole. STATUS_IO: the journal has failed; nothing of this batch may be heard. */
enum status cycle_end(struct cycle *c);

/* idle: nothing waits to be read. If that made something committed, send it, and call this again:
 * what the journal has to do besides it does then. */
enum status cycle_commit(struct cycle *c, bool idle, uint64_t boot_ns);

/* Whether all batches made are committed. */
bool cycle_committed(const struct cycle *c);

/* Whether the next turn should wait until the journal has something to say (journal_fd): a batch
 * already waits behind the sync that is running. */
bool cycle_waits(const struct cycle *c);

/* The first message that may be sent; cycle_sent goes on to the next. */
bool cycle_due(struct cycle *c, struct outgoing *m);
void cycle_sent(struct cycle *c);

/* No more commands: the service is to stop. After a turn, cycle_stopped tells whether all that was
 * said is committed and sent. */
void cycle_stop(struct cycle *c);
bool cycle_stopped(const struct cycle *c);

/* End the journal in order, and tell the service, which has one more turn to say so. */
enum status cycle_close(struct cycle *c);

#endif
