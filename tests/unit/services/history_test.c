/* history: a matcher made again from its journal is the same matcher, frame by frame; one that is
 * not is found out. recovery: how a start goes on from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/file_disk.h"
#include "journal/journal.h"
#include "journal/journal_reader.h"
#include "matcher/history.h"
#include "matcher/recovery.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/services/flow.h"
#include "tests/unit/services/stage.h"

enum { BATCHES = 60, COMMANDS_MAX = 30, FRAMES_MAX = 20000, SEGMENT = 1 << 20 };

struct frames {
    uint8_t *bytes[FRAMES_MAX];
    size_t sizes[FRAMES_MAX];
    unsigned outputs[FRAMES_MAX];
    unsigned count;
};

static struct stage stage;
static struct frames live, again;
static struct message message;
static file_disk_t *disk;
static char error[JOURNAL_ERROR_SIZE];

static bool is_heartbeat(const uint8_t *bytes, size_t size)
{
    return text_equal(frame_topic(bytes, size), text_of("hb"));
}

static void frames_add(void *self, unsigned output, const uint8_t *bytes, size_t size)
{
    struct frames *f = self;
    if (is_heartbeat(bytes, size))
        return;
    assert_true(f->count < FRAMES_MAX);
    f->bytes[f->count] = malloc(size);
    memcpy(f->bytes[f->count], bytes, size);
    f->sizes[f->count] = size;
    f->outputs[f->count++] = output;
}

static void frames_clear(struct frames *f)
{
    while (f->count > 0)
        free(f->bytes[--f->count]);
}

static struct matcher_options options_small(void)
{
    struct matcher_options o = stage_options();
    o.limits.events_max = 3; /* so that work is left over */
    o.limits.finished_per_account = 5;
    return o;
}

/* As another process would: what the last one locked is free. */
static void open_disk(void)
{
    char directory[256];
    file_disk_close(&disk);
    snprintf(directory, sizeof directory, "%s/journal", scratch_path());
    assert_int_equal(file_disk_open(&disk, directory, true), STATUS_OK);
}

static journal_t *open_journal(struct journal_recovery *found, const struct journal_taker *taker)
{
    journal_t *j = NULL;
    struct journal_options o = {
        .disk = file_disk_ops(disk), .segment_size = SEGMENT, .size_max = 1 << 30};
    assert_int_equal(journal_open(&j, &o, error), STATUS_OK);
    assert_int_equal(journal_recover(j, 0, 0, taker, found, error), STATUS_OK);
    return j;
}

static void append(journal_t *j)
{
    struct journal_batch batch = stage.journal;
    assert_int_equal(journal_append(j, &batch), STATUS_OK);
}

static void keep_said(void)
{
    for (unsigned i = 0; i < stage.said_count; i++)
        frames_add(&live, stage.said[i].output, stage.said[i].bytes, stage.said[i].size);
    stage_clear(&stage);
}

/* A day on the stage, journaled as its cycle would. */
static void play(uint64_t seed)
{
    struct journal_recovery found;
    struct flow flow;
    struct random random = {seed};
    uint64_t origin_seq = 0;
    struct matcher_options options = options_small();
    journal_t *j = open_journal(&found, &(struct journal_taker){NULL, NULL});
    assert_int_equal(journal_begin_epoch(j, STAGE_EPOCH, 1), STATUS_OK);
    flow_init(&flow, seed, STAGE_SHARD);
    stage_open(&stage, &options);
    append(j);
    for (unsigned b = 0; b < BATCHES; b++) {
        unsigned count = 1 + (unsigned)random_below(&random, COMMANDS_MAX);
        stage_begin(&stage);
        for (unsigned i = 0; i < count && engine_waiting(matcher_engine(stage.matcher)) == 0; i++) {
            struct command c;
            message_clear(&message);
            flow_next(&flow, &c);
            message_put(&message, &c, envelope_of("gw-1", 1, ++origin_seq));
            if (stage_receive(&stage, MATCHER_INPUT_COMMANDS, message.bytes, message.size) !=
                INTAKE_MORE) {
                origin_seq--;
                break;
            }
        }
        stage.now_ns += 1000 * b;
        if (stage_end(&stage))
            append(j);
        if (b % 20 == 19)
            assert_int_equal(journal_checkpoint(j, stage.now_ns,
                                                engine_state_hash(matcher_engine(stage.matcher))),
                             STATUS_OK);
        keep_said();
    }
    assert_int_equal(journal_sync(j), STATUS_OK);
    journal_destroy(&j);
}

