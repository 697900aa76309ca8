/* parent: an order that is too large to be sent at once, and its child: the one order by which it
 * works just now. What is sent when is its owner's (slicer.h, pov.h); how it is worked is here:
 *
 *     passive      rests at the best price of its side (touch.h), never beyond limit_price, and
 *                  follows it; when it may not (it would trade at once) it is pulled
 *     aggressive   takes what the other side shows at its best price, IOC; what it did not get it
 *                  tries again `pace` later
 *
 * It has one child at a time. An amend keeps what the child is in all, so what is filled while it
 * is on its way does not come on top: whatever is on its way, filled + the child's open quantity is
 * never more than the goal, and the goal never more than the quantity.
 *
 * An order that was refused, or cancelled by somebody else, is not sent again before `pace` is
 * over. Pure, but for what it does to
 * its trader. Thread: the host's. */
#ifndef OUTCRY_STRATEGY_PARENT_H
#define OUTCRY_STRATEGY_PARENT_H

#include "strategy/strategy.h"

enum parent_style { PARENT_PASSIVE, PARENT_AGGRESSIVE }; /* as PARENT_PARAMETERS names them */

/* Why it did not get all, as far as it knows: the last one counts. */
enum parent_obstacle {
    PARENT_FREE,
    PARENT_NO_LIQUIDITY, /* nothing to take, or not enough, or nobody came */
    PARENT_LIMIT_PRICE,  /* the market was beyond limit_price */
    PARENT_REFUSED,      /* by the host or the exchange */
    PARENT_STOPPED,      /* the strategy was, or its order cancelled from outside */
};

enum parent_take {
    PARENT_TAKE_NOT,
    PARENT_TAKE_TOUCH, /* at the best price of the other side */
    PARENT_TAKE_ALL,   /* as far as limit_price, or at any price */
};

struct parent {
    enum side side;
    enum parent_style style;
    int64_t limit_price; /* PARAMETER_NONE: any */
    uint64_t pace_ns;
    int64_t quantity; /* lots, all in all */
    int64_t clip_min; /* lots of a child: it waits until there are so many to do, or the rest */
    int64_t clip_max;
    int64_t goal;   /* lots: it works towards so many filled */
    int64_t filled; /* lots */
    uint32_t child; /* 0: none */
    int64_t child_filled;
    bool pulling; /* the child was cancelled by us */
    enum parent_take take;
    uint64_t ready_ns; /* no child before that */
    uint64_t children, refusals;
    enum parent_obstacle obstacle;
    uint8_t refusal; /* the last one: enum own_refusal */
    uint16_t reason; /* or enum reason */
};

/* Rows of a parameter table; parent_init reads them. */
#define PARENT_PARAMETERS                                                                          \
    {.name = "side", .kind = PARAMETER_WORD, .words = "buy|sell", .summary = "what to do"},        \
        {.name = "quantity",                                                                       \
         .kind = PARAMETER_QUANTITY,                                                               \
         .low = 0,                                                                                 \
         .high = 1e15,                                                                             \
         .unit = "of the base currency",                                                           \
         .summary = "how much of it, all in all"},                                                 \
        {.name = "style",                                                                          \
         .kind = PARAMETER_WORD,                                                                   \
         .otherwise = "passive",                                                                   \
         .words = "passive|aggressive",                                                            \
         .summary = "rest at the best price, or take the other side's"},                           \
        {.name = "limit_price",                                                                    \
         .kind = PARAMETER_PRICE,                                                                  \
         .otherwise = "none",                                                                      \
         .low = -1e15,                                                                             \
         .high = 1e15,                                                                             \
         .unit = "of the quote currency",                                                          \
         .summary = "never pay more, or sell for less"},                                           \
    {                                                                                              \
        .name = "pace", .kind = PARAMETER_SECONDS, .otherwise = "1", .low = 0.001, .high = 3600,   \
        .unit = "s", .summary = "between two attempts at taking, and after a refusal"              \
    }

/* From its trader's parameters; without clips. */
void parent_init(struct parent *p, const trader_t *t);

/* The check of what PARENT_PARAMETERS cannot say alone: a quantity above zero. */
bool parent_check(const struct parameters *parameters, char error[PARAMETER_ERROR_SIZE]);

/* Work towards so many filled lots, at most its quantity. Below what is filled and in the child:
 * the child is pulled. */
void parent_aim(struct parent *p, int64_t goal);

/* Take what is left to the goal, once: the child is pulled, and when it is gone an IOC is sent. */
void parent_take(struct parent *p, enum parent_take take);

/* What its trader's callbacks say of its child; then step. */
void parent_order(struct parent *p, const trader_t *t, const struct own_order *o);

/* Do what is to be done now. To be called after everything that may have changed. */
void parent_step(struct parent *p, trader_t *t);

/* No child, and none that it is about to take with. */
bool parent_idle(const struct parent *p);

/* When it wants to be called again whatever happens; UINT64_MAX: it does not. */
uint64_t parent_due_ns(const struct parent *p, uint64_t now_ns);

/* "bought 300 of 1000 lots"; and ", 700 not: there was nothing to take", or nothing. */
void parent_describe(const struct parent *p, char *text, size_t size);
void parent_obstacle_words(const struct parent *p, char *text, size_t size);

#endif
