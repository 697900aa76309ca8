/* strategy_spec: settings word by word at their limits, the section of a configuration with the
 * line of each mistake, and a recorded one read again, whole and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strategy/strategies.h"
#include "strategy/strategy_spec.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/base/seeds.h"

static struct strategy_spec spec;
static char error[STRATEGY_SPEC_ERROR_SIZE];

static const struct cluster_symbol coin = {
    .name = "BTC-USD", "0.01", "0.0001", {1, 2}, {1, 4}, 3, false};
static const struct cluster_symbol share = {.name = "AAPL", "0.05", "1", {5, 2}, {1, 0}, 0, false};
static const struct cluster_symbol power = {.name = "POWER", "1", "1", {1, 0}, {1, 0}, 0, true};

static void begin_of(const struct cluster_symbol *symbol)
{
    strategy_spec_init(&spec, "mine");
    assert_true(strategy_spec_type(&spec, "twap", error));
    assert_true(strategy_spec_symbol(&spec, symbol, error));
}

static int begin(void **state)
{
    (void)state;
    begin_of(&coin);
    return 0;
}

static void set(const char *name, const char *value)
{
    if (!strategy_spec_set(&spec, name, value, error))
        fail_msg("%s", error);
}

static void assert_refused(const char *name, const char *value, const char *expected)
{
    char words[STRATEGY_SPEC_ERROR_SIZE];
    assert_false(strategy_spec_set(&spec, name, value, error));
    snprintf(words, sizeof words, "%s: found \"%s\", expected %s", name, value, expected);
    assert_string_equal(error, words);
}

/* ---- settings ---- */

static void limits_are_in_lots_and_may_be_none(void **state)
{
    (void)state;
    set("position_max", "2.5");
    set("order_max", "0.0001");
    set("messages_per_second", "1000000");
    assert_int_equal(spec.limits.position_max, 25000);
    assert_int_equal(spec.limits.order_max, 1);
    assert_int_equal(spec.limits.messages_per_second, 1000000);
    set("position_max", "none");
    set("messages_per_second", "none");
    assert_int_equal(spec.limits.position_max, 0);
    assert_int_equal(spec.limits.messages_per_second, 0);
    assert_refused("position_max", "0", "a quantity above zero, or none");
    assert_refused("order_max", "-1", "a quantity above zero, or none");
    assert_refused("order_max", "0.00001", "a quantity above zero, or none, a multiple of 0.0001");
    assert_refused("messages_per_second", "0", "a whole number from 1 to 1000000, or none");
    assert_refused("messages_per_second", "1000001", "a whole number from 1 to 1000000, or none");
}

static void assert_loss(const char *value, int64_t expected)
{
    set("loss_max", value);
    assert_true(spec.limits.has_loss_max);
    assert_true(spec.limits.loss_max == expected);
}

static void a_loss_is_cut_to_ticks_times_lots(void **state)
{
    (void)state;
    assert_loss("1000", 1000000000); /* of 0.000001 each */
    assert_loss("0.000001", 1);
    assert_loss("0.0000019", 1);
    assert_loss("0.0000009", 0);
    assert_loss("0", 0);
    assert_loss("9000000000", 9000000000000000);
    set("loss_max", "none");
    assert_false(spec.limits.has_loss_max);
    const char *money = "money of the quote currency, not below zero, with at most 9 digits behind "
                        "the point, or none";
    assert_refused("loss_max", "-1", money);
    assert_refused("loss_max", "0.0000000001", money);
    assert_refused("loss_max", "much", money);
    begin_of(&share); /* 0.05 x 1 */
    assert_loss("1000", 20000);
    assert_loss("0.09", 1);
    begin_of(&power);
    assert_loss("7.5", 7);
}

