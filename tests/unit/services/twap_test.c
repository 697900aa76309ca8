/* twap: slices against numbers worked out by hand, what it sends word by word, and at random: it
 * gets all or says why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "strategy/twap.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/strategy_trial.h"

/* ---- the schedule ---- */

static struct schedule equal(int64_t quantity, uint32_t slices, enum catch_up catch_up)
{
    return (struct schedule){.quantity = quantity,
                             .slices = slices,
                             .start_ns = 1000,
                             .duration_ns = 100,
                             .catch_up = catch_up};
}

static void assert_slices(const struct schedule *s, const int64_t *filled, const int64_t *expected)
{
    for (uint32_t i = 0; i < s->slices; i++)
        assert_int_equal(schedule_quantity(s, i, filled[i]), expected[i]);
}

static void the_remainder_goes_to_the_first_slices(void **state)
{
    (void)state;
    struct schedule s = equal(11, 4, CATCH_UP_NEXT);
    assert_slices(&s, (int64_t[]){0, 3, 6, 9}, (int64_t[]){3, 3, 3, 2});
    s = equal(2, 4, CATCH_UP_NEXT);
    assert_slices(&s, (int64_t[]){0, 1, 2, 2}, (int64_t[]){1, 1, 0, 0});
    s = equal(12, 1, CATCH_UP_SPREAD);
    assert_slices(&s, (int64_t[]){0}, (int64_t[]){12});
}

static void what_is_missing_goes_into_the_next_slice(void **state)
{
    (void)state;
    struct schedule s = equal(11, 4, CATCH_UP_NEXT);
    assert_slices(&s, (int64_t[]){0, 1, 1, 9}, (int64_t[]){3, 5, 8, 2});
}

static void what_is_missing_is_spread_over_the_rest(void **state)
{
    (void)state;
    /* 3 of the first were not got: 3 own + 3 x 3 / 9, then 2 missing: 3 + 2 x 3 / 6, then 1: all */
    struct schedule s = equal(12, 4, CATCH_UP_SPREAD);
    assert_slices(&s, (int64_t[]){0, 0, 4, 8}, (int64_t[]){3, 4, 4, 4});
    s = equal(10, 4, CATCH_UP_SPREAD); /* 3 3 2 2: 6 missing before the third: 2 + 3, 2 + 3 */
    assert_slices(&s, (int64_t[]){0, 0, 0, 5}, (int64_t[]){3, 5, 5, 5});
}

static void what_is_missing_may_be_let_go(void **state)
{
    (void)state;
    struct schedule s = equal(11, 4, CATCH_UP_NONE);
    assert_slices(&s, (int64_t[]){0, 0, 0, 1}, (int64_t[]){3, 3, 3, 2});
}

static void slices_are_of_equal_time_whatever_it_divides_by(void **state)
{
    (void)state;
    struct schedule s = equal(10, 3, CATCH_UP_NEXT);
    const uint64_t expected[] = {1000, 1033, 1066, 1100};
    for (uint32_t i = 0; i <= 3; i++)
        assert_int_equal(schedule_boundary_ns(&s, i), expected[i]);
}

static void jitter_moves_a_begin_by_its_share_at_most(void **state)
{
    (void)state;
    struct schedule s = equal(100, 100, CATCH_UP_NEXT);
    s.duration_ns = 100000;
    s.jitter = 0.5;
    uint64_t low = UINT64_MAX, high = 0, sum = 0;
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t late = schedule_begin_ns(&s, i) - schedule_boundary_ns(&s, i);
        low = late < low ? late : low;
        high = late > high ? late : high;
        sum += late;
    }
    assert_true(low < 25 && high < 500 && high > 475);
    assert_true(sum > 100 * 200 && sum < 100 * 300);
    struct schedule other = s;
    other.seed = 1;
    assert_int_not_equal(schedule_begin_ns(&s, 0), schedule_begin_ns(&other, 0));
    s.jitter = 0;
    assert_int_equal(schedule_begin_ns(&s, 7), schedule_boundary_ns(&s, 7));
}

static void at_random_slices_add_up(uint64_t seed)
{
    struct random r = {seed};
    for (unsigned n = 0; n < 200; n++) {
        struct schedule s =
            equal(1 + (int64_t)random_below(&r, random_once_in(&r, 2) ? 100 : INT64_MAX / 2),
                  1 + (uint32_t)random_below(&r, 50), (enum catch_up)random_below(&r, 2));
        int64_t filled = 0, due = 0;
        bool late = random_once_in(&r, 2);
        for (uint32_t i = 0; i < s.slices; i++) {
            int64_t qty = schedule_quantity(&s, i, filled);
            bool last = i + 1 == s.slices;
            assert_true(qty >= 0 && filled + qty <= schedule_due(&s, i + 1));
            assert_true(schedule_due(&s, i + 1) >= due);
            due = schedule_due(&s, i + 1);
            filled += late && !last ? (int64_t)random_below(&r, (uint64_t)qty + 1) : qty;
        }
        assert_int_equal(filled, s.quantity); /* the last slice is all that is left */
    }
}

