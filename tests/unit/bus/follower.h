/* follower: a subscriber to a feed, with a copy of its state, that holds itself against the truth
 * whenever the subscriber says it stands somewhere. */
#ifndef OUTCRY_UNIT_BUS_FOLLOWER_H
#define OUTCRY_UNIT_BUS_FOLLOWER_H

#include "bus/subscriber.h"
#include "tests/unit/bus/feed.h"

#define FOLLOWER_REPLY "00112233445566778899aabbccddeeff"

struct follower {
    const struct feed *feed; /* the truth */
    subscriber_t *subscriber;
    struct cells topics[FEED_TOPICS];
    bool spoiled[FEED_TOPICS]; /* the test changed the copy behind the subscriber's back */
    uint64_t group_seq[FEED_TOPICS];
    uint64_t before_seq; /* where the topic stood before the frame being read */
    /* what it was told, all in all; part_frames: it stood inside of these already */
    unsigned resets, joins, groups, frames, part_frames, heartbeats;
    unsigned faults[2]; /* by enum subscriber_fault */
    uint64_t last_event_seq;
    /* requests it wants pushed: the test takes them */
    bool blocked;
    unsigned request_count;
    size_t request_size;
    uint8_t request[512];
    void *link; /* where requests go instead, if `push` is set */
    void (*push)(void *link, const uint8_t *bytes, size_t size);
};

/* Follow topics 0..topic_count - 1 of the feed. */
void follower_open(struct follower *f, const struct feed *feed, uint32_t topic_count,
                   size_t kept_size, bool one_history);
void follower_close(struct follower *f);

/* Whether the copy is what the feed holds now. */
bool follower_right(const struct follower *f, uint32_t topic);

#endif
