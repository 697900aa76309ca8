/* journal: what is committed when, how segments follow each other, and what each failure does. */
#include "journal/journal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "journal/record_format.h"
#include "tests/unit/base/death.h"
#include "tests/unit/journal/journal_kit.h"

/* The largest batch a segment takes: alone, and where journal_has_room is asked before. */
enum {
    LARGEST = KIT_SIZE - SEGMENT_HEADER_SIZE - RECORD_HEADER_SIZE,
    LARGEST_ASKED = LARGEST - 2 * RECORD_HEADER_SIZE,
};

struct fixture {
    struct memory_disk disk;
    struct kit kit;
    uint64_t now_ns;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    memory_disk_open(&f->disk);
    f->kit.disk = &f->disk.ops;
    f->now_ns = NS_PER_SECOND;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    kit_end(&f->kit);
    memory_disk_close(&f->disk);
    free(f);
    return 0;
}

static enum status tend(struct fixture *f)
{
    return journal_tend(f->kit.journal, ++f->now_ns);
}

/* Until the next segment is ready. */
static void tend_long(struct fixture *f)
{
    for (unsigned i = 0; i < 2 * KIT_SIZE / 65536; i++)
        assert_int_equal(tend(f), STATUS_OK);
}

/* Fill the segment so that not even a small record finds room. */
static void fill_segment(struct fixture *f)
{
    enum { PART = 1000 };
    uint64_t segments = journal_counts(f->kit.journal).segments;
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE - SEGMENT_HEADER_SIZE - PART), STATUS_OK);
    assert_int_equal(kit_append(&f->kit, 1, PART - 4 * RECORD_HEADER_SIZE), STATUS_OK);
    assert_int_equal(journal_counts(f->kit.journal).segments, segments);
}

/* ---- the null journal ---- */

static void the_null_journal_commits_at_once_and_keeps_nothing(void **state)
{
    (void)state;
    struct kit k = {.journal = journal_new_null()};
    struct journal_taker taker = kit_taker(&k.taken);
    assert_int_equal(journal_recover(k.journal, 0, 0, &taker, &k.found, k.error), STATUS_OK);
    assert_true(k.found.new_epoch);
    assert_int_equal(journal_begin_epoch(k.journal, 5, 1), STATUS_OK);
    uint64_t first = journal_next(k.journal);
    for (uint64_t n = 0; n < 3; n++) {
        assert_true(journal_has_room(k.journal, 1 << 20));
        assert_int_equal(kit_append(&k, 2, 100), STATUS_OK);
        assert_int_equal(journal_committed(k.journal), first + n);
        assert_int_equal(journal_next(k.journal), first + n + 1);
        assert_int_equal(journal_committed_seq(k.journal), 2 * n + 2);
    }
    assert_int_equal(journal_checkpoint(k.journal, 1, 2), STATUS_OK);
    assert_int_equal(journal_sync(k.journal), STATUS_OK);
    assert_int_equal(journal_tend(k.journal, 1), STATUS_OK);
    assert_int_equal(journal_fd(k.journal), -1);
    assert_true(journal_patience_ns(k.journal, 1) == UINT64_MAX);
    assert_int_equal(journal_durable_seq(k.journal), 0);
    assert_int_equal(journal_counts(k.journal).batches, 3);
    assert_string_equal(journal_counts(k.journal).standing, "open");
    assert_int_equal(journal_close(k.journal, 1), STATUS_OK);
    journal_destroy(&k.journal);
    assert_null(k.journal);
}

/* ---- what is committed ---- */

static void a_batch_is_committed_by_a_sync_that_began_after_it(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    journal_t *j = f->kit.journal;
    f->disk.held = true;
    kit_append(&f->kit, 1, 10); /* record 2 */
    assert_int_equal(journal_committed(j), 1);
    assert_int_equal(tend(f), STATUS_OK); /* a sync begins */
    kit_append(&f->kit, 1, 10);           /* record 3, too late for it */
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(journal_committed(j), 1);
    assert_int_equal(f->disk.begins, 1); /* one at a time */
    f->disk.held = false;
    assert_int_equal(tend(f), STATUS_OK); /* it ends, and the next begins */
    assert_int_equal(journal_committed(j), 2);
    assert_int_equal(journal_committed_seq(j), 1);
    assert_int_equal(journal_durable_seq(j), 1);
    assert_int_equal(f->disk.begins, 2);
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(journal_committed(j), 3);
    assert_int_equal(journal_committed_seq(j), 2);
    tend_long(f);
    unsigned begins = f->disk.begins, writes = f->disk.writes;
    tend_long(f);
    assert_int_equal(f->disk.begins, begins); /* at rest nothing is done */
    assert_int_equal(f->disk.writes, writes);
    assert_true(journal_patience_ns(j, f->now_ns) == UINT64_MAX);
}

