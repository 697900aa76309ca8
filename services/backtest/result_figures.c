/* result_figures: what the log of a run comes to. Money stays exact; what is divided or averaged is
 * a double, always made in the same order, so that a run has the same figures everywhere. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "backtest/result_parts.h"
#include "base/check.h"

static const struct real_or_nil nil = {0, false};

static struct real_or_nil real(double value)
{
    return isfinite(value) ? (struct real_or_nil){value, true} : nil;
}

static struct real_or_nil ratio(double above, double below)
{
    return below != 0 ? real(above / below) : nil;
}

/* ---- against the market ---- */

/* Of both sides together: what buying cost above the benchmark and selling brought below it. */
static struct real_or_nil slippage(const struct ledger *l, struct real_or_nil benchmark)
{
    if (!benchmark.given || l->bought + l->sold == 0)
        return nil;
    double worse = (double)l->bought_notional - benchmark.value * (double)l->bought +
                   benchmark.value * (double)l->sold - (double)l->sold_notional;
    double base = fabs(benchmark.value) * ((double)l->bought + (double)l->sold);
    return ratio(10000 * worse, base);
}

static void compare(const result_log_t *l, struct result_figures *f)
{
    double ours = (double)f->ledger.bought + (double)f->ledger.sold;
    f->average_price = ratio((double)(f->ledger.bought_notional + f->ledger.sold_notional), ours);
    f->market_vwap = ratio((double)l->traded_sum, (double)l->traded_qty);
    f->market_twap = ratio((double)l->mid_sum / 2, (double)l->mid_sum_ns);
    f->share_of_volume = ratio(ours, (double)l->traded_qty);
    struct real_or_nil arrival = l->has_mark ? real((double)l->twice_arrival / 2) : nil;
    f->slippage_arrival = slippage(&f->ledger, arrival);
    f->slippage_vwap = slippage(&f->ledger, f->market_vwap);
    f->slippage_twap = slippage(&f->ledger, f->market_twap);
}

/* ---- over time ---- */

/* Changes of total P&L between neighbouring samples. */
struct changes {
    size_t count; /* of samples less one: those of a silence are 0, and count */
    double sum, squares, squares_below;
};

/* deviation_from: what squares are taken of the difference from. */
static struct changes changes_of(const result_log_t *l, double deviation_from)
{
    struct changes c = {0};
    const struct result_point *last = NULL;
    for (size_t i = 0; i < l->point_count; i++) {
        const struct result_point *p = &l->points[i];
        if ((p->time_ns - l->begin_ns) % l->sample_ns != 0)
            continue; /* the end, between two samples */
        if (last != NULL) {
            size_t steps = (p->time_ns - last->time_ns) / l->sample_ns;
            double change = (double)(p->total - last->total);
            double deviation = change - deviation_from;
            c.count += steps;
            c.sum += change;
            c.squares +=
                deviation * deviation + (double)(steps - 1) * deviation_from * deviation_from;
            c.squares_below += change < 0 ? change * change : 0;
        }
        last = p;
    }
    return c;
}

static void rate(const result_log_t *l, struct result_figures *f)
{
    struct changes c = changes_of(l, 0);
    if (c.count < 2)
        return;
    double count = (double)c.count, mean = c.sum / count;
    double a_year = sqrt((double)l->samples_per_year);
    double deviation = sqrt(changes_of(l, mean).squares / (count - 1));
    f->sharpe = ratio(mean * a_year, deviation);
    f->sortino = ratio(mean * a_year, sqrt(c.squares_below / count));
}

/* ---- all of them ---- */

static void count(const result_log_t *l, const struct strategy_standing *s,
                  struct result_figures *f)
{
    f->orders = s->orders;
    f->amends = s->amends;
    f->cancels = s->cancels;
    f->fills = l->fill_count;
    f->refused = l->rejected;
    for (size_t i = OWN_REFUSED_NOT + 1; i < sizeof s->refused / sizeof *s->refused; i++)
        f->refused += s->refused[i];
    f->placed_qty = l->placed_qty;
    f->filled_qty = l->filled_qty;
    f->fill_ratio = ratio((double)l->filled_qty, (double)l->placed_qty);
    f->order_to_trade =
        ratio((double)f->orders + (double)f->amends + (double)f->cancels, (double)f->fills);
}

const struct result_figures *result_log_finish_as(result_log_t *l, const struct ledger *ledger,
                                                  const struct strategy_standing *standing,
                                                  const char *described)
{
    CHECK(!l->finished);
    if (!l->ended)
        result_log_end(l, l->now_ns, "");
    l->finished = true;
    struct result_figures *f = &l->figures;
    f->spec = l->spec;
    f->ledger = *ledger;
    f->begin_ns = l->begin_ns;
    f->end_ns = l->now_ns;
    f->ended = l->why;
    snprintf(f->described, sizeof f->described, "%s", described);
    f->twice_mark = l->has_mark ? l->twice_mark : 0;
    f->total = l->total;
    f->unrealised = l->total - l->realised;
    f->drawdown_max = l->drawdown_max;
    count(l, standing, f);
    compare(l, f);
    rate(l, f);
    result_queue_finish(l, f);
    return f;
}

const struct result_figures *result_log_finish(result_log_t *l, const strategy_host_t *h,
                                               unsigned strategy)
{
    char described[sizeof l->figures.described];
    struct strategy_standing standing = strategy_host_standing(h, strategy);
    strategy_host_describe(h, strategy, described, sizeof described);
    return result_log_finish_as(l, strategy_host_ledger(h, strategy), &standing, described);
}
