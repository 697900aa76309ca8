/* segment_maker: the file that will be the next segment, made in small pieces while the segment
 * before it fills.
 *
 *     none ─> filling (zeros, synced now and then) ─> ready ─> taken: has its header and its name
 *      ^         │ no space
 *      └─────────┘ tried again 100 ms later
 *
 * A file that finds no space is removed at once: what it has taken may be what a snapshot needs,
 * and a snapshot lets old segments go. For the journal's own files. Thread: owner only. */
#ifndef OUTCRY_JOURNAL_SEGMENT_MAKER_H
#define OUTCRY_JOURNAL_SEGMENT_MAKER_H

#include "journal/record_format.h"

struct segment_maker {
    const struct disk *disk;
    uint64_t segment_size;
    uint64_t size_max;
    /* what there is */
    uint64_t segments; /* on disk, without this one */
    uint64_t used;     /* bytes of them */
    int file;          /* -1: none */
    uint64_t filled;   /* bytes of zeros */
    uint64_t begun;    /* as many when the last sync began */
    uint64_t durable;  /* as many are durable */
    bool syncing;
    const char *lack; /* why there is no room for it; NULL: there is. Stays until it is ready */
    uint64_t retry_ns;
};

void maker_init(struct segment_maker *m, const struct disk *disk, uint64_t segment_size,
                uint64_t size_max);
void maker_close(struct segment_maker *m);

/* Count the segments there are. */
enum status maker_measure(struct segment_maker *m);

bool maker_ready(const struct segment_maker *m);

/* Go on by this many bytes at most; never waits. Errors: STATUS_IO. */
enum status maker_tend(struct segment_maker *m, uint64_t now_ns, uint64_t bytes_max);

/* ns until it wants to be tended for the lack of room to end; UINT64_MAX: there is no lack. */
uint64_t maker_patience_ns(const struct segment_maker *m, uint64_t now_ns);

/* Make what is missing, and wait for it. now_ns: of the last tend.
 * Errors: STATUS_FULL  there is no room; STATUS_IO. */
enum status maker_finish(struct segment_maker *m, uint64_t now_ns);

/* One that is ready gets its header and its name, and is the caller's: *file.
 * Errors: STATUS_FULL  nothing has changed; STATUS_IO. */
enum status maker_take(struct segment_maker *m, const struct segment_header *h, int *file);

#endif
