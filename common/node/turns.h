/* turns: what is counted of a node's turns, and who is told of each. For node.c. Cost: two clocks a
 * turn, relaxed atomics; no memory. Thread: the node's. */
#ifndef OUTCRY_NODE_TURNS_H
#define OUTCRY_NODE_TURNS_H

#include "node/admin.h"

/* What is NULL is not counted, not told. */
struct node_watch {
    metrics_t *metrics; /* of metric_families */
    metric_t *commit;   /* takes the time from a batch's end to its being committed */
    admin_t *admin;
    void (*turned)(void *self); /* after each turn, when what was due has been sent */
    void (*report)(void *self); /* about once a second, behind the service's own */
    void *self;
};

enum { TURNS_WRITTEN_MAX = 4 }; /* cycle_waits() lets there be two */

struct turns {
    struct node_watch watch;
    metric_t *cycles, *batch, *step, *outbox, *warnings, *errors;
    struct {
        uint64_t batch;
        uint64_t end_ns;          /* monotonic */
    } written[TURNS_WRITTEN_MAX]; /* a ring of batches that are not committed */
    unsigned written_first, written_count;
};

void turns_init(struct turns *t, const struct node_watch *watch);

/* A batch of so many messages took so long. */
void turns_batch(struct turns *t, uint64_t messages, uint64_t took_ns);

/* This batch of the journal was written; all up to this one are committed. now_ns: monotonic. */
void turns_written(struct turns *t, uint64_t batch, uint64_t now_ns);
void turns_committed(struct turns *t, uint64_t batch, uint64_t now_ns);

/* A turn has ended, and this much waits to be sent; a second has. */
void turns_end(struct turns *t, uint64_t outbox_size, uint64_t now_ns);
void turns_report(struct turns *t);

#endif