static void slices_add_up_at_random(void **state)
{
    (void)state;
    seeds_run("slices_add_up_at_random", 20, at_random_slices_add_up);
}

/* ---- word by word ---- */

/* 5 lots in two slices of 10 s from 0 s: 3, then 2. */
#define FIVE_IN_TWO "side", "buy", "quantity", "0.005", "duration", "20", "slices", "2"

static void passive_rests_follows_and_crosses_at_the_end(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("twap", FIVE_IN_TWO);
    strategy_trial_quiet(100, 110, 50, 0);
    trial_limit(0, SIDE_BUY, 90, 50);
    trial_limit(2 * SECOND, SIDE_BUY, 102, 5);  /* the best moves: so does it */
    trial_ioc(3 * SECOND, SIDE_SELL, 102, 7);   /* 5 before it, and 2 of its 3 */
    trial_limit(4 * SECOND, SIDE_BUY, 1, 1);    /* the others' best is 100 again */
    trial_ioc(12 * SECOND, SIDE_SELL, 100, 51); /* all of the level, and 1 of its second slice */
    trial_ioc(13 * SECOND, SIDE_SELL, 90, 51);
    trial_limit(25 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 buy 3 @ 100 GTC post\n"
                                "2.000 amend 1 to 3 @ 102\n"
                                "3.000 amend 1 to 3 @ 100\n" /* 3 in all: 1 is left of it */
                                "3.000 fill 1 2 @ 102 maker\n"
                                "10.000 cancel 1\n"
                                "10.000 buy 1 @ market IOC\n"
                                "10.000 fill 2 1 @ 110\n"
                                "10.000 buy 2 @ 100 GTC post\n"
                                "12.000 amend 3 to 2 @ 90\n"
                                "12.000 fill 3 1 @ 100 maker\n"
                                "13.000 amend 3 to 2 @ 1\n" /* nobody else is left but there */
                                "13.000 fill 3 1 @ 90 maker\n");
    assert_string_equal(t->described, "bought 5 of 5 lots in 2 of 2 slices, done");
    assert_int_equal(t->ended_ns, 13 * SECOND);
    strategy_trial_close();
}

static void aggressive_takes_the_touch_each_pace(void **state)
{
    (void)state;
    struct strategy_trial *t =
        STRATEGY_TRIAL("twap", FIVE_IN_TWO, "style", "aggressive", "pace", "2", "start_delay", "1");
    trial_limit(0, SIDE_BUY, 100, 50);
    trial_limit(0, SIDE_SELL, 110, 1);
    trial_limit(0, SIDE_SELL, 111, 1);
    trial_limit(0, SIDE_SELL, 112, 50);
    trial_limit(25 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "1.000 buy 3 @ 110 IOC\n"
                                "1.000 fill 1 1 @ 110\n"
                                "3.000 buy 2 @ 111 IOC\n"
                                "3.000 fill 2 1 @ 111\n"
                                "5.000 buy 1 @ 112 IOC\n"
                                "5.000 fill 3 1 @ 112\n"
                                "11.000 buy 2 @ 112 IOC\n"
                                "11.000 fill 4 2 @ 112\n");
    strategy_trial_close();
}

static void a_limit_price_is_kept_and_told(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("twap", FIVE_IN_TWO, "limit_price", "0.99");
    strategy_trial_quiet(100, 110, 50, 25);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 buy 3 @ 99 GTC post\n"
                                "10.000 cancel 1\n"
                                "10.000 buy 5 @ 99 GTC post\n"
                                "20.000 cancel 2\n");
    assert_string_equal(t->described, "bought 0 of 5 lots in 2 of 2 slices, its time is over, "
                                      "5 not: the market was beyond limit_price");
    strategy_trial_close();
}

