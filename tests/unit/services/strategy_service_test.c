/* strategy_service: the whole step between a real matcher and a strategy that does what the test
 * wishes, over a network that can lose things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "strategy/strategy_service.h"
#include "strategy/strategy_spec.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/services/stage.h"

enum {
    TURNS_MAX = 20000, /* of a millisecond; nothing takes as long */
    ORDERS_KEPT = 1024,
    PROBES = 2,
    LATEST_MS = 1000,      /* deadline_ms */
    KEPT_SIZE = 256 << 10, /* of frames that can be had again */
};

#define ORIGIN "strategy-test"

/* ---- a strategy that does what it is told ---- */

struct probe {
    unsigned starts, timers, groups;
    struct own_order orders[ORDERS_KEPT]; /* as told last, by number */
    unsigned told[ORDERS_KEPT];           /* on_order calls */
    int64_t bid_at_start;                 /* 0: none */
    unsigned fills;
    int64_t position;          /* by its fills */
    void (*wish)(trader_t *t); /* in the next callback, once */
    bool done;
};

static struct probe probes[PROBES];
static unsigned probe_count;

struct state {
    struct probe *probe;
};

static void grant(struct probe *p, trader_t *t)
{
    void (*wish)(trader_t * t) = p->wish;
    p->wish = NULL;
    if (wish != NULL)
        wish(t);
}

static void probe_start(void *self, trader_t *t)
{
    struct market_level best;
    struct probe *p = &probes[probe_count++];
    ((struct state *)self)->probe = p;
    p->starts++;
    if (trader_best(t, SIDE_BUY, &best))
        p->bid_at_start = best.price;
    grant(p, t);
}

static void probe_market(void *self, trader_t *t, const struct market_update *u)
{
    struct probe *p = ((struct state *)self)->probe;
    (void)u;
    p->groups++;
    grant(p, t);
}

static void probe_order(void *self, trader_t *t, const struct own_order *o)
{
    struct probe *p = ((struct state *)self)->probe;
    (void)t;
    assert_true(o->number < ORDERS_KEPT);
    p->orders[o->number] = *o;
    p->told[o->number]++;
}

static void probe_fill(void *self, trader_t *t, const struct own_fill *f)
{
    struct probe *p = ((struct state *)self)->probe;
    (void)t;
    p->fills++;
    p->position += f->order->side == SIDE_BUY ? f->qty : -f->qty;
}

static void probe_timer(void *self, trader_t *t)
{
    struct probe *p = ((struct state *)self)->probe;
    p->timers++;
    grant(p, t);
}

static bool probe_done(const void *self)
{
    const struct state *s = self;
    return s->probe != NULL && s->probe->done;
}

static void probe_describe(const void *self, char *text, size_t size)
{
    (void)self;
    snprintf(text, size, "probed");
}

static const struct parameter no_parameters[] = {{.name = NULL}};

static const struct strategy_class probe_class = {
    .abi = STRATEGY_ABI,
    .name = "probe",
    .summary = "does what it is told",
    .parameters = no_parameters,
    .state_size = sizeof(struct state),
    .on_start = probe_start,
    .on_market_data = probe_market,
    .on_order = probe_order,
    .on_fill = probe_fill,
    .on_timer = probe_timer,
    .is_done = probe_done,
    .describe = probe_describe,
};

/* ---- the world ---- */

enum { PIPE_MAX = 4096 };

struct sent {
    uint8_t *bytes; /* heap */
    size_t size;
    unsigned input; /* of the matcher */
};

struct world {
    struct stage stage;
    struct cluster cluster;
    struct strategy_spec specs[PROBES];
    unsigned count;
    strategy_service_t *strategies;
    struct service service;
    struct sent pipe[PIPE_MAX]; /* from the service to the matcher */
    unsigned pipe_count;
    uint64_t now_ns;
    uint64_t others_seq; /* of the other origin, "gw" */
    /* the weather */
    bool cut;         /* nothing of the service arrives */
    bool deaf;        /* it hears nothing the matcher says to the public */
    const char *lose; /* frames whose topic is this one are lost, the next so many */
    unsigned lose_count;
};

static struct world world;

