/* market: what a gateway answers of one symbol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/services/pit.h"

#define AT(seq)                                                                                    \
    "\"symbol\":\"X-Y\",\"epoch\":1763683000,\"seq\":" #seq                                        \
    ",\"timestamp\":\"2025-11-21T00:00:00.123456Z\",\"ts\":1763683200123456,"
#define NO_BOOK "\"bids\":[],\"asks\":[],\"hash\":\"0000000000000000\"}"

static struct pit pit;

static int setup_of(const char *tick, const char *lot)
{
    pit_open(&pit, tick, lot, 4000);
    return 0;
}

static int setup(void **state)
{
    *state = &pit;
    return setup_of("0.01", "0.001");
}

/* Prices may be below zero, lots have no digits behind a point. */
static int setup_spread(void **state)
{
    *state = &pit;
    return setup_of("0.5", "1");
}

static int teardown(void **state)
{
    pit_close(*state);
    return 0;
}

static void add(uint64_t seq, uint64_t order_id, enum side side, int64_t price, int64_t qty,
                uint64_t priority)
{
    pit_add(&pit, seq, &(struct add){order_id, side, price, qty, priority});
}

/* The book of PROTOCOL.md's vector: one bid of 5 at 10000, one of 7 at 9999, one ask of 3. */
static void join_vector(uint64_t seq)
{
    add(0, 901, SIDE_BUY, 10000, 5, 11);
    add(0, 902, SIDE_BUY, 9999, 7, 12);
    add(0, 903, SIDE_SELL, 10002, 3, 13);
    pit_joined(&pit, seq);
}

static void a_book_is_told_by_level(void **state)
{
    (void)state;
    join_vector(40);
    assert_string_equal(pit_book(&pit, 0, 2),
                        "{" AT(40) "\"bids\":[[\"100.00\",\"0.005\"],[\"99.99\",\"0.007\"]],"
                                   "\"asks\":[[\"100.02\",\"0.003\"]],"
                                   "\"hash\":\"cf79097d93089527\"}");
}

static void depth_counts_levels_of_a_side(void **state)
{
    (void)state;
    join_vector(40);
    const char *top = "{" AT(40) "\"bids\":[[\"100.00\",\"0.005\"]],"
                                 "\"asks\":[[\"100.02\",\"0.003\"]],"
                                 "\"hash\":\"cf79097d93089527\"}"; /* of all of it */
    assert_string_equal(pit_book(&pit, 1, 2), top);
    char *all = strdup(pit_book(&pit, 0, 2));
    assert_string_not_equal(all, top);
    assert_string_equal(pit_book(&pit, 2, 2), all);
    assert_string_equal(pit_book(&pit, 3, 2), all);
    free(all);
}

/* The vector of PROTOCOL.md, and an ask. */
static void a_book_is_told_order_by_order(void **state)
{
    (void)state;
    add(0, 901, SIDE_BUY, 10000, 2, 11);
    add(0, 902, SIDE_BUY, 10000, 3, 12);
    pit_joined(&pit, 12);
    assert_string_equal(pit_book(&pit, 1, 3),
                        "{" AT(12) "\"bids\":[[\"100.00\",\"0.002\",\"901\",11],"
                                   "[\"100.00\",\"0.003\",\"902\",12]],\"asks\":[],"
                                   "\"hash\":\"ce89ca283906a8be\"}");
}

static void an_empty_book_is_empty_lists(void **state)
{
    (void)state;
    pit_joined(&pit, 3);
    assert_string_equal(pit_book(&pit, 10, 2), "{" AT(3) NO_BOOK);
    assert_string_equal(pit_book(&pit, 10, 3), "{" AT(3) NO_BOOK);
}

static void an_answer_too_large_for_its_place_is_full(void **state)
{
    (void)state;
    char text[100];
    struct json_writer j;
    join_vector(40);
    size_t needed = strlen(pit_book(&pit, 0, 3));
    assert_true(needed > sizeof text);
    json_writer_init(&j, text, sizeof text);
    market_put_book(&pit.market, &j, 0, 3);
    assert_true(j.full);
}

static void prices_may_be_below_zero_and_lots_whole(void **state)
{
    (void)state;
    add(0, 1, SIDE_BUY, -7, 40, 1);
    add(0, 2, SIDE_SELL, -5, 1, 2);
    pit_joined(&pit, 1);
    const char *text = pit_book(&pit, 0, 2);
    assert_non_null(strstr(text, "\"bids\":[[\"-3.5\",\"40\"]],\"asks\":[[\"-2.5\",\"1\"]]"));
    pit_totals(&pit, &(struct trade_totals){.since_ns = PIT_NS});
    pit_trade(&pit, 2, &(struct trade){1, 1, 2, -5, 3, SIDE_SELL});
    pit_trade(&pit, 2, &(struct trade){2, 1, 2, -6, 1, SIDE_SELL});
    text = pit_stats(&pit);
    assert_non_null(strstr(text, "\"volume\":\"4\",\"vwap\":\"-2.625\",\"open\":\"-2.5\","
                                 "\"high\":\"-2.5\",\"low\":\"-3.0\",\"last\":\"-3.0\","
                                 "\"best_bid\":\"-3.5\",\"best_ask\":\"-2.5\",\"spread\":\"1.0\""));
}

