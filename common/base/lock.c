#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum status lock_take(const char *file, int *holder)
{
    char text[16] = "";
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return STATUS_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum status status = errno == EWOULDBLOCK ? STATUS_IN_USE : STATUS_IO;
        ssize_t size = read(fd, text, sizeof text - 1);
        *holder = size > 0 ? atoi(text) : 0;
        close(fd);
        return status;
    }
    int size = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)size) != size)
        return STATUS_IO;
    return STATUS_OK; /* the descriptor stays open: it is the lock */
}
