/* The queue model: levels and trades as anonymous orders in the engine, ours among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/trial.h"

static struct trial *trial;

static int teardown(void **state)
{
    (void)state;
    trial_close();
    return 0;
}

static void level(uint64_t time_ns, enum side side, int64_t price, int64_t qty)
{
    recording_level(trial->recording, time_ns, ++trial->row, side, price, qty);
}

static void trade(uint64_t time_ns, enum side aggressor, int64_t price, int64_t qty)
{
    recording_trade(trial->recording, time_ns, ++trial->row, aggressor, price, qty);
}

/* ---- one order of ours, and what is ahead of it ---- */

static uint64_t buy_at_ns;
static int64_t buy_price, buy_qty;
static int64_t ahead[16];
static size_t ahead_count;

static void wake_to_buy(unsigned n, trader_t *t)
{
    (void)n;
    trader_wake(t, buy_at_ns);
}

static void buy(unsigned n, trader_t *t)
{
    (void)n;
    trader_limit(t, SIDE_BUY, buy_price, buy_qty);
}

static void note_ahead(unsigned n, trader_t *t, const struct market_update *u)
{
    (void)n, (void)u;
    if (trader_now_ns(t) > buy_at_ns)
        ahead[ahead_count++] = trader_ahead(t, 1);
}

static void open_with_buy(enum queue_model model, uint64_t at_ns, int64_t price, int64_t qty)
{
    static const struct trial_script script = {
        .start = wake_to_buy, .timer = buy, .market = note_ahead};
    trial = trial_open(RECORDING_LEVELS, &script);
    trial->options.queue_model = model;
    buy_at_ns = at_ns;
    buy_price = price;
    buy_qty = qty;
    ahead_count = 0;
}

static void assert_ahead(const int64_t *expected, size_t count)
{
    assert_true(ahead_count >= count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ahead[i], expected[i]);
}

static void assert_fill(size_t index, uint64_t time_ns, int64_t price, int64_t qty, bool maker)
{
    const struct trial_heard *f = trial_fill(index);
    assert_non_null(f);
    assert_int_equal(f->time_ns, time_ns);
    assert_int_equal(f->price, price);
    assert_int_equal(f->qty, qty);
    assert_int_equal(f->maker, maker);
}

/* ---- the rules ---- */

/* 60 stand before us, then 40 come behind us; who leaves stood behind us while there is one. */
static void back_takes_who_stands_behind_us_first(void **state)
{
    (void)state;
    open_with_buy(QUEUE_BACK, 15, 100, 7);
    level(10, SIDE_BUY, 100, 60);
    level(20, SIDE_BUY, 100, 100);
    level(30, SIDE_BUY, 100, 70);
    level(40, SIDE_BUY, 100, 50);
    level(50, SIDE_BUY, 100, 0);
    trial_run(1);
    static const int64_t expected[] = {60, 60, 50, 0};
    assert_ahead(expected, 4);
}

/* Of 100, 50 leave: 30 of the 60 before us, 20 of the 40 behind us. Of 50 then 7: 4.2 and 2.8,
 * cut to 4 and 2, and the one that is left over from the end. */
static void proportional_takes_from_both_sides_of_us(void **state)
{
    (void)state;
    open_with_buy(QUEUE_PROPORTIONAL, 15, 100, 7);
    level(10, SIDE_BUY, 100, 60);
    level(20, SIDE_BUY, 100, 100);
    level(30, SIDE_BUY, 100, 50);
    level(40, SIDE_BUY, 100, 43);
    level(50, SIDE_BUY, 100, 0);
    trial_run(1);
    static const int64_t expected[] = {60, 30, 26, 0};
    assert_ahead(expected, 4);
}

/* 1 is left of 26 before and 17 behind: 42 x 26 / 43 = 25.4, 42 x 17 / 43 = 16.6, cut to 25 and 16;
 * the one left over comes from the end, so the last one stands before us. */
static void what_is_cut_comes_from_the_end(void **state)
{
    (void)state;
    open_with_buy(QUEUE_PROPORTIONAL, 15, 100, 7);
    level(10, SIDE_BUY, 100, 26);
    level(20, SIDE_BUY, 100, 43);
    level(30, SIDE_BUY, 100, 1);
    trial_run(1);
    static const int64_t expected[] = {26, 1};
    assert_ahead(expected, 2);
}

