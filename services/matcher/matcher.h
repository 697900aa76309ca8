/* matcher: the one writer of a shard's symbols: sequences commands, matches, publishes.
 *
 *     commands ─ receive ─> admit (its origin's order) ─> engine_apply ─> journal batch
 *                                                            │
 *                             private.c: results and orders  ├─> private publisher  ack. acct.
 *                             public.c:  the book, order by order ─> public publisher  l3.
 *
 * The engine steps while the batch is being collected, because only then is it known which
 * commands leave work over: its continue_work commands are sequenced right behind them, before
 * anything else. What follows from the batch waits in the outbox until the batch is committed, so
 * nobody hears of what is not in the journal.
 *
 * A step function (node/service.h). Thread: one. */
#ifndef OUTCRY_MATCHER_MATCHER_H
#define OUTCRY_MATCHER_MATCHER_H

#include "base/metrics.h"
#include "bus/publisher.h"
#include "engine/engine.h"
#include "journal/record.h"
#include "node/service.h"

typedef struct matcher matcher_t;

/* The node's inputs and outputs, in this order. */
enum {
    MATCHER_INPUT_COMMANDS,
    MATCHER_INPUT_REQUESTS,
    MATCHER_INPUT_PRIVATE_ANSWERS, /* of its follower, to be passed on */
    MATCHER_INPUT_PUBLIC_ANSWERS,
};
enum { MATCHER_OUTPUT_PRIVATE, MATCHER_OUTPUT_PUBLIC, MATCHER_OUTPUT_FOLLOWER };

struct matcher_options {
    struct configure limits; /* of a new history; one that is restored has its own */
    uint64_t epoch;
    enum journal_mode journal;    /* told in heartbeats */
    uint64_t checkpoint_commands; /* at least 1 */
    uint64_t hash_seed;           /* see engine_new() */
    uint64_t heartbeat_ns;
    uint32_t batch_commands_max;
    uint32_t batch_origin_max;
    metric_t *batch_metric;       /* takes the commands of each batch; NULL: nothing does */
    size_t kept_size;             /* bytes of frames each publisher keeps */
    const char *requests_address; /* told in heartbeats; at most ADDRESS_SIZE_MAX */
    /* For a follower's matcher: answer a request for frames older than those kept. NULL: nobody. */
    bool (*older)(void *self, const struct request *request);
    void *older_self; /* KEPT */
};

/* The symbols come into being by commands of their own, the first of the history. KEEPS nothing.
 * symbol_count: 1..limits.symbols_max. */
matcher_t *matcher_new(const struct matcher_options *options, const struct add_symbol *symbols,
                       unsigned symbol_count);
void matcher_destroy(matcher_t **m);

/* ---- image.c: its past ---- */

/* Its whole state as bytes: the engine, and where its topics stand. Between batches only. */
size_t matcher_image_size_max(const matcher_t *m);
size_t matcher_image_write(const matcher_t *m, uint8_t *bytes);

/* The matcher these bytes were written of; options.limits are passed over. NULL, with error filled
 * in, if they are none. */
enum { MATCHER_IMAGE_ERROR_SIZE = 512 };
matcher_t *matcher_image_read(const struct matcher_options *options, const uint8_t *bytes,
                              size_t size, char error[MATCHER_IMAGE_ERROR_SIZE]);

/* A matcher for the history that begins with these commands (its limits are the first); NULL if
 * they are not the beginning of one. Nothing is applied yet. */
matcher_t *matcher_of_history(const struct matcher_options *options, const uint8_t *commands,
                              size_t size);

/* Apply the commands of a batch of the history that are not in the state yet; what follows from
 * them is in the outbox. False, with error filled in: they are no such commands. */
bool matcher_replay(matcher_t *m, const struct journal_record *batch,
                    char error[MATCHER_IMAGE_ERROR_SIZE]);

/* The journal has a checkpoint behind the last command. */
void matcher_checkpointed(matcher_t *m);

/* From here on, this epoch: what was published under the last one may be lost. */
void matcher_epoch_set(matcher_t *m, uint64_t epoch);
uint64_t matcher_epoch(const matcher_t *m);

/* What is in the outbox: for whoever drives it otherwise than by its step functions. */
struct outbox *matcher_outbox(matcher_t *m);

/* ---- requests.c: what a follower has its matcher do ---- */

/* Answer a resend or snapshot request as its publishers would; whoever is not known to listen here
 * is answered by these outputs. False: it is no such request. */
bool matcher_answer(matcher_t *m, const struct request *request, unsigned private_output,
                    unsigned public_output);

/* The publisher a topic belongs to, and its output. */
publisher_t *matcher_publisher(matcher_t *m, struct text topic, unsigned *output);

/* Both publishers' heartbeats, now; and a subscription message of one of them. */
void matcher_heartbeat(matcher_t *m, uint64_t now_ns);
void matcher_subscription(matcher_t *m, unsigned output, const uint8_t *message, size_t size);

/* Bytes a batch of such a matcher has at most: its journal's segments must hold one. */
size_t matcher_batch_size_max(const struct matcher_options *options);

/* Its step functions. BORROWS m for as long as they are used. */
struct service matcher_service(matcher_t *m);

/* For reading only. */
const engine_t *matcher_engine(const matcher_t *m);

struct matcher_counts {
    uint64_t commands; /* sequenced */
    uint64_t batches;
    uint64_t repeats;          /* commands answered with their first result */
    uint64_t gaps;             /* commands that came before ones that are missing */
    uint64_t refused;          /* commands that could not be sequenced */
    uint64_t garbage;          /* messages nobody could read */
    uint64_t foreign;          /* messages of another protocol version */
    uint64_t requests_garbage; /* requests nobody could read, of either kind */
    uint64_t resumes;          /* times it was told that the clock is right */
};
struct matcher_counts matcher_counts(const matcher_t *m);

/* Of the commands counted: those refused with this code, and the trades they made in a symbol, by
 * its number at the engine. */
uint64_t matcher_rejects(const matcher_t *m, uint16_t code);
uint64_t matcher_trades(const matcher_t *m, uint32_t symbol);

/* What the publisher of MATCHER_OUTPUT_PRIVATE or MATCHER_OUTPUT_PUBLIC has said. */
struct publisher_counts matcher_said(const matcher_t *m, unsigned output);

enum standing matcher_standing(const matcher_t *m);

#endif
