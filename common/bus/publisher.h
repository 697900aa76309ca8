/* publisher: everything one PUB socket says.
 *
 * A step puts events into topics, group by group; at the end of the batch each topic that was
 * touched becomes one frame (more only when it outgrows FRAME_SPLIT_SIZE), with its place in the
 * topic's chain, the hash of the state behind it, and a copy in the frame_ring. Heartbeats say
 * where each topic stands; requests for frames sent before, or for the state, are answered on
 * `re.` topics. Nothing here knows what the events mean.
 *
 *     publisher_event ... publisher_event_end     into the topic's open group
 *     publisher_group_end                         after each command
 *     publisher_flush                             after each batch: frames into the outbox
 *
 * What is put together lies in chunks of one arena, so many topics can grow at once without
 * memory of their own. The order of frames is the order in which topics were first touched, but
 * for unchained ones: they are never before a chained one of the same sequences, so that whoever
 * has a result has been sent what came of the command. Thread: owner only. Memory is taken by init.
 */
#ifndef OUTCRY_BUS_PUBLISHER_H
#define OUTCRY_BUS_PUBLISHER_H

#include "base/name_table.h"
#include "bus/frame_ring.h"
#include "bus/outbox.h"
#include "proto/command.h"
#include "proto/frame.h"

enum {
    FRAME_SPLIT_SIZE = 64 << 10, /* a topic that outgrows it is flushed at the end of the group */
    FRAME_EVENTS_SIZE_MAX = 768 << 10, /* so that a resent frame still fits a frame */
    PUBLISHER_CHUNK_SIZE = 1 << 10,
    PUBLISHER_ASKERS_MAX = 4096, /* reply topics seen subscribed */
    PUBLISHER_WAITING_MAX = 256, /* requests that came before their subscription */
};

/* What the state behind a topic is: from the service. */
struct publisher_state {
    void *self;
    /* The hash after the last group put; only asked of topics made with hashed. */
    uint64_t (*hash)(void *self, uint32_t topic);
    /* Answer a snapshot: publisher_reply_begin, events, publisher_reply_end; or the code why not:
     * UNKNOWN_TOPIC, NOT_CAUGHT_UP. */
    enum reason (*snapshot)(void *self, const struct snapshot *request);
    /* Leave a request to somebody who answers it in our place: every snapshot is offered, and every
     * resend that reaches back further than what is kept. False: it is ours. NULL: all are. */
    bool (*pass_on)(void *self, const struct request *request);
};

struct publisher_limits {
    uint32_t topics_max;
    uint32_t chunks_max; /* what one batch can put, PUBLISHER_CHUNK_SIZE each */
    size_t ring_size;    /* bytes kept to be sent again */
    uint64_t ring_frames_max;
};

/* One history whose topics are published here. A matcher has one, market-data one a shard. */
struct publisher_shard {
    uint16_t shard;
    uint64_t epoch;
    uint64_t heartbeat_seq; /* of the last one */
    uint32_t rolled;        /* the topic the rolling slice goes on from */
};

typedef struct publisher publisher_t;

/* KEEPS outbox and state. output: the outbox's number of the PUB socket. requests_address: where
 * readers push requests to this publisher; told in heartbeats; at most ADDRESS_SIZE_MAX. */
publisher_t *publisher_new(struct outbox *outbox, uint32_t output,
                           const struct publisher_state *state,
                           const struct publisher_limits *limits, struct text requests_address);
void publisher_destroy(publisher_t **p);

/* A new history, or one more: its number, 0, 1, .... At most 64. */
uint32_t publisher_shard_add(publisher_t *p, uint16_t shard);

/* The shard's history begins anew under this epoch: its topics stand at 0 with nothing kept. */
void publisher_epoch_set(publisher_t *p, uint32_t shard, uint64_t epoch);

/* The shard's history goes on under this epoch, because what was published of it may be lost: its
 * topics stand where they stood, with nothing kept. */
void publisher_epoch_continue(publisher_t *p, uint32_t shard, uint64_t epoch);

enum topic_kind {
    TOPIC_HASHED,    /* frames carry the hash of the state behind it */
    TOPIC_PLAIN,     /* no hash */
    TOPIC_UNCHAINED, /* no prev_seq, not kept, not in heartbeats: `ack.` */
};

/* A topic, for good; its number, 0, 1, .... topics_max - 1. */
uint32_t publisher_topic_add(publisher_t *p, uint32_t shard, struct text name,
                             enum topic_kind kind);

/* The topic has this name from now on, if it had not; one that is TOPIC_UNCHAINED, and has nothing
 * that is not flushed under its old name. No other topic may have it. */
void publisher_topic_rename(publisher_t *p, uint32_t topic, struct text name);

