/* planted: bugs that are there on purpose, to see that the simulator finds them. In every build but
 * the test's own (OUTCRY_PLANTED) PLANTED() is the constant false and the compiler drops what it
 * guards. */
#ifndef OUTCRY_BASE_PLANTED_H
#define OUTCRY_BASE_PLANTED_H

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, "what goes wrong") */
#define PLANTED_TABLE(X)                                                                           \
    X(ACK_BEFORE_SYNC, "what follows from a batch is sent before the batch is committed")          \
    X(DEDUPE_LOST_AT_RESTART, "a replay forgets who sent the commands")                            \
    X(RESEND_REORDERED, "frames are sent again newest first")                                      \
    X(SNAPSHOT_MISSES_A_FIELD, "a snapshot does not know where the topics stand")                  \
    X(HASH_ORDER_ITERATION, "the seed of the hash tables decides what a mass cancel finds")        \
    X(TORN_RECORD_ACCEPTED, "the checksum of a record's bytes is not looked at")                   \
    X(WALL_CLOCK_IN_MATCHING, "an order is stamped by a clock, not by its batch")                  \
    X(ACKED_TAIL_CUT, "damage of what was durable is cut off like any other")                      \
    X(EPOCH_NOT_CHANGED, "after a cut the old epoch goes on")                                      \
    X(DEADLINE_IGNORED, "a command is done however late it comes")                                 \
    X(SYNC_FAILURE_IGNORED, "a failed sync counts as one that ended well")                         \
    X(GAP_IGNORED, "a reader applies a frame whatever came before it")

#ifdef OUTCRY_PLANTED

#define PLANTED_ENUMERATOR(NAME, text) PLANTED_##NAME,
enum planted { PLANTED_NONE, PLANTED_TABLE(PLANTED_ENUMERATOR) PLANTED_COUNT };

extern enum planted planted_bug; /* the one that is there */

#define PLANTED(NAME) (planted_bug == PLANTED_##NAME)

/* A clock where none may be read. */
uint64_t planted_clock_ns(void);

#else

#define PLANTED(NAME) false

static inline uint64_t planted_clock_ns(void)
{
    return 0;
}

#endif

#endif
