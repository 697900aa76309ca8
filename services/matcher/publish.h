/* publish: from what the engine decided to what is said: private.c for those concerned, public.c
 * for everybody. Each is one object around one publisher and knows the engine only by reading. */
#ifndef OUTCRY_MATCHER_PUBLISH_H
#define OUTCRY_MATCHER_PUBLISH_H

#include "bus/publisher.h"
#include "engine/engine.h"

struct publish_options {
    engine_t *engine;      /* KEPT */
    struct outbox *outbox; /* KEPT */
    uint32_t output;
    size_t kept_size;
    struct text requests_address;
    struct configure limits;
    uint64_t epoch;
    enum journal_mode journal;
    const uint64_t *time_ns;                                    /* KEPT: the batch's stamp */
    bool (*pass_on)(void *self, const struct request *request); /* see publisher_state */
    void *pass_on_self;                                         /* KEPT */
};

/* Commands a batch may have, whatever the settings are: one that was made under others must fit
 * when it is made again. Memory that is not used costs nothing. */
enum { PUBLISH_BATCH_COMMANDS_MAX = 65536 };

/* Chunks (publisher.h) one command can fill at most: a topic and a half KiB for each fill or
 * cancel. While fewer are free, the batch is full. */
static inline uint32_t publish_chunks_per_command(const struct configure *limits)
{
    return 2 * (uint32_t)limits->events_max + 64;
}

/* ---- private.c: `ack.<origin>`, `acct.<account>`, and the snapshots of orders ---- */

typedef struct private_feed private_feed_t;

/* Where the topics stand, for an image: by number of the account. 0: it has none yet. */
uint64_t private_feed_position(const private_feed_t *f, uint32_t account);
void private_feed_position_set(private_feed_t *f, uint32_t account, uint64_t seq);

private_feed_t *private_feed_new(const struct publish_options *options);
void private_feed_destroy(private_feed_t **f);
publisher_t *private_feed_publisher(private_feed_t *f);

void private_feed_epoch_set(private_feed_t *f, uint64_t epoch);

/* The group of the command just applied. */
void private_feed_group(private_feed_t *f);

/* Answers to commands that are not sequenced; outside any batch's frames. */
void private_feed_repeat(private_feed_t *f, const struct envelope *to, const struct outcome *first);
void private_feed_gap(private_feed_t *f, const struct envelope *to, uint64_t expected_seq);
void private_feed_refuse(private_feed_t *f, const struct envelope *to, enum reason code);

/* ---- public.c: `l3.<symbol>`, and its snapshots ---- */

typedef struct public_feed public_feed_t;

public_feed_t *public_feed_new(const struct publish_options *options);
void public_feed_destroy(public_feed_t **f);
publisher_t *public_feed_publisher(public_feed_t *f);
void public_feed_epoch_set(public_feed_t *f, uint64_t epoch);
void public_feed_group(public_feed_t *f);

/* Likewise, by number of the symbol. */
uint64_t public_feed_position(const public_feed_t *f, uint32_t symbol);
void public_feed_position_set(public_feed_t *f, uint32_t symbol, uint64_t seq);

/* A symbol was added: its topic exists. */
void public_feed_symbol(public_feed_t *f, uint32_t symbol);

#endif
