#include "bus/frame_ring.h"

#include <string.h>

#include "base/memory.h"

void frame_ring_init(struct frame_ring *r, size_t size, uint64_t count_max)
{
    *r = (struct frame_ring){
        .bytes = memory_new(1, size, "frames to send again"),
        .size = size,
        .frames = memory_new((size_t)count_max, sizeof *r->frames, "frames to send again"),
        .count_max = count_max,
        .first = 1,
        .next = 1,
    };
}

void frame_ring_close(struct frame_ring *r)
{
    memory_free(r->bytes, 1, r->size);
    memory_free(r->frames, (size_t)r->count_max, sizeof *r->frames);
    *r = (struct frame_ring){0};
}

static struct kept_frame *frame_at(const struct frame_ring *r, uint64_t number)
{
    return &r->frames[number % r->count_max];
}

static void drop_oldest(struct frame_ring *r)
{
    const struct kept_frame *f = frame_at(r, r->first);
    r->head = f->at + f->size;
    r->first++;
}

uint64_t frame_ring_add(struct frame_ring *r, uint64_t before, uint64_t prev_seq, uint64_t seq,
                        const uint8_t *bytes, size_t size)
{
    if (size > r->size)
        return 0;
    size_t to_end = r->size - (size_t)(r->tail % r->size);
    uint64_t at = size > to_end ? r->tail + to_end : r->tail; /* frames do not wrap */
    while (r->first < r->next &&
           (at + size - r->head > r->size || r->next - r->first == r->count_max))
        drop_oldest(r);
    if (r->first == r->next)
        r->head = at;
    memcpy(r->bytes + at % r->size, bytes, size);
    r->tail = at + size;
    *frame_at(r, r->next) = (struct kept_frame){before, prev_seq, seq, at, size};
    return r->next++;
}

const struct kept_frame *frame_ring_get(const struct frame_ring *r, uint64_t number)
{
    return number >= r->first && number < r->next ? frame_at(r, number) : NULL;
}

const uint8_t *frame_ring_bytes(const struct frame_ring *r, const struct kept_frame *f)
{
    return r->bytes + f->at % r->size;
}
