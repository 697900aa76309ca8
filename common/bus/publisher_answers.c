/* publisher: what it says outside its topics' chains: heartbeats, and answers to requests. */
#include "base/check.h"
#include "base/clock.h"
#include "base/planted.h"
#include "bus/publisher.h"
#include "bus/publisher_parts.h"
#include "proto/names.h"

enum {
    RESENT_HEAD_SIZE_MAX = 16,   /* of a `resent` event, before its frame */
    RESEND_BYTES_MAX = 16 << 20, /* asked for more, a snapshot is the better answer */
    ROLL_MIN = 64,               /* unchanged topics a heartbeat speaks of, at least */
    ROLL_PARTS = 8, /* and at least this part of all: each is heard within 10 heartbeats */
};

static const uint64_t WAITING_MAX_NS = 2 * NS_PER_SECOND; /* a request waits for its subscription */

/* ---- one message ---- */

void publisher_message_begin(publisher_t *p, const struct message_head *head)
{
    CHECK(head->topic.size <= TOPIC_SIZE_MAX);
    p->message = *head;
    memcpy(p->message_topic, head->topic.data, head->topic.size);
    p->message.topic.data = p->message_topic;
    p->writer.at = p->answer;
    p->answer_count = 0;
    p->answer_chunk = 0;
    p->answer_lost = false;
}

/* The event each chunk begins with, if it does. */
static bool has_head(const publisher_t *p)
{
    return p->request != NULL || p->message.type == FRAME_HEARTBEAT;
}

static void put_head(const publisher_t *p, struct wire_writer *w, bool last)
{
    if (p->message.type == FRAME_HEARTBEAT) {
        struct text address = {p->requests_address, p->requests_address_size};
        heartbeat_put(w, &(struct heartbeat){p->answer_shard, address, p->standing, p->journal});
    } else if (p->request != NULL) {
        reply_put(w, &(struct reply){.request_id = p->request->type == MESSAGE_RESEND
                                                       ? p->request->resend.request_id
                                                       : p->request->snapshot.request_id,
                                     .request_type = p->request->type,
                                     .chunk = p->answer_chunk,
                                     .last = last});
    }
}

/* What is put so far goes out as one chunk. */
static void message_emit(publisher_t *p, bool last)
{
    const struct message_head *m = &p->message;
    size_t body = (size_t)(p->writer.at - p->answer);
    uint8_t *message = outbox_reserve(p->outbox, FRAME_HEAD_SIZE_MAX + GROUP_HEAD_SIZE_MAX +
                                                     REPLY_SIZE_MAX + HEARTBEAT_SIZE_MAX + body);
    if (message == NULL) {
        p->answer_lost = true;
        return;
    }
    struct wire_writer w = {message};
    bool part = m->type == FRAME_HEARTBEAT && !(last && p->answer_chunk == 0);
    frame_head_put(&w,
                   &(struct frame_head){m->topic, m->type, m->epoch, part ? m->seq : m->prev_seq,
                                        m->seq, m->time_ns, m->hash, 1});
    wire_put_array(&w, 2);
    wire_put_u64(&w, m->seq);
    wire_put_array(&w, p->answer_count + (has_head(p) ? 1 : 0));
    put_head(p, &w, last);
    memcpy(w.at, p->answer, body);
    outbox_commit(p->outbox, p->output, (size_t)(w.at - message) + body);
    p->writer.at = p->answer;
    p->answer_count = 0;
    p->answer_chunk++;
}

struct wire_writer *publisher_message_event(publisher_t *p, size_t size)
{
    size_t used = (size_t)(p->writer.at - p->answer);
    size_t max = p->message.type == FRAME_HEARTBEAT ? FRAME_EVENTS_SIZE_MAX : ANSWER_SIZE_MAX;
    if (p->answer_count > 0 && used + size > max) {
        message_emit(p, false);
        p->writer.at = p->answer; /* also where it was lost: the rest will not be sent either */
        p->answer_count = 0;
    }
    return &p->writer;
}

