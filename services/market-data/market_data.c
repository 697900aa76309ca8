#include "market-data/market_data.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "bus/publisher.h"
#include "engine/mirror.h"

enum {
    OUTBOX_SIZE = 256 << 20,
    OUTBOX_FRAME_MAX = 8 << 20, /* while less is free, no frame is taken in */
    KEPT_ASIDE_SIZE = 64 << 20, /* frames of a shard that wait for a snapshot or a resend */
    RING_FRAMES_MAX = 1 << 20,
    CHUNKS_MAX = 1 << 14, /* of one frame of a matcher, in all views */
    /* A matcher's group is at most events_max (4096) fills or cancels; one larger than this is not
     * a matcher's, and what it made would not fit a frame. */
    TOUCHED_MAX = 1 << 14,
    TRADES_MAX = 1 << 13,
    ORDERS_MAX = 1 << 26,
    PATIENCE_MS = 20, /* repairs are repeated on time, heartbeats come by themselves */
};

struct touched_level {
    unsigned side;
    int64_t price;
};

/* One symbol: its book and where its views stand. */
struct view {
    struct market_data *owner;
    struct mirror mirror;
    struct book_position position; /* where the matcher's snapshot says the topics stand */
    struct bbo_state bbo;          /* as last published */
    uint32_t shard;
    uint32_t upstream; /* number of its topic at the shard's subscriber */
    uint32_t l3, l2, bbo_topic, trade;
    size_t name_size; /* of the symbol */
};

struct shard {
    struct market_data *owner;
    uint32_t number;
    subscriber_t *subscriber;
    uint64_t epoch;
    struct view **views; /* by number of the topic at its subscriber */
    uint32_t view_count;
};

struct market_data {
    const struct cluster *cluster;
    struct outbox outbox;
    publisher_t *publisher;
    struct book_pool pool;
    struct shard *shards;
    uint32_t shard_count;
    struct view *views;
    uint32_t view_count;
    struct view **views_by_topic;
    struct touched_level *touched; /* by the group being read */
    uint32_t touched_count;
    uint32_t trade_count; /* of the group being read */
    uint64_t now_ns;
};

enum { VIEW_TOPICS = 4 };

/* ---- views ---- */

/* The place of each level a group touched, by side and price, best first, once. */
static bool level_before(const struct touched_level *a, const struct touched_level *b)
{
    if (a->side != b->side)
        return a->side < b->side;
    return level_tree_key(a->side, a->price) < level_tree_key(b->side, b->price);
}

/* Note a touched level; false if the group touches more than a group can. */
static bool touch(market_data_t *m, const struct touched_level *level)
{
    uint32_t at = m->touched_count;
    while (at > 0 && level_before(level, &m->touched[at - 1]))
        at--;
    if (at > 0 && !level_before(&m->touched[at - 1], level))
        return true;
    if (m->touched_count == TOUCHED_MAX)
        return false;
    memmove(&m->touched[at + 1], &m->touched[at],
            (m->touched_count - at) * sizeof m->touched[0]);
    m->touched[at] = *level;
    m->touched_count++;
    return true;
}

static int64_t level_qty(const struct view *v, const struct touched_level *l)
{
    return INT64_MAX - book_room(v->mirror.pool, &v->mirror.book, l->side, l->price);
}

static void put_levels(struct view *v, uint64_t seq)
{
    market_data_t *m = v->owner;
    for (uint32_t i = 0; i < m->touched_count; i++) {
        const struct touched_level *l = &m->touched[i];
        level_put(publisher_event(m->publisher, v->l2, seq, LEVEL_SIZE_MAX),
                  &(struct level){l->side, l->price, level_qty(v, l)});
        publisher_event_end(m->publisher);
    }
    m->touched_count = 0;
}

static struct bbo bbo_message(const struct bbo_state *b)
{
    return (struct bbo){{b->price[0], b->qty[0] > 0}, b->qty[0], {b->price[1], b->qty[1] > 0},
                        b->qty[1]};
}

