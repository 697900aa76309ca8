#include "matcher/follower.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "journal/journal_reader.h"
#include "journal/retention.h"
#include "matcher/admission.h"

enum {
    OUTBOX_SIZE = 256 << 20,
    OUTBOX_READ_MIN = 96 << 20, /* while less is free, nothing more is read */
    RECORDS_A_STEP = 256,
    PATIENCE_MS = 250,           /* it tells its matcher that it lives this often, at least */
    BEGIN_AGAIN_MS = 1000,       /* what cannot be read is tried again after this */
    DAMAGE_MS = 2000,            /* what is no record for so long is not just being written */
    RELEASE_MS = 5000,           /* what a backup has passed meanwhile goes this often */
    DEEP_COMMANDS_MAX = 4 << 20, /* how far back frames are looked for: a second or so */
};

struct follower {
    struct follower_options options;
    struct outbox outbox;
    history_t *history;
    journal_reader_t *reader; /* NULL: it begins anew at begin_ns */
    uint64_t begin_ns;
    bool async;           /* as the record read last says */
    uint64_t durable_seq; /* likewise */
    uint8_t *image;       /* a snapshot to be written; NULL: none */
    size_t image_room, image_size;
    struct snapshot_head image_head;
    uint64_t damaged_ns; /* since when what comes next is no record; 0: it is fine */
    uint64_t now_ns;
    uint64_t told_ns; /* when the matcher heard of us last */
    uint64_t heartbeat_due_ns;
    uint64_t release_due_ns;
    uint64_t sound_seq;         /* of the snapshot it restored or wrote last; 0: of none */
    struct committed committed; /* how far may be read */
    bool publishing;            /* what is read is new: it was committed after we began */
    struct follower_counts counts;
    uint64_t published[FOLLOWER_OUTPUT_PUBLIC + 1]; /* frames, by output */
    char words[JOURNAL_ERROR_SIZE];                 /* what went wrong last */
    bool words_new;
};

/* ---- beginning ---- */

static void on_frame(void *self, unsigned output, const uint8_t *message, size_t size)
{
    follower_t *f = self;
    if (!f->publishing)
        return;
    uint8_t *place = outbox_reserve(&f->outbox, size);
    CHECK(place != NULL && output <= FOLLOWER_OUTPUT_PUBLIC); /* OUTBOX_READ_MIN */
    memcpy(place, message, size);
    outbox_commit(&f->outbox, output, size);
    f->published[output]++;
}

static bool answer_older(void *self, const struct request *q);

static history_t *new_history(follower_t *f,
                              void (*frame)(void *, unsigned, const uint8_t *, size_t), void *self)
{
    struct history_options options = {.matcher = f->options.matcher, .frame = frame, .self = self};
    options.matcher.older = answer_older;
    options.matcher.older_self = f;
    return history_new(&options);
}

static void drop_image(follower_t *f)
{
    if (f->image != NULL)
        memory_free(f->image, 1, f->image_room);
    f->image = NULL;
}

static void end(follower_t *f)
{
    drop_image(f);
    journal_reader_close(&f->reader);
    history_destroy(&f->history);
}

/* Something is not as it should be: begin anew, a little later. */
static void give_up(follower_t *f)
{
    end(f);
    f->words_new = true;
    f->counts.restarts++;
    f->begin_ns = f->now_ns + BEGIN_AGAIN_MS * NS_PER_MS;
}

/* Restore the newest sound snapshot that is not above seq_max; 0: none. */
static uint64_t restore(follower_t *f, history_t *h, uint64_t seq_max)
{
    uint64_t seqs[SNAPSHOTS_MAX], found = 0;
    unsigned count = 0;
    if (snapshots_list(f->options.disk, seqs, &count) != STATUS_OK)
        return 0;
    for (unsigned i = 0; i < count && found == 0; i++) {
        struct snapshot_head head;
        uint8_t *bytes = NULL;
        size_t size = 0;
        if (seqs[i] > seq_max ||
            snapshots_read(f->options.disk, seqs[i], &head, &bytes, &size, f->words) != STATUS_OK)
            continue;
        if (history_restore(h, &head, bytes, size, f->words))
            found = head.seq;
        else
            f->words_new = true;
        snapshots_free(&bytes, size);
    }
    return found;
}

