#include "tests/sim/sim_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum {
    REQUESTS_OUTPUT = 0,
    KEPT_SIZE = 1 << 20,
    TICK_MS = 40,
    BACK_MS_MAX = 1500,
    SOURCES = 4,
    ACCOUNT_TOPICS_MAX = 16,
};

static const char *const prefixes[SOURCES] = {
    [PLAIN_L3] = "l3.", [PLAIN_L2] = "l2.", [PLAIN_BBO] = "bbo.", [PLAIN_TRADE] = "trade."};

/* ---- topics: symbol by symbol, source by source ---- */

static unsigned sources(const struct sim_reader *r)
{
    return r->kind == SIM_READER_MARKET ? SOURCES : 1;
}

static enum plain_source source_of(const struct sim_reader *r, uint32_t topic)
{
    return (enum plain_source)(topic % sources(r));
}

static struct plain_book *book_of(struct sim_reader *r, uint32_t topic)
{
    return &r->books[topic / sources(r)];
}

static void topic_name(const struct sim_reader *r, uint32_t topic, char *name, size_t size)
{
    snprintf(name, size, "%s%s", prefixes[source_of(r, topic)], r->symbols[topic / sources(r)]);
}

/* ---- orders ---- */

static struct sim_open_order *order_find_open(struct sim_reader *r, uint64_t order_id)
{
    for (unsigned i = 0; i < r->order_count; i++) {
        if (r->orders[i].order_id == order_id)
            return &r->orders[i];
    }
    return NULL;
}

static bool order_add(struct sim_reader *r, uint64_t order_id, int64_t open_qty)
{
    if (r->order_count == SIM_READER_ORDERS_MAX || order_find_open(r, order_id) != NULL)
        return false;
    r->orders[r->order_count++] = (struct sim_open_order){order_id, open_qty};
    return true;
}

static bool order_set(struct sim_reader *r, uint64_t order_id, int64_t open_qty)
{
    struct sim_open_order *o = order_find_open(r, order_id);
    if (o == NULL || open_qty < 0)
        return false;
    o->open_qty = open_qty;
    if (open_qty == 0)
        *o = r->orders[--r->order_count];
    return true;
}

static bool order_event(struct sim_reader *r, uint64_t type, struct wire_reader *fields)
{
    struct order_state s;
    struct order_accepted a;
    struct order_amended m;
    struct order_filled f;
    struct order_cancelled c;
    switch (type) {
    case MESSAGE_ORDER_STATE:
        order_state_get_fields(fields, &s);
        return s.open_qty == 0 || order_add(r, s.order_id, s.open_qty);
    case MESSAGE_ORDER_ACCEPTED:
        order_accepted_get_fields(fields, &a);
        return order_add(r, a.order_id, a.qty);
    case MESSAGE_ORDER_AMENDED:
        order_amended_get_fields(fields, &m);
        return order_set(r, m.order_id, m.open_qty);
    case MESSAGE_ORDER_FILLED:
        order_filled_get_fields(fields, &f);
        return order_set(r, f.order_id, f.open_qty);
    case MESSAGE_ORDER_CANCELLED:
        order_cancelled_get_fields(fields, &c);
        return order_find_open(r, c.order_id) != NULL &&
               order_set(r, c.order_id, order_find_open(r, c.order_id)->open_qty - c.qty);
    default:
        return true;
    }
}

/* ---- what its subscriber tells ---- */

static void on_reset(void *self, uint32_t topic)
{
    struct sim_reader *r = self;
    if (r->kind == SIM_READER_ACCOUNTS)
        r->order_count = 0;
    else
        plain_forget(book_of(r, topic), source_of(r, topic));
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    struct sim_reader *r = self;
    bool fits = r->kind == SIM_READER_ACCOUNTS
                    ? order_event(r, type, fields)
                    : plain_event(book_of(r, topic), source_of(r, topic), type, fields);
    if (!fits)
        sim_world_fail(r->world, "%s: an event of type %" PRIu64 " at %" PRIu64 " does not fit",
                       r->peer.name, type, seq);
}

static void on_frame(void *self, uint32_t topic, const struct frame_head *head,
                     const uint8_t *bytes, size_t size)
{
    struct sim_reader *r = self;
    (void)bytes;
    (void)size;
    r->frames++;
    if (r->kind == SIM_READER_ACCOUNTS)
        return;
    if (head->epoch < r->epoch[topic] ||
        (head->epoch == r->epoch[topic] && head->seq <= r->at[topic]))
        sim_world_fail(r->world, "%s goes back to %" PRIu64, r->peer.name, head->seq);
    r->epoch[topic] = head->epoch;
    r->at[topic] = head->seq;
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    struct sim_reader *r = self;
    if (r->kind != SIM_READER_ACCOUNTS && source_of(r, topic) == PLAIN_L3)
        return (struct u64_or_nil){plain_l3_hash(book_of(r, topic)), true};
    if (r->kind != SIM_READER_ACCOUNTS && source_of(r, topic) == PLAIN_L2)
        return (struct u64_or_nil){plain_l2_hash(book_of(r, topic)), true};
    return (struct u64_or_nil){0, false};
}

