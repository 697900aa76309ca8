/* result: each figure of a small run by hand, what is not defined, and long runs at random against
 * a recomputation that is slow and obvious. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/mix.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/pretend_run.h"

static const uint64_t T0 = UINT64_C(1000) * 1000000000;
static const uint64_t MS = 1000000, SECOND = 1000000000;
static const struct fees no_fees = {0, 0};
static const struct result_options by_second = {UINT64_C(1000000000), 4};
static const notional_t FINE = 2000000; /* of ticks x lots, in millionths of halves */

static void assert_real(struct real_or_nil found, double expected)
{
    assert_true(found.given);
    if (fabs(found.value - expected) > 1e-9 * (1 + fabs(expected)))
        fail_msg("found %.15g, expected %.15g", found.value, expected);
}

static void assert_nil(struct real_or_nil found)
{
    assert_false(found.given);
}

static struct own_order limit(uint32_t number, enum side side, int64_t price, int64_t qty)
{
    return (struct own_order){
        .number = number,
        .state = OWN_WORKING,
        .side = (uint8_t)side,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = TIME_IN_FORCE_GTC,
        .price = price,
        .qty = qty,
        .open_qty = qty,
        .placed_ns = T0,
    };
}

/* An order trades all it has, as it is told of: the order, then the fill. */
static void fill_all(struct own_order *o, int64_t price, bool maker, uint64_t time_ns)
{
    o->state = OWN_DONE;
    o->filled_qty = o->qty;
    o->open_qty = 0;
    o->done_ns = time_ns;
    result_log_order(pretend.log, o, -1, time_ns);
    pretend_fill(time_ns, o, price, o->qty, maker);
}

/* ---- by hand ---- */

/* Buys 10 at 100 as a maker when the mid is 101, sells 4 of them at 96 as a taker when it is 97. */
static const struct result_figures *small_run(void)
{
    const struct fees fees = {.maker_ppm = -1000, .taker_ppm = 2000};
    pretend_begin(&fees, &by_second);
    pretend.described = "as told";
    pretend.standing = (struct strategy_standing){.orders = 3, .amends = 1, .cancels = 1};
    pretend.standing.refused[OWN_REFUSED_RATE] = 1;
    pretend_market(T0, 100, 102, 0, 0);
    struct own_order one = limit(1, SIDE_BUY, 100, 10), four = limit(4, SIDE_BUY, 90, 6);
    result_log_order(pretend.log, &one, 30, T0);
    struct own_order refused = limit(2, SIDE_BUY, 100, 1000);
    refused.state = OWN_DONE;
    refused.refusal = OWN_REFUSED_RATE;
    result_log_order(pretend.log, &refused, -1, T0);
    result_log_order(pretend.log, &four, 50, T0);
    four.qty = 8; /* amended up: 2 more were placed */
    result_log_order(pretend.log, &four, 50, T0 + 100);
    pretend_market(T0 + 1500 * MS, 100, 102, 100, 20);
    fill_all(&one, 100, true, T0 + 2 * SECOND);
    pretend_market(T0 + 2 * SECOND, 100, 102, 100, 10);
    pretend_market(T0 + 2500 * MS, 96, 98, 0, 0);
    struct own_order five = limit(5, SIDE_SELL, 0, 4);
    five.type = ORDER_TYPE_MARKET;
    five.time_in_force = TIME_IN_FORCE_IOC;
    fill_all(&five, 96, false, T0 + 3200 * MS);
    pretend_market(T0 + 3200 * MS, 96, 98, 96, 4);
    result_log_note(pretend.log, T0 + 3300 * MS, "a word");
    result_log_end(pretend.log, T0 + 4 * SECOND, "done");
    return pretend_finish();
}

