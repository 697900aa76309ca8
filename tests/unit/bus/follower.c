#include "tests/unit/bus/follower.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_true_state(const struct follower *f, uint32_t topic, uint64_t epoch,
                              uint64_t seq)
{
    if (!f->spoiled[topic] &&
        cells_hash(&f->topics[topic]) != feed_truth(f->feed, epoch, seq, topic))
        fail_msg("%s is not what it was at %llu.%llu", feed_name(f->feed, topic),
                 (unsigned long long)epoch, (unsigned long long)seq);
}

/* The feed's topic behind a number of the subscriber's; FEED_TOPICS: the family. */
static uint32_t topic_of(struct follower *f, uint32_t number)
{
    uint32_t topic = 0;
    if (!f->feed->family)
        return number;
    if (number == 0)
        return FEED_TOPICS;
    while (!text_equal(subscriber_topic_name(f->subscriber, number), text_of(feed_member(topic))))
        assert_true(++topic < FEED_TOPICS);
    f->members[topic] = number;
    return topic;
}

static void reset_topic(struct follower *f, uint32_t topic)
{
    memset(&f->topics[topic], 0, sizeof f->topics[topic]);
    f->spoiled[topic] = false;
    f->group_seq[topic] = 0;
}

static void on_reset(void *self, uint32_t number)
{
    struct follower *f = self;
    uint32_t topic = topic_of(f, number);
    f->resets++;
    for (uint32_t t = 0; topic == FEED_TOPICS && t < FEED_TOPICS; t++)
        reset_topic(f, t);
    if (topic < FEED_TOPICS)
        reset_topic(f, topic);
}

static void on_event(void *self, uint32_t number, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    struct follower *f = self;
    uint32_t topic = topic_of(f, number);
    struct level m;
    f->last_event_seq = seq;
    if (type != MESSAGE_LEVEL)
        return;
    level_get_fields(fields, &m);
    assert_false(fields->bad);
    if (topic == FEED_TOPICS) {
        assert_true(seq == 0 && m.price >= 0 && m.price < FEED_TOPICS * FEED_CELLS);
        topic = (uint32_t)m.price / FEED_CELLS;
        m.price %= FEED_CELLS;
    }
    assert_true(m.price >= 0 && m.price < FEED_CELLS);
    f->topics[topic].values[m.price] = m.qty;
}

static void on_joined(void *self, uint32_t number, const struct frame_head *head)
{
    struct follower *f = self;
    uint32_t topic = topic_of(f, number);
    f->joins++;
    for (uint32_t t = 0; t < FEED_TOPICS; t++) {
        if (t != topic && topic != FEED_TOPICS)
            continue;
        assert_true_state(f, t, head->epoch, head->seq);
        f->group_seq[t] = head->seq;
    }
    assert_true(subscriber_seq(f->subscriber, number) == head->seq);
    assert_true(subscriber_epoch(f->subscriber, number) == head->epoch);
}

static void on_group(void *self, uint32_t number, uint64_t seq, const struct frame_head *head)
{
    struct follower *f = self;
    uint32_t topic = topic_of(f, number);
    f->groups++;
    if (f->log_count < FOLLOWER_LOG_MAX)
        f->log[f->log_count++] = topic;
    assert_true(seq > f->group_seq[topic] && seq <= head->seq); /* each once, and in order */
    f->before_seq = subscriber_seq(f->subscriber, number);
    f->group_seq[topic] = seq;
    assert_true_state(f, topic, head->epoch, seq);
}

static void on_frame(void *self, uint32_t number, const struct frame_head *head,
                     const uint8_t *bytes, size_t size)
{
    struct follower *f = self;
    uint32_t topic = topic_of(f, number);
    struct frame_reader again;
    f->frames++;
    f->part_frames += head->prev_seq < f->before_seq;
    assert_int_equal(frame_read(&again, bytes, size), FRAME_READ_OK);
    assert_true(again.head.seq == head->seq && again.head.prev_seq == head->prev_seq);
    assert_true(subscriber_seq(f->subscriber, number) == head->seq);
    if (!f->feed->family && feed_hashed(topic))
        f->spoiled[topic] = false; /* its hash was right: by chance it is repaired */
    assert_true_state(f, topic, head->epoch, head->seq);
}

static void on_heartbeat(void *self, const struct frame_head *head, const struct heartbeat *m)
{
    struct follower *f = self;
    (void)head;
    assert_int_equal(m->shard, FEED_SHARD);
    f->heartbeats++;
    f->standing = m->standing;
    f->journal = m->journal;
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    const struct follower *f = self;
    if (f->feed->family)
        return (struct u64_or_nil){0, false};
    return (struct u64_or_nil){cells_hash(&f->topics[topic]), feed_hashed(topic)};
}

static void on_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    struct follower *f = self;
    (void)topic;
    f->faults[fault]++;
}

static bool on_push(void *self, const uint8_t *bytes, size_t size)
{
    struct follower *f = self;
    assert_true(size <= sizeof f->request);
    if (f->blocked)
        return false;
    f->request_count++;
    if (f->push != NULL) {
        f->push(f->link, bytes, size);
        return true;
    }
    memcpy(f->request, bytes, size);
    f->request_size = size;
    return true;
}

void follower_open(struct follower *f, const struct feed *feed, size_t kept_size, bool one_history,
                   uint32_t topics_max)
{
    struct subscriber_owner owner = {f,        on_reset,     on_event, on_joined, on_group,
                                     on_frame, on_heartbeat, on_hash,  on_fault,  one_history};
    struct subscriber_requests requests = {f, on_push};
    memset(f, 0, sizeof *f);
    f->feed = feed;
    f->subscriber = subscriber_new(&owner, &requests, FOLLOWER_REPLY, kept_size, topics_max);
    if (feed->family)
        assert_int_equal(subscriber_family_add(f->subscriber, text_of(FEED_FAMILY), FEED_SHARD), 0);
    for (uint32_t t = 0; !feed->family && t < FEED_TOPICS; t++)
        assert_int_equal(subscriber_topic_add(f->subscriber, text_of(feed_topic(t)), FEED_SHARD),
                         t);
}

void follower_close(struct follower *f)
{
    subscriber_destroy(&f->subscriber);
    assert_null(f->subscriber);
    subscriber_destroy(&f->subscriber); /* once more is no harm */
}

bool follower_right(const struct follower *f, uint32_t topic)
{
    uint32_t whole = f->feed->family ? 0 : topic;
    return subscriber_live(f->subscriber, whole) &&
           subscriber_epoch(f->subscriber, whole) == f->feed->epoch &&
           cells_hash(&f->topics[topic]) == cells_hash(&f->feed->topics[topic]);
}

uint64_t follower_complete_seq(const struct follower *f, uint32_t topic)
{
    return subscriber_complete_seq(f->subscriber, f->feed->family ? f->members[topic] : topic);
}

void follower_assert_complete(const struct follower *f)
{
    for (uint32_t t = 0; t < FEED_TOPICS; t++) {
        uint64_t seq = follower_complete_seq(f, t);
        if (seq > 0) /* else it has no state that counts */
            assert_true_state(f, t, subscriber_epoch(f->subscriber, f->feed->family ? 0 : t), seq);
    }
}
