/* subscriber: a family: all topics of a prefix, joined as a whole, each repaired on its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/base/death.h"
#include "tests/unit/bus/subscriber_kit.h"

enum { FAMILY }; /* its number */

static struct subscriber_counts counts(const struct pair *p)
{
    return subscriber_counts(p->follower.subscriber);
}

static bool live(const struct pair *p)
{
    return subscriber_live(p->follower.subscriber, FAMILY);
}

static uint64_t at(const struct pair *p)
{
    return subscriber_seq(p->follower.subscriber, FAMILY);
}

static uint64_t complete(const struct pair *p)
{
    return subscriber_complete_seq(p->follower.subscriber, FAMILY);
}

/* Another publisher, which has seen the subscription. */
static void restart(struct pair *p)
{
    static const char message[] = "\1re." FOLLOWER_REPLY;
    feed_restart(&p->feed);
    publisher_subscription(p->feed.publisher, (const uint8_t *)message, sizeof message);
}

static void heartbeat(struct pair *p)
{
    feed_heartbeat(&p->feed);
    pair_deliver(p);
}

/* ---- joining ---- */

static void a_family_without_members_joins_by_a_heartbeat(void **state)
{
    struct pair *p = *state;
    pair_wait_ms(p, 100000);
    assert_int_equal(p->follower.request_count, 0);
    p->feed.seq = 7; /* commands that concerned no account */
    heartbeat(p);
    pair_assert_asks_snapshot(p, FAMILY, 7);
    pair_answer(p);
    assert_true(live(p) && subscriber_all_live(p->follower.subscriber));
    assert_true(at(p) == 7 && complete(p) == 7);
    assert_true(p->follower.joins == 1 && p->follower.resets == 1);
}

static void a_family_joins_by_the_first_frame_of_a_member(void **state)
{
    struct pair *p = *state;
    pair_publish(p, MEMBER_A, 1, 1);
    pair_publish(p, MEMBER_A, 1, 2);
    pair_lose(p);
    pair_publish(p, MEMBER_AB, 3, 3);
    pair_publish(p, MEMBER_A, 2, 3); /* (2, 4] */
    pair_deliver(p);
    pair_assert_asks_snapshot(p, FAMILY, 0); /* as the frame of AB, which is its first, says */
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(at(p), 4);
    assert_int_equal(p->follower.frames, 0);
}

static void a_heartbeat_of_another_shard_is_not_its_beginning(void **state)
{
    struct pair *p = *state;
    follower_close(&p->follower);
    follower_open(&p->follower, &p->feed, 1 << 20, true, PAIR_TOPICS_MAX);
    struct subscriber_owner nobody = {.self = NULL};
    struct subscriber_requests requests = {NULL, NULL}; /* it asks for nothing */
    subscriber_t *s = subscriber_new(&nobody, &requests, FOLLOWER_REPLY, 1 << 16, 3);
    subscriber_family_add(s, text_of(FEED_FAMILY), FEED_SHARD + 1);
    struct parcel parcel;
    pair_publish(p, MEMBER_A, 1, 1);
    pair_lose(p);
    feed_heartbeat(&p->feed);
    pair_hold(p, &parcel);
    subscriber_receive(s, parcel.messages[0].data, parcel.messages[0].size, 1);
    assert_int_equal(subscriber_epoch(s, FAMILY), 0);
    subscriber_destroy(&s);
    pair_deliver_parcel(p, &parcel);
    assert_int_equal(p->follower.request_count, 1);
}

