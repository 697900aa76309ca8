#include "tests/unit/services/floor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/base/scratch.h"

/* ---- a strategy that does what it is told ---- */

static struct floor the_floor; /* nothing a strategy is given leads to it */

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
    struct probe *p = &the_floor.probes[the_floor.probe_count++];
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
    assert_true(o->number < FLOOR_ORDERS);
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

/* ---- opening ---- */

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
    o.kept_size = FLOOR_KEPT_SIZE;
    o.limits.finished_per_account = 20000; /* all there are */
    return o;
}

void floor_serve(struct floor *f, inputs_recorder_t *record)
{
    f->probe_count = 0;
    f->strategies = strategy_service_new(&(struct strategy_service_options){
        .cluster = &f->cluster,
        .specs = f->specs,
        .count = f->count,
        .origin = FLOOR_ORIGIN,
        .origin_epoch = f->now_ns,
        .session = f->now_ns / NS_PER_SECOND,
        .reply = STAGE_REPLY,
        .record = record,
    });
    f->service = strategy_service(f->strategies);
}

int floor_open(void **state)
{
    static const char subscribe[] = "\1re." STAGE_REPLY;
    struct floor *f = &the_floor;
    struct matcher_options options = matcher_options_of(STAGE_EPOCH);
    memset(f, 0, sizeof *f);
    f->cluster.settings = (struct settings){
        .origin_window = 3000, .deadline_ms = FLOOR_LATEST_MS, .heartbeat_ms = 100};
    stage_open(&f->stage, &options);
    for (unsigned output = 0; output < 2; output++)
        f->stage.service.subscription(f->stage.service.self, output, (const uint8_t *)subscribe,
                                      sizeof subscribe);
    f->now_ns = f->stage.now_ns;
    f->count = 1;
    spec_make(&f->specs[0], "mine", SYMBOL_ONE);
    spec_make(&f->specs[1], "second", SYMBOL_OTHER);
    int status = scratch_open(state);
    *state = f;
    return status;
}

void floor_lose_commands(struct floor *f)
{
    while (f->pipe_count > 0)
        free(f->pipe[--f->pipe_count].bytes);
}

int floor_close(void **state)
{
    struct floor *f = &the_floor;
    floor_lose_commands(f);
    strategy_service_destroy(&f->strategies);
    assert_null(f->strategies);
    strategy_service_destroy(&f->strategies); /* once more is no harm */
    stage_close(&f->stage);
    return scratch_close(state);
}

void floor_new_matcher(struct floor *f, uint64_t epoch)
{
    static const char subscribe[] = "\1re." STAGE_REPLY;
    struct matcher_options options = matcher_options_of(epoch);
    uint64_t now_ns = f->now_ns;
    stage_close(&f->stage);
    stage_open(&f->stage, &options);
    f->stage.now_ns = now_ns;
    for (unsigned output = 0; output < 2; output++)
        f->stage.service.subscription(f->stage.service.self, output, (const uint8_t *)subscribe,
                                      sizeof subscribe);
    f->others_seq = 0;
    floor_lose_commands(f);
}

/* ---- the network ---- */

static bool subscribed(const struct floor *f, unsigned output, struct text topic)
{
    char name[TOPIC_SIZE_MAX + 1];
    const char *always[] = {"hb", "re." STAGE_REPLY, "ack." FLOOR_ORIGIN};
    for (unsigned i = 0; i < 3; i++) {
        if (text_equal(topic, text_of(always[i])))
            return true;
    }
    for (unsigned i = 0; i < f->count; i++) {
        bool private = output == MATCHER_OUTPUT_PRIVATE;
        snprintf(name, sizeof name, private ? "acct.%s" : "l3.%s",
                 private ? f->specs[i].account : f->specs[i].symbol.name);
        if (text_equal(topic, text_of(name)))
            return true;
    }
    return false;
}

static bool lost(struct floor *f, struct text topic)
{
    if (f->lose_once_in > 0 && random_once_in(&f->random, f->lose_once_in))
        return true;
    if (f->lose == NULL || f->lose_count == 0 || !text_equal(topic, text_of(f->lose)))
        return false;
    f->lose_count--;
    return true;
}

/* What the matcher said arrives. */
static void hear(struct floor *f)
{
    for (unsigned i = 0; i < f->stage.said_count; i++) {
        const struct said *m = &f->stage.said[i];
        struct text topic = frame_topic(m->bytes, m->size);
        if (m->output > MATCHER_OUTPUT_PUBLIC || !subscribed(f, m->output, topic) || lost(f, topic))
            continue;
        unsigned input = m->output == MATCHER_OUTPUT_PUBLIC ? 0 : 1;
        if (f->deaf && input == 0)
            continue;
        assert_int_equal(f->service.receive(f->service.self, input, m->bytes, m->size),
                         INTAKE_MORE);
    }
    stage_clear(&f->stage);
}

