/* venue_parts: what a venue is made of. For its own files only.
 *
 *     venue.c          time: what happens next
 *     venue_orders.c   commands: recorded ones and ours, into the engine
 *     queue_model.c    levels and trades, as commands
 *     upcoming.h seq_map.h order_queue.h news.h delay.h */
#ifndef OUTCRY_BACKTEST_VENUE_PARTS_H
#define OUTCRY_BACKTEST_VENUE_PARTS_H

#include "backtest/news.h"
#include "backtest/order_queue.h"
#include "backtest/upcoming.h"

struct venue {
    struct venue_options options;
    struct strategy_host_owner owner; /* who made us */
    engine_t *engine;
    strategy_host_t *host;
    struct text without; /* account left out; empty: none */
    uint64_t now_ns;
    uint64_t end_ns; /* of the recording */
    bool started, stopped;
    uint64_t moment_ns, moment_count; /* of the last command of ours: how many there were then */
    bool changed;                     /* it is no longer the recorded history */
    struct upcoming upcoming;
    struct seq_map seqs;
    struct order_queue orders;
    struct delay order_delay;
    struct news news;
    struct venue_counts counts;
};

/* ---- venue_orders.c ---- */

/* The limits the engine needs: the recording's, and room for ours. */
struct configure venue_limits(const recording_t *recording, unsigned strategy_count);

/* The first commands of a history, which are not recorded. */
void venue_begin(venue_t *v);

/* One command at the time it is now, and if it leaves work over, that; what they did is gathered
 * as news, of which nothing is sent. What an IOC order did not get is counted. */
void venue_apply(venue_t *v, const struct command *c);

/* A recorded command happens; the next of ours does. */
void venue_recorded(venue_t *v, struct recorded *e);
void venue_ours(venue_t *v);

/* A strategy sends: the host's owner. */
void venue_command(void *self, unsigned strategy, struct command *c);

/* ---- queue_model.c ---- */

/* A recorded level or trade happens. */
void queue_model_update(venue_t *v, const struct recorded *e);

#endif
