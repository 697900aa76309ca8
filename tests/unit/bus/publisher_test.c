/* publisher: from events to frames: one frame a topic a flush, chained, with the hash behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/base/death.h"
#include "tests/unit/bus/publisher_kit.h"

static struct publisher_kit kit;

static int setup(void **state)
{
    struct publisher_limits limits = kit_limits();
    *state = &kit;
    kit_open(&kit, &limits, 32 << 20);
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    return 0;
}

static uint32_t topic(struct publisher_kit *k, const char *name, enum topic_kind kind)
{
    return publisher_topic_add(k->publisher, 0, text_of(name), kind);
}

/* The sequences of a frame's groups, each with one event, as "3 5 9". */
static void assert_groups(struct frame_reader *f, const uint64_t *seqs, unsigned count)
{
    uint64_t type;
    struct wire_reader fields;
    assert_int_equal(f->head.group_count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(frame_next_group(f));
        assert_true(f->group_seq == seqs[i]);
        assert_true(frame_next_event(f, &type, &fields));
        assert_int_equal(type, MESSAGE_LEVEL);
        assert_false(frame_next_event(f, &type, &fields));
    }
    assert_false(frame_next_group(f));
}

static void assert_head(const struct frame_reader *f, const char *name, uint64_t prev_seq,
                        uint64_t seq)
{
    assert_true(text_equal(f->head.topic, text_of(name)));
    assert_int_equal(f->head.type, FRAME_EVENTS);
    assert_true(f->head.prev_seq == prev_seq && f->head.seq == seq);
}

/* ---- frames ---- */

static void nothing_put_is_nothing_said(void **state)
{
    struct publisher_kit *k = *state;
    topic(k, "a", TOPIC_PLAIN);
    publisher_group_end(k->publisher, 1);
    publisher_flush(k->publisher, 1);
    kit_assert_nothing(k);
}

static void a_flush_makes_one_frame_of_each_touched_topic_in_the_order_of_touching(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN), b = topic(k, "b", TOPIC_PLAIN);
    topic(k, "untouched", TOPIC_PLAIN);
    kit_group(k, b, 3);
    kit_group(k, a, 4);
    kit_group(k, b, 9);
    publisher_flush(k->publisher, 1234);

    struct frame_reader f = kit_take_frame(k);
    assert_head(&f, "b", 0, 9);
    assert_true(f.head.time_ns == 1234 && f.head.epoch == KIT_EPOCH);
    assert_groups(&f, (uint64_t[]){3, 9}, 2);
    f = kit_take_frame(k);
    assert_head(&f, "a", 0, 4);
    assert_groups(&f, (uint64_t[]){4}, 1);
    kit_assert_nothing(k);
}

static void one_command_may_put_into_many_topics(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN), b = topic(k, "b", TOPIC_PLAIN);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        kit_level(k, a, seq, 1);
        kit_level(k, b, seq, 2);
        kit_level(k, a, seq, 3);
        publisher_group_end(k->publisher, 1);
    }
    publisher_flush(k->publisher, 1);
    struct frame_reader f = kit_take_frame(k);
    assert_head(&f, "a", 0, 2);
    assert_int_equal(f.head.group_count, 2);
    f = kit_take_frame(k);
    assert_head(&f, "b", 0, 2);
    assert_groups(&f, (uint64_t[]){1, 2}, 2);
}

static void each_frame_says_what_came_before_it(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN), b = topic(k, "b", TOPIC_PLAIN);
    static const uint64_t seqs[] = {2, 3, 90, UINT64_MAX};
    uint64_t prev = 0;
    for (unsigned i = 0; i < 4; i++) {
        kit_frame(k, a, seqs[i]);
        struct frame_reader f = kit_take_frame(k);
        assert_head(&f, "a", prev, seqs[i]);
        prev = seqs[i];
        assert_true(publisher_topic_seq(k->publisher, a) == seqs[i]);
        assert_int_equal(publisher_topic_seq(k->publisher, b), 0);
    }
    assert_int_equal(publisher_counts(k->publisher).frames, 4);
}

static void an_unchained_topic_has_no_before(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "ack.gw", TOPIC_UNCHAINED);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        kit_frame(k, a, seq);
        struct frame_reader f = kit_take_frame(k);
        assert_head(&f, "ack.gw", 0, seq);
        assert_false(f.head.hash.given);
    }
    assert_int_equal(publisher_counts(k->publisher).frames, 0); /* not kept */
}

