/* strategy_host: what a strategy does, and what becomes of its orders. */
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

static void amend_to_3(trader_t *t)
{
    assert_true(trader_amend(t, 1, 99, 3));
}

static void amend_not(trader_t *t)
{
    assert_false(trader_amend(t, 1, 99, 3));
}

static void cancel_1(trader_t *t)
{
    assert_true(trader_cancel(t, 1));
}

static void cancel_not(trader_t *t)
{
    assert_false(trader_cancel(t, 1));
}

static void assert_order(enum own_state state, uint16_t reason, int64_t open, int64_t filled)
{
    const struct own_order *o = &host_kit_last(k, KIT_ORDER)->order;
    assert_int_equal(o->state, state);
    assert_int_equal(o->reason, reason);
    assert_int_equal(o->open_qty, open);
    assert_int_equal(o->filled_qty, filled);
}

/* ---- callbacks and commands ---- */

static void a_command_leaves_when_the_callback_has_returned(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_act(k, host_kit_buy_5);
    HOST_KIT_HEARD(k, KIT_TOLD_MARKET, KIT_MARKET, KIT_COMMAND, KIT_TOLD_ORDER);
    assert_false(host_kit_last(k, KIT_COMMAND)->in_callback);
    const struct command *c = &host_kit_command(k, 0)->command;
    assert_int_equal(c->type, MESSAGE_NEW_ORDER);
    assert_true(text_equal(c->new_order.symbol, text_of("BTC-USD")));
    assert_true(text_equal(c->new_order.account, text_of("a0")));
    assert_string_equal(host_kit_command(k, 0)->label, "s0-10-1");
    assert_int_equal(c->new_order.stp, STP_REJECT);
    assert_int_equal(c->new_order.time_in_force, TIME_IN_FORCE_GTC);
    assert_true(c->new_order.price.given && c->new_order.price.value == 100);
    assert_int_equal(c->new_order.qty, 5);
    assert_int_equal(c->envelope.origin.size, 0);
    assert_int_equal(standing(0).orders, 1);
    assert_int_equal(standing(0).unanswered, 1);
    assert_int_equal(trader_order(k->traders[0], 1)->state, OWN_SENT);
}

static void place_three(trader_t *t)
{
    struct order_request market = {.side = SELL,
                                   .type = ORDER_TYPE_MARKET,
                                   .time_in_force = TIME_IN_FORCE_IOC,
                                   .price = 12345,
                                   .qty = 1};
    assert_int_equal(trader_limit(t, BUY, 100, 1), 1);
    assert_int_equal(trader_place(t, &market), 2);
    assert_int_equal(trader_limit(t, SELL, 120, 2), 3);
}

static void commands_leave_in_the_order_of_the_calls(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_act(k, place_three);
    assert_int_equal(k->command_count, 3);
    assert_string_equal(host_kit_command(k, 2)->label, "s0-10-1");
    assert_string_equal(host_kit_command(k, 1)->label, "s0-10-2");
    assert_string_equal(host_kit_command(k, 0)->label, "s0-10-3");
    assert_false(host_kit_command(k, 1)->command.new_order.price.given);
    uint32_t n = trader_next_order(k->traders[0], 0);
    for (uint32_t expected = 1; expected <= 3; expected++) {
        assert_int_equal(n, expected);
        n = trader_next_order(k->traders[0], n);
    }
    assert_int_equal(n, 0);
}

static void the_longest_name_and_session_fit_a_client_order_id(void **state)
{
    (void)state;
    struct strategy_host_owner owner = host_kit_owner(k);
    strcpy(k->specs[0].name, "0123456789abcdef");
    k->host = strategy_host_new(&owner, k->specs, 1, UINT64_C(1) << 40, true);
    strategy_host_book_joined(k->host, 0, k->now_ns);
    strategy_host_start(k->host, k->now_ns);
    host_kit_act(k, host_kit_buy_5);
    assert_string_equal(host_kit_command(k, 0)->label, "0123456789abcdef-e13wu1og-1");
    /* and the largest number has 7 digits: 36 in all would be the most */
    assert_true(strlen(host_kit_command(k, 0)->label) + 6 <= CLIENT_ORDER_ID_SIZE_MAX);
}

/* ---- the life of an order ---- */

static void an_order_is_accepted_filled_and_done(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_act(k, host_kit_buy_5);
    host_kit_clear(k);
    host_kit_accepted(k, 0, 1, 100);
    HOST_KIT_HEARD(k, KIT_TOLD_ORDER, KIT_ORDER);
    assert_order(OWN_WORKING, 0, 5, 0);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.order_id, host_kit_id(1));
    host_kit_result(k, 0);
    assert_int_equal(k->heard_count, 2);
    assert_int_equal(standing(0).unanswered, 0);
    host_kit_clear(k);
    host_kit_filled(k, 0, 1, 100, 2, 3);
    HOST_KIT_HEARD(k, KIT_TOLD_ORDER, KIT_TOLD_FILL, KIT_ORDER, KIT_FILL);
    assert_order(OWN_WORKING, 0, 3, 2);
    assert_int_equal(host_kit_last(k, KIT_FILL)->position, 2);
    host_kit_filled(k, 0, 1, 99, 3, 0);
    assert_order(OWN_DONE, 0, 0, 5);
    assert_int_equal(host_kit_last(k, KIT_FILL)->order.state, OWN_DONE);
    assert_int_equal(host_kit_last(k, KIT_FILL)->order.done_ns, HOST_KIT_T0);
    assert_int_equal(standing(0).working, 0);
    assert_null(trader_order(k->traders[0], 1));
    const struct ledger *l = strategy_host_ledger(k->host, 0);
    assert_int_equal(l->position, 5);
    assert_true(l->cost == 2 * 100 + 3 * 99);
}

