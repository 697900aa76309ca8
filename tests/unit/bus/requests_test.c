/* requests: frames sent again as they were, snapshots in chunks, and every way to be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/bus/publisher_kit.h"

static struct publisher_kit kit;

static int setup(void **state)
{
    struct publisher_limits limits = kit_limits();
    *state = &kit;
    kit_open(&kit, &limits, 32 << 20);
    publisher_topic_add(kit.publisher, 0, text_of("a"), TOPIC_PLAIN);
    publisher_topic_add(kit.publisher, 0, text_of("b"), TOPIC_PLAIN);
    return 0;
}

static int setup_subscribed(void **state)
{
    setup(state);
    kit_subscribe(*state, KIT_REPLY, true);
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    return 0;
}

static struct publisher_counts counts(const struct publisher_kit *k)
{
    return publisher_counts(k->publisher);
}

/* ---- the subscription comes first, or it is waited for ---- */

static void an_asker_that_is_subscribed_is_answered_at_once(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("a", 0);
    kit_ask(k, &q, 1);
    struct frame_reader f = kit_take_frame(k);
    assert_true(kit_reply(&f).last);
    kit_assert_nothing(k);
}

static void a_request_waits_for_its_subscription(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("a", 0);
    kit_ask(k, &q, 1);
    kit_assert_nothing(k);
    kit_subscribe(k, "ffffffffffffffffffffffffffffffff", true); /* somebody else */
    kit_assert_nothing(k);
    kit_subscribe(k, KIT_REPLY, true);
    struct frame_reader f = kit_take_frame(k);
    assert_true(kit_reply(&f).request_id == 12);
    kit_assert_nothing(k);
    kit_subscribe(k, KIT_REPLY, true); /* answered once */
    kit_assert_nothing(k);
}

static void all_requests_that_wait_are_answered(void **state)
{
    struct publisher_kit *k = *state;
    for (uint64_t id = 1; id <= 5; id++) {
        struct request q = kit_snapshot("a", 0);
        q.snapshot.request_id = id;
        if (id == 3)
            q.snapshot.reply = text_of("ffffffffffffffffffffffffffffffff");
        kit_ask(k, &q, id);
    }
    kit_subscribe(k, KIT_REPLY, true);
    static const uint64_t ids[] = {1, 2, 4, 5};
    for (unsigned i = 0; i < 4; i++) {
        struct frame_reader f = kit_take_frame(k);
        assert_true(kit_reply(&f).request_id == ids[i]);
    }
    kit_assert_nothing(k);
    kit_subscribe(k, "ffffffffffffffffffffffffffffffff", true);
    kit_take_frame(k);
    kit_assert_nothing(k);
}

static void an_asker_that_left_is_not_answered(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("a", 0);
    kit_subscribe(k, "ffffffffffffffffffffffffffffffff", true);
    kit_subscribe(k, KIT_REPLY, false);
    kit_ask(k, &q, 1);
    kit_assert_nothing(k);
    kit_subscribe(k, KIT_REPLY, false); /* who was never there can leave */
    kit_subscribe(k, KIT_REPLY, true);
    kit_take_frame(k);
}

static void a_request_waits_two_seconds_and_no_more(void **state)
{
    struct publisher_kit *k = *state;
    static const char *const replies[] = {"00000000000000000000000000000000",
                                          "11111111111111111111111111111111",
                                          "22222222222222222222222222222222"};
    for (unsigned i = 0; i < 3; i++) {
        struct request q = kit_snapshot("a", 0);
        q.snapshot.reply = text_of(replies[i]);
        /* the last one is the clock tick that ends the first one's patience */
        kit_ask(k, &q, i < 2 ? 100 + i : 100 + 2 * NS_PER_SECOND);
    }
    assert_int_equal(counts(k).dropped, 1);
    for (unsigned i = 0; i < 3; i++)
        kit_subscribe(k, replies[i], true);
    kit_take_frame(k);
    kit_take_frame(k);
    kit_assert_nothing(k);
}