static void begin_anew(follower_t *f)
{
    uint64_t oldest;
    f->history = new_history(f, on_frame, f);
    uint64_t seq = restore(f, f->history, UINT64_MAX);
    f->counts.snapshot_seq = f->sound_seq = seq;
    f->damaged_ns = 0;
    f->publishing = false;
    if (journal_reader_open(&f->reader, f->options.disk, seq, &oldest, f->words) == STATUS_OK)
        return;
    end(f);
    f->begin_ns = f->now_ns + PATIENCE_MS * NS_PER_MS;
}

/* ---- reading ---- */

/* What we have may not be what the journal holds now. */
static bool overtaken(const follower_t *f)
{
    return f->committed.epoch > history_epoch(f->history) &&
           f->committed.seq < history_seq(f->history);
}

static bool may_read(const follower_t *f)
{
    return f->reader != NULL && history_seq(f->history) < f->committed.seq &&
           outbox_room(&f->outbox) >= OUTBOX_READ_MIN;
}

/* One record; false: there is nothing to read for now. */
static bool read_one(follower_t *f)
{
    struct journal_record record;
    switch (journal_reader_next(f->reader, &record, f->words)) {
    case JOURNAL_READ_RECORD:
        f->damaged_ns = 0;
        f->async = record.async;
        f->durable_seq = record.durable_seq;
        if (history_take(f->history, &record, f->words))
            return true;
        give_up(f);
        return false;
    case JOURNAL_READ_END:
        return false;
    case JOURNAL_READ_DAMAGED:
        if (f->damaged_ns == 0)
            f->damaged_ns = f->now_ns;
        else if (f->now_ns >= f->damaged_ns + DAMAGE_MS * NS_PER_MS)
            give_up(f);
        return false;
    default:
        give_up(f);
        return false;
    }
}

static void read_on(follower_t *f)
{
    if (f->reader == NULL && f->now_ns >= f->begin_ns)
        begin_anew(f);
    if (f->reader != NULL && overtaken(f)) {
        snprintf(f->words, sizeof f->words,
                 "the matcher is in epoch %" PRIu64 " at %" PRIu64
                 ", before where this follower stands",
                 f->committed.epoch, f->committed.seq);
        give_up(f);
    }
    for (unsigned i = 0; i < RECORDS_A_STEP && may_read(f); i++) {
        if (!read_one(f))
            break;
    }
    if (f->reader != NULL && f->committed.seq > 0 && history_seq(f->history) >= f->committed.seq)
        f->publishing = true; /* what comes next nobody has published before us */
}

/* ---- snapshots ---- */

/* The state as it is now; in mode async it is written later, when all of it is on disk: a snapshot
 * must not know more than the journal keeps. */
static void take_image(follower_t *f)
{
    const matcher_t *m = history_matcher(f->history);
    f->image_room = matcher_image_size_max(m);
    f->image = memory_new(1, f->image_room, "a snapshot");
    f->image_size = matcher_image_write(m, f->image);
    f->image_head = (struct snapshot_head){
        .seq = history_seq(f->history),
        .epoch = history_epoch(f->history),
        .number = history_number(f->history),
        .time_ns = history_time_ns(f->history),
        .hash = history_state_hash(f->history),
    };
}

/* Behind a snapshot, and again and again: a shard whose journal is full takes no command, and so
 * has no snapshot, when the backup it waits for moves on. */
static void release_segments(follower_t *f)
{
    unsigned removed = 0;
    uint64_t left;
    f->release_due_ns = f->now_ns + RELEASE_MS * NS_PER_MS;
    if (segments_release(f->options.disk, f->sound_seq, &removed, &left, f->words) != STATUS_OK)
        f->words_new = true;
    f->counts.segments_removed += removed;
}

static void write_image(follower_t *f)
{
    enum status status = snapshots_write(f->options.disk, &f->image_head, f->image, f->image_size);
    uint64_t seq = f->image_head.seq;
    f->counts.snapshot_seq = seq; /* also if it failed: not again at once */
    drop_image(f);
    if (status != STATUS_OK) {
        snprintf(f->words, sizeof f->words,
                 "%s: the snapshot of %" PRIu64 " could not be written: %s", f->options.disk->path,
                 seq, status == STATUS_FULL ? "no space" : "the disk failed");
        f->words_new = true;
        return;
    }
    f->counts.snapshots++;
    f->sound_seq = seq;
    release_segments(f);
    log_info("follower", "snapshot", LOG_U64("shard", f->options.matcher.limits.shard),
             LOG_U64("seq", seq), LOG_U64("size", f->image_size),
             LOG_U64("segments_removed", f->counts.segments_removed));
}

