#include "tests/unit/sim/sim_disk_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/base/seeds.h"

sim_disk_t *disk;
const struct disk *ops;

int disk_new(void **state)
{
    (void)state;
    disk = sim_disk_new(1);
    ops = sim_disk_ops(disk);
    return 0;
}

int disk_destroy(void **state)
{
    sim_disk_destroy(&disk);
    return seeds_tell(state);
}

void reseed(uint64_t seed)
{
    sim_disk_destroy(&disk);
    disk = sim_disk_new(seed);
    ops = sim_disk_ops(disk);
}

int make(const char *name)
{
    int file;
    assert_int_equal(ops->create(ops->self, name, &file), STATUS_OK);
    return file;
}

int reopen(const char *name)
{
    int file;
    assert_int_equal(ops->open(ops->self, name, &file), STATUS_OK);
    return file;
}

void put(int file, unsigned sector, unsigned count, uint8_t byte)
{
    uint8_t bytes[SECTORS * SECTOR];
    memset(bytes, byte, sizeof bytes);
    assert_in_range(count, 1, SECTORS);
    assert_int_equal(ops->write(ops->self, file, sector * SECTOR, bytes, count * SECTOR),
                     STATUS_OK);
}

uint8_t get(int file, unsigned sector)
{
    uint8_t bytes[SECTOR];
    size_t got = 0;
    assert_int_equal(ops->read(ops->self, file, sector * SECTOR, bytes, SECTOR, &got), STATUS_OK);
    assert_int_equal(got, SECTOR);
    for (size_t i = 0; i < SECTOR; i++)
        assert_int_equal(bytes[i], bytes[0]);
    return bytes[0];
}

void sync_file(int file)
{
    assert_int_equal(ops->sync(ops->self, file), STATUS_OK);
}

uint64_t size_of(int file)
{
    uint64_t size = 0;
    assert_int_equal(ops->size(ops->self, file, &size), STATUS_OK);
    return size;
}

void latency(uint64_t least_ns, uint64_t most_ns, uint64_t once_in, uint64_t slow_ns)
{
    const struct sim_disk_latency l = {least_ns, most_ns, once_in, slow_ns};
    sim_disk_set_slow(disk, &l);
}