static void a_sync_that_is_waited_for_commits_everything(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    f->disk.held = true;
    kit_append(&f->kit, 1, 10);
    assert_int_equal(tend(f), STATUS_OK);
    kit_append(&f->kit, 3, 10);
    unsigned syncs = f->disk.syncs;
    assert_int_equal(journal_sync(f->kit.journal), STATUS_OK);
    assert_int_equal(f->disk.syncs, syncs + 1);
    assert_int_equal(journal_committed(f->kit.journal), 3);
    assert_int_equal(journal_committed_seq(f->kit.journal), 4);
    assert_int_equal(journal_sync(f->kit.journal), STATUS_OK); /* nothing is left to do */
    assert_int_equal(f->disk.syncs, syncs + 1);
}

static void a_batch_is_one_write(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    unsigned writes = f->disk.writes, syncs = f->disk.syncs;
    kit_append(&f->kit, 7, 12345);
    assert_int_equal(f->disk.writes, writes + 1);
    assert_int_equal(f->disk.syncs, syncs);
    assert_int_equal(f->disk.begins, 0);
}

static void a_header_says_what_was_durable_when_it_was_written(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 2, 10);
    kit_append(&f->kit, 2, 10);
    journal_sync(f->kit.journal);
    kit_append(&f->kit, 2, 10);
    journal_close(f->kit.journal, 1);
    kit_end(&f->kit);
    kit_start(&f->kit);
    static const uint64_t durable[] = {0, 0, 0, 4, 6};
    assert_int_equal(f->kit.taken.count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(f->kit.taken.records[i].durable_seq, durable[i]);
    assert_int_equal(f->kit.taken.records[4].kind, RECORD_CLOSE);
}

static void a_checkpoint_needs_no_sync_of_its_own(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    unsigned syncs = f->disk.syncs;
    kit_append(&f->kit, 2, 10);
    assert_int_equal(journal_checkpoint(f->kit.journal, 5, 0xABCD), STATUS_OK);
    assert_int_equal(f->disk.syncs, syncs);
    assert_int_equal(journal_sync(f->kit.journal), STATUS_OK);
    assert_int_equal(journal_committed(f->kit.journal), 3);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.taken.records[2].kind, RECORD_CHECKPOINT);
    assert_int_equal(f->kit.taken.records[2].check, 0xABCD);
    assert_int_equal(f->kit.taken.records[2].first_seq, 2);
}

static void an_end_in_order_is_written_once(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 2, 10);
    assert_int_equal(journal_close(f->kit.journal, 9), STATUS_OK);
    assert_int_equal(journal_close(f->kit.journal, 10), STATUS_OK);
    kit_end(&f->kit);
    struct memory_disk *before = malloc(sizeof *before);
    memory_disk_open(before);
    memory_disk_copy(before, &f->disk);
    for (unsigned i = 0; i < 2; i++) {
        kit_start(&f->kit);
        assert_true(f->kit.found.clean);
        assert_int_equal(f->kit.found.time_ns, 9);
        assert_int_equal(f->kit.taken.count, 3);
        assert_int_equal(journal_close(f->kit.journal, 11), STATUS_OK);
        kit_end(&f->kit);
    }
    assert_true(memory_disk_same(&f->disk, before));
    memory_disk_close(before);
    free(before);
}

/* ---- mode async ---- */

