/* journal_recovery: what is taken, what is refused, and when an epoch has to begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/record_format.h"
#include "tests/unit/journal/journal_kit.h"

/* A whole life with two segments: what was committed when the machine died. */
static uint64_t live(struct kit *k)
{
    uint64_t committed = 0;
    if (kit_recover(k, 0, 0) != STATUS_OK)
        return 0;
    enum status status =
        k->found.new_epoch ? journal_begin_epoch(k->journal, k->found.epoch + 1, 1) : STATUS_OK;
    for (unsigned i = 0; i < 24 && status == STATUS_OK; i++) {
        status = kit_append(k, 1 + i % 2, 100000);
        if (status == STATUS_OK)
            status = i % 3 == 0 ? journal_sync(k->journal) : journal_tend(k->journal, i);
        committed = journal_committed_seq(k->journal);
    }
    if (status == STATUS_OK && journal_close(k->journal, 2) == STATUS_OK)
        committed = k->seq;
    kit_end(k);
    return committed;
}

static void a_crash_anywhere_keeps_what_was_committed(void **state)
{
    (void)state;
    unsigned dies = 0;
    bool died = true;
    struct memory_disk *d = malloc(sizeof *d), *after = malloc(sizeof *after);
    for (; died; dies++) {
        struct kit *k = calloc(1, sizeof *k);
        memory_disk_open(d);
        memory_disk_open(after);
        k->disk = &d->ops;
        d->dies = dies + 1;
        uint64_t committed = live(k);
        died = d->dead;
        memory_disk_copy(after, d);
        k->disk = &after->ops;
        if (kit_recover(k, 0, committed) != STATUS_OK)
            fail_msg("died at %u: %s", dies + 1, k->error);
        assert_true(k->found.seq >= committed);
        assert_true(died || k->found.clean);
        kit_end(k);
        memory_disk_close(d);
        memory_disk_close(after);
        free(k);
    }
    assert_true(dies > 60);
    free(d);
    free(after);
}

static void an_empty_directory_becomes_a_journal(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_true(f->kit.found.new_epoch);
    assert_int_equal(f->kit.found.records, 0);
    assert_int_equal(f->kit.found.epoch, 0);
    assert_int_equal(journal_next(f->kit.journal), 1);
    const struct memory_file *s = memory_disk_file(&f->disk, "00000000000000000001.segment");
    assert_non_null(s);
    assert_int_equal(s->size, KIT_SIZE);
    kit_end(&f->kit);
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK); /* and its epoch is still to begin */
    assert_true(f->kit.found.new_epoch);
}

static void an_empty_directory_is_no_end_of_a_history(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(kit_recover(&f->kit, 5, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "found no segment"));
    assert_int_equal(kit_recover(&f->kit, 0, 5), STATUS_INVALID);
    assert_null(memory_disk_file(&f->disk, "00000000000000000001.segment"));
}

static void recovery_begins_behind_the_snapshot(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 4, true);
    uint64_t last = f->kit.seq;
    for (uint64_t after = 0; after <= last; after++) {
        assert_int_equal(kit_recover(&f->kit, after, after), STATUS_OK);
        kit_end(&f->kit);
        assert_int_equal(f->kit.found.seq, last);
        assert_false(f->kit.found.new_epoch);
        uint64_t next = after + 1;
        for (unsigned i = 0; i < f->kit.taken.count; i++) {
            if (f->kit.taken.records[i].kind != RECORD_BATCH)
                continue;
            assert_true(f->kit.taken.records[i].first_seq <= next);
            next = f->kit.taken.records[i].first_seq + f->kit.taken.records[i].count;
            assert_true(next > after + 1);
        }
        assert_int_equal(next, last + 1);
    }
}

static void a_journal_that_ends_before_the_snapshot_is_refused(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 3, true);
    uint64_t last = f->kit.seq;
    assert_int_equal(kit_recover(&f->kit, last, last), STATUS_OK);
    kit_end(&f->kit);
    assert_int_equal(kit_recover(&f->kit, 0, last + 1), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "found the end of the journal"));
    assert_int_equal(kit_recover(&f->kit, last + 1, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "in the state that is restored"));
}

