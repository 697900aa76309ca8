/* journal_recovery: how a journal that was left somehow comes to stand ready.
 *
 *     read records ─> what is behind the last good one?
 *                       nothing                             fine
 *                       damage at or below durable_seq      refused, nothing is changed
 *                       damage beyond it                    cut off
 *                  ─> write again what may be in memory only, sync, stand ready
 *
 * A cut may end anywhere and be begun again: what it leaves is still damage beyond durable_seq, or
 * nothing. Only that something was cut would be forgotten then, so a file says from before it until
 * the new epoch is durable that an epoch is due.
 *
 * What is read may never have reached the disk: a sync that fails leaves the system's memory as if
 * it had not. So what no header says to be durable is written again before it is synced. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/planted.h"
#include "journal/journal_parts.h"
#include "journal/segment_list.h"

#define EPOCH_DUE_FRESH "epoch.new"

enum { PIECE_SIZE = 64 << 10 };

struct recovering {
    journal_t *j;
    journal_reader_t *reader;
    const struct journal_taker *taker;
    struct journal_recovery *found;
    uint64_t after_seq;
    uint64_t durable_seq;
    uint64_t headers_seq; /* durable by what headers say alone: a snapshot may know of more than the
                             disk has, if a sync failed and nobody was told */
    char *error;
};

/* Say more behind what is said. */
__attribute__((format(printf, 2, 3))) static void say(char error[JOURNAL_ERROR_SIZE],
                                                      const char *words, ...)
{
    size_t size = strlen(error);
    va_list list;
    va_start(list, words);
    vsnprintf(error + size, JOURNAL_ERROR_SIZE - size, words, list);
    va_end(list);
}

/* What storage answered, in words, with what was to be done. */
static enum status told(const struct recovering *c, enum status status, const char *what)
{
    if (status == STATUS_OK)
        return STATUS_OK;
    const char *why = status == STATUS_FULL ? "no space" : strerror(errno);
    c->error[0] = '\0';
    say(c->error, "%.400s: %s: %s", c->j->disk->path, what, why);
    return status == STATUS_FULL ? STATUS_FULL : STATUS_IO;
}

/* ---- reading ---- */

static enum status open_reader(struct recovering *c)
{
    uint64_t oldest = 0;
    enum status status =
        journal_reader_open(&c->reader, c->j->disk, c->after_seq, &oldest, c->error);
    if (status == STATUS_IO)
        return told(c, status, "it cannot be read");
    if (status == STATUS_INVALID)
        say(c->error, "; nothing was changed");
    if (status != STATUS_MISSING)
        return status;
    c->error[0] = '\0';
    say(c->error,
        "%.400s: the oldest segment: found command %" PRIu64 " as its first, expected %" PRIu64
        " or one before; nothing was changed",
        c->j->disk->path, oldest + 1, c->after_seq + 1);
    return STATUS_INVALID;
}

/* Hand over all records; *read is what comes behind them. */
static enum status take_all(struct recovering *c, enum journal_read *read)
{
    struct journal_record record;
    for (;;) {
        *read = journal_reader_next(c->reader, &record, c->error);
        if (*read == JOURNAL_READ_IO)
            return told(c, STATUS_IO, "it cannot be read");
        if (*read != JOURNAL_READ_RECORD)
            return STATUS_OK;
        if (!c->taker->take(c->taker->self, &record, c->error))
            return STATUS_INVALID;
        c->found->records++;
        c->found->commands += record.count;
        if (record_last_seq(&record) > c->found->seq)
            c->found->seq = record_last_seq(&record);
    }
}

/* ---- cutting ---- */

static enum status mark_epoch_due(journal_t *j)
{
    int file;
    if (j->epoch_marked)
        return STATUS_OK;
    enum status status = j->disk->create(j->disk->self, EPOCH_DUE_FRESH, &file);
    if (status != STATUS_OK)
        return status;
    j->disk->close(j->disk->self, file);
    status = j->disk->rename(j->disk->self, EPOCH_DUE_FRESH, EPOCH_DUE_NAME);
    j->epoch_marked = status == STATUS_OK;
    return status;
}

enum status journal_epoch_begun(journal_t *j)
{
    if (!j->epoch_marked)
        return STATUS_OK;
    j->epoch_marked = false;
    enum status status = j->disk->remove(j->disk->self, EPOCH_DUE_NAME);
    return status == STATUS_OK ? STATUS_OK : journal_fail(j);
}

