/* strategy_service: how it begins, runs, loses what it knew, and ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/services/floor.h"

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
    struct floor *f = *state;
    floor_serve(f, NULL);
    f->cut = true; /* it can hear, and ask for nothing */
    floor_turns(f, 500);
    assert_int_equal(f->probes[0].starts, 0);
    assert_false(floor_ended(f));
    f->cut = false;
    FLOOR_UNTIL(f, f->probes[0].starts == 1);
    floor_turns(f, 500);
    assert_int_equal(f->probes[0].starts, 1);
}

static void it_does_not_begin_without_a_book(void **state)
{
    struct floor *f = *state;
    f->deaf = true;
    floor_serve(f, NULL);
    floor_turns(f, 1000);
    assert_int_equal(f->probes[0].starts, 0);
    f->deaf = false;
    FLOOR_UNTIL(f, f->probes[0].starts == 1);
}

static void an_account_nobody_has_heard_of_can_be_joined(void **state)
{
    struct floor *f = *state;
    f->count = 2;
    floor_begin(f);
    assert_int_equal(f->probes[0].starts, 1);
    assert_int_equal(f->probes[1].starts, 1);
}

static void what_an_earlier_life_left_is_off_the_book_before_it_begins(void **state)
{
    struct floor *f = *state;
    floor_order_on(f, SYMBOL_ONE, "mine", SIDE_BUY, 90, 5);
    floor_order_on(f, SYMBOL_OTHER, "mine", SIDE_BUY, 91, 5); /* whatever it traded */
    floor_order_on(f, SYMBOL_ONE, "others", SIDE_BUY, 80, 5);
    floor_begin(f);
    assert_int_equal(f->probes[0].bid_at_start, 80);
    assert_int_equal(floor_open_price(f, "mine"), 0);
    assert_int_equal(floor_open_price(f, "others"), 80);
    assert_int_equal(f->probes[0].told[0] + f->probes[0].told[1], 0); /* they were not its own */
}

static void what_an_earlier_life_had_on_its_way_is_refused(void **state)
{
    struct floor *f = *state;
    static struct message m;
    struct command c = new_order_of(SIDE_BUY, 90, 5);
    c.new_order.account = text_of("mine");
    floor_begin(f);
    message_clear(&m);
    message_put(&m, &c, envelope_of(FLOOR_ORIGIN, 1, 1));
    floor_send(f, &m);
    floor_turns(f, 300);
    assert_int_equal(floor_open_price(f, "mine"), 0);
    assert_false(floor_ended(f)); /* and that refusal is not ours */
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
}

/* ---- running ---- */

static void orders_work_and_their_fills_are_told(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
    assert_int_equal(floor_open_price(f, "mine"), 100);
    floor_order(f, SIDE_SELL, 100, 4);
    FLOOR_UNTIL(f, f->probes[0].fills == 1);
    assert_true(f->probes[0].position == 4 && f->probes[0].orders[1].open_qty == 6);
    const struct ledger *l = strategy_host_ledger(strategy_service_host(f->strategies), 0);
    assert_true(l->position == 4 && l->cash == -400);
    FLOOR_UNTIL(f, floor_standing(f, 0).unanswered == 0);
    assert_true(floor_standing(f, 0).orders == 1 && floor_standing(f, 0).working == 1);
}

static void timers_come_on_time(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, wake_later);
    uint64_t from_ns = f->now_ns;
    assert_in_range(f->service.patience_ms(f->service.self), 1, 20);
    FLOOR_UNTIL(f, f->probes[0].timers == 1);
    assert_true(f->now_ns == from_ns + 50 * NS_PER_MS);
    floor_turns(f, 500);
    assert_int_equal(f->probes[0].timers, 1);
}

static void a_lost_frame_of_the_account_is_repaired_before_its_result_is_told(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    f->lose = "acct.mine";
    f->lose_count = 1;
    floor_wish(f, buy_ten);
    floor_turns(f, 20); /* the result is there, what it tells of is not */
    assert_true(f->lose_count == 0 && floor_open_price(f, "mine") == 100);
    assert_true(f->probes[0].orders[1].state == OWN_SENT && floor_standing(f, 0).unanswered == 1);
    FLOOR_UNTIL(f, floor_standing(f, 0).unanswered == 0);
    assert_int_equal(f->probes[0].orders[1].state, OWN_WORKING);
}

static void amend_to_no_price(trader_t *t)
{
    assert_true(trader_amend(t, 1, -5, 10));
}