static void frames_kept_aside_come_in_the_order_of_arrival(void **state)
{
    struct pair *p = *state;
    struct parcel snapshot;
    static const uint32_t order[] = {MEMBER_B, MEMBER_A, MEMBER_B, MEMBER_AB, MEMBER_A};
    heartbeat(p);
    pair_request_arrives(p);
    pair_hold(p, &snapshot);
    for (uint32_t i = 0; i < 5; i++)
        pair_publish(p, order[i], i, 1);
    pair_deliver(p);
    assert_int_equal(p->follower.groups, 0);
    p->follower.log_count = 0;
    pair_deliver_parcel(p, &snapshot);
    pair_assert_right(p);
    assert_int_equal(p->follower.log_count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(p->follower.log[i], order[i]);
}

/* One member's gap does not keep the others waiting. */
static void a_gap_among_frames_kept_aside_is_its_members_own(void **state)
{
    struct pair *p = *state;
    struct parcel snapshot;
    heartbeat(p);
    pair_request_arrives(p);
    pair_hold(p, &snapshot);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_lose(p);
    pair_publish(p, MEMBER_A, 2, 2);
    pair_publish(p, MEMBER_B, 3, 3);
    pair_deliver(p);
    pair_deliver_parcel(p, &snapshot);
    assert_true(live(p) && follower_right(&p->follower, MEMBER_B));
    pair_assert_asks_resend(p, MEMBER_A, 0, 2);
    pair_answer(p);
    pair_assert_right(p);
}

static void a_member_first_heard_of_after_the_join_stands_where_the_family_does(void **state)
{
    struct pair *p = *state;
    pair_publish(p, MEMBER_A, 1, 1);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_join(p);
    assert_int_equal(at(p), 2);
    unsigned requests = p->follower.request_count;
    pair_publish(p, MEMBER_C, 1, 1); /* (0, 3], of nobody known */
    pair_publish(p, MEMBER_B, 2, 1); /* (2, 4], heard of in the heartbeat only */
    pair_deliver(p);
    pair_assert_right(p);
    assert_true(p->follower.frames == 2 && p->follower.request_count == requests);
    uint32_t number = p->follower.members[MEMBER_C];
    assert_true(text_equal(subscriber_topic_name(p->follower.subscriber, number),
                           text_of(feed_member(MEMBER_C))));
    assert_int_equal(subscriber_seq(p->follower.subscriber, number), 3);
    assert_int_equal(subscriber_epoch(p->follower.subscriber, number), p->feed.epoch);
}

static void old_frames_of_a_member_not_heard_of_are_passed_over(void **state)
{
    struct pair *p = *state;
    struct parcel old;
    pair_publish(p, MEMBER_C, 1, 1);
    pair_hold(p, &old);
    follower_close(&p->follower);
    follower_open(&p->follower, &p->feed, 1 << 20, true, 1); /* no place for it, nor needed */
    pair_join(p);
    pair_deliver_parcel(p, &old);
    pair_assert_right(p);
    assert_true(p->follower.frames == 0 && counts(p).placeless == 0);
}

/* ---- gaps ---- */

static void a_lost_frame_is_found_by_the_members_next(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_deliver(p);
    pair_publish(p, MEMBER_A, 2, 1);
    pair_lose(p);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_publish(p, MEMBER_A, 3, 1);
    pair_deliver(p);
    assert_true(live(p) && follower_right(&p->follower, MEMBER_B));
    assert_false(subscriber_all_live(p->follower.subscriber));
    pair_assert_asks_resend(p, MEMBER_A, 1, 4);
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(p->follower.joins, 1);
}

static void a_lost_frame_is_found_by_a_heartbeat(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_deliver(p);
    pair_publish(p, MEMBER_A, 2, 1);
    pair_lose(p);
    heartbeat(p);
    pair_assert_asks_resend(p, MEMBER_A, 1, 2);
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(complete(p), 2);
}

static void the_only_frame_of_a_new_member_is_found_by_a_heartbeat(void **state)
{
    struct pair *p = *state;
    p->feed.seq = 5;
    pair_join(p);
    pair_publish(p, MEMBER_C, 2, 1);
    pair_lose(p);
    heartbeat(p);
    pair_assert_asks_resend(p, MEMBER_C, 5, 6);
    assert_int_equal(complete(p), 5);
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(complete(p), 6);
}

static void what_a_heartbeat_says_of_a_repair_is_repaired_with_it(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_lose(p);
    pair_publish(p, MEMBER_A, 2, 1);
    pair_deliver(p); /* it asks for 1 and 2 */
    pair_request_arrives(p);
    struct parcel resent;
    pair_hold(p, &resent);
    pair_publish(p, MEMBER_A, 3, 1);
    pair_lose(p);
    heartbeat(p); /* which names 3 */
    pair_deliver_parcel(p, &resent);
    assert_int_equal(complete(p), 0);
    pair_assert_asks_resend(p, MEMBER_A, 2, 3);
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(complete(p), 3);
}

static void what_is_too_old_makes_the_family_join_again(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_deliver(p);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_publish(p, MEMBER_A, 2, 1);
    pair_lose(p);
    publisher_topic_restart(p->feed.publisher, p->feed.numbers[MEMBER_A], 3);
    pair_publish(p, MEMBER_A, 3, 3);
    pair_publish(p, MEMBER_B, 2, 1);
    pair_deliver(p);
    pair_assert_asks_resend(p, MEMBER_A, 0, 4);
    pair_answer(p);
    assert_false(live(p));
    assert_int_equal(complete(p), 0);
    pair_assert_asks_snapshot(p, FAMILY, 5); /* not what stood before B's last frame */
    pair_publish(p, MEMBER_B, 3, 1);
    pair_deliver(p);
    assert_false(follower_right(&p->follower, MEMBER_B)); /* it waits with the others */
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(p->follower.joins, 2);
}

/* ---- epochs and faults ---- */

static void a_frame_of_a_newer_epoch_throws_the_family_back(void **state)
{
    struct pair *p = *state;
    pair_publish(p, MEMBER_A, 1, 1);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_join(p);
    restart(p);
    pair_publish(p, MEMBER_C, 1, 2); /* of one it never heard of */
    pair_deliver(p);
    assert_false(live(p));
    assert_int_equal(subscriber_epoch(p->follower.subscriber, FAMILY), p->feed.epoch);
    assert_int_equal(p->follower.resets, 2);
    pair_assert_asks_snapshot(p, FAMILY, 0);
    pair_answer(p);
    pair_assert_right(p);
    assert_int_equal(counts(p).faults, 0);
}

static void a_heartbeat_of_a_newer_epoch_throws_the_family_back(void **state)
{
    struct pair *p = *state;
    pair_publish(p, MEMBER_A, 1, 1);
    pair_join(p);
    restart(p); /* there are no accounts yet */
    heartbeat(p);
    assert_false(live(p));
    pair_assert_asks_snapshot(p, FAMILY, 0);
    pair_answer(p);
    pair_assert_right(p);
    pair_publish(p, MEMBER_A, 2, 2);
    pair_deliver(p);
    pair_assert_right(p);
}

static void a_newer_epoch_ends_the_shards_other_topics_too(void **state)
{
    struct pair *p = *state;
    uint32_t other = subscriber_topic_add(p->follower.subscriber, text_of("l3.X"), FEED_SHARD);
    uint32_t far = subscriber_topic_add(p->follower.subscriber, text_of("l3.Y"), FEED_SHARD + 1);
    heartbeat(p);
    pair_answer(p);
    assert_true(live(p));
    assert_int_equal(subscriber_epoch(p->follower.subscriber, other), p->feed.epoch);
    assert_int_equal(subscriber_epoch(p->follower.subscriber, far), 0);
}

static void an_old_epoch_is_passed_over(void **state)
{
    struct pair *p = *state;
    struct parcel old;
    pair_join(p);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_publish(p, MEMBER_C, 1, 1);
    feed_heartbeat(&p->feed);
    pair_hold(p, &old);
    restart(p);
    pair_join(p);
    pair_deliver_parcel(p, &old);
    pair_assert_right(p);
    assert_true(counts(p).gaps == 0 && counts(p).faults == 0);
}

static void a_resend_from_another_epoch_throws_the_family_back(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_lose(p);
    heartbeat(p);
    restart(p);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_lose(p);
    pair_answer(p); /* EPOCH_CHANGED */
    assert_false(live(p));
    pair_join(p);
}

/* The publisher begins again, and its epoch does not say so. */
static void a_publisher_that_stands_before_us_is_a_fault(void **state)
{
    struct pair *p = *state;
    for (uint32_t cell = 0; cell < 9; cell++)
        pair_publish(p, MEMBER_A, cell, 1);
    pair_join(p);
    restart(p);
    p->feed.epoch--;
    publisher_epoch_set(p->feed.publisher, 0, p->feed.epoch);
    pair_publish(p, MEMBER_B, 1, 2);
    pair_lose(p);
    heartbeat(p);
    assert_int_equal(p->follower.faults[SUBSCRIBER_SEQ_WENT_BACK], 1);
    pair_assert_asks_snapshot(p, FAMILY, 1);
    pair_answer(p);
    pair_assert_right(p);
}

static void a_member_that_stands_before_us_is_a_fault_of_the_family(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    for (uint32_t cell = 0; cell < 9; cell++)
        pair_publish(p, MEMBER_A, cell, 1);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_deliver(p);
    p->feed.seq = 8;
    publisher_topic_restart(p->feed.publisher, p->feed.numbers[MEMBER_A], 8);
    heartbeat(p);
    assert_int_equal(p->follower.faults[SUBSCRIBER_SEQ_WENT_BACK], 1);
    assert_false(live(p));
    pair_assert_asks_snapshot(p, FAMILY, 8);
}

/* ---- places ---- */

/* topics_max is one for the family and so many for members. */
static void open_with(struct pair *p, uint32_t places)
{
    follower_close(&p->follower);
    follower_open(&p->follower, &p->feed, 1 << 20, true, 1 + places);
    pair_join(p);
}

static void members_have_places_up_to_the_last(void **state)
{
    struct pair *p = *state;
    for (uint32_t places = FEED_TOPICS - 1; places <= FEED_TOPICS + 1; places++) {
        open_with(p, places);
        for (uint32_t t = 0; t < FEED_TOPICS; t++)
            pair_publish(p, t, 1, 1 + places);
        pair_deliver(p);
        bool fits = places >= FEED_TOPICS;
        assert_int_equal(counts(p).placeless, fits ? 0 : 1);
        assert_int_equal(counts(p).overflows, fits ? 0 : 1);
        assert_true(live(p) && subscriber_all_live(p->follower.subscriber));
        for (uint32_t t = 0; t < FEED_TOPICS; t++)
            assert_true(follower_right(&p->follower, t) == (t < places));
        uint64_t before = at(p);
        heartbeat(p); /* it counts the member again, and there is nothing to ask for */
        assert_int_equal(p->follower.request_size, 0);
        assert_true(complete(p) == (fits ? p->feed.seq : before));
        heartbeat(p); /* which need not name it */
        assert_true(complete(p) == (fits ? p->feed.seq : before));
    }
}

static void a_family_that_joins_again_has_what_there_was_no_place_for(void **state)
{
    struct pair *p = *state;
    open_with(p, 1);
    pair_publish(p, MEMBER_A, 1, 1);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_deliver(p);
    assert_int_equal(counts(p).placeless, 1);
    restart(p);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_join(p);
    heartbeat(p);
    assert_int_equal(complete(p), p->feed.seq);
}

static void add_too_many(void *self)
{
    struct pair *p = self;
    char name[16];
    for (unsigned i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "p%u.", i);
        subscriber_family_add(p->follower.subscriber, text_of(name), 0);
    }
}

