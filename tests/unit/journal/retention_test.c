/* retention: nothing goes that a snapshot or a consumer still needs, and all that may go does. */
#include "journal/retention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "journal/record_format.h"
#include "journal/snapshots.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/journal/directory_kit.h"
#include "tests/unit/journal/journal_kit.h"

enum { CURSOR_SIZE = 30, SEGMENTS = 5, PER_SEGMENT = 100 };

static char error[JOURNAL_ERROR_SIZE];

/* ---- what there is in a directory ---- */

/* SEGMENTS segments: the commands 1..100, 101..200, ..., ten records each. */
static void make_segments(void)
{
    for (uint64_t i = 0; i < SEGMENTS; i++) {
        uint8_t bytes[SEGMENT_HEADER_SIZE];
        char name[DISK_NAME_SIZE];
        const struct segment_header h = {
            .first_number = i * 10 + 1, .next_seq = i * PER_SEGMENT + 1, .size = sizeof bytes};
        segment_header_write(bytes, &h);
        segment_name(h.first_number, name);
        directory_put(name, bytes, sizeof bytes);
    }
}

static void make_snapshot(uint64_t seq)
{
    const struct snapshot_head head = {.seq = seq};
    assert_int_equal(snapshots_write(directory, &head, (const uint8_t *)"state", 5), STATUS_OK);
}

/* Two of them, the older of which has all up to seq. */
static void make_snapshots(uint64_t seq)
{
    make_snapshot(seq);
    make_snapshot(seq + 1);
}

static enum status write_cursor(const char *name, uint64_t seq)
{
    strcpy(error, "nothing");
    return consumer_write(directory, name, seq, error);
}

/* That so many segments go now, and the others are the newest. */
static void these_are_released(unsigned expected, enum status expected_status)
{
    unsigned removed = 99, before = directory_count(".segment");
    uint64_t size_left = 99;
    strcpy(error, "nothing");
    assert_int_equal(segments_release(directory, UINT64_MAX, &removed, &size_left, error),
                     expected_status);
    assert_int_equal(removed, expected);
    unsigned left = directory_count(".segment");
    assert_int_equal(left, before - expected);
    assert_int_equal(size_left, left * SEGMENT_HEADER_SIZE);
    for (unsigned i = SEGMENTS - left; i < SEGMENTS; i++) {
        char name[DISK_NAME_SIZE];
        segment_name(i * 10 + 1, name);
        assert_true(directory_has(name));
    }
}

static void the_words_are(const char *file, const char *offset)
{
    assert_non_null(strstr(error, directory->path));
    assert_non_null(strstr(error, file));
    assert_non_null(strstr(error, offset));
    assert_non_null(strstr(error, "found "));
    assert_non_null(strstr(error, "expected "));
}

/* ---- cursors ---- */

static void a_cursor_is_a_line_that_a_person_can_read(void **state)
{
    (void)state;
    char text[100] = "";
    size_t size = sizeof text - 1;
    assert_int_equal(write_cursor("archive-1", 42), STATUS_OK);
    directory_get("archive-1.cursor", text, &size);
    assert_int_equal(size, CURSOR_SIZE);
    text[size] = '\0';
    assert_memory_equal(text, "00000000000000000042 ", 21);
    assert_int_equal(strspn(text + 21, "0123456789abcdef"), 8);
    assert_string_equal(text + 29, "\n");
    assert_int_equal(directory_count(""), 1);
}

