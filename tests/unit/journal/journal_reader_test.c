/* journal_reader: every record once and in order, from anywhere, also while they are written. */
#include "journal/journal_reader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/record_format.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/journal/journal_kit.h"

struct reading {
    struct memory_disk disk;
    struct kit kit;
    journal_reader_t *reader;
    struct journal_record record;
    uint64_t oldest_seq;
    char error[JOURNAL_ERROR_SIZE];
};

static int setup(void **state)
{
    struct reading *f = calloc(1, sizeof *f);
    memory_disk_open(&f->disk);
    f->kit.disk = &f->disk.ops;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct reading *f = *state;
    journal_reader_close(&f->reader);
    kit_end(&f->kit);
    memory_disk_close(&f->disk);
    free(f);
    return 0;
}

static enum status reader_open(struct reading *f, uint64_t after_seq)
{
    journal_reader_close(&f->reader);
    f->error[0] = '\0';
    return journal_reader_open(&f->reader, &f->disk.ops, after_seq, &f->oldest_seq, f->error);
}

static enum journal_read next(struct reading *f)
{
    return journal_reader_next(f->reader, &f->record, f->error);
}

static void expect_batch(struct reading *f, uint64_t first_seq, size_t size)
{
    assert_int_equal(next(f), JOURNAL_READ_RECORD);
    assert_int_equal(f->record.kind, RECORD_BATCH);
    assert_int_equal(f->record.first_seq, first_seq);
    assert_int_equal(f->record.size, size);
    uint8_t *expected = malloc(size + 1);
    kit_fill(expected, size, first_seq);
    if (size > 0)
        assert_memory_equal(f->record.bytes, expected, size);
    free(expected);
}

static void expect_note(struct reading *f, enum record_kind kind)
{
    assert_int_equal(next(f), JOURNAL_READ_RECORD);
    assert_int_equal(f->record.kind, kind);
}

static void no_directory_has_no_journal(void **state)
{
    struct reading *f = *state;
    assert_int_equal(reader_open(f, 0), STATUS_MISSING);
    assert_int_equal(f->oldest_seq, 0);
    f->disk.vanished = true;
    assert_int_equal(reader_open(f, 0), STATUS_IO);
    assert_int_equal(errno, ENOENT);
}

static void records_are_seen_as_they_are_written(void **state)
{
    struct reading *f = *state;
    kit_start(&f->kit);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    expect_note(f, RECORD_EPOCH);
    assert_int_equal(next(f), JOURNAL_READ_END);
    for (uint64_t n = 1; n <= 40; n++) {
        size_t size = (size_t)(n * n * 100); /* through many windows, and a few segments */
        assert_int_equal(kit_append(&f->kit, 1, size), STATUS_OK);
        expect_batch(f, n, size);
        assert_int_equal(next(f), JOURNAL_READ_END);
        assert_int_equal(next(f), JOURNAL_READ_END);
    }
    assert_true(journal_counts(f->kit.journal).segments > 2);
    assert_int_equal(journal_checkpoint(f->kit.journal, 1, 2), STATUS_OK);
    assert_int_equal(journal_close(f->kit.journal, 3), STATUS_OK);
    expect_note(f, RECORD_CHECKPOINT);
    assert_int_equal(f->record.check, 2);
    expect_note(f, RECORD_CLOSE);
    assert_int_equal(f->record.durable_seq, 40);
    assert_int_equal(next(f), JOURNAL_READ_END);
}

