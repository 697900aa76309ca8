/* subscriber: new epochs, wrong hashes, publishers that contradict themselves, garbage, and no
 * room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/base/death.h"
#include "tests/unit/bus/subscriber_kit.h"

static struct subscriber_counts counts(const struct pair *p)
{
    return subscriber_counts(p->follower.subscriber);
}

static bool live(const struct pair *p, uint32_t topic)
{
    return subscriber_live(p->follower.subscriber, topic);
}

static uint64_t epoch(const struct pair *p, uint32_t topic)
{
    return subscriber_epoch(p->follower.subscriber, topic);
}

static uint64_t at(const struct pair *p, uint32_t topic)
{
    return subscriber_seq(p->follower.subscriber, topic);
}

/* Another publisher, which has seen the subscription. */
static void restart(struct pair *p)
{
    static const char message[] = "\1re." FOLLOWER_REPLY;
    feed_restart(&p->feed);
    publisher_subscription(p->feed.publisher, (const uint8_t *)message, sizeof message);
}

/* ---- epochs ---- */

static void a_frame_of_a_newer_epoch_ends_the_old_one(void **state)
{
    struct pair *p = *state;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_join(p);
    restart(p);
    pair_publish(p, TOPIC_A, 2, 2);
    pair_publish(p, TOPIC_A, 3, 3);
    pair_deliver(p);
    assert_false(live(p, TOPIC_A));
    assert_true(live(p, TOPIC_AB)); /* it has not heard of it yet */
    pair_assert_asks_snapshot(p, TOPIC_A, 0);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
    assert_int_equal(epoch(p, TOPIC_A), FEED_EPOCH_FIRST + 1);
    assert_int_equal(counts(p).faults, 0);
}

/* Where all topics are of one shard. */
static void a_newer_epoch_of_one_topic_is_the_end_of_all(void **state)
{
    struct pair *p = *state;
    follower_close(&p->follower);
    follower_open(&p->follower, &p->feed, 1 << 20, true, PAIR_TOPICS_MAX);
    for (uint32_t t = 0; t < FEED_TOPICS; t++)
        pair_publish(p, t, 1, 1);
    pair_join(p);
    restart(p);
    unsigned resets = p->follower.resets;
    pair_publish(p, TOPIC_A, 2, 2);
    pair_deliver(p);
    for (uint32_t t = 0; t < FEED_TOPICS; t++)
        assert_true(!live(p, t) && epoch(p, t) == FEED_EPOCH_FIRST + 1);
    assert_int_equal(p->follower.resets, resets + FEED_TOPICS); /* nothing is left of the old */
    assert_true(cells_hash(&p->follower.topics[TOPIC_TRADE]) == 0);
    pair_answer(p);
    pair_join(p);
}

/* Before a frame or a heartbeat of it. */
static void a_snapshot_of_a_newer_epoch_is_the_end_of_all_too(void **state)
{
    struct pair *p = *state;
    follower_close(&p->follower);
    follower_open(&p->follower, &p->feed, 1 << 20, true, PAIR_TOPICS_MAX);
    pair_publish(p, TOPIC_AB, 1, 1);
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    publisher_topic_restart(p->feed.publisher, TOPIC_A, 2); /* forgets what it sent */
    pair_lose(p);
    pair_publish(p, TOPIC_A, 1, 2);
    pair_deliver(p);
    pair_answer(p); /* TOO_OLD: A joins again */
    restart(p);
    for (uint32_t cell = 0; cell < 9; cell++)
        pair_publish(p, TOPIC_A, cell, 7);
    pair_lose(p);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
    assert_true(!live(p, TOPIC_AB) && cells_hash(&p->follower.topics[TOPIC_AB]) == 0);
    pair_join(p);
}

