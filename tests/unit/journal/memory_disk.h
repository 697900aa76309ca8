/* memory_disk: a disk (journal/disk.h) in memory, whose faults a test decides. */
#ifndef OUTCRY_UNIT_JOURNAL_MEMORY_DISK_H
#define OUTCRY_UNIT_JOURNAL_MEMORY_DISK_H

#include "journal/disk.h"

enum { MEMORY_FILES_MAX = 32, MEMORY_HANDLES_MAX = 64 };

struct memory_file {
    char name[DISK_NAME_SIZE]; /* empty: removed, or never made */
    uint8_t *bytes;
    size_t size, room;
};

struct memory_handle {
    int file; /* -1: free */
    enum disk_sync state;
};

struct memory_disk {
    struct disk ops;
    struct memory_file files[MEMORY_FILES_MAX];
    struct memory_handle handles[MEMORY_HANDLES_MAX];
    unsigned handle_count; /* open now */
    /* faults */
    uint64_t size_max;    /* bytes of all files; what would grow beyond finds no space */
    bool full;            /* no write finds space */
    unsigned write_fails; /* this many writes from now, 1 the next; 0: none does */
    unsigned sync_fails;  /* likewise, of both kinds */
    unsigned dies;        /* likewise of what changes anything, and all that comes after it */
    bool dead;
    bool held;     /* background syncs go on until this ends */
    bool vanished; /* the directory is gone */
    bool locked;   /* by process 4711 */
    /* what was done */
    unsigned writes, syncs, begins;
};

void memory_disk_open(struct memory_disk *d);
void memory_disk_close(struct memory_disk *d);

/* Exactly these files, and no faults. to: open. */
void memory_disk_copy(struct memory_disk *to, const struct memory_disk *from);

/* Whether the same files have the same bytes, those named *.new aside. */
bool memory_disk_same(const struct memory_disk *a, const struct memory_disk *b);

/* NULL: there is none. */
struct memory_file *memory_disk_file(struct memory_disk *d, const char *name);

/* Make a file longer, with zeros, or shorter. */
void memory_file_resize(struct memory_file *f, size_t size);

#endif