static void at_most_256_requests_wait(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("a", 0);
    for (unsigned i = 0; i < PUBLISHER_WAITING_MAX + 1; i++) {
        assert_int_equal(counts(k).dropped, 0);
        kit_ask(k, &q, 1);
    }
    assert_int_equal(counts(k).dropped, 1);
    kit_subscribe(k, KIT_REPLY, true);
    for (unsigned i = 0; i < PUBLISHER_WAITING_MAX; i++)
        kit_take_frame(k);
    kit_assert_nothing(k);
}

static void with_more_askers_than_can_be_noted_everybody_is_answered(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("a", 0);
    char reply[REPLY_SIZE + 1];
    for (unsigned i = 0; i < PUBLISHER_ASKERS_MAX - 1; i++) {
        snprintf(reply, sizeof reply, "%032x", i);
        kit_subscribe(k, reply, true);
        kit_subscribe(k, reply, true); /* XPUB_VERBOSE says it again; that is one asker */
    }
    kit_ask(k, &q, 1);
    kit_assert_nothing(k);
    for (unsigned i = PUBLISHER_ASKERS_MAX; i < PUBLISHER_ASKERS_MAX + 2; i++) {
        snprintf(reply, sizeof reply, "%032x", i);
        kit_subscribe(k, reply, true);
    }
    kit_ask(k, &q, 1);
    kit_take_frame(k);
    snprintf(reply, sizeof reply, "%032x", 5);
    kit_subscribe(k, reply, false); /* there is room to note it again */
    kit_ask(k, &q, 1);
    kit_assert_nothing(k);
}

static void subscriptions_to_other_topics_are_nobodys_request(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("a", 0);
    static const char *const others[] = {
        "\1l2.BTC-USD",
        "\1re.0123",
        "\1",
        "",
        "\1re.0123456789abcdef0123456789abcdef01234567",
        "\1xx.0123456789abcdef0123456789abcdef",
    };
    kit_ask(k, &q, 1);
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        publisher_subscription(k->publisher, (const uint8_t *)others[i],
                               strlen(others[i]) + (i != 3));
    kit_assert_nothing(k);
}

/* ---- garbage ---- */

static void assert_garbage(struct publisher_kit *k, const uint8_t *bytes, size_t size)
{
    uint64_t before = counts(k).garbage;
    uint8_t *copy = malloc(size + (size == 0)); /* exact, so that ASan sees a byte too far */
    memcpy(copy, bytes, size);
    publisher_request(k->publisher, copy, size, 1);
    free(copy);
    assert_int_equal(counts(k).garbage, before + 1);
    kit_assert_nothing(k);
}

static void what_cannot_be_read_is_counted_and_ignored(void **state)
{
    struct publisher_kit *k = *state;
    struct request requests[] = {kit_resend("a", 0, 0), kit_snapshot("a", 0)};
    uint8_t bytes[600];
    for (unsigned i = 0; i < 2; i++) {
        size_t size = kit_request_bytes(&requests[i], bytes);
        for (size_t cut = 0; cut < size; cut++)
            assert_garbage(k, bytes, cut);
        bytes[size] = 0xc0;
        assert_garbage(k, bytes, size + 1); /* something behind it */
        bytes[1] = PROTOCOL_VERSION + 1;
        assert_garbage(k, bytes, size);
        bytes[1] = PROTOCOL_VERSION;
        bytes[2] = MESSAGE_NEW_ORDER;
        assert_garbage(k, bytes, size);
    }
    memset(bytes, 0xff, sizeof bytes);
    assert_garbage(k, bytes, sizeof bytes);
    struct request q = kit_snapshot("a", 0); /* and goes on */
    kit_ask(k, &q, 1);
    kit_take_frame(k);
}

