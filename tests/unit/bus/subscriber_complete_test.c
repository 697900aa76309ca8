/* subscriber: up to where a topic is known to be complete: by its frames, by heartbeats that name
 * it, and by heartbeats that pass it over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus/subscriber.h"
#include "tests/unit/bus/publisher_kit.h"

enum {
    SHARD = 3,  /* of the kit's first history */
    OTHER = 8,  /* of the second, under the same epoch */
    MANY = 200, /* members: more than one heartbeat names unless they changed */
};

struct world {
    struct publisher_kit kit;
    subscriber_t *s;
    uint32_t x, y;   /* topics of the first shard: the publisher's numbers */
    uint32_t z;      /* of the other */
    uint32_t family; /* the subscriber's number */
    uint32_t members[MANY];
    uint64_t now_ns;
    bool lose; /* heartbeats and frames that come now */
};

static struct world world;

static bool on_push(void *self, const uint8_t *bytes, size_t size)
{
    struct world *w = self;
    publisher_request(w->kit.publisher, bytes, size, w->now_ns);
    return true;
}

/* What was published arrives, and what is asked for is answered. */
static void deliver(struct world *w)
{
    struct outgoing m;
    while (outbox_peek(&w->kit.outbox, UINT64_MAX, &m)) {
        uint8_t *copy = malloc(m.size);
        size_t size = m.size;
        memcpy(copy, m.bytes, size);
        outbox_pop(&w->kit.outbox);
        if (!w->lose)
            subscriber_receive(w->s, copy, size, w->now_ns);
        free(copy);
    }
}

static void frame(struct world *w, uint32_t topic, uint64_t seq)
{
    kit_frame(&w->kit, topic, seq);
    deliver(w);
}

static void heartbeat(struct world *w, uint32_t history, uint64_t seq)
{
    w->now_ns += NS_PER_SECOND;
    w->kit.snapshot_seq = seq;
    publisher_heartbeat(w->kit.publisher, history, seq, w->now_ns);
    deliver(w);
}

static void lose_heartbeat(struct world *w, uint64_t seq)
{
    w->lose = true;
    heartbeat(w, 0, seq);
    w->lose = false;
}

/* Time passes until there is nothing more to ask for. */
static void settle(struct world *w)
{
    for (unsigned i = 0; i < 10; i++) {
        w->now_ns += NS_PER_SECOND;
        subscriber_tick(w->s, w->now_ns);
        deliver(w);
    }
}

static uint32_t publish(struct world *w, uint32_t history, const char *name)
{
    return publisher_topic_add(w->kit.publisher, history, text_of(name), TOPIC_PLAIN);
}

enum { X, Y, Z }; /* the subscriber's numbers */

static uint64_t complete(const struct world *w, uint32_t topic)
{
    return subscriber_complete_seq(w->s, topic);
}

static void world_open(struct world *w, bool family)
{
    memset(w, 0, sizeof *w);
    struct publisher_limits limits = kit_limits();
    limits.topics_max = MANY + 3;
    kit_open(&w->kit, &limits, 8 << 20);
    publisher_shard_add(w->kit.publisher, OTHER);
    publisher_epoch_set(w->kit.publisher, 1, KIT_EPOCH);
    kit_subscribe(&w->kit, KIT_REPLY, true);
    struct subscriber_owner nobody = {.self = NULL};
    w->s = subscriber_new(&nobody, &(struct subscriber_requests){w, on_push}, KIT_REPLY, 1 << 16,
                          MANY + 3);
    char name[32];
    for (unsigned i = 0; family && i < MANY; i++) {
        snprintf(name, sizeof name, "acct.%u", i);
        w->members[i] = publish(w, 0, name);
    }
    if (family) {
        w->family = subscriber_family_add(w->s, text_of("acct."), SHARD);
    } else {
        w->x = publish(w, 0, "l3.X");
        w->y = publish(w, 0, "l3.Y");
        w->z = publish(w, 1, "l3.Z");
        subscriber_topic_add(w->s, text_of("l3.X"), SHARD);
        subscriber_topic_add(w->s, text_of("l3.Y"), SHARD);
        subscriber_topic_add(w->s, text_of("l3.Z"), OTHER);
    }
}

static int setup(void **state)
{
    world_open(&world, false);
    *state = &world;
    return 0;
}

static int setup_family(void **state)
{
    world_open(&world, true);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    subscriber_destroy(&w->s);
    kit_close(&w->kit);
    return 0;
}

/* All of both shards is live at 5 and 6. */
static void join(struct world *w)
{
    heartbeat(w, 0, 5);
    settle(w);
    heartbeat(w, 1, 6);
    settle(w);
    heartbeat(w, 0, 5);
    assert_true(subscriber_all_live(w->s));
}

/* ---- topics ---- */

