#include "bus/outbox.h"

#include "base/check.h"
#include "base/memory.h"

/* Before each message; records are multiples of 16 bytes and never wrap. */
struct record {
    uint32_t size;
    uint32_t output;
    uint64_t batch;
};

enum {
    RECORD_ALIGN = 16,
    OUTPUT_SKIP = UINT16_MAX, /* fills the end of the ring */
};

void outbox_init(struct outbox *o, size_t size)
{
    CHECK(size % 64 == 0);
    *o = (struct outbox){.bytes = memory_new(1, size, "an outbox"), .size = size};
}

void outbox_close(struct outbox *o)
{
    memory_free(o->bytes, 1, o->size);
    *o = (struct outbox){0};
}

static size_t record_size(size_t message_size)
{
    return (sizeof(struct record) + message_size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

static struct record *record_at(const struct outbox *o, uint64_t position)
{
    return (struct record *)(void *)(o->bytes + position % o->size);
}

size_t outbox_room(const struct outbox *o)
{
    size_t used = (size_t)(o->tail - o->head);
    size_t kept = o->size / 4; /* what the end of the ring may waste */
    return used + kept >= o->size ? 0 : o->size - used - kept;
}

uint8_t *outbox_reserve(struct outbox *o, size_t size)
{
    size_t need = record_size(size);
    size_t to_end = o->size - (size_t)(o->tail % o->size);
    size_t skip = need > to_end ? to_end : 0;
    if (need > o->size / 4 || o->size - (size_t)(o->tail - o->head) < skip + need)
        return NULL;
    if (skip > 0) {
        *record_at(o, o->tail) = (struct record){.size = (uint32_t)skip, .output = OUTPUT_SKIP};
        o->tail += skip;
    }
    return (uint8_t *)(record_at(o, o->tail) + 1);
}

void outbox_commit(struct outbox *o, uint32_t output, size_t size)
{
    *record_at(o, o->tail) =
        (struct record){.size = (uint32_t)size, .output = output, .batch = o->batch};
    o->tail += record_size(size);
}

bool outbox_peek(struct outbox *o, uint64_t committed, struct outgoing *message)
{
    if (o->head != o->tail && record_at(o, o->head)->output == OUTPUT_SKIP)
        o->head += record_at(o, o->head)->size;
    if (o->head == o->tail)
        return false;
    const struct record *r = record_at(o, o->head);
    if (r->batch > committed)
        return false;
    *message = (struct outgoing){(const uint8_t *)(r + 1), r->size, r->output, r->batch};
    return true;
}

void outbox_pop(struct outbox *o)
{
    o->head += record_size(record_at(o, o->head)->size);
    if (o->head == o->tail)
        o->head = o->tail = 0; /* the same warm memory again */
}

void outbox_drop(struct outbox *o, uint64_t committed)
{
    uint64_t at = o->head;
    while (at != o->tail) {
        const struct record *r = record_at(o, at);
        bool skip = r->output == OUTPUT_SKIP;
        if (!skip && r->batch > committed)
            break;
        at += skip ? r->size : record_size(r->size);
    }
    o->tail = at;
    if (o->head == o->tail)
        o->head = o->tail = 0;
}