static void figures_of_a_small_run_are_as_computed_by_hand(void **state)
{
    (void)state;
    const struct result_figures *f = small_run();
    assert_ptr_equal(f->spec, &pretend.spec);
    assert_int_equal(f->begin_ns, T0);
    assert_int_equal(f->end_ns, T0 + 4 * SECOND);
    assert_string_equal(f->ended, "done");
    assert_string_equal(f->described, "as told");
    assert_int_equal(f->twice_mark, 2 * 97);
    /* Realised 4 x (96 - 100), unrealised 6 x (97 - 100), fees -1000 ppm of 1000 + 2000 of 384. */
    assert_true(f->total == (-16 - 18) * FINE - 2 * (-1000000 + 768000));
    assert_true(f->unrealised == -18 * FINE);
    /* It was highest with the fill: 10 x (101 - 100) and a rebate of 1. */
    assert_true(f->drawdown_max == 11 * FINE - f->total);
    assert_int_equal(f->orders, 3);
    assert_int_equal(f->fills, 2);
    assert_int_equal(f->refused, 1);
    assert_int_equal(f->placed_qty, 10 + 6 + 2 + 4);
    assert_int_equal(f->filled_qty, 14);
    assert_real(f->fill_ratio, 14.0 / 22);
    assert_real(f->order_to_trade, 5.0 / 2);
    assert_real(f->average_price, (1000.0 + 384) / 14);
    assert_real(f->market_vwap, (2000.0 + 1000 + 384) / 34);
    assert_real(f->market_twap, (101 * 2.5 + 97 * 1.5) / 4);
    assert_real(f->slippage_arrival, 70.72135785007072); /* 10 / (101 x 14) */
    assert_real(f->slippage_vwap, 135.08949679162478);
    assert_real(f->slippage_twap, 136.39626704953338);
    assert_real(f->share_of_volume, 14.0 / 34);
    assert_real(f->sharpe, -0.7656993593661227); /* changes 0, 11, -40, -4.768; 4 a year */
    assert_real(f->sortino, -0.8382656974813012);
    assert_real(f->queue_ahead_median, 40);
    assert_real(f->queue_wait_median_s, 2);
    assert_real(f->queue_filled_share, 0.5);
    pretend_end();
}

static void curves_have_a_point_a_sample_and_one_at_the_end(void **state)
{
    (void)state;
    small_run();
    size_t count;
    const struct result_point *p = result_log_points(pretend.log, &count);
    assert_int_equal(count, 5);
    const notional_t totals[] = {0, 0, 11 * FINE, -29 * FINE, -34 * FINE + 2 * 232000};
    const int64_t positions[] = {0, 0, 10, 10, 6}, mids[] = {202, 202, 202, 194, 194};
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(p[i].time_ns, T0 + i * SECOND);
        assert_true(p[i].total == totals[i]);
        assert_true(p[i].drawdown == (i < 3 ? 0 : 11 * FINE - totals[i]));
        assert_int_equal(p[i].position, positions[i]);
        assert_int_equal(p[i].twice_mid, mids[i]);
    }
    assert_true(p[3].realised == 1 * FINE);
    const struct result_note *notes = result_log_notes(pretend.log, &count);
    assert_int_equal(count, 1);
    assert_string_equal(notes[0].words, "a word");
    pretend_end();
}

static void orders_and_fills_are_kept_and_numbers_that_never_were_are_not(void **state)
{
    (void)state;
    small_run();
    size_t count;
    const struct result_order *o = result_log_orders(pretend.log, &count);
    const uint32_t numbers[] = {1, 2, 4, 5};
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(o[i].number, numbers[i]);
    assert_int_equal(o[0].rested_ns, T0);
    assert_int_equal(o[0].filled_ns, T0 + 2 * SECOND);
    assert_int_equal(o[0].ahead, 30);
    assert_int_equal(o[1].refusal, OWN_REFUSED_RATE);
    assert_int_equal(o[2].qty, 8);
    assert_int_equal(o[2].done_ns, 0);
    assert_int_equal(o[3].rested_ns, 0); /* it took */
    assert_int_equal(o[3].filled_ns, T0 + 3200 * MS);
    assert_int_equal(o[3].ahead, -1);
    const struct result_fill *fills = result_log_fills(pretend.log, &count);
    assert_int_equal(count, 2);
    assert_int_equal(fills[1].order, 5);
    assert_int_equal(fills[1].side, SIDE_SELL);
    assert_int_equal(fills[1].position, 6);
    assert_true(fills[0].maker && !fills[1].maker);
    pretend_end();
}

/* ---- what is not defined ---- */

