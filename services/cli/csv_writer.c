/* csv_writer: see csv_writer.h. stdio would do, but rows are put together in place here, not
 * copied once more, and a buffer of ours can be given back while standard output lives on. */
#include "cli/csv_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"

enum status csv_writer_open(struct csv_writer *w, const char *path)
{
    /* O_APPEND: two writers may lead to one file, as with --queues /dev/stdout. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
        *w = (struct csv_writer){.name = path, .fd = -1, .error = errno};
        return STATUS_IO;
    }
    csv_writer_attach(w, fd, path);
    return STATUS_OK;
}

void csv_writer_attach(struct csv_writer *w, int fd, const char *name)
{
    *w = (struct csv_writer){
        .name = name,
        .fd = fd,
        .buffer = memory_new(CSV_WRITER_BUFFER_SIZE, 1, "output"),
    };
}

enum status csv_writer_close(struct csv_writer *w)
{
    if (w->buffer == NULL)
        return w->error != 0 ? STATUS_IO : STATUS_OK;
    csv_writer_flush(w);
    memory_free(w->buffer, CSV_WRITER_BUFFER_SIZE, 1);
    w->buffer = NULL;
    /* A file system may first say here that it has no room. */
    if (w->fd != STDOUT_FILENO && close(w->fd) != 0 && w->error == 0)
        w->error = errno;
    w->fd = -1;
    return w->error != 0 ? STATUS_IO : STATUS_OK;
}

void csv_writer_flush(struct csv_writer *w)
{
    size_t written = 0;
    while (written < w->used && w->error == 0) {
        ssize_t size = write(w->fd, w->buffer + written, w->used - written);
        if (size >= 0)
            written += (size_t)size;
        else if (errno != EINTR)
            w->error = errno;
    }
    w->used = 0;
}

/* Two digits a division. */
char *csv_put_u64(char *at, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[CSV_I64_SIZE_MAX];
    char *first = digits + sizeof digits;
    while (value >= 100) {
        first -= 2;
        memcpy(first, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(first, pairs + value * 2, 2);
    } else {
        *--first = (char)('0' + value);
    }
    size_t size = (size_t)(digits + sizeof digits - first);
    memcpy(at, first, size);
    return at + size;
}

char *csv_put_i64(char *at, int64_t value)
{
    if (value >= 0)
        return csv_put_u64(at, (uint64_t)value);
    *at++ = '-';
    return csv_put_u64(at, -(uint64_t)value);
}
