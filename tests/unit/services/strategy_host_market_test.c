/* strategy_host: what a strategy sees: market, time, what it began with and how it was set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/services/host_kit.h"

static struct host_kit *k;

static int setup(void **state)
{
    (void)state;
    k = host_kit_open(1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_kit_close(k);
    return 0;
}

static const enum side BUY = SIDE_BUY, SELL = SIDE_SELL;

static struct strategy_standing standing(unsigned strategy)
{
    return strategy_host_standing(k->host, strategy);
}

/* ---- the market ---- */

static void an_update_is_told_with_its_trades(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_trade(k, 7, 105, 2);
    host_kit_group(k);
    const struct market_update *u = &host_kit_last(k, KIT_MARKET)->update;
    assert_int_equal(u->trade_count, 1);
    assert_false(u->book_changed);
    assert_int_equal(u->seq, k->seq);
    assert_int_equal(u->time_ns, k->now_ns - 5);
    host_kit_add(k, BUY, 101, 1);
    host_kit_group(k);
    u = &host_kit_last(k, KIT_MARKET)->update;
    assert_int_equal(u->trade_count, 0);
    assert_true(u->book_changed);
    host_kit_clear(k);
    host_kit_group(k); /* nothing of the book, no trade */
    assert_int_equal(k->heard_count, 0);
}

static unsigned trades_seen;

static void sum_trades(unsigned index, trader_t *t, const struct market_update *u)
{
    (void)index;
    (void)t;
    for (size_t i = 0; i < u->trade_count; i++) {
        assert_int_equal(u->trades[i].trade_id, i + 1);
        assert_int_equal(u->trades[i].aggressor, SIDE_SELL);
    }
    trades_seen = (unsigned)u->trade_count;
}

static void a_group_of_more_trades_than_there_can_be_breaks_the_mirror(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    k->script.market = sum_trades;
    for (unsigned i = 1; i <= 4096; i++)
        host_kit_trade(k, i, 105, 1);
    host_kit_group(k);
    assert_int_equal(trades_seen, 4096);
    uint64_t right = strategy_host_book_hash(k->host, 0).value;
    for (unsigned i = 1; i <= 4097; i++)
        host_kit_trade(k, i, 105, 1);
    trades_seen = 0;
    host_kit_group(k);
    assert_int_equal(trades_seen, 0);
    assert_true(strategy_host_book_hash(k->host, 0).value != right);
}

static void the_book_can_be_seen(void **state)
{
    (void)state;
    struct market_level levels[4];
    host_kit_begin_market(k);
    host_kit_add(k, BUY, 98, 7);
    host_kit_add(k, BUY, 100, 1);
    host_kit_group(k);
    trader_t *t = k->traders[0];
    assert_true(trader_best(t, BUY, levels));
    assert_int_equal(levels[0].price, 100);
    assert_int_equal(levels[0].qty, 11);
    assert_int_equal(levels[0].orders, 2);
    assert_int_equal(trader_levels(t, BUY, levels, 4), 2);
    assert_int_equal(levels[1].price, 98);
    assert_int_equal(trader_levels(t, BUY, levels, 1), 1);
    assert_int_equal(trader_levels(t, SELL, levels, 4), 1);
    assert_int_equal(trader_qty_at(t, BUY, 98), 7);
    assert_int_equal(trader_qty_at(t, BUY, 99), 0);
    assert_int_equal(trader_qty_at(t, SELL, 110), 10);
}

static void what_is_ahead_is_what_stands_before_it(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    trader_t *t = k->traders[0];
    assert_int_equal(trader_ahead(t, 1), -1); /* accepted, not seen in the market */
    uint64_t second = host_kit_add(k, BUY, 100, 3);
    host_kit_add_order(k, host_kit_id(1), BUY, 100, 5);
    host_kit_add(k, BUY, 100, 9); /* behind us */
    host_kit_group(k);
    assert_int_equal(trader_ahead(t, 1), 13);
    assert_int_equal(strategy_host_ahead(k->host, 0, 1), 13);
    host_kit_delete(k, second);
    host_kit_group(k);
    assert_int_equal(trader_ahead(t, 1), 10);
    assert_int_equal(trader_ahead(t, 2), -1);
    host_kit_delete(k, host_kit_id(1)); /* the market may know before the account */
    host_kit_group(k);
    assert_int_equal(trader_ahead(t, 1), -1);
}