/* Against a list of what was appended: any sizes, read in any rhythm, and from anywhere. */
static void random_journal(uint64_t seed)
{
    enum { COUNT = 300 };
    struct reading *f;
    size_t sizes[COUNT];
    uint64_t read = 0;
    struct random random = {seed};
    setup((void **)&f);
    kit_start(&f->kit);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    expect_note(f, RECORD_EPOCH);
    for (uint64_t n = 0; n < COUNT; n++) {
        unsigned shift = (unsigned)random_below(&random, 18);
        sizes[n] = (size_t)random_below(&random, (uint64_t)1 << shift);
        assert_int_equal(kit_append(&f->kit, 1, sizes[n]), STATUS_OK);
        if (random_once_in(&random, 8)) {
            while (read <= n) {
                expect_batch(f, read + 1, sizes[read]);
                read++;
            }
            assert_int_equal(next(f), JOURNAL_READ_END);
        }
    }
    for (unsigned i = 0; i < 20; i++) {
        uint64_t after = random_below(&random, COUNT + 1);
        assert_int_equal(reader_open(f, after), STATUS_OK);
        if (after == 0)
            expect_note(f, RECORD_EPOCH);
        for (uint64_t n = after; n < COUNT; n++)
            expect_batch(f, n + 1, sizes[n]);
        assert_int_equal(next(f), JOURNAL_READ_END);
    }
    void *state = f;
    teardown(&state);
}

static void any_journal_is_read_from_anywhere(void **state)
{
    (void)state;
    seeds_run("any_journal_is_read_from_anywhere", 20, random_journal);
}

static void a_batch_is_given_whole(void **state)
{
    struct reading *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 3, 10); /* 1 to 3 */
    kit_append(&f->kit, 3, 10); /* 4 to 6 */
    journal_checkpoint(f->kit.journal, 1, 2);
    kit_append(&f->kit, 3, 10); /* 7 to 9 */
    static const uint64_t first[] = {1, 1, 1, 4, 4, 4};
    for (uint64_t after = 1; after < 6; after++) {
        assert_int_equal(reader_open(f, after), STATUS_OK);
        expect_batch(f, first[after], 10);
    }
    assert_int_equal(reader_open(f, 6), STATUS_OK);
    expect_note(f, RECORD_CHECKPOINT); /* it stands behind the batch that is not wanted */
    expect_batch(f, 7, 10);
    assert_int_equal(reader_open(f, 7), STATUS_OK);
    expect_batch(f, 7, 10);
    assert_int_equal(reader_open(f, 9), STATUS_OK);
    assert_int_equal(next(f), JOURNAL_READ_END);
    assert_int_equal(reader_open(f, 100), STATUS_OK); /* it may still come */
    assert_int_equal(next(f), JOURNAL_READ_END);
    assert_int_equal(reader_open(f, UINT64_MAX), STATUS_OK);
}

static void what_is_not_kept_any_more_is_missing(void **state)
{
    struct reading *f = *state;
    kit_small(&f->disk, &f->kit, 3, true);
    f->disk.ops.remove(&f->disk, "00000000000000000001.segment");
    assert_int_equal(reader_open(f, 0), STATUS_MISSING);
    assert_int_equal(f->oldest_seq, 6);
    assert_int_equal(reader_open(f, 5), STATUS_MISSING);
    assert_int_equal(f->oldest_seq, 6);
    assert_int_equal(reader_open(f, 6), STATUS_OK);
    expect_batch(f, 7, 20);
}

static void a_reader_too_slow_is_told_that_its_segment_is_gone(void **state)
{
    struct reading *f = *state;
    kit_start(&f->kit);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    expect_note(f, RECORD_EPOCH);
    for (unsigned i = 0; i < 3; i++)
        kit_append(&f->kit, 1, KIT_SIZE / 2);
    f->disk.ops.remove(&f->disk, "00000000000000000001.segment");
    f->disk.ops.remove(&f->disk, "00000000000000000003.segment");
    expect_batch(f, 1, KIT_SIZE / 2); /* what is open stays */
    assert_int_equal(next(f), JOURNAL_READ_GONE);
    assert_non_null(strstr(f->error, "00000000000000000003.segment"));
    assert_non_null(strstr(f->error, "found 00000000000000000004.segment"));
    assert_int_equal(next(f), JOURNAL_READ_GONE);
}

static void a_vanished_directory_is_an_error(void **state)
{
    struct reading *f = *state;
    kit_start(&f->kit);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    expect_note(f, RECORD_EPOCH);
    f->disk.vanished = true;
    assert_int_equal(next(f), JOURNAL_READ_IO);
    assert_int_equal(errno, ENOENT);
}

