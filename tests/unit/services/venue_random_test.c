/* venue, at random: with a strategy that does nothing everything is as the engine alone makes it;
 * an order of ours is filled exactly when what is ahead of it has gone; and whatever strategies do,
 * nothing is lost, crossed or unexplained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "tests/unit/base/seeds.h"
#include "tests/unit/services/flow.h"
#include "tests/unit/services/trial.h"

enum { COMMANDS = 4000, GROUPS_MAX = 4 * COMMANDS, SYMBOLS = 3 };

static struct trial *trial;

/* ---- what the engine makes of it ---- */

static uint64_t id_of(const engine_t *e, uint32_t order)
{
    return order == 0 ? 0 : engine_order(e, order).order->order_id;
}

/* All there is in the events of the last command, as one number. */
static uint64_t group_hash(const engine_t *e)
{
    size_t count;
    const struct event *events = engine_events(e, &count);
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        const struct event *v = &events[i];
        const uint64_t parts[] = {v->kind,
                                  v->side,
                                  v->reason,
                                  v->book,
                                  v->rested,
                                  id_of(e, v->order),
                                  v->kind == EVENT_TRADE ? id_of(e, v->maker) : 0,
                                  (uint64_t)v->price,
                                  (uint64_t)v->qty,
                                  (uint64_t)v->open_qty,
                                  (uint64_t)v->other_qty,
                                  v->id};
        for (size_t n = 0; n < sizeof parts / sizeof parts[0]; n++)
            hash = mix(hash + parts[n]) + n;
    }
    return hash;
}

/* ---- nothing of ours: as the engine alone ---- */

static struct {
    uint64_t hashes[GROUPS_MAX];
    uint64_t codes[GROUPS_MAX];
    size_t count;
    size_t seen;
} alone;

static void alone_apply(engine_t *e, uint64_t time_ns, const struct command *c)
{
    engine_apply(e, engine_seq(e) + 1, time_ns, c);
    if (c->type == MESSAGE_CONFIGURE)
        return;
    assert_true(alone.count < GROUPS_MAX);
    alone.codes[alone.count] = engine_result(e).outcome.code;
    alone.hashes[alone.count++] = group_hash(e);
}

/* As a matcher does it, and into the recording as its journal has it. */
static void sequence(engine_t *e, uint64_t time_ns, const struct command *c)
{
    recording_command(trial->recording, time_ns, ++trial->row, engine_seq(e) + 1, c);
    alone_apply(e, time_ns, c);
    while (engine_waiting(e) > 0) {
        struct command work = {.type = MESSAGE_CONTINUE_WORK, .continue_work = {engine_waiting(e)}};
        recording_command(trial->recording, time_ns, ++trial->row, engine_seq(e) + 1, &work);
        alone_apply(e, time_ns, &work);
    }
}

static void check_group(void *self, const struct recorded *e, const engine_t *engine)
{
    (void)self, (void)e;
    assert_true(alone.seen < alone.count);
    assert_int_equal(engine_result(engine).outcome.code, alone.codes[alone.seen]);
    assert_int_equal(group_hash(engine), alone.hashes[alone.seen]);
    alone.seen++;
}

static recording_t *empty_recording(void)
{
    struct configure limits = trial_limits();
    struct strategy_symbol symbol = trial_symbol();
    limits.origins_max = 2;
    return recording_new(RECORDING_COMMANDS, &limits, &symbol);
}

static engine_t *begin_alone(void)
{
    engine_t *e = engine_new(recording_limits(trial->recording), 7);
    struct command c = {.type = MESSAGE_CONFIGURE, .configure = *engine_limits(e)};
    static const char *const names[SYMBOLS] = {SYMBOL_OTHER, SYMBOL_ONE, SYMBOL_ANY};
    alone.count = alone.seen = 0;
    sequence(e, 1000, &c);
    for (unsigned i = 0; i < SYMBOLS; i++) {
        c = (struct command){
            .type = MESSAGE_ADD_SYMBOL,
            .add_symbol = {text_of(names[i]), text_of("0.01"), text_of("0.001"), i == 2}};
        sequence(e, 1000, &c);
    }
    return e;
}

