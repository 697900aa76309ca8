#include "gateway/gateway.h"

#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "gateway/gateway_parts.h"
#include "gateway/standing.h"

enum {
    OUTBOX_SIZE = 256 << 20,
    KEPT_ASIDE_SIZE = 64 << 20, /* frames of a publisher that wait for a snapshot or a resend */
    ORDERS_MAX = 1 << 26,
    FINISHED_MIN = 64, /* of an account: so that an order just finished can still be answered */
    FAMILY_TOPICS = 1, /* `acct.` itself */
    ACCOUNT_SHARE = 2, /* a matcher that begins anew may see other accounts than before */
    PATIENCE_MS = 5,
};

/* ---- the private stream of a shard ---- */

static struct text account_of(const struct shard *s, uint32_t topic)
{
    struct text name = subscriber_topic_name(s->subscriber, topic);
    size_t prefix = strlen("acct.");
    return (struct text){name.data + prefix, name.size - prefix};
}

static void private_reset(void *self, uint32_t topic)
{
    struct shard *s = self;
    (void)topic;
    orders_reset(s->gateway->orders, s->number, subscriber_epoch(s->subscriber, s->family));
}

static void private_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                          struct wire_reader *fields)
{
    struct shard *s = self;
    orders_t *orders = s->gateway->orders;
    if (seq == 0) {
        struct order_state m;
        if (type != MESSAGE_ORDER_STATE)
            return;
        order_state_get_fields(fields, &m);
        orders_state(orders, s->number, &m);
        return;
    }
    struct wire_reader again = *fields;
    const struct live_order *order = orders_event(orders, s->number, account_of(s, topic), seq,
                                                  subscriber_frame_ns(s->subscriber), type, fields);
    if (order != NULL)
        order_log_keep(s, order, seq, type, again);
}

static void private_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    struct shard *s = self;
    (void)topic;
    s->epoch = head->epoch;
}

static void private_heartbeat(void *self, const struct frame_head *head, const struct heartbeat *m)
{
    struct shard *s = self;
    if (m->shard != s->number)
        return;
    s->heard_ns = s->gateway->now_ns;
    s->heartbeat_ns = head->time_ns;
    s->standing = m->standing;
    s->journal = m->journal;
}

static bool private_request(void *self, const uint8_t *bytes, size_t size)
{
    struct shard *s = self;
    struct outbox *o = &s->gateway->outbox;
    uint8_t *copy = outbox_reserve(o, size);
    CHECK(copy != NULL);
    memcpy(copy, bytes, size);
    outbox_commit(o, GATEWAY_OUTPUT_SHARDS + 2 * s->number + 1, size);
    return true;
}

/* ---- its commands ---- */

static bool session_send(void *self, const uint8_t *message, size_t size)
{
    struct shard *s = self;
    struct outbox *o = &s->gateway->outbox;
    uint8_t *copy = outbox_reserve(o, size);
    CHECK(copy != NULL);
    memcpy(copy, message, size);
    outbox_commit(o, GATEWAY_OUTPUT_SHARDS + 2 * s->number, size);
    return true;
}

static void session_result(void *self, uint64_t origin_seq, const struct result *result,
                           uint64_t frame_ns)
{
    (void)frame_ns;
    commands_result(self, origin_seq, result);
}

/* A session that was lost begins anew, unless another gateway goes under our name: then the two
 * would take it from each other for ever. */
static void session_lost(void *self, enum reason code)
{
    struct shard *s = self;
    gateway_t *g = s->gateway;
    commands_lost(s, code);
    if (s->superseded)
        return;
    g->session = g->now_ns > g->session ? g->now_ns : g->session + 1;
    origin_restart(s->origin, g->session);
    s->next_seq = 1;
    s->due_through = 0;
}

/* ---- market-data ---- */

static struct market *market_of(gateway_t *g, uint32_t topic)
{
    return &g->markets[topic / 2];
}

static bool is_book(uint32_t topic)
{
    return topic % 2 == 0;
}

static void market_reset(void *self, uint32_t topic)
{
    if (is_book(topic))
        market_book_reset(market_of(self, topic));
    else
        market_trades_reset(market_of(self, topic));
}

static void market_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                         struct wire_reader *fields)
{
    struct market *m = market_of(self, topic);
    if (is_book(topic) && seq == 0)
        market_book_snapshot_event(m, type, fields);
    else if (is_book(topic))
        market_book_event(m, seq, type, fields);
    else if (seq == 0)
        market_trades_snapshot_event(m, type, fields);
    else
        market_trade(m, seq, type, fields);
}

