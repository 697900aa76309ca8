#include "bus/subscriber.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/name_table.h"
#include "bus/aside.h"

enum topic_state { WAITING, JOINING, LIVE, REPAIRING };

enum { TOPIC_NONE = UINT32_MAX };

/* Call one of the owner's functions, if it has it. */
#define TELL(s, function, ...)                                                                     \
    do {                                                                                           \
        if ((s)->owner.function != NULL)                                                           \
            (s)->owner.function((s)->owner.self, __VA_ARGS__);                                     \
    } while (0)

struct topic {
    enum topic_state state;
    uint64_t epoch; /* 0: none known yet */
    uint64_t at;    /* the state has everything up to here */
    uint64_t need;  /* a snapshot must be this new; a repair must reach this */
    uint64_t heard; /* the newest frame that came */
};

struct subscriber {
    struct subscriber_owner owner;
    struct subscriber_requests requests;
    char reply_topic[3 + REPLY_SIZE];
    struct name_table names; /* topic t is name t + 1 */
    struct topic *topics;
    struct aside aside;

    /* the request outstanding */
    uint32_t asked; /* topic; TOPIC_NONE: nothing outstanding */
    uint64_t asked_type;
    uint64_t asked_ns;
    uint64_t request_id;
    uint64_t next_chunk;
    uint64_t answer_epoch, answer_seq; /* of the first chunk */
    uint32_t looked_at;                /* topics are asked for in turn */
    bool waits;                        /* the answer was "not yet": ask again later */
    struct subscriber_counts counts;
};

subscriber_t *subscriber_new(const struct subscriber_owner *owner,
                             const struct subscriber_requests *requests, const char *reply,
                             size_t kept_size)
{
    CHECK(strlen(reply) == REPLY_SIZE);
    subscriber_t *s = memory_new(1, sizeof *s, "a subscriber");
    s->owner = *owner;
    s->requests = *requests;
    memcpy(s->reply_topic, "re.", 3);
    memcpy(s->reply_topic + 3, reply, REPLY_SIZE);
    name_table_init(&s->names, SUBSCRIBER_TOPICS_MAX, 0, "topics");
    s->topics = memory_new(SUBSCRIBER_TOPICS_MAX, sizeof *s->topics, "topics");
    aside_init(&s->aside, kept_size);
    s->asked = TOPIC_NONE;
    return s;
}

void subscriber_destroy(subscriber_t **subscriber)
{
    subscriber_t *s = *subscriber;
    if (s == NULL)
        return;
    name_table_close(&s->names);
    memory_free(s->topics, SUBSCRIBER_TOPICS_MAX, sizeof *s->topics);
    aside_close(&s->aside);
    memory_free(s, 1, sizeof *s);
    *subscriber = NULL;
}

uint32_t subscriber_topic_add(subscriber_t *s, struct text name)
{
    uint32_t n = name_table_add(&s->names, name.data, name.size);
    CHECK(n != 0);
    return n - 1;
}

static uint32_t topic_count(const subscriber_t *s)
{
    return s->names.count;
}

static struct text topic_name(const subscriber_t *s, uint32_t topic)
{
    const struct name *n = &s->names.names[topic + 1];
    return (struct text){n->text, n->size};
}

/* ---- state changes ---- */

static void ask_later(subscriber_t *s, uint32_t topic)
{
    if (s->asked == topic)
        s->asked = TOPIC_NONE;
}

static void wait_anew(subscriber_t *s, uint32_t topic, uint64_t epoch)
{
    bool had_state = s->topics[topic].epoch != 0;
    s->topics[topic] = (struct topic){.state = WAITING, .epoch = epoch};
    ask_later(s, topic);
    if (had_state)
        TELL(s, reset, topic);
}

/* A newer epoch was heard of, by this topic: it is the end of the others', too. */
static void end_others(subscriber_t *s, uint32_t topic, uint64_t epoch)
{
    for (uint32_t t = 0; s->owner.one_history && t < topic_count(s); t++) {
        if (t != topic && s->topics[t].epoch < epoch)
            wait_anew(s, t, epoch);
    }
}

static void begin_epoch(subscriber_t *s, uint32_t topic, uint64_t epoch)
{
    wait_anew(s, topic, epoch);
    end_others(s, topic, epoch);
}

static void join_from(struct topic *t, uint64_t min_seq)
{
    t->state = JOINING;
    t->need = min_seq;
}

static void repair_to(subscriber_t *s, struct topic *t, uint64_t through)
{
    s->counts.gaps++;
    t->state = REPAIRING;
    t->need = through;
}

