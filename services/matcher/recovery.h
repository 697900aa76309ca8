/* recovery: how a matcher starts: from what its journal's directory holds.
 *
 *     be the only writer ─> the newest sound snapshot ─> every record behind it ─> cut what a crash
 *     left half written, or refuse ─> the configuration is that of the history ─> a new epoch, if
 *     what was published may be lost ─> ready
 *
 * What main.c and the simulator call. It changes the directory only where it cuts, and where a new
 * epoch or a new history begins. Thread: owner only. */
#ifndef OUTCRY_MATCHER_RECOVERY_H
#define OUTCRY_MATCHER_RECOVERY_H

#include "journal/journal.h"
#include "matcher/matcher.h"

struct recovery_options {
    struct journal_options journal;
    struct matcher_options matcher;   /* limits: as configured; epoch is passed over */
    const struct add_symbol *symbols; /* as configured */
    unsigned symbol_count;
    uint64_t
        epoch_min; /* a new epoch is no less: Unix seconds, or one above the last known elsewhere */
    uint64_t now_ns; /* Unix ns, for the records a new epoch needs */
};

/* What was found and done. */
struct recovery {
    journal_t *journal; /* the caller's, ready to append */
    matcher_t *matcher; /* likewise, in the state of the last record */
    struct journal_recovery found;
    uint64_t epoch;
    bool new_history;
    uint64_t snapshot_seq; /* 0: none was used */
    uint64_t state_hash;   /* 0: nothing has happened yet */
    unsigned snapshots_refused;
    char snapshot_words[JOURNAL_ERROR_SIZE]; /* why the last of them was */
};

/* Errors: STATUS_IN_USE, STATUS_INVALID, STATUS_FULL, STATUS_IO: error says what was found, where,
 * and what was expected; nothing is left open. */
enum status recovery_run(const struct recovery_options *options, struct recovery *r,
                         char error[JOURNAL_ERROR_SIZE]);

#endif
