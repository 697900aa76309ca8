/* retention: cursors, and what they and the snapshots let go.
 *
 * A cursor is one line of text, so that a person can read it: the sequence, and the CRC32C of the
 * name and it. It is sound if it is, to the byte, what would be written for that sequence.
 *
 *     00000000000000000042 5f2b1c9e
 */
#include "journal/retention.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "journal/record_format.h"
#include "journal/segment_list.h"
#include "journal/snapshots.h"

enum {
    CONSUMER_NAME_SIZE = 33, /* with the NUL */
    CURSOR_DIGITS = 20,
    CURSOR_SIZE = CURSOR_DIGITS + 1 + 8 + 1,
};

#define CURSOR_END ".cursor"

static bool name_fits(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return name[length] == '\0' && length > 0 && length < CONSUMER_NAME_SIZE;
}

static enum status failed(const struct disk *disk, const char *file, enum status status,
                          char error[JOURNAL_ERROR_SIZE])
{
    int why = errno;
    snprintf(error, JOURNAL_ERROR_SIZE, "%.400s/%s: %s", disk->path, file,
             status == STATUS_FULL ? "no space" : strerror(why));
    errno = why;
    return status == STATUS_FULL ? STATUS_FULL : STATUS_IO;
}

/* ---- one cursor ---- */

static void cursor_text(const char *name, uint64_t seq, char text[CURSOR_SIZE + 1])
{
    char digits[CURSOR_DIGITS + 1];
    snprintf(digits, sizeof digits, "%020" PRIu64, seq);
    uint32_t crc = crc32c(crc32c(0, name, strlen(name) + 1), digits, CURSOR_DIGITS);
    snprintf(text, CURSOR_SIZE + 1, "%s %08" PRIx32 "\n", digits, crc);
}

/* The sequence in a cursor; false: it is damaged, and error says where. */
static bool cursor_parse(const struct disk *disk, const char *name, const char *file,
                         const uint8_t *text, size_t size, uint64_t *seq,
                         char error[JOURNAL_ERROR_SIZE])
{
    char sound[CURSOR_SIZE + 1];
    struct record_fault fault = {"the size of a cursor", size, CURSOR_SIZE};
    uint64_t offset = 0;
    *seq = 0;
    for (size_t i = 0; i < size && i < CURSOR_DIGITS; i++)
        *seq = *seq * 10 + (uint64_t)(text[i] - '0'); /* what is no digit is written otherwise */
    cursor_text(name, *seq, sound);
    if (size == CURSOR_SIZE) {
        while (offset < size && text[offset] == (uint8_t)sound[offset])
            offset++;
        if (offset == size)
            return true;
        fault = (struct record_fault){"a byte of a cursor", text[offset], (uint8_t)sound[offset]};
    }
    record_fault_words(error, disk, file, offset, &fault);
    return false;
}

/* STATUS_MISSING: there is none; error is left alone. */
static enum status cursor_read(const struct disk *disk, const char *name, uint64_t *seq,
                               char error[JOURNAL_ERROR_SIZE])
{
    char file_name[DISK_NAME_SIZE];
    uint8_t text[CURSOR_SIZE + 1]; /* one more, to see that there is none */
    size_t got;
    int file;
    snprintf(file_name, sizeof file_name, "%s%s", name, CURSOR_END);
    enum status status = disk->open(disk->self, file_name, &file);
    if (status == STATUS_MISSING)
        return STATUS_MISSING;
    if (status == STATUS_OK) {
        status = disk->read(disk->self, file, 0, text, sizeof text, &got);
        int why = errno;
        disk->close(disk->self, file);
        errno = why;
    }
    if (status != STATUS_OK)
        return failed(disk, file_name, STATUS_IO, error);
    return cursor_parse(disk, name, file_name, text, got, seq, error) ? STATUS_OK : STATUS_INVALID;
}