static void market_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    if (is_book(topic))
        market_book_joined(market_of(self, topic), head);
    else
        market_trades_joined(market_of(self, topic), head);
}

static void market_group(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head)
{
    if (is_book(topic))
        market_book_group_end(market_of(self, topic), seq, head);
    else
        market_trades_group_end(market_of(self, topic), seq, head);
}

static void market_frame(void *self, uint32_t topic, const struct frame_head *head,
                         const uint8_t *bytes, size_t size)
{
    (void)bytes, (void)size;
    if (is_book(topic))
        market_book_frame_end(market_of(self, topic), head);
}

static void market_heartbeat(void *self, const struct frame_head *head, const struct heartbeat *m)
{
    gateway_t *g = self;
    (void)head, (void)m;
    g->market_heard_ns = g->now_ns;
}

static struct u64_or_nil market_hash(void *self, uint32_t topic)
{
    return is_book(topic) ? market_book_hash(market_of(self, topic)) : (struct u64_or_nil){0};
}

/* What was told may be wrong: nobody is told more of it until it has joined again. */
static void market_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    (void)fault;
    market_reset(self, topic);
}

static bool market_request(void *self, const uint8_t *bytes, size_t size)
{
    gateway_t *g = self;
    uint8_t *copy = outbox_reserve(&g->outbox, size);
    CHECK(copy != NULL);
    memcpy(copy, bytes, size);
    outbox_commit(&g->outbox, GATEWAY_OUTPUT_MARKET_REQUESTS, size);
    return true;
}

/* ---- making it ---- */

static void shard_init(gateway_t *g, unsigned number, const struct gateway_options *o)
{
    struct shard *s = &g->shards[number];
    const struct settings *settings = &g->cluster->settings;
    s->gateway = g;
    s->number = number;
    struct subscriber_owner owner = {.self = s,
                                     .reset = private_reset,
                                     .event = private_event,
                                     .joined = private_joined,
                                     .heartbeat = private_heartbeat,
                                     .one_history = true};
    s->subscriber = subscriber_new(
        &owner, &(struct subscriber_requests){s, private_request}, o->reply, KEPT_ASIDE_SIZE,
        ACCOUNT_SHARE * (uint32_t)settings->accounts_max + FAMILY_TOPICS);
    s->family = subscriber_family_add(s->subscriber, text_of("acct."), (uint16_t)number);
    s->origin = origin_new(&(struct origin_owner){s, session_send, session_result, session_lost},
                           text_of(settings->gateway_name), g->session, g->window);
    s->pending = memory_new(g->window, sizeof *s->pending, "commands without a result");
    s->recent = memory_new(RECENT_MAX, sizeof *s->recent, "recent events");
    s->next_seq = 1;
}

static void markets_init(gateway_t *g, const struct gateway_options *o)
{
    const struct cluster *c = g->cluster;
    struct subscriber_owner owner = {.self = g,
                                     .reset = market_reset,
                                     .event = market_event,
                                     .joined = market_joined,
                                     .group = market_group,
                                     .frame = market_frame,
                                     .heartbeat = market_heartbeat,
                                     .hash = market_hash,
                                     .fault = market_fault};
    g->market_subscriber = subscriber_new(&owner, &(struct subscriber_requests){g, market_request},
                                          o->reply, KEPT_ASIDE_SIZE, 2 * CLUSTER_SYMBOLS_MAX);
    g->markets = memory_new(CLUSTER_SYMBOLS_MAX, sizeof *g->markets, "markets");
    g->scratch = memory_new(1, MARKET_SCRATCH_SIZE, "a message");
    watchers_init(g);
    for (uint32_t i = 0; i < c->symbol_count; i++) {
        const struct cluster_symbol *s = &c->symbols[i];
        char topic[TOPIC_SIZE_MAX + 1];
        market_init(&g->markets[i], &g->sink, i, s->name, &s->tick, &s->lot, &g->pool, g->scratch);
        snprintf(topic, sizeof topic, "l3.%s", s->name);
        subscriber_topic_add(g->market_subscriber, text_of(topic), s->shard);
        snprintf(topic, sizeof topic, "trade.%s", s->name);
        subscriber_topic_add(g->market_subscriber, text_of(topic), s->shard);
    }
}

