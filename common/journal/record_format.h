/* record_format: the bytes of record.h, for the journal's own files and their tests.
 *
 *     segment header   0 magic | 4 CRC32C of the rest | 8 version | 12 header CRC of the record
 *                      before | 16 first record's number | 24 next command | 32 epoch | 40 size of
 *                      the segment | 48 time_ns, 56 kind, 58 flags of the record before (0: there
 *                      is none) | zeros to 4096
 *     record header    0 magic | 4 CRC32C of the rest | 8 size | 12 CRC32C of the bytes | 16 header
 *                      CRC of the record before | 20 kind | 22 flags | 24 number | 32 epoch |
 *                      40 first_seq | 48 count | 56 time_ns | 64 durable_seq | 72 check
 *
 * A segment is made only when all before it is durable, and has its header, durable, before it has
 * its name: a header says that the commands before next_seq are durable, and one that is damaged
 * was damaged later. */
#ifndef OUTCRY_JOURNAL_RECORD_FORMAT_H
#define OUTCRY_JOURNAL_RECORD_FORMAT_H

#include "journal/record.h"

enum {
    RECORD_MAGIC = 0x4452434F,  /* "OCRD" */
    SEGMENT_MAGIC = 0x4753434F, /* "OCSG" */
    SEGMENT_VERSION = 1,
    RECORD_ALIGN = 8,
};

struct segment_header {
    uint64_t first_number; /* of its first record */
    uint64_t next_seq;     /* the first command of its first batch */
    uint64_t epoch;        /* at its beginning; 0: none yet */
    uint64_t size;         /* of the file, this header included */
    uint32_t previous_crc; /* the header CRC of the record before; 0: there is none */
    /* of the record before; kind 0: there is none */
    uint16_t kind;
    bool async;
    uint64_t time_ns;
};

struct record_header {
    struct journal_record record; /* but for bytes and where it stands */
    uint32_t bytes_crc;
    uint32_t previous_crc;
    uint32_t crc;
};

/* What does not fit. */
struct record_fault {
    const char *what;
    uint64_t found, expected;
};

/* Bytes a record takes in its segment. */
static inline size_t record_extent(size_t size)
{
    return RECORD_HEADER_SIZE + (size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* bytes: SEGMENT_HEADER_SIZE of them. */
void segment_header_write(uint8_t *bytes, const struct segment_header *h);
bool segment_header_read(const uint8_t *bytes, struct segment_header *h,
                         struct record_fault *fault);

/* bytes: RECORD_HEADER_SIZE of them. Writing sets crc. What is read is whole and of a known form;
 * whether it is the next one is the reader's to say. */
void record_header_write(uint8_t *bytes, struct record_header *h);
bool record_header_read(const uint8_t *bytes, struct record_header *h, struct record_fault *fault);

/* The name of the segment that begins with this record. */
void segment_name(uint64_t first_number, char name[DISK_NAME_SIZE]);
bool segment_name_read(const char *name, uint64_t *first_number);

/* "DIRECTORY/FILE, offset N: WHAT: found F, expected E" */
void record_fault_words(char error[JOURNAL_ERROR_SIZE], const struct disk *disk, const char *file,
                        uint64_t offset, const struct record_fault *fault);

#endif