static void stats_of_nothing_are_nulls(void **state)
{
    (void)state;
    pit_joined(&pit, 3);
    pit_totals(&pit, &(struct trade_totals){.since_ns = PIT_NS, .since_seq = 2});
    pit_trades_joined(&pit, 3);
    assert_string_equal(
        pit_stats(&pit),
        "{" AT(3) "\"since\":\"2025-11-21T00:00:00.123456Z\",\"since_seq\":2,\"trade_count\":0,"
                  "\"volume\":\"0.000\",\"vwap\":null,\"open\":null,\"high\":null,\"low\":null,"
                  "\"last\":null,\"best_bid\":null,\"best_ask\":null,\"spread\":null,"
                  "\"order_count\":0,\"bid_levels\":0,\"ask_levels\":0}");
}

static void totals_since_the_epoch_began_name_no_time(void **state)
{
    (void)state;
    pit_joined(&pit, 3);
    pit_totals(&pit, &(struct trade_totals){.since_ns = 0, .since_seq = 1});
    assert_non_null(strstr(pit_stats(&pit), ",\"since\":null,\"since_seq\":1,"));
}

static void stats_go_on_from_the_totals_of_the_snapshot(void **state)
{
    (void)state;
    join_vector(40);
    pit_totals(&pit, &(struct trade_totals){.since_ns = PIT_NS,
                                            .since_seq = 2,
                                            .trade_count = 2,
                                            .qty_low = 6,
                                            .notional_low = 60003,
                                            .first_price = {10000, true},
                                            .last_price = {10001, true},
                                            .high_price = {10001, true},
                                            .low_price = {10000, true}});
    pit_trades_joined(&pit, 40);
    pit_trade(&pit, 41, &(struct trade){9, 1, 2, 9990, 2, SIDE_SELL});
    pit_trade(&pit, 41, &(struct trade){10, 1, 2, 10000, 1, SIDE_SELL});
    pit_trade(&pit, 41, &(struct trade){11, 1, 2, 9995, 1, SIDE_SELL});
    pit_trades_group(&pit, 41);
    assert_string_equal(
        pit_stats(&pit),
        "{" AT(40) "\"since\":\"2025-11-21T00:00:00.123456Z\",\"since_seq\":2,\"trade_count\":5,"
                   "\"volume\":\"0.010\",\"vwap\":\"99.978\",\"open\":\"100.00\","
                   "\"high\":\"100.01\",\"low\":\"99.90\",\"last\":\"99.95\","
                   "\"best_bid\":\"100.00\",\"best_ask\":\"100.02\",\"spread\":\"0.02\","
                   "\"order_count\":3,\"bid_levels\":2,\"ask_levels\":1}");
}

static void sums_that_cannot_be_have_no_average(void **state)
{
    (void)state;
    const struct trade_totals wrong[] = {
        {.trade_count = 1, .qty_high = -1, .notional_low = 5}, /* less than nothing */
        {.trade_count = 1, .notional_low = 5},                 /* of nothing */
        {.trade_count = 1, .qty_low = 1, .notional_high = 5},  /* beyond any price */
        {.trade_count = 1, .qty_low = 1, .notional_high = -5}, /* the same below zero */
        {.trade_count = 1, .qty_low = 1, .notional_high = INT64_MIN},
    };
    pit_joined(&pit, 3);
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pit_totals(&pit, &wrong[i]);
        assert_non_null(strstr(pit_stats(&pit), "\"vwap\":null"));
    }
    pit_totals(&pit, &(struct trade_totals){.trade_count = 1, .qty_low = 1, .notional_low = 5});
    assert_non_null(strstr(pit_stats(&pit), "\"vwap\":\"0.05\""));
    pit_totals(&pit, &(struct trade_totals){.qty_high = INT64_MAX,
                                            .notional_high = INT64_MAX,
                                            .qty_low = UINT64_MAX,
                                            .notional_low = UINT64_MAX});
    pit_trade(&pit, 4, &(struct trade){1, 1, 2, INT64_MAX, INT64_MAX, SIDE_BUY});
    assert_non_null(strstr(pit_stats(&pit), "\"vwap\":null"));
}

static void the_queue_ahead_is_what_stands_before(void **state)
{
    (void)state;
    int64_t ahead = -1;
    add(0, 1, SIDE_BUY, 100, 5, 1);
    add(0, 2, SIDE_BUY, 100, 6, 2);
    add(0, 3, SIDE_BUY, 101, 50, 3);
    add(0, 4, SIDE_BUY, 100, 7, 4);
    assert_false(market_queue_ahead(&pit.market, 4, &ahead)); /* not joined */
    pit_joined(&pit, 4);
    assert_true(market_queue_ahead(&pit.market, 4, &ahead));
    assert_int_equal(ahead, 11);
    assert_true(market_queue_ahead(&pit.market, 1, &ahead));
    assert_int_equal(ahead, 0);
    pit_delete(&pit, 5, 1);
    assert_true(market_queue_ahead(&pit.market, 4, &ahead));
    assert_int_equal(ahead, 6);
    assert_false(market_queue_ahead(&pit.market, 1, &ahead));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_book_is_told_by_level),
        TEST(depth_counts_levels_of_a_side),
        TEST(a_book_is_told_order_by_order),
        TEST(an_empty_book_is_empty_lists),
        TEST(an_answer_too_large_for_its_place_is_full),
        cmocka_unit_test_setup_teardown(prices_may_be_below_zero_and_lots_whole, setup_spread,
                                        teardown),
        TEST(stats_of_nothing_are_nulls),
        TEST(totals_since_the_epoch_began_name_no_time),
        TEST(stats_go_on_from_the_totals_of_the_snapshot),
        TEST(sums_that_cannot_be_have_no_average),
        TEST(the_queue_ahead_is_what_stands_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
