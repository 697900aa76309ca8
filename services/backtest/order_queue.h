/* order_queue: commands of ours on their way to the exchange, first in, first out. They are copies:
 * whoever sent one may forget it. */
#ifndef OUTCRY_BACKTEST_ORDER_QUEUE_H
#define OUTCRY_BACKTEST_ORDER_QUEUE_H

#include "proto/command.h"

struct queued_order {
    uint64_t arrival_ns;
    bool at_once; /* it arrives when it was sent */
    unsigned strategy;
    struct command command; /* its account and symbol are the strategy's own texts */
    char client_order_id[CLIENT_ORDER_ID_SIZE_MAX];
};

struct order_queue {
    struct queued_order *orders; /* a ring */
    size_t count_max;            /* a power of two */
    size_t first, count;
};

void order_queue_init(struct order_queue *q);
void order_queue_close(struct order_queue *q);

/* BORROWS the command's client order id, KEEPS its other texts. */
void order_queue_add(struct order_queue *q, uint64_t arrival_ns, bool at_once, unsigned strategy,
                     const struct command *c);

/* The first one; NULL: there is none. Good until the next add. */
const struct queued_order *order_queue_first(const struct order_queue *q);

/* Take it out, as a copy whose texts are its own. There is one. */
void order_queue_take(struct order_queue *q, struct queued_order *o);

#endif
