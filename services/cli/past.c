#include "cli/past.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "journal/journal_reader.h"

enum {
    LOOK_AGAIN_MS = 20,
    PATIENCE_MS = 1000, /* what is no record for so long is not just being written */
    KEPT_SIZE = 1 << 20,
};

struct past {
    const struct disk *disk;
    history_t *history;
    journal_reader_t *reader;
    struct snapshot_head begun; /* the snapshot it began with; seq 0: none */
    uint64_t snapshot_seq;      /* of the newest sound one: durable, as a start knows */
    uint64_t last_seq;
    enum past_verdict verdict;
    char words[JOURNAL_ERROR_SIZE];
};

struct matcher_options past_matcher_options(void)
{
    return (struct matcher_options){
        .journal = JOURNAL_MODE_SYNC,
        .checkpoint_commands = UINT64_MAX,
        .heartbeat_ns = NS_PER_SECOND,
        .batch_commands_max = 1,
        .batch_origin_max = 1,
        .kept_size = KEPT_SIZE,
        .requests_address = "",
    };
}

static history_t *new_history(const struct past_options *o)
{
    return history_new(&(struct history_options){past_matcher_options(), o->frame, o->self});
}

/* ---- beginning ---- */

/* Make the history stand at this snapshot; false: it is not sound. */
static bool restore(history_t *h, const struct disk *disk, uint64_t seq, struct snapshot_head *head)
{
    char why[JOURNAL_ERROR_SIZE];
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (snapshots_read(disk, seq, head, &bytes, &size, why) != STATUS_OK)
        return false;
    bool sound = history_restore(h, head, bytes, size, why);
    snapshots_free(&bytes, size);
    return sound;
}

/* Begin with a snapshot of oldest_seq or above: the newest before from_seq or, if that is 0, the
 * oldest. False: there is none that is sound. */
static bool restore_one(past_t *p, const struct past_options *o, uint64_t oldest_seq)
{
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count = 0;
    if (snapshots_list(p->disk, seqs, &count) != STATUS_OK)
        return false;
    for (unsigned i = 0; i < count; i++) {
        uint64_t seq = seqs[o->from_seq > 0 ? i : count - 1 - i];
        if (seq < oldest_seq || (o->from_seq > 0 && seq >= o->from_seq))
            continue;
        if (restore(p->history, p->disk, seq, &p->begun))
            return true;
        p->begun = (struct snapshot_head){0};
    }
    return false;
}

static void find_newest_snapshot(past_t *p, const struct past_options *o)
{
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count = 0;
    struct past_options silent = {.disk = o->disk};
    if (snapshots_list(p->disk, seqs, &count) != STATUS_OK)
        return;
    for (unsigned i = 0; i < count && p->snapshot_seq == 0; i++) {
        struct snapshot_head head;
        history_t *h = new_history(&silent);
        if (restore(h, p->disk, seqs[i], &head))
            p->snapshot_seq = head.seq;
        history_destroy(&h);
    }
}

static void find_last_seq(past_t *p)
{
    char why[JOURNAL_ERROR_SIZE];
    struct journal_record record;
    struct journal_damage d;
    journal_reader_t *reader;
    uint64_t oldest;
    if (journal_reader_open(&reader, p->disk, UINT64_MAX, &oldest, why) != STATUS_OK)
        return;
    if (journal_reader_next(reader, &record, why) != JOURNAL_READ_IO &&
        journal_reader_damage(reader, &d) == STATUS_OK)
        p->last_seq = d.next_seq - 1;
    journal_reader_close(&reader);
}

