/* publisher: topics and frames. */
#include "bus/publisher.h"

#include "base/check.h"
#include "base/memory.h"
#include "bus/publisher_parts.h"

publisher_t *publisher_new(struct outbox *outbox, uint32_t output,
                           const struct publisher_state *state,
                           const struct publisher_limits *limits, struct text address)
{
    CHECK(address.size <= ADDRESS_SIZE_MAX);
    publisher_t *p = memory_new(1, sizeof *p, "a publisher");
    p->outbox = outbox;
    p->output = output;
    p->state = *state;
    p->limits = *limits;
    memcpy(p->requests_address, address.data, address.size);
    p->requests_address_size = address.size;
    name_table_init(&p->names, limits->topics_max, 0, "topics");
    p->topics = memory_new(limits->topics_max, sizeof *p->topics, "topics");
    p->chunks = memory_new((size_t)limits->chunks_max + 1, sizeof *p->chunks, "frames");
    p->chunk_fresh = 1;
    p->touched = memory_new(limits->topics_max, sizeof *p->touched, "topics");
    p->open = memory_new(limits->topics_max, sizeof *p->open, "topics");
    frame_ring_init(&p->ring, limits->ring_size, limits->ring_frames_max);
    p->answer = memory_new(1, FRAME_SIZE_MAX, "replies");
    p->walked = memory_new(RESEND_FRAMES_MAX, sizeof *p->walked, "replies");
    p->askers = memory_new(PUBLISHER_ASKERS_MAX, sizeof *p->askers, "askers");
    p->waiting = memory_new(PUBLISHER_WAITING_MAX, sizeof *p->waiting, "requests");
    return p;
}

void publisher_destroy(publisher_t **publisher)
{
    publisher_t *p = *publisher;
    if (p == NULL)
        return;
    name_table_close(&p->names);
    memory_free(p->topics, p->limits.topics_max, sizeof *p->topics);
    memory_free(p->chunks, (size_t)p->limits.chunks_max + 1, sizeof *p->chunks);
    memory_free(p->touched, p->limits.topics_max, sizeof *p->touched);
    memory_free(p->open, p->limits.topics_max, sizeof *p->open);
    frame_ring_close(&p->ring);
    memory_free(p->answer, 1, FRAME_SIZE_MAX);
    memory_free(p->walked, RESEND_FRAMES_MAX, sizeof *p->walked);
    memory_free(p->askers, PUBLISHER_ASKERS_MAX, sizeof *p->askers);
    memory_free(p->waiting, PUBLISHER_WAITING_MAX, sizeof *p->waiting);
    memory_free(p, 1, sizeof *p);
    *publisher = NULL;
}

/* ---- shards and topics ---- */

uint32_t publisher_shard_add(publisher_t *p, uint16_t shard)
{
    CHECK(p->shard_count < SHARDS_MAX);
    p->shards[p->shard_count].shard = shard;
    return p->shard_count++;
}

void publisher_epoch_set(publisher_t *p, uint32_t shard, uint64_t epoch)
{
    p->shards[shard].epoch = epoch;
    p->shards[shard].heartbeat_seq = 0;
    for (uint32_t t = 0; t < topic_count(p); t++) {
        if (p->topics[t].shard == shard)
            publisher_topic_restart(p, t, 0);
    }
}

void publisher_epoch_continue(publisher_t *p, uint32_t shard, uint64_t epoch)
{
    p->shards[shard].epoch = epoch;
    for (uint32_t t = 0; t < topic_count(p); t++) {
        if (p->topics[t].shard == shard)
            publisher_topic_restart(p, t, p->topics[t].last_seq);
    }
}

uint32_t publisher_topic_add(publisher_t *p, uint32_t shard, struct text name, enum topic_kind kind)
{
    CHECK(name.size <= TOPIC_SIZE_MAX && shard < p->shard_count);
    uint32_t known = p->names.count;
    uint32_t n = name_table_add(&p->names, name.data, name.size);
    CHECK(n != 0);
    if (n > known)
        p->topics[n - 1] = (struct topic){.shard = shard, .kind = kind, .told = true};
    return n - 1;
}

void publisher_topic_rename(publisher_t *p, uint32_t topic, struct text name)
{
    const struct name *old = &p->names.names[topic + 1];
    if (text_equal((struct text){old->text, old->size}, name))
        return;
    CHECK(p->topics[topic].kind == TOPIC_UNCHAINED && !p->topics[topic].touched);
    name_table_rename(&p->names, topic + 1, name.data, name.size);
}

bool publisher_topic_find(publisher_t *p, struct text name, uint32_t *topic)
{
    uint32_t n = name_table_find(&p->names, name.data, name.size);
    *topic = n - 1;
    return n != 0;
}

