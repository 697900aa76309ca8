/* result: see result.h. A market update costs a comparison or two unless the mid moves, something
 * trades or a sample is due: what is averaged over time is added up only where it changes. */
#include "backtest/result.h"

#include <stdlib.h>
#include <string.h>

#include "backtest/result_parts.h"
#include "base/check.h"
#include "base/memory.h"

static const uint64_t SAMPLE_NS = UINT64_C(1000000000);
static const uint64_t YEAR_NS = UINT64_C(252) * 23400 * 1000000000; /* of 6.5 h a day */

result_log_t *result_log_new(const struct strategy_spec *spec, const struct result_options *o)
{
    result_log_t *l = calloc(1, sizeof *l);
    CHECK(l != NULL);
    l->spec = spec;
    l->sample_ns = o->sample_ns != 0 ? o->sample_ns : SAMPLE_NS;
    l->samples_per_year = o->samples_per_year != 0 ? o->samples_per_year : YEAR_NS / l->sample_ns;
    return l;
}

void result_log_destroy(result_log_t **l)
{
    if (*l == NULL)
        return;
    for (size_t i = 0; i < (*l)->note_count; i++)
        free((char *)(*l)->notes[i].words);
    free((*l)->points);
    free((*l)->fills);
    free((*l)->orders);
    free((*l)->notes);
    free((*l)->why);
    free(*l);
    *l = NULL;
}

/* ---- samples ---- */

static void put_point(result_log_t *l, uint64_t time_ns)
{
    l->points = memory_grown(l->points, l->point_count, &l->point_max, sizeof *l->points);
    l->points[l->point_count++] = (struct result_point){
        .time_ns = time_ns,
        .twice_mid = l->twice_mid,
        .position = l->position,
        .total = l->total,
        .realised = l->realised,
        .drawdown = l->drawdown,
    };
}

/* Samples before time_ns, as things have stood since the last word. One at time_ns itself waits:
 * more may happen then. */
static void pass(result_log_t *l, uint64_t time_ns)
{
    if (!l->begun) {
        l->begun = true;
        l->begin_ns = l->now_ns = l->next_sample_ns = time_ns;
        return;
    }
    if (time_ns > l->next_sample_ns) {
        uint64_t more = (time_ns - 1 - l->next_sample_ns) / l->sample_ns;
        put_point(l, l->next_sample_ns);
        if (more > 0)
            put_point(l, l->next_sample_ns + more * l->sample_ns);
        uwide_t next = l->next_sample_ns + ((uwide_t)more + 1) * l->sample_ns;
        l->next_sample_ns = next < UINT64_MAX ? (uint64_t)next : UINT64_MAX;
    }
    if (time_ns > l->now_ns)
        l->now_ns = time_ns;
}

/* What it all comes to now. Without any mid what is held is worth what it cost. */
static void value(result_log_t *l, const struct ledger *ledger)
{
    l->position = ledger->position;
    l->realised = 2 * (ledger->realised * MICRO - ledger->fees_micro);
    l->total = l->has_mark ? ledger_total_micro_halves(ledger, l->twice_mark) : l->realised;
    if (!l->valued) /* it begins with what it holds from before, or with nothing */
        l->highest = ledger->fill_count == 0 ? l->total : 0;
    l->valued = true;
    if (l->total > l->highest)
        l->highest = l->total;
    l->drawdown = l->highest - l->total;
    if (l->drawdown > l->drawdown_max)
        l->drawdown_max = l->drawdown;
}

/* ---- the market ---- */

/* The mid has been what it is until time_ns. */
static void add_mid(result_log_t *l, uint64_t time_ns)
{
    if (l->has_mid && time_ns > l->mid_ns) {
        l->mid_sum += (wide_t)l->twice_mid * (time_ns - l->mid_ns);
        l->mid_sum_ns += time_ns - l->mid_ns;
    }
    if (time_ns > l->mid_ns)
        l->mid_ns = time_ns;
}