static void a_run_in_which_nothing_happened_has_no_statistics(void **state)
{
    (void)state;
    pretend_begin(&no_fees, &by_second);
    const struct result_figures *f = pretend_finish();
    assert_true(f->total == 0 && f->drawdown_max == 0);
    assert_int_equal(f->twice_mark, 0);
    assert_string_equal(f->ended, "");
    assert_nil(f->fill_ratio);
    assert_nil(f->slippage_arrival);
    assert_nil(f->slippage_vwap);
    assert_nil(f->slippage_twap);
    assert_nil(f->market_vwap);
    assert_nil(f->market_twap);
    assert_nil(f->average_price);
    assert_nil(f->sharpe);
    assert_nil(f->sortino);
    assert_nil(f->order_to_trade);
    assert_nil(f->share_of_volume);
    assert_nil(f->queue_ahead_median);
    assert_nil(f->queue_wait_median_s);
    assert_nil(f->queue_filled_share);
    pretend_end();
}

static void without_a_loss_there_is_no_sortino_and_without_change_no_sharpe(void **state)
{
    (void)state;
    pretend_begin(&no_fees, &by_second);
    pretend_market(T0, 100, 102, 0, 0);
    result_log_end(pretend.log, T0 + 5 * SECOND, "");
    assert_nil(pretend_finish()->sharpe);
    pretend_end();

    pretend_begin(&no_fees, &by_second);
    struct own_order o = limit(1, SIDE_BUY, 100, 1);
    pretend_market(T0, 100, 102, 0, 0);
    fill_all(&o, 100, true, T0 + 1);
    pretend_market(T0 + 2 * SECOND - 1, 104, 106, 0, 0);
    result_log_end(pretend.log, T0 + 2 * SECOND, "");
    const struct result_figures *f = pretend_finish();
    assert_real(f->sharpe, 2.5 / sqrt(2 * 1.5 * 1.5) * 2); /* changes 1 and 4 */
    assert_nil(f->sortino);
    pretend_end();
}

static void one_change_is_too_few_for_a_deviation(void **state)
{
    (void)state;
    for (uint64_t samples = 1; samples <= 2; samples++) {
        pretend_begin(&no_fees, &by_second);
        struct own_order o = limit(1, SIDE_BUY, 103, 1);
        pretend_market(T0, 100, 102, 0, 0);
        fill_all(&o, 103, false, T0 + 1);
        result_log_end(pretend.log, T0 + samples * SECOND, "");
        assert_int_equal(pretend_finish()->sharpe.given, samples == 2);
        pretend_end();
    }
}

static void a_market_without_a_mid_marks_at_the_last_there_was(void **state)
{
    (void)state;
    pretend_begin(&no_fees, &by_second);
    struct own_order o = limit(1, SIDE_BUY, 100, 10);
    pretend_market(T0, 100, 0, 0, 0);
    pretend_market(T0 + 1 * SECOND, 100, 102, 0, 0);
    fill_all(&o, 100, true, T0 + 2 * SECOND);
    pretend_market(T0 + 3 * SECOND, 0, 102, 0, 0);
    result_log_end(pretend.log, T0 + 9 * SECOND, "");
    const struct result_figures *f = pretend_finish();
    assert_int_equal(f->twice_mark, 202);
    assert_true(f->total == 10 * FINE);
    assert_real(f->market_twap, 101); /* of the 2 s in which there was one */
    size_t count;
    const struct result_point *p = result_log_points(pretend.log, &count);
    assert_int_equal(p[0].twice_mid, 0);
    assert_int_equal(p[count - 1].twice_mid, 0);
    pretend_end();
}

static void what_it_began_with_is_no_drawdown(void **state)
{
    (void)state;
    pretend_begin(&no_fees, &by_second);
    ledger_init(&pretend.ledger, &no_fees, 10, 120); /* bought above the market */
    pretend_market(T0, 100, 102, 0, 0);
    pretend_market(T0 + 1, 99, 101, 0, 0);
    const struct result_figures *f = pretend_finish();
    assert_true(f->total == -200 * FINE);
    assert_true(f->drawdown_max == 10 * FINE);
    pretend_end();
}