/* From a publisher that has not heard of it yet. */
static void a_snapshot_of_an_older_epoch_is_not_taken(void **state)
{
    struct pair *p = *state;
    struct parcel newer;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_lose(p);
    p->feed.epoch++;
    publisher_epoch_set(p->feed.publisher, 0, p->feed.epoch);
    pair_publish(p, TOPIC_A, 1, 2);
    pair_hold(p, &newer);
    pair_deliver_parcel(p, &newer);
    p->feed.epoch--; /* what its snapshots say */
    pair_answer(p);
    assert_true(!live(p, TOPIC_A) && p->follower.resets == 0);
    p->feed.epoch++;
    pair_wait_ms(p, SUBSCRIBER_REPEAT_MS / 10);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

static void a_heartbeat_of_a_newer_epoch_ends_the_old_one_everywhere(void **state)
{
    struct pair *p = *state;
    for (uint32_t t = 0; t < FEED_TOPICS; t++)
        pair_publish(p, t, 1, 1);
    pair_join(p);
    restart(p);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    for (uint32_t t = 0; t < FEED_TOPICS; t++)
        assert_false(live(p, t));
    pair_join(p);
    assert_int_equal(epoch(p, TOPIC_TRADE), FEED_EPOCH_FIRST + 1);
}

static void a_snapshot_of_a_newer_epoch_is_taken_as_it_is(void **state)
{
    struct pair *p = *state;
    struct parcel old;
    for (uint32_t cell = 0; cell < 20; cell++)
        pair_publish(p, TOPIC_A, cell, 1);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 21, 1); /* (20, 21] of the old epoch is kept aside */
    pair_hold(p, &old);
    pair_deliver_parcel(p, &old);
    restart(p);
    for (uint32_t cell = 0; cell < 30; cell++)
        pair_publish(p, TOPIC_A, cell, 2);
    pair_lose(p);
    pair_answer(p); /* the old question, the new history */
    assert_true(follower_right(&p->follower, TOPIC_A));
    assert_int_equal(p->follower.frames, 0); /* what was kept aside is of no use */

    pair_publish(p, TOPIC_A, 1, 3); /* and what was heard then does not matter now */
    pair_lose(p);
    pair_publish(p, TOPIC_A, 1, 4);
    pair_deliver(p);
    pair_assert_asks_resend(p, TOPIC_A, 30, 32);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

/* 21 was heard of the old epoch; the new one is not there yet, and must not be asked for it. */
static void what_was_heard_of_an_old_epoch_is_forgotten(void **state)
{
    struct pair *p = *state;
    for (uint32_t cell = 0; cell < 20; cell++)
        pair_publish(p, TOPIC_A, cell, 1);
    pair_deliver(p);
    restart(p);
    p->feed.seq = 0;
    struct request q = pair_request(p);
    assert_int_equal(q.snapshot.min_seq, 0);
    pair_answer(p);
    assert_int_equal(at(p, TOPIC_A), 0);
    pair_publish(p, TOPIC_A, 1, 3);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 1, 4);
    pair_deliver(p);
    pair_assert_asks_resend(p, TOPIC_A, 0, 2);
}

static void frames_and_heartbeats_of_an_older_epoch_are_passed_over(void **state)
{
    struct pair *p = *state;
    struct parcel old;
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    feed_heartbeat(&p->feed);
    pair_hold(p, &old);
    restart(p);
    pair_join(p);
    pair_deliver_parcel(p, &old);
    pair_assert_right(p);
    assert_true(counts(p).gaps == 0 && counts(p).faults == 0);
}

static void a_resend_from_another_epoch_is_refused_and_joined_again(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 1, 2);
    pair_deliver(p);
    restart(p);
    pair_answer(p); /* EPOCH_CHANGED */
    assert_false(live(p, TOPIC_A));
    assert_int_equal(p->follower.request_size, 0); /* until it hears something of the new one */
    pair_join(p);
}

