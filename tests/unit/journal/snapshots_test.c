/* snapshots: what is written is read back, the two newest stay, and every byte is watched. */
#include "journal/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/base/seeds.h"
#include "tests/unit/journal/directory_kit.h"

enum { HEADER_SIZE = 64, SMALL = 40 };

static char error[JOURNAL_ERROR_SIZE];

static struct snapshot_head head_of(uint64_t seq)
{
    return (struct snapshot_head){
        .seq = seq, .epoch = seq + 1, .number = seq + 2, .time_ns = ~seq, .hash = seq * 3};
}

static void name_of(uint64_t seq, char name[DISK_NAME_SIZE])
{
    snprintf(name, DISK_NAME_SIZE, "%020llu.snapshot", (unsigned long long)seq);
}

static uint8_t *bytes_of(uint64_t seq, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(seq + i * 13 + (i >> 8));
    return bytes;
}

static enum status write_one(uint64_t seq, size_t size)
{
    const struct snapshot_head head = head_of(seq);
    uint8_t *bytes = bytes_of(seq, size);
    enum status status = snapshots_write(directory, &head, bytes, size);
    free(bytes);
    return status;
}

static enum status read_one(uint64_t seq)
{
    struct snapshot_head head;
    uint8_t *bytes;
    size_t size;
    strcpy(error, "nothing");
    enum status status = snapshots_read(directory, seq, &head, &bytes, &size, error);
    if (status != STATUS_OK)
        assert_null(bytes);
    snapshots_free(&bytes, size);
    return status;
}

static void it_is_read_as_it_was_written(uint64_t seq, size_t expected_size)
{
    const struct snapshot_head expected_head = head_of(seq);
    struct snapshot_head head;
    uint8_t *expected = bytes_of(seq, expected_size), *bytes;
    size_t size;
    assert_int_equal(snapshots_read(directory, seq, &head, &bytes, &size, error), STATUS_OK);
    assert_int_equal(size, expected_size);
    assert_memory_equal(bytes, expected, size);
    assert_memory_equal(&head, &expected_head, sizeof head);
    snapshots_free(&bytes, size);
    assert_null(bytes);
    free(expected);
}

/* That these are all there are; 0: the end. */
static void these_are_listed(uint64_t first, uint64_t second)
{
    uint64_t seqs[SNAPSHOTS_MAX] = {0};
    unsigned count;
    assert_int_equal(snapshots_list(directory, seqs, &count), STATUS_OK);
    assert_int_equal(count, (first != 0) + (second != 0));
    assert_int_equal(seqs[0], first);
    assert_int_equal(seqs[1], second);
}

/* error names the file, where in it, what was found and what was expected. */
static void it_is_refused_in_words(uint64_t seq)
{
    char name[DISK_NAME_SIZE];
    name_of(seq, name);
    assert_int_equal(read_one(seq), STATUS_INVALID);
    assert_non_null(strstr(error, directory->path));
    assert_non_null(strstr(error, name));
    assert_non_null(strstr(error, ", offset "));
    assert_non_null(strstr(error, "found "));
    assert_non_null(strstr(error, "expected "));
}

static void what_is_written_is_read_back_whatever_its_size(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 447, 448, 449, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(write_one(i + 1, sizes[i]), STATUS_OK);
        it_is_read_as_it_was_written(i + 1, sizes[i]);
    }
    assert_int_equal(write_one(UINT64_MAX, 10), STATUS_OK);
    it_is_read_as_it_was_written(UINT64_MAX, 10);
}

static void the_two_newest_stay(void **state)
{
    (void)state;
    these_are_listed(0, 0);
    assert_int_equal(write_one(10, SMALL), STATUS_OK);
    these_are_listed(10, 0);
    assert_int_equal(write_one(30, SMALL), STATUS_OK);
    these_are_listed(30, 10);
    assert_int_equal(write_one(40, SMALL), STATUS_OK);
    these_are_listed(40, 30);
    assert_int_equal(write_one(20, SMALL), STATUS_OK); /* older than both is not kept */
    these_are_listed(40, 30);
    assert_int_equal(directory_count(""), 2);
    assert_int_equal(read_one(10), STATUS_MISSING);
}

