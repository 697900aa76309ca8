/* journal: appending, and what is durable of it.
 *
 *     number   ... | durable_number | sync_number | at.number - 1
 *                  │                │             └ written
 *                  │                └ the sync in the background covers it
 *                  └ a sync that began after it was written has ended well
 *
 * All of a segment is durable before the next one is begun, so only one file has anything to wait
 * for. In mode async the first record after a start is synced before it is committed: it says, for
 * a later recovery, that what followed it may have been let out and lost. */
#include "journal/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/memory.h"
#include "base/planted.h"
#include "journal/journal_parts.h"

enum {
    ASYNC_WAIT_MS = JOURNAL_ASYNC_MS / 2, /* the other half is for the sync itself */
    LOOK_MS = 1000,
    NOTES = 2, /* that must find room behind a batch: a checkpoint, and the end in order */
};

/* ---- new and destroy ---- */

journal_t *journal_new_null(void)
{
    journal_t *j = memory_new(1, sizeof *j, "the journal");
    j->file = NO_FILE;
    j->at.number = 1;
    j->at.next_seq = 1;
    return j;
}

static enum status refuse_size(const struct journal_options *o, char error[JOURNAL_ERROR_SIZE])
{
    bool fits = o->segment_size >= JOURNAL_SEGMENT_SIZE_MIN &&
                o->segment_size % SEGMENT_HEADER_SIZE == 0 && o->segment_size <= o->size_max;
    if (fits)
        return STATUS_OK;
    snprintf(error, JOURNAL_ERROR_SIZE,
             "%.400s: found a segment size of %zu bytes, expected a multiple of %d from %d to the "
             "%llu all segments may take",
             o->disk->path, o->segment_size, SEGMENT_HEADER_SIZE, JOURNAL_SEGMENT_SIZE_MIN,
             (unsigned long long)o->size_max);
    return STATUS_INVALID;
}

static enum status be_the_one(const struct disk *disk, char error[JOURNAL_ERROR_SIZE])
{
    int holder = 0;
    enum status status = disk->lock(disk->self, &holder);
    if (status == STATUS_IN_USE)
        snprintf(error, JOURNAL_ERROR_SIZE, "%.400s: process %d writes this journal", disk->path,
                 holder);
    else if (status != STATUS_OK)
        snprintf(error, JOURNAL_ERROR_SIZE, "%.400s: it cannot be locked: %s", disk->path,
                 strerror(errno));
    return status;
}

enum status journal_open(journal_t **journal, const struct journal_options *o,
                         char error[JOURNAL_ERROR_SIZE])
{
    *journal = NULL;
    enum status status = refuse_size(o, error);
    if (status == STATUS_OK)
        status = be_the_one(o->disk, error);
    if (status != STATUS_OK)
        return status;
    journal_t *j = memory_new(1, sizeof *j, "the journal");
    j->disk = o->disk;
    j->async = o->async;
    j->file = NO_FILE;
    j->buffer_size = o->segment_size; /* no batch is larger */
    if (j->buffer_size > record_extent(RECORD_BYTES_MAX))
        j->buffer_size = record_extent(RECORD_BYTES_MAX);
    j->buffer = memory_new(1, j->buffer_size, "a batch of the journal");
    maker_init(&j->maker, o->disk, o->segment_size, o->size_max);
    status = maker_measure(&j->maker);
    if (status != STATUS_OK) {
        snprintf(error, JOURNAL_ERROR_SIZE, "%.400s: it cannot be read: %s", o->disk->path,
                 strerror(errno));
        journal_destroy(&j);
    }
    *journal = j;
    return status;
}

void journal_destroy(journal_t **journal)
{
    journal_t *j = *journal;
    if (j == NULL)
        return;
    if (j->disk != NULL)
        maker_close(&j->maker);
    if (j->file != NO_FILE)
        j->disk->close(j->disk->self, j->file);
    memory_free(j->buffer, 1, j->buffer_size);
    memory_free(j, 1, sizeof *j);
    *journal = NULL;
}

/* ---- what is durable ---- */

enum status journal_fail(journal_t *j)
{
    if (!j->failed)
        j->error = errno;
    j->failed = true;
    errno = j->error;
    return STATUS_IO;
}

static uint64_t last_number(const journal_t *j)
{
    return j->at.number - 1;
}

static uint64_t last_seq(const journal_t *j)
{
    return j->at.next_seq - 1;
}

static void made_durable(journal_t *j, uint64_t number, uint64_t seq)
{
    if (number <= j->durable_number)
        return;
    j->durable_number = number;
    j->durable_seq = seq;
}

/* See whether the sync in the background has ended. */
static enum status collect(journal_t *j)
{
    if (!j->syncing)
        return STATUS_OK;
    enum disk_sync state = j->disk->sync_state(j->disk->self, j->file);
    if (state == DISK_SYNC_RUNNING)
        return STATUS_OK;
    j->syncing = false;
    if (state == DISK_SYNC_FAILED && !PLANTED(SYNC_FAILURE_IGNORED))
        return journal_fail(j);
    made_durable(j, j->sync_number, j->sync_seq);
    return STATUS_OK;
}

