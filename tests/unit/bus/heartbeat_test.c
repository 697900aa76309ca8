/* heartbeats: what changed at once, everything else within ten of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bus/publisher_kit.h"

static struct publisher_kit kit;

/* What one heartbeat said. */
struct told {
    unsigned messages;
    uint64_t prev_seq;
    unsigned count[KIT_TOPICS_MAX]; /* by topic */
    struct position last[KIT_TOPICS_MAX];
    unsigned positions;
};

static struct told told;

static int setup(void **state)
{
    struct publisher_limits limits = kit_limits();
    limits.topics_max = KIT_TOPICS_MAX;
    *state = &kit;
    kit_open(&kit, &limits, 32 << 20);
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    return 0;
}

static void add_topics(struct publisher_kit *k, uint32_t count)
{
    char name[32];
    for (uint32_t t = 0; t < count; t++) {
        snprintf(name, sizeof name, "l3.SYMBOL-%u", t);
        assert_int_equal(publisher_topic_add(k->publisher, 0, text_of(name), TOPIC_PLAIN), t);
    }
}

static void read_events(struct publisher_kit *k, struct frame_reader *f)
{
    uint64_t type;
    struct wire_reader fields;
    assert_true(frame_next_group(f));
    assert_true(f->group_seq == f->head.seq);
    assert_true(frame_next_event(f, &type, &fields));
    assert_int_equal(type, MESSAGE_HEARTBEAT); /* whose shard it is, in each part */
    while (frame_next_event(f, &type, &fields)) {
        struct position m;
        uint32_t topic;
        if (type != MESSAGE_POSITION)
            continue;
        position_get_fields(&fields, &m);
        assert_true(publisher_topic_find(k->publisher, m.topic, &topic));
        told.count[topic]++;
        told.last[topic] = m;
        told.positions++;
    }
    assert_false(frame_next_group(f));
}

/* Say one and read it. */
static void heartbeat(struct publisher_kit *k, uint32_t shard, uint64_t seq)
{
    struct outgoing waits;
    memset(&told, 0, sizeof told);
    publisher_heartbeat(k->publisher, shard, seq, seq + 5);
    while (outbox_peek(&k->outbox, UINT64_MAX, &waits)) {
        struct frame_reader f = kit_take_frame(k);
        assert_true(text_equal(f.head.topic, text_of("hb")));
        assert_int_equal(f.head.type, FRAME_HEARTBEAT);
        assert_true(f.head.seq == seq && f.head.time_ns == seq + 5 && !f.head.hash.given);
        told.messages++;
        told.prev_seq = f.head.prev_seq;
        if (told.messages > 1) /* a part says nothing of what it does not name */
            assert_true(f.head.prev_seq == seq);
        read_events(k, &f);
    }
}

static void a_heartbeat_says_who_it_is_and_where_to_ask(void **state)
{
    struct publisher_kit *k = *state;
    uint64_t type;
    struct wire_reader fields;
    struct heartbeat m;
    publisher_heartbeat(k->publisher, 0, 9, 1);
    struct frame_reader f = kit_take_frame(k);
    assert_int_equal(f.head.epoch, KIT_EPOCH);
    assert_true(frame_next_group(&f) && frame_next_event(&f, &type, &fields));
    assert_int_equal(type, MESSAGE_HEARTBEAT);
    heartbeat_get_fields(&fields, &m);
    assert_int_equal(m.shard, 3);
    assert_true(text_equal(m.requests, text_of(KIT_ADDRESS)));
    assert_false(frame_next_event(&f, &type, &fields));
}

static void heartbeats_are_a_chain(void **state)
{
    struct publisher_kit *k = *state;
    static const uint64_t seqs[] = {0, 5, 5, 900};
    uint64_t prev = 0;
    for (unsigned i = 0; i < 4; i++) {
        publisher_heartbeat(k->publisher, 0, seqs[i], 1);
        struct frame_reader f = kit_take_frame(k);
        assert_true(f.head.prev_seq == prev && f.head.seq == seqs[i]);
        prev = seqs[i];
    }
    publisher_epoch_set(k->publisher, 0, KIT_EPOCH + 1);
    publisher_heartbeat(k->publisher, 0, 2, 1);
    assert_int_equal(kit_take_frame(k).head.prev_seq, 0);
}

static void each_topic_stands_where_its_last_frame_ended(void **state)
{
    struct publisher_kit *k = *state;
    add_topics(k, 2);
    uint32_t hashed = publisher_topic_add(k->publisher, 0, text_of("h"), TOPIC_HASHED);
    k->hashes[hashed] = 4711;
    kit_frame(k, 1, 6);
    kit_frame(k, hashed, 7);
    kit_drop_all(k);
    heartbeat(k, 0, 10);
    assert_int_equal(told.last[0].last_seq, 0); /* none yet */
    assert_int_equal(told.last[1].last_seq, 6);
    assert_false(told.last[1].hash.given);
    assert_int_equal(told.last[hashed].last_seq, 7);
    assert_true(told.last[hashed].hash.given && told.last[hashed].hash.value == 4711);
}

