/* sim_ear: hears all that matchers, followers and market-datas say, as it leaves them, and holds it
 * against the history (sim_history.h):
 *
 *     events       of committed commands only; the books' hashes are those of the history; a frame
 *                  that is said again, by whomever, is the same to the byte
 *     results      are what became of the command, and of no other
 *     heartbeats   positions and hashes likewise
 *     resends      each frame likewise, oldest first
 *     snapshots    their hashes likewise
 *
 * What is of an epoch that is over was right when it was said first. Thread: one. */
#ifndef OUTCRY_SIM_SIM_EAR_H
#define OUTCRY_SIM_SIM_EAR_H

#include "tests/sim/sim_history.h"

#define SIM_EAR_MATCHER "the matcher"

struct sim_frame_known {
    uint64_t key; /* of epoch, topic and seq; 0: free */
    uint64_t digest;
};

struct sim_ear {
    struct sim_world *world;
    const struct sim_history *history;
    struct sim_frame_known *known;
    size_t known_count, known_capacity;
    uint64_t frames, results, resent; /* heard */
    uint64_t standing;                /* in the last heartbeat of a matcher */
};

/* KEEPS world and history. */
void sim_ear_init(struct sim_ear *e, struct sim_world *world, const struct sim_history *history);
void sim_ear_close(struct sim_ear *e);

/* who: SIM_EAR_MATCHER, or another's name for a failure. */
void sim_ear_hear(struct sim_ear *e, const char *who, const uint8_t *bytes, size_t size);

#endif
