/* snapshots: the state of a history at some sequence, as opaque bytes; the newest few of a
 * journal's directory.
 *
 *     <seq, 20 digits>.snapshot    header | bytes; CRC32C over both; the owner's hash of the state
 *
 * Written under another name, synced, then renamed: one that is there is whole, unless the disk
 * has damaged it since. Thread: owner only. */
#ifndef OUTCRY_JOURNAL_SNAPSHOTS_H
#define OUTCRY_JOURNAL_SNAPSHOTS_H

#include "journal/record.h"

enum { SNAPSHOTS_KEPT = 2, SNAPSHOTS_MAX = 16 /* in a directory, that are looked at */ };

struct snapshot_head {
    uint64_t seq; /* the state has the commands up to here */
    uint64_t epoch;
    uint64_t number; /* the last record in it */
    uint64_t time_ns;
    uint64_t hash; /* of the state; opaque */
};

/* Write one, then remove all but the SNAPSHOTS_KEPT newest. Waits for the disk.
 * Errors: STATUS_FULL  no space: nothing has changed. STATUS_IO. */
enum status snapshots_write(const struct disk *disk, const struct snapshot_head *head,
                            const uint8_t *bytes, size_t size);

/* The sequences of those there are, newest first; how many. */
enum status snapshots_list(const struct disk *disk, uint64_t seqs[SNAPSHOTS_MAX], unsigned *count);

/* Read one. *bytes is the caller's: snapshots_free.
 * Errors: STATUS_MISSING, STATUS_IO; STATUS_INVALID: error says file, offset, found, expected. */
enum status snapshots_read(const struct disk *disk, uint64_t seq, struct snapshot_head *head,
                           uint8_t **bytes, size_t *size, char error[JOURNAL_ERROR_SIZE]);
void snapshots_free(uint8_t **bytes, size_t size);

#endif