static void few_topics_are_all_told_each_time_and_once(void **state)
{
    struct publisher_kit *k = *state;
    for (uint32_t count = 1; count <= 64; count *= 2) {
        char name[16];
        for (uint32_t t = count / 2; t < count; t++) {
            snprintf(name, sizeof name, "t%u", t);
            publisher_topic_add(k->publisher, 0, text_of(name), TOPIC_PLAIN);
        }
        kit_frame(k, 0, count);
        kit_drop_all(k);
        heartbeat(k, 0, count);
        assert_int_equal(told.messages, 1);
        for (uint32_t t = 0; t < count; t++)
            assert_int_equal(told.count[t], 1);
    }
}

static void what_changed_is_told_at_once_and_once(void **state)
{
    struct publisher_kit *k = *state;
    add_topics(k, 1000);
    for (unsigned i = 0; i < 20; i++)
        heartbeat(k, 0, 1);
    for (uint32_t t = 0; t < 1000; t += 37)
        kit_frame(k, t, 5);
    kit_drop_all(k);
    heartbeat(k, 0, 6);
    for (uint32_t t = 0; t < 1000; t++) {
        if (t % 37 == 0)
            assert_int_equal(told.count[t], 1);
        assert_true(told.count[t] <= 1);
    }
    unsigned positions = told.positions;
    heartbeat(k, 0, 6); /* and then they are like the others */
    assert_true(told.positions < positions);
}

static void every_topic_is_heard_of_within_10_heartbeats(void **state)
{
    struct publisher_kit *k = *state;
    static const uint32_t counts[] = {1, 63, 64, 65, 100, 511, 512, 513, 700, 2000, KIT_TOPICS_MAX};
    char name[16];
    uint32_t t = 0;
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        static unsigned heard[KIT_TOPICS_MAX];
        for (; t < counts[i]; t++) {
            snprintf(name, sizeof name, "t%u", t);
            publisher_topic_add(k->publisher, 0, text_of(name), TOPIC_PLAIN);
        }
        memset(heard, 0, sizeof heard);
        for (unsigned n = 0; n < 10; n++) {
            heartbeat(k, 0, 1);
            for (uint32_t j = 0; j < t; j++)
                heard[j] += told.count[j];
        }
        for (uint32_t j = 0; j < t; j++)
            assert_true(heard[j] >= 1);
    }
}

static void thousands_of_positions_are_one_message(void **state)
{
    struct publisher_kit *k = *state;
    add_topics(k, KIT_TOPICS_MAX);
    for (uint32_t t = 0; t < KIT_TOPICS_MAX; t++) {
        kit_frame(k, t, 5);
        kit_drop_all(k);
    }
    heartbeat(k, 0, 6);
    assert_true(told.messages == 1 && told.prev_seq == 0);
    for (uint32_t t = 0; t < KIT_TOPICS_MAX; t++)
        assert_int_equal(told.count[t], 1);
}

static void a_large_heartbeat_is_several_messages_that_fit(void **state)
{
    (void)state;
    static struct publisher_kit many;
    enum { COUNT = 40000 };
    struct publisher_limits limits = kit_limits();
    char name[TOPIC_SIZE_MAX + 1];
    unsigned messages = 0, positions = 0;
    limits.topics_max = COUNT;
    kit_open(&many, &limits, 32 << 20);
    for (uint32_t t = 0; t < COUNT; t++) {
        snprintf(name, sizeof name, "acct.a-name-of-thirty-two-letters-%05u", t);
        publisher_topic_add(many.publisher, 0, text_of(name), TOPIC_PLAIN);
        publisher_topic_restart(many.publisher, t, 5);
    }
    publisher_heartbeat(many.publisher, 0, 6, 1);
    for (struct outgoing m; outbox_peek(&many.outbox, UINT64_MAX, &m); messages++) {
        struct frame_reader f = kit_take_frame(&many);
        uint64_t type;
        struct wire_reader fields;
        assert_true(f.head.prev_seq == 6); /* none of them says of the others */
        assert_true(frame_next_group(&f) && frame_next_event(&f, &type, &fields));
        assert_int_equal(type, MESSAGE_HEARTBEAT);
        while (frame_next_event(&f, &type, &fields))
            positions++;
    }
    assert_true(messages > 1);
    assert_int_equal(positions, COUNT);
    kit_close(&many);
}

