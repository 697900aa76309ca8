/* calls: how a civetweb thread waits for the step's answer: a place for each thread that may wait,
 * named by a number that is never used twice, so that an answer that comes too late finds nobody.
 */
#ifndef OUTCRY_GATEWAY_CALLS_H
#define OUTCRY_GATEWAY_CALLS_H

#include "gateway/desk.h"

typedef struct calls calls_t;

/* count_max: how many may wait at once. */
calls_t *calls_new(unsigned count_max);
void calls_destroy(calls_t **c);

/* A call to put into an ask; 0: as many wait as may.   Thread: any. */
uint64_t calls_begin(calls_t *c);

/* An answer as it came: head, position and body behind each other, BORROWED until calls_end. */
struct call_answer {
    struct answer head;
    struct text at;
    struct text body;
};

/* Wait for the call's answer, at most so long; false: none came.   Thread: that of calls_begin. */
bool calls_wait(calls_t *c, uint64_t call, uint64_t timeout_ms, struct call_answer *answer);
void calls_end(calls_t *c, uint64_t call);

/* An answer of the step: wakes who waits.   Thread: the step's. */
void calls_deliver(calls_t *c, const uint8_t *message, size_t size);

#endif
