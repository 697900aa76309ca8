/* recording: what others did on one symbol's market, in memory, ready to be done again: the
 * recorded commands in their order, or, where only levels were recorded, the levels.
 *
 *     journal, LOBSTER, CSV ─ (cli/backtest_history.c) ─> recording ─> venue.h
 *
 * Commands are held by the codec of proto/command.h, so a day takes less memory than its journal;
 * they are read again as they are needed. Of their envelopes only the deadline is kept: nobody
 * waits for their results, and what an origin could not have sent was not sequenced. After
 * recording_seal it does not change, and may be shared by as many back-tests as there are (sweep.h
 * forks). Thread: one writer, then any number of readers. */
#ifndef OUTCRY_BACKTEST_RECORDING_H
#define OUTCRY_BACKTEST_RECORDING_H

#include "proto/command.h"
#include "strategy/strategy_host.h"

enum recording_kind {
    RECORDING_COMMANDS, /* exact mode */
    RECORDING_LEVELS,   /* queue model */
};

typedef struct recording recording_t;

/* limits: of the engine that ran it, or that is to. */
recording_t *recording_new(enum recording_kind kind, const struct configure *limits,
                           const struct strategy_symbol *symbol);
void recording_destroy(recording_t **r);

/* What happened next. time_ns never goes back (CHECKed: readers of files refuse that with file and
 * line before). row: of the source, from 1, for checks and complaints. seq: where it was sequenced
 * when recorded, ascending, 0: it was not; what is named by order_id is found by that. Symbols come
 * in the order they were added (MESSAGE_ADD_SYMBOL); if ours is not among them it is there from the
 * beginning. Other internal commands are passed over: work left over goes on by itself. What no
 * codec could have read (texts too long) is malformed, as it would be from a client. */
void recording_command(recording_t *r, uint64_t time_ns, uint64_t row, uint64_t seq,
                       const struct command *c);

/* RECORDING_LEVELS: a level holds this much now (0: nothing), or a trade: the side of the
 * aggressor. */
void recording_level(recording_t *r, uint64_t time_ns, uint64_t row, enum side side, int64_t price,
                     int64_t qty);
void recording_trade(recording_t *r, uint64_t time_ns, uint64_t row, enum side aggressor,
                     int64_t price, int64_t qty);

/* The digest of all books behind the last command, as a journal's batch says; compared while no
 * order of ours was placed (venue_counts.digests). A batch that ends within work left over has none
 * that could be compared: a continue_work behind it takes it back. */
void recording_digest(recording_t *r, uint64_t books_hash);

void recording_seal(recording_t *r);

/* ---- reading it ---- */

enum recording_kind recording_kind_of(const recording_t *r);
const struct configure *recording_limits(const recording_t *r);
const struct strategy_symbol *recording_symbol(const recording_t *r);
uint64_t recording_count(const recording_t *r);    /* commands, or levels and trades */
size_t recording_size(const recording_t *r);       /* bytes of memory */
bool recording_adds_symbol(const recording_t *r);  /* its own is among its commands */
uint64_t recording_begin_ns(const recording_t *r); /* of the first one; 0: there is none */
uint64_t recording_end_ns(const recording_t *r);

struct recorded {
    uint64_t time_ns;
    uint64_t row;
    uint64_t seq;
    bool has_digest; /* books_hash stands behind it */
    uint64_t books_hash;
    struct command command; /* RECORDING_COMMANDS; texts point into the recording */
    bool trade;             /* RECORDING_LEVELS */
    enum side side;
    int64_t price;
    int64_t qty;
};

struct recording_cursor {
    const recording_t *recording;
    size_t at;
    uint64_t time_ns, row, seq;
};

void recording_begin(const recording_t *r, struct recording_cursor *c);
bool recording_next(struct recording_cursor *c, struct recorded *e);
/* When the next one is; UINT64_MAX: there is none. */
uint64_t recording_next_ns(const struct recording_cursor *c);

#endif