static void no_order_is_taken_while_the_book_is_not_known(void **state)
{
    (void)state;
    struct market_level level;
    host_kit_begin(k, false);
    trader_t *t = k->traders[0];
    k->script.timer = NULL;
    assert_false(trader_best(t, BUY, &level));
    trader_limit(t, BUY, 100, 1);
    strategy_host_book_reset(k->host, 0);
    host_kit_add(k, BUY, 100, 1);
    assert_false(trader_best(t, BUY, &level)); /* half a snapshot is no book */
    assert_int_equal(trader_qty_at(t, BUY, 100), 0);
    host_kit_clear(k);
    strategy_host_book_joined(k->host, 0, k->now_ns);
    assert_int_equal(host_kit_last(k, KIT_MARKET)->update.seq, 0);
    assert_true(host_kit_last(k, KIT_MARKET)->update.book_changed);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.refusal, OWN_REFUSED_BOOK);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.state, OWN_DONE);
    assert_int_equal(standing(0).refused[OWN_REFUSED_BOOK], 1);
    assert_true(trader_best(t, BUY, &level));
    host_kit_clear(k);
    host_kit_delete(k, 4711); /* no such order: the mirror is broken */
    host_kit_group(k);
    assert_int_equal(k->heard_count, 0);
    assert_false(trader_best(t, BUY, &level));
    strategy_host_book_reset(k->host, 0);
    strategy_host_book_joined(k->host, 0, k->now_ns);
    host_kit_act(k, host_kit_buy_5);
    assert_int_equal(k->command_count, 1);
}

static void an_attached_book_is_read_as_it_stands(void **state)
{
    (void)state;
    struct book_pool pool;
    struct book *book = calloc(1, sizeof *book);
    struct market_level level;
    book_pool_init(&pool, 8, 8);
    struct strategy_host_owner owner = host_kit_owner(k);
    k->host = strategy_host_new(&owner, k->specs, 1, 36, false);
    assert_false(strategy_host_book_hash(k->host, 0).given);
    strategy_host_start(k->host, k->now_ns);
    strategy_host_book_attach(k->host, 0, book, &pool);
    uint32_t slot = order_new(&pool);
    pool.orders[slot].side = SIDE_BUY;
    pool.orders[slot].open_qty = 4;
    pool.orders[slot].order_id = host_kit_id(1);
    order_index(&pool, slot);
    book_insert(&pool, book, slot, 100);
    struct market_update u = {.time_ns = 1, .seq = 2, .book_changed = true};
    host_kit_todo(k, host_kit_buy_5);
    strategy_host_market(k->host, 0, k->now_ns, &u);
    host_kit_todo(k, NULL);
    assert_int_equal(k->command_count, 1);
    assert_true(trader_best(k->traders[0], BUY, &level) && level.qty == 4);
    host_kit_accepted(k, 0, 1, 100);
    assert_int_equal(trader_ahead(k->traders[0], 1), 0);
    assert_true(strategy_host_book_hash(k->host, 0).value == book->l3_hash);
    book_pool_close(&pool);
    free(book);
}

/* ---- timers ---- */

static uint64_t wake_at[HOST_KIT_STRATEGIES_MAX];
static unsigned wakes_left;

static void wake_on_start(unsigned index, trader_t *t)
{
    trader_wake(t, wake_at[index]);
}

static void wake_again(unsigned index, trader_t *t)
{
    (void)index;
    if (wakes_left > 0 && wakes_left-- > 0)
        trader_wake(t, 1);
}

static void timers_fire_by_time_then_by_strategy(void **state)
{
    (void)state;
    host_kit_close(k);
    k = host_kit_open(4);
    wake_at[0] = HOST_KIT_T0 + 20;
    wake_at[1] = HOST_KIT_T0 + 10;
    wake_at[2] = HOST_KIT_T0 + 20;
    wake_at[3] = 0;
    k->script.start = wake_on_start;
    host_kit_begin(k, true);
    assert_true(strategy_host_due_ns(k->host) == HOST_KIT_T0 + 10);
    strategy_host_time(k->host, HOST_KIT_T0 + 9);
    assert_int_equal(host_kit_count(k, KIT_TIMER), 0);
    host_kit_clear(k);
    strategy_host_time(k->host, HOST_KIT_T0 + 20);
    HOST_KIT_HEARD(k, KIT_TIMER, KIT_TIMER, KIT_TIMER);
    assert_int_equal(k->heard[0].strategy, 1);
    assert_int_equal(k->heard[1].strategy, 0);
    assert_int_equal(k->heard[2].strategy, 2);
    assert_true(strategy_host_due_ns(k->host) == UINT64_MAX);
}

