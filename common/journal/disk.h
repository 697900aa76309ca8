/* disk: the few things a journal asks of storage: one directory of files. The real one is
 * file_disk.h; a simulator is another.
 *
 * What is written is durable only when a sync of its file that began after the write has ended
 * well. Until then a crash may keep any part of it, in sectors, in any order. Names change at once
 * and durably. Whatever fails with STATUS_IO may have been done in part.
 *
 * Two files may be syncing in the background at once: the segment being written, and the one being
 * prepared. Thread: owner only; what goes on in the background is the disk's own. */
#ifndef OUTCRY_JOURNAL_DISK_H
#define OUTCRY_JOURNAL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { DISK_NAME_SIZE = 64 /* with the NUL */ };

enum disk_sync { DISK_SYNC_NONE, DISK_SYNC_RUNNING, DISK_SYNC_DONE, DISK_SYNC_FAILED };

struct disk {
    void *self;
    const char *path; /* of the directory, for messages */
    /* Each file once, in no order. */
    enum status (*list)(void *self, void (*file)(void *to, const char *name, uint64_t size),
                        void *to);
    /* An existing file, or a new and empty one in the place of any of this name; *file is its
     * number until it is closed, which waits for a background sync of it.
     * Errors: STATUS_MISSING, STATUS_FULL, STATUS_IO. */
    enum status (*open)(void *self, const char *name, int *file);
    enum status (*create)(void *self, const char *name, int *file);
    void (*close)(void *self, int file);
    enum status (*size)(void *self, int file, uint64_t *size);
    /* Less than size was read only at the end of the file. */
    enum status (*read)(void *self, int file, uint64_t at, void *bytes, size_t size, size_t *got);
    /* Errors: STATUS_FULL  there was no space; a part may be written. */
    enum status (*write)(void *self, int file, uint64_t at, const void *bytes, size_t size);
    /* Wait until all that was written to the file is durable. A background sync of it has ended
     * then too, and is told by sync_state as ever; if that failed, so does this. */
    enum status (*sync)(void *self, int file);
    /* The same without waiting; its state is told by sync_state, and when it ends, fd is readable.
     * A state of DONE or FAILED is told once and is NONE then. */
    enum status (*sync_begin)(void *self, int file);
    enum disk_sync (*sync_state)(void *self, int file);
    /* -1: there is nothing to wait for. */
    int (*fd)(void *self);
    enum status (*rename)(void *self, const char *from, const char *to);
    enum status (*remove)(void *self, const char *name);
    /* Whether the directory is still there and still holds this open file under this name. */
    bool (*holds)(void *self, const char *name, int file);
    /* The one writer: STATUS_IN_USE, with who it is in *holder, if there is another. */
    enum status (*lock)(void *self, int *holder);
};

#endif
