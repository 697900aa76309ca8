/* faults: what a machine does to a process now and then, on demand. Preloaded into it (LD_PRELOAD);
 * files in the directory FAULTS say what is wrong at the moment:
 *
 *     $FAULTS/sync     the next sync of a file fails with EIO, once, and the file is removed; later
 *                      syncs seem to work again, as those of a real kernel do
 *     $FAULTS/clock    holds seconds by which the wall clock is ahead
 *
 * Nothing else changes. System calls are made directly, so nothing has to be looked up. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

static const char *fault(const char *name, char path[PATH_SIZE])
{
    const char *directory = getenv("FAULTS");
    snprintf(path, PATH_SIZE, "%s/%s", directory == NULL ? "" : directory, name);
    return path;
}

static int sync_file(long call, int file)
{
    char path[PATH_SIZE];
    if (unlink(fault("sync", path)) == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, file);
}

int fsync(int file)
{
    return sync_file(SYS_fsync, file);
}

int fdatasync(int file)
{
    return sync_file(SYS_fdatasync, file);
}

static long seconds_ahead(void)
{
    char path[PATH_SIZE], text[32] = "";
    int kept = errno;
    int file = open(fault("clock", path), O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t size = read(file, text, sizeof text - 1);
        text[size > 0 ? size : 0] = '\0';
        close(file);
    }
    errno = kept;
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int status = (int)syscall(SYS_clock_gettime, clock, time);
    if (status == 0 && clock == CLOCK_REALTIME)
        time->tv_sec += seconds_ahead();
    return status;
}
