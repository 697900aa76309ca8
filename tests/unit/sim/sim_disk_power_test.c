/* sim_disk: what a crash leaves: all that was durable, and any mixture of what was not. */
#include "tests/sim/sim_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/base/seeds.h"
#include "tests/unit/sim/sim_disk_kit.h"

static void a_kill_keeps_everything_written_and_forgets_syncs(void **state)
{
    (void)state;
    int file = make("a");
    put(file, 0, 3, 5);
    assert_int_equal(ops->sync_begin(ops->self, file), STATUS_OK);
    assert_true(sim_disk_next_ns(disk) != UINT64_MAX);
    sim_disk_crash(disk, SIM_DISK_KILL);
    assert_true(sim_disk_next_ns(disk) == UINT64_MAX);
    sim_disk_advance(disk, UINT64_C(1000000000));
    file = reopen("a");
    assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_NONE);
    assert_int_equal(size_of(file), 3 * SECTOR);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(get(file, i), 5);
    const struct sim_disk_counts c = sim_disk_counts(disk);
    assert_int_equal(c.lost + c.torn + c.reordered, 0);
}

static void what_was_killed_before_its_sync_ended_may_still_be_lost(void **state)
{
    (void)state;
    uint64_t lost = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, 1, 5);
        assert_int_equal(ops->sync_begin(ops->self, file), STATUS_OK);
        sim_disk_crash(disk, SIM_DISK_KILL);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        lost += sim_disk_counts(disk).lost;
    }
    assert_true(lost > 0);
}

static void what_is_synced_survives_every_power_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, SECTORS, 1);
        put(file, 2, 2, 2);
        sync_file(file);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        file = reopen("a");
        assert_int_equal(size_of(file), SECTORS * SECTOR);
        for (unsigned i = 0; i < SECTORS; i++)
            assert_int_equal(get(file, i), i == 2 || i == 3 ? 2 : 1);
        const struct sim_disk_counts c = sim_disk_counts(disk);
        assert_int_equal(c.lost + c.torn + c.reordered, 0);
    }
}

static void a_power_loss_leaves_any_version_of_each_unsynced_sector(void **state)
{
    (void)state;
    unsigned seen[4] = {0};
    struct sim_disk_counts sum = {0};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, SECTORS, 0);
        sync_file(file);
        for (uint8_t version = 1; version <= 3; version++)
            put(file, 0, SECTORS, version);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        file = reopen("a");
        uint64_t changed = 0;
        for (unsigned i = 0; i < SECTORS; i++) {
            uint8_t version = get(file, i);
            assert_in_range(version, 0, 3);
            seen[version]++;
            changed += version != 3;
        }
        const struct sim_disk_counts c = sim_disk_counts(disk);
        assert_int_equal(c.lost, changed);
        sum.torn += c.torn;
        sum.reordered += c.reordered;
    }
    for (unsigned version = 0; version <= 3; version++)
        assert_true(seen[version] > 20);
    assert_true(sum.torn > 20);
    assert_true(sum.reordered > 20);
}

static void a_write_is_torn_only_if_a_part_of_it_survives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, SECTORS, 0);
        sync_file(file);
        put(file, 0, SECTORS, 1);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        file = reopen("a");
        unsigned kept = 0;
        for (unsigned i = 0; i < SECTORS; i++)
            kept += get(file, i);
        const struct sim_disk_counts c = sim_disk_counts(disk);
        assert_int_equal(c.torn, kept > 0 && kept < SECTORS);
        assert_int_equal(c.lost, SECTORS - kept);
        assert_int_equal(c.reordered, 0);
    }
}

static void a_write_is_reordered_only_if_a_later_one_survives_it(void **state)
{
    (void)state;
    unsigned reordered = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, 2, 0);
        sync_file(file);
        put(file, 0, 1, 1);
        put(file, 1, 1, 1);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        file = reopen("a");
        bool wrong_way = get(file, 0) == 0 && get(file, 1) == 1;
        assert_int_equal(sim_disk_counts(disk).reordered, wrong_way);
        reordered += wrong_way;
    }
    assert_true(reordered > 5);
}

static void a_fault_without_effect_is_not_counted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, SECTORS, 1);
        sync_file(file);
        put(file, 0, SECTORS, 1);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        const struct sim_disk_counts c = sim_disk_counts(disk);
        assert_int_equal(c.lost + c.torn + c.reordered, 0);
    }
}

