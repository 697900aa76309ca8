/* listeners: what is listened to at an XPUB: the prefixes of its subscription messages. So whoever
 * publishes knows what somebody waits for, and need not send the rest. Thread: one. */
#ifndef OUTCRY_BACKTEST_LISTENERS_H
#define OUTCRY_BACKTEST_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/messages.h"

enum { LISTENERS_MAX = 256, LISTENERS_PREFIX_SIZE = TOPIC_SIZE_MAX + 1 };

struct listeners {
    unsigned count;
    struct listened {
        uint8_t prefix[LISTENERS_PREFIX_SIZE];
        size_t size;
    } listened[LISTENERS_MAX];
};

/* A message of the XPUB: 1 or 0, then the prefix. False: there is no room for it, or it is longer
 * than any topic. What is none is passed over. */
bool listeners_take(struct listeners *l, const uint8_t *message, size_t size);

/* Whether somebody has asked for messages that begin as this one does. */
bool listeners_hear(const struct listeners *l, const uint8_t *message, size_t size);

#endif