/* Random commands of a few accounts and markets, ours one of them; digests now and then. */
static uint64_t record_flow(uint64_t seed, uint64_t *digests)
{
    struct random r = {~seed};
    struct flow flow;
    struct envelope envelope = {.origin = text_of("gw"), .origin_epoch = 1};
    engine_t *e = begin_alone();
    uint64_t time_ns = 1000;
    flow_init(&flow, seed, TRIAL_SHARD);
    *digests = 0;
    for (unsigned i = 0; i < COMMANDS; i++) {
        struct command c;
        flow.seq = engine_seq(e);
        flow_next(&flow, &c);
        envelope.origin_seq++;
        envelope.acked_through = envelope.origin_seq - 1;
        c.envelope = envelope;
        time_ns += random_below(&r, 3);
        if (random_once_in(&r, 10))
            c.envelope.deadline_ns = time_ns - random_below(&r, 2);
        sequence(e, time_ns, &c);
        if (random_once_in(&r, 5) || i + 1 == COMMANDS) {
            recording_digest(trial->recording, engine_books_hash(e));
            ++*digests;
        }
    }
    uint64_t hash = engine_books_hash(e);
    engine_destroy(&e);
    return hash;
}

static void open_flow(const struct trial_script *script)
{
    trial = trial_open(RECORDING_COMMANDS, script);
    recording_destroy(&trial->recording);
    trial->recording = empty_recording();
}

static void as_alone(uint64_t seed, uint64_t data_ns)
{
    uint64_t digests;
    open_flow(NULL);
    uint64_t hash = record_flow(seed, &digests);
    trial->options.watch = check_group;
    trial->options.data_latency.constant_ns = data_ns;
    venue_t *v = trial_run(1);
    assert_int_equal(alone.seen, alone.count);
    assert_int_equal(engine_books_hash(venue_engine(v)), hash);
    struct venue_counts c = venue_counts(v);
    assert_int_equal(c.recorded, COMMANDS + SYMBOLS);
    assert_int_equal(c.digests, digests);
    assert_int_equal(c.digests_differ, 0);
    assert_int_equal(c.refused, 0);
    assert_int_equal(c.short_qty, 0);
    assert_true(c.trades > COMMANDS / 50);
    trial_close();
}

static void idle(uint64_t seed)
{
    as_alone(seed, 0);
    as_alone(seed, 20);
}

static void without_an_order_all_is_as_the_engine_alone_makes_it(void **state)
{
    (void)state;
    seeds_run("without_an_order_all_is_as_the_engine_alone_makes_it", 8, idle);
}

/* ---- one order of ours, at the touch ---- */

enum { PLAIN_COMMANDS = 400, RECENT = 24 };

/* Where ours goes in, and what must come of it. */
static struct {
    uint64_t at_ns;
    int64_t price;
    int64_t qty;
    uint64_t fill_ns; /* 0: never */
    int64_t fill_qty;
    uint64_t ahead[PLAIN_COMMANDS];
    size_t ahead_count;
} touch;

static void touch_start(unsigned n, trader_t *t)
{
    (void)n;
    trader_wake(t, touch.at_ns);
}

static void touch_timer(unsigned n, trader_t *t)
{
    (void)n;
    trader_limit(t, SIDE_BUY, touch.price, touch.qty);
}

static void choose_touch(const engine_t *e, uint64_t now_ns, int64_t qty)
{
    const struct book_pool *pool = engine_pool(e);
    uint32_t best = engine_book(e, 1)->sides[SIDE_BUY - 1].best;
    if (best == 0)
        return;
    touch.at_ns = now_ns;
    touch.price = pool->levels[best].price;
    touch.qty = qty;
    for (uint32_t n = pool->levels[best].head; n != 0; n = pool->orders[n].next)
        touch.ahead[touch.ahead_count++] = pool->orders[n].order_id;
}

static bool was_ahead(uint64_t order_id)
{
    for (size_t i = 0; i < touch.ahead_count; i++) {
        if (touch.ahead[i] == order_id)
            return true;
    }
    return false;
}

/* What a seller reaching our price has left when all before us has had its part is ours. */
static void expect_fill(const engine_t *e, uint64_t now_ns, const struct new_order *o,
                        int64_t *left)
{
    size_t count;
    const struct event *events = engine_events(e, &count);
    for (size_t i = 0; i < count; i++) {
        const struct event *v = &events[i];
        if (v->kind == EVENT_TRADE && (v->price > touch.price || was_ahead(id_of(e, v->maker))))
            *left -= v->qty;
    }
    bool reaches = o->side == SIDE_SELL && o->price.value <= touch.price;
    if (engine_waiting(e) == 0 && reaches && *left > 0 && touch.fill_ns == 0) {
        touch.fill_ns = now_ns;
        touch.fill_qty = *left < touch.qty ? *left : touch.qty;
    }
}