static void add_beyond_the_last_place(void *self)
{
    struct pair *p = self;
    char name[16];
    for (unsigned i = 0; i < PAIR_TOPICS_MAX; i++) {
        snprintf(name, sizeof name, "t%u", i);
        subscriber_topic_add(p->follower.subscriber, text_of(name), 0);
    }
}

static void topics_and_families_have_limits(void **state)
{
    assert_true(death_of(add_too_many, *state).aborted);
    assert_true(death_of(add_beyond_the_last_place, *state).aborted);
}

/* ---- what is no member ---- */

static void put_frame(struct pair *p, const char *topic)
{
    uint8_t bytes[FRAME_HEAD_SIZE_MAX];
    struct wire_writer w = {bytes};
    frame_head_put(&w, &(struct frame_head){.topic = text_of(topic),
                                            .type = FRAME_EVENTS,
                                            .epoch = FEED_EPOCH_FIRST + 1,
                                            .seq = 99});
    pair_deliver_bytes(p, bytes, (size_t)(w.at - bytes));
}

static void only_what_begins_with_the_prefix_and_goes_on_is_a_member(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    put_frame(p, "acct.");
    put_frame(p, "acct");
    put_frame(p, "accu.a");
    put_frame(p, "a");
    pair_assert_right(p);
    assert_int_equal(counts(p).garbage, 0);
    put_frame(p, "acct.x");
    assert_false(live(p));
}