static void an_answer_that_a_new_epoch_overtook_is_passed_over(void **state)
{
    struct pair *p = *state;
    struct parcel old;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    pair_request_arrives(p);
    pair_hold(p, &old);
    restart(p);
    pair_publish(p, TOPIC_A, 1, 5);
    pair_deliver(p);
    pair_deliver_parcel(p, &old);
    assert_false(live(p, TOPIC_A));
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

/* ---- faults ---- */

static void a_frame_whose_hash_differs_is_a_fault_and_joined_again(void **state)
{
    struct pair *p = *state;
    struct parcel wrong;
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_hold(p, &wrong);
    parcel_spoil_hash(&wrong);
    pair_deliver_parcel(p, &wrong);
    assert_int_equal(p->follower.faults[SUBSCRIBER_HASH_DIFFERS], 1);
    assert_int_equal(p->follower.frames, 0); /* nobody is told that it is applied */
    assert_false(live(p, TOPIC_A));
    pair_assert_asks_snapshot(p, TOPIC_A, 1); /* not what stood before it */
    pair_answer(p);
    pair_assert_right(p);
}

static void a_heartbeat_whose_hash_differs_is_a_fault(void **state)
{
    struct pair *p = *state;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_join(p);
    p->follower.topics[TOPIC_A].values[5] = 5;
    p->follower.spoiled[TOPIC_A] = true;
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    assert_int_equal(p->follower.faults[SUBSCRIBER_HASH_DIFFERS], 1);
    pair_assert_asks_snapshot(p, TOPIC_A, 1);
    pair_answer(p);
    pair_assert_right(p);
}

static void a_snapshot_whose_hash_differs_is_asked_for_again(void **state)
{
    struct pair *p = *state;
    struct parcel wrong;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    pair_request_arrives(p);
    pair_hold(p, &wrong);
    parcel_spoil_hash(&wrong);
    pair_deliver_parcel(p, &wrong);
    assert_int_equal(p->follower.faults[SUBSCRIBER_HASH_DIFFERS], 1);
    assert_true(!live(p, TOPIC_A) && p->follower.joins == 0);
    assert_int_equal(p->follower.request_size, 0); /* but not at once, and not all the time */
    pair_wait_ms(p, SUBSCRIBER_REPEAT_MS / 10);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

static void a_fault_among_resent_frames_ends_the_repair(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    for (uint32_t cell = 0; cell < 5; cell++)
        pair_publish(p, TOPIC_A, cell, 1);
    pair_lose(p);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    p->follower.topics[TOPIC_A].values[9] = 5;
    p->follower.spoiled[TOPIC_A] = true;
    pair_answer(p);
    assert_int_equal(p->follower.faults[SUBSCRIBER_HASH_DIFFERS], 1); /* once, not five times */
    assert_int_equal(p->follower.groups, 1);
    pair_assert_asks_snapshot(p, TOPIC_A, 1);
    pair_answer(p);
    pair_assert_right(p);
}

static void a_topic_without_a_hash_is_taken_at_its_word(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    p->follower.topics[TOPIC_BBO].values[9] = 5;
    p->follower.spoiled[TOPIC_BBO] = true;
    pair_publish(p, TOPIC_BBO, 1, 1);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    assert_true(live(p, TOPIC_BBO));
    assert_int_equal(counts(p).faults, 0);
}

/* The publisher begins again, and its epoch does not say so. */
static void a_publisher_that_stands_before_us_is_a_fault(void **state)
{
    struct pair *p = *state;
    for (uint32_t cell = 0; cell < 20; cell++)
        pair_publish(p, TOPIC_A, cell, 1);
    pair_join(p);
    restart(p);
    p->feed.epoch--;
    publisher_epoch_set(p->feed.publisher, 0, p->feed.epoch);
    pair_publish(p, TOPIC_A, 1, 2);
    pair_deliver(p); /* which could be an old frame */
    assert_int_equal(counts(p).faults, 0);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    assert_int_equal(p->follower.faults[SUBSCRIBER_SEQ_WENT_BACK], FEED_TOPICS);
    for (unsigned i = 0; i < FEED_TOPICS; i++)
        pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(at(p, TOPIC_A), 1);
    pair_publish(p, TOPIC_A, 2, 2); /* and gaps are closed as before */
    pair_lose(p);
    pair_publish(p, TOPIC_A, 3, 2);
    pair_deliver(p);
    pair_assert_asks_resend(p, TOPIC_A, 1, 3);
    pair_answer(p);
    pair_assert_right(p);
}

/* ---- no room ---- */

static void frames_without_room_are_dropped_and_asked_for(void **state)
{
    struct pair *p = *state;
    struct parcel snapshot;
    follower_close(&p->follower);
    follower_open(&p->follower, &p->feed, 300, false, PAIR_TOPICS_MAX);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    pair_request_arrives(p);
    pair_hold(p, &snapshot);
    for (uint32_t cell = 2; cell < 30; cell++)
        pair_publish(p, TOPIC_A, cell, cell);
    pair_deliver(p);
    assert_true(counts(p).overflows >= 2);
    pair_deliver_parcel(p, &snapshot);
    while (p->follower.request_size > 0)
        pair_answer(p);
    feed_heartbeat(&p->feed); /* if the last one was dropped, too */
    pair_deliver(p);
    while (p->follower.request_size > 0)
        pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

static void a_frame_larger_than_all_the_room_is_asked_for(void **state)
{
    struct pair *p = *state;
    follower_close(&p->follower);
    follower_open(&p->follower, &p->feed, 8, false, PAIR_TOPICS_MAX);
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 2, 2);
    pair_deliver(p);
    assert_int_equal(counts(p).overflows, 1);
    pair_answer(p);
    pair_assert_right(p);
}

/* ---- garbage ---- */

static void what_nobody_can_read_is_counted_and_passed_over(void **state)
{
    struct pair *p = *state;
    struct parcel frame;
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_hold(p, &frame);
    struct bytes m = frame.messages[0];
    uint64_t garbage = 0;
    for (size_t cut = 0; cut < m.size; cut++) {
        uint8_t *copy = malloc(cut + (cut == 0)); /* exact, so that ASan sees a byte too far */
        memcpy(copy, m.data, cut);
        pair_deliver_bytes(p, copy, cut);
        free(copy);
        assert_int_equal(counts(p).garbage, ++garbage);
    }
    uint8_t *version = (uint8_t *)(uintptr_t)m.data + strlen(feed_topic(TOPIC_A)) + 2;
    assert_int_equal(*version, PROTOCOL_VERSION);
    *version = PROTOCOL_VERSION + 1;
    pair_deliver_bytes(p, m.data, m.size);
    assert_int_equal(counts(p).garbage, ++garbage);
    *version = PROTOCOL_VERSION;
    assert_int_equal(p->follower.frames, 0);
    pair_deliver_parcel(p, &frame);
    pair_assert_right(p);
}

static void put_head(struct wire_writer *w, const char *topic, uint64_t type, uint32_t groups)
{
    frame_head_put(w, &(struct frame_head){.topic = text_of(topic),
                                           .type = type,
                                           .epoch = FEED_EPOCH_FIRST,
                                           .seq = 1,
                                           .group_count = groups});
}

/* Well-formed, and not for us. */
static void what_is_not_for_us_is_passed_over(void **state)
{
    struct pair *p = *state;
    static const struct {
        const char *topic;
        uint64_t type;
    } heads[] = {
        {"l3.NOBODY", FRAME_EVENTS},
        {"re.ffffffffffffffffffffffffffffffff", FRAME_REPLY},
        {"re." FOLLOWER_REPLY, FRAME_EVENTS},
        {"re." FOLLOWER_REPLY, FRAME_REPLY}, /* no reply in it */
        {"l3.A", 9},
        {"hb", 9},
    };
    pair_join(p);
    for (unsigned i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        uint8_t bytes[FRAME_HEAD_SIZE_MAX];
        struct wire_writer w = {bytes};
        put_head(&w, heads[i].topic, heads[i].type, 0);
        pair_deliver_bytes(p, bytes, (size_t)(w.at - bytes));
    }
    pair_assert_right(p);
    assert_true(counts(p).garbage == 0 && counts(p).faults == 0);
}

/* An answer to our repair that holds what it should not. */
static void resent_frames_that_make_no_sense_are_passed_over(void **state)
{
    struct pair *p = *state;
    uint8_t bytes[1024], inner[256];
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_lose(p);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    uint64_t id = pair_request(p).resend.request_id;
    struct wire_writer in = {inner};
    put_head(&in, feed_topic(TOPIC_AB), FRAME_EVENTS, 0); /* another topic's frame */
    size_t other = (size_t)(in.at - inner);
    struct wire_writer w = {bytes};
    put_head(&w, "re." FOLLOWER_REPLY, FRAME_REPLY, 1);
    wire_put_array(&w, 2);
    wire_put_u64(&w, 1);
    wire_put_array(&w, 4);
    reply_put(&w, &(struct reply){id, MESSAGE_RESEND, 0, 0, true});
    resent_put(&w, &(struct resent){{(const uint8_t *)"junk", 4}});
    resent_put(&w, &(struct resent){{inner, other}});
    delete_put(&w, &(struct delete){5}); /* an event of another kind */
    pair_deliver_bytes(p, bytes, (size_t)(w.at - bytes));
    assert_int_equal(counts(p).garbage, 2);
    assert_false(live(p, TOPIC_A)); /* less than was asked for: asked for again */
    pair_assert_asks_resend(p, TOPIC_A, 0, 1);
    pair_answer(p);
    pair_assert_right(p);
}

/* ---- an owner that does not care ---- */

static bool push_nowhere(void *self, const uint8_t *bytes, size_t size)
{
    struct pair *p = self;
    memcpy(p->follower.request, bytes, size);
    p->follower.request_size = size;
    return true;
}

static void an_owner_may_leave_out_what_it_does_not_care_for(void **state)
{
    struct pair *p = *state;
    struct subscriber_owner nobody = {.self = NULL};
    struct subscriber_requests requests = {p, push_nowhere};
    follower_close(&p->follower);
    subscriber_t *s = subscriber_new(&nobody, &requests, FOLLOWER_REPLY, 1 << 16, FEED_TOPICS);
    p->follower.subscriber = s;
    for (uint32_t t = 0; t < FEED_TOPICS; t++)
        subscriber_topic_add(s, text_of(feed_topic(t)), FEED_SHARD);
    for (uint64_t round = 0; round < 3; round++) {
        pair_publish(p, TOPIC_A, 1, 1);
        if (round == 1)
            pair_lose(p);
        pair_publish(p, TOPIC_AB, 1, 1);
        feed_heartbeat(&p->feed);
        pair_deliver(p);
        while (p->follower.request_size > 0)
            pair_answer(p);
    }
    assert_true(subscriber_all_live(s));
    assert_int_equal(at(p, TOPIC_A), 5);
}

static void open_with_a_short_reply(void *self)
{
    (void)self;
    struct subscriber_owner nobody = {.self = NULL};
    subscriber_new(&nobody, &(struct subscriber_requests){NULL, push_nowhere}, "0123", 1 << 16, 1);
}

static void a_reply_name_has_32_digits(void **state)
{
    (void)state;
    assert_true(death_of(open_with_a_short_reply, NULL).aborted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_open, pair_close)
    const struct CMUnitTest tests[] = {
        TEST(a_frame_of_a_newer_epoch_ends_the_old_one),
        TEST(a_newer_epoch_of_one_topic_is_the_end_of_all),
        TEST(a_snapshot_of_a_newer_epoch_is_the_end_of_all_too),
        TEST(a_snapshot_of_an_older_epoch_is_not_taken),
        TEST(a_heartbeat_of_a_newer_epoch_ends_the_old_one_everywhere),
        TEST(a_snapshot_of_a_newer_epoch_is_taken_as_it_is),
        TEST(what_was_heard_of_an_old_epoch_is_forgotten),
        TEST(frames_and_heartbeats_of_an_older_epoch_are_passed_over),
        TEST(a_resend_from_another_epoch_is_refused_and_joined_again),
        TEST(an_answer_that_a_new_epoch_overtook_is_passed_over),
        TEST(a_frame_whose_hash_differs_is_a_fault_and_joined_again),
        TEST(a_heartbeat_whose_hash_differs_is_a_fault),
        TEST(a_snapshot_whose_hash_differs_is_asked_for_again),
        TEST(a_fault_among_resent_frames_ends_the_repair),
        TEST(a_topic_without_a_hash_is_taken_at_its_word),
        TEST(a_publisher_that_stands_before_us_is_a_fault),
        TEST(frames_without_room_are_dropped_and_asked_for),
        TEST(a_frame_larger_than_all_the_room_is_asked_for),
        TEST(what_nobody_can_read_is_counted_and_passed_over),
        TEST(what_is_not_for_us_is_passed_over),
        TEST(resent_frames_that_make_no_sense_are_passed_over),
        TEST(an_owner_may_leave_out_what_it_does_not_care_for),
        TEST(a_reply_name_has_32_digits),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
