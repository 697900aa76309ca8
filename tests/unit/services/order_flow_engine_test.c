/* Whatever the options, an order flow gives no command that an engine refuses, and the books it
 * knows are those of who follows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "simulate/flow_random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/order_flow_kit.h"

static engine_t *fresh_engine(const struct order_flow_options *o)
{
    const struct configure limits = {
        .open_orders_max = (uint64_t)ORDER_FLOW_OPEN_MAX * o->symbol_count + 1,
        .accounts_max = ORDER_FLOW_ACCOUNTS,
        .finished_per_account = 100,
        .symbols_max = o->symbol_count,
        .origins_max = 1,
        .origin_window = 1,
        .events_max = 4096,
    };
    engine_t *e = engine_new(&limits, 7);
    engine_apply(e, 1, 0, &(struct command){.type = MESSAGE_CONFIGURE, .configure = limits});
    for (unsigned i = 0; i < o->symbol_count; i++) {
        const struct order_flow_symbol *s = &o->symbols[i];
        engine_apply(e, i + 2, 0,
                     &(struct command){.type = MESSAGE_ADD_SYMBOL,
                                       .add_symbol = {text_of(s->name), text_of("0.01"),
                                                      text_of("1"), s->any_price}});
    }
    return e;
}

static void assert_nobody_traded_with_himself(engine_t *e)
{
    size_t count;
    const struct event *events = engine_events(e, &count);
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == EVENT_TRADE)
            assert_false(text_equal(engine_order(e, events[i].order).account,
                                    engine_order(e, events[i].maker).account));
    }
}

/* Give another engine what a cluster would be given. None is refused; and its books are the
 * flow's. */
static void assert_all_accepted(const struct order_flow_options *o, unsigned count)
{
    engine_t *e = fresh_engine(o);
    order_flow_t *f = order_flow_new(o);
    uint64_t last_ns = o->start_ns;
    for (unsigned i = 0; i < count; i++) {
        struct order_flow_command c;
        order_flow_next(f, &c);
        assert_true(c.time_ns >= last_ns);
        last_ns = c.time_ns;
        engine_apply(e, engine_seq(e) + 1, c.time_ns, &c.command);
        assert_int_equal(engine_result(e).outcome.code, 0);
        assert_nobody_traded_with_himself(e);
        const struct book *mine = engine_book(e, c.symbol + 1);
        assert_true(mine->l3_hash == order_flow_book(f, c.symbol)->l3_hash);
        assert_true(mine->order_count <= ORDER_FLOW_OPEN_MAX);
    }
    order_flow_destroy(&f);
    engine_destroy(&e);
}

static void any_options_body(uint64_t seed)
{
    struct flow_random r = {seed};
    struct order_flow_symbol symbols[3];
    struct order_flow_options o = order_flow_kit_options();
    static const char *const names[] = {"A", "B", "C"};
    for (unsigned i = 0; i < 3; i++) {
        bool any = flow_random_chance(&r, 0.3);
        int64_t base = 1 + flow_random_below(&r, flow_random_chance(&r, 0.5) ? 20 : 100000);
        symbols[i] = (struct order_flow_symbol){
            .name = names[i],
            .any_price = any,
            .base_price = any && flow_random_chance(&r, 0.5) ? -base : base,
            .spread = 1 + flow_random_below(&r, flow_random_chance(&r, 0.5) ? 3 : 200),
            .size = 1 + flow_random_below(&r, flow_random_chance(&r, 0.5) ? 3 : 1000)};
    }
    double left = 100.0, parts[4];
    for (unsigned i = 0; i < 4; i++) {
        parts[i] = flow_random_chance(&r, 0.2) ? 0.0 : left * 0.5 * flow_random_uniform(&r);
        left -= parts[i];
    }
    o.symbols = symbols;
    o.symbol_count = 1 + flow_random_below(&r, 3);
    o.seed = seed;
    o.mix = (struct order_flow_mix){left, parts[0], parts[1], parts[2], parts[3]};
    o.informed = flow_random_uniform(&r);
    o.arrivals = flow_random_chance(&r, 0.5) ? ORDER_FLOW_HAWKES : ORDER_FLOW_POISSON;
    assert_all_accepted(&o, 10000);
}

