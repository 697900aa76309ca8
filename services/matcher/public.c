/* public: the book of every symbol, order by order, without a name. One frame a batch and symbol;
 * its hash is what the book must hash to after it. */
#include "base/check.h"
#include "base/memory.h"
#include "matcher/l3.h"
#include "matcher/publish.h"
#include "node/book_reply.h"

enum { RING_FRAMES_MAX = 1 << 18 };

struct public_feed {
    engine_t *engine;
    publisher_t *publisher;
    const uint64_t *time_ns;
    uint64_t epoch;
    bool (*pass_on)(void *self, const struct request *request);
    void *pass_on_self;
};

static uint64_t feed_hash(void *self, uint32_t topic)
{
    const public_feed_t *f = self;
    return engine_book(f->engine, topic + 1)->l3_hash;
}

static enum reason feed_snapshot(void *self, const struct snapshot *request)
{
    public_feed_t *f = self;
    if (request->topic.size < 3 || memcmp(request->topic.data, "l3.", 3) != 0)
        return REJECT_UNKNOWN_TOPIC;
    struct text name = {request->topic.data + 3, request->topic.size - 3};
    uint32_t symbol = engine_symbol_find(f->engine, name);
    if (symbol == 0)
        return REJECT_UNKNOWN_TOPIC;
    if (engine_seq(f->engine) < request->min_seq)
        return REJECT_NOT_CAUGHT_UP;
    const struct book *b = engine_book(f->engine, symbol);
    struct book_marks marks = engine_book_marks(f->engine, symbol);
    publisher_reply_begin(f->publisher, f->epoch, engine_seq(f->engine), *f->time_ns,
                          (struct u64_or_nil){b->l3_hash, true});
    book_reply_position(f->publisher, &(struct book_position){name, marks.book_seq, marks.bbo_seq,
                                                              marks.trade_seq});
    book_reply_orders(f->publisher, engine_pool(f->engine), b);
    publisher_message_end(f->publisher);
    return 0;
}

static bool feed_pass_on(void *self, const struct request *request)
{
    const public_feed_t *f = self;
    return f->pass_on(f->pass_on_self, request);
}

public_feed_t *public_feed_new(const struct publish_options *o)
{
    public_feed_t *f = memory_new(1, sizeof *f, "the public feed");
    f->engine = o->engine;
    f->time_ns = o->time_ns;
    f->epoch = o->epoch;
    f->pass_on = o->pass_on;
    f->pass_on_self = o->pass_on_self;
    struct publisher_state state = {f, feed_hash, feed_snapshot, feed_pass_on};
    struct publisher_limits limits = {
        .topics_max = (uint32_t)o->limits.symbols_max,
        .chunks_max = PUBLISH_BATCH_COMMANDS_MAX + 2 * publish_chunks_per_command(&o->limits),
        .ring_size = o->kept_size,
        .ring_frames_max = RING_FRAMES_MAX,
    };
    f->publisher = publisher_new(o->outbox, o->output, &state, &limits, o->requests_address);
    publisher_epoch_set(f->publisher, publisher_shard_add(f->publisher, (uint16_t)o->limits.shard),
                        o->epoch);
    return f;
}

void public_feed_destroy(public_feed_t **feed)
{
    if (*feed == NULL)
        return;
    publisher_destroy(&(*feed)->publisher);
    memory_free(*feed, 1, sizeof **feed);
    *feed = NULL;
}

publisher_t *public_feed_publisher(public_feed_t *f)
{
    return f->publisher;
}

void public_feed_symbol(public_feed_t *f, uint32_t symbol)
{
    char topic[TOPIC_SIZE_MAX] = "l3.";
    struct text name = engine_symbol_name(f->engine, symbol);
    memcpy(topic + 3, name.data, name.size);
    uint32_t t =
        publisher_topic_add(f->publisher, 0, (struct text){topic, 3 + name.size}, TOPIC_HASHED);
    CHECK(t + 1 == symbol);
}

uint64_t public_feed_position(const public_feed_t *f, uint32_t symbol)
{
    return publisher_topic_seq(f->publisher, symbol - 1);
}

void public_feed_position_set(public_feed_t *f, uint32_t symbol, uint64_t seq)
{
    publisher_topic_restart(f->publisher, symbol - 1, seq);
}

void public_feed_epoch_set(public_feed_t *f, uint64_t epoch)
{
    f->epoch = epoch;
    publisher_epoch_continue(f->publisher, 0, epoch);
}

/* ---- events ---- */

static void put(public_feed_t *f, uint32_t topic, const struct l3_message *m)
{
    l3_message_put(
        publisher_event(f->publisher, topic, engine_seq(f->engine), l3_message_size_max(m)), m);
    publisher_event_end(f->publisher);
}

void public_feed_group(public_feed_t *f)
{
    size_t count;
    struct l3_message messages[L3_MESSAGES_MAX];
    const struct event *events = engine_events(f->engine, &count);
    for (const struct event *e = events; e < events + count; e++) {
        unsigned said = l3_messages(f->engine, e, messages);
        for (unsigned i = 0; i < said; i++)
            put(f, (uint32_t)e->book - 1, &messages[i]);
    }
    publisher_group_end(f->publisher, *f->time_ns);
}
