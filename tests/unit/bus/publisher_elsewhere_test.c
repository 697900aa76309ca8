/* publisher: what is answered by somebody else in its place, or by it for somebody else; what its
 * heartbeats say of its standing; and histories that go on under another epoch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bus/publisher_kit.h"

enum { ELSEWHERE = 9 };

static struct publisher_kit kit;
static struct request passed;
static unsigned passes;

static int setup(void **state)
{
    struct publisher_limits limits = kit_limits();
    limits.ring_frames_max = 3;
    memset(&kit, 0, sizeof kit);
    passes = 0;
    *state = &kit;
    kit_open(&kit, &limits, 1 << 20);
    publisher_topic_add(kit.publisher, 0, text_of("l3.A"), TOPIC_PLAIN);
    for (uint64_t seq = 1; seq <= 6; seq++)
        kit_frame(&kit, 0, seq);
    kit_drop_all(&kit);
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    return 0;
}

static bool take_it(struct publisher_kit *k, const struct request *q)
{
    (void)k;
    passed = *q;
    passes++;
    return true;
}

/* ---- passing on ---- */

static void a_snapshot_may_be_left_to_somebody_else(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("l3.A", 0);
    kit_subscribe(k, KIT_REPLY, true);
    k->pass_on = take_it;
    kit_ask(k, &q, 0);
    assert_int_equal(passes, 1);
    assert_true(passed.type == MESSAGE_SNAPSHOT);
    assert_int_equal(k->snapshots_asked, 0);
    kit_assert_nothing(k);
    k->pass_on = NULL;
    kit_ask(k, &q, 0);
    assert_int_equal(k->snapshots_asked, 1);
}

static void only_frames_that_are_not_kept_are_left_to_somebody_else(void **state)
{
    struct publisher_kit *k = *state;
    struct request kept = kit_resend("l3.A", 4, 6), older = kit_resend("l3.A", 1, 6);
    kit_subscribe(k, KIT_REPLY, true);
    k->pass_on = take_it;
    kit_ask(k, &kept, 0);
    assert_int_equal(passes, 0);
    struct frame_reader f = kit_take_frame(k);
    assert_true(kit_reply(&f).code == 0);
    kit_ask(k, &older, 0);
    assert_int_equal(passes, 1);
    assert_true(passed.resend.after_seq == 1);
    kit_assert_nothing(k);
    k->pass_on = NULL;
    kit_ask(k, &older, 0);
    f = kit_take_frame(k);
    assert_true(kit_reply(&f).code == REJECT_TOO_OLD);
}

static bool answer_it(struct publisher_kit *k, const struct request *q)
{
    publisher_resend_begin(k->publisher, q, KIT_EPOCH, 6);
    publisher_resend_frame(k->publisher, (const uint8_t *)"one", 3);
    publisher_resend_frame(k->publisher, (const uint8_t *)"two", 3);
    publisher_resend_end(k->publisher);
    return true;
}

static void frames_from_elsewhere_are_an_answer_like_any_other(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_resend("l3.A", 1, 6);
    uint64_t type;
    struct wire_reader fields;
    kit_subscribe(k, KIT_REPLY, true);
    k->pass_on = answer_it;
    kit_ask(k, &q, 0);
    struct frame_reader f = kit_take_frame(k);
    struct reply r = kit_reply(&f);
    assert_true(r.code == 0 && r.last && r.request_id == q.resend.request_id);
    static const char *const texts[] = {"one", "two"};
    for (unsigned i = 0; i < 2; i++) {
        struct resent m;
        assert_true(frame_next_event(&f, &type, &fields));
        assert_int_equal(type, MESSAGE_RESENT);
        resent_get_fields(&fields, &m);
        assert_true(m.frame.size == 3 && memcmp(m.frame.data, texts[i], 3) == 0);
    }
    kit_assert_nothing(k);
    kit_frame(k, 0, 7); /* and what comes then is no answer any more */
    f = kit_take_frame(k);
    assert_true(text_equal(f.head.topic, text_of("l3.A")));
}

/* ---- for somebody else ---- */

