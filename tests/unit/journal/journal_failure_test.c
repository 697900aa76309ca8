/* journal: what each failure does: most are final, and lack of space passes. */
#include "journal/journal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/journal/journal_kit.h"

/* The largest batch a segment takes. */
enum { LARGEST = KIT_SIZE - SEGMENT_HEADER_SIZE - RECORD_HEADER_SIZE };

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
        assert_int_equal(fixture_tend(f), STATUS_IO);
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
    assert_int_equal(fixture_tend(f), STATUS_OK);
    f->disk.sync_fails = 1;
    assert_int_equal(fixture_tend(f), STATUS_IO);
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
    assert_int_equal(fixture_tend(f), STATUS_OK);
    assert_int_equal(fixture_tend(f), STATUS_OK);
    assert_int_equal(fixture_tend(f), STATUS_IO);
    stays_failed(f, EIO);
}

static void a_directory_that_vanished_is_final_within_a_second(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    fixture_tend_long(f);
    kit_append(&f->kit, 1, 10);
    f->disk.vanished = true;
    f->now_ns += NS_PER_SECOND;
    assert_int_equal(fixture_tend(f), STATUS_IO);
    stays_failed(f, ENOENT);
}

static void a_directory_that_vanished_gets_no_new_segment(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    fixture_tend_long(f);
    fixture_fill_segment(f);
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
    fixture_tend_long(f);
    assert_false(journal_has_room(j, 500)); /* it is not tried that often */
    f->now_ns += 100 * NS_PER_MS;
    assert_int_equal(fixture_tend(f), STATUS_OK);
    assert_int_equal(fixture_tend(f), STATUS_OK);
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
    fixture_tend_long(f);
    assert_true(journal_has_room(f->kit.journal, 500)); /* this segment has some */
    assert_string_equal(journal_counts(f->kit.journal).standing, "open");
    fixture_fill_segment(f);
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
    fixture_tend_long(f);
    assert_false(journal_has_room(f->kit.journal, 500));
    assert_string_equal(journal_counts(f->kit.journal).standing, "size_max");
    assert_int_equal(kit_append(&f->kit, 1, 500), STATUS_FULL);
    remove_oldest(f); /* as a follower does */
    f->now_ns += 100 * NS_PER_MS;
    fixture_tend_long(f);
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
    fixture_tend_long(f);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_failed_sync_is_final),
        FIXTURE_TEST(a_failed_sync_in_the_background_is_final),
        FIXTURE_TEST(a_failed_write_is_final),
        FIXTURE_TEST(a_failure_to_prepare_is_final),
        FIXTURE_TEST(a_directory_that_vanished_is_final_within_a_second),
        FIXTURE_TEST(a_directory_that_vanished_gets_no_new_segment),
        FIXTURE_TEST(a_batch_without_space_can_be_appended_again),
        FIXTURE_TEST(a_full_disk_is_no_room_until_there_is_space),
        FIXTURE_TEST(as_much_as_all_segments_may_take_is_no_room_until_one_goes),
        FIXTURE_TEST(a_journal_without_room_can_end_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