static void spec_make(struct strategy_spec *s, const char *account, const char *symbol)
{
    *s = (struct strategy_spec){.class = &probe_class};
    strcpy(s->name, account);
    strcpy(s->type, "probe");
    strcpy(s->account, account);
    strcpy(s->symbol.name, symbol);
    strcpy(s->symbol.tick_size, "0.01");
    strcpy(s->symbol.lot_size, "1");
    s->symbol.units = (struct parameter_units){{1, 2}, {1, 0}};
    s->symbol.shard = STAGE_SHARD;
    s->parameters.table = no_parameters;
}

static struct matcher_options matcher_options_of(uint64_t epoch)
{
    struct matcher_options o = stage_options();
    o.epoch = epoch;
    o.heartbeat_ns = 100 * NS_PER_MS;
    o.kept_size = KEPT_SIZE;
    return o;
}

static void service_open(struct world *w, inputs_recorder_t *record)
{
    probe_count = 0;
    w->strategies = strategy_service_new(&(struct strategy_service_options){
        .cluster = &w->cluster,
        .specs = w->specs,
        .count = w->count,
        .origin = ORIGIN,
        .origin_epoch = w->now_ns,
        .session = w->now_ns / NS_PER_SECOND,
        .reply = STAGE_REPLY,
        .record = record,
    });
    w->service = strategy_service(w->strategies);
}

static int world_open(void **state)
{
    static const char subscribe[] = "\1re." STAGE_REPLY;
    struct world *w = &world;
    struct matcher_options options = matcher_options_of(STAGE_EPOCH);
    memset(w, 0, sizeof *w);
    memset(probes, 0, sizeof probes);
    w->cluster.settings =
        (struct settings){.origin_window = 3000, .deadline_ms = LATEST_MS, .heartbeat_ms = 100};
    stage_open(&w->stage, &options);
    for (unsigned output = 0; output < 2; output++)
        w->stage.service.subscription(w->stage.service.self, output, (const uint8_t *)subscribe,
                                      sizeof subscribe);
    w->now_ns = w->stage.now_ns;
    w->count = 1;
    spec_make(&w->specs[0], "mine", SYMBOL_ONE);
    spec_make(&w->specs[1], "second", SYMBOL_OTHER);
    *state = w;
    return scratch_open(state) == 0 ? (*state = w, 0) : 1;
}

static void pipe_clear(struct world *w)
{
    while (w->pipe_count > 0)
        free(w->pipe[--w->pipe_count].bytes);
}

static int world_close(void **state)
{
    struct world *w = &world;
    pipe_clear(w);
    strategy_service_destroy(&w->strategies);
    assert_null(w->strategies);
    strategy_service_destroy(&w->strategies); /* once more is no harm */
    stage_close(&w->stage);
    return scratch_close(state);
}

/* The matcher is gone, and another one begins a new history. */
static void new_matcher(struct world *w, uint64_t epoch)
{
    static const char subscribe[] = "\1re." STAGE_REPLY;
    struct matcher_options options = matcher_options_of(epoch);
    uint64_t now_ns = w->now_ns;
    stage_close(&w->stage);
    stage_open(&w->stage, &options);
    w->stage.now_ns = now_ns;
    for (unsigned output = 0; output < 2; output++)
        w->stage.service.subscription(w->stage.service.self, output, (const uint8_t *)subscribe,
                                      sizeof subscribe);
    w->others_seq = 0;
    pipe_clear(w);
}

static bool subscribed(const struct world *w, unsigned output, struct text topic)
{
    char name[TOPIC_SIZE_MAX + 1];
    const char *always[] = {"hb", "re." STAGE_REPLY, "ack." ORIGIN};
    for (unsigned i = 0; i < 3; i++) {
        if (text_equal(topic, text_of(always[i])))
            return true;
    }
    for (unsigned i = 0; i < w->count; i++) {
        bool private = output == MATCHER_OUTPUT_PRIVATE;
        snprintf(name, sizeof name, private ? "acct.%s" : "l3.%s",
                 private ? w->specs[i].account : w->specs[i].symbol.name);
        if (text_equal(topic, text_of(name)))
            return true;
    }
    return false;
}

static bool lost(struct world *w, struct text topic)
{
    if (w->lose == NULL || w->lose_count == 0 || !text_equal(topic, text_of(w->lose)))
        return false;
    w->lose_count--;
    return true;
}

