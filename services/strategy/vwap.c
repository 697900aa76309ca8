#include "strategy/vwap.h"

#include <stdio.h>
#include <string.h>

enum vwap_fit { VWAP_CLOCK, VWAP_STRETCH }; /* as the parameter names them */

/* Into the profile; false with error. name: the parameter's, not `none`. */
static bool load(struct profile *p, const char *name, char error[PROFILE_ERROR_SIZE])
{
    if (strcmp(name, "default") != 0)
        return profile_read(p, name, error);
    profile_default(p);
    return true;
}

/* Bins where they are at their time of day, or all of them over the duration. */
static void fit(struct vwap *s, const trader_t *t)
{
    struct schedule *schedule = &s->slicer.schedule;
    int64_t open = trader_number(t, "open");
    uint64_t begin = profile_begin_ns(&s->profile);
    if (trader_number(t, "profile_fit") == VWAP_STRETCH) {
        schedule->profile_from_ns = begin;
        schedule->profile_span_ns = profile_span_ns(&s->profile);
        return;
    }
    uint64_t moved = open == PARAMETER_NONE ? 0 : PROFILE_DAY_NS + begin - (uint64_t)open;
    schedule->profile_from_ns = (schedule->start_ns % PROFILE_DAY_NS + moved) % PROFILE_DAY_NS;
    schedule->profile_span_ns = schedule->duration_ns;
}

static void take_profile(struct vwap *s, trader_t *t, const char *name)
{
    struct schedule *schedule = &s->slicer.schedule;
    schedule->profile = &s->profile;
    fit(s, t);
    bool is_default = strcmp(name, "default") == 0;
    if (profile_share(&s->profile, schedule->profile_from_ns, schedule->profile_span_ns) > 0) {
        snprintf(s->source, sizeof s->source, "volume profile: %s%.255s", is_default ? "" : "from ",
                 is_default ? "default (US stocks, 37 symbol-days, 5 minutes a bin)" : name);
        return;
    }
    schedule->profile = NULL;
    snprintf(s->source, sizeof s->source,
             "volume profile: nothing in these hours: behaves as TWAP (open, profile_fit)");
}

static void on_start(void *self, trader_t *t)
{
    struct vwap *s = self;
    char error[PROFILE_ERROR_SIZE];
    const char *name = trader_text(t, "profile");
    slicer_init(&s->slicer, t);
    if (strcmp(name, "none") == 0) {
        snprintf(s->source, sizeof s->source, "volume profile: none: behaves as TWAP");
    } else if (load(&s->profile, name, error)) {
        take_profile(s, t, name);
    } else {
        s->failed = true;
        snprintf(s->source, sizeof s->source, "volume profile: %.300s", error);
    }
    trader_log(t, "%s", s->source);
    if (!s->failed)
        slicer_step(&s->slicer, t);
}

static bool is_done(const void *self)
{
    const struct vwap *s = self;
    return s->failed || slicer_done(&s->slicer);
}

static void describe(const void *self, char *text, size_t size)
{
    const struct vwap *s = self;
    char did[360];
    slicer_describe(&s->slicer, did, sizeof did);
    snprintf(text, size, "%s; %s", s->source, did);
}

static bool check(const struct parameters *p, char error[PARAMETER_ERROR_SIZE])
{
    struct profile profile;
    char why[PROFILE_ERROR_SIZE];
    const char *name = parameters_get(p, "profile")->text;
    if (name[0] == '\0') {
        snprintf(error, PARAMETER_ERROR_SIZE,
                 "profile: found \"\", expected default, none or a file");
        return false;
    }
    if (strcmp(name, "none") != 0 && !load(&profile, name, why)) {
        snprintf(error, PARAMETER_ERROR_SIZE, "profile: %.490s", why);
        return false;
    }
    return parent_check(p, error);
}

static const struct parameter parameters[] = {
    SLICER_PARAMETERS("3600", "12"),
    {.name = "profile",
     .kind = PARAMETER_FILE,
     .otherwise = "default",
     .unit = "(default, none or a CSV file: bin_start,share)",
     .summary = "how the day's volume is spread over it"},
    {.name = "profile_fit",
     .kind = PARAMETER_WORD,
     .otherwise = "clock",
     .words = "clock|stretch",
     .summary = "bins at their time of day, or the whole profile over the duration"},
    {.name = "open",
     .kind = PARAMETER_SECONDS,
     .otherwise = "none",
     .low = 0,
     .high = 86399,
     .unit = "s after midnight UTC",
     .summary = "when the profile begins; none: when its first bin says (default profile: 34200)"},
    {.name = NULL},
};

const struct strategy_class vwap_class = {
    .abi = STRATEGY_ABI,
    .name = "vwap",
    .summary = "buys or sells a quantity in slices as the day's volume has them",
    .parameters = parameters,
    .state_size = sizeof(struct vwap),
    .check = check,
    .on_start = on_start,
    .on_market_data = slicer_on_market_data,
    .on_order = slicer_on_order,
    .on_timer = slicer_on_timer,
    .is_done = is_done,
    .describe = describe,
};