enum status journal_sync(journal_t *j)
{
    if (j->failed)
        return journal_fail(j);
    if (j->disk == NULL || j->durable_number == last_number(j))
        return STATUS_OK;
    uint64_t began_ns = clock_monotonic_ns();
    if (j->disk->sync(j->disk->self, j->file) != STATUS_OK && !PLANTED(SYNC_FAILURE_IGNORED))
        return journal_fail(j);
    j->counts.syncs++;
    j->counts.sync_ns += clock_monotonic_ns() - began_ns;
    j->waiting_ns = 0;
    made_durable(j, last_number(j), last_seq(j));
    return collect(j);
}

static bool sync_is_due(const journal_t *j)
{
    if (j->syncing || j->waiting_ns == 0)
        return false;
    return !j->async || j->now_ns >= j->waiting_ns + ASYNC_WAIT_MS * NS_PER_MS;
}

static enum status begin_sync(journal_t *j)
{
    if (j->disk->sync_begin(j->disk->self, j->file) != STATUS_OK)
        return journal_fail(j);
    j->counts.syncs++;
    j->syncing = true;
    j->sync_number = last_number(j);
    j->sync_seq = last_seq(j);
    j->waiting_ns = 0;
    return STATUS_OK;
}

/* A directory that is gone takes what is written with it. */
static enum status look_for_directory(journal_t *j)
{
    j->looked_ns = j->now_ns;
    if (j->disk->holds(j->disk->self, j->at.file, j->file))
        return STATUS_OK;
    errno = ENOENT;
    return journal_fail(j);
}

enum status journal_tend(journal_t *j, uint64_t now_ns)
{
    if (j->failed)
        return journal_fail(j);
    if (j->disk == NULL)
        return STATUS_OK;
    j->now_ns = now_ns;
    enum status status = collect(j);
    if (status == STATUS_OK && sync_is_due(j))
        status = begin_sync(j);
    if (status == STATUS_OK && now_ns >= j->looked_ns + LOOK_MS * NS_PER_MS)
        status = look_for_directory(j);
    if (status != STATUS_OK)
        return status;
    /* Twice what is appended, so that the next segment is ready when this one is half full. */
    status = maker_tend(&j->maker, now_ns, 2 * j->appended);
    j->appended = 0;
    return status == STATUS_OK ? STATUS_OK : journal_fail(j);
}

int journal_fd(const journal_t *j)
{
    return j->disk == NULL ? -1 : j->disk->fd(j->disk->self);
}

uint64_t journal_patience_ns(const journal_t *j, uint64_t now_ns)
{
    if (j->disk == NULL || j->failed)
        return UINT64_MAX;
    uint64_t patience_ns = maker_patience_ns(&j->maker, now_ns);
    if (j->syncing || j->waiting_ns == 0)
        return patience_ns;
    uint64_t due_ns = j->waiting_ns + (j->async ? ASYNC_WAIT_MS * NS_PER_MS : 0);
    uint64_t sync_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    return sync_ns < patience_ns ? sync_ns : patience_ns;
}

static bool all_committed(const journal_t *j)
{
    return j->disk == NULL || (j->async && j->marked);
}

uint64_t journal_committed(const journal_t *j)
{
    return all_committed(j) ? last_number(j) : j->durable_number;
}

uint64_t journal_committed_seq(const journal_t *j)
{
    return all_committed(j) ? last_seq(j) : j->durable_seq;
}

uint64_t journal_durable_seq(const journal_t *j)
{
    return j->durable_seq;
}

/* ---- appending ---- */

uint64_t journal_next(const journal_t *j)
{
    return j->at.number;
}

bool journal_has_room(journal_t *j, size_t size)
{
    size_t extent = record_extent(size) + NOTES * RECORD_HEADER_SIZE;
    if (j->disk == NULL)
        return true;
    CHECK(size <= RECORD_BYTES_MAX && extent <= j->maker.segment_size - SEGMENT_HEADER_SIZE);
    if (j->failed)
        return false;
    j->lack = NULL;
    if (extent <= j->at.size - j->at.offset)
        return true;
    enum status status = maker_finish(&j->maker, j->now_ns);
    if (status == STATUS_FULL)
        j->lack = j->maker.lack;
    else if (status != STATUS_OK)
        journal_fail(j);
    return status == STATUS_OK;
}