static void a_first_fill_at_a_loss_is_a_drawdown(void **state)
{
    (void)state;
    pretend_begin(&no_fees, &by_second);
    struct own_order o = limit(1, SIDE_BUY, 105, 2);
    pretend.bbo = (struct bbo_state){{100, 102}, {1, 1}};
    fill_all(&o, 105, false, T0);
    assert_true(pretend_finish()->drawdown_max == 8 * FINE);
    pretend_end();
}

/* ---- queue ---- */

static void an_order_that_takes_and_then_rests_waits_from_its_rest(void **state)
{
    (void)state;
    pretend_begin(&no_fees, &by_second);
    struct own_order o = limit(1, SIDE_BUY, 102, 10);
    pretend_market(T0, 100, 102, 0, 0);
    result_log_order(pretend.log, &o, -1, T0);
    o.filled_qty = 4; /* on arrival, in the same moment */
    o.open_qty = 6;
    result_log_order(pretend.log, &o, 0, T0);
    pretend_fill(T0, &o, 102, 4, false);
    o.filled_qty = 5;
    result_log_order(pretend.log, &o, 0, T0 + 3 * SECOND);
    pretend_fill(T0 + 3 * SECOND, &o, 102, 1, true);
    const struct result_figures *f = pretend_finish();
    assert_real(f->queue_wait_median_s, 3);
    assert_real(f->queue_ahead_median, 0);
    assert_real(f->queue_filled_share, 1);
    pretend_end();
}

static void an_order_that_takes_all_it_wants_never_rested(void **state)
{
    (void)state;
    pretend_begin(&no_fees, &by_second);
    struct own_order o = limit(1, SIDE_BUY, 102, 10);
    pretend_market(T0, 100, 102, 0, 0);
    result_log_order(pretend.log, &o, 7, T0);
    fill_all(&o, 102, false, T0);
    assert_nil(pretend_finish()->queue_filled_share);
    size_t count;
    assert_int_equal(result_log_orders(pretend.log, &count)->filled_ns, T0);
    assert_int_equal(result_log_orders(pretend.log, &count)->ahead, -1);
    pretend_end();
}

static void an_order_the_exchange_rejects_was_not_placed(void **state)
{
    (void)state;
    pretend_begin(&no_fees, &by_second);
    struct own_order o = limit(1, SIDE_BUY, 102, 10);
    o.state = OWN_SENT;
    result_log_order(pretend.log, &o, -1, T0);
    o.state = OWN_DONE;
    o.reason = REJECT_POST_ONLY;
    result_log_order(pretend.log, &o, -1, T0 + 5);
    result_log_order(pretend.log, &o, -1, T0 + 6); /* told twice is once */
    const struct result_figures *f = pretend_finish();
    assert_int_equal(f->refused, 1);
    assert_int_equal(f->placed_qty, 0);
    assert_nil(f->fill_ratio);
    pretend_end();
}

static void the_median_of_an_even_count_lies_between_the_middle_two(void **state)
{
    (void)state;
    static const int64_t ahead[] = {9, 1, 5, 100};
    pretend_begin(&no_fees, &by_second);
    for (uint32_t i = 0; i < 4; i++) {
        struct own_order o = limit(i + 1, SIDE_BUY, 90, 1);
        result_log_order(pretend.log, &o, ahead[i], T0);
    }
    assert_real(pretend_finish()->queue_ahead_median, 7);
    pretend_end();
}

/* ---- silence ---- */

/* The same run with and without a word in each second of its silence. */
static struct result_figures with_silence(bool words, size_t *points)
{
    pretend_begin(&no_fees, &by_second);
    struct own_order o = limit(1, SIDE_BUY, 100, 10);
    pretend_market(T0, 100, 102, 0, 0);
    fill_all(&o, 100, true, T0 + 1);
    pretend_market(T0 + 1500 * MS, 90, 92, 0, 0);
    for (uint64_t i = 2; words && i < 1000; i++)
        pretend_market(T0 + i * SECOND, 90, 92, 0, 0);
    pretend_market(T0 + 1000 * SECOND, 95, 97, 0, 0);
    result_log_end(pretend.log, T0 + 1001 * SECOND, "");
    struct result_figures f = *pretend_finish();
    f.ended = NULL;
    result_log_points(pretend.log, points);
    pretend_end();
    return f;
}

