#include "strategy/twap.h"

static void on_start(void *self, trader_t *t)
{
    struct twap *s = self;
    slicer_init(&s->slicer, t);
    slicer_step(&s->slicer, t);
}

static bool is_done(const void *self)
{
    return slicer_done(&((const struct twap *)self)->slicer);
}

static void describe(const void *self, char *text, size_t size)
{
    slicer_describe(&((const struct twap *)self)->slicer, text, size);
}

static const struct parameter parameters[] = {SLICER_PARAMETERS("600", "10"), {.name = NULL}};

const struct strategy_class twap_class = {
    .abi = STRATEGY_ABI,
    .name = "twap",
    .summary = "buys or sells a quantity in equal slices of time",
    .parameters = parameters,
    .state_size = sizeof(struct twap),
    .check = parent_check,
    .on_start = on_start,
    .on_market_data = slicer_on_market_data,
    .on_order = slicer_on_order,
    .on_timer = slicer_on_timer,
    .is_done = is_done,
    .describe = describe,
};
