/* subscriber: from its first word to live, and back there after whatever goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bus/subscriber_kit.h"

static struct subscriber_counts counts(const struct pair *p)
{
    return subscriber_counts(p->follower.subscriber);
}

static bool live(const struct pair *p, uint32_t topic)
{
    return subscriber_live(p->follower.subscriber, topic);
}

static uint64_t at(const struct pair *p, uint32_t topic)
{
    return subscriber_seq(p->follower.subscriber, topic);
}

/* ---- joining ---- */

static void who_heard_nothing_asks_for_nothing(void **state)
{
    struct pair *p = *state;
    pair_wait_ms(p, 100000);
    assert_int_equal(p->follower.request_count, 0);
    assert_false(live(p, TOPIC_A));
}

static void the_first_frame_says_how_new_a_snapshot_must_be(void **state)
{
    struct pair *p = *state;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_publish(p, TOPIC_A, 1, 2);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 2, 3); /* (2, 3] */
    pair_deliver(p);
    pair_assert_asks_snapshot(p, TOPIC_A, 2);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
    assert_int_equal(at(p, TOPIC_A), 3);
    assert_true(p->follower.joins == 1 && p->follower.frames == 0);
}

static void a_heartbeat_says_so_too(void **state)
{
    struct pair *p = *state;
    pair_publish(p, TOPIC_AB, 1, 1);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_lose(p);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    pair_assert_asks_snapshot(p, TOPIC_AB, 1);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_AB));
    assert_int_equal(at(p, TOPIC_AB), 2); /* where the shard stands, not only its last frame */
}

static void a_topic_without_frames_can_be_joined(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    assert_int_equal(p->follower.joins, FEED_TOPICS);
}

static void frames_that_come_before_the_snapshot_are_applied_after_it(void **state)
{
    struct pair *p = *state;
    struct parcel snapshot;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    pair_request_arrives(p);
    pair_hold(p, &snapshot);
    for (int64_t i = 2; i < 10; i++)
        pair_publish(p, TOPIC_A, (uint32_t)i, i);
    pair_deliver(p);
    assert_int_equal(p->follower.groups, 0);
    pair_deliver_parcel(p, &snapshot);
    assert_true(follower_right(&p->follower, TOPIC_A));
    assert_int_equal(p->follower.frames, 8); /* and the first one was in the snapshot */
    assert_int_equal(at(p, TOPIC_A), 9);
}

static void a_snapshot_may_stand_inside_a_frame(void **state)
{
    struct pair *p = *state;
    struct parcel snapshot;
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    uint32_t topic = TOPIC_AB; /* asked for first */
    pair_assert_asks_snapshot(p, topic, 0);
    feed_change(&p->feed, topic, 1, 1);
    feed_change(&p->feed, topic, 2, 2);
    pair_request_arrives(p);
    pair_hold(p, &snapshot); /* at 2 */
    feed_change(&p->feed, topic, 3, 3);
    feed_change(&p->feed, topic, 4, 4);
    feed_flush(&p->feed); /* (0, 4] */
    pair_deliver_parcel(p, &snapshot);
    assert_int_equal(at(p, topic), 2);
    pair_deliver(p);
    assert_true(follower_right(&p->follower, topic));
    assert_true(p->follower.groups == 2 && p->follower.part_frames == 1);
}

static void a_snapshot_comes_in_any_number_of_chunks(void **state)
{
    struct pair *p = *state;
    p->feed.padding = FEED_PADDING_MAX;
    for (uint32_t cell = 0; cell < FEED_CELLS; cell++)
        pair_publish(p, TOPIC_A, cell, 1 + cell);
    pair_lose(p);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    pair_request_arrives(p);
    struct parcel chunks;
    pair_hold(p, &chunks);
    assert_true(chunks.count > 2);
    pair_deliver_parcel(p, &chunks);
    pair_join(p);
}

/* ---- no answer, or no good one ---- */

