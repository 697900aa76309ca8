/* journal_reader: a window over the segment it stands in, and a place that goes from record to
 * record and from segment to segment.
 *
 *     segment   | header | record | record | record | zeros ...
 *     window              [....... up to 1 MiB .......]
 *     place                        ^ the next record stands here
 *
 * Another process may be writing what is read. So whatever is no record is read anew before it is
 * believed, and zeros are the end only if the next segment, which is made when this one is full,
 * is not there either. A window that has met the end grows from a page again, so that to look
 * again is cheap. */
#include "journal/journal_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "base/planted.h"
#include "journal/journal_place.h"
#include "journal/segment_list.h"

enum {
    AHEAD_MIN = 4096,
    AHEAD_GROWTH = 4,
    AHEAD_MAX = 1 << 20,    /* to read more at once is no faster */
    WEIGHED_SIZE = 1 << 16, /* at once, when all the rest is looked at */
    NO_FILE = -1,
};

struct journal_reader {
    const struct disk *disk;
    struct journal_place at;
    uint64_t after_seq;
    uint64_t durable_seq; /* the highest any header says so far */
    int file;             /* of the place */
    uint64_t later;       /* the segment behind it when it was entered; 0: there was none */
    /* what was said to be damaged last, if that is not the record at the place */
    char bad_file[DISK_NAME_SIZE];
    uint8_t *window;
    size_t room, filled;
    uint64_t window_at; /* offset in the segment */
    size_t ahead;       /* how much is read at once */
    bool fresh;         /* read during this look */
};

/* ---- the window ---- */

static void window_make(journal_reader_t *r, size_t room)
{
    if (room <= r->room)
        return;
    memory_free(r->window, 1, r->room);
    r->window = memory_new(1, room, "a window over a journal");
    r->room = room;
    r->filled = 0;
}

static void window_drop(journal_reader_t *r)
{
    r->filled = 0;
    r->ahead = AHEAD_MIN;
}

