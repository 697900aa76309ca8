/* venue, exact mode, without latency: where an order of ours stands, what the recorded history
 * makes of it, and what it makes of that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/services/trial.h"

static int teardown(void **state)
{
    (void)state;
    trial_close();
    return 0;
}

/* What the only strategy does, once: at `at_ns`. */
static struct {
    uint64_t at_ns;
    struct order_request request;
    unsigned times;
} plan;

static void plan_start(unsigned n, trader_t *t)
{
    (void)n;
    trader_wake(t, plan.at_ns);
}

static void plan_timer(unsigned n, trader_t *t)
{
    (void)n;
    for (unsigned i = 0; i < plan.times; i++)
        trader_place(t, &plan.request);
}

static const struct trial_script planned = {.start = plan_start, .timer = plan_timer};

static void plan_limit(uint64_t at_ns, enum side side, int64_t price, int64_t qty)
{
    plan.at_ns = at_ns;
    plan.times = 1;
    plan.request = (struct order_request){.side = side,
                                          .type = ORDER_TYPE_LIMIT,
                                          .time_in_force = TIME_IN_FORCE_GTC,
                                          .price = price,
                                          .qty = qty};
}

static void plan_ioc(uint64_t at_ns, enum side side, int64_t price, int64_t qty)
{
    plan_limit(at_ns, side, price, qty);
    plan.request.time_in_force = TIME_IN_FORCE_IOC;
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

/* ---- the queue ---- */

/* Before us 5 and 7, of which 5 trade, 3 leave and 4 trade; behind us 3. */
static void an_order_is_filled_when_the_queue_ahead_of_it_has_gone(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_limit(35, SIDE_BUY, 100, 4);
    trial_limit(10, SIDE_BUY, 100, 5);
    uint64_t second = trial_limit(20, SIDE_BUY, 100, 7);
    trial_limit(40, SIDE_BUY, 100, 3);
    trial_ioc(50, SIDE_SELL, 100, 5);
    trial_reduce(60, second, 3);
    trial_ioc(70, SIDE_SELL, 100, 4);
    trial_ioc(80, SIDE_SELL, 100, 1);
    trial_ioc(90, SIDE_SELL, 99, 6);
    venue_t *v = trial_run(1);
    assert_fill(0, 80, 100, 1, true);
    assert_fill(1, 90, 100, 3, true);
    assert_null(trial_fill(2));
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 0);
    struct venue_counts c = venue_counts(v);
    assert_int_equal(c.recorded, 9);
    assert_int_equal(c.ours, 1);
    assert_int_equal(c.trades, 5);
    assert_int_equal(c.short_qty, 0);
    assert_int_equal(c.refused, 0);
    assert_int_equal(c.events, 11); /* the timer, too */
}

static uint32_t watched;
static int64_t ahead[16];
static size_t ahead_count;

static void note_ahead(unsigned n, trader_t *t, const struct market_update *u)
{
    (void)n, (void)u;
    if (watched == 0 && trader_now_ns(t) >= 20)
        watched = trader_limit(t, SIDE_SELL, 105, 2);
    else if (watched != 0)
        ahead[ahead_count++] = trader_ahead(t, watched);
}

static void the_quantity_ahead_is_the_engines_own(void **state)
{
    (void)state;
    static const struct trial_script script = {.market = note_ahead};
    watched = 0;
    ahead_count = 0;
    trial_open(RECORDING_COMMANDS, &script);
    uint64_t first = trial_limit(10, SIDE_SELL, 105, 5);
    trial_limit(20, SIDE_SELL, 105, 7);
    trial_limit(30, SIDE_SELL, 105, 9);
    trial_ioc(40, SIDE_BUY, 105, 3);
    trial_cancel(50, first);
    trial_ioc(60, SIDE_BUY, 105, 7);
    trial_run(1);
    static const int64_t expected[] = {12, 9, 7, 0};
    assert_true(ahead_count >= 5);
    assert_memory_equal(&ahead[1], expected, sizeof expected); /* behind that of its own arrival */
}

/* ---- what it does to the recorded ones ---- */

static void an_aggressor_that_finds_less_is_short(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_ioc(15, SIDE_BUY, 101, 3);
    trial_limit(10, SIDE_SELL, 101, 5);
    trial_ioc(20, SIDE_BUY, 101, 5);
    venue_t *v = trial_run(1);
    assert_fill(0, 15, 101, 3, false);
    assert_int_equal(venue_counts(v).short_qty, 3);
    assert_int_equal(venue_counts(v).refused, 0);
    assert_int_equal(venue_counts(v).trades, 2);
}

