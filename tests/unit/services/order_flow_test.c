/* What an order flow promises: the same for a seed, at the rate and mix asked for, with the spread
 * and size asked for, and prices that stay where they may. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mix.h"
#include "engine/book.h"
#include "tests/unit/services/order_flow_kit.h"

static const uint64_t start_ns = UINT64_C(34200000000000);

/* ---- a flow and what is seen of it ---- */

static uint64_t text_hash(struct text text)
{
    uint64_t hash = text.size;
    for (size_t i = 0; i < text.size; i++)
        hash = mix(hash + (uint8_t)text.data[i]);
    return hash;
}

/* Over all that a command says. */
static uint64_t command_hash(const struct order_flow_command *c)
{
    uint8_t bytes[COMMAND_SIZE_MAX];
    struct wire_writer w = {bytes};
    command_write(&w, &c->command);
    return mix(c->time_ns + mix(c->symbol)) +
           text_hash((struct text){(const char *)bytes, (size_t)(w.at - bytes)});
}

static uint64_t flow_hash(const struct order_flow_options *o, unsigned count)
{
    order_flow_t *f = order_flow_new(o);
    uint64_t hash = 0;
    for (unsigned i = 0; i < count; i++) {
        struct order_flow_command c;
        order_flow_next(f, &c);
        hash = mix(hash + command_hash(&c));
    }
    order_flow_destroy(&f);
    assert_null(f);
    return hash;
}

static const struct book *first_book(const order_flow_t *f, struct bbo_state *bbo)
{
    const struct book *book = order_flow_book(f, 0);
    *bbo = book_bbo(order_flow_pool(f), book);
    return book;
}

/* What happened, by kind, the openings left out. */
struct counts {
    unsigned limit, cancel, amend, market, ioc, all;
    uint64_t last_ns;
};

static void count_command(struct counts *n, const struct order_flow_command *c)
{
    const struct new_order *o = &c->command.new_order;
    n->all++;
    n->last_ns = c->time_ns;
    if (c->command.type == MESSAGE_CANCEL_ORDER)
        n->cancel++;
    else if (c->command.type == MESSAGE_AMEND_ORDER)
        n->amend++;
    else if (o->type == ORDER_TYPE_MARKET)
        n->market++;
    else if (o->time_in_force == TIME_IN_FORCE_IOC)
        n->ioc++;
    else
        n->limit++;
}

static struct counts count_commands(const struct order_flow_options *o, unsigned count)
{
    order_flow_t *f = order_flow_new(o);
    struct order_flow_command c;
    struct counts n = {0};
    for (unsigned i = 0; i < o->symbol_count * ORDER_FLOW_OPENING; i++)
        order_flow_next(f, &c);
    for (unsigned i = 0; i < count; i++) {
        order_flow_next(f, &c);
        count_command(&n, &c);
    }
    order_flow_destroy(&f);
    return n;
}

static double percent(const struct counts *n, unsigned part)
{
    return 100.0 * part / n->all;
}

/* ---- determinism ---- */

static void same_seed_gives_same_commands_and_another_others(void **state)
{
    (void)state;
    struct order_flow_options o = order_flow_kit_options();
    uint64_t hash = flow_hash(&o, 20000);
    assert_true(flow_hash(&o, 20000) == hash);
    o.seed = 2;
    assert_true(flow_hash(&o, 20000) != hash);
}

/* A change of the shapes or of the arithmetic changes every file that was ever written: it must be
 * meant. The number is the same for every compiler, optimisation and machine. */
static void the_commands_of_a_seed_are_these(void **state)
{
    (void)state;
    struct order_flow_options o = order_flow_kit_options();
    assert_int_equal(flow_hash(&o, 20000), UINT64_C(0x116f5f43a48f5ff));
}

static void openings_are_the_same_whatever_the_rate(void **state)
{
    (void)state;
    struct order_flow_options o = order_flow_kit_options();
    order_flow_t *f = order_flow_new(&o);
    o.rate *= 10.0;
    order_flow_t *g = order_flow_new(&o);
    for (unsigned i = 0; i < ORDER_FLOW_OPENING * 2; i++) {
        struct order_flow_command c, d;
        order_flow_next(f, &c);
        order_flow_next(g, &d);
        assert_int_equal(c.command.new_order.price.value, d.command.new_order.price.value);
        assert_int_equal(c.command.new_order.qty, d.command.new_order.qty);
        assert_true(c.time_ns == start_ns && d.time_ns == start_ns);
    }
    order_flow_destroy(&f);
    order_flow_destroy(&g);
}

/* ---- what was asked for ---- */