static void a_consumer_has_a_plain_name_of_at_most_32(void **state)
{
    (void)state;
    const char *const good[] = {"a", "z", "0", "9", "-", "abcdefghijklmnopqrstuvwxyz012345"};
    const char *const bad[] = {
        "",        "abcdefghijklmnopqrstuvwxyz0123456", "A", "a.b", "a/b", "../a", "a_b", "a b",
        "\xc3\xa4"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(write_cursor(good[i], 1), STATUS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(write_cursor(bad[i], 1), STATUS_INVALID);
        assert_non_null(strstr(error, "found "));
    }
    assert_int_equal(directory_count(""), sizeof good / sizeof good[0]);
}

static void a_cursor_never_goes_back(void **state)
{
    (void)state;
    char before[100], after[100];
    size_t before_size = sizeof before, after_size = sizeof after;
    assert_int_equal(write_cursor("a", 200), STATUS_OK);
    directory_get("a.cursor", before, &before_size);
    assert_int_equal(write_cursor("a", 200), STATUS_OK);
    assert_int_equal(write_cursor("a", 199), STATUS_OK);
    assert_int_equal(write_cursor("a", 0), STATUS_OK);
    directory_get("a.cursor", after, &after_size);
    assert_int_equal(after_size, before_size);
    assert_memory_equal(after, before, before_size);
    assert_int_equal(write_cursor("a", 201), STATUS_OK);
    after_size = sizeof after;
    directory_get("a.cursor", after, &after_size);
    assert_memory_equal(after, "00000000000000000201 ", 21);
    assert_int_equal(write_cursor("a", UINT64_MAX), STATUS_OK);
    assert_int_equal(write_cursor("a", 5), STATUS_OK);
    make_segments();
    make_snapshots(1000);
    these_are_released(SEGMENTS - 1, STATUS_OK);
}

static void every_flipped_bit_of_a_cursor_holds_everything_back(void **state)
{
    (void)state;
    make_segments();
    make_snapshots(1000);
    assert_int_equal(write_cursor("a", 200), STATUS_OK);
    assert_int_equal(write_cursor("b", 300), STATUS_OK);
    for (unsigned bit = 0; bit < 8 * CURSOR_SIZE; bit++) {
        directory_flip("a.cursor", bit / 8, bit % 8);
        these_are_released(0, STATUS_INVALID);
        the_words_are("a.cursor", ", offset ");
        assert_int_equal(write_cursor("a", 400), STATUS_INVALID); /* nor is it written over */
        the_words_are("a.cursor", ", offset ");
        directory_flip("a.cursor", bit / 8, bit % 8);
    }
    these_are_released(2, STATUS_OK);
}

static void a_cursor_too_short_or_too_long_holds_everything_back(void **state)
{
    (void)state;
    char text[CURSOR_SIZE + 2] = "";
    size_t size = sizeof text;
    make_segments();
    make_snapshots(1000);
    assert_int_equal(write_cursor("a", 200), STATUS_OK);
    directory_get("a.cursor", text, &size);
    for (size_t wrong = 0; wrong <= sizeof text; wrong++) {
        directory_put("a.cursor", text, wrong);
        if (wrong == size)
            continue;
        these_are_released(0, STATUS_INVALID);
        the_words_are("a.cursor", ", offset ");
    }
    directory_put("a.cursor", text, size);
    these_are_released(2, STATUS_OK);
}

static void a_cursor_is_its_consumers_own(void **state)
{
    (void)state;
    make_segments();
    make_snapshots(1000);
    assert_int_equal(write_cursor("a", 200), STATUS_OK);
    assert_int_equal(directory->rename(directory->self, "a.cursor", "b.cursor"), STATUS_OK);
    these_are_released(0, STATUS_INVALID);
    the_words_are("b.cursor", ", offset 21");
    assert_int_equal(directory->rename(directory->self, "b.cursor", "A.cursor"), STATUS_OK);
    these_are_released(0, STATUS_INVALID);
    assert_non_null(strstr(error, "A.cursor"));
}

static void there_are_16_consumers_at_most(void **state)
{
    (void)state;
    char name[16];
    make_segments();
    make_snapshots(1000);
    for (unsigned i = 0; i < CONSUMERS_MAX; i++) {
        snprintf(name, sizeof name, "c%u", i);
        assert_int_equal(write_cursor(name, 400 - i), STATUS_OK);
    }
    assert_int_equal(write_cursor("more", 1), STATUS_FULL);
    assert_int_equal(write_cursor("c0", 401), STATUS_OK);
    these_are_released(3, STATUS_OK); /* the last of them has 385 */
    directory_put("more.cursor", "", 0);
    these_are_released(0, STATUS_INVALID);
    assert_non_null(strstr(error, "found 17 "));
}

/* Whatever fails while a cursor is written, it is the old one or the new one then. */
static void fail_and_lose_power(uint64_t seed)
{
    const enum sim_disk_operation operations[] = {SIM_DISK_OPEN,  SIM_DISK_CREATE, SIM_DISK_READ,
                                                  SIM_DISK_WRITE, SIM_DISK_SYNC,   SIM_DISK_RENAME};
    directory_reseed(seed);
    sim_disk_set_forgetful(simulated, seed % 2 == 0);
    make_segments();
    make_snapshots(1000);
    assert_int_equal(write_cursor("a", 200), STATUS_OK);
    sim_disk_fail_next(simulated, operations[seed % 6], 1);
    assert_int_equal(write_cursor("a", 300), STATUS_IO);
    assert_non_null(strstr(error, "a.cursor: "));
    sim_disk_crash(simulated, SIM_DISK_POWER_LOSS);
    unsigned removed = 0;
    uint64_t size_left;
    assert_int_equal(segments_release(directory, UINT64_MAX, &removed, &size_left, error),
                     STATUS_OK);
    assert_in_range(removed, 2, 3);
    assert_int_equal(write_cursor("a", 400), STATUS_OK);
    sim_disk_crash(simulated, SIM_DISK_POWER_LOSS);
    these_are_released(4 - removed, STATUS_OK);
}

static void a_cursor_is_old_or_new_whatever_fails(void **state)
{
    (void)state;
    seeds_run(__func__, 120, fail_and_lose_power);
}

static void without_space_a_cursor_stays_as_it_was(void **state)
{
    (void)state;
    make_segments();
    make_snapshots(1000);
    assert_int_equal(write_cursor("a", 200), STATUS_OK);
    for (uint64_t space = 0; space < CURSOR_SIZE; space++) {
        sim_disk_set_full(simulated, space);
        assert_int_equal(write_cursor("a", 300), STATUS_FULL);
        directory->remove(directory->self, "a.cursor.new");
    }
    these_are_released(2, STATUS_OK);
    sim_disk_set_full(simulated, CURSOR_SIZE);
    assert_int_equal(write_cursor("a", 300), STATUS_OK);
}

/* ---- segments ---- */

static void nothing_goes_without_two_snapshots(void **state)
{
    (void)state;
    these_are_released(0, STATUS_OK);
    make_segments();
    these_are_released(0, STATUS_OK);
    make_snapshot(1000);
    assert_int_equal(write_cursor("a", 1000), STATUS_OK);
    these_are_released(0, STATUS_OK);
    make_snapshot(1001);
    these_are_released(SEGMENTS - 1, STATUS_OK);
}

static void a_segment_goes_when_the_older_snapshot_has_its_last_command(void **state)
{
    (void)state;
    make_segments();
    make_snapshots(2 * PER_SEGMENT - 1);
    these_are_released(1, STATUS_OK);
    make_snapshot(3 * PER_SEGMENT + 1); /* the older one has 200 now */
    these_are_released(1, STATUS_OK);
    make_snapshot(3 * PER_SEGMENT + 2);
    these_are_released(1, STATUS_OK);
    these_are_released(0, STATUS_OK);
}

static void a_segment_goes_when_the_last_consumer_has_its_last_command(void **state)
{
    (void)state;
    make_segments();
    make_snapshots(1000);
    assert_int_equal(write_cursor("fast", 1000), STATUS_OK);
    assert_int_equal(write_cursor("slow", 0), STATUS_OK);
    these_are_released(0, STATUS_OK);
    assert_int_equal(write_cursor("slow", PER_SEGMENT - 1), STATUS_OK);
    these_are_released(0, STATUS_OK);
    assert_int_equal(write_cursor("slow", PER_SEGMENT), STATUS_OK);
    these_are_released(1, STATUS_OK);
    assert_int_equal(write_cursor("slow", PER_SEGMENT + 1), STATUS_OK);
    these_are_released(0, STATUS_OK);
    assert_int_equal(directory->remove(directory->self, "slow.cursor"), STATUS_OK);
    these_are_released(3, STATUS_OK);
}

static void the_last_segment_never_goes(void **state)
{
    (void)state;
    make_segments();
    make_snapshots(UINT64_MAX - 1);
    assert_int_equal(write_cursor("a", UINT64_MAX), STATUS_OK);
    these_are_released(SEGMENTS - 1, STATUS_OK);
    these_are_released(0, STATUS_OK);
}

static void a_damaged_header_holds_back_what_comes_before_it(void **state)
{
    (void)state;
    char name[DISK_NAME_SIZE];
    unsigned removed;
    uint64_t size_left;
    make_segments();
    make_snapshots(1000);
    segment_name(21, name); /* the third */
    for (unsigned bit = 0; bit < 8 * 64; bit++) {
        directory_flip(name, bit / 8, bit % 8);
        assert_int_equal(segments_release(directory, UINT64_MAX, &removed, &size_left, error),
                         STATUS_INVALID);
        assert_int_equal(removed, bit == 0);
        the_words_are(name, ", offset 0");
        directory_flip(name, bit / 8, bit % 8);
    }
    directory_put(name, "short", 5);
    assert_int_equal(segments_release(directory, UINT64_MAX, &removed, &size_left, error),
                     STATUS_INVALID);
    assert_int_equal(removed, 0);
    assert_int_equal(size_left, 3 * SEGMENT_HEADER_SIZE + 5);
    the_words_are(name, "found 5 ");
}

static void a_segment_under_another_name_is_no_next_one(void **state)
{
    (void)state;
    char name[DISK_NAME_SIZE], wrong[DISK_NAME_SIZE];
    make_segments();
    make_snapshots(1000);
    segment_name(11, name);
    segment_name(12, wrong);
    assert_int_equal(directory->rename(directory->self, name, wrong), STATUS_OK);
    unsigned removed;
    uint64_t size_left;
    assert_int_equal(segments_release(directory, UINT64_MAX, &removed, &size_left, error),
                     STATUS_INVALID);
    assert_int_equal(removed, 0);
    the_words_are(wrong, "found 11 ");
}

/* What is left is always the end of the journal, without a hole. */
static void fail_while_releasing(uint64_t seed)
{
    const enum sim_disk_operation operations[] = {SIM_DISK_LIST, SIM_DISK_OPEN, SIM_DISK_READ,
                                                  SIM_DISK_REMOVE};
    unsigned removed;
    uint64_t size_left;
    directory_reseed(seed);
    make_segments();
    make_snapshots(1000);
    sim_disk_fail_next(simulated, operations[seed % 4], 1);
    assert_int_equal(segments_release(directory, UINT64_MAX, &removed, &size_left, error),
                     STATUS_IO);
    assert_string_not_equal(error, "");
    sim_disk_crash(simulated, SIM_DISK_POWER_LOSS);
    these_are_released(directory_count(".segment") - 1, STATUS_OK);
}

static void what_is_left_is_the_end_of_the_journal_whatever_fails(void **state)
{
    (void)state;
    seeds_run(__func__, 40, fail_while_releasing);
}

/* A real journal, from which each of the two snapshots can still be gone on from. */
static void what_follows_the_callers_own_snapshot_stays(void **state)
{
    (void)state;
    const struct {
        uint64_t sound_seq;
        unsigned removed;
    } cases[] = {{0, 0},
                 {PER_SEGMENT - 1, 0},
                 {PER_SEGMENT, 1},
                 {2 * PER_SEGMENT - 1, 0},
                 {2 * PER_SEGMENT, 1},
                 {UINT64_MAX, SEGMENTS - 3}};
    make_segments();
    make_snapshots(1000);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned removed = 99;
        uint64_t left;
        assert_int_equal(segments_release(directory, cases[i].sound_seq, &removed, &left, error),
                         STATUS_OK);
        assert_int_equal(removed, cases[i].removed);
    }
}

