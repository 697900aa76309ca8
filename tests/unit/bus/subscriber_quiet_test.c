/* subscriber: a quiet topic: nothing may have been published in it, and no heartbeat speaks of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus/publisher.h"
#include "bus/subscriber.h"

enum { SHARD = 2 };

#define REPLY "00112233445566778899aabbccddeeff"

/* A reader of one publisher, who is played by hand. */
struct scene {
    struct outbox outbox;
    publisher_t *publisher;
    subscriber_t *subscriber;
    uint64_t now_ns, seq, epoch;
    unsigned resets, joins, events, faults;
    struct request asked; /* the last one */
    unsigned ask_count;
    uint8_t request[RESEND_SIZE_MAX + 1];
    size_t request_size;
};

static struct scene scene;

static void on_reset(void *self, uint32_t topic)
{
    (void)topic;
    ((struct scene *)self)->resets++;
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    (void)topic, (void)type, (void)fields;
    ((struct scene *)self)->events += seq > 0;
}

static void on_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    (void)topic, (void)head;
    ((struct scene *)self)->joins++;
}

static void on_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    (void)topic, (void)fault;
    ((struct scene *)self)->faults++;
}

static bool on_push(void *self, const uint8_t *bytes, size_t size)
{
    struct scene *s = self;
    const uint8_t *at = s->request;
    assert_true(size <= sizeof s->request);
    memcpy(s->request, bytes, size);
    assert_int_equal(request_read(&at, at + size, &s->asked), COMMAND_READ_OK);
    s->request_size = size;
    s->ask_count++;
    return true;
}

/* Every topic it is asked for stands where the shard does, and is empty. */
static enum reason on_snapshot(void *self, const struct snapshot *request)
{
    struct scene *s = self;
    if (s->seq < request->min_seq)
        return REJECT_NOT_CAUGHT_UP;
    publisher_reply_begin(s->publisher, s->epoch, s->seq, s->now_ns, (struct u64_or_nil){0, false});
    publisher_message_end(s->publisher);
    return 0;
}

static void publisher_begin(struct scene *s, uint64_t epoch)
{
    static const char subscribed[] = "\1re." REPLY;
    const struct publisher_limits limits = {4, 100, 1 << 20, 100};
    const struct publisher_state state = {s, NULL, on_snapshot, NULL};
    publisher_destroy(&s->publisher);
    s->epoch = epoch;
    s->publisher = publisher_new(&s->outbox, 0, &state, &limits, text_of("ipc://requests"));
    publisher_epoch_set(s->publisher, publisher_shard_add(s->publisher, SHARD), epoch);
    publisher_subscription(s->publisher, (const uint8_t *)subscribed, sizeof subscribed);
}

static int scene_open(void **state)
{
    struct scene *s = &scene;
    *s = (struct scene){.now_ns = NS_PER_SECOND};
    outbox_init(&s->outbox, 8 << 20);
    publisher_begin(s, 100);
    const struct subscriber_owner owner = {.self = s,
                                           .reset = on_reset,
                                           .event = on_event,
                                           .joined = on_joined,
                                           .fault = on_fault,
                                           .one_history = true};
    s->subscriber =
        subscriber_new(&owner, &(struct subscriber_requests){s, on_push}, REPLY, 1 << 20, 2);
    assert_int_equal(subscriber_quiet_topic_add(s->subscriber, text_of("acct.a"), SHARD), 0);
    *state = s;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *s = *state;
    subscriber_destroy(&s->subscriber);
    publisher_destroy(&s->publisher);
    outbox_close(&s->outbox);
    return 0;
}

static void deliver(struct scene *s)
{
    struct outgoing m;
    while (outbox_peek(&s->outbox, UINT64_MAX, &m)) {
        subscriber_receive(s->subscriber, m.bytes, m.size, s->now_ns);
        outbox_pop(&s->outbox);
    }
}

static void heartbeat(struct scene *s)
{
    publisher_heartbeat(s->publisher, 0, s->seq, s->now_ns);
    deliver(s);
}

static void answer(struct scene *s)
{
    publisher_request(s->publisher, s->request, s->request_size, s->now_ns);
    deliver(s);
}

/* One event in the topic, at the shard's next sequence. */
static void publish(struct scene *s, const char *topic)
{
    uint32_t t = publisher_topic_add(s->publisher, 0, text_of(topic), TOPIC_PLAIN);
    order_cancelled_put(publisher_event(s->publisher, t, ++s->seq, ORDER_CANCELLED_SIZE_MAX),
                        &(struct order_cancelled){1, 1, 0});
    publisher_event_end(s->publisher);
    publisher_group_end(s->publisher, s->now_ns);
    publisher_flush(s->publisher, s->now_ns);
}

