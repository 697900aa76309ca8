/* l3: what the public hears of what the engine decided: an event as messages about the book, order
 * by order, without a name. The one place where that is said: the public feed publishes them, a
 * back-test hands them to its strategies. Pure. */
#ifndef OUTCRY_MATCHER_L3_H
#define OUTCRY_MATCHER_L3_H

#include "engine/engine.h"

enum {
    L3_MESSAGES_MAX = 2, /* one event says: a trade, and what it took off the book */
    L3_MESSAGE_SIZE_MAX = (int)TRADE_SIZE_MAX, /* the largest; asserted in l3.c */
};

struct l3_message {
    uint64_t type; /* MESSAGE_TRADE .. MESSAGE_DELETE */
    union {
        struct trade trade;
        struct add add;
        struct execute execute;
        struct reduce reduce;
        struct delete delete;
    };
};

/* The messages of an event of the engine's last command, in their order; how many: 0 for what does
 * not concern the book. */
unsigned l3_messages(const engine_t *engine, const struct event *e,
                     struct l3_message messages[L3_MESSAGES_MAX]);

/* The most l3_message_put() writes of it, bytes. */
size_t l3_message_size_max(const struct l3_message *m);
void l3_message_put(struct wire_writer *w, const struct l3_message *m);

#endif
