/* private: what became of each command, for its origin, and of each order, for its account. For
 * gateways, archive and strategies only: these topics name accounts. */
#include "base/check.h"
#include "base/memory.h"
#include "matcher/publish.h"

enum {
    RING_FRAMES_MAX = 1 << 18,
    TOPIC_NONE = 0, /* in the two maps below, which hold topic + 1 */
};

struct private_feed {
    engine_t *engine;
    publisher_t *publisher;
    const uint64_t *time_ns;
    uint64_t epoch;
    uint32_t account_max, origin_max;
    uint32_t *account_topics; /* by number of the account */
    uint32_t *origin_topics;  /* by number of the origin, whose name may become another's */
    bool (*pass_on)(void *self, const struct request *request);
    void *pass_on_self;
};

/* ---- snapshots ---- */

static void put_state(private_feed_t *f, uint32_t order)
{
    struct order_view v = engine_order(f->engine, order);
    const struct order *o = v.order;
    const struct order_detail *d = v.detail;
    struct order_state m = {
        .order_id = o->order_id,
        .symbol = v.symbol,
        .account = v.account,
        .client_order_id = v.client_order_id,
        .side = o->side,
        .type = o->type,
        .time_in_force = o->time_in_force,
        .post_only = o->post_only,
        .stp = o->stp,
        .price = {d->price, o->type == ORDER_TYPE_LIMIT},
        .qty = d->qty,
        .status = o->status,
        .reason = o->reason,
        .open_qty = o->open_qty,
        .filled_qty = d->filled_qty,
        .notional_high = (int64_t)(d->notional >> 64),
        .notional_low = (uint64_t)d->notional,
        .accepted_ns = d->accepted_ns,
        .changed_seq = d->changed_seq,
    };
    order_state_put(publisher_message_event(f->publisher, ORDER_STATE_SIZE_MAX), &m);
    publisher_message_event_end(f->publisher);
}

static void put_account(private_feed_t *f, uint32_t account)
{
    uint32_t n = 0;
    while ((n = engine_next_finished(f->engine, account, n)) != 0)
        put_state(f, n);
    while ((n = engine_next_open(f->engine, account, n)) != 0)
        put_state(f, n);
}

/* `acct.<account>`, or `acct.` for everybody's: the finished orders that are remembered, oldest
 * first, then the open ones, account by account. */
static enum reason feed_snapshot(void *self, const struct snapshot *request)
{
    private_feed_t *f = self;
    if (request->topic.size < 5 || memcmp(request->topic.data, "acct.", 5) != 0)
        return REJECT_UNKNOWN_TOPIC;
    if (engine_seq(f->engine) < request->min_seq)
        return REJECT_NOT_CAUGHT_UP;
    struct text name = {request->topic.data + 5, request->topic.size - 5};
    publisher_reply_begin(f->publisher, f->epoch, engine_seq(f->engine), *f->time_ns,
                          (struct u64_or_nil){0, false});
    if (name.size > 0) {
        uint32_t account = engine_account_find(f->engine, name);
        if (account != 0)
            put_account(f, account);
    } else {
        for (uint32_t a = 1; a <= engine_account_count(f->engine); a++)
            put_account(f, a);
    }
    publisher_message_end(f->publisher);
    return 0;
}

static bool feed_pass_on(void *self, const struct request *request)
{
    const private_feed_t *f = self;
    return f->pass_on(f->pass_on_self, request);
}

private_feed_t *private_feed_new(const struct publish_options *o)
{
    private_feed_t *f = memory_new(1, sizeof *f, "the private feed");
    f->engine = o->engine;
    f->time_ns = o->time_ns;
    f->epoch = o->epoch;
    f->account_max = (uint32_t)o->limits.accounts_max;
    f->account_topics = memory_new((size_t)f->account_max + 1, sizeof *f->account_topics, "topics");
    f->origin_max = (uint32_t)o->limits.origins_max;
    f->origin_topics = memory_new((size_t)f->origin_max + 1, sizeof *f->origin_topics, "topics");
    f->pass_on = o->pass_on;
    f->pass_on_self = o->pass_on_self;
    struct publisher_state state = {f, NULL, feed_snapshot, feed_pass_on};
    struct publisher_limits limits = {
        .topics_max = f->account_max + (uint32_t)o->limits.origins_max,
        .chunks_max = 2 * PUBLISH_BATCH_COMMANDS_MAX + 2 * publish_chunks_per_command(&o->limits),
        .ring_size = o->kept_size,
        .ring_frames_max = RING_FRAMES_MAX,
    };
    f->publisher = publisher_new(o->outbox, o->output, &state, &limits, o->requests_address);
    publisher_epoch_set(f->publisher, publisher_shard_add(f->publisher, (uint16_t)o->limits.shard),
                        o->epoch);
    return f;
}