static void mark(result_log_t *l, int64_t twice_mid)
{
    if (!l->has_mark)
        l->twice_arrival = twice_mid;
    l->has_mark = true;
    l->twice_mark = twice_mid;
}

static bool has_both(const struct bbo_state *bbo)
{
    return bbo->qty[0] != 0 && bbo->qty[1] != 0;
}

void result_log_market(result_log_t *l, const struct market_update *u, const struct bbo_state *bbo,
                       const struct ledger *ledger)
{
    if (l->ended)
        return;
    if (!l->begun || u->time_ns > l->next_sample_ns)
        pass(l, u->time_ns);
    else if (u->time_ns > l->now_ns)
        l->now_ns = u->time_ns;
    for (size_t i = 0; i < u->trade_count; i++) {
        l->traded_sum += (wide_t)u->trades[i].price * u->trades[i].qty;
        l->traded_qty += (wide_t)u->trades[i].qty;
    }
    bool both = has_both(bbo);
    int64_t twice_mid = both ? bbo->price[0] + bbo->price[1] : 0;
    if (both == l->has_mid && twice_mid == l->twice_mid && (!both || twice_mid == l->twice_mark))
        return;
    add_mid(l, u->time_ns);
    l->has_mid = both;
    l->twice_mid = twice_mid;
    if (!both)
        return;
    mark(l, twice_mid);
    value(l, ledger);
}

/* ---- what it does ---- */

void result_log_order(result_log_t *l, const struct own_order *o, int64_t ahead, uint64_t now_ns)
{
    pass(l, now_ns);
    result_queue_order(l, o, ahead, now_ns);
}

void result_log_fill(result_log_t *l, const struct own_fill *f, const struct bbo_state *bbo,
                     const struct ledger *ledger, uint64_t now_ns)
{
    pass(l, now_ns);
    if (has_both(bbo))
        mark(l, bbo->price[0] + bbo->price[1]);
    value(l, ledger);
    result_queue_fill(l, f, now_ns);
    l->filled_qty += f->qty;
    l->fills = memory_grown(l->fills, l->fill_count, &l->fill_max, sizeof *l->fills);
    l->fills[l->fill_count++] = (struct result_fill){
        .time_ns = now_ns,
        .trade_id = f->trade_id,
        .order = f->order->number,
        .side = f->order->side,
        .maker = f->maker,
        .price = f->price,
        .qty = f->qty,
        .position = ledger->position,
    };
}

static char *copy(const char *words)
{
    char *text = strdup(words);
    CHECK(text != NULL);
    return text;
}

void result_log_note(result_log_t *l, uint64_t now_ns, const char *words)
{
    pass(l, now_ns);
    l->notes = memory_grown(l->notes, l->note_count, &l->note_max, sizeof *l->notes);
    l->notes[l->note_count++] = (struct result_note){now_ns, copy(words)};
}

void result_log_end(result_log_t *l, uint64_t now_ns, const char *why)
{
    if (l->ended)
        return;
    pass(l, now_ns);
    add_mid(l, l->now_ns);
    put_point(l, l->now_ns);
    if (l->now_ns == l->next_sample_ns)
        l->next_sample_ns += l->sample_ns;
    l->ended = true;
    l->why = copy(why);
}

/* ---- looking ---- */

const struct result_point *result_log_points(const result_log_t *l, size_t *count)
{
    *count = l->point_count;
    return l->points;
}

const struct result_fill *result_log_fills(const result_log_t *l, size_t *count)
{
    *count = l->fill_count;
    return l->fills;
}

const struct result_order *result_log_orders(const result_log_t *l, size_t *count)
{
    *count = l->order_count;
    return l->orders;
}

const struct result_note *result_log_notes(const result_log_t *l, size_t *count)
{
    *count = l->note_count;
    return l->notes;
}
