/* subscriber_kit: a feed and a follower side by side, with no wire between them: the test takes
 * what one says and gives it to the other, or does not. */
#ifndef OUTCRY_UNIT_BUS_SUBSCRIBER_KIT_H
#define OUTCRY_UNIT_BUS_SUBSCRIBER_KIT_H

#include "tests/unit/bus/feed.h"
#include "tests/unit/bus/follower.h"

enum { TOPIC_A, TOPIC_AB, TOPIC_BBO, TOPIC_TRADE };

/* Of the family. */
enum { MEMBER_A, MEMBER_AB, MEMBER_B, MEMBER_C };

enum { PAIR_TOPICS_MAX = FEED_TOPICS + 1 };

struct pair {
    struct feed feed;
    struct follower follower;
    uint64_t now_ns;
};

/* cmocka's setup and teardown: a feed at 0, a follower of all its topics, or of its family (where
 * the snapshot asked for is always the family's), subscribed. */
int pair_open(void **state);
int pair_open_family(void **state);
int pair_close(void **state);

/* One command that changes a cell of the topic, in a frame of its own. */
void pair_publish(struct pair *p, uint32_t topic, uint32_t cell, int64_t value);

/* What was published arrives; is lost. */
void pair_deliver(struct pair *p);
void pair_lose(struct pair *p);

/* What was published is put away, to arrive later. */
enum { PARCEL_MAX = 64 };

struct parcel {
    unsigned count;
    struct bytes messages[PARCEL_MAX];
};
void pair_hold(struct pair *p, struct parcel *parcel);
void pair_deliver_parcel(struct pair *p, struct parcel *parcel);
void parcel_drop(struct parcel *parcel, unsigned message);
void pair_deliver_bytes(struct pair *p, const uint8_t *bytes, size_t size);

/* Time passes for the follower. */
void pair_wait_ms(struct pair *p, uint64_t ms);

/* The last request arrives, and its answer waits to be delivered. */
void pair_request_arrives(struct pair *p);

/* The same, and the answer is delivered. */
void pair_answer(struct pair *p);

/* Deliver and answer until all topics are live. */
void pair_join(struct pair *p);

/* The last request, read. */
struct request pair_request(const struct pair *p);
void pair_assert_asks_resend(const struct pair *p, uint32_t topic, uint64_t after,
                             uint64_t through);
void pair_assert_asks_snapshot(const struct pair *p, uint32_t topic, uint64_t min_seq);

/* All topics are live, and right. */
void pair_assert_right(const struct pair *p);

/* Change the hash in a frame that is on its way, so that it is wrong. */
void parcel_spoil_hash(struct parcel *parcel);

#endif
