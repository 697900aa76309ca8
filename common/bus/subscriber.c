/* subscriber: topics and families, and their history. */
#include "bus/subscriber.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/planted.h"
#include "bus/subscriber_parts.h"

subscriber_t *subscriber_new(const struct subscriber_owner *owner,
                             const struct subscriber_requests *requests, const char *reply,
                             size_t kept_size, uint32_t topics_max)
{
    CHECK(strlen(reply) == REPLY_SIZE);
    subscriber_t *s = memory_new(1, sizeof *s, "a subscriber");
    s->owner = *owner;
    s->requests = *requests;
    memcpy(s->reply_topic, "re.", 3);
    memcpy(s->reply_topic + 3, reply, REPLY_SIZE);
    name_table_init(&s->names, topics_max, 0, "topics");
    s->topics = memory_new(topics_max, sizeof *s->topics, "topics");
    aside_init(&s->aside, kept_size);
    s->asked = TOPIC_NONE;
    return s;
}

void subscriber_destroy(subscriber_t **subscriber)
{
    subscriber_t *s = *subscriber;
    if (s == NULL)
        return;
    memory_free(s->topics, s->names.count_max, sizeof *s->topics);
    name_table_close(&s->names);
    aside_close(&s->aside);
    memory_free(s, 1, sizeof *s);
    *subscriber = NULL;
}

/* ---- topics and families ---- */

/* A topic's number; a new one begins like `first`. TOPIC_NONE: there is no place left. */
static uint32_t topic_add(subscriber_t *s, struct text name, const struct topic *first)
{
    uint32_t known = topic_count(s);
    uint32_t n = name_table_add(&s->names, name.data, name.size);
    if (n == 0)
        return TOPIC_NONE;
    if (n > known) {
        s->topics[n - 1] = *first;
        s->state_counts[first->state]++;
    }
    return n - 1;
}

uint32_t subscriber_topic_add(subscriber_t *s, struct text name, uint16_t shard)
{
    uint32_t topic = topic_add(s, name, &(struct topic){.family = FAMILY_NONE, .shard = shard});
    CHECK(topic != TOPIC_NONE);
    return topic;
}

uint32_t subscriber_quiet_topic_add(subscriber_t *s, struct text name, uint16_t shard)
{
    uint32_t topic = subscriber_topic_add(s, name, shard);
    s->topics[topic].quiet = true;
    s->quiet_count++;
    return topic;
}

uint32_t subscriber_family_add(subscriber_t *s, struct text prefix, uint16_t shard)
{
    CHECK(s->family_count < FAMILIES_MAX && prefix.size > 0);
    uint32_t family = s->family_count++;
    uint32_t topic = topic_add(s, prefix, &(struct topic){.family = family, .shard = shard});
    CHECK(topic != TOPIC_NONE);
    s->families[family] = (struct family){.topic = topic};
    return topic;
}

struct text subscriber_topic_name(const subscriber_t *s, uint32_t topic)
{
    const struct name *n = &s->names.names[topic + 1];
    return (struct text){n->text, n->size};
}

static bool begins_with(struct text name, struct text prefix)
{
    return name.size > prefix.size && memcmp(name.data, prefix.data, prefix.size) == 0;
}

bool follow_find(subscriber_t *s, struct text name, uint32_t *topic, uint32_t *whole)
{
    uint32_t n = name_table_find(&s->names, name.data, name.size);
    if (n != 0) {
        *topic = n - 1;
        *whole = whole_of(s, *topic);
        /* under the bare prefix nobody publishes */
        return s->topics[*topic].family == FAMILY_NONE || *topic != *whole;
    }
    *topic = TOPIC_NONE;
    for (uint32_t i = 0; i < s->family_count && name.size <= TOPIC_SIZE_MAX; i++) {
        *whole = s->families[i].topic;
        if (begins_with(name, subscriber_topic_name(s, *whole)))
            return true;
    }
    return false;
}

uint32_t follow_member(subscriber_t *s, uint32_t whole, struct text name, uint64_t seq)
{
    const struct topic *w = &s->topics[whole];
    struct topic first = {
        .state = w->state == LIVE ? LIVE : WAITING,
        .family = w->family,
        .shard = w->shard,
        .epoch = w->epoch,
        .at = w->at,
    };
    uint32_t topic = topic_add(s, name, &first);
    struct family *f = &s->families[w->family];
    if (topic == TOPIC_NONE) {
        s->counts.overflows++;
        s->counts.placeless++;
        if (seq > f->beyond_seq)
            f->beyond_seq = seq;
    }
    return topic;
}

/* ---- state changes ---- */

