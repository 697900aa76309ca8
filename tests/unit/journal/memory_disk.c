#include "tests/unit/journal/memory_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static bool fails(unsigned *countdown)
{
    return *countdown > 0 && --*countdown == 0;
}

/* Something is to be changed: whether the machine is dead. */
static bool dies(struct memory_disk *d)
{
    d->dead |= fails(&d->dies);
    return d->dead;
}

static struct memory_file *file_of(struct memory_disk *d, int handle)
{
    CHECK(handle >= 0 && handle < MEMORY_HANDLES_MAX && d->handles[handle].file >= 0);
    return &d->files[d->handles[handle].file];
}

static enum status io(int error)
{
    errno = error;
    return STATUS_IO;
}

static uint64_t size_of_all(const struct memory_disk *d)
{
    uint64_t size = 0;
    for (unsigned i = 0; i < MEMORY_FILES_MAX; i++)
        size += d->files[i].name[0] == '\0' ? 0 : d->files[i].size;
    return size;
}

struct memory_file *memory_disk_file(struct memory_disk *d, const char *name)
{
    for (unsigned i = 0; i < MEMORY_FILES_MAX; i++) {
        if (strcmp(d->files[i].name, name) == 0)
            return &d->files[i];
    }
    return NULL;
}

void memory_file_resize(struct memory_file *f, size_t size)
{
    if (size > f->room) {
        f->room = 2 * size;
        f->bytes = realloc(f->bytes, f->room);
        CHECK(f->bytes != NULL);
    }
    if (size > f->size)
        memset(f->bytes + f->size, 0, size - f->size);
    f->size = size;
}

/* ---- the operations ---- */

static enum status memory_list(void *self, void (*file)(void *to, const char *name, uint64_t size),
                               void *to)
{
    struct memory_disk *d = self;
    if (d->vanished)
        return io(ENOENT);
    for (unsigned i = MEMORY_FILES_MAX; i-- > 0;) { /* in no order to be relied on */
        if (d->files[i].name[0] != '\0')
            file(to, d->files[i].name, d->files[i].size);
    }
    return STATUS_OK;
}

static int handle_new(struct memory_disk *d, const struct memory_file *f)
{
    int h = 0;
    while (h < MEMORY_HANDLES_MAX && d->handles[h].file >= 0)
        h++;
    CHECK(h < MEMORY_HANDLES_MAX);
    d->handles[h] = (struct memory_handle){(int)(f - d->files), DISK_SYNC_NONE};
    d->handle_count++;
    return h;
}

static enum status memory_open(void *self, const char *name, int *file)
{
    struct memory_disk *d = self;
    struct memory_file *f = d->vanished ? NULL : memory_disk_file(d, name);
    if (f == NULL)
        return STATUS_MISSING;
    *file = handle_new(d, f);
    return STATUS_OK;
}

/* Those that were removed keep their bytes for whoever has them open. */
static struct memory_file *free_file(struct memory_disk *d)
{
    for (unsigned i = 0; i < MEMORY_FILES_MAX; i++) {
        bool open = false;
        for (unsigned h = 0; h < MEMORY_HANDLES_MAX; h++)
            open |= d->handles[h].file == (int)i;
        if (d->files[i].name[0] == '\0' && !open)
            return &d->files[i];
    }
    return NULL;
}

static enum status memory_create(void *self, const char *name, int *file)
{
    struct memory_disk *d = self;
    if (d->vanished || dies(d))
        return io(d->vanished ? ENOENT : EIO);
    if (d->full)
        return STATUS_FULL;
    struct memory_file *f = memory_disk_file(d, name);
    if (f == NULL)
        f = free_file(d);
    CHECK(f != NULL && strlen(name) < DISK_NAME_SIZE);
    strcpy(f->name, name);
    f->size = 0;
    *file = handle_new(d, f);
    return STATUS_OK;
}

static void memory_close(void *self, int file)
{
    struct memory_disk *d = self;
    (void)file_of(d, file);
    d->handles[file].file = -1;
    d->handle_count--;
}

static enum status memory_size(void *self, int file, uint64_t *size)
{
    *size = file_of(self, file)->size;
    return STATUS_OK;
}

static enum status memory_read(void *self, int file, uint64_t at, void *bytes, size_t size,
                               size_t *got)
{
    const struct memory_file *f = file_of(self, file);
    *got = at >= f->size ? 0 : f->size - (size_t)at;
    if (*got > size)
        *got = size;
    if (*got > 0)
        memcpy(bytes, f->bytes + at, *got);
    return STATUS_OK;
}

static enum status memory_write(void *self, int file, uint64_t at, const void *bytes, size_t size)
{
    struct memory_disk *d = self;
    struct memory_file *f = file_of(d, file);
    size_t end = (size_t)at + size;
    d->writes++;
    if (d->dead)
        return io(EIO);
    bool full = d->full || (end > f->size && size_of_all(d) + (end - f->size) > d->size_max);
    bool failed = fails(&d->write_fails) || dies(d);
    if (full || failed) {
        end = (size_t)at + size / 2; /* a part is written */
        size /= 2;
    }
    if (end > f->size)
        memory_file_resize(f, end);
    if (size > 0)
        memcpy(f->bytes + at, bytes, size);
    return failed ? io(EIO) : full ? STATUS_FULL : STATUS_OK;
}

