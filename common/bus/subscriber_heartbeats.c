/* subscriber: what heartbeats say: where topics stand, and up to where nothing is missing.
 *
 * A heartbeat names every topic that changed since the one before it, which ended at `prev_seq`.
 * So whoever knew everything up to there, and is not named, knows everything up to `seq`. Where a
 * heartbeat was lost that does not hold: a topic must be named then, and a family, whose members
 * nobody can list, hears a whole round of heartbeats first. */
#include "bus/subscriber_parts.h"

/* What it says of a topic whose whole has a state. */
static void check_position(subscriber_t *s, uint32_t topic, uint32_t whole,
                           const struct frame_head *head, const struct position *m)
{
    if (topic == TOPIC_NONE) {
        if (m->last_seq <= s->topics[whole].at)
            return;
        topic = follow_member(s, whole, m->topic, m->last_seq);
        if (topic == TOPIC_NONE)
            return;
    }
    struct topic *t = &s->topics[topic];
    if (t->state == REPAIRING) {
        if (m->last_seq > t->need)
            t->need = m->last_seq;
    } else if (m->last_seq > t->at) {
        follow_repair(s, topic, m->last_seq);
    } else if (head->seq < t->at) {
        follow_forget(s, whole, t->epoch); /* it is of no history the publisher still knows */
        follow_fault(s, topic, SUBSCRIBER_SEQ_WENT_BACK, topic == whole ? m->last_seq : head->seq);
    } else if (!follow_hash_right(s, topic, m->hash)) {
        /* Nothing happened between last_seq and head->seq, and we stand in between. */
        follow_fault(s, topic, SUBSCRIBER_HASH_DIFFERS, follow_newest(s, whole));
    }
}

static void name_through(subscriber_t *s, uint32_t whole, uint64_t seq)
{
    struct topic *w = &s->topics[whole];
    if (seq > w->named)
        w->named = seq;
    follow_settle(s, whole);
}

static bool has_state(const struct topic *t)
{
    return t->state == LIVE || t->state == REPAIRING;
}

static void receive_position(subscriber_t *s, const struct frame_head *head, uint16_t shard,
                             const struct position *m)
{
    uint32_t topic, whole;
    if (!follow_find(s, m->topic, &topic, &whole))
        return;
    const struct topic *w = &s->topics[whole];
    bool family = w->family != FAMILY_NONE;
    if (head->epoch < w->epoch || (family && w->shard != shard))
        return;
    if (head->epoch > w->epoch)
        follow_epoch(s, whole, head->epoch);
    if (w->state == WAITING)
        follow_join(s, whole, m->last_seq);
    else if (has_state(w))
        check_position(s, topic, whole, head, m);
    if (!family && w->shard == shard && has_state(w))
        name_through(s, whole, head->seq);
}

/* A heartbeat is enough for this whole to begin with, which has no member, or no frame, yet. */
static void begin_whole(subscriber_t *s, uint32_t whole, const struct frame_head *head,
                        uint16_t shard)
{
    const struct topic *w = &s->topics[whole];
    if (w->shard != shard || head->epoch < w->epoch)
        return;
    if (head->epoch > w->epoch)
        follow_epoch(s, whole, head->epoch);
    if (w->state == WAITING) {
        follow_join(s, whole, head->seq);
    } else if (w->state == LIVE && head->seq < w->at) {
        follow_forget(s, whole, w->epoch);
        follow_fault(s, whole, SUBSCRIBER_SEQ_WENT_BACK, head->seq);
    }
}

static void begin_wholes(subscriber_t *s, const struct frame_head *head, uint16_t shard)
{
    for (uint32_t i = 0; i < s->family_count; i++)
        begin_whole(s, s->families[i].topic, head, shard);
    for (uint32_t t = 0; s->quiet_count > 0 && t < topic_count(s); t++) {
        if (s->topics[t].quiet)
            begin_whole(s, t, head, shard);
    }
}

/* Whether the heartbeats of a whole round came, one after the other. Those of one time are parts of
 * one that was too large for a frame. */
static bool round_heard(struct family *f, const struct frame_head *head)
{
    if (f->run == 0 || head->prev_seq != f->run_seq)
        f->run = 1;
    else if (head->time_ns != f->run_ns && f->run <= HEARTBEAT_ROUND)
        f->run++;
    f->run_seq = head->seq;
    f->run_ns = head->time_ns;
    return f->run > HEARTBEAT_ROUND;
}

/* Positions are dealt with: what was not spoken of did not change. */
static void pass_over_the_others(subscriber_t *s, const struct frame_head *head, uint16_t shard)
{
    for (uint32_t t = 0; t < topic_count(s); t++) {
        const struct topic *w = &s->topics[t];
        if (whole_of(s, t) != t || w->shard != shard || w->epoch != head->epoch || !has_state(w))
            continue;
        uint64_t known = w->at > w->named ? w->at : w->named;
        bool round = w->family != FAMILY_NONE && round_heard(&s->families[w->family], head);
        if (head->prev_seq <= known || round)
            name_through(s, t, head->seq);
    }
}

static void receive_positions(subscriber_t *s, struct frame_reader *f, uint16_t shard)
{
    do {
        uint64_t type;
        struct wire_reader fields;
        while (frame_next_event(f, &type, &fields)) {
            struct position m;
            if (type != MESSAGE_POSITION)
                continue;
            position_get_fields(&fields, &m);
            receive_position(s, &f->head, shard, &m);
        }
    } while (frame_next_group(f));
}

void follow_heartbeat(subscriber_t *s, struct frame_reader *f)
{
    uint64_t type;
    struct wire_reader fields;
    struct heartbeat m;
    if (!frame_next_group(f) || !frame_next_event(f, &type, &fields) || type != MESSAGE_HEARTBEAT) {
        s->counts.garbage++;
        return;
    }
    heartbeat_get_fields(&fields, &m);
    uint16_t shard = (uint16_t)m.shard;
    begin_wholes(s, &f->head, shard);
    receive_positions(s, f, shard);
    pass_over_the_others(s, &f->head, shard);
    TELL(s, heartbeat, &f->head, &m);
}