static void put_bbo(struct view *v, uint64_t seq)
{
    market_data_t *m = v->owner;
    struct bbo_state now = book_bbo(v->mirror.pool, &v->mirror.book);
    if (bbo_equal(&now, &v->bbo))
        return;
    v->bbo = now;
    struct bbo message = bbo_message(&now);
    bbo_put(publisher_event(m->publisher, v->bbo_topic, seq, BBO_SIZE_MAX), &message);
    publisher_event_end(m->publisher);
}

static void put_trade(struct view *v, uint64_t seq, struct wire_reader fields)
{
    struct trade message;
    trade_get_fields(&fields, &message);
    trade_put(publisher_event(v->owner->publisher, v->trade, seq, TRADE_SIZE_MAX), &message);
    publisher_event_end(v->owner->publisher);
}

/* ---- what a shard's subscriber tells us ---- */

static struct view *view_of(void *self, uint32_t topic)
{
    return ((struct shard *)self)->views[topic];
}

/* Heartbeats speak of the view's topics, or they do not. */
static void view_tell(struct view *v, bool told)
{
    publisher_t *p = v->owner->publisher;
    publisher_topic_tell(p, v->l3, told);
    publisher_topic_tell(p, v->l2, told);
    publisher_topic_tell(p, v->bbo_topic, told);
    publisher_topic_tell(p, v->trade, told);
}

static void on_reset(void *self, uint32_t topic)
{
    struct view *v = view_of(self, topic);
    mirror_reset(&v->mirror);
    view_tell(v, false);
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    struct view *v = view_of(self, topic);
    market_data_t *m = v->owner;
    if (type == MESSAGE_BOOK_POSITION) {
        book_position_get_fields(fields, &v->position);
        v->position.symbol = (struct text){"", 0}; /* it pointed into the message */
        return;
    }
    struct wire_reader again = *fields;
    struct mirror_change change = mirror_event(&v->mirror, type, fields);
    if (seq == 0)
        return;
    if (type == MESSAGE_TRADE && m->trade_count++ < TRADES_MAX)
        put_trade(v, seq, again);
    struct touched_level level = {change.side, change.price};
    if (m->trade_count > TRADES_MAX || (change.changed && !touch(m, &level)))
        v->mirror.broken = true;
}

static void on_group(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head)
{
    struct view *v = view_of(self, topic);
    put_levels(v, seq);
    put_bbo(v, seq);
    v->owner->trade_count = 0;
    publisher_group_end(v->owner->publisher, head->time_ns);
}

static void on_frame(void *self, uint32_t topic, const struct frame_head *head,
                     const uint8_t *bytes, size_t size, bool whole)
{
    struct view *v = view_of(self, topic);
    (void)whole; /* readers apply what is above where they stand, as we did */
    publisher_forward(v->owner->publisher, v->l3, head->prev_seq, head->seq, bytes, size);
    publisher_flush(v->owner->publisher, head->time_ns);
}

/* A new epoch of the shard: all its views begin anew, each when it has joined. */
static void shard_epoch(struct shard *s, uint64_t epoch)
{
    market_data_t *m = s->owner;
    s->epoch = epoch;
    for (uint32_t i = 0; i < s->view_count; i++)
        view_tell(s->views[i], false);
    publisher_epoch_set(m->publisher, s->number, epoch);
    log_info("market_data", "epoch", LOG_U64("shard", s->number), LOG_U64("epoch", epoch));
}

/* From here on the topics' chains go on where the matcher says they stand. */
static void on_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    struct shard *s = self;
    struct view *v = view_of(self, topic);
    publisher_t *p = v->owner->publisher;
    if (head->epoch != s->epoch)
        shard_epoch(s, head->epoch);
    publisher_topic_restart(p, v->l3, v->position.book_seq);
    publisher_topic_restart(p, v->l2, v->position.book_seq);
    publisher_topic_restart(p, v->bbo_topic, v->position.bbo_seq);
    publisher_topic_restart(p, v->trade, v->position.trade_seq);
    v->bbo = book_bbo(v->mirror.pool, &v->mirror.book);
    view_tell(v, true);
}

/* The shard lives, and so do those of its views that are complete. */
static void on_heartbeat(void *self, const struct frame_head *head)
{
    struct shard *s = self;
    if (head->epoch != s->epoch)
        return;
    for (uint32_t i = 0; i < s->view_count; i++)
        view_tell(s->views[i], subscriber_live(s->subscriber, s->views[i]->upstream));
    publisher_heartbeat(s->owner->publisher, s->number, head->seq, head->time_ns);
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    return (struct u64_or_nil){mirror_hash(&view_of(self, topic)->mirror), true};
}

