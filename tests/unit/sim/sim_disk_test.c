/* sim_disk: a directory as disk.h says, and each fault but power loss, counted. */
#include "tests/sim/sim_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim/sim_disk_kit.h"

static void processes_share_the_files_but_not_what_is_open(void **state)
{
    (void)state;
    int file = make("a"), theirs, holder = 0;
    sim_disk_t *other = sim_disk_share(disk);
    const struct disk *other_ops = sim_disk_ops(other);
    uint8_t byte = 0;
    size_t got = 0;
    put(file, 0, 1, 7);
    assert_int_equal(other_ops->open(other_ops->self, "a", &theirs), STATUS_OK);
    assert_int_equal(other_ops->read(other_ops->self, theirs, 9, &byte, 1, &got), STATUS_OK);
    assert_int_equal(byte, 7);
    assert_int_equal(ops->lock(ops->self, &holder), STATUS_OK);
    assert_int_equal(other_ops->lock(other_ops->self, &holder), STATUS_IN_USE);
    assert_int_equal(holder, 1);
    sim_disk_crash(disk, SIM_DISK_KILL);
    assert_int_equal(other_ops->lock(other_ops->self, &holder), STATUS_OK);
    assert_int_equal(other_ops->read(other_ops->self, theirs, 9, &byte, 1, &got), STATUS_OK);
    assert_int_equal(ops->lock(ops->self, &holder), STATUS_IN_USE);
    assert_int_equal(holder, 2);
    sim_disk_destroy(&other);
    assert_int_equal(ops->lock(ops->self, &holder), STATUS_OK);
}

static void a_background_sync_ends_in_its_time_and_tells_it_once(void **state)
{
    (void)state;
    int file = make("a");
    latency(100, 100, 0, 0);
    sim_disk_advance(disk, 1000);
    put(file, 0, 1, 1);
    assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_NONE);
    assert_int_equal(ops->sync_begin(ops->self, file), STATUS_OK);
    assert_int_equal(sim_disk_next_ns(disk), 1100);
    sim_disk_advance(disk, 1099);
    assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_RUNNING);
    sim_disk_advance(disk, 1100);
    assert_true(sim_disk_next_ns(disk) == UINT64_MAX);
    assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_DONE);
    assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_NONE);
    assert_int_equal(sim_disk_spent_ns(disk), 0);
    assert_int_equal(ops->fd(ops->self), -1);
}

static void what_waits_for_the_disk_spends_time(void **state)
{
    (void)state;
    int file = make("a"), other = make("b");
    latency(100, 100, 0, 0);
    sync_file(file);
    assert_int_equal(sim_disk_spent_ns(disk), 100);
    /* for the background sync too, whose end is told as ever */
    assert_int_equal(ops->sync_begin(ops->self, file), STATUS_OK);
    sim_disk_advance(disk, 30);
    sync_file(file);
    assert_int_equal(sim_disk_spent_ns(disk), 100 + 70 + 100);
    assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_DONE);
    put(other, 0, 1, 1);
    assert_int_equal(ops->sync_begin(ops->self, other), STATUS_OK);
    ops->close(ops->self, other);
    assert_int_equal(sim_disk_spent_ns(disk), 270 + 100);
    sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
    assert_int_equal(get(reopen("b"), 0), 1);
}

static void a_slow_sync_is_counted(void **state)
{
    (void)state;
    int file = make("a");
    latency(1, 9, 4, 5000);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t before = sim_disk_spent_ns(disk), slow = sim_disk_counts(disk).slow;
        sync_file(file);
        uint64_t spent = sim_disk_spent_ns(disk) - before;
        assert_true(spent == 5000 || (spent >= 1 && spent <= 9));
        assert_int_equal(sim_disk_counts(disk).slow - slow, spent == 5000);
    }
    assert_in_range(sim_disk_counts(disk).slow, 5, 60);
}

