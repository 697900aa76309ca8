#include "tests/unit/bus/link.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

void link_open(struct link *l, const struct weather *weather, uint64_t seed)
{
    memset(l, 0, sizeof *l);
    l->weather = *weather;
    l->random.state = seed;
}

void link_close(struct link *l)
{
    link_cut(l);
}

void link_cut(struct link *l)
{
    for (size_t i = l->first; i < l->first + l->count; i++)
        free(l->messages[i].bytes);
    l->first = l->count = 0;
}

static bool chance(struct link *l, unsigned in_1000)
{
    return random_below(&l->random, 1000) < in_1000;
}

/* Messages stay in order unless one takes its own time. */
static uint64_t due(struct link *l, uint64_t now_ns)
{
    uint64_t due_ns = now_ns + random_below(&l->random, l->weather.late_ms + 1) * NS_PER_MS;
    if (chance(l, l->weather.overtake))
        return due_ns;
    if (due_ns < l->last_due_ns)
        due_ns = l->last_due_ns;
    return l->last_due_ns = due_ns;
}

static void put(struct link *l, const uint8_t *bytes, size_t size, uint64_t due_ns)
{
    if (l->first + l->count == LINK_MESSAGES) {
        memmove(l->messages, l->messages + l->first, l->count * sizeof l->messages[0]);
        l->first = 0;
    }
    CHECK(l->count < LINK_MESSAGES);
    struct in_flight *m = &l->messages[l->first + l->count++];
    m->bytes = malloc(size + (size == 0)); /* exact, so that ASan sees a byte too far */
    CHECK(m->bytes != NULL);
    memcpy(m->bytes, bytes, size);
    m->size = size;
    m->due_ns = due_ns;
}

void link_send(struct link *l, const uint8_t *bytes, size_t size, uint64_t now_ns)
{
    l->sent++;
    if (chance(l, l->weather.lose)) {
        l->lost++;
        return;
    }
    put(l, bytes, size, due(l, now_ns));
    if (chance(l, l->weather.twice))
        put(l, bytes, size, due(l, now_ns));
}

/* The message to deliver next; NULL if none is due. */
static struct in_flight *next_due(struct link *l, uint64_t now_ns)
{
    struct in_flight *next = NULL;
    while (l->count > 0 && l->messages[l->first].bytes == NULL) {
        l->first++;
        l->count--;
    }
    for (size_t i = l->first; i < l->first + l->count; i++) {
        struct in_flight *m = &l->messages[i];
        if (m->bytes != NULL && m->due_ns <= now_ns && (next == NULL || m->due_ns < next->due_ns))
            next = m;
    }
    return next;
}

bool link_deliver(struct link *l, uint64_t now_ns, void *self,
                  void (*receive)(void *self, const uint8_t *bytes, size_t size))
{
    bool any = false;
    for (struct in_flight *m; (m = next_due(l, now_ns)) != NULL; any = true) {
        struct in_flight message = *m;
        m->bytes = NULL; /* receive may send, which moves the others */
        l->delivered++;
        receive(self, message.bytes, message.size);
        free(message.bytes);
    }
    return any;
}