/* The number of a topic; false if there is none of this name. */
bool publisher_topic_find(publisher_t *p, struct text name, uint32_t *topic);

/* Where the topic stands: seq of its last frame. Setting it (a mirror that joined in the middle)
 * forgets what was kept. */
uint64_t publisher_topic_seq(const publisher_t *p, uint32_t topic);
void publisher_topic_restart(publisher_t *p, uint32_t topic, uint64_t last_seq);

/* Whether heartbeats speak of the topic; true to begin with. While one is left out, heartbeats say
 * nothing about topics they do not name (their prev_seq is their seq). */
void publisher_topic_tell(publisher_t *p, uint32_t topic, bool told);

/* One event of at most size bytes into the topic's group of this seq. */
struct wire_writer *publisher_event(publisher_t *p, uint32_t topic, uint64_t seq, size_t size);
void publisher_event_end(publisher_t *p);

/* The command is through. Topics over FRAME_SPLIT_SIZE are flushed, stamped time_ns. */
void publisher_group_end(publisher_t *p, uint64_t time_ns);

/* All touched topics become frames. The outbox must have room: publisher_pending_size(). */
void publisher_flush(publisher_t *p, uint64_t time_ns);

/* Forget what was put since the last flush: it turned out to be wrong. */
void publisher_discard(publisher_t *p);

/* Bytes put and not yet flushed, and chunks of the arena still free. */
size_t publisher_pending_size(const publisher_t *p);
uint32_t publisher_chunks_free(const publisher_t *p);

/* Forward a frame as it is, as the topic's next one. STATUS_FULL cannot happen if the outbox has
 * room for it. */
void publisher_forward(publisher_t *p, uint32_t topic, uint64_t prev_seq, uint64_t seq,
                       const uint8_t *frame, size_t size);

/* What heartbeats say from now on of whether commands are taken in, and when they are acknowledged:
 * enum standing and enum journal_mode; 0 and 0 to begin with: it takes none. */
void publisher_standing_set(publisher_t *p, uint64_t standing, uint64_t journal);

/* Say that the shard lives and stands at seq: topics changed since the last heartbeat, and a
 * slice of the others. One too large for a frame, with some 20,000 positions, is several; they say
 * nothing about topics they do not name. */
void publisher_heartbeat(publisher_t *p, uint32_t shard, uint64_t seq, uint64_t time_ns);

/* Say that the shard lives, and nothing of any topic: its state is not to be told. */
void publisher_heartbeat_bare(publisher_t *p, uint32_t shard, uint64_t seq, uint64_t time_ns);

/* A message from the XPUB (1 or 0, then a topic), and one from the PULL for requests. */
void publisher_subscription(publisher_t *p, const uint8_t *message, size_t size);
void publisher_request(publisher_t *p, const uint8_t *message, size_t size, uint64_t now_ns);

/* A message of its own outside any topic's chain: answers to commands that are not sequenced, and
 * replies. It becomes several chunks if it is large; `reply` events are put in front of each chunk
 * if request is not NULL. */
struct message_head {
    struct text topic;
    uint64_t type; /* enum frame_type */
    uint64_t epoch;
    uint64_t prev_seq;
    uint64_t seq;
    uint64_t time_ns;
    struct u64_or_nil hash;
};
void publisher_message_begin(publisher_t *p, const struct message_head *head);
struct wire_writer *publisher_message_event(publisher_t *p, size_t size);
void publisher_message_event_end(publisher_t *p);
void publisher_message_end(publisher_t *p);

/* The same as an answer to the request being served, for publisher_state.snapshot. */
void publisher_reply_begin(publisher_t *p, uint64_t epoch, uint64_t seq, uint64_t time_ns,
                           struct u64_or_nil hash);

/* Answer a request whose asker, if it is not known to listen here, listens elsewhere: by this
 * output of the outbox, not the own. */
void publisher_request_for(publisher_t *p, const struct request *request, uint32_t output);

/* Within pass_on, an answer made of frames from elsewhere: begin, each frame, end. seq: where the
 * topic stands. */
void publisher_resend_begin(publisher_t *p, const struct request *request, uint64_t epoch,
                            uint64_t seq);
void publisher_resend_frame(publisher_t *p, const uint8_t *frame, size_t size);
void publisher_resend_end(publisher_t *p);

/* Answer a request that no publisher serves with a code; 0: it is done. */
void publisher_answer(publisher_t *p, struct text reply, uint64_t request_id, uint64_t request_type,
                      enum reason code);

struct publisher_counts {
    uint64_t frames;
    uint64_t resends;
    uint64_t snapshots;
    uint64_t refused; /* requests answered with a code */
    uint64_t garbage; /* requests nobody could read */
    uint64_t dropped; /* requests for which there was no room */
};
struct publisher_counts publisher_counts(const publisher_t *p);

#endif
