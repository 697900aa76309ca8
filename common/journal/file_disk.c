/* file_disk: pread, pwrite, fdatasync, and two threads that only do the last.
 *
 * A background sync takes a slot until its end is told (sync_state), so that a write between its
 * beginning and its end is remembered, and sync() knows whether it must sync again. The mutex
 * guards what both sides touch: a slot's state, and the wish to end. */
#include "journal/file_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { SLOTS = 2, PATH_SIZE_MAX = 4096, NO_FILE = -1 };

struct slot {
    file_disk_t *disk;
    pthread_t thread;
    enum disk_sync state; /* guarded */
    int error;            /* guarded: errno of a failed one */
    int file;             /* NO_FILE: free. Set before the state is RUNNING, by the owner */
    bool written;         /* owner only: since the sync began */
};

struct file_disk {
    struct disk ops;
    char path[PATH_SIZE_MAX];
    int directory;
    int lock; /* NO_FILE: not taken */
    int event;
    bool threads; /* are there */
    struct slot slots[SLOTS];
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool ending; /* guarded */
};

static enum status failed(int error)
{
    errno = error;
    switch (error) {
    case ENOENT:
        return STATUS_MISSING;
    case ENOSPC:
    case EDQUOT:
        return STATUS_FULL;
    default:
        return STATUS_IO;
    }
}

/* Where a file that is missing is no answer. */
static enum status failed_io(int error)
{
    enum status status = failed(error);
    return status == STATUS_MISSING ? STATUS_IO : status;
}

/* ---- files ---- */

static enum status disk_open(void *self, const char *name, int *file)
{
    const file_disk_t *d = self;
    *file = openat(d->directory, name, O_RDWR | O_CLOEXEC);
    if (*file < 0 && (errno == EACCES || errno == EROFS))
        *file = openat(d->directory, name, O_RDONLY | O_CLOEXEC); /* of another user: for readers */
    return *file < 0 ? failed(errno) : STATUS_OK;
}

static enum status disk_create(void *self, const char *name, int *file)
{
    const file_disk_t *d = self;
    *file = openat(d->directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return *file < 0 ? failed_io(errno) : STATUS_OK;
}

static enum status disk_size(void *self, int file, uint64_t *size)
{
    (void)self;
    struct stat at;
    if (fstat(file, &at) != 0)
        return failed_io(errno);
    *size = (uint64_t)at.st_size;
    return STATUS_OK;
}

static enum status disk_read(void *self, int file, uint64_t at, void *bytes, size_t size,
                             size_t *got)
{
    (void)self;
    *got = 0;
    while (*got < size) {
        ssize_t part = pread(file, (uint8_t *)bytes + *got, size - *got, (off_t)(at + *got));
        if (part == 0)
            break;
        if (part < 0 && errno != EINTR)
            return failed_io(errno);
        if (part > 0)
            *got += (size_t)part;
    }
    return STATUS_OK;
}

static enum status disk_write(void *self, int file, uint64_t at, const void *bytes, size_t size)
{
    file_disk_t *d = self;
    for (unsigned i = 0; i < SLOTS; i++) {
        if (d->slots[i].file == file)
            d->slots[i].written = true;
    }
    for (size_t done = 0; done < size;) {
        ssize_t part = pwrite(file, (const uint8_t *)bytes + done, size - done, (off_t)(at + done));
        if (part < 0 && errno != EINTR)
            return failed_io(errno);
        if (part > 0)
            done += (size_t)part;
    }
    return STATUS_OK;
}

static void list_entry(const file_disk_t *d, const char *name,
                       void (*file)(void *to, const char *name, uint64_t size), void *to)
{
    struct stat at;
    if (strlen(name) < DISK_NAME_SIZE && fstatat(d->directory, name, &at, 0) == 0 &&
        S_ISREG(at.st_mode))
        file(to, name, (uint64_t)at.st_size);
}

static enum status disk_list(void *self, void (*file)(void *to, const char *name, uint64_t size),
                             void *to)
{
    const file_disk_t *d = self;
    int fd = openat(d->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return failed_io(error);
    }
    errno = 0;
    for (const struct dirent *e = readdir(directory); e != NULL; e = readdir(directory)) {
        list_entry(d, e->d_name, file, to);
        errno = 0; /* what went away meanwhile is not there */
    }
    int error = errno;
    closedir(directory);
    return error != 0 ? failed_io(error) : STATUS_OK;
}

static enum status names_sync(const file_disk_t *d)
{
    return fsync(d->directory) != 0 ? failed_io(errno) : STATUS_OK;
}

static enum status disk_rename(void *self, const char *from, const char *to)
{
    const file_disk_t *d = self;
    if (renameat(d->directory, from, d->directory, to) != 0)
        return failed(errno);
    return names_sync(d);
}

static enum status disk_remove(void *self, const char *name)
{
    const file_disk_t *d = self;
    if (unlinkat(d->directory, name, 0) != 0)
        return failed(errno);
    return names_sync(d);
}

/* By path: another directory of this name is not ours. */
static bool disk_holds(void *self, const char *name, int file)
{
    const file_disk_t *d = self;
    char path[PATH_SIZE_MAX + DISK_NAME_SIZE];
    struct stat there, ours;
    snprintf(path, sizeof path, "%s/%s", d->path, name);
    return stat(path, &there) == 0 && fstat(file, &ours) == 0 && there.st_dev == ours.st_dev &&
           there.st_ino == ours.st_ino;
}

static enum status disk_lock(void *self, int *holder)
{
    file_disk_t *d = self;
    char text[16] = "";
    CHECK(d->lock == NO_FILE);
    int fd = openat(d->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed_io(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum status status = errno == EWOULDBLOCK ? STATUS_IN_USE : STATUS_IO;
        int error = errno;
        ssize_t size = read(fd, text, sizeof text - 1);
        *holder = size > 0 ? atoi(text) : 0;
        close(fd);
        errno = error;
        return status;
    }
    /* On a full disk there may be no room for the pid, and it is locked nevertheless. */
    size_t size = (size_t)snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) == 0)
        (void)disk_write(d, fd, 0, text, size);
    d->lock = fd;
    return STATUS_OK;
}

