#include "tests/unit/bus/feed.h"

#include "base/check.h"
#include "base/mix.h"

uint64_t cells_hash(const struct cells *c)
{
    uint64_t hash = 0;
    for (uint64_t i = 0; i < FEED_CELLS; i++) {
        if (c->values[i] != 0)
            hash += mix(mix(i + 1) + (uint64_t)c->values[i]);
    }
    return hash;
}

const char *feed_topic(uint32_t topic)
{
    static const char *const names[FEED_TOPICS] = {"l3.A", "l3.AB", "bbo.A", "trade.AB"};
    return names[topic];
}

const char *feed_member(uint32_t topic)
{
    static const char *const names[FEED_TOPICS] = {"acct.a", "acct.ab", "acct.b", "acct.c"};
    return names[topic];
}

const char *feed_name(const struct feed *f, uint32_t topic)
{
    return f->family ? feed_member(topic) : feed_topic(topic);
}

bool feed_hashed(uint32_t topic)
{
    return topic < 2;
}

static uint64_t on_hash(void *self, uint32_t topic)
{
    return cells_hash(&((struct feed *)self)->topics[topic]);
}

static void put_padding(struct feed *f)
{
    static const uint8_t nothing[FEED_PADDING_MAX];
    resent_put(publisher_message_event(f->publisher, f->padding + 10),
               &(struct resent){{nothing, f->padding}});
    publisher_message_event_end(f->publisher);
}

static void put_state(struct feed *f, uint32_t topic, int64_t price)
{
    for (uint32_t i = 0; i < FEED_CELLS; i++) {
        if (i % (FEED_CELLS / 4) == 0 && f->padding > 0)
            put_padding(f);
        if (f->topics[topic].values[i] == 0)
            continue;
        level_put(publisher_message_event(f->publisher, LEVEL_SIZE_MAX),
                  &(struct level){SIDE_BUY, price + i, f->topics[topic].values[i]});
        publisher_message_event_end(f->publisher);
    }
}

static enum reason on_snapshot(void *self, const struct snapshot *request)
{
    struct feed *f = self;
    uint32_t topic = 0;
    if (f->family ? !text_equal(request->topic, text_of(FEED_FAMILY))
                  : !publisher_topic_find(f->publisher, request->topic, &topic))
        return REJECT_UNKNOWN_TOPIC;
    if (f->unready || f->seq < request->min_seq)
        return REJECT_NOT_CAUGHT_UP;
    bool hashed = !f->family && feed_hashed(topic);
    publisher_reply_begin(f->publisher, f->epoch, f->seq, f->now_ns,
                          (struct u64_or_nil){hashed ? on_hash(f, topic) : 0, hashed});
    for (uint32_t t = 0; f->family && t < FEED_TOPICS; t++)
        put_state(f, t, t * FEED_CELLS);
    if (!f->family)
        put_state(f, topic, 0);
    publisher_message_end(f->publisher);
    return 0;
}

static void publisher_open(struct feed *f)
{
    struct publisher_state state = {f, on_hash, on_snapshot, NULL};
    f->publisher = publisher_new(&f->outbox, 0, &state, &f->limits, text_of("ipc://requests"));
    publisher_epoch_set(f->publisher, publisher_shard_add(f->publisher, FEED_SHARD), f->epoch);
    for (uint32_t t = 0; t < FEED_TOPICS; t++)
        f->numbers[t] = f->family
                            ? UINT32_MAX
                            : publisher_topic_add(f->publisher, 0, text_of(feed_topic(t)),
                                                  feed_hashed(t) ? TOPIC_HASHED : TOPIC_PLAIN);
}

void feed_open(struct feed *f, const struct publisher_limits *limits, bool family)
{
    memset(f, 0, sizeof *f);
    f->family = family;
    outbox_init(&f->outbox, 8 << 20);
    f->limits = *limits;
    f->epoch = FEED_EPOCH_FIRST;
    publisher_open(f);
}

void feed_close(struct feed *f)
{
    publisher_destroy(&f->publisher);
    outbox_close(&f->outbox);
}

void feed_restart(struct feed *f)
{
    publisher_destroy(&f->publisher);
    f->epoch++;
    CHECK(f->epoch - FEED_EPOCH_FIRST < FEED_EPOCHS);
    f->seq = 0;
    memset(f->topics, 0, sizeof f->topics);
    publisher_open(f);
}

static void put(struct feed *f, uint32_t topic, uint32_t cell, int64_t value)
{
    f->topics[topic].values[cell] = value;
    if (f->numbers[topic] == UINT32_MAX)
        f->numbers[topic] =
            publisher_topic_add(f->publisher, 0, text_of(feed_member(topic)), TOPIC_PLAIN);
    level_put(publisher_event(f->publisher, f->numbers[topic], f->seq, LEVEL_SIZE_MAX),
              &(struct level){SIDE_BUY, cell, value});
    publisher_event_end(f->publisher);
}

static void end(struct feed *f)
{
    CHECK(f->seq < FEED_SEQS);
    for (uint32_t t = 0; t < FEED_TOPICS; t++)
        f->truth[f->epoch - FEED_EPOCH_FIRST][f->seq][t] = cells_hash(&f->topics[t]);
    publisher_group_end(f->publisher, f->now_ns);
}

void feed_change(struct feed *f, uint32_t topic, uint32_t cell, int64_t value)
{
    f->seq++;
    put(f, topic, cell, value);
    end(f);
}

void feed_command(struct feed *f, struct random *r)
{
    f->seq++;
    unsigned events = (unsigned)random_below(r, 4); /* 0: the command changed nothing here */
    if (f->wide > 0 && random_once_in(r, 20))
        events = f->wide;
    uint32_t topic = (uint32_t)random_below(r, FEED_TOPICS);
    for (unsigned i = 0; i < events; i++) {
        if (random_once_in(r, 8))
            topic = (uint32_t)random_below(r, FEED_TOPICS);
        put(f, topic, (uint32_t)random_below(r, FEED_CELLS), (int64_t)random_below(r, 3));
    }
    end(f);
}

void feed_flush(struct feed *f)
{
    publisher_flush(f->publisher, f->now_ns);
}

void feed_heartbeat(struct feed *f)
{
    publisher_heartbeat(f->publisher, 0, f->seq, f->now_ns);
}

uint64_t feed_truth(const struct feed *f, uint64_t epoch, uint64_t seq, uint32_t topic)
{
    CHECK(epoch >= FEED_EPOCH_FIRST && epoch <= f->epoch && seq < FEED_SEQS);
    return f->truth[epoch - FEED_EPOCH_FIRST][seq][topic];
}
