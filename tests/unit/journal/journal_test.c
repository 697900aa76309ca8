/* journal: what is committed when, and how segments follow each other. */
#include "journal/journal.h"

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
    assert_int_equal(fixture_tend(f), STATUS_OK); /* a sync begins */
    kit_append(&f->kit, 1, 10);                   /* record 3, too late for it */
    assert_int_equal(fixture_tend(f), STATUS_OK);
    assert_int_equal(journal_committed(j), 1);
    assert_int_equal(f->disk.begins, 1); /* one at a time */
    f->disk.held = false;
    assert_int_equal(fixture_tend(f), STATUS_OK); /* it ends, and the next begins */
    assert_int_equal(journal_committed(j), 2);
    assert_int_equal(journal_committed_seq(j), 1);
    assert_int_equal(journal_durable_seq(j), 1);
    assert_int_equal(f->disk.begins, 2);
    assert_int_equal(fixture_tend(f), STATUS_OK);
    assert_int_equal(journal_committed(j), 3);
    assert_int_equal(journal_committed_seq(j), 2);
    fixture_tend_long(f);
    unsigned begins = f->disk.begins, writes = f->disk.writes;
    fixture_tend_long(f);
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
    assert_int_equal(fixture_tend(f), STATUS_OK);
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
    assert_int_equal(fixture_tend(f), STATUS_OK);
    uint64_t began_ns = f->now_ns;
    kit_append(&f->kit, 1, 10);
    assert_int_equal(journal_committed(j), 2);
    assert_int_equal(journal_committed_seq(j), 1);
    assert_int_equal(journal_durable_seq(j), 0);
    assert_int_equal(fixture_tend(f), STATUS_OK);
    assert_int_equal(f->disk.begins, 0);
    uint64_t wanted_ns = f->now_ns + journal_patience_ns(j, f->now_ns);
    assert_true(wanted_ns > f->now_ns && wanted_ns <= began_ns + JOURNAL_ASYNC_MS * NS_PER_MS);
    f->now_ns = wanted_ns - 2;
    assert_int_equal(fixture_tend(f), STATUS_OK);
    assert_int_equal(f->disk.begins, 0);
    assert_int_equal(fixture_tend(f), STATUS_OK); /* at wanted_ns */
    assert_int_equal(f->disk.begins, 1);
    assert_int_equal(journal_durable_seq(j), 0);
    f->disk.held = false;
    assert_int_equal(fixture_tend(f), STATUS_OK);
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
    fixture_tend(f);
    kit_append(&f->kit, 1, 10);
    f->now_ns += NS_PER_SECOND / 2;
    fixture_tend(f);
    assert_int_equal(f->disk.begins, 1);
    f->disk.held = false;
    f->now_ns += NS_PER_SECOND / 2;
    fixture_tend(f);
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
        assert_int_equal(fixture_tend(f), STATUS_OK);
        assert_int_equal(f->disk.writes, writes + 1);
        assert_int_equal(memory_disk_file(&f->disk, "next.new")->size, (i + 1) * 65536);
    }
    assert_int_equal(f->disk.begins, 1); /* the sync of the whole */
    assert_int_equal(fixture_tend(f), STATUS_OK);
    unsigned writes = f->disk.writes;
    assert_int_equal(fixture_tend(f), STATUS_OK);
    assert_int_equal(f->disk.writes, writes);
    fixture_fill_segment(f);
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
    fixture_tend_long(f);
    while (journal_counts(f->kit.journal).segments < 4) {
        unsigned syncs = f->disk.syncs;
        uint64_t segments = journal_counts(f->kit.journal).segments;
        assert_int_equal(kit_append(&f->kit, 1, 200000), STATUS_OK);
        bool rolled = journal_counts(f->kit.journal).segments > segments;
        /* of the header of the new segment, and of no zeros */
        assert_int_equal(f->disk.syncs, syncs + (rolled ? 1 : 0));
        assert_int_equal(journal_sync(f->kit.journal), STATUS_OK);
        assert_int_equal(fixture_tend(f), STATUS_OK);
    }
}

static void a_segment_that_fills_too_early_is_waited_for(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    fixture_fill_segment(f);
    unsigned syncs = f->disk.syncs;
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_OK);
    assert_int_equal(f->disk.syncs,
                     syncs + 3); /* of the zeros, of the segment before, of the header */
    assert_int_equal(journal_counts(f->kit.journal).segments, 2);
    assert_non_null(memory_disk_file(&f->disk, "00000000000000000004.segment"));
    f->disk.held = true;
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE / 2), STATUS_OK);
    assert_int_equal(fixture_tend(f), STATUS_OK);
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
    fixture_tend_long(f);
    f->disk.held = true;
    fixture_fill_segment(f);
    assert_int_equal(fixture_tend(f), STATUS_OK); /* a sync of one of them is running */
    assert_int_equal(journal_committed(f->kit.journal), 1);
    kit_append(&f->kit, 1, 500);
    assert_int_equal(journal_committed(f->kit.journal), 3); /* all of the segment before */
    f->disk.held = false;
    fixture_tend(f);
    fixture_tend(f);
    assert_int_equal(journal_committed(f->kit.journal), 4);
}

static void a_sync_that_fails_between_segments_commits_nothing(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    fixture_tend_long(f);
    f->disk.held = true;
    fixture_fill_segment(f);
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
    fixture_fill_segment(f);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_null_journal_commits_at_once_and_keeps_nothing),
        FIXTURE_TEST(a_batch_is_committed_by_a_sync_that_began_after_it),
        FIXTURE_TEST(a_sync_that_is_waited_for_commits_everything),
        FIXTURE_TEST(a_batch_is_one_write),
        FIXTURE_TEST(a_header_says_what_was_durable_when_it_was_written),
        FIXTURE_TEST(a_checkpoint_needs_no_sync_of_its_own),
        FIXTURE_TEST(an_end_in_order_is_written_once),
        FIXTURE_TEST(mode_async_commits_what_is_written),
        FIXTURE_TEST(mode_async_begins_no_sync_while_one_is_running),
        FIXTURE_TEST(the_next_segment_is_prepared_in_pieces),
        FIXTURE_TEST(the_next_segment_is_ready_in_time),
        FIXTURE_TEST(a_segment_that_fills_too_early_is_waited_for),
        FIXTURE_TEST(nothing_is_committed_before_what_was_written_before_it),
        FIXTURE_TEST(a_sync_that_fails_between_segments_commits_nothing),
        FIXTURE_TEST(batches_up_to_a_whole_segment_fit),
        FIXTURE_TEST(what_can_never_be_a_batch_is_a_broken_invariant),
        FIXTURE_TEST(what_a_dead_process_was_preparing_is_made_anew),
        FIXTURE_TEST(another_writer_is_named),
        FIXTURE_TEST(segment_sizes_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