static void on_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    struct shard *s = self;
    struct view *v = view_of(self, topic);
    log_error("market_data",
              fault == SUBSCRIBER_HASH_DIFFERS ? "hash_differs" : "sequence_went_back",
              LOG_U64("shard", s->number), LOG_U64("seq", subscriber_seq(s->subscriber, topic)),
              LOG_U64("topic", topic));
    publisher_discard(s->owner->publisher);
    s->owner->touched_count = 0;
    s->owner->trade_count = 0;
    view_tell(v, false);
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

static uint64_t publisher_hash(void *self, uint32_t topic)
{
    const market_data_t *m = self;
    const struct view *v = m->views_by_topic[topic];
    return topic == v->l2 ? v->mirror.book.l2_hash : v->mirror.book.l3_hash;
}

static void put_l3_side(const struct view *v, unsigned side)
{
    publisher_t *p = v->owner->publisher;
    const struct book_pool *pool = v->mirror.pool;
    for (uint32_t l = v->mirror.book.sides[side - 1].best; l != 0; l = pool->levels[l].worse) {
        for (uint32_t n = pool->levels[l].head; n != 0; n = pool->orders[n].next) {
            const struct order *o = &pool->orders[n];
            add_put(publisher_message_event(p, ADD_SIZE_MAX),
                    &(struct add){o->order_id, side, pool->levels[l].price, o->open_qty,
                                  o->priority});
            publisher_message_event_end(p);
        }
    }
}

static void put_l2_side(const struct view *v, unsigned side)
{
    publisher_t *p = v->owner->publisher;
    const struct book_pool *pool = v->mirror.pool;
    for (uint32_t l = v->mirror.book.sides[side - 1].best; l != 0; l = pool->levels[l].worse) {
        level_put(publisher_message_event(p, LEVEL_SIZE_MAX),
                  &(struct level){side, pool->levels[l].price, pool->levels[l].qty});
        publisher_message_event_end(p);
    }
}

/* What stands behind a topic: a book's orders or levels, or its best bid and offer. Trades have
 * no state: only the place from which they are complete. */
static void put_snapshot(const struct view *v, uint32_t topic)
{
    publisher_t *p = v->owner->publisher;
    if (topic == v->l3) {
        put_l3_side(v, SIDE_BUY);
        put_l3_side(v, SIDE_SELL);
    } else if (topic == v->l2) {
        put_l2_side(v, SIDE_BUY);
        put_l2_side(v, SIDE_SELL);
    } else if (topic == v->bbo_topic) {
        struct bbo message = bbo_message(&v->bbo);
        bbo_put(publisher_message_event(p, BBO_SIZE_MAX), &message);
        publisher_message_event_end(p);
    }
}

static enum reason publisher_snapshot(void *self, const struct snapshot *request)
{
    market_data_t *m = self;
    uint32_t topic;
    if (!publisher_topic_find(m->publisher, request->topic, &topic))
        return REJECT_UNKNOWN_TOPIC;
    const struct view *v = m->views_by_topic[topic];
    const struct shard *s = &m->shards[v->shard];
    uint64_t at = subscriber_seq(s->subscriber, v->upstream);
    if (!subscriber_live(s->subscriber, v->upstream) || at < request->min_seq)
        return REJECT_NOT_CAUGHT_UP;
    bool hashed = topic == v->l2 || topic == v->l3;
    struct u64_or_nil hash = {hashed ? publisher_hash(m, topic) : 0, hashed};
    publisher_reply_begin(m->publisher, s->epoch, at, m->now_ns, hash);
    struct book_position position = {
        .symbol = {request->topic.data + request->topic.size - v->name_size, v->name_size},
        .book_seq = publisher_topic_seq(m->publisher, v->l3),
        .bbo_seq = publisher_topic_seq(m->publisher, v->bbo_topic),
        .trade_seq = publisher_topic_seq(m->publisher, v->trade),
    };
    book_position_put(publisher_message_event(m->publisher, BOOK_POSITION_SIZE_MAX), &position);
    publisher_message_event_end(m->publisher);
    put_snapshot(v, topic);
    publisher_message_end(m->publisher);
    return 0;
}

