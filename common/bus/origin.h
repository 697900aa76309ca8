/* origin: the sender's half of "each command once, and in order".
 *
 * It numbers commands, packs them back to back into messages, keeps each until its result is
 * there, sends again what is not answered or what the matcher says is missing, and tells the
 * matcher how far results have come (PROTOCOL.md, "Exactly once"). The matcher's half is
 * engine/origins.c. Pure step code: sending is the owner's, time is passed in. One matcher.
 * Thread: owner only. */
#ifndef OUTCRY_BUS_ORIGIN_H
#define OUTCRY_BUS_ORIGIN_H

#include "base/status.h"
#include "proto/command.h"
#include "proto/frame.h"

struct origin_owner {
    void *self;
    /* Push a message of commands; false if that cannot be done now (it is repeated later). */
    bool (*send)(void *self, const uint8_t *message, size_t size);
    /* The result of command origin_seq; each exactly once, in order. Refused or done, it was
     * sequenced: what the matcher only puts off is sent again. frame_ns: the matcher's time. */
    void (*result)(void *self, uint64_t origin_seq, const struct result *result, uint64_t frame_ns);
    /* The matcher will not answer this session any more (a new history, a newer session of the
     * same name, or no room for its name): commands without a result have an unknown outcome, and
     * none can be sent until origin_restart, which may be called from here. Once a session. */
    void (*lost)(void *self, enum reason code);
};

typedef struct origin origin_t;

enum {
    ORIGIN_REPEAT_MS = 500, /* without the oldest result, everything unanswered is sent again */
    ORIGIN_MESSAGE_SIZE_MAX = 32 << 10, /* commands are packed up to this */
};

/* epoch: greater than that of any earlier session of this name. window: commands that may be
 * unanswered, at most the matcher's origin_window. KEEPS nothing of owner but a copy. */
origin_t *origin_new(const struct origin_owner *owner, struct text name, uint64_t epoch,
                     uint32_t window);
void origin_destroy(origin_t **o);

/* Give the command the next place; its envelope is filled in but for deadline_ns. It is sent with
 * the next origin_flush, or when a message is full.
 * Errors: STATUS_FULL     the window is; nothing was done.
 *         STATUS_MISSING  the session is lost. */
enum status origin_command(origin_t *o, struct command *c, uint64_t *origin_seq);
void origin_flush(origin_t *o, uint64_t now_ns);

/* After `lost`: a new session, under a greater epoch than any before; it begins at 1. Commands
 * without a result are forgotten. */
void origin_restart(origin_t *o, uint64_t epoch);

/* A frame of our `ack.` topic. */
void origin_receive(origin_t *o, const uint8_t *frame, size_t size, uint64_t now_ns);
void origin_tick(origin_t *o, uint64_t now_ns);

/* Commands without a result, and how many more fit the window; none while the session is lost. */
uint64_t origin_unanswered(const origin_t *o);
uint64_t origin_room(const origin_t *o);

/* Times something was sent again. */
uint64_t origin_repeats(const origin_t *o);

#endif
