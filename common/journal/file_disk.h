/* file_disk: a directory of the file system as a disk (disk.h).
 *
 * Writes are pwrite, syncs fdatasync; renames and removals are followed by a sync of the directory.
 * Background syncs have two threads of their own, which are started with the first of them and do
 * nothing but fdatasync. */
#ifndef OUTCRY_JOURNAL_FILE_DISK_H
#define OUTCRY_JOURNAL_FILE_DISK_H

#include "journal/disk.h"

typedef struct file_disk file_disk_t;

/* Makes the directory, 0700, if `make` and it is not there; its parents too.
 * Errors: STATUS_MISSING  it is not there. STATUS_IO  errno says why. */
enum status file_disk_open(file_disk_t **d, const char *directory, bool make);

/* Waits for background syncs. What it locked is free. */
void file_disk_close(file_disk_t **d);

/* Valid as long as d is. */
const struct disk *file_disk_ops(const file_disk_t *d);

#endif
