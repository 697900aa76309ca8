/* market-data: the public views of every shard's book, for any number of readers.
 *
 *     l3. frames ─ subscriber (one a shard) ─> mirror (one a symbol) ─> views ─> publisher
 *                  joins late, repairs            the book               l3. as it came
 *                                                                        l2. levels touched
 *                                                                        bbo. if it changed
 *                                                                        trade.
 *
 * Each frame of a matcher makes at most one frame in each view, under the same epoch, sequence and
 * time; heartbeats follow the matcher's. So what it publishes is a function of the matcher's
 * frames, and replicas are alike byte for byte. It never sees an account.
 *
 * A step function (node/service.h): input i is shard i's SUB, the input behind the last shard takes
 * requests; output 0 is the XPUB, output 1 + i pushes requests to shard i. Thread: one. */
#ifndef OUTCRY_MARKET_DATA_MARKET_DATA_H
#define OUTCRY_MARKET_DATA_MARKET_DATA_H

#include "bus/publisher.h"
#include "bus/subscriber.h"
#include "node/cluster.h"
#include "node/service.h"

typedef struct market_data market_data_t;

struct market_data_options {
    const struct cluster *cluster; /* KEPT */
    const char *requests_address;  /* told in heartbeats; at most ADDRESS_SIZE_MAX */
    const char *reply;             /* 32 unpredictable hexadecimal digits */
};

market_data_t *market_data_new(const struct market_data_options *options);
void market_data_destroy(market_data_t **m);
struct service market_data_service(market_data_t *m);

/* What was said, and what was asked for. */
struct publisher_counts market_data_counts(const market_data_t *m);

/* Whether every symbol's book is complete; and how many are. */
bool market_data_ready(const market_data_t *m);
uint64_t market_data_known(const market_data_t *m);

/* What was heard of a shard. */
struct subscriber_counts market_data_heard(const market_data_t *m, unsigned shard);

/* Of each shard whose frames were taken in since it was told last, the one with the oldest stamp;
 * false: there are no more. */
struct market_data_frame {
    unsigned shard;
    uint64_t time_ns;
};
bool market_data_oldest(market_data_t *m, struct market_data_frame *frame);

#endif
