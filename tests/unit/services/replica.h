/* replica: a market-data driven by hand: what it takes in, batch by batch, and what it publishes
 * and asks for. */
#ifndef OUTCRY_UNIT_SERVICES_REPLICA_H
#define OUTCRY_UNIT_SERVICES_REPLICA_H

#include "market-data/market_data.h"
#include "tests/unit/services/orders.h"

enum { REPLICA_SAID_MAX = 4000 };

struct replica {
    market_data_t *market_data;
    struct service service;
    char reply[REPLY_SIZE + 1];
    uint64_t now_ns;
    struct bytes published[REPLICA_SAID_MAX]; /* taken and not cleared; heap */
    unsigned published_count;
    struct bytes requests[64]; /* to the matcher of shard requests_shard[i] */
    unsigned requests_shard[64];
    unsigned request_count;
};

/* One shard for the three symbols of orders.h; or the second symbol on a shard of its own. */
void replica_cluster(struct cluster *c, unsigned shards);

/* digit: its reply topic is made of this hexadecimal digit. */
void replica_open(struct replica *r, const struct cluster *c, char digit);
void replica_close(struct replica *r);

/* A batch of one message. Input: a shard's frames, or behind the last shard requests. */
void replica_receive(struct replica *r, unsigned input, const uint8_t *bytes, size_t size);

/* A batch of nothing. */
void replica_tick(struct replica *r);

void replica_subscribe(struct replica *r, const char *reply);

/* Forget what it published. */
void replica_clear(struct replica *r);

/* How many frames it published on the topic since; the only one, read. */
unsigned replica_count(const struct replica *r, const char *topic);
struct frame_reader replica_frame(const struct replica *r, const char *topic);

#endif
