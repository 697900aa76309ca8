#include "cli/backtest_journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/past.h"
#include "cli/progress.h"
#include "journal/file_disk.h"
#include "journal/journal_reader.h"

enum { NAMES_SIZE = 512 };

struct journal {
    const struct disk *disk;
    const struct backtest_history_options *o;
    recording_t *recording;
    struct cluster_symbol *symbol;
    struct configure limits;
    bool has_limits, has_symbol;
    char names[NAMES_SIZE]; /* of the symbols it has, as far as there is room */
    struct history_span span;
    uint64_t last_ns;
    bool wanted; /* false: all that comes is behind --to */
    char error[JOURNAL_ERROR_SIZE];
};

static enum status complain(const struct journal *j, enum status status)
{
    fprintf(stderr, "outcry backtest: %s\n", j->error);
    return status;
}

static enum status cannot_be(struct journal *j, const struct journal_record *r, const char *what)
{
    snprintf(j->error, sizeof j->error, "%.400s/%s, at offset %" PRIu64 ": %s", j->o->path, r->file,
             r->offset, what);
    return complain(j, STATUS_IO);
}

/* ---- what it is the journal of ---- */

static void look_symbol(struct journal *j, const struct add_symbol *a)
{
    struct cluster_symbol *s = j->symbol;
    size_t size = strlen(j->names);
    snprintf(j->names + size, sizeof j->names - size, " %.*s", (int)a->symbol.size, a->symbol.data);
    if (!text_equal(a->symbol, text_of(s->name)) || a->tick_size.size > DECIMAL_SIZE_MAX ||
        a->lot_size.size > DECIMAL_SIZE_MAX)
        return;
    snprintf(s->tick_size, sizeof s->tick_size, "%.*s", (int)a->tick_size.size, a->tick_size.data);
    snprintf(s->lot_size, sizeof s->lot_size, "%.*s", (int)a->lot_size.size, a->lot_size.data);
    j->has_symbol = decimal_unit_read(&s->tick, a->tick_size.data, a->tick_size.size) &&
                    decimal_unit_read(&s->lot, a->lot_size.data, a->lot_size.size);
    s->shard = (uint16_t)j->limits.shard;
    s->any_price = a->any_price;
}

static void look_record(struct journal *j, const struct journal_record *r)
{
    struct command c;
    const uint8_t *at = r->bytes, *end = at + r->size;
    if (r->kind != RECORD_BATCH)
        return;
    while (at < end && command_read(&at, end, &c) == COMMAND_READ_OK) {
        if (c.type == MESSAGE_CONFIGURE && !j->has_limits) {
            j->limits = c.configure;
            j->has_limits = true;
        } else if (c.type == MESSAGE_ADD_SYMBOL && c.envelope.origin.size == 0) {
            look_symbol(j, &c.add_symbol);
        }
    }
}

static enum status begin_gone(struct journal *j, uint64_t oldest_seq)
{
    if (oldest_seq == 0)
        snprintf(j->error, sizeof j->error,
                 "%.400s: found no file of a journal (*.segment), expected the directory of one "
                 "shard's journal, like {journal_dir}/0",
                 j->o->path);
    else
        snprintf(j->error, sizeof j->error,
                 "%.400s: found command %" PRIu64 " as the first, expected command 1: the records "
                 "before it are not kept any more, and a back-test needs them",
                 j->o->path, oldest_seq + 1);
    return complain(j, STATUS_MISSING);
}

/* The first records, up to the symbol's: its limits are the engine's, its tick and lot ours. */
static enum status look(struct journal *j)
{
    struct journal_record r;
    journal_reader_t *reader = NULL;
    uint64_t oldest = 0;
    enum status status = journal_reader_open(&reader, j->disk, 0, &oldest, j->error);
    if (status == STATUS_MISSING)
        return begin_gone(j, oldest);
    if (status == STATUS_IO)
        snprintf(j->error, sizeof j->error, "%.400s: %s", j->o->path, strerror(errno));
    if (status != STATUS_OK)
        return complain(j, STATUS_IO);
    while (!j->has_symbol && journal_reader_next(reader, &r, j->error) == JOURNAL_READ_RECORD)
        look_record(j, &r);
    journal_reader_close(&reader);
    if (j->has_symbol && j->has_limits)
        return STATUS_OK;
    snprintf(j->error, sizeof j->error,
             "%.300s: found no symbol %s, expected one of those it has:%.300s", j->o->path,
             j->symbol->name, j->names[0] == '\0' ? " none" : j->names);
    return complain(j, STATUS_INVALID);
}

