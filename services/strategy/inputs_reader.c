/* inputs_reader: the records of a file, one after the other, each checked. What a process was
 * killed in writing is a beginning of what it would have written: whatever else is wrong with a
 * record is damage. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "strategy/inputs_record.h"

bool inputs_reader_wrong(struct inputs_reader *r, const char *words, ...)
{
    va_list list;
    int size = snprintf(r->error, sizeof r->error, "%s: record %llu at byte %llu: ", r->path,
                        (unsigned long long)r->n, (unsigned long long)r->body_at);
    if (size < 0 || (size_t)size >= sizeof r->error)
        return false;
    va_start(list, words);
    vsnprintf(r->error + size, sizeof r->error - (size_t)size, words, list);
    va_end(list);
    return false;
}

static enum record_read wrong(struct inputs_reader *r, const char *found, const char *expected)
{
    r->n++;
    r->body_at = r->at;
    inputs_reader_wrong(r, "found %s, expected %s", found, expected);
    return RECORD_WRONG;
}

static enum record_read unreadable(struct inputs_reader *r)
{
    const char *why = ferror(r->file) ? strerror(errno) : "its end, though it was longer before";
    return wrong(r, why, "the bytes of a record");
}

/* ---- opening ---- */

static enum status file_size(struct inputs_reader *r)
{
    off_t size;
    if (fseeko(r->file, 0, SEEK_END) != 0 || (size = ftello(r->file)) < 0 ||
        fseeko(r->file, 0, SEEK_SET) != 0) {
        snprintf(r->error, sizeof r->error, "%s: %s", r->path, strerror(errno));
        return STATUS_IO;
    }
    r->size = (uint64_t)size;
    return STATUS_OK;
}

static enum status file_head(struct inputs_reader *r)
{
    uint8_t head[INPUTS_HEAD_SIZE];
    if (fread(head, 1, sizeof head, r->file) != sizeof head || memcmp(head, "OCIN", 4) != 0) {
        snprintf(r->error, sizeof r->error,
                 "%s: at byte 0: found something else, expected OCIN, with which inputs begin",
                 r->path);
        return STATUS_INVALID;
    }
    r->at = sizeof head;
    uint32_t version = record_get_u32(head + 4);
    if (version == INPUTS_VERSION)
        return STATUS_OK;
    snprintf(r->error, sizeof r->error, "%s: at byte 4: found version %u, expected %d", r->path,
             (unsigned)version, INPUTS_VERSION);
    return STATUS_INVALID;
}

enum status inputs_reader_open(struct inputs_reader *r, const char *path)
{
    *r = (struct inputs_reader){.file = fopen(path, "rb")};
    snprintf(r->path, sizeof r->path, "%s", path);
    if (r->file == NULL) {
        snprintf(r->error, sizeof r->error, "%s: %s", path, strerror(errno));
        return STATUS_IO;
    }
    enum status status = file_size(r);
    return status == STATUS_OK ? file_head(r) : status;
}

void inputs_reader_close(struct inputs_reader *r)
{
    if (r->file != NULL)
        fclose(r->file);
    *r = (struct inputs_reader){0};
}

/* ---- its end ---- */

/* Whether a whole record stands somewhere in these bytes. */
static bool holds_record(const uint8_t *bytes, size_t size)
{
    for (size_t at = 1; at + RECORD_HEAD_SIZE < size; at++) {
        uint32_t body = record_get_u32(bytes + at);
        const uint8_t *begin = bytes + at + RECORD_HEAD_SIZE;
        if (body > 0 && body <= size - at - RECORD_HEAD_SIZE &&
            crc32c(0, begin, body) == record_get_u32(bytes + at + 4))
            return true;
    }
    return false;
}

/* What is left is less than the record says it has: nothing whole may follow then. */
static enum record_read cut(struct inputs_reader *r, const uint8_t head[RECORD_HEAD_SIZE],
                            uint64_t left)
{
    uint8_t rest[RECORD_HEAD_SIZE + RECORD_SIZE_MAX];
    if (left > sizeof rest)
        return RECORD_NONE; /* of a first record: what is lost is all of it */
    size_t had = left < RECORD_HEAD_SIZE ? (size_t)left : RECORD_HEAD_SIZE;
    memcpy(rest, head, had);
    if (fread(rest + had, 1, (size_t)left - had, r->file) != left - had)
        return unreadable(r);
    return holds_record(rest, (size_t)left) ? wrong(r, "a size beyond records behind it", "its own")
                                            : RECORD_NONE;
}

/* A file system may show room it had not written yet. */
static bool only_zeros(struct inputs_reader *r)
{
    int c;
    while ((c = getc(r->file)) == 0)
        ;
    return c == EOF && !ferror(r->file);
}

/* ---- one record ---- */

static enum record_read check_place(struct inputs_reader *r, const uint8_t *bytes, size_t size)
{
    struct wire_reader w = {bytes, bytes + size, false};
    wire_get_array(&w);
    uint64_t kind = wire_get_u64(&w, 0), n = wire_get_u64(&w, 0);
    char found[32], expected[32];
    snprintf(found, sizeof found, "number %llu", (unsigned long long)n);
    snprintf(expected, sizeof expected, "number %llu", (unsigned long long)r->n + 1);
    if (w.bad || n != r->n + 1)
        return wrong(r, w.bad ? "no number" : found, expected);
    r->n = n;
    r->body_at = r->at;
    r->at += RECORD_HEAD_SIZE + size;
    r->ended = kind == RECORD_END;
    return RECORD_READ;
}

enum record_read inputs_reader_next(struct inputs_reader *r, uint8_t *bytes, size_t size_max,
                                    size_t *size)
{
    uint8_t head[RECORD_HEAD_SIZE];
    uint64_t left = r->size - r->at;
    if (left == 0)
        return RECORD_NONE;
    if (r->ended)
        return wrong(r, "bytes behind the last record", "none");
    size_t had = left < sizeof head ? (size_t)left : sizeof head;
    if (fread(head, 1, had, r->file) != had)
        return unreadable(r);
    if (left < sizeof head)
        return RECORD_NONE;
    uint32_t body = record_get_u32(head), crc = record_get_u32(head + 4);
    if (body == 0 && crc == 0 && only_zeros(r))
        return RECORD_NONE;
    if (body == 0 || body > size_max) {
        char found[32], expected[32];
        snprintf(found, sizeof found, "a size of %u", (unsigned)body);
        snprintf(expected, sizeof expected, "1 to %zu", size_max);
        return wrong(r, found, expected);
    }
    if (body > left - sizeof head)
        return cut(r, head, left);
    if (fread(bytes, 1, body, r->file) != body)
        return unreadable(r);
    uint32_t computed = crc32c(0, bytes, body);
    if (computed != crc) {
        char found[32], expected[32];
        snprintf(found, sizeof found, "crc32c %08x", (unsigned)computed);
        snprintf(expected, sizeof expected, "%08x", (unsigned)crc);
        return wrong(r, found, expected);
    }
    *size = body;
    return check_place(r, bytes, body);
}