static void a_topic_of_its_own_is_no_member(void **state)
{
    struct pair *p = *state;
    uint32_t own = subscriber_topic_add(p->follower.subscriber, text_of("acct.b"), FEED_SHARD);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_deliver(p);
    assert_int_equal(subscriber_epoch(p->follower.subscriber, own), p->feed.epoch);
    assert_int_equal(subscriber_epoch(p->follower.subscriber, FAMILY), p->feed.epoch);
    struct request q = pair_request(p);
    assert_true(text_equal(q.snapshot.topic, text_of("acct.b")));
}

/* ---- questions ---- */

static uint64_t ask_about(struct pair *p, const char *name)
{
    uint64_t question = subscriber_question(p->follower.subscriber, FAMILY, text_of(name));
    subscriber_tick(p->follower.subscriber, p->now_ns);
    return question;
}

static bool knows(const struct pair *p, uint64_t question)
{
    return subscriber_knows(p->follower.subscriber, FAMILY, question);
}

static void a_question_is_answered_by_the_publisher_alone(void **state)
{
    struct pair *p = *state;
    struct parcel before;
    pair_join(p);
    pair_publish(p, MEMBER_A, 1, 1);
    heartbeat(p);
    heartbeat(p);
    feed_heartbeat(&p->feed); /* said before the question, and heard after it */
    pair_hold(p, &before);
    pair_publish(p, MEMBER_A, 1, 2);
    pair_lose(p);
    uint64_t question = ask_about(p, feed_member(MEMBER_A));
    assert_int_equal(question, 1);
    pair_assert_asks_resend(p, MEMBER_A, 0, 0);
    pair_deliver_parcel(p, &before);
    assert_false(knows(p, question));
    pair_answer(p);
    assert_false(knows(p, question)); /* it told of something that was lost */
    pair_assert_asks_resend(p, MEMBER_A, 1, 2);
    pair_answer(p);
    assert_false(knows(p, question));
    pair_assert_asks_resend(p, MEMBER_A, 0, 0);
    pair_answer(p);
    assert_true(knows(p, question));
    pair_assert_right(p);
}