static void fault(subscriber_t *s, uint32_t topic, enum subscriber_fault what)
{
    struct topic *t = &s->topics[topic];
    s->counts.faults++;
    TELL(s, fault, topic, what);
    join_from(t, t->at);
    ask_later(s, topic);
}

static bool hash_right(const subscriber_t *s, uint32_t topic, struct u64_or_nil said)
{
    if (s->owner.hash == NULL)
        return true;
    struct u64_or_nil ours = s->owner.hash(s->owner.self, topic);
    return !said.given || !ours.given || said.value == ours.value;
}

/* ---- frames kept aside ---- */

static void keep(subscriber_t *s, uint32_t topic, const uint8_t *frame, size_t size)
{
    /* The frames dropped for want of room will be found missing, and asked for. */
    if (!aside_keep(&s->aside, topic, frame, size))
        s->counts.overflows++;
}

static void apply_events_frame(subscriber_t *s, uint32_t topic, struct frame_reader *f,
                               const uint8_t *bytes, size_t size);

/* The topic is live again: what was kept aside of it comes now, until it is not live once more. */
static void replay_kept(subscriber_t *s, uint32_t topic)
{
    size_t at = 0, size;
    const uint8_t *frame;
    while (s->topics[topic].state == LIVE &&
           (frame = aside_find(&s->aside, topic, &at, &size)) != NULL) {
        struct frame_reader f;
        CHECK(frame_read(&f, frame, size) == FRAME_READ_OK);
        apply_events_frame(s, topic, &f, frame, size);
        if (s->topics[topic].state == LIVE) /* else it opened a new gap, and stays until that */
            aside_done(&s->aside, at);      /* is closed */
    }
}

/* ---- history ---- */

/* Apply the groups of a frame that are above `at`, then compare the hash. */
static void apply_groups(subscriber_t *s, uint32_t topic, struct frame_reader *f,
                         const uint8_t *bytes, size_t size)
{
    struct topic *t = &s->topics[topic];
    while (frame_next_group(f)) {
        uint64_t type;
        struct wire_reader fields;
        if (f->group_seq <= t->at)
            continue;
        while (frame_next_event(f, &type, &fields))
            TELL(s, event, topic, f->group_seq, type, &fields);
        TELL(s, group, topic, f->group_seq, &f->head);
    }
    t->at = f->head.seq;
    s->counts.frames++;
    if (!hash_right(s, topic, f->head.hash))
        fault(s, topic, SUBSCRIBER_HASH_DIFFERS);
    else
        TELL(s, frame, topic, &f->head, bytes, size);
}

/* A frame of a topic that is live. */
static void apply_events_frame(subscriber_t *s, uint32_t topic, struct frame_reader *f,
                               const uint8_t *bytes, size_t size)
{
    struct topic *t = &s->topics[topic];
    if (f->head.epoch != t->epoch || f->head.seq <= t->at)
        return;
    if (f->head.prev_seq > t->at)
        repair_to(s, t, f->head.prev_seq);
    else
        apply_groups(s, topic, f, bytes, size);
}

static void receive_events(subscriber_t *s, uint32_t topic, struct frame_reader *f,
                           const uint8_t *bytes, size_t size)
{
    struct topic *t = &s->topics[topic];
    if (f->head.epoch < t->epoch)
        return;
    if (f->head.epoch > t->epoch)
        begin_epoch(s, topic, f->head.epoch);
    if (f->head.seq > t->heard)
        t->heard = f->head.seq;
    if (t->state == WAITING)
        join_from(t, f->head.prev_seq);
    if (t->state == LIVE)
        apply_events_frame(s, topic, f, bytes, size);
    if (t->state != LIVE)
        keep(s, topic, bytes, size);
}

/* ---- heartbeats ---- */

static void receive_position(subscriber_t *s, const struct frame_head *head,
                             const struct position *m)
{
    uint32_t n = name_table_find(&s->names, m->topic.data, m->topic.size);
    if (n == 0)
        return;
    uint32_t topic = n - 1;
    struct topic *t = &s->topics[topic];
    if (head->epoch < t->epoch)
        return;
    if (head->epoch > t->epoch)
        begin_epoch(s, topic, head->epoch);
    if (t->state == WAITING) {
        join_from(t, m->last_seq);
    } else if (t->state == LIVE && m->last_seq > t->at) {
        repair_to(s, t, m->last_seq);
    } else if (t->state == LIVE && head->seq < t->at) {
        fault(s, topic, SUBSCRIBER_SEQ_WENT_BACK);
        t->heard = 0; /* what we heard and have is of no history it still knows */
        join_from(t, m->last_seq);
    } else if (t->state == LIVE && !hash_right(s, topic, m->hash)) {
        /* Nothing happened between last_seq and head->seq, and we stand in between. */
        fault(s, topic, SUBSCRIBER_HASH_DIFFERS);
    }
}