static void a_loss_too_large_to_count_is_refused(void **state)
{
    (void)state;
    static const struct cluster_symbol dust = {
        "DUST", "0.000000000000000001", "0.000000000000000001", {1, 18}, {1, 18}, 0, false};
    static const struct cluster_symbol crowd = {"CROWD",
                                                "9999999999999999999",
                                                "9999999999999999999",
                                                {9999999999999999999u, 0},
                                                {9999999999999999999u, 0},
                                                0,
                                                false};
    begin_of(&dust);
    assert_refused("loss_max", "1", "less money: at most 10^30 ticks x lots");
    set("loss_max", "0.000001");
    char text[DECIMAL_TEXT_SIZE];
    decimal_from_sum(text, spec.limits.loss_max, &(struct decimal_unit){1, 0});
    assert_string_equal(text, "1000000000000000000000000000000");
    assert_refused("loss_max", "0.000001001", "less money: at most 10^30 ticks x lots");
    begin_of(&crowd);
    assert_loss("9000000000", 0);
}

static void fees_are_hundredths_of_a_basis_point(void **state)
{
    (void)state;
    const char *expected = "basis points from -1000 to 1000, with at most two digits behind the "
                           "point";
    set("maker_fee", "-0.5");
    set("taker_fee", "2.25");
    assert_int_equal(spec.fees.maker_ppm, -50);
    assert_int_equal(spec.fees.taker_ppm, 225);
    set("maker_fee", "1000");
    set("taker_fee", "-1000");
    assert_int_equal(spec.fees.maker_ppm, 100000);
    assert_int_equal(spec.fees.taker_ppm, -100000);
    assert_refused("maker_fee", "1000.01", expected);
    assert_refused("taker_fee", "-1000.01", expected);
    assert_refused("taker_fee", "0.005", expected);
    assert_refused("taker_fee", "1%", expected);
}

static void inventory_may_be_short_and_has_a_price(void **state)
{
    (void)state;
    set("inventory", "-2.5");
    set("inventory_price", "100.25");
    assert_int_equal(spec.inventory, -25000);
    assert_int_equal(spec.inventory_price, 10025);
    assert_refused("inventory", "0.00005", "a quantity, below zero: short, a multiple of 0.0001");
    assert_refused("inventory_price", "0", "a price above zero, or none");
    assert_refused("inventory_price", "0.001", "a price, or none, a multiple of 0.01");
    set("inventory_price", "none");
    assert_int_equal(spec.inventory_price, 0);
    begin_of(&power);
    set("inventory_price", "-7");
    assert_int_equal(spec.inventory_price, -7);
}

static void prices_are_above_zero_where_the_symbol_says_so(void **state)
{
    (void)state;
    assert_refused("limit_price", "0", "a price above zero");
    set("limit_price", "none");
    set("limit_price", "0.01");
    begin_of(&power);
    set("limit_price", "-5");
}

static void an_account_has_its_alphabet(void **state)
{
    (void)state;
    assert_string_equal(spec.account, "mine");
    set("account", "a-23456789_123456789_123456789_1");
    assert_string_equal(spec.account, "a-23456789_123456789_123456789_1");
    const char *expected = "an account: 1 to 32 of A-Z a-z 0-9 _ -";
    assert_refused("account", "", expected);
    assert_refused("account", "a b", expected);
    assert_refused("account", "a-23456789_123456789_123456789_12", expected);
}

static void a_setting_that_is_none_is_told_with_those_there_are(void **state)
{
    (void)state;
    assert_false(strategy_spec_set(&spec, "quantiy", "1", error));
    assert_string_equal(error,
                        "twap: found \"quantiy\", expected one of side, quantity, style, "
                        "limit_price, pace, duration, slices, start_delay, jitter, seed, catch_up, "
                        "or account, position_max, order_max, loss_max, messages_per_second, "
                        "maker_fee, taker_fee, inventory, inventory_price");
}

static void type_and_symbol_are_first(void **state)
{
    (void)state;
    strategy_spec_init(&spec, "mine");
    assert_refused("account", "a", "type and symbol to be said before it");
    assert_false(strategy_spec_complete(&spec, error));
    assert_string_equal(error, "type: found \"nothing\", expected the type of the strategy");
    assert_true(strategy_spec_type(&spec, "twap", error));
    assert_false(strategy_spec_complete(&spec, error));
    assert_string_equal(error, "symbol: found \"nothing\", expected the symbol it trades");
    assert_false(strategy_spec_type(&spec, "twop", error));
    assert_non_null(strstr(error, "type: strategy: found \"twop\", expected twap, "));
}

