#include "journal/segment_maker.h"

#include "base/check.h"
#include "base/clock.h"
#include "journal/segment_list.h"

#define NEXT_NAME "next.new"

enum {
    NO_FILE = -1,
    PIECE_SIZE = 64 << 10, /* 20 us */
    SYNC_EVERY = 4 << 20,  /* so that no sync takes long and stands in the way of a batch's */
    FILL_AHEAD = 2 * SYNC_EVERY,
    LACK_PIECE_SIZE = 4 << 20, /* while there is no room nobody waits for anything else */
    RETRY_MS = 100,
};

void maker_init(struct segment_maker *m, const struct disk *disk, uint64_t segment_size,
                uint64_t size_max)
{
    *m = (struct segment_maker){
        .disk = disk, .segment_size = segment_size, .size_max = size_max, .file = NO_FILE};
}

static void forget(struct segment_maker *m)
{
    m->file = NO_FILE;
    m->filled = m->begun = m->durable = 0;
    m->syncing = false;
}

void maker_close(struct segment_maker *m)
{
    if (m->file != NO_FILE)
        m->disk->close(m->disk->self, m->file);
    forget(m);
}

enum status maker_measure(struct segment_maker *m)
{
    return segments_measure(m->disk, &m->segments, &m->used);
}

bool maker_ready(const struct segment_maker *m)
{
    return m->file != NO_FILE && m->durable == m->segment_size;
}

/* No room: what there is goes. STATUS_OK, for that is no failure. */
static enum status lack(struct segment_maker *m, const char *why, uint64_t now_ns)
{
    bool there = m->file != NO_FILE;
    maker_close(m);
    m->lack = why;
    m->retry_ns = now_ns + RETRY_MS * NS_PER_MS;
    return there && m->disk->remove(m->disk->self, NEXT_NAME) == STATUS_IO ? STATUS_IO : STATUS_OK;
}

static enum status begin(struct segment_maker *m, uint64_t now_ns)
{
    if (m->used > m->size_max || m->segment_size > m->size_max - m->used)
        return lack(m, "size_max", now_ns);
    enum status status = m->disk->create(m->disk->self, NEXT_NAME, &m->file);
    if (status != STATUS_OK)
        m->file = NO_FILE;
    return status == STATUS_FULL ? lack(m, "no space", now_ns) : status;
}

static enum status fill(struct segment_maker *m, uint64_t now_ns, uint64_t bytes)
{
    static const uint8_t zeros[PIECE_SIZE];
    while (bytes > 0 && m->filled < m->segment_size) {
        uint64_t left = m->segment_size - m->filled;
        size_t piece = (size_t)(left < bytes ? left : bytes);
        if (piece > PIECE_SIZE)
            piece = PIECE_SIZE;
        enum status status = m->disk->write(m->disk->self, m->file, m->filled, zeros, piece);
        if (status == STATUS_FULL)
            return lack(m, "no space", now_ns);
        if (status != STATUS_OK)
            return status;
        m->filled += piece;
        bytes -= piece;
    }
    return STATUS_OK;
}

static void made_durable(struct segment_maker *m, uint64_t bytes)
{
    m->durable = bytes;
    if (maker_ready(m))
        m->lack = NULL;
}

/* Look after the sync in the background. */
static enum status tend_sync(struct segment_maker *m)
{
    if (m->syncing) {
        enum disk_sync state = m->disk->sync_state(m->disk->self, m->file);
        if (state == DISK_SYNC_FAILED)
            return STATUS_IO;
        if (state == DISK_SYNC_RUNNING)
            return STATUS_OK;
        m->syncing = false;
        made_durable(m, m->begun);
    }
    bool wanted = m->filled == m->segment_size || m->filled - m->begun >= SYNC_EVERY;
    if (!wanted || m->filled == m->durable)
        return STATUS_OK;
    m->begun = m->filled;
    m->syncing = true;
    return m->disk->sync_begin(m->disk->self, m->file);
}

enum status maker_tend(struct segment_maker *m, uint64_t now_ns, uint64_t bytes_max)
{
    enum status status = STATUS_OK;
    if (maker_ready(m))
        return STATUS_OK;
    if (m->file == NO_FILE && m->lack != NULL) {
        if (now_ns < m->retry_ns)
            return STATUS_OK;
        status = maker_measure(m);
    }
    if (status == STATUS_OK && m->file == NO_FILE)
        status = begin(m, now_ns);
    if (status != STATUS_OK || m->file == NO_FILE)
        return status;
    uint64_t bytes = bytes_max > PIECE_SIZE ? bytes_max : PIECE_SIZE;
    if (m->lack != NULL)
        bytes = LACK_PIECE_SIZE;
    if (m->filled - m->durable < FILL_AHEAD)
        status = fill(m, now_ns, bytes);
    if (status != STATUS_OK || m->file == NO_FILE)
        return status;
    return tend_sync(m);
}

uint64_t maker_patience_ns(const struct segment_maker *m, uint64_t now_ns)
{
    if (m->lack == NULL)
        return UINT64_MAX;
    if (m->file != NO_FILE)
        return 0;
    return m->retry_ns > now_ns ? m->retry_ns - now_ns : 0;
}

enum status maker_finish(struct segment_maker *m, uint64_t now_ns)
{
    if (maker_ready(m))
        return STATUS_OK;
    if (m->lack != NULL)
        return STATUS_FULL;
    enum status status = m->file == NO_FILE ? begin(m, now_ns) : STATUS_OK;
    if (status == STATUS_OK && m->file != NO_FILE)
        status = fill(m, now_ns, m->segment_size);
    if (status != STATUS_OK)
        return status;
    if (m->file == NO_FILE)
        return STATUS_FULL;
    status = m->disk->sync(m->disk->self, m->file);
    if (status != STATUS_OK)
        return STATUS_IO;
    if (m->syncing)
        (void)m->disk->sync_state(m->disk->self, m->file); /* it has ended as well */
    m->syncing = false;
    made_durable(m, m->filled);
    return STATUS_OK;
}

enum status maker_take(struct segment_maker *m, const struct segment_header *h, int *file)
{
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    char name[DISK_NAME_SIZE];
    CHECK(maker_ready(m));
    segment_header_write(bytes, h);
    segment_name(h->first_number, name);
    enum status status = m->disk->write(m->disk->self, m->file, 0, bytes, sizeof bytes);
    if (status == STATUS_OK && m->disk->sync(m->disk->self, m->file) != STATUS_OK)
        status = STATUS_IO;
    if (status == STATUS_OK)
        status = m->disk->rename(m->disk->self, NEXT_NAME, name);
    if (status != STATUS_OK)
        return status == STATUS_FULL ? STATUS_FULL : STATUS_IO;
    *file = m->file;
    forget(m);
    return maker_measure(m);
}