static void a_trade_takes_the_front_and_then_us(void **state)
{
    (void)state;
    open_with_buy(QUEUE_BACK, 15, 100, 7);
    level(10, SIDE_BUY, 100, 60);
    level(20, SIDE_BUY, 100, 100);
    trade(30, SIDE_SELL, 100, 60);
    level(30, SIDE_BUY, 100, 40);
    trade(40, SIDE_SELL, 100, 5);
    trade(50, SIDE_SELL, 100, 5);
    venue_t *v = trial_run(1);
    assert_fill(0, 40, 100, 5, true);
    assert_fill(1, 50, 100, 2, true);
    assert_null(trial_fill(2));
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 37);
    assert_int_equal(venue_counts(v).short_qty, 0);
    assert_int_equal(venue_counts(v).trades, 4);
    assert_int_equal(venue_counts(v).recorded, 6);
}

static void a_trade_is_cut_where_its_price_ends(void **state)
{
    (void)state;
    open_with_buy(QUEUE_BACK, 1000, 1, 1);
    level(10, SIDE_SELL, 101, 5);
    level(10, SIDE_SELL, 102, 5);
    trade(20, SIDE_BUY, 101, 8);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).short_qty, 3);
    assert_int_equal(trial_qty_at(SIDE_SELL, 101), 0);
    assert_int_equal(trial_qty_at(SIDE_SELL, 102), 5);
}

static void what_we_take_comes_back_with_the_next_word(void **state)
{
    (void)state;
    open_with_buy(QUEUE_BACK, 15, 101, 4);
    level(10, SIDE_SELL, 101, 5);
    level(20, SIDE_SELL, 102, 9);
    level(30, SIDE_SELL, 101, 5);
    venue_t *v = trial_run_begin(1);
    while (venue_counts(v).recorded < 2)
        assert_true(venue_step(v));
    assert_fill(0, 15, 101, 4, false);
    assert_int_equal(trial_qty_at(SIDE_SELL, 101), 1);
    while (venue_step(v))
        ;
    assert_int_equal(trial_qty_at(SIDE_SELL, 101), 5);
}

/* The market moves through us: who sells at our price sells to us; the bids that stood there are
 * out of date. */
static void a_level_that_crosses_takes_the_other_side_off_and_trades_with_us(void **state)
{
    (void)state;
    open_with_buy(QUEUE_BACK, 15, 100, 7);
    level(10, SIDE_BUY, 100, 60);
    level(10, SIDE_BUY, 99, 30);
    level(10, SIDE_SELL, 101, 30);
    level(20, SIDE_SELL, 100, 10);
    venue_t *v = trial_run(1);
    assert_fill(0, 20, 100, 7, true);
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 0);
    assert_int_equal(trial_qty_at(SIDE_BUY, 99), 30);
    assert_int_equal(trial_qty_at(SIDE_SELL, 100), 3);
    assert_int_equal(trial_qty_at(SIDE_SELL, 101), 30);
    assert_int_equal(venue_counts(v).trades, 1);
}

/* However many commands an update takes, strategies hear of it once. */
static void an_update_is_heard_once(void **state)
{
    (void)state;
    trial = trial_open(RECORDING_LEVELS, NULL);
    level(0, SIDE_BUY, 100, 1);
    for (int64_t qty = 10; qty <= 50; qty += 10)
        level(10, SIDE_BUY, 100, qty);
    level(20, SIDE_BUY, 100, 3); /* five orders go */
    level(30, SIDE_BUY, 100, 3); /* nothing changes */
    trial_run(1);
    assert_int_equal(trial_heard_of(TRIAL_MARKET, 5)->time_ns, 20);
    assert_null(trial_heard_of(TRIAL_MARKET, 6));
}

static void a_level_may_hold_all_there_can_be(void **state)
{
    (void)state;
    open_with_buy(QUEUE_PROPORTIONAL, 15, 100, 1);
    level(10, SIDE_BUY, 100, INT64_MAX - 2);
    level(20, SIDE_BUY, 100, INT64_MAX - 1);
    level(30, SIDE_BUY, 100, INT64_MAX / 2);
    level(40, SIDE_BUY, 100, INT64_MAX - 1);
    level(50, SIDE_BUY, 100, INT64_MAX); /* with ours that is one too many: refused */
    venue_t *v = trial_run(1);
    static const int64_t expected[] = {INT64_MAX - 2};
    assert_ahead(expected, 1);
    assert_int_equal(venue_counts(v).refused, 1);
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), INT64_MAX - 1);
}

/* ---- random: levels are as recorded, but for ours ---- */

enum { PRICES = 12, BASE = 100, UPDATES = 3000 };

static struct random random_state;

