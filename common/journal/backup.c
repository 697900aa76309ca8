/* backup: shipping goes record by record from where the copy ends:
 *
 *     journal   [ segment ][ segment ][ segm....]
 *     copy      [ segment ][ seg              zeros, made of nothing
 *                               ^ at: the next record, of the chain the copy holds
 *
 * What is read of a journal may not have reached its disk: another process wrote it. So its last
 * segment is synced before any of it is copied (all before it are durable by their being there),
 * and nothing can be in the copy that its journal may still lose.
 *
 * Restoring goes from the newest segment to the oldest: a directory without the oldest ones is
 * refused by a start, unless a snapshot stands for them, and then it is whole. */
#include "journal/backup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "journal/journal_place.h"
#include "journal/journal_reader.h"
#include "journal/retention.h"
#include "journal/segment_list.h"
#include "journal/snapshots.h"

#define FRESH_NAME    "copy.new"
#define EPOCH_DUE_NEW "epoch.new"

enum { NO_FILE = -1, PIECE_SIZE = 256 << 10 };

struct backup {
    const struct disk *from;
    const struct disk *to;
    struct journal_place at; /* where the copy ends; number 0: it has nothing */
    int in, out;             /* the segments read and written */
    char in_name[DISK_NAME_SIZE];
    uint8_t *bytes;
    size_t room;
    struct backup_copied *copied;
    char *error;
};

/* What storage answered, in words. */
static enum status told(struct backup *b, enum status status, const struct disk *disk,
                        const char *name, const char *what)
{
    if (status == STATUS_OK)
        return STATUS_OK;
    int why = errno;
    snprintf(b->error, JOURNAL_ERROR_SIZE, "%.400s/%s: it cannot be %s: %s", disk->path, name, what,
             status == STATUS_FULL ? "no space" : strerror(why));
    errno = why;
    return status == STATUS_FULL ? STATUS_FULL : STATUS_IO;
}

static void make_room(struct backup *b, size_t size)
{
    if (size <= b->room)
        return;
    memory_free(b->bytes, 1, b->room);
    b->bytes = memory_new(1, size, "what is copied");
    b->room = size;
}

static void close_file(const struct disk *disk, int *file)
{
    if (*file != NO_FILE)
        disk->close(disk->self, *file);
    *file = NO_FILE;
}

static void end(struct backup *b)
{
    int why = errno;
    close_file(b->from, &b->in);
    close_file(b->to, &b->out);
    memory_free(b->bytes, 1, b->room);
    errno = why;
}

/* Whoever starts from the copy begins a new epoch, from before it holds anything. */
static enum status mark_epoch_due(struct backup *b)
{
    int file;
    enum status status = b->to->create(b->to->self, EPOCH_DUE_NEW, &file);
    if (status == STATUS_OK) {
        b->to->close(b->to->self, file);
        status = b->to->rename(b->to->self, EPOCH_DUE_NEW, EPOCH_DUE_NAME);
    }
    return told(b, status, b->to, EPOCH_DUE_NAME, "made");
}

/* ---- where both end ---- */

/* Behind the last whole record of a directory; behind: what stands there, or empty. STATUS_MISSING:
 * there is no segment. */
static enum status find_end(struct backup *b, const struct disk *disk, struct journal_place *at,
                            char behind[JOURNAL_ERROR_SIZE])
{
    journal_reader_t *reader;
    struct journal_record record;
    uint64_t oldest;
    behind[0] = '\0';
    enum status status = journal_reader_open(&reader, disk, UINT64_MAX, &oldest, b->error);
    if (status == STATUS_IO)
        return told(b, status, disk, "", "read");
    if (status != STATUS_OK)
        return status;
    enum journal_read read = journal_reader_next(reader, &record, behind); /* all are passed */
    if (read == JOURNAL_READ_END)
        behind[0] = '\0';
    if (read == JOURNAL_READ_IO)
        status = told(b, STATUS_IO, disk, "", "read");
    *at = *journal_reader_place(reader);
    journal_reader_close(&reader);
    return status;
}

static enum status sync_file(struct backup *b, const struct disk *disk, const char *name)
{
    int file;
    enum status status = disk->open(disk->self, name, &file);
    if (status == STATUS_OK) {
        status = disk->sync(disk->self, file);
        int why = errno;
        disk->close(disk->self, file);
        errno = why;
    }
    return told(b, status, disk, name, "synced");
}

static enum status refuse(struct backup *b, const struct record_fault *fault)
{
    char words[JOURNAL_ERROR_SIZE];
    record_fault_words(words, b->to, b->at.file, b->at.offset, fault);
    snprintf(b->error, JOURNAL_ERROR_SIZE,
             "%.700s; the copy is not of the history of %.200s: copy into an empty directory",
             words, b->from->path);
    return STATUS_INVALID;
}

