/* backup: a copy is the journal, again and again; it never holds what its journal may lose, the
 * journal never loses what it lacks, and no part of one is taken for the whole. */
#include "journal/backup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/journal_reader.h"
#include "journal/retention.h"
#include "journal/segment_list.h"
#include "journal/snapshots.h"
#include "tests/unit/journal/journal_kit.h"

enum { LARGE = 400 << 10 /* two to a segment */ };

static struct memory_disk copy;
static struct backup_copied copied;
static char error[JOURNAL_ERROR_SIZE];

static int setup(void **state)
{
    memory_disk_open(&copy);
    return fixture_open(state);
}

static int teardown(void **state)
{
    memory_disk_close(&copy);
    return fixture_close(state);
}

#define BACKUP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static enum status ship(struct fixture *f)
{
    return backup_ship(&f->disk.ops, &copy.ops, "backup", &copied, error);
}

static void ships(struct fixture *f, uint64_t records, uint64_t seq)
{
    if (ship(f) != STATUS_OK)
        fail_msg("%s", error);
    assert_int_equal(copied.records, records);
    assert_int_equal(copied.seq, seq);
    assert_string_equal(copied.behind, "");
}

static void grow(struct fixture *f, unsigned batches, size_t size)
{
    for (unsigned i = 0; i < batches; i++) {
        assert_true(journal_has_room(f->kit.journal, size));
        assert_int_equal(kit_append(&f->kit, 2, size), STATUS_OK);
    }
    assert_int_equal(journal_sync(f->kit.journal), STATUS_OK);
}

static void snapshot(struct memory_disk *d, uint64_t seq)
{
    const struct snapshot_head head = {.seq = seq, .epoch = KIT_EPOCH};
    assert_int_equal(snapshots_write(&d->ops, &head, (const uint8_t *)"state", 5), STATUS_OK);
}

static unsigned segments(struct memory_disk *d)
{
    uint64_t count, size;
    assert_int_equal(segments_measure(&d->ops, &count, &size), STATUS_OK);
    return (unsigned)count;
}

static bool cursor_holds(struct memory_disk *d, const char *text)
{
    const struct memory_file *file = memory_disk_file(d, "backup.cursor");
    return file != NULL && memcmp(file->bytes, text, strlen(text)) == 0;
}

/* Every segment of the copy is, to the byte, that of the journal. */
static void assert_same_segments(struct fixture *f)
{
    for (unsigned i = 0; i < MEMORY_FILES_MAX; i++) {
        const struct memory_file *file = &copy.files[i];
        uint64_t number;
        if (!segment_name_read(file->name, &number))
            continue;
        const struct memory_file *original = memory_disk_file(&f->disk, file->name);
        assert_non_null(original);
        assert_int_equal(file->size, original->size);
        assert_memory_equal(file->bytes, original->bytes, file->size);
    }
}

/* ---- shipping ---- */

static void a_copy_is_the_journal_and_its_start_a_new_epoch(void **state)
{
    struct fixture *f = *state;
    static struct kit start;
    kit_start(&f->kit);
    grow(f, 5, LARGE);
    ships(f, 6, 10);
    assert_int_equal(copied.segments, 3);
    assert_int_equal(copied.epoch, KIT_EPOCH);
    assert_int_equal(segments(&copy), 3);
    assert_same_segments(f);
    start = (struct kit){.disk = &copy.ops};
    assert_int_equal(kit_recover(&start, 0, 0), STATUS_OK);
    assert_int_equal(start.found.seq, 10);
    assert_int_equal(start.found.cut_size, 0);
    assert_true(start.found.new_epoch);
    kit_end(&start);
}

static void shipping_again_copies_what_is_new(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    ships(f, 1, 0);
    ships(f, 0, 0);
    for (unsigned i = 1; i <= 4; i++) {
        grow(f, 1, LARGE);
        ships(f, 1, 2 * i);
        ships(f, 0, 2 * i);
        assert_same_segments(f);
    }
    assert_int_equal(journal_close(f->kit.journal, 5), STATUS_OK);
    ships(f, 1, 8);
    assert_same_segments(f);
}

static void what_is_only_written_is_synced_before_it_is_copied(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    assert_int_equal(kit_append(&f->kit, 1, 100), STATUS_OK);
    unsigned before = f->disk.syncs;
    ships(f, 2, 1);
    assert_int_equal(f->disk.syncs, before + 2); /* and the cursor's */
    assert_int_equal(kit_append(&f->kit, 1, 100), STATUS_OK);
    f->disk.sync_fails = 1;
    assert_int_equal(ship(f), STATUS_IO);
    assert_int_equal(copied.records, 0);
    ships(f, 1, 2);
}