static void plain_command(struct random *r, uint64_t *recent, uint64_t seq, struct command *c)
{
    enum side side = random_once_in(r, 2) ? SIDE_BUY : SIDE_SELL;
    uint64_t *which = &recent[random_below(r, RECENT)];
    if (*which != 0 && random_once_in(r, 3)) {
        *c = (struct command){
            .type = MESSAGE_CANCEL_ORDER,
            .cancel_order = {text_of(SYMBOL_ONE), text_of("m"), *which, text_of("")}};
        return;
    }
    *c = trial_new(side, random_once_in(r, 3) ? TIME_IN_FORCE_IOC : TIME_IN_FORCE_GTC,
                   98 + (int64_t)random_below(r, 5), 1 + (int64_t)random_below(r, 9));
    *which = (uint64_t)TRIAL_SHARD << 48 | seq;
}

static void record_plain(uint64_t seed)
{
    struct random r = {seed};
    uint64_t recent[RECENT] = {0};
    uint64_t at = PLAIN_COMMANDS / 4 + random_below(&r, PLAIN_COMMANDS / 2);
    engine_t *e = engine_new(recording_limits(trial->recording), 7);
    struct command c = {.type = MESSAGE_CONFIGURE, .configure = *engine_limits(e)};
    alone.count = 0;
    sequence(e, 1, &c);
    c = (struct command){
        .type = MESSAGE_ADD_SYMBOL,
        .add_symbol = {text_of(SYMBOL_ONE), text_of("0.01"), text_of("0.001"), false}};
    sequence(e, 1, &c);
    touch.ahead_count = touch.fill_ns = touch.at_ns = 0;
    for (uint64_t i = 1; i <= PLAIN_COMMANDS; i++) {
        uint64_t now_ns = 10 * i;
        plain_command(&r, recent, engine_seq(e) + 1, &c);
        int64_t left = c.type == MESSAGE_NEW_ORDER ? c.new_order.qty : 0;
        recording_command(trial->recording, now_ns, i, engine_seq(e) + 1, &c);
        engine_apply(e, engine_seq(e) + 1, now_ns, &c);
        for (;;) {
            if (touch.at_ns != 0 && c.type == MESSAGE_NEW_ORDER)
                expect_fill(e, now_ns, &c.new_order, &left);
            if (engine_waiting(e) == 0)
                break;
            engine_apply(e, engine_seq(e) + 1, now_ns,
                         &(struct command){.type = MESSAGE_CONTINUE_WORK, .continue_work = {1}});
        }
        if (i >= at && touch.at_ns == 0)
            choose_touch(e, now_ns, 1 + (int64_t)random_below(&r, 5));
    }
    engine_destroy(&e);
}

static unsigned touch_fills;

static void at_the_touch(uint64_t seed)
{
    static const struct trial_script script = {.start = touch_start, .timer = touch_timer};
    open_flow(&script);
    record_plain(seed);
    trial_run(1);
    const struct trial_heard *f = trial_fill(0);
    if (touch.fill_ns == 0) {
        assert_null(f);
    } else {
        assert_non_null(f);
        assert_int_equal(f->time_ns, touch.fill_ns);
        assert_int_equal(f->price, touch.price);
        assert_int_equal(f->qty, touch.fill_qty);
        assert_true(f->maker);
        touch_fills++;
    }
    trial_close();
}

static void an_order_at_the_touch_waits_for_what_is_ahead_of_it(void **state)
{
    (void)state;
    touch_fills = 0;
    seeds_run("an_order_at_the_touch_waits_for_what_is_ahead_of_it", 150, at_the_touch);
    assert_true(touch_fills > 0 || getenv("OUTCRY_TEST_SEED") != NULL);
}

/* ---- strategies that do anything ---- */

enum { STRATEGIES = 3, TRADES_MAX = 1 << 16 };

static struct random random_state;
static struct market_trade trades[TRADES_MAX]; /* by number: heard of in the market */
static int64_t position[STRATEGIES];
static uint64_t fills_heard;

static size_t number_of(uint64_t trade_id)
{
    size_t number = (size_t)(trade_id & ((UINT64_C(1) << 48) - 1));
    assert_true(number < TRADES_MAX);
    return number;
}

static void place_something(trader_t *t)
{
    struct random *r = &random_state;
    struct order_request o = {.side = random_once_in(r, 2) ? SIDE_BUY : SIDE_SELL,
                              .type = ORDER_TYPE_LIMIT,
                              .time_in_force = TIME_IN_FORCE_GTC,
                              .price = 95 + (int64_t)random_below(r, 12),
                              .qty = 1 + (int64_t)random_below(r, 12)};
    if (random_once_in(r, 8))
        o.type = ORDER_TYPE_MARKET;
    else if (random_once_in(r, 4))
        o.time_in_force = random_once_in(r, 2) ? TIME_IN_FORCE_IOC : TIME_IN_FORCE_FOK;
    else
        o.post_only = random_once_in(r, 4);
    trader_place(t, &o);
}