static void on_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    struct sim_reader *r = self;
    struct text name = subscriber_topic_name(r->subscriber, topic);
    sim_world_fail(r->world, "%s: %.*s: %s", r->peer.name, (int)name.size, name.data,
                   fault == SUBSCRIBER_HASH_DIFFERS ? "the hash differs"
                                                    : "the sequence went back");
}

static bool on_request(void *self, const uint8_t *bytes, size_t size)
{
    struct sim_reader *r = self;
    return sim_peer_send(r->network, &r->peer, REQUESTS_OUTPUT, bytes, size);
}

/* ---- its life ---- */

static void on_arrived(void *self)
{
    struct sim_reader *r = self;
    struct sim_message *m;
    while ((m = sim_peer_peek(&r->peer, 0)) != NULL) {
        if (r->subscriber != NULL)
            subscriber_receive(r->subscriber, m->bytes, m->size, r->world->now_ns);
        sim_peer_pop(&r->peer, 0);
    }
}

static void tick(void *self, uint64_t generation)
{
    struct sim_reader *r = self;
    if (generation != r->generation)
        return;
    subscriber_tick(r->subscriber, r->world->now_ns);
    sim_world_after(r->world, TICK_MS * NS_PER_MS, tick, r, generation);
}

static void draw_reply(struct sim_reader *r)
{
    snprintf(r->reply, sizeof r->reply, "%016" PRIx64 "%016" PRIx64, random_next(&r->random),
             random_next(&r->random));
}

static void start(void *self, uint64_t argument)
{
    struct sim_reader *r = self;
    char name[TOPIC_SIZE_MAX + 1];
    bool accounts = r->kind == SIM_READER_ACCOUNTS;
    (void)argument;
    for (unsigned s = 0; s < r->symbol_count; s++) {
        for (unsigned source = 0; source < SOURCES; source++)
            plain_forget(&r->books[s], (enum plain_source)source);
    }
    r->order_count = 0;
    memset(r->at, 0, sizeof r->at);
    memset(r->epoch, 0, sizeof r->epoch);
    draw_reply(r);
    sim_link_reply(r->link, r->reply);
    r->subscriber =
        subscriber_new(&(struct subscriber_owner){.self = r,
                                                  .reset = on_reset,
                                                  .event = on_event,
                                                  .frame = on_frame,
                                                  .hash = on_hash,
                                                  .fault = on_fault},
                       &(struct subscriber_requests){r, on_request}, r->reply, KEPT_SIZE,
                       accounts ? ACCOUNT_TOPICS_MAX : SIM_READER_TOPICS_MAX);
    if (accounts)
        subscriber_family_add(r->subscriber, text_of("acct."), 0);
    for (uint32_t t = 0; !accounts && t < r->symbol_count * sources(r); t++) {
        topic_name(r, t, name, sizeof name);
        subscriber_topic_add(r->subscriber, text_of(name), 0);
    }
    sim_peer_start(r->network, &r->peer);
    tick(r, ++r->generation);
}

static void subscribe(struct sim_reader *r)
{
    char name[TOPIC_SIZE_MAX + 1];
    sim_link_topic(r->link, "hb", false);
    snprintf(name, sizeof name, "re.%s", r->reply);
    sim_link_topic(r->link, name, false);
    if (r->kind == SIM_READER_ACCOUNTS)
        sim_link_topic(r->link, "acct.", true);
    for (uint32_t t = 0; r->kind != SIM_READER_ACCOUNTS && t < r->symbol_count * sources(r); t++) {
        topic_name(r, t, name, sizeof name);
        sim_link_topic(r->link, name, false);
    }
}

void sim_reader_init(struct sim_reader *r, const struct sim_reader_setup *s)
{
    *r = (struct sim_reader){
        .world = s->network->world,
        .network = s->network,
        .history = s->history,
        .kind = s->kind,
        .symbols = s->symbols,
        .symbol_count = s->symbol_count,
        .random = sim_world_stream(s->network->world),
        .peer = {.name = s->name, .arrived = on_arrived, .self = r},
    };
    draw_reply(r);
    sim_network_add(r->network, &r->peer);
    sim_network_push(r->network, &r->peer, REQUESTS_OUTPUT, s->publisher, s->publisher_input);
    r->link = sim_network_subscribe(r->network, s->publisher, s->publisher_output, &r->peer, 0);
    subscribe(r);
    sim_world_after(r->world, random_below(&r->random, BACK_MS_MAX * NS_PER_MS), start, r, 0);
}