static void a_reply_name_is_32_lower_case_hexadecimal_digits(void **state)
{
    struct publisher_kit *k = *state;
    static const char *const replies[] = {
        "", "0123456789abcdef0123456789abcde", "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdeg", "0123456789abcdef 123456789abcdef"};
    uint8_t bytes[512];
    for (unsigned i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct request q = kit_snapshot("a", 0);
        q.snapshot.reply = text_of(replies[i]);
        assert_garbage(k, bytes, kit_request_bytes(&q, bytes));
    }
}

/* Fields of a later version behind the ones known, 512 bytes in all at most. */
static void a_request_of_a_later_version_is_read_up_to_512_bytes(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("a", 0);
    static const char filler[512];
    for (size_t size = 511; size <= 513; size++) {
        uint8_t bytes[1024];
        size_t known = kit_request_bytes(&q, bytes);
        bytes[0]++;
        struct wire_writer w = {bytes + known};
        wire_put_text(&w, (struct text){filler, size - known - 3});
        assert_int_equal(w.at - bytes, size);
        if (size > 512) {
            assert_garbage(k, bytes, size);
        } else {
            publisher_request(k->publisher, bytes, size, 1);
            kit_take_frame(k);
        }
    }
}

/* ---- refusals ---- */

static void assert_refused(struct publisher_kit *k, const struct request *q, enum reason code)
{
    uint64_t type, before = counts(k).refused;
    struct wire_reader fields;
    kit_ask(k, q, 1);
    struct frame_reader f = kit_take_frame(k);
    struct reply r = kit_reply(&f);
    assert_int_equal(r.code, code);
    assert_true(r.request_type == q->type && r.chunk == 0 && r.last);
    assert_true(r.request_id == (q->type == MESSAGE_RESEND ? 11 : 12));
    assert_false(frame_next_event(&f, &type, &fields));
    assert_false(frame_next_group(&f));
    assert_int_equal(counts(k).refused, before + 1);
    kit_assert_nothing(k);
}

static void an_unknown_topic_is_told(void **state)
{
    struct request q = kit_resend("none", 0, 0);
    assert_refused(*state, &q, REJECT_UNKNOWN_TOPIC);
    q = kit_resend("", 0, 0);
    assert_refused(*state, &q, REJECT_UNKNOWN_TOPIC);
}

static void another_epoch_is_told(void **state)
{
    struct request q = kit_resend("a", 0, 0);
    q.resend.epoch = KIT_EPOCH - 1;
    assert_refused(*state, &q, REJECT_EPOCH_CHANGED);
    q.resend.epoch = KIT_EPOCH + 1;
    assert_refused(*state, &q, REJECT_EPOCH_CHANGED);
}

static void the_future_is_not_caught_up_with(void **state)
{
    struct publisher_kit *k = *state;
    kit_frame(k, 0, 10);
    kit_drop_all(k);
    struct request q = kit_resend("a", 0, 11);
    assert_refused(k, &q, REJECT_NOT_CAUGHT_UP);
    q = kit_resend("a", 0, 10);
    kit_ask(k, &q, 1);
    struct frame_reader f = kit_take_frame(k);
    assert_int_equal(kit_reply(&f).code, 0);
}

static void what_is_not_kept_any_more_is_too_old(void **state)
{
    (void)state;
    static struct publisher_kit small;
    struct publisher_limits limits = kit_limits();
    limits.ring_frames_max = 3;
    kit_open(&small, &limits, 1 << 20);
    publisher_topic_add(small.publisher, 0, text_of("a"), TOPIC_PLAIN);
    kit_subscribe(&small, KIT_REPLY, true);
    for (uint64_t seq = 1; seq <= 5; seq++)
        kit_frame(&small, 0, seq);
    kit_drop_all(&small);
    struct request q = kit_resend("a", 1, 5);
    assert_refused(&small, &q, REJECT_TOO_OLD);
    q = kit_resend("a", 1, 2); /* what is wanted is kept, what it stands on is not */
    assert_refused(&small, &q, REJECT_TOO_OLD);
    q = kit_resend("a", 2, 5);
    kit_ask(&small, &q, 1);
    struct frame_reader f = kit_take_frame(&small);
    assert_int_equal(kit_reply(&f).code, 0);
    kit_close(&small);
}

