/* sim_disk: one process's use of a directory: what it has open, what it syncs, what it waited. */
#include "tests/sim/sim_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/sim/sim_directory.h"

enum {
    OPEN_MAX = 64,     /* files of one process: far more than a journal needs */
    SYNCS_RUNNING = 2, /* as disk.h says */
};

struct open_file {
    struct entry *entry; /* NULL: this number is free */
    enum disk_sync sync;
    bool sync_fails;
    bool lost; /* another process's sync failed: the next to end here does, as on Linux */
    uint64_t sync_ends_ns, sync_stamp, sync_size;
};

struct sim_disk {
    struct disk ops;
    struct directory *directory;
    sim_disk_t *next_user;
    int process;
    uint64_t now_ns, spent_ns;
    struct open_file files[OPEN_MAX];
};

/* ---- what disk.h asks ---- */

static struct open_file *file_of(sim_disk_t *d, int file)
{
    CHECK(file >= 0 && file < OPEN_MAX && d->files[file].entry != NULL);
    return &d->files[file];
}

static int file_add(sim_disk_t *d, struct entry *e)
{
    int file = 0;
    while (file < OPEN_MAX && d->files[file].entry != NULL)
        file++;
    CHECK(file < OPEN_MAX);
    d->files[file] = (struct open_file){.entry = e};
    e->opened++;
    return file;
}

static void file_drop(sim_disk_t *d, struct open_file *f)
{
    struct entry *e = f->entry;
    *f = (struct open_file){.entry = NULL};
    e->opened--;
    directory_release(d->directory, e);
}

/* What fails may have been done all the same. */
static bool done_anyway(struct directory *dir)
{
    return random_once_in(&dir->random, 2);
}

static enum status sim_list(void *self, void (*file)(void *to, const char *name, uint64_t size),
                            void *to)
{
    struct directory *dir = ((sim_disk_t *)self)->directory;
    if (directory_vanished(dir) || directory_fails(dir, SIM_DISK_LIST))
        return STATUS_IO;
    for (const struct entry *e = dir->entries; e != NULL; e = e->next) {
        if (e->name[0] != '\0')
            file(to, e->name, sim_file_size(e->file));
    }
    return STATUS_OK;
}

static enum status sim_open(void *self, const char *name, int *file)
{
    sim_disk_t *d = self;
    struct directory *dir = d->directory;
    if (directory_vanished(dir))
        return STATUS_MISSING;
    if (directory_fails(dir, SIM_DISK_OPEN))
        return STATUS_IO;
    struct entry *e = directory_find(dir, name);
    if (e == NULL)
        return STATUS_MISSING;
    *file = file_add(d, e);
    return STATUS_OK;
}

static enum status sim_create(void *self, const char *name, int *file)
{
    sim_disk_t *d = self;
    struct directory *dir = d->directory;
    if (directory_vanished(dir))
        return STATUS_IO;
    bool failed = directory_fails(dir, SIM_DISK_CREATE);
    if (failed && !done_anyway(dir))
        return STATUS_IO;
    struct entry *e = directory_add(dir, name, sim_file_new());
    if (failed)
        return STATUS_IO;
    *file = file_add(d, e);
    return STATUS_OK;
}

static enum status sim_size(void *self, int file, uint64_t *size)
{
    *size = sim_file_size(file_of(self, file)->entry->file);
    return STATUS_OK;
}

static enum status sim_read(void *self, int file, uint64_t at, void *bytes, size_t size,
                            size_t *got)
{
    sim_disk_t *d = self;
    const struct open_file *f = file_of(d, file);
    if (directory_fails(d->directory, SIM_DISK_READ))
        return STATUS_IO;
    *got = sim_file_read(f->entry->file, at, bytes, size);
    return STATUS_OK;
}

static enum status sim_write(void *self, int file, uint64_t at, const void *bytes, size_t size)
{
    sim_disk_t *d = self;
    struct directory *dir = d->directory;
    struct entry *e = file_of(d, file)->entry;
    bool failed = directory_fails(dir, SIM_DISK_WRITE);
    if (failed)
        size = (size_t)random_below(&dir->random, size + 1);
    size_t room = directory_room(dir, e, at, size);
    sim_file_write(e->file, at, bytes, room, ++dir->stamp);
    if (failed)
        return STATUS_IO;
    return room < size ? STATUS_FULL : STATUS_OK;
}

/* The sync that begins now; it ends latency later. */
static void sync_start(sim_disk_t *d, struct open_file *f)
{
    struct directory *dir = d->directory;
    f->sync = DISK_SYNC_RUNNING;
    f->sync_stamp = dir->stamp;
    f->sync_size = sim_file_size(f->entry->file);
    f->sync_fails = directory_fails(dir, SIM_DISK_SYNC);
    f->sync_ends_ns = d->now_ns + directory_latency(dir);
}

