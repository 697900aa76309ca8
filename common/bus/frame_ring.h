/* frame_ring: the last frames a publisher sent, to be sent again byte for byte.
 *
 * A ring of bytes and a ring of entries; each entry knows the frame before it on its topic, so a
 * topic's frames are walked backwards from its last one. The oldest go when room is needed.
 * Thread: owner only. Memory is taken by init. */
#ifndef OUTCRY_BUS_FRAME_RING_H
#define OUTCRY_BUS_FRAME_RING_H

#include <stddef.h>
#include <stdint.h>

struct kept_frame {
    uint64_t before; /* number of the topic's frame before this one; 0: none */
    uint64_t prev_seq;
    uint64_t seq;
    uint64_t at; /* bytes ever written before it */
    size_t size;
};

struct frame_ring {
    uint8_t *bytes;
    size_t size;
    struct kept_frame *frames; /* by number modulo count_max */
    uint64_t count_max;
    uint64_t first; /* number of the oldest frame kept */
    uint64_t next;  /* number of the next frame; numbers begin at 1 */
    uint64_t head, tail;
};

void frame_ring_init(struct frame_ring *r, size_t size, uint64_t count_max);
void frame_ring_close(struct frame_ring *r);

/* Keep a frame; its number. A frame larger than the ring is not kept: 0. */
uint64_t frame_ring_add(struct frame_ring *r, uint64_t before, uint64_t prev_seq, uint64_t seq,
                        const uint8_t *bytes, size_t size);

/* The frame of this number; NULL if it is not kept (any more). */
const struct kept_frame *frame_ring_get(const struct frame_ring *r, uint64_t number);
const uint8_t *frame_ring_bytes(const struct frame_ring *r, const struct kept_frame *f);

#endif