static void what_is_no_record_behind_the_end_is_told_and_left(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    grow(f, 3, 100);
    struct kit_place last = kit_find(&f->disk.ops, 4);
    memory_disk_file(&f->disk, last.file)->bytes[last.offset + last.extent - 8] ^= 1;
    assert_int_equal(ship(f), STATUS_OK);
    assert_int_equal(copied.records, 3);
    assert_int_equal(copied.seq, 4);
    assert_non_null(strstr(copied.behind, last.file));
    memory_disk_file(&f->disk, last.file)->bytes[last.offset + last.extent - 8] ^= 1;
    ships(f, 1, 6);
}

static void damage_before_the_end_is_refused_with_its_place(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    grow(f, 5, LARGE);
    struct kit_place second = kit_find(&f->disk.ops, 3);
    memory_disk_file(&f->disk, second.file)->bytes[second.offset + 200] ^= 1;
    assert_int_equal(ship(f), STATUS_INVALID);
    assert_non_null(strstr(error, second.file));
    assert_true(cursor_holds(&f->disk, "00000000000000000000"));
    memory_disk_file(&f->disk, second.file)->bytes[second.offset + 200] ^= 1;
    ships(f, 4, 10);
    assert_same_segments(f);
}

static void a_torn_copy_is_written_again(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    grow(f, 4, 100);
    ships(f, 5, 8);
    struct kit_place fourth = kit_find(&copy.ops, 4);
    memset(memory_disk_file(&copy, fourth.file)->bytes + fourth.offset, 0x5a, 50);
    ships(f, 2, 8);
    assert_same_segments(f);
    struct memory_file *file = memory_disk_file(&copy, fourth.file);
    memory_file_resize(file, fourth.offset + 40); /* and what a lost end leaves */
    assert_int_equal(ship(f), STATUS_OK);
    assert_int_equal(copied.seq, 8);
}

static void another_history_is_refused(void **state)
{
    struct fixture *f = *state;
    static struct memory_disk other_disk;
    static struct kit other;
    memory_disk_open(&other_disk);
    other = (struct kit){.disk = &other_disk.ops};
    kit_start(&f->kit);
    kit_start(&other);
    grow(f, 3, 100);
    ships(f, 4, 6);
    assert_int_equal(kit_append(&other, 2, 100), STATUS_OK);
    /* shorter, as long, and longer than the copy */
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(backup_ship(&other_disk.ops, &copy.ops, "backup", &copied, error),
                         STATUS_INVALID);
        if (strstr(error, "not of the history") == NULL)
            fail_msg("%u: %s", i, error);
        assert_int_equal(copied.records, 0);
        assert_int_equal(kit_append(&other, 1, 77), STATUS_OK);
    }
    ships(f, 0, 6);
    kit_end(&other);
    memory_disk_close(&other_disk);
}

static void without_a_journal_there_is_nothing_to_copy(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ship(f), STATUS_MISSING);
    assert_non_null(strstr(error, ".segment"));
    assert_int_equal(backup_restore(&copy.ops, &f->disk.ops, &copied, error), STATUS_MISSING);
}

/* ---- what may go ---- */

