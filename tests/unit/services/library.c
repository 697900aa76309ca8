#include "tests/unit/services/library.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mix.h"

void library_open(struct library *l)
{
    l->count = 0;
    memset(l->buckets, 0, sizeof l->buckets);
}

void library_close(struct library *l)
{
    while (l->count > 0)
        free(l->frames[--l->count].bytes);
}

static uint32_t bucket_of(struct text topic, uint64_t epoch)
{
    uint64_t hash = epoch;
    for (size_t i = 0; i < topic.size; i++)
        hash = mix(hash + (uint8_t)topic.data[i]);
    return (uint32_t)(hash % LIBRARY_BUCKETS);
}

void library_add(struct library *l, const uint8_t *bytes, size_t size)
{
    struct frame_reader f;
    CHECK(l->count < LIBRARY_FRAMES);
    struct library_frame *n = &l->frames[l->count++];
    n->bytes = malloc(size);
    memcpy(n->bytes, bytes, size);
    n->size = size;
    CHECK(frame_read(&f, n->bytes, size) == FRAME_READ_OK);
    n->epoch = f.head.epoch;
    n->seq = f.head.seq;
    n->topic = f.head.topic;
    uint32_t *bucket = &l->buckets[bucket_of(n->topic, n->epoch)];
    n->before = *bucket;
    *bucket = l->count;
}

/* The newest frame of the topic that ends at or before seq. */
static const struct library_frame *newest(const struct library *l, struct text topic,
                                          uint64_t epoch, uint64_t seq)
{
    for (uint32_t n = l->buckets[bucket_of(topic, epoch)]; n != 0; n = l->frames[n - 1].before) {
        const struct library_frame *f = &l->frames[n - 1];
        if (f->epoch == epoch && f->seq <= seq && text_equal(f->topic, topic))
            return f;
    }
    return NULL;
}

const struct library_frame *library_find(const struct library *l, struct text topic, uint64_t epoch,
                                         uint64_t seq)
{
    const struct library_frame *f = newest(l, topic, epoch, seq);
    return f != NULL && f->seq == seq ? f : NULL;
}

uint64_t library_position(const struct library *l, struct text topic, uint64_t epoch, uint64_t seq)
{
    const struct library_frame *f = newest(l, topic, epoch, seq);
    return f == NULL ? 0 : f->seq;
}
