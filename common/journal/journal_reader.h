/* journal_reader: the records of a journal, in order; by its own process before it writes, by a
 * follower while another process writes, by tools afterwards. It never writes. Thread: owner only.
 */
#ifndef OUTCRY_JOURNAL_JOURNAL_READER_H
#define OUTCRY_JOURNAL_JOURNAL_READER_H

#include "journal/record.h"

typedef struct journal_reader journal_reader_t;

enum journal_read {
    JOURNAL_READ_RECORD, /* *record is the next one */
    JOURNAL_READ_END, /* nothing but zeros, or nothing at all, stands there yet: try again later */
    JOURNAL_READ_DAMAGED, /* what stands there is no record, or not the next one, or is being
                             written just now; error says file, offset, found, expected. Try again
                             later, or ask journal_reader_damage */
    JOURNAL_READ_GONE,    /* the segment that comes next was removed; error says which */
    JOURNAL_READ_IO,      /* errno says why */
};

/* BORROWS disk until it is closed. The first record given is the first that holds or follows a
 * command above after_seq: a batch, or a note behind the batch of after_seq, if it stands in the
 * segment of the next command. A batch is given whole even if it begins at or below after_seq.
 * after_seq 0: from the very beginning.
 * Errors: STATUS_MISSING  there is no journal here yet, or what follows after_seq is not kept any
 *                         more: *oldest_seq is the last command before what is (0: nothing is).
 *         STATUS_INVALID  a segment's header is damaged; error says which.
 *         STATUS_IO       errno says why. */
enum status journal_reader_open(journal_reader_t **r, const struct disk *disk, uint64_t after_seq,
                                uint64_t *oldest_seq, char error[JOURNAL_ERROR_SIZE]);
void journal_reader_close(journal_reader_t **r);

enum journal_read journal_reader_next(journal_reader_t *r, struct journal_record *record,
                                      char error[JOURNAL_ERROR_SIZE]);

/* What lies behind the damage the reader stands at, by looking at all the rest of the journal. */
struct journal_damage {
    uint64_t durable_seq; /* the highest any valid header anywhere says */
    uint64_t epoch;       /* likewise */
    bool data;            /* something else than zeros stands there, or the file is cut short */
    uint64_t size;        /* bytes of that, up to the last that is not zero */
    uint64_t records;     /* valid headers of records in them */
    char file[DISK_NAME_SIZE];
    uint64_t offset;   /* where the first bad record begins */
    uint64_t next_seq; /* and what its first command would be, if it were a batch */
};
enum status journal_reader_damage(journal_reader_t *r, struct journal_damage *d);

#endif
