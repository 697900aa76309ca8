#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "journal/file_disk.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/journal/directory_kit.h"

const struct disk *directory;
sim_disk_t *simulated;
static file_disk_t *real;

int directory_on_sim_disk(void **state)
{
    (void)state;
    directory_reseed(1);
    return 0;
}

int directory_on_file_disk(void **state)
{
    scratch_open(state);
    assert_int_equal(file_disk_open(&real, "journal", true), STATUS_OK);
    directory = file_disk_ops(real);
    return 0;
}

int directory_close(void **state)
{
    sim_disk_destroy(&simulated);
    if (real != NULL) {
        file_disk_close(&real);
        scratch_close(state);
    }
    return seeds_tell(state);
}

void directory_reseed(uint64_t seed)
{
    sim_disk_destroy(&simulated);
    simulated = sim_disk_new(seed);
    directory = sim_disk_ops(simulated);
}

void directory_restart(void)
{
    if (simulated != NULL) {
        sim_disk_crash(simulated, SIM_DISK_KILL);
        return;
    }
    file_disk_close(&real);
    assert_int_equal(file_disk_open(&real, "journal", false), STATUS_OK);
    directory = file_disk_ops(real);
}

struct wanted {
    const char *ending;
    bool whole;
    unsigned count;
};

static void count(void *to, const char *name, uint64_t size)
{
    struct wanted *w = to;
    size_t length = strlen(name), end = strlen(w->ending);
    (void)size;
    if (length >= end && strcmp(name + length - end, w->ending) == 0 &&
        (!w->whole || length == end))
        w->count++;
}

bool directory_has(const char *name)
{
    struct wanted w = {.ending = name, .whole = true};
    assert_int_equal(directory->list(directory->self, count, &w), STATUS_OK);
    return w.count > 0;
}

unsigned directory_count(const char *ending)
{
    struct wanted w = {.ending = ending};
    assert_int_equal(directory->list(directory->self, count, &w), STATUS_OK);
    return w.count;
}

void directory_put(const char *name, const void *bytes, size_t size)
{
    int file;
    assert_int_equal(directory->create(directory->self, name, &file), STATUS_OK);
    if (size > 0)
        assert_int_equal(directory->write(directory->self, file, 0, bytes, size), STATUS_OK);
    assert_int_equal(directory->sync(directory->self, file), STATUS_OK);
    directory->close(directory->self, file);
}

void directory_get(const char *name, void *bytes, size_t *size)
{
    int file;
    uint64_t whole;
    assert_int_equal(directory->open(directory->self, name, &file), STATUS_OK);
    assert_int_equal(directory->size(directory->self, file, &whole), STATUS_OK);
    assert_in_range(whole, 0, *size);
    assert_int_equal(directory->read(directory->self, file, 0, bytes, *size, size), STATUS_OK);
    assert_int_equal(*size, whole);
    directory->close(directory->self, file);
}

void directory_flip(const char *name, uint64_t offset, unsigned bit)
{
    int file;
    uint8_t byte;
    size_t got;
    assert_int_equal(directory->open(directory->self, name, &file), STATUS_OK);
    assert_int_equal(directory->read(directory->self, file, offset, &byte, 1, &got), STATUS_OK);
    assert_int_equal(got, 1);
    byte ^= (uint8_t)(1U << bit);
    assert_int_equal(directory->write(directory->self, file, offset, &byte, 1), STATUS_OK);
    directory->close(directory->self, file);
}
