#include "market-data/market_data.h"

#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "market-data/view.h"

enum {
    OUTBOX_SIZE = 256 << 20,
    OUTBOX_FRAME_MAX = 8 << 20, /* while less is free, no frame is taken in */
    KEPT_ASIDE_SIZE = 64 << 20, /* frames of a shard that wait for a snapshot or a resend */
    RING_FRAMES_MAX = 1 << 20,
    CHUNKS_MAX = 1 << 14, /* of one frame of a matcher, in all views */
    ORDERS_MAX = 1 << 26,
    PATIENCE_MS = 20, /* repairs are repeated on time, heartbeats come by themselves */
};

struct shard {
    struct market_data *owner;
    uint32_t number;
    subscriber_t *subscriber;
    uint64_t epoch;
    uint64_t heartbeat_seq; /* of the matcher's last one */
    struct view *views;     /* by number of the topic at its subscriber */
    uint32_t view_count;
    bool fresh;         /* there are frames market_data_oldest() has not told of */
    uint64_t oldest_ns; /* the oldest stamp of these */
    struct shard *next; /* the next shard that has any */
    uint64_t reported_epoch;
    uint64_t reported_faults;
};

/* Whose a topic of the publisher is. */
struct topic_owner {
    struct shard *shard;
    uint32_t view;
};

struct market_data {
    const struct cluster *cluster;
    struct outbox outbox;
    publisher_t *publisher;
    struct book_pool pool;
    struct view_group group;
    struct shard *shards;
    uint32_t shard_count;
    struct shard *fresh;        /* the first shard with frames to tell of */
    struct topic_owner *topics; /* by number of the topic at the publisher */
    uint64_t now_ns;
    uint64_t reported_garbage; /* requests nobody could read, as logged last */
};

/* ---- what a shard's subscriber tells us ---- */

static struct view *view_of(void *self, uint32_t topic)
{
    return &((struct shard *)self)->views[topic];
}

static void on_reset(void *self, uint32_t topic)
{
    view_reset(view_of(self, topic));
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    if (seq == 0)
        view_snapshot_event(view_of(self, topic), type, fields);
    else
        view_event(view_of(self, topic), seq, type, fields);
}

static void on_group(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head)
{
    view_group_end(view_of(self, topic), seq, head->time_ns);
}

/* Where a snapshot stood inside a frame we applied the groups above it, and so do our readers. */
static void on_frame(void *self, uint32_t topic, const struct frame_head *head,
                     const uint8_t *bytes, size_t size)
{
    struct shard *s = self;
    view_frame_end(view_of(s, topic), head, bytes, size);
    if (!s->fresh || head->time_ns < s->oldest_ns)
        s->oldest_ns = head->time_ns;
    if (!s->fresh) {
        s->next = s->owner->fresh;
        s->owner->fresh = s;
    }
    s->fresh = true;
}

/* A new epoch of the shard: all its views begin anew, each when it has joined. */
static void shard_epoch(struct shard *s, uint64_t epoch)
{
    s->epoch = epoch;
    s->heartbeat_seq = 0;
    for (uint32_t i = 0; i < s->view_count; i++)
        view_tell(&s->views[i], false);
    publisher_epoch_set(s->owner->publisher, s->number, epoch);
}

static void on_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    struct shard *s = self;
    if (head->epoch != s->epoch)
        shard_epoch(s, head->epoch);
    view_joined(view_of(self, topic), head);
}

/* The shard lives, and so do those of its views that are known to be complete up to there. */
static void on_heartbeat(void *self, const struct frame_head *head,
                         const struct heartbeat *heartbeat)
{
    struct shard *s = self;
    (void)heartbeat; /* its socket is this shard's matcher */
    if (head->epoch != s->epoch)
        return;
    for (uint32_t i = 0; i < s->view_count; i++)
        view_tell(&s->views[i], subscriber_complete_seq(s->subscriber, i) >= head->seq);
    s->heartbeat_seq = head->seq;
    publisher_heartbeat(s->owner->publisher, s->number, head->seq, head->time_ns);
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    const struct view *v = view_of(self, topic);
    return view_hash(v, v->l3);
}

static void on_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    (void)fault; /* either way it joins again, and report() says so */
    view_fault(view_of(self, topic));
}

static bool on_request(void *self, const uint8_t *bytes, size_t size)
{
    struct shard *s = self;
    uint8_t *copy = outbox_reserve(&s->owner->outbox, size);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes, size);
    outbox_commit(&s->owner->outbox, 1 + s->number, size);
    return true;
}

/* ---- what readers ask of us ---- */

static struct view *topic_view(const market_data_t *m, uint32_t topic)
{
    return &m->topics[topic].shard->views[m->topics[topic].view];
}

