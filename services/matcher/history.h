/* history: a matcher made again from its journal: a snapshot, if there is one, then record by
 * record through the very steps that made them. What a matcher does at its start, a follower all
 * the time, and `outcry verify` afterwards.
 *
 *     history_new ─> [history_restore] ─> history_take ... history_take ─> history_end
 *
 * Every frame the batches made comes out again, byte for byte, and is handed to `frame`. Every
 * check a record carries is compared: the digest of the books after each batch, the state hash at
 * each checkpoint. Thread: owner only. */
#ifndef OUTCRY_MATCHER_HISTORY_H
#define OUTCRY_MATCHER_HISTORY_H

#include "journal/record.h"
#include "journal/snapshots.h"
#include "matcher/matcher.h"

typedef struct history history_t;

struct history_options {
    struct matcher_options matcher; /* limits and epoch are the history's own: ignored */
    /* Each message the matcher said, in order; output: MATCHER_OUTPUT_PRIVATE or _PUBLIC. NULL: it
     * is dropped. */
    void (*frame)(void *self, unsigned output, const uint8_t *message, size_t size);
    void *self;
};

/* KEEPS options.self. */
history_t *history_new(const struct history_options *options);
void history_destroy(history_t **h);

/* Begin at a snapshot; before any record. False: it is not sound (error: what was found and
 * expected; its state hash is computed again), and nothing has changed. */
bool history_restore(history_t *h, const struct snapshot_head *head, const uint8_t *bytes,
                     size_t size, char error[JOURNAL_ERROR_SIZE]);

/* The next record; a batch of which a part is in the state already is taken from there on. False,
 * with error filled in: it is not what it must be (file, offset, found, expected); h is not to be
 * used further. Fits struct journal_taker with h as self. */
bool history_take(void *h, const struct journal_record *r, char error[JOURNAL_ERROR_SIZE]);

/* The matcher so far; NULL before the first record. BORROWED. */
matcher_t *history_matcher(const history_t *h);

/* 0 before the first record. */
uint64_t history_seq(const history_t *h);
uint64_t history_epoch(const history_t *h);
uint64_t history_number(const history_t *h); /* of the last record */
uint64_t history_time_ns(const history_t *h);
uint64_t history_state_hash(const history_t *h);

/* Checkpoints that were compared. */
uint64_t history_checkpoints(const history_t *h);

/* The matcher, now the caller's; h is gone. NULL: there was no record. */
matcher_t *history_end(history_t **h);

#endif