static void a_journal_keeps_what_the_copy_lacks(void **state)
{
    struct fixture *f = *state;
    unsigned removed;
    uint64_t left;
    kit_start(&f->kit);
    grow(f, 2, LARGE); /* the first segment is full but for notes */
    ships(f, 3, 4);
    assert_true(cursor_holds(&f->disk, "00000000000000000003"));
    assert_int_equal(journal_checkpoint(f->kit.journal, 9, 99), STATUS_OK);
    grow(f, 2, LARGE);
    snapshot(&f->disk, 6);
    snapshot(&f->disk, 7);
    assert_int_equal(segments_release(&f->disk.ops, UINT64_MAX, &removed, &left, error), STATUS_OK);
    assert_int_equal(removed, 0); /* the checkpoint behind command 4 is not in the copy */
    ships(f, 3, 8);
    assert_int_equal(copied.snapshots, 2);
    assert_same_segments(f);
    assert_int_equal(segments_release(&f->disk.ops, UINT64_MAX, &removed, &left, error), STATUS_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(segments(&copy), 2);
    grow(f, 1, LARGE);
    ships(f, 1, 10);
}

static void a_copy_begun_anew_holds_the_journal(void **state)
{
    struct fixture *f = *state;
    unsigned removed;
    uint64_t left;
    kit_start(&f->kit);
    grow(f, 5, LARGE);
    snapshot(&f->disk, 9);
    snapshot(&f->disk, 10);
    ships(f, 6, 10);
    assert_true(cursor_holds(&f->disk, "00000000000000000009"));
    memory_disk_close(&copy);
    memory_disk_open(&copy);
    copy.size_max = LARGE; /* it has begun when there is no more space */
    assert_int_equal(ship(f), STATUS_FULL);
    assert_true(cursor_holds(&f->disk, "00000000000000000000"));
    assert_int_equal(segments_release(&f->disk.ops, UINT64_MAX, &removed, &left, error), STATUS_OK);
    assert_int_equal(removed, 0);
    copy.size_max = UINT64_MAX;
    ships(f, 6, 10);
    assert_int_equal(segments_release(&f->disk.ops, UINT64_MAX, &removed, &left, error), STATUS_OK);
    assert_int_equal(removed, 2);
}

static void a_gap_between_copy_and_journal_is_refused(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    grow(f, 2, LARGE);
    ships(f, 3, 4);
    grow(f, 4, LARGE);
    struct kit_place first = kit_find(&f->disk.ops, 1);
    assert_int_equal(f->disk.ops.remove(&f->disk, first.file), STATUS_OK);
    struct segment_list list;
    char second[DISK_NAME_SIZE];
    assert_int_equal(segments_list(&f->disk.ops, &list), STATUS_OK);
    segment_name(list.first_numbers[0], second);
    segments_free(&list);
    assert_int_equal(f->disk.ops.remove(&f->disk, second), STATUS_OK);
    assert_int_equal(ship(f), STATUS_INVALID);
    assert_non_null(strstr(error, "empty directory"));
    /* A new copy begins where the journal does. */
    memory_disk_close(&copy);
    memory_disk_open(&copy);
    ships(f, 2, 12);
    assert_int_equal(segments(&copy), 1);
}

static void snapshots_of_what_the_copy_has_not_wait(void **state)
{
    struct fixture *f = *state;
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count;
    kit_start(&f->kit);
    grow(f, 2, 100);
    snapshot(&f->disk, 4);
    snapshot(&f->disk, 5);
    ships(f, 3, 4);
    assert_int_equal(copied.snapshots, 1);
    grow(f, 1, 100);
    ships(f, 1, 6);
    assert_int_equal(copied.snapshots, 1);
    assert_int_equal(snapshots_list(&copy.ops, seqs, &count), STATUS_OK);
    assert_int_equal(count, 2);
    ships(f, 0, 6);
    assert_int_equal(copied.snapshots, 0);
}

/* ---- failures ---- */

static void without_space_nothing_is_promised(void **state)
{
    struct fixture *f = *state;
    kit_start(&f->kit);
    grow(f, 5, LARGE);
    copy.size_max = 2 * KIT_SIZE + 100;
    assert_int_equal(ship(f), STATUS_FULL);
    assert_non_null(strstr(error, "no space"));
    assert_true(cursor_holds(&f->disk, "00000000000000000000"));
    copy.size_max = UINT64_MAX;
    assert_int_equal(ship(f), STATUS_OK);
    assert_int_equal(copied.seq, 10);
    assert_true(cursor_holds(&f->disk, "00000000000000000009"));
    assert_same_segments(f);
}

/* The last command a reader finds in a directory. */
static uint64_t last_seq(const struct disk *disk)
{
    struct journal_record r;
    journal_reader_t *reader;
    uint64_t oldest, seq = 0;
    if (journal_reader_open(&reader, disk, 0, &oldest, error) != STATUS_OK)
        return 0;
    while (journal_reader_next(reader, &r, error) == JOURNAL_READ_RECORD)
        seq = record_last_seq(&r);
    journal_reader_close(&reader);
    return seq;
}

static uint64_t cursor_of(struct memory_disk *d)
{
    const struct memory_file *file = memory_disk_file(d, "backup.cursor");
    return file == NULL ? 0 : strtoull((const char *)file->bytes, NULL, 10);
}

static void a_ship_that_dies_anywhere_is_gone_on_with(void **state)
{
    struct fixture *f = *state;
    static struct memory_disk journal, dead;
    memory_disk_open(&journal);
    memory_disk_open(&dead);
    kit_start(&f->kit);
    grow(f, 3, LARGE);
    ships(f, 4, 6);
    grow(f, 3, LARGE);
    snapshot(&f->disk, 8);
    bool died = true;
    for (unsigned step = 1; died; step++) {
        memory_disk_copy(&journal, &f->disk);
        memory_disk_copy(&dead, &copy);
        dead.dies = step;
        enum status status = backup_ship(&journal.ops, &dead.ops, "backup", &copied, error);
        died = dead.dead;
        assert_int_equal(status, died ? STATUS_IO : STATUS_OK);
        dead.dead = false;
        dead.dies = 0;
        assert_true(cursor_of(&journal) <= last_seq(&dead.ops));
        assert_int_equal(backup_ship(&journal.ops, &dead.ops, "backup", &copied, error), STATUS_OK);
        assert_int_equal(copied.seq, 12);
        assert_int_equal(last_seq(&dead.ops), 12);
        assert_true(step > 10 || died);
    }
    memory_disk_close(&journal);
    memory_disk_close(&dead);
}

/* ---- restoring ---- */

/* A start from what is there: refused, or from nothing, or from all. */
static void judge_start(struct memory_disk *d, uint64_t seq)
{
    static struct kit start;
    uint64_t seqs[SNAPSHOTS_MAX], newest = 0;
    unsigned count;
    assert_int_equal(snapshots_list(&d->ops, seqs, &count), STATUS_OK);
    if (count > 0)
        newest = seqs[0];
    bool empty = segments(d) == 0 && count == 0;
    start = (struct kit){.disk = &d->ops};
    enum status status = kit_recover(&start, newest, newest);
    if (status == STATUS_OK) {
        assert_int_equal(start.found.seq, empty ? 0 : seq);
        assert_true(start.found.new_epoch);
        kit_end(&start);
        return;
    }
    assert_int_equal(status, STATUS_INVALID);
}

static void a_restore_is_never_a_part_taken_for_the_whole(void **state)
{
    struct fixture *f = *state;
    static struct memory_disk dead;
    memory_disk_open(&dead);
    kit_start(&f->kit);
    grow(f, 5, LARGE);
    for (unsigned with_snapshots = 0; with_snapshots < 2; with_snapshots++) {
        ships(f, with_snapshots ? 0 : 6, 10);
        bool died = true;
        for (unsigned step = 1; died; step++) {
            memory_disk_close(&dead);
            memory_disk_open(&dead);
            dead.dies = step;
            enum status status = backup_restore(&copy.ops, &dead.ops, &copied, error);
            died = dead.dead;
            assert_int_equal(status, died ? STATUS_IO : STATUS_OK);
            dead.dead = false;
            dead.dies = 0;
            judge_start(&dead, 10);
            assert_true(step > 10 || died);
        }
        assert_int_equal(copied.seq, 10);
        assert_int_equal(copied.segments, 3);
        assert_int_equal(copied.snapshots, 2 * with_snapshots);
        snapshot(&f->disk, 4);
        snapshot(&f->disk, 8);
    }
    memory_disk_close(&dead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BACKUP_TEST(a_copy_is_the_journal_and_its_start_a_new_epoch),
        BACKUP_TEST(shipping_again_copies_what_is_new),
        BACKUP_TEST(what_is_only_written_is_synced_before_it_is_copied),
        BACKUP_TEST(what_is_no_record_behind_the_end_is_told_and_left),
        BACKUP_TEST(damage_before_the_end_is_refused_with_its_place),
        BACKUP_TEST(a_torn_copy_is_written_again),
        BACKUP_TEST(another_history_is_refused),
        BACKUP_TEST(without_a_journal_there_is_nothing_to_copy),
        BACKUP_TEST(a_journal_keeps_what_the_copy_lacks),
        BACKUP_TEST(a_copy_begun_anew_holds_the_journal),
        BACKUP_TEST(a_gap_between_copy_and_journal_is_refused),
        BACKUP_TEST(snapshots_of_what_the_copy_has_not_wait),
        BACKUP_TEST(without_space_nothing_is_promised),
        BACKUP_TEST(a_ship_that_dies_anywhere_is_gone_on_with),
        BACKUP_TEST(a_restore_is_never_a_part_taken_for_the_whole),
    };
    return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