static void a_market_order_that_finds_less_is_short_and_a_fok_refused(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_ioc(15, SIDE_BUY, 101, 3);
    trial_limit(10, SIDE_SELL, 101, 5);
    struct command c = trial_new(SIDE_BUY, TIME_IN_FORCE_FOK, 101, 3);
    trial_command(20, &c);
    c = trial_new(SIDE_BUY, TIME_IN_FORCE_IOC, 0, 6);
    c.new_order.type = ORDER_TYPE_MARKET;
    c.new_order.price = (struct i64_or_nil){0, false};
    trial_command(30, &c);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).refused, 1);
    assert_int_equal(venue_counts(v).short_qty, 4);
}

/* What the history itself refused and cut is not laid to us. */
static void what_went_before_our_first_order_is_not_counted(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_limit(40, SIDE_BUY, 90, 1);
    trial_limit(10, SIDE_SELL, 101, 5);
    trial_ioc(20, SIDE_BUY, 101, 7);
    trial_cancel(30, 12345);
    trial_cancel(50, 12345);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).short_qty, 0);
    assert_int_equal(venue_counts(v).refused, 1);
}

static void a_recorded_order_that_meets_ours_trades_with_it(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_limit(15, SIDE_BUY, 102, 4);
    trial_limit(10, SIDE_BUY, 100, 5);
    trial_limit(20, SIDE_SELL, 101, 6);
    trial_run(1);
    assert_fill(0, 20, 102, 4, true);
    assert_int_equal(trial_qty_at(SIDE_SELL, 101), 2);
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 5);
}

static void a_cancel_of_what_we_took_is_refused(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_ioc(15, SIDE_BUY, 101, 5);
    uint64_t id = trial_limit(10, SIDE_SELL, 101, 5);
    trial_reduce(20, id, 1);
    trial_cancel(30, id);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).refused, 2);
    assert_int_equal(venue_counts(v).recorded, 4);
}

static void an_amend_down_applies_to_what_is_open_now(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_ioc(15, SIDE_BUY, 101, 4);
    uint64_t id = trial_limit(10, SIDE_SELL, 101, 10);
    trial_limit(12, SIDE_SELL, 101, 20);
    trial_reduce(20, id, 5);
    trial_ioc(30, SIDE_BUY, 101, 2);
    trial_run(1);
    assert_int_equal(trial_qty_at(SIDE_SELL, 101), 19); /* 1 of the first, then 1 of the second */
}

/* Ours come between, so the same orders have other ids than they had. */
static void recorded_ids_name_the_same_orders_behind_ours(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_limit(25, SIDE_BUY, 50, 1);
    plan.times = 3;
    uint64_t first = trial_limit(10, SIDE_BUY, 100, 1);
    uint64_t second = trial_limit(20, SIDE_BUY, 99, 2);
    uint64_t third = trial_limit(30, SIDE_BUY, 98, 4);
    uint64_t fourth = trial_limit(30, SIDE_BUY, 97, 8);
    trial_limit(30, SIDE_BUY, 96, 16);
    trial_cancel(40, third);
    trial_reduce(40, fourth, 7);
    trial_cancel(40, first);
    trial_reduce(40, second, 1);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).ours, 6); /* and their cancels, at the end */
    assert_int_equal(venue_counts(v).refused, 0);
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 0);
    assert_int_equal(trial_qty_at(SIDE_BUY, 99), 1);
    assert_int_equal(trial_qty_at(SIDE_BUY, 98), 0);
    assert_int_equal(trial_qty_at(SIDE_BUY, 97), 1);
    assert_int_equal(trial_qty_at(SIDE_BUY, 96), 16);
}

/* Five fills with four in a command: work is left over where there was none, and ids shift by it;
 * recorded work that is not needed any more shifts them the other way. */
static void recorded_ids_survive_work_left_over(void **state)
{
    (void)state;
    struct trial *k = trial_open(RECORDING_COMMANDS, &planned);
    plan_ioc(20, SIDE_BUY, 101, 2);
    for (unsigned i = 0; i < 6; i++)
        trial_limit(10, SIDE_SELL, 101, 1);
    trial_ioc(30, SIDE_BUY, 101, 5); /* recorded: 4, and 1 more; now 4 are there */
    k->seq++;                        /* so its work that went on had a sequence */
    uint64_t id = trial_limit(40, SIDE_SELL, 105, 3);
    trial_limit(40, SIDE_SELL, 106, 3);
    trial_cancel(50, id);
    venue_t *v = trial_run(1);
    assert_int_equal(trial_qty_at(SIDE_SELL, 105), 0);
    assert_int_equal(trial_qty_at(SIDE_SELL, 106), 3);
    assert_int_equal(venue_counts(v).refused, 0);
    assert_int_equal(venue_counts(v).short_qty, 1);
}

