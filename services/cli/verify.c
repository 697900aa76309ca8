/* verify: see verify.h.
 *
 *     snapshots ── read, restored, hashed again
 *     records ── past ──> history ──> private and public frames ──> frame_check
 *                            │                  └──> twin ──> l2. bbo. trade. ──> frame_check
 *                            └ at each snapshot's sequence: the same hash, the same bytes */
#include "cli/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/frame_check.h"
#include "cli/past.h"
#include "cli/progress.h"
#include "cli/twin.h"
#include "journal/file_disk.h"

static const char usage[] =
    "usage: outcry verify DIR [--frames FILE]...\n"
    "\n"
    "Runs the journal of one shard again, from its first record on, and compares everything: the\n"
    "checksum, number and chain of every record, the digest of the books in every batch, the "
    "state\n"
    "hash of every checkpoint, every snapshot, whole. If the first records were removed "
    "(retention),\n"
    "it begins with the oldest snapshot, and says so. DIR is a shard's directory in the setting\n"
    "journal_dir, or a backup of one; its matcher may be running. Nothing is changed.\n"
    "\n"
    "  --frames FILE   what `outcry tape --raw FILE` recorded: what the matcher and market-data\n"
    "                  published is made again, and compared byte for byte\n"
    "\n"
    "Exit status: 0; 1 if anything is wrong, which is then said with file, offset, what was found\n"
    "and expected, and what a start would do; 2 if the arguments are.\n"
    "\n"
    "  outcry verify /tmp/outcry/journal/0\n"
    "  outcry tape l2.BTC-USD trade.BTC-USD --quiet --raw day.frames &\n"
    "  outcry verify /tmp/outcry/journal/0 --frames day.frames\n";

struct verify {
    const struct verify_options *o;
    past_t *past;
    frame_check_t *frames;
    twin_t *twin;
    struct progress progress;
    uint64_t snapshots[SNAPSHOTS_MAX]; /* sequences, newest first; 0: done with */
    unsigned snapshot_count;
    uint64_t records, batches, commands, epochs, epoch;
    uint64_t snapshots_compared;
    uint64_t start_ns;
    bool sound;
    char error[JOURNAL_ERROR_SIZE];
};

static void tell(struct verify *v, const char *words)
{
    progress_end(&v->progress);
    fprintf(stderr, "outcry %s: %s\n", v->o->command, words);
}

static void wrong(struct verify *v, const char *words)
{
    tell(v, words);
    v->sound = false;
}

/* ---- snapshots ---- */

/* By itself: whole, and its state hashes to what it says. */
static void check_snapshot(struct verify *v, uint64_t *seq)
{
    struct snapshot_head head;
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum status status = snapshots_read(v->o->disk, *seq, &head, &bytes, &size, v->error);
    if (status == STATUS_MISSING) { /* a newer one has come in its place */
        *seq = 0;
        return;
    }
    if (status == STATUS_IO)
        snprintf(v->error, sizeof v->error, "the snapshot of %" PRIu64 " cannot be read: %s", *seq,
                 strerror(errno));
    history_t *h = history_new(&(struct history_options){.matcher = past_matcher_options()});
    if (status != STATUS_OK || !history_restore(h, &head, bytes, size, v->error)) {
        wrong(v, v->error);
        *seq = 0;
    }
    history_destroy(&h);
    snapshots_free(&bytes, size);
}

static void check_snapshots(struct verify *v)
{
    if (snapshots_list(v->o->disk, v->snapshots, &v->snapshot_count) != STATUS_OK) {
        snprintf(v->error, sizeof v->error, "%.400s: it cannot be read: %s", v->o->disk->path,
                 strerror(errno));
        wrong(v, v->error);
    }
    for (unsigned i = 0; i < v->snapshot_count; i++)
        check_snapshot(v, &v->snapshots[i]);
}

/* The state made again, byte for byte: beside what is hashed, where the topics stand. */
static bool same_bytes(struct verify *v, const struct snapshot_head *head, const uint8_t *bytes,
                       size_t size)
{
    const matcher_t *m = history_matcher(past_history(v->past));
    uint64_t hash = history_state_hash(past_history(v->past));
    if (hash != head->hash) {
        snprintf(v->error, sizeof v->error,
                 "the snapshot of %" PRIu64 ": found state hash %016" PRIx64
                 ", expected %016" PRIx64 ", as the records before it make",
                 head->seq, head->hash, hash);
        return false;
    }
    size_t size_max = matcher_image_size_max(m);
    uint8_t *image = memory_new(1, size_max, "a snapshot");
    size_t image_size = matcher_image_write(m, image);
    size_t at = 0;
    while (at < size && at < image_size && bytes[at] == image[at])
        at++;
    memory_free(image, 1, size_max);
    if (at == size && at == image_size)
        return true;
    snprintf(v->error, sizeof v->error,
             "the snapshot of %" PRIu64
             ": its state hash is right, but its byte %zu of %zu is not that of the %zu the "
             "records before it make",
             head->seq, at, size, image_size);
    return false;
}

