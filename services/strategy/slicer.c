#include "strategy/slicer.h"

#include <inttypes.h>

void slicer_init(struct slicer *s, const trader_t *t)
{
    *s = (struct slicer){.phase = SLICER_WAIT};
    parent_init(&s->parent, t);
    s->schedule = (struct schedule){
        .quantity = s->parent.quantity,
        .slices = (uint32_t)trader_number(t, "slices"),
        .start_ns = trader_now_ns(t) + (uint64_t)trader_number(t, "start_delay"),
        .duration_ns = (uint64_t)trader_number(t, "duration"),
        .jitter = trader_real(t, "jitter"),
        .seed = (uint64_t)trader_number(t, "seed"),
        .catch_up = (enum catch_up)trader_number(t, "catch_up"),
    };
}

bool slicer_done(const struct slicer *s)
{
    return s->phase == SLICER_DONE;
}

/* ---- phases; each says whether the next one is to be looked at right now ---- */

static bool wait_for_slice(struct slicer *s, uint64_t now_ns)
{
    if (now_ns < schedule_begin_ns(&s->schedule, s->slice))
        return false;
    struct parent *p = &s->parent;
    parent_aim(p, p->filled + schedule_quantity(&s->schedule, s->slice, p->filled));
    s->phase = SLICER_WORK;
    return true;
}

static bool work(struct slicer *s, uint64_t now_ns)
{
    struct parent *p = &s->parent;
    bool filled = p->filled == p->goal && parent_idle(p);
    if (!filled && now_ns < schedule_boundary_ns(&s->schedule, s->slice + 1))
        return false;
    if (p->style == PARENT_PASSIVE)
        parent_take(p, PARENT_TAKE_ALL);
    else if (parent_idle(p))
        parent_aim(p, p->filled); /* no further attempt */
    s->phase = SLICER_END;
    return true;
}

static bool end(struct slicer *s)
{
    struct parent *p = &s->parent;
    if (!parent_idle(p))
        return false;
    parent_aim(p, p->filled);
    s->slice++;
    bool last = s->slice == s->schedule.slices || p->filled == p->quantity;
    s->phase = last ? SLICER_DONE : SLICER_WAIT;
    return true;
}

static bool advance(struct slicer *s, trader_t *t)
{
    switch (s->phase) {
    case SLICER_WAIT:
        return wait_for_slice(s, trader_now_ns(t));
    case SLICER_WORK:
        if (work(s, trader_now_ns(t)))
            return true;
        parent_step(&s->parent, t);
        return false;
    case SLICER_END:
        if (end(s))
            return true; /* what it did not get by taking is not to rest again */
        parent_step(&s->parent, t);
        return end(s);
    case SLICER_DONE:
        break;
    }
    return false;
}

/* When something is due though nothing happens. */
static uint64_t due_ns(const struct slicer *s, uint64_t now_ns)
{
    uint64_t slice_ns = s->phase == SLICER_WAIT ? schedule_begin_ns(&s->schedule, s->slice)
                                                : schedule_boundary_ns(&s->schedule, s->slice + 1);
    uint64_t parent_ns = parent_due_ns(&s->parent, now_ns);
    if (s->phase == SLICER_END)
        return parent_ns == UINT64_MAX ? 0 : parent_ns;
    return slice_ns < parent_ns ? slice_ns : parent_ns;
}

void slicer_step(struct slicer *s, trader_t *t)
{
    while (advance(s, t))
        ;
    trader_wake(t, slicer_done(s) ? 0 : due_ns(s, trader_now_ns(t)));
}

void slicer_on_market_data(void *self, trader_t *t, const struct market_update *u)
{
    (void)u;
    slicer_step(self, t);
}

void slicer_on_order(void *self, trader_t *t, const struct own_order *o)
{
    struct slicer *s = self;
    parent_order(&s->parent, t, o);
    slicer_step(s, t);
}

void slicer_on_timer(void *self, trader_t *t)
{
    slicer_step(self, t);
}

void slicer_describe(const struct slicer *s, char *text, size_t size)
{
    char did[120], why[240];
    parent_describe(&s->parent, did, sizeof did);
    parent_obstacle_words(&s->parent, why, sizeof why);
    const char *how = slicer_done(s) ? "done" : "not finished";
    if (slicer_done(s) && s->parent.filled < s->parent.quantity)
        how = "its time is over";
    snprintf(text, size, "%s in %" PRIu32 " of %" PRIu32 " slices, %s%s", did, s->slice,
             s->schedule.slices, how, why);
}