static void a_silence_keeps_two_points_and_changes_no_figure(void **state)
{
    (void)state;
    size_t with, without;
    struct result_figures words = with_silence(true, &with);
    struct result_figures silence = with_silence(false, &without);
    assert_int_equal(with, 1002);
    assert_int_equal(without, 6); /* at 0, 1, 2, 999, 1000 and 1001 s */
    assert_real(silence.sharpe, words.sharpe.value);
    assert_real(silence.sortino, words.sortino.value);
    assert_real(silence.market_twap, words.market_twap.value);
    assert_true(silence.drawdown_max == words.drawdown_max);
}

static void a_sample_longer_than_time_itself_is_never_due(void **state)
{
    (void)state;
    const struct result_options o = {UINT64_MAX, 1};
    pretend_begin(&no_fees, &o);
    pretend_market(T0, 100, 102, 0, 0);
    pretend_market(T0 + SECOND, 100, 104, 0, 0);
    result_log_end(pretend.log, T0 + 2 * SECOND, "");
    pretend_finish();
    size_t count;
    result_log_points(pretend.log, &count);
    assert_int_equal(count, 2); /* begin and end */
    pretend_end();
}

/* ---- at random ---- */

enum { STEPS = 4000 };

/* One thing a millisecond at most: what the market was, and what was done, in that millisecond. */
struct moment {
    bool market, fill, maker;
    int64_t bid, ask, traded_price, traded_qty;
    enum side side;
    int64_t price, qty;
};

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    return mix_next(seed) % below;
}

static struct moment random_moment(uint64_t *seed, int64_t middle)
{
    struct moment m = {.market = draw(seed, 3) == 0, .fill = draw(seed, 20) == 0};
    m.bid = draw(seed, 40) != 0 ? middle - (int64_t)draw(seed, 5) : 0;
    m.ask = draw(seed, 40) != 0 ? middle + 1 + (int64_t)draw(seed, 5) : 0;
    m.traded_price = middle;
    m.traded_qty = draw(seed, 3) == 0 ? 1 + (int64_t)draw(seed, 50) : 0;
    m.side = draw(seed, 2) == 0 ? SIDE_BUY : SIDE_SELL;
    m.maker = draw(seed, 2) == 0;
    m.price = middle + (int64_t)draw(seed, 7) - 3;
    m.qty = 1 + (int64_t)draw(seed, 9);
    return m;
}

struct slow {
    double mid_sum, mid_ms, traded, traded_qty;
    notional_t highest, drawdown, total;
    bool valued;
    double totals[STEPS]; /* at each sample */
    size_t samples;
};

/* All of it again, one millisecond after the other, with nothing remembered that could be asked. */
static struct slow recompute(const struct moment *moments, const struct fees *fees, uint64_t sample)
{
    static struct slow s;
    memset(&s, 0, sizeof s);
    struct ledger l;
    ledger_init(&l, fees, 0, 0);
    int64_t twice_mid = 0, twice_mark = 0;
    for (uint64_t ms = 0; ms < STEPS; ms++) {
        const struct moment *m = &moments[ms];
        if (m->market) {
            twice_mid = m->bid != 0 && m->ask != 0 ? m->bid + m->ask : 0;
            twice_mark = twice_mid != 0 ? twice_mid : twice_mark;
            s.traded += (double)(m->traded_price * m->traded_qty);
            s.traded_qty += (double)m->traded_qty;
        }
        if (m->market && m->fill)
            s.highest = ledger_total_micro_halves(&l, twice_mark) > s.highest
                            ? ledger_total_micro_halves(&l, twice_mark)
                            : s.highest;
        notional_t before = ledger_total_micro_halves(&l, twice_mark);
        s.drawdown = s.highest - before > s.drawdown ? s.highest - before : s.drawdown;
        if (m->fill)
            ledger_fill(&l, m->side, m->price, m->qty, m->maker);
        s.total = ledger_total_micro_halves(&l, twice_mark);
        s.highest = s.total > s.highest ? s.total : s.highest;
        s.drawdown = s.highest - s.total > s.drawdown ? s.highest - s.total : s.drawdown;
        if (ms % sample == 0)
            s.totals[s.samples++] = (double)s.total;
        if (ms + 1 < STEPS) {
            s.mid_sum += (double)twice_mid / 2;
            s.mid_ms += twice_mid != 0;
        }
    }
    return s;
}

