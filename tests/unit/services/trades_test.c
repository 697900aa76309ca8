/* trade_history: the last trades, what all of them come to, and from where that counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "market-data/trade_history.h"

static struct trade_history history;

static int setup(void **state)
{
    *state = &history;
    trade_history_init(&history);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trade_history_close(&history);
    assert_null(history.trades);
    return 0;
}

static void join(uint64_t epoch, uint64_t seq, uint64_t trade_seq)
{
    struct frame_head head = {.epoch = epoch, .seq = seq, .time_ns = 1000 + seq};
    trade_history_join(&history, &head, trade_seq);
}

/* A group of one trade. */
static void trade(uint64_t seq, int64_t price, int64_t qty)
{
    struct trade t = {seq + 10, seq + 20, seq + 30, price, qty, SIDE_SELL};
    trade_history_add(&history, seq, &t);
    trade_history_group_end(&history, 1000 + seq);
}

/* The ring is the groups first..last of one trade each. */
static void assert_kept(uint64_t first, uint64_t last)
{
    assert_int_equal(trade_history_kept(&history), last - first + 1);
    for (uint64_t seq = first; seq <= last; seq++) {
        const struct past_trade *t = trade_history_at(&history, seq - first);
        assert_true(t->seq == seq && t->time_ns == 1000 + seq && t->trade_id == seq + 10);
    }
}

static void assert_begun_anew(uint64_t since_ns, uint64_t since_seq)
{
    const struct trade_totals *all = &history.totals;
    assert_int_equal(all->since_ns, since_ns);
    assert_int_equal(all->since_seq, since_seq);
    assert_int_equal(all->trade_count, 0);
    assert_true(all->qty_high == 0 && all->qty_low == 0);
    assert_true(all->notional_high == 0 && all->notional_low == 0);
    assert_false(all->first_price.given || all->last_price.given);
    assert_false(all->high_price.given || all->low_price.given);
    assert_int_equal(trade_history_kept(&history), 0);
}

/* ---- totals ---- */

static void totals_are_those_of_the_trades(void **state)
{
    (void)state;
    static const int64_t prices[] = {100, 98, 103, 101};
    join(7, 4, 0);
    assert_begun_anew(0, 1);
    for (unsigned i = 0; i < 4; i++)
        trade(5 + i, prices[i], 10 + i);
    const struct trade_totals *all = &history.totals;
    assert_int_equal(all->trade_count, 4);
    assert_true(all->qty_high == 0 && all->qty_low == 10 + 11 + 12 + 13);
    assert_true(all->notional_high == 0);
    assert_int_equal(all->notional_low, 1000 + 98 * 11 + 103 * 12 + 101 * 13);
    assert_true(all->first_price.given && all->first_price.value == 100);
    assert_true(all->last_price.given && all->last_price.value == 101);
    assert_true(all->high_price.given && all->high_price.value == 103);
    assert_true(all->low_price.given && all->low_price.value == 98);
    assert_true(all->since_seq == 1 && all->since_ns == 0);
}

/* Zero is a price like any other, not the absence of one. */
static void prices_below_zero_have_their_high_and_low(void **state)
{
    (void)state;
    static const int64_t prices[] = {-5, 0, INT64_MIN, -1};
    join(7, 4, 0);
    for (unsigned i = 0; i < 4; i++)
        trade(5 + i, prices[i], 1);
    assert_true(history.totals.first_price.value == -5 && history.totals.last_price.value == -1);
    assert_true(history.totals.high_price.value == 0);
    assert_true(history.totals.low_price.value == INT64_MIN);
}

static void sums_have_128_bits_and_a_sign(void **state)
{
    (void)state;
    join(7, 4, 0);
    trade(5, -1, 1);
    assert_true(history.totals.notional_high == -1);
    assert_true(history.totals.notional_low == UINT64_MAX);
    trade(6, 2, 1);
    assert_true(history.totals.notional_high == 0 && history.totals.notional_low == 1);
    for (unsigned i = 0; i < 3; i++)
        trade(7 + i, INT64_MIN, INT64_MAX); /* three times -2^126 + 2^63 */
    assert_true(history.totals.qty_high == 1);
    assert_true(history.totals.qty_low == (UINT64_C(1) << 63) - 3 + 2);
    /* -3 x 2^126 is 2^126 modulo 2^128, and 3 x 2^63 are 2^64 and 2^63. */
    assert_true(history.totals.notional_high == (INT64_C(1) << 62) + 1);
    assert_true(history.totals.notional_low == (UINT64_C(1) << 63) + 1);
}

/* ---- the ring ---- */

