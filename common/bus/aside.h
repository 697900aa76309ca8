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

/* One of them; zeroed, it is before the first. */
struct aside_frame {
    size_t at;
    uint32_t topic;
    const uint8_t *bytes;
    size_t size;
};

/* Go on to the next frame that is not done with, of whatever topic; false: there is none. */
bool aside_next(const struct aside *a, struct aside_frame *f);

/* The frame is done with. */
void aside_done(struct aside *a, const struct aside_frame *f);

#endif