/* The beginning of the history is gone, or there never was one. */
static enum status begin_later(past_t *p, const struct past_options *o, uint64_t oldest_seq,
                               char error[JOURNAL_ERROR_SIZE])
{
    if (oldest_seq == 0) {
        snprintf(error, JOURNAL_ERROR_SIZE,
                 "%.400s: found no file of a journal (*.segment), expected the directory of one "
                 "shard's journal, like {journal_dir}/0",
                 p->disk->path);
        return STATUS_MISSING;
    }
    if (!restore_one(p, o, oldest_seq)) {
        snprintf(error, JOURNAL_ERROR_SIZE,
                 "%.400s: found command %" PRIu64 " as the first, and no sound snapshot of %" PRIu64
                 " or above, expected command 1 or such a snapshot to begin with",
                 p->disk->path, oldest_seq + 1, oldest_seq);
        return STATUS_MISSING;
    }
    return STATUS_OK;
}

static enum status begin(past_t *p, const struct past_options *o, char error[JOURNAL_ERROR_SIZE])
{
    uint64_t oldest = 0;
    enum status status = journal_reader_open(&p->reader, p->disk, 0, &oldest, error);
    if (status == STATUS_MISSING) {
        status = begin_later(p, o, oldest, error);
    } else if (status == STATUS_OK && o->from_seq > 0 && restore_one(p, o, 0)) {
        journal_reader_close(&p->reader);
        oldest = p->begun.seq;
    }
    if (status == STATUS_OK && p->reader == NULL)
        status = journal_reader_open(&p->reader, p->disk, o->from_seq > 0 ? p->begun.seq : oldest,
                                     &oldest, error);
    if (status == STATUS_IO)
        snprintf(error, JOURNAL_ERROR_SIZE, "%.400s: %s", p->disk->path, strerror(errno));
    return status;
}

/* The first segment's header is damaged, and all before it was durable. */
static void judge_beginning(const past_t *p, char error[JOURNAL_ERROR_SIZE])
{
    size_t size = strlen(error);
    if (p->snapshot_seq == 0)
        snprintf(error + size, JOURNAL_ERROR_SIZE - size,
                 "; a start refuses this journal: restore a backup");
    else
        snprintf(error + size, JOURNAL_ERROR_SIZE - size,
                 "; a start passes it over if what it needs is behind the snapshot of %" PRIu64
                 ", and else refuses: make a backup of what is left",
                 p->snapshot_seq);
}

enum status past_open(past_t **past, const struct past_options *o, char error[JOURNAL_ERROR_SIZE])
{
    past_t *p = memory_new(1, sizeof *p, "a past");
    *past = p;
    p->disk = o->disk;
    p->history = new_history(o);
    enum status status = begin(p, o, error);
    find_newest_snapshot(p, o);
    find_last_seq(p);
    if (status == STATUS_INVALID)
        judge_beginning(p, error);
    if (status != STATUS_OK)
        past_close(past);
    return status;
}

void past_close(past_t **past)
{
    past_t *p = *past;
    if (p == NULL)
        return;
    journal_reader_close(&p->reader);
    history_destroy(&p->history);
    memory_free(p, 1, sizeof *p);
    *past = NULL;
}

uint64_t past_snapshot_seq(const past_t *p)
{
    return p->begun.seq;
}

uint64_t past_last_seq(const past_t *p)
{
    return p->last_seq;
}

const history_t *past_history(const past_t *p)
{
    return p->history;
}

/* ---- reading ---- */

__attribute__((format(printf, 2, 3))) static void say(past_t *p, const char *words, ...)
{
    size_t size = strlen(p->words);
    va_list list;
    va_start(list, words);
    vsnprintf(p->words + size, sizeof p->words - size, words, list);
    va_end(list);
}

/* The rule of journal_recover(). why: what the reader said, if it did not say that this is the end.
 */