static void mode_async_commits_what_is_written(void **state)
{
    struct fixture *f = *state;
    f->kit.async = true;
    kit_start(&f->kit);
    journal_t *j = f->kit.journal;
    f->disk.held = true;
    assert_int_equal(tend(f), STATUS_OK);
    uint64_t began_ns = f->now_ns;
    kit_append(&f->kit, 1, 10);
    assert_int_equal(journal_committed(j), 2);
    assert_int_equal(journal_committed_seq(j), 1);
    assert_int_equal(journal_durable_seq(j), 0);
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(f->disk.begins, 0);
    uint64_t wanted_ns = f->now_ns + journal_patience_ns(j, f->now_ns);
    assert_true(wanted_ns > f->now_ns && wanted_ns <= began_ns + JOURNAL_ASYNC_MS * NS_PER_MS);
    f->now_ns = wanted_ns - 2;
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(f->disk.begins, 0);
    assert_int_equal(tend(f), STATUS_OK); /* at wanted_ns */
    assert_int_equal(f->disk.begins, 1);
    assert_int_equal(journal_durable_seq(j), 0);
    f->disk.held = false;
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(journal_durable_seq(j), 1);
    assert_true(journal_patience_ns(j, f->now_ns) == UINT64_MAX);
}

static void mode_async_begins_no_sync_while_one_is_running(void **state)
{
    struct fixture *f = *state;
    f->kit.async = true;
    kit_start(&f->kit);
    f->disk.held = true;
    kit_append(&f->kit, 1, 10);
    f->now_ns += NS_PER_SECOND / 2;
    tend(f);
    kit_append(&f->kit, 1, 10);
    f->now_ns += NS_PER_SECOND / 2;
    tend(f);
    assert_int_equal(f->disk.begins, 1);
    f->disk.held = false;
    f->now_ns += NS_PER_SECOND / 2;
    tend(f);
    assert_int_equal(f->disk.begins, 2);
    assert_int_equal(journal_durable_seq(f->kit.journal), 1);
}

/* ---- segments ---- */

static void the_next_segment_is_prepared_in_pieces(void **state)
{
    struct fixture *f = *state;
    enum { PIECES = KIT_SIZE / 65536 };
    kit_start(&f->kit);
    for (unsigned i = 0; i < PIECES; i++) {
        unsigned writes = f->disk.writes;
        assert_int_equal(tend(f), STATUS_OK);
        assert_int_equal(f->disk.writes, writes + 1);
        assert_int_equal(memory_disk_file(&f->disk, "next.new")->size, (i + 1) * 65536);
    }
    assert_int_equal(f->disk.begins, 1); /* the sync of the whole */
    assert_int_equal(tend(f), STATUS_OK);
    unsigned writes = f->disk.writes;
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(f->disk.writes, writes);
    fill_segment(f);
    kit_append(&f->kit, 1, 10);
    assert_int_equal(f->disk.writes, writes + 4); /* three records, and the segment's header */
    assert_null(memory_disk_file(&f->disk, "next.new"));
    assert_int_equal(journal_counts(f->kit.journal).segments, 2);
    assert_int_equal(journal_counts(f->kit.journal).size, 2 * KIT_SIZE);
}

/* Pieces grow with what is appended: else a fast writer would overtake them. */
static void the_next_segment_is_ready_in_time(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    tend_long(f);
    while (journal_counts(f->kit.journal).segments < 4) {
        unsigned syncs = f->disk.syncs;
        uint64_t segments = journal_counts(f->kit.journal).segments;
        assert_int_equal(kit_append(&f->kit, 1, 200000), STATUS_OK);
        bool rolled = journal_counts(f->kit.journal).segments > segments;
        /* of the header of the new segment, and of no zeros */
        assert_int_equal(f->disk.syncs, syncs + (rolled ? 1 : 0));
        assert_int_equal(journal_sync(f->kit.journal), STATUS_OK);
        assert_int_equal(tend(f), STATUS_OK);
    }
}

static void a_segment_that_fills_too_early_is_waited_for(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    fill_segment(f);
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_OK);
    assert_int_equal(journal_counts(f->kit.journal).segments, 2);
    assert_non_null(memory_disk_file(&f->disk, "00000000000000000004.segment"));
    f->disk.held = true;
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE / 2), STATUS_OK);
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE / 2), STATUS_OK); /* while a sync runs */
    assert_int_equal(journal_counts(f->kit.journal).segments, 3);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.seq, 5);
}

