/* host_calls: a strategy's callbacks. One input causes what it causes in order, without recursion:
 * what a callback leads to waits for its turn, and there is an end to it, even with a strategy that
 * answers each refusal with another order. */
#include "base/check.h"
#include "strategy/strategy_host_parts.h"

void host_input(strategy_host_t *h, uint64_t now_ns)
{
    h->input++;
    if (now_ns > h->now_ns)
        h->now_ns = now_ns;
}

/* ---- one callback ---- */

static void overrun(trader_t *t)
{
    t->overrun = false;
    t->notice_count = 0;
    host_wake(t, 0);
    host_stop(t, "it was stopped after 4096 callbacks from one input: it answers itself");
}

bool host_call_begin(trader_t *t)
{
    _Static_assert(HOST_CALLS_MAX == 4096, "overrun() says the number");
    if (t->ended)
        return false;
    if (t->input != t->host->input) {
        t->input = t->host->input;
        t->calls = 0;
    }
    if (t->calls == HOST_CALLS_MAX) {
        overrun(t);
        return false;
    }
    t->calls++;
    t->callbacks++;
    return true;
}

void host_call_end(trader_t *t)
{
    const struct strategy_class *class = t->spec.class;
    host_orders_send(t);
    if (t->overrun)
        overrun(t);
    if (!t->stopping && class->is_done != NULL && class->is_done(t->state))
        host_stop(t, "it is done");
}

/* ---- what waits ---- */

static void notice_add(trader_t *t, const struct host_notice *n)
{
    if (t->ended || !t->host->started)
        return;
    if (t->notice_count == HOST_CALLS_MAX) {
        t->overrun = true; /* only its own refusals can be so many */
        return;
    }
    t->notices[(t->notice_head + t->notice_count++) % HOST_CALLS_MAX] = *n;
}

void host_tell_order(trader_t *t, const struct own_order *own)
{
    const struct strategy_host_owner *owner = &t->host->owner;
    if (owner->order != NULL)
        owner->order(owner->self, t->index, own);
    notice_add(t, &(struct host_notice){.order = *own});
}

void host_tell_fill(trader_t *t, const struct own_order *own, const struct own_event *e)
{
    const struct strategy_host_owner *owner = &t->host->owner;
    struct host_notice n = {
        .order = *own,
        .fill = {own, e->trade_id, e->price, e->qty, e->maker},
        .has_fill = true,
    };
    if (owner->fill != NULL) {
        struct bbo_state bbo = host_market_bbo(t->market);
        owner->fill(owner->self, t->index, &n.fill, &bbo);
    }
    notice_add(t, &n);
}

static void deliver(trader_t *t, struct host_notice *n)
{
    const struct strategy_class *class = t->spec.class;
    n->fill.order = &n->order;
    if ((n->has_fill ? class->on_fill == NULL : class->on_order == NULL) || !host_call_begin(t))
        return;
    if (n->has_fill)
        class->on_fill(t->state, t, &n->fill);
    else
        class->on_order(t->state, t, &n->order);
    host_call_end(t);
}

void host_settle(trader_t *t)
{
    const struct strategy_host_owner *owner = &t->host->owner;
    while (t->notice_count > 0) {
        struct host_notice n = t->notices[t->notice_head];
        t->notice_head = (t->notice_head + 1) % HOST_CALLS_MAX;
        t->notice_count--;
        deliver(t, &n);
    }
    if (t->ended || !t->stopping || t->working_count > 0)
        return;
    host_wake(t, 0);
    t->ended = true;
    if (owner->ended != NULL)
        owner->ended(owner->self, t->index, t->why);
}

/* ---- timers ---- */

static trader_t *first_due(const strategy_host_t *h)
{
    trader_t *first = &h->traders[0];
    for (unsigned i = 1; i < h->count; i++) {
        if (h->traders[i].wake_ns < first->wake_ns)
            first = &h->traders[i];
    }
    return first;
}

void host_wake(trader_t *t, uint64_t at_ns)
{
    uint64_t wake_ns = at_ns == 0 ? HOST_NEVER_NS : at_ns;
    if (t->wake_ns == wake_ns || t->ended)
        return;
    t->wake_ns = wake_ns;
    t->host->due_ns = first_due(t->host)->wake_ns;
}

void host_timers(strategy_host_t *h)
{
    while (h->started && h->due_ns <= h->now_ns) {
        trader_t *t = first_due(h);
        host_wake(t, 0);
        if (t->spec.class->on_timer != NULL && host_call_begin(t)) {
            t->spec.class->on_timer(t->state, t);
            host_call_end(t);
        }
        host_settle(t);
    }
}
