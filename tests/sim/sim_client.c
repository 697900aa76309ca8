#include "tests/sim/sim_client.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "matcher/matcher.h"

enum {
    COMMANDS_OUTPUT = 0,
    PRICE_LOW = 10000,
    TICK_MS_MAX = 60, /* it looks for what to repeat at least this often */
    BACK_MS_MAX = 1000,
};

static uint64_t now_ns(const struct sim_client *c)
{
    return SIM_BEGINNING_NS + c->world->now_ns;
}

/* ---- what its origin tells ---- */

static bool on_send(void *self, const uint8_t *message, size_t size)
{
    struct sim_client *c = self;
    return sim_peer_send(c->network, &c->peer, COMMANDS_OUTPUT, message, size);
}

static void on_result(void *self, uint64_t origin_seq, const struct result *result,
                      uint64_t frame_ns)
{
    struct sim_client *c = self;
    (void)frame_ns;
    if (origin_seq != ++c->answered)
        sim_world_fail(c->world, "%s hears of its command %" PRIu64 ", expected %" PRIu64,
                       c->peer.name, origin_seq, c->answered);
    c->results++;
    struct sim_known_order *asked = &c->asked[origin_seq % SIM_WINDOW_MAX];
    if (result->code != 0 || result->order_id == 0)
        return;
    asked->order_id = result->order_id;
    c->orders[c->order_count++ % SIM_CLIENT_ORDERS] = *asked;
}

static void begin_session(struct sim_client *c)
{
    c->session = now_ns(c) > c->session ? now_ns(c) : c->session + 1;
    c->cuts = c->history->cuts;
    c->answered = 0;
}

static void on_lost(void *self, enum reason code)
{
    struct sim_client *c = self;
    sim_world_note(c->world, "the session of %s is lost: %d", c->peer.name, code);
    if (c->cuts == c->history->cuts)
        sim_world_fail(c->world, "%s is forgotten (%d), and nothing was lost", c->peer.name, code);
    c->sessions_lost++;
    begin_session(c);
    origin_restart(c->origin, c->session);
}

/* ---- what it sends ---- */

static const char *account_name(unsigned account)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave", "erin", "frank"};
    return names[account % (sizeof names / sizeof names[0])];
}

static uint64_t draw_deadline(struct sim_client *c)
{
    if (random_once_in(&c->random, c->temper->late_in))
        return now_ns(c) + random_below(&c->random, 20 * NS_PER_MS);
    return random_once_in(&c->random, 3) ? 0 : now_ns(c) + 5 * NS_PER_SECOND;
}

static int64_t draw_price(struct sim_client *c)
{
    return PRICE_LOW + (int64_t)random_below(&c->random, c->temper->width);
}

static int64_t draw_qty(struct sim_client *c)
{
    return 1 + (int64_t)random_below(&c->random, c->temper->qty_max);
}

static struct text draw_label(struct sim_client *c, char *label, size_t size)
{
    if (random_once_in(&c->random, 3))
        return text_of("");
    uint64_t n =
        c->temper->labels == 0 ? ++c->label_count : random_below(&c->random, c->temper->labels);
    snprintf(label, size, "%s%" PRIu64, c->temper->labels == 0 ? c->peer.name : "L", n);
    return text_of(label);
}

static void draw_new(struct sim_client *c, struct command *m, char *label, size_t size)
{
    static const uint64_t times[] = {TIME_IN_FORCE_GTC, TIME_IN_FORCE_GTC, TIME_IN_FORCE_GTC,
                                     TIME_IN_FORCE_GTC, TIME_IN_FORCE_IOC, TIME_IN_FORCE_FOK};
    struct new_order *o = &m->new_order;
    bool market = random_once_in(&c->random, 12);
    m->type = MESSAGE_NEW_ORDER;
    o->client_order_id = draw_label(c, label, size);
    o->side = 1 + random_below(&c->random, 2);
    o->type = market ? ORDER_TYPE_MARKET : ORDER_TYPE_LIMIT;
    o->time_in_force = RANDOM_OF(&c->random, times);
    if (market && o->time_in_force == TIME_IN_FORCE_FOK)
        o->time_in_force = TIME_IN_FORCE_IOC;
    o->post_only = o->time_in_force == TIME_IN_FORCE_GTC && random_once_in(&c->random, 8);
    o->stp = random_once_in(&c->random, 4) ? STP_REJECT : STP_NONE;
    o->price = (struct i64_or_nil){market ? 0 : draw_price(c), !market};
    o->qty = draw_qty(c);
}