void private_feed_destroy(private_feed_t **feed)
{
    private_feed_t *f = *feed;
    if (f == NULL)
        return;
    publisher_destroy(&f->publisher);
    memory_free(f->account_topics, (size_t)f->account_max + 1, sizeof *f->account_topics);
    memory_free(f->origin_topics, (size_t)f->origin_max + 1, sizeof *f->origin_topics);
    memory_free(f, 1, sizeof *f);
    *feed = NULL;
}

publisher_t *private_feed_publisher(private_feed_t *f)
{
    return f->publisher;
}

/* ---- topics ---- */

static struct text topic_text(char *topic, const char *prefix, struct text name)
{
    size_t size = strlen(prefix);
    memcpy(topic, prefix, size);
    memcpy(topic + size, name.data, name.size);
    return (struct text){topic, size + name.size};
}

static uint32_t account_topic(private_feed_t *f, uint32_t account)
{
    uint32_t known = f->account_topics[account];
    if (known != TOPIC_NONE)
        return known - 1;
    char topic[TOPIC_SIZE_MAX];
    struct text name = topic_text(topic, "acct.", engine_account_name(f->engine, account));
    uint32_t t = publisher_topic_add(f->publisher, 0, name, TOPIC_PLAIN);
    f->account_topics[account] = t + 1;
    return t;
}

/* The place of an origin that was forgotten is its successor's. */
static uint32_t origin_topic(private_feed_t *f, uint32_t origin, struct text origin_name)
{
    char topic[TOPIC_SIZE_MAX];
    struct text name = topic_text(topic, "ack.", origin_name);
    uint32_t known = f->origin_topics[origin];
    if (known == TOPIC_NONE)
        f->origin_topics[origin] = 1 + publisher_topic_add(f->publisher, 0, name, TOPIC_UNCHAINED);
    else
        publisher_topic_rename(f->publisher, known - 1, name);
    return f->origin_topics[origin] - 1;
}

uint64_t private_feed_position(const private_feed_t *f, uint32_t account)
{
    uint32_t topic = f->account_topics[account];
    return topic == TOPIC_NONE ? 0 : publisher_topic_seq(f->publisher, topic - 1);
}

void private_feed_position_set(private_feed_t *f, uint32_t account, uint64_t seq)
{
    publisher_topic_restart(f->publisher, account_topic(f, account), seq);
}

void private_feed_epoch_set(private_feed_t *f, uint64_t epoch)
{
    f->epoch = epoch;
    publisher_epoch_continue(f->publisher, 0, epoch);
}

/* ---- events ---- */

static struct wire_writer *begin(private_feed_t *f, const struct order *o, size_t size)
{
    return publisher_event(f->publisher, account_topic(f, o->account), engine_seq(f->engine), size);
}

static void put_accepted(private_feed_t *f, const struct event *e)
{
    struct order_view v = engine_order(f->engine, e->order);
    const struct order *o = v.order;
    struct order_accepted m = {o->order_id,
                               v.symbol,
                               v.account,
                               v.client_order_id,
                               o->side,
                               o->type,
                               o->time_in_force,
                               o->post_only,
                               o->stp,
                               {e->price, o->type == ORDER_TYPE_LIMIT},
                               e->qty};
    order_accepted_put(begin(f, o, ORDER_ACCEPTED_SIZE_MAX), &m);
    publisher_event_end(f->publisher);
}

static void put_rejected(private_feed_t *f, const struct event *e)
{
    struct order_view v = engine_order(f->engine, e->order);
    const struct order *o = v.order;
    struct order_rejected m = {o->order_id,      v.symbol,
                               v.account,        v.client_order_id,
                               o->side,          o->type,
                               o->time_in_force, o->post_only,
                               o->stp,           {v.detail->price, o->type == ORDER_TYPE_LIMIT},
                               v.detail->qty,    e->reason};
    order_rejected_put(begin(f, o, ORDER_REJECTED_SIZE_MAX), &m);
    publisher_event_end(f->publisher);
}

