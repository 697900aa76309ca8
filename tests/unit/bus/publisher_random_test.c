/* publisher, at random, against a plain encoder: what it publishes is byte for byte what the events
 * written one behind the other into one buffer would be, and what it sends again is that again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/bus/publisher_kit.h"

enum {
    TOPICS = 6,
    STEPS = 1500,
    BODY_MAX = 256 << 10,
    FRAMES = 4096,
    EVENT_BYTES_MAX = 1000,
};

/* A topic as the plain encoder sees it. */
struct plain {
    char name[8];
    enum topic_kind kind;
    uint64_t last_seq;
    uint8_t events[BODY_MAX]; /* of the open group */
    size_t events_size;
    uint32_t event_count;
    uint8_t groups[BODY_MAX];
    size_t groups_size;
    uint32_t group_count;
    uint64_t seq;
};

/* A frame as it must be, or was, published. */
struct said {
    uint8_t *bytes;
    size_t size;
    uint32_t topic;
    uint64_t prev_seq, seq;
};

struct run {
    uint64_t seed;
    struct random random;
    struct publisher_kit kit;
    struct plain topics[TOPICS];
    uint32_t touched[TOPICS];
    uint32_t touched_count;
    uint32_t open[TOPICS]; /* in the order their groups were opened */
    uint32_t open_count;
    uint64_t seq;
    struct said said[FRAMES];
    size_t said_count;
    size_t compared;
};

static struct run r;

static bool holds(const uint32_t *list, uint32_t count, uint32_t topic)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == topic)
            return true;
    }
    return false;
}

static void put_event(uint32_t topic)
{
    static const uint8_t bytes[EVENT_BYTES_MAX] = "some";
    struct plain *t = &r.topics[topic];
    size_t size = random_below(&r.random, 1u << random_below(&r.random, 11));
    if (size > EVENT_BYTES_MAX)
        size = EVENT_BYTES_MAX;
    if (t->events_size + size + 10 > BODY_MAX)
        return;
    if (!holds(r.touched, r.touched_count, topic))
        r.touched[r.touched_count++] = topic;
    if (!holds(r.open, r.open_count, topic))
        r.open[r.open_count++] = topic;
    struct resent event = {{bytes, size}};
    resent_put(publisher_event(r.kit.publisher, topic, r.seq, size + 10), &event);
    publisher_event_end(r.kit.publisher);

    struct wire_writer w = {t->events + t->events_size};
    resent_put(&w, &event);
    t->events_size = (size_t)(w.at - t->events);
    t->event_count++;
}

static void plain_frame(uint32_t topic, uint64_t time_ns)
{
    struct plain *t = &r.topics[topic];
    bool chained = t->kind != TOPIC_UNCHAINED;
    struct said *f = &r.said[r.said_count++];
    assert_true(r.said_count <= FRAMES);
    f->bytes = malloc(FRAME_HEAD_SIZE_MAX + t->groups_size);
    f->topic = topic;
    f->prev_seq = chained ? t->last_seq : 0;
    f->seq = t->seq;
    struct frame_head head = {text_of(t->name),
                              FRAME_EVENTS,
                              KIT_EPOCH,
                              f->prev_seq,
                              f->seq,
                              time_ns,
                              {r.kit.hashes[topic], t->kind == TOPIC_HASHED},
                              t->group_count};
    if (t->kind != TOPIC_HASHED)
        head.hash.value = 0;
    struct wire_writer w = {f->bytes};
    frame_head_put(&w, &head);
    memcpy(w.at, t->groups, t->groups_size);
    f->size = (size_t)(w.at - f->bytes) + t->groups_size;
    t->last_seq = t->seq;
    t->groups_size = 0;
    t->group_count = 0;
}

/* Of one kind, and as large, in the order they were touched. */
static void plain_frames(bool chained, size_t size_min, uint64_t time_ns)
{
    for (uint32_t i = 0; i < r.touched_count;) {
        const struct plain *t = &r.topics[r.touched[i]];
        if ((t->kind != TOPIC_UNCHAINED) != chained || t->groups_size < size_min) {
            i++;
            continue;
        }
        plain_frame(r.touched[i], time_ns);
        r.touched_count--;
        memmove(r.touched + i, r.touched + i + 1, (r.touched_count - i) * sizeof r.touched[0]);
    }
}

static void end_group(uint64_t time_ns)
{
    bool results = false; /* go early, so what they are results of goes before */
    for (uint32_t i = 0; i < r.open_count; i++) {
        struct plain *t = &r.topics[r.open[i]];
        struct wire_writer w = {t->groups + t->groups_size};
        wire_put_array(&w, 2);
        wire_put_u64(&w, r.seq);
        wire_put_array(&w, t->event_count);
        memcpy(w.at, t->events, t->events_size);
        t->groups_size = (size_t)(w.at - t->groups) + t->events_size;
        t->group_count++;
        t->seq = r.seq;
        t->events_size = 0;
        t->event_count = 0;
        results |= t->kind == TOPIC_UNCHAINED && t->groups_size > FRAME_SPLIT_SIZE;
    }
    plain_frames(true, results ? 0 : FRAME_SPLIT_SIZE + 1, time_ns);
    plain_frames(false, FRAME_SPLIT_SIZE + 1, time_ns);
    r.open_count = 0;
    publisher_group_end(r.kit.publisher, time_ns);
}