static void before_it_joins_nothing_is_complete(void **state)
{
    struct world *w = *state;
    assert_int_equal(complete(w, X), 0);
    w->kit.snapshot_code = REJECT_NOT_CAUGHT_UP;
    heartbeat(w, 0, 5);
    heartbeat(w, 0, 6);
    assert_int_equal(complete(w, X), 0);
}

static void it_is_complete_where_it_stands(void **state)
{
    struct world *w = *state;
    join(w);
    assert_int_equal(complete(w, X), 5);
    frame(w, w->x, 9);
    assert_int_equal(complete(w, X), 9);
    assert_int_equal(complete(w, Y), 5);
}

static void a_heartbeat_takes_what_did_not_change_along(void **state)
{
    struct world *w = *state;
    join(w);
    frame(w, w->x, 9);
    heartbeat(w, 0, 20);
    assert_true(complete(w, X) == 20 && complete(w, Y) == 20);
    assert_true(subscriber_seq(w->s, X) == 9 && subscriber_seq(w->s, Y) == 5);
    frame(w, w->x, 21);
    assert_true(complete(w, X) == 21 && complete(w, Y) == 20);
}

/* Both shards have the same epoch, and the other one is far ahead. */
static void a_heartbeat_of_one_shard_says_nothing_of_another(void **state)
{
    struct world *w = *state;
    join(w);
    heartbeat(w, 1, 500);
    assert_true(complete(w, Z) == 500 && complete(w, X) == 5 && complete(w, Y) == 5);
    heartbeat(w, 0, 30);
    assert_true(complete(w, Z) == 500 && complete(w, X) == 30 && complete(w, Y) == 30);
}

/* It is followed all the same. */
static void a_topic_is_not_complete_for_what_another_shard_than_its_own_says(void **state)
{
    struct world *w = *state;
    publish(w, 0, "l3.W");
    uint32_t moved = subscriber_topic_add(w->s, text_of("l3.W"), OTHER);
    join(w);
    heartbeat(w, 0, 30); /* which names it */
    assert_true(subscriber_live(w->s, moved) && complete(w, X) == 30);
    assert_true(complete(w, moved) < 30);
}

static void a_topic_that_is_behind_is_not_taken_along(void **state)
{
    struct world *w = *state;
    join(w);
    heartbeat(w, 0, 8);
    w->lose = true;
    frame(w, w->x, 9);
    w->lose = false;
    publisher_topic_restart(w->kit.publisher, w->x, 10); /* it cannot be sent again */
    w->kit.snapshot_code = REJECT_NOT_CAUGHT_UP;
    heartbeat(w, 0, 20);
    assert_int_equal(complete(w, Y), 20);
    assert_int_equal(complete(w, X), 0); /* it joins again */
    w->kit.snapshot_code = 0;
    settle(w);
    assert_int_equal(complete(w, X), 20);
}

static void a_gap_leaves_what_was_complete_and_its_repair_brings_the_rest(void **state)
{
    struct world *w = *state;
    join(w);
    heartbeat(w, 0, 8);
    w->lose = true;
    frame(w, w->x, 9);
    kit_frame(&w->kit, w->x, 10);
    deliver(w);
    w->lose = false;
    struct outgoing m;
    publisher_heartbeat(w->kit.publisher, 0, 20, ++w->now_ns);
    assert_true(outbox_peek(&w->kit.outbox, UINT64_MAX, &m));
    uint8_t bytes[1024];
    size_t size = m.size;
    memcpy(bytes, m.bytes, size);
    outbox_pop(&w->kit.outbox);
    subscriber_receive(w->s, bytes, size, w->now_ns); /* the answer is not there yet */
    assert_true(complete(w, X) == 8 && complete(w, Y) == 20);
    deliver(w);
    assert_true(complete(w, X) == 20 && subscriber_seq(w->s, X) == 10);
}

/* Who is left out may have changed. */
static void a_heartbeat_that_leaves_topics_out_says_nothing_of_them(void **state)
{
    struct world *w = *state;
    join(w);
    publisher_topic_tell(w->kit.publisher, w->x, false);
    heartbeat(w, 0, 20);
    assert_true(complete(w, X) == 5 && complete(w, Y) == 20);
    publisher_topic_tell(w->kit.publisher, w->x, true);
    heartbeat(w, 0, 21);
    assert_true(complete(w, X) == 21 && complete(w, Y) == 21);
}

static void a_new_epoch_is_complete_from_its_own_join_on(void **state)
{
    struct world *w = *state;
    join(w);
    heartbeat(w, 0, 90);
    publisher_epoch_set(w->kit.publisher, 0, KIT_EPOCH + 1);
    w->kit.snapshot_code = REJECT_NOT_CAUGHT_UP;
    heartbeat(w, 0, 3);
    assert_true(complete(w, X) == 0 && complete(w, Y) == 0 && complete(w, Z) == 6);
}

