/* strategy_service: what matchers tell: books, and the accounts' orders. */
#include <stdio.h>

#include "base/check.h"
#include "base/memory.h"
#include "strategy/strategy_service_parts.h"

enum { KEPT_ASIDE_SIZE = 32 << 20 }; /* frames of a shard that wait for a snapshot or a resend */

/* ---- books ---- */

static unsigned symbol_of(const struct service_shard *shard, uint32_t topic)
{
    return shard->symbols[topic];
}

static void book_reset(void *self, uint32_t topic)
{
    struct service_shard *shard = self;
    const strategy_service_t *s = shard->service;
    inputs_book_reset(s->record, s->host, symbol_of(shard, topic));
}

static void book_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                       struct wire_reader *fields)
{
    struct service_shard *shard = self;
    const strategy_service_t *s = shard->service;
    (void)seq; /* joined, and group, say which they were */
    inputs_book_event(s->record, s->host, symbol_of(shard, topic), type, fields);
}

static void book_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    struct service_shard *shard = self;
    const strategy_service_t *s = shard->service;
    (void)head;
    inputs_book_joined(s->record, s->host, symbol_of(shard, topic), s->now_ns);
}

static void book_group(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head)
{
    struct service_shard *shard = self;
    const strategy_service_t *s = shard->service;
    inputs_book_group(s->record, s->host, symbol_of(shard, topic), s->now_ns, seq, head->time_ns);
}

static struct u64_or_nil book_hash(void *self, uint32_t topic)
{
    struct service_shard *shard = self;
    return strategy_host_book_hash(shard->service->host, symbol_of(shard, topic));
}

/* What was told may be wrong: no order is placed by it until it has joined again. */
static void book_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    (void)fault; /* either way it joins again, and report() says so */
    book_reset(self, topic);
}

/* ---- accounts ---- */

/* An event of the topic as the host has it; false: it is none, or not one that can be. */
static bool own_event_read(struct own_event *e, uint64_t type, struct wire_reader *fields)
{
    union {
        struct order_accepted accepted;
        struct order_rejected rejected;
        struct order_amended amended;
        struct order_filled filled;
        struct order_cancelled cancelled;
    } m;
    uint64_t reason = 0;
    *e = (struct own_event){.type = type};
    switch (type) {
    case MESSAGE_ORDER_ACCEPTED:
        order_accepted_get_fields(fields, &m.accepted);
        e->order_id = m.accepted.order_id;
        e->client_order_id = m.accepted.client_order_id;
        e->price = m.accepted.price.given ? m.accepted.price.value : 0;
        break;
    case MESSAGE_ORDER_REJECTED:
        order_rejected_get_fields(fields, &m.rejected);
        e->order_id = m.rejected.order_id;
        e->client_order_id = m.rejected.client_order_id;
        reason = m.rejected.code;
        break;
    case MESSAGE_ORDER_AMENDED:
        order_amended_get_fields(fields, &m.amended);
        e->order_id = m.amended.order_id;
        e->price = m.amended.price;
        e->qty = m.amended.qty;
        e->open_qty = m.amended.open_qty;
        reason = m.amended.reason;
        break;
    case MESSAGE_ORDER_FILLED:
        order_filled_get_fields(fields, &m.filled);
        e->order_id = m.filled.order_id;
        e->trade_id = m.filled.trade_id;
        e->price = m.filled.price;
        e->qty = m.filled.qty;
        e->open_qty = m.filled.open_qty;
        e->maker = m.filled.maker;
        break;
    case MESSAGE_ORDER_CANCELLED:
        order_cancelled_get_fields(fields, &m.cancelled);
        e->order_id = m.cancelled.order_id;
        e->qty = m.cancelled.qty;
        reason = m.cancelled.reason;
        break;
    default:
        return false;
    }
    e->reason = (uint16_t)reason;
    bool takes = type == MESSAGE_ORDER_FILLED || type == MESSAGE_ORDER_AMENDED;
    return !fields->bad && reason <= UINT16_MAX && e->qty >= (takes ? 1 : 0) && e->open_qty >= 0;
}

/* A snapshot's orders (seq 0) are an earlier life's, or known to be lost: they are cancelled,
 * whichever they are. What is told of them before it begins, and in an epoch in which ids mean
 * other orders than ours, is not for the host. */