static void one_of_the_same_sequence_takes_its_place(void **state)
{
    (void)state;
    assert_int_equal(write_one(10, SMALL), STATUS_OK);
    assert_int_equal(write_one(10, SMALL + 1), STATUS_OK);
    these_are_listed(10, 0);
    it_is_read_as_it_was_written(10, SMALL + 1);
}

static void the_newest_are_listed_however_many_there_are(void **state)
{
    (void)state;
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count;
    for (uint64_t i = 1; i <= SNAPSHOTS_MAX + 4; i++) {
        char name[DISK_NAME_SIZE];
        uint64_t seq = i * 8 % (SNAPSHOTS_MAX + 5); /* each once, in no order */
        name_of(seq, name);
        directory_put(name, "", 0);
        assert_int_equal(snapshots_list(directory, seqs, &count), STATUS_OK);
        assert_int_equal(count, i < SNAPSHOTS_MAX ? i : SNAPSHOTS_MAX);
    }
    for (unsigned i = 0; i < SNAPSHOTS_MAX; i++)
        assert_int_equal(seqs[i], SNAPSHOTS_MAX + 4 - i);
    assert_int_equal(write_one(100, SMALL), STATUS_OK);
    these_are_listed(100, SNAPSHOTS_MAX + 4);
}

static void other_files_are_let_alone(void **state)
{
    (void)state;
    const char *const others[] = {"1.snapshot",
                                  "0000000000000000001x.snapshot",
                                  "000000000000000000011.snapshot",
                                  "00000000000000000001.snapshots",
                                  "99999999999999999999.snapshot",
                                  "00000000000000000001.segment",
                                  "next.new",
                                  "a.cursor"};
    unsigned others_count = sizeof others / sizeof others[0];
    for (unsigned i = 0; i < others_count; i++)
        directory_put(others[i], "", 0);
    these_are_listed(0, 0);
    for (uint64_t seq = 1; seq <= 3; seq++)
        assert_int_equal(write_one(seq, SMALL), STATUS_OK);
    these_are_listed(3, 2);
    assert_int_equal(directory_count(""), others_count + 2);
}

static void what_a_crash_left_unfinished_goes_with_the_next(void **state)
{
    (void)state;
    directory_put("00000000000000000005.snapshot.new", "half", 4);
    directory_put("00000000000000000009.snapshot.new", "half", 4);
    these_are_listed(0, 0);
    assert_int_equal(write_one(9, SMALL), STATUS_OK);
    these_are_listed(9, 0);
    assert_int_equal(directory_count(""), 1);
    it_is_read_as_it_was_written(9, SMALL);
}

static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    char name[DISK_NAME_SIZE];
    assert_int_equal(write_one(10, SMALL), STATUS_OK);
    name_of(10, name);
    for (unsigned bit = 0; bit < 8 * (HEADER_SIZE + SMALL); bit++) {
        directory_flip(name, bit / 8, bit % 8);
        it_is_refused_in_words(10);
        directory_flip(name, bit / 8, bit % 8);
    }
    it_is_read_as_it_was_written(10, SMALL);
}

static void one_that_is_too_short_or_too_long_is_seen(void **state)
{
    (void)state;
    char name[DISK_NAME_SIZE];
    uint8_t bytes[HEADER_SIZE + SMALL + 2] = {0};
    size_t size = sizeof bytes;
    assert_int_equal(write_one(10, SMALL), STATUS_OK);
    name_of(10, name);
    directory_get(name, bytes, &size);
    assert_int_equal(size, HEADER_SIZE + SMALL);
    for (size_t wrong = 0; wrong <= sizeof bytes; wrong++) {
        directory_put(name, bytes, wrong);
        if (wrong == size)
            it_is_read_as_it_was_written(10, SMALL);
        else
            it_is_refused_in_words(10);
    }
}

static void one_under_another_name_is_seen(void **state)
{
    (void)state;
    char name[DISK_NAME_SIZE], wrong[DISK_NAME_SIZE];
    assert_int_equal(write_one(10, SMALL), STATUS_OK);
    name_of(10, name);
    name_of(11, wrong);
    assert_int_equal(directory->rename(directory->self, name, wrong), STATUS_OK);
    it_is_refused_in_words(11);
    assert_non_null(strstr(error, "found 10 "));
    assert_non_null(strstr(error, "expected 11 "));
    assert_int_equal(read_one(10), STATUS_MISSING);
}

