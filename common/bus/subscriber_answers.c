/* subscriber: what it asks for, and what it is answered. */
#include "base/check.h"
#include "base/clock.h"
#include "bus/subscriber_parts.h"

/* ---- replies ---- */

static void receive_resent(subscriber_t *s, uint32_t topic, struct wire_reader *fields)
{
    struct resent m;
    struct frame_reader f;
    resent_get_fields(fields, &m);
    if (frame_read(&f, m.frame.data, m.frame.size) != FRAME_READ_OK ||
        !text_equal(f.head.topic, subscriber_topic_name(s, topic)) || f.head.type != FRAME_EVENTS) {
        s->counts.garbage++;
        return;
    }
    struct topic *t = &s->topics[topic];
    if (t->state == REPAIRING && /* else a frame before it was a fault */
        f.head.epoch == t->epoch && f.head.seq > t->at && f.head.prev_seq <= t->at)
        follow_apply(s, topic, &f, m.frame.data, m.frame.size);
}

static void finish_resend(subscriber_t *s, uint32_t topic)
{
    const struct topic *t = &s->topics[topic];
    if (t->state != REPAIRING)
        return; /* a fault on the way */
    if (t->at < t->need)
        return; /* less than is missing by now: it is asked for again */
    follow_repaired(s, topic);
}

static void finish_snapshot(subscriber_t *s, uint32_t whole, const struct frame_head *head)
{
    s->topics[whole].at = head->seq;
    if (!follow_hash_right(s, whole, head->hash)) {
        follow_fault(s, whole, SUBSCRIBER_HASH_DIFFERS, head->seq);
        s->waits = true; /* the next one may be no better */
        return;
    }
    follow_stand(s, whole, LIVE, head->seq);
    TELL(s, joined, whole, head);
    follow_replay(s, whole);
}

/* The topic stands there. If the state does not have that yet, it is fetched first, and then the
 * question is put again: only an answer that tells nothing new ends it. */
static void finish_question(subscriber_t *s, uint64_t seq)
{
    struct question *q = &s->question;
    struct text name = {q->name, q->name_size};
    uint32_t topic, whole;
    if (!follow_find(s, name, &topic, &whole) || whole != q->whole)
        return;
    if (topic == TOPIC_NONE && seq > s->topics[whole].at &&
        (topic = follow_member(s, whole, name, seq)) == TOPIC_NONE) {
        follow_join(s, whole, seq); /* a snapshot has what there is no place for */
        return;
    }
    struct topic *t = topic == TOPIC_NONE ? &s->topics[whole] : &s->topics[topic];
    q->open = seq > t->at;
    if (q->open && t->state == REPAIRING && seq > t->need)
        t->need = seq;
    else if (q->open && t->state == LIVE)
        follow_repair(s, topic, seq);
}

/* There is no answer to be had. */
static void receive_refusal(subscriber_t *s, uint32_t topic, enum reason code)
{
    struct topic *t = &s->topics[topic];
    uint32_t whole = whole_of(s, topic);
    if (s->asked_question && code == REJECT_UNKNOWN_TOPIC) {
        s->asked = TOPIC_NONE;
        finish_question(s, 0);
        return;
    }
    if (code == REJECT_NOT_CAUGHT_UP) {
        s->waits = true; /* until the time-out, then again */
        return;
    }
    s->asked = TOPIC_NONE;
    if (code == REJECT_EPOCH_CHANGED) {
        follow_anew(s, whole, t->epoch);
    } else if (t->state == REPAIRING) {
        uint64_t newest = follow_newest(s, whole);
        follow_join(s, whole, t->need > newest ? t->need : newest);
    } else {
        s->waits = true;
    }
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
static bool begin_snapshot(subscriber_t *s, uint32_t whole, const struct frame_head *head)
{
    const struct topic *w = &s->topics[whole];
    if (head->epoch < w->epoch) {
        s->waits = true;
        return false;
    }
    if (head->epoch > w->epoch) {
        follow_forget(s, whole, head->epoch);
        follow_stand(s, whole, JOINING, 0);
        follow_end_others(s, whole, head->epoch);
    }
    TELL(s, reset, whole);
    return true;
}

void follow_reply(subscriber_t *s, struct frame_reader *f, uint64_t now_ns)
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
    s->frame_ns = f->head.time_ns;
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
    else if (s->asked_question)
        finish_question(s, f->head.seq);
    else
        finish_resend(s, topic);
}

