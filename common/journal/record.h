/* record: what stands in a journal's segments, one behind the other.
 *
 *     segment   header (SEGMENT_HEADER_SIZE) | record | record | ... | zeros to its end
 *     record    header (RECORD_HEADER_SIZE) | the bytes of the batch | zeros to a multiple of 8
 *
 * Numbers are little-endian. A record's header has a CRC32C of its own, over all of it but that
 * CRC, and holds the CRC32C of the record's bytes and the header CRC of the record before, so a
 * header is believed on its own, and no record can stand in another's place. */
#ifndef OUTCRY_JOURNAL_RECORD_H
#define OUTCRY_JOURNAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/disk.h"

enum {
    SEGMENT_HEADER_SIZE = 4096,
    RECORD_HEADER_SIZE = 80,
    RECORD_BYTES_MAX = 64 << 20,
    JOURNAL_ERROR_SIZE = 1024,
};

enum record_kind {
    RECORD_BATCH = 1,      /* commands first_seq .. first_seq + count - 1 */
    RECORD_CHECKPOINT = 2, /* check: the owner's hash of the state after first_seq; count 0 */
    RECORD_EPOCH = 3,      /* from here on, epoch; first_seq: the last command before; count 0 */
    RECORD_CLOSE = 4,      /* the writer ended in order; first_seq, count as above */
};

struct journal_record {
    enum record_kind kind;
    bool async; /* written in mode async: what follows from it was let out before it was durable */
    uint64_t number; /* 1, 2, 3, ... through all segments */
    uint64_t epoch;
    uint64_t first_seq;
    uint64_t count;
    uint64_t time_ns;
    uint64_t durable_seq; /* when it was written, commands up to here were known to be durable */
    uint64_t check;       /* the owner's digest of the state behind it; opaque */
    const uint8_t *bytes; /* BORROWED until the next call of whoever gave it */
    size_t size;
    /* where it stands */
    char file[DISK_NAME_SIZE];
    uint64_t offset;
};

/* The last command a record speaks of. */
static inline uint64_t record_last_seq(const struct journal_record *r)
{
    return r->first_seq + (r->kind == RECORD_BATCH ? r->count - 1 : 0);
}

#endif