/* The writer's bytes may come to be seen in any pieces. */
static void a_record_that_is_being_written_is_read_later(void **state)
{
    struct reading *f = *state;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10000);
    struct kit_place p = kit_find(&f->disk.ops, 2);
    uint8_t *at = memory_disk_file(&f->disk, p.file)->bytes + p.offset;
    uint8_t *whole = malloc(p.extent);
    memcpy(whole, at, p.extent);
    memset(at, 0, p.extent);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    expect_note(f, RECORD_EPOCH);
    assert_int_equal(next(f), JOURNAL_READ_END);
    memcpy(at, whole, 40);
    assert_int_equal(next(f), JOURNAL_READ_DAMAGED);
    memcpy(at, whole, 5000);
    assert_int_equal(next(f), JOURNAL_READ_DAMAGED);
    assert_non_null(strstr(f->error, p.file));
    memcpy(at, whole, p.extent);
    expect_batch(f, 1, 10000);
    assert_int_equal(next(f), JOURNAL_READ_END);
    free(whole);
}

/* A whole record of another place, or of another history. */
static void a_record_in_anothers_place_is_damage(void **state)
{
    struct reading *f = *state;
    kit_start(&f->kit);
    for (unsigned i = 0; i < 4; i++)
        kit_append(&f->kit, 1, 100);
    struct kit_place p = kit_find(&f->disk.ops, 3), q = kit_find(&f->disk.ops, 4);
    uint8_t *bytes = memory_disk_file(&f->disk, p.file)->bytes;
    memcpy(bytes + p.offset, bytes + q.offset, (size_t)p.extent);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    expect_note(f, RECORD_EPOCH);
    expect_batch(f, 1, 100);
    assert_int_equal(next(f), JOURNAL_READ_DAMAGED);
    assert_non_null(strstr(f->error, "the number of a record: found 4 (0x4), expected 3 (0x3)"));
}

static void a_record_of_another_history_is_damage(void **state)
{
    struct reading *f = *state;
    struct memory_disk other;
    struct kit k = {.disk = &other.ops};
    memory_disk_open(&other);
    kit_start(&f->kit);
    kit_start(&k);
    kit_append(&f->kit, 1, 100);
    kit_append(&k, 1, 99); /* which takes as much */
    kit_append(&f->kit, 1, 50);
    kit_append(&k, 1, 50);
    kit_end(&k);
    struct kit_place p = kit_find(&f->disk.ops, 3);
    memcpy(memory_disk_file(&f->disk, p.file)->bytes + p.offset,
           memory_disk_file(&other, p.file)->bytes + p.offset, (size_t)p.extent);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    expect_note(f, RECORD_EPOCH);
    expect_batch(f, 1, 100);
    assert_int_equal(next(f), JOURNAL_READ_DAMAGED);
    assert_non_null(strstr(f->error, "the CRC of the record before"));
    memory_disk_close(&other);
}

static void a_segment_of_another_history_is_damage(void **state)
{
    struct reading *f = *state;
    struct memory_disk other;
    struct kit k = {.disk = &other.ops};
    memory_disk_open(&other);
    kit_small(&f->disk, &f->kit, 3, true);
    kit_start(&k);
    for (unsigned i = 0; i < 3; i++)
        kit_append(&k, 1 + i % 3, 21 + 9 * i); /* as many records, other bytes */
    kit_end(&k);
    kit_shrink(&other, 0);
    kit_start(&k);
    kit_append(&k, 1, 20);
    kit_end(&k);
    const char *second = "00000000000000000005.segment";
    const struct memory_file *from = memory_disk_file(&other, second);
    struct memory_file *to = memory_disk_file(&f->disk, second);
    memory_file_resize(to, from->size);
    memcpy(to->bytes, from->bytes, from->size);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(next(f), JOURNAL_READ_RECORD);
    assert_int_equal(next(f), JOURNAL_READ_DAMAGED);
    assert_non_null(strstr(f->error, second));
    assert_non_null(strstr(f->error, "the CRC of the record before a segment"));
    memory_disk_close(&other);
}

