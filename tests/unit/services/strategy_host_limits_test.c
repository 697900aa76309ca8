/* strategy_host: no strategy passes its limits: at one less, the limit itself, and one more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/services/host_kit.h"

static struct host_kit *k;
static struct strategy_limits *limits;

static const enum side BUY = SIDE_BUY, SELL = SIDE_SELL;
static const uint64_t TENTH_NS = 100000000;

static int setup(void **state)
{
    (void)state;
    k = host_kit_open(1);
    limits = &k->specs[0].limits;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_kit_close(k);
    return 0;
}

static struct strategy_standing standing(void)
{
    return strategy_host_standing(k->host, 0);
}

static void now(uint64_t after_ns)
{
    k->now_ns = HOST_KIT_T0 + after_ns;
}

/* ---- one order or amend in a callback ---- */

static struct order_request request;
static uint32_t number;
static bool sent;

static void place_request(trader_t *t)
{
    number = trader_place(t, &request);
}

/* Why not; OWN_REFUSED_NOT: a command went out. */
static enum own_refusal place(enum side side, int64_t price, int64_t qty)
{
    request = (struct order_request){.side = side,
                                     .type = ORDER_TYPE_LIMIT,
                                     .time_in_force = TIME_IN_FORCE_GTC,
                                     .price = price,
                                     .qty = qty};
    host_kit_clear(k);
    host_kit_act(k, place_request);
    if (host_kit_count(k, KIT_ORDER) == 0) {
        assert_int_equal(k->command_count, 1);
        return OWN_REFUSED_NOT;
    }
    assert_int_equal(k->command_count, 0);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.state, OWN_DONE);
    return (enum own_refusal)host_kit_last(k, KIT_ORDER)->order.refusal;
}

static uint32_t amended;
static int64_t amend_price, amend_qty;

static void amend_it(trader_t *t)
{
    sent = trader_amend(t, amended, amend_price, amend_qty);
}

static bool amend(uint32_t order, int64_t price, int64_t open_qty)
{
    amended = order;
    amend_price = price;
    amend_qty = open_qty;
    host_kit_clear(k);
    host_kit_act(k, amend_it);
    assert_int_equal(k->command_count, sent ? 1 : 0);
    return sent;
}

/* It is accepted, and answered. */
static uint32_t accept(int64_t price)
{
    host_kit_accepted(k, 0, number, price);
    host_kit_result(k, 0);
    return number;
}

/* ---- order_max ---- */

static void no_order_is_larger_than_order_max(void **state)
{
    (void)state;
    limits->order_max = 10;
    host_kit_begin_market(k);
    assert_int_equal(place(BUY, 100, 9), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 10), OWN_REFUSED_NOT);
    assert_int_equal(place(SELL, 120, 11), OWN_REFUSED_ORDER_SIZE);
    assert_int_equal(place(SELL, 120, INT64_MAX), OWN_REFUSED_ORDER_SIZE);
    assert_int_equal(standing().refused[OWN_REFUSED_ORDER_SIZE], 2);
    assert_int_equal(standing().orders, 2);
}

static void an_amend_makes_no_order_larger_than_order_max(void **state)
{
    (void)state;
    limits->order_max = 10;
    host_kit_begin_working(k);
    host_kit_filled(k, 0, 1, 100, 2, 3);
    assert_false(amend(1, 100, 9));
    assert_false(amend(1, 100, INT64_MAX)); /* and what is filled is beyond a number */
    assert_true(amend(1, 100, 8));          /* 10 in all */
    assert_int_equal(standing().refused[OWN_REFUSED_ORDER_SIZE], 1);
}

/* ---- position_max ---- */

static void what_works_counts_for_the_position(void **state)
{
    (void)state;
    limits->position_max = 10;
    host_kit_begin_market(k);
    assert_int_equal(place(BUY, 100, 11), OWN_REFUSED_POSITION);
    assert_int_equal(place(BUY, 100, 9), OWN_REFUSED_NOT);
    uint32_t first = number;
    assert_int_equal(place(BUY, 99, 2), OWN_REFUSED_POSITION); /* sent is as good as filled */
    assert_int_equal(place(BUY, 99, 1), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 99, 1), OWN_REFUSED_POSITION);
    assert_int_equal(place(SELL, 120, 10), OWN_REFUSED_NOT); /* the other side is its own */
    assert_int_equal(place(SELL, 120, 1), OWN_REFUSED_POSITION);
    host_kit_accepted(k, 0, first, 100);
    host_kit_filled(k, 0, first, 100, 4, 5); /* moves it from working to held */
    assert_int_equal(place(BUY, 99, 1), OWN_REFUSED_POSITION);
    assert_int_equal(place(SELL, 120, 5), OWN_REFUSED_POSITION);
    assert_int_equal(place(SELL, 120, 4), OWN_REFUSED_NOT);
    host_kit_cancelled(k, 0, first, 5, REASON_USER); /* that will not be bought */
    assert_int_equal(place(BUY, 99, 6), OWN_REFUSED_POSITION);
    assert_int_equal(place(BUY, 99, 5), OWN_REFUSED_NOT);
}