/* At the place; *got is less than size only if the file ends before. size: checked. */
static enum status window_read(journal_reader_t *r, size_t size, const uint8_t **bytes, size_t *got)
{
    uint64_t offset = r->at.offset;
    if (offset < r->window_at || offset + size > r->window_at + r->filled) {
        size_t wanted = size > r->ahead ? size : r->ahead;
        if (wanted > r->at.size - offset)
            wanted = (size_t)(r->at.size - offset);
        window_make(r, wanted);
        enum status status =
            r->disk->read(r->disk->self, r->file, offset, r->window, wanted, &r->filled);
        r->window_at = offset;
        if (status != STATUS_OK) {
            r->filled = 0;
            return status;
        }
        if (r->ahead < AHEAD_MAX)
            r->ahead *= AHEAD_GROWTH;
        r->fresh = true;
    }
    size_t there = (size_t)(r->window_at + r->filled - offset);
    *bytes = r->window + (offset - r->window_at);
    *got = there < size ? there : size;
    return STATUS_OK;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

/* ---- segments ---- */

/* Read the header of a segment. STATUS_INVALID: it is none, and fault says why. */
static enum status header_read(const struct disk *disk, int file, uint64_t number,
                               struct segment_header *h, struct record_fault *fault)
{
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    size_t got;
    enum status status = disk->read(disk->self, file, 0, bytes, sizeof bytes, &got);
    if (status != STATUS_OK)
        return status;
    *fault = (struct record_fault){"the size of a segment's header", got, sizeof bytes};
    if (got < sizeof bytes || !segment_header_read(bytes, h, fault))
        return STATUS_INVALID;
    *fault = (struct record_fault){"the first record of a segment", h->first_number, number};
    return h->first_number == number ? STATUS_OK : STATUS_INVALID;
}

static void bad_segment(journal_reader_t *r, uint64_t number, const struct record_fault *fault,
                        char error[JOURNAL_ERROR_SIZE])
{
    segment_name(number, r->bad_file);
    record_fault_words(error, r->disk, r->bad_file, 0, fault);
}

/* Stand at the beginning of a segment, whose open file is ours then. */
static enum status enter(journal_reader_t *r, int file, const struct segment_header *h)
{
    if (r->file != NO_FILE)
        r->disk->close(r->disk->self, r->file);
    r->file = file;
    place_enter(&r->at, h);
    if (h->next_seq - 1 > r->durable_seq)
        r->durable_seq = h->next_seq - 1;
    r->filled = 0;
    return segments_after(r->disk, r->at.segment, &r->later);
}

/* The next segment should be there, because a later one is, or was when ours was entered. */
static enum journal_read gone(journal_reader_t *r, uint64_t later, char error[JOURNAL_ERROR_SIZE])
{
    char found[DISK_NAME_SIZE] = "no file of this name";
    segment_name(r->at.number, r->bad_file);
    if (later != r->at.number)
        segment_name(later, found);
    snprintf(error, JOURNAL_ERROR_SIZE,
             "%.400s/%s, offset 0: the segment that comes behind %s: found %s, expected this one",
             r->disk->path, r->bad_file, r->at.file, found);
    return JOURNAL_READ_GONE;
}

/* There is no segment behind ours under the name it would have. */
static enum journal_read no_next(journal_reader_t *r, char error[JOURNAL_ERROR_SIZE])
{
    uint64_t later = r->later;
    if (later != 0)
        return gone(r, later, error);
    if (r->disk->holds(r->disk->self, r->at.file, r->file))
        return JOURNAL_READ_END;
    if (segments_after(r->disk, r->at.segment, &later) != STATUS_OK)
        return JOURNAL_READ_IO;
    if (later != 0)
        return gone(r, later, error);
    errno = ENOENT; /* the directory has vanished, or all that was in it */
    return JOURNAL_READ_IO;
}

/* There is no record in our segment: go to the next one. JOURNAL_READ_RECORD: we stand there. */
static enum journal_read next_segment(journal_reader_t *r, char error[JOURNAL_ERROR_SIZE])
{
    char name[DISK_NAME_SIZE];
    struct segment_header h;
    struct record_fault fault;
    int file;
    if (r->at.number == r->at.segment) /* ours is empty, so the next one's name is ours */
        return no_next(r, error);
    segment_name(r->at.number, name);
    enum status status = r->disk->open(r->disk->self, name, &file);
    if (status == STATUS_MISSING)
        return no_next(r, error);
    if (status != STATUS_OK)
        return JOURNAL_READ_IO;
    status = header_read(r->disk, file, r->at.number, &h, &fault);
    if (status == STATUS_OK && place_continues(&r->at, &h, &fault))
        return enter(r, file, &h) == STATUS_OK ? JOURNAL_READ_RECORD : JOURNAL_READ_IO;
    r->disk->close(r->disk->self, file);
    if (status != STATUS_OK && status != STATUS_INVALID)
        return JOURNAL_READ_IO;
    bad_segment(r, r->at.number, &fault, error);
    return JOURNAL_READ_DAMAGED;
}

/* ---- records ---- */

static enum journal_read damaged(const journal_reader_t *r, const struct record_fault *fault,
                                 char error[JOURNAL_ERROR_SIZE])
{
    record_fault_words(error, r->disk, r->at.file, r->at.offset, fault);
    return JOURNAL_READ_DAMAGED;
}

static enum journal_read ends_early(const journal_reader_t *r, size_t got,
                                    char error[JOURNAL_ERROR_SIZE])
{
    return damaged(
        r, &(struct record_fault){"the size of a segment's file", r->at.offset + got, r->at.size},
        error);
}

/* The whole record of a header that fits. */
static enum journal_read take(journal_reader_t *r, struct record_header *h,
                              struct journal_record *record, char error[JOURNAL_ERROR_SIZE])
{
    const uint8_t *bytes;
    size_t got, extent = record_extent(h->record.size);
    if (window_read(r, extent, &bytes, &got) != STATUS_OK)
        return JOURNAL_READ_IO;
    if (got < extent)
        return ends_early(r, got, error);
    uint32_t crc = crc32c(0, bytes + RECORD_HEADER_SIZE, h->record.size);
    if (crc != h->bytes_crc && !PLANTED(TORN_RECORD_ACCEPTED))
        return damaged(
            r, &(struct record_fault){"the CRC32C of a record's bytes", crc, h->bytes_crc}, error);
    *record = h->record;
    record->bytes = bytes + RECORD_HEADER_SIZE;
    memcpy(record->file, r->at.file, sizeof record->file);
    record->offset = r->at.offset;
    if (record->durable_seq > r->durable_seq)
        r->durable_seq = record->durable_seq;
    place_advance(&r->at, h);
    return JOURNAL_READ_RECORD;
}

/* One look at what stands at the place, and in the next segment if nothing does. */
static enum journal_read look(journal_reader_t *r, struct journal_record *record,
                              char error[JOURNAL_ERROR_SIZE])
{
    const uint8_t *bytes = NULL;
    struct record_header h;
    struct record_fault fault;
    size_t got;
    for (;;) {
        bool full = r->at.size - r->at.offset < RECORD_HEADER_SIZE;
        r->fresh = full; /* what is not looked at cannot have changed */
        r->bad_file[0] = '\0';
        if (!full && window_read(r, RECORD_HEADER_SIZE, &bytes, &got) != STATUS_OK)
            return JOURNAL_READ_IO;
        if (!full && got < RECORD_HEADER_SIZE)
            return ends_early(r, got, error);
        if (!full && !is_zero(bytes, RECORD_HEADER_SIZE))
            break;
        enum journal_read next = next_segment(r, error);
        if (next != JOURNAL_READ_RECORD)
            return next;
    }
    if (!record_header_read(bytes, &h, &fault) || !place_expects(&r->at, &h, &fault))
        return damaged(r, &fault, error);
    return take(r, &h, record, error);
}

/* At or before what the asker has. */
static bool is_passed(const journal_reader_t *r, const struct journal_record *record)
{
    uint64_t seq = record_last_seq(record);
    return record->kind == RECORD_BATCH ? seq <= r->after_seq : seq < r->after_seq;
}

enum journal_read journal_reader_next(journal_reader_t *r, struct journal_record *record,
                                      char error[JOURNAL_ERROR_SIZE])
{
    for (;;) {
        enum journal_read read = look(r, record, error);
        if (read == JOURNAL_READ_RECORD && is_passed(r, record))
            continue;
        bool settled = read == JOURNAL_READ_RECORD || read == JOURNAL_READ_IO || r->fresh;
        if (read != JOURNAL_READ_RECORD)
            window_drop(r);
        if (settled)
            return read;
    }
}

const struct journal_place *journal_reader_place(const journal_reader_t *r)
{
    return &r->at;
}

/* ---- open and close ---- */

/* Stand at the beginning of this segment if what is wanted is in it or behind it. STATUS_MISSING:
 * it is before, after *oldest_seq. STATUS_INVALID: the header is damaged. */
static enum status try_segment(journal_reader_t *r, uint64_t number, uint64_t *oldest_seq,
                               char error[JOURNAL_ERROR_SIZE])
{
    char name[DISK_NAME_SIZE];
    struct segment_header h;
    struct record_fault fault;
    int file;
    segment_name(number, name);
    enum status status = r->disk->open(r->disk->self, name, &file);
    if (status != STATUS_OK)
        return status == STATUS_MISSING ? STATUS_MISSING : STATUS_IO; /* removed just now */
    status = header_read(r->disk, file, number, &h, &fault);
    if (status == STATUS_OK && h.next_seq - 1 <= r->after_seq)
        return enter(r, file, &h);
    r->disk->close(r->disk->self, file);
    if (status == STATUS_INVALID)
        bad_segment(r, number, &fault, error);
    if (status != STATUS_OK)
        return status;
    *oldest_seq = h.next_seq - 1;
    return STATUS_MISSING;
}

/* The last segment that begins at or before the wanted command; all of them if that is the first.
 * A damaged one on the way is passed over: whoever reads meets it in its turn. */
static enum status find_segment(journal_reader_t *r, const struct segment_list *list,
                                uint64_t *oldest_seq, char error[JOURNAL_ERROR_SIZE])
{
    enum status status = STATUS_MISSING;
    size_t i = r->after_seq == 0 && list->count > 0 ? 1 : list->count;
    while (i-- > 0) {
        status = try_segment(r, list->first_numbers[i], oldest_seq, error);
        if (status == STATUS_OK || status == STATUS_IO)
            return status;
    }
    return status;
}

enum status journal_reader_open(journal_reader_t **reader, const struct disk *disk,
                                uint64_t after_seq, uint64_t *oldest_seq,
                                char error[JOURNAL_ERROR_SIZE])
{
    struct segment_list list;
    journal_reader_t *r = memory_new(1, sizeof *r, "a reader of a journal");
    *reader = r;
    *r = (struct journal_reader){
        .disk = disk, .after_seq = after_seq, .file = NO_FILE, .ahead = AHEAD_MIN};
    *oldest_seq = 0;
    enum status status = segments_list(disk, &list);
    if (status == STATUS_OK)
        status = find_segment(r, &list, oldest_seq, error);
    int why = errno;
    segments_free(&list);
    if (status != STATUS_OK)
        journal_reader_close(reader);
    errno = why;
    return status;
}

void journal_reader_close(journal_reader_t **reader)
{
    journal_reader_t *r = *reader;
    if (r == NULL)
        return;
    if (r->file != NO_FILE)
        r->disk->close(r->disk->self, r->file);
    memory_free(r->window, 1, r->room);
    memory_free(r, 1, sizeof *r);
    *reader = NULL;
}

/* ---- damage ---- */

static void weigh_record(const uint8_t *bytes, struct journal_damage *d)
{
    struct record_header h;
    struct record_fault fault;
    if (!record_header_read(bytes, &h, &fault))
        return;
    d->records++;
    if (h.record.durable_seq > d->durable_seq)
        d->durable_seq = h.record.durable_seq;
    if (h.record.epoch > d->epoch)
        d->epoch = h.record.epoch;
}

/* What stands in these bytes, which are zeroed to a multiple of RECORD_ALIGN: whole headers at
 * every place where one may begin. The bytes up to the last one that is not zero. */
static size_t weigh_bytes(const uint8_t *bytes, size_t size, struct journal_damage *d)
{
    size_t data = 0;
    for (size_t i = 0; i < size; i += RECORD_ALIGN) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        if (word == 0)
            continue;
        data = i + RECORD_ALIGN;
        if (i + RECORD_HEADER_SIZE <= size)
            weigh_record(bytes + i, d);
    }
    return data;
}