static void what_must_be_given_is_asked_for(void **state)
{
    (void)state;
    assert_false(strategy_spec_complete(&spec, error));
    assert_string_equal(error, "side: found \"nothing\", expected buy or sell");
    set("side", "buy");
    assert_false(strategy_spec_complete(&spec, error));
    assert_string_equal(error, "quantity: found \"nothing\", expected a quantity from 0 to 1e+15");
    set("quantity", "0");
    assert_false(strategy_spec_complete(&spec, error));
    assert_string_equal(error, "quantity: found \"0\", expected one above zero");
    set("quantity", "1");
    assert_true(strategy_spec_complete(&spec, error));
    assert_int_equal(parameters_get(&spec.parameters, "quantity")->number, 10000);
}

static void every_built_in_one_works_with_its_defaults(void **state)
{
    (void)state;
    static const struct cluster_symbol *const symbols[] = {&coin, &share, &power};
    for (unsigned i = 0; strategies_at(i) != NULL; i++) {
        for (unsigned n = 0; n < 3; n++) {
            const struct strategy_class *c = strategies_at(i);
            strategy_spec_init(&spec, c->name);
            assert_true(strategy_spec_type(&spec, c->name, error));
            assert_true(strategy_spec_symbol(&spec, symbols[n], error));
            if (parameters_get(&spec.parameters, "side") != NULL)
                set("side", "sell");
            set("quantity", "100");
            if (!strategy_spec_complete(&spec, error))
                fail_msg("%s", error);
        }
    }
}

/* ---- a file ---- */

static struct cluster cluster;
static struct strategy_spec specs[3];
static unsigned count;

static bool load(const char *text, const char *only)
{
    cluster.symbol_count = 2;
    cluster.symbols[0] = coin;
    cluster.symbols[1] = share;
    scratch_write("a.cfg", text);
    return strategy_specs_load(&cluster, "a.cfg", only, specs, 3, &count, error);
}

static const char two[] = "shards = 1\n"
                          "strategies\n"
                          "    slow\n"
                          "        quantity = 2\n"
                          "        type = twap\n"
                          "        side = buy\n"
                          "        symbol = AAPL\n"
                          "    mm-1\n"
                          "        type = maker\n"
                          "        #  a remark\n"
                          "        symbol = BTC-USD\n"
                          "        account = desk\n"
                          "        quantity = 0.5\n"
                          "        maker_fee = -0.5\n"
                          "        loss_max = 10\n"
                          "symbols\n"
                          "    X\n";

static void strategies_come_from_their_section(void **state)
{
    (void)state;
    if (!load(two, NULL))
        fail_msg("%s", error);
    assert_int_equal(count, 2);
    assert_string_equal(specs[0].name, "slow");
    assert_string_equal(specs[0].account, "slow");
    assert_ptr_equal(specs[0].class, &twap_class);
    assert_int_equal(parameters_get(&specs[0].parameters, "quantity")->number, 2);
    assert_string_equal(specs[1].account, "desk");
    assert_string_equal(specs[1].symbol.name, "BTC-USD");
    assert_int_equal(specs[1].symbol.shard, 3);
    assert_int_equal(parameters_get(&specs[1].parameters, "quantity")->number, 5000);
    assert_true(specs[1].limits.loss_max == 10000000);
}

static void one_of_them_may_be_picked(void **state)
{
    (void)state;
    assert_true(load(two, "mm-1"));
    assert_int_equal(count, 1);
    assert_string_equal(specs[0].name, "mm-1");
    assert_false(load(two, "mm-2"));
    assert_string_equal(error, "a.cfg:2: strategies: found \"mm-2\", expected the name of one of "
                               "them");
    assert_true(load("shards = 1\n", NULL));
    assert_int_equal(count, 0);
}

static void assert_load_refused(const char *text, const char *complaint)
{
    assert_false(load(text, NULL));
    assert_string_equal(error, complaint);
}

