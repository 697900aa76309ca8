/* record: numbers into bytes and back, little-endian on any machine; and the names of segments. */
#include "journal/record.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "journal/record_format.h"

enum {
    CRC_AT = 4, /* behind the magic; the CRC is of all that follows it */
    CRC_FROM = 8,
    FLAG_ASYNC = 1,
    NAME_DIGITS = 20,
};

static const char name_end[] = ".segment";

static void put16(uint8_t *at, uint16_t value)
{
    uint16_t little = htole16(value);
    memcpy(at, &little, sizeof little);
}

static void put32(uint8_t *at, uint32_t value)
{
    uint32_t little = htole32(value);
    memcpy(at, &little, sizeof little);
}

static void put64(uint8_t *at, uint64_t value)
{
    uint64_t little = htole64(value);
    memcpy(at, &little, sizeof little);
}

static uint16_t get16(const uint8_t *at)
{
    uint16_t little;
    memcpy(&little, at, sizeof little);
    return le16toh(little);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t little;
    memcpy(&little, at, sizeof little);
    return le32toh(little);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t little;
    memcpy(&little, at, sizeof little);
    return le64toh(little);
}

static bool is(struct record_fault *fault, const char *what, uint64_t found, uint64_t expected)
{
    if (found != expected)
        *fault = (struct record_fault){what, found, expected};
    return found == expected;
}

static bool at_most(struct record_fault *fault, const char *what, uint64_t found, uint64_t most)
{
    if (found > most)
        *fault = (struct record_fault){what, found, most};
    return found <= most;
}

/* ---- segments ---- */

void segment_header_write(uint8_t *bytes, const struct segment_header *h)
{
    memset(bytes, 0, SEGMENT_HEADER_SIZE);
    put32(bytes, SEGMENT_MAGIC);
    put32(bytes + 8, SEGMENT_VERSION);
    put32(bytes + 12, h->previous_crc);
    put64(bytes + 16, h->first_number);
    put64(bytes + 24, h->next_seq);
    put64(bytes + 32, h->epoch);
    put64(bytes + 40, h->size);
    put64(bytes + 48, h->time_ns);
    put16(bytes + 56, h->kind);
    put16(bytes + 58, h->async ? FLAG_ASYNC : 0);
    put32(bytes + CRC_AT, crc32c(0, bytes + CRC_FROM, SEGMENT_HEADER_SIZE - CRC_FROM));
}

bool segment_header_read(const uint8_t *bytes, struct segment_header *h, struct record_fault *fault)
{
    *h = (struct segment_header){
        .first_number = get64(bytes + 16),
        .next_seq = get64(bytes + 24),
        .epoch = get64(bytes + 32),
        .size = get64(bytes + 40),
        .previous_crc = get32(bytes + 12),
        .kind = get16(bytes + 56),
        .async = (get16(bytes + 58) & FLAG_ASYNC) != 0,
        .time_ns = get64(bytes + 48),
    };
    return is(fault, "the magic number of a segment", get32(bytes), SEGMENT_MAGIC) &&
           is(fault, "the CRC32C of a segment's header", get32(bytes + CRC_AT),
              crc32c(0, bytes + CRC_FROM, SEGMENT_HEADER_SIZE - CRC_FROM)) &&
           is(fault, "the version of a segment", get32(bytes + 8), SEGMENT_VERSION) &&
           at_most(fault, "the first command of a segment, from 1", h->next_seq - 1,
                   UINT64_MAX - 2) &&
           at_most(fault, "the size of a segment beyond its header", h->size - SEGMENT_HEADER_SIZE,
                   INT64_MAX) &&
           is(fault, "the size of a segment, modulo 8", h->size % RECORD_ALIGN, 0);
}

void segment_name(uint64_t first_number, char name[DISK_NAME_SIZE])
{
    snprintf(name, DISK_NAME_SIZE, "%0*llu%s", NAME_DIGITS, (unsigned long long)first_number,
             name_end);
}