/* Both ends, the journal's durable. */
static enum status find_ends(struct backup *b, struct journal_place *end)
{
    char torn[JOURNAL_ERROR_SIZE];
    enum status status = find_end(b, b->from, end, b->copied->behind);
    if (status == STATUS_MISSING)
        snprintf(b->error, JOURNAL_ERROR_SIZE,
                 "%.400s: found no file of a journal (*.segment), expected the directory of one "
                 "shard's journal",
                 b->from->path);
    if (status == STATUS_OK)
        status = sync_file(b, b->from, end->file);
    if (status != STATUS_OK)
        return status;
    status = find_end(b, b->to, &b->at, torn); /* what is torn is written again */
    if (status == STATUS_MISSING)
        return mark_epoch_due(b);
    if (status != STATUS_OK)
        return status;
    b->copied->seq = b->at.next_seq - 1;
    b->copied->epoch = b->at.epoch;
    if (end->number < b->at.number)
        return refuse(
            b, &(struct record_fault){"records in the copy", b->at.number - 1, end->number - 1});
    if (end->number == b->at.number && end->previous_crc != b->at.previous_crc)
        return refuse(b, &(struct record_fault){"the CRC of the last record", b->at.previous_crc,
                                                end->previous_crc});
    return told(b, b->to->open(b->to->self, b->at.file, &b->out), b->to, b->at.file, "opened");
}

/* ---- copying records ---- */

static enum status damaged(struct backup *b, const char *file, uint64_t offset,
                           const struct record_fault *fault)
{
    record_fault_words(b->error, b->from, file, offset, fault);
    return STATUS_INVALID;
}

static enum status read_in(struct backup *b, const char *name, uint64_t at, size_t size)
{
    size_t got;
    enum status status = STATUS_OK;
    make_room(b, size);
    if (b->in == NO_FILE || strcmp(b->in_name, name) != 0) {
        close_file(b->from, &b->in);
        status = b->from->open(b->from->self, name, &b->in);
        if (status != STATUS_OK)
            b->in = NO_FILE;
        snprintf(b->in_name, sizeof b->in_name, "%s", name);
    }
    if (status == STATUS_OK)
        status = b->from->read(b->from->self, b->in, at, b->bytes, size, &got);
    if (status != STATUS_OK)
        return told(b, status, b->from, name, "read");
    if (got < size)
        return damaged(b, name, at,
                       &(struct record_fault){"the size of a segment's file", at + got, at + size});
    return STATUS_OK;
}

static enum status close_out(struct backup *b)
{
    enum status status = STATUS_OK;
    if (b->out == NO_FILE)
        return STATUS_OK;
    status = told(b, b->to->sync(b->to->self, b->out), b->to, b->at.file, "synced");
    close_file(b->to, &b->out);
    return status;
}

/* Of the size it says, all zeros but for its header; under its name when that is durable. */
static enum status make_segment(struct backup *b, const char *name, uint64_t size)
{
    static const uint8_t zero = 0;
    const struct disk *to = b->to;
    enum status status = to->create(to->self, FRESH_NAME, &b->out);
    if (status != STATUS_OK)
        b->out = NO_FILE;
    if (status == STATUS_OK)
        status = to->write(to->self, b->out, 0, b->bytes, SEGMENT_HEADER_SIZE);
    if (status == STATUS_OK)
        status = to->write(to->self, b->out, size - 1, &zero, 1);
    if (status == STATUS_OK)
        status = to->sync(to->self, b->out);
    if (status == STATUS_OK)
        status = to->rename(to->self, FRESH_NAME, name);
    return told(b, status, to, name, "made");
}

/* Go to the segment this record begins. */
static enum status begin_segment(struct backup *b, const struct journal_record *r)
{
    struct segment_header h;
    struct record_fault fault;
    enum status status = close_out(b);
    if (status == STATUS_OK)
        status = read_in(b, r->file, 0, SEGMENT_HEADER_SIZE);
    if (status != STATUS_OK)
        return status;
    if (!segment_header_read(b->bytes, &h, &fault) ||
        (b->at.number > 0 && !place_continues(&b->at, &h, &fault)))
        return damaged(b, r->file, 0, &fault);
    status = make_segment(b, r->file, h.size);
    place_enter(&b->at, &h);
    b->copied->segments++;
    return status;
}

