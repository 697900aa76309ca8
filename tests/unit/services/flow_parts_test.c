/* What a flow of orders is drawn with: arrivals, randomness, and who is due first. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "simulate/flow_arrivals.h"
#include "simulate/flow_orders.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/order_flow_kit.h"

/* ---- arrivals ---- */

/* Variance over mean of how many arrive in 10 mean intervals. */
static double dispersion(enum order_flow_arrivals kind)
{
    enum { WINDOWS = 20000, INTERVALS = 10 };
    struct flow_random r = {3};
    struct flow_arrivals a;
    flow_arrivals_init(&a, kind, 1000.0, &r);
    uint64_t window_ns = UINT64_C(1000000) * INTERVALS, now_ns = flow_arrivals_gap_ns(&a, &r);
    double sum = 0.0, squares = 0.0;
    for (unsigned i = 1; i <= WINDOWS; i++) {
        double count = 0.0;
        for (; now_ns < i * window_ns; now_ns += flow_arrivals_gap_ns(&a, &r))
            count += 1.0;
        sum += count;
        squares += count * count;
    }
    double mean = sum / WINDOWS;
    return (squares / WINDOWS - mean * mean) / mean;
}

static void hawkes_comes_in_bursts_and_poisson_does_not(void **state)
{
    (void)state;
    order_flow_kit_near(dispersion(ORDER_FLOW_POISSON), 1.0, 0.05);
    assert_true(dispersion(ORDER_FLOW_HAWKES) > 8.0);
}

/* ---- randomness ---- */

static void exp_and_log_are_right(void **state)
{
    (void)state;
    struct flow_random r = {5};
    for (unsigned i = 0; i < 100000; i++) {
        double x = 700.0 * flow_random_uniform(&r) * flow_random_uniform(&r);
        order_flow_kit_near(flow_exp(-x) / exp(-x), 1.0, 1e-13);
        double y = exp(x - 350.0);
        order_flow_kit_near(flow_log(y), log(y), 1e-13 * fmax(1.0, fabs(log(y))));
    }
    assert_true(flow_exp(0.0) == 1.0);
    assert_true(flow_exp(-701.0) == 0.0);
    assert_true(flow_log(1.0) == 0.0);
}

static void draws_have_their_moments(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    struct flow_random r = {6};
    double table[FLOW_TABLE + 1], sums[4] = {0, 0, 0, 0};
    for (unsigned i = 0; i <= FLOW_TABLE; i++)
        table[i] = i;
    for (unsigned i = 0; i < DRAWS; i++) {
        double step = flow_random_step(&r);
        assert_true(step > -3.5 && step < 3.5);
        sums[0] += step;
        sums[1] += step * step;
        sums[2] += flow_random_exponential(&r);
        sums[3] += flow_random_quantile(&r, table);
    }
    order_flow_kit_near(sums[0] / DRAWS, 0.0, 0.01);
    order_flow_kit_near(sums[1] / DRAWS, 1.0, 0.01);
    order_flow_kit_near(sums[2] / DRAWS, 1.0, 0.01);
    order_flow_kit_near(sums[3] / DRAWS, FLOW_TABLE / 2.0, 0.3);
}

/* ---- who is due ---- */

static void heap_body(uint64_t seed)
{
    static struct flow_order known[ORDER_FLOW_OPEN_MAX + 1];
    static struct flow_orders orders;
    struct flow_random r = {seed};
    bool in[ORDER_FLOW_OPEN_MAX + 1] = {false};
    flow_orders_init(&orders, known);
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t order = 1 + flow_random_below(&r, ORDER_FLOW_OPEN_MAX);
        uint64_t due_ns = flow_random_below(&r, 1000);
        if (!in[order]) {
            known[order].due_ns = due_ns;
            flow_orders_add(&orders, order);
            in[order] = true;
        } else if (flow_random_chance(&r, 0.5)) {
            uint64_t was_ns = known[order].due_ns;
            flow_orders_hasten(&orders, order, due_ns);
            assert_true(known[order].due_ns == (due_ns < was_ns ? due_ns : was_ns));
        } else {
            flow_orders_remove(&orders, order);
            in[order] = false;
        }
        uint64_t first_ns = UINT64_MAX;
        uint32_t count = 0;
        for (uint32_t k = 1; k <= ORDER_FLOW_OPEN_MAX; k++) {
            count += in[k];
            if (in[k] && known[k].due_ns < first_ns)
                first_ns = known[k].due_ns;
        }
        assert_int_equal(orders.count, count);
        assert_true(count == 0 || known[flow_orders_first(&orders)].due_ns == first_ns);
        assert_true(flow_orders_due(&orders, first_ns) == (count > 0));
        assert_false(first_ns > 0 && flow_orders_due(&orders, first_ns - 1));
    }
}

static void the_first_due_is_first(void **state)
{
    (void)state;
    seeds_run("orders by when they are due", 5, heap_body);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hawkes_comes_in_bursts_and_poisson_does_not),
        cmocka_unit_test(exp_and_log_are_right),
        cmocka_unit_test(draws_have_their_moments),
        SEEDS_TEST(the_first_due_is_first),
    };
    seeds_arguments(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
