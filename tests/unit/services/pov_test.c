/* pov: its goal against numbers worked out by hand, what it sends word by word, and at random, at
 * every moment and seen from outside: never above its share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "strategy/pov.h"
#include "strategy/strategy_spec.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/strategy_trial.h"

static void its_goal_is_its_share_cut_to_a_lot(void **state)
{
    (void)state;
    assert_int_equal(pov_goal(250000, 3, 100), 0);
    assert_int_equal(pov_goal(250000, 4, 100), 1);
    assert_int_equal(pov_goal(250000, 399, 100), 99);
    assert_int_equal(pov_goal(250000, 400, 100), 100);
    assert_int_equal(pov_goal(250000, 404, 100), 100);
    assert_int_equal(pov_goal(1, 999999, 100), 0);
    assert_int_equal(pov_goal(1, 1000000, 100), 1);
    assert_int_equal(pov_goal(950000, (wide_t)INT64_MAX * 4, INT64_MAX), INT64_MAX);
}

/* ---- word by word ---- */

#define TEN                                                                                        \
    "side", "buy", "quantity", "0.01", "share", "0.25", "duration", "20", "clip_min", "0.002",     \
        "clip_max", "0.005"

static void aggressive_takes_what_is_due_in_clips(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("pov", TEN, "style", "aggressive");
    strategy_trial_quiet(100, 110, 50, 0);
    trial_ioc(1 * SECOND, SIDE_SELL, 100, 7);  /* 1 is due: less than a clip */
    trial_ioc(2 * SECOND, SIDE_SELL, 100, 1);  /* 2 of 8 */
    trial_ioc(3 * SECOND, SIDE_SELL, 100, 26); /* 2 of its own before: 9 of 36, 7 more: 5, then of
                                                  41 10: 3 more */
    trial_limit(25 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "2.000 buy 2 @ 110 IOC\n"
                                "2.000 fill 1 2 @ 110\n"
                                "3.000 buy 5 @ 110 IOC\n"
                                "3.000 fill 2 5 @ 110\n"
                                "3.000 buy 3 @ 110 IOC\n"
                                "3.000 fill 3 3 @ 110\n");
    assert_string_equal(t->described, "bought 10 of 10 lots, 22.73 % of 44 traded, done");
    strategy_trial_close();
}

static void passive_rests_and_takes_when_it_falls_behind(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("pov", TEN);
    strategy_trial_quiet(100, 110, 100, 0);
    trial_ioc(1 * SECOND, SIDE_SELL, 100, 12); /* 3 are due: they rest behind 88 */
    trial_ioc(2 * SECOND, SIDE_BUY, 110, 16);  /* 7: 4 more than rest, less than clip_max */
    trial_ioc(3 * SECOND, SIDE_BUY, 110, 4);   /* 8: 5 more */
    trial_limit(25 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "1.000 buy 3 @ 100 GTC post\n"
                                "3.000 cancel 1\n"
                                "3.000 buy 5 @ 110 IOC\n"
                                "3.000 fill 2 5 @ 110\n"
                                "3.000 buy 4 @ 100 GTC post\n"
                                "20.000 cancel 3\n");
    assert_string_equal(t->described,
                        "bought 5 of 10 lots, 13.51 % of 37 traded, its time is over, "
                        "5 not: there was no more liquidity");
    assert_int_equal(t->ended_ns, 20 * SECOND);
    strategy_trial_close();
}

static void the_rest_may_be_smaller_than_a_clip(void **state)
{
    (void)state;
    struct strategy_trial *t =
        STRATEGY_TRIAL("pov", TEN, "clip_min", "0.004", "style", "aggressive", "clip_max", "0.004");
    strategy_trial_quiet(100, 110, 500, 0);
    trial_ioc(1 * SECOND, SIDE_SELL, 100, 300);
    trial_limit(25 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "1.000 buy 4 @ 110 IOC\n1.000 fill 1 4 @ 110\n"
                                "1.000 buy 4 @ 110 IOC\n1.000 fill 2 4 @ 110\n"
                                "1.000 buy 2 @ 110 IOC\n1.000 fill 3 2 @ 110\n");
    strategy_trial_close();
}

static void nothing_traded_is_nothing_done(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("pov", TEN, "style", "aggressive");
    strategy_trial_quiet(100, 110, 50, 25);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "");
    assert_string_equal(t->described,
                        "bought 0 of 10 lots, 0.00 % of 0 traded, its time is over, 10 not");
    strategy_trial_close();
}

/* ---- parameters ---- */