#define HEAD "strategies\n    a\n        type = twap\n        symbol = AAPL\n"

static void a_mistake_is_told_with_its_line(void **state)
{
    (void)state;
    assert_load_refused(HEAD "        side = up\n",
                        "a.cfg:5: strategies/a/side: side: found \"up\", expected buy or sell");
    assert_load_refused(HEAD "        side = buy\n        quantity = 1.5\n",
                        "a.cfg:6: strategies/a/quantity: quantity: found \"1.5\", expected a "
                        "multiple of the lot, which is 1");
    assert_load_refused(HEAD "        side = buy\n",
                        "a.cfg:2: strategies/a: quantity: found \"nothing\", expected a quantity "
                        "from 0 to 1e+15");
    assert_load_refused("strategies\n    a\n        symbol = AAPL\n",
                        "a.cfg:2: strategies/a: found \"no type\", expected type = twap, or "
                        "another one");
    assert_load_refused("strategies\n    a\n        type = twap\n",
                        "a.cfg:2: strategies/a: found \"no symbol\", expected symbol = NAME, "
                        "which it trades");
    assert_load_refused("strategies\n    a\n        type = twap\n        symbol = MSFT\n",
                        "a.cfg:4: strategies/a: found \"MSFT\", expected a symbol of the section "
                        "`symbols`");
    assert_load_refused("strategies\n    a.b\n        type = twap\n",
                        "a.cfg:2: strategies/a.b: found \"a.b\", expected a name: 1 to 16 of A-Z "
                        "a-z 0-9 _ -");
    assert_load_refused("strategies\n    a2345678901234567\n",
                        "a.cfg:2: strategies/a2345678901234567: found \"a2345678901234567\", "
                        "expected a name: 1 to 16 of A-Z a-z 0-9 _ -");
    assert_load_refused("strategies\n    a = twap\n",
                        "a.cfg:2: strategies/a: found \"twap\", expected nothing here, and its "
                        "settings indented");
    assert_load_refused(HEAD "        more\n            side = buy\n",
                        "a.cfg:5: strategies/a/more: found \"more\", expected a setting, NAME = "
                        "VALUE");
    assert_load_refused(HEAD "        side = buy\n        side = sell\n",
                        "a.cfg:6: strategies/a/side: found a second time, expected once");
}

static void one_account_is_of_one_strategy(void **state)
{
    (void)state;
    assert_load_refused(
        HEAD "        side = buy\n        quantity = 1\n    b\n        type = maker\n"
             "        symbol = AAPL\n        account = a\n",
        "a.cfg:7: strategies/b: found \"a\", expected an account that no other strategy has");
}

static void there_are_as_many_as_fit(void **state)
{
    (void)state;
    char text[1024] = "strategies\n";
    for (char name = 'a'; name < 'e'; name++)
        snprintf(text + strlen(text), 100, "    %c\n        type = maker\n        symbol = AAPL\n",
                 name);
    assert_load_refused(text, "a.cfg:11: strategies/d: found \"d\", expected no more strategies "
                              "than fit");
    strstr(text, "    d\n")[0] = '\0';
    assert_true(load(text, NULL));
    assert_int_equal(count, 3);
}

/* ---- as bytes ---- */

static uint8_t bytes[STRATEGY_SPEC_SIZE_MAX];

static size_t write_one(void)
{
    begin_of(&coin);
    set("side", "sell");
    set("quantity", "12.5");
    set("limit_price", "99.99");
    set("jitter", "0.3");
    set("account", "desk");
    set("position_max", "20");
    set("order_max", "3");
    set("loss_max", "9000000000");
    set("messages_per_second", "7");
    set("maker_fee", "-0.25");
    set("taker_fee", "3");
    set("inventory", "-1");
    set("inventory_price", "80");
    assert_true(strategy_spec_complete(&spec, error));
    return strategy_spec_write(&spec, bytes, sizeof bytes);
}