static void results_come_after_what_they_are_results_of(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t ack = topic(k, "ack.gw", TOPIC_UNCHAINED), other = topic(k, "ack.x", TOPIC_UNCHAINED);
    uint32_t a = topic(k, "acct.a", TOPIC_PLAIN), b = topic(k, "acct.b", TOPIC_PLAIN);
    kit_group(k, other, 1);
    kit_group(k, ack, 2);
    kit_level(k, b, 3, 1);
    kit_level(k, ack, 3, 1);
    publisher_group_end(k->publisher, 1);
    kit_group(k, a, 4);
    publisher_flush(k->publisher, 1);
    static const char *const order[] = {"acct.b", "acct.a", "ack.x", "ack.gw"};
    for (unsigned i = 0; i < 4; i++) {
        struct frame_reader f = kit_take_frame(k);
        assert_true(text_equal(f.head.topic, text_of(order[i])));
    }
    kit_assert_nothing(k);
}

/* Put groups into the topic until it is about to be split; the next sequence. */
static uint64_t fill(struct publisher_kit *k, uint32_t topic, uint64_t seq)
{
    enum { GROUP_SIZE_MAX = 32 };
    size_t before = publisher_pending_size(k->publisher);
    while (publisher_pending_size(k->publisher) - before <
           FRAME_SPLIT_SIZE + FRAME_HEAD_SIZE_MAX - GROUP_SIZE_MAX)
        kit_group(k, topic, seq++);
    kit_assert_nothing(k);
    return seq;
}

static void results_that_go_early_take_everything_before_them_along(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t ack = topic(k, "ack.gw", TOPIC_UNCHAINED), other = topic(k, "ack.x", TOPIC_UNCHAINED);
    uint32_t a = topic(k, "acct.a", TOPIC_PLAIN), b = topic(k, "acct.b", TOPIC_PLAIN);
    kit_group(k, other, 1);
    kit_group(k, a, 2);
    uint64_t seq = fill(k, ack, 3);
    while (publisher_pending_size(k->publisher) > FRAME_SPLIT_SIZE) {
        kit_level(k, ack, seq, 1);
        kit_level(k, b, seq, 1); /* the same command's */
        publisher_group_end(k->publisher, seq++);
    }
    static const char *const order[] = {"acct.a", "acct.b", "ack.gw"};
    for (unsigned i = 0; i < 3; i++) {
        struct frame_reader f = kit_take_frame(k);
        assert_true(text_equal(f.head.topic, text_of(order[i])));
        assert_true(f.head.seq == (i == 0 ? 2 : seq - 1));
        assert_true(f.head.time_ns == seq - 1);
    }
    kit_assert_nothing(k); /* the other results wait for the flush */
    publisher_flush(k->publisher, 1);
    assert_true(text_equal(kit_take_frame(k).head.topic, text_of("ack.x")));
    kit_assert_nothing(k);
}

static void a_chained_topic_that_goes_early_goes_alone(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t ack = topic(k, "ack.gw", TOPIC_UNCHAINED);
    uint32_t a = topic(k, "acct.a", TOPIC_PLAIN), b = topic(k, "acct.b", TOPIC_PLAIN);
    kit_group(k, ack, 1);
    kit_group(k, b, 2);
    uint64_t seq = fill(k, a, 3);
    while (publisher_pending_size(k->publisher) > FRAME_SPLIT_SIZE)
        kit_group(k, a, seq++);
    assert_true(text_equal(kit_take_frame(k).head.topic, text_of("acct.a")));
    kit_assert_nothing(k);
    publisher_flush(k->publisher, 1);
    assert_true(text_equal(kit_take_frame(k).head.topic, text_of("acct.b")));
    assert_true(text_equal(kit_take_frame(k).head.topic, text_of("ack.gw")));
}

static void a_hashed_topic_carries_the_hash_of_the_state_behind_it(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_HASHED), b = topic(k, "b", TOPIC_PLAIN);
    k->hashes[a] = 1;
    kit_group(k, a, 1);
    kit_group(k, b, 2);
    kit_group(k, a, 3);
    k->hashes[a] = 42; /* as it is when the frame is made */
    publisher_flush(k->publisher, 1);
    struct frame_reader f = kit_take_frame(k);
    assert_true(f.head.hash.given && f.head.hash.value == 42);
    f = kit_take_frame(k);
    assert_false(f.head.hash.given);
}