/* From this offset, where a record may begin, to the end the file should have. */
static enum status weigh_rest(journal_reader_t *r, int file, uint64_t from, uint64_t size,
                              struct journal_damage *d)
{
    /* Windows overlap so that a header stands whole in exactly one of them. */
    enum { STEP = WEIGHED_SIZE - RECORD_HEADER_SIZE + RECORD_ALIGN };
    uint64_t data_end = from, end = from;
    size_t got = 0;
    window_make(r, WEIGHED_SIZE + RECORD_ALIGN);
    for (uint64_t at = from; at < size; at += STEP) {
        size_t wanted = size - at < WEIGHED_SIZE ? (size_t)(size - at) : WEIGHED_SIZE;
        enum status status = r->disk->read(r->disk->self, file, at, r->window, wanted, &got);
        if (status != STATUS_OK)
            return status;
        memset(r->window + got, 0, RECORD_ALIGN); /* the last word may be cut short */
        size_t data = weigh_bytes(r->window, got, d);
        if (data > 0)
            data_end = at + data;
        end = at + got;
        if (got < wanted)
            break;
    }
    if (end < size)
        data_end = size; /* what is missing at the end is lost, whatever it was */
    d->data = d->data || data_end > from;
    d->size += data_end - from;
    return STATUS_OK;
}