static void the_last_trades_are_kept_oldest_first(void **state)
{
    (void)state;
    join(7, 4, 0);
    for (uint64_t seq = 5; seq < 5 + TRADES_KEPT - 1; seq++)
        trade(seq, 100, 1);
    assert_kept(5, TRADES_KEPT + 3); /* one less than there is room for */
    trade(TRADES_KEPT + 4, 100, 1);
    assert_kept(5, TRADES_KEPT + 4);
    trade(TRADES_KEPT + 5, 100, 1);
    assert_kept(6, TRADES_KEPT + 5);
    for (uint64_t seq = TRADES_KEPT + 6; seq <= 3 * TRADES_KEPT; seq++)
        trade(seq, 100, 1);
    assert_kept(2 * TRADES_KEPT + 1, 3 * TRADES_KEPT);
    assert_int_equal(history.totals.trade_count, 3 * TRADES_KEPT - 4);
}

static void a_trade_is_kept_with_all_it_said(void **state)
{
    (void)state;
    join(7, 4, 0);
    trade_history_add(&history, 9, &(struct trade){1, 2, 3, -4, 5, SIDE_BUY});
    trade_history_group_end(&history, 77);
    const struct past_trade *t = trade_history_at(&history, 0);
    assert_true(t->seq == 9 && t->time_ns == 77 && t->trade_id == 1);
    assert_true(t->maker_order_id == 2 && t->taker_order_id == 3);
    assert_true(t->price == -4 && t->qty == 5 && t->aggressor == SIDE_BUY);
}

/* A group may be larger than the ring. */
static void all_trades_of_a_group_have_its_time_and_no_other_has(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 3, TRADES_KEPT - 1, TRADES_KEPT, TRADES_KEPT + 1};
    join(7, 4, 0);
    for (uint64_t g = 0; g < 5; g++) {
        for (uint64_t i = 0; i < sizes[g]; i++)
            trade_history_add(&history, 5 + g, &(struct trade){.price = 1, .qty = 1});
        trade_history_group_end(&history, 1005 + g);
        for (uint64_t i = 0; i < trade_history_kept(&history); i++) {
            const struct past_trade *t = trade_history_at(&history, i);
            assert_int_equal(t->time_ns, 1000 + t->seq);
        }
    }
    trade_history_group_end(&history, 5); /* a group without a trade changes none */
    assert_int_equal(trade_history_at(&history, 0)->time_ns, 1009);
}

/* ---- from where it counts ---- */

static void joined_in_the_middle_it_counts_from_there(void **state)
{
    (void)state;
    join(7, 40, 39);
    assert_begun_anew(1040, 41);
    trade(41, 100, 1);
    assert_kept(41, 41);
    assert_int_equal(history.totals.since_seq, 41);
}

static void joined_before_the_first_trade_it_counts_from_the_start(void **state)
{
    (void)state;
    join(7, 40, 0);
    assert_begun_anew(0, 1);
    join(7, 50, 0); /* and once more, still before it */
    assert_begun_anew(0, 1);
}

static void joined_again_with_no_trade_missed_it_goes_on(void **state)
{
    (void)state;
    join(7, 4, 0);
    trade(5, 100, 1);
    join(7, 60, 5);
    assert_kept(5, 5);
    assert_int_equal(history.totals.since_seq, 1);
    trade(61, 100, 1);
    assert_int_equal(history.totals.trade_count, 2);
    join(8, 4, 3); /* the same of one that began in the middle */
    join(8, 9, 3);
    assert_begun_anew(1004, 5);
}

static void joined_again_with_a_trade_missed_it_begins_anew(void **state)
{
    (void)state;
    join(7, 4, 0);
    trade(5, 100, 1);
    join(7, 60, 6);
    assert_begun_anew(1060, 61);
}

static void a_new_epoch_begins_anew(void **state)
{
    (void)state;
    join(7, 4, 0);
    trade(5, 100, 1);
    join(8, 60, 5); /* its last trade was at 5, too */
    assert_begun_anew(1060, 61);
    trade(61, 100, 1);
    join(9, 4, 0);
    assert_begun_anew(0, 1);
}

static void what_may_be_wrong_is_not_kept(void **state)
{
    (void)state;
    join(7, 4, 0);
    trade(5, 100, 1);
    trade_history_forget(&history);
    join(7, 60, 5);
    assert_begun_anew(1060, 61);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(totals_are_those_of_the_trades),
        TEST(prices_below_zero_have_their_high_and_low),
        TEST(sums_have_128_bits_and_a_sign),
        TEST(the_last_trades_are_kept_oldest_first),
        TEST(a_trade_is_kept_with_all_it_said),
        TEST(all_trades_of_a_group_have_its_time_and_no_other_has),
        TEST(joined_in_the_middle_it_counts_from_there),
        TEST(joined_before_the_first_trade_it_counts_from_the_start),
        TEST(joined_again_with_no_trade_missed_it_goes_on),
        TEST(joined_again_with_a_trade_missed_it_begins_anew),
        TEST(a_new_epoch_begins_anew),
        TEST(what_may_be_wrong_is_not_kept),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
