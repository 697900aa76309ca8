/* journal_place: where in a journal its next record stands, or will stand, and what it must say to
 * be the next one. A reader and the writer walk the same way. For the journal's own files. */
#ifndef OUTCRY_JOURNAL_JOURNAL_PLACE_H
#define OUTCRY_JOURNAL_JOURNAL_PLACE_H

#include "journal/journal_reader.h"
#include "journal/record_format.h"

struct journal_place {
    char file[DISK_NAME_SIZE];
    uint64_t segment; /* the number of its first record */
    uint64_t size;    /* of the segment */
    uint64_t offset;
    uint64_t number;   /* of the next record */
    uint64_t next_seq; /* the first command of the next batch */
    /* of the record before; kind 0: there is none */
    uint16_t kind;
    bool async;
    uint64_t epoch;
    uint64_t time_ns;
    uint32_t previous_crc;
};

/* Go to the beginning of a segment. */
void place_enter(struct journal_place *p, const struct segment_header *h);

/* The header of a segment that begins here. */
struct segment_header place_header(const struct journal_place *p, uint64_t segment_size);

/* Whether the next segment has this header. */
bool place_continues(const struct journal_place *p, const struct segment_header *h,
                     struct record_fault *fault);

/* Whether this is the next record, and fits into what is left of the segment. */
bool place_expects(const struct journal_place *p, const struct record_header *h,
                   struct record_fault *fault);

/* Go behind this record. */
void place_advance(struct journal_place *p, const struct record_header *h);

/* Where this reader stands. */
const struct journal_place *journal_reader_place(const journal_reader_t *r);

#endif
