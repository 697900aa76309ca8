/* engine_run: one engine on its way through a flow of flow.h, timed, as a matcher drives it.
 *
 * Commands are a client's: with an origin, so that exactly-once is paid for (the lookup of its name
 * and 24 bytes kept for each command), an account, no client order id; cancels and amends name
 * their order by the order_id an earlier event told. */
#ifndef OUTCRY_BENCH_ENGINE_RUN_H
#define OUTCRY_BENCH_ENGINE_RUN_H

#include "base/histogram.h"
#include "engine/engine.h"
#include "floor_book.h"

/* Those of a shard by default, but for accounts, symbols and origins, of which there is one. */
extern const struct configure engine_run_limits;

struct engine_run {
    engine_t *engine;
    const struct flow *flow;
    uint64_t *order_ids; /* by ref; 0: not known yet */
    struct command *batch;
    uint64_t seq;
    uint64_t origin_seq;
    uint64_t executed_lots;
    uint64_t sum; /* of whatever events say, so that they are read */
    uint64_t spent_ns;
    struct histogram *latencies; /* NULL: only the batches are timed */
};

/* A new engine that has lived, with the flow's preload applied.
 *
 * KEEPS flow. KEEPS latencies, if not NULL: each command is then timed into it, one by one. */
void engine_run_begin(struct engine_run *run, const struct flow *flow, struct histogram *latencies);
void engine_run_end(struct engine_run *run);

/* The timed part of the flow; how long it took is in spent_ns, unless latencies are taken. */
void engine_run_flow(struct engine_run *run);

/* Whether the engine executed floor_lots and its book holds what the floor's holds: each order in
 * its place, with its price and quantity. If not, says so on stderr. */
bool engine_run_agrees(const struct engine_run *run, floor_book_t *floor_book, int64_t floor_lots);

#endif