static int setup(void **state)
{
    scratch_open(state);
    open_disk();
    play(7);
    open_disk();
    return 0;
}

static int teardown(void **state)
{
    stage_close(&stage);
    frames_clear(&live);
    frames_clear(&again);
    file_disk_close(&disk);
    return scratch_close(state);
}

static history_t *history_here(void)
{
    struct history_options o = {.matcher = options_small(), .frame = frames_add, .self = &again};
    return history_new(&o);
}

/* Take what follows after_seq; the number of records. */
static unsigned take_rest(history_t *h, uint64_t after_seq)
{
    journal_reader_t *reader;
    struct journal_record record;
    uint64_t oldest;
    unsigned count = 0;
    assert_int_equal(journal_reader_open(&reader, file_disk_ops(disk), after_seq, &oldest, error),
                     STATUS_OK);
    for (; journal_reader_next(reader, &record, error) == JOURNAL_READ_RECORD; count++) {
        if (!history_take(h, &record, error))
            fail_msg("%s", error);
    }
    journal_reader_close(&reader);
    return count;
}

static void assert_same_engine(const history_t *h)
{
    assert_true(history_seq(h) == engine_seq(matcher_engine(stage.matcher)));
    assert_true(history_state_hash(h) == engine_state_hash(matcher_engine(stage.matcher)));
}

/* The last frames made again are the last frames that were said. */
static void assert_same_frames(void)
{
    assert_true(again.count > 0 && again.count <= live.count);
    for (unsigned i = 1; i <= again.count; i++) {
        unsigned a = again.count - i, l = live.count - i;
        assert_int_equal(again.outputs[a], live.outputs[l]);
        assert_int_equal(again.sizes[a], live.sizes[l]);
        assert_memory_equal(again.bytes[a], live.bytes[l], live.sizes[l]);
    }
}

/* ---- history ---- */

static void every_frame_is_made_again_byte_for_byte(void **state)
{
    (void)state;
    history_t *h = history_here();
    take_rest(h, 0);
    assert_same_engine(h);
    assert_true(history_checkpoints(h) == 3 && history_epoch(h) == STAGE_EPOCH);
    assert_same_frames();
    /* all but what the stage's first batch said, which it forgot */
    assert_true(again.count >= live.count);
    history_destroy(&h);
}

static uint8_t *image_of(const history_t *h, struct snapshot_head *head, size_t *size)
{
    const matcher_t *m = history_matcher(h);
    uint8_t *bytes = malloc(matcher_image_size_max(m));
    *size = matcher_image_write(m, bytes);
    assert_true(*size <= matcher_image_size_max(m));
    *head = (struct snapshot_head){.seq = history_seq(h),
                                   .epoch = history_epoch(h),
                                   .number = history_number(h),
                                   .time_ns = history_time_ns(h),
                                   .hash = history_state_hash(h)};
    return bytes;
}

static void from_a_snapshot_in_the_middle_it_goes_on_alike(void **state)
{
    (void)state;
    journal_reader_t *reader;
    struct journal_record record;
    struct snapshot_head head;
    uint64_t oldest;
    size_t size;
    history_t *h = history_here();
    assert_int_equal(journal_reader_open(&reader, file_disk_ops(disk), 0, &oldest, error),
                     STATUS_OK);
    for (unsigned i = 0; i < BATCHES / 2; i++) {
        assert_int_equal(journal_reader_next(reader, &record, error), JOURNAL_READ_RECORD);
        assert_true(history_take(h, &record, error));
    }
    uint8_t *bytes = image_of(h, &head, &size);
    frames_clear(&again);
    history_t *second = history_here();
    assert_true(history_restore(second, &head, bytes, size, error));
    take_rest(second, head.seq);
    assert_same_engine(second);
    assert_same_frames();
    free(bytes);
    journal_reader_close(&reader);
    history_destroy(&h);
    history_destroy(&second);
}