static bool image_is_durable(const follower_t *f)
{
    return f->image != NULL && (!f->async || f->durable_seq >= f->image_head.seq);
}

static bool snapshot_due(const follower_t *f)
{
    return f->reader != NULL && f->image == NULL && history_matcher(f->history) != NULL &&
           history_seq(f->history) >= f->counts.snapshot_seq + f->options.snapshot_commands;
}

/* ---- old frames ---- */

/* Frames of one topic, as a second run through the journal makes them again. */
struct search {
    publisher_t *publisher;
    const struct resend *wanted;
    unsigned output; /* of the topic's feed */
    uint64_t found;
};

static void on_old_frame(void *self, unsigned output, const uint8_t *message, size_t size)
{
    struct search *s = self;
    struct frame_reader frame;
    if (output != s->output || frame_read(&frame, message, size) != FRAME_READ_OK ||
        !text_equal(frame.head.topic, s->wanted->topic) || frame.head.epoch != s->wanted->epoch ||
        frame.head.seq <= s->wanted->after_seq || frame.head.prev_seq >= s->wanted->through_seq)
        return;
    publisher_resend_frame(s->publisher, message, size);
    s->found++;
}

static bool answer_older(void *self, const struct request *q)
{
    follower_t *f = self;
    const struct resend *wanted = &q->resend;
    matcher_t *m = history_matcher(f->history);
    struct journal_record record;
    char error[JOURNAL_ERROR_SIZE];
    journal_reader_t *reader = NULL;
    uint64_t oldest;
    struct search search = {.wanted = wanted,
                            .publisher = matcher_publisher(m, wanted->topic, &search.output)};
    history_t *h = new_history(f, on_old_frame, &search);
    uint64_t from = restore(f, h, wanted->after_seq);
    bool reaches = wanted->through_seq <= from + DEEP_COMMANDS_MAX &&
                   journal_reader_open(&reader, f->options.disk, from, &oldest, error) == STATUS_OK;
    if (reaches)
        publisher_resend_begin(search.publisher, q, history_epoch(f->history),
                               history_seq(f->history));
    while (reaches && history_seq(h) < wanted->through_seq &&
           journal_reader_next(reader, &record, error) == JOURNAL_READ_RECORD &&
           history_take(h, &record, error))
        continue;
    if (reaches)
        publisher_resend_end(search.publisher);
    journal_reader_close(&reader);
    history_destroy(&h);
    f->counts.deep_resends += reaches;
    return reaches;
}

/* ---- the step ---- */

follower_t *follower_new(const struct follower_options *options)
{
    follower_t *f = memory_new(1, sizeof *f, "the follower");
    f->options = *options;
    outbox_init(&f->outbox, OUTBOX_SIZE);
    return f;
}

void follower_destroy(follower_t **follower)
{
    follower_t *f = *follower;
    if (f == NULL)
        return;
    end(f);
    outbox_close(&f->outbox);
    memory_free(f, 1, sizeof *f);
    *follower = NULL;
}

static void follower_begin(void *self, uint64_t now_ns, uint64_t batch)
{
    follower_t *f = self;
    f->now_ns = now_ns;
    f->outbox.batch = batch;
}

/* What the history's own matcher said goes out by our outbox. */
static void hand_over(follower_t *f)
{
    struct outgoing m;
    struct outbox *said = matcher_outbox(history_matcher(f->history));
    while (outbox_peek(said, UINT64_MAX, &m)) {
        uint8_t *place = outbox_reserve(&f->outbox, m.size);
        if (place != NULL) { /* else its asker asks again */
            memcpy(place, m.bytes, m.size);
            outbox_commit(&f->outbox, m.output, m.size);
        }
        outbox_pop(said);
    }
}