static void nothing_is_committed_before_what_was_written_before_it(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    tend_long(f);
    f->disk.held = true;
    fill_segment(f);
    assert_int_equal(tend(f), STATUS_OK); /* a sync of one of them is running */
    assert_int_equal(journal_committed(f->kit.journal), 1);
    kit_append(&f->kit, 1, 500);
    assert_int_equal(journal_committed(f->kit.journal), 3); /* all of the segment before */
    f->disk.held = false;
    tend(f);
    tend(f);
    assert_int_equal(journal_committed(f->kit.journal), 4);
}

static void a_sync_that_fails_between_segments_commits_nothing(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    tend_long(f);
    f->disk.held = true;
    fill_segment(f);
    f->disk.sync_fails = 1;
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_IO);
    assert_int_equal(journal_committed(f->kit.journal), 1);
    assert_int_equal(journal_counts(f->kit.journal).segments, 1);
}

static void batches_up_to_a_whole_segment_fit(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 1, LARGEST_ASKED - 1, LARGEST_ASKED, LARGEST - 1, LARGEST};
    kit_start(&f->kit);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] <= LARGEST_ASKED)
            assert_true(journal_has_room(f->kit.journal, sizes[i]));
        assert_int_equal(kit_append(&f->kit, 1, sizes[i]), STATUS_OK);
    }
    assert_int_equal(journal_close(f->kit.journal, 1), STATUS_OK);
    kit_end(&f->kit);
    kit_start(&f->kit); /* which compares every byte */
    assert_int_equal(f->kit.seq, 6);
}

static void append_one_too_large(void *self)
{
    kit_append(self, 1, LARGEST + 1);
}

static void ask_for_one_too_large(void *self)
{
    const struct kit *k = self;
    (void)journal_has_room(k->journal, LARGEST_ASKED + 1);
}

static void append_a_gap(void *self)
{
    struct kit *k = self;
    k->seq++;
    kit_append(k, 1, 10);
}

static void what_can_never_be_a_batch_is_a_broken_invariant(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    assert_true(death_of(append_one_too_large, &f->kit).aborted);
    assert_true(death_of(ask_for_one_too_large, &f->kit).aborted);
    assert_true(death_of(append_a_gap, &f->kit).aborted);
}

static void what_a_dead_process_was_preparing_is_made_anew(void **state)
{
    struct fixture *f = *state;
    int file;
    assert_int_equal(f->disk.ops.create(&f->disk, "next.new", &file), STATUS_OK);
    f->disk.ops.write(&f->disk, file, 0, "something else", 14);
    f->disk.ops.close(&f->disk, file);
    kit_start(&f->kit);
    fill_segment(f);
    kit_append(&f->kit, 1, 500);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.found.cut_size, 0);
    assert_int_equal(f->kit.seq, 3);
}

/* ---- opening ---- */

static void another_writer_is_named(void **state)
{
    struct fixture *f = *state;
    f->disk.locked = true;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_IN_USE);
    assert_non_null(strstr(f->kit.error, "process 4711"));
}

static void segment_sizes_have_limits(void **state)
{
    struct fixture *f = *state;
    static const struct {
        size_t size;
        uint64_t max;
        enum status status;
    } tries[] = {
        {JOURNAL_SEGMENT_SIZE_MIN - 4096, UINT64_MAX, STATUS_INVALID},
        {JOURNAL_SEGMENT_SIZE_MIN, UINT64_MAX, STATUS_OK},
        {JOURNAL_SEGMENT_SIZE_MIN + 4096, UINT64_MAX, STATUS_OK},
        {JOURNAL_SEGMENT_SIZE_MIN + 1, UINT64_MAX, STATUS_INVALID},
        {JOURNAL_SEGMENT_SIZE_MIN, JOURNAL_SEGMENT_SIZE_MIN - 1, STATUS_INVALID},
        {JOURNAL_SEGMENT_SIZE_MIN, JOURNAL_SEGMENT_SIZE_MIN, STATUS_OK},
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        struct journal_options o = {
            .disk = &f->disk.ops, .segment_size = tries[i].size, .size_max = tries[i].max};
        assert_int_equal(journal_open(&f->kit.journal, &o, f->kit.error), tries[i].status);
        if (tries[i].status != STATUS_OK)
            assert_non_null(strstr(f->kit.error, "expected a multiple of 4096"));
        journal_destroy(&f->kit.journal);
    }
}

