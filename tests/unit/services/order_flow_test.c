/* What an order flow promises: the same for a seed, at the rate and mix asked for, never a command
 * that an engine refuses, markets that stay markets, and bursts like those of real days. */
#include "simulate/order_flow.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mix.h"
#include "engine/engine.h"
#include "simulate/flow_arrivals.h"
#include "simulate/flow_orders.h"
#include "simulate/flow_random.h"
#include "tests/unit/base/seeds.h"

enum { START_S = 34200 };
static const uint64_t start_ns = START_S * UINT64_C(1000000000);

/* ---- a flow and what is seen of it ---- */

static const struct order_flow_symbol two[] = {{"AAPL", false, 10000, 4, 20},
                                               {"SPREAD", true, 0, 2, 5}};

static struct order_flow_options options(void)
{
    return (struct order_flow_options){
        .symbols = two,
        .symbol_count = 2,
        .seed = 1,
        .rate = 100.0,
        .arrivals = ORDER_FLOW_HAWKES,
        .mix = order_flow_mix_real,
        .informed = 0.3,
        .start_ns = start_ns,
        .session = "t-",
    };
}

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

static void assert_near(double found, double expected, double tolerance)
{
    if (fabs(found - expected) > tolerance)
        fail_msg("found %g, expected %g within %g", found, expected, tolerance);
}

/* ---- determinism ---- */

static void same_seed_gives_same_commands_and_another_others(void **state)
{
    (void)state;
    struct order_flow_options o = options();
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
    struct order_flow_options o = options();
    assert_int_equal(flow_hash(&o, 20000), UINT64_C(0x116f5f43a48f5ff));
}

static void arrivals_change_no_more_than_times(void **state)
{
    (void)state;
    struct order_flow_options o = options();
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
    struct order_flow_options o = options();
    for (unsigned i = 0; i < 3; i++) {
        o.rate = rates[i];
        for (int hawkes = 0; hawkes < 2; hawkes++) {
            o.arrivals = hawkes ? ORDER_FLOW_HAWKES : ORDER_FLOW_POISSON;
            struct counts n = count_commands(&o, 200000);
            double rate = n.all / ((double)(n.last_ns - start_ns) / 1e9);
            /* Four standard deviations: counts have the variance of their mean, and 1 / (1 - sum
             * of branching ratios)^2, which is 40, times as much. */
            assert_near(rate / o.rate, 1.0, hawkes ? 0.057 : 0.009);
        }
    }
}

static void symbols_share_the_rate_equally(void **state)
{
    (void)state;
    struct order_flow_options o = options();
    unsigned counts[2] = {0, 0};
    o.arrivals = ORDER_FLOW_POISSON;
    order_flow_t *f = order_flow_new(&o);
    for (unsigned i = 0; i < 100000; i++) {
        struct order_flow_command c;
        order_flow_next(f, &c);
        counts[c.symbol]++;
    }
    assert_near(counts[0] / 100000.0, 0.5, 0.01);
    order_flow_destroy(&f);
}

static void mix_is_kept(void **state)
{
    (void)state;
    static const struct order_flow_mix mixes[] = {
        {50, 41, 3, 3, 3}, {50, 50, 0, 0, 0}, {40, 30, 20, 5, 5}, {60, 20, 0, 0, 20}};
    struct order_flow_options o = options();
    for (unsigned i = 0; i < 4; i++) {
        const struct order_flow_mix *m = &mixes[i];
        o.mix = *m;
        struct counts n = count_commands(&o, 200000);
        assert_near(percent(&n, n.limit + n.cancel), m->limit + m->cancel, 1.0);
        assert_near(percent(&n, n.amend), m->amend, 0.5);
        assert_near(percent(&n, n.market), m->market, 0.5);
        assert_near(percent(&n, n.ioc), m->ioc, 1.0);
    }
    o.mix = order_flow_mix_real;
    struct counts n = count_commands(&o, 200000);
    assert_near(percent(&n, n.limit), o.mix.limit, 2.0);
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
    struct order_flow_options o = options();
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
        assert_near((double)spread, (double)spreads[i], fmax(1.0, 0.2 * (double)spreads[i]));
    }
}

/* ---- every command is a good one ---- */

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
    struct order_flow_options o = options();
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
    struct order_flow_options o = options();
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
    struct order_flow_options o = options();
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

static void a_book_that_nobody_cancels_in_fills_up_and_no_further(void **state)
{
    (void)state;
    struct order_flow_options o = options();
    o.symbol_count = 1;
    o.mix = (struct order_flow_mix){100, 0, 0, 0, 0};
    struct counts n = count_commands(&o, ORDER_FLOW_OPEN_MAX - ORDER_FLOW_OPENING);
    assert_int_equal(n.cancel, 0);
    n = count_commands(&o, ORDER_FLOW_OPEN_MAX - ORDER_FLOW_OPENING + 1);
    assert_int_equal(n.cancel, 1);
    assert_all_accepted(&o, 3 * ORDER_FLOW_OPEN_MAX);
}

static void orders_are_named_by_session_and_number(void **state)
{
    (void)state;
    struct order_flow_options o = options();
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
    struct order_flow_options o = options();
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
    struct order_flow_options o = options();
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
    struct order_flow_options o = options();
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
    assert_near(dispersion(ORDER_FLOW_POISSON), 1.0, 0.05);
    assert_true(dispersion(ORDER_FLOW_HAWKES) > 8.0);
}

/* ---- randomness ---- */

static void exp_and_log_are_right(void **state)
{
    (void)state;
    struct flow_random r = {5};
    for (unsigned i = 0; i < 100000; i++) {
        double x = 700.0 * flow_random_uniform(&r) * flow_random_uniform(&r);
        assert_near(flow_exp(-x) / exp(-x), 1.0, 1e-13);
        double y = exp(x - 350.0);
        assert_near(flow_log(y), log(y), 1e-13 * fmax(1.0, fabs(log(y))));
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
    assert_near(sums[0] / DRAWS, 0.0, 0.01);
    assert_near(sums[1] / DRAWS, 1.0, 0.01);
    assert_near(sums[2] / DRAWS, 1.0, 0.01);
    assert_near(sums[3] / DRAWS, FLOW_TABLE / 2.0, 0.3);
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
        cmocka_unit_test(same_seed_gives_same_commands_and_another_others),
        cmocka_unit_test(the_commands_of_a_seed_are_these),
        cmocka_unit_test(arrivals_change_no_more_than_times),
        cmocka_unit_test(rate_is_kept_in_the_long_run),
        cmocka_unit_test(symbols_share_the_rate_equally),
        cmocka_unit_test(mix_is_kept),
        cmocka_unit_test(spread_and_size_are_as_asked),
        SEEDS_TEST(no_command_is_refused_whatever_the_options),
        cmocka_unit_test(nothing_is_refused_at_the_limits_of_options),
        cmocka_unit_test(as_many_symbols_as_there_may_be),
        cmocka_unit_test(a_book_that_nobody_cancels_in_fills_up_and_no_further),
        cmocka_unit_test(orders_are_named_by_session_and_number),
        cmocka_unit_test(prices_stay_in_sane_bounds),
        cmocka_unit_test(prices_go_below_zero_only_where_they_may),
        cmocka_unit_test(the_informed_are_right_more_often),
        cmocka_unit_test(hawkes_comes_in_bursts_and_poisson_does_not),
        cmocka_unit_test(exp_and_log_are_right),
        cmocka_unit_test(draws_have_their_moments),
        SEEDS_TEST(the_first_due_is_first),
    };
    seeds_arguments(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