/* What the matcher said arrives. */
static void hear(struct world *w)
{
    for (unsigned i = 0; i < w->stage.said_count; i++) {
        const struct said *m = &w->stage.said[i];
        struct text topic = frame_topic(m->bytes, m->size);
        if (m->output > MATCHER_OUTPUT_PUBLIC || !subscribed(w, m->output, topic) || lost(w, topic))
            continue;
        unsigned input = m->output == MATCHER_OUTPUT_PUBLIC ? 0 : 1;
        if (w->deaf && input == 0)
            continue;
        assert_int_equal(w->service.receive(w->service.self, input, m->bytes, m->size),
                         INTAKE_MORE);
    }
    stage_clear(&w->stage);
}

static void take_outbox(struct world *w)
{
    struct outgoing m;
    while (outbox_peek(w->service.outbox, UINT64_MAX, &m)) {
        if (m.output < 2 && !w->cut) {
            assert_true(w->pipe_count < PIPE_MAX);
            struct sent *s = &w->pipe[w->pipe_count++];
            *s = (struct sent){malloc(m.size), m.size,
                               m.output == 0 ? MATCHER_INPUT_COMMANDS : MATCHER_INPUT_REQUESTS};
            memcpy(s->bytes, m.bytes, m.size);
        }
        outbox_pop(w->service.outbox);
    }
}

/* What is in the pipe arrives; a mass cancel may fill the batch, and the rest waits. */
static void deliver(struct world *w)
{
    unsigned taken = 0;
    while (taken < w->pipe_count &&
           stage_receive(&w->stage, w->pipe[taken].input, w->pipe[taken].bytes,
                         w->pipe[taken].size) == INTAKE_MORE)
        free(w->pipe[taken++].bytes);
    w->pipe_count -= taken;
    memmove(w->pipe, w->pipe + taken, w->pipe_count * sizeof w->pipe[0]);
}

/* A millisecond passes: the matcher's batch, then the service's. */
static void turn(struct world *w)
{
    w->now_ns += NS_PER_MS;
    w->stage.now_ns = w->now_ns;
    stage_begin(&w->stage);
    deliver(w);
    stage_end(&w->stage);
    w->service.begin(w->service.self, w->now_ns, 1);
    hear(w);
    struct journal_batch none;
    assert_false(w->service.end(w->service.self, &none));
    take_outbox(w);
}

static void turns(struct world *w, unsigned count)
{
    while (count-- > 0)
        turn(w);
}