static void random_orders(unsigned n, trader_t *t, const struct market_update *u)
{
    (void)n, (void)u;
    struct random *r = &random_state;
    uint32_t order = trader_next_order(t, 0);
    if (random_once_in(r, 12))
        trader_limit(t, random_once_in(r, 2) ? SIDE_BUY : SIDE_SELL,
                     BASE + (int64_t)random_below(r, PRICES), 1 + (int64_t)random_below(r, 20));
    else if (order != 0 && random_once_in(r, 10))
        trader_cancel(t, order);
}

/* Others' at a price of the engine. */
static int64_t others_at(const engine_t *e, enum side side, int64_t price)
{
    const struct book_pool *pool = engine_pool(e);
    const struct book *b = engine_book(e, 1);
    int64_t qty = 0;
    for (uint32_t l = b->sides[side - 1].best; l != 0; l = pool->levels[l].worse) {
        for (uint32_t o = pool->levels[l].head; o != 0; o = pool->orders[o].next) {
            if (pool->levels[l].price == price && pool->orders[o].account == 1)
                qty += pool->orders[o].open_qty;
        }
    }
    return qty;
}

static size_t differing;

/* Behind each update its level holds what was said, unless it met an order of ours, and was less by
 * what that took: then the level traded. */
static void check_level(void *self, const struct recorded *e, const engine_t *engine)
{
    (void)self;
    if (e->trade)
        return;
    int64_t others = others_at(engine, e->side, e->price);
    bool traded = engine_book_marks(engine, 1).trade_seq == engine_seq(engine);
    assert_true(others == e->qty || (traded && others < e->qty));
    differing += others != e->qty;
}

static void record_random_market(uint64_t seed)
{
    struct random r = {seed};
    int64_t mid = PRICES / 2;
    for (uint64_t i = 0; i < UPDATES; i++) {
        uint64_t time_ns = 10 * i;
        if (random_once_in(&r, 40) && mid > 2 && mid < PRICES - 2)
            mid += random_once_in(&r, 2) ? 1 : -1;
        else if (random_once_in(&r, 40))
            mid = PRICES / 2;
        bool sell = random_once_in(&r, 2);
        int64_t price = sell ? mid + (int64_t)random_below(&r, (uint64_t)(PRICES - mid))
                             : (int64_t)random_below(&r, (uint64_t)mid);
        int64_t qty = random_once_in(&r, 6) ? 0 : (int64_t)random_below(&r, 50);
        if (random_once_in(&r, 5))
            trade(time_ns, sell ? SIDE_BUY : SIDE_SELL, BASE + price, 1 + qty);
        else
            level(time_ns, sell ? SIDE_SELL : SIDE_BUY, BASE + price, qty);
    }
}

static uint64_t random_run(uint64_t seed, bool ours)
{
    static const struct trial_script script = {.market = random_orders};
    trial = trial_open(RECORDING_LEVELS, ours ? &script : NULL);
    trial->options.queue_model = seed % 2 == 0 ? QUEUE_BACK : QUEUE_PROPORTIONAL;
    trial->options.watch = check_level;
    random_state = (struct random){~seed};
    record_random_market(seed);
    venue_t *v = trial_run_begin(1);
    while (venue_step(v)) {
        struct bbo_state best =
            book_bbo(engine_pool(venue_engine(v)), engine_book(venue_engine(v), 1));
        assert_true(best.qty[0] == 0 || best.qty[1] == 0 || best.price[0] < best.price[1]);
    }
    uint64_t hash = engine_state_hash(venue_engine(v));
    assert_int_equal(venue_counts(v).recorded, UPDATES);
    assert_int_equal(venue_counts(v).refused, 0);
    assert_int_equal(strategy_host_standing(venue_host(v), 0).working, 0);
    trial_close();
    return hash;
}

static void random_levels(uint64_t seed)
{
    differing = 0;
    random_run(seed, false);
    assert_int_equal(differing, 0); /* without us every level is as recorded */
    uint64_t hash = random_run(seed, true);
    assert_int_equal(random_run(seed, true), hash);
}

static void levels_are_as_recorded_but_for_ours(void **state)
{
    (void)state;
    seeds_run("levels_are_as_recorded_but_for_ours", 6, random_levels);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(back_takes_who_stands_behind_us_first),
        TEST(proportional_takes_from_both_sides_of_us),
        TEST(what_is_cut_comes_from_the_end),
        TEST(a_trade_takes_the_front_and_then_us),
        TEST(a_trade_is_cut_where_its_price_ends),
        TEST(what_we_take_comes_back_with_the_next_word),
        TEST(a_level_that_crosses_takes_the_other_side_off_and_trades_with_us),
        TEST(an_update_is_heard_once),
        TEST(a_level_may_hold_all_there_can_be),
        SEEDS_TEST(levels_are_as_recorded_but_for_ours),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
