/* library: every frame a market-data that misses nothing has published, to hold others against. */
#ifndef OUTCRY_UNIT_SERVICES_LIBRARY_H
#define OUTCRY_UNIT_SERVICES_LIBRARY_H

#include "proto/frame.h"

enum { LIBRARY_FRAMES = 1 << 15, LIBRARY_BUCKETS = 1 << 12 };

struct library_frame {
    uint8_t *bytes;
    size_t size;
    uint64_t epoch, seq;
    struct text topic; /* into bytes */
    uint32_t before;   /* the frame before it in its bucket, + 1 */
};

/* A bucket holds all frames of some topics, newest first. */
struct library {
    struct library_frame frames[LIBRARY_FRAMES];
    uint32_t count;
    uint32_t buckets[LIBRARY_BUCKETS];
};

void library_open(struct library *l);
void library_close(struct library *l);
void library_add(struct library *l, const uint8_t *bytes, size_t size);

/* The frame of this topic that ends at seq; NULL if there is none. */
const struct library_frame *library_find(const struct library *l, struct text topic, uint64_t epoch,
                                         uint64_t seq);

/* Where the topic stood when its shard stood at seq: the seq of its last frame until then, or 0. */
uint64_t library_position(const struct library *l, struct text topic, uint64_t epoch, uint64_t seq);

#endif