static void it_is_read_as_it_was_written(void **state)
{
    (void)state;
    static struct strategy_spec read;
    size_t size = write_one();
    if (!strategy_spec_read(&read, bytes, size, error))
        fail_msg("%s", error);
    assert_ptr_equal(read.class, spec.class);
    assert_string_equal(read.name, "mine");
    assert_string_equal(read.type, "twap");
    assert_string_equal(read.account, "desk");
    assert_string_equal(read.symbol.name, "BTC-USD");
    assert_int_equal(read.symbol.units.lot.scale, 4);
    assert_int_equal(read.symbol.shard, 3);
    assert_int_equal(read.limits.position_max, spec.limits.position_max);
    assert_int_equal(read.limits.order_max, spec.limits.order_max);
    assert_true(read.limits.has_loss_max && read.limits.loss_max == spec.limits.loss_max);
    assert_int_equal(read.limits.messages_per_second, 7);
    assert_int_equal(read.fees.maker_ppm, -25);
    assert_int_equal(read.fees.taker_ppm, 300);
    assert_int_equal(read.inventory, -10000);
    assert_int_equal(read.inventory_price, 8000);
    for (unsigned i = 0; i < spec.parameters.count; i++) {
        const struct parameter_value *a = &spec.parameters.values[i];
        const struct parameter_value *b = &read.parameters.values[i];
        assert_string_equal(a->text, b->text);
        assert_int_equal(a->number, b->number);
        assert_true(a->real == b->real);
    }
    static uint8_t again[STRATEGY_SPEC_SIZE_MAX];
    assert_int_equal(strategy_spec_write(&read, again, sizeof again), size);
    assert_memory_equal(again, bytes, size);
}

static void what_is_cut_short_is_refused(void **state)
{
    (void)state;
    static struct strategy_spec read;
    size_t size = write_one();
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *part = malloc(cut + 1); /* of its own, so that reading on would be seen */
        assert_non_null(part);
        memcpy(part, bytes, cut);
        assert_false(strategy_spec_read(&read, part, cut, error));
        assert_true(strlen(error) > 0);
        free(part);
    }
}

static void at_random_damage_is_refused_or_harmless(uint64_t seed)
{
    static struct strategy_spec read;
    struct random r = {seed};
    for (unsigned i = 0; i < 200; i++) {
        size_t size = write_one();
        for (unsigned n = 1 + (unsigned)random_below(&r, 3); n > 0; n--)
            bytes[random_below(&r, size)] = (uint8_t)random_next(&r);
        if (strategy_spec_read(&read, bytes, size, error))
            assert_true(strategy_spec_complete(&read, error));
    }
}

static void damage_is_refused_or_harmless_at_random(void **state)
{
    (void)state;
    seeds_run("damage_is_refused_or_harmless_at_random", 20,
              at_random_damage_is_refused_or_harmless);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(limits_are_in_lots_and_may_be_none, begin),
        cmocka_unit_test_setup(a_loss_is_cut_to_ticks_times_lots, begin),
        cmocka_unit_test_setup(a_loss_too_large_to_count_is_refused, begin),
        cmocka_unit_test_setup(fees_are_hundredths_of_a_basis_point, begin),
        cmocka_unit_test_setup(inventory_may_be_short_and_has_a_price, begin),
        cmocka_unit_test_setup(prices_are_above_zero_where_the_symbol_says_so, begin),
        cmocka_unit_test_setup(an_account_has_its_alphabet, begin),
        cmocka_unit_test_setup(a_setting_that_is_none_is_told_with_those_there_are, begin),
        cmocka_unit_test_setup(type_and_symbol_are_first, begin),
        cmocka_unit_test_setup(what_must_be_given_is_asked_for, begin),
        cmocka_unit_test(every_built_in_one_works_with_its_defaults),
        cmocka_unit_test(strategies_come_from_their_section),
        cmocka_unit_test(one_of_them_may_be_picked),
        cmocka_unit_test(a_mistake_is_told_with_its_line),
        cmocka_unit_test(one_account_is_of_one_strategy),
        cmocka_unit_test(there_are_as_many_as_fit),
        cmocka_unit_test(it_is_read_as_it_was_written),
        cmocka_unit_test(what_is_cut_short_is_refused),
        SEEDS_TEST(damage_is_refused_or_harmless_at_random),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
