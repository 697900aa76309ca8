/* reader: a program's way to what market-data publishes: a subscriber wired to its sockets.
 * Thread: one. */
#ifndef OUTCRY_CLI_READER_H
#define OUTCRY_CLI_READER_H

#include "bus/endpoint.h"
#include "bus/subscriber.h"
#include "node/cluster.h"

typedef struct reader reader_t;

/* Read `topics`, without a gap, from now on. NULL, with error filled in, if the sockets cannot be
 * opened. */
reader_t *reader_open(const struct cluster *cluster, const struct subscriber_owner *owner,
                      const char *const *topics, unsigned topic_count,
                      char error[ENDPOINT_ERROR_SIZE]);
void reader_close(reader_t **r);

/* Take in what has come; waits at most timeout_ms for it. False if nothing came. */
bool reader_poll(reader_t *r, long timeout_ms);

/* Throw every nth message away before it is read, to show that it does not matter; 0: none. */
void reader_drop(reader_t *r, unsigned nth);

/* Have every message handed over as it came, before it is read. KEEPS self. */
void reader_watch(reader_t *r, void (*message)(void *self, const uint8_t *bytes, size_t size),
                  void *self);

const subscriber_t *reader_subscriber(const reader_t *r);

#endif
