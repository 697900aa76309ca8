/* subscriber: reads topics of one publisher, without a gap, from any moment on.
 *
 * It is the late-join and repair protocol of PROTOCOL.md ("A reader at `at`", "Joining late", "All
 * accounts") and nothing else: what events mean, and how requests leave, is the owner's. Each topic
 * is
 *
 *     WAITING    heard nothing yet; frames are kept aside; the first one, or a heartbeat's word
 *                about the topic, says how new a snapshot must be
 *     JOINING    a snapshot is asked for
 *     LIVE       every frame is applied as it comes, and its hash compared
 *     REPAIRING  a frame was missing: it is asked for again, the later ones are kept aside
 *
 * A newer epoch throws a topic back to WAITING. A hash that differs, or a sequence that went back,
 * is a fault: the owner is told, the topic joins again. One request is outstanding at a time and
 * is repeated when no answer comes.
 *
 * A *family* is every topic that begins with a prefix, those to come included. It joins as a whole,
 * by one snapshot of the topic named by the prefix alone: where that stands, each member stands,
 * also one first heard of later. From there a member moves, and is repaired, on its own; what
 * cannot be repaired, and a fault, makes the whole family join again. Members are found by their
 * frames and by heartbeats, and keep their numbers, and their places, for the subscriber's life.
 *
 * Pure step code: time is passed in. Thread: owner only. */
#ifndef OUTCRY_BUS_SUBSCRIBER_H
#define OUTCRY_BUS_SUBSCRIBER_H

#include "proto/command.h"
#include "proto/frame.h"

enum subscriber_fault {
    SUBSCRIBER_HASH_DIFFERS,  /* the state is not what the publisher says it must be */
    SUBSCRIBER_SEQ_WENT_BACK, /* the publisher stands before what it published */
};

/* What the owner does; what it does not care for it leaves NULL. `topic` is the number
 * subscriber_topic_add gave. Of a family: reset, joined and a snapshot's events are its own
 * topic's, everything else its member's. */
struct subscriber_owner {
    void *self;
    /* Forget the topic's state: its epoch is over, or a snapshot's events follow. */
    void (*reset)(void *self, uint32_t topic);
    /* One event, of a snapshot (seq 0) or of the group of this seq. */
    void (*event)(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                  struct wire_reader *fields);
    /* A snapshot is complete: the topic stands at head->seq of head->epoch. */
    void (*joined)(void *self, uint32_t topic, const struct frame_head *head);
    /* The group of this seq, in the frame of this head, is complete. */
    void (*group)(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head);
    /* A frame is applied, its groups above where the topic stood; its hash was right. */
    void (*frame)(void *self, uint32_t topic, const struct frame_head *head, const uint8_t *bytes,
                  size_t size);
    /* A heartbeat, of the shard it names: topics that are live and were spoken of stand as it
     * said. Its text is good until return. */
    void (*heartbeat)(void *self, const struct frame_head *head, const struct heartbeat *m);
    /* The hash of the topic's state now; nil if it has none. */
    struct u64_or_nil (*hash)(void *self, uint32_t topic);
    void (*fault)(void *self, uint32_t topic, enum subscriber_fault fault);
    /* A newer epoch of one topic is the end of all of its shard. */
    bool one_history;
};

/* How requests leave. */
struct subscriber_requests {
    void *self;
    /* Push a request; false if that cannot be done now. */
    bool (*push)(void *self, const uint8_t *bytes, size_t size);
};

typedef struct subscriber subscriber_t;

enum { SUBSCRIBER_REPEAT_MS = 500 }; /* a request without an answer is repeated after this */

/* KEEPS nothing of owner and requests but copies. reply: 32 hexadecimal digits, unpredictable, the
 * owner's own: `re.<reply>` must be subscribed, and `hb`. kept_size: bytes of frames kept aside
 * while topics are not live; more than that is dropped and asked for again. topics_max: topics,
 * families, and members ever heard of; of a member for which there is no place left the frames are
 * passed over and counted, and its family is never complete again until it joins anew. */
subscriber_t *subscriber_new(const struct subscriber_owner *owner,
                             const struct subscriber_requests *requests, const char *reply,
                             size_t kept_size, uint32_t topics_max);
void subscriber_destroy(subscriber_t **s);

/* Read this topic of this shard; its number: 0, 1, .... Topics and families must fit topics_max. */
uint32_t subscriber_topic_add(subscriber_t *s, struct text name, uint16_t shard);

/* The same of a topic in which perhaps nothing was published yet, so that no heartbeat speaks of
 * it: any heartbeat of its shard is enough for it to begin with, as it is for a family. */
uint32_t subscriber_quiet_topic_add(subscriber_t *s, struct text name, uint16_t shard);

/* Read every topic that begins with `prefix`, which must be subscribed as it is, without a NUL.
 * The number is that of the topic of just this name. At most 4. */
uint32_t subscriber_family_add(subscriber_t *s, struct text prefix, uint16_t shard);

/* A message from the SUB socket. Messages nobody can read are counted and ignored. */
void subscriber_receive(subscriber_t *s, const uint8_t *message, size_t size, uint64_t now_ns);

/* Let time pass: asks for what is missing. */
void subscriber_tick(subscriber_t *s, uint64_t now_ns);

/* A family is live when it has joined, whether or not a member is being repaired. */
bool subscriber_live(const subscriber_t *s, uint32_t topic);
bool subscriber_all_live(const subscriber_t *s);

/* Where the topic's state stands: its epoch and sequence. */
uint64_t subscriber_epoch(const subscriber_t *s, uint32_t topic);
uint64_t subscriber_seq(const subscriber_t *s, uint32_t topic);

/* The state is known to have everything up to here: where it stands or, if that is more, what a
 * heartbeat says of a topic in which nothing happened since. Of a family, what holds for all its
 * members. 0 before it has joined. */
uint64_t subscriber_complete_seq(const subscriber_t *s, uint32_t topic);

/* Ask the publisher where a topic of this family stands now, with the next tick: the number of the
 * question, from 1, or 0 while one that has left already, or one about another topic, is open: try
 * again. It need not be a member yet; name: at most TOPIC_SIZE_MAX bytes. */
uint64_t subscriber_question(subscriber_t *s, uint32_t family, struct text name);

/* Whether it is answered, and all that the topic had by then is in the state. So whoever told us
 * of something before we asked told us of nothing we do not know, and this by no clock. */
bool subscriber_knows(const subscriber_t *s, uint32_t family, uint64_t question);

/* Good for the subscriber's life. */
struct text subscriber_topic_name(const subscriber_t *s, uint32_t topic);

/* While an event is told: the time of the frame it stands in, Unix ns. */
uint64_t subscriber_frame_ns(const subscriber_t *s);

struct subscriber_counts {
    uint64_t frames;  /* applied */
    uint64_t gaps;    /* frames found missing */
    uint64_t resends; /* asked for */
    uint64_t snapshots;
    uint64_t repeats; /* requests without an answer */
    uint64_t faults;
    uint64_t garbage;
    uint64_t
        overflows; /* times frames were dropped: those kept aside, or a member's without place */
    uint64_t placeless; /* of them: a member's, there being topics_max topics */
};
struct subscriber_counts subscriber_counts(const subscriber_t *s);

#endif
