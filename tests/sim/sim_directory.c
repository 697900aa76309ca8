/* sim_directory: an entry is a name and its file; one that was removed or renamed over lives on
 * without a name until nobody has it open. */
#include "tests/sim/sim_directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void name_set(struct entry *e, const char *name)
{
    CHECK(name[0] != '\0' && strlen(name) < DISK_NAME_SIZE && strchr(name, '/') == NULL);
    snprintf(e->name, sizeof e->name, "%s", name);
}

struct directory *directory_new(uint64_t seed)
{
    struct directory *dir = calloc(1, sizeof *dir);
    CHECK(dir != NULL);
    dir->random.state = seed;
    dir->bytes_free = UINT64_MAX;
    dir->latency = (struct sim_disk_latency){
        .least_ns = 80000, .most_ns = 200000, .slow_once_in = 1000, .slow_ns = 50000000};
    return dir;
}

void directory_destroy(struct directory **dir_p)
{
    struct directory *dir = *dir_p;
    while (dir->entries != NULL)
        directory_unname(dir, dir->entries);
    free(dir);
    *dir_p = NULL;
}

struct entry *directory_find(const struct directory *dir, const char *name)
{
    struct entry *e = dir->vanished ? NULL : dir->entries;
    while (e != NULL && strcmp(e->name, name) != 0)
        e = e->next;
    return e;
}

struct entry *directory_add(struct directory *dir, const char *name, sim_file_t *file)
{
    struct entry *old = directory_find(dir, name);
    struct entry *e = calloc(1, sizeof *e);
    CHECK(e != NULL);
    name_set(e, name);
    e->file = file;
    e->next = dir->entries;
    dir->entries = e;
    if (old != NULL)
        directory_unname(dir, old);
    return e;
}

void directory_rename(struct directory *dir, struct entry *e, const char *name)
{
    struct entry *old = directory_find(dir, name);
    if (old != NULL && old != e)
        directory_unname(dir, old);
    name_set(e, name);
}

void directory_unname(struct directory *dir, struct entry *e)
{
    e->name[0] = '\0';
    directory_release(dir, e);
}

void directory_release(struct directory *dir, struct entry *e)
{
    if (e->name[0] != '\0' || e->opened > 0)
        return;
    if (dir->bytes_free != UINT64_MAX)
        dir->bytes_free += sim_file_size(e->file);
    struct entry **at = &dir->entries;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    sim_file_destroy(&e->file);
    free(e);
}

bool directory_fails(struct directory *dir, enum sim_disk_operation operation)
{
    if (dir->fail[operation] == 0)
        return false;
    dir->fail[operation]--;
    dir->counts.failed++;
    errno = EIO;
    return true;
}

bool directory_vanished(struct directory *dir)
{
    if (dir->vanished) {
        dir->counts.vanished++;
        errno = ENOENT;
    }
    return dir->vanished;
}

size_t directory_room(struct directory *dir, const struct entry *e, uint64_t at, size_t size)
{
    uint64_t end = sim_file_size(e->file), more = at + size > end ? at + size - end : 0;
    if (dir->bytes_free == UINT64_MAX)
        return size;
    if (more > dir->bytes_free) {
        uint64_t over = more - dir->bytes_free;
        size = over < size ? size - (size_t)over : 0;
        more = size > 0 ? dir->bytes_free : 0;
        dir->counts.full++;
        errno = ENOSPC;
    }
    dir->bytes_free -= more;
    return size;
}

uint64_t directory_latency(struct directory *dir)
{
    const struct sim_disk_latency *l = &dir->latency;
    if (l->slow_once_in > 0 && random_once_in(&dir->random, l->slow_once_in)) {
        dir->counts.slow++;
        return l->slow_ns;
    }
    return l->least_ns + random_below(&dir->random, l->most_ns - l->least_ns + 1);
}

void directory_power_loss(struct directory *dir)
{
    struct sim_file_losses losses = {0};
    for (struct entry *e = dir->entries; e != NULL; e = e->next) {
        uint64_t size = sim_file_size(e->file);
        sim_file_power_loss(e->file, &dir->random, &losses);
        if (dir->bytes_free != UINT64_MAX)
            dir->bytes_free += size - sim_file_size(e->file);
    }
    dir->counts.torn += losses.torn;
    dir->counts.lost += losses.lost;
    dir->counts.reordered += losses.reordered;
}

/* The bytes there are to choose from in a file. */
static uint64_t size_of(const struct entry *e, const char *ending)
{
    size_t length = strlen(e->name), wanted = ending == NULL ? 0 : strlen(ending);
    bool fits = wanted == 0 || (length >= wanted && strcmp(e->name + length - wanted, ending) == 0);
    return length > 0 && fits ? sim_file_size(e->file) : 0;
}

/* The first byte from offset on, round the end, that is not zero; offset if all are. */
static uint64_t offset_of_data(const sim_file_t *f, uint64_t offset)
{
    uint64_t size = sim_file_size(f);
    for (uint64_t i = 0; i < size; i++) {
        uint64_t at = (offset + i) % size;
        uint8_t byte = 0;
        sim_file_read(f, at, &byte, 1);
        if (byte != 0)
            return at;
    }
    return offset;
}

bool directory_byte(struct directory *dir, const char *ending, const struct entry **found,
                    uint64_t *offset)
{
    uint64_t files = 0;
    for (const struct entry *e = dir->entries; e != NULL; e = e->next)
        files += size_of(e, ending) > 0;
    if (files == 0)
        return false;
    uint64_t skip = random_below(&dir->random, files);
    const struct entry *e = dir->entries;
    while (size_of(e, ending) == 0 || skip-- > 0)
        e = e->next;
    *offset = random_below(&dir->random, sim_file_size(e->file));
    if (random_once_in(&dir->random, 2))
        *offset = offset_of_data(e->file, *offset);
    *found = e;
    return true;
}