/* ---- syncs ---- */

static int data_sync(int file)
{
    int error;
    do
        error = fdatasync(file) == 0 ? 0 : errno;
    while (error == EINTR);
    return error;
}

static void *slot_run(void *self)
{
    struct slot *s = self;
    file_disk_t *d = s->disk;
    uint64_t one = 1;
    pthread_mutex_lock(&d->mutex);
    for (;;) {
        while (s->state != DISK_SYNC_RUNNING && !d->ending)
            pthread_cond_wait(&d->changed, &d->mutex);
        if (s->state != DISK_SYNC_RUNNING)
            break;
        int file = s->file;
        pthread_mutex_unlock(&d->mutex);
        int error = data_sync(file);
        pthread_mutex_lock(&d->mutex);
        s->error = error;
        s->state = error == 0 ? DISK_SYNC_DONE : DISK_SYNC_FAILED;
        pthread_cond_broadcast(&d->changed);
        /* Only a count of 2^64 - 1 could make this fail. */
        CHECK(write(d->event, &one, sizeof one) == (ssize_t)sizeof one);
    }
    pthread_mutex_unlock(&d->mutex);
    return NULL;
}

static void threads_end(file_disk_t *d, unsigned count)
{
    pthread_mutex_lock(&d->mutex);
    d->ending = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->mutex);
    for (unsigned i = 0; i < count; i++)
        pthread_join(d->slots[i].thread, NULL);
    d->ending = false;
}

/* Signals are for the thread that knows what to do with them. */
static enum status threads_start(file_disk_t *d)
{
    sigset_t all, before;
    int error = 0;
    unsigned count = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (count < SLOTS && error == 0) {
        error = pthread_create(&d->slots[count].thread, NULL, slot_run, &d->slots[count]);
        count += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        threads_end(d, count);
    d->threads = error == 0;
    return error == 0 ? STATUS_OK : failed_io(error);
}

static struct slot *slot_of(file_disk_t *d, int file)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (d->slots[i].file == file)
            return &d->slots[i];
    }
    return NULL;
}

static enum status disk_sync_begin(void *self, int file)
{
    file_disk_t *d = self;
    CHECK(slot_of(d, file) == NULL);
    struct slot *s = slot_of(d, NO_FILE);
    CHECK(s != NULL);
    enum status status = d->threads ? STATUS_OK : threads_start(d);
    if (status != STATUS_OK)
        return status;
    pthread_mutex_lock(&d->mutex);
    s->file = file;
    s->written = false;
    s->state = DISK_SYNC_RUNNING;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->mutex);
    return STATUS_OK;
}

static enum disk_sync slot_state(struct slot *s, bool wait)
{
    file_disk_t *d = s->disk;
    pthread_mutex_lock(&d->mutex);
    while (wait && s->state == DISK_SYNC_RUNNING)
        pthread_cond_wait(&d->changed, &d->mutex);
    enum disk_sync state = s->state;
    if (state == DISK_SYNC_FAILED)
        errno = s->error;
    pthread_mutex_unlock(&d->mutex);
    return state;
}