static void a_refusal_no_event_follows_from_is_told_at_once(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
    floor_wish(f, amend_to_no_price);
    floor_turns(f, 3);
    assert_int_equal(f->probes[0].orders[1].state, OWN_WORKING);
    assert_int_equal(f->probes[0].orders[1].reason, REJECT_INVALID_PRICE);
    assert_int_equal(floor_standing(f, 0).unanswered, 0);
}

static void a_lost_frame_of_the_book_is_repaired(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    f->lose = "l3." SYMBOL_ONE;
    f->lose_count = 1;
    floor_order(f, SIDE_BUY, 70, 1);
    floor_turns(f, 5);
    floor_order(f, SIDE_BUY, 71, 1);
    floor_turns(f, 300);
    const strategy_host_t *h = strategy_service_host(f->strategies);
    assert_true(strategy_host_book_hash(h, 0).given);
    assert_true(strategy_host_book_hash(h, 0).value ==
                engine_book(matcher_engine(f->stage.matcher), 1)->l3_hash);
    assert_int_equal(f->probes[0].groups, 2);
}

static void an_order_that_comes_too_late_is_refused_and_a_cancel_never_is(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
    floor_order(f, SIDE_BUY, 2, 1);
    f->probes[0].wish = cancel_it;
    FLOOR_UNTIL(f, f->probes[0].wish == NULL);
    f->cut = true;
    floor_lose_commands(f);
    floor_turns(f, FLOOR_LATEST_MS + 1000);
    assert_int_equal(floor_open_price(f, "mine"), 100);
    f->cut = false;
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_DONE);
    assert_int_equal(floor_open_price(f, "mine"), 0);
}

static void buy_again(trader_t *t)
{
    (void)trader_limit(t, SIDE_BUY, 99, 1);
}

static void an_order_on_its_way_for_too_long_is_done(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    f->probes[0].wish = buy_again;
    floor_order(f, SIDE_BUY, 2, 1);
    floor_turn(f); /* the order is in the pipe */
    assert_null(f->probes[0].wish);
    floor_lose_commands(f);
    f->cut = true;
    floor_turns(f, FLOOR_LATEST_MS + 10);
    f->cut = false;
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_DONE);
    assert_int_equal(f->probes[0].orders[1].reason, REJECT_TOO_LATE);
    assert_int_equal(floor_open_price(f, "mine"), 0);
    assert_int_equal(floor_standing(f, 0).working, 0);
    assert_false(floor_ended(f));
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
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, place_all_it_may);
    FLOOR_UNTIL(f, floor_standing(f, 0).unanswered == 0);
    assert_int_equal(floor_standing(f, 0).working, STRATEGY_WORKING_MAX);
    f->probes[0].wish = amend_and_cancel_all;
    floor_order(f, SIDE_BUY, 2, 1);
    floor_turn(f);
    assert_int_equal(floor_standing(f, 0).unanswered, STRATEGY_UNANSWERED_MAX);
    f->cut = true;
    floor_lose_commands(f);
    floor_new_matcher(f, STAGE_EPOCH + 1); /* and one more for each account */
    f->cut = false;
    FLOOR_UNTIL(f, floor_ended(f));
    assert_true(strategy_service_clean(f->strategies));
    assert_int_equal(floor_open_price(f, "mine"), 0);
}

/* ---- what is lost ---- */

static void in_a_new_epoch_strategies_stop_and_their_accounts_are_cleared(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
    floor_new_matcher(f, STAGE_EPOCH + 1);
    floor_order_on(f, SYMBOL_ONE, "mine", SIDE_BUY, 88, 5); /* came from somewhere */
    FLOOR_UNTIL(f, floor_ended(f));
    assert_true(strategy_service_clean(f->strategies));
    assert_true(floor_standing(f, 0).ended && floor_standing(f, 0).why[0] != '\0');
    assert_int_equal(floor_open_price(f, "mine"), 0);
}

static void before_it_has_begun_a_new_epoch_is_just_where_it_begins(void **state)
{
    struct floor *f = *state;
    floor_serve(f, NULL);
    floor_turns(f, 110); /* it may have joined, and not been cleared */
    floor_new_matcher(f, STAGE_EPOCH + 1);
    FLOOR_UNTIL(f, f->probes[0].starts == 1);
    assert_false(floor_ended(f));
}

/* Another host of the same name has begun a newer session. */
static void name_taken(struct floor *f)
{
    static struct message m;
    struct command c = mass_cancel_of("mine");
    message_clear(&m);
    message_put(&m, &c, envelope_of(FLOOR_ORIGIN, f->now_ns + 3600 * NS_PER_SECOND, 1));
    floor_send(f, &m);
    floor_turn(f);
}