static void receive_heartbeat(subscriber_t *s, struct frame_reader *f)
{
    while (frame_next_group(f)) {
        uint64_t type;
        struct wire_reader fields;
        while (frame_next_event(f, &type, &fields)) {
            struct position m;
            if (type != MESSAGE_POSITION)
                continue;
            position_get_fields(&fields, &m);
            receive_position(s, &f->head, &m);
        }
    }
    TELL(s, heartbeat, &f->head);
}

/* ---- replies ---- */

static void receive_resent(subscriber_t *s, uint32_t topic, struct wire_reader *fields)
{
    struct resent m;
    struct frame_reader f;
    resent_get_fields(fields, &m);
    if (frame_read(&f, m.frame.data, m.frame.size) != FRAME_READ_OK ||
        !text_equal(f.head.topic, topic_name(s, topic)) || f.head.type != FRAME_EVENTS) {
        s->counts.garbage++;
        return;
    }
    struct topic *t = &s->topics[topic];
    if (t->state == REPAIRING && /* else a frame before it was a fault */
        f.head.epoch == t->epoch && f.head.seq > t->at && f.head.prev_seq <= t->at)
        apply_groups(s, topic, &f, m.frame.data, m.frame.size);
}

static void finish_resend(subscriber_t *s, uint32_t topic)
{
    struct topic *t = &s->topics[topic];
    if (t->state != REPAIRING)
        return; /* a fault on the way */
    if (t->at < t->need)
        return; /* less than was asked for: it is asked for again */
    t->state = LIVE;
    replay_kept(s, topic);
}

static void finish_snapshot(subscriber_t *s, uint32_t topic, const struct frame_head *head)
{
    struct topic *t = &s->topics[topic];
    t->at = head->seq;
    if (!hash_right(s, topic, head->hash)) {
        fault(s, topic, SUBSCRIBER_HASH_DIFFERS);
        s->waits = true; /* the next one may be no better */
        return;
    }
    t->state = LIVE;
    TELL(s, joined, topic, head);
    replay_kept(s, topic);
}

/* There is no answer to be had. */
static void receive_refusal(subscriber_t *s, uint32_t topic, enum reason code)
{
    struct topic *t = &s->topics[topic];
    if (code == REJECT_NOT_CAUGHT_UP) {
        s->waits = true; /* until the time-out, then again */
        return;
    }
    s->asked = TOPIC_NONE;
    if (code == REJECT_EPOCH_CHANGED)
        wait_anew(s, topic, t->epoch);
    else if (t->state == REPAIRING)
        join_from(t, t->need);
    else
        s->waits = true;
}

/* The answer's first event says which request it belongs to; the rest is the answer. */
static bool reply_expected(subscriber_t *s, struct frame_reader *f, struct reply *r)
{
    uint64_t type;
    struct wire_reader fields;
    if (!frame_next_group(f) || !frame_next_event(f, &type, &fields) || type != MESSAGE_REPLY)
        return false;
    reply_get_fields(&fields, r);
    return s->asked != TOPIC_NONE && r->request_id == s->request_id && r->chunk == s->next_chunk;
}

/* The first chunk of a snapshot: its history may be one we have not heard of. False: it is one
 * that is over. */
static bool begin_snapshot(subscriber_t *s, uint32_t topic, const struct frame_head *head)
{
    struct topic *t = &s->topics[topic];
    if (head->epoch < t->epoch) {
        s->waits = true;
        return false;
    }
    if (head->epoch > t->epoch) {
        *t = (struct topic){.state = JOINING, .epoch = head->epoch};
        end_others(s, topic, head->epoch);
    }
    TELL(s, reset, topic);
    return true;
}

