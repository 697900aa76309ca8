/* matcher: the one writer of a shard's symbols: sequences commands, matches, publishes.
 *
 *     commands ─ receive ─> admit (its origin's order) ─> engine_apply ─> journal batch
 *                                                            │
 *                             private.c: results and orders  ├─> private publisher  ack. acct.
 *                             public.c:  the book, order by order ─> public publisher  l3.
 *
 * The engine steps while the batch is being collected, because only then is it known which
 * commands leave work over: its continue_work commands are sequenced right behind them, before
 * anything else. What follows from the batch waits in the outbox until the batch is committed, so
 * nobody hears of what is not in the journal.
 *
 * A step function (node/service.h). Thread: one. */
#ifndef OUTCRY_MATCHER_MATCHER_H
#define OUTCRY_MATCHER_MATCHER_H

#include "engine/engine.h"
#include "node/service.h"

typedef struct matcher matcher_t;

/* The node's inputs and outputs, in this order. */
enum { MATCHER_INPUT_COMMANDS, MATCHER_INPUT_REQUESTS };
enum { MATCHER_OUTPUT_PRIVATE, MATCHER_OUTPUT_PUBLIC };

struct matcher_options {
    struct configure limits;
    uint64_t epoch;
    uint64_t hash_seed; /* see engine_new() */
    uint64_t heartbeat_ns;
    uint32_t batch_commands_max;
    uint32_t batch_origin_max;
    size_t kept_size;             /* bytes of frames each publisher keeps */
    const char *requests_address; /* told in heartbeats; at most ADDRESS_SIZE_MAX */
};

/* The symbols come into being by commands of their own, the first of the history. KEEPS nothing.
 * symbol_count: 1..limits.symbols_max. */
matcher_t *matcher_new(const struct matcher_options *options, const struct add_symbol *symbols,
                       unsigned symbol_count);
void matcher_destroy(matcher_t **m);

/* Its step functions. BORROWS m for as long as they are used. */
struct service matcher_service(matcher_t *m);

/* For reading only. */
const engine_t *matcher_engine(const matcher_t *m);

struct matcher_counts {
    uint64_t commands; /* sequenced */
    uint64_t batches;
    uint64_t repeats;          /* commands answered with their first result */
    uint64_t gaps;             /* commands that came before ones that are missing */
    uint64_t refused;          /* commands that could not be sequenced */
    uint64_t garbage;          /* messages nobody could read */
    uint64_t foreign;          /* messages of another protocol version */
    uint64_t requests_garbage; /* requests nobody could read, of either kind */
};
struct matcher_counts matcher_counts(const matcher_t *m);

#endif