static enum status copy_record(struct backup *b, const struct journal_record *r)
{
    struct record_header h;
    struct record_fault fault;
    size_t extent = record_extent(r->size);
    enum status status = STATUS_OK;
    if (strcmp(b->at.file, r->file) != 0)
        status = begin_segment(b, r);
    else if (b->copied->records == 0)
        b->copied->segments++;
    if (status == STATUS_OK)
        status = read_in(b, r->file, r->offset, extent);
    if (status != STATUS_OK)
        return status;
    if (!record_header_read(b->bytes, &h, &fault))
        return damaged(b, r->file, r->offset, &fault);
    uint32_t crc = crc32c(0, b->bytes + RECORD_HEADER_SIZE, h.record.size);
    if (h.record.size != r->size || crc != h.bytes_crc)
        return damaged(b, r->file, r->offset,
                       &(struct record_fault){"the CRC32C of a record's bytes", crc, h.bytes_crc});
    if (r->offset != b->at.offset || !place_expects(&b->at, &h, &fault)) {
        if (r->offset != b->at.offset)
            fault = (struct record_fault){"the place of a record", r->offset, b->at.offset};
        return refuse(b, &fault);
    }
    status = b->to->write(b->to->self, b->out, r->offset, b->bytes, extent);
    place_advance(&b->at, &h);
    b->copied->records++;
    b->copied->bytes += extent;
    return told(b, status, b->to, r->file, "written");
}

/* The first record the copy lacks, and those before the end. */
static enum status copy_records(struct backup *b, journal_reader_t *reader, uint64_t end)
{
    struct journal_record r;
    char words[JOURNAL_ERROR_SIZE];
    enum status status = STATUS_OK;
    while (status == STATUS_OK && b->at.number < end) {
        enum journal_read read = journal_reader_next(reader, &r, words);
        if (read == JOURNAL_READ_IO)
            return told(b, STATUS_IO, b->from, "", "read");
        if (read == JOURNAL_READ_END) /* as many records or more, but fewer commands */
            return refuse(b, &(struct record_fault){"records behind the last command of the copy",
                                                    0, end - b->at.number});
        if (read != JOURNAL_READ_RECORD) {
            snprintf(b->error, JOURNAL_ERROR_SIZE, "%s", words);
            return STATUS_INVALID;
        }
        if (r.number >= b->at.number)
            status = copy_record(b, &r);
    }
    return status;
}

/* Notes may follow the last command, in its segment: so begin with it. */
static enum status open_reader(struct backup *b, journal_reader_t **reader)
{
    uint64_t oldest = 0, after_seq = b->at.next_seq > 2 ? b->at.next_seq - 2 : 0;
    enum status status = journal_reader_open(reader, b->from, after_seq, &oldest, b->error);
    if (status == STATUS_MISSING && b->at.number == 0)
        status = journal_reader_open(reader, b->from, oldest, &oldest, b->error);
    if (status == STATUS_IO)
        return told(b, status, b->from, "", "read");
    if (status != STATUS_MISSING)
        return status;
    snprintf(b->error, JOURNAL_ERROR_SIZE,
             "%.400s: found command %" PRIu64 " as the first, expected %" PRIu64
             " or one before, with which %.400s goes on: copy into an empty directory",
             b->from->path, oldest + 1, b->at.next_seq, b->to->path);
    return STATUS_INVALID;
}

/* ---- snapshots ---- */

static enum status copy_snapshot(struct backup *b, uint64_t seq)
{
    struct snapshot_head head;
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum status status = snapshots_read(b->from, seq, &head, &bytes, &size, b->error);
    if (status == STATUS_MISSING)
        return STATUS_OK; /* a newer one has come in its place */
    if (status == STATUS_IO)
        return told(b, status, b->from, "", "read");
    if (status != STATUS_OK)
        return status;
    status = told(b, snapshots_write(b->to, &head, bytes, size), b->to, "", "written to");
    snapshots_free(&bytes, size);
    if (status == STATUS_OK) {
        b->copied->snapshots++;
        b->copied->bytes += size;
    }
    return status;
}

/* Those of commands the copy has, newer than its own; oldest first. */
static enum status copy_snapshots(struct backup *b, uint64_t seq_max)
{
    uint64_t ours[SNAPSHOTS_MAX], theirs[SNAPSHOTS_MAX];
    unsigned our_count = 0, their_count = 0;
    enum status status =
        told(b, snapshots_list(b->from, theirs, &their_count), b->from, "", "read");
    if (status == STATUS_OK)
        status = told(b, snapshots_list(b->to, ours, &our_count), b->to, "", "read");
    uint64_t newest = our_count > 0 ? ours[0] : 0;
    for (unsigned i = their_count; i-- > 0 && status == STATUS_OK;) {
        if (theirs[i] > newest && theirs[i] <= seq_max)
            status = copy_snapshot(b, theirs[i]);
    }
    return status;
}