static void what_was_before_a_restart_is_too_old(void **state)
{
    struct publisher_kit *k = *state;
    kit_frame(k, 0, 5);
    publisher_topic_restart(k->publisher, 0, 8);
    kit_frame(k, 0, 9);
    kit_drop_all(k);
    struct request q = kit_resend("a", 4, 9);
    assert_refused(k, &q, REJECT_TOO_OLD);
    q = kit_resend("a", 8, 9);
    kit_ask(k, &q, 1);
    struct frame_reader f = kit_take_frame(k);
    assert_int_equal(kit_reply(&f).code, 0);
}

static void a_snapshot_is_refused_with_the_code_of_its_state(void **state)
{
    struct publisher_kit *k = *state;
    struct request q = kit_snapshot("a", 7);
    k->snapshot_code = REJECT_NOT_CAUGHT_UP;
    assert_refused(k, &q, REJECT_NOT_CAUGHT_UP);
    k->snapshot_code = REJECT_UNKNOWN_TOPIC;
    assert_refused(k, &q, REJECT_UNKNOWN_TOPIC);
    assert_int_equal(k->snapshots_asked, 2);
}

/* ---- resends ---- */

/* Frames kept as they were sent. */
static struct bytes sent[64];

static void send_frames(struct publisher_kit *k, uint64_t count)
{
    for (uint64_t seq = 1; seq <= count; seq++) {
        struct bytes m;
        kit_frame(k, 1, seq); /* the other topic's, in between */
        kit_drop_all(k);
        kit_frame(k, 0, seq);
        assert_true(kit_take(k, &m));
        free((void *)(uintptr_t)sent[seq].data);
        uint8_t *copy = malloc(m.size);
        memcpy(copy, m.data, m.size);
        sent[seq] = (struct bytes){copy, m.size};
    }
}

/* Ask for (after, through]; frames first..last must come, in one chunk. */
static void assert_resent(struct publisher_kit *k, uint64_t after, uint64_t through, uint64_t first,
                          uint64_t last)
{
    struct request q = kit_resend("a", after, through);
    uint64_t type;
    struct wire_reader fields;
    kit_ask(k, &q, 1);
    struct frame_reader f = kit_take_frame(k);
    struct reply r = kit_reply(&f);
    assert_true(r.code == 0 && r.chunk == 0 && r.last && r.request_id == 11);
    assert_true(r.request_type == MESSAGE_RESEND && f.head.epoch == KIT_EPOCH);
    for (uint64_t seq = first; seq <= last; seq++) {
        struct resent m;
        assert_true(frame_next_event(&f, &type, &fields));
        assert_int_equal(type, MESSAGE_RESENT);
        resent_get_fields(&fields, &m);
        assert_int_equal(m.frame.size, sent[seq].size);
        assert_memory_equal(m.frame.data, sent[seq].data, m.frame.size);
    }
    assert_false(frame_next_event(&f, &type, &fields));
    kit_assert_nothing(k);
}

static void a_resend_returns_the_same_bytes_in_order(void **state)
{
    struct publisher_kit *k = *state;
    send_frames(k, 10);
    assert_resent(k, 0, 10, 1, 10);
    assert_resent(k, 3, 7, 4, 7);
    assert_resent(k, 9, 10, 10, 10);
    assert_resent(k, 0, 1, 1, 1);
    assert_int_equal(counts(k).resends, 4);
}

static void a_resend_of_nothing_is_an_empty_answer(void **state)
{
    struct publisher_kit *k = *state;
    assert_resent(k, 0, 0, 1, 0); /* of a topic that has no frames yet */
    send_frames(k, 3);
    assert_resent(k, 2, 2, 1, 0);
    assert_resent(k, 3, 3, 1, 0);
    assert_resent(k, 3, 1, 1, 0);
    assert_resent(k, UINT64_MAX, 3, 1, 0);
}