static void join(struct scene *s)
{
    heartbeat(s);
    answer(s);
    assert_true(subscriber_live(s->subscriber, 0));
}

/* ---- joining ---- */

static void it_joins_by_any_heartbeat_of_its_shard(void **state)
{
    struct scene *s = *state;
    s->seq = 7; /* commands that concerned others */
    heartbeat(s);
    assert_true(s->ask_count == 1 && s->asked.type == MESSAGE_SNAPSHOT);
    assert_true(text_equal(s->asked.snapshot.topic, text_of("acct.a")));
    assert_true(s->asked.snapshot.min_seq == 7);
    answer(s);
    assert_true(subscriber_all_live(s->subscriber));
    assert_true(subscriber_seq(s->subscriber, 0) == 7 && s->joins == 1 && s->resets == 1);
}

static void one_that_is_not_quiet_waits_to_be_spoken_of(void **state)
{
    struct scene *s = *state;
    assert_int_equal(subscriber_topic_add(s->subscriber, text_of("acct.b"), SHARD), 1);
    join(s);
    s->now_ns += NS_PER_SECOND;
    heartbeat(s);
    assert_true(s->ask_count == 1 && !subscriber_live(s->subscriber, 1));
}

static void a_heartbeat_of_another_shard_is_not_its(void **state)
{
    struct scene *s = *state;
    publisher_epoch_set(s->publisher, publisher_shard_add(s->publisher, SHARD + 1), 100);
    publisher_heartbeat(s->publisher, 1, 9, s->now_ns);
    deliver(s);
    assert_int_equal(s->ask_count, 0);
}

/* ---- from there ---- */

static void its_first_frame_is_applied(void **state)
{
    struct scene *s = *state;
    s->seq = 7;
    join(s);
    publish(s, "acct.a");
    deliver(s);
    assert_true(s->events == 1 && subscriber_seq(s->subscriber, 0) == 8);
    assert_true(s->ask_count == 1);
}

static void a_first_frame_that_is_lost_is_asked_for_again(void **state)
{
    struct scene *s = *state;
    join(s);
    publish(s, "acct.a");
    struct outgoing lost;
    assert_true(outbox_peek(&s->outbox, UINT64_MAX, &lost));
    outbox_pop(&s->outbox);
    heartbeat(s);
    assert_true(s->asked.type == MESSAGE_RESEND && s->asked.resend.through_seq == 1);
    answer(s);
    assert_true(s->events == 1 && subscriber_live(s->subscriber, 0));
}

static void it_is_complete_as_far_as_heartbeats_say(void **state)
{
    struct scene *s = *state;
    join(s);
    heartbeat(s); /* says where the next one begins */
    s->seq = 20;
    heartbeat(s);
    assert_true(subscriber_complete_seq(s->subscriber, 0) == 20);
    assert_int_equal(s->ask_count, 1);
}

static void a_new_epoch_is_heard_of_by_its_heartbeat(void **state)
{
    struct scene *s = *state;
    s->seq = 7;
    join(s);
    s->seq = 0;
    publisher_begin(s, 101);
    heartbeat(s);
    assert_false(subscriber_live(s->subscriber, 0));
    assert_true(s->resets == 2);
    answer(s);
    assert_true(subscriber_live(s->subscriber, 0) && subscriber_epoch(s->subscriber, 0) == 101);
    assert_int_equal(s->faults, 0);
}

static void a_shard_that_went_back_is_a_fault(void **state)
{
    struct scene *s = *state;
    s->seq = 7;
    join(s);
    publisher_begin(s, 100);
    s->seq = 6;
    heartbeat(s);
    assert_int_equal(s->faults, 1);
    answer(s);
    assert_true(subscriber_live(s->subscriber, 0) && subscriber_seq(s->subscriber, 0) == 6);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest tests[] = {
        TEST(it_joins_by_any_heartbeat_of_its_shard),
        TEST(one_that_is_not_quiet_waits_to_be_spoken_of),
        TEST(a_heartbeat_of_another_shard_is_not_its),
        TEST(its_first_frame_is_applied),
        TEST(a_first_frame_that_is_lost_is_asked_for_again),
        TEST(it_is_complete_as_far_as_heartbeats_say),
        TEST(a_new_epoch_is_heard_of_by_its_heartbeat),
        TEST(a_shard_that_went_back_is_a_fault),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
