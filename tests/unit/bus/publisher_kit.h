/* publisher_kit: what the publisher's tests have in common: one with an outbox of its own and a
 * state that is whatever the test says, and what it published, frame by frame. */
#ifndef OUTCRY_UNIT_BUS_PUBLISHER_KIT_H
#define OUTCRY_UNIT_BUS_PUBLISHER_KIT_H

#include "bus/publisher.h"

enum {
    KIT_OUTPUT = 5,
    KIT_EPOCH = 77,
    KIT_TOPICS_MAX = 5000,
};

#define KIT_ADDRESS "tcp://127.0.0.1:5561"
#define KIT_REPLY   "0123456789abcdef0123456789abcdef"

struct publisher_kit {
    struct outbox outbox;
    publisher_t *publisher;
    uint64_t hashes[KIT_TOPICS_MAX]; /* by topic */
    /* what a snapshot is answered with */
    enum reason snapshot_code;
    uint64_t snapshot_seq;
    unsigned snapshot_levels; /* level events, of price 1, 2, 3, ... */
    unsigned snapshots_asked;
    /* who answers in its place; NULL: nobody */
    bool (*pass_on)(struct publisher_kit *k, const struct request *q);
};

/* Room for everything but what a test is about. */
struct publisher_limits kit_limits(void);

/* One shard (number 3, epoch KIT_EPOCH), no topics. */
void kit_open(struct publisher_kit *k, const struct publisher_limits *limits, size_t outbox_size);
void kit_close(struct publisher_kit *k);

/* One event; and a group of one event. */
void kit_level(struct publisher_kit *k, uint32_t topic, uint64_t seq, int64_t price);
void kit_group(struct publisher_kit *k, uint32_t topic, uint64_t seq);

/* A group with one event of the topic, and flush: one frame. */
void kit_frame(struct publisher_kit *k, uint32_t topic, uint64_t seq);

/* Take the next message; false if there is none. Good until the next kit_take(). */
bool kit_take(struct publisher_kit *k, struct bytes *message);

/* Take the next message, which must be there and readable. */
struct frame_reader kit_take_frame(struct publisher_kit *k);
void kit_assert_nothing(struct publisher_kit *k);
void kit_drop_all(struct publisher_kit *k);

/* Requests. */
struct request kit_resend(const char *topic, uint64_t after, uint64_t through);
struct request kit_snapshot(const char *topic, uint64_t min_seq);
size_t kit_request_bytes(const struct request *q, uint8_t *bytes);
void kit_ask(struct publisher_kit *k, const struct request *q, uint64_t now_ns);
void kit_subscribe(struct publisher_kit *k, const char *reply, bool on);

/* The reply event a frame begins with; f stands behind it. */
struct reply kit_reply(struct frame_reader *f);

#endif