static void receive_reply(subscriber_t *s, struct frame_reader *f, uint64_t now_ns)
{
    struct reply r;
    if (!reply_expected(s, f, &r))
        return;
    uint32_t topic = s->asked;
    if (r.code != 0) {
        receive_refusal(s, topic, (enum reason)r.code);
        return;
    }
    bool snapshot = s->asked_type == MESSAGE_SNAPSHOT;
    if (r.chunk == 0) {
        s->answer_epoch = f->head.epoch;
        s->answer_seq = f->head.seq;
    } else if (f->head.epoch != s->answer_epoch || f->head.seq != s->answer_seq) {
        return; /* of another answer: the request arrived twice */
    }
    if (snapshot && r.chunk == 0 && !begin_snapshot(s, topic, &f->head))
        return;
    uint64_t type;
    struct wire_reader fields;
    while (frame_next_event(f, &type, &fields)) {
        if (snapshot)
            TELL(s, event, topic, 0, type, &fields);
        else if (type == MESSAGE_RESENT)
            receive_resent(s, topic, &fields);
    }
    s->next_chunk++;
    s->asked_ns = now_ns;
    if (!r.last || s->asked != topic)
        return;
    s->asked = TOPIC_NONE;
    if (snapshot)
        finish_snapshot(s, topic, &f->head);
    else
        finish_resend(s, topic);
}

/* ---- requests ---- */

static void ask(subscriber_t *s, uint32_t topic, uint64_t now_ns)
{
    const struct topic *t = &s->topics[topic];
    struct text reply = {s->reply_topic + 3, REPLY_SIZE};
    uint8_t bytes[RESEND_SIZE_MAX + SNAPSHOT_SIZE_MAX];
    struct request q;
    if (t->state == REPAIRING) {
        /* All there is, what was kept aside included: it may have gaps of its own, and closing them
         * one by one is slower than frames come. */
        uint64_t through = t->heard > t->need ? t->heard : t->need;
        q.type = MESSAGE_RESEND;
        q.resend =
            (struct resend){reply, ++s->request_id, topic_name(s, topic), t->epoch, t->at, through};
        s->counts.resends++;
    } else {
        q.type = MESSAGE_SNAPSHOT;
        q.snapshot = (struct snapshot){reply, ++s->request_id, topic_name(s, topic), t->need};
        s->counts.snapshots++;
    }
    struct wire_writer w = {bytes};
    request_write(&w, &q);
    s->asked = topic;
    s->asked_type = q.type;
    s->asked_ns = now_ns;
    s->next_chunk = 0;
    s->waits = false;
    if (!s->requests.push(s->requests.self, bytes, (size_t)(w.at - bytes)))
        s->waits = true;
}

void subscriber_tick(subscriber_t *s, uint64_t now_ns)
{
    if (s->asked != TOPIC_NONE || s->waits) {
        /* A refusal may be asked again sooner than silence. */
        uint64_t patience_ms = s->waits ? SUBSCRIBER_REPEAT_MS / 10 : SUBSCRIBER_REPEAT_MS;
        if (now_ns < s->asked_ns + patience_ms * NS_PER_MS)
            return;
        if (!s->waits)
            s->counts.repeats++;
        s->asked = TOPIC_NONE;
        s->waits = false;
    }
    uint32_t count = topic_count(s);
    for (uint32_t i = 0; i < count; i++) {
        s->looked_at = s->looked_at + 1 < count ? s->looked_at + 1 : 0;
        enum topic_state state = s->topics[s->looked_at].state;
        if (state == JOINING || state == REPAIRING) {
            ask(s, s->looked_at, now_ns);
            return;
        }
    }
}

void subscriber_receive(subscriber_t *s, const uint8_t *message, size_t size, uint64_t now_ns)
{
    struct frame_reader f;
    if (frame_read(&f, message, size) != FRAME_READ_OK) {
        s->counts.garbage++;
        return;
    }
    uint32_t n = name_table_find(&s->names, f.head.topic.data, f.head.topic.size);
    if (f.head.type == FRAME_EVENTS && n != 0)
        receive_events(s, n - 1, &f, message, size);
    else if (f.head.type == FRAME_HEARTBEAT)
        receive_heartbeat(s, &f);
    else if (f.head.type == FRAME_REPLY &&
             text_equal(f.head.topic, (struct text){s->reply_topic, sizeof s->reply_topic}))
        receive_reply(s, &f, now_ns);
    subscriber_tick(s, now_ns);
}

/* ---- reading ---- */

bool subscriber_live(const subscriber_t *s, uint32_t topic)
{
    return s->topics[topic].state == LIVE;
}

bool subscriber_all_live(const subscriber_t *s)
{
    for (uint32_t t = 0; t < topic_count(s); t++) {
        if (s->topics[t].state != LIVE)
            return false;
    }
    return true;
}

uint64_t subscriber_epoch(const subscriber_t *s, uint32_t topic)
{
    return s->topics[topic].epoch;
}

uint64_t subscriber_seq(const subscriber_t *s, uint32_t topic)
{
    return s->topics[topic].at;
}

struct subscriber_counts subscriber_counts(const subscriber_t *s)
{
    return s->counts;
}