/* The end of one is told: the slot is free, and fd is readable only if the other has ended. */
static void slot_free(struct slot *s)
{
    file_disk_t *d = s->disk;
    uint64_t ended = 0;
    int error = errno;
    bool other = false;
    pthread_mutex_lock(&d->mutex);
    s->state = DISK_SYNC_NONE;
    s->file = NO_FILE;
    (void)!read(d->event, &ended, sizeof ended);
    for (unsigned i = 0; i < SLOTS; i++)
        other |= d->slots[i].state == DISK_SYNC_DONE || d->slots[i].state == DISK_SYNC_FAILED;
    ended = 1;
    if (other)
        CHECK(write(d->event, &ended, sizeof ended) == (ssize_t)sizeof ended);
    pthread_mutex_unlock(&d->mutex);
    errno = error;
}

static enum disk_sync disk_sync_state(void *self, int file)
{
    struct slot *s = slot_of(self, file);
    if (s == NULL)
        return DISK_SYNC_NONE;
    enum disk_sync state = slot_state(s, false);
    if (state != DISK_SYNC_RUNNING)
        slot_free(s);
    return state;
}

static enum status disk_sync(void *self, int file)
{
    struct slot *s = slot_of(self, file);
    if (s != NULL) {
        if (slot_state(s, true) == DISK_SYNC_FAILED)
            return STATUS_IO; /* the kernel tells a failure only once */
        if (!s->written)
            return STATUS_OK;
    }
    int error = data_sync(file);
    if (error == 0)
        return STATUS_OK;
    errno = error;
    return STATUS_IO;
}

static void disk_close(void *self, int file)
{
    struct slot *s = slot_of(self, file);
    if (s != NULL) {
        (void)slot_state(s, true);
        slot_free(s);
    }
    close(file);
}

static int disk_fd(void *self)
{
    const file_disk_t *d = self;
    return d->event;
}

/* ---- the directory ---- */

static enum status make_directories(const char *directory)
{
    char path[PATH_SIZE_MAX];
    size_t size = strlen(directory);
    memcpy(path, directory, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (directory[i] != '/' && directory[i] != '\0')
            continue;
        path[i] = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return failed_io(errno);
        path[i] = directory[i];
    }
    return STATUS_OK;
}

static enum status directory_open(file_disk_t *d, bool make)
{
    d->directory = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->directory < 0 && errno == ENOENT && make) {
        enum status status = make_directories(d->path);
        if (status != STATUS_OK)
            return status;
        d->directory = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (d->directory < 0)
        return failed(errno);
    d->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return d->event < 0 ? failed_io(errno) : STATUS_OK;
}

enum status file_disk_open(file_disk_t **disk, const char *directory, bool make)
{
    *disk = NULL;
    if (directory[0] == '\0' || strlen(directory) >= PATH_SIZE_MAX) {
        errno = directory[0] == '\0' ? ENOENT : ENAMETOOLONG;
        return STATUS_IO;
    }
    file_disk_t *d = memory_new(1, sizeof *d, "a directory");
    d->directory = d->lock = d->event = NO_FILE;
    strcpy(d->path, directory);
    d->ops = (struct disk){
        .self = d,
        .path = d->path,
        .list = disk_list,
        .open = disk_open,
        .create = disk_create,
        .close = disk_close,
        .size = disk_size,
        .read = disk_read,
        .write = disk_write,
        .sync = disk_sync,
        .sync_begin = disk_sync_begin,
        .sync_state = disk_sync_state,
        .fd = disk_fd,
        .rename = disk_rename,
        .remove = disk_remove,
        .holds = disk_holds,
        .lock = disk_lock,
    };
    pthread_mutex_init(&d->mutex, NULL);
    pthread_cond_init(&d->changed, NULL);
    for (unsigned i = 0; i < SLOTS; i++)
        d->slots[i] = (struct slot){.disk = d, .file = NO_FILE};
    *disk = d;
    enum status status = directory_open(d, make);
    if (status != STATUS_OK) {
        int error = errno;
        file_disk_close(disk);
        errno = error;
    }
    return status;
}

void file_disk_close(file_disk_t **disk)
{
    file_disk_t *d = *disk;
    if (d == NULL)
        return;
    if (d->threads)
        threads_end(d, SLOTS);
    if (d->lock != NO_FILE)
        close(d->lock);
    if (d->event != NO_FILE)
        close(d->event);
    if (d->directory != NO_FILE)
        close(d->directory);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->mutex);
    memory_free(d, 1, sizeof *d);
    *disk = NULL;
}

const struct disk *file_disk_ops(const file_disk_t *d)
{
    return &d->ops;
}