static void a_request_without_an_answer_is_repeated(void **state)
{
    struct pair *p = *state;
    struct parcel late;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    uint64_t first_id = pair_request(p).snapshot.request_id;
    pair_request_arrives(p);
    pair_hold(p, &late);
    pair_wait_ms(p, SUBSCRIBER_REPEAT_MS - 1);
    assert_int_equal(p->follower.request_count, 1);
    pair_wait_ms(p, 1);
    assert_int_equal(p->follower.request_count, 2);
    assert_int_equal(counts(p).repeats, 1);
    pair_assert_asks_snapshot(p, TOPIC_A, 0);
    assert_true(pair_request(p).snapshot.request_id != first_id);
    pair_deliver_parcel(p, &late); /* nobody waits for this one any more */
    assert_false(live(p, TOPIC_A));
    assert_int_equal(p->follower.resets, 0);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

static void an_answer_in_chunks_is_waited_for_as_long_as_they_come(void **state)
{
    struct pair *p = *state;
    struct parcel chunks;
    p->feed.padding = FEED_PADDING_MAX;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    pair_request_arrives(p);
    pair_hold(p, &chunks);
    for (unsigned i = 0; i < chunks.count; i++) {
        pair_wait_ms(p, SUBSCRIBER_REPEAT_MS - 1);
        pair_deliver_bytes(p, chunks.messages[i].data, chunks.messages[i].size);
        free((void *)(uintptr_t)chunks.messages[i].data);
    }
    assert_int_equal(p->follower.request_count, 1);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

static void a_lost_chunk_is_a_lost_answer(void **state)
{
    struct pair *p = *state;
    p->feed.padding = FEED_PADDING_MAX;
    for (uint32_t cell = 0; cell < FEED_CELLS; cell++)
        pair_publish(p, TOPIC_A, cell, 1 + cell);
    pair_lose(p);
    for (unsigned lost = 0; lost < 3; lost++) {
        struct parcel chunks;
        feed_heartbeat(&p->feed);
        pair_deliver(p);
        while (!text_equal(pair_request(p).snapshot.topic, text_of(feed_topic(TOPIC_A))))
            pair_answer(p);
        pair_request_arrives(p);
        pair_hold(p, &chunks);
        parcel_drop(&chunks, lost);
        pair_deliver_parcel(p, &chunks);
        assert_false(live(p, TOPIC_A));
        pair_wait_ms(p, SUBSCRIBER_REPEAT_MS);
        assert_int_equal(counts(p).repeats, lost + 1);
    }
    pair_join(p);
}

/* A request that arrives twice is answered twice, and the state may have moved on in between. */
static void chunks_of_two_answers_are_not_mixed(void **state)
{
    struct pair *p = *state;
    struct parcel first, second;
    p->feed.padding = FEED_PADDING_MAX;
    pair_publish(p, TOPIC_BBO, 1, 1); /* which has no hash to find it out by */
    pair_deliver(p);
    size_t size = p->follower.request_size;
    pair_request_arrives(p);
    pair_hold(p, &first);
    pair_publish(p, TOPIC_BBO, 1, 2);
    pair_lose(p);
    p->follower.request_size = size;
    pair_request_arrives(p);
    pair_hold(p, &second);
    pair_deliver_bytes(p, first.messages[0].data, first.messages[0].size);
    pair_deliver_parcel(p, &second);
    assert_false(live(p, TOPIC_BBO));
    for (unsigned i = 1; i < first.count; i++)
        pair_deliver_bytes(p, first.messages[i].data, first.messages[i].size);
    assert_true(live(p, TOPIC_BBO));
    assert_int_equal(at(p, TOPIC_BBO), 1);
    pair_deliver_parcel(p, &first);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    pair_join(p);
}

static void not_yet_is_asked_again_soon(void **state)
{
    struct pair *p = *state;
    p->feed.unready = true;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    pair_answer(p);
    pair_wait_ms(p, SUBSCRIBER_REPEAT_MS / 10 - 1);
    assert_int_equal(p->follower.request_count, 1);
    pair_wait_ms(p, 1);
    assert_int_equal(p->follower.request_count, 2);
    assert_int_equal(counts(p).repeats, 0);
    p->feed.unready = false;
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

static void what_cannot_be_pushed_is_pushed_soon(void **state)
{
    struct pair *p = *state;
    p->follower.blocked = true;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    pair_wait_ms(p, SUBSCRIBER_REPEAT_MS / 10 - 1);
    p->follower.blocked = false;
    assert_int_equal(p->follower.request_count, 0);
    pair_wait_ms(p, 1);
    assert_int_equal(p->follower.request_count, 1);
    pair_answer(p);
    assert_true(follower_right(&p->follower, TOPIC_A));
}

static void a_topic_nobody_knows_keeps_no_other_waiting_for_long(void **state)
{
    struct pair *p = *state;
    subscriber_topic_add(p->follower.subscriber, text_of("l3.NONE"), FEED_SHARD);
    struct frame_head head = {.topic = text_of("l3.NONE"), .type = FRAME_EVENTS, .seq = 9};
    uint8_t frame[FRAME_HEAD_SIZE_MAX];
    struct wire_writer w = {frame};
    frame_head_put(&w, &head);
    pair_deliver_bytes(p, frame, (size_t)(w.at - frame));
    assert_int_equal(pair_request(p).type, MESSAGE_SNAPSHOT);
    pair_answer(p); /* UNKNOWN_TOPIC */
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    for (unsigned i = 0; i < 3 && !live(p, TOPIC_A); i++) {
        pair_wait_ms(p, SUBSCRIBER_REPEAT_MS / 10);
        pair_answer(p);
    }
    assert_true(follower_right(&p->follower, TOPIC_A));
}

static void the_owner_is_told_what_a_heartbeat_says_of_its_publisher(void **state)
{
    struct pair *p = *state;
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    assert_true(p->follower.standing == 0 && p->follower.journal == 0);
    publisher_standing_set(p->feed.publisher, STANDING_CLOCK_JUMP, JOURNAL_MODE_ASYNC);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    assert_int_equal(p->follower.heartbeats, 2);
    assert_int_equal(p->follower.standing, STANDING_CLOCK_JUMP);
    assert_int_equal(p->follower.journal, JOURNAL_MODE_ASYNC);
}

static void one_request_is_outstanding_and_topics_take_turns(void **state)
{
    struct pair *p = *state;
    bool asked[FEED_TOPICS] = {false};
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    for (unsigned i = 0; i < FEED_TOPICS; i++) {
        assert_int_equal(p->follower.request_count, i + 1);
        struct request q = pair_request(p);
        uint32_t topic = 0;
        while (!text_equal(q.snapshot.topic, text_of(feed_topic(topic))))
            topic++;
        assert_false(asked[topic]); /* even when there is no answer */
        asked[topic] = true;
        pair_wait_ms(p, SUBSCRIBER_REPEAT_MS);
    }
}

/* ---- gaps ---- */

static void a_dropped_frame_is_asked_for_again(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_deliver(p);
    pair_publish(p, TOPIC_A, 2, 2);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 3, 3);
    pair_deliver(p);
    assert_false(live(p, TOPIC_A));
    assert_true(live(p, TOPIC_AB)); /* which is none of its business */
    pair_assert_asks_resend(p, TOPIC_A, 1, 3);
    unsigned groups = p->follower.groups;
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(p->follower.groups, groups + 2); /* the one kept aside only once */
    assert_int_equal(counts(p).gaps, 1);
    assert_int_equal(counts(p).resends, 1);
}

static void frames_that_come_while_repairing_wait_their_turn(void **state)
{
    struct pair *p = *state;
    struct parcel resent;
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 2, 2);
    pair_deliver(p);
    pair_request_arrives(p);
    pair_hold(p, &resent);
    for (uint32_t cell = 3; cell < 9; cell++)
        pair_publish(p, TOPIC_A, cell, cell);
    pair_deliver(p);
    assert_int_equal(at(p, TOPIC_A), 0);
    pair_deliver_parcel(p, &resent);
    pair_assert_right(p);
    assert_int_equal(at(p, TOPIC_A), 8);
}

static void gaps_among_the_frames_kept_aside_are_closed_too(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    struct parcel resent;
    pair_publish(p, TOPIC_A, 1, 1);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 2, 2);
    pair_deliver(p); /* the gap at 1 is asked for */
    pair_request_arrives(p);
    pair_hold(p, &resent);
    pair_publish(p, TOPIC_A, 3, 3);
    pair_lose(p);
    pair_publish(p, TOPIC_A, 4, 4);
    pair_deliver(p);
    pair_deliver_parcel(p, &resent); /* 1 and 2, and then there is a gap at 3 */
    assert_int_equal(at(p, TOPIC_A), 2);
    pair_assert_asks_resend(p, TOPIC_A, 2, 4);
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(counts(p).gaps, 2);
}