static uint32_t orders_max(const struct cluster *c)
{
    uint64_t orders = c->settings.open_orders_max * c->settings.shards;
    return orders < ORDERS_MAX ? (uint32_t)orders : ORDERS_MAX;
}

gateway_t *gateway_new(const struct gateway_options *o)
{
    const struct settings *settings = &o->cluster->settings;
    gateway_t *g = memory_new(1, sizeof *g, "the gateway");
    g->cluster = o->cluster;
    g->shard_count = (unsigned)settings->shards;
    g->window = (uint32_t)settings->origin_window;
    g->session = o->origin_epoch;
    outbox_init(&g->outbox, OUTBOX_SIZE);
    book_pool_init(&g->pool, orders_max(o->cluster), orders_max(o->cluster));
    uint64_t finished = settings->finished_per_account;
    g->orders = orders_new(&(struct orders_limits){
        .shard_count = g->shard_count,
        .open_max = orders_max(o->cluster),
        .accounts_max = (uint32_t)(settings->accounts_max * settings->shards),
        .finished_per_account = (uint32_t)(finished < FINISHED_MIN ? FINISHED_MIN : finished),
        .hash_seed = o->hash_seed,
    });
    g->watchers = memory_new(CLUSTER_SYMBOLS_MAX * CHANNEL_COUNT, sizeof *g->watchers, "watchers");
    g->waiting = memory_new(WAITING_MAX, sizeof *g->waiting, "requests that wait");
    g->masses = memory_new(MASS_MAX, sizeof *g->masses, "mass cancels");
    g->shards = memory_new(g->shard_count, sizeof *g->shards, "shards");
    for (unsigned s = 0; s < g->shard_count; s++)
        shard_init(g, s, o);
    markets_init(g, o);
    g->metrics = gateway_metrics_new(g, o->metrics);
    return g;
}

void gateway_destroy(gateway_t **gateway)
{
    gateway_t *g = *gateway;
    if (g == NULL)
        return;
    gateway_metrics_destroy(&g->metrics);
    for (unsigned s = 0; s < g->shard_count; s++) {
        subscriber_destroy(&g->shards[s].subscriber);
        origin_destroy(&g->shards[s].origin);
        memory_free(g->shards[s].pending, g->window, sizeof *g->shards[s].pending);
        memory_free(g->shards[s].recent, RECENT_MAX, sizeof *g->shards[s].recent);
    }
    memory_free(g->shards, g->shard_count, sizeof *g->shards);
    for (unsigned i = 0; i < g->cluster->symbol_count; i++)
        market_close(&g->markets[i]);
    subscriber_destroy(&g->market_subscriber);
    memory_free(g->markets, CLUSTER_SYMBOLS_MAX, sizeof *g->markets);
    memory_free(g->scratch, 1, MARKET_SCRATCH_SIZE);
    memory_free(g->masses, MASS_MAX, sizeof *g->masses);
    memory_free(g->waiting, WAITING_MAX, sizeof *g->waiting);
    memory_free(g->watchers, CLUSTER_SYMBOLS_MAX * CHANNEL_COUNT, sizeof *g->watchers);
    orders_destroy(&g->orders);
    book_pool_close(&g->pool);
    outbox_close(&g->outbox);
    memory_free(g, 1, sizeof *g);
    *gateway = NULL;
}

/* ---- how it is ---- */

bool shard_heard(const struct shard *s)
{
    uint64_t patience_ns = 4 * s->gateway->cluster->settings.heartbeat_ms * NS_PER_MS;
    return s->heard_ns != 0 && s->gateway->now_ns < s->heard_ns + patience_ns + NS_PER_SECOND;
}

bool shard_open(const struct shard *s)
{
    return shard_heard(s) && s->standing == STANDING_OPEN;
}

bool shard_ready(const struct shard *s)
{
    return subscriber_live(s->subscriber, s->family);
}

bool gateway_ready(const gateway_t *g)
{
    for (unsigned s = 0; s < g->shard_count; s++) {
        if (!shard_ready(&g->shards[s]) || g->shards[s].superseded)
            return false;
    }
    return subscriber_all_live(g->market_subscriber);
}

uint64_t gateway_unanswered(const gateway_t *g)
{
    uint64_t count = g->waiting_count;
    for (unsigned s = 0; s < g->shard_count; s++)
        count += origin_unanswered(g->shards[s].origin);
    return count;
}

/* ---- the step ---- */