/* All who have the file open hear of it, each once. */
static void tell_others(sim_disk_t *d, const struct entry *e)
{
    for (sim_disk_t *user = d->directory->users; user != NULL; user = user->next_user) {
        for (int file = 0; user != d && file < OPEN_MAX; file++)
            user->files[file].lost = user->files[file].lost || user->files[file].entry == e;
    }
}

static void sync_end(sim_disk_t *d, struct open_file *f)
{
    bool fails = f->sync_fails || f->lost;
    f->sync = fails ? DISK_SYNC_FAILED : DISK_SYNC_DONE;
    if (!fails)
        sim_file_settle(f->entry->file, f->sync_stamp, f->sync_size);
    else if (d->directory->forgetful)
        sim_file_doom(f->entry->file, f->sync_stamp);
    if (f->sync_fails)
        tell_others(d, f->entry);
    f->lost = false;
}

/* Wait for the one that is running, if one is. */
static void sync_wait(sim_disk_t *d, struct open_file *f)
{
    if (f->sync != DISK_SYNC_RUNNING)
        return;
    d->spent_ns += f->sync_ends_ns - d->now_ns;
    sync_end(d, f);
}

static enum status sim_sync(void *self, int file)
{
    sim_disk_t *d = self;
    struct open_file *f = file_of(d, file);
    struct open_file now = {.entry = f->entry};
    sync_wait(d, f);
    bool failed = f->sync == DISK_SYNC_FAILED;
    if (!failed) {
        now.lost = f->lost;
        f->lost = false;
        sync_start(d, &now);
        sync_wait(d, &now);
        failed = now.sync == DISK_SYNC_FAILED;
    }
    if (failed)
        errno = EIO;
    return failed ? STATUS_IO : STATUS_OK;
}

static enum status sim_sync_begin(void *self, int file)
{
    sim_disk_t *d = self;
    struct open_file *f = file_of(d, file);
    unsigned running = 0;
    for (int i = 0; i < OPEN_MAX; i++)
        running += d->files[i].sync != DISK_SYNC_NONE;
    CHECK(f->sync == DISK_SYNC_NONE && running < SYNCS_RUNNING);
    sync_start(d, f);
    return STATUS_OK;
}

static enum disk_sync sim_sync_state(void *self, int file)
{
    struct open_file *f = file_of(self, file);
    enum disk_sync state = f->sync;
    if (state != DISK_SYNC_RUNNING)
        f->sync = DISK_SYNC_NONE;
    if (state == DISK_SYNC_FAILED)
        errno = EIO;
    return state;
}

static void sim_close(void *self, int file)
{
    sim_disk_t *d = self;
    struct open_file *f = file_of(d, file);
    sync_wait(d, f);
    file_drop(d, f);
}

static int sim_fd(void *self)
{
    (void)self;
    return -1;
}

static enum status sim_rename(void *self, const char *from, const char *to)
{
    struct directory *dir = ((sim_disk_t *)self)->directory;
    if (directory_vanished(dir))
        return STATUS_MISSING;
    bool failed = directory_fails(dir, SIM_DISK_RENAME);
    struct entry *e = directory_find(dir, from);
    if (e != NULL && (!failed || done_anyway(dir)))
        directory_rename(dir, e, to);
    if (failed)
        return STATUS_IO;
    return e == NULL ? STATUS_MISSING : STATUS_OK;
}

static enum status sim_remove(void *self, const char *name)
{
    struct directory *dir = ((sim_disk_t *)self)->directory;
    if (directory_vanished(dir))
        return STATUS_MISSING;
    bool failed = directory_fails(dir, SIM_DISK_REMOVE);
    struct entry *e = directory_find(dir, name);
    if (e != NULL && (!failed || done_anyway(dir)))
        directory_unname(dir, e);
    if (failed)
        return STATUS_IO;
    return e == NULL ? STATUS_MISSING : STATUS_OK;
}

static bool sim_holds(void *self, const char *name, int file)
{
    sim_disk_t *d = self;
    const struct entry *e = file_of(d, file)->entry;
    return !directory_vanished(d->directory) && strcmp(e->name, name) == 0;
}

static enum status sim_lock(void *self, int *holder)
{
    sim_disk_t *d = self;
    const sim_disk_t *by = d->directory->locked_by;
    CHECK(by != d);
    if (by != NULL) {
        *holder = by->process;
        return STATUS_IN_USE;
    }
    d->directory->locked_by = d;
    return STATUS_OK;
}

/* ---- the disk, and who uses it ---- */

static sim_disk_t *user_new(struct directory *dir)
{
    sim_disk_t *d = calloc(1, sizeof *d);
    CHECK(d != NULL);
    d->ops = (struct disk){
        .self = d,
        .path = "sim",
        .list = sim_list,
        .open = sim_open,
        .create = sim_create,
        .close = sim_close,
        .size = sim_size,
        .read = sim_read,
        .write = sim_write,
        .sync = sim_sync,
        .sync_begin = sim_sync_begin,
        .sync_state = sim_sync_state,
        .fd = sim_fd,
        .rename = sim_rename,
        .remove = sim_remove,
        .holds = sim_holds,
        .lock = sim_lock,
    };
    d->directory = dir;
    d->process = ++dir->processes;
    d->next_user = dir->users;
    dir->users = d;
    return d;
}