static void a_snapshots_durable_seq_forbids_a_cut(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 3, false);
    uint64_t last = f->kit.seq;
    struct kit_place p = kit_find(&f->disk.ops, 7);
    memory_disk_file(&f->disk, p.file)->bytes[p.offset + 90] ^= 1;
    assert_int_equal(kit_recover(&f->kit, 0, last), STATUS_INVALID);
    assert_int_equal(kit_recover(&f->kit, 0, p.record.first_seq), STATUS_INVALID);
    assert_int_equal(kit_recover(&f->kit, 0, p.record.first_seq - 1), STATUS_OK);
    assert_int_equal(f->kit.found.seq, p.record.first_seq - 1);
}

static void a_missing_segment_in_the_middle_is_refused(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, true);
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    kit_end(&f->kit);
    const char *middle = "00000000000000000004.segment";
    f->disk.ops.remove(&f->disk, middle);
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, middle));
    assert_non_null(strstr(f->kit.error, "found 00000000000000000006.segment"));
}

static void missing_older_segments_are_not_needed_behind_a_snapshot(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, true);
    f->disk.ops.remove(&f->disk, "00000000000000000001.segment");
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "found command 4"));
    assert_int_equal(kit_recover(&f->kit, 2, 2), STATUS_INVALID);
    assert_int_equal(kit_recover(&f->kit, 3, 3), STATUS_OK);
    assert_int_equal(f->kit.taken.count, 2);
}

static void a_damaged_older_segment_is_not_looked_at_behind_a_snapshot(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, true);
    memory_disk_file(&f->disk, "00000000000000000001.segment")->bytes[9] ^= 1;
    assert_int_equal(kit_recover(&f->kit, 2, 2), STATUS_INVALID);
    assert_int_equal(kit_recover(&f->kit, 3, 3), STATUS_OK);
}

/* A segment is begun only when all before it is durable. */
static void a_later_segment_proves_what_is_before_it_durable(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, false);
    struct kit_place last = kit_find(&f->disk.ops, 3);
    struct memory_file *later = memory_disk_file(&f->disk, "00000000000000000004.segment");
    memset(later->bytes + SEGMENT_HEADER_SIZE, 0, later->size - SEGMENT_HEADER_SIZE);
    memory_disk_file(&f->disk, last.file)->bytes[last.offset + 85] ^= 1;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "commands up to 3 are known to be durable"));
    f->disk.ops.remove(&f->disk, "00000000000000000004.segment");
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_int_equal(f->kit.found.cut_offset, last.offset);
}

static void an_epoch_that_is_cut_off_is_not_used_again(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    assert_int_equal(journal_begin_epoch(f->kit.journal, 20, 1), STATUS_OK);
    kit_end(&f->kit);
    struct kit_place p = kit_find(&f->disk.ops, 2);
    memory_disk_file(&f->disk, p.file)->bytes[p.offset + 85] ^= 1;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_int_equal(f->kit.found.records, 1);
    assert_true(f->kit.found.epoch >= 20);
}

static void an_unclean_end_in_mode_async_is_a_new_epoch(void **state)
{
    struct fixture *f = *state;
    f->kit.async = true;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    kit_end(&f->kit);
    f->kit.async = false;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_true(f->kit.found.new_epoch);
    assert_int_equal(f->kit.found.cut_size, 0);
    assert_int_equal(f->kit.found.epoch, KIT_EPOCH);
    kit_end(&f->kit);
}

static void an_end_in_order_in_mode_async_is_no_new_epoch(void **state)
{
    struct fixture *f = *state;
    f->kit.async = true;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    assert_int_equal(journal_close(f->kit.journal, 9), STATUS_OK);
    kit_end(&f->kit);
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_false(f->kit.found.new_epoch);
    assert_true(f->kit.found.clean);
    assert_int_equal(f->kit.found.time_ns, 9);
    /* The first record of this start is durable before anything of it is let out: if the machine
     * died with the next ones, the end would not look like one in order. */
    unsigned syncs = f->disk.syncs;
    kit_append(&f->kit, 1, 10);
    assert_int_equal(f->disk.syncs, syncs + 1);
    assert_int_equal(journal_durable_seq(f->kit.journal), 2);
    kit_append(&f->kit, 1, 10);
    assert_int_equal(f->disk.syncs, syncs + 1);
}