static void a_snapshot_whose_hash_is_another_is_refused(void **state)
{
    (void)state;
    struct snapshot_head head;
    size_t size;
    history_t *h = history_here(), *second = history_here();
    take_rest(h, 0);
    uint8_t *bytes = image_of(h, &head, &size);
    head.hash ^= 1;
    assert_false(history_restore(second, &head, bytes, size, error));
    assert_non_null(strstr(error, "state hash"));
    assert_null(history_matcher(second));
    head.hash ^= 1;
    assert_false(history_restore(second, &head, bytes, size - 1, error));
    assert_true(history_restore(second, &head, bytes, size, error));
    free(bytes);
    history_destroy(&h);
    history_destroy(&second);
}

/* Take records until one is refused, which `spoil` has changed. */
static void refused_with(void (*spoil)(struct journal_record *r, uint8_t *bytes), const char *words)
{
    journal_reader_t *reader;
    struct journal_record record;
    uint64_t oldest;
    bool fine = true;
    history_t *h = history_here();
    assert_int_equal(journal_reader_open(&reader, file_disk_ops(disk), 0, &oldest, error),
                     STATUS_OK);
    for (unsigned i = 0; fine; i++) {
        assert_int_equal(journal_reader_next(reader, &record, error), JOURNAL_READ_RECORD);
        uint8_t *bytes = malloc(record.size + 1);
        if (record.size > 0)
            memcpy(bytes, record.bytes, record.size);
        if (i > 10)
            spoil(&record, bytes);
        record.bytes = bytes;
        fine = history_take(h, &record, error);
        free(bytes);
    }
    if (strstr(error, words) == NULL || strstr(error, record.file) == NULL)
        fail_msg("%s", error);
    journal_reader_close(&reader);
    history_destroy(&h);
}

static void spoil_digest(struct journal_record *r, uint8_t *bytes)
{
    (void)bytes;
    r->check ^= 1;
}

static void spoil_checkpoint(struct journal_record *r, uint8_t *bytes)
{
    (void)bytes;
    r->check ^= r->kind == RECORD_CHECKPOINT;
}

static void spoil_command(struct journal_record *r, uint8_t *bytes)
{
    if (r->size > 0)
        bytes[0] = 0xc1; /* never used in msgpack */
}

static void spoil_count(struct journal_record *r, uint8_t *bytes)
{
    (void)bytes;
    r->count += r->kind == RECORD_BATCH;
}

static void spoil_order(struct journal_record *r, uint8_t *bytes)
{
    (void)bytes;
    r->first_seq += r->kind == RECORD_BATCH;
}

static void what_is_not_what_it_was_is_refused_with_its_place(void **state)
{
    (void)state;
    refused_with(spoil_digest, "the books after this batch hash to");
    refused_with(spoil_checkpoint, "the state at this checkpoint hashes to");
    refused_with(spoil_command, "what is no command");
    refused_with(spoil_count, "commands, expected");
    refused_with(spoil_order, "found command");
}

/* ---- recovery ---- */

static struct add_symbol symbols[3];

static struct recovery_options recovery_here(void)
{
    open_disk();
    symbols[0] = (struct add_symbol){text_of(SYMBOL_ONE), text_of("0.01"), text_of("1"), false};
    symbols[1] = (struct add_symbol){text_of(SYMBOL_OTHER), text_of("0.01"), text_of("1"), false};
    symbols[2] = (struct add_symbol){text_of(SYMBOL_ANY), text_of("0.05"), text_of("1"), true};
    return (struct recovery_options){
        .journal = {.disk = file_disk_ops(disk), .segment_size = SEGMENT, .size_max = 1 << 30},
        .matcher = options_small(),
        .symbols = symbols,
        .symbol_count = 3,
        .epoch_min = 1000,
        .now_ns = 1,
    };
}

static void recovery_close(struct recovery *r)
{
    journal_destroy(&r->journal);
    matcher_destroy(&r->matcher);
}

static void a_whole_journal_goes_on_in_its_epoch(void **state)
{
    (void)state;
    struct recovery r;
    struct recovery_options o = recovery_here();
    assert_int_equal(recovery_run(&o, &r, error), STATUS_OK);
    assert_true(r.epoch == STAGE_EPOCH && !r.new_history && r.snapshot_seq == 0);
    assert_true(r.state_hash == engine_state_hash(matcher_engine(stage.matcher)));
    assert_true(r.found.seq == engine_seq(matcher_engine(stage.matcher)));
    assert_true(matcher_epoch(r.matcher) == STAGE_EPOCH);
    recovery_close(&r);
}