void publisher_message_event_end(publisher_t *p)
{
    p->answer_count++;
}

void publisher_message_end(publisher_t *p)
{
    if (!p->answer_lost)
        message_emit(p, true);
    if (p->answer_lost)
        p->counts.dropped++;
}

/* ---- heartbeats ---- */

static void tell_position(publisher_t *p, uint32_t topic)
{
    struct position m = {topic_name(p, topic), p->topics[topic].last_seq, topic_hash(p, topic)};
    struct wire_writer *w = publisher_message_event(p, POSITION_SIZE_MAX);
    position_put(w, &m);
    publisher_message_event_end(p);
    p->topics[topic].changed = false;
}

static bool speaks_of(const publisher_t *p, uint32_t topic, uint32_t shard)
{
    const struct topic *t = &p->topics[topic];
    return t->shard == shard && t->told && t->kind != TOPIC_UNCHAINED;
}

/* Whether a topic of the shard is left out, for now. */
static bool leaves_out(const publisher_t *p, uint32_t shard)
{
    for (uint32_t t = 0; t < topic_count(p); t++) {
        const struct topic *topic = &p->topics[t];
        if (topic->shard == shard && !topic->told && topic->kind != TOPIC_UNCHAINED)
            return true;
    }
    return false;
}

void publisher_standing_set(publisher_t *p, uint64_t standing, uint64_t journal)
{
    p->standing = standing;
    p->journal = journal;
}

void publisher_heartbeat(publisher_t *p, uint32_t shard, uint64_t seq, uint64_t time_ns)
{
    struct publisher_shard *s = &p->shards[shard];
    uint32_t count = topic_count(p);
    p->answer_shard = s->shard;
    publisher_message_begin(
        p, &(struct message_head){.topic = text_of("hb"),
                                  .type = FRAME_HEARTBEAT,
                                  .epoch = s->epoch,
                                  .prev_seq = leaves_out(p, shard) ? seq : s->heartbeat_seq,
                                  .seq = seq,
                                  .time_ns = time_ns});
    uint32_t slice = count / ROLL_PARTS + 1 < ROLL_MIN ? ROLL_MIN : count / ROLL_PARTS + 1;
    for (uint32_t i = 0; i < slice && i < count; i++) {
        s->rolled = s->rolled + 1 < count ? s->rolled + 1 : 0;
        if (speaks_of(p, s->rolled, shard))
            tell_position(p, s->rolled);
    }
    for (uint32_t t = 0; t < count; t++) {
        if (p->topics[t].changed && speaks_of(p, t, shard))
            tell_position(p, t);
    }
    publisher_message_end(p);
    s->heartbeat_seq = seq;
}

void publisher_heartbeat_bare(publisher_t *p, uint32_t shard, uint64_t seq, uint64_t time_ns)
{
    const struct publisher_shard *s = &p->shards[shard];
    p->answer_shard = s->shard;
    publisher_message_begin(p, &(struct message_head){.topic = text_of("hb"),
                                                      .type = FRAME_HEARTBEAT,
                                                      .epoch = s->epoch,
                                                      .prev_seq = seq, /* nothing is left out */
                                                      .seq = seq,
                                                      .time_ns = time_ns});
    publisher_message_end(p);
}

/* ---- replies ---- */

static struct text reply_of(const struct request *q)
{
    return q->type == MESSAGE_RESEND ? q->resend.reply : q->snapshot.reply;
}

static void reply_begin(publisher_t *p, struct message_head head)
{
    char topic[3 + REPLY_SIZE] = "re.";
    struct text reply = reply_of(p->request);
    memcpy(topic + 3, reply.data, reply.size);
    head.topic = (struct text){topic, 3 + reply.size};
    head.type = FRAME_REPLY;
    publisher_message_begin(p, &head);
}

void publisher_reply_begin(publisher_t *p, uint64_t epoch, uint64_t seq, uint64_t time_ns,
                           struct u64_or_nil hash)
{
    p->counts.snapshots++;
    reply_begin(
        p, (struct message_head){.epoch = epoch, .seq = seq, .time_ns = time_ns, .hash = hash});
}