static void a_heartbeat_ahead_of_us_is_a_gap(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_publish(p, TOPIC_A, 1, 2);
    pair_lose(p);
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    assert_false(live(p, TOPIC_A));
    pair_assert_asks_resend(p, TOPIC_A, 0, 2);
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(p->follower.frames, 2);
}

static void a_heartbeat_we_are_level_with_changes_nothing(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    for (unsigned i = 0; i < 3; i++) {
        pair_publish(p, i, 1, 1);
        feed_heartbeat(&p->feed);
        pair_deliver(p);
    }
    pair_assert_right(p);
    assert_true(counts(p).gaps == 0 && counts(p).faults == 0);
    assert_int_equal(p->follower.heartbeats, 4);
    assert_int_equal(p->follower.request_count, FEED_TOPICS);
}

static void what_is_too_old_is_joined_again(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, TOPIC_A, 1, 1);
    pair_publish(p, TOPIC_A, 2, 1);
    pair_lose(p);
    publisher_topic_restart(p->feed.publisher, TOPIC_A, 2); /* forgets what it sent */
    pair_publish(p, TOPIC_A, 3, 3);
    pair_deliver(p);
    pair_assert_asks_resend(p, TOPIC_A, 0, 3);
    pair_answer(p);
    pair_assert_asks_snapshot(p, TOPIC_A, 2);
    pair_answer(p);
    pair_assert_right(p);
}

