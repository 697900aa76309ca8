/* follower: a subscriber to a feed, with a copy of its state, that holds itself against the truth
 * whenever the subscriber says it stands somewhere. */
#ifndef OUTCRY_UNIT_BUS_FOLLOWER_H
#define OUTCRY_UNIT_BUS_FOLLOWER_H

#include "bus/subscriber.h"
#include "tests/unit/bus/feed.h"

#define FOLLOWER_REPLY "00112233445566778899aabbccddeeff"

enum { FOLLOWER_LOG_MAX = 64 };

struct follower {
    const struct feed *feed; /* the truth */
    subscriber_t *subscriber;
    struct cells topics[FEED_TOPICS];
    bool spoiled[FEED_TOPICS]; /* the test changed the copy behind the subscriber's back */
    uint64_t group_seq[FEED_TOPICS];
    uint64_t before_seq; /* where the topic stood before the frame being read */
    /* what it was told, all in all; part_frames: it stood inside of these already */
    unsigned resets, joins, groups, frames, part_frames, heartbeats;
    unsigned faults[2];         /* by enum subscriber_fault */
    uint64_t standing, journal; /* by the last heartbeat */
    uint64_t last_event_seq;
    uint32_t log[FOLLOWER_LOG_MAX]; /* the topics of the groups, as they came */
    unsigned log_count;
    uint32_t members[FEED_TOPICS]; /* of a family: numbers at the subscriber; 0: not heard of */
    /* requests it wants pushed: the test takes them */
    bool blocked;
    unsigned request_count;
    size_t request_size;
    uint8_t request[512];
    void *link; /* where requests go instead, if `push` is set */
    void (*push)(void *link, const uint8_t *bytes, size_t size);
};

/* Follow all topics of the feed, or its family. topics_max: the subscriber's. */
void follower_open(struct follower *f, const struct feed *feed, size_t kept_size, bool one_history,
                   uint32_t topics_max);
void follower_close(struct follower *f);

/* Whether the copy is what the feed holds now. */
bool follower_right(const struct follower *f, uint32_t topic);

/* Up to where the subscriber says that the topic is complete. */
uint64_t follower_complete_seq(const struct follower *f, uint32_t topic);

/* The state is what it was at the sequence up to which the subscriber says it is complete. */
void follower_assert_complete(const struct follower *f);

#endif