static void frames_that_cover_the_ends_are_sent_whole(void **state)
{
    struct publisher_kit *k = *state;
    kit_group(k, 0, 5);
    kit_group(k, 0, 9);
    publisher_flush(k->publisher, 1); /* (0, 9] */
    kit_frame(k, 0, 20);              /* (9, 20] */
    kit_drop_all(k);
    struct request q = kit_resend("a", 6, 12);
    kit_ask(k, &q, 1);
    struct frame_reader f = kit_take_frame(k);
    kit_reply(&f);
    uint64_t type;
    struct wire_reader fields;
    unsigned count = 0;
    while (frame_next_event(&f, &type, &fields))
        count++;
    assert_int_equal(count, 2);
}

/* Chunks of an answer from the first to the last; how many events behind the replies. */
static unsigned read_chunks(struct publisher_kit *k, unsigned *chunks)
{
    unsigned events = 0;
    struct reply r;
    *chunks = 0;
    do {
        uint64_t type;
        struct wire_reader fields;
        struct frame_reader f = kit_take_frame(k);
        r = kit_reply(&f);
        assert_int_equal(r.chunk, *chunks);
        while (frame_next_event(&f, &type, &fields))
            events++;
        ++*chunks;
    } while (!r.last);
    kit_assert_nothing(k);
    return events;
}

static void a_large_resend_comes_in_chunks(void **state)
{
    struct publisher_kit *k = *state;
    unsigned chunks;
    for (uint64_t seq = 1; seq <= 20000; seq++) {
        kit_frame(k, 0, seq);
        kit_drop_all(k);
    }
    struct request q = kit_resend("a", 20000 - 5000, 20000);
    kit_ask(k, &q, 1);
    assert_int_equal(read_chunks(k, &chunks), 5000);
    assert_true(chunks > 1);
    q = kit_resend("a", 20000 - 16384, 20000); /* the most there can be in one answer */
    kit_ask(k, &q, 1);
    assert_int_equal(read_chunks(k, &chunks), 16384);
    q = kit_resend("a", 20000 - 16385, 20000);
    assert_refused(k, &q, REJECT_TOO_OLD);
}

/* ---- snapshots ---- */

static void a_snapshot_comes_in_chunks_whole_and_in_order(void **state)
{
    struct publisher_kit *k = *state;
    static const unsigned levels[] = {0, 1, 14, 15, 16, 1000, 20000};
    for (unsigned i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        k->snapshot_levels = levels[i];
        k->snapshot_seq = 50 + i;
        struct request q = kit_snapshot("a", 7);
        kit_ask(k, &q, 1);
        int64_t price = 0;
        uint64_t chunk = 0;
        struct reply r;
        do {
            uint64_t type;
            struct wire_reader fields;
            struct level m;
            struct frame_reader f = kit_take_frame(k);
            assert_true(f.head.seq == 50 + i && f.head.hash.value == 99);
            r = kit_reply(&f);
            assert_true(r.chunk == chunk++ && r.code == 0 && r.request_id == 12);
            while (frame_next_event(&f, &type, &fields)) {
                level_get_fields(&fields, &m);
                assert_true(m.price == ++price);
            }
        } while (!r.last);
        assert_int_equal(price, levels[i]);
        assert_true(levels[i] < 20000 ? chunk == 1 : chunk > 1);
        kit_assert_nothing(k);
    }
    assert_int_equal(counts(k).snapshots, sizeof levels / sizeof levels[0]);
}

