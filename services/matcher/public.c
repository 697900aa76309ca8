/* public: the book of every symbol, order by order, without a name. One frame a batch and symbol;
 * its hash is what the book must hash to after it. */
#include "base/check.h"
#include "base/memory.h"
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

static struct wire_writer *begin(public_feed_t *f, const struct event *e, size_t size)
{
    return publisher_event(f->publisher, (uint32_t)e->book - 1, engine_seq(f->engine), size);
}

static uint64_t id_of(const public_feed_t *f, uint32_t order)
{
    return engine_order(f->engine, order).order->order_id;
}

static void put_delete(public_feed_t *f, const struct event *e)
{
    delete_put(begin(f, e, DELETE_SIZE_MAX), &(struct delete){id_of(f, e->order)});
    publisher_event_end(f->publisher);
}

static void put_trade(public_feed_t *f, const struct event *e)
{
    uint64_t maker = id_of(f, e->maker);
    trade_put(begin(f, e, TRADE_SIZE_MAX),
              &(struct trade){e->id, maker, id_of(f, e->order), e->price, e->qty, e->side});
    publisher_event_end(f->publisher);
    execute_put(begin(f, e, EXECUTE_SIZE_MAX), &(struct execute){maker, e->qty});
    publisher_event_end(f->publisher);
}

static void put_amended(public_feed_t *f, const struct event *e)
{
    int64_t less = e->other_qty - e->open_qty;
    if (e->reason == REASON_REQUEUED) {
        put_delete(f, e);
    } else if (less > 0) {
        reduce_put(begin(f, e, REDUCE_SIZE_MAX), &(struct reduce){id_of(f, e->order), less});
        publisher_event_end(f->publisher);
    }
}

static void put_rested(public_feed_t *f, const struct event *e)
{
    add_put(begin(f, e, ADD_SIZE_MAX),
            &(struct add){id_of(f, e->order), e->side, e->price, e->open_qty, e->id});
    publisher_event_end(f->publisher);
}

void public_feed_group(public_feed_t *f)
{
    size_t count;
    const struct event *events = engine_events(f->engine, &count);
    for (const struct event *e = events; e < events + count; e++) {
        if (e->kind == EVENT_TRADE)
            put_trade(f, e);
        else if (e->kind == EVENT_RESTED)
            put_rested(f, e);
        else if (e->kind == EVENT_AMENDED)
            put_amended(f, e);
        else if (e->kind == EVENT_CANCELLED && e->rested)
            put_delete(f, e);
    }
    publisher_group_end(f->publisher, *f->time_ns);
}