static void damage_tells_what_lies_behind_it(void **state)
{
    struct reading *f = *state;
    struct journal_damage d;
    kit_small(&f->disk, &f->kit, 3, true);
    struct kit_place p = kit_find(&f->disk.ops, 3);
    memory_disk_file(&f->disk, p.file)->bytes[p.offset + 50] ^= 4;
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    expect_note(f, RECORD_EPOCH);
    expect_batch(f, 1, 20);
    assert_int_equal(next(f), JOURNAL_READ_DAMAGED);
    assert_int_equal(journal_reader_damage(f->reader, &d), STATUS_OK);
    assert_string_equal(d.file, p.file);
    assert_int_equal(d.offset, p.offset);
    assert_int_equal(d.next_seq, 2);
    assert_int_equal(d.durable_seq, 9); /* the last record says so */
    assert_int_equal(d.epoch, KIT_EPOCH);
    assert_int_equal(d.records, 4);
    assert_true(d.data);
    assert_int_equal(next(f), JOURNAL_READ_DAMAGED); /* where it stood */
}

static void the_end_has_nothing_behind_it(void **state)
{
    struct reading *f = *state;
    struct journal_damage d;
    kit_small(&f->disk, &f->kit, 3, true);
    assert_int_equal(reader_open(f, 0), STATUS_OK);
    while (next(f) == JOURNAL_READ_RECORD)
        continue;
    assert_int_equal(journal_reader_damage(f->reader, &d), STATUS_OK);
    assert_false(d.data);
    assert_int_equal(d.size, 0);
    assert_int_equal(d.records, 0);
    assert_int_equal(d.next_seq, 13);
    assert_int_equal(d.durable_seq, 9);
}

/* A record header anywhere behind damage counts, also where two of the pieces that are looked at
 * meet. */
static void every_place_behind_damage_is_looked_at(void **state)
{
    struct reading *f = *state;
    struct journal_damage d;
    struct record_header h = {.record = {.kind = RECORD_CHECKPOINT, .number = 9}};
    kit_start(&f->kit);
    kit_end(&f->kit);
    struct memory_file *file = memory_disk_file(&f->disk, "00000000000000000001.segment");
    uint64_t from = SEGMENT_HEADER_SIZE + RECORD_HEADER_SIZE;
    for (uint64_t at = from; at + RECORD_HEADER_SIZE <= KIT_SIZE; at += RECORD_ALIGN) {
        if (at > from + 400 && (at % 65536 < 2900 || at % 65536 > 4400) && at + 400 < KIT_SIZE)
            continue; /* pieces of nearly 64 KiB, the first at 4176: they meet in this range */
        h.record.durable_seq = at;
        record_header_write(file->bytes + at, &h);
        assert_int_equal(reader_open(f, 0), STATUS_OK);
        expect_note(f, RECORD_EPOCH);
        assert_int_equal(next(f),
                         at < from + RECORD_HEADER_SIZE ? JOURNAL_READ_DAMAGED : JOURNAL_READ_END);
        assert_int_equal(journal_reader_damage(f->reader, &d), STATUS_OK);
        assert_int_equal(d.records, 1);
        assert_int_equal(d.durable_seq, at);
        memset(file->bytes + at, 0, RECORD_HEADER_SIZE);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        TEST(no_directory_has_no_journal),
        TEST(records_are_seen_as_they_are_written),
        SEEDS_TEST(any_journal_is_read_from_anywhere),
        TEST(a_batch_is_given_whole),
        TEST(what_is_not_kept_any_more_is_missing),
        TEST(a_reader_too_slow_is_told_that_its_segment_is_gone),
        TEST(a_vanished_directory_is_an_error),
        TEST(a_record_that_is_being_written_is_read_later),
        TEST(a_record_in_anothers_place_is_damage),
        TEST(a_record_of_another_history_is_damage),
        TEST(a_segment_of_another_history_is_damage),
        TEST(damage_tells_what_lies_behind_it),
        TEST(the_end_has_nothing_behind_it),
        TEST(every_place_behind_damage_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