/* The segments behind ours go, newest first, so that none ever stands without those before it. */
static enum status remove_later(journal_t *j)
{
    struct segment_list list;
    char name[DISK_NAME_SIZE];
    enum status status = segments_list(j->disk, &list);
    for (size_t i = list.count; i-- > 0 && status == STATUS_OK;) {
        if (list.first_numbers[i] <= j->at.segment)
            break;
        segment_name(list.first_numbers[i], name);
        status = j->disk->remove(j->disk->self, name);
    }
    segments_free(&list);
    return status;
}

static enum status zero_rest(journal_t *j)
{
    static const uint8_t zeros[PIECE_SIZE];
    enum status status = STATUS_OK;
    for (uint64_t at = j->at.offset; at < j->at.size && status == STATUS_OK; at += PIECE_SIZE) {
        uint64_t left = j->at.size - at;
        size_t piece = left < PIECE_SIZE ? (size_t)left : PIECE_SIZE;
        status = j->disk->write(j->disk->self, j->file, at, zeros, piece);
    }
    return status;
}

static enum status cut(struct recovering *c, const struct journal_damage *d)
{
    journal_t *j = c->j;
    enum status status = mark_epoch_due(j);
    if (status == STATUS_OK)
        status = remove_later(j);
    if (status == STATUS_OK)
        status = zero_rest(j);
    if (status != STATUS_OK)
        return told(c, status, "what is damaged cannot be cut off");
    c->found->cut_size = d->size;
    c->found->cut_offset = d->offset;
    memcpy(c->found->cut_file, d->file, sizeof c->found->cut_file);
    memcpy(c->found->words, c->error, JOURNAL_ERROR_SIZE);
    say(c->found->words,
        "; cut off: %" PRIu64 " bytes from there on, with %" PRIu64
        " headers of records that are whole; commands up to %" PRIu64
        " are known to have been durable, and command %" PRIu64 " is the first that may be lost",
        d->size, d->records, d->durable_seq, d->next_seq);
    return STATUS_OK;
}

/* ---- judging ---- */

/* What no damage shows: that there should be more. */
static void say_end(struct recovering *c, const struct journal_damage *d)
{
    c->error[0] = '\0';
    say(c->error, "%.400s/%s, offset %" PRIu64 ": behind the last record: ", c->j->disk->path,
        d->file, d->offset);
    if (d->data)
        say(c->error, "found data, expected zeros and the end of the journal");
    else
        say(c->error, "found the end of the journal, expected command %" PRIu64, d->next_seq);
}

/* Stand where the reader stands. */
static enum status stand(struct recovering *c)
{
    journal_t *j = c->j;
    j->at = *journal_reader_place(c->reader);
    return told(c, j->disk->open(j->disk->self, j->at.file, &j->file), "it cannot be opened");
}

/* All records are taken, and this comes behind them. */
static enum status judge(struct recovering *c, enum journal_read read)
{
    struct journal_damage d;
    enum status status = told(c, journal_reader_damage(c->reader, &d), "it cannot be read");
    if (status != STATUS_OK)
        return status;
    uint64_t known_seq = d.durable_seq > c->durable_seq ? d.durable_seq : c->durable_seq;
    uint64_t needed_seq = known_seq > c->after_seq ? known_seq : c->after_seq;
    bool damaged = read != JOURNAL_READ_END || d.data;
    if (read == JOURNAL_READ_END)
        say_end(c, &d);
    if (needed_seq >= d.next_seq && !PLANTED(ACKED_TAIL_CUT)) {
        say(c->error, "; commands up to %" PRIu64 " are known to be %s; nothing was changed",
            needed_seq, needed_seq > known_seq ? "in the state that is restored" : "durable");
        return STATUS_INVALID;
    }
    status = stand(c);
    c->headers_seq = d.durable_seq;
    c->durable_seq = d.durable_seq = known_seq;
    if (status == STATUS_OK && damaged)
        status = cut(c, &d);
    if (status != STATUS_OK)
        return status;
    c->found->epoch = c->j->at.epoch;
    if (damaged) /* what was cut off may have begun one more */
        c->found->epoch = (d.epoch > c->j->at.epoch ? d.epoch : c->j->at.epoch) + 1;
    return STATUS_OK;
}

/* ---- standing ready ---- */

