/* journal: a shard's history, batch by batch, as opaque bytes; its one writer.
 *
 * The duty cycle appends each batch and lets out what follows from it only when the batch is
 * committed. Three modes:
 *
 *     sync    committed is durable: written and synced                    (the default)
 *     async   committed is written; a sync follows at most 100 ms later
 *     none    nothing is kept: committed as soon as it is appended, and every start is a new epoch
 *
 * Batches go into segments (record.h), files of one size that are zero-filled and synced before
 * they are used: a sync then changes data only, which halves what it takes. The next segment is
 * prepared bit by bit while this one fills.
 *
 *     journal_open ─> journal_recover ─> [journal_begin_epoch] ─> append ... append ─>
 * journal_close each record, once
 *
 * A failed sync is final: nothing can be appended until the journal is opened again. Only lack of
 * space passes. Nothing here knows what the bytes mean. Thread: owner only. */
#ifndef OUTCRY_JOURNAL_JOURNAL_H
#define OUTCRY_JOURNAL_JOURNAL_H

#include "journal/record.h"

enum {
    JOURNAL_SEGMENT_SIZE_MIN = 1 << 20,
    JOURNAL_ASYNC_MS = 100, /* a crash of the machine loses no more than this, in mode async */
};

typedef struct journal journal_t;

struct journal_options {
    const struct disk *disk; /* KEPT */
    bool async;              /* mode async; else sync */
    size_t segment_size;     /* bytes, from JOURNAL_SEGMENT_SIZE_MIN; a multiple of 4096 */
    uint64_t size_max;       /* bytes all segments may take; at that, there is no room */
};

/* What the next batch is. */
struct journal_batch {
    uint64_t first_seq;
    uint64_t count;
    uint64_t time_ns;
    uint64_t check;       /* opaque: a digest of the state behind it */
    const uint8_t *bytes; /* BORROWED: the commands back to back, as on the wire */
    size_t size;
};

/* The null journal: mode none. */
journal_t *journal_new_null(void);

/* Be the one writer of the journal in this directory, which may be empty.
 * Errors: STATUS_IN_USE   another process is; error says which.
 *         STATUS_INVALID, STATUS_FULL, STATUS_IO   error says what and where. */
enum status journal_open(journal_t **j, const struct journal_options *o,
                         char error[JOURNAL_ERROR_SIZE]);

/* Frees memory and files. What was appended and not committed is lost. */
void journal_destroy(journal_t **j);

/* Whoever takes the records of a recovery; false, with error filled in, ends it. */
struct journal_taker {
    void *self;
    bool (*take)(void *self, const struct journal_record *r, char error[JOURNAL_ERROR_SIZE]);
};

/* What a recovery found. */
struct journal_recovery {
    uint64_t records, commands; /* taken */
    uint64_t seq;               /* the last command; after_seq if there was none */
    uint64_t time_ns;           /* of the last record; 0: none */
    uint64_t epoch; /* of the last record, 0: none; if something was cut, one that is not below any
                       that was used */
    bool new_epoch; /* what was published may not be in the journal: journal_begin_epoch must follow
                     */
    bool clean;     /* its last record is a RECORD_CLOSE */
    uint64_t cut_size; /* bytes of data cut off, at cut_offset of cut_file; 0: none */
    uint64_t cut_offset;
    char cut_file[DISK_NAME_SIZE];
    char words[JOURNAL_ERROR_SIZE]; /* what was cut, found and expected; empty if nothing was */
};

/* Take every record behind after_seq (of the snapshot restored; 0: none), then stand ready to
 * append. durable_seq: known to be durable from elsewhere, of a snapshot. Damage at or below the
 * highest durable_seq any valid header says is refused; what is damaged beyond it is cut off, the
 * first bad record and everything behind it. new_epoch: something was cut, or the last record was
 * written in mode async and is no RECORD_CLOSE, or there is no record. Errors: STATUS_INVALID
 * refused, by us or by the taker; error says file, offset, found, expected. STATUS_FULL, STATUS_IO.
 */
enum status journal_recover(journal_t *j, uint64_t after_seq, uint64_t durable_seq,
                            const struct journal_taker *taker, struct journal_recovery *found,
                            char error[JOURNAL_ERROR_SIZE]);

/* From here on, this epoch, greater than any before. Durable on return. A new journal begins so. */
enum status journal_begin_epoch(journal_t *j, uint64_t epoch, uint64_t time_ns);

/* The number the next record will have. */
uint64_t journal_next(const journal_t *j);

/* Whether a batch of so many bytes, and what else belongs to it, can be appended now. False passes:
 * there is no space for the next segment, or size_max is reached. */
bool journal_has_room(journal_t *j, size_t size);

/* Append the next batch; it is record journal_next(). Not durable until journal_committed()
 * reaches its number. One write, no sync; in mode async the first record after a start is synced.
 * Errors: STATUS_FULL  no space; may be tried again. STATUS_IO  final until opened again. */
enum status journal_append(journal_t *j, const struct journal_batch *batch);

/* A hash of the state after the last batch, for whoever replays the journal. Errors as append. */
enum status journal_checkpoint(journal_t *j, uint64_t time_ns, uint64_t hash);

/* Make all that is appended committed, and wait for it: for when nothing else is to be done. */
enum status journal_sync(journal_t *j);

/* Let what goes on in the background go on: begin a sync if something waits for one and none is
 * running, see whether one has ended, prepare a piece of the next segment. Often; never waits.
 * now_ns: a monotonic clock. Errors: STATUS_IO  final. */
enum status journal_tend(journal_t *j, uint64_t now_ns);

/* Readable when journal_tend has something to see; -1: never. */
int journal_fd(const journal_t *j);

/* ns until journal_tend is wanted by itself: for a sync, or to look for room again; UINT64_MAX:
 * not. */
uint64_t journal_patience_ns(const journal_t *j, uint64_t now_ns);

/* The number of the last record that may be acted upon; and the last command that is. */
uint64_t journal_committed(const journal_t *j);
uint64_t journal_committed_seq(const journal_t *j);

/* The last command known to be on disk; at most the committed one. */
uint64_t journal_durable_seq(const journal_t *j);

/* End in order: RECORD_CLOSE, durable on return. A journal to which nothing was appended since it
 * ended in order is left as it is. */
enum status journal_close(journal_t *j, uint64_t time_ns);

/* Once it has failed: errno of what failed first. */
int journal_error(const journal_t *j);

struct journal_counts {
    uint64_t batches, bytes; /* appended */
    uint64_t syncs;
    uint64_t sync_ns;     /* in all, of those waited for */
    uint64_t segments;    /* on disk */
    uint64_t size;        /* bytes of them */
    const char *standing; /* "open", or why there is no room: "no space", "size_max" */
};
struct journal_counts journal_counts(const journal_t *j);

#endif