static void what_it_began_with_counts_for_the_position(void **state)
{
    (void)state;
    limits->position_max = 10;
    k->specs[0].inventory = -15; /* beyond the limit: it may come back, and no further */
    k->specs[0].inventory_price = 100;
    host_kit_begin_market(k);
    assert_int_equal(place(SELL, 120, 1), OWN_REFUSED_POSITION);
    assert_int_equal(place(BUY, 100, 26), OWN_REFUSED_POSITION);
    assert_int_equal(place(BUY, 100, 25), OWN_REFUSED_NOT);
}

static void an_amend_counts_what_it_adds(void **state)
{
    (void)state;
    limits->position_max = 10;
    host_kit_begin_working(k);
    assert_int_equal(place(BUY, 99, 4), OWN_REFUSED_NOT);
    assert_false(amend(1, 101, 7));
    assert_int_equal(standing().refused[OWN_REFUSED_POSITION], 1);
    assert_true(amend(1, 101, 6));
    assert_int_equal(place(BUY, 99, 1), OWN_REFUSED_POSITION); /* on its way counts */
    host_kit_result(k, 0);                                     /* of order 2 */
    host_kit_result(k, REJECT_POST_ONLY);                      /* of the amend: it is 5 again */
    assert_int_equal(place(BUY, 99, 1), OWN_REFUSED_NOT);
}

static void an_amend_down_counts_as_it_was_until_it_is_done(void **state)
{
    (void)state;
    limits->position_max = 5;
    host_kit_begin_working(k);
    assert_true(amend(1, 100, 2));
    assert_int_equal(place(BUY, 99, 1), OWN_REFUSED_POSITION);
    host_kit_amended(k, 0, 1, 100, 2, 2);
    assert_int_equal(place(BUY, 99, 3), OWN_REFUSED_NOT);
}

static void a_fill_during_an_amend_does_not_pass_the_position(void **state)
{
    (void)state;
    limits->position_max = 5;
    host_kit_begin_working(k);
    assert_true(amend(1, 101, 5)); /* the same, at another price */
    assert_int_equal(host_kit_command(k, 0)->command.amend_order.qty_is, QTY_IS_TOTAL);
    host_kit_filled(k, 0, 1, 100, 3, 2); /* meanwhile: the amend makes it 5 in all, 2 open */
    assert_int_equal(place(BUY, 99, 1), OWN_REFUSED_POSITION);
    host_kit_amended(k, 0, 1, 101, 5, 2);
    host_kit_filled(k, 0, 1, 101, 2, 0);
    assert_int_equal(trader_position(k->traders[0]), 5);
    assert_int_equal(place(BUY, 99, 1), OWN_REFUSED_POSITION);
}

static void without_a_limit_the_position_stays_a_number(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    assert_int_equal(place(BUY, 100, INT64_MAX), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_POSITION);
}

static void an_order_of_nothing_is_the_exchanges_to_refuse(void **state)
{
    (void)state;
    limits->position_max = 10;
    host_kit_begin_market(k);
    assert_int_equal(place(BUY, 100, -5), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 11), OWN_REFUSED_POSITION); /* it makes no room */
    assert_int_equal(place(BUY, 100, 10), OWN_REFUSED_NOT);
}

/* ---- messages_per_second ---- */

static void no_second_has_more_messages_than_allowed(void **state)
{
    (void)state;
    limits->messages_per_second = 3;
    host_kit_begin_market(k);
    now(TENTH_NS - 1); /* the last moment of a tenth */
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_NOT);
    uint32_t first = accept(100);
    assert_true(amend(first, 99, 1)); /* counts as well */
    now(5 * TENTH_NS);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_RATE);
    host_kit_amended(k, 0, first, 99, 1, 1);
    assert_false(amend(first, 98, 1));
    assert_int_equal(standing().refused[OWN_REFUSED_RATE], 2);
    now(11 * TENTH_NS - 2); /* a nanosecond less than a second behind the first */
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_RATE);
    now(11 * TENTH_NS - 1);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_RATE); /* to the tenth, on the safe side */
    now(11 * TENTH_NS);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_RATE);
    now(1000 * TENTH_NS); /* long after */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_RATE);
}

static void cancel_it(trader_t *t)
{
    sent = trader_cancel(t, 1);
}

static void cancels_are_no_messages(void **state)
{
    (void)state;
    limits->messages_per_second = 1;
    host_kit_begin_working(k);
    host_kit_act(k, cancel_it);
    assert_true(sent);
    assert_int_equal(k->command_count, 1);
}

/* ---- loss_max ---- */

/* 5 bought at 100 and marked at 95: a loss of 25, and fees of 5 x 100 x 1 % = 5. */
static void lose_30(int64_t bid, int64_t ask)
{
    k->specs[0].fees.maker_ppm = 10000;
    host_kit_begin_working(k);
    host_kit_filled(k, 0, 1, 100, 5, 0);
    strategy_host_book_reset(k->host, 0);
    host_kit_add(k, BUY, bid, 1);
    host_kit_add(k, SELL, ask, 1);
    strategy_host_book_joined(k->host, 0, k->now_ns);
}