/* ---- families ---- */

static uint64_t family(const struct world *w)
{
    return complete(w, w->family);
}

static void join_family(struct world *w)
{
    heartbeat(w, 0, 5);
    assert_true(subscriber_live(w->s, w->family));
    assert_int_equal(family(w), 5);
}

static void a_heartbeat_takes_a_family_along(void **state)
{
    struct world *w = *state;
    join_family(w);
    heartbeat(w, 0, 7);
    assert_int_equal(family(w), 7);
    frame(w, w->members[150], 8);
    assert_int_equal(family(w), 7); /* another member may have something before it */
    uint32_t member = w->family + 1;
    assert_int_equal(complete(w, member), 8);
    heartbeat(w, 0, 12);
    assert_true(family(w) == 12 && complete(w, member) == 12);
    assert_int_equal(subscriber_seq(w->s, member), 8);
}

static void a_heartbeat_of_another_shard_is_nothing_to_a_family(void **state)
{
    struct world *w = *state;
    join_family(w);
    heartbeat(w, 1, 500);
    assert_int_equal(family(w), 5);
}

/* Member 199's only frame is lost, and the heartbeat that named it: the next ones may not name it.
 */
static void after_a_lost_heartbeat_a_family_hears_a_whole_round(void **state)
{
    struct world *w = *state;
    join_family(w);
    for (unsigned i = 0; i < 3; i++)
        heartbeat(w, 0, 6);
    w->lose = true;
    frame(w, w->members[199], 7);
    w->lose = false;
    lose_heartbeat(w, 8);
    unsigned heard = 0;
    while (family(w) < 9) {
        heartbeat(w, 0, 9);
        if (family(w) >= 9) /* by then it has been named, and repaired */
            assert_int_equal(subscriber_counts(w->s).frames, 1);
        assert_true(++heard < 20);
    }
    assert_true(heard > 1);
}

static void a_family_goes_on_after_a_round_in_which_nothing_was_wrong(void **state)
{
    struct world *w = *state;
    join_family(w);
    lose_heartbeat(w, 8);
    for (unsigned i = 0; i < 10; i++) {
        heartbeat(w, 0, 9);
        assert_int_equal(family(w), 5);
    }
    heartbeat(w, 0, 9);
    assert_int_equal(family(w), 9);
}

static void a_round_that_is_broken_begins_anew(void **state)
{
    struct world *w = *state;
    join_family(w);
    lose_heartbeat(w, 8);
    for (unsigned i = 0; i < 8; i++)
        heartbeat(w, 0, 9);
    lose_heartbeat(w, 10);
    for (unsigned i = 0; i < 10; i++) {
        heartbeat(w, 0, 11);
        assert_int_equal(family(w), 5);
    }
    heartbeat(w, 0, 12);
    assert_int_equal(family(w), 12);
}

/* Parts of a heartbeat too large for one message, or the same one again. */
static void messages_of_one_time_are_one_heartbeat_of_a_round(void **state)
{
    struct world *w = *state;
    join_family(w);
    lose_heartbeat(w, 8);
    heartbeat(w, 0, 9);
    for (unsigned i = 0; i < 20; i++) {
        publisher_heartbeat(w->kit.publisher, 0, 9, w->now_ns);
        deliver(w);
    }
    assert_int_equal(family(w), 5);
}

int main(void)
{
#define TEST(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define FAMILY(name) cmocka_unit_test_setup_teardown(name, setup_family, teardown)
    const struct CMUnitTest tests[] = {
        TEST(before_it_joins_nothing_is_complete),
        TEST(it_is_complete_where_it_stands),
        TEST(a_heartbeat_takes_what_did_not_change_along),
        TEST(a_heartbeat_of_one_shard_says_nothing_of_another),
        TEST(a_topic_is_not_complete_for_what_another_shard_than_its_own_says),
        TEST(a_topic_that_is_behind_is_not_taken_along),
        TEST(a_gap_leaves_what_was_complete_and_its_repair_brings_the_rest),
        TEST(a_heartbeat_that_leaves_topics_out_says_nothing_of_them),
        TEST(a_new_epoch_is_complete_from_its_own_join_on),
        FAMILY(a_heartbeat_takes_a_family_along),
        FAMILY(a_heartbeat_of_another_shard_is_nothing_to_a_family),
        FAMILY(after_a_lost_heartbeat_a_family_hears_a_whole_round),
        FAMILY(a_family_goes_on_after_a_round_in_which_nothing_was_wrong),
        FAMILY(a_round_that_is_broken_begins_anew),
        FAMILY(messages_of_one_time_are_one_heartbeat_of_a_round),
    };
#undef FAMILY
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