static uint64_t publisher_hash(void *self, uint32_t topic)
{
    return view_hash(topic_view(self, topic), topic).value;
}

static enum reason publisher_snapshot(void *self, const struct snapshot *request)
{
    market_data_t *m = self;
    uint32_t topic;
    if (!publisher_topic_find(m->publisher, request->topic, &topic))
        return REJECT_UNKNOWN_TOPIC;
    const struct topic_owner *owner = &m->topics[topic];
    const struct view *v = topic_view(m, topic);
    uint64_t at = subscriber_seq(owner->shard->subscriber, owner->view);
    if (!subscriber_live(owner->shard->subscriber, owner->view) || at < request->min_seq)
        return REJECT_NOT_CAUGHT_UP;
    publisher_reply_begin(m->publisher, owner->shard->epoch, at, m->now_ns, view_hash(v, topic));
    view_put_snapshot(v, topic);
    publisher_message_end(m->publisher);
    return 0;
}

/* ---- making it ---- */

static void view_add(market_data_t *m, const struct cluster_symbol *symbol)
{
    struct shard *s = &m->shards[symbol->shard];
    char topic[TOPIC_SIZE_MAX + 1];
    snprintf(topic, sizeof topic, "l3.%s", symbol->name);
    uint32_t n = subscriber_topic_add(s->subscriber, text_of(topic), (uint16_t)s->number);
    CHECK(n == s->view_count);
    struct view *v = &s->views[s->view_count++];
    view_init(v, m->publisher, s->number, &m->pool, &m->group, text_of(symbol->name));
    const uint32_t topics[VIEW_TOPIC_COUNT] = {v->l3, v->l2, v->bbo_topic, v->trade};
    for (unsigned i = 0; i < VIEW_TOPIC_COUNT; i++)
        m->topics[topics[i]] = (struct topic_owner){s, n};
}

static void shard_init(market_data_t *m, uint32_t number, const char *reply)
{
    struct shard *s = &m->shards[number];
    s->owner = m;
    s->number = number;
    s->views = memory_new(m->cluster->symbol_count, sizeof *s->views, "views");
    s->subscriber = subscriber_new(
        &(struct subscriber_owner){s, on_reset, on_event, on_joined, on_group, on_frame,
                                   on_heartbeat, on_hash, on_fault, .one_history = true},
        &(struct subscriber_requests){s, on_request}, reply, KEPT_ASIDE_SIZE,
        m->cluster->symbol_count);
    CHECK(publisher_shard_add(m->publisher, (uint16_t)number) == number);
}

static uint32_t orders_max(const struct cluster *c)
{
    uint64_t orders = c->settings.open_orders_max * c->settings.shards;
    return orders < ORDERS_MAX ? (uint32_t)orders : ORDERS_MAX;
}

market_data_t *market_data_new(const struct market_data_options *o)
{
    const struct cluster *c = o->cluster;
    market_data_t *m = memory_new(1, sizeof *m, "market data");
    m->cluster = c;
    m->shard_count = (uint32_t)c->settings.shards;
    outbox_init(&m->outbox, OUTBOX_SIZE);
    book_pool_init(&m->pool, orders_max(c), orders_max(c));
    view_group_init(&m->group);
    struct publisher_state state = {m, publisher_hash, publisher_snapshot, NULL};
    struct publisher_limits limits = {
        .topics_max = c->symbol_count * VIEW_TOPIC_COUNT,
        .chunks_max = CHUNKS_MAX,
        .ring_size = (size_t)c->settings.kept_mib << 20,
        .ring_frames_max = RING_FRAMES_MAX,
    };
    m->publisher = publisher_new(&m->outbox, 0, &state, &limits, text_of(o->requests_address));
    m->topics = memory_new(limits.topics_max, sizeof *m->topics, "topics");
    m->shards = memory_new(m->shard_count, sizeof *m->shards, "shards");
    for (uint32_t s = 0; s < m->shard_count; s++)
        shard_init(m, s, o->reply);
    for (unsigned i = 0; i < c->symbol_count; i++)
        view_add(m, &c->symbols[i]);
    return m;
}

void market_data_destroy(market_data_t **market_data)
{
    market_data_t *m = *market_data;
    if (m == NULL)
        return;
    unsigned symbols = m->cluster->symbol_count;
    for (uint32_t s = 0; s < m->shard_count; s++) {
        subscriber_destroy(&m->shards[s].subscriber);
        for (uint32_t i = 0; i < m->shards[s].view_count; i++)
            view_close(&m->shards[s].views[i]);
        memory_free(m->shards[s].views, symbols, sizeof *m->shards[s].views);
    }
    memory_free(m->shards, m->shard_count, sizeof *m->shards);
    memory_free(m->topics, symbols * VIEW_TOPIC_COUNT, sizeof *m->topics);
    view_group_close(&m->group);
    publisher_destroy(&m->publisher);
    book_pool_close(&m->pool);
    outbox_close(&m->outbox);
    memory_free(m, 1, sizeof *m);
    *market_data = NULL;
}