static void gateway_begin(void *self, uint64_t now_ns, uint64_t batch)
{
    gateway_t *g = self;
    g->now_ns = now_ns;
    g->outbox.batch = batch;
    subscriber_tick(g->market_subscriber, now_ns);
    for (unsigned s = 0; s < g->shard_count; s++)
        subscriber_tick(g->shards[s].subscriber, now_ns);
}

static void receive_ask(gateway_t *g, const uint8_t *message, size_t size)
{
    struct ask ask;
    CHECK(size == sizeof ask); /* from this very process */
    memcpy(&ask, message, size);
    switch ((enum ask_kind)ask.kind) {
    case ASK_PLACE:
    case ASK_CANCEL:
    case ASK_MASS_CANCEL:
        commands_ask(g, &ask);
        break;
    case ASK_HEALTH:
        status_health(g, &ask);
        break;
    case ASK_STARTED:
        status_started(g, &ask);
        break;
    case ASK_READY:
        status_ready(g, &ask);
        break;
    case ASK_METRICS:
        status_metrics(g, &ask);
        break;
    case ASK_SUBSCRIBE:
    case ASK_UNSUBSCRIBE:
        watchers_ask(g, &ask);
        break;
    case ASK_DRAIN:
        g->draining = true;
        break;
    default:
        reads_ask(g, &ask);
    }
}

static void receive_private(struct shard *s, const uint8_t *message, size_t size)
{
    struct text topic = frame_topic(message, size);
    uint64_t now_ns = s->gateway->now_ns;
    if (topic.size > 4 && memcmp(topic.data, "ack.", 4) == 0)
        origin_receive(s->origin, message, size, now_ns);
    else
        subscriber_receive(s->subscriber, message, size, now_ns);
}

static enum intake gateway_receive(void *self, unsigned input, const uint8_t *message, size_t size)
{
    gateway_t *g = self;
    if (outbox_room(&g->outbox) < OUTBOX_FREE_MIN)
        return INTAKE_FULL;
    if (input == GATEWAY_INPUT_DESK)
        receive_ask(g, message, size);
    else if (input == GATEWAY_INPUT_MARKET)
        subscriber_receive(g->market_subscriber, message, size, g->now_ns);
    else
        receive_private(&g->shards[input - GATEWAY_INPUT_SHARDS], message, size);
    return INTAKE_MORE;
}

static bool gateway_end(void *self, struct journal_batch *batch)
{
    gateway_t *g = self;
    (void)batch;
    reads_end(g);
    commands_end(g);
    g->started = g->started || gateway_ready(g);
    return false; /* it has nothing to remember: the matchers have */
}

static unsigned gateway_patience_ms(void *self)
{
    (void)self;
    return PATIENCE_MS;
}

/* What someone should know, when it changes. */
static void gateway_report(void *self)
{
    gateway_t *g = self;
    for (unsigned i = 0; i < g->shard_count; i++) {
        struct shard *s = &g->shards[i];
        if (s->epoch != s->logged_epoch)
            log_info("gateway", "epoch", LOG_U64("shard", i), LOG_U64("epoch", s->epoch));
        if (s->superseded && !s->logged_superseded)
            log_error("gateway", "name_taken", LOG_U64("shard", i),
                      LOG_TEXT("gateway_name", g->cluster->settings.gateway_name));
        if (shard_heard(s) != s->logged_heard)
            LOG_AT(shard_heard(s) ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "gateway",
                   shard_heard(s) ? "matcher_heard" : "matcher_silent", LOG_U64("shard", i));
        if (s->standing != s->logged_standing)
            LOG_AT(s->standing == STANDING_OPEN ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "gateway",
                   "matcher_standing", LOG_U64("shard", i),
                   LOG_TEXT("standing", standing_text(s->standing)));
        s->logged_standing = s->standing;
        s->logged_epoch = s->epoch;
        s->logged_superseded = s->superseded;
        s->logged_heard = shard_heard(s);
    }
    uint64_t faults = subscriber_counts(g->market_subscriber).faults;
    if (faults != g->logged_faults)
        log_error("gateway", "market_data_contradicts_itself", LOG_U64("faults", faults));
    g->logged_faults = faults;
}

struct service gateway_service(gateway_t *g)
{
    return (struct service){
        .self = g,
        .outbox = &g->outbox,
        .commands_input = SERVICE_NO_COMMANDS,
        .begin = gateway_begin,
        .receive = gateway_receive,
        .end = gateway_end,
        .patience_ms = gateway_patience_ms,
        .report = gateway_report,
    };
}
