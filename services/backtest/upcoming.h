/* upcoming: the next few of a recording, read ahead of their turn, so that the memory they will
 * touch in the engine is asked for meanwhile, as the matcher does (services/matcher/ahead.h). */
#ifndef OUTCRY_BACKTEST_UPCOMING_H
#define OUTCRY_BACKTEST_UPCOMING_H

#include "backtest/seq_map.h"
#include "backtest/venue.h"

enum { UPCOMING_MAX = 16 };

struct upcoming {
    struct recording_cursor cursor;
    const struct seq_map *seqs;
    uint64_t shard;
    bool commands; /* not levels */
    bool more;     /* the recording has more than is here */
    unsigned first, count;
    struct recorded entries[UPCOMING_MAX];
};

/* KEEPS recording and seqs. */
void upcoming_init(struct upcoming *u, const recording_t *recording, const struct seq_map *seqs);

/* When the next one is; UINT64_MAX: there is none. */
static inline uint64_t upcoming_ns(const struct upcoming *u)
{
    return u->count == 0 ? UINT64_MAX : u->entries[u->first].time_ns;
}

/* The next one. There is one; good until the next call of upcoming_pop. */
static inline struct recorded *upcoming_first(struct upcoming *u)
{
    return &u->entries[u->first];
}

/* It is over. */
void upcoming_pop(struct upcoming *u, const engine_t *engine);

/* The order_id a recorded command means, as it is now. */
uint64_t upcoming_order_id(const struct upcoming *u, uint64_t recorded_id);

#endif
