/* matcher_parts: what a matcher is made of; for matcher.c (sequencing, the step), requests.c (what
 * is asked of it, its follower) and image.c (its state as bytes, its past) only. */
#ifndef OUTCRY_MATCHER_MATCHER_PARTS_H
#define OUTCRY_MATCHER_MATCHER_PARTS_H

#include "matcher/ahead.h"
#include "matcher/matcher.h"
#include "matcher/publish.h"

/* Codes from 5000 on are not a matcher's (proto/reject_table.h). */
enum { MATCHER_CODES = 5000 };

/* Commands of the batch being made, as they will stand in the journal. */
struct batch {
    uint64_t first_seq;
    uint32_t count;
    uint8_t *bytes;
    size_t size;
    size_t size_max;
    bool closed; /* an origin has had its share, or a request was answered */
};

/* What is known of the follower. */
struct follower_state {
    uint64_t heard_ns; /* when it was heard last; 0: never */
    struct following following;
    uint64_t told_ns;  /* when it was told how far it may read */
    uint64_t told_seq; /* and how far that is */
};

struct matcher {
    struct matcher_options options;
    engine_t *engine;
    struct outbox outbox;
    private_feed_t *private_feed;
    public_feed_t *public_feed;
    uint64_t now_ns;
    uint64_t epoch;
    uint64_t heartbeat_due_ns;
    enum standing standing;
    uint64_t failed_seq; /* once FAILED: the last command that may be spoken of */
    struct batch batch;
    uint32_t *origin_counts;    /* commands of this batch, by number of the origin */
    struct ahead ahead;         /* the message being received */
    size_t message_at;          /* how far the message being received is done with */
    struct add_symbol *symbols; /* still to be sequenced, first of all */
    unsigned symbol_count;
    uint64_t checkpoint_seq; /* the last command with a checkpoint behind it */
    struct follower_state follower;
    bool resume; /* the request being received confirms the clock */
    struct matcher_counts counts;
    uint64_t rejects[MATCHER_CODES]; /* likewise, by code */
    uint64_t *trades;                /* likewise, by number of the symbol */
    struct matcher_counts reported;
};

/* ---- matcher.c ---- */

/* A matcher around this engine, which it takes. */
matcher_t *matcher_around(const struct matcher_options *options, engine_t *engine);

/* The frames of what was applied so far. */
void matcher_flush(matcher_t *m);

/* The command is applied, and told to both feeds. */
void matcher_apply(matcher_t *m, const struct command *c);

/* ---- requests.c ---- */

/* A request of anybody's: closes the batch. */
void requests_receive(matcher_t *m, const uint8_t *message, size_t size);

/* An answer of the follower's, to be passed on by this output. */
enum intake requests_relay(matcher_t *m, unsigned output, const uint8_t *message, size_t size);

/* Tell the follower how far it may read, if it is time: it takes a core of its own to read each
 * batch when it is made, so a little later several at once. */
enum { FOLLOWER_TOLD_MS = 2 };
bool requests_follower_waits(const matcher_t *m);
void requests_tell_follower(matcher_t *m);

/* publisher_state.pass_on of both feeds. */
bool requests_pass_on(void *matcher, const struct request *request);

#endif