static double slow_sharpe(const struct slow *s, bool below_only)
{
    double mean = (s->totals[s->samples - 1] - s->totals[0]) / (double)(s->samples - 1),
           squares = 0;
    for (size_t i = 1; i < s->samples; i++) {
        double change = s->totals[i] - s->totals[i - 1];
        if (below_only)
            squares += change < 0 ? change * change : 0;
        else
            squares += (change - mean) * (change - mean);
    }
    return mean / sqrt(squares / (double)(s->samples - (below_only ? 1 : 2))) * 2;
}

static void random_run(uint64_t seed)
{
    static struct moment moments[STEPS];
    const struct fees fees = {(int64_t)draw(&seed, 400) - 200, (int64_t)draw(&seed, 900)};
    const uint64_t sample = 1 + draw(&seed, 60);
    const struct result_options o = {sample * MS, 4};
    int64_t middle = 10000;
    pretend_begin(&fees, &o);
    for (uint64_t ms = 0; ms < STEPS; ms++) {
        middle += (int64_t)draw(&seed, 5) - 2;
        moments[ms] = random_moment(&seed, middle);
        struct moment *m = &moments[ms];
        if (ms == 0)
            *m = (struct moment){.market = true, .bid = middle, .ask = middle + 2};
        uint64_t now = T0 + ms * MS;
        if (m->market)
            pretend_market(now, m->bid, m->ask, m->traded_price, m->traded_qty);
        struct own_order own = limit(1, m->side, m->price, m->qty);
        if (m->fill)
            pretend_fill(now, &own, m->price, m->qty, m->maker);
    }
    result_log_end(pretend.log, T0 + (STEPS - 1) * MS, "");
    const struct result_figures *f = pretend_finish();
    struct slow s = recompute(moments, &fees, sample);
    assert_true(f->total == s.total);
    assert_true(f->drawdown_max == s.drawdown);
    assert_real(f->market_vwap, s.traded / s.traded_qty);
    assert_real(f->market_twap, s.mid_sum / s.mid_ms);
    assert_real(f->sharpe, slow_sharpe(&s, false));
    assert_real(f->sortino, slow_sharpe(&s, true));
    pretend_end();
}

static void random_runs_agree_with_a_slow_recomputation(void **state)
{
    (void)state;
    seeds_run("random_runs_agree_with_a_slow_recomputation", 60, random_run);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_a_small_run_are_as_computed_by_hand),
        cmocka_unit_test(curves_have_a_point_a_sample_and_one_at_the_end),
        cmocka_unit_test(orders_and_fills_are_kept_and_numbers_that_never_were_are_not),
        cmocka_unit_test(a_run_in_which_nothing_happened_has_no_statistics),
        cmocka_unit_test(without_a_loss_there_is_no_sortino_and_without_change_no_sharpe),
        cmocka_unit_test(one_change_is_too_few_for_a_deviation),
        cmocka_unit_test(a_market_without_a_mid_marks_at_the_last_there_was),
        cmocka_unit_test(what_it_began_with_is_no_drawdown),
        cmocka_unit_test(a_first_fill_at_a_loss_is_a_drawdown),
        cmocka_unit_test(an_order_that_takes_and_then_rests_waits_from_its_rest),
        cmocka_unit_test(an_order_that_takes_all_it_wants_never_rested),
        cmocka_unit_test(an_order_the_exchange_rejects_was_not_placed),
        cmocka_unit_test(the_median_of_an_even_count_lies_between_the_middle_two),
        cmocka_unit_test(a_silence_keeps_two_points_and_changes_no_figure),
        cmocka_unit_test(a_sample_longer_than_time_itself_is_never_due),
        SEEDS_TEST(random_runs_agree_with_a_slow_recomputation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