/* ---- requests ---- */

static void ask(subscriber_t *s, uint32_t topic, const struct request *q, uint64_t now_ns)
{
    uint8_t bytes[RESEND_SIZE_MAX + SNAPSHOT_SIZE_MAX];
    struct wire_writer w = {bytes};
    request_write(&w, q);
    s->asked = topic;
    s->asked_question = false;
    s->asked_type = q->type;
    s->asked_ns = now_ns;
    s->next_chunk = 0;
    s->waits = !s->requests.push(s->requests.self, bytes, (size_t)(w.at - bytes));
}

static struct text reply_name(const subscriber_t *s)
{
    return (struct text){s->reply_topic + 3, REPLY_SIZE};
}

static void ask_for_what_is_missing(subscriber_t *s, uint32_t topic, uint64_t now_ns)
{
    const struct topic *t = &s->topics[topic];
    struct text name = subscriber_topic_name(s, topic), reply = reply_name(s);
    struct request q;
    if (t->state == REPAIRING) {
        /* All there is, what was kept aside included: it may have gaps of its own, and closing them
         * one by one is slower than frames come. */
        uint64_t through = t->heard > t->need ? t->heard : t->need;
        q.type = MESSAGE_RESEND;
        q.resend = (struct resend){reply, ++s->request_id, name, t->epoch, t->at, through};
        s->counts.resends++;
    } else {
        q.type = MESSAGE_SNAPSHOT;
        q.snapshot = (struct snapshot){reply, ++s->request_id, name, t->need};
        s->counts.snapshots++;
    }
    ask(s, topic, &q, now_ns);
}

/* A resend of nothing: its head says where the topic stands. */
static void ask_question(subscriber_t *s, uint64_t now_ns)
{
    uint32_t whole = s->question.whole;
    struct text name = {s->question.name, s->question.name_size};
    struct request q = {.type = MESSAGE_RESEND,
                        .resend = {.reply = reply_name(s),
                                   .request_id = ++s->request_id,
                                   .topic = name,
                                   .epoch = s->topics[whole].epoch}};
    ask(s, whole, &q, now_ns);
    s->asked_question = true;
}

uint64_t subscriber_question(subscriber_t *s, uint32_t family, struct text name)
{
    struct question *q = &s->question;
    bool under_way = q->open && s->asked != TOPIC_NONE && s->asked_question;
    if (q->open && (under_way || q->whole != family ||
                    !text_equal((struct text){q->name, q->name_size}, name)))
        return 0;
    if (q->open)
        return q->number; /* not sent yet */
    CHECK(name.size <= sizeof q->name);
    q->open = true;
    q->number++;
    q->whole = family;
    q->name_size = name.size;
    memcpy(q->name, name.data, name.size);
    return q->number;
}

bool subscriber_knows(const subscriber_t *s, uint32_t family, uint64_t question)
{
    const struct question *q = &s->question;
    bool answered = q->number > question || (q->number == question && !q->open);
    return answered && s->topics[family].state == LIVE &&
           s->families[s->topics[family].family].behind == 0;
}

/* A topic that must be asked for, each in its turn; TOPIC_NONE: none. */
static uint32_t next_missing(subscriber_t *s)
{
    if (s->state_counts[JOINING] + s->state_counts[REPAIRING] == 0)
        return TOPIC_NONE; /* this comes with every message, and there may be very many members */
    uint32_t count = topic_count(s);
    for (uint32_t i = 0; i < count; i++) {
        s->looked_at = s->looked_at + 1 < count ? s->looked_at + 1 : 0;
        enum topic_state state = s->topics[s->looked_at].state;
        if (state == JOINING || state == REPAIRING)
            return s->looked_at;
    }
    return TOPIC_NONE;
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
    uint32_t missing = next_missing(s);
    if (missing != TOPIC_NONE)
        ask_for_what_is_missing(s, missing, now_ns);
    else if (s->question.open && s->topics[s->question.whole].state == LIVE)
        ask_question(s, now_ns);
}