static enum status memory_sync(void *self, int file)
{
    struct memory_disk *d = self;
    struct memory_handle *h = &d->handles[file];
    (void)file_of(d, file);
    d->syncs++;
    bool failed = fails(&d->sync_fails) || dies(d);
    if (h->state == DISK_SYNC_RUNNING)
        h->state = failed ? DISK_SYNC_FAILED : DISK_SYNC_DONE;
    return failed ? io(EIO) : STATUS_OK;
}

static enum status memory_sync_begin(void *self, int file)
{
    struct memory_disk *d = self;
    unsigned running = 0;
    (void)file_of(d, file);
    for (unsigned h = 0; h < MEMORY_HANDLES_MAX; h++)
        running += d->handles[h].file >= 0 && d->handles[h].state != DISK_SYNC_NONE;
    CHECK(running < 2 && d->handles[file].state == DISK_SYNC_NONE);
    d->begins++;
    d->handles[file].state = DISK_SYNC_RUNNING;
    return STATUS_OK;
}

static enum disk_sync memory_sync_state(void *self, int file)
{
    struct memory_disk *d = self;
    struct memory_handle *h = &d->handles[file];
    (void)file_of(d, file);
    if (h->state == DISK_SYNC_RUNNING && !d->held)
        h->state = fails(&d->sync_fails) || dies(d) ? DISK_SYNC_FAILED : DISK_SYNC_DONE;
    enum disk_sync state = h->state;
    if (state != DISK_SYNC_RUNNING)
        h->state = DISK_SYNC_NONE;
    if (state == DISK_SYNC_FAILED)
        errno = EIO;
    return state;
}

static int memory_fd(void *self)
{
    (void)self;
    return -1;
}

static enum status memory_remove(void *self, const char *name)
{
    struct memory_disk *d = self;
    struct memory_file *f = d->vanished ? NULL : memory_disk_file(d, name);
    if (f == NULL)
        return STATUS_MISSING;
    if (dies(d))
        return io(EIO);
    f->name[0] = '\0';
    return STATUS_OK;
}

static enum status memory_rename(void *self, const char *from, const char *to)
{
    struct memory_disk *d = self;
    struct memory_file *f = d->vanished ? NULL : memory_disk_file(d, from);
    if (f == NULL)
        return STATUS_MISSING;
    if (dies(d))
        return io(EIO);
    struct memory_file *before = memory_disk_file(d, to);
    if (before != NULL)
        before->name[0] = '\0';
    strcpy(f->name, to);
    return STATUS_OK;
}

static bool memory_holds(void *self, const char *name, int file)
{
    struct memory_disk *d = self;
    return !d->vanished && memory_disk_file(d, name) == file_of(d, file);
}

static enum status memory_lock(void *self, int *holder)
{
    const struct memory_disk *d = self;
    *holder = 4711;
    return d->locked ? STATUS_IN_USE : STATUS_OK;
}

/* ---- open, close, copy ---- */

void memory_disk_open(struct memory_disk *d)
{
    *d = (struct memory_disk){.size_max = UINT64_MAX};
    d->ops = (struct disk){
        .self = d,
        .path = "memory",
        .list = memory_list,
        .open = memory_open,
        .create = memory_create,
        .close = memory_close,
        .size = memory_size,
        .read = memory_read,
        .write = memory_write,
        .sync = memory_sync,
        .sync_begin = memory_sync_begin,
        .sync_state = memory_sync_state,
        .fd = memory_fd,
        .rename = memory_rename,
        .remove = memory_remove,
        .holds = memory_holds,
        .lock = memory_lock,
    };
    for (unsigned h = 0; h < MEMORY_HANDLES_MAX; h++)
        d->handles[h].file = -1;
}

void memory_disk_close(struct memory_disk *d)
{
    CHECK(d->handle_count == 0); /* whoever opened a file has closed it */
    for (unsigned i = 0; i < MEMORY_FILES_MAX; i++)
        free(d->files[i].bytes);
}

void memory_disk_copy(struct memory_disk *to, const struct memory_disk *from)
{
    CHECK(to->handle_count == 0);
    to->size_max = UINT64_MAX;
    to->full = to->dead = to->held = to->vanished = to->locked = false;
    to->write_fails = to->sync_fails = to->dies = 0;
    for (unsigned i = 0; i < MEMORY_FILES_MAX; i++) {
        const struct memory_file *f = &from->files[i];
        memcpy(to->files[i].name, f->name, sizeof f->name);
        if (f->name[0] == '\0')
            continue;
        memory_file_resize(&to->files[i], f->size);
        if (f->size > 0)
            memcpy(to->files[i].bytes, f->bytes, f->size);
    }
}

static bool is_aside(const char *name)
{
    size_t size = strlen(name);
    return size == 0 || (size > 4 && strcmp(name + size - 4, ".new") == 0);
}

static bool holds_all(const struct memory_disk *a, const struct memory_disk *b)
{
    for (unsigned i = 0; i < MEMORY_FILES_MAX; i++) {
        const struct memory_file *f = &a->files[i];
        if (is_aside(f->name))
            continue;
        const struct memory_file *g = NULL;
        for (unsigned k = 0; k < MEMORY_FILES_MAX; k++) {
            if (strcmp(b->files[k].name, f->name) == 0)
                g = &b->files[k];
        }
        if (g == NULL || g->size != f->size ||
            (f->size > 0 && memcmp(g->bytes, f->bytes, f->size) != 0))
            return false;
    }
    return true;
}

bool memory_disk_same(const struct memory_disk *a, const struct memory_disk *b)
{
    return holds_all(a, b) && holds_all(b, a);
}
