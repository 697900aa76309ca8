/* slicer: a parent order worked slice by slice, as a schedule says: what TWAP and VWAP are but for
 * their schedules.
 *
 *     WAIT ── begins ──> WORK ── ends, or all of it filled ──> END ── no child any more ──> WAIT
 *                                                                    the last one: done
 *
 * Passive: at a slice's end what is left of it crosses, IOC, as far as limit_price or at any price.
 * Aggressive: it takes the touch at its begin and each `pace` after. What a slice still did not get
 * is the schedule's to catch up with. It is done when all is filled, or the last slice is over;
 * then its words say what it did not get, and why. Thread: the host's. */
#ifndef OUTCRY_STRATEGY_SLICER_H
#define OUTCRY_STRATEGY_SLICER_H

#include "strategy/parent.h"
#include "strategy/schedule.h"

enum slicer_phase { SLICER_WAIT, SLICER_WORK, SLICER_END, SLICER_DONE };

struct slicer {
    struct parent parent;
    struct schedule schedule;
    uint32_t slice;
    enum slicer_phase phase;
};

/* Rows of a parameter table, PARENT_PARAMETERS among them; slicer_init reads them. */
#define SLICER_PARAMETERS(duration_default, slices_default)                                        \
    PARENT_PARAMETERS,                                                                             \
        {.name = "duration",                                                                       \
         .kind = PARAMETER_SECONDS,                                                                \
         .otherwise = duration_default,                                                            \
         .low = 0.001,                                                                             \
         .high = 604800,                                                                           \
         .unit = "s",                                                                              \
         .summary = "from its begin to its end"},                                                  \
        {.name = "slices",                                                                         \
         .kind = PARAMETER_COUNT,                                                                  \
         .otherwise = slices_default,                                                              \
         .low = 1,                                                                                 \
         .high = SCHEDULE_SLICES_MAX,                                                              \
         .summary = "how many parts of equal time"},                                               \
        {.name = "start_delay",                                                                    \
         .kind = PARAMETER_SECONDS,                                                                \
         .otherwise = "0",                                                                         \
         .low = 0,                                                                                 \
         .high = 604800,                                                                           \
         .unit = "s",                                                                              \
         .summary = "before its begin"},                                                           \
        {.name = "jitter",                                                                         \
         .kind = PARAMETER_NUMBER,                                                                 \
         .otherwise = "0",                                                                         \
         .low = 0,                                                                                 \
         .high = 0.95,                                                                             \
         .unit = "of a slice's time",                                                              \
         .summary = "by how much a slice may begin late"},                                         \
        {.name = "seed",                                                                           \
         .kind = PARAMETER_COUNT,                                                                  \
         .otherwise = "1",                                                                         \
         .low = 0,                                                                                 \
         .high = 9e15,                                                                             \
         .summary = "of the jitter"},                                                              \
    {                                                                                              \
        .name = "catch_up", .kind = PARAMETER_WORD, .otherwise = "next",                           \
        .words = "next|spread|none",                                                               \
        .summary = "what a slice did not get: into the next one, spread over the rest, dropped"    \
    }

/* From its trader's parameters, to begin now plus start_delay. Equal slices: set a profile in its
 * schedule for others, then call slicer_step. */
void slicer_init(struct slicer *s, const trader_t *t);

void slicer_step(struct slicer *s, trader_t *t);

/* Callbacks of a strategy whose state begins with its slicer. */
void slicer_on_market_data(void *self, trader_t *t, const struct market_update *u);
void slicer_on_order(void *self, trader_t *t, const struct own_order *o);
void slicer_on_timer(void *self, trader_t *t);

bool slicer_done(const struct slicer *s);
void slicer_describe(const struct slicer *s, char *text, size_t size);

#endif