static void an_empty_directory_begins_a_history(void **state)
{
    (void)state;
    struct recovery r;
    file_disk_t *empty;
    struct recovery_options o = recovery_here();
    char directory[256];
    snprintf(directory, sizeof directory, "%s/empty", scratch_path());
    assert_int_equal(file_disk_open(&empty, directory, true), STATUS_OK);
    o.journal.disk = file_disk_ops(empty);
    assert_int_equal(recovery_run(&o, &r, error), STATUS_OK);
    assert_true(r.new_history && r.epoch == 1000 && engine_seq(matcher_engine(r.matcher)) == 0);
    recovery_close(&r);
    file_disk_close(&empty);
    assert_int_equal(file_disk_open(&empty, directory, false), STATUS_OK);
    o.journal.disk = file_disk_ops(empty);
    /* It ended before its first command: the epoch is the same, nothing was said in it. */
    assert_int_equal(recovery_run(&o, &r, error), STATUS_OK);
    assert_true(r.new_history && r.epoch == 1000);
    recovery_close(&r);
    file_disk_close(&empty);
}

static void assert_refused(const struct recovery_options *o, const char *found,
                           const char *expected)
{
    struct recovery r;
    assert_int_equal(recovery_run(o, &r, error), STATUS_INVALID);
    assert_null(r.journal);
    assert_null(r.matcher);
    if (strstr(error, found) == NULL || strstr(error, expected) == NULL)
        fail_msg("%s", error);
}

static void a_configuration_that_is_not_the_historys_is_refused_with_both(void **state)
{
    (void)state;
    struct recovery_options o = recovery_here();
    o.matcher.limits.events_max = 77;
    assert_refused(&o, "events_max is 77 in the configuration", "3 in the journal");
    o = recovery_here();
    o.symbol_count = 2;
    assert_refused(&o, "it has 2 symbols", "the journal has 3");
    o = recovery_here();
    symbols[1].tick_size = text_of("0.05");
    assert_refused(&o, "tick 0.05", "tick 0.01");
    o = recovery_here();
    symbols[1].symbol = text_of("ELSE");
    assert_refused(&o, "ELSE", SYMBOL_OTHER);
}

static void the_newest_sound_snapshot_is_used_and_a_damaged_one_told(void **state)
{
    (void)state;
    struct recovery r;
    struct snapshot_head head;
    size_t size;
    history_t *h = history_here();
    take_rest(h, 0);
    uint8_t *bytes = image_of(h, &head, &size);
    assert_int_equal(snapshots_write(file_disk_ops(disk), &head, bytes, size), STATUS_OK);
    struct recovery_options o = recovery_here();
    assert_int_equal(recovery_run(&o, &r, error), STATUS_OK);
    assert_true(r.snapshot_seq == head.seq && r.found.commands == 0);
    assert_true(r.state_hash == head.hash && r.snapshots_refused == 0);
    recovery_close(&r);

    char file[300];
    snprintf(file, sizeof file, "%s/journal/%020llu.snapshot", scratch_path(),
             (unsigned long long)head.seq);
    FILE *f = fopen(file, "r+");
    assert_non_null(f);
    fseek(f, -1, SEEK_END);
    int last = fgetc(f);
    fseek(f, -1, SEEK_END);
    fputc(last ^ 1, f);
    fclose(f);
    o = recovery_here();
    assert_int_equal(recovery_run(&o, &r, error), STATUS_OK);
    assert_true(r.snapshot_seq == 0 && r.snapshots_refused == 1 && r.state_hash == head.hash);
    assert_non_null(strstr(r.snapshot_words, ".snapshot"));
    recovery_close(&r);
    free(bytes);
    history_destroy(&h);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_frame_is_made_again_byte_for_byte),
        TEST(from_a_snapshot_in_the_middle_it_goes_on_alike),
        TEST(a_snapshot_whose_hash_is_another_is_refused),
        TEST(what_is_not_what_it_was_is_refused_with_its_place),
        TEST(a_whole_journal_goes_on_in_its_epoch),
        TEST(an_empty_directory_begins_a_history),
        TEST(a_configuration_that_is_not_the_historys_is_refused_with_both),
        TEST(the_newest_sound_snapshot_is_used_and_a_damaged_one_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
