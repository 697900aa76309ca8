#include "strategy/pov.h"

#include <inttypes.h>
#include <stdio.h>

int64_t pov_goal(int64_t share_ppm, wide_t volume, int64_t quantity)
{
    wide_t goal = volume * share_ppm / POV_MILLION;
    return goal < quantity ? (int64_t)goal : quantity;
}

static void on_start(void *self, trader_t *t)
{
    struct pov *s = self;
    struct parent *p = &s->parent;
    parent_init(p, t);
    int64_t least = trader_number(t, "clip_min"), most = trader_number(t, "clip_max");
    int64_t usual = p->quantity / POV_CLIPS_DEFAULT;
    p->clip_min = least == PARAMETER_NONE ? 1 : least;
    p->clip_max = most == PARAMETER_NONE ? usual : most;
    if (p->clip_max < p->clip_min)
        p->clip_max = p->clip_min; /* the usual one is too small; check() sees to the others */
    s->share_ppm = (int64_t)(trader_real(t, "share") * POV_MILLION + 0.5);
    s->end_ns = trader_now_ns(t) + (uint64_t)trader_number(t, "duration");
    trader_wake(t, s->end_ns);
}

static void step(struct pov *s, trader_t *t)
{
    struct parent *p = &s->parent;
    uint64_t now_ns = trader_now_ns(t);
    s->over = s->over || now_ns >= s->end_ns;
    if (s->over) {
        parent_take(p, PARENT_TAKE_NOT);
        parent_aim(p, p->filled);
        parent_step(p, t);
        return;
    }
    parent_aim(p, pov_goal(s->share_ppm, s->volume, p->quantity));
    const struct own_order *o = p->child == 0 ? NULL : trader_order(t, p->child);
    bool rests = o != NULL && o->state == OWN_WORKING && o->time_in_force == TIME_IN_FORCE_GTC;
    if (rests && p->goal - p->filled - o->open_qty >= p->clip_max)
        parent_take(p, PARENT_TAKE_TOUCH);
    parent_step(p, t);
    uint64_t due_ns = parent_due_ns(p, now_ns);
    trader_wake(t, due_ns < s->end_ns ? due_ns : s->end_ns);
}

static void on_market_data(void *self, trader_t *t, const struct market_update *u)
{
    struct pov *s = self;
    for (size_t i = 0; i < u->trade_count; i++)
        s->volume += u->trades[i].qty;
    step(s, t);
}

static void on_order(void *self, trader_t *t, const struct own_order *o)
{
    struct pov *s = self;
    parent_order(&s->parent, t, o);
    step(s, t);
}

static void on_timer(void *self, trader_t *t)
{
    step(self, t);
}

static bool is_done(const void *self)
{
    const struct pov *s = self;
    const struct parent *p = &s->parent;
    return p->quantity > 0 && (p->filled == p->quantity || (s->over && parent_idle(p)));
}

static void describe(const void *self, char *text, size_t size)
{
    const struct pov *s = self;
    char did[120], why[240];
    double volume = (double)s->volume;
    double share = volume > 0 ? 100 * (double)s->parent.filled / volume : 0;
    parent_describe(&s->parent, did, sizeof did);
    parent_obstacle_words(&s->parent, why, sizeof why);
    const char *how = s->over ? "its time is over" : "not finished";
    if (s->parent.filled == s->parent.quantity)
        how = "done";
    snprintf(text, size, "%s, %.2f %% of %.0f traded, %s%s", did, share, volume, how, why);
}

static bool check(const struct parameters *p, char error[PARAMETER_ERROR_SIZE])
{
    const struct parameter_value *least = parameters_get(p, "clip_min");
    const struct parameter_value *most = parameters_get(p, "clip_max");
    if (least->number == 0 || most->number == 0) {
        snprintf(error, PARAMETER_ERROR_SIZE, "%s: found 0, expected a quantity above zero",
                 least->number == 0 ? "clip_min" : "clip_max");
        return false;
    }
    if (most->number != PARAMETER_NONE && least->number > most->number) {
        snprintf(error, PARAMETER_ERROR_SIZE,
                 "clip_min: found \"%.60s\", expected at most clip_max, which is %.60s",
                 least->text, most->text);
        return false;
    }
    return parent_check(p, error);
}

static const struct parameter parameters[] = {
    PARENT_PARAMETERS,
    {.name = "share",
     .kind = PARAMETER_NUMBER,
     .otherwise = "0.1",
     .low = 0.000001,
     .high = 0.95,
     .unit = "of all that is traded, its own included",
     .summary = "never above it"},
    {.name = "duration",
     .kind = PARAMETER_SECONDS,
     .otherwise = "3600",
     .low = 0.001,
     .high = 604800,
     .unit = "s",
     .summary = "after which it ends, whatever it has"},
    {.name = "clip_min",
     .kind = PARAMETER_QUANTITY,
     .otherwise = "none",
     .low = 0,
     .high = 1e15,
     .unit = "of the base currency",
     .summary = "the smallest order but for the last; none: a lot"},
    {.name = "clip_max",
     .kind = PARAMETER_QUANTITY,
     .otherwise = "none",
     .low = 0,
     .high = 1e15,
     .unit = "of the base currency",
     .summary = "the largest one; none: a twentieth of quantity"},
    {.name = NULL},
};

const struct strategy_class pov_class = {
    .abi = STRATEGY_ABI,
    .name = "pov",
    .summary = "buys or sells a quantity as a share of what is traded",
    .parameters = parameters,
    .state_size = sizeof(struct pov),
    .check = check,
    .on_start = on_start,
    .on_market_data = on_market_data,
    .on_order = on_order,
    .on_timer = on_timer,
    .is_done = is_done,
    .describe = describe,
};