static void an_answer_without_room_is_cut_and_never_ends(void **state)
{
    (void)state;
    static struct publisher_kit small;
    struct publisher_limits limits = kit_limits();
    kit_open(&small, &limits, 512 << 10);
    kit_subscribe(&small, KIT_REPLY, true);
    small.snapshot_levels = 200000; /* some MiB */
    struct request q = kit_snapshot("a", 0);
    kit_ask(&small, &q, 1);
    assert_int_equal(counts(&small).dropped, 1);
    struct outgoing waits;
    uint64_t chunk = 0;
    int64_t price = 0;
    while (outbox_peek(&small.outbox, UINT64_MAX, &waits)) {
        uint64_t type;
        struct wire_reader fields;
        struct level m;
        struct frame_reader f = kit_take_frame(&small);
        struct reply r = kit_reply(&f);
        assert_true(!r.last && r.chunk == chunk++);
        while (frame_next_event(&f, &type, &fields)) {
            level_get_fields(&fields, &m);
            assert_true(m.price == ++price);
        }
    }
    small.snapshot_levels = 3; /* and the next answer is whole */
    kit_ask(&small, &q, 1);
    unsigned chunks;
    assert_int_equal(read_chunks(&small, &chunks), 3);
    kit_close(&small);
}

static void a_message_of_its_own_has_no_reply_in_it(void **state)
{
    struct publisher_kit *k = *state;
    char topic[] = "ack.gw";
    uint64_t type;
    struct wire_reader fields;
    publisher_message_begin(k->publisher, &(struct message_head){.topic = text_of(topic),
                                                                 .type = FRAME_EVENTS,
                                                                 .epoch = KIT_EPOCH,
                                                                 .seq = 3,
                                                                 .time_ns = 4});
    memset(topic, 'x', sizeof topic - 1); /* its name was borrowed */
    delete_put(publisher_message_event(k->publisher, DELETE_SIZE_MAX), &(struct delete){1});
    publisher_message_event_end(k->publisher);
    publisher_message_end(k->publisher);
    struct frame_reader f = kit_take_frame(k);
    assert_true(text_equal(f.head.topic, text_of("ack.gw")));
    assert_true(f.head.seq == 3 && f.head.prev_seq == 0 && f.head.type == FRAME_EVENTS);
    assert_true(frame_next_group(&f) && frame_next_event(&f, &type, &fields));
    assert_int_equal(type, MESSAGE_DELETE);
    assert_false(frame_next_event(&f, &type, &fields));
}

int main(void)
{
#define WAITS(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup_subscribed, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_asker_that_is_subscribed_is_answered_at_once),
        WAITS(a_request_waits_for_its_subscription),
        WAITS(all_requests_that_wait_are_answered),
        TEST(an_asker_that_left_is_not_answered),
        WAITS(a_request_waits_two_seconds_and_no_more),
        WAITS(at_most_256_requests_wait),
        WAITS(with_more_askers_than_can_be_noted_everybody_is_answered),
        WAITS(subscriptions_to_other_topics_are_nobodys_request),
        TEST(what_cannot_be_read_is_counted_and_ignored),
        TEST(a_reply_name_is_32_lower_case_hexadecimal_digits),
        TEST(a_request_of_a_later_version_is_read_up_to_512_bytes),
        TEST(an_unknown_topic_is_told),
        TEST(another_epoch_is_told),
        TEST(the_future_is_not_caught_up_with),
        TEST(what_is_not_kept_any_more_is_too_old),
        TEST(what_was_before_a_restart_is_too_old),
        TEST(a_snapshot_is_refused_with_the_code_of_its_state),
        TEST(a_resend_returns_the_same_bytes_in_order),
        TEST(a_resend_of_nothing_is_an_empty_answer),
        TEST(frames_that_cover_the_ends_are_sent_whole),
        TEST(a_large_resend_comes_in_chunks),
        TEST(a_snapshot_comes_in_chunks_whole_and_in_order),
        TEST(an_answer_without_room_is_cut_and_never_ends),
        TEST(a_message_of_its_own_has_no_reply_in_it),
    };
#undef WAITS
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
