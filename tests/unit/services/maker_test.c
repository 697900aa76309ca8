/* maker: quotes and volatility against numbers worked out by hand, what it sends word by word, and
 * at random, at every moment and seen from outside: within its inventory bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "strategy/maker.h"
#include "strategy/strategy_spec.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/strategy_trial.h"

/* ---- the model ---- */

static const struct maker_model paper = {.mode = MAKER_AVELLANEDA,
                                         .gamma = 0.1,
                                         .kappa = 1.5,
                                         .min_spread = 1,
                                         .quantity = 10,
                                         .inventory_max = 100};

static void assert_quotes(const struct maker_model *m, double reference, int64_t inventory,
                          double sigma, double left_s, struct maker_quotes expected)
{
    struct maker_quotes q = maker_quotes(m, reference, inventory, sigma, left_s);
    assert_int_equal(q.price[0], expected.price[0]);
    assert_int_equal(q.price[1], expected.price[1]);
    assert_int_equal(q.qty[0], expected.qty[0]);
    assert_int_equal(q.qty[1], expected.qty[1]);
}

static void quotes_are_as_the_formulas_have_them(void **state)
{
    (void)state;
    /* No inventory: 0.1 x 4 x 0.5 + 20 ln(1 + 1/15) = 0.2 + 1.2908 = 1.4908, half of it 0.7454:
     * 9999.25 and 10000.75 */
    assert_quotes(&paper, 10000, 0, 2, 0.5, (struct maker_quotes){{9999, 10001}, {10, 10}});
    /* q = 20 / 10 = 2: r = 10000 - 2 x 0.1 x 4 x 0.5 = 9999.6: 9998.85 and 10000.35 */
    assert_quotes(&paper, 10000, 20, 2, 0.5, (struct maker_quotes){{9998, 10001}, {10, 10}});
    assert_quotes(&paper, 10000, -20, 2, 0.5, (struct maker_quotes){{9999, 10002}, {10, 10}});
    /* sigma 20, a second, q = 3: 40 + 1.29, half 20.65; r = 9880: 9859.35 and 9900.65 */
    assert_quotes(&paper, 10000, 30, 20, 1, (struct maker_quotes){{9859, 9901}, {10, 10}});
    /* At the end of the horizon inventory is no risk: 0.6454 each way. */
    assert_quotes(&paper, 10000.5, 30, 20, 0, (struct maker_quotes){{9999, 10002}, {10, 10}});
}

static void symmetric_quotes_are_round_the_reference(void **state)
{
    (void)state;
    struct maker_model m = paper;
    m.mode = MAKER_SYMMETRIC;
    m.half_spread = 2.5;
    assert_quotes(&m, 100, 90, 50, 9, (struct maker_quotes){{97, 103}, {10, 10}});
    assert_quotes(&m, 100.5, 0, 0, 0, (struct maker_quotes){{98, 103}, {10, 10}});
    m.half_spread = 0;
    m.min_spread = 3;
    assert_quotes(&m, 100, 0, 0, 0, (struct maker_quotes){{99, 102}, {10, 10}});
    assert_quotes(&m, -100.5, 0, 0, 0, (struct maker_quotes){{-102, -99}, {10, 10}});
}