enum status journal_roll(journal_t *j)
{
    int file;
    enum status status = maker_finish(&j->maker, j->now_ns);
    if (status != STATUS_OK)
        return status == STATUS_FULL ? STATUS_FULL : journal_fail(j);
    if (j->file != NO_FILE) {
        status = look_for_directory(j);
        if (status == STATUS_OK)
            status = journal_sync(j);
    }
    if (status != STATUS_OK)
        return status;
    struct segment_header h = place_header(&j->at, j->maker.segment_size);
    status = maker_take(&j->maker, &h, &file);
    if (status != STATUS_OK)
        return status == STATUS_FULL ? STATUS_FULL : journal_fail(j);
    if (j->file != NO_FILE)
        j->disk->close(j->disk->self, j->file);
    j->syncing = false;
    j->file = file;
    place_enter(&j->at, &h);
    return STATUS_OK;
}

/* One write: the header, the bytes, and zeros behind them. */
static enum status write_record(journal_t *j, struct record_header *h)
{
    size_t size = h->record.size, extent = record_extent(size);
    h->record.number = j->at.number;
    h->record.async = j->async;
    h->record.durable_seq = j->durable_seq;
    h->previous_crc = j->at.previous_crc;
    h->bytes_crc = crc32c(0, h->record.bytes, size);
    record_header_write(j->buffer, h);
    if (size > 0)
        memcpy(j->buffer + RECORD_HEADER_SIZE, h->record.bytes, size);
    memset(j->buffer + RECORD_HEADER_SIZE + size, 0, extent - RECORD_HEADER_SIZE - size);
    return j->disk->write(j->disk->self, j->file, j->at.offset, j->buffer, extent);
}

static enum status append_record(journal_t *j, struct record_header *h)
{
    size_t extent = record_extent(h->record.size);
    enum status status = STATUS_OK;
    if (j->failed)
        return journal_fail(j);
    if (j->disk == NULL) {
        h->record.number = j->at.number;
        place_advance(&j->at, h);
        return STATUS_OK;
    }
    CHECK(j->file != NO_FILE && h->record.size <= RECORD_BYTES_MAX &&
          extent <= j->maker.segment_size - SEGMENT_HEADER_SIZE);
    if (extent > j->at.size - j->at.offset)
        status = journal_roll(j);
    if (status != STATUS_OK)
        return status;
    status = write_record(j, h);
    if (status != STATUS_OK)
        return status == STATUS_FULL ? STATUS_FULL : journal_fail(j);
    place_advance(&j->at, h);
    j->appended += extent;
    if (j->waiting_ns == 0)
        j->waiting_ns = j->now_ns + 1; /* never 0, which is none */
    if (!j->async || j->marked)
        return STATUS_OK;
    status = journal_sync(j);
    j->marked = status == STATUS_OK;
    return status;
}

enum status journal_append(journal_t *j, const struct journal_batch *batch)
{
    struct record_header h = {
        .record = {.kind = RECORD_BATCH,
                   .epoch = j->at.epoch,
                   .first_seq = batch->first_seq,
                   .count = batch->count,
                   .time_ns = batch->time_ns,
                   .check = batch->check,
                   .bytes = batch->bytes,
                   .size = batch->size},
    };
    CHECK(!j->epoch_due && batch->count > 0 && batch->first_seq == j->at.next_seq);
    enum status status = append_record(j, &h);
    if (status == STATUS_OK) {
        j->counts.batches++;
        j->counts.bytes += batch->size;
    }
    return status;
}

static enum status append_note(journal_t *j, enum record_kind kind, uint64_t epoch,
                               uint64_t time_ns, uint64_t check)
{
    struct record_header h = {
        .record = {.kind = kind,
                   .epoch = epoch,
                   .first_seq = last_seq(j),
                   .time_ns = time_ns,
                   .check = check},
    };
    return append_record(j, &h);
}

enum status journal_checkpoint(journal_t *j, uint64_t time_ns, uint64_t hash)
{
    CHECK(!j->epoch_due);
    return append_note(j, RECORD_CHECKPOINT, j->at.epoch, time_ns, hash);
}

enum status journal_begin_epoch(journal_t *j, uint64_t epoch, uint64_t time_ns)
{
    CHECK(epoch > j->at.epoch);
    enum status status = append_note(j, RECORD_EPOCH, epoch, time_ns, 0);
    if (status == STATUS_OK)
        status = journal_sync(j);
    if (status != STATUS_OK)
        return status;
    j->epoch_due = false;
    return journal_epoch_begun(j);
}

enum status journal_close(journal_t *j, uint64_t time_ns)
{
    if (j->failed)
        return journal_fail(j);
    if (j->disk == NULL || j->epoch_due || j->at.kind == RECORD_CLOSE)
        return STATUS_OK;
    enum status status = journal_sync(j); /* so that the last header says that all is durable */
    if (status == STATUS_OK)
        status = append_note(j, RECORD_CLOSE, j->at.epoch, time_ns, 0);
    return status == STATUS_OK ? journal_sync(j) : status;
}

int journal_error(const journal_t *j)
{
    return j->error;
}

struct journal_counts journal_counts(const journal_t *j)
{
    struct journal_counts counts = j->counts;
    counts.segments = j->maker.segments;
    counts.size = j->maker.used;
    counts.standing = j->lack == NULL ? "open" : j->lack;
    return counts;
}
