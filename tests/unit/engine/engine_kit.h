/* engine_kit: what the engine's tests have in common: an engine with two symbols, and commands in
 * one line each. */
#ifndef OUTCRY_UNIT_ENGINE_KIT_H
#define OUTCRY_UNIT_ENGINE_KIT_H

#include "engine/engine.h"

#define KIT_SYMBOL "BTC-USD" /* its prices are above zero */
#define KIT_SPREAD "SPREAD"  /* its prices are anything */

struct kit {
    engine_t *engine;
    uint64_t time_ns; /* of the next command */
};

/* Limits that are in nobody's way. */
struct configure kit_limits(void);

/* Begin a history: the limits, then the two symbols. */
void kit_open(struct kit *k, const struct configure *limits, uint64_t hash_seed);
void kit_close(struct kit *k);

/* The command happens; its code. */
enum reason kit_apply(struct kit *k, const struct command *c);

/* A GTC limit order on KIT_SYMBOL, self-trade prevention off, to be changed at will. "" for no
 * label. */
struct command kit_new(const char *account, const char *label, enum side side, int64_t price,
                       int64_t qty);
struct command kit_cancel(const char *account, uint64_t order_id);
struct command kit_amend(const char *account, uint64_t order_id, int64_t open_qty, int64_t price);
struct command kit_mass_cancel(const char *account);

/* The same and kit_apply() in one; the order_id of the result. The code must be 0. */
uint64_t kit_place(struct kit *k, const char *account, const char *label, enum side side,
                   int64_t price, int64_t qty);

/* continue_work until nothing waits; how many it took. */
unsigned kit_continue(struct kit *k);

/* The place of a command in an origin's sequence. */
struct envelope kit_envelope(const char *origin, uint64_t epoch, uint64_t seq, uint64_t acked);

struct outcome kit_outcome(const struct kit *k);
size_t kit_event_count(const struct kit *k);
size_t kit_open_count(struct kit *k, const char *account);
size_t kit_finished_count(struct kit *k, const char *account);

#endif
