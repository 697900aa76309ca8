/* twin: a market-data of our own, beside a matcher that is run again: what market-data published
 * of that history, or must have, comes out again, byte for byte.
 *
 * It joins by the snapshots the matcher answers, as any other, but at once: after the history's
 * first batch, and again at the beginning of each epoch, so it leaves nothing out that another
 * replica could have published. Thread: one. */
#ifndef OUTCRY_CLI_TWIN_H
#define OUTCRY_CLI_TWIN_H

#include "market-data/market_data.h"
#include "matcher/matcher.h"

typedef struct twin twin_t;

/* For the symbols the matcher has now. frame: each message it publishes, heartbeats too.
 * KEEPS self. */
twin_t *twin_new(const matcher_t *m, void (*frame)(void *self, const uint8_t *message, size_t size),
                 void *self);
void twin_destroy(twin_t **t);

/* A message of the matcher's public output. */
void twin_receive(twin_t *t, const uint8_t *message, size_t size, uint64_t now_ns);

/* Have the matcher answer what is asked, if anything is: it is only where frames contradict each
 * other. */
void twin_answer(twin_t *t, matcher_t *m, uint64_t now_ns);

/* Have the matcher say where its topics stand, and answer what is asked, until every book is
 * complete. False: that does not come about. */
bool twin_join(twin_t *t, matcher_t *m, uint64_t now_ns);

#endif