/* ---- how many events, how many groups ---- */

static void put_deletes(struct publisher_kit *k, uint32_t t, uint64_t seq, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        delete_put(publisher_event(k->publisher, t, seq, DELETE_SIZE_MAX), &(struct delete){i});
        publisher_event_end(k->publisher);
    }
}

static void assert_deletes(struct frame_reader *f, uint64_t seq, uint32_t count)
{
    uint64_t type;
    struct wire_reader fields;
    struct delete m;
    assert_true(frame_next_group(f));
    assert_true(f->group_seq == seq);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(frame_next_event(f, &type, &fields));
        delete_get_fields(&fields, &m);
        assert_true(type == MESSAGE_DELETE && m.order_id == i);
    }
    assert_false(frame_next_event(f, &type, &fields));
}

static void a_group_of_any_count_of_events_reads_back(void **state)
{
    struct publisher_kit *k = *state;
    static const uint32_t counts[] = {1, 14, 15, 16, 17, 254, 255, 256, 1000, 65534, 65535};
    uint32_t a = topic(k, "a", TOPIC_PLAIN);
    for (uint64_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        put_deletes(k, a, 2 * i + 1, counts[i]);
        publisher_group_end(k->publisher, 1);
        kit_frame(k, a, 2 * i + 2); /* and does not disturb the group behind it */
        struct frame_reader f = kit_take_frame(k);
        assert_deletes(&f, 2 * i + 1, counts[i]);
        if (!frame_next_group(&f))
            f = kit_take_frame(k);
        assert_true(f.head.seq == 2 * i + 2);
        kit_assert_nothing(k);
    }
}

static void put_65536_events(void *self)
{
    put_deletes(self, 0, 1, 65536);
    publisher_group_end(((struct publisher_kit *)self)->publisher, 1);
}

static void no_command_makes_more_than_65535_events_of_a_topic(void **state)
{
    topic(*state, "a", TOPIC_PLAIN);
    assert_true(death_of(put_65536_events, *state).aborted);
}

static void a_frame_of_any_count_of_groups_reads_back(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN);
    uint64_t seq = 0;
    for (uint32_t count = 1; count < 40; count++) {
        for (uint32_t g = 0; g < count; g++) {
            put_deletes(k, a, ++seq, g);
            if (g == 0)
                put_deletes(k, a, seq, 1);
            publisher_group_end(k->publisher, 1);
        }
        publisher_flush(k->publisher, 1);
        struct frame_reader f = kit_take_frame(k);
        assert_int_equal(f.head.group_count, count);
        for (uint32_t g = 0; g < count; g++)
            assert_deletes(&f, seq - count + 1 + g, g == 0 ? 1 : g);
        assert_false(frame_next_group(&f));
    }
}

/* ---- sizes ---- */

/* A group of exactly `size` bytes on a topic; its seq below 128. */
static void group_of_size(struct publisher_kit *k, uint32_t t, uint64_t seq, size_t size)
{
    static const uint8_t zeros[PUBLISHER_CHUNK_SIZE];
    size_t left = size - 3; /* [seq, [events]] */
    size_t head = 2;        /* [type, ... */
    unsigned count = 0;
    while (left > 0) {
        size_t event = left > 900 ? 800 : left;
        size_t body = event - head - (event - head <= 257 ? 2 : 3);
        struct wire_writer *w = publisher_event(k->publisher, t, seq, event);
        uint8_t *start = w->at;
        resent_put(w, &(struct resent){{zeros, body}});
        assert_int_equal(w->at - start, event);
        publisher_event_end(k->publisher);
        left -= event;
        if (++count == 16) /* the count takes two bytes more */
            left -= 2;
    }
    publisher_group_end(k->publisher, 7);
}