/* ---- its commands ---- */

/* The bytes are whole by their checksum; what they say is checked as a matcher's start does. */
static enum status take_batch(struct journal *j, const struct journal_record *r)
{
    struct command c;
    const uint8_t *at = r->bytes, *end = at + r->size;
    uint64_t seq = r->first_seq;
    uint64_t time_ns = r->time_ns;
    if (time_ns < j->last_ns)
        return cannot_be(j, r, "found a batch whose time is before that of the batch before");
    j->last_ns = time_ns;
    j->wanted = j->wanted && history_span_take(&j->span, &time_ns);
    if (!j->wanted)
        return STATUS_OK;
    for (; at < end; seq++) {
        if (command_read(&at, end, &c) != COMMAND_READ_OK)
            return cannot_be(j, r, "found what is no command in a batch");
        recording_command(j->recording, time_ns, seq, seq, &c);
    }
    if (seq != r->first_seq + r->count)
        return cannot_be(j, r, "found a batch with another number of commands than it says");
    recording_digest(j->recording, r->check);
    return STATUS_OK;
}

static enum status take_all(struct journal *j, past_t *past)
{
    struct journal_record r;
    struct progress progress;
    enum past_step step = PAST_RECORD;
    enum status status = STATUS_OK;
    progress_begin(&progress, "load", past_last_seq(past));
    while (status == STATUS_OK && (step = past_next(past, &r, j->error)) == PAST_RECORD) {
        if (r.kind == RECORD_BATCH)
            status = take_batch(j, &r);
        progress_at(&progress, record_last_seq(&r));
    }
    progress_end(&progress);
    if (status == STATUS_OK && step == PAST_FAILED)
        return complain(j, STATUS_IO);
    return status;
}

/* As `outcry verify` tells it. */
static enum status judge(const past_t *past)
{
    const char *words;
    enum past_verdict verdict = past_verdict(past, &words);
    if (verdict == PAST_REFUSED || verdict == PAST_CUT)
        fprintf(stderr, "outcry backtest: %s\n", words);
    if (verdict == PAST_WRITTEN)
        fputs("outcry backtest: its matcher is writing more; what was there is taken\n", stderr);
    return verdict == PAST_REFUSED ? STATUS_IO : STATUS_OK;
}

static enum status load(struct journal *j)
{
    past_t *past = NULL;
    struct past_options options = {.disk = j->disk};
    if (past_open(&past, &options, j->error) != STATUS_OK)
        return complain(j, STATUS_IO);
    enum status status = take_all(j, past);
    if (status == STATUS_OK)
        status = judge(past);
    past_close(&past);
    return status;
}

enum status backtest_journal_read(recording_t **recording, struct cluster_symbol *symbol,
                                  const struct backtest_history_options *o)
{
    struct journal j = {
        .o = o, .symbol = symbol, .span = {.from = o->from, .to = o->to}, .wanted = true};
    file_disk_t *disk = NULL;
    if (file_disk_open(&disk, o->path, false) != STATUS_OK) {
        snprintf(j.error, sizeof j.error, "%.400s: %s", o->path, strerror(errno));
        return complain(&j, STATUS_IO);
    }
    j.disk = file_disk_ops(disk);
    enum status status = look(&j);
    if (status == STATUS_OK) {
        struct strategy_symbol s = backtest_history_symbol(symbol);
        *recording = j.recording = recording_new(RECORDING_COMMANDS, &j.limits, &s);
        status = load(&j);
    }
    file_disk_close(&disk);
    return status;
}