static void who_is_superseded_stops_and_says_that_it_knows_nothing(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    name_taken(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, floor_ended(f));
    assert_false(strategy_service_clean(f->strategies));
    assert_true(floor_standing(f, 0).ended);
    assert_int_equal(floor_open_price(f, "mine"), 0);
}

static void who_finds_no_room_for_its_name_never_begins(void **state)
{
    struct floor *f = *state;
    static struct message m;
    struct command c = mass_cancel_of("x");
    message_clear(&m);
    message_put(&m, &c, envelope_of("one", 1, 1));
    message_put(&m, &c, envelope_of("two", 1, 1));
    message_put(&m, &c, envelope_of("three", 1, 1));
    message_put(&m, &c, envelope_of("four", 1, 1));
    floor_send(f, &m);
    floor_serve(f, NULL);
    FLOOR_UNTIL(f, floor_ended(f));
    assert_false(strategy_service_clean(f->strategies));
    assert_int_equal(f->probes[0].starts, 0);
}

/* What is missing is too old to be had: the matcher keeps but so much. */
static void events_of_an_account_that_cannot_be_had_stop_its_strategies(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
    f->lose = "acct.mine";
    f->lose_count = UINT32_MAX;
    floor_order(f, SIDE_SELL, 100, 4); /* a fill nobody hears of */
    f->cut = true;
    for (unsigned i = 0; i < 6000; i++) {
        floor_order_on(f, SYMBOL_OTHER, "others", i % 2 == 0 ? SIDE_BUY : SIDE_SELL, 50, 1);
        if (i % 50 == 0)
            floor_turn(f);
    }
    f->lose = NULL;
    f->cut = false;
    FLOOR_UNTIL(f, floor_ended(f));
    assert_true(floor_standing(f, 0).ended && strategy_service_clean(f->strategies));
    assert_int_equal(floor_open_price(f, "mine"), 0);
}

/* ---- ending ---- */

static void a_stop_cancels_what_works_and_waits_for_the_answers(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
    strategy_service_stop(f->strategies, "the test says so");
    strategy_service_stop(f->strategies, "twice");
    assert_false(floor_ended(f));
    FLOOR_UNTIL(f, floor_ended(f));
    assert_true(strategy_service_clean(f->strategies));
    assert_string_equal(floor_standing(f, 0).why, "the test says so");
    assert_int_equal(floor_open_price(f, "mine"), 0);
    assert_int_equal(f->probes[0].orders[1].state, OWN_DONE);
}

static void a_stop_without_answers_is_over_after_its_time(void **state)
{
    struct floor *f = *state;
    floor_begin(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
    f->cut = true;
    strategy_service_stop(f->strategies, "the test says so");
    uint64_t from_ns = f->now_ns;
    FLOOR_UNTIL(f, floor_ended(f));
    assert_int_equal((f->now_ns - from_ns) / NS_PER_MS, STRATEGY_STOP_MS);
    assert_false(strategy_service_clean(f->strategies));
    assert_int_equal(floor_open_price(f, "mine"), 100);
}

static void a_stop_before_it_has_begun_is_its_end(void **state)
{
    struct floor *f = *state;
    floor_serve(f, NULL);
    strategy_service_stop(f->strategies, "the test says so");
    assert_true(floor_ended(f) && strategy_service_clean(f->strategies));
    floor_turns(f, 300);
    assert_int_equal(f->probes[0].starts, 0);
}

static void it_ends_when_every_strategy_has(void **state)
{
    struct floor *f = *state;
    f->count = 2;
    floor_begin(f);
    floor_wish(f, buy_ten);
    FLOOR_UNTIL(f, f->probes[0].orders[1].state == OWN_WORKING);
    f->probes[0].done = true;
    floor_order(f, SIDE_BUY, 3, 1);
    FLOOR_UNTIL(f, floor_standing(f, 0).ended);
    assert_int_equal(floor_open_price(f, "mine"), 0); /* its end takes off what worked */
    floor_turns(f, 100);
    assert_false(floor_ended(f));
    f->probes[1].done = true;
    floor_order_on(f, SYMBOL_OTHER, "others", SIDE_BUY, 3, 1);
    FLOOR_UNTIL(f, floor_ended(f));
    assert_true(strategy_service_clean(f->strategies));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, floor_open, floor_close)
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
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}