static void a_topic_is_split_only_when_it_outgrows_its_limit(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN);
    static const size_t sizes[] = {FRAME_SPLIT_SIZE - 1, FRAME_SPLIT_SIZE, FRAME_SPLIT_SIZE + 1};
    for (unsigned i = 0; i < 3; i++) {
        uint64_t seq = 10 * i;
        group_of_size(k, a, seq + 1, sizes[i] - 1000);
        group_of_size(k, a, seq + 2, 1000);
        if (i < 2)
            kit_assert_nothing(k);
        kit_group(k, a, seq + 3);
        publisher_flush(k->publisher, 1);
        struct frame_reader f = kit_take_frame(k);
        assert_int_equal(f.head.group_count, i < 2 ? 3 : 2);
        if (i == 2) {
            assert_head(&f, "a", 13, 22);
            assert_int_equal(f.head.time_ns, 7);
            f = kit_take_frame(k);
            assert_head(&f, "a", 22, 23);
            assert_groups(&f, (uint64_t[]){23}, 1);
        }
        kit_assert_nothing(k);
    }
}

static void a_split_leaves_other_topics_in_their_order(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN), b = topic(k, "b", TOPIC_PLAIN);
    uint32_t c = topic(k, "c", TOPIC_HASHED);
    kit_group(k, a, 1);
    k->hashes[c] = 5;
    kit_level(k, c, 2, 1);
    group_of_size(k, b, 2, FRAME_SPLIT_SIZE + 1); /* b splits, while c has a group in it */
    k->hashes[c] = 6;
    kit_group(k, b, 3);
    publisher_flush(k->publisher, 1);
    static const char *const names[] = {"b", "a", "c", "b"};
    for (unsigned i = 0; i < 4; i++) {
        struct frame_reader f = kit_take_frame(k);
        assert_true(text_equal(f.head.topic, text_of(names[i])));
        assert_true(f.head.hash.given == (i == 2) && f.head.hash.value == (i == 2 ? 6 : 0));
    }
    kit_assert_nothing(k);
}

static void the_largest_group_fits_a_frame_and_so_does_its_resend(void **state)
{
    struct publisher_kit *k = *state;
    char name[TOPIC_SIZE_MAX + 1];
    memset(name, 'x', TOPIC_SIZE_MAX);
    name[TOPIC_SIZE_MAX] = '\0';
    uint32_t a = topic(k, name, TOPIC_PLAIN);
    group_of_size(k, a, 1, FRAME_EVENTS_SIZE_MAX);
    struct frame_reader f = kit_take_frame(k);
    assert_head(&f, name, 0, 1);
    kit_subscribe(k, KIT_REPLY, true);
    struct request q = kit_resend(name, 0, 1);
    kit_ask(k, &q, 1);
    f = kit_take_frame(k);
    assert_true(kit_reply(&f).last);
}

static void put_too_large_a_group(void *self)
{
    group_of_size(self, 0, 1, FRAME_EVENTS_SIZE_MAX + 1);
}

static void a_larger_one_is_a_broken_invariant(void **state)
{
    topic(*state, "a", TOPIC_PLAIN);
    assert_true(death_of(put_too_large_a_group, *state).aborted);
}

/* ---- what is pending ---- */

static void what_is_pending_bounds_what_a_flush_takes(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN), b = topic(k, "ack.b", TOPIC_UNCHAINED);
    assert_int_equal(publisher_pending_size(k->publisher), 0);
    for (uint64_t round = 1; round <= 3; round++) {
        for (uint64_t g = 0; g < 30; g++) {
            put_deletes(k, a, round * 100 + g, (uint32_t)g + 1);
            put_deletes(k, b, round * 100 + g, 40);
            publisher_group_end(k->publisher, 1);
        }
        size_t pending = publisher_pending_size(k->publisher);
        publisher_flush(k->publisher, 1);
        assert_int_equal(publisher_pending_size(k->publisher), 0);
        struct bytes m;
        size_t taken = 0;
        while (kit_take(k, &m))
            taken += m.size;
        assert_true(taken > 1000 && taken <= pending);
    }
}

static void chunks_come_back_with_the_flush(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t free_chunks = publisher_chunks_free(k->publisher);
    uint32_t a = topic(k, "a", TOPIC_PLAIN), b = topic(k, "b", TOPIC_PLAIN);
    assert_int_equal(free_chunks, kit_limits().chunks_max);
    for (uint64_t seq = 1; seq < 100; seq++) {
        kit_group(k, a, seq);
        assert_int_equal(publisher_chunks_free(k->publisher), free_chunks - 1);
        group_of_size(k, b, seq, 20000);
        assert_true(publisher_chunks_free(k->publisher) <= free_chunks - 20);
        publisher_flush(k->publisher, 1);
        assert_int_equal(publisher_chunks_free(k->publisher), free_chunks);
        kit_drop_all(k);
    }
}