/* The process is no more; the system closes its files and waits for nothing. */
static void user_end(sim_disk_t *d)
{
    for (int file = 0; file < OPEN_MAX; file++) {
        if (d->files[file].entry != NULL)
            file_drop(d, &d->files[file]);
    }
    if (d->directory->locked_by == d)
        d->directory->locked_by = NULL;
}

sim_disk_t *sim_disk_new(uint64_t seed)
{
    return user_new(directory_new(seed));
}

sim_disk_t *sim_disk_share(sim_disk_t *d)
{
    sim_disk_t *other = user_new(d->directory);
    other->now_ns = d->now_ns;
    return other;
}

sim_disk_t *sim_disk_copy(const sim_disk_t *d, uint64_t seed)
{
    sim_disk_t *copy = sim_disk_new(seed);
    for (const struct entry *e = d->directory->entries; e != NULL; e = e->next) {
        if (e->name[0] != '\0')
            directory_add(copy->directory, e->name, sim_file_copy(e->file));
    }
    return copy;
}

void sim_disk_destroy(sim_disk_t **d_p)
{
    sim_disk_t *d = *d_p;
    if (d == NULL)
        return;
    struct directory *dir = d->directory;
    user_end(d);
    sim_disk_t **at = &dir->users;
    while (*at != d)
        at = &(*at)->next_user;
    *at = d->next_user;
    free(d);
    *d_p = NULL;
    if (dir->users == NULL)
        directory_destroy(&dir);
}

const struct disk *sim_disk_ops(sim_disk_t *d)
{
    return &d->ops;
}

void sim_disk_advance(sim_disk_t *d, uint64_t now_ns)
{
    CHECK(now_ns >= d->now_ns);
    d->now_ns = now_ns;
    for (int file = 0; file < OPEN_MAX; file++) {
        struct open_file *f = &d->files[file];
        if (f->sync == DISK_SYNC_RUNNING && f->sync_ends_ns <= now_ns)
            sync_end(d, f);
    }
}

uint64_t sim_disk_next_ns(const sim_disk_t *d)
{
    uint64_t next_ns = UINT64_MAX;
    for (int file = 0; file < OPEN_MAX; file++) {
        const struct open_file *f = &d->files[file];
        if (f->sync == DISK_SYNC_RUNNING && f->sync_ends_ns < next_ns)
            next_ns = f->sync_ends_ns;
    }
    return next_ns;
}

uint64_t sim_disk_spent_ns(const sim_disk_t *d)
{
    return d->spent_ns;
}

void sim_disk_crash(sim_disk_t *d, enum sim_disk_crash kind)
{
    user_end(d);
    if (kind == SIM_DISK_KILL)
        return;
    for (sim_disk_t *user = d->directory->users; user != NULL; user = user->next_user)
        user_end(user);
    directory_power_loss(d->directory);
}

bool sim_disk_flip(sim_disk_t *d, const char *name, uint64_t offset, unsigned bit)
{
    CHECK(bit < 8);
    struct entry *e = directory_find(d->directory, name);
    bool flipped = e != NULL && sim_file_flip(e->file, offset, bit);
    d->directory->counts.flipped += flipped;
    return flipped;
}

bool sim_disk_flip_random(sim_disk_t *d, const char *ending, struct sim_disk_flip *flipped)
{
    struct directory *dir = d->directory;
    const struct entry *e;
    if (!directory_byte(dir, ending, &e, &flipped->offset))
        return false;
    flipped->bit = (unsigned)random_below(&dir->random, 8);
    memcpy(flipped->name, e->name, sizeof flipped->name);
    dir->counts.flipped++;
    return sim_file_flip(e->file, flipped->offset, flipped->bit);
}

void sim_disk_set_full(sim_disk_t *d, uint64_t bytes_free)
{
    d->directory->bytes_free = bytes_free;
}

void sim_disk_set_slow(sim_disk_t *d, const struct sim_disk_latency *latency)
{
    CHECK(latency->least_ns <= latency->most_ns);
    d->directory->latency = *latency;
}

void sim_disk_fail_next(sim_disk_t *d, enum sim_disk_operation operation, unsigned count)
{
    d->directory->fail[operation] = count;
}

void sim_disk_set_forgetful(sim_disk_t *d, bool forgetful)
{
    d->directory->forgetful = forgetful;
}

void sim_disk_set_vanished(sim_disk_t *d, bool vanished)
{
    d->directory->vanished = vanished;
}

struct sim_disk_counts sim_disk_counts(const sim_disk_t *d)
{
    return d->directory->counts;
}