#define UNTIL(w, condition)                                                                        \
    do {                                                                                           \
        unsigned left = TURNS_MAX;                                                                 \
        while (!(condition)) {                                                                     \
            if (left-- == 0)                                                                       \
                fail_msg("never: %s", #condition);                                                 \
            turn(w);                                                                               \
        }                                                                                          \
    } while (false)

static void begin(struct world *w)
{
    service_open(w, NULL);
    UNTIL(w, probes[w->count - 1].starts == 1);
}

/* ---- others ---- */

static void pipe_put(struct world *w, const struct message *m)
{
    assert_true(w->pipe_count < PIPE_MAX);
    struct sent *s = &w->pipe[w->pipe_count++];
    *s = (struct sent){malloc(m->size), m->size, MATCHER_INPUT_COMMANDS};
    memcpy(s->bytes, m->bytes, m->size);
}

/* Somebody else's order, in an account of its own or one that is named. */
static void others_order_on(struct world *w, const char *symbol, const char *account,
                            enum side side, int64_t price, int64_t qty)
{
    static struct message m;
    struct command c = new_order_of(side, price, qty);
    c.new_order.account = text_of(account);
    c.new_order.symbol = text_of(symbol);
    message_clear(&m);
    struct envelope e = envelope_of("gw", 1, ++w->others_seq);
    e.acked_through = w->others_seq - 1;
    message_put(&m, &c, e);
    pipe_put(w, &m);
}

static void others_order(struct world *w, enum side side, int64_t price, int64_t qty)
{
    others_order_on(w, SYMBOL_ONE, "others", side, price, qty);
}

/* It does so in its next callback, for which somebody makes the market move. */
static void wish(struct world *w, void (*act)(trader_t *t))
{
    probes[0].wish = act;
    others_order(w, SIDE_BUY, 1, 1);
    UNTIL(w, probes[0].wish == NULL);
}

static int64_t bid_of(const struct world *w, const char *account)
{
    const engine_t *e = matcher_engine(w->stage.matcher);
    uint32_t a =
        engine_account_find((engine_t *)(uintptr_t)e, text_of(account)); /* it only looks */
    uint32_t n = a == 0 ? 0 : engine_next_open(e, a, 0);
    return n == 0 ? 0 : engine_order(e, n).detail->price;
}

static struct strategy_standing standing(const struct world *w, unsigned strategy)
{
    return strategy_host_standing(strategy_service_host(w->strategies), strategy);
}

static bool ended(const struct world *w)
{
    return strategy_service_ended(w->strategies);
}

/* ---- what it may wish ---- */

static void buy_ten(trader_t *t)
{
    assert_int_equal(trader_limit(t, SIDE_BUY, 100, 10), 1);
}

static void cancel_it(trader_t *t)
{
    assert_true(trader_cancel(t, 1));
}

static void wake_later(trader_t *t)
{
    trader_wake(t, trader_now_ns(t) + 50 * NS_PER_MS);
}

/* ---- beginning ---- */

static void it_begins_when_all_is_live_and_cleared_and_not_before(void **state)
{
    struct world *w = *state;
    service_open(w, NULL);
    w->cut = true; /* it can hear, and ask for nothing */
    turns(w, 500);
    assert_int_equal(probes[0].starts, 0);
    assert_false(ended(w));
    w->cut = false;
    UNTIL(w, probes[0].starts == 1);
    turns(w, 500);
    assert_int_equal(probes[0].starts, 1);
}

static void it_does_not_begin_without_a_book(void **state)
{
    struct world *w = *state;
    w->deaf = true;
    service_open(w, NULL);
    turns(w, 1000);
    assert_int_equal(probes[0].starts, 0);
    w->deaf = false;
    UNTIL(w, probes[0].starts == 1);
}

static void an_account_nobody_has_heard_of_can_be_joined(void **state)
{
    struct world *w = *state;
    w->count = 2;
    begin(w);
    assert_int_equal(probes[0].starts, 1);
    assert_int_equal(probes[1].starts, 1);
}

static void what_an_earlier_life_left_is_off_the_book_before_it_begins(void **state)
{
    struct world *w = *state;
    others_order_on(w, SYMBOL_ONE, "mine", SIDE_BUY, 90, 5);
    others_order_on(w, SYMBOL_OTHER, "mine", SIDE_BUY, 91, 5); /* whatever it traded */
    others_order_on(w, SYMBOL_ONE, "others", SIDE_BUY, 80, 5);
    begin(w);
    assert_int_equal(probes[0].bid_at_start, 80);
    assert_int_equal(bid_of(w, "mine"), 0);
    assert_int_equal(bid_of(w, "others"), 80);
    assert_int_equal(probes[0].told[0] + probes[0].told[1], 0); /* they were not its own */
}

static void what_an_earlier_life_had_on_its_way_is_refused(void **state)
{
    struct world *w = *state;
    static struct message m;
    struct command c = new_order_of(SIDE_BUY, 90, 5);
    c.new_order.account = text_of("mine");
    begin(w);
    message_clear(&m);
    message_put(&m, &c, envelope_of(ORIGIN, 1, 1));
    pipe_put(w, &m);
    turns(w, 300);
    assert_int_equal(bid_of(w, "mine"), 0);
    assert_false(ended(w)); /* and that refusal is not ours */
    wish(w, buy_ten);
    UNTIL(w, probes[0].orders[1].state == OWN_WORKING);
}

/* ---- running ---- */

static void orders_work_and_their_fills_are_told(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, buy_ten);
    UNTIL(w, probes[0].orders[1].state == OWN_WORKING);
    assert_int_equal(bid_of(w, "mine"), 100);
    others_order(w, SIDE_SELL, 100, 4);
    UNTIL(w, probes[0].fills == 1);
    assert_true(probes[0].position == 4 && probes[0].orders[1].open_qty == 6);
    const struct ledger *l = strategy_host_ledger(strategy_service_host(w->strategies), 0);
    assert_true(l->position == 4 && l->cash == -400);
    UNTIL(w, standing(w, 0).unanswered == 0);
    assert_true(standing(w, 0).orders == 1 && standing(w, 0).working == 1);
}