static void put_more_than_there_are_chunks(void *self)
{
    struct publisher_kit *k = self;
    for (uint32_t i = 0; i < 60; i++)
        put_deletes(k, 0, 1, 1000);
}

static void all_chunks_can_be_used_and_no_more(void **state)
{
    (void)state;
    static struct publisher_kit small;
    struct publisher_limits limits = kit_limits();
    limits.chunks_max = 20;
    kit_open(&small, &limits, 1 << 20);
    uint32_t a = topic(&small, "a", TOPIC_PLAIN);
    for (uint64_t seq = 1; publisher_chunks_free(small.publisher) > 0; seq++) {
        put_deletes(&small, a, seq, 20);
        publisher_group_end(small.publisher, 1);
    }
    publisher_flush(small.publisher, 1);
    kit_take_frame(&small);
    assert_true(death_of(put_more_than_there_are_chunks, &small).aborted);
    kit_close(&small);
}

static void what_is_discarded_was_never_said(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN), b = topic(k, "b", TOPIC_PLAIN);
    kit_frame(k, a, 1);
    kit_drop_all(k);
    kit_group(k, b, 2);
    kit_group(k, a, 2);
    kit_level(k, a, 3, 1); /* a group that is still open */
    publisher_discard(k->publisher);
    assert_int_equal(publisher_pending_size(k->publisher), 0);
    assert_int_equal(publisher_chunks_free(k->publisher), kit_limits().chunks_max);
    publisher_group_end(k->publisher, 1);
    publisher_flush(k->publisher, 1);
    kit_assert_nothing(k);
    kit_frame(k, a, 4); /* the chain goes on from what was said */
    struct frame_reader f = kit_take_frame(k);
    assert_head(&f, "a", 1, 4);
    assert_groups(&f, (uint64_t[]){4}, 1);
}

/* ---- topics and epochs ---- */

static void a_topic_has_one_number(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t found = 9;
    assert_false(publisher_topic_find(k->publisher, text_of("a"), &found));
    uint32_t a = topic(k, "a", TOPIC_HASHED), b = topic(k, "b", TOPIC_PLAIN);
    assert_true(a == 0 && b == 1);
    assert_int_equal(topic(k, "a", TOPIC_HASHED), a);
    assert_true(publisher_topic_find(k->publisher, text_of("b"), &found) && found == b);
    assert_false(publisher_topic_find(k->publisher, text_of("ab"), &found));
    kit_frame(k, a, 5);
    assert_int_equal(topic(k, "a", TOPIC_HASHED), a); /* and added again it keeps its place */
    assert_int_equal(publisher_topic_seq(k->publisher, a), 5);
}

static void add_one_topic(void *self)
{
    topic(self, "one more", TOPIC_PLAIN);
}

static void topics_are_limited(void **state)
{
    struct publisher_kit *k = *state;
    char name[8] = "t0";
    for (uint32_t i = 0; i < kit_limits().topics_max; i++, name[1]++)
        assert_int_equal(topic(k, name, TOPIC_PLAIN), i);
    topic(k, "t0", TOPIC_PLAIN);
    assert_true(death_of(add_one_topic, k).aborted);
}

static void a_new_epoch_begins_every_chain_again(void **state)
{
    struct publisher_kit *k = *state;
    assert_int_equal(publisher_shard_add(k->publisher, 4), 1);
    publisher_epoch_set(k->publisher, 1, 500);
    uint32_t a = topic(k, "a", TOPIC_PLAIN);
    uint32_t other = publisher_topic_add(k->publisher, 1, text_of("other"), TOPIC_PLAIN);
    kit_frame(k, a, 10);
    kit_frame(k, other, 20);
    kit_drop_all(k);
    publisher_epoch_set(k->publisher, 0, KIT_EPOCH + 1);
    assert_int_equal(publisher_topic_seq(k->publisher, a), 0);
    kit_frame(k, a, 1);
    kit_frame(k, other, 21);
    struct frame_reader f = kit_take_frame(k);
    assert_head(&f, "a", 0, 1);
    assert_int_equal(f.head.epoch, KIT_EPOCH + 1);
    f = kit_take_frame(k);
    assert_head(&f, "other", 20, 21); /* another shard's history is its own */
    assert_int_equal(f.head.epoch, 500);
}

