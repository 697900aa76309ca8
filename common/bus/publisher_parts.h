/* publisher_parts: what a publisher is made of; for publisher.c (topics and frames) and
 * publisher_answers.c (heartbeats, requests, replies) only. */
#ifndef OUTCRY_BUS_PUBLISHER_PARTS_H
#define OUTCRY_BUS_PUBLISHER_PARTS_H

#include "bus/publisher.h"

enum {
    CHUNK_NONE = 0,
    SHARDS_MAX = 64,
    RESEND_FRAMES_MAX = 16384,          /* of one topic in one answer */
    ANSWER_SIZE_MAX = FRAME_SPLIT_SIZE, /* events of one chunk of a message, but for a large one */
};

struct chunk {
    uint32_t next;
    uint32_t used;
    uint8_t bytes[PUBLISHER_CHUNK_SIZE - 8];
};

struct topic {
    uint32_t shard;
    enum topic_kind kind;
    bool told;    /* heartbeats speak of it */
    bool changed; /* since the last heartbeat */
    bool touched; /* something is put and not flushed */
    bool group_open;
    uint64_t last_seq;
    uint64_t last_frame; /* number in the ring; 0: none kept */
    /* what is put and not flushed */
    uint32_t first_chunk, last_chunk;
    size_t size;
    uint32_t group_count;
    uint64_t group_seq; /* of the open group, or the last one */
    uint32_t event_count;
    uint32_t count_chunk; /* where the open group's count of events stands */
    uint32_t count_at;
};

struct asker {
    char reply[REPLY_SIZE];
};

struct waiting_request {
    uint64_t came_ns;
    size_t size;
    uint8_t bytes[512]; /* a request is at most RESEND_SIZE_MAX and a little */
};

struct publisher {
    struct outbox *outbox;
    uint32_t output;
    struct publisher_state state;
    struct publisher_limits limits;
    char requests_address[ADDRESS_SIZE_MAX];
    size_t requests_address_size;
    uint64_t standing, journal; /* told in heartbeats */
    struct publisher_shard shards[SHARDS_MAX];
    uint32_t shard_count;

    struct name_table names; /* topic t is name t + 1 */
    struct topic *topics;
    struct chunk *chunks; /* 1..chunks_max */
    uint32_t chunk_free;
    uint32_t chunk_fresh;
    uint32_t chunks_used;
    size_t pending_size;
    uint32_t *touched; /* topics, in the order they were touched */
    uint32_t touched_count;
    uint32_t *open; /* topics with an open group */
    uint32_t open_count;
    struct frame_ring ring;

    struct wire_writer writer;
    uint32_t writing; /* the topic publisher_event was called for */

    /* the message being put together */
    struct message_head message;
    char message_topic[TOPIC_SIZE_MAX];
    uint8_t *answer; /* its events so far */
    uint32_t answer_count;
    uint32_t answer_chunk;
    uint16_t answer_shard;         /* of a heartbeat */
    const struct request *request; /* being served */
    bool answer_lost;              /* the outbox had no room for a chunk */
    uint64_t *walked;              /* frames to resend, newest first */

    struct asker *askers;
    uint32_t asker_count;
    struct waiting_request *waiting;
    uint32_t waiting_count;
    struct publisher_counts counts;
};

static inline struct text topic_name(const publisher_t *p, uint32_t topic)
{
    const struct name *n = &p->names.names[topic + 1];
    return (struct text){n->text, n->size};
}

static inline uint32_t topic_count(const publisher_t *p)
{
    return p->names.count;
}

/* The state behind a topic, or nil. */
struct u64_or_nil topic_hash(const publisher_t *p, uint32_t topic);

#endif