static enum status cursor_write(const struct disk *disk, const char *name, uint64_t seq,
                                char error[JOURNAL_ERROR_SIZE])
{
    char unfinished[DISK_NAME_SIZE], file_name[DISK_NAME_SIZE], text[CURSOR_SIZE + 1];
    int file;
    snprintf(file_name, sizeof file_name, "%s%s", name, CURSOR_END);
    snprintf(unfinished, sizeof unfinished, "%s%s.new", name, CURSOR_END);
    cursor_text(name, seq, text);
    enum status status = disk->create(disk->self, unfinished, &file);
    if (status == STATUS_OK) {
        status = disk->write(disk->self, file, 0, text, CURSOR_SIZE);
        if (status == STATUS_OK)
            status = disk->sync(disk->self, file);
        int why = errno;
        disk->close(disk->self, file);
        errno = why;
    }
    if (status == STATUS_OK)
        status = disk->rename(disk->self, unfinished, file_name);
    return status == STATUS_OK ? STATUS_OK : failed(disk, file_name, status, error);
}

/* ---- all cursors ---- */

struct consumers {
    char names[CONSUMERS_MAX][DISK_NAME_SIZE];
    unsigned count; /* there may be more than there is room for */
};

static void consumer_look(void *to, const char *file_name, uint64_t size)
{
    struct consumers *c = to;
    size_t length = strlen(file_name), end = strlen(CURSOR_END);
    (void)size;
    if (length < end || strcmp(file_name + length - end, CURSOR_END) != 0)
        return;
    if (c->count < CONSUMERS_MAX) {
        memcpy(c->names[c->count], file_name, length - end);
        c->names[c->count][length - end] = '\0';
    }
    c->count++;
}

static enum status consumers_list(const struct disk *disk, struct consumers *c,
                                  char error[JOURNAL_ERROR_SIZE])
{
    c->count = 0;
    if (disk->list(disk->self, consumer_look, c) != STATUS_OK)
        return failed(disk, "", STATUS_IO, error);
    return STATUS_OK;
}

/* anew: it goes back, too. */
static enum status consumer_set(const struct disk *disk, const char *name, uint64_t seq, bool anew,
                                char error[JOURNAL_ERROR_SIZE])
{
    struct consumers consumers;
    uint64_t before;
    if (!name_fits(name)) {
        snprintf(error, JOURNAL_ERROR_SIZE,
                 "the name of a consumer is 1 to %d of a-z 0-9 -: found \"%.100s\"",
                 CONSUMER_NAME_SIZE - 1, name);
        return STATUS_INVALID;
    }
    enum status status = cursor_read(disk, name, &before, error);
    if (status == STATUS_OK)
        return seq > before || anew ? cursor_write(disk, name, seq, error) : STATUS_OK;
    if (status != STATUS_MISSING)
        return status;
    status = consumers_list(disk, &consumers, error);
    if (status != STATUS_OK)
        return status;
    if (consumers.count >= CONSUMERS_MAX) {
        snprintf(error, JOURNAL_ERROR_SIZE,
                 "%.400s: %u consumers have a cursor there, and no more than %d may", disk->path,
                 consumers.count, CONSUMERS_MAX);
        return STATUS_FULL;
    }
    return cursor_write(disk, name, seq, error);
}

enum status consumer_begin(const struct disk *disk, const char *name,
                           char error[JOURNAL_ERROR_SIZE])
{
    return consumer_set(disk, name, 0, true, error);
}

enum status consumer_write(const struct disk *disk, const char *name, uint64_t seq,
                           char error[JOURNAL_ERROR_SIZE])
{
    return consumer_set(disk, name, seq, false, error);
}

/* The sequence every consumer has passed; UINT64_MAX: there is none. */
static enum status consumers_passed(const struct disk *disk, uint64_t *passed,
                                    char error[JOURNAL_ERROR_SIZE])
{
    struct consumers consumers;
    *passed = UINT64_MAX;
    enum status status = consumers_list(disk, &consumers, error);
    if (status != STATUS_OK)
        return status;
    if (consumers.count > CONSUMERS_MAX) {
        snprintf(error, JOURNAL_ERROR_SIZE, "%.400s: found %u cursors, expected %d at most",
                 disk->path, consumers.count, CONSUMERS_MAX);
        return STATUS_INVALID;
    }
    for (unsigned i = 0; i < consumers.count; i++) {
        uint64_t seq = 0;
        if (!name_fits(consumers.names[i])) {
            snprintf(error, JOURNAL_ERROR_SIZE,
                     "%.400s/%s%s: the name of a cursor: expected 1 to %d of a-z 0-9 -", disk->path,
                     consumers.names[i], CURSOR_END, CONSUMER_NAME_SIZE - 1);
            return STATUS_INVALID;
        }
        status = cursor_read(disk, consumers.names[i], &seq, error);
        if (status != STATUS_OK && status != STATUS_MISSING)
            return status;
        if (status == STATUS_OK && seq < *passed) /* one removed meanwhile holds nothing back */
            *passed = seq;
    }
    return STATUS_OK;
}

