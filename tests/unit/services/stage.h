/* stage: a matcher driven by hand, batch by batch, as the node would, and all it had to say. */
#ifndef OUTCRY_UNIT_SERVICES_STAGE_H
#define OUTCRY_UNIT_SERVICES_STAGE_H

#include "matcher/matcher.h"
#include "proto/frame.h"
#include "tests/unit/services/orders.h"

enum { STAGE_SAID_MAX = 20000, STAGE_EPOCH = 900, STAGE_SHARD = 3 };

#define STAGE_REPLY "00112233445566778899aabbccddeeff"

/* A message the matcher sent. */
struct said {
    uint8_t *bytes;
    size_t size;
    uint32_t output;
    uint64_t batch;
};

struct stage {
    matcher_t *matcher;
    struct service service;
    uint64_t now_ns;
    uint64_t batch; /* number of the batch being made, or the next one */
    bool in_batch;
    uint8_t *journal_bytes; /* of the last batch */
    struct journal_batch journal;
    struct said said[STAGE_SAID_MAX]; /* taken from the outbox and not cleared */
    unsigned said_count;
};

/* Limits that are in nobody's way; heartbeats once an hour. */
struct matcher_options stage_options(void);

/* A matcher of three symbols (orders.h). Its first batch is made. */
void stage_open(struct stage *s, const struct matcher_options *options);
void stage_close(struct stage *s);

void stage_begin(struct stage *s);
enum intake stage_receive(struct stage *s, unsigned input, const uint8_t *bytes, size_t size);

/* The batch is whole, and what it had to say is taken. True if there was something to journal. */
bool stage_end(struct stage *s);

/* A batch of one message of commands, which it must take whole. */
void stage_batch(struct stage *s, const struct message *m);

/* Forget what was said. */
void stage_clear(struct stage *s);

/* The only message said on the topic since, read; there must be one. */
struct frame_reader stage_frame(const struct stage *s, const char *topic);

/* How many messages were said on the topic, or on all that begin so. */
unsigned stage_count(const struct stage *s, const char *topic);
unsigned stage_count_prefix(const struct stage *s, const char *prefix);

/* The only event of this type in a frame; there must be one. */
struct wire_reader stage_event(struct frame_reader f, uint64_t type);

/* The results on `ack.<origin>` since, in order; at most max. How many. */
unsigned stage_results(const struct stage *s, const char *origin, struct result *results,
                       unsigned max);

/* The only one. */
struct result stage_result(const struct stage *s, const char *origin);

/* Requests to the matcher, whose asker (STAGE_REPLY) is subscribed on both outputs. */
void stage_ask_snapshot(struct stage *s, const char *topic, uint64_t min_seq);

#endif