static void rate_is_kept_in_the_long_run(void **state)
{
    (void)state;
    static const double rates[] = {0.5, 100.0, 999983.0};
    struct order_flow_options o = order_flow_kit_options();
    for (unsigned i = 0; i < 3; i++) {
        o.rate = rates[i];
        for (int hawkes = 0; hawkes < 2; hawkes++) {
            o.arrivals = hawkes ? ORDER_FLOW_HAWKES : ORDER_FLOW_POISSON;
            struct counts n = count_commands(&o, 200000);
            double rate = n.all / ((double)(n.last_ns - start_ns) / 1e9);
            /* Four standard deviations: counts have the variance of their mean, and 1 / (1 - sum
             * of branching ratios)^2, which is 40, times as much. */
            order_flow_kit_near(rate / o.rate, 1.0, hawkes ? 0.057 : 0.009);
        }
    }
}

static void symbols_share_the_rate_equally(void **state)
{
    (void)state;
    struct order_flow_options o = order_flow_kit_options();
    unsigned counts[2] = {0, 0};
    o.arrivals = ORDER_FLOW_POISSON;
    order_flow_t *f = order_flow_new(&o);
    for (unsigned i = 0; i < 100000; i++) {
        struct order_flow_command c;
        order_flow_next(f, &c);
        counts[c.symbol]++;
    }
    order_flow_kit_near(counts[0] / 100000.0, 0.5, 0.01);
    order_flow_destroy(&f);
}

static void mix_is_kept(void **state)
{
    (void)state;
    static const struct order_flow_mix mixes[] = {
        {50, 41, 3, 3, 3}, {50, 50, 0, 0, 0}, {40, 30, 20, 5, 5}, {60, 20, 0, 0, 20}};
    struct order_flow_options o = order_flow_kit_options();
    for (unsigned i = 0; i < 4; i++) {
        const struct order_flow_mix *m = &mixes[i];
        o.mix = *m;
        struct counts n = count_commands(&o, 200000);
        order_flow_kit_near(percent(&n, n.limit + n.cancel), m->limit + m->cancel, 1.0);
        order_flow_kit_near(percent(&n, n.amend), m->amend, 0.5);
        order_flow_kit_near(percent(&n, n.market), m->market, 0.5);
        order_flow_kit_near(percent(&n, n.ioc), m->ioc, 1.0);
    }
    o.mix = order_flow_mix_real;
    struct counts n = count_commands(&o, 200000);
    order_flow_kit_near(percent(&n, n.limit), o.mix.limit, 2.0);
}