/* ---- segments ---- */

/* The last command before a segment. STATUS_MISSING: it has gone meanwhile. */
static enum status segment_before(const struct disk *disk, uint64_t number, uint64_t *last_seq,
                                  char error[JOURNAL_ERROR_SIZE])
{
    char name[DISK_NAME_SIZE];
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    struct segment_header h;
    struct record_fault fault;
    size_t got;
    int file;
    segment_name(number, name);
    enum status status = disk->open(disk->self, name, &file);
    if (status == STATUS_MISSING)
        return STATUS_MISSING;
    if (status == STATUS_OK) {
        status = disk->read(disk->self, file, 0, bytes, sizeof bytes, &got);
        int why = errno;
        disk->close(disk->self, file);
        errno = why;
    }
    if (status != STATUS_OK)
        return failed(disk, name, STATUS_IO, error);
    fault = (struct record_fault){"the size of a segment's header", got, sizeof bytes};
    bool fits = got == sizeof bytes && segment_header_read(bytes, &h, &fault);
    if (fits && h.first_number != number) {
        fault = (struct record_fault){"the first record of a segment", h.first_number, number};
        fits = false;
    }
    if (!fits) {
        record_fault_words(error, disk, name, 0, &fault);
        return STATUS_INVALID;
    }
    *last_seq = h.next_seq - 1;
    return STATUS_OK;
}

/* Remove, oldest first, the segments behind which another begins at or before passed + 1. */
static enum status release_passed(const struct disk *disk, const struct segment_list *list,
                                  uint64_t passed, unsigned *removed,
                                  char error[JOURNAL_ERROR_SIZE])
{
    for (size_t i = 0; i + 1 < list->count; i++) {
        char name[DISK_NAME_SIZE];
        uint64_t last_seq;
        enum status status = segment_before(disk, list->first_numbers[i + 1], &last_seq, error);
        if (status == STATUS_MISSING || (status == STATUS_OK && last_seq > passed))
            return STATUS_OK;
        if (status != STATUS_OK)
            return status;
        segment_name(list->first_numbers[i], name);
        status = disk->remove(disk->self, name);
        if (status != STATUS_OK)
            return failed(disk, name, STATUS_IO, error);
        ++*removed;
    }
    return STATUS_OK;
}

/* The sequence up to which nothing is needed; 0: there are too few snapshots. */
static enum status passed_by_all(const struct disk *disk, uint64_t *passed,
                                 char error[JOURNAL_ERROR_SIZE])
{
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count;
    enum status status = snapshots_list(disk, seqs, &count);
    if (status != STATUS_OK)
        return failed(disk, "", STATUS_IO, error);
    status = consumers_passed(disk, passed, error);
    uint64_t kept = count < SNAPSHOTS_KEPT ? 0 : seqs[SNAPSHOTS_KEPT - 1];
    if (kept < *passed)
        *passed = kept;
    return status;
}

enum status segments_release(const struct disk *disk, uint64_t sound_seq, unsigned *removed,
                             uint64_t *size_left, char error[JOURNAL_ERROR_SIZE])
{
    struct segment_list list = {0};
    uint64_t passed = 0, count;
    *removed = 0;
    *size_left = 0;
    enum status status = passed_by_all(disk, &passed, error);
    if (passed > sound_seq)
        passed = sound_seq;
    if (status == STATUS_OK && passed > 0) {
        status = segments_list(disk, &list);
        if (status == STATUS_OK)
            status = release_passed(disk, &list, passed, removed, error);
        else
            status = failed(disk, "", STATUS_IO, error);
        segments_free(&list);
    }
    if (segments_measure(disk, &count, size_left) != STATUS_OK && status == STATUS_OK)
        status = failed(disk, "", STATUS_IO, error);
    return status;
}