static void no_command_is_refused_whatever_the_options(void **state)
{
    (void)state;
    seeds_run("order flow", 40, any_options_body);
}

static void nothing_is_refused_at_the_limits_of_options(void **state)
{
    (void)state;
    struct order_flow_options o = order_flow_kit_options();
    for (int below = 0; below < 2; below++) {
        const struct order_flow_symbol most[] = {
            {"A", false, ORDER_FLOW_PRICE_MAX - below, ORDER_FLOW_SPREAD_MAX - below,
             ORDER_FLOW_SIZE_MAX - below},
            {"B", true, -ORDER_FLOW_PRICE_MAX + below, ORDER_FLOW_SPREAD_MAX - below, 1},
            {"C", false, 1 + below, ORDER_FLOW_SPREAD_MAX - below, 1},
            {"D", false, 1 + below, 1, ORDER_FLOW_SIZE_MAX - below},
        };
        o.symbols = most;
        o.symbol_count = 4;
        o.rate = ORDER_FLOW_RATE_MAX - below;
        o.informed = 1 - below;
        o.session = below ? "12345678901" : "123456789012";
        assert_all_accepted(&o, 40000);
    }
}

static void as_many_symbols_as_there_may_be(void **state)
{
    (void)state;
    static struct order_flow_symbol symbols[ORDER_FLOW_SYMBOLS_MAX];
    static char names[ORDER_FLOW_SYMBOLS_MAX][8];
    struct order_flow_options o = order_flow_kit_options();
    for (unsigned i = 0; i < ORDER_FLOW_SYMBOLS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "S%u", i);
        symbols[i] = (struct order_flow_symbol){names[i], false, 100, 2, 10};
    }
    o.symbols = symbols;
    for (unsigned count = ORDER_FLOW_SYMBOLS_MAX - 1; count <= ORDER_FLOW_SYMBOLS_MAX; count++) {
        o.symbol_count = count;
        order_flow_t *f = order_flow_new(&o);
        for (unsigned i = 0; i < count * ORDER_FLOW_OPENING; i++) {
            struct order_flow_command c;
            order_flow_next(f, &c);
            assert_int_equal(c.symbol, i / ORDER_FLOW_OPENING);
        }
        order_flow_destroy(&f);
    }
}

static unsigned count_cancels(const struct order_flow_options *o, unsigned count)
{
    unsigned cancels = 0;
    order_flow_t *f = order_flow_new(o);
    for (unsigned i = 0; i < count; i++) {
        struct order_flow_command c;
        order_flow_next(f, &c);
        cancels += c.command.type == MESSAGE_CANCEL_ORDER;
    }
    order_flow_destroy(&f);
    return cancels;
}

static void a_book_that_nobody_cancels_in_fills_up_and_no_further(void **state)
{
    (void)state;
    struct order_flow_options o = order_flow_kit_options();
    o.symbol_count = 1;
    o.mix = (struct order_flow_mix){100, 0, 0, 0, 0};
    assert_int_equal(count_cancels(&o, ORDER_FLOW_OPEN_MAX - 1), 0);
    assert_int_equal(count_cancels(&o, ORDER_FLOW_OPEN_MAX), 0);
    assert_int_equal(count_cancels(&o, ORDER_FLOW_OPEN_MAX + 1), 1);
    assert_all_accepted(&o, 3 * ORDER_FLOW_OPEN_MAX);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(no_command_is_refused_whatever_the_options),
        cmocka_unit_test(nothing_is_refused_at_the_limits_of_options),
        cmocka_unit_test(as_many_symbols_as_there_may_be),
        cmocka_unit_test(a_book_that_nobody_cancels_in_fills_up_and_no_further),
    };
    seeds_arguments(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