static void anything(trader_t *t)
{
    struct random *r = &random_state;
    uint32_t order = trader_next_order(t, 0);
    if (random_once_in(r, 6))
        place_something(t);
    if (order != 0 && random_once_in(r, 8))
        trader_cancel(t, order);
    else if (order != 0 && random_once_in(r, 8))
        trader_amend(t, order, 95 + (int64_t)random_below(r, 12), 1 + (int64_t)random_below(r, 9));
    if (random_once_in(r, 20))
        trader_wake(t, trader_now_ns(t) + random_below(r, 30));
}

static void anything_on_market(unsigned n, trader_t *t, const struct market_update *u)
{
    (void)n;
    for (size_t i = 0; i < u->trade_count; i++)
        trades[number_of(u->trades[i].trade_id)] = u->trades[i];
    anything(t);
}

static void anything_on_timer(unsigned n, trader_t *t)
{
    (void)n;
    anything(t);
}

/* Each fill is a trade of the market, within the order's price and what it has left. */
static void explain_fill(unsigned n, trader_t *t, const struct own_fill *f)
{
    const struct own_order *o = f->order;
    const struct market_trade *m = &trades[number_of(f->trade_id)];
    assert_int_equal(m->trade_id, f->trade_id);
    assert_int_equal(m->price, f->price);
    assert_int_equal(m->qty, f->qty);
    assert_true(f->maker == (m->aggressor != o->side));
    if (o->type == ORDER_TYPE_LIMIT)
        assert_true(o->side == SIDE_BUY ? f->price <= o->price : f->price >= o->price);
    position[n] += o->side == SIDE_BUY ? f->qty : -f->qty;
    assert_int_equal(trader_position(t), position[n]);
    fills_heard++;
    if (random_once_in(&random_state, 4))
        anything(t);
}

/* Of each open order, what was filled and what is open is what it was. */
static void assert_whole(const engine_t *e)
{
    for (uint32_t a = 1; a <= engine_account_count(e); a++) {
        for (uint32_t n = 0; (n = engine_next_open(e, a, n)) != 0;) {
            struct order_view v = engine_order(e, n);
            assert_int_equal(v.detail->filled_qty + v.order->open_qty, v.detail->qty);
        }
    }
}

static void assert_uncrossed(const engine_t *e)
{
    for (uint32_t s = 1; s <= engine_symbol_count(e); s++) {
        struct bbo_state b = book_bbo(engine_pool(e), engine_book(e, s));
        assert_true(b.qty[0] == 0 || b.qty[1] == 0 || b.price[0] < b.price[1]);
    }
}

static uint64_t run_anything(uint64_t seed)
{
    static const struct trial_script script = {
        .market = anything_on_market, .fill = explain_fill, .timer = anything_on_timer};
    uint64_t digests;
    open_flow(&script);
    record_flow(seed, &digests);
    random_state = (struct random){seed * 3 + 1};
    fills_heard = 0;
    for (unsigned n = 0; n < STRATEGIES; n++)
        position[n] = 0;
    venue_t *v = trial_run_begin(STRATEGIES);
    uint64_t now_ns = 0, steps = 0;
    while (venue_step(v)) {
        assert_true(venue_now_ns(v) >= now_ns);
        now_ns = venue_now_ns(v);
        assert_uncrossed(venue_engine(v));
        steps++;
    }
    struct venue_counts c = venue_counts(v);
    assert_int_equal(c.recorded, COMMANDS + SYMBOLS);
    assert_true(c.ours > 100 && c.digests_differ == 0);
    assert_true(fills_heard > 20);
    assert_true(strategy_host_all_ended(venue_host(v)));
    for (unsigned n = 0; n < STRATEGIES; n++) {
        const struct ledger *l = strategy_host_ledger(venue_host(v), n);
        assert_int_equal(l->position, position[n]);
        assert_int_equal(l->bought - l->sold, position[n]);
        assert_int_equal(strategy_host_standing(venue_host(v), n).working, 0);
        assert_int_equal(strategy_host_standing(venue_host(v), n).unanswered, 0);
    }
    assert_whole(venue_engine(v));
    uint64_t hash = mix(engine_state_hash(venue_engine(v)) + steps) + c.refused;
    trial_close();
    return hash;
}

static void anything_goes(uint64_t seed)
{
    uint64_t hash = run_anything(seed);
    assert_int_equal(run_anything(seed), hash);
}

static void whatever_strategies_do_is_explained_and_done_again(void **state)
{
    (void)state;
    seeds_run("whatever_strategies_do_is_explained_and_done_again", 6, anything_goes);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(without_an_order_all_is_as_the_engine_alone_makes_it),
        SEEDS_TEST(an_order_at_the_touch_waits_for_what_is_ahead_of_it),
        SEEDS_TEST(whatever_strategies_do_is_explained_and_done_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