static void account_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                          struct wire_reader *fields)
{
    struct service_shard *shard = self;
    const strategy_service_t *s = shard->service;
    struct own_event e;
    if (seq == 0 || subscriber_epoch(shard->accounts, topic) != shard->epoch)
        return;
    if (own_event_read(&e, type, fields))
        inputs_account(s->record, s->host, shard->strategies[topic], s->now_ns, &e);
    else
        shard->unreadable++;
}

/* It joins, or joins again: then something between was not heard. */
static void account_reset(void *self, uint32_t topic)
{
    session_account_lost(self, topic);
}

static void account_heartbeat(void *self, const struct frame_head *head, const struct heartbeat *m)
{
    struct service_shard *shard = self;
    (void)head;
    if (m->shard != shard->number)
        return;
    shard->heard_ns = shard->service->now_ns;
    shard->standing = m->standing;
}

/* ---- both ---- */

static bool push_request(void *self, const uint8_t *bytes, size_t size)
{
    struct service_shard *shard = self;
    struct outbox *o = &shard->service->outbox;
    uint8_t *copy = outbox_reserve(o, size);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes, size);
    outbox_commit(o, 2 * shard->index + 1, size);
    return true;
}

static void add_symbols(struct service_shard *shard)
{
    const strategy_service_t *s = shard->service;
    char topic[TOPIC_SIZE_MAX + 1];
    for (unsigned i = 0; i < strategy_host_symbol_count(s->host); i++) {
        const struct strategy_symbol *symbol = strategy_host_symbol_at(s->host, i);
        if (symbol->shard != shard->number)
            continue;
        snprintf(topic, sizeof topic, "l3.%s", symbol->name);
        shard->symbols[subscriber_topic_add(shard->books, text_of(topic), shard->number)] = i;
    }
}

static void add_accounts(struct service_shard *shard)
{
    strategy_service_t *s = shard->service;
    char name[TOPIC_SIZE_MAX + 1];
    for (unsigned i = 0; i < s->count; i++) {
        if (s->accounts[i].shard != shard)
            continue;
        snprintf(name, sizeof name, "acct.%s", strategy_host_spec(s->host, i)->account);
        uint32_t topic = subscriber_quiet_topic_add(shard->accounts, text_of(name), shard->number);
        s->accounts[i].topic = topic;
        shard->strategies[topic] = i;
        shard->account_count++;
    }
}

void streams_open(strategy_service_t *s, const char *reply)
{
    for (unsigned i = 0; i < s->shard_count; i++) {
        struct service_shard *shard = &s->shards[i];
        struct subscriber_requests requests = {shard, push_request};
        struct subscriber_owner books = {.self = shard,
                                         .reset = book_reset,
                                         .event = book_event,
                                         .joined = book_joined,
                                         .group = book_group,
                                         .hash = book_hash,
                                         .fault = book_fault,
                                         .one_history = true};
        struct subscriber_owner accounts = {.self = shard,
                                            .reset = account_reset,
                                            .event = account_event,
                                            .heartbeat = account_heartbeat,
                                            .one_history = true};
        shard->books = subscriber_new(&books, &requests, reply, KEPT_ASIDE_SIZE, s->count);
        shard->accounts = subscriber_new(&accounts, &requests, reply, KEPT_ASIDE_SIZE, s->count);
        shard->symbols = memory_new(s->count, sizeof *shard->symbols, "symbols");
        shard->strategies = memory_new(s->count, sizeof *shard->strategies, "strategies");
        add_symbols(shard);
        add_accounts(shard);
    }
}

void streams_close(strategy_service_t *s)
{
    for (unsigned i = 0; i < s->shard_count; i++) {
        struct service_shard *shard = &s->shards[i];
        memory_free(shard->strategies, s->count, sizeof *shard->strategies);
        memory_free(shard->symbols, s->count, sizeof *shard->symbols);
        subscriber_destroy(&shard->accounts);
        subscriber_destroy(&shard->books);
    }
}

bool streams_live(const strategy_service_t *s)
{
    for (unsigned i = 0; i < s->shard_count; i++) {
        if (!subscriber_all_live(s->shards[i].books) || !subscriber_all_live(s->shards[i].accounts))
            return false;
    }
    return true;
}

void streams_receive(struct service_shard *shard, bool private, const uint8_t *message, size_t size)
{
    struct text topic = frame_topic(message, size);
    uint64_t now_ns = shard->service->now_ns;
    if (!private)
        subscriber_receive(shard->books, message, size, now_ns);
    else if (topic.size > 4 && memcmp(topic.data, "ack.", 4) == 0)
        origin_receive(shard->origin, message, size, now_ns);
    else
        subscriber_receive(shard->accounts, message, size, now_ns);
}