static void who_is_not_known_to_listen_here_is_answered_elsewhere(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_resend("l3.A", 4, 6);
    struct outgoing m;
    publisher_request_for(k->publisher, &q, ELSEWHERE);
    assert_true(outbox_peek(&k->outbox, UINT64_MAX, &m));
    assert_int_equal(m.output, ELSEWHERE);
    outbox_pop(&k->outbox);
    kit_subscribe(k, KIT_REPLY, true);
    publisher_request_for(k->publisher, &q, ELSEWHERE);
    assert_true(outbox_peek(&k->outbox, UINT64_MAX, &m));
    assert_int_equal(m.output, KIT_OUTPUT);
    outbox_pop(&k->outbox);
    kit_frame(k, 0, 7);
    assert_true(outbox_peek(&k->outbox, UINT64_MAX, &m));
    assert_int_equal(m.output, KIT_OUTPUT);
}

static void an_answer_may_be_a_code_alone(void **state)
{
    struct publisher_kit *k = *state;
    publisher_answer(k->publisher, text_of(KIT_REPLY), 55, MESSAGE_RESUME, 0);
    struct frame_reader f = kit_take_frame(k);
    assert_true(text_equal(f.head.topic, text_of("re." KIT_REPLY)));
    struct reply r = kit_reply(&f);
    assert_true(r.request_id == 55 && r.request_type == MESSAGE_RESUME && r.code == 0 && r.last);
}

/* ---- heartbeats ---- */

static struct heartbeat heartbeat_of(struct frame_reader *f)
{
    uint64_t type;
    struct wire_reader fields;
    struct heartbeat m;
    assert_true(frame_next_group(f) && frame_next_event(f, &type, &fields));
    assert_int_equal(type, MESSAGE_HEARTBEAT);
    heartbeat_get_fields(&fields, &m);
    return m;
}

static void heartbeats_say_where_it_stands(void **state)
{
    struct publisher_kit *k = *state;
    publisher_heartbeat(k->publisher, 0, 6, 1);
    struct frame_reader f = kit_take_frame(k);
    struct heartbeat m = heartbeat_of(&f);
    assert_true(m.standing == 0 && m.journal == 0 && m.shard == 3);
    publisher_standing_set(k->publisher, STANDING_NO_SPACE, JOURNAL_MODE_ASYNC);
    publisher_heartbeat(k->publisher, 0, 6, 2);
    f = kit_take_frame(k);
    m = heartbeat_of(&f);
    assert_true(m.standing == STANDING_NO_SPACE && m.journal == JOURNAL_MODE_ASYNC);
}

static void a_bare_heartbeat_says_nothing_of_any_topic(void **state)
{
    struct publisher_kit *k = *state;
    uint64_t type;
    struct wire_reader fields;
    publisher_heartbeat_bare(k->publisher, 0, 4, 1);
    struct frame_reader f = kit_take_frame(k);
    assert_true(f.head.seq == 4 && f.head.prev_seq == 4 && f.head.epoch == KIT_EPOCH);
    heartbeat_of(&f);
    assert_false(frame_next_event(&f, &type, &fields));
}

/* ---- epochs ---- */

static void a_history_may_go_on_under_another_epoch(void **state)
{
    struct publisher_kit *k = *state;
    publisher_epoch_continue(k->publisher, 0, KIT_EPOCH + 5);
    assert_true(publisher_topic_seq(k->publisher, 0) == 6);
    kit_frame(k, 0, 7);
    struct frame_reader f = kit_take_frame(k);
    assert_true(f.head.epoch == KIT_EPOCH + 5 && f.head.prev_seq == 6 && f.head.seq == 7);
    /* What was published under the last epoch is not sent again under this one. */
    struct request q = kit_resend("l3.A", 5, 7);
    q.resend.epoch = KIT_EPOCH + 5;
    kit_subscribe(k, KIT_REPLY, true);
    kit_ask(k, &q, 0);
    f = kit_take_frame(k);
    assert_true(kit_reply(&f).code == REJECT_TOO_OLD);
    q = kit_resend("l3.A", 6, 7);
    q.resend.epoch = KIT_EPOCH + 5;
    kit_ask(k, &q, 0);
    f = kit_take_frame(k);
    assert_true(kit_reply(&f).code == 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_snapshot_may_be_left_to_somebody_else),
        TEST(only_frames_that_are_not_kept_are_left_to_somebody_else),
        TEST(frames_from_elsewhere_are_an_answer_like_any_other),
        TEST(who_is_not_known_to_listen_here_is_answered_elsewhere),
        TEST(an_answer_may_be_a_code_alone),
        TEST(heartbeats_say_where_it_stands),
        TEST(a_bare_heartbeat_says_nothing_of_any_topic),
        TEST(a_history_may_go_on_under_another_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