uint64_t publisher_topic_seq(const publisher_t *p, uint32_t topic)
{
    return p->topics[topic].last_seq;
}

void publisher_topic_restart(publisher_t *p, uint32_t topic, uint64_t last_seq)
{
    CHECK(!p->topics[topic].touched);
    p->topics[topic].last_seq = last_seq;
    p->topics[topic].last_frame = 0;
    p->topics[topic].changed = true;
}

void publisher_topic_tell(publisher_t *p, uint32_t topic, bool told)
{
    if (told && !p->topics[topic].told)
        p->topics[topic].changed = true; /* heartbeats passed it over meanwhile */
    p->topics[topic].told = told;
}

struct u64_or_nil topic_hash(const publisher_t *p, uint32_t topic)
{
    if (p->topics[topic].kind != TOPIC_HASHED)
        return (struct u64_or_nil){0, false};
    return (struct u64_or_nil){p->state.hash(p->state.self, topic), true};
}

/* ---- chunks ---- */

static uint32_t chunk_new(publisher_t *p)
{
    uint32_t n = p->chunk_free;
    if (n != 0) {
        p->chunk_free = p->chunks[n].next;
    } else {
        CHECK(p->chunk_fresh <= p->limits.chunks_max);
        n = p->chunk_fresh++;
    }
    p->chunks[n].next = CHUNK_NONE;
    p->chunks[n].used = 0;
    p->chunks_used++;
    return n;
}

static void chunks_free(publisher_t *p, uint32_t first)
{
    while (first != CHUNK_NONE) {
        uint32_t next = p->chunks[first].next;
        p->chunks[first].next = p->chunk_free;
        p->chunk_free = first;
        p->chunks_used--;
        first = next;
    }
}

/* Where the topic's next `size` bytes go; a count of events may later grow by 2 bytes. */
static uint8_t *topic_place(publisher_t *p, struct topic *t, size_t size)
{
    size_t room = sizeof p->chunks[0].bytes - 2;
    CHECK(size <= room);
    if (t->last_chunk == CHUNK_NONE || p->chunks[t->last_chunk].used + size > room) {
        uint32_t n = chunk_new(p);
        if (t->last_chunk == CHUNK_NONE)
            t->first_chunk = n;
        else
            p->chunks[t->last_chunk].next = n;
        t->last_chunk = n;
    }
    struct chunk *c = &p->chunks[t->last_chunk];
    return c->bytes + c->used;
}

static void topic_grow(publisher_t *p, struct topic *t, const uint8_t *end)
{
    struct chunk *c = &p->chunks[t->last_chunk];
    size_t size = (size_t)(end - c->bytes) - c->used;
    c->used += (uint32_t)size;
    t->size += size;
    p->pending_size += size;
}

/* ---- groups ---- */

static void group_open(publisher_t *p, uint32_t topic, uint64_t seq)
{
    struct topic *t = &p->topics[topic];
    if (!t->touched) {
        t->touched = true;
        p->touched[p->touched_count++] = topic;
        p->pending_size += FRAME_HEAD_SIZE_MAX;
    }
    struct wire_writer w = {topic_place(p, t, GROUP_HEAD_SIZE_MAX)};
    wire_put_array(&w, 2);
    wire_put_u64(&w, seq);
    t->count_chunk = t->last_chunk;
    t->count_at = (uint32_t)(w.at - p->chunks[t->last_chunk].bytes);
    w.at++; /* the count of events, once it is known */
    topic_grow(p, t, w.at);
    t->group_open = true;
    t->group_seq = seq;
    t->group_count++;
    t->event_count = 0;
    p->open[p->open_count++] = topic;
}

struct wire_writer *publisher_event(publisher_t *p, uint32_t topic, uint64_t seq, size_t size)
{
    struct topic *t = &p->topics[topic];
    if (!t->group_open)
        group_open(p, topic, seq);
    CHECK(t->group_seq == seq);
    p->writing = topic;
    p->writer.at = topic_place(p, t, size);
    return &p->writer;
}

void publisher_event_end(publisher_t *p)
{
    struct topic *t = &p->topics[p->writing];
    topic_grow(p, t, p->writer.at);
    t->event_count++;
}

/* Write the count of events; past 15 it takes 3 bytes, and what follows in its chunk moves up. */
static void group_close(publisher_t *p, struct topic *t)
{
    struct chunk *c = &p->chunks[t->count_chunk];
    uint8_t *count = c->bytes + t->count_at;
    if (t->event_count > 15) {
        memmove(count + 3, count + 1, c->used - t->count_at - 1);
        c->used += 2;
        t->size += 2;
        p->pending_size += 2;
    }
    CHECK(t->event_count <= UINT16_MAX);
    wire_put_array(&(struct wire_writer){count}, t->event_count);
    t->group_open = false;
}