static void compare_snapshot(struct verify *v, uint64_t *seq)
{
    struct snapshot_head head;
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum status status = snapshots_read(v->o->disk, *seq, &head, &bytes, &size, v->error);
    *seq = 0;
    if (status != STATUS_OK)
        return; /* it was whole a moment ago: a newer one has come in its place */
    if (same_bytes(v, &head, bytes, size))
        v->snapshots_compared++;
    else
        wrong(v, v->error);
    snapshots_free(&bytes, size);
}

/* Those of where history stands now. */
static void compare_snapshots(struct verify *v)
{
    uint64_t seq = history_seq(past_history(v->past));
    for (unsigned i = 0; i < v->snapshot_count; i++) {
        if (seq > 0 && v->snapshots[i] == seq && seq != past_snapshot_seq(v->past))
            compare_snapshot(v, &v->snapshots[i]);
    }
}

/* Those history should have come by. */
static void miss_snapshots(struct verify *v, bool written)
{
    for (unsigned i = 0; i < v->snapshot_count; i++) {
        uint64_t seq = v->snapshots[i], last = history_seq(past_history(v->past));
        if (seq <= past_snapshot_seq(v->past) || (written && seq > last))
            continue;
        snprintf(v->error, sizeof v->error,
                 "the snapshot of %" PRIu64
                 ": expected the end of a batch there, found none; the last command is %" PRIu64,
                 seq, last);
        wrong(v, v->error);
    }
}

/* ---- frames ---- */

static void on_twin_frame(void *self, const uint8_t *message, size_t size)
{
    struct verify *v = self;
    frame_check_remade(v->frames, message, size);
}

static void on_frame(void *self, unsigned output, const uint8_t *message, size_t size)
{
    struct verify *v = self;
    if (v->frames == NULL || output != MATCHER_OUTPUT_PUBLIC)
        return;
    frame_check_remade(v->frames, message, size);
    if (v->twin != NULL)
        twin_receive(v->twin, message, size, history_time_ns(past_history(v->past)));
}

/* At the history's beginning, and at each epoch's. */
static bool follow_epoch(struct verify *v)
{
    const history_t *h = past_history(v->past);
    matcher_t *m = history_matcher(h);
    bool same = history_epoch(h) == v->epoch;
    v->epochs += !same;
    v->epoch = history_epoch(h);
    if (v->frames == NULL)
        return true;
    /* A record that begins an epoch holds no command. */
    if (!same)
        frame_check_epoch(v->frames, v->epoch, history_seq(h));
    if (same && v->twin != NULL)
        twin_answer(v->twin, m, history_time_ns(h));
    if (m == NULL || (same && v->twin != NULL))
        return true;
    if (v->twin == NULL)
        v->twin = twin_new(m, on_twin_frame, v);
    return twin_join(v->twin, m, history_time_ns(h));
}

/* ---- records ---- */

static bool take(struct verify *v, const struct journal_record *r)
{
    v->records++;
    v->batches += r->kind == RECORD_BATCH;
    v->commands += r->count;
    if (!past_take(v->past, r, v->error))
        return false;
    if (!follow_epoch(v)) {
        snprintf(v->error, sizeof v->error,
                 "%s, offset %" PRIu64 ": the books of epoch %" PRIu64
                 " could not be joined by a market-data of our own",
                 r->file, r->offset, v->epoch);
        return false;
    }
    compare_snapshots(v);
    progress_at(&v->progress, history_seq(past_history(v->past)));
    return true;
}

static enum verify_result take_all(struct verify *v)
{
    struct journal_record r;
    enum past_step step;
    const char *words;
    while ((step = past_next(v->past, &r, v->error)) == PAST_RECORD) {
        if (!take(v, &r)) {
            wrong(v, v->error);
            return VERIFY_UNSOUND;
        }
    }
    if (step == PAST_FAILED) {
        wrong(v, v->error);
        return VERIFY_UNSOUND;
    }
    enum past_verdict verdict = past_verdict(v->past, &words);
    miss_snapshots(v, verdict == PAST_WRITTEN);
    if (verdict == PAST_REFUSED)
        wrong(v, words);
    if (verdict == PAST_CUT)
        tell(v, words);
    if (verdict == PAST_WRITTEN)
        printf("written     its matcher is writing more; what was there is verified\n");
    return verdict == PAST_CUT ? VERIFY_CUT : VERIFY_SOUND;
}

/* ---- the report ---- */

