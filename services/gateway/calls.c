#include "gateway/calls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

enum {
    PLACE_BITS = 16,          /* of a call: which place; the rest counts its uses */
    KEPT_SIZE_MAX = 64 << 10, /* a larger buffer is not kept for the next call */
};

struct place {
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    uint64_t call; /* 0: nobody waits here */
    uint64_t uses;
    uint32_t next_free;
    uint8_t *bytes; /* the answer; grows as answers do */
    size_t size, size_max;
};

struct calls {
    struct place *places; /* 1..count_max */
    unsigned count_max;
    pthread_mutex_t mutex; /* of the list of free places */
    uint32_t first_free;
};

calls_t *calls_new(unsigned count_max)
{
    CHECK(count_max > 0 && count_max < 1 << PLACE_BITS);
    calls_t *c = memory_new(1, sizeof *c, "calls");
    pthread_condattr_t monotonic;
    CHECK(pthread_condattr_init(&monotonic) == 0 &&
          pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    c->places = memory_new((size_t)count_max + 1, sizeof *c->places, "calls");
    c->count_max = count_max;
    CHECK(pthread_mutex_init(&c->mutex, NULL) == 0);
    for (uint32_t i = count_max; i >= 1; i--) {
        struct place *p = &c->places[i];
        CHECK(pthread_mutex_init(&p->mutex, NULL) == 0 &&
              pthread_cond_init(&p->answered, &monotonic) == 0);
        p->next_free = c->first_free;
        c->first_free = i;
    }
    pthread_condattr_destroy(&monotonic);
    return c;
}

void calls_destroy(calls_t **calls)
{
    calls_t *c = *calls;
    if (c == NULL)
        return;
    for (uint32_t i = 1; i <= c->count_max; i++) {
        free(c->places[i].bytes);
        pthread_cond_destroy(&c->places[i].answered);
        pthread_mutex_destroy(&c->places[i].mutex);
    }
    pthread_mutex_destroy(&c->mutex);
    memory_free(c->places, (size_t)c->count_max + 1, sizeof *c->places);
    memory_free(c, 1, sizeof *c);
    *calls = NULL;
}

static struct place *place_of(calls_t *c, uint64_t call)
{
    uint64_t i = call & ((1 << PLACE_BITS) - 1);
    CHECK(i >= 1 && i <= c->count_max);
    return &c->places[i];
}

uint64_t calls_begin(calls_t *c)
{
    pthread_mutex_lock(&c->mutex);
    uint32_t i = c->first_free;
    if (i != 0)
        c->first_free = c->places[i].next_free;
    pthread_mutex_unlock(&c->mutex);
    if (i == 0)
        return 0;
    struct place *p = &c->places[i];
    pthread_mutex_lock(&p->mutex);
    p->call = ++p->uses << PLACE_BITS | i;
    p->size = 0;
    uint64_t call = p->call;
    pthread_mutex_unlock(&p->mutex);
    return call;
}

static struct timespec deadline_after(uint64_t timeout_ms)
{
    uint64_t ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
    return (struct timespec){(time_t)(ns / NS_PER_SECOND), (long)(ns % NS_PER_SECOND)};
}

bool calls_wait(calls_t *c, uint64_t call, uint64_t timeout_ms, struct call_answer *answer)
{
    struct place *p = place_of(c, call);
    struct timespec until = deadline_after(timeout_ms);
    pthread_mutex_lock(&p->mutex);
    while (p->size == 0 && pthread_cond_timedwait(&p->answered, &p->mutex, &until) != ETIMEDOUT)
        continue;
    bool came = p->size > 0;
    if (!came)
        p->call = 0; /* an answer that comes now is nobody's */
    pthread_mutex_unlock(&p->mutex);
    if (!came)
        return false;
    memcpy(&answer->head, p->bytes, sizeof answer->head);
    const char *at = (const char *)p->bytes + sizeof answer->head;
    answer->at = (struct text){at, answer->head.at_size};
    answer->body = (struct text){at + answer->head.at_size,
                                 p->size - sizeof answer->head - answer->head.at_size};
    return true;
}

void calls_end(calls_t *c, uint64_t call)
{
    struct place *p = place_of(c, call);
    pthread_mutex_lock(&p->mutex);
    p->call = 0;
    if (p->size_max > KEPT_SIZE_MAX) {
        free(p->bytes);
        p->bytes = NULL;
        p->size_max = 0;
    }
    pthread_mutex_unlock(&p->mutex);
    pthread_mutex_lock(&c->mutex);
    p->next_free = c->first_free;
    c->first_free = (uint32_t)(p - c->places);
    pthread_mutex_unlock(&c->mutex);
}

static void keep(struct place *p, const uint8_t *message, size_t size)
{
    if (size > p->size_max) {
        free(p->bytes);
        p->bytes = malloc(size);
        CHECK(p->bytes != NULL);
        p->size_max = size;
    }
    memcpy(p->bytes, message, size);
    p->size = size;
}

void calls_deliver(calls_t *c, const uint8_t *message, size_t size)
{
    struct answer head;
    CHECK(size >= sizeof head);
    memcpy(&head, message, sizeof head);
    struct place *p = place_of(c, head.call);
    pthread_mutex_lock(&p->mutex);
    bool wanted = p->call == head.call && p->size == 0;
    if (wanted)
        keep(p, message, size);
    pthread_mutex_unlock(&p->mutex);
    if (wanted)
        pthread_cond_signal(&p->answered);
}