/* What recovery knows of the last record must not depend on its being in a segment that is read. */
static void an_empty_last_segment_remembers_the_record_before(void **state)
{
    struct fixture *f = *state;
    f->kit.async = true;
    kit_start(&f->kit);
    kit_append(&f->kit, 3, 10);
    kit_end(&f->kit);
    kit_shrink(&f->disk, 0);
    f->kit.async = false;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    f->disk.write_fails = KIT_SIZE / 65536 + 2; /* the zeros, the header, and then the record */
    assert_int_equal(journal_begin_epoch(f->kit.journal, 8, 1), STATUS_IO);
    kit_end(&f->kit);
    struct memory_file *s = memory_disk_file(&f->disk, "00000000000000000003.segment");
    assert_non_null(s);
    memset(s->bytes + SEGMENT_HEADER_SIZE, 0, 80); /* nothing of it has reached the disk */
    assert_int_equal(kit_recover(&f->kit, 3, 3), STATUS_OK);
    assert_int_equal(f->kit.found.records, 0);
    assert_int_equal(f->kit.found.epoch, KIT_EPOCH);
    assert_int_equal(f->kit.found.time_ns, 1000);
    assert_int_equal(f->kit.found.seq, 3);
    assert_true(f->kit.found.new_epoch);
}

static void a_taker_can_refuse(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, true);
    f->kit.taken.refuse_at = 3;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "not to my taste"));
    assert_int_equal(f->kit.taken.count, 3);
}

/* A sync that failed leaves what it should have written in the system's memory, where it can be
 * read, but on its way to nowhere. */
static void what_no_header_calls_durable_is_written_again(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 3, false);
    unsigned writes = f->disk.writes, syncs = f->disk.syncs;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_int_equal(f->disk.writes, writes + 1);
    assert_int_equal(f->disk.syncs, syncs + 1);
    assert_int_equal(journal_durable_seq(f->kit.journal), f->kit.seq);
    assert_int_equal(journal_committed(f->kit.journal), 7);
}

static void a_journal_of_larger_segments_goes_on_in_smaller_ones(void **state)
{
    struct fixture *f = *state;
    struct journal_options o = {
        .disk = &f->disk.ops, .segment_size = 3 * KIT_SIZE, .size_max = UINT64_MAX};
    struct journal_taker taker = kit_taker(&f->kit.taken);
    assert_int_equal(journal_open(&f->kit.journal, &o, f->kit.error), STATUS_OK);
    assert_int_equal(journal_recover(f->kit.journal, 0, 0, &taker, &f->kit.found, f->kit.error),
                     STATUS_OK);
    assert_int_equal(journal_begin_epoch(f->kit.journal, 7, 1), STATUS_OK);
    assert_int_equal(kit_append(&f->kit, 1, 2 * KIT_SIZE), STATUS_OK);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.seq, 1);
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE / 2), STATUS_OK);
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE / 2), STATUS_OK);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.seq, 3);
    assert_int_equal(journal_counts(f->kit.journal).size, 4 * KIT_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_empty_directory_becomes_a_journal),
        FIXTURE_TEST(an_empty_directory_is_no_end_of_a_history),
        FIXTURE_TEST(recovery_begins_behind_the_snapshot),
        FIXTURE_TEST(a_journal_that_ends_before_the_snapshot_is_refused),
        FIXTURE_TEST(a_snapshots_durable_seq_forbids_a_cut),
        FIXTURE_TEST(a_missing_segment_in_the_middle_is_refused),
        FIXTURE_TEST(missing_older_segments_are_not_needed_behind_a_snapshot),
        FIXTURE_TEST(a_damaged_older_segment_is_not_looked_at_behind_a_snapshot),
        FIXTURE_TEST(a_later_segment_proves_what_is_before_it_durable),
        FIXTURE_TEST(an_epoch_that_is_cut_off_is_not_used_again),
        FIXTURE_TEST(an_unclean_end_in_mode_async_is_a_new_epoch),
        FIXTURE_TEST(an_end_in_order_in_mode_async_is_no_new_epoch),
        FIXTURE_TEST(an_empty_last_segment_remembers_the_record_before),
        FIXTURE_TEST(a_taker_can_refuse),
        FIXTURE_TEST(what_no_header_calls_durable_is_written_again),
        FIXTURE_TEST(a_journal_of_larger_segments_goes_on_in_smaller_ones),
        cmocka_unit_test(a_crash_anywhere_keeps_what_was_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