static void timers_come_on_time(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, wake_later);
    uint64_t from_ns = w->now_ns;
    assert_in_range(w->service.patience_ms(w->service.self), 1, 20);
    UNTIL(w, probes[0].timers == 1);
    assert_true(w->now_ns == from_ns + 50 * NS_PER_MS);
    turns(w, 500);
    assert_int_equal(probes[0].timers, 1);
}

static void a_lost_frame_of_the_account_is_repaired_before_its_result_is_told(void **state)
{
    struct world *w = *state;
    begin(w);
    w->lose = "acct.mine";
    w->lose_count = 1;
    wish(w, buy_ten);
    turns(w, 20); /* the result is there, what it tells of is not */
    assert_true(w->lose_count == 0 && bid_of(w, "mine") == 100);
    assert_true(probes[0].orders[1].state == OWN_SENT && standing(w, 0).unanswered == 1);
    UNTIL(w, standing(w, 0).unanswered == 0);
    assert_int_equal(probes[0].orders[1].state, OWN_WORKING);
}

static void buy_at_no_price(trader_t *t)
{
    (void)trader_limit(t, SIDE_BUY, -5, 1);
}

static void a_refusal_no_event_follows_from_is_told_at_once(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, buy_at_no_price);
    turns(w, 3);
    assert_int_equal(probes[0].orders[1].state, OWN_DONE);
    assert_int_equal(probes[0].orders[1].reason, REJECT_INVALID_PRICE);
    assert_int_equal(standing(w, 0).unanswered, 0);
}

static void a_lost_frame_of_the_book_is_repaired(void **state)
{
    struct world *w = *state;
    begin(w);
    w->lose = "l3." SYMBOL_ONE;
    w->lose_count = 1;
    others_order(w, SIDE_BUY, 70, 1);
    turns(w, 5);
    others_order(w, SIDE_BUY, 71, 1);
    turns(w, 300);
    const strategy_host_t *h = strategy_service_host(w->strategies);
    assert_true(strategy_host_book_hash(h, 0).given);
    assert_true(strategy_host_book_hash(h, 0).value ==
                engine_book(matcher_engine(w->stage.matcher), 1)->l3_hash);
    assert_int_equal(probes[0].groups, 2);
}

static void an_order_that_comes_too_late_is_refused_and_a_cancel_never_is(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, buy_ten);
    UNTIL(w, probes[0].orders[1].state == OWN_WORKING);
    others_order(w, SIDE_BUY, 2, 1);
    probes[0].wish = cancel_it;
    UNTIL(w, probes[0].wish == NULL);
    w->cut = true;
    pipe_clear(w);
    turns(w, LATEST_MS + 1000);
    assert_int_equal(bid_of(w, "mine"), 100);
    w->cut = false;
    UNTIL(w, probes[0].orders[1].state == OWN_DONE);
    assert_int_equal(bid_of(w, "mine"), 0);
}

static void buy_again(trader_t *t)
{
    (void)trader_limit(t, SIDE_BUY, 99, 1);
}

static void an_order_on_its_way_for_too_long_is_done(void **state)
{
    struct world *w = *state;
    begin(w);
    probes[0].wish = buy_again;
    others_order(w, SIDE_BUY, 2, 1);
    turn(w); /* the order is in the pipe */
    assert_null(probes[0].wish);
    pipe_clear(w);
    w->cut = true;
    turns(w, LATEST_MS + 10);
    w->cut = false;
    UNTIL(w, probes[0].orders[1].state == OWN_DONE);
    assert_int_equal(probes[0].orders[1].reason, REJECT_TOO_LATE);
    assert_int_equal(bid_of(w, "mine"), 0);
    assert_int_equal(standing(w, 0).working, 0);
    assert_false(ended(w));
}

static void place_all_it_may(trader_t *t)
{
    for (unsigned i = 0; i < STRATEGY_WORKING_MAX; i++)
        (void)trader_limit(t, SIDE_BUY, 50, 1);
}