static void put_amended(private_feed_t *f, const struct event *e)
{
    struct order_view v = engine_order(f->engine, e->order);
    struct order_amended m = {v.order->order_id, e->price, v.detail->qty, e->open_qty, e->reason};
    order_amended_put(begin(f, v.order, ORDER_AMENDED_SIZE_MAX), &m);
    publisher_event_end(f->publisher);
}

static void put_fill(private_feed_t *f, const struct event *e, uint32_t order, int64_t open_qty,
                     bool maker)
{
    const struct order *o = engine_order(f->engine, order).order;
    struct order_filled m = {o->order_id, e->id, e->price, e->qty, open_qty, maker};
    order_filled_put(begin(f, o, ORDER_FILLED_SIZE_MAX), &m);
    publisher_event_end(f->publisher);
}

static void put_cancelled(private_feed_t *f, const struct event *e)
{
    const struct order *o = engine_order(f->engine, e->order).order;
    order_cancelled_put(begin(f, o, ORDER_CANCELLED_SIZE_MAX),
                        &(struct order_cancelled){o->order_id, e->qty, e->reason});
    publisher_event_end(f->publisher);
}

static struct result result_of(uint64_t origin_epoch, uint64_t origin_seq, const struct outcome *o)
{
    return (struct result){origin_epoch, origin_seq,   o->seq,  o->code,
                           o->order_id,  o->duplicate, o->count};
}

static void put_result(private_feed_t *f, const struct finished_command *c)
{
    uint32_t t = origin_topic(f, c->origin_number, c->origin);
    struct result m = result_of(c->origin_epoch, c->origin_seq, &c->outcome);
    result_put(publisher_event(f->publisher, t, engine_seq(f->engine), RESULT_SIZE_MAX), &m);
    publisher_event_end(f->publisher);
}

void private_feed_group(private_feed_t *f)
{
    size_t count;
    const struct event *events = engine_events(f->engine, &count);
    for (const struct event *e = events; e < events + count; e++) {
        if (e->kind == EVENT_ACCEPTED) {
            put_accepted(f, e);
        } else if (e->kind == EVENT_REJECTED) {
            put_rejected(f, e);
        } else if (e->kind == EVENT_AMENDED) {
            put_amended(f, e);
        } else if (e->kind == EVENT_CANCELLED) {
            put_cancelled(f, e);
        } else if (e->kind == EVENT_TRADE) {
            put_fill(f, e, e->order, e->open_qty, false);
            put_fill(f, e, e->maker, e->other_qty, true);
        }
    }
    struct finished_command done = engine_result(f->engine);
    if (done.origin.size > 0 && done.outcome.ready)
        put_result(f, &done);
    publisher_group_end(f->publisher, *f->time_ns);
}

/* ---- answers out of sequence ---- */

static struct wire_writer *answer_begin(private_feed_t *f, const struct envelope *to, size_t size)
{
    char topic[TOPIC_SIZE_MAX];
    publisher_message_begin(f->publisher,
                            &(struct message_head){.topic = topic_text(topic, "ack.", to->origin),
                                                   .type = FRAME_EVENTS,
                                                   .epoch = f->epoch,
                                                   .seq = engine_seq(f->engine),
                                                   .time_ns = *f->time_ns});
    return publisher_message_event(f->publisher, size);
}

static void answer_end(private_feed_t *f)
{
    publisher_message_event_end(f->publisher);
    publisher_message_end(f->publisher);
}

void private_feed_repeat(private_feed_t *f, const struct envelope *to, const struct outcome *first)
{
    struct result m = result_of(to->origin_epoch, to->origin_seq, first);
    result_put(answer_begin(f, to, RESULT_SIZE_MAX), &m);
    answer_end(f);
}

void private_feed_gap(private_feed_t *f, const struct envelope *to, uint64_t expected_seq)
{
    origin_gap_put(answer_begin(f, to, ORIGIN_GAP_SIZE_MAX),
                   &(struct origin_gap){to->origin_epoch, expected_seq});
    answer_end(f);
}

void private_feed_refuse(private_feed_t *f, const struct envelope *to, enum reason code)
{
    struct outcome o = {.code = (uint16_t)code};
    private_feed_repeat(f, to, &o);
}