static void assert_complaint(const char *name, const char *value, const char *expected)
{
    char words[STRATEGY_SPEC_ERROR_SIZE];
    struct strategy_spec s;
    struct cluster_symbol symbol = {"S", "1", "1", {1, 0}, {1, 0}, 0, false};
    strategy_spec_init(&s, "a");
    assert_true(strategy_spec_type(&s, "pov", words));
    assert_true(strategy_spec_symbol(&s, &symbol, words));
    assert_true(strategy_spec_set(&s, "side", "buy", words));
    assert_true(strategy_spec_set(&s, "quantity", "10", words));
    assert_true(strategy_spec_set(&s, "clip_max", "4", words));
    bool good = strategy_spec_set(&s, name, value, words) && strategy_spec_complete(&s, words);
    assert_int_equal(good, expected == NULL);
    if (expected != NULL)
        assert_string_equal(words, expected);
}

static void clips_go_together(void **state)
{
    (void)state;
    assert_complaint("clip_min", "4", NULL);
    assert_complaint("clip_min", "5",
                     "clip_min: found \"5\", expected at most clip_max, which is 4");
    assert_complaint("clip_min", "0", "clip_min: found 0, expected a quantity above zero");
    assert_complaint("clip_max", "0", "clip_max: found 0, expected a quantity above zero");
    assert_complaint("quantity", "0", "quantity: found \"0\", expected one above zero");
    assert_complaint("share", "0.95", NULL);
    assert_complaint("share", "0.951",
                     "share: found \"0.951\", expected a number from 1e-06 to 0.95");
    assert_complaint("share", "0", "share: found \"0\", expected a number from 1e-06 to 0.95");
}

/* ---- at random ---- */

static void at_random_it_is_never_above_its_share(uint64_t seed)
{
    static const char *const shares[] = {"0.01", "0.1", "0.3", "0.95"};
    static const double values[] = {0.01, 0.1, 0.3, 0.95};
    struct random r = {seed};
    unsigned share = (unsigned)random_below(&r, 4);
    bool buy = random_once_in(&r, 2), passive = random_once_in(&r, 2);
    bool calm = random_once_in(&r, 2), large = random_once_in(&r, 2);
    struct strategy_trial *t = STRATEGY_TRIAL(
        "pov", "side", buy ? "buy" : "sell", "quantity", large ? "3" : "0.1", "share",
        shares[share], "duration", "50", "style", passive ? "passive" : "aggressive", "clip_max",
        random_once_in(&r, 2) ? "none" : "0.01", "pace", "0.3", "limit_price",
        random_once_in(&r, 4) ? "100" : "none");
    t->share = values[share]; /* never above it at all: nothing of the clip it is allowed */
    t->most_bought = buy ? (large ? 3000 : 100) : 0;
    t->most_sold = buy ? 0 : (large ? 3000 : 100);
    strategy_trial_market(seed, 60, calm);
    strategy_trial_run(random_below(&r, 4) * SECOND / 20, seed);
    bool all = t->bought + t->sold == t->most_bought + t->most_sold;
    assert_non_null(strstr(t->described, all ? " traded, done" : " not"));
    assert_true(t->volume > 0);
    strategy_trial_close();
}

static void it_is_never_above_its_share_at_random(void **state)
{
    (void)state;
    seeds_run("it_is_never_above_its_share_at_random", 40, at_random_it_is_never_above_its_share);
}

/* Where there is enough to take it is not far below it either. */
static void at_random_it_keeps_up(uint64_t seed)
{
    struct random r = {seed};
    struct strategy_trial *t = STRATEGY_TRIAL(
        "pov", "side", "buy", "quantity", "10", "share", "0.2", "duration", "61", "style",
        random_once_in(&r, 2) ? "passive" : "aggressive", "clip_max", "0.02", "pace", "0.1");
    t->share = 0.2;
    strategy_trial_market(seed, 60, true);
    strategy_trial_run(0, seed);
    assert_true((double)t->bought >= 0.2 * (double)t->volume - 3 * 20);
    strategy_trial_close();
}

static void it_keeps_up_at_random(void **state)
{
    (void)state;
    seeds_run("it_keeps_up_at_random", 20, at_random_it_keeps_up);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_goal_is_its_share_cut_to_a_lot),
        cmocka_unit_test(aggressive_takes_what_is_due_in_clips),
        cmocka_unit_test(passive_rests_and_takes_when_it_falls_behind),
        cmocka_unit_test(the_rest_may_be_smaller_than_a_clip),
        cmocka_unit_test(nothing_traded_is_nothing_done),
        cmocka_unit_test(clips_go_together),
        SEEDS_TEST(it_is_never_above_its_share_at_random),
        SEEDS_TEST(it_keeps_up_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
