/* snapshots: a file each.
 *
 *     0 magic | 4 CRC32C of the rest of the header | 8 version | 12 CRC32C of the bytes | 16 seq |
 *     24 epoch | 32 number | 40 time_ns | 48 hash | 56 size of the bytes | 64 the bytes
 *
 * Every byte of the file is looked at when it is read, and the name against the header. Numbers are
 * little-endian. */
#include "journal/snapshots.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "journal/record_format.h"

enum {
    SNAPSHOT_MAGIC = 0x4E53434F, /* "OCSN" */
    SNAPSHOT_VERSION = 1,
    CRC_FROM = 8,
};

/* As it stands in the file. */
struct header {
    uint32_t magic;
    uint32_t crc;
    uint32_t version;
    uint32_t bytes_crc;
    uint64_t seq;
    uint64_t epoch;
    uint64_t number;
    uint64_t time_ns;
    uint64_t hash;
    uint64_t size;
};
_Static_assert(sizeof(struct header) == 64, "it has no padding");

#define SNAPSHOT_END   ".snapshot"
#define UNFINISHED_END SNAPSHOT_END ".new"

static void snapshot_name(uint64_t seq, const char *end, char name[DISK_NAME_SIZE])
{
    snprintf(name, DISK_NAME_SIZE, "%020llu%s", (unsigned long long)seq, end);
}

/* Whether a file of this name is a snapshot, with this ending, and of which sequence. */
static bool snapshot_name_read(const char *name, const char *end, uint64_t *seq)
{
    char same[DISK_NAME_SIZE];
    *seq = 0;
    for (const char *c = name; *c >= '0' && *c <= '9' && c < name + 20; c++)
        *seq = *seq * 10 + (uint64_t)(*c - '0'); /* one that is too large has another name */
    snapshot_name(*seq, end, same);
    return strcmp(name, same) == 0;
}

/* ---- what there is ---- */

struct found {
    uint64_t *seqs; /* newest first */
    unsigned count;
    char unfinished[DISK_NAME_SIZE]; /* one of those that were never renamed; empty: none */
};

static void look(void *to, const char *name, uint64_t size)
{
    struct found *f = to;
    uint64_t seq;
    (void)size;
    if (snapshot_name_read(name, UNFINISHED_END, &seq))
        memcpy(f->unfinished, name, strlen(name) + 1);
    if (!snapshot_name_read(name, SNAPSHOT_END, &seq))
        return;
    unsigned place = f->count;
    while (place > 0 && f->seqs[place - 1] < seq)
        place--;
    if (place == SNAPSHOTS_MAX)
        return;
    if (f->count < SNAPSHOTS_MAX)
        f->count++;
    memmove(f->seqs + place + 1, f->seqs + place, (f->count - place - 1) * sizeof *f->seqs);
    f->seqs[place] = seq;
}

enum status snapshots_list(const struct disk *disk, uint64_t seqs[SNAPSHOTS_MAX], unsigned *count)
{
    struct found f = {.seqs = seqs};
    enum status status = disk->list(disk->self, look, &f);
    *count = f.count;
    return status;
}

/* ---- write ---- */

/* Remove all but the newest, and what a crash has left unfinished. */
static enum status remove_old(const struct disk *disk)
{
    for (;;) {
        uint64_t seqs[SNAPSHOTS_MAX];
        char name[DISK_NAME_SIZE];
        struct found f = {.seqs = seqs};
        enum status status = disk->list(disk->self, look, &f);
        if (status != STATUS_OK)
            return status;
        if (f.count > SNAPSHOTS_KEPT)
            snapshot_name(seqs[f.count - 1], SNAPSHOT_END, name);
        else if (f.unfinished[0] != '\0')
            memcpy(name, f.unfinished, sizeof name);
        else
            return STATUS_OK;
        status = disk->remove(disk->self, name);
        if (status != STATUS_OK)
            return STATUS_IO;
    }
}

static enum status write_all(const struct disk *disk, int file, const struct header *h,
                             const uint8_t *bytes, size_t size)
{
    enum status status = disk->write(disk->self, file, 0, h, sizeof *h);
    if (status == STATUS_OK && size > 0)
        status = disk->write(disk->self, file, sizeof *h, bytes, size);
    if (status == STATUS_OK)
        status = disk->sync(disk->self, file);
    return status;
}