static void state_set(subscriber_t *s, uint32_t topic, enum topic_state state)
{
    struct topic *t = &s->topics[topic];
    s->state_counts[t->state]--;
    s->state_counts[state]++;
    if (t->family != FAMILY_NONE) {
        struct family *f = &s->families[t->family];
        f->behind -= t->state == REPAIRING;
        f->behind += state == REPAIRING;
    }
    t->state = state;
}

/* Walk the topics of a whole: TOPIC_NONE starts and ends. */
static uint32_t next_of_whole(const subscriber_t *s, uint32_t whole, uint32_t topic)
{
    uint32_t family = s->topics[whole].family;
    if (family == FAMILY_NONE)
        return topic == TOPIC_NONE ? whole : TOPIC_NONE;
    uint32_t t = topic == TOPIC_NONE ? 0 : topic + 1;
    while (t < topic_count(s) && s->topics[t].family != family)
        t++;
    return t < topic_count(s) ? t : TOPIC_NONE;
}

#define FOR_WHOLE(s, whole, t)                                                                     \
    for (uint32_t t = TOPIC_NONE; (t = next_of_whole(s, whole, t)) != TOPIC_NONE;)

void follow_forget(subscriber_t *s, uint32_t whole, uint64_t epoch)
{
    FOR_WHOLE(s, whole, t)
    {
        s->topics[t].epoch = epoch;
        s->topics[t].heard = 0;
        s->topics[t].need = 0;
    }
    if (s->topics[whole].family != FAMILY_NONE)
        s->families[s->topics[whole].family].beyond_seq = 0;
}

void follow_stand(subscriber_t *s, uint32_t whole, enum topic_state state, uint64_t at)
{
    FOR_WHOLE(s, whole, t)
    {
        s->topics[t].at = at;
        state_set(s, t, t == whole || state == LIVE ? state : WAITING);
    }
    s->topics[whole].named = s->topics[whole].complete = 0;
    if (s->topics[whole].family != FAMILY_NONE)
        s->families[s->topics[whole].family].run = 0;
}

static void ask_later(subscriber_t *s, uint32_t whole)
{
    if (s->asked != TOPIC_NONE && whole_of(s, s->asked) == whole)
        s->asked = TOPIC_NONE;
}

void follow_anew(subscriber_t *s, uint32_t whole, uint64_t epoch)
{
    bool had_state = s->topics[whole].epoch != 0;
    follow_forget(s, whole, epoch);
    follow_stand(s, whole, WAITING, 0);
    ask_later(s, whole);
    if (had_state)
        TELL(s, reset, whole);
}

void follow_end_others(subscriber_t *s, uint32_t whole, uint64_t epoch)
{
    for (uint32_t t = 0; s->owner.one_history && t < topic_count(s); t++) {
        if (t != whole && whole_of(s, t) == t && s->topics[t].shard == s->topics[whole].shard &&
            s->topics[t].epoch < epoch)
            follow_anew(s, t, epoch);
    }
}

void follow_epoch(subscriber_t *s, uint32_t whole, uint64_t epoch)
{
    follow_anew(s, whole, epoch);
    follow_end_others(s, whole, epoch);
}

void follow_join(subscriber_t *s, uint32_t whole, uint64_t need)
{
    follow_stand(s, whole, JOINING, s->topics[whole].at);
    s->topics[whole].need = need;
    ask_later(s, whole);
}

void follow_repair(subscriber_t *s, uint32_t topic, uint64_t through)
{
    s->counts.gaps++;
    state_set(s, topic, REPAIRING);
    s->topics[topic].need = through;
    if (s->asked_question)
        ask_later(s, whole_of(s, topic)); /* what is missing goes first */
}

void follow_repaired(subscriber_t *s, uint32_t topic)
{
    state_set(s, topic, LIVE);
    follow_replay(s, topic);
    follow_settle(s, whole_of(s, topic));
}

void follow_fault(subscriber_t *s, uint32_t topic, enum subscriber_fault what, uint64_t need)
{
    s->counts.faults++;
    TELL(s, fault, topic, what);
    follow_join(s, whole_of(s, topic), need);
}

uint64_t follow_newest(const subscriber_t *s, uint32_t whole)
{
    uint64_t newest = 0;
    FOR_WHOLE(s, whole, t)
    newest = s->topics[t].at > newest ? s->topics[t].at : newest;
    return newest;
}

void follow_settle(subscriber_t *s, uint32_t whole)
{
    struct topic *w = &s->topics[whole];
    const struct family *f = w->family == FAMILY_NONE ? NULL : &s->families[w->family];
    if (w->state == LIVE && (f == NULL || (f->behind == 0 && f->beyond_seq <= w->at)))
        w->complete = w->named;
}

bool follow_hash_right(const subscriber_t *s, uint32_t topic, struct u64_or_nil said)
{
    if (s->owner.hash == NULL)
        return true;
    struct u64_or_nil ours = s->owner.hash(s->owner.self, topic);
    return !said.given || !ours.given || said.value == ours.value;
}

