/* subscriber_parts: what a subscriber is made of; for subscriber.c (topics, families, history),
 * subscriber_heartbeats.c and subscriber_answers.c (requests, replies) only.
 *
 * What joins at once, by one snapshot, is a *whole*: a family with all its members, or a topic that
 * is of no family. Epoch and join are a whole's; sequence and repair are each topic's own. */
#ifndef OUTCRY_BUS_SUBSCRIBER_PARTS_H
#define OUTCRY_BUS_SUBSCRIBER_PARTS_H

#include "base/name_table.h"
#include "bus/aside.h"
#include "bus/subscriber.h"

/* A member is WAITING, LIVE or REPAIRING; a family's own topic is never REPAIRING. */
enum topic_state { WAITING, JOINING, LIVE, REPAIRING, TOPIC_STATES };

enum {
    TOPIC_NONE = UINT32_MAX,
    FAMILY_NONE = UINT32_MAX,
    FAMILIES_MAX = 4,
    HEARTBEAT_ROUND = 10, /* so many heartbeats in a row have spoken of every topic */
};

/* Call one of the owner's functions, if it has it. */
#define TELL(s, function, ...)                                                                     \
    do {                                                                                           \
        if ((s)->owner.function != NULL)                                                           \
            (s)->owner.function((s)->owner.self, __VA_ARGS__);                                     \
    } while (0)

struct topic {
    enum topic_state state;
    uint32_t family; /* FAMILY_NONE, or whose member or own topic it is */
    uint16_t shard;
    bool quiet;     /* it begins with any heartbeat; of a whole that is no family */
    uint64_t epoch; /* 0: none known yet; a member's is its family's */
    uint64_t at;    /* the state has everything up to here */
    uint64_t need;  /* a snapshot must be this new; a repair must reach this */
    uint64_t heard; /* the newest frame that came */
    /* Of a whole: heartbeats told of every frame up to `named`, and all of them up to `complete`
     * are in the state. */
    uint64_t named, complete;
};

struct family {
    uint32_t topic;      /* its own, named by the prefix */
    uint32_t behind;     /* members REPAIRING */
    uint64_t beyond_seq; /* the newest frame of a member there was no place for */
    /* heartbeats heard in a row, and the last of them */
    uint32_t run;
    uint64_t run_seq, run_ns;
};

/* Where does this topic stand? One at a time; it is open until it is answered. */
struct question {
    bool open;
    uint64_t number; /* of the last one: they count from 1 */
    uint32_t whole;
    size_t name_size;
    char name[TOPIC_SIZE_MAX];
};

struct subscriber {
    struct subscriber_owner owner;
    struct subscriber_requests requests;
    char reply_topic[3 + REPLY_SIZE];
    struct name_table names; /* topic t is name t + 1 */
    struct topic *topics;
    uint32_t state_counts[TOPIC_STATES]; /* topics in each state */
    struct family families[FAMILIES_MAX];
    uint32_t family_count;
    uint32_t quiet_count; /* topics that are quiet */
    struct aside aside;

    struct question question;

    /* the request outstanding */
    uint32_t asked; /* topic, of a question its whole; TOPIC_NONE: nothing outstanding */
    bool asked_question;
    uint64_t asked_type;
    uint64_t asked_ns;
    uint64_t request_id;
    uint64_t next_chunk;
    uint64_t answer_epoch, answer_seq; /* of the first chunk */
    uint32_t looked_at;                /* topics are asked for in turn */
    bool waits;                        /* the answer was "not yet": ask again later */
    uint64_t frame_ns;                 /* time of the frame whose events are told */
    struct subscriber_counts counts;
};

static inline uint32_t topic_count(const subscriber_t *s)
{
    return s->names.count;
}

/* What the topic joins with: its family's own topic, or itself. */
static inline uint32_t whole_of(const subscriber_t *s, uint32_t topic)
{
    uint32_t family = s->topics[topic].family;
    return family == FAMILY_NONE ? topic : s->families[family].topic;
}

/* ---- subscriber.c ---- */

/* Whether something of this name is followed: its whole, and its number; TOPIC_NONE for a member
 * not heard of before. */
bool follow_find(subscriber_t *s, struct text name, uint32_t *topic, uint32_t *whole);

/* A member's place: it has news up to seq. TOPIC_NONE: there is none left. */
uint32_t follow_member(subscriber_t *s, uint32_t whole, struct text name, uint64_t seq);

/* The whole waits for its first word of this epoch. */
void follow_anew(subscriber_t *s, uint32_t whole, uint64_t epoch);

/* A newer epoch was heard of: it is the end of what we have, and of the shard's others. */
void follow_epoch(subscriber_t *s, uint32_t whole, uint64_t epoch);
void follow_end_others(subscriber_t *s, uint32_t whole, uint64_t epoch);

/* What was heard is of no use: the epoch is this one, or its history is another one. */
void follow_forget(subscriber_t *s, uint32_t whole, uint64_t epoch);

/* The whole stands at `at`: LIVE with all its members, or in a state before. */
void follow_stand(subscriber_t *s, uint32_t whole, enum topic_state state, uint64_t at);

/* Ask for a snapshot that is at least this new. */
void follow_join(subscriber_t *s, uint32_t whole, uint64_t need);

/* Ask for the topic's frames up to `through`; it is live again. */
void follow_repair(subscriber_t *s, uint32_t topic, uint64_t through);
void follow_repaired(subscriber_t *s, uint32_t topic);

/* Say so, and join again from `need`. */
void follow_fault(subscriber_t *s, uint32_t topic, enum subscriber_fault what, uint64_t need);

/* The newest sequence any topic of the whole stands at. */
uint64_t follow_newest(const subscriber_t *s, uint32_t whole);

/* If nothing is known to be missing, the state is as complete as heartbeats said. */
void follow_settle(subscriber_t *s, uint32_t whole);

bool follow_hash_right(const subscriber_t *s, uint32_t topic, struct u64_or_nil said);

/* Apply the groups of a frame that are above `at`, then compare the hash. */
void follow_apply(subscriber_t *s, uint32_t topic, struct frame_reader *f, const uint8_t *bytes,
                  size_t size);

/* What was kept aside of a topic, or of a whole, comes now. */
void follow_replay(subscriber_t *s, uint32_t topic);

/* ---- subscriber_heartbeats.c, subscriber_answers.c ---- */

void follow_heartbeat(subscriber_t *s, struct frame_reader *f);
void follow_reply(subscriber_t *s, struct frame_reader *f, uint64_t now_ns);

#endif
