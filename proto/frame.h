/* frame: a published message: topic, NUL, and
 *
 *     [version, type, epoch, prev_seq, seq, time_ns, hash, [[seq, [event, ...]], ...]]
 *
 * Heartbeats and replies are frames too, whose events are of the SERVICE class: one form for all
 * that is published, one reader for all that is received. This is the reader, and the writer of
 * the head; groups are put together by common/bus/publisher. */
#ifndef OUTCRY_PROTO_FRAME_H
#define OUTCRY_PROTO_FRAME_H

#include "messages.h"

enum frame_type {
    FRAME_EVENTS = 1,    /* history: (prev_seq, seq] of its topic */
    FRAME_HEARTBEAT = 2, /* topic `hb`: seq is where the shard stands */
    FRAME_REPLY = 3,     /* topic `re.<reply>`: the first event is a `reply` */
};

struct frame_head {
    struct text topic;
    uint64_t type; /* enum frame_type */
    uint64_t epoch;
    uint64_t prev_seq;
    uint64_t seq;
    uint64_t time_ns;
    struct u64_or_nil hash;
    uint32_t group_count;
};

enum {
    FRAME_HEAD_SIZE_MAX = TOPIC_SIZE_MAX + 1 + 2 * WIRE_ARRAY_SIZE_MAX + 7 * WIRE_INTEGER_SIZE_MAX,
    GROUP_HEAD_SIZE_MAX = WIRE_ARRAY_SIZE_MAX + WIRE_INTEGER_SIZE_MAX + WIRE_ARRAY_SIZE_MAX,
};

enum frame_read {
    FRAME_READ_OK,
    FRAME_READ_GARBAGE,
    FRAME_READ_VERSION, /* another protocol version */
};

/* A frame being read, group by group and event by event. */
struct frame_reader {
    struct wire_reader wire;
    struct frame_head head;
    uint32_t groups_left;
    uint32_t events_left;
    uint32_t parts_left; /* what a later version appended to the group */
    uint64_t group_seq;
};

/* Check the whole message, every event of a known type included, and stand before the first
 * group. What it accepts can be walked to the end without a fault. Events of unknown types are
 * passed over. BORROWS message. */
enum frame_read frame_read(struct frame_reader *f, const uint8_t *message, size_t size);

/* Step to the next group; false at the end. f->group_seq is then its sequence. */
bool frame_next_group(struct frame_reader *f);

/* Step to the next event of the group; false at its end. *fields stands before its fields. */
bool frame_next_event(struct frame_reader *f, uint64_t *type, struct wire_reader *fields);

/* Write topic, NUL and everything before the first group, at most FRAME_HEAD_SIZE_MAX. */
void frame_head_put(struct wire_writer *w, const struct frame_head *head);

/* The topic of a message: what stands before its first NUL; empty if there is none. */
struct text frame_topic(const uint8_t *message, size_t size);

#endif
