/* sim_history: what is true: every batch that a journal said is committed, in the order it was, and
 * what follows from it by an engine of our own beside the slow, obvious reference (tests/fuzz).
 *
 *     matcher ─ batch ─> made ─ committed ─> applied ─> facts, by sequence
 *
 * Whatever anybody says is held against the facts (sim_ear.h). After each start of a matcher the
 * journal is held against what was committed: nothing of it may be missing but for a reason, and
 * then the epoch must be another. Checked with every command: the reference agrees on result,
 * events and books; each command of an origin once and in order; a label makes one order; nothing
 * is done past its deadline; quantity is conserved. Thread: one. */
#ifndef OUTCRY_SIM_SIM_HISTORY_H
#define OUTCRY_SIM_SIM_HISTORY_H

#include "journal/journal.h"
#include "matcher/recovery.h"
#include "tests/fuzz/compare.h"
#include "tests/sim/sim_world.h"

enum { SIM_SYMBOLS_MAX = 3, SIM_ORIGINS_MAX = 8 };

struct sim_batch {
    uint64_t number; /* of its record */
    uint64_t first_seq, count, time_ns, check;
    uint64_t durable_seq; /* as its record says */
    uint8_t *bytes;
    size_t size;
};

struct sim_batches {
    struct sim_batch *batches;
    size_t count, capacity;
};

/* What became of one command. */
struct sim_fact {
    char origin[ORIGIN_SIZE_MAX + 1]; /* empty: the matcher's own */
    uint64_t origin_epoch, origin_seq;
    struct outcome outcome;
    uint64_t l3_hash[SIM_SYMBOLS_MAX], l2_hash[SIM_SYMBOLS_MAX]; /* after it */
};

/* What was done to the disk, or to the machine, since the matcher was last well. */
struct sim_damage {
    bool power_lost;
    bool flipped;
    bool failed;    /* an operation of the disk did */
    bool unwritten; /* its last batch had no room */
    bool start_failed;
    bool stopped; /* it ended in order, and nothing happened since */
};

struct sim_session {
    char origin[ORIGIN_SIZE_MAX + 1];
    uint64_t epoch, next_seq;
};

struct sim_history {
    struct sim_world *world;
    struct configure limits;
    enum journal_mode mode;
    bool labels_for_ever; /* more finished orders are remembered than there are */
    uint64_t epoch;
    uint64_t epoch_max; /* there ever was */
    uint64_t cuts;      /* times something committed was lost, and told */
    struct sim_batches made, committed;
    uint64_t seq;           /* the last command committed */
    uint64_t durable_seq;   /* known to be so, by the journal itself */
    struct sim_fact *facts; /* by seq */
    size_t facts_capacity;
    engine_t *engine;
    struct reference *reference;
    wide_t open_qty;
    uint64_t time_ns;
    struct sim_session sessions[SIM_ORIGINS_MAX];
    uint64_t *labels; /* hashes of those that made an order */
    size_t label_count, label_capacity;
    uint64_t commands; /* applied, again and again */
};

/* KEEPS world. */
void sim_history_init(struct sim_history *h, struct sim_world *world,
                      const struct configure *limits, enum journal_mode mode);
void sim_history_close(struct sim_history *h);

/* A batch is handed over for the journal; and all up to a record are committed. durable_seq: what
 * the journal knows to be durable. */
void sim_history_made(struct sim_history *h, uint64_t number, const struct journal_batch *batch,
                      uint64_t durable_seq);
void sim_history_committed(struct sim_history *h, uint64_t number, uint64_t durable_seq);

/* A matcher has started. disk: what it started from; NULL: mode none. */
void sim_history_recovered(struct sim_history *h, const struct disk *disk, const struct recovery *r,
                           const struct sim_damage *damage);

/* NULL: there is no such command. */
const struct sim_fact *sim_history_fact(const struct sim_history *h, uint64_t seq);

/* The engine of a matcher that has all that is committed and nothing else is in this state. */
void sim_history_compare(struct sim_history *h, const engine_t *matcher);

#endif