static void a_topic_is_not_told_while_it_is_not_to_be(void **state)
{
    struct publisher_kit *k = *state;
    add_topics(k, 3);
    uint32_t ack = publisher_topic_add(k->publisher, 0, text_of("ack.gw"), TOPIC_UNCHAINED);
    publisher_topic_tell(k->publisher, 1, false);
    kit_frame(k, 0, 5);
    kit_frame(k, 1, 5);
    kit_frame(k, ack, 5);
    kit_drop_all(k);
    heartbeat(k, 0, 6);
    assert_int_equal(told.count[0], 1);
    assert_int_equal(told.count[1], 0);
    assert_int_equal(told.count[2], 1);
    assert_int_equal(told.count[ack], 0);
    assert_int_equal(told.prev_seq, 6); /* who is not named may be left out */
    publisher_topic_tell(k->publisher, 1, true);
    heartbeat(k, 0, 7);
    assert_int_equal(told.prev_seq, 6);
    assert_int_equal(told.count[1], 1);
    assert_int_equal(told.last[1].last_seq, 5);
}

static void a_change_is_not_forgotten_while_it_may_not_be_told(void **state)
{
    struct publisher_kit *k = *state;
    add_topics(k, 1000);
    publisher_topic_tell(k->publisher, 900, false);
    kit_frame(k, 900, 5);
    kit_drop_all(k);
    heartbeat(k, 0, 6); /* says nothing of it */
    publisher_topic_tell(k->publisher, 900, true);
    heartbeat(k, 0, 6);
    assert_int_equal(told.count[900], 1);
}

static void a_topic_that_is_told_again_is_named(void **state)
{
    struct publisher_kit *k = *state;
    add_topics(k, 1000);
    publisher_topic_tell(k->publisher, 900, false);
    heartbeat(k, 0, 6);
    publisher_topic_tell(k->publisher, 900, true);
    publisher_topic_tell(k->publisher, 901, true); /* it was told before */
    heartbeat(k, 0, 7);
    assert_true(told.count[900] == 1 && told.count[901] == 0);
}

static void a_restart_is_a_change(void **state)
{
    struct publisher_kit *k = *state;
    add_topics(k, 1000);
    heartbeat(k, 0, 1);
    publisher_topic_restart(k->publisher, 700, 33);
    heartbeat(k, 0, 40);
    assert_int_equal(told.count[700], 1);
    assert_int_equal(told.last[700].last_seq, 33);
    publisher_epoch_set(k->publisher, 0, KIT_EPOCH + 1);
    heartbeat(k, 0, 0);
    assert_int_equal(told.positions, 1000);
}

static void a_shard_speaks_of_its_own_topics(void **state)
{
    struct publisher_kit *k = *state;
    add_topics(k, 2);
    publisher_shard_add(k->publisher, 8);
    publisher_epoch_set(k->publisher, 1, 99);
    uint32_t other = publisher_topic_add(k->publisher, 1, text_of("other"), TOPIC_PLAIN);
    heartbeat(k, 0, 1);
    assert_true(told.count[0] == 1 && told.count[1] == 1 && told.count[other] == 0);
    heartbeat(k, 1, 7);
    assert_true(told.count[0] == 0 && told.count[1] == 0 && told.count[other] == 1);
}

static void a_heartbeat_without_room_is_counted_and_the_next_one_tells(void **state)
{
    (void)state;
    static struct publisher_kit small;
    struct publisher_limits limits = kit_limits();
    kit_open(&small, &limits, 4096);
    while (outbox_reserve(&small.outbox, 100) != NULL)
        outbox_commit(&small.outbox, KIT_OUTPUT, 100);
    publisher_heartbeat(small.publisher, 0, 1, 1);
    assert_int_equal(publisher_counts(small.publisher).dropped, 1);
    kit_drop_all(&small);
    heartbeat(&small, 0, 2);
    assert_int_equal(told.messages, 1);
    kit_close(&small);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_heartbeat_says_who_it_is_and_where_to_ask),
        TEST(heartbeats_are_a_chain),
        TEST(each_topic_stands_where_its_last_frame_ended),
        TEST(few_topics_are_all_told_each_time_and_once),
        TEST(what_changed_is_told_at_once_and_once),
        TEST(every_topic_is_heard_of_within_10_heartbeats),
        TEST(thousands_of_positions_are_one_message),
        TEST(a_large_heartbeat_is_several_messages_that_fit),
        TEST(a_topic_is_not_told_while_it_is_not_to_be),
        TEST(a_change_is_not_forgotten_while_it_may_not_be_told),
        TEST(a_topic_that_is_told_again_is_named),
        TEST(a_restart_is_a_change),
        TEST(a_shard_speaks_of_its_own_topics),
        TEST(a_heartbeat_without_room_is_counted_and_the_next_one_tells),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
