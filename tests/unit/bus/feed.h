/* feed: a real publisher with a small state behind it, and all it ever was: so that a reader can be
 * held against the truth at every sequence of every epoch.
 *
 * The state of a topic is a few cells; a command changes some cells of some topics, and each
 * change is one `level` event (price: the cell, qty: what it holds now). In the snapshot of a
 * family the cells of topic t begin at price t FEED_CELLS. */
#ifndef OUTCRY_UNIT_BUS_FEED_H
#define OUTCRY_UNIT_BUS_FEED_H

#include "bus/publisher.h"
#include "tests/fuzz/random.h"

enum {
    FEED_TOPICS = 4,
    FEED_CELLS = 32,
    FEED_EPOCHS = 8,
    FEED_SEQS = 2000, /* of one epoch */
    FEED_PADDING_MAX = 60000,
};

struct cells {
    int64_t values[FEED_CELLS];
};

/* The hash of a topic's state. Order does not matter; an empty one is 0. */
uint64_t cells_hash(const struct cells *c);

struct feed {
    struct outbox outbox;
    publisher_t *publisher;
    struct publisher_limits limits;
    struct cells topics[FEED_TOPICS];
    uint64_t epoch; /* FEED_EPOCH_FIRST, and one more for each restart */
    uint64_t seq;
    uint64_t now_ns;
    bool unready;   /* snapshots are refused NOT_CAUGHT_UP */
    unsigned wide;  /* events of a large command, 0: there are none */
    size_t padding; /* bytes of nothing in a snapshot, 4 times: it takes several chunks */
    bool family;    /* the topics are members of `acct.`, each published from its first event on */
    uint32_t numbers[FEED_TOPICS]; /* at the publisher; UINT32_MAX: not yet */
    uint64_t truth[FEED_EPOCHS][FEED_SEQS][FEED_TOPICS];
};

enum { FEED_EPOCH_FIRST = 100, FEED_SHARD = 1 };

#define FEED_FAMILY "acct."

/* Topics 0 and 1 are hashed, 2 and 3 are not. */
const char *feed_topic(uint32_t topic);
const char *feed_member(uint32_t topic);

/* What the topic is called in this feed. */
const char *feed_name(const struct feed *f, uint32_t topic);
bool feed_hashed(uint32_t topic);

void feed_open(struct feed *f, const struct publisher_limits *limits, bool family);
void feed_close(struct feed *f);

/* A new history: another publisher, an empty state, a higher epoch. */
void feed_restart(struct feed *f);

/* The next command: `topic` only, or some at random. Its group waits for the flush. */
void feed_change(struct feed *f, uint32_t topic, uint32_t cell, int64_t value);
void feed_command(struct feed *f, struct random *r);
void feed_flush(struct feed *f);
void feed_heartbeat(struct feed *f);

/* The hash the topic's state had after this sequence of this epoch. */
uint64_t feed_truth(const struct feed *f, uint64_t epoch, uint64_t seq, uint32_t topic);

#endif
