/* link: a wire between two ends in one process, as bad as the test wants it: messages are lost,
 * doubled, late, and overtake each other. Time is the test's. */
#ifndef OUTCRY_UNIT_BUS_LINK_H
#define OUTCRY_UNIT_BUS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/random.h"

enum { LINK_MESSAGES = 8192 };

/* Chances in 1000. */
struct weather {
    unsigned lose;
    unsigned twice;
    unsigned overtake; /* the message takes its own time */
    unsigned late_ms;  /* the most any message takes */
};

struct in_flight {
    uint64_t due_ns;
    uint8_t *bytes; /* NULL: delivered */
    size_t size;
};

struct link {
    struct weather weather;
    struct random random;
    struct in_flight messages[LINK_MESSAGES];
    size_t first, count; /* a window of the array, in the order they were sent */
    uint64_t last_due_ns;
    uint64_t sent, lost, delivered;
};

void link_open(struct link *l, const struct weather *weather, uint64_t seed);
void link_close(struct link *l);

/* Everything on its way is gone. */
void link_cut(struct link *l);
void link_send(struct link *l, const uint8_t *bytes, size_t size, uint64_t now_ns);

/* Hand over what is due by now: first due, first delivered; of what is due at the same time, first
 * sent. True if there was anything. */
bool link_deliver(struct link *l, uint64_t now_ns, void *self,
                  void (*receive)(void *self, const uint8_t *bytes, size_t size));

#endif