/* A segment behind the place: it is data by being there, and should have a header at least. */
static enum status weigh_segment(journal_reader_t *r, uint64_t number, struct journal_damage *d)
{
    char name[DISK_NAME_SIZE];
    struct segment_header h;
    struct record_fault fault;
    uint64_t size = 0;
    int file;
    segment_name(number, name);
    enum status status = r->disk->open(r->disk->self, name, &file);
    if (status != STATUS_OK)
        return status;
    status = header_read(r->disk, file, number, &h, &fault);
    if (status == STATUS_OK && h.next_seq - 1 > d->durable_seq)
        d->durable_seq = h.next_seq - 1;
    if (status == STATUS_OK && h.epoch > d->epoch)
        d->epoch = h.epoch;
    if (status == STATUS_OK || status == STATUS_INVALID)
        status = r->disk->size(r->disk->self, file, &size);
    if (status == STATUS_OK)
        status = weigh_rest(r, file, 0, size > SEGMENT_HEADER_SIZE ? size : SEGMENT_HEADER_SIZE, d);
    r->disk->close(r->disk->self, file);
    d->data = true;
    return status;
}

enum status journal_reader_damage(journal_reader_t *r, struct journal_damage *d)
{
    struct segment_list list;
    bool segment = r->bad_file[0] != '\0';
    *d = (struct journal_damage){
        .durable_seq = r->durable_seq,
        .epoch = r->at.epoch,
        .offset = segment ? 0 : r->at.offset,
        .next_seq = r->at.next_seq,
    };
    memcpy(d->file, segment ? r->bad_file : r->at.file, sizeof d->file);
    enum status status = weigh_rest(r, r->file, r->at.offset, r->at.size, d);
    if (status == STATUS_OK) {
        status = segments_list(r->disk, &list);
        for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
            if (list.first_numbers[i] > r->at.segment)
                status = weigh_segment(r, list.first_numbers[i], d);
        }
        segments_free(&list);
    }
    window_drop(r);
    return status;
}
