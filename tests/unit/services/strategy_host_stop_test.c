/* strategy_host: how a strategy ends: stopped, done, lost, or because it never would. */
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

static const enum side BUY = SIDE_BUY;

static struct strategy_standing standing(unsigned strategy)
{
    return strategy_host_standing(k->host, strategy);
}

/* ---- stopping ---- */

static void a_stop_cancels_what_works_and_ends_when_it_is_gone(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_act(k, host_kit_buy_5); /* 2, which is not accepted yet */
    host_kit_clear(k);
    strategy_host_stop(k->host, 0, k->now_ns, "enough");
    strategy_host_stop(k->host, 0, k->now_ns, "twice");
    assert_int_equal(k->command_count, 1);
    assert_int_equal(k->ended_count, 0);
    host_kit_act(k, host_kit_buy_5);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.refusal, OWN_REFUSED_STOPPING);
    host_kit_cancelled(k, 0, 1, 5, REASON_USER);
    host_kit_accepted(k, 0, 2, 100);
    assert_int_equal(k->command_count, 2);
    assert_int_equal(host_kit_command(k, 0)->command.cancel_order.order_id, host_kit_id(2));
    assert_false(strategy_host_all_ended(k->host));
    host_kit_clear(k);
    host_kit_cancelled(k, 0, 2, 5, REASON_USER);
    HOST_KIT_HEARD(k, KIT_TOLD_ORDER, KIT_ORDER, KIT_ENDED);
    assert_true(strategy_host_all_ended(k->host));
    assert_string_equal(k->why, "enough");
    host_kit_clear(k);
    host_kit_quote(k, 101, 109);
    strategy_host_stop_all(k->host, k->now_ns, "again");
    assert_int_equal(host_kit_count(k, KIT_MARKET), 0);
    assert_int_equal(k->ended_count, 1);
    assert_int_equal(standing(0).unanswered, 3); /* results may come later */
    host_kit_result(k, 0);
    host_kit_result(k, 0);
    host_kit_result(k, 0);
    assert_int_equal(standing(0).unanswered, 0);
}

static void one_that_is_done_is_stopped(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    k->script.done[0] = true;
    host_kit_quote(k, 101, 109);
    assert_string_equal(standing(0).why, "it is done");
    assert_int_equal(host_kit_command(k, 0)->command.type, MESSAGE_CANCEL_ORDER);
    host_kit_filled(k, 0, 1, 100, 5, 0); /* the fill was faster */
    assert_int_equal(k->ended_count, 1);
    assert_int_equal(host_kit_last(k, KIT_FILL)->qty, 5);
}

static void stopped_before_the_start_it_never_starts(void **state)
{
    (void)state;
    struct strategy_host_owner owner = host_kit_owner(k);
    k->host = strategy_host_new(&owner, k->specs, 1, 36, true);
    strategy_host_stop_all(k->host, k->now_ns, "not today");
    strategy_host_start(k->host, k->now_ns);
    HOST_KIT_HEARD(k, KIT_ENDED);
}

static void what_a_lost_shard_had_counts_as_done(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_act(k, host_kit_buy_5);
    host_kit_clear(k);
    strategy_host_lost(k->host, 1, k->now_ns); /* nobody's */
    assert_int_equal(k->heard_count, 0);
    strategy_host_lost(k->host, 0, k->now_ns);
    assert_int_equal(k->command_count, 0);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 2);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.state, OWN_DONE);
    assert_int_equal(k->ended_count, 1);
    assert_int_equal(standing(0).unanswered, 0);
    host_kit_clear(k);
    host_kit_filled(k, 0, 1, 100, 2, 3); /* it was open all the same */
    host_kit_accepted(k, 0, 2, 100);
    host_kit_filled(k, 0, 2, 100, 5, 0);
    host_kit_result(k, REJECT_STP);
    assert_int_equal(strategy_host_ledger(k->host, 0)->position, 7);
    assert_int_equal(host_kit_count(k, KIT_TOLD_FILL), 2);
    assert_int_equal(host_kit_count(k, KIT_ORDER) + host_kit_count(k, KIT_FILL), 0);
}

static void wake_on_start(unsigned index, trader_t *t)
{
    (void)index;
    trader_wake(t, 1);
}

static void wake_again(unsigned index, trader_t *t)
{
    (void)index;
    trader_wake(t, 1);
}

/* ---- what would never end ---- */

static void place_again(unsigned index, trader_t *t, const struct own_order *o)
{
    (void)index;
    if (o->refusal != OWN_REFUSED_NOT)
        trader_limit(t, BUY, 100, 1000);
}

static void buy_1000(trader_t *t)
{
    trader_limit(t, BUY, 100, 1000);
}

static void a_strategy_that_answers_its_refusals_is_stopped(void **state)
{
    (void)state;
    k->specs[0].limits.order_max = 10;
    host_kit_begin_market(k);
    k->script.order = place_again;
    host_kit_act(k, buy_1000);
    assert_int_equal(host_kit_count(k, KIT_ORDER) + host_kit_count(k, KIT_MARKET), HOST_CALLS_MAX);
    assert_int_equal(k->ended_count, 1);
    assert_non_null(strstr(k->why, "4096 callbacks"));
}

static void place_5000(trader_t *t)
{
    for (unsigned i = 0; i < 5000; i++)
        trader_limit(t, BUY, 100, 1000);
}

static void a_strategy_that_is_refused_too_often_at_once_is_stopped(void **state)
{
    (void)state;
    k->specs[0].limits.order_max = 10;
    host_kit_begin_market(k);
    host_kit_act(k, place_5000);
    assert_int_equal(k->ended_count, 1);
    assert_int_equal(standing(0).refused[OWN_REFUSED_ORDER_SIZE], 5000);
}

static void a_timer_that_is_always_due_is_stopped(void **state)
{
    (void)state;
    k->script.start = wake_on_start;
    k->script.timer = wake_again;
    host_kit_begin(k, true);
    assert_int_equal(host_kit_count(k, KIT_TIMER), HOST_CALLS_MAX - 1); /* and on_start */
    assert_int_equal(k->ended_count, 1);
    assert_true(strategy_host_due_ns(k->host) == UINT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stop_cancels_what_works_and_ends_when_it_is_gone),
        TEST(one_that_is_done_is_stopped),
        TEST(stopped_before_the_start_it_never_starts),
        TEST(what_a_lost_shard_had_counts_as_done),
        TEST(a_strategy_that_answers_its_refusals_is_stopped),
        TEST(a_strategy_that_is_refused_too_often_at_once_is_stopped),
        TEST(a_timer_that_is_always_due_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