static void without_space_nothing_has_changed(void **state)
{
    (void)state;
    assert_int_equal(write_one(10, SMALL), STATUS_OK);
    assert_int_equal(write_one(20, SMALL), STATUS_OK);
    const uint64_t needed = HEADER_SIZE + SMALL;
    for (uint64_t space = 0; space < needed; space++) {
        sim_disk_set_full(simulated, space);
        assert_int_equal(write_one(30, SMALL), STATUS_FULL);
        these_are_listed(20, 10);
        assert_int_equal(directory_count(""), 2);
    }
    sim_disk_set_full(simulated, needed);
    assert_int_equal(write_one(30, SMALL), STATUS_OK);
    these_are_listed(30, 20);
    /* and what it took was given back each time, with the oldest now */
    assert_int_equal(write_one(40, SMALL), STATUS_OK);
}

/* Whatever fails while one is written, and whatever a power loss takes then, those that are listed
 * are sound, and none is lost that was there. */
static void fail_and_lose_power(uint64_t seed)
{
    const enum sim_disk_operation operations[] = {SIM_DISK_CREATE, SIM_DISK_WRITE, SIM_DISK_SYNC,
                                                  SIM_DISK_RENAME, SIM_DISK_LIST,  SIM_DISK_REMOVE};
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count;
    directory_reseed(seed);
    sim_disk_set_forgetful(simulated, seed % 2 == 0);
    for (uint64_t seq = 10; seq <= 20; seq += 10)
        assert_int_equal(write_one(seq, 5000), STATUS_OK);
    sim_disk_fail_next(simulated, operations[seed % 6], 1);
    assert_int_equal(write_one(30, 5000), STATUS_IO);
    sim_disk_fail_next(simulated, operations[seed % 6], 0);
    sim_disk_crash(simulated, SIM_DISK_POWER_LOSS);
    assert_int_equal(snapshots_list(directory, seqs, &count), STATUS_OK);
    assert_in_range(count, 2, 3);
    for (unsigned i = 0; i < count; i++)
        it_is_read_as_it_was_written(seqs[i], 5000);
    assert_true(seqs[0] == 30 || (seqs[0] == 20 && seqs[1] == 10));
    assert_int_equal(write_one(40, 5000), STATUS_OK);
    these_are_listed(40, seqs[0]);
    assert_int_equal(directory_count(""), 2);
}

static void those_that_are_listed_are_sound_whatever_fails(void **state)
{
    (void)state;
    seeds_run(__func__, 120, fail_and_lose_power);
}

static void a_disk_that_cannot_be_read_is_not_called_damage(void **state)
{
    (void)state;
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count;
    assert_int_equal(write_one(10, SMALL), STATUS_OK);
    sim_disk_fail_next(simulated, SIM_DISK_OPEN, 1);
    assert_int_equal(read_one(10), STATUS_IO);
    sim_disk_fail_next(simulated, SIM_DISK_READ, 1);
    assert_int_equal(read_one(10), STATUS_IO);
    sim_disk_fail_next(simulated, SIM_DISK_LIST, 1);
    assert_int_equal(snapshots_list(directory, seqs, &count), STATUS_IO);
    it_is_read_as_it_was_written(10, SMALL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH_DISKS(what_is_written_is_read_back_whatever_its_size),
        ON_BOTH_DISKS(the_two_newest_stay),
        ON_BOTH_DISKS(one_of_the_same_sequence_takes_its_place),
        ON_BOTH_DISKS(the_newest_are_listed_however_many_there_are),
        ON_BOTH_DISKS(other_files_are_let_alone),
        ON_BOTH_DISKS(what_a_crash_left_unfinished_goes_with_the_next),
        ON_BOTH_DISKS(every_flipped_bit_is_seen),
        ON_BOTH_DISKS(one_that_is_too_short_or_too_long_is_seen),
        ON_BOTH_DISKS(one_under_another_name_is_seen),
        ON_SIM_DISK(without_space_nothing_has_changed),
        ON_SIM_DISK(those_that_are_listed_are_sound_whatever_fails),
        ON_SIM_DISK(a_disk_that_cannot_be_read_is_not_called_damage),
    };
    seeds_arguments(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