/* ---- history ---- */

void follow_apply(subscriber_t *s, uint32_t topic, struct frame_reader *f, const uint8_t *bytes,
                  size_t size)
{
    struct topic *t = &s->topics[topic];
    s->frame_ns = f->head.time_ns;
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
    if (!follow_hash_right(s, topic, f->head.hash))
        follow_fault(s, topic, SUBSCRIBER_HASH_DIFFERS, follow_newest(s, whole_of(s, topic)));
    else
        TELL(s, frame, topic, &f->head, bytes, size);
}

/* A frame of a topic that is live. */
static void apply_frame(subscriber_t *s, uint32_t topic, struct frame_reader *f,
                        const uint8_t *bytes, size_t size)
{
    struct topic *t = &s->topics[topic];
    if (f->head.epoch != t->epoch || f->head.seq <= t->at)
        return;
    if (f->head.prev_seq > t->at && !PLANTED(GAP_IGNORED))
        follow_repair(s, topic, f->head.prev_seq);
    else
        follow_apply(s, topic, f, bytes, size);
}

/* In the order they came, whichever member they are of. A frame that opens a new gap stays until
 * that is closed. */
void follow_replay(subscriber_t *s, uint32_t topic)
{
    struct aside_frame kept = {.bytes = NULL};
    while (aside_next(&s->aside, &kept)) {
        if (kept.topic != topic && whole_of(s, kept.topic) != topic)
            continue;
        if (s->topics[kept.topic].state != LIVE)
            continue;
        struct frame_reader f;
        CHECK(frame_read(&f, kept.bytes, kept.size) == FRAME_READ_OK);
        apply_frame(s, kept.topic, &f, kept.bytes, kept.size);
        if (s->topics[kept.topic].state == LIVE)
            aside_done(&s->aside, &kept);
    }
}

static void receive_events(subscriber_t *s, struct frame_reader *f, const uint8_t *bytes,
                           size_t size)
{
    uint32_t topic, whole;
    if (!follow_find(s, f->head.topic, &topic, &whole))
        return;
    const struct topic *w = &s->topics[whole];
    if (f->head.epoch < w->epoch)
        return;
    if (f->head.epoch > w->epoch)
        follow_epoch(s, whole, f->head.epoch);
    if (w->state == WAITING)
        follow_join(s, whole, f->head.prev_seq);
    if (topic == TOPIC_NONE) {
        if (w->state == LIVE && f->head.seq <= w->at)
            return;
        topic = follow_member(s, whole, f->head.topic, f->head.seq);
        if (topic == TOPIC_NONE)
            return;
    }
    struct topic *t = &s->topics[topic];
    if (f->head.seq > t->heard)
        t->heard = f->head.seq;
    if (t->state == LIVE)
        apply_frame(s, topic, f, bytes, size);
    /* What is dropped for want of room will be found missing, and asked for. */
    if (t->state != LIVE && !aside_keep(&s->aside, topic, bytes, size))
        s->counts.overflows++;
}

void subscriber_receive(subscriber_t *s, const uint8_t *message, size_t size, uint64_t now_ns)
{
    struct frame_reader f;
    if (frame_read(&f, message, size) != FRAME_READ_OK) {
        s->counts.garbage++;
        return;
    }
    if (f.head.type == FRAME_EVENTS)
        receive_events(s, &f, message, size);
    else if (f.head.type == FRAME_HEARTBEAT)
        follow_heartbeat(s, &f);
    else if (f.head.type == FRAME_REPLY &&
             text_equal(f.head.topic, (struct text){s->reply_topic, sizeof s->reply_topic}))
        follow_reply(s, &f, now_ns);
    subscriber_tick(s, now_ns);
}

/* ---- reading ---- */

bool subscriber_live(const subscriber_t *s, uint32_t topic)
{
    return s->topics[topic].state == LIVE;
}

bool subscriber_all_live(const subscriber_t *s)
{
    return s->state_counts[LIVE] == topic_count(s);
}

uint64_t subscriber_epoch(const subscriber_t *s, uint32_t topic)
{
    return s->topics[topic].epoch;
}

uint64_t subscriber_seq(const subscriber_t *s, uint32_t topic)
{
    return s->topics[topic].at;
}

uint64_t subscriber_complete_seq(const subscriber_t *s, uint32_t topic)
{
    const struct topic *t = &s->topics[topic], *w = &s->topics[whole_of(s, topic)];
    if (w->state != LIVE && w->state != REPAIRING)
        return 0;
    return t->at > w->complete ? t->at : w->complete;
}

uint64_t subscriber_frame_ns(const subscriber_t *s)
{
    return s->frame_ns;
}

struct subscriber_counts subscriber_counts(const subscriber_t *s)
{
    return s->counts;
}