static int compare(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

enum { SAMPLES = 60000 };

/* The median spread after each command, and of the quantities of limit orders. */
static int64_t medians(int64_t spread, int64_t size, int64_t *median_size)
{
    static int64_t spreads[SAMPLES], sizes[SAMPLES];
    const struct order_flow_symbol one = {"X", false, 100000, spread, size};
    struct order_flow_options o = order_flow_kit_options();
    unsigned seen = 0, placed = 0;
    o.symbols = &one;
    o.symbol_count = 1;
    order_flow_t *f = order_flow_new(&o);
    for (unsigned i = 0; i < SAMPLES; i++) {
        struct order_flow_command c;
        struct bbo_state bbo;
        order_flow_next(f, &c);
        first_book(f, &bbo);
        if (bbo.qty[0] > 0 && bbo.qty[1] > 0)
            spreads[seen++] = bbo.price[1] - bbo.price[0];
        if (c.command.type == MESSAGE_NEW_ORDER &&
            c.command.new_order.time_in_force == TIME_IN_FORCE_GTC)
            sizes[placed++] = c.command.new_order.qty;
    }
    order_flow_destroy(&f);
    assert_true(seen > SAMPLES - SAMPLES / 100); /* a market has two sides */
    qsort(spreads, seen, sizeof spreads[0], compare);
    qsort(sizes, placed, sizeof sizes[0], compare);
    *median_size = sizes[placed / 2];
    return spreads[seen / 2];
}

static void spread_and_size_are_as_asked(void **state)
{
    (void)state;
    static const int64_t spreads[] = {1, 2, 4, 15, 60, 1000};
    static const int64_t sizes[] = {1, 2, 20, 100, 12345, 1000000000};
    for (unsigned i = 0; i < 6; i++) {
        int64_t size, spread = medians(spreads[i], sizes[i], &size);
        assert_int_equal(size, sizes[i]);
        order_flow_kit_near((double)spread, (double)spreads[i],
                            fmax(1.0, 0.2 * (double)spreads[i]));
    }
}

static void orders_are_named_by_session_and_number(void **state)
{
    (void)state;
    struct order_flow_options o = order_flow_kit_options();
    order_flow_t *f = order_flow_new(&o);
    struct order_flow_command c;
    order_flow_next(f, &c);
    assert_true(text_equal(c.command.new_order.client_order_id, text_of("t-1")));
    order_flow_next(f, &c);
    assert_true(text_equal(c.command.new_order.client_order_id, text_of("t-2")));
    order_flow_destroy(&f);
}

/* ---- prices ---- */

static void prices_stay_in_sane_bounds(void **state)
{
    (void)state;
    struct order_flow_options o = order_flow_kit_options();
    o.symbol_count = 1;
    order_flow_t *f = order_flow_new(&o);
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (unsigned i = 0; i < 1000000; i++) {
        struct order_flow_command c;
        struct bbo_state bbo;
        order_flow_next(f, &c);
        first_book(f, &bbo);
        if (bbo.qty[0] == 0 || bbo.qty[1] == 0)
            continue;
        int64_t middle = (bbo.price[0] + bbo.price[1]) / 2;
        low = middle < low ? middle : low;
        high = middle > high ? middle : high;
    }
    order_flow_destroy(&f);
    /* The walk strays 148 ticks about 10000 (flow_market.c), and more than 5 times that never. */
    assert_true(low > 10000 - 750 && high < 10000 + 750);
    assert_true(high - low > 40); /* but it moves */
}

/* Whether any order of the symbol has a price below zero; and above. */
static void signs(bool any_price, int64_t base, bool *below, bool *above)
{
    const struct order_flow_symbol one = {"X", any_price, base, 4, 20};
    struct order_flow_options o = order_flow_kit_options();
    o.symbols = &one;
    o.symbol_count = 1;
    order_flow_t *f = order_flow_new(&o);
    *below = *above = false;
    for (unsigned i = 0; i < 20000; i++) {
        struct order_flow_command c;
        order_flow_next(f, &c);
        if (c.command.type == MESSAGE_NEW_ORDER && c.command.new_order.price.given) {
            *below = *below || c.command.new_order.price.value <= 0;
            *above = *above || c.command.new_order.price.value > 0;
        }
    }
    order_flow_destroy(&f);
}

static void prices_go_below_zero_only_where_they_may(void **state)
{
    (void)state;
    bool below, above;
    signs(true, 0, &below, &above);
    assert_true(below && above);
    signs(true, -100000, &below, &above);
    assert_true(below && !above);
    signs(false, 1, &below, &above);
    assert_true(!below && above);
}

/* The share of aggressors after whom the reference price of the others, the mid price a while
 * later, is on their side. */
static double right_share(double informed)
{
    enum { LATER = 300, RING = 1024 };
    static struct {
        unsigned at;
        bool buys;
        double middle;
    } ring[RING];
    struct order_flow_options o = order_flow_kit_options();
    o.symbol_count = 1;
    o.informed = informed;
    order_flow_t *f = order_flow_new(&o);
    unsigned first = 0, last = 0, right = 0, all = 0;
    double middle = 10000.0;
    for (unsigned i = 0; i < 300000; i++) {
        struct order_flow_command c;
        struct bbo_state bbo;
        double before = middle;
        order_flow_next(f, &c);
        first_book(f, &bbo);
        if (bbo.qty[0] > 0 && bbo.qty[1] > 0)
            middle = (double)(bbo.price[0] + bbo.price[1]) / 2.0;
        for (; first < last && ring[first % RING].at + LATER <= i; first++, all++)
            right += (middle > ring[first % RING].middle) == ring[first % RING].buys;
        if (c.command.type == MESSAGE_NEW_ORDER &&
            c.command.new_order.time_in_force == TIME_IN_FORCE_IOC) {
            ring[last % RING].at = i;
            ring[last % RING].buys = c.command.new_order.side == SIDE_BUY;
            ring[last++ % RING].middle = before;
        }
    }
    order_flow_destroy(&f);
    return (double)right / all;
}

static void the_informed_are_right_more_often(void **state)
{
    (void)state;
    double nobody = right_share(0.0), everybody = right_share(1.0);
    if (everybody < nobody + 0.05)
        fail_msg("right: %.3f of the informed, %.3f of the others", everybody, nobody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_same_commands_and_another_others),
        cmocka_unit_test(the_commands_of_a_seed_are_these),
        cmocka_unit_test(openings_are_the_same_whatever_the_rate),
        cmocka_unit_test(rate_is_kept_in_the_long_run),
        cmocka_unit_test(symbols_share_the_rate_equally),
        cmocka_unit_test(mix_is_kept),
        cmocka_unit_test(spread_and_size_are_as_asked),
        cmocka_unit_test(orders_are_named_by_session_and_number),
        cmocka_unit_test(prices_stay_in_sane_bounds),
        cmocka_unit_test(prices_go_below_zero_only_where_they_may),
        cmocka_unit_test(the_informed_are_right_more_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
