/* backup: a journal's directory copied into another, again and again, while its writer goes on; and
 * a journal's directory made of such a copy.
 *
 * The copy has the same files with the same names, so whatever reads a journal reads it, too; and
 * one more, which makes whoever starts from it begin a new epoch. Only records that are whole, the
 * next of their chain and durable are copied. What the copy has and the journal no longer has stays
 * in it. Thread: one, and no other process with the same copy. */
#ifndef OUTCRY_JOURNAL_BACKUP_H
#define OUTCRY_JOURNAL_BACKUP_H

#include "journal/record.h"

/* What was copied, and where the copy stands. */
struct backup_copied {
    uint64_t records, segments, snapshots; /* segments: begun or gone on with */
    uint64_t bytes;
    uint64_t seq; /* the last command in the copy */
    uint64_t epoch;
    char behind[JOURNAL_ERROR_SIZE]; /* what stands behind the records copied, and is being written
                                        or damaged; empty: nothing */
};

/* Bring a copy up to date: durable there on return. Then the journal's consumer of this name
 * (retention.h) has what was copied: its cursor is one before the last command, so that the notes
 * that may follow it are not removed.
 * Errors: STATUS_MISSING  there is no journal.
 *         STATUS_INVALID  a record or snapshot is damaged, the copy is of another history, or what
 *                         is missing in it is not kept any more.
 *         STATUS_FULL, STATUS_IO;   error says what and where, in all cases. */
enum status backup_ship(const struct disk *journal, const struct disk *copy, const char *consumer,
                        struct backup_copied *copied, char error[JOURNAL_ERROR_SIZE]);

/* Fill an empty directory with what a copy, or a journal nobody writes, has. At no moment before it
 * returns well would a start from it take a part for the whole: it is refused, or has all that
 * decides. Errors as above. */
enum status backup_restore(const struct disk *copy, const struct disk *journal,
                           struct backup_copied *copied, char error[JOURNAL_ERROR_SIZE]);

#endif
