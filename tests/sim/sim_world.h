/* sim_world: one run of the simulator: its seed, its time, what is to happen, and what went wrong.
 *
 * Time is virtual: it stands still while something happens and then leaps to the next thing that
 * is to. Things due at the same time happen in the order they were asked for, so a run depends on
 * its seed and on nothing else; its digest, over everything said and written, tells whether it did.
 * Whoever is asked to happen lives as long as the world. Thread: one. */
#ifndef OUTCRY_SIM_SIM_WORLD_H
#define OUTCRY_SIM_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "tests/fuzz/random.h"

/* Unix ns when a run begins. */
#define SIM_BEGINNING_NS (UINT64_C(1800000000) * NS_PER_SECOND)

/* X(NAME, "what it is"): each must have fired, somewhere, for the simulator to be believed. */
#define SIM_FAULT_TABLE(X)                                                                         \
    X(DELAYED, "messages that took long")                                                          \
    X(REORDERED, "messages that overtook those of another connection")                             \
    X(LOST_AT_MARK, "frames lost because their reader's pipe was full")                            \
    X(REFUSED_AT_MARK, "messages not taken because the pipe was full")                             \
    X(LOST_IN_FLIGHT, "messages lost with their connection")                                       \
    X(TWICE, "messages that came twice after a reconnect")                                         \
    X(PARTITION, "partitions that broke connections")                                              \
    X(STALL, "partitions that only held messages up")                                              \
    X(PAUSED, "processes that stood still for a while")                                            \
    X(KILLED_BEFORE_APPEND, "matchers killed with a batch that is not written")                    \
    X(KILLED_BEFORE_SYNC, "matchers killed with a batch that is not synced")                       \
    X(KILLED_BEFORE_SEND, "matchers killed with a batch synced and nothing of it said")            \
    X(KILLED_WHILE_SENDING, "matchers killed with a part of a batch said")                         \
    X(KILLED_IDLE, "matchers killed at any other time")                                            \
    X(KILLED_FOLLOWER, "followers killed")                                                         \
    X(KILLED_MARKET_DATA, "market-datas killed")                                                   \
    X(KILLED_CLIENT, "clients killed, which come back as new sessions")                            \
    X(KILLED_READER, "readers killed")                                                             \
    X(STOPPED, "matchers stopped in order")                                                        \
    X(POWER_LOST, "power losses of the matcher's machine")                                         \
    X(SECTORS_LOST, "sectors a power loss took back")                                              \
    X(WRITES_TORN, "writes of which a power loss left a part")                                     \
    X(WRITES_REORDERED, "sectors lost although a later write survived")                            \
    X(FLIP_REFUSED, "bits flipped, and the matcher refused to start")                              \
    X(FLIP_CUT, "bits flipped, and the journal was cut under a new epoch")                         \
    X(FLIP_HARMLESS, "bits flipped without effect")                                                \
    X(SLOW_DISK, "syncs that took long")                                                           \
    X(DISK_FULL, "writes that did not fit")                                                        \
    X(NO_SPACE, "times intake stopped for lack of space")                                          \
    X(SYNC_FAILED, "syncs that failed")                                                            \
    X(WRITE_FAILED, "writes that failed")                                                          \
    X(DIRECTORY_VANISHED, "directories that vanished for a while")                                 \
    X(CLOCK_FORWARD, "wall clocks set forward a little")                                           \
    X(CLOCK_BACK, "wall clocks set back")                                                          \
    X(CLOCK_JUMPED, "wall clocks that jumped, and stopped intake")                                 \
    X(RESUMED, "jumps that were confirmed")

#define SIM_FAULT_ENUMERATOR(NAME, text) SIM_FAULT_##NAME,
enum sim_fault { SIM_FAULT_TABLE(SIM_FAULT_ENUMERATOR) SIM_FAULT_COUNT };

extern const char *const sim_fault_texts[SIM_FAULT_COUNT];

enum { SIM_FAILURE_SIZE = 2000 };

struct sim_happening;

struct sim_world {
    uint64_t seed;
    uint64_t now_ns; /* since the run began */
    bool verbose;    /* every note is printed */
    uint64_t digest;
    uint64_t faults[SIM_FAULT_COUNT];
    char failure[SIM_FAILURE_SIZE]; /* the first; empty: none */
    struct sim_happening *heap;     /* the next one first */
    size_t heap_count, heap_capacity;
    uint64_t asked;   /* things that were to happen, ever */
    uint64_t streams; /* of randomness */
};

void sim_world_init(struct sim_world *w, uint64_t seed, bool verbose);
void sim_world_close(struct sim_world *w);

/* A stream of random numbers of its own, so that what one part of the world draws does not change
 * what another does. */
struct random sim_world_stream(struct sim_world *w);

/* From least to most. */
uint64_t sim_between(struct random *r, uint64_t least, uint64_t most);

/* Let this happen in delay_ns. KEEPS self. */
void sim_world_after(struct sim_world *w, uint64_t delay_ns,
                     void (*happen)(void *self, uint64_t argument), void *self, uint64_t argument);

/* The next thing happens; false: there is none before until_ns, and it is until_ns now. */
bool sim_world_next(struct sim_world *w, uint64_t until_ns);

void sim_world_fired(struct sim_world *w, enum sim_fault fault, uint64_t times);

/* Something that must not be is. Only the first is kept, and printed as it is found. */
__attribute__((format(printf, 2, 3))) void sim_world_fail(struct sim_world *w, const char *format,
                                                          ...);
bool sim_world_failed(const struct sim_world *w);

/* What happens, for who reads a trace. */
__attribute__((format(printf, 2, 3))) void sim_world_note(const struct sim_world *w,
                                                          const char *format, ...);

/* These bytes were said or written. */
void sim_world_digest(struct sim_world *w, const void *bytes, size_t size);

#endif