/* ---- failures ---- */

static void stays_failed(struct fixture *f, int error)
{
    uint64_t committed = journal_committed(f->kit.journal);
    for (unsigned i = 0; i < 2; i++) {
        errno = 0;
        assert_int_equal(kit_append(&f->kit, 1, 10), STATUS_IO);
        assert_int_equal(errno, error);
        assert_int_equal(journal_checkpoint(f->kit.journal, 1, 1), STATUS_IO);
        assert_int_equal(journal_sync(f->kit.journal), STATUS_IO);
        assert_int_equal(journal_close(f->kit.journal, 1), STATUS_IO);
        assert_int_equal(tend(f), STATUS_IO);
        assert_false(journal_has_room(f->kit.journal, 10));
        assert_int_equal(journal_committed(f->kit.journal), committed);
    }
}

static void a_failed_sync_is_final(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    f->disk.sync_fails = 1;
    assert_int_equal(journal_sync(f->kit.journal), STATUS_IO);
    assert_int_equal(journal_committed(f->kit.journal), 1);
    stays_failed(f, EIO);
}

static void a_failed_sync_in_the_background_is_final(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    assert_int_equal(tend(f), STATUS_OK);
    f->disk.sync_fails = 1;
    assert_int_equal(tend(f), STATUS_IO);
    assert_int_equal(journal_committed(f->kit.journal), 1);
    stays_failed(f, EIO);
}

static void a_failed_write_is_final(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    f->disk.write_fails = 1;
    assert_int_equal(kit_append(&f->kit, 1, 10), STATUS_IO);
    stays_failed(f, EIO);
    kit_end(&f->kit);
    kit_start(&f->kit); /* what was written in part is cut off */
    assert_int_equal(f->kit.seq, 1);
    assert_true(f->kit.found.cut_size > 0);
}

static void a_failure_to_prepare_is_final(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    f->disk.write_fails = 3;
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(tend(f), STATUS_IO);
    stays_failed(f, EIO);
}

static void a_directory_that_vanished_is_final_within_a_second(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    tend_long(f);
    kit_append(&f->kit, 1, 10);
    f->disk.vanished = true;
    f->now_ns += NS_PER_SECOND;
    assert_int_equal(tend(f), STATUS_IO);
    stays_failed(f, ENOENT);
}

static void a_directory_that_vanished_gets_no_new_segment(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    tend_long(f);
    fill_segment(f);
    f->disk.vanished = true;
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_IO);
    stays_failed(f, ENOENT);
}

static void a_batch_without_space_can_be_appended_again(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    uint64_t next = journal_next(f->kit.journal);
    f->disk.full = true;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(kit_append(&f->kit, 2, 300), STATUS_FULL);
        assert_int_equal(journal_next(f->kit.journal), next);
    }
    f->disk.full = false;
    assert_int_equal(kit_append(&f->kit, 2, 300), STATUS_OK);
    assert_int_equal(journal_sync(f->kit.journal), STATUS_OK);
    assert_int_equal(journal_committed(f->kit.journal), next);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.seq, 3);
    assert_false(f->kit.found.new_epoch);
}

/* Without room: asked, tended and tried until then. Then there is room again. */
static void comes_back(struct fixture *f, const char *why, void (*mend)(struct fixture *f))
{
    journal_t *j = f->kit.journal;
    assert_false(journal_has_room(j, 500));
    assert_string_equal(journal_counts(j).standing, why);
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_FULL);
    assert_null(memory_disk_file(&f->disk, "next.new")); /* it takes no space from others */
    uint64_t patience_ns = journal_patience_ns(j, f->now_ns);
    assert_true(patience_ns > 0 && patience_ns <= 100 * NS_PER_MS);
    mend(f);
    tend_long(f);
    assert_false(journal_has_room(j, 500)); /* it is not tried that often */
    f->now_ns += 100 * NS_PER_MS;
    assert_int_equal(tend(f), STATUS_OK);
    assert_int_equal(tend(f), STATUS_OK);
    assert_true(journal_has_room(j, 500));
    assert_string_equal(journal_counts(j).standing, "open");
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_OK);
    assert_int_equal(journal_close(j, 1), STATUS_OK);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.seq, 3);
    assert_true(f->kit.found.clean);
}