static void a_full_disk_takes_what_fits_and_says_so(void **state)
{
    (void)state;
    uint8_t bytes[101] = {0};
    int file = make("a");
    sim_disk_set_full(disk, 100);
    assert_int_equal(ops->write(ops->self, file, 0, bytes, 99), STATUS_OK);
    assert_int_equal(ops->write(ops->self, file, 99, bytes, 1), STATUS_OK);
    assert_int_equal(sim_disk_counts(disk).full, 0);
    assert_int_equal(ops->write(ops->self, file, 100, bytes, 1), STATUS_FULL);
    assert_int_equal(sim_disk_counts(disk).full, 1);
    assert_int_equal(ops->write(ops->self, file, 0, bytes, 100), STATUS_OK); /* takes no space */
    assert_int_equal(ops->write(ops->self, file, 0, bytes, 101), STATUS_FULL);
    assert_int_equal(size_of(file), 100);
    sim_disk_set_full(disk, 10);
    assert_int_equal(ops->write(ops->self, file, 100, bytes, 11), STATUS_FULL);
    assert_int_equal(size_of(file), 110);
    sim_disk_set_full(disk, 10);
    assert_int_equal(ops->write(ops->self, file, 200, bytes, 1), STATUS_FULL);
    assert_int_equal(size_of(file), 110);
}

static void what_is_removed_and_closed_gives_back_its_space(void **state)
{
    (void)state;
    int file = make("a"), other = make("b");
    sim_disk_set_full(disk, SECTOR);
    put(file, 0, 1, 1);
    assert_int_equal(ops->write(ops->self, other, 0, "x", 1), STATUS_FULL);
    assert_int_equal(ops->remove(ops->self, "a"), STATUS_OK);
    assert_int_equal(get(file, 0), 1); /* it is still open */
    assert_int_equal(ops->write(ops->self, other, 0, "x", 1), STATUS_FULL);
    ops->close(ops->self, file);
    put(other, 0, 1, 2);
    assert_int_equal(ops->write(ops->self, other, SECTOR, "x", 1), STATUS_FULL);
}

static void names_change_at_once_and_for_good(void **state)
{
    (void)state;
    int file = make("a"), other = make("b"), none;
    put(file, 0, 1, 1);
    sync_file(file);
    assert_true(ops->holds(ops->self, "a", file));
    assert_false(ops->holds(ops->self, "a", other));
    assert_int_equal(ops->rename(ops->self, "a", "b"), STATUS_OK);
    assert_false(ops->holds(ops->self, "a", file));
    assert_true(ops->holds(ops->self, "b", file));
    assert_false(ops->holds(ops->self, "b", other));
    assert_int_equal(ops->rename(ops->self, "a", "c"), STATUS_MISSING);
    assert_int_equal(ops->remove(ops->self, "a"), STATUS_MISSING);
    assert_int_equal(ops->open(ops->self, "a", &none), STATUS_MISSING);
    sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
    assert_int_equal(get(reopen("b"), 0), 1);
    assert_int_equal(size_of(make("b")), 0);
    assert_int_equal(ops->remove(ops->self, "b"), STATUS_OK);
    sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
    assert_int_equal(ops->open(ops->self, "b", &none), STATUS_MISSING);
}

static void list_one(void *to, const char *name, uint64_t size)
{
    size_t length = strlen(to);
    snprintf((char *)to + length, 100 - length, "%s:%d ", name, (int)size);
}

static void a_list_has_each_file_once_with_its_size(void **state)
{
    (void)state;
    char text[100] = "";
    put(make("a"), 0, 1, 1);
    make("b");
    int gone = make("c");
    assert_int_equal(ops->remove(ops->self, "c"), STATUS_OK);
    assert_int_equal(ops->list(ops->self, list_one, text), STATUS_OK);
    assert_string_equal(text, "b:0 a:512 ");
    ops->close(ops->self, gone);
}