static void print_frames(struct verify *v)
{
    const history_t *h = past_history(v->past);
    const matcher_t *m = history_matcher(h);
    struct frame_check_report r =
        frame_check_end(v->frames, m == NULL ? NULL : matcher_engine(m), history_seq(h));
    printf("frames      %" PRIu64 " of %" PRIu64 " recorded messages compared, %" PRIu64 " differ",
           r.compared + r.differ, r.recorded, r.differ);
    if (r.not_remade > 0)
        printf(", %" PRIu64 " not made by the journal", r.not_remade);
    printf("\n            not comparable: %" PRIu64 " before and %" PRIu64
           " after what the journal has, %" PRIu64 " of other shards\n"
           "            passed over: %" PRIu64 " heartbeats, replies and other topics\n",
           r.before, r.after, r.elsewhere, r.passed_over);
    if (r.cut_short > 0)
        printf("            %u recordings end within a message\n", r.cut_short);
    if (r.differ + r.not_remade > 0)
        wrong(v, "frames were published that the journal does not make");
    if (r.unreadable > 0)
        wrong(v, "a recording holds messages nobody can read as frames");
}

static void print_report(struct verify *v, struct verify_end *end)
{
    const history_t *h = past_history(v->past);
    double seconds = (double)(clock_monotonic_ns() - v->start_ns) / (double)NS_PER_SECOND;
    *end = (struct verify_end){history_seq(h), history_epoch(h), history_state_hash(h)};
    if (past_snapshot_seq(v->past) > 0)
        printf("begun       with the oldest snapshot, of %" PRIu64
               ": the first records are not kept any more\n",
               past_snapshot_seq(v->past));
    printf("records     %" PRIu64 ", %" PRIu64 " of them batches\n", v->records, v->batches);
    printf("commands    %" PRIu64 " in %.3f s, %.0f a second\n", v->commands, seconds,
           (double)v->commands / seconds);
    printf("epochs      %" PRIu64 ", the last %" PRIu64 "\n", v->epochs, end->epoch);
    printf("checkpoints %" PRIu64 " compared\n", history_checkpoints(h));
    printf("snapshots   %" PRIu64 " compared\n", v->snapshots_compared);
    if (v->frames != NULL)
        print_frames(v);
    printf("seq         %" PRIu64 "\n", end->seq);
    printf("state hash  %016" PRIx64 "\n", end->state_hash);
}

static enum verify_result run(struct verify *v, struct verify_end *end)
{
    struct past_options past = {.disk = v->o->disk, .frame = on_frame, .self = v};
    v->start_ns = clock_monotonic_ns();
    if (v->o->frame_count > 0) {
        v->frames = frame_check_open(v->o->frames, v->o->frame_count, v->error);
        if (v->frames == NULL) {
            wrong(v, v->error);
            return VERIFY_UNSOUND;
        }
    }
    if (past_open(&v->past, &past, v->error) != STATUS_OK) {
        wrong(v, v->error);
        return VERIFY_UNSOUND;
    }
    check_snapshots(v);
    if (past_snapshot_seq(v->past) > 0 && !follow_epoch(v))
        wrong(v,
              "the books of the oldest snapshot could not be joined by a market-data of our own");
    progress_begin(&v->progress, "verify", past_last_seq(v->past));
    enum verify_result result = take_all(v);
    progress_end(&v->progress);
    print_report(v, end);
    return v->sound ? result : VERIFY_UNSOUND;
}

enum verify_result verify_run(const struct verify_options *o, struct verify_end *end)
{
    struct verify v = {.o = o, .sound = true};
    *end = (struct verify_end){0};
    enum verify_result result = run(&v, end);
    twin_destroy(&v.twin);
    past_close(&v.past);
    frame_check_close(&v.frames);
    return result;
}

/* ---- arguments ---- */

static int mistake(const char *found, const char *expected)
{
    fprintf(stderr, "outcry verify: found %s, expected %s (see --help)\n", found, expected);
    return 2;
}

int verify_main(int argc, char **argv)
{
    const char *directory = NULL;
    unsigned frame_count = 0; /* the files move to the front of argv */
    file_disk_t *disk = NULL;
    struct verify_end end;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (strcmp(argv[i], "--frames") == 0) {
            if (i + 1 == argc)
                return mistake("nothing behind --frames", "a FILE");
            argv[frame_count++] = argv[++i];
        } else if (argv[i][0] == '-' || directory != NULL) {
            return mistake(argv[i], "one DIR and --frames FILE");
        } else {
            directory = argv[i];
        }
    }
    if (directory == NULL)
        return mistake("nothing", "the DIR of a shard's journal");
    if (file_disk_open(&disk, directory, false) != STATUS_OK) {
        fprintf(stderr, "outcry verify: %s: %s\n", directory, strerror(errno));
        return EXIT_FAILURE;
    }
    struct verify_options o = {"verify", file_disk_ops(disk), (const char *const *)argv,
                               frame_count};
    enum verify_result result = verify_run(&o, &end);
    file_disk_close(&disk);
    if (result == VERIFY_SOUND)
        puts("sound");
    return result == VERIFY_SOUND && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