static void flush(uint64_t time_ns)
{
    plain_frames(true, 0, time_ns);
    plain_frames(false, 0, time_ns);
    publisher_flush(r.kit.publisher, time_ns);
    assert_int_equal(publisher_pending_size(r.kit.publisher), 0);
}

static void compare_frames(void)
{
    struct bytes m;
    while (kit_take(&r.kit, &m)) {
        assert_true(r.compared < r.said_count);
        const struct said *f = &r.said[r.compared++];
        if (m.size != f->size || memcmp(m.data, f->bytes, f->size) != 0)
            fail_msg("seed %llu: frame %zu is not what it must be", (unsigned long long)r.seed,
                     r.compared);
    }
    assert_int_equal(r.compared, r.said_count);
}

/* One command: some topics get some events. Now and then a very large one. */
static void command(void)
{
    static const unsigned event_counts[] = {1, 1, 2, 3, 15, 16, 17, 40, 300};
    uint64_t time_ns = random_next(&r.random);
    r.seq += 1 + random_below(&r.random, 3);
    unsigned topics = (unsigned)random_below(&r.random, 4);
    for (unsigned i = 0; i < topics; i++) {
        uint32_t topic = (uint32_t)random_below(&r.random, TOPICS);
        unsigned events = RANDOM_OF(&r.random, event_counts);
        for (unsigned e = 0; e < events; e++)
            put_event(topic);
    }
    for (uint32_t t = 0; t < TOPICS; t++)
        r.kit.hashes[t] = random_next(&r.random);
    end_group(time_ns);
}

/* Ask for a stretch of a topic's frames again; what comes must be those, all of them, as they were
 * (or the news that they are gone). */
static void ask_again(void)
{
    uint32_t topic = (uint32_t)random_below(&r.random, TOPICS);
    if (r.topics[topic].kind == TOPIC_UNCHAINED || r.topics[topic].last_seq == 0)
        return;
    uint64_t last = r.topics[topic].last_seq;
    uint64_t through = 1 + random_below(&r.random, last), after = random_below(&r.random, through);
    struct request q = kit_resend(r.topics[topic].name, after, through);
    kit_ask(&r.kit, &q, 1);
    size_t at = 0;
    struct reply reply;
    do {
        struct frame_reader f = kit_take_frame(&r.kit);
        uint64_t type;
        struct wire_reader fields;
        reply = kit_reply(&f);
        if (reply.code == REJECT_TOO_OLD)
            return;
        assert_int_equal(reply.code, 0);
        while (frame_next_event(&f, &type, &fields)) {
            struct resent m;
            resent_get_fields(&fields, &m);
            while (r.said[at].topic != topic || r.said[at].seq <= after)
                assert_true(++at < r.said_count);
            if (m.frame.size != r.said[at].size ||
                memcmp(m.frame.data, r.said[at].bytes, m.frame.size) != 0)
                fail_msg("seed %llu: a frame was sent again otherwise", (unsigned long long)r.seed);
            at++;
        }
    } while (!reply.last);
    for (; at < r.said_count; at++) /* and none is missing */
        assert_true(r.said[at].topic != topic || r.said[at].prev_seq >= through);
    kit_assert_nothing(&r.kit);
}

static void one_run(uint64_t seed)
{
    static const enum topic_kind kinds[] = {TOPIC_HASHED, TOPIC_PLAIN, TOPIC_UNCHAINED};
    struct publisher_limits limits = kit_limits();
    memset(&r, 0, sizeof r);
    r.seed = seed;
    r.random.state = seed;
    limits.ring_size = 256 << 10;
    limits.ring_frames_max = 300;
    kit_open(&r.kit, &limits, 32 << 20);
    kit_subscribe(&r.kit, KIT_REPLY, true);
    for (uint32_t t = 0; t < TOPICS; t++) {
        r.topics[t].kind = kinds[t % 3];
        snprintf(r.topics[t].name, sizeof r.topics[t].name, "t.%u", t);
        publisher_topic_add(r.kit.publisher, 0, text_of(r.topics[t].name), kinds[t % 3]);
    }
    for (unsigned step = 0; step < STEPS && r.said_count < FRAMES - 100; step++) {
        command();
        if (random_once_in(&r.random, 4) || publisher_chunks_free(r.kit.publisher) < 1000)
            flush(random_next(&r.random));
        compare_frames();
        if (random_once_in(&r.random, 20))
            ask_again();
    }
    flush(1);
    compare_frames();
    assert_true(r.said_count > 500);
    assert_int_equal(publisher_chunks_free(r.kit.publisher), limits.chunks_max);
    while (r.said_count > 0)
        free(r.said[--r.said_count].bytes);
    kit_close(&r.kit);
}

static void frames_are_what_a_plain_encoder_writes(void **state)
{
    (void)state;
    seeds_run("publisher", 6, one_run);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(frames_are_what_a_plain_encoder_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
