/* journal_parts: what a journal is made of; for journal.c (appending) and journal_recovery.c (how
 * it comes to stand ready) only. */
#ifndef OUTCRY_JOURNAL_JOURNAL_PARTS_H
#define OUTCRY_JOURNAL_JOURNAL_PARTS_H

#include "journal/journal.h"
#include "journal/journal_place.h"
#include "journal/segment_maker.h"

enum { NO_FILE = -1 };

struct journal {
    const struct disk *disk; /* NULL: the null journal */
    bool async;
    struct journal_place at;
    int file; /* of the place; NO_FILE before recovery */
    struct segment_maker maker;
    uint8_t *buffer; /* a record as it is written */
    size_t buffer_size;
    bool epoch_due;    /* journal_begin_epoch must come next */
    bool epoch_marked; /* and a file says so */
    bool marked;       /* mode async: it is durable that history goes on in this mode */
    bool failed;       /* for good; error is its errno */
    int error;
    const char *lack; /* what journal_has_room said last; NULL: there is room */
    /* syncs of the segment */
    bool syncing;
    uint64_t sync_number, sync_seq; /* what it covers */
    uint64_t durable_number, durable_seq;
    uint64_t waiting_ns; /* the oldest record no sync has begun for came after this; 0: none did */
    uint64_t now_ns;     /* of the last tend */
    uint64_t looked_ns;  /* when the directory was looked for */
    uint64_t appended;   /* bytes since the last tend */
    struct journal_counts counts;
};

/* It has failed for good: STATUS_IO, and errno stays what it is. */
enum status journal_fail(journal_t *j);

/* Go on in the next segment, which is made now if it is not ready. All before it is durable then.
 * Errors: STATUS_FULL  nothing has changed. STATUS_IO. */
enum status journal_roll(journal_t *j);

/* The epoch that had to begin is durable: nothing reminds of it any more. */
enum status journal_epoch_begun(journal_t *j);

#endif