static void a_loss_of_the_limit_itself_is_borne(void **state)
{
    (void)state;
    limits->has_loss_max = true;
    limits->loss_max = 30;
    lose_30(90, 100);
    assert_false(standing().stopping);
}

static void a_loss_beyond_the_limit_stops(void **state)
{
    (void)state;
    limits->has_loss_max = true;
    limits->loss_max = 29;
    lose_30(90, 100);
    assert_true(standing().ended);
    assert_string_equal(k->why, "loss of 0.00030 passed loss_max 0.00029");
}

static void half_a_tick_beyond_the_limit_stops(void **state)
{
    (void)state;
    limits->has_loss_max = true;
    limits->loss_max = 30;
    lose_30(90, 99); /* 32.5, which is said as 33 */
    assert_true(standing().ended);
    assert_string_equal(k->why, "loss of 0.00033 passed loss_max 0.00030");
    assert_int_equal(host_kit_count(k, KIT_MARKET), 0); /* of the update that showed it */
}

static void a_fill_that_loses_stops_and_is_told(void **state)
{
    (void)state;
    limits->has_loss_max = true;
    limits->loss_max = 0;
    host_kit_begin_market(k); /* the mid is 105 */
    assert_int_equal(place(BUY, 110, 2), OWN_REFUSED_NOT);
    host_kit_accepted(k, 0, 1, 110);
    host_kit_filled(k, 0, 1, 110, 1, 1);
    assert_true(standing().stopping);
    assert_int_equal(host_kit_count(k, KIT_FILL), 1);
    assert_int_equal(host_kit_command(k, 0)->command.type, MESSAGE_CANCEL_ORDER);
}

static void no_loss_max_is_no_limit(void **state)
{
    (void)state;
    lose_30(1, 2);
    assert_false(standing().stopping);
}

/* ---- how much there can be at once ---- */

static unsigned wanted;

static void place_many(trader_t *t)
{
    for (unsigned i = 0; i < wanted; i++)
        trader_limit(t, BUY, 100, 1);
}

static void so_many_orders_may_work(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    wanted = STRATEGY_WORKING_MAX - 1;
    host_kit_act(k, place_many);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_WORKING);
    assert_int_equal(standing().working, STRATEGY_WORKING_MAX);
    host_kit_rejected(k, 0, 7, REJECT_STP);
    host_kit_result(k, 0);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_WORKING);
}

static void every_order_has_room_for_its_cancel(void **state)
{
    (void)state;
    host_kit_begin_market(k);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(place(BUY, 100, 5), OWN_REFUSED_NOT);
        accept(100);
    }
    /* amends without an answer, until nothing but the room for 10 cancels is left */
    unsigned amends = 0;
    while (amend(1 + amends % 10, 100, amends % 2 + 1)) {
        uint32_t order = 1 + amends % 10;
        host_kit_amended(k, 0, order, 100, amends % 2 + 1, amends % 2 + 1);
        amends++;
    }
    assert_int_equal(amends, STRATEGY_UNANSWERED_MAX - 10);
    assert_int_equal(standing().refused[OWN_REFUSED_RATE], 1);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_RATE);
    host_kit_clear(k);
    strategy_host_stop(k->host, 0, k->now_ns, "enough");
    assert_int_equal(k->command_count, 10);
    assert_int_equal(standing().unanswered, STRATEGY_UNANSWERED_MAX);
}

static void a_place_needs_room_for_itself_and_its_cancel(void **state)
{
    (void)state;
    host_kit_begin_working(k);
    /* one working order: 511 are free, its cancel aside */
    for (unsigned i = 0; i < STRATEGY_UNANSWERED_MAX - 3; i++) {
        assert_true(amend(1, 100, i % 2 + 1));
        host_kit_amended(k, 0, 1, 100, i % 2 + 1, i % 2 + 1);
    }
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_NOT);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_RATE);
    assert_false(amend(1, 100, 3));
    host_kit_result(k, 0);
    assert_int_equal(place(BUY, 100, 1), OWN_REFUSED_RATE);
    assert_true(amend(1, 100, 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_order_is_larger_than_order_max),
        TEST(an_amend_makes_no_order_larger_than_order_max),
        TEST(what_works_counts_for_the_position),
        TEST(what_it_began_with_counts_for_the_position),
        TEST(an_amend_counts_what_it_adds),
        TEST(an_amend_down_counts_as_it_was_until_it_is_done),
        TEST(a_fill_during_an_amend_does_not_pass_the_position),
        TEST(without_a_limit_the_position_stays_a_number),
        TEST(an_order_of_nothing_is_the_exchanges_to_refuse),
        TEST(no_second_has_more_messages_than_allowed),
        TEST(cancels_are_no_messages),
        TEST(a_loss_of_the_limit_itself_is_borne),
        TEST(a_loss_beyond_the_limit_stops),
        TEST(half_a_tick_beyond_the_limit_stops),
        TEST(a_fill_that_loses_stops_and_is_told),
        TEST(no_loss_max_is_no_limit),
        TEST(so_many_orders_may_work),
        TEST(every_order_has_room_for_its_cancel),
        TEST(a_place_needs_room_for_itself_and_its_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
