/* retention: which closed segments of a journal may go. Beside the segments stand the snapshots
 * and, a file each, the cursors of durable consumers:
 *
 *     <name>.cursor    the sequence up to which a backup or an archive has everything
 *
 * Thread: owner only; the writer of the journal may be another process. */
#ifndef OUTCRY_JOURNAL_RETENTION_H
#define OUTCRY_JOURNAL_RETENTION_H

#include "journal/record.h"

enum { CONSUMERS_MAX = 16 };

/* A durable consumer begins, whatever it had before: nothing there goes until it has moved on.
 * name: 1 to 32 of a-z 0-9 -. Durable on return.
 * Errors: STATUS_INVALID  the name, or the cursor that is there; error says what was found.
 *         STATUS_FULL, STATUS_IO. */
enum status consumer_begin(const struct disk *disk, const char *name,
                           char error[JOURNAL_ERROR_SIZE]);

/* It has read up to seq: segments it has not read are kept. It never goes back. Errors as above. */
enum status consumer_write(const struct disk *disk, const char *name, uint64_t seq,
                           char error[JOURNAL_ERROR_SIZE]);

/* Remove the closed segments that SNAPSHOTS_KEPT snapshots, every consumer and sound_seq have
 * passed, oldest first; how many, and how many bytes are left. sound_seq is that of a snapshot the
 * caller has read or written: the names of the others say nothing of what is in them; 0: of none.
 * Nothing is removed while there are fewer snapshots, and never the last segment. A cursor that
 * cannot be read holds everything back: STATUS_INVALID, error says which. */
enum status segments_release(const struct disk *disk, uint64_t sound_seq, unsigned *removed,
                             uint64_t *size_left, char error[JOURNAL_ERROR_SIZE]);

#endif