/* Where the first record stands that no header says to be durable, if it is in our segment. */
static enum status find_doubtful(struct recovering *c, uint64_t *offset)
{
    journal_t *j = c->j;
    struct journal_record record;
    char error[JOURNAL_ERROR_SIZE];
    uint64_t oldest;
    *offset = SEGMENT_HEADER_SIZE;
    journal_reader_close(&c->reader);
    enum status status = journal_reader_open(&c->reader, j->disk, c->headers_seq, &oldest, error);
    if (status != STATUS_OK)
        return STATUS_IO; /* it was read a moment ago */
    enum journal_read read = journal_reader_next(c->reader, &record, error);
    if (read == JOURNAL_READ_RECORD && strcmp(record.file, j->at.file) == 0)
        *offset = record.offset;
    if (read == JOURNAL_READ_END)
        *offset = j->at.offset;
    return read == JOURNAL_READ_RECORD || read == JOURNAL_READ_END ? STATUS_OK : STATUS_IO;
}

static enum status write_again(struct recovering *c)
{
    journal_t *j = c->j;
    uint8_t piece[PIECE_SIZE];
    uint64_t at;
    size_t got = 0;
    enum status status = find_doubtful(c, &at);
    for (; at < j->at.offset && status == STATUS_OK; at += got) {
        uint64_t left = j->at.offset - at;
        size_t wanted = left < PIECE_SIZE ? (size_t)left : PIECE_SIZE;
        status = j->disk->read(j->disk->self, j->file, at, piece, wanted, &got);
        if (status == STATUS_OK && got < wanted)
            status = STATUS_IO;
        if (status == STATUS_OK)
            status = j->disk->write(j->disk->self, j->file, at, piece, wanted);
    }
    if (status == STATUS_OK)
        status = j->disk->sync(j->disk->self, j->file);
    return told(c, status, "what was recovered cannot be made durable");
}

static enum status make_ready(struct recovering *c)
{
    journal_t *j = c->j;
    struct journal_recovery *f = c->found;
    enum status status = write_again(c);
    if (status == STATUS_OK)
        status = told(c, maker_measure(&j->maker), "it cannot be read");
    j->durable_number = j->at.number - 1;
    j->durable_seq = j->at.next_seq - 1;
    f->time_ns = j->at.time_ns;
    f->clean = j->at.kind == RECORD_CLOSE;
    f->new_epoch =
        f->words[0] != '\0' || j->epoch_marked || j->at.kind == 0 || (j->at.async && !f->clean);
    j->epoch_due = f->new_epoch;
    return status;
}

/* An empty directory. */
static enum status begin_journal(struct recovering *c)
{
    journal_t *j = c->j;
    uint64_t needed_seq = c->after_seq > c->durable_seq ? c->after_seq : c->durable_seq;
    c->error[0] = '\0';
    if (needed_seq > 0) {
        say(c->error,
            "%.400s: found no segment, expected those with commands up to %" PRIu64
            "; nothing was changed",
            j->disk->path, needed_seq);
        return STATUS_INVALID;
    }
    j->at = (struct journal_place){.number = 1, .next_seq = 1};
    enum status status = told(c, journal_roll(j), "the first segment cannot be made");
    c->found->new_epoch = j->epoch_due = true;
    return status;
}

static enum status recover(struct recovering *c)
{
    journal_t *j = c->j;
    enum journal_read read = JOURNAL_READ_END;
    struct segment_list list;
    enum status status = told(c, segments_list(j->disk, &list), "it cannot be read");
    bool empty = list.count == 0;
    j->epoch_marked = list.epoch_due;
    segments_free(&list);
    if (status != STATUS_OK || empty)
        return status != STATUS_OK ? status : begin_journal(c);
    status = open_reader(c);
    if (status == STATUS_OK)
        status = take_all(c, &read);
    if (status == STATUS_OK)
        status = judge(c, read);
    return status == STATUS_OK ? make_ready(c) : status;
}

enum status journal_recover(journal_t *j, uint64_t after_seq, uint64_t durable_seq,
                            const struct journal_taker *taker, struct journal_recovery *found,
                            char error[JOURNAL_ERROR_SIZE])
{
    struct recovering c = {
        .j = j,
        .taker = taker,
        .found = found,
        .after_seq = after_seq,
        .durable_seq = durable_seq,
        .error = error,
    };
    *found = (struct journal_recovery){.seq = after_seq};
    CHECK(j->file == NO_FILE);
    if (j->disk == NULL) {
        found->new_epoch = true;
        j->at.next_seq = after_seq + 1;
        return STATUS_OK;
    }
    enum status status = recover(&c);
    journal_reader_close(&c.reader);
    return status;
}