static void what_is_left_is_enough_for_both_snapshots(void **state)
{
    (void)state;
    static struct kit k;
    unsigned removed;
    uint64_t size_left;
    memset(&k, 0, sizeof k);
    k.disk = directory;
    kit_start(&k);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(kit_append(&k, 10, 100000), STATUS_OK);
        assert_int_equal(journal_sync(k.journal), STATUS_OK);
        if (i == 24 || i == 33)
            make_snapshot(k.seq);
    }
    kit_end(&k);
    unsigned before = directory_count(".segment");
    assert_int_equal(segments_release(directory, UINT64_MAX, &removed, &size_left, error),
                     STATUS_OK);
    assert_in_range(removed, 2, before - 2);
    assert_int_equal(size_left, (uint64_t)(before - removed) * KIT_SIZE);
    const uint64_t seqs[] = {250, 340};
    for (unsigned i = 0; i < 2; i++) {
        directory_restart();
        k.disk = directory;
        k.taken.count = 0;
        assert_int_equal(kit_recover(&k, seqs[i], seqs[i]), STATUS_OK);
        assert_int_equal(k.found.seq, 400);
        assert_int_equal(k.found.commands, 400 - seqs[i]);
        kit_end(&k);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH_DISKS(a_cursor_is_a_line_that_a_person_can_read),
        ON_BOTH_DISKS(a_consumer_has_a_plain_name_of_at_most_32),
        ON_BOTH_DISKS(a_cursor_never_goes_back),
        ON_BOTH_DISKS(every_flipped_bit_of_a_cursor_holds_everything_back),
        ON_BOTH_DISKS(a_cursor_too_short_or_too_long_holds_everything_back),
        ON_BOTH_DISKS(a_cursor_is_its_consumers_own),
        ON_BOTH_DISKS(there_are_16_consumers_at_most),
        ON_SIM_DISK(a_cursor_is_old_or_new_whatever_fails),
        ON_SIM_DISK(without_space_a_cursor_stays_as_it_was),
        ON_BOTH_DISKS(nothing_goes_without_two_snapshots),
        ON_BOTH_DISKS(what_follows_the_callers_own_snapshot_stays),
        ON_BOTH_DISKS(a_segment_goes_when_the_older_snapshot_has_its_last_command),
        ON_BOTH_DISKS(a_segment_goes_when_the_last_consumer_has_its_last_command),
        ON_BOTH_DISKS(the_last_segment_never_goes),
        ON_BOTH_DISKS(a_damaged_header_holds_back_what_comes_before_it),
        ON_BOTH_DISKS(a_segment_under_another_name_is_no_next_one),
        ON_SIM_DISK(what_is_left_is_the_end_of_the_journal_whatever_fails),
        ON_BOTH_DISKS(what_is_left_is_enough_for_both_snapshots),
    };
    seeds_arguments(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