static enum status perform(enum sim_disk_operation operation, int file)
{
    int other;
    char text[100] = "";
    uint8_t bytes[SECTOR] = {0};
    size_t got;
    switch (operation) {
    case SIM_DISK_LIST:
        return ops->list(ops->self, list_one, text);
    case SIM_DISK_OPEN:
        return ops->open(ops->self, "a", &other);
    case SIM_DISK_CREATE:
        return ops->create(ops->self, "b", &other);
    case SIM_DISK_READ:
        return ops->read(ops->self, file, 0, bytes, sizeof bytes, &got);
    case SIM_DISK_WRITE:
        return ops->write(ops->self, file, 0, bytes, sizeof bytes);
    case SIM_DISK_SYNC:
        return ops->sync(ops->self, file);
    case SIM_DISK_RENAME:
        make("from");
        return ops->rename(ops->self, "from", "to");
    case SIM_DISK_REMOVE:
        make("there");
        return ops->remove(ops->self, "there");
    case SIM_DISK_OPERATIONS:
        break;
    }
    fail();
    return STATUS_INVALID;
}

static void each_operation_fails_as_often_as_told(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIM_DISK_OPERATIONS; i++) {
        enum sim_disk_operation operation = (enum sim_disk_operation)i;
        reseed(i);
        int file = make("a");
        assert_int_equal(perform(operation, file), STATUS_OK);
        sim_disk_fail_next(disk, operation, 2);
        assert_int_equal(perform(operation, file), STATUS_IO);
        assert_int_equal(perform(operation, file), STATUS_IO);
        assert_int_equal(perform(operation, file), STATUS_OK);
        assert_int_equal(sim_disk_counts(disk).failed, 2);
    }
}

static void what_fails_may_be_done_or_done_in_part_or_not(void **state)
{
    (void)state;
    unsigned renamed = 0, removed = 0, made = 0, written[2] = {0};
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint8_t bytes[100] = {0};
        int file, none;
        reseed(seed);
        file = make("a");
        make("b");
        for (unsigned i = 0; i < SIM_DISK_OPERATIONS; i++)
            sim_disk_fail_next(disk, (enum sim_disk_operation)i, 1);
        sim_disk_fail_next(disk, SIM_DISK_OPEN, 0);
        assert_int_equal(ops->create(ops->self, "c", &none), STATUS_IO);
        assert_int_equal(ops->rename(ops->self, "a", "d"), STATUS_IO);
        assert_int_equal(ops->remove(ops->self, "b"), STATUS_IO);
        assert_int_equal(ops->write(ops->self, file, 0, bytes, sizeof bytes), STATUS_IO);
        made += ops->open(ops->self, "c", &none) == STATUS_OK;
        removed += ops->open(ops->self, "b", &none) == STATUS_MISSING;
        renamed += ops->holds(ops->self, "d", file);
        assert_true(ops->holds(ops->self, "a", file) != ops->holds(ops->self, "d", file));
        written[0] += size_of(file) < 50;
        written[1] += size_of(file) >= 50;
    }
    assert_in_range(made, 20, 80);
    assert_in_range(renamed, 20, 80);
    assert_in_range(removed, 20, 80);
    assert_in_range(written[0], 20, 80);
    assert_in_range(written[1], 20, 80);
}

static void a_sync_fails_if_the_one_in_the_background_did(void **state)
{
    (void)state;
    int file = make("a");
    sim_disk_fail_next(disk, SIM_DISK_SYNC, 1);
    assert_int_equal(ops->sync_begin(ops->self, file), STATUS_OK);
    assert_int_equal(ops->sync(ops->self, file), STATUS_IO);
    assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_FAILED);
    sync_file(file);
}