bool segment_name_read(const char *name, uint64_t *first_number)
{
    char same[DISK_NAME_SIZE];
    uint64_t number = 0;
    for (const char *c = name; *c >= '0' && *c <= '9' && c < name + NAME_DIGITS; c++)
        number = number * 10 + (uint64_t)(*c - '0'); /* one that is too large has another name */
    segment_name(number, same);
    *first_number = number;
    return number > 0 && strcmp(name, same) == 0;
}

/* ---- records ---- */

void record_header_write(uint8_t *bytes, struct record_header *h)
{
    const struct journal_record *r = &h->record;
    put32(bytes, RECORD_MAGIC);
    put32(bytes + 8, (uint32_t)r->size);
    put32(bytes + 12, h->bytes_crc);
    put32(bytes + 16, h->previous_crc);
    put16(bytes + 20, (uint16_t)r->kind);
    put16(bytes + 22, r->async ? FLAG_ASYNC : 0);
    put64(bytes + 24, r->number);
    put64(bytes + 32, r->epoch);
    put64(bytes + 40, r->first_seq);
    put64(bytes + 48, r->count);
    put64(bytes + 56, r->time_ns);
    put64(bytes + 64, r->durable_seq);
    put64(bytes + 72, r->check);
    h->crc = crc32c(0, bytes + CRC_FROM, RECORD_HEADER_SIZE - CRC_FROM);
    put32(bytes + CRC_AT, h->crc);
}

/* What a batch has and nothing else has. */
static bool count_fits(const struct journal_record *r, struct record_fault *fault)
{
    if (r->kind != RECORD_BATCH)
        return is(fault, "the commands of a record that is no batch", r->count, 0) &&
               is(fault, "the bytes of a record that is no batch", r->size, 0);
    return at_most(fault, "the commands of a batch, from 1", r->count - 1, UINT64_MAX - 2) &&
           at_most(fault, "the first command of a batch", r->first_seq, UINT64_MAX - r->count);
}

bool record_header_read(const uint8_t *bytes, struct record_header *h, struct record_fault *fault)
{
    *h = (struct record_header){
        .record = {.kind = (enum record_kind)get16(bytes + 20),
                   .async = (get16(bytes + 22) & FLAG_ASYNC) != 0,
                   .number = get64(bytes + 24),
                   .epoch = get64(bytes + 32),
                   .first_seq = get64(bytes + 40),
                   .count = get64(bytes + 48),
                   .time_ns = get64(bytes + 56),
                   .durable_seq = get64(bytes + 64),
                   .check = get64(bytes + 72),
                   .size = get32(bytes + 8)},
        .bytes_crc = get32(bytes + 12),
        .previous_crc = get32(bytes + 16),
        .crc = get32(bytes + CRC_AT),
    };
    return is(fault, "the magic number of a record", get32(bytes), RECORD_MAGIC) &&
           is(fault, "the CRC32C of a record's header", h->crc,
              crc32c(0, bytes + CRC_FROM, RECORD_HEADER_SIZE - CRC_FROM)) &&
           at_most(fault, "the kind of a record, from 1", get16(bytes + 20) - 1U,
                   RECORD_CLOSE - 1) &&
           at_most(fault, "the flags of a record", get16(bytes + 22), FLAG_ASYNC) &&
           at_most(fault, "the size of a record", h->record.size, RECORD_BYTES_MAX) &&
           count_fits(&h->record, fault);
}

void record_fault_words(char error[JOURNAL_ERROR_SIZE], const struct disk *disk, const char *file,
                        uint64_t offset, const struct record_fault *fault)
{
    snprintf(error, JOURNAL_ERROR_SIZE,
             "%.400s/%s, offset %llu: %s: found %llu (0x%llx), expected %llu (0x%llx)", disk->path,
             file, (unsigned long long)offset, fault->what, (unsigned long long)fault->found,
             (unsigned long long)fault->found, (unsigned long long)fault->expected,
             (unsigned long long)fault->expected);
}
