#include "tests/sim/sim_ear.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"

#define TEXT(text) (int)(text).size, (text).data

struct hearing {
    struct sim_ear *ear;
    const char *who;
    struct frame_head head;
    uint64_t resent_seq; /* of the last frame sent again in this message */
};

void sim_ear_init(struct sim_ear *e, struct sim_world *world, const struct sim_history *history)
{
    *e = (struct sim_ear){.world = world, .history = history, .known_capacity = 1 << 12};
    e->known = calloc(e->known_capacity, sizeof *e->known);
    CHECK(e->known != NULL);
}

void sim_ear_close(struct sim_ear *e)
{
    free(e->known);
}

__attribute__((format(printf, 2, 3))) static void wrong(const struct hearing *l, const char *format,
                                                        ...)
{
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    sim_world_fail(l->ear->world,
                   "%s says on %.*s (epoch %" PRIu64 ", %" PRIu64 "..%" PRIu64 "): %s", l->who,
                   TEXT(l->head.topic), l->head.epoch, l->head.prev_seq, l->head.seq, text);
}

/* ---- frames that are known ---- */

static struct sim_frame_known *find(const struct sim_ear *e, uint64_t key)
{
    size_t at = key % e->known_capacity;
    while (e->known[at].key != 0 && e->known[at].key != key)
        at = (at + 1) % e->known_capacity;
    return &e->known[at];
}

static void grow(struct sim_ear *e)
{
    struct sim_ear larger = *e;
    larger.known_capacity *= 2;
    larger.known = calloc(larger.known_capacity, sizeof *larger.known);
    CHECK(larger.known != NULL);
    for (size_t i = 0; i < e->known_capacity; i++) {
        if (e->known[i].key != 0)
            *find(&larger, e->known[i].key) = e->known[i];
    }
    free(e->known);
    *e = larger;
}

static void check_same(const struct hearing *l, const uint8_t *bytes, size_t size)
{
    struct sim_ear *e = l->ear;
    uint64_t key = mix(mix(XXH3_64bits(l->head.topic.data, l->head.topic.size) + l->head.epoch) +
                       l->head.seq) |
                   1;
    struct sim_frame_known *k = find(e, key);
    uint64_t digest = XXH3_64bits(bytes, size);
    if (k->key == 0) {
        *k = (struct sim_frame_known){key, digest};
        if (++e->known_count * 2 > e->known_capacity)
            grow(e);
    } else if (k->digest != digest) {
        wrong(l, "a frame that is not the one that was said before");
    }
}

/* ---- against the history ---- */

/* The number of the symbol, from 0, of a topic that begins so; SIM_SYMBOLS_MAX: it is another. */
static uint32_t symbol_of(const struct hearing *l, struct text topic, const char *prefix)
{
    size_t size = strlen(prefix);
    if (topic.size <= size || memcmp(topic.data, prefix, size) != 0)
        return SIM_SYMBOLS_MAX;
    struct text name = {topic.data + size, topic.size - size};
    uint32_t n = engine_symbol_find(l->ear->history->engine, name);
    return n == 0 ? SIM_SYMBOLS_MAX : n - 1;
}

/* The state behind this topic must hash so after this command. */
static void check_hash(const struct hearing *l, struct text topic, uint64_t seq,
                       struct u64_or_nil hash)
{
    const struct sim_fact *f = sim_history_fact(l->ear->history, seq);
    uint32_t l3 = symbol_of(l, topic, "l3."), l2 = symbol_of(l, topic, "l2.");
    if (f == NULL || !hash.given)
        return;
    uint64_t expected = hash.value;
    if (l3 < SIM_SYMBOLS_MAX)
        expected = f->l3_hash[l3];
    else if (l2 < SIM_SYMBOLS_MAX)
        expected = f->l2_hash[l2];
    if (hash.value != expected)
        wrong(l, "%.*s hashes to %016" PRIx64 " after %" PRIu64 ", expected %016" PRIx64,
              TEXT(topic), hash.value, seq, expected);
}