/* ---- shipping ---- */

/* Nothing the copy lacks is removed from here on. */
static enum status hold(struct backup *b, const char *consumer)
{
    uint64_t last = b->at.number > 0 ? b->at.next_seq - 1 : 0;
    return consumer_write(b->from, consumer, last > 0 ? last - 1 : 0, b->error);
}

static enum status ship_records(struct backup *b, const char *consumer)
{
    struct journal_place end;
    journal_reader_t *reader = NULL;
    enum status status = find_ends(b, &end);
    if (status == STATUS_OK && b->at.number == 0)
        status = consumer_begin(b->from, consumer, b->error);
    if (status == STATUS_OK && b->at.number < end.number)
        status = open_reader(b, &reader);
    if (reader != NULL)
        status = copy_records(b, reader, end.number);
    journal_reader_close(&reader);
    enum status closed = close_out(b);
    return status == STATUS_OK ? closed : status;
}

enum status backup_ship(const struct disk *journal, const struct disk *copy, const char *consumer,
                        struct backup_copied *copied, char error[JOURNAL_ERROR_SIZE])
{
    struct backup b = {.from = journal, .to = copy, .in = NO_FILE, .out = NO_FILE};
    *copied = (struct backup_copied){0};
    b.copied = copied;
    b.error = error;
    enum status status = ship_records(&b, consumer);
    if (status == STATUS_OK && b.at.number > 0) {
        copied->seq = b.at.next_seq - 1;
        copied->epoch = b.at.epoch;
        status = copy_snapshots(&b, copied->seq);
    }
    if (status == STATUS_OK)
        status = hold(&b, consumer);
    end(&b);
    return status;
}

/* ---- restoring ---- */

static enum status copy_file(struct backup *b, const char *name)
{
    uint64_t at = 0;
    size_t got = PIECE_SIZE;
    enum status status = b->from->open(b->from->self, name, &b->in);
    if (status != STATUS_OK) {
        b->in = NO_FILE;
        return told(b, status, b->from, name, "opened");
    }
    status = b->to->create(b->to->self, FRESH_NAME, &b->out);
    if (status != STATUS_OK)
        b->out = NO_FILE;
    for (; status == STATUS_OK && got == PIECE_SIZE; at += got) {
        if (b->from->read(b->from->self, b->in, at, b->bytes, PIECE_SIZE, &got) != STATUS_OK)
            return told(b, STATUS_IO, b->from, name, "read");
        if (got > 0)
            status = b->to->write(b->to->self, b->out, at, b->bytes, got);
    }
    if (status == STATUS_OK)
        status = b->to->sync(b->to->self, b->out);
    if (status == STATUS_OK)
        status = b->to->rename(b->to->self, FRESH_NAME, name);
    close_file(b->from, &b->in);
    close_file(b->to, &b->out);
    b->copied->bytes += at;
    return told(b, status, b->to, name, "written");
}

static enum status copy_segments(struct backup *b)
{
    struct segment_list list;
    char name[DISK_NAME_SIZE];
    enum status status = told(b, segments_list(b->from, &list), b->from, "", "read");
    if (status == STATUS_OK && list.count == 0) {
        snprintf(b->error, JOURNAL_ERROR_SIZE,
                 "%.400s: found no file of a journal (*.segment), expected a backup of one",
                 b->from->path);
        status = STATUS_MISSING;
    }
    for (size_t i = list.count; i-- > 0 && status == STATUS_OK;) {
        segment_name(list.first_numbers[i], name);
        status = copy_file(b, name);
        b->copied->segments++;
    }
    segments_free(&list);
    return status;
}

enum status backup_restore(const struct disk *copy, const struct disk *journal,
                           struct backup_copied *copied, char error[JOURNAL_ERROR_SIZE])
{
    struct backup b = {.from = copy, .to = journal, .in = NO_FILE, .out = NO_FILE};
    *copied = (struct backup_copied){0};
    b.copied = copied;
    b.error = error;
    make_room(&b, PIECE_SIZE);
    enum status status = mark_epoch_due(&b);
    if (status == STATUS_OK)
        status = copy_snapshots(&b, UINT64_MAX);
    if (status == STATUS_OK)
        status = copy_segments(&b);
    struct journal_place at;
    if (status == STATUS_OK)
        status = find_end(&b, journal, &at, copied->behind);
    if (status == STATUS_OK) {
        copied->seq = at.next_seq - 1;
        copied->epoch = at.epoch;
    }
    end(&b);
    return status;
}
