/* ledger: average cost by hand, and that nothing is ever lost between its figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mix.h"
#include "strategy/ledger.h"
#include "tests/unit/base/seeds.h"

static const struct fees no_fees = {0, 0};

static void assert_notional(notional_t found, int64_t expected)
{
    if (found != expected)
        fail_msg("found %lld, expected %lld", (long long)found, (long long)expected);
}

static struct ledger flat(void)
{
    struct ledger l;
    ledger_init(&l, &no_fees, 0, 0);
    return l;
}

static void what_is_sold_again_is_realised_at_average_cost(void **state)
{
    (void)state;
    struct ledger l = flat();
    ledger_fill(&l, SIDE_BUY, 100, 10, false);
    ledger_fill(&l, SIDE_BUY, 110, 30, false); /* 40 cost 4300: 107.5 each */
    assert_notional(l.cost, 4300);
    assert_notional(l.realised, 0);
    ledger_fill(&l, SIDE_SELL, 120, 20, false);
    assert_notional(l.realised, 20 * 120 - 2150);
    assert_notional(l.cost, 2150);
    assert_int_equal(l.position, 20);
    assert_notional(ledger_unrealised_halves(&l, 2 * 109 + 1), 20 * 219 - 2 * 2150);
    assert_int_equal(l.bought, 40);
    assert_int_equal(l.sold, 20);
    assert_notional(l.bought_notional, 4300);
    assert_notional(l.sold_notional, 2400);
    assert_int_equal(l.fill_count, 3);
}

static void a_short_is_realised_when_it_is_bought_back(void **state)
{
    (void)state;
    struct ledger l = flat();
    ledger_fill(&l, SIDE_SELL, 100, 10, true);
    assert_notional(l.cost, -1000);
    ledger_fill(&l, SIDE_BUY, 90, 4, true);
    assert_notional(l.realised, 40);
    assert_notional(l.cost, -600);
    assert_int_equal(l.position, -6);
    assert_notional(ledger_unrealised_halves(&l, 2 * 95), 2 * 6 * (100 - 95));
}

static void a_fill_through_zero_realises_all_and_begins_anew(void **state)
{
    (void)state;
    struct ledger l = flat();
    ledger_fill(&l, SIDE_BUY, 100, 5, false);
    ledger_fill(&l, SIDE_SELL, 104, 8, false);
    assert_notional(l.realised, 20);
    assert_int_equal(l.position, -3);
    assert_notional(l.cost, -3 * 104);
    ledger_fill(&l, SIDE_BUY, 101, 5, false);
    assert_notional(l.realised, 20 + 9);
    assert_int_equal(l.position, 2);
    assert_notional(l.cost, 2 * 101);
    assert_int_equal(l.position_high, 5);
    assert_int_equal(l.position_low, -3);
}

static void exactly_to_zero_leaves_no_cost(void **state)
{
    (void)state;
    struct ledger l = flat();
    ledger_fill(&l, SIDE_BUY, 100, 3, false);
    ledger_fill(&l, SIDE_SELL, 101, 1, false); /* 300 x 1 / 3, and twice more */
    ledger_fill(&l, SIDE_SELL, 102, 1, false);
    ledger_fill(&l, SIDE_SELL, 103, 1, false);
    assert_notional(l.cost, 0);
    assert_notional(l.realised, 6);
    assert_notional(l.cash, 6);
}

static void a_cost_that_does_not_divide_is_cut_and_evens_out(void **state)
{
    (void)state;
    struct ledger l = flat();
    ledger_fill(&l, SIDE_BUY, 10, 2, false);
    ledger_fill(&l, SIDE_BUY, 11, 1, false);  /* 3 cost 31 */
    ledger_fill(&l, SIDE_SELL, 10, 1, false); /* of which 10, not 10.33 */
    assert_notional(l.cost, 21);
    assert_notional(l.realised, 0);
    ledger_fill(&l, SIDE_SELL, 10, 2, false);
    assert_notional(l.cost, 0);
    assert_notional(l.realised, -1);
}

static void fees_are_of_the_notional_and_rebates_below_zero(void **state)
{
    (void)state;
    const struct fees fees = {.maker_ppm = -20, .taker_ppm = 300};
    struct ledger l;
    ledger_init(&l, &fees, 0, 0);
    ledger_fill(&l, SIDE_BUY, 1000, 7, true);
    assert_notional(l.fees_micro, -20 * 7000);
    ledger_fill(&l, SIDE_SELL, 1000, 7, false);
    assert_notional(l.fees_micro, -20 * 7000 + 300 * 7000);
    assert_notional(l.realised, 0);
    assert_notional(ledger_total_micro_halves(&l, 2 * 1000), -2 * 280 * 7000);
}

static void prices_below_zero_pay_fees_of_their_size(void **state)
{
    (void)state;
    const struct fees fees = {.maker_ppm = 0, .taker_ppm = 100};
    struct ledger l;
    ledger_init(&l, &fees, 0, 0);
    ledger_fill(&l, SIDE_BUY, -37, 10, false); /* paid to take it */
    assert_notional(l.cash, 370);
    assert_notional(l.fees_micro, 37000);
    ledger_fill(&l, SIDE_SELL, -30, 10, false);
    assert_notional(l.realised, 70);
    assert_notional(l.fees_micro, 67000);
    assert_int_equal(l.position, 0);
}

