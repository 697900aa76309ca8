#include "tests/unit/bus/follower.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_true_state(const struct follower *f, uint32_t topic, uint64_t epoch,
                              uint64_t seq)
{
    if (!f->spoiled[topic] &&
        cells_hash(&f->topics[topic]) != feed_truth(f->feed, epoch, seq, topic))
        fail_msg("%s is not what it was at %llu.%llu", feed_topic(topic), (unsigned long long)epoch,
                 (unsigned long long)seq);
}

static void on_reset(void *self, uint32_t topic)
{
    struct follower *f = self;
    f->resets++;
    memset(&f->topics[topic], 0, sizeof f->topics[topic]);
    f->spoiled[topic] = false;
    f->group_seq[topic] = 0;
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    struct follower *f = self;
    struct level m;
    f->last_event_seq = seq;
    if (type != MESSAGE_LEVEL)
        return;
    level_get_fields(fields, &m);
    assert_false(fields->bad);
    assert_true(m.price >= 0 && m.price < FEED_CELLS);
    f->topics[topic].values[m.price] = m.qty;
}

static void on_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    struct follower *f = self;
    f->joins++;
    assert_true_state(f, topic, head->epoch, head->seq);
    f->group_seq[topic] = head->seq;
    assert_true(subscriber_seq(f->subscriber, topic) == head->seq);
    assert_true(subscriber_epoch(f->subscriber, topic) == head->epoch);
}

static void on_group(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head)
{
    struct follower *f = self;
    f->groups++;
    assert_true(seq > f->group_seq[topic] && seq <= head->seq); /* each once, and in order */
    f->before_seq = subscriber_seq(f->subscriber, topic);
    f->group_seq[topic] = seq;
    assert_true_state(f, topic, head->epoch, seq);
}

static void on_frame(void *self, uint32_t topic, const struct frame_head *head,
                     const uint8_t *bytes, size_t size)
{
    struct follower *f = self;
    struct frame_reader again;
    f->frames++;
    f->part_frames += head->prev_seq < f->before_seq;
    assert_int_equal(frame_read(&again, bytes, size), FRAME_READ_OK);
    assert_true(again.head.seq == head->seq && again.head.prev_seq == head->prev_seq);
    assert_true(subscriber_seq(f->subscriber, topic) == head->seq);
    if (feed_hashed(topic))
        f->spoiled[topic] = false; /* its hash was right: by chance it is repaired */
    assert_true_state(f, topic, head->epoch, head->seq);
}

static void on_heartbeat(void *self, const struct frame_head *head)
{
    (void)head;
    ((struct follower *)self)->heartbeats++;
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    const struct follower *f = self;
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

void follower_open(struct follower *f, const struct feed *feed, uint32_t topic_count,
                   size_t kept_size, bool one_history)
{
    struct subscriber_owner owner = {f,        on_reset,     on_event, on_joined, on_group,
                                     on_frame, on_heartbeat, on_hash,  on_fault,  one_history};
    struct subscriber_requests requests = {f, on_push};
    memset(f, 0, sizeof *f);
    f->feed = feed;
    f->subscriber = subscriber_new(&owner, &requests, FOLLOWER_REPLY, kept_size);
    for (uint32_t t = 0; t < topic_count; t++)
        assert_int_equal(subscriber_topic_add(f->subscriber, text_of(feed_topic(t))), t);
}

void follower_close(struct follower *f)
{
    subscriber_destroy(&f->subscriber);
    assert_null(f->subscriber);
    subscriber_destroy(&f->subscriber); /* once more is no harm */
}

bool follower_right(const struct follower *f, uint32_t topic)
{
    return subscriber_live(f->subscriber, topic) &&
           subscriber_epoch(f->subscriber, topic) == f->feed->epoch &&
           cells_hash(&f->topics[topic]) == cells_hash(&f->feed->topics[topic]);
}