/* The answer that there is none. Its only event is the reply. */
static void reply_refuse(publisher_t *p, const struct request *q, enum reason code, uint64_t epoch)
{
    p->counts.refused++;
    p->request = q;
    reply_begin(p, (struct message_head){.epoch = epoch});
    p->request = NULL; /* the reply event is put by hand, with its code */
    uint64_t id = q->type == MESSAGE_RESEND ? q->resend.request_id : q->snapshot.request_id;
    reply_put(
        publisher_message_event(p, REPLY_SIZE_MAX),
        &(struct reply){.request_id = id, .request_type = q->type, .code = code, .last = true});
    publisher_message_event_end(p);
    publisher_message_end(p);
}

/* The topic's frames after `after`, newest first, into p->walked; how many, or 0 if they are not
 * all kept or too many to send. */
static uint32_t walk_back(publisher_t *p, const struct topic *t, uint64_t after)
{
    uint64_t number = t->last_frame;
    uint32_t count = 0;
    size_t size = 0;
    const struct kept_frame *f;
    while ((f = frame_ring_get(&p->ring, number)) != NULL) {
        size += f->size;
        if (count == RESEND_FRAMES_MAX || size > RESEND_BYTES_MAX)
            return 0;
        p->walked[count++] = number;
        if (f->prev_seq <= after)
            return count;
        number = f->before;
    }
    return 0;
}

static enum reason serve_resend(publisher_t *p, const struct resend *q, uint64_t *epoch)
{
    uint32_t n = name_table_find(&p->names, q->topic.data, q->topic.size);
    if (n == 0)
        return REJECT_UNKNOWN_TOPIC;
    const struct topic *t = &p->topics[n - 1];
    *epoch = p->shards[t->shard].epoch;
    if (q->epoch != *epoch)
        return REJECT_EPOCH_CHANGED;
    if (t->last_seq < q->through_seq)
        return REJECT_NOT_CAUGHT_UP;
    uint32_t count = 0;
    if (q->after_seq < q->through_seq && (count = walk_back(p, t, q->after_seq)) == 0)
        return REJECT_TOO_OLD;
    p->counts.resends += q->after_seq < q->through_seq;
    reply_begin(p, (struct message_head){.epoch = *epoch, .seq = t->last_seq});
    for (uint32_t i = count; i > 0; i--) {
        const struct kept_frame *f =
            frame_ring_get(&p->ring, p->walked[PLANTED(RESEND_REORDERED) ? count - i : i - 1]);
        if (f->prev_seq >= q->through_seq)
            break;
        resent_put(publisher_message_event(p, f->size + RESENT_HEAD_SIZE_MAX),
                   &(struct resent){{frame_ring_bytes(&p->ring, f), f->size}});
        publisher_message_event_end(p);
    }
    publisher_message_end(p);
    return 0;
}

static bool passes_on(publisher_t *p, const struct request *q)
{
    return p->state.pass_on != NULL && p->state.pass_on(p->state.self, q);
}

static void serve(publisher_t *p, const struct request *q)
{
    uint64_t epoch = 0;
    enum reason code;
    if (q->type == MESSAGE_SNAPSHOT && passes_on(p, q))
        return;
    p->request = q;
    if (q->type == MESSAGE_RESEND)
        code = serve_resend(p, &q->resend, &epoch);
    else
        code = p->state.snapshot(p->state.self, &q->snapshot);
    p->request = NULL;
    if (code == REJECT_TOO_OLD && passes_on(p, q))
        return;
    if (code != 0)
        reply_refuse(p, q, code, epoch);
}

/* ---- who listens ---- */

static uint32_t asker_find(const publisher_t *p, struct text reply)
{
    uint32_t i = 0;
    while (i < p->asker_count && memcmp(p->askers[i].reply, reply.data, REPLY_SIZE) != 0)
        i++;
    return i;
}