static void a_timer_of_the_past_fires_behind_the_same_input(void **state)
{
    (void)state;
    wake_at[0] = 1;
    wakes_left = 2;
    k->script.start = wake_on_start;
    k->script.timer = wake_again;
    host_kit_begin(k, true);
    assert_int_equal(host_kit_count(k, KIT_TIMER), 3);
}

static void wake_twice(trader_t *t)
{
    trader_wake(t, HOST_KIT_T0 + 10);
    trader_wake(t, HOST_KIT_T0 + 30);
}

static void wake_never(trader_t *t)
{
    trader_wake(t, 0);
}

static void the_last_word_about_a_timer_counts(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_act(k, wake_twice);
    assert_true(strategy_host_due_ns(k->host) == HOST_KIT_T0 + 30);
    strategy_host_time(k->host, HOST_KIT_T0 + 29);
    assert_int_equal(host_kit_count(k, KIT_TIMER), 0);
    k->now_ns = HOST_KIT_T0 + 29;
    host_kit_act(k, wake_never);
    assert_true(strategy_host_due_ns(k->host) == UINT64_MAX);
    strategy_host_time(k->host, HOST_KIT_T0 + 31);
    assert_int_equal(host_kit_count(k, KIT_TIMER), 0);
}

static void time_stands_still_rather_than_going_back(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    strategy_host_time(k->host, HOST_KIT_T0 + 50);
    strategy_host_time(k->host, HOST_KIT_T0 + 20);
    assert_true(strategy_host_now_ns(k->host) == HOST_KIT_T0 + 50);
    assert_true(trader_now_ns(k->traders[0]) == HOST_KIT_T0 + 50);
}

/* ---- what it began with, and can ask ---- */

static void inventory_without_a_price_is_priced_by_the_first_mid(void **state)
{
    (void)state;
    k->specs[0].inventory = -10;
    host_kit_begin(k, true);
    assert_int_equal(trader_position(k->traders[0]), -10);
    host_kit_add(k, BUY, 100, 1);
    host_kit_group(k);
    assert_true(strategy_host_ledger(k->host, 0)->cost == 0);
    host_kit_add(k, SELL, 111, 1);
    host_kit_group(k);
    assert_true(strategy_host_ledger(k->host, 0)->cost == -10 * 105); /* half a tick is cut */
    host_kit_quote(k, 104, 108);
    assert_true(strategy_host_ledger(k->host, 0)->cost == -10 * 105);
}

static void inventory_may_be_priced_by_a_fill(void **state)
{
    (void)state;
    k->specs[0].inventory = 10;
    host_kit_begin(k, true);
    host_kit_act(k, host_kit_buy_5);
    host_kit_accepted(k, 0, 1, 100);
    host_kit_filled(k, 0, 1, 100, 5, 0);
    assert_true(strategy_host_ledger(k->host, 0)->cost == 15 * 100);
    host_kit_quote(k, 200, 202);
    assert_true(strategy_host_ledger(k->host, 0)->cost == 15 * 100);
}

static void a_strategy_reads_its_parameters_and_logs(void **state)
{
    (void)state;
    char text[64];
    host_kit_begin_market(k);
    trader_t *t = k->traders[0];
    assert_int_equal(trader_number(t, "edge"), 5);
    assert_true(trader_real(t, "share") == 0.25);
    assert_int_equal(trader_number(t, "mode"), 1);
    assert_string_equal(trader_text(t, "profile"), "day.csv");
    trader_log(t, "%s at %d", "quoting", 105);
    assert_string_equal(k->log, "quoting at 105");
    strategy_host_describe(k->host, 0, text, sizeof text);
    assert_string_equal(text, "probe 1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_update_is_told_with_its_trades),
        TEST(a_group_of_more_trades_than_there_can_be_breaks_the_mirror),
        TEST(the_book_can_be_seen),
        TEST(what_is_ahead_is_what_stands_before_it),
        TEST(no_order_is_taken_while_the_book_is_not_known),
        TEST(an_attached_book_is_read_as_it_stands),
        TEST(timers_fire_by_time_then_by_strategy),
        TEST(a_timer_of_the_past_fires_behind_the_same_input),
        TEST(the_last_word_about_a_timer_counts),
        TEST(time_stands_still_rather_than_going_back),
        TEST(inventory_without_a_price_is_priced_by_the_first_mid),
        TEST(inventory_may_be_priced_by_a_fill),
        TEST(a_strategy_reads_its_parameters_and_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