/* ---- frames ---- */

static void keep(publisher_t *p, struct topic *t, uint64_t prev_seq, uint64_t seq,
                 const uint8_t *frame, size_t size)
{
    t->last_frame = frame_ring_add(&p->ring, t->last_frame, prev_seq, seq, frame, size);
    t->last_seq = seq;
    t->changed = true;
    p->counts.frames++;
}

static void topic_empty(publisher_t *p, struct topic *t)
{
    p->pending_size -= t->size + FRAME_HEAD_SIZE_MAX;
    chunks_free(p, t->first_chunk);
    t->first_chunk = t->last_chunk = CHUNK_NONE;
    t->size = 0;
    t->group_count = 0;
    t->group_open = false;
    t->touched = false;
}

static void topic_flush(publisher_t *p, uint32_t topic, uint64_t time_ns)
{
    struct topic *t = &p->topics[topic];
    bool chained = t->kind != TOPIC_UNCHAINED;
    struct frame_head head = {
        .topic = topic_name(p, topic),
        .type = FRAME_EVENTS,
        .epoch = p->shards[t->shard].epoch,
        .prev_seq = chained ? t->last_seq : 0,
        .seq = t->group_seq,
        .time_ns = time_ns,
        .hash = topic_hash(p, topic),
        .group_count = t->group_count,
    };
    CHECK(t->size <= FRAME_EVENTS_SIZE_MAX);
    uint8_t *frame = outbox_reserve(p->outbox, FRAME_HEAD_SIZE_MAX + t->size);
    CHECK(frame != NULL);
    struct wire_writer w = {frame};
    frame_head_put(&w, &head);
    for (uint32_t n = t->first_chunk; n != CHUNK_NONE; n = p->chunks[n].next) {
        memcpy(w.at, p->chunks[n].bytes, p->chunks[n].used);
        w.at += p->chunks[n].used;
    }
    size_t size = (size_t)(w.at - frame);
    outbox_commit(p->outbox, p->output, size);
    if (chained)
        keep(p, t, head.prev_seq, head.seq, frame, size);

    topic_empty(p, t);
}

/* Flush the touched topics of one kind, chained or not, that are larger than this. */
static void flush_larger(publisher_t *p, bool chained, size_t size, uint64_t time_ns)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < p->touched_count; i++) {
        uint32_t topic = p->touched[i];
        const struct topic *t = &p->topics[topic];
        if ((t->kind != TOPIC_UNCHAINED) == chained && t->size > size)
            topic_flush(p, topic, time_ns);
        else
            p->touched[left++] = topic;
    }
    p->touched_count = left;
}

void publisher_group_end(publisher_t *p, uint64_t time_ns)
{
    bool split = false, results = false;
    for (uint32_t i = 0; i < p->open_count; i++) {
        struct topic *t = &p->topics[p->open[i]];
        group_close(p, t);
        split = split || t->size > FRAME_SPLIT_SIZE;
        results = results || (t->size > FRAME_SPLIT_SIZE && t->kind == TOPIC_UNCHAINED);
    }
    p->open_count = 0;
    if (split) /* results that go now take all before them along */
        flush_larger(p, true, results ? 0 : FRAME_SPLIT_SIZE, time_ns);
    if (results)
        flush_larger(p, false, FRAME_SPLIT_SIZE, time_ns);
}

void publisher_flush(publisher_t *p, uint64_t time_ns)
{
    CHECK(p->open_count == 0);
    flush_larger(p, true, 0, time_ns);
    flush_larger(p, false, 0, time_ns);
}

void publisher_discard(publisher_t *p)
{
    for (uint32_t i = 0; i < p->touched_count; i++)
        topic_empty(p, &p->topics[p->touched[i]]);
    p->touched_count = 0;
    p->open_count = 0;
}

size_t publisher_pending_size(const publisher_t *p)
{
    return p->pending_size;
}

uint32_t publisher_chunks_free(const publisher_t *p)
{
    return p->limits.chunks_max - p->chunks_used;
}

void publisher_forward(publisher_t *p, uint32_t topic, uint64_t prev_seq, uint64_t seq,
                       const uint8_t *frame, size_t size)
{
    uint8_t *copy = outbox_reserve(p->outbox, size);
    CHECK(copy != NULL);
    memcpy(copy, frame, size);
    outbox_commit(p->outbox, p->output, size);
    keep(p, &p->topics[topic], prev_seq, seq, copy, size);
}

struct publisher_counts publisher_counts(const publisher_t *p)
{
    return p->counts;
}