static void amend_and_cancel_all(trader_t *t)
{
    for (uint32_t n = 0; (n = trader_next_order(t, n)) != 0;)
        assert_true(trader_amend(t, n, 51, 1));
    trader_cancel_all(t);
}

static void all_a_strategy_may_send_at_once_fits_the_window(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, place_all_it_may);
    UNTIL(w, standing(w, 0).unanswered == 0);
    assert_int_equal(standing(w, 0).working, STRATEGY_WORKING_MAX);
    probes[0].wish = amend_and_cancel_all;
    others_order(w, SIDE_BUY, 2, 1);
    turn(w);
    assert_int_equal(standing(w, 0).unanswered, STRATEGY_UNANSWERED_MAX);
    w->cut = true;
    pipe_clear(w);
    new_matcher(w, STAGE_EPOCH + 1); /* and one more for each account */
    w->cut = false;
    UNTIL(w, ended(w));
    assert_true(strategy_service_clean(w->strategies));
    assert_int_equal(bid_of(w, "mine"), 0);
}

/* ---- what is lost ---- */

static void in_a_new_epoch_strategies_stop_and_their_accounts_are_cleared(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, buy_ten);
    UNTIL(w, probes[0].orders[1].state == OWN_WORKING);
    new_matcher(w, STAGE_EPOCH + 1);
    others_order_on(w, SYMBOL_ONE, "mine", SIDE_BUY, 88, 5); /* came from somewhere */
    UNTIL(w, ended(w));
    assert_true(strategy_service_clean(w->strategies));
    assert_true(standing(w, 0).ended && standing(w, 0).why[0] != '\0');
    assert_int_equal(bid_of(w, "mine"), 0);
}

static void before_it_has_begun_a_new_epoch_is_just_where_it_begins(void **state)
{
    struct world *w = *state;
    service_open(w, NULL);
    turns(w, 110); /* it may have joined, and not been cleared */
    new_matcher(w, STAGE_EPOCH + 1);
    UNTIL(w, probes[0].starts == 1);
    assert_false(ended(w));
}

/* Another host of the same name has begun a newer session. */
static void name_taken(struct world *w)
{
    static struct message m;
    struct command c = mass_cancel_of("mine");
    message_clear(&m);
    message_put(&m, &c, envelope_of(ORIGIN, w->now_ns + 3600 * NS_PER_SECOND, 1));
    pipe_put(w, &m);
    turn(w);
}

static void who_is_superseded_stops_and_says_that_it_knows_nothing(void **state)
{
    struct world *w = *state;
    begin(w);
    name_taken(w);
    wish(w, buy_ten);
    UNTIL(w, ended(w));
    assert_false(strategy_service_clean(w->strategies));
    assert_true(standing(w, 0).ended);
    assert_int_equal(bid_of(w, "mine"), 0);
}

static void who_finds_no_room_for_its_name_never_begins(void **state)
{
    struct world *w = *state;
    static struct message m;
    struct command c = mass_cancel_of("x");
    message_clear(&m);
    message_put(&m, &c, envelope_of("one", 1, 1));
    message_put(&m, &c, envelope_of("two", 1, 1));
    message_put(&m, &c, envelope_of("three", 1, 1));
    message_put(&m, &c, envelope_of("four", 1, 1));
    pipe_put(w, &m);
    service_open(w, NULL);
    UNTIL(w, ended(w));
    assert_false(strategy_service_clean(w->strategies));
    assert_int_equal(probes[0].starts, 0);
}

/* What is missing is too old to be had: the matcher keeps but so much. */
static void events_of_an_account_that_cannot_be_had_stop_its_strategies(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, buy_ten);
    UNTIL(w, probes[0].orders[1].state == OWN_WORKING);
    w->lose = "acct.mine";
    w->lose_count = UINT32_MAX;
    others_order(w, SIDE_SELL, 100, 4); /* a fill nobody hears of */
    w->cut = true;
    for (unsigned i = 0; i < 6000; i++) {
        others_order_on(w, SYMBOL_OTHER, "others", i % 2 == 0 ? SIDE_BUY : SIDE_SELL, 50, 1);
        if (i % 50 == 0)
            turn(w);
    }
    w->lose = NULL;
    w->cut = false;
    UNTIL(w, ended(w));
    assert_true(standing(w, 0).ended && strategy_service_clean(w->strategies));
    assert_int_equal(bid_of(w, "mine"), 0);
}