static void without_catch_up_what_was_missed_is_not_traded(void **state)
{
    (void)state;
    struct strategy_trial *t =
        STRATEGY_TRIAL("twap", FIVE_IN_TWO, "side", "sell", "catch_up", "none");
    trial_limit(0, SIDE_SELL, 110, 50); /* nobody buys */
    trial_limit(15 * SECOND, SIDE_BUY, 100, 50);
    trial_limit(25 * SECOND, SIDE_SELL, 200, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 sell 3 @ 110 GTC post\n"
                                "10.000 cancel 1\n"
                                "10.000 sell 2 @ 110 GTC post\n"
                                "20.000 cancel 2\n"
                                "20.000 sell 2 @ market IOC\n"
                                "20.000 fill 3 2 @ 100\n");
    assert_string_equal(t->described, "sold 2 of 5 lots in 2 of 2 slices, its time is over, "
                                      "3 not: there was no more liquidity");
    strategy_trial_close();
}

static void a_refusal_is_told_and_not_repeated_before_its_pace(void **state)
{
    (void)state;
    struct strategy_trial *t =
        STRATEGY_TRIAL("twap", FIVE_IN_TWO, "order_max", "0.002", "pace", "5");
    strategy_trial_quiet(100, 110, 50, 25);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, ""); /* 3 lots, then 5, and at most 2 at once */
    /* at 0, 5, 10 (crossing) and 15 s, the second slice; and crossing at 20 */
    assert_int_equal(t->refused, 5);
    assert_string_equal(t->described, "bought 0 of 5 lots in 2 of 2 slices, its time is over, "
                                      "5 not: 5 orders were refused, the last by order_max");
    strategy_trial_close();
}

static void a_stop_is_told(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("twap", FIVE_IN_TWO);
    strategy_trial_quiet(100, 110, 50, 5); /* the recording ends, and so does it */
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 buy 3 @ 100 GTC post\n5.000 cancel 1\n");
    assert_string_equal(t->described,
                        "bought 0 of 5 lots in 0 of 2 slices, not finished, 5 not: it was "
                        "stopped, or its order cancelled by somebody else");
    strategy_trial_close();
}

/* ---- at random ---- */

static const char *pick(struct random *r, const char *a, const char *b)
{
    return random_once_in(r, 2) ? a : b;
}

static void at_random_it_completes_or_says_why(uint64_t seed)
{
    struct random r = {seed};
    bool calm = random_once_in(&r, 2), limit = random_once_in(&r, 3);
    const char *side = pick(&r, "buy", "sell"), *style = pick(&r, "passive", "aggressive");
    const char *catch_up = pick(&r, "next", pick(&r, "spread", "none"));
    struct strategy_trial *t =
        STRATEGY_TRIAL("twap", "side", side, "quantity", "0.3", "duration", "50", "slices",
                       pick(&r, "7", "1"), "style", style, "catch_up", catch_up, "jitter",
                       pick(&r, "0", "0.9"), "limit_price", limit ? "100" : "none", "pace", "0.5");
    t->most_bought = side[0] == 'b' ? 300 : 0;
    t->most_sold = side[0] == 'b' ? 0 : 300;
    strategy_trial_market(seed, 60, calm);
    strategy_trial_run(random_below(&r, 4) * SECOND / 20, seed);
    int64_t done = t->bought + t->sold;
    if (done == 300)
        assert_non_null(strstr(t->described, "slices, done"));
    else
        assert_non_null(strstr(t->described, " not: "));
    /* Where there is always enough to take, it takes it. */
    if (calm && !limit && style[0] == 'p')
        assert_int_equal(done, 300);
    assert_true(t->ended_ns <= 53 * SECOND);
    strategy_trial_close();
}

static void it_completes_or_says_why_at_random(void **state)
{
    (void)state;
    seeds_run("it_completes_or_says_why_at_random", 40, at_random_it_completes_or_says_why);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_remainder_goes_to_the_first_slices),
        cmocka_unit_test(what_is_missing_goes_into_the_next_slice),
        cmocka_unit_test(what_is_missing_is_spread_over_the_rest),
        cmocka_unit_test(what_is_missing_may_be_let_go),
        cmocka_unit_test(slices_are_of_equal_time_whatever_it_divides_by),
        cmocka_unit_test(jitter_moves_a_begin_by_its_share_at_most),
        SEEDS_TEST(slices_add_up_at_random),
        cmocka_unit_test(passive_rests_follows_and_crosses_at_the_end),
        cmocka_unit_test(aggressive_takes_the_touch_each_pace),
        cmocka_unit_test(a_limit_price_is_kept_and_told),
        cmocka_unit_test(without_catch_up_what_was_missed_is_not_traded),
        cmocka_unit_test(a_refusal_is_told_and_not_repeated_before_its_pace),
        cmocka_unit_test(a_stop_is_told),
        SEEDS_TEST(it_completes_or_says_why_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