static void judge(past_t *p, const struct journal_damage *d, const char *why)
{
    uint64_t known_seq = d->durable_seq > p->snapshot_seq ? d->durable_seq : p->snapshot_seq;
    bool damaged = why != NULL || d->data;
    p->words[0] = '\0';
    p->verdict = PAST_WHOLE;
    if (!damaged && known_seq < d->next_seq)
        return;
    if (why != NULL)
        say(p, "%s", why);
    else
        say(p, "%.400s/%s, offset %" PRIu64 ": behind the last record: found %s, expected %s",
            p->disk->path, d->file, d->offset, d->data ? "data" : "the end of the journal",
            d->data ? "zeros and the end of the journal" : "more commands");
    p->verdict = known_seq >= d->next_seq ? PAST_REFUSED : PAST_CUT;
    if (p->verdict == PAST_REFUSED)
        say(p,
            "; commands up to %" PRIu64
            " are known to be durable, so a start refuses this journal: restore a backup",
            known_seq);
    else
        say(p,
            "; commands up to %" PRIu64 " are known to be durable, so a start cuts off the %" PRIu64
            " bytes from there on, with %" PRIu64
            " headers of records that are whole, and begins a new epoch: command %" PRIu64
            " is the first that is lost",
            known_seq, d->size, d->records, d->next_seq);
}

static void wait_a_little(void)
{
    struct timespec t = {0, LOOK_AGAIN_MS * (long)NS_PER_MS};
    nanosleep(&t, NULL);
}

/* Whether a segment that should come next was removed from the front, as retention does. */
static bool released(const past_t *p)
{
    char why[JOURNAL_ERROR_SIZE];
    journal_reader_t *reader = NULL;
    uint64_t oldest;
    enum status status =
        journal_reader_open(&reader, p->disk, history_seq(p->history), &oldest, why);
    journal_reader_close(&reader);
    return status == STATUS_MISSING;
}

static enum past_step cannot_read(const past_t *p, char error[JOURNAL_ERROR_SIZE])
{
    snprintf(error, JOURNAL_ERROR_SIZE, "%.400s: it cannot be read: %s", p->disk->path,
             strerror(errno));
    return PAST_FAILED;
}

/* The reader says that this is the end, or that what comes is no record. If a record comes when one
 * looks again, the matcher is writing. */
static enum past_step judge_end(past_t *p, enum journal_read read, struct journal_record *r,
                                char error[JOURNAL_ERROR_SIZE])
{
    struct journal_damage d;
    bool ended = read == JOURNAL_READ_END;
    for (unsigned waited_ms = 0;; waited_ms += LOOK_AGAIN_MS) {
        if (read == JOURNAL_READ_IO || journal_reader_damage(p->reader, &d) != STATUS_OK)
            return cannot_read(p, error);
        if (read == JOURNAL_READ_GONE && released(p))
            return PAST_FAILED;
        judge(p, &d, read == JOURNAL_READ_END ? NULL : error);
        if (p->verdict == PAST_WHOLE || waited_ms >= PATIENCE_MS)
            return PAST_END;
        if (waited_ms > 0)
            wait_a_little();
        read = journal_reader_next(p->reader, r, error);
        if (read == JOURNAL_READ_RECORD && !ended)
            return PAST_RECORD; /* what was half written a moment ago */
        if (read == JOURNAL_READ_RECORD) {
            p->words[0] = '\0';
            p->verdict = PAST_WRITTEN;
            return PAST_END;
        }
    }
}

enum past_step past_next(past_t *p, struct journal_record *r, char error[JOURNAL_ERROR_SIZE])
{
    enum journal_read read = journal_reader_next(p->reader, r, error);
    return read == JOURNAL_READ_RECORD ? PAST_RECORD : judge_end(p, read, r, error);
}

bool past_take(past_t *p, const struct journal_record *r, char error[JOURNAL_ERROR_SIZE])
{
    /* Of before the snapshot: it is whole, and there is nothing to run it on. */
    if (record_last_seq(r) < p->begun.seq || r->epoch < p->begun.epoch)
        return true;
    return history_take(p->history, r, error);
}

enum past_verdict past_verdict(const past_t *p, const char **words)
{
    *words = p->words;
    return p->verdict;
}