/* Requests that came before their subscription did, or that waited too long for it. */
static void serve_waiting(publisher_t *p, struct text reply, uint64_t now_ns)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->waiting_count; i++) {
        struct waiting_request *w = &p->waiting[i];
        const uint8_t *at = w->bytes;
        struct request q;
        CHECK(request_read(&at, w->bytes + w->size, &q) == COMMAND_READ_OK);
        if (reply.size > 0 && text_equal(reply_of(&q), reply))
            serve(p, &q);
        else if (now_ns < w->came_ns + WAITING_MAX_NS)
            p->waiting[kept++] = *w;
        else
            p->counts.dropped++;
    }
    p->waiting_count = kept;
}

void publisher_subscription(publisher_t *p, const uint8_t *message, size_t size)
{
    /* 1 or 0, "re.", 32 digits and the NUL that ends every topic */
    if (size != 1 + 3 + REPLY_SIZE + 1 || memcmp(message + 1, "re.", 3) != 0)
        return;
    struct text reply = {(const char *)message + 4, REPLY_SIZE};
    uint32_t i = asker_find(p, reply);
    if (message[0] == 0 && i < p->asker_count) {
        p->askers[i] = p->askers[--p->asker_count];
    } else if (message[0] == 1) {
        if (i == p->asker_count && i < PUBLISHER_ASKERS_MAX)
            memcpy(p->askers[p->asker_count++].reply, reply.data, REPLY_SIZE);
        serve_waiting(p, reply, 0);
    }
}

void publisher_request(publisher_t *p, const uint8_t *message, size_t size, uint64_t now_ns)
{
    const uint8_t *at = message;
    struct request q;
    bool known = request_read(&at, message + size, &q) == COMMAND_READ_OK &&
                 (q.type == MESSAGE_RESEND || q.type == MESSAGE_SNAPSHOT);
    if (!known || at != message + size || !name_is_reply(reply_of(&q)) ||
        size > sizeof p->waiting[0].bytes) {
        p->counts.garbage++;
        return;
    }
    serve_waiting(p, (struct text){"", 0}, now_ns);
    /* With more askers than we can note, a subscription may be there unseen: answer. */
    if (asker_find(p, reply_of(&q)) < p->asker_count || p->asker_count == PUBLISHER_ASKERS_MAX) {
        serve(p, &q);
    } else if (p->waiting_count < PUBLISHER_WAITING_MAX) {
        struct waiting_request *w = &p->waiting[p->waiting_count++];
        w->came_ns = now_ns;
        w->size = size;
        memcpy(w->bytes, message, size);
    } else {
        p->counts.dropped++;
    }
}

void publisher_request_for(publisher_t *p, const struct request *request, uint32_t output)
{
    uint32_t own = p->output;
    if (asker_find(p, reply_of(request)) == p->asker_count)
        p->output = output;
    serve(p, request);
    p->output = own;
}

void publisher_resend_begin(publisher_t *p, const struct request *request, uint64_t epoch,
                            uint64_t seq)
{
    p->counts.resends++;
    p->request = request;
    reply_begin(p, (struct message_head){.epoch = epoch, .seq = seq});
}

void publisher_resend_frame(publisher_t *p, const uint8_t *frame, size_t size)
{
    resent_put(publisher_message_event(p, size + RESENT_HEAD_SIZE_MAX),
               &(struct resent){{frame, size}});
    publisher_message_event_end(p);
}

void publisher_resend_end(publisher_t *p)
{
    publisher_message_end(p);
    p->request = NULL;
}

void publisher_answer(publisher_t *p, struct text reply, uint64_t request_id, uint64_t request_type,
                      enum reason code)
{
    char topic[3 + REPLY_SIZE] = "re.";
    memcpy(topic + 3, reply.data, reply.size);
    publisher_message_begin(
        p, &(struct message_head){.topic = {topic, 3 + reply.size}, .type = FRAME_REPLY});
    reply_put(
        publisher_message_event(p, REPLY_SIZE_MAX),
        &(struct reply){
            .request_id = request_id, .request_type = request_type, .code = code, .last = true});
    publisher_message_event_end(p);
    publisher_message_end(p);
}
