/* venue with latency: what is sent arrives so much later, and so does what is heard of it; nothing
 * overtakes anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "backtest/delay.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/trial.h"

static struct trial *trial;

static int teardown(void **state)
{
    (void)state;
    trial_close();
    return 0;
}

/* What the only strategy does at its start. */
static enum side start_side;
static int64_t start_price, start_qty;

static void order_at_start(unsigned n, trader_t *t)
{
    (void)n;
    trader_limit(t, start_side, start_price, start_qty);
}

static void open_with_order(uint64_t order_ns, uint64_t data_ns, enum side side, int64_t price,
                            int64_t qty)
{
    static const struct trial_script script = {.start = order_at_start};
    trial = trial_open(RECORDING_COMMANDS, &script);
    trial->options.order_latency.constant_ns = order_ns;
    trial->options.data_latency.constant_ns = data_ns;
    start_side = side;
    start_price = price;
    start_qty = qty;
}

static void assert_fill(size_t index, uint64_t heard_ns, int64_t price, int64_t qty)
{
    const struct trial_heard *f = trial_fill(index);
    assert_non_null(f);
    assert_int_equal(f->time_ns, heard_ns);
    assert_int_equal(f->price, price);
    assert_int_equal(f->qty, qty);
}

/* ---- one way ---- */

static void a_constant_is_added(void **state)
{
    (void)state;
    struct delay d;
    delay_init(&d, &(struct latency){.constant_ns = 0}, 1);
    assert_true(delay_none(&d));
    assert_int_equal(delay_arrival_ns(&d, 5), 5);
    delay_init(&d, &(struct latency){.constant_ns = 7}, 1);
    assert_false(delay_none(&d));
    assert_int_equal(delay_arrival_ns(&d, 5), 12);
    assert_int_equal(delay_arrival_ns(&d, UINT64_MAX - 8), UINT64_MAX - 1);
    assert_int_equal(delay_arrival_ns(&d, UINT64_MAX - 7), UINT64_MAX - 1);
    assert_int_equal(delay_arrival_ns(&d, UINT64_MAX - 6), UINT64_MAX - 1);
}

static void samples_are_drawn_and_never_overtake(void **state)
{
    (void)state;
    static const uint64_t samples[] = {0, 100, 5000};
    enum { DRAWS = 3000 };
    struct delay d, again;
    struct latency l = {.samples_ns = samples, .sample_count = 3};
    unsigned seen[3] = {0};
    delay_init(&d, &l, 9);
    delay_init(&again, &l, 9);
    assert_false(delay_none(&d));
    for (uint64_t i = 0; i < DRAWS; i++) { /* far apart: each is seen as it was drawn */
        uint64_t at = delay_arrival_ns(&d, i * 10000) - i * 10000;
        assert_true(at == 0 || at == 100 || at == 5000);
        seen[at == 0 ? 0 : at == 100 ? 1 : 2]++;
        assert_int_equal(delay_arrival_ns(&again, i * 10000) - i * 10000, at);
    }
    for (unsigned i = 0; i < 3; i++)
        assert_true(seen[i] > DRAWS / 3 - DRAWS / 10 && seen[i] < DRAWS / 3 + DRAWS / 10);
    uint64_t last = 0;
    for (uint64_t now = DRAWS * 10000; now < DRAWS * 10000 + 1000; now++) {
        uint64_t at = delay_arrival_ns(&d, now);
        assert_true(at >= last && at >= now);
        last = at;
    }
}

/* ---- there and back ---- */

/* Sent at 0, there at 30: behind what was recorded at 30. What comes of it is heard 5 later. */
static void an_order_stands_where_it_arrives(void **state)
{
    (void)state;
    open_with_order(30, 5, SIDE_BUY, 100, 4);
    trial_limit(10, SIDE_BUY, 100, 1);
    trial_limit(30, SIDE_BUY, 100, 2);
    trial_limit(31, SIDE_BUY, 100, 8);
    trial_ioc(50, SIDE_SELL, 100, 3);
    trial_ioc(60, SIDE_SELL, 100, 3);
    trial_ioc(70, SIDE_SELL, 100, 3);
    trial_run(1);
    assert_fill(0, 65, 100, 3);
    assert_fill(1, 75, 100, 1);
    assert_null(trial_fill(2));
    assert_int_equal(trial_heard_of(TRIAL_ORDER, 0)->time_ns, 35);
}