static void free_space(struct fixture *f)
{
    f->disk.size_max = UINT64_MAX;
}

static void a_full_disk_is_no_room_until_there_is_space(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    f->disk.size_max = KIT_SIZE + KIT_SIZE / 2;
    tend_long(f);
    assert_true(journal_has_room(f->kit.journal, 500)); /* this segment has some */
    assert_string_equal(journal_counts(f->kit.journal).standing, "open");
    fill_segment(f);
    comes_back(f, "no space", free_space);
}

static void remove_oldest(struct fixture *f)
{
    f->disk.ops.remove(&f->disk, "00000000000000000001.segment");
}

static void as_much_as_all_segments_may_take_is_no_room_until_one_goes(void **state)
{
    struct fixture *f = *state;
    f->kit.size_max = 3 * KIT_SIZE - 1;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, LARGEST); /* in the second, and last one that may be */
    assert_int_equal(journal_counts(f->kit.journal).segments, 2);
    tend_long(f);
    assert_false(journal_has_room(f->kit.journal, 500));
    assert_string_equal(journal_counts(f->kit.journal).standing, "size_max");
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_FULL);
    remove_oldest(f); /* as a follower does */
    f->now_ns += 100 * NS_PER_MS;
    tend_long(f);
    assert_true(journal_has_room(f->kit.journal, 500));
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_OK);
    assert_int_equal(journal_counts(f->kit.journal).segments, 2);
}

/* What is left of the last segment takes what must still be said. */
static void a_journal_without_room_can_end_in_order(void **state)
{
    struct fixture *f = *state;
    f->kit.size_max = KIT_SIZE;
    kit_start(&f->kit);
    tend_long(f);
    size_t size = 100000;
    while (journal_has_room(f->kit.journal, 0)) {
        while (!journal_has_room(f->kit.journal, size))
            size /= 2;
        assert_int_equal(kit_append(&f->kit, 1, size), STATUS_OK);
    }
    assert_int_equal(journal_checkpoint(f->kit.journal, 1, 1), STATUS_OK);
    assert_int_equal(journal_close(f->kit.journal, 1), STATUS_OK);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_true(f->kit.found.clean);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_null_journal_commits_at_once_and_keeps_nothing),
        TEST(a_batch_is_committed_by_a_sync_that_began_after_it),
        TEST(a_sync_that_is_waited_for_commits_everything),
        TEST(a_batch_is_one_write),
        TEST(a_header_says_what_was_durable_when_it_was_written),
        TEST(a_checkpoint_needs_no_sync_of_its_own),
        TEST(an_end_in_order_is_written_once),
        TEST(mode_async_commits_what_is_written),
        TEST(mode_async_begins_no_sync_while_one_is_running),
        TEST(the_next_segment_is_prepared_in_pieces),
        TEST(the_next_segment_is_ready_in_time),
        TEST(a_segment_that_fills_too_early_is_waited_for),
        TEST(nothing_is_committed_before_what_was_written_before_it),
        TEST(a_sync_that_fails_between_segments_commits_nothing),
        TEST(batches_up_to_a_whole_segment_fit),
        TEST(what_can_never_be_a_batch_is_a_broken_invariant),
        TEST(what_a_dead_process_was_preparing_is_made_anew),
        TEST(another_writer_is_named),
        TEST(segment_sizes_have_limits),
        TEST(a_failed_sync_is_final),
        TEST(a_failed_sync_in_the_background_is_final),
        TEST(a_failed_write_is_final),
        TEST(a_failure_to_prepare_is_final),
        TEST(a_directory_that_vanished_is_final_within_a_second),
        TEST(a_directory_that_vanished_gets_no_new_segment),
        TEST(a_batch_without_space_can_be_appended_again),
        TEST(a_full_disk_is_no_room_until_there_is_space),
        TEST(as_much_as_all_segments_may_take_is_no_room_until_one_goes),
        TEST(a_journal_without_room_can_end_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