static void take_outbox(struct floor *f)
{
    struct outgoing m;
    while (outbox_peek(f->service.outbox, UINT64_MAX, &m)) {
        bool gone = f->cut || (f->lose_once_in > 0 && random_once_in(&f->random, f->lose_once_in));
        if (m.output < 2 && !gone) {
            assert_true(f->pipe_count < FLOOR_PIPE_MAX);
            struct floor_message *s = &f->pipe[f->pipe_count++];
            *s = (struct floor_message){malloc(m.size), m.size,
                                        m.output == 0 ? MATCHER_INPUT_COMMANDS
                                                      : MATCHER_INPUT_REQUESTS};
            memcpy(s->bytes, m.bytes, m.size);
        }
        outbox_pop(f->service.outbox);
    }
}

/* What is in the pipe arrives; a mass cancel may fill the batch, and the rest waits. */
static void deliver(struct floor *f)
{
    unsigned taken = 0;
    while (taken < f->pipe_count &&
           stage_receive(&f->stage, f->pipe[taken].input, f->pipe[taken].bytes,
                         f->pipe[taken].size) == INTAKE_MORE)
        free(f->pipe[taken++].bytes);
    f->pipe_count -= taken;
    memmove(f->pipe, f->pipe + taken, f->pipe_count * sizeof f->pipe[0]);
}

void floor_turn(struct floor *f)
{
    f->now_ns += NS_PER_MS;
    f->stage.now_ns = f->now_ns;
    stage_begin(&f->stage);
    deliver(f);
    stage_end(&f->stage);
    f->service.begin(f->service.self, f->now_ns, 1);
    hear(f);
    struct journal_batch none;
    assert_false(f->service.end(f->service.self, &none));
    take_outbox(f);
}

void floor_turns(struct floor *f, unsigned count)
{
    while (count-- > 0)
        floor_turn(f);
}

void floor_begin(struct floor *f)
{
    floor_serve(f, NULL);
    FLOOR_UNTIL(f, f->probes[f->count - 1].starts == 1);
}

/* ---- others ---- */

void floor_send(struct floor *f, const struct message *m)
{
    assert_true(f->pipe_count < FLOOR_PIPE_MAX);
    struct floor_message *s = &f->pipe[f->pipe_count++];
    *s = (struct floor_message){malloc(m->size), m->size, MATCHER_INPUT_COMMANDS};
    memcpy(s->bytes, m->bytes, m->size);
}

void floor_order_on(struct floor *f, const char *symbol, const char *account, enum side side,
                    int64_t price, int64_t qty)
{
    static struct message m;
    struct command c = new_order_of(side, price, qty);
    c.new_order.account = text_of(account);
    c.new_order.symbol = text_of(symbol);
    message_clear(&m);
    struct envelope e = envelope_of("gw", 1, ++f->others_seq);
    e.acked_through = f->others_seq - 1;
    message_put(&m, &c, e);
    floor_send(f, &m);
}

void floor_order(struct floor *f, enum side side, int64_t price, int64_t qty)
{
    floor_order_on(f, SYMBOL_ONE, "others", side, price, qty);
}

void floor_wish(struct floor *f, void (*act)(trader_t *t))
{
    f->probes[0].wish = act;
    floor_order(f, SIDE_BUY, 1, 1);
    FLOOR_UNTIL(f, f->probes[0].wish == NULL);
}

int64_t floor_open_price(const struct floor *f, const char *account)
{
    const engine_t *e = matcher_engine(f->stage.matcher);
    uint32_t a =
        engine_account_find((engine_t *)(uintptr_t)e, text_of(account)); /* it only looks */
    uint32_t n = a == 0 ? 0 : engine_next_open(e, a, 0);
    return n == 0 ? 0 : engine_order(e, n).detail->price;
}

static int64_t filled_of(const engine_t *e, uint32_t order)
{
    const struct order_view v = engine_order(e, order);
    return v.order->side == SIDE_BUY ? v.detail->filled_qty : -v.detail->filled_qty;
}

int64_t floor_position_of(const struct floor *f, const char *account)
{
    const engine_t *e = matcher_engine(f->stage.matcher);
    uint32_t a = engine_account_find((engine_t *)(uintptr_t)e, text_of(account));
    int64_t position = 0;
    for (uint32_t n = 0; a != 0 && (n = engine_next_finished(e, a, n)) != 0;)
        position += filled_of(e, n);
    for (uint32_t n = 0; a != 0 && (n = engine_next_open(e, a, n)) != 0;)
        position += filled_of(e, n);
    return position;
}

struct strategy_standing floor_standing(const struct floor *f, unsigned strategy)
{
    return strategy_host_standing(strategy_service_host(f->strategies), strategy);
}

bool floor_ended(const struct floor *f)
{
    return strategy_service_ended(f->strategies);
}