static void an_account_can_be_left_out(void **state)
{
    (void)state;
    struct trial *k = trial_open(RECORDING_COMMANDS, NULL);
    k->options.without_account = "x";
    struct command c = trial_new(SIDE_BUY, TIME_IN_FORCE_GTC, 100, 1);
    c.new_order.account = text_of("x");
    uint64_t id = trial_command(10, &c);
    trial_limit(20, SIDE_BUY, 99, 2);
    uint64_t other = trial_limit(20, SIDE_BUY, 98, 2);
    c = (struct command){.type = MESSAGE_CANCEL_ORDER,
                         .cancel_order = {text_of(""), text_of("x"), id, text_of("")}};
    trial_command(30, &c);
    trial_cancel(40, id); /* not its order, and not another's either */
    trial_cancel(50, other);
    recording_digest(k->recording, 1);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).left_out, 2);
    assert_int_equal(venue_counts(v).recorded, 5);
    assert_int_equal(venue_counts(v).refused, 1);
    assert_int_equal(venue_counts(v).digests, 0);
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 0);
    assert_int_equal(trial_qty_at(SIDE_BUY, 99), 2);
    assert_int_equal(trial_qty_at(SIDE_BUY, 98), 0);
}

/* ---- digests ---- */

static uint64_t digest_of(int64_t qty)
{
    trial_open(RECORDING_COMMANDS, NULL);
    trial_limit(10, SIDE_BUY, 100, qty);
    uint64_t hash = engine_books_hash(venue_engine(trial_run(1)));
    trial_close();
    return hash;
}

static void digests_are_compared_until_our_first_order(void **state)
{
    (void)state;
    uint64_t hash = digest_of(5);
    struct trial *k = trial_open(RECORDING_COMMANDS, &planned);
    plan_limit(25, SIDE_BUY, 1, 1);
    trial_limit(10, SIDE_BUY, 100, 5);
    recording_digest(k->recording, hash);
    trial_cancel(20, 99);
    recording_digest(k->recording, hash + 1);
    trial_cancel(30, 99);
    recording_digest(k->recording, hash);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).digests, 2);
    assert_int_equal(venue_counts(v).digests_differ, 1);
}

/* ---- order of things ---- */

static void strategies_start_behind_the_first_moment(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, NULL);
    trial_limit(0, SIDE_BUY, 100, 5);
    trial_limit(0, SIDE_SELL, 101, 5);
    trial_limit(1, SIDE_SELL, 101, 5);
    trial_run(1);
    assert_int_equal(trial_heard_of(TRIAL_START, 0)->time_ns, 0);
    assert_int_equal(trial_heard_of(TRIAL_MARKET, 0)->time_ns, 1);
    assert_null(trial_heard_of(TRIAL_MARKET, 1));
}

static void buy_at_first_sight(unsigned n, trader_t *t, const struct market_update *u)
{
    (void)n, (void)u;
    struct market_level best;
    if (trader_best(t, SIDE_SELL, &best) && trader_next_order(t, 0) == 0 && trader_position(t) == 0)
        trader_limit(t, SIDE_BUY, best.price, 2);
}

/* Without latency it is there before the next recorded command, though that is of the same time. */
static void a_command_without_latency_is_the_next_to_happen(void **state)
{
    (void)state;
    static const struct trial_script script = {.market = buy_at_first_sight};
    trial_open(RECORDING_COMMANDS, &script);
    trial_limit(10, SIDE_SELL, 101, 2);
    trial_ioc(10, SIDE_BUY, 101, 2);
    venue_t *v = trial_run(1);
    assert_fill(0, 10, 101, 2, false);
    assert_int_equal(venue_counts(v).short_qty, 2);
}

/* The market first, then what became of the order, then the fill. */
static void what_one_command_did_is_heard_in_one_order(void **state)
{
    (void)state;
    struct trial *k = trial_open(RECORDING_COMMANDS, &planned);
    plan_ioc(15, SIDE_BUY, 101, 3);
    trial_limit(0, SIDE_SELL, 101, 1);
    trial_limit(10, SIDE_SELL, 101, 5);
    trial_limit(20, SIDE_SELL, 105, 5);
    trial_run(1);
    static const enum trial_heard_kind expected[] = {TRIAL_START, TRIAL_MARKET, TRIAL_TIMER,
                                                     TRIAL_MARKET, TRIAL_ORDER};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(k->heard[i].kind, expected[i]);
    assert_int_equal(k->heard[3].trades, 2);
    assert_fill(0, 15, 101, 1, false);
    assert_fill(1, 15, 101, 2, false);
}