struct publisher_counts market_data_counts(const market_data_t *m)
{
    return publisher_counts(m->publisher);
}

bool market_data_ready(const market_data_t *m)
{
    for (uint32_t s = 0; s < m->shard_count; s++) {
        if (!subscriber_all_live(m->shards[s].subscriber))
            return false;
    }
    return true;
}

uint64_t market_data_known(const market_data_t *m)
{
    uint64_t known = 0;
    for (uint32_t s = 0; s < m->shard_count; s++) {
        for (uint32_t v = 0; v < m->shards[s].view_count; v++)
            known += subscriber_live(m->shards[s].subscriber, v);
    }
    return known;
}

struct subscriber_counts market_data_heard(const market_data_t *m, unsigned shard)
{
    return subscriber_counts(m->shards[shard].subscriber);
}

bool market_data_oldest(market_data_t *m, struct market_data_frame *frame)
{
    struct shard *s = m->fresh;
    if (s == NULL)
        return false;
    *frame = (struct market_data_frame){s->number, s->oldest_ns};
    s->fresh = false;
    m->fresh = s->next;
    return true;
}

/* ---- the step ---- */

static void market_data_begin(void *self, uint64_t now_ns, uint64_t batch)
{
    market_data_t *m = self;
    m->now_ns = now_ns;
    m->outbox.batch = batch;
    for (uint32_t s = 0; s < m->shard_count; s++)
        subscriber_tick(m->shards[s].subscriber, now_ns);
}

static enum intake market_data_receive(void *self, unsigned input, const uint8_t *message,
                                       size_t size)
{
    market_data_t *m = self;
    if (outbox_room(&m->outbox) < OUTBOX_FRAME_MAX)
        return INTAKE_FULL;
    if (input < m->shard_count)
        subscriber_receive(m->shards[input].subscriber, message, size, m->now_ns);
    else
        publisher_request(m->publisher, message, size, m->now_ns);
    return INTAKE_MORE;
}

static bool market_data_end(void *self, struct journal_batch *batch)
{
    (void)self;
    (void)batch;
    return false; /* it has nothing to remember: the matcher has */
}

/* When we end, every shard's last word says so, and no positions: topics may stand beyond the
 * matcher's last heartbeat, and only with it do positions make sense. */
static void market_data_stand(void *self, enum standing standing, uint64_t committed_seq)
{
    market_data_t *m = self;
    (void)committed_seq;
    if (standing != STANDING_STOPPED)
        return;
    publisher_standing_set(m->publisher, standing, 0);
    for (uint32_t s = 0; s < m->shard_count; s++)
        publisher_heartbeat_bare(m->publisher, s, m->shards[s].heartbeat_seq, m->now_ns);
}

static void market_data_subscription(void *self, unsigned output, const uint8_t *message,
                                     size_t size)
{
    (void)output;
    publisher_subscription(((market_data_t *)self)->publisher, message, size);
}

static unsigned market_data_patience_ms(void *self)
{
    (void)self;
    return PATIENCE_MS;
}

/* A new history, and what should not happen, when it does. */
static void market_data_report(void *self)
{
    market_data_t *m = self;
    for (uint32_t i = 0; i < m->shard_count; i++) {
        struct shard *s = &m->shards[i];
        struct subscriber_counts counts = subscriber_counts(s->subscriber);
        if (s->epoch != s->reported_epoch)
            log_info("market_data", "epoch", LOG_U64("shard", i), LOG_U64("epoch", s->epoch));
        if (counts.faults != s->reported_faults)
            log_error("market_data", "matcher_contradicts_itself", LOG_U64("shard", i),
                      LOG_U64("faults", counts.faults), LOG_U64("gaps", counts.gaps));
        s->reported_epoch = s->epoch;
        s->reported_faults = counts.faults;
    }
    uint64_t garbage = publisher_counts(m->publisher).garbage;
    if (garbage != m->reported_garbage)
        log_warn("market_data", "unreadable_requests", LOG_U64("garbage", garbage));
    m->reported_garbage = garbage;
}

struct service market_data_service(market_data_t *m)
{
    return (struct service){
        .self = m,
        .outbox = &m->outbox,
        .commands_input = SERVICE_NO_COMMANDS,
        .begin = market_data_begin,
        .receive = market_data_receive,
        .end = market_data_end,
        .stand = market_data_stand,
        .subscription = market_data_subscription,
        .patience_ms = market_data_patience_ms,
        .report = market_data_report,
    };
}