static void a_rejected_order_is_told_once_by_its_event(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_act(k, host_kit_buy_5);
    host_kit_clear(k);
    host_kit_rejected(k, 0, 1, REJECT_POST_ONLY);
    host_kit_result(k, REJECT_POST_ONLY);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 1);
    assert_order(OWN_DONE, REJECT_POST_ONLY, 0, 0);
    assert_int_equal(standing(0).unanswered, 0);
}

static void a_refusal_without_an_event_is_told_once_by_its_result(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_act(k, host_kit_buy_5);
    host_kit_clear(k);
    host_kit_result(k, REJECT_TOO_MANY_OPEN_ORDERS);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 1);
    assert_order(OWN_DONE, REJECT_TOO_MANY_OPEN_ORDERS, 0, 0);
    assert_int_equal(standing(0).working, 0);
}

static void an_amend_asks_for_the_total_and_is_told_by_its_event(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_filled(k, 0, 1, 100, 1, 4);
    host_kit_clear(k);
    host_kit_act(k, amend_to_3);
    const struct command *c = &host_kit_command(k, 0)->command;
    assert_int_equal(c->type, MESSAGE_AMEND_ORDER);
    assert_int_equal(c->amend_order.order_id, host_kit_id(1));
    assert_int_equal(c->amend_order.qty_is, QTY_IS_TOTAL);
    assert_int_equal(c->amend_order.qty.value, 4); /* 1 filled, 3 open */
    assert_int_equal(c->amend_order.price.value, 99);
    assert_true(trader_order(k->traders[0], 1)->amending);
    host_kit_act(k, amend_not);
    host_kit_amended(k, 0, 1, 99, 4, 3);
    assert_order(OWN_WORKING, REASON_REQUEUED, 3, 1);
    const struct own_order *o = trader_order(k->traders[0], 1);
    assert_false(o->amending);
    assert_int_equal(o->price, 99);
    assert_int_equal(o->qty, 4);
    host_kit_act(k, amend_to_3); /* before the first one's result, which must not end the second */
    host_kit_result(k, 0);
    assert_true(trader_order(k->traders[0], 1)->amending);
    assert_int_equal(standing(0).amends, 2);
}

static void a_refused_amend_leaves_the_order_and_is_told(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_act(k, amend_to_3);
    host_kit_clear(k);
    host_kit_result(k, REJECT_POST_ONLY);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 1);
    assert_order(OWN_WORKING, REJECT_POST_ONLY, 5, 0);
    assert_false(trader_order(k->traders[0], 1)->amending);
    host_kit_filled(k, 0, 1, 100, 1, 4);
    assert_order(OWN_WORKING, 0, 4, 1);
}

static void amend_to_none(trader_t *t)
{
    assert_false(trader_amend(t, 1, 99, 0));
    assert_false(trader_amend(t, 1, 99, -1));
    assert_false(trader_amend(t, 2, 99, 1));
}

static void an_amend_of_nothing_is_not_sent(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_act(k, amend_to_none);
    assert_int_equal(k->command_count, 0);
}

static void a_cancel_is_sent_once_and_told_by_its_event(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_act(k, cancel_1);
    assert_int_equal(host_kit_command(k, 0)->command.type, MESSAGE_CANCEL_ORDER);
    assert_int_equal(host_kit_command(k, 0)->command.cancel_order.order_id, host_kit_id(1));
    host_kit_act(k, cancel_not);
    host_kit_act(k, amend_not);
    assert_int_equal(k->command_count, 1);
    host_kit_clear(k);
    host_kit_cancelled(k, 0, 1, 5, REASON_USER);
    host_kit_result(k, 0);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 1);
    assert_order(OWN_DONE, REASON_USER, 0, 0);
    host_kit_act(k, cancel_not);
}

static void a_refused_cancel_may_be_tried_again(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_act(k, cancel_1);
    host_kit_result(k, REJECT_MALFORMED);
    assert_order(OWN_WORKING, REJECT_MALFORMED, 5, 0);
    host_kit_act(k, cancel_1);
    assert_int_equal(standing(0).cancels, 2);
}

static void a_cancel_that_came_too_late_says_nothing(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_act(k, cancel_1);
    host_kit_filled(k, 0, 1, 100, 5, 0);
    host_kit_clear(k);
    host_kit_result(k, REJECT_UNKNOWN_ORDER);
    assert_int_equal(k->heard_count, 0);
}