static void timers_come_behind_all_else_of_their_time(void **state)
{
    (void)state;
    struct trial *k = trial_open(RECORDING_COMMANDS, &planned);
    plan_ioc(10, SIDE_BUY, 101, 1);
    trial_limit(0, SIDE_SELL, 101, 1);
    trial_ioc(10, SIDE_BUY, 101, 1); /* first */
    trial_limit(11, SIDE_SELL, 105, 1);
    trial_run(1);
    assert_null(trial_fill(0));
    assert_int_equal(k->heard[1].kind, TRIAL_MARKET);
    assert_int_equal(k->heard[2].kind, TRIAL_TIMER);
}

/* ---- edges ---- */

static void an_empty_recording_starts_and_stops(void **state)
{
    (void)state;
    struct configure limits = trial_limits();
    struct strategy_symbol symbol = trial_symbol();
    struct trial *k = trial_open(RECORDING_COMMANDS, NULL);
    recording_destroy(&k->recording);
    k->recording = recording_new(RECORDING_COMMANDS, &limits, &symbol);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).recorded, 0);
    assert_int_equal(venue_now_ns(v), 0);
    assert_int_equal(k->heard_count, 1);
    assert_false(venue_step(v));
    assert_int_equal(venue_run(v, 5), 0);
    assert_string_equal(strategy_host_standing(venue_host(v), 0).why, "the recording is over");
}

static void one_command_is_a_recording(void **state)
{
    (void)state;
    struct configure limits = trial_limits();
    struct strategy_symbol symbol = trial_symbol();
    struct trial *k = trial_open(RECORDING_COMMANDS, NULL);
    recording_destroy(&k->recording);
    k->recording = recording_new(RECORDING_COMMANDS, &limits, &symbol);
    struct command c = trial_new(SIDE_BUY, TIME_IN_FORCE_GTC, 100, 3);
    recording_command(k->recording, 77, 1, 0, &c); /* and its symbol is there by itself */
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).recorded, 1);
    assert_int_equal(venue_now_ns(v), 77);
    assert_int_equal(trial_heard_of(TRIAL_START, 0)->time_ns, 77);
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 3);
}

static void what_works_at_the_end_is_cancelled(void **state)
{
    (void)state;
    trial_open(RECORDING_COMMANDS, &planned);
    plan_limit(15, SIDE_BUY, 100, 4);
    trial_limit(10, SIDE_BUY, 100, 5);
    trial_limit(20, SIDE_BUY, 99, 5);
    venue_t *v = trial_run(1);
    assert_int_equal(venue_counts(v).ours, 2);
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 5);
    assert_int_equal(strategy_host_standing(venue_host(v), 0).working, 0);
    assert_int_equal(venue_now_ns(v), 20);
}

static void each_buys_one(unsigned n, trader_t *t)
{
    trader_limit(t, SIDE_BUY, 100 - (int64_t)n % 2, (int64_t)n + 1);
}

static void strategies_are_as_many_as_may_be(void **state)
{
    (void)state;
    static const struct trial_script script = {.start = each_buys_one};
    trial_open(RECORDING_COMMANDS, &script);
    trial_limit(10, SIDE_SELL, 100, 32 * 32 + 1); /* 1 + 3 + 5 + ... at 100, and 1 that rests */
    trial_limit(20, SIDE_BUY, 1, 1);
    venue_t *v = trial_run(STRATEGIES_MAX);
    for (unsigned n = 0; n < STRATEGIES_MAX; n++)
        assert_int_equal(strategy_host_ledger(venue_host(v), n)->position,
                         n % 2 == 0 ? (int64_t)n + 1 : 0);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(trial_fill(i)->strategy, 2 * i);
    assert_null(trial_fill(32));
    assert_int_equal(trial_qty_at(SIDE_SELL, 100), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_order_is_filled_when_the_queue_ahead_of_it_has_gone),
        TEST(the_quantity_ahead_is_the_engines_own),
        TEST(an_aggressor_that_finds_less_is_short),
        TEST(a_market_order_that_finds_less_is_short_and_a_fok_refused),
        TEST(what_went_before_our_first_order_is_not_counted),
        TEST(a_recorded_order_that_meets_ours_trades_with_it),
        TEST(a_cancel_of_what_we_took_is_refused),
        TEST(an_amend_down_applies_to_what_is_open_now),
        TEST(recorded_ids_name_the_same_orders_behind_ours),
        TEST(recorded_ids_survive_work_left_over),
        TEST(an_account_can_be_left_out),
        TEST(digests_are_compared_until_our_first_order),
        TEST(strategies_start_behind_the_first_moment),
        TEST(a_command_without_latency_is_the_next_to_happen),
        TEST(what_one_command_did_is_heard_in_one_order),
        TEST(timers_come_behind_all_else_of_their_time),
        TEST(an_empty_recording_starts_and_stops),
        TEST(one_command_is_a_recording),
        TEST(what_works_at_the_end_is_cancelled),
        TEST(strategies_are_as_many_as_may_be),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