static void inventory_is_bought_at_its_own_price(void **state)
{
    (void)state;
    struct ledger l;
    ledger_init(&l, &no_fees, -12, 50);
    assert_notional(l.cost, -600);
    assert_notional(l.cash, 600);
    assert_int_equal(l.position_low, -12);
    assert_int_equal(l.bought + l.sold, 0);
    ledger_fill(&l, SIDE_BUY, 45, 12, false);
    assert_notional(l.realised, 60);
}

static void what_it_began_with_may_be_valued_later(void **state)
{
    (void)state;
    for (int64_t inventory = -7; inventory <= 7; inventory += 7) {
        struct ledger now, later;
        ledger_init(&now, &no_fees, inventory, 50);
        ledger_init(&later, &no_fees, inventory, 0);
        ledger_value(&later, 50);
        assert_notional(later.cost, (int64_t)now.cost);
        assert_notional(later.cash, (int64_t)now.cash);
        assert_int_equal(later.position, inventory);
        assert_notional(ledger_unrealised_halves(&later, 2 * 50), 0);
    }
}

static void the_largest_fills_do_not_overflow(void **state)
{
    (void)state;
    const struct fees fees = {.maker_ppm = 100000, .taker_ppm = 100000};
    const int64_t price = INT64_C(1) << 52, qty = INT64_C(1) << 52;
    struct ledger l;
    ledger_init(&l, &fees, 0, 0);
    ledger_fill(&l, SIDE_BUY, price, qty, false);
    ledger_fill(&l, SIDE_SELL, price, qty, false);
    assert_true(l.realised == 0);
    assert_true(l.fees_micro == (notional_t)price * qty * 2 * 100000);
    assert_true(ledger_total_micro_halves(&l, 2 * price) == -2 * l.fees_micro);
}

/* ---- at random ---- */

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    return mix_next(seed) % below;
}

/* What must hold after every fill, whatever came before. */
static void assert_exact(const struct ledger *l, int64_t twice_mark, notional_t fees_micro)
{
    notional_t worth = 2 * l->cash + (notional_t)l->position * twice_mark;
    assert_true(2 * l->realised + ledger_unrealised_halves(l, twice_mark) == worth);
    assert_true(l->fees_micro == fees_micro);
    assert_true(ledger_total_micro_halves(l, twice_mark) == worth * 1000000 - 2 * fees_micro);
    assert_true(l->position != 0 || l->cost == 0);
    assert_true(l->position <= l->position_high && l->position >= l->position_low);
}

static void random_fills(uint64_t seed)
{
    const struct fees fees = {(int64_t)draw(&seed, 2001) - 1000, (int64_t)draw(&seed, 5000)};
    int64_t inventory = (int64_t)draw(&seed, 41) - 20, inventory_price = (int64_t)draw(&seed, 90);
    bool below_zero = draw(&seed, 2) == 1;
    struct ledger l;
    ledger_init(&l, &fees, inventory, inventory_price);
    notional_t cash = -(notional_t)inventory * inventory_price, fees_micro = 0;
    int64_t position = inventory;
    for (int i = 0; i < 300; i++) {
        enum side side = draw(&seed, 2) == 0 ? SIDE_BUY : SIDE_SELL;
        int64_t price = (int64_t)draw(&seed, 200) - (below_zero ? 100 : 0);
        int64_t qty = 1 + (int64_t)draw(&seed, 25);
        bool maker = draw(&seed, 2) == 0;
        ledger_fill(&l, side, price, qty, maker);
        int64_t sign = side == SIDE_BUY ? 1 : -1;
        position += sign * qty;
        cash -= sign * (notional_t)price * qty;
        fees_micro +=
            (price < 0 ? -price : price) * qty * (maker ? fees.maker_ppm : fees.taker_ppm);
        assert_int_equal(l.position, position);
        assert_true(l.cash == cash);
        assert_int_equal(l.bought - l.sold, position - inventory);
        assert_exact(&l, (int64_t)draw(&seed, 400) - 200, fees_micro);
    }
}

static void realised_and_unrealised_are_cash_and_position_always(void **state)
{
    (void)state;
    seeds_run("realised_and_unrealised_are_cash_and_position_always", 200, random_fills);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sold_again_is_realised_at_average_cost),
        cmocka_unit_test(a_short_is_realised_when_it_is_bought_back),
        cmocka_unit_test(a_fill_through_zero_realises_all_and_begins_anew),
        cmocka_unit_test(exactly_to_zero_leaves_no_cost),
        cmocka_unit_test(a_cost_that_does_not_divide_is_cut_and_evens_out),
        cmocka_unit_test(fees_are_of_the_notional_and_rebates_below_zero),
        cmocka_unit_test(prices_below_zero_pay_fees_of_their_size),
        cmocka_unit_test(inventory_is_bought_at_its_own_price),
        cmocka_unit_test(what_it_began_with_may_be_valued_later),
        cmocka_unit_test(the_largest_fills_do_not_overflow),
        SEEDS_TEST(realised_and_unrealised_are_cash_and_position_always),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