static void the_market_is_heard_later(void **state)
{
    (void)state;
    trial = trial_open(RECORDING_COMMANDS, NULL);
    trial->options.data_latency.constant_ns = 7;
    trial_limit(0, SIDE_BUY, 100, 1); /* there when it starts */
    trial_limit(10, SIDE_BUY, 100, 1);
    trial_limit(20, SIDE_BUY, 100, 1);
    trial_limit(40, SIDE_BUY, 100, 1); /* it is stopped before this is heard */
    trial_run(1);
    assert_int_equal(trial_heard_of(TRIAL_START, 0)->time_ns, 0);
    assert_int_equal(trial_heard_of(TRIAL_MARKET, 0)->time_ns, 17);
    assert_int_equal(trial_heard_of(TRIAL_MARKET, 1)->time_ns, 27);
    assert_null(trial_heard_of(TRIAL_MARKET, 2));
}

static int64_t seen_qty[8];
static size_t seen_count;

static void note_best(unsigned n, trader_t *t, const struct market_update *u)
{
    (void)n, (void)u;
    struct market_level best = {0, 0, 0};
    (void)trader_best(t, SIDE_BUY, &best);
    seen_qty[seen_count++] = best.qty;
}

static void what_is_seen_is_the_book_as_it_was(void **state)
{
    (void)state;
    static const struct trial_script script = {.market = note_best};
    trial = trial_open(RECORDING_COMMANDS, &script);
    trial->options.data_latency.constant_ns = 100;
    seen_count = 0;
    trial_limit(0, SIDE_BUY, 100, 1);
    uint64_t id = trial_limit(10, SIDE_BUY, 100, 2);
    trial_reduce(20, id, 1);
    trial_ioc(30, SIDE_SELL, 100, 1);
    trial_cancel(40, id);
    trial_limit(200, SIDE_SELL, 105, 1);
    trial_run(1);
    static const int64_t expected[] = {3, 2, 1, 0};
    assert_int_equal(seen_count, 4);
    assert_memory_equal(seen_qty, expected, sizeof expected);
}

/* Sent before the end, there behind it; cancelled, and home. */
static void what_is_on_its_way_comes_home(void **state)
{
    (void)state;
    open_with_order(1000, 500, SIDE_BUY, 100, 4);
    trial_limit(10, SIDE_SELL, 100, 1);
    venue_t *v = trial_run(1);
    assert_fill(0, 1500, 100, 1);
    assert_null(trial_fill(1));
    assert_int_equal(venue_counts(v).ours, 2);
    assert_int_equal(trial_qty_at(SIDE_BUY, 100), 0);
    assert_int_equal(strategy_host_standing(venue_host(v), 0).working, 0);
    assert_int_equal(venue_now_ns(v), 3000); /* there, back, its cancel there, back */
}

static void an_order_without_latency_may_be_heard_of_later(void **state)
{
    (void)state;
    open_with_order(0, 5, SIDE_BUY, 100, 4);
    trial_limit(0, SIDE_SELL, 100, 3);
    trial_ioc(10, SIDE_BUY, 100, 3);
    venue_t *v = trial_run(1);
    assert_fill(0, 5, 100, 3);
    assert_int_equal(venue_counts(v).short_qty, 3);
}

/* ---- random ---- */

enum { COMMANDS = 1500, SENT_MAX = COMMANDS };

static const uint64_t order_samples[] = {0, 3, 40, 400};
static const uint64_t data_samples[] = {0, 1, 25, 900};
static struct random random_state;
static uint32_t sent, last_heard;
static bool refused[SENT_MAX + 1]; /* by number of the order */
static uint64_t last_seq;
static unsigned heard_updates;

