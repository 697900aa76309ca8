#include "backtest/sent_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { COMMANDS_FIRST = 64 };

static struct sent_command *at(const struct sent_queue *q, size_t index)
{
    return &q->commands[(q->first + index) % q->count_max];
}

void sent_queue_close(struct sent_queue *q)
{
    while (q->count > 0)
        sent_queue_drop(q);
    free(q->commands);
}

static void grow(struct sent_queue *q)
{
    size_t more = q->count_max == 0 ? COMMANDS_FIRST : 2 * q->count_max;
    struct sent_command *commands = malloc(more * sizeof *commands);
    CHECK(commands != NULL);
    for (size_t i = 0; i < q->count; i++)
        commands[i] = *at(q, i);
    free(q->commands);
    q->commands = commands;
    q->count_max = more;
    q->first = 0;
}

void sent_queue_add(struct sent_queue *q, uint64_t sent_ns, uint64_t arrival_ns,
                    const uint8_t *bytes, size_t size)
{
    if (q->count == q->count_max)
        grow(q);
    uint8_t *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, bytes, size);
    *at(q, q->count++) = (struct sent_command){sent_ns, arrival_ns, copy, size};
}

const struct sent_command *sent_queue_first(const struct sent_queue *q)
{
    return q->count == 0 ? NULL : at(q, 0);
}

void sent_queue_drop(struct sent_queue *q)
{
    CHECK(q->count > 0);
    free(at(q, 0)->bytes);
    q->first = (q->first + 1) % q->count_max;
    q->count--;
}
