/* venue: the exchange of a back-test: the real engine on a virtual clock, to which the recorded
 * commands come as they came, and ours between them.
 *
 * Exact mode. What others did is done again, whatever we do; the engine decides. So:
 *   - ours stands in the queue where it arrived; who was recorded behind it waits behind it;
 *   - a recorded aggressor trades with what stands first, us included; what it then cannot get up
 *     to its price is cancelled, as its type says (counts.short_qty; a FOK is refused);
 *   - a recorded order that meets one of ours on arrival trades with it;
 *   - a recorded cancel or amend of an order that is gone because of us is refused, and counted
 *     (counts.refused);
 *   - a recorded amend down applies to what is open now.
 * Nobody reacts to us: the longer and larger our presence, the less it is what would have been.
 * Without an order of ours every fill and level is as recorded; `digests` compares them. Counts of
 * what was refused and short begin with our first command: before it, it is the history's own.
 * The engine has the recording's limits, and room for us beside them. Recorded commands name orders
 * as they did when recorded: an order_id is looked up by where its command is sequenced now.
 *
 * Queue model (RECORDING_LEVELS). Each level's quantity is anonymous orders in the engine. A trade
 * is an IOC order of the aggressor's side; what a level then has too much is taken from its orders
 * by the model, what it has too little comes as a new order at the end of the queue:
 *   - QUEUE_BACK           from the end: who cancels stood behind us (pessimistic)
 *   - QUEUE_PROPORTIONAL   before and behind us in proportion to their quantity, cut to lots; what
 *                          is left by that comes from the end
 * A trade that does not find its quantity up to its price is cut. What we take off a level comes
 * back with the next word about it. A level that is said to be where the other side's are takes
 * those off, which are out of date; ours there it trades with.
 *
 * Time. A command of ours arrives latency after it was sent; what it and others cause is heard
 * latency after that; neither overtakes what went before it the same way. At one and the same time
 * recorded commands come first, then ours that arrive, what strategies hear, and timers; but a
 * command that arrives when it was sent goes in before the next recorded one. What strategies hear
 * of one command: the market, then what became of their orders, then the result. Where data has no
 * latency they read the engine's own book. A strategy that sends 65536 commands at one moment is
 * stopped: time would never go on.
 *
 * Strategies start behind the recording's first moment, which so may seed the book, and are stopped
 * when its last one is over; then what is on its way comes home.
 *
 * Deterministic: latencies from a file are drawn by a seed. No memory is taken in venue_step beyond
 * what venue_new took, but for queues that grow. Thread: one. */
#ifndef OUTCRY_BACKTEST_VENUE_H
#define OUTCRY_BACKTEST_VENUE_H

#include "backtest/recording.h"

/* One way. */
struct latency {
    uint64_t constant_ns;
    const uint64_t *samples_ns; /* KEPT; NULL: constant. Drawn with equal probability */
    size_t sample_count;
};

enum queue_model { QUEUE_BACK, QUEUE_PROPORTIONAL };

struct venue_options {
    const recording_t *recording; /* KEPT */
    struct latency order_latency; /* ours to the exchange */
    struct latency data_latency;  /* back: market data, results and fills */
    enum queue_model queue_model;
    uint64_t seed;
    const char *without_account; /* recorded commands of this account are left out; NULL: none */
    /* For checks: after each recorded command, with what the engine made of it; again after each
     * continue_work of it, which has a group of its own. RECORDING_LEVELS: once, behind all an
     * update came to. NULL: nobody. */
    void (*watch)(void *self, const struct recorded *e, const engine_t *engine);
    void *self;
};

typedef struct venue venue_t;

/* The host's symbols must be the recording's. KEEPS specs' pointers; owner: as strategy_host_new,
 * but command() is the venue's own: leave it NULL, or be told of it as well. */
venue_t *venue_new(const struct venue_options *o, const struct strategy_host_owner *owner,
                   const struct strategy_spec *specs, unsigned count);
void venue_destroy(venue_t **v);

/* The next thing that happens, in order of time; false: the recording is over, strategies have been
 * stopped, and all has come home. */
bool venue_step(venue_t *v);

/* As many as `steps` of them; how many there were: fewer only at the end. */
uint64_t venue_run(venue_t *v, uint64_t steps);

strategy_host_t *venue_host(venue_t *v);
const engine_t *venue_engine(const venue_t *v);
uint64_t venue_now_ns(const venue_t *v);

struct venue_counts {
    uint64_t recorded;       /* commands, or levels and trades, done again */
    uint64_t ours;           /* commands of strategies */
    uint64_t left_out;       /* of without_account */
    uint64_t refused;        /* recorded ones, refused now */
    notional_t short_qty;    /* lots recorded aggressors did not get; of the queue model: cut */
    uint64_t trades;         /* of our symbol */
    uint64_t digests;        /* compared */
    uint64_t digests_differ; /* CHECK nothing: a recording may be of another history */
    uint64_t events;         /* recorded + ours + timers */
};
struct venue_counts venue_counts(const venue_t *v);

#endif