static void a_flip_changes_one_bit_for_good(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        reseed(seed);
        int file = make("a");
        uint8_t bytes[2 * SECTOR];
        size_t got;
        put(file, 0, 2, 1);
        sync_file(file);
        put(file, 0, 2, 1); /* versions that a power loss may bring back */
        assert_true(sim_disk_flip(disk, "a", 2 * SECTOR - 1, 7));
        assert_false(sim_disk_flip(disk, "a", 2 * SECTOR, 0));
        assert_false(sim_disk_flip(disk, "b", 0, 0));
        assert_int_equal(sim_disk_counts(disk).flipped, 1);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        file = reopen("a");
        assert_int_equal(ops->read(ops->self, file, 0, bytes, sizeof bytes, &got), STATUS_OK);
        for (size_t i = 0; i < sizeof bytes; i++)
            assert_int_equal(bytes[i], i == sizeof bytes - 1 ? 0x81 : 1);
    }
}

static void a_random_flip_says_what_it_flipped(void **state)
{
    (void)state;
    struct sim_disk_flip flip;
    unsigned data = 0;
    assert_false(sim_disk_flip_random(disk, NULL, &flip));
    int file = make("a.one"), other = make("b.two");
    put(file, 0, SECTORS, 0);
    assert_false(sim_disk_flip_random(disk, ".two", &flip));
    put(other, 0, SECTORS, 0);
    put(other, 3, 1, 0xFF);
    for (unsigned i = 0; i < 100; i++) {
        uint8_t before = 0, after = 0;
        size_t got;
        sim_disk_t *copy = sim_disk_copy(disk, i);
        const struct disk *c = sim_disk_ops(copy);
        assert_true(sim_disk_flip_random(copy, ".two", &flip));
        assert_string_equal(flip.name, "b.two");
        int flipped;
        assert_int_equal(c->open(c->self, "b.two", &flipped), STATUS_OK);
        assert_int_equal(ops->read(ops->self, other, flip.offset, &before, 1, &got), STATUS_OK);
        assert_int_equal(c->read(c->self, flipped, flip.offset, &after, 1, &got), STATUS_OK);
        assert_int_equal(before ^ after, 1 << flip.bit);
        data += before == 0xFF;
        sim_disk_destroy(&copy);
    }
    assert_in_range(data, 40, 80); /* an eighth, and half of the rest */
}

static void a_vanished_directory_has_no_names(void **state)
{
    (void)state;
    char text[100] = "";
    int file = make("a"), none;
    sim_disk_set_vanished(disk, true);
    assert_int_equal(ops->open(ops->self, "a", &none), STATUS_MISSING);
    assert_int_equal(ops->create(ops->self, "b", &none), STATUS_IO);
    assert_int_equal(ops->list(ops->self, list_one, text), STATUS_IO);
    assert_int_equal(ops->rename(ops->self, "a", "b"), STATUS_MISSING);
    assert_int_equal(ops->remove(ops->self, "a"), STATUS_MISSING);
    assert_false(ops->holds(ops->self, "a", file));
    put(file, 0, 1, 1);
    assert_int_equal(sim_disk_counts(disk).vanished, 6);
    sim_disk_set_vanished(disk, false);
    assert_true(ops->holds(ops->self, "a", file));
    assert_int_equal(get(reopen("a"), 0), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_new, disk_destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(processes_share_the_files_but_not_what_is_open),
        TEST(a_background_sync_ends_in_its_time_and_tells_it_once),
        TEST(what_waits_for_the_disk_spends_time),
        TEST(a_slow_sync_is_counted),
        TEST(a_full_disk_takes_what_fits_and_says_so),
        TEST(what_is_removed_and_closed_gives_back_its_space),
        TEST(names_change_at_once_and_for_good),
        TEST(a_list_has_each_file_once_with_its_size),
        TEST(each_operation_fails_as_often_as_told),
        TEST(what_fails_may_be_done_or_done_in_part_or_not),
        TEST(a_sync_fails_if_the_one_in_the_background_did),
        TEST(a_flip_changes_one_bit_for_good),
        TEST(a_random_flip_says_what_it_flipped),
        TEST(a_vanished_directory_has_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