static void a_cancel_waits_until_the_order_is_accepted(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_act(k, host_kit_buy_5);
    host_kit_act(k, cancel_1);
    host_kit_act(k, cancel_not);
    assert_int_equal(k->command_count, 1);
    host_kit_accepted(k, 0, 1, 100);
    assert_int_equal(k->command_count, 2);
    assert_int_equal(host_kit_command(k, 0)->command.cancel_order.order_id, host_kit_id(1));
    assert_true(host_kit_last(k, KIT_ORDER)->order.cancelling);
}

static void buy_ioc(trader_t *t)
{
    struct order_request r = {.side = BUY,
                              .type = ORDER_TYPE_LIMIT,
                              .time_in_force = TIME_IN_FORCE_IOC,
                              .price = 110,
                              .qty = 5};
    trader_place(t, &r);
}

static void what_cannot_rest_needs_no_cancel(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    host_kit_act(k, buy_ioc);
    host_kit_act(k, cancel_1);
    host_kit_accepted(k, 0, 1, 110);
    host_kit_filled(k, 0, 1, 110, 2, 3);
    host_kit_cancelled(k, 0, 1, 3, REASON_IOC_REMAINDER);
    host_kit_result(k, 0);
    assert_int_equal(k->command_count, 1);
    assert_order(OWN_DONE, REASON_IOC_REMAINDER, 0, 2);
}

static void events_of_orders_that_are_not_ours_are_passed_over(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    struct own_event e = {
        .type = MESSAGE_ORDER_ACCEPTED, .order_id = 5, .client_order_id = text_of("s0-10-2")};
    strategy_host_account(k->host, 0, k->now_ns, &e); /* no such order */
    e.client_order_id = text_of("s0-10-1");           /* known already */
    strategy_host_account(k->host, 0, k->now_ns, &e);
    e.client_order_id = text_of("s0-11-1"); /* of another life */
    strategy_host_account(k->host, 0, k->now_ns, &e);
    e.client_order_id = (struct text){"", 0};
    strategy_host_account(k->host, 0, k->now_ns, &e);
    host_kit_filled(k, 0, 9, 100, 5, 0);
    host_kit_cancelled(k, 0, 9, 5, REASON_USER);
    host_kit_result(k, REJECT_STP); /* to nothing we sent */
    assert_int_equal(k->heard_count, 0);
    assert_int_equal(strategy_host_ledger(k->host, 0)->position, 0);
}

static void events_that_cannot_be_stop_the_strategy(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    host_kit_filled(k, 0, 1, 100, 6, 0);
    assert_true(standing(0).stopping);
    assert_string_equal(standing(0).why, "events of its account do not fit its orders");
    assert_int_equal(strategy_host_ledger(k->host, 0)->position, 0);
    assert_int_equal(host_kit_command(k, 0)->command.type, MESSAGE_CANCEL_ORDER);
}

static void results_go_to_the_oldest_command_of_their_shard(void **state)
{
    (void)state;
    host_kit_close(k);
    k = host_kit_open(3);
    k->specs[2].symbol.shard = 1;
    strcpy(k->specs[2].symbol.name, "ETH-USD");
    host_kit_begin(k, true);
    for (unsigned i = 0; i < 3; i++) {
        trader_t *t = k->traders[i];
        trader_limit(t, BUY, 1, 1);
    }
    k->script.market = NULL;
    strategy_host_time(k->host, k->now_ns); /* nothing of theirs is sent outside a callback */
    assert_int_equal(k->command_count, 0);
    host_kit_group(k);
    host_kit_quote(k, 100, 110); /* sends it, behind the callback */
    assert_int_equal(k->command_count, 2);
    host_kit_clear(k);
    host_kit_result(k, REJECT_STP);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->strategy, 0);
    host_kit_result(k, REJECT_STP);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->strategy, 1);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 2);
    assert_int_equal(standing(2).working, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_leaves_when_the_callback_has_returned),
        TEST(commands_leave_in_the_order_of_the_calls),
        TEST(the_longest_name_and_session_fit_a_client_order_id),
        TEST(an_order_is_accepted_filled_and_done),
        TEST(a_rejected_order_is_told_once_by_its_event),
        TEST(a_refusal_without_an_event_is_told_once_by_its_result),
        TEST(an_amend_asks_for_the_total_and_is_told_by_its_event),
        TEST(a_refused_amend_leaves_the_order_and_is_told),
        TEST(an_amend_of_nothing_is_not_sent),
        TEST(a_cancel_is_sent_once_and_told_by_its_event),
        TEST(a_refused_cancel_may_be_tried_again),
        TEST(a_cancel_that_came_too_late_says_nothing),
        TEST(a_cancel_waits_until_the_order_is_accepted),
        TEST(what_cannot_rest_needs_no_cancel),
        TEST(events_of_orders_that_are_not_ours_are_passed_over),
        TEST(events_that_cannot_be_stop_the_strategy),
        TEST(results_go_to_the_oldest_command_of_their_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