static void check_result(const struct hearing *l, struct wire_reader *fields)
{
    struct result r;
    result_get_fields(fields, &r);
    if (r.seq == 0)
        return;
    l->ear->results++;
    const struct sim_fact *f = sim_history_fact(l->ear->history, r.seq);
    struct text origin = {l->head.topic.data + 4, l->head.topic.size - 4};
    if (f == NULL) {
        wrong(l, "the result of command %" PRIu64 ", which is not committed: %" PRIu64 " is", r.seq,
              l->ear->history->seq);
        return;
    }
    const struct outcome *o = &f->outcome;
    if (!text_equal(text_of(f->origin), origin) || f->origin_epoch != r.origin_epoch ||
        f->origin_seq != r.origin_seq || o->code != r.code || o->order_id != r.order_id ||
        o->duplicate != r.duplicate || o->count != r.count)
        wrong(l,
              "the result of %" PRIu64 " of session %" PRIu64 " is code %u, order %" PRIu64
              " at %" PRIu64 ", where the history has code %u, order %" PRIu64 " for %" PRIu64
              " of session %" PRIu64 " of '%s'",
              r.origin_seq, r.origin_epoch, (unsigned)r.code, r.order_id, r.seq, o->code,
              o->order_id, f->origin_seq, f->origin_epoch, f->origin);
}

static void check_position(const struct hearing *l, struct wire_reader *fields)
{
    struct position p;
    position_get_fields(fields, &p);
    if (p.last_seq > l->head.seq)
        wrong(l, "%.*s stands at %" PRIu64, TEXT(p.topic), p.last_seq);
    check_hash(l, p.topic, l->head.seq, p.hash);
}

static void hear(struct hearing *l, const uint8_t *bytes, size_t size);

static void check_resent(struct hearing *l, struct wire_reader *fields)
{
    struct resent r;
    struct hearing inner = {.ear = l->ear, .who = l->who};
    resent_get_fields(fields, &r);
    l->ear->resent++;
    hear(&inner, (const uint8_t *)r.frame.data, r.frame.size);
    if (inner.head.seq <= l->resent_seq)
        wrong(l, "a frame of %" PRIu64 " again behind one of %" PRIu64, inner.head.seq,
              l->resent_seq);
    l->resent_seq = inner.head.seq;
}

/* Market-data says nothing about itself while it lives. */
static void note_standing(const struct hearing *l, struct wire_reader *fields)
{
    struct heartbeat h;
    heartbeat_get_fields(fields, &h);
    if (strcmp(l->who, SIM_EAR_MATCHER) == 0)
        l->ear->standing = h.standing;
}

static void check_event(struct hearing *l, uint64_t type, struct wire_reader *fields)
{
    if (type == MESSAGE_HEARTBEAT)
        note_standing(l, fields);
    else if (type == MESSAGE_RESULT)
        check_result(l, fields);
    else if (type == MESSAGE_POSITION)
        check_position(l, fields);
    else if (type == MESSAGE_RESENT)
        check_resent(l, fields);
}

/* Whether frames of this topic are a function of the journal whoever says them. */
static bool made_by_matchers(struct text topic)
{
    return topic.size > 5 &&
           (memcmp(topic.data, "l3.", 3) == 0 || memcmp(topic.data, "acct.", 5) == 0);
}

static void hear(struct hearing *l, const uint8_t *bytes, size_t size)
{
    const struct sim_history *h = l->ear->history;
    struct frame_reader f;
    uint64_t type;
    struct wire_reader fields;
    if (frame_read(&f, bytes, size) != FRAME_READ_OK) {
        wrong(l, "something that is no frame");
        return;
    }
    l->head = f.head;
    l->ear->frames++;
    sim_world_note(l->ear->world, "%s says %.*s %" PRIu64 "..%" PRIu64 " of epoch %" PRIu64, l->who,
                   TEXT(f.head.topic), f.head.prev_seq, f.head.seq, f.head.epoch);
    if (f.head.epoch > h->epoch)
        wrong(l, "epoch %" PRIu64 ", expected %" PRIu64, f.head.epoch, h->epoch);
    if (f.head.epoch != h->epoch)
        return; /* no more than an echo */
    if (f.head.seq > h->seq)
        wrong(l, "what is not committed: %" PRIu64 " is", h->seq);
    if (f.head.type == FRAME_EVENTS && made_by_matchers(f.head.topic))
        check_same(l, bytes, size);
    if (f.head.type == FRAME_EVENTS)
        check_hash(l, f.head.topic, f.head.seq, f.head.hash);
    while (frame_next_group(&f)) {
        while (frame_next_event(&f, &type, &fields))
            check_event(l, type, &fields);
    }
}

void sim_ear_hear(struct sim_ear *e, const char *who, const uint8_t *bytes, size_t size)
{
    struct hearing l = {.ear = e, .who = who};
    hear(&l, bytes, size);
}