static void add_a_shard(void *self)
{
    publisher_shard_add(((struct publisher_kit *)self)->publisher, 9);
}

static void there_are_at_most_64_shards(void **state)
{
    struct publisher_kit *k = *state;
    for (uint32_t i = 1; i < 64; i++)
        assert_int_equal(publisher_shard_add(k->publisher, (uint16_t)i), i);
    assert_true(death_of(add_a_shard, k).aborted);
}

static void a_topic_can_go_on_from_anywhere(void **state)
{
    struct publisher_kit *k = *state;
    uint32_t a = topic(k, "a", TOPIC_PLAIN);
    publisher_topic_restart(k->publisher, a, 100);
    assert_int_equal(publisher_topic_seq(k->publisher, a), 100);
    kit_frame(k, a, 101);
    struct frame_reader f = kit_take_frame(k);
    assert_head(&f, "a", 100, 101);
}

static void restart_a_touched_topic(void *self)
{
    kit_group(self, 0, 1);
    publisher_topic_restart(((struct publisher_kit *)self)->publisher, 0, 5);
}

static void a_topic_is_not_restarted_in_the_middle_of_a_frame(void **state)
{
    topic(*state, "a", TOPIC_PLAIN);
    assert_true(death_of(restart_a_touched_topic, *state).aborted);
}

static void a_forwarded_frame_is_sent_as_it_came_and_continues_the_chain(void **state)
{
    struct publisher_kit *k = *state;
    static const uint8_t anything[] = "anything at all";
    struct bytes m;
    uint32_t a = topic(k, "a", TOPIC_PLAIN);
    publisher_forward(k->publisher, a, 4, 6, anything, sizeof anything);
    assert_true(kit_take(k, &m));
    assert_int_equal(m.size, sizeof anything);
    assert_memory_equal(m.data, anything, m.size);
    assert_int_equal(publisher_topic_seq(k->publisher, a), 6);
    kit_frame(k, a, 7);
    struct frame_reader f = kit_take_frame(k);
    assert_head(&f, "a", 6, 7);
}

static void put_two_sequences_into_one_group(void *self)
{
    kit_level(self, 0, 1, 1);
    kit_level(self, 0, 2, 1);
}

static void a_group_has_one_sequence(void **state)
{
    topic(*state, "a", TOPIC_PLAIN);
    assert_true(death_of(put_two_sequences_into_one_group, *state).aborted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_put_is_nothing_said),
        TEST(a_flush_makes_one_frame_of_each_touched_topic_in_the_order_of_touching),
        TEST(one_command_may_put_into_many_topics),
        TEST(each_frame_says_what_came_before_it),
        TEST(an_unchained_topic_has_no_before),
        TEST(results_come_after_what_they_are_results_of),
        TEST(results_that_go_early_take_everything_before_them_along),
        TEST(a_chained_topic_that_goes_early_goes_alone),
        TEST(a_hashed_topic_carries_the_hash_of_the_state_behind_it),
        TEST(a_group_of_any_count_of_events_reads_back),
        TEST(no_command_makes_more_than_65535_events_of_a_topic),
        TEST(a_frame_of_any_count_of_groups_reads_back),
        TEST(a_topic_is_split_only_when_it_outgrows_its_limit),
        TEST(a_split_leaves_other_topics_in_their_order),
        TEST(the_largest_group_fits_a_frame_and_so_does_its_resend),
        TEST(a_larger_one_is_a_broken_invariant),
        TEST(what_is_pending_bounds_what_a_flush_takes),
        TEST(chunks_come_back_with_the_flush),
        TEST(all_chunks_can_be_used_and_no_more),
        TEST(what_is_discarded_was_never_said),
        TEST(a_topic_has_one_number),
        TEST(topics_are_limited),
        TEST(a_new_epoch_begins_every_chain_again),
        TEST(there_are_at_most_64_shards),
        TEST(a_topic_can_go_on_from_anywhere),
        TEST(a_topic_is_not_restarted_in_the_middle_of_a_frame),
        TEST(a_forwarded_frame_is_sent_as_it_came_and_continues_the_chain),
        TEST(a_group_has_one_sequence),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