enum status snapshots_write(const struct disk *disk, const struct snapshot_head *head,
                            const uint8_t *bytes, size_t size)
{
    char unfinished[DISK_NAME_SIZE], name[DISK_NAME_SIZE];
    struct header h = {
        .magic = htole32(SNAPSHOT_MAGIC),
        .version = htole32(SNAPSHOT_VERSION),
        .bytes_crc = htole32(crc32c(0, bytes, size)),
        .seq = htole64(head->seq),
        .epoch = htole64(head->epoch),
        .number = htole64(head->number),
        .time_ns = htole64(head->time_ns),
        .hash = htole64(head->hash),
        .size = htole64(size),
    };
    h.crc = htole32(crc32c(0, (const uint8_t *)&h + CRC_FROM, sizeof h - CRC_FROM));
    snapshot_name(head->seq, UNFINISHED_END, unfinished);
    snapshot_name(head->seq, SNAPSHOT_END, name);
    int file;
    enum status status = disk->create(disk->self, unfinished, &file);
    if (status == STATUS_OK) {
        status = write_all(disk, file, &h, bytes, size);
        disk->close(disk->self, file);
    }
    if (status == STATUS_OK)
        status = disk->rename(disk->self, unfinished, name);
    if (status == STATUS_OK)
        return remove_old(disk);
    int why = errno;
    (void)disk->remove(disk->self, unfinished); /* it may never have been made */
    errno = why;
    return status == STATUS_FULL ? STATUS_FULL : STATUS_IO;
}

/* ---- read ---- */

/* What does not fit, and where. */
struct misfit {
    struct record_fault fault;
    uint64_t offset;
};

static bool is(struct misfit *m, uint64_t offset, const char *what, uint64_t found,
               uint64_t expected)
{
    if (found != expected)
        *m = (struct misfit){{what, found, expected}, offset};
    return found == expected;
}

static bool header_fits(const struct header *h, uint64_t seq, uint64_t file_size, struct misfit *m)
{
    uint32_t crc = crc32c(0, (const uint8_t *)h + CRC_FROM, sizeof *h - CRC_FROM);
    return is(m, 0, "the magic number of a snapshot", le32toh(h->magic), SNAPSHOT_MAGIC) &&
           is(m, 4, "the CRC32C of a snapshot's header", le32toh(h->crc), crc) &&
           is(m, 8, "the version of a snapshot", le32toh(h->version), SNAPSHOT_VERSION) &&
           is(m, 16, "the sequence of a snapshot of this name", le64toh(h->seq), seq) &&
           is(m, sizeof *h, "the size of a snapshot's bytes", file_size - sizeof *h,
              le64toh(h->size));
}

static enum status read_header(const struct disk *disk, int file, uint64_t seq, struct header *h,
                               struct misfit *m)
{
    uint64_t file_size;
    size_t got;
    enum status status = disk->size(disk->self, file, &file_size);
    if (status == STATUS_OK)
        status = disk->read(disk->self, file, 0, h, sizeof *h, &got);
    if (status != STATUS_OK)
        return STATUS_IO;
    if (!is(m, 0, "the size of a snapshot's header", got, sizeof *h))
        return STATUS_INVALID;
    return header_fits(h, seq, file_size, m) ? STATUS_OK : STATUS_INVALID;
}

static enum status read_bytes(const struct disk *disk, int file, const struct header *h,
                              uint8_t *bytes, size_t size, struct misfit *m)
{
    size_t got;
    if (disk->read(disk->self, file, sizeof *h, bytes, size, &got) != STATUS_OK)
        return STATUS_IO;
    bool fits = is(m, sizeof *h, "the size of a snapshot's bytes", got, size) &&
                is(m, sizeof *h, "the CRC32C of a snapshot's bytes", crc32c(0, bytes, size),
                   le32toh(h->bytes_crc));
    return fits ? STATUS_OK : STATUS_INVALID;
}

enum status snapshots_read(const struct disk *disk, uint64_t seq, struct snapshot_head *head,
                           uint8_t **bytes, size_t *size, char error[JOURNAL_ERROR_SIZE])
{
    char name[DISK_NAME_SIZE];
    struct header h;
    struct misfit m;
    int file;
    *bytes = NULL;
    *size = 0;
    snapshot_name(seq, SNAPSHOT_END, name);
    enum status status = disk->open(disk->self, name, &file);
    if (status != STATUS_OK)
        return status == STATUS_MISSING ? STATUS_MISSING : STATUS_IO;
    status = read_header(disk, file, seq, &h, &m);
    if (status == STATUS_OK) {
        *size = (size_t)le64toh(h.size);
        *bytes = memory_new(1, *size, "a snapshot");
        status = read_bytes(disk, file, &h, *bytes, *size, &m);
    }
    int why = errno;
    disk->close(disk->self, file);
    if (status == STATUS_INVALID)
        record_fault_words(error, disk, name, m.offset, &m.fault);
    if (status != STATUS_OK) {
        snapshots_free(bytes, *size);
        *size = 0;
        errno = why;
        return status;
    }
    *head = (struct snapshot_head){
        .seq = le64toh(h.seq),
        .epoch = le64toh(h.epoch),
        .number = le64toh(h.number),
        .time_ns = le64toh(h.time_ns),
        .hash = le64toh(h.hash),
    };
    return STATUS_OK;
}

void snapshots_free(uint8_t **bytes, size_t size)
{
    memory_free(*bytes, 1, size);
    *bytes = NULL;
}