static void draw_command(struct sim_client *c, struct command *m, char *label, size_t size,
                         struct sim_known_order *asked)
{
    const unsigned *weights = c->temper->weights;
    uint64_t at = random_below(&c->random, weights[0] + weights[1] + weights[2] + weights[3]);
    struct sim_known_order known = {0};
    if (c->order_count > 0)
        known = c->orders[random_below(&c->random, c->order_count) % SIM_CLIENT_ORDERS];
    bool by_id = known.order_id != 0 && !random_once_in(&c->random, 4);
    *asked = (struct sim_known_order){0, (unsigned)random_below(&c->random, c->temper->accounts),
                                      (unsigned)random_below(&c->random, c->symbol_count)};
    if (by_id && at >= weights[0] && !random_once_in(&c->random, 10))
        *asked = known;
    uint64_t order_id = by_id ? known.order_id : 0;
    struct text symbol = text_of(c->symbols[asked->symbol]);
    struct text account = text_of(account_name(asked->account));
    *m = (struct command){.envelope = {.deadline_ns = draw_deadline(c)}};
    if (at < weights[0]) {
        draw_new(c, m, label, size);
        m->new_order.symbol = symbol;
        m->new_order.account = account;
    } else if (at < weights[0] + weights[1]) {
        m->type = MESSAGE_CANCEL_ORDER;
        m->cancel_order = (struct cancel_order){symbol, account, order_id,
                                                by_id ? text_of("") : draw_label(c, label, size)};
    } else if (at < weights[0] + weights[1] + weights[2]) {
        m->type = MESSAGE_AMEND_ORDER;
        m->amend_order = (struct amend_order){symbol,
                                              account,
                                              order_id,
                                              by_id ? text_of("") : draw_label(c, label, size),
                                              1 + random_below(&c->random, 3),
                                              {draw_qty(c), !random_once_in(&c->random, 4)},
                                              {draw_price(c), random_once_in(&c->random, 2)}};
    } else {
        m->type = MESSAGE_MASS_CANCEL;
        m->mass_cancel = (struct mass_cancel){random_once_in(&c->random, 2) ? text_of("") : symbol,
                                              account, random_below(&c->random, 3)};
    }
}

static void send_some(struct sim_client *c)
{
    struct command m;
    char label[CLIENT_ORDER_ID_SIZE_MAX + 1];
    uint64_t origin_seq;
    uint64_t count = 1 + random_below(&c->random, c->temper->burst);
    while (count-- > 0 && origin_room(c->origin) > 0) {
        struct sim_known_order asked;
        draw_command(c, &m, label, sizeof label, &asked);
        CHECK(origin_command(c->origin, &m, &origin_seq) == STATUS_OK);
        c->asked[origin_seq % SIM_WINDOW_MAX] = asked;
    }
}

/* ---- its life ---- */

static void tick(void *self, uint64_t generation)
{
    struct sim_client *c = self;
    if (generation != c->generation)
        return;
    if (!c->finishing)
        send_some(c);
    origin_tick(c->origin, c->world->now_ns);
    uint64_t gap_ns = c->finishing ? TICK_MS_MAX * NS_PER_MS : c->temper->gap_ns;
    sim_world_after(c->world, random_below(&c->random, gap_ns), tick, c, c->generation);
}

static void on_arrived(void *self)
{
    struct sim_client *c = self;
    struct sim_message *m;
    while ((m = sim_peer_peek(&c->peer, 0)) != NULL) {
        if (c->origin != NULL)
            origin_receive(c->origin, m->bytes, m->size, c->world->now_ns);
        sim_peer_pop(&c->peer, 0);
    }
}

static void start(void *self, uint64_t argument)
{
    struct sim_client *c = self;
    (void)argument;
    begin_session(c);
    c->order_count = 0;
    c->origin = origin_new(&(struct origin_owner){c, on_send, on_result, on_lost},
                           text_of(c->peer.name), c->session, c->temper->window);
    sim_peer_start(c->network, &c->peer);
    tick(c, ++c->generation);
}

void sim_client_init(struct sim_client *c, const struct sim_client_setup *s)
{
    char topic[TOPIC_SIZE_MAX + 1];
    *c = (struct sim_client){
        .world = s->network->world,
        .network = s->network,
        .history = s->history,
        .temper = s->temper,
        .symbols = s->symbols,
        .symbol_count = s->symbol_count,
        .random = sim_world_stream(s->network->world),
        .peer = {.name = s->name, .arrived = on_arrived, .self = c},
    };
    sim_network_add(c->network, &c->peer);
    sim_network_push(c->network, &c->peer, COMMANDS_OUTPUT, s->matcher, MATCHER_INPUT_COMMANDS);
    struct sim_link *l =
        sim_network_subscribe(c->network, s->matcher, MATCHER_OUTPUT_PRIVATE, &c->peer, 0);
    snprintf(topic, sizeof topic, "ack.%s", s->name);
    sim_link_topic(l, topic, false);
    sim_link_topic(l, "hb", false);
    sim_world_after(c->world, random_below(&c->random, 100 * NS_PER_MS), start, c, 0);
}

void sim_client_close(struct sim_client *c)
{
    origin_destroy(&c->origin);
}

void sim_client_kill(struct sim_client *c)
{
    if (c->origin == NULL)
        return;
    sim_world_fired(c->world, SIM_FAULT_KILLED_CLIENT, 1);
    sim_world_note(c->world, "%s is killed", c->peer.name);
    origin_destroy(&c->origin);
    c->generation++;
    sim_peer_end(c->network, &c->peer);
    sim_world_after(c->world, random_below(&c->random, BACK_MS_MAX * NS_PER_MS), start, c, 0);
}

bool sim_client_done(const struct sim_client *c)
{
    return c->origin != NULL && c->finishing && origin_unanswered(c->origin) == 0;
}
