/* stream: what the gateway's step says to WebSockets: the form of its messages to websockets.c.
 * A head, then the text of one JSON message, or of several, each followed by a newline.
 *
 * Texts are encoded once, for all who watch a channel. */
#ifndef OUTCRY_GATEWAY_STREAM_H
#define OUTCRY_GATEWAY_STREAM_H

#include "gateway/market.h"

enum stream_kind {
    STREAM_MESSAGE, /* one text for everybody attached to the channel */
    STREAM_ATTACH,  /* the texts (perhaps none) for this socket alone, which from now on is
                       attached to the channel */
    STREAM_REFUSE,  /* this socket cannot be served: close it with 1013 (try again later) */
};

/* What a newcomer is told first is at most this; it must fit a WebSocket's outbox. */
enum { STREAM_FIRST_MAX = 4 << 20 };

struct stream_head {
    uint8_t kind;       /* enum stream_kind */
    uint8_t conflation; /* enum conflation */
    uint32_t channel;   /* stream_channel() */
    uint64_t socket;    /* who asked (ASK_SUBSCRIBE); 0 for STREAM_MESSAGE */
    uint64_t time_ns;   /* Unix ns: of the frame that caused it */
};

/* The number of a symbol's channel. */
static inline uint32_t stream_channel(uint32_t symbol, enum channel channel)
{
    return symbol * CHANNEL_COUNT + (uint32_t)channel;
}

#endif
