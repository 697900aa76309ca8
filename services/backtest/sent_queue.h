/* sent_queue: commands of clients on their way to the matcher, as bytes, first in, first out. */
#ifndef OUTCRY_BACKTEST_SENT_QUEUE_H
#define OUTCRY_BACKTEST_SENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sent_command {
    uint64_t sent_ns, arrival_ns;
    uint8_t *bytes;
    size_t size;
};

struct sent_queue {
    struct sent_command *commands; /* a ring */
    size_t first, count, count_max;
};

void sent_queue_close(struct sent_queue *q);

/* BORROWS bytes. */
void sent_queue_add(struct sent_queue *q, uint64_t sent_ns, uint64_t arrival_ns,
                    const uint8_t *bytes, size_t size);

/* The first one; NULL: there is none. Good until the next add or drop. */
const struct sent_command *sent_queue_first(const struct sent_queue *q);
void sent_queue_drop(struct sent_queue *q);

#endif
