#include "tests/unit/bus/publisher_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static bool on_pass_on(void *self, const struct request *q)
{
    struct publisher_kit *k = self;
    return k->pass_on != NULL && k->pass_on(k, q);
}

struct publisher_limits kit_limits(void)
{
    return (struct publisher_limits){
        .topics_max = 8,
        .chunks_max = 2000,
        .ring_size = 4 << 20,
        .ring_frames_max = 1 << 15,
    };
}

static uint64_t on_hash(void *self, uint32_t topic)
{
    return ((struct publisher_kit *)self)->hashes[topic];
}

static enum reason on_snapshot(void *self, const struct snapshot *request)
{
    struct publisher_kit *k = self;
    (void)request;
    k->snapshots_asked++;
    if (k->snapshot_code != 0)
        return k->snapshot_code;
    publisher_reply_begin(k->publisher, KIT_EPOCH, k->snapshot_seq, 1000,
                          (struct u64_or_nil){99, true});
    for (unsigned i = 1; i <= k->snapshot_levels; i++) {
        level_put(publisher_message_event(k->publisher, LEVEL_SIZE_MAX),
                  &(struct level){SIDE_BUY, i, 5});
        publisher_message_event_end(k->publisher);
    }
    publisher_message_end(k->publisher);
    return 0;
}

void kit_open(struct publisher_kit *k, const struct publisher_limits *limits, size_t outbox_size)
{
    memset(k, 0, sizeof *k);
    outbox_init(&k->outbox, outbox_size);
    struct publisher_state state = {k, on_hash, on_snapshot, on_pass_on};
    k->publisher = publisher_new(&k->outbox, KIT_OUTPUT, &state, limits, text_of(KIT_ADDRESS));
    assert_int_equal(publisher_shard_add(k->publisher, 3), 0);
    publisher_epoch_set(k->publisher, 0, KIT_EPOCH);
}

void kit_close(struct publisher_kit *k)
{
    publisher_destroy(&k->publisher);
    assert_null(k->publisher);
    publisher_destroy(&k->publisher); /* once more is no harm */
    outbox_close(&k->outbox);
}

void kit_level(struct publisher_kit *k, uint32_t topic, uint64_t seq, int64_t price)
{
    level_put(publisher_event(k->publisher, topic, seq, LEVEL_SIZE_MAX),
              &(struct level){SIDE_SELL, price, 1});
    publisher_event_end(k->publisher);
}

void kit_group(struct publisher_kit *k, uint32_t topic, uint64_t seq)
{
    kit_level(k, topic, seq, (int64_t)seq);
    publisher_group_end(k->publisher, seq * 10);
}

void kit_frame(struct publisher_kit *k, uint32_t topic, uint64_t seq)
{
    kit_group(k, topic, seq);
    publisher_flush(k->publisher, seq * 10);
}

bool kit_take(struct publisher_kit *k, struct bytes *message)
{
    static uint8_t copy[FRAME_SIZE_MAX * 2];
    struct outgoing m;
    if (!outbox_peek(&k->outbox, UINT64_MAX, &m))
        return false;
    assert_int_equal(m.output, KIT_OUTPUT);
    assert_true(m.size <= FRAME_SIZE_MAX);
    memcpy(copy, m.bytes, m.size);
    *message = (struct bytes){copy, m.size};
    outbox_pop(&k->outbox);
    return true;
}

struct frame_reader kit_take_frame(struct publisher_kit *k)
{
    struct bytes message;
    struct frame_reader f;
    assert_true(kit_take(k, &message));
    assert_int_equal(frame_read(&f, message.data, message.size), FRAME_READ_OK);
    return f;
}

void kit_assert_nothing(struct publisher_kit *k)
{
    struct outgoing m;
    assert_false(outbox_peek(&k->outbox, UINT64_MAX, &m));
}

void kit_drop_all(struct publisher_kit *k)
{
    struct outgoing m;
    while (outbox_peek(&k->outbox, UINT64_MAX, &m))
        outbox_pop(&k->outbox);
}

/* ---- requests ---- */

struct request kit_resend(const char *topic, uint64_t after, uint64_t through)
{
    return (struct request){
        .type = MESSAGE_RESEND,
        .resend = {text_of(KIT_REPLY), 11, text_of(topic), KIT_EPOCH, after, through},
    };
}

struct request kit_snapshot(const char *topic, uint64_t min_seq)
{
    return (struct request){
        .type = MESSAGE_SNAPSHOT,
        .snapshot = {text_of(KIT_REPLY), 12, text_of(topic), min_seq},
    };
}

size_t kit_request_bytes(const struct request *q, uint8_t *bytes)
{
    struct wire_writer w = {bytes};
    request_write(&w, q);
    return (size_t)(w.at - bytes);
}

void kit_ask(struct publisher_kit *k, const struct request *q, uint64_t now_ns)
{
    uint8_t bytes[512];
    size_t size = kit_request_bytes(q, bytes);
    publisher_request(k->publisher, bytes, size, now_ns);
}

void kit_subscribe(struct publisher_kit *k, const char *reply, bool on)
{
    uint8_t message[1 + 3 + REPLY_SIZE + 1];
    assert_int_equal(strlen(reply), REPLY_SIZE);
    message[0] = on ? 1 : 0;
    memcpy(message + 1, "re.", 3);
    memcpy(message + 4, reply, REPLY_SIZE + 1);
    publisher_subscription(k->publisher, message, sizeof message);
}

struct reply kit_reply(struct frame_reader *f)
{
    struct reply r;
    uint64_t type;
    struct wire_reader fields;
    assert_int_equal(f->head.type, FRAME_REPLY);
    assert_true(text_equal(f->head.topic, text_of("re." KIT_REPLY)));
    assert_true(frame_next_group(f));
    assert_true(frame_next_event(f, &type, &fields));
    assert_int_equal(type, MESSAGE_REPLY);
    reply_get_fields(&fields, &r);
    assert_false(fields.bad);
    return r;
}
