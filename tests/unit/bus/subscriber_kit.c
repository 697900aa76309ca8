#include "tests/unit/bus/subscriber_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

static struct pair pair;

static void subscribe(struct pair *p)
{
    static const char message[] = "\1re." FOLLOWER_REPLY;
    publisher_subscription(p->feed.publisher, (const uint8_t *)message, sizeof message);
}

static void pair_begin(bool family)
{
    const struct publisher_limits limits = {FEED_TOPICS, 2000, 1 << 20, 1000};
    memset(&pair, 0, sizeof pair);
    pair.now_ns = NS_PER_SECOND;
    feed_open(&pair.feed, &limits, family);
    follower_open(&pair.follower, &pair.feed, 1 << 20, family, PAIR_TOPICS_MAX);
    subscribe(&pair);
}

int pair_open(void **state)
{
    pair_begin(false);
    *state = &pair;
    return 0;
}

int pair_open_family(void **state)
{
    pair_begin(true);
    *state = &pair;
    return 0;
}

int pair_close(void **state)
{
    struct pair *p = *state;
    follower_close(&p->follower);
    feed_close(&p->feed);
    return 0;
}

void pair_publish(struct pair *p, uint32_t topic, uint32_t cell, int64_t value)
{
    feed_change(&p->feed, topic, cell, value);
    feed_flush(&p->feed);
}

void pair_deliver_bytes(struct pair *p, const uint8_t *bytes, size_t size)
{
    subscriber_receive(p->follower.subscriber, bytes, size, p->now_ns);
}

void pair_hold(struct pair *p, struct parcel *parcel)
{
    struct outgoing m;
    parcel->count = 0;
    while (outbox_peek(&p->feed.outbox, UINT64_MAX, &m)) {
        assert_true(parcel->count < PARCEL_MAX);
        uint8_t *copy = malloc(m.size);
        memcpy(copy, m.bytes, m.size);
        parcel->messages[parcel->count++] = (struct bytes){copy, m.size};
        outbox_pop(&p->feed.outbox);
    }
}

void pair_deliver_parcel(struct pair *p, struct parcel *parcel)
{
    for (unsigned i = 0; i < parcel->count; i++) {
        pair_deliver_bytes(p, parcel->messages[i].data, parcel->messages[i].size);
        free((void *)(uintptr_t)parcel->messages[i].data);
    }
    parcel->count = 0;
}

void parcel_drop(struct parcel *parcel, unsigned message)
{
    free((void *)(uintptr_t)parcel->messages[message].data);
    memmove(parcel->messages + message, parcel->messages + message + 1,
            (--parcel->count - message) * sizeof parcel->messages[0]);
}

void pair_deliver(struct pair *p)
{
    struct parcel parcel;
    pair_hold(p, &parcel);
    pair_deliver_parcel(p, &parcel);
}

void pair_lose(struct pair *p)
{
    struct outgoing m;
    while (outbox_peek(&p->feed.outbox, UINT64_MAX, &m))
        outbox_pop(&p->feed.outbox);
}

void pair_wait_ms(struct pair *p, uint64_t ms)
{
    p->now_ns += ms * NS_PER_MS;
    subscriber_tick(p->follower.subscriber, p->now_ns);
}

void pair_request_arrives(struct pair *p)
{
    assert_true(p->follower.request_size > 0);
    publisher_request(p->feed.publisher, p->follower.request, p->follower.request_size, p->now_ns);
    p->follower.request_size = 0;
}

void pair_answer(struct pair *p)
{
    pair_request_arrives(p);
    pair_deliver(p);
}

void pair_join(struct pair *p)
{
    feed_heartbeat(&p->feed);
    pair_deliver(p);
    for (unsigned i = 0; i < 4 * FEED_TOPICS && p->follower.request_size > 0; i++)
        pair_answer(p);
    pair_assert_right(p);
}

struct request pair_request(const struct pair *p)
{
    struct request q;
    const uint8_t *at = p->follower.request, *end = at + p->follower.request_size;
    assert_int_equal(request_read(&at, end, &q), COMMAND_READ_OK);
    assert_true(at == end);
    return q;
}

void pair_assert_asks_resend(const struct pair *p, uint32_t topic, uint64_t after, uint64_t through)
{
    struct request q = pair_request(p);
    assert_int_equal(q.type, MESSAGE_RESEND);
    assert_true(text_equal(q.resend.reply, text_of(FOLLOWER_REPLY)));
    assert_true(text_equal(q.resend.topic, text_of(feed_name(&p->feed, topic))));
    assert_true(q.resend.epoch == p->feed.epoch);
    assert_int_equal(q.resend.after_seq, after);
    assert_int_equal(q.resend.through_seq, through);
}

void pair_assert_asks_snapshot(const struct pair *p, uint32_t topic, uint64_t min_seq)
{
    struct request q = pair_request(p);
    assert_int_equal(q.type, MESSAGE_SNAPSHOT);
    assert_true(
        text_equal(q.snapshot.topic, text_of(p->feed.family ? FEED_FAMILY : feed_topic(topic))));
    assert_int_equal(q.snapshot.min_seq, min_seq);
}

void pair_assert_right(const struct pair *p)
{
    for (uint32_t t = 0; t < FEED_TOPICS; t++) {
        if (!follower_right(&p->follower, t))
            fail_msg("%s is not right", feed_name(&p->feed, t));
    }
    assert_true(subscriber_all_live(p->follower.subscriber));
}

/* The hash is the one uint 64 of a head whose epoch, sequences and times are small. */
void parcel_spoil_hash(struct parcel *parcel)
{
    for (unsigned i = 0; i < parcel->count; i++) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)parcel->messages[i].data;
        uint8_t *tag = memchr(bytes, 0xcf, parcel->messages[i].size);
        assert_non_null(tag);
        tag[5] ^= 1;
    }
}