static void an_unsynced_end_of_a_file_may_be_cut_off_anywhere(void **state)
{
    (void)state;
    unsigned none = 0, part = 0, whole = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, 2, 1);
        sync_file(file);
        put(file, 2, 4, 1);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        file = reopen("a");
        uint64_t size = size_of(file);
        assert_in_range(size, 2 * SECTOR, 6 * SECTOR);
        none += size == 2 * SECTOR;
        whole += size == 6 * SECTOR;
        part += size != 2 * SECTOR && size != 6 * SECTOR;
        if (size < 6 * SECTOR)
            assert_true(sim_disk_counts(disk).lost > 0);
        put(file, 7, 1, 9); /* what lies between is zero */
        for (uint64_t at = size; at < UINT64_C(7) * SECTOR; at++) {
            uint8_t byte = 1;
            size_t got = 0;
            assert_int_equal(ops->read(ops->self, file, at, &byte, 1, &got), STATUS_OK);
            assert_int_equal(byte, 0);
        }
    }
    assert_true(none > 5 && part > 5 && whole > 5);
}

static void what_is_written_during_a_sync_is_not_in_it(void **state)
{
    (void)state;
    unsigned lost = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, 2, 1);
        assert_int_equal(ops->sync_begin(ops->self, file), STATUS_OK);
        put(file, 1, 2, 2);
        sim_disk_advance(disk, UINT64_C(1000000000));
        assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_DONE);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        file = reopen("a");
        assert_int_equal(get(file, 0), 1);
        assert_in_range(get(file, 1), 1, 2);
        lost += get(file, 1) == 1;
    }
    assert_true(lost > 5);
}

static void a_background_sync_that_fails_says_so_at_its_end(void **state)
{
    (void)state;
    unsigned lost = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        reseed(seed);
        int file = make("a");
        put(file, 0, 1, 0);
        sync_file(file);
        put(file, 0, 1, 1);
        sim_disk_fail_next(disk, SIM_DISK_SYNC, 1);
        assert_int_equal(ops->sync_begin(ops->self, file), STATUS_OK);
        sim_disk_advance(disk, UINT64_C(1000000000));
        assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_FAILED);
        assert_int_equal(ops->sync_state(ops->self, file), DISK_SYNC_NONE);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        lost += get(reopen("a"), 0) == 0;
    }
    assert_true(lost > 5);
}

/* How often a sector is lost that was written, synced in vain and synced again. */
static unsigned lost_behind_a_failed_sync(bool forgetful, bool rewritten)
{
    unsigned lost = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        reseed(seed);
        sim_disk_set_forgetful(disk, forgetful);
        int file = make("a");
        put(file, 0, 1, 0);
        sync_file(file);
        put(file, 0, 1, 1);
        sim_disk_fail_next(disk, SIM_DISK_SYNC, 1);
        assert_int_equal(ops->sync(ops->self, file), STATUS_IO);
        if (rewritten)
            put(file, 0, 1, 1);
        sync_file(file);
        sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
        lost += get(reopen("a"), 0) == 0;
    }
    return lost;
}

static void a_forgetful_system_loses_what_a_failed_sync_left_behind(void **state)
{
    (void)state;
    assert_int_equal(lost_behind_a_failed_sync(false, false), 0);
    assert_true(lost_behind_a_failed_sync(true, false) > 5);
    assert_int_equal(lost_behind_a_failed_sync(true, true), 0);
}

static void a_copy_is_durable_and_of_its_own(void **state)
{
    (void)state;
    int file = make("a"), copied;
    put(file, 0, 2, 1);
    assert_int_equal(ops->remove(ops->self, "a"), STATUS_OK);
    file = make("b");
    put(file, 0, 2, 3);
    sim_disk_t *copy = sim_disk_copy(disk, 9);
    const struct disk *c = sim_disk_ops(copy);
    put(file, 0, 2, 4);
    sim_disk_crash(copy, SIM_DISK_POWER_LOSS);
    uint8_t byte = 0;
    size_t got;
    assert_int_equal(c->open(c->self, "a", &copied), STATUS_MISSING);
    assert_int_equal(c->open(c->self, "b", &copied), STATUS_OK);
    assert_int_equal(c->read(c->self, copied, SECTOR, &byte, 1, &got), STATUS_OK);
    assert_int_equal(byte, 3);
    sim_disk_destroy(&copy);
}

/* What a sector may be after a power loss: what was written since it was durable. */
struct sector_model {
    uint8_t may_be[256];
    unsigned count, syncing;
};

static void model_crash(struct sector_model sectors[SECTORS], int *file)
{
    sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
    *file = reopen("a");
    for (unsigned i = 0; i < SECTORS; i++) {
        struct sector_model *s = &sectors[i];
        uint8_t is = get(*file, i);
        assert_non_null(memchr(s->may_be, is, s->count));
        *s = (struct sector_model){.may_be = {is}, .count = 1};
    }
}

