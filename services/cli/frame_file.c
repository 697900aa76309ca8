#include "cli/frame_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAGIC = 0x5246434F, /* "OCFR" */
    VERSION = 1,
    HEAD_SIZE = 8,
    BUFFER_SIZE = 1 << 20,
};

/* ---- recording ---- */

static void put(struct frame_recorder *r, const void *bytes, size_t size)
{
    if (r->error == 0 && fwrite(bytes, 1, size, r->file) != size)
        r->error = errno != 0 ? errno : EIO;
}

static void put_u32(struct frame_recorder *r, uint32_t value)
{
    uint32_t little = htole32(value);
    put(r, &little, sizeof little);
}

enum status frame_recorder_open(struct frame_recorder *r, const char *path)
{
    *r = (struct frame_recorder){.file = fopen(path, "wbe")};
    if (r->file == NULL) {
        r->error = errno;
        return STATUS_IO;
    }
    setvbuf(r->file, NULL, _IOFBF, BUFFER_SIZE);
    put_u32(r, MAGIC);
    put_u32(r, VERSION);
    return STATUS_OK;
}

void frame_recorder_put(struct frame_recorder *r, const uint8_t *message, size_t size)
{
    put_u32(r, (uint32_t)size);
    put(r, message, size);
    r->count++;
}

enum status frame_recorder_close(struct frame_recorder *r)
{
    if (r->file != NULL && fclose(r->file) != 0 && r->error == 0)
        r->error = errno;
    r->file = NULL;
    return r->error == 0 ? STATUS_OK : STATUS_IO;
}

/* ---- reading it ---- */

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t little;
    memcpy(&little, at, sizeof little);
    return le32toh(little);
}

static enum status cannot_read(const char *path, char error[FRAME_FILE_ERROR_SIZE])
{
    snprintf(error, FRAME_FILE_ERROR_SIZE, "%.300s cannot be read: %s", path, strerror(errno));
    return STATUS_IO;
}

static enum status map(struct frame_recording *r, const char *path, int fd,
                       char error[FRAME_FILE_ERROR_SIZE])
{
    struct stat at;
    if (fstat(fd, &at) != 0)
        return cannot_read(path, error);
    r->size = (size_t)at.st_size;
    if (r->size < HEAD_SIZE) {
        snprintf(error, FRAME_FILE_ERROR_SIZE,
                 "%.300s: found %zu bytes, expected a recording of `outcry tape --raw`", path,
                 r->size);
        return STATUS_INVALID;
    }
    void *bytes = mmap(NULL, r->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return cannot_read(path, error);
    r->bytes = bytes;
    r->at = HEAD_SIZE;
    return STATUS_OK;
}

static enum status check_head(struct frame_recording *r, const char *path,
                              char error[FRAME_FILE_ERROR_SIZE])
{
    uint32_t magic = get_u32(r->bytes), version = get_u32(r->bytes + 4);
    if (magic == MAGIC && version == VERSION)
        return STATUS_OK;
    if (magic != MAGIC)
        snprintf(error, FRAME_FILE_ERROR_SIZE,
                 "%.300s: found the magic number %08x, expected %08x: a recording of `outcry tape "
                 "--raw`",
                 path, magic, (unsigned)MAGIC);
    else
        snprintf(error, FRAME_FILE_ERROR_SIZE,
                 "%.300s: found version %u of a recording, expected %d", path, version, VERSION);
    return STATUS_INVALID;
}

enum status frame_recording_open(struct frame_recording *r, const char *path,
                                 char error[FRAME_FILE_ERROR_SIZE])
{
    *r = (struct frame_recording){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_read(path, error);
    enum status status = map(r, path, fd, error);
    close(fd);
    if (status == STATUS_OK)
        status = check_head(r, path, error);
    if (status != STATUS_OK)
        frame_recording_close(r);
    return status;
}

void frame_recording_close(struct frame_recording *r)
{
    if (r->bytes != NULL)
        munmap((void *)r->bytes, r->size);
    *r = (struct frame_recording){0};
}

bool frame_recording_next(struct frame_recording *r, const uint8_t **message, size_t *size)
{
    size_t left = r->size - r->at;
    if (left == 0)
        return false;
    uint32_t wanted = left < sizeof wanted ? UINT32_MAX : get_u32(r->bytes + r->at);
    if (left < sizeof wanted || wanted > left - sizeof wanted) {
        r->cut_short = true;
        return false;
    }
    *message = r->bytes + r->at + sizeof wanted;
    *size = wanted;
    r->at += sizeof wanted + wanted;
    return true;
}