void sim_reader_close(struct sim_reader *r)
{
    subscriber_destroy(&r->subscriber);
}

void sim_reader_kill(struct sim_reader *r)
{
    if (r->subscriber == NULL)
        return;
    sim_world_fired(r->world, SIM_FAULT_KILLED_READER, 1);
    subscriber_destroy(&r->subscriber);
    r->generation++;
    sim_peer_end(r->network, &r->peer);
    sim_world_after(r->world, random_below(&r->random, BACK_MS_MAX * NS_PER_MS), start, r, 0);
}

/* ---- whether it is right ---- */

static void check_orders(const struct sim_reader *r, struct difference *d)
{
    const engine_t *e = r->history->engine;
    unsigned count = 0;
    for (uint32_t a = 1; a <= engine_account_count(e); a++) {
        for (uint32_t n = engine_next_open(e, a, 0); n != 0; n = engine_next_open(e, a, n)) {
            const struct order *o = engine_order(e, n).order;
            const struct sim_open_order *ours =
                order_find_open((struct sim_reader *)r, o->order_id);
            count++;
            if (ours == NULL || ours->open_qty != o->open_qty)
                differ(d, "%s has order %" PRIu64 " wrong", r->peer.name, o->order_id);
        }
    }
    if (count != r->order_count)
        differ(d, "%s has %u open orders, expected %u", r->peer.name, r->order_count, count);
}

static bool same_side(struct i64_or_nil price, int64_t qty, const struct bbo_state *expected,
                      unsigned side)
{
    if (expected->qty[side] == 0)
        return !price.given && qty == 0;
    return price.given && price.value == expected->price[side] && qty == expected->qty[side];
}

static void check_book(const struct sim_reader *r, unsigned symbol, struct difference *d)
{
    const engine_t *e = r->history->engine;
    const struct plain_book *b = &r->books[symbol];
    const struct book *expected = engine_book(e, symbol + 1);
    if (plain_l3_hash(b) != expected->l3_hash)
        differ(d, "%s has another l3.%s", r->peer.name, r->symbols[symbol]);
    if (r->kind != SIM_READER_MARKET)
        return;
    struct bbo_state bbo = book_bbo(engine_pool(e), expected);
    if (plain_l2_hash(b) != expected->l2_hash)
        differ(d, "%s has another l2.%s", r->peer.name, r->symbols[symbol]);
    if (!same_side(b->bbo.bid_price, b->bbo.bid_qty, &bbo, 0) ||
        !same_side(b->bbo.ask_price, b->bbo.ask_qty, &bbo, 1))
        differ(d, "%s has another bbo.%s", r->peer.name, r->symbols[symbol]);
}

static void check_topics(const struct sim_reader *r, struct difference *d)
{
    uint32_t count = r->kind == SIM_READER_ACCOUNTS ? 1 : r->symbol_count * sources(r);
    for (uint32_t t = 0; t < count; t++) {
        struct text name = subscriber_topic_name(r->subscriber, t);
        uint64_t complete = subscriber_complete_seq(r->subscriber, t);
        if (!subscriber_live(r->subscriber, t) ||
            subscriber_epoch(r->subscriber, t) != r->history->epoch || complete < r->history->seq)
            differ(d,
                   "%s: %.*s is %s, in epoch %" PRIu64 ", complete up to %" PRIu64
                   ", expected %" PRIu64 " in epoch %" PRIu64,
                   r->peer.name, (int)name.size, name.data,
                   subscriber_live(r->subscriber, t) ? "live" : "not live",
                   subscriber_epoch(r->subscriber, t), complete, r->history->seq,
                   r->history->epoch);
    }
}

bool sim_reader_right(const struct sim_reader *r, struct difference *d)
{
    if (r->subscriber == NULL) {
        differ(d, "%s does not run", r->peer.name);
        return false;
    }
    check_topics(r, d);
    if (d->text[0] == '\0' && r->kind == SIM_READER_ACCOUNTS)
        check_orders(r, d);
    for (unsigned s = 0;
         s < r->symbol_count && d->text[0] == '\0' && r->kind != SIM_READER_ACCOUNTS; s++)
        check_book(r, s, d);
    return d->text[0] == '\0';
}
