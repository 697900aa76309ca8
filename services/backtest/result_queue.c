/* result_queue: each order of a run, and what became of it in its queue. An order is told of twice
 * for a trade: as it stands after it (result_queue_order), then the fill. */
#include <stdlib.h>

#include "backtest/result_parts.h"
#include "base/check.h"
#include "base/memory.h"
#include "proto/catalog.h"

static const double NS_PER_SECOND = 1e9;

/* By number, with gaps of number 0: a refusal of a later order may be told before an earlier one
 * has its answer. */
static struct result_order *order_of(result_log_t *l, uint32_t number)
{
    CHECK(number > 0);
    while (l->order_count < number) {
        l->orders = memory_grown(l->orders, l->order_count, &l->order_max, sizeof *l->orders);
        l->orders[l->order_count++] = (struct result_order){.number = 0};
    }
    return &l->orders[number - 1];
}

static bool rejected(const struct own_order *o)
{
    return o->state == OWN_DONE && o->filled_qty == 0 && catalog_reject_find(o->reason) != NULL;
}

static bool may_rest(const struct own_order *o)
{
    return o->type == ORDER_TYPE_LIMIT && o->time_in_force == TIME_IN_FORCE_GTC;
}

static void count_placed(result_log_t *l, const struct result_order *before,
                         const struct own_order *o)
{
    bool fresh = before->number == 0;
    bool refused = o->state == OWN_DONE && (o->refusal != OWN_REFUSED_NOT || rejected(o));
    if (refused && before->state == OWN_DONE)
        return;
    if (!fresh && refused && before->state == OWN_SENT)
        l->placed_qty -= before->qty;
    else if (!refused && fresh)
        l->placed_qty += o->qty;
    else if (!refused && o->qty > before->qty)
        l->placed_qty += o->qty - before->qty;
    if (refused && o->refusal == OWN_REFUSED_NOT && (fresh || before->state == OWN_SENT))
        l->rejected++;
}

void result_queue_order(result_log_t *l, const struct own_order *o, int64_t ahead, uint64_t now_ns)
{
    struct result_order *mine = order_of(l, o->number);
    count_placed(l, mine, o);
    if (mine->number == 0)
        *mine = (struct result_order){.number = o->number, .ahead = -1};
    if (o->state == OWN_WORKING && may_rest(o) && mine->rested_ns == 0)
        mine->rested_ns = now_ns;
    if (o->state == OWN_WORKING && mine->rested_ns == now_ns && mine->filled_ns == 0)
        mine->ahead = ahead;
    mine->placed_ns = o->placed_ns;
    mine->done_ns = o->state == OWN_DONE ? o->done_ns : 0;
    mine->side = o->side;
    mine->type = o->type;
    mine->time_in_force = o->time_in_force;
    mine->state = o->state;
    mine->refusal = o->refusal;
    mine->post_only = o->post_only;
    mine->reason = o->reason;
    mine->price = o->price;
    mine->qty = o->qty;
    mine->filled_qty = o->filled_qty;
}

void result_queue_fill(result_log_t *l, const struct own_fill *f, uint64_t now_ns)
{
    struct result_order *mine = order_of(l, f->order->number);
    if (mine->filled_ns != 0)
        return;
    bool arriving = !f->maker && (mine->rested_ns == 0 || mine->rested_ns == now_ns);
    if (arriving && may_rest(f->order)) {
        if (f->order->state == OWN_WORKING)
            return; /* its rest begins with what is left */
        mine->rested_ns = 0;
        mine->ahead = -1;
    }
    mine->filled_ns = now_ns;
}

/* ---- figures ---- */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static struct real_or_nil median(double *values, size_t count)
{
    if (count == 0)
        return (struct real_or_nil){0, false};
    qsort(values, count, sizeof *values, ascending);
    double upper = values[count / 2];
    double lower = count % 2 == 1 ? upper : values[count / 2 - 1];
    return (struct real_or_nil){(lower + upper) / 2, true};
}

static void drop_gaps(result_log_t *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->order_count; i++)
        if (l->orders[i].number != 0)
            l->orders[kept++] = l->orders[i];
    l->order_count = kept;
}

void result_queue_finish(result_log_t *l, struct result_figures *f)
{
    drop_gaps(l);
    double *ahead = calloc(l->order_count + 1, sizeof *ahead);
    double *wait_s = calloc(l->order_count + 1, sizeof *wait_s);
    CHECK(ahead != NULL && wait_s != NULL);
    size_t rested = 0, known = 0, filled = 0;
    for (size_t i = 0; i < l->order_count; i++) {
        const struct result_order *o = &l->orders[i];
        if (o->rested_ns == 0)
            continue;
        rested++;
        if (o->ahead >= 0)
            ahead[known++] = (double)o->ahead;
        if (o->filled_ns != 0)
            wait_s[filled++] = (double)(o->filled_ns - o->rested_ns) / NS_PER_SECOND;
    }
    f->queue_ahead_median = median(ahead, known);
    f->queue_wait_median_s = median(wait_s, filled);
    if (rested > 0)
        f->queue_filled_share = (struct real_or_nil){(double)filled / (double)rested, true};
    free(ahead);
    free(wait_s);
}