static void frames_twice_or_late_are_passed_over(void **state)
{
    struct pair *p = *state;
    struct parcel old[3];
    pair_join(p);
    for (unsigned i = 0; i < 3; i++) {
        pair_publish(p, TOPIC_A, i, 1);
        pair_hold(p, &old[i]);
        for (unsigned j = 0; j <= i; j++)
            pair_deliver_bytes(p, old[j].messages[0].data, old[j].messages[0].size);
    }
    pair_assert_right(p);
    assert_int_equal(p->follower.frames, 3);
    for (unsigned i = 0; i < 3; i++)
        pair_deliver_parcel(p, &old[i]);
    assert_true(p->follower.frames == 3 && counts(p).gaps == 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_open, pair_close)
    const struct CMUnitTest tests[] = {
        TEST(who_heard_nothing_asks_for_nothing),
        TEST(the_first_frame_says_how_new_a_snapshot_must_be),
        TEST(a_heartbeat_says_so_too),
        TEST(a_topic_without_frames_can_be_joined),
        TEST(frames_that_come_before_the_snapshot_are_applied_after_it),
        TEST(a_snapshot_may_stand_inside_a_frame),
        TEST(a_snapshot_comes_in_any_number_of_chunks),
        TEST(a_request_without_an_answer_is_repeated),
        TEST(an_answer_in_chunks_is_waited_for_as_long_as_they_come),
        TEST(a_lost_chunk_is_a_lost_answer),
        TEST(chunks_of_two_answers_are_not_mixed),
        TEST(not_yet_is_asked_again_soon),
        TEST(what_cannot_be_pushed_is_pushed_soon),
        TEST(a_topic_nobody_knows_keeps_no_other_waiting_for_long),
        TEST(the_owner_is_told_what_a_heartbeat_says_of_its_publisher),
        TEST(one_request_is_outstanding_and_topics_take_turns),
        TEST(a_dropped_frame_is_asked_for_again),
        TEST(frames_that_come_while_repairing_wait_their_turn),
        TEST(gaps_among_the_frames_kept_aside_are_closed_too),
        TEST(a_heartbeat_ahead_of_us_is_a_gap),
        TEST(a_heartbeat_we_are_level_with_changes_nothing),
        TEST(what_is_too_old_is_joined_again),
        TEST(frames_twice_or_late_are_passed_over),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