static void random_market(unsigned n, trader_t *t, const struct market_update *u)
{
    (void)n;
    struct random *r = &random_state;
    assert_true(u->seq > last_seq); /* in the order in which it happened */
    assert_true(trader_now_ns(t) >= u->time_ns);
    last_seq = u->seq;
    heard_updates++;
    if (random_once_in(r, 5))
        sent = trader_limit(t, random_once_in(r, 2) ? SIDE_BUY : SIDE_SELL,
                            95 + (int64_t)random_below(r, 10), 1 + (int64_t)random_below(r, 5));
    uint32_t order = trader_next_order(t, 0);
    if (order != 0 && random_once_in(r, 6))
        trader_cancel(t, order);
}

/* What the exchange says of orders comes in the order they were sent; of those the host refused it
 * says nothing. */
static void heard_in_order(unsigned n, trader_t *t, const struct own_order *o)
{
    (void)n, (void)t;
    assert_true(o->number < SENT_MAX);
    refused[o->number] |= o->refusal != OWN_REFUSED_NOT;
    while (refused[last_heard + 1])
        last_heard++;
    if (refused[o->number] || o->number <= last_heard)
        return;
    assert_int_equal(o->number, last_heard + 1);
    last_heard = o->number;
}

static void record_market(uint64_t seed)
{
    struct random r = {seed};
    uint64_t recent[32] = {0};
    uint64_t time_ns = 0;
    for (unsigned i = 0; i < COMMANDS; i++) {
        time_ns += random_below(&r, 30);
        enum side side = random_once_in(&r, 2) ? SIDE_BUY : SIDE_SELL;
        int64_t price = 95 + (int64_t)random_below(&r, 10);
        int64_t qty = 1 + (int64_t)random_below(&r, 9);
        uint64_t id = recent[random_below(&r, 32)];
        if (id != 0 && random_once_in(&r, 3))
            trial_cancel(time_ns, id);
        else if (id != 0 && random_once_in(&r, 6))
            trial_reduce(time_ns, id, qty);
        else if (random_once_in(&r, 4))
            trial_ioc(time_ns, side, price, qty);
        else
            recent[random_below(&r, 32)] = trial_limit(time_ns, side, price, qty);
    }
}

static uint64_t run_random(uint64_t seed)
{
    static const struct trial_script script = {.market = random_market, .order = heard_in_order};
    trial = trial_open(RECORDING_COMMANDS, &script);
    trial->options.order_latency = (struct latency){.samples_ns = order_samples, .sample_count = 4};
    trial->options.data_latency = (struct latency){.samples_ns = data_samples, .sample_count = 4};
    trial->options.seed = seed;
    random_state = (struct random){seed + 1};
    sent = last_heard = 0;
    last_seq = 0;
    heard_updates = 0;
    memset(refused, 0, sizeof refused);
    record_market(seed);
    venue_t *v = trial_run_begin(1);
    uint64_t now_ns = 0;
    while (venue_step(v)) {
        assert_true(venue_now_ns(v) >= now_ns);
        now_ns = venue_now_ns(v);
    }
    /* its mirror has come to what the book is */
    const struct book *b = engine_book(venue_engine(v), 1);
    struct u64_or_nil hash = strategy_host_book_hash(venue_host(v), 0);
    assert_true(hash.given && hash.value == b->l3_hash);
    assert_true(sent > 50 && last_heard == sent && heard_updates > COMMANDS / 2);
    assert_true(strategy_host_all_ended(venue_host(v)));
    uint64_t state = engine_state_hash(venue_engine(v));
    trial_close();
    return state;
}

static void random_latencies(uint64_t seed)
{
    uint64_t state = run_random(seed);
    assert_int_equal(run_random(seed), state);
}

static void nothing_overtakes_and_the_mirror_is_the_book(void **state)
{
    (void)state;
    seeds_run("nothing_overtakes_and_the_mirror_is_the_book", 6, random_latencies);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_is_added),
        cmocka_unit_test(samples_are_drawn_and_never_overtake),
        TEST(an_order_stands_where_it_arrives),
        TEST(the_market_is_heard_later),
        TEST(what_is_seen_is_the_book_as_it_was),
        TEST(what_is_on_its_way_comes_home),
        TEST(an_order_without_latency_may_be_heard_of_later),
        SEEDS_TEST(nothing_overtakes_and_the_mirror_is_the_book),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