static void what_is_missing_is_fetched_before_a_question_is_answered(void **state)
{
    struct pair *p = *state;
    struct parcel answer;
    pair_publish(p, MEMBER_A, 1, 1);
    pair_join(p);
    uint64_t question = ask_about(p, feed_member(MEMBER_A));
    pair_publish(p, MEMBER_A, 1, 2);
    pair_lose(p);
    pair_request_arrives(p);
    pair_hold(p, &answer);
    pair_publish(p, MEMBER_A, 1, 3);
    pair_deliver(p); /* a gap */
    pair_assert_asks_resend(p, MEMBER_A, 1, 3);
    pair_deliver_parcel(p, &answer);
    assert_false(knows(p, question));
    pair_publish(p, MEMBER_A, 1, 4);
    pair_lose(p);
    pair_answer(p);
    assert_false(knows(p, question));
    pair_assert_asks_resend(p, MEMBER_A, 0, 0);
    pair_answer(p);
    assert_false(knows(p, question));
    pair_assert_asks_resend(p, MEMBER_A, 3, 4);
    pair_answer(p);
    pair_answer(p); /* to the question, once more */
    assert_true(knows(p, question));
    pair_assert_right(p);
}

static void what_a_member_without_place_has_comes_with_a_snapshot(void **state)
{
    struct pair *p = *state;
    follower_close(&p->follower);
    follower_open(&p->follower, &p->feed, 1 << 20, true, 2); /* the family, and one member */
    pair_publish(p, MEMBER_A, 1, 1);
    pair_lose(p);
    heartbeat(p);
    pair_answer(p);
    pair_publish(p, MEMBER_A, 1, 2);
    pair_deliver(p);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_lose(p);
    uint64_t question = ask_about(p, feed_member(MEMBER_B));
    pair_answer(p);
    assert_false(knows(p, question));
    pair_assert_asks_snapshot(p, FAMILY, 3);
    pair_answer(p);
    pair_answer(p); /* to the question, once more */
    assert_true(knows(p, question) && at(p) == 3);
}

static void what_is_older_than_the_state_leaves_it_as_it_is(void **state)
{
    struct pair *p = *state;
    pair_publish(p, MEMBER_A, 1, 1);
    pair_publish(p, MEMBER_B, 1, 1);
    pair_lose(p);
    pair_join(p);
    assert_int_equal(at(p), 2);
    uint64_t question = ask_about(p, feed_member(MEMBER_A));
    pair_answer(p);
    assert_true(knows(p, question) && counts(p).faults == 0 && counts(p).gaps == 0);
}

static void a_member_nobody_heard_of_is_found_or_is_not_there(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    uint64_t question = ask_about(p, feed_member(MEMBER_B));
    pair_answer(p);
    assert_true(knows(p, question)); /* it has no such topic */
    pair_publish(p, MEMBER_B, 3, 3);
    pair_lose(p);
    question = ask_about(p, feed_member(MEMBER_B));
    assert_int_equal(question, 2);
    pair_answer(p);
    assert_false(knows(p, question));
    pair_answer(p); /* the resend */
    pair_answer(p); /* to the question, once more */
    assert_true(knows(p, question));
    pair_assert_right(p);
}