/* ---- making it ---- */

static uint32_t view_topic(market_data_t *m, struct view *v, const char *prefix, const char *name,
                           enum topic_kind kind)
{
    char topic[TOPIC_SIZE_MAX + 1];
    snprintf(topic, sizeof topic, "%s%s", prefix, name);
    uint32_t t = publisher_topic_add(m->publisher, v->shard, text_of(topic), kind);
    m->views_by_topic[t] = v;
    return t;
}

static void view_add(market_data_t *m, const struct cluster_symbol *symbol)
{
    struct view *v = &m->views[m->view_count++];
    struct shard *s = &m->shards[symbol->shard];
    char topic[TOPIC_SIZE_MAX + 1];
    v->owner = m;
    v->shard = symbol->shard;
    v->name_size = strlen(symbol->name);
    mirror_init(&v->mirror, &m->pool);
    snprintf(topic, sizeof topic, "l3.%s", symbol->name);
    v->upstream = subscriber_topic_add(s->subscriber, text_of(topic));
    CHECK(v->upstream == s->view_count);
    s->views[s->view_count++] = v;
    v->l3 = view_topic(m, v, "l3.", symbol->name, TOPIC_HASHED);
    v->l2 = view_topic(m, v, "l2.", symbol->name, TOPIC_HASHED);
    v->bbo_topic = view_topic(m, v, "bbo.", symbol->name, TOPIC_PLAIN);
    v->trade = view_topic(m, v, "trade.", symbol->name, TOPIC_PLAIN);
    view_tell(v, false);
}

static void shard_init(market_data_t *m, uint32_t number, const char *reply)
{
    struct shard *s = &m->shards[number];
    s->owner = m;
    s->number = number;
    s->views = memory_new(m->cluster->symbol_count, sizeof *s->views, "views");
    s->subscriber = subscriber_new(
        &(struct subscriber_owner){s, on_reset, on_event, on_joined, on_group, on_frame,
                                   on_heartbeat, on_hash, on_fault},
        &(struct subscriber_requests){s, on_request}, reply, KEPT_ASIDE_SIZE);
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
    m->touched = memory_new(TOUCHED_MAX, sizeof *m->touched, "levels");
    struct publisher_state state = {m, publisher_hash, publisher_snapshot};
    struct publisher_limits limits = {
        .topics_max = c->symbol_count * VIEW_TOPICS,
        .chunks_max = CHUNKS_MAX,
        .ring_size = (size_t)c->settings.kept_mib << 20,
        .ring_frames_max = RING_FRAMES_MAX,
    };
    m->publisher = publisher_new(&m->outbox, 0, &state, &limits, text_of(o->requests_address));
    m->views = memory_new(c->symbol_count, sizeof *m->views, "views");
    m->views_by_topic = memory_new(limits.topics_max, sizeof *m->views_by_topic, "views");
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
        memory_free(m->shards[s].views, symbols, sizeof *m->shards[s].views);
    }
    memory_free(m->shards, m->shard_count, sizeof *m->shards);
    memory_free(m->views, symbols, sizeof *m->views);
    memory_free(m->views_by_topic, symbols * VIEW_TOPICS, sizeof *m->views_by_topic);
    memory_free(m->touched, TOUCHED_MAX, sizeof *m->touched);
    publisher_destroy(&m->publisher);
    book_pool_close(&m->pool);
    outbox_close(&m->outbox);
    memory_free(m, 1, sizeof *m);
    *market_data = NULL;
}

bool market_data_ready(const market_data_t *m)
{
    for (uint32_t s = 0; s < m->shard_count; s++) {
        if (!subscriber_all_live(m->shards[s].subscriber))
            return false;
    }
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

struct service market_data_service(market_data_t *m)
{
    return (struct service){
        .self = m,
        .outbox = &m->outbox,
        .begin = market_data_begin,
        .receive = market_data_receive,
        .end = market_data_end,
        .subscription = market_data_subscription,
        .patience_ms = market_data_patience_ms,
    };
}
