#include "backtest/listeners.h"

#include <string.h>

static unsigned find(const struct listeners *l, const uint8_t *prefix, size_t size)
{
    unsigned i = 0;
    while (i < l->count &&
           (l->listened[i].size != size || memcmp(l->listened[i].prefix, prefix, size) != 0))
        i++;
    return i;
}

bool listeners_take(struct listeners *l, const uint8_t *message, size_t size)
{
    if (size == 0 || message[0] > 1)
        return true;
    const uint8_t *prefix = message + 1;
    unsigned place = find(l, prefix, --size);
    if (message[0] == 0) {
        if (place < l->count)
            l->listened[place] = l->listened[--l->count];
        return true;
    }
    if (place < l->count)
        return true;
    if (place == LISTENERS_MAX || size > LISTENERS_PREFIX_SIZE)
        return false;
    memcpy(l->listened[place].prefix, prefix, size);
    l->listened[place].size = size;
    l->count++;
    return true;
}

bool listeners_hear(const struct listeners *l, const uint8_t *message, size_t size)
{
    for (unsigned i = 0; i < l->count; i++) {
        const struct listened *one = &l->listened[i];
        if (one->size <= size && memcmp(one->prefix, message, one->size) == 0)
            return true;
    }
    return false;
}
