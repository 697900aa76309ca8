#include "tests/sim/sim_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"

#define SIM_FAULT_TEXT(NAME, text) text,
const char *const sim_fault_texts[SIM_FAULT_COUNT] = {SIM_FAULT_TABLE(SIM_FAULT_TEXT)};

struct sim_happening {
    uint64_t at_ns;
    uint64_t number; /* in the order they were asked for */
    void (*happen)(void *self, uint64_t argument);
    void *self;
    uint64_t argument;
};

void sim_world_init(struct sim_world *w, uint64_t seed, bool verbose)
{
    *w = (struct sim_world){.seed = seed, .verbose = verbose};
}

void sim_world_close(struct sim_world *w)
{
    free(w->heap);
    w->heap = NULL;
}

struct random sim_world_stream(struct sim_world *w)
{
    return (struct random){mix(mix(w->seed) + ++w->streams)};
}

uint64_t sim_between(struct random *r, uint64_t least, uint64_t most)
{
    return least + random_below(r, most - least + 1);
}

/* ---- what is to happen: a binary heap ---- */

static bool sooner(const struct sim_happening *a, const struct sim_happening *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void swap(struct sim_happening *a, struct sim_happening *b)
{
    struct sim_happening kept = *a;
    *a = *b;
    *b = kept;
}

void sim_world_after(struct sim_world *w, uint64_t delay_ns,
                     void (*happen)(void *self, uint64_t argument), void *self, uint64_t argument)
{
    if (w->heap_count == w->heap_capacity) {
        w->heap_capacity = 2 * w->heap_capacity + 64;
        w->heap = realloc(w->heap, w->heap_capacity * sizeof *w->heap);
        CHECK(w->heap != NULL);
    }
    size_t at = w->heap_count++;
    w->heap[at] = (struct sim_happening){w->now_ns + delay_ns, ++w->asked, happen, self, argument};
    while (at > 0 && sooner(&w->heap[at], &w->heap[(at - 1) / 2])) {
        swap(&w->heap[at], &w->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct sim_happening take_first(struct sim_world *w)
{
    struct sim_happening first = w->heap[0];
    w->heap[0] = w->heap[--w->heap_count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < w->heap_count; child++) {
            if (sooner(&w->heap[child], &w->heap[least]))
                least = child;
        }
        if (least == at)
            return first;
        swap(&w->heap[at], &w->heap[least]);
        at = least;
    }
}

bool sim_world_next(struct sim_world *w, uint64_t until_ns)
{
    if (w->heap_count == 0 || w->heap[0].at_ns > until_ns) {
        w->now_ns = until_ns;
        return false;
    }
    struct sim_happening h = take_first(w);
    w->now_ns = h.at_ns;
    h.happen(h.self, h.argument);
    return true;
}

/* ---- what is told ---- */

void sim_world_fired(struct sim_world *w, enum sim_fault fault, uint64_t times)
{
    w->faults[fault] += times;
}

void sim_world_fail(struct sim_world *w, const char *format, ...)
{
    va_list list;
    if (sim_world_failed(w))
        return;
    va_start(list, format);
    vsnprintf(w->failure, sizeof w->failure, format, list);
    va_end(list);
    sim_world_note(w, "FAILED: %s", w->failure);
}

bool sim_world_failed(const struct sim_world *w)
{
    return w->failure[0] != '\0';
}

void sim_world_note(const struct sim_world *w, const char *format, ...)
{
    va_list list;
    if (!w->verbose)
        return;
    printf("%12.6f  ", (double)w->now_ns / (double)NS_PER_SECOND);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf("\n");
}

void sim_world_digest(struct sim_world *w, const void *bytes, size_t size)
{
    w->digest = mix(w->digest + w->now_ns + XXH3_64bits(bytes, size));
}