/* ---- ending ---- */

static void a_stop_cancels_what_works_and_waits_for_the_answers(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, buy_ten);
    UNTIL(w, probes[0].orders[1].state == OWN_WORKING);
    strategy_service_stop(w->strategies, "the test says so");
    strategy_service_stop(w->strategies, "twice");
    assert_false(ended(w));
    UNTIL(w, ended(w));
    assert_true(strategy_service_clean(w->strategies));
    assert_string_equal(standing(w, 0).why, "the test says so");
    assert_int_equal(bid_of(w, "mine"), 0);
    assert_int_equal(probes[0].orders[1].state, OWN_DONE);
}

static void a_stop_without_answers_is_over_after_its_time(void **state)
{
    struct world *w = *state;
    begin(w);
    wish(w, buy_ten);
    UNTIL(w, probes[0].orders[1].state == OWN_WORKING);
    w->cut = true;
    strategy_service_stop(w->strategies, "the test says so");
    uint64_t from_ns = w->now_ns;
    UNTIL(w, ended(w));
    assert_int_equal((w->now_ns - from_ns) / NS_PER_MS, STRATEGY_STOP_MS);
    assert_false(strategy_service_clean(w->strategies));
    assert_int_equal(bid_of(w, "mine"), 100);
}

static void a_stop_before_it_has_begun_is_its_end(void **state)
{
    struct world *w = *state;
    service_open(w, NULL);
    strategy_service_stop(w->strategies, "the test says so");
    assert_true(ended(w) && strategy_service_clean(w->strategies));
    turns(w, 300);
    assert_int_equal(probes[0].starts, 0);
}

static void it_ends_when_every_strategy_has(void **state)
{
    struct world *w = *state;
    w->count = 2;
    begin(w);
    wish(w, buy_ten);
    UNTIL(w, probes[0].orders[1].state == OWN_WORKING);
    probes[0].done = true;
    others_order(w, SIDE_BUY, 3, 1);
    UNTIL(w, standing(w, 0).ended);
    assert_int_equal(bid_of(w, "mine"), 0); /* its end takes off what worked */
    turns(w, 100);
    assert_false(ended(w));
    probes[1].done = true;
    others_order_on(w, SYMBOL_OTHER, "others", SIDE_BUY, 3, 1);
    UNTIL(w, ended(w));
    assert_true(strategy_service_clean(w->strategies));
}

/* ---- its recording ---- */

/* One that comes with Outcry: its class is found again by whoever plays the recording. */
static void maker_make(struct strategy_spec *s)
{
    static const struct cluster_symbol symbol = {.name = SYMBOL_ONE,
                                                 .tick_size = "0.01",
                                                 .lot_size = "1",
                                                 .tick = {1, 2},
                                                 .lot = {1, 0},
                                                 .shard = STAGE_SHARD};
    static const char *const settings[][2] = {{"mode", "symmetric"}, {"half_spread", "2"},
                                              {"quantity", "4"},     {"inventory_max", "20"},
                                              {"pace", "0.01"},      {"position_max", "9"}};
    char error[STRATEGY_SPEC_ERROR_SIZE] = "";
    strategy_spec_init(s, "mine");
    bool fine = strategy_spec_type(s, "maker", error) && strategy_spec_symbol(s, &symbol, error);
    for (unsigned i = 0; fine && i < sizeof settings / sizeof settings[0]; i++)
        fine = strategy_spec_set(s, settings[i][0], settings[i][1], error);
    if (!fine || !strategy_spec_complete(s, error))
        fail_msg("%s", error);
}

struct play {
    inputs_player_t *player;
};

static void play_command(void *self, unsigned strategy, struct command *c)
{
    inputs_player_command(((struct play *)self)->player, strategy, c);
}

static const char record_file[] = "a.inputs";