static enum intake follower_receive(void *self, unsigned input, const uint8_t *message, size_t size)
{
    follower_t *f = self;
    struct request q;
    const uint8_t *at = message;
    (void)input;
    if (request_read(&at, message + size, &q) != COMMAND_READ_OK || at != message + size)
        return INTAKE_MORE; /* a stranger's */
    if (q.type == MESSAGE_COMMITTED) {
        f->committed = q.committed;
    } else if (f->reader != NULL && history_matcher(f->history) != NULL &&
               matcher_answer(history_matcher(f->history), &q, FOLLOWER_OUTPUT_PRIVATE_ANSWERS,
                              FOLLOWER_OUTPUT_PUBLIC_ANSWERS)) {
        hand_over(f);
    }
    return INTAKE_MORE;
}

static bool follower_admit(void *self, unsigned input, const struct guard_sender *sender,
                           const uint8_t *message, size_t size)
{
    (void)self, (void)input;
    return admission_requests(sender, message, size);
}

static void tell_matcher(follower_t *f)
{
    struct request q = {.type = MESSAGE_FOLLOWING,
                        .following = {f->reader == NULL ? 0 : history_epoch(f->history),
                                      f->reader == NULL ? 0 : history_seq(f->history),
                                      f->counts.snapshot_seq}};
    uint8_t *place = outbox_reserve(&f->outbox, RESEND_SIZE_MAX + 1);
    if (place == NULL)
        return;
    struct wire_writer w = {place};
    request_write(&w, &q);
    outbox_commit(&f->outbox, FOLLOWER_OUTPUT_MATCHER, (size_t)(w.at - place));
    f->told_ns = f->now_ns;
}

static bool follower_end(void *self, struct journal_batch *batch)
{
    follower_t *f = self;
    (void)batch;
    read_on(f);
    if (snapshot_due(f))
        take_image(f);
    if (image_is_durable(f))
        write_image(f);
    if (f->reader != NULL && f->now_ns >= f->release_due_ns)
        release_segments(f);
    if (f->now_ns >= f->told_ns + PATIENCE_MS * NS_PER_MS)
        tell_matcher(f);
    if (f->reader != NULL && history_matcher(f->history) != NULL &&
        f->now_ns >= f->heartbeat_due_ns) {
        matcher_heartbeat(history_matcher(f->history), f->now_ns);
        f->heartbeat_due_ns = f->now_ns + f->options.matcher.heartbeat_ns;
        hand_over(f);
    }
    return false;
}

static void follower_subscription(void *self, unsigned output, const uint8_t *message, size_t size)
{
    follower_t *f = self;
    if (f->reader == NULL || history_matcher(f->history) == NULL)
        return;
    matcher_subscription(history_matcher(f->history), output, message, size);
    hand_over(f);
}

static unsigned follower_patience_ms(void *self)
{
    const follower_t *f = self;
    bool reads = may_read(f) && f->damaged_ns == 0;
    return reads ? 0 : PATIENCE_MS;
}

static void follower_report(void *self)
{
    follower_t *f = self;
    if (f->words_new)
        log_warn("follower", "trouble", LOG_U64("shard", f->options.matcher.limits.shard),
                 LOG_U64("restarts", f->counts.restarts), LOG_TEXT("what", f->words));
    f->words_new = false;
}

struct service follower_service(follower_t *f)
{
    return (struct service){
        .self = f,
        .outbox = &f->outbox,
        .commands_input = SERVICE_NO_COMMANDS,
        .begin = follower_begin,
        .receive = follower_receive,
        .admit = follower_admit,
        .end = follower_end,
        .subscription = follower_subscription,
        .patience_ms = follower_patience_ms,
        .report = follower_report,
    };
}

struct follower_counts follower_counts(const follower_t *f)
{
    struct follower_counts counts = f->counts;
    if (f->reader != NULL) {
        counts.seq = history_seq(f->history);
        counts.epoch = history_epoch(f->history);
        counts.reads = true;
    }
    if (f->committed.seq > counts.seq)
        counts.behind = f->committed.seq - counts.seq;
    return counts;
}

struct publisher_counts follower_said(const follower_t *f, unsigned output)
{
    struct publisher_counts counts = {0};
    const matcher_t *m = f->reader == NULL ? NULL : history_matcher(f->history);
    if (m != NULL)
        counts = matcher_said(m, output == FOLLOWER_OUTPUT_PRIVATE ? MATCHER_OUTPUT_PRIVATE
                                                                   : MATCHER_OUTPUT_PUBLIC);
    counts.frames = f->published[output]; /* most of those it makes, its matcher has published */
    return counts;
}