static void a_side_is_as_large_as_the_bound_has_room(void **state)
{
    (void)state;
    struct maker_model m = paper;
    m.mode = MAKER_SYMMETRIC;
    m.half_spread = 2;
    static const struct {
        int64_t inventory, buy, sell;
    } rows[] = {{90, 10, 10}, {91, 9, 10},  {99, 1, 10},   {100, 0, 10},
                {101, 0, 10}, {-99, 10, 1}, {-100, 10, 0}, {-1000, 10, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_quotes(&m, 100, rows[i].inventory, 0, 0,
                      (struct maker_quotes){{98, 102}, {rows[i].buy, rows[i].sell}});
    m.size_decay = 0.5; /* 10 exp(-1) = 3.7 */
    assert_quotes(&m, 100, 20, 0, 0, (struct maker_quotes){{98, 102}, {4, 10}});
    assert_quotes(&m, 100, -20, 0, 0, (struct maker_quotes){{98, 102}, {10, 4}});
}

static void a_price_that_is_none_is_not_quoted(void **state)
{
    (void)state;
    assert_quotes(&paper, 10000, 10, 1e12, 60, (struct maker_quotes){{0, 0}, {0, 0}});
    assert_quotes(&paper, 10000, 10, INFINITY, 60, (struct maker_quotes){{0, 0}, {0, 0}});
}

static void volatility_is_of_changes_over_time(void **state)
{
    (void)state;
    struct volatility v;
    volatility_init(&v, 10);
    assert_float_equal(volatility_sigma(&v, 5 * SECOND), 0, 0);
    volatility_add(&v, 7 * SECOND, 100);
    assert_float_equal(volatility_sigma(&v, 7 * SECOND), 0, 0);
    volatility_add(&v, 8 * SECOND, 102);
    volatility_add(&v, 9 * SECOND, 102);
    volatility_add(&v, 10 * SECOND, 101);
    double expected = (4 * exp(-0.2) + 1) / (10 * (1 - exp(-0.3)));
    assert_float_equal(volatility_sigma(&v, 10 * SECOND), sqrt(expected), 1e-12);
    expected = (4 * exp(-1.2) + exp(-1)) / (10 * (1 - exp(-1.3)));
    assert_float_equal(volatility_sigma(&v, 20 * SECOND), sqrt(expected), 1e-12);
    assert_float_equal(volatility_age_s(&v, 20 * SECOND), 13, 0);
    /* A tick up or down each second is a tick / sqrt(s), whatever the window. */
    volatility_init(&v, 50);
    for (unsigned i = 0; i < 1000; i++)
        volatility_add(&v, i * SECOND, 100 + i % 2);
    assert_float_equal(volatility_sigma(&v, 999 * SECOND), 1, 0.01);
}

/* ---- word by word ---- */

#define SYMMETRIC                                                                                  \
    "mode", "symmetric", "half_spread", "3", "quantity", "0.01", "inventory_max", "0.02", "pace",  \
        "100"

static void it_moves_only_what_is_too_far_off(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("maker", SYMMETRIC);
    strategy_trial_quiet(95, 105, 50, 0);
    trial_limit(0, SIDE_SELL, 106, 50);
    trial_limit(1 * SECOND, SIDE_BUY, 96, 50); /* mid 100.5: 97 and 104: near enough */
    trial_limit(2 * SECOND, SIDE_BUY, 98, 5);  /* mid 101.5: 98 and 105 */
    trial_ioc(3 * SECOND, SIDE_SELL, 97, 15);  /* mid 100.5 again; all it buys */
    trial_ioc(4 * SECOND, SIDE_SELL, 97, 10);  /* and once more: it has 20 */
    trial_ioc(5 * SECOND, SIDE_BUY, 105, 60);  /* 50 before it, then it; mid 101 */
    trial_limit(6 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 buy 10 @ 97 GTC post\n"
                                "0.000 sell 10 @ 103 GTC post\n"
                                "2.000 amend 2 to 10 @ 105\n"
                                "3.000 fill 1 10 @ 97 maker\n"
                                "3.000 buy 10 @ 97 GTC post\n"
                                "4.000 fill 3 10 @ 97 maker\n"
                                "5.000 fill 2 10 @ 105 maker\n"
                                "5.000 buy 10 @ 98 GTC post\n"
                                "5.000 sell 10 @ 104 GTC post\n"
                                "6.000 cancel 4\n"
                                "6.000 cancel 5\n");
    assert_string_equal(t->described, "3 fills, inventory 10 of at most 20 lots");
    strategy_trial_close();
}

static void it_gets_smaller_in_its_place(void **state)
{
    (void)state;
    struct strategy_trial *t =
        STRATEGY_TRIAL("maker", SYMMETRIC, "size_decay", "5", "inventory_max", "0.1");
    strategy_trial_quiet(95, 105, 50, 0);
    trial_ioc(1 * SECOND, SIDE_SELL, 97, 1);  /* q = 0.1: 10 exp(-0.5) = 6.07: 7 of its 9 */
    trial_limit(2 * SECOND, SIDE_BUY, 97, 5); /* mid 101: 98 and 104: near enough */
    trial_ioc(3 * SECOND, SIDE_SELL, 97, 3);  /* it is still first: q = 0.4: 10 exp(-2) = 1.4 */
    trial_limit(4 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 buy 10 @ 97 GTC post\n"
                                "0.000 sell 10 @ 103 GTC post\n"
                                "1.000 fill 1 1 @ 97 maker\n"
                                "1.000 amend 1 to 8 @ 97\n" /* in all: 7 open */
                                "3.000 fill 1 3 @ 97 maker\n"
                                "3.000 amend 1 to 6 @ 97\n"
                                "4.000 cancel 1\n"
                                "4.000 cancel 2\n");
    strategy_trial_close();
}

static void with_nobody_to_look_at_it_does_not_quote(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("maker", SYMMETRIC);
    trial_limit(0, SIDE_BUY, 95, 50);
    uint64_t ask = trial_limit(1 * SECOND, SIDE_SELL, 105, 50);
    trial_cancel(2 * SECOND, ask);
    trial_limit(3 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "1.000 buy 10 @ 97 GTC post\n"
                                "1.000 sell 10 @ 103 GTC post\n"
                                "2.000 cancel 1\n"
                                "2.000 cancel 2\n");
    strategy_trial_close();
}

static void beyond_its_bound_it_quotes_the_way_back(void **state)
{
    (void)state;
    struct strategy_trial *t =
        STRATEGY_TRIAL("maker", SYMMETRIC, "inventory", "-0.025", "inventory_price", "1");
    strategy_trial_quiet(95, 105, 50, 3);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 buy 10 @ 97 GTC post\n3.000 cancel 1\n");
    strategy_trial_close();
}

static void the_microprice_leans_to_the_thin_side(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("maker", SYMMETRIC, "reference", "microprice");
    trial_limit(0, SIDE_BUY, 90, 30);
    trial_limit(0, SIDE_SELL, 110, 10); /* (90 x 10 + 110 x 30) / 40 = 105 */
    trial_limit(1 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 buy 10 @ 102 GTC post\n"
                                "0.000 sell 10 @ 108 GTC post\n"
                                "1.000 cancel 1\n"
                                "1.000 cancel 2\n");
    strategy_trial_close();
}

static void its_horizon_may_be_its_end(void **state)
{
    (void)state;
    struct strategy_trial *t =
        STRATEGY_TRIAL("maker", "sigma", "20", "gamma", "0.1", "kappa", "1.5", "horizon", "2",
                       "horizon_end", "stop", "pace", "1", "quantity", "0.01", "tolerance", "0");
    strategy_trial_quiet(9900, 10100, 50, 0);
    trial_limit(9 * SECOND, SIDE_BUY, 1, 1);
    strategy_trial_run(0, 1);
    /* 2 s are left: 80 + 1.29, half 40.65; then one: 40 + 1.29, half 20.65; then none. */
    assert_string_equal(t->did, "0.000 buy 10 @ 9959 GTC post\n"
                                "0.000 sell 10 @ 10041 GTC post\n"
                                "1.000 amend 2 to 10 @ 10021\n"
                                "1.000 amend 1 to 10 @ 9979\n"
                                "2.000 cancel 1\n"
                                "2.000 cancel 2\n");
    assert_int_equal(t->ended_ns, 2 * SECOND);
    assert_string_equal(t->described,
                        "0 fills, inventory 0 of at most 100 lots, sigma 20 ticks/sqrt(s), given");
    strategy_trial_close();
}

static void an_estimate_is_waited_for(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("maker", "window", "30", "quantity", "0.01");
    strategy_trial_quiet(9990, 10010, 50, 10);
    strategy_trial_run(0, 1);
    /* No change of price yet: 2000 ln(1.01) = 19.9, half of it 9.95 */
    assert_ptr_equal(strstr(t->did, "3.000 buy 10 @ 9990 GTC post\n"), t->did);
    strategy_trial_close();
}

/* ---- parameters ---- */

static bool set(const char *name, const char *value, char words[STRATEGY_SPEC_ERROR_SIZE])
{
    struct strategy_spec s;
    struct cluster_symbol symbol = {"S", "0.01", "1", {1, 2}, {1, 0}, 0, false};
    strategy_spec_init(&s, "a");
    return strategy_spec_type(&s, "maker", words) && strategy_spec_symbol(&s, &symbol, words) &&
           strategy_spec_set(&s, name, value, words) && strategy_spec_complete(&s, words);
}

static void parameters_have_ranges(void **state)
{
    (void)state;
    char words[STRATEGY_SPEC_ERROR_SIZE];
    assert_true(set("gamma", "0.000000001", words));
    assert_false(set("gamma", "0", words));
    assert_string_equal(words, "gamma: found \"0\", expected a number from 1e-09 to 1000");
    assert_false(set("quantity", "0", words));
    assert_string_equal(words,
                        "quantity: found \"0\", expected one above zero, and below 2^57 lots");
    assert_false(set("inventory_max", "0", words));
    assert_string_equal(words, "inventory_max: found \"0\", expected one above zero, or none");
    assert_false(set("min_spread", "0", words));
    assert_string_equal(words,
                        "min_spread: found \"0\", expected a whole number from 1 to 1000000000");
    assert_false(set("mode", "both", words));
    assert_string_equal(words, "mode: found \"both\", expected avellaneda or symmetric");
}

/* ---- at random ---- */

static void at_random_it_stays_within_its_bound(uint64_t seed)
{
    struct random r = {seed};
    char bound[16], inventory[16];
    int64_t most = 1 + (int64_t)random_below(&r, 60);
    int64_t begin = (int64_t)random_below(&r, 2 * (uint64_t)most + 1) - most;
    snprintf(bound, sizeof bound, "0.%03d", (int)most);
    snprintf(inventory, sizeof inventory, "%s0.%03d", begin < 0 ? "-" : "",
             (int)(begin < 0 ? -begin : begin));
    struct strategy_trial *t = STRATEGY_TRIAL(
        "maker", "mode", random_once_in(&r, 3) ? "symmetric" : "avellaneda", "quantity",
        random_once_in(&r, 2) ? "0.01" : "0.025", "inventory_max", bound, "inventory", inventory,
        "half_spread", random_once_in(&r, 2) ? "1" : "4", "gamma",
        random_once_in(&r, 2) ? "0.1" : "0.001", "window", "5", "horizon",
        random_once_in(&r, 2) ? "2" : "30", "tolerance", random_once_in(&r, 2) ? "0" : "2",
        "size_decay", random_once_in(&r, 2) ? "0" : "2", "pace", "0.2", "reference",
        random_once_in(&r, 2) ? "mid" : "microprice", "sigma", random_once_in(&r, 3) ? "3" : "0",
        "messages_per_second", random_once_in(&r, 4) ? "5" : "none");
    t->position_most = most;
    strategy_trial_market(seed, 60, random_once_in(&r, 2));
    strategy_trial_run(random_below(&r, 4) * SECOND / 20, seed);
    assert_true(t->low >= -most && t->high <= most);
    assert_true(t->commands > 10); /* it does something */
    strategy_trial_close();
}

static void it_stays_within_its_bound_at_random(void **state)
{
    (void)state;
    seeds_run("it_stays_within_its_bound_at_random", 60, at_random_it_stays_within_its_bound);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_as_the_formulas_have_them),
        cmocka_unit_test(symmetric_quotes_are_round_the_reference),
        cmocka_unit_test(a_side_is_as_large_as_the_bound_has_room),
        cmocka_unit_test(a_price_that_is_none_is_not_quoted),
        cmocka_unit_test(volatility_is_of_changes_over_time),
        cmocka_unit_test(it_moves_only_what_is_too_far_off),
        cmocka_unit_test(it_gets_smaller_in_its_place),
        cmocka_unit_test(with_nobody_to_look_at_it_does_not_quote),
        cmocka_unit_test(beyond_its_bound_it_quotes_the_way_back),
        cmocka_unit_test(the_microprice_leans_to_the_thin_side),
        cmocka_unit_test(its_horizon_may_be_its_end),
        cmocka_unit_test(an_estimate_is_waited_for),
        cmocka_unit_test(parameters_have_ranges),
        SEEDS_TEST(it_stays_within_its_bound_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