/* A market moves and trades for a while, and some of it is not heard at once. */
static struct strategy_standing make_recording(struct world *w, struct ledger *ledger)
{
    char error[INPUTS_ERROR_SIZE];
    maker_make(&w->specs[0]);
    inputs_recorder_t *record =
        inputs_recorder_open(record_file, w->specs, w->count, w->now_ns / NS_PER_SECOND, error);
    if (record == NULL)
        fail_msg("%s", error);
    service_open(w, record);
    for (unsigned i = 0; i < 400; i++) {
        bool far = i % 3 != 2;
        int64_t mid = 1000 + i % 17;
        w->lose = i % 19 == 4 ? "acct.mine" : i % 23 == 7 ? "l3." SYMBOL_ONE : NULL;
        w->lose_count = 1;
        others_order(w, SIDE_BUY, far ? mid - 5 : mid + 5, 3);
        others_order(w, SIDE_SELL, far ? mid + 5 : mid - 5, 2);
        turns(w, 1 + i % 13);
    }
    w->lose = NULL;
    strategy_service_stop(w->strategies, "the test says so");
    UNTIL(w, ended(w));
    *ledger = *strategy_host_ledger(strategy_service_host(w->strategies), 0);
    assert_int_equal(inputs_recorder_close(&record, error), STATUS_OK);
    return standing(w, 0);
}

static void a_recorded_run_gives_the_same_orders_again(void **state)
{
    struct world *w = *state;
    struct play p;
    struct ledger live;
    char error[INPUTS_ERROR_SIZE];
    unsigned count;
    enum inputs_step step;
    struct strategy_standing at = make_recording(w, &live);
    assert_true(at.orders > 20 && at.amends + at.cancels > 20 && live.fill_count > 20);
    assert_true(at.refused[OWN_REFUSED_POSITION] > 0);
    if (inputs_player_open(&p.player, record_file, error) != STATUS_OK)
        fail_msg("%s", error);
    const struct strategy_spec *specs = inputs_player_specs(p.player, &count);
    assert_true(count == 1 && strcmp(specs[0].name, "mine") == 0);
    strategy_host_t *h =
        strategy_host_new(&(struct strategy_host_owner){.self = &p, .command = play_command}, specs,
                          count, inputs_player_session(p.player), true);
    while ((step = inputs_player_next(p.player, h, error)) == INPUTS_MORE)
        ;
    if (step != INPUTS_END)
        fail_msg("%s", error);
    struct inputs_end end = inputs_player_end(p.player);
    assert_true(end.commands == at.orders + at.amends + at.cancels && !end.torn);
    assert_memory_equal(strategy_host_ledger(h, 0), &live, sizeof live);
    strategy_host_destroy(&h);
    inputs_player_close(&p.player);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(it_begins_when_all_is_live_and_cleared_and_not_before),
        TEST(it_does_not_begin_without_a_book),
        TEST(an_account_nobody_has_heard_of_can_be_joined),
        TEST(what_an_earlier_life_left_is_off_the_book_before_it_begins),
        TEST(what_an_earlier_life_had_on_its_way_is_refused),
        TEST(orders_work_and_their_fills_are_told),
        TEST(timers_come_on_time),
        TEST(a_lost_frame_of_the_account_is_repaired_before_its_result_is_told),
        TEST(a_refusal_no_event_follows_from_is_told_at_once),
        TEST(a_lost_frame_of_the_book_is_repaired),
        TEST(an_order_that_comes_too_late_is_refused_and_a_cancel_never_is),
        TEST(an_order_on_its_way_for_too_long_is_done),
        TEST(all_a_strategy_may_send_at_once_fits_the_window),
        TEST(in_a_new_epoch_strategies_stop_and_their_accounts_are_cleared),
        TEST(before_it_has_begun_a_new_epoch_is_just_where_it_begins),
        TEST(who_is_superseded_stops_and_says_that_it_knows_nothing),
        TEST(who_finds_no_room_for_its_name_never_begins),
        TEST(events_of_an_account_that_cannot_be_had_stop_its_strategies),
        TEST(a_stop_cancels_what_works_and_waits_for_the_answers),
        TEST(a_stop_without_answers_is_over_after_its_time),
        TEST(a_stop_before_it_has_begun_is_its_end),
        TEST(it_ends_when_every_strategy_has),
        TEST(a_recorded_run_gives_the_same_orders_again),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