static void questions_come_one_after_the_other(void **state)
{
    struct pair *p = *state;
    subscriber_t *s = p->follower.subscriber;
    pair_join(p);
    struct text a = text_of(feed_member(MEMBER_A)), b = text_of(feed_member(MEMBER_B));
    assert_int_equal(subscriber_question(s, FAMILY, a), 1);
    assert_int_equal(subscriber_question(s, FAMILY, a), 1); /* it has not left yet */
    assert_int_equal(subscriber_question(s, FAMILY, b), 0);
    subscriber_tick(s, p->now_ns);
    assert_int_equal(subscriber_question(s, FAMILY, a), 0); /* what happens now is not in it */
    assert_false(knows(p, 1));
    pair_answer(p);
    assert_true(knows(p, 1));
    assert_int_equal(subscriber_question(s, FAMILY, b), 2);
    assert_true(knows(p, 1) && !knows(p, 2));
}

static void a_question_is_put_again_until_it_is_answered(void **state)
{
    struct pair *p = *state;
    pair_join(p);
    uint64_t question = ask_about(p, feed_member(MEMBER_A));
    p->follower.request_size = 0;
    pair_wait_ms(p, SUBSCRIBER_REPEAT_MS - 1);
    assert_int_equal(p->follower.request_size, 0);
    pair_wait_ms(p, 1);
    pair_assert_asks_resend(p, MEMBER_A, 0, 0);
    restart(p); /* the history it asks after is over */
    pair_publish(p, MEMBER_A, 1, 1);
    pair_lose(p);
    pair_answer(p);
    assert_false(knows(p, question) || live(p));
    heartbeat(p);
    pair_answer(p); /* the snapshot */
    assert_true(live(p) && !knows(p, question));
    pair_wait_ms(p, 1);
    pair_assert_asks_resend(p, MEMBER_A, 0, 0);
    pair_answer(p);
    assert_true(knows(p, question));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_open_family, pair_close)
    const struct CMUnitTest tests[] = {
        TEST(a_family_without_members_joins_by_a_heartbeat),
        TEST(a_family_joins_by_the_first_frame_of_a_member),
        TEST(a_heartbeat_of_another_shard_is_not_its_beginning),
        TEST(frames_kept_aside_come_in_the_order_of_arrival),
        TEST(a_gap_among_frames_kept_aside_is_its_members_own),
        TEST(a_member_first_heard_of_after_the_join_stands_where_the_family_does),
        TEST(old_frames_of_a_member_not_heard_of_are_passed_over),
        TEST(a_lost_frame_is_found_by_the_members_next),
        TEST(a_lost_frame_is_found_by_a_heartbeat),
        TEST(the_only_frame_of_a_new_member_is_found_by_a_heartbeat),
        TEST(what_a_heartbeat_says_of_a_repair_is_repaired_with_it),
        TEST(what_is_too_old_makes_the_family_join_again),
        TEST(a_frame_of_a_newer_epoch_throws_the_family_back),
        TEST(a_heartbeat_of_a_newer_epoch_throws_the_family_back),
        TEST(a_newer_epoch_ends_the_shards_other_topics_too),
        TEST(an_old_epoch_is_passed_over),
        TEST(a_resend_from_another_epoch_throws_the_family_back),
        TEST(a_publisher_that_stands_before_us_is_a_fault),
        TEST(a_member_that_stands_before_us_is_a_fault_of_the_family),
        TEST(members_have_places_up_to_the_last),
        TEST(a_family_that_joins_again_has_what_there_was_no_place_for),
        TEST(topics_and_families_have_limits),
        TEST(only_what_begins_with_the_prefix_and_goes_on_is_a_member),
        TEST(a_topic_of_its_own_is_no_member),
        TEST(a_question_is_answered_by_the_publisher_alone),
        TEST(what_is_missing_is_fetched_before_a_question_is_answered),
        TEST(what_a_member_without_place_has_comes_with_a_snapshot),
        TEST(what_is_older_than_the_state_leaves_it_as_it_is),
        TEST(a_member_nobody_heard_of_is_found_or_is_not_there),
        TEST(questions_come_one_after_the_other),
        TEST(a_question_is_put_again_until_it_is_answered),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
