/* aside: frames that came while their topic was not complete, kept in the order they came until it
 * is. One bounded run of bytes for all topics of a subscriber. Thread: owner only. */
#ifndef OUTCRY_BUS_ASIDE_H
#define OUTCRY_BUS_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aside {
    uint8_t *bytes;
    size_t size_max;
    size_t size;
    size_t count; /* frames not done with */
};

void aside_init(struct aside *a, size_t size_max);
void aside_close(struct aside *a);

/* Keep a frame. False: there was no room, and everything kept was dropped, this frame too. */
bool aside_keep(struct aside *a, uint32_t topic, const uint8_t *frame, size_t size);

/* The topic's first frame at or after *at, which is moved to it; NULL: there is none. */
const uint8_t *aside_find(const struct aside *a, uint32_t topic, size_t *at, size_t *size);

/* The frame at `at` is done with. */
void aside_done(struct aside *a, size_t at);

#endif