static void model_settle(struct sector_model sectors[SECTORS])
{
    for (unsigned i = 0; i < SECTORS; i++) {
        struct sector_model *s = &sectors[i];
        s->count -= s->syncing;
        memmove(s->may_be, s->may_be + s->syncing, s->count);
        s->syncing = 0;
    }
}

static void model_write(struct sector_model sectors[SECTORS], int file, struct random *r)
{
    unsigned first = (unsigned)random_below(r, SECTORS);
    unsigned count = (unsigned)random_below(r, SECTORS - first) + 1;
    uint8_t byte = (uint8_t)random_next(r);
    put(file, first, count, byte);
    for (unsigned i = first; i < first + count; i++)
        sectors[i].may_be[sectors[i].count++] = byte;
}

static void random_writes_syncs_and_crashes(uint64_t seed)
{
    struct random r = {.state = seed};
    struct sector_model sectors[SECTORS];
    bool running = false;
    uint64_t now_ns = 0;
    reseed(seed);
    int file = make("a");
    put(file, 0, SECTORS, 0);
    sync_file(file);
    for (unsigned i = 0; i < SECTORS; i++)
        sectors[i] = (struct sector_model){.count = 1};
    for (unsigned step = 0; step < 200; step++) {
        uint64_t kind = random_below(&r, 20);
        if (kind < 12) {
            model_write(sectors, file, &r);
        } else if (kind < 15 && !running) {
            assert_int_equal(ops->sync_begin(ops->self, file), STATUS_OK);
            for (unsigned i = 0; i < SECTORS; i++)
                sectors[i].syncing = sectors[i].count - 1;
            running = true;
        } else if (kind < 18) {
            now_ns += random_below(&r, 200000);
            sim_disk_advance(disk, now_ns);
            if (running && ops->sync_state(ops->self, file) == DISK_SYNC_DONE) {
                model_settle(sectors);
                running = false;
            }
        } else if (kind == 19) {
            model_crash(sectors, &file);
            running = false;
        }
    }
}

static void a_power_loss_takes_nothing_that_was_durable(void **state)
{
    (void)state;
    seeds_run(__func__, 200, random_writes_syncs_and_crashes);
}

/* What a seed makes of the same calls. */
static void run_of(uint64_t seed, uint8_t bytes[SECTORS * SECTOR], struct sim_disk_counts *counts,
                   uint64_t *spent_ns)
{
    size_t got;
    reseed(seed);
    int file = make("a");
    put(file, 0, SECTORS, 1);
    sync_file(file);
    for (uint8_t i = 0; i < 20; i++)
        put(file, i % 4, 4, i);
    sim_disk_crash(disk, SIM_DISK_POWER_LOSS);
    file = reopen("a");
    assert_int_equal(ops->read(ops->self, file, 0, bytes, SECTORS * SECTOR, &got), STATUS_OK);
    *counts = sim_disk_counts(disk);
    *spent_ns = sim_disk_spent_ns(disk);
}

static void a_seed_makes_one_history(void **state)
{
    (void)state;
    unsigned differ = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint8_t bytes[3][SECTORS * SECTOR];
        struct sim_disk_counts counts[3];
        uint64_t spent_ns[3];
        run_of(seed, bytes[0], &counts[0], &spent_ns[0]);
        run_of(seed, bytes[1], &counts[1], &spent_ns[1]);
        run_of(seed + 1, bytes[2], &counts[2], &spent_ns[2]);
        assert_memory_equal(bytes[0], bytes[1], sizeof bytes[0]);
        assert_memory_equal(&counts[0], &counts[1], sizeof counts[0]);
        assert_int_equal(spent_ns[0], spent_ns[1]);
        differ += memcmp(bytes[0], bytes[2], sizeof bytes[0]) != 0;
    }
    assert_true(differ > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_new, disk_destroy)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_kill_keeps_everything_written_and_forgets_syncs),
        TEST(what_was_killed_before_its_sync_ended_may_still_be_lost),
        TEST(what_is_synced_survives_every_power_loss),
        TEST(a_power_loss_leaves_any_version_of_each_unsynced_sector),
        TEST(a_write_is_torn_only_if_a_part_of_it_survives),
        TEST(a_write_is_reordered_only_if_a_later_one_survives_it),
        TEST(a_fault_without_effect_is_not_counted),
        TEST(an_unsynced_end_of_a_file_may_be_cut_off_anywhere),
        TEST(what_is_written_during_a_sync_is_not_in_it),
        TEST(a_background_sync_that_fails_says_so_at_its_end),
        TEST(a_forgetful_system_loses_what_a_failed_sync_left_behind),
        TEST(a_copy_is_durable_and_of_its_own),
        TEST(a_power_loss_takes_nothing_that_was_durable),
        TEST(a_seed_makes_one_history),
    };
    seeds_arguments(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
