/* websocket_frame: frames of RFC 6455, as the load generator reads them from a server and writes
 * them to it, and as the floor server writes them to its clients. Pure. */
#ifndef OUTCRY_BENCH_WEBSOCKET_FRAME_H
#define OUTCRY_BENCH_WEBSOCKET_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum websocket_opcode {
    WEBSOCKET_TEXT = 0x1,
    WEBSOCKET_BINARY = 0x2,
    WEBSOCKET_CLOSE = 0x8,
    WEBSOCKET_PING = 0x9,
    WEBSOCKET_PONG = 0xA,
};

enum {
    WEBSOCKET_FRAME_SIZE_MAX = 64 << 10, /* of one that is read, its head included */
    WEBSOCKET_HEAD_SIZE_MAX = 14,
    WEBSOCKET_CONTROL_SIZE_MAX = 125,
};

struct websocket_frame {
    enum websocket_opcode opcode;
    const uint8_t *payload; /* among the bytes that were read */
    size_t payload_size;
    size_t size; /* with its head */
};

enum websocket_frame_read {
    WEBSOCKET_FRAME_WHOLE,
    WEBSOCKET_FRAME_PART,    /* more must come */
    WEBSOCKET_FRAME_GARBAGE, /* no frame a server of ours sends */
};

/* Read the frame the bytes begin with, in each of the three codings of its length. Garbage is also
 * what our servers never send: masked frames, messages in pieces, and frames that are too large.
 *
 * BORROWS bytes. *frame is filled in if it is WHOLE. */
enum websocket_frame_read websocket_frame_read(struct websocket_frame *frame, const uint8_t *bytes,
                                               size_t size);

/* Write a whole frame; `mask` is the key of a client's frame, NULL in a server's. Returns its size.
 *
 * BORROWS payload, mask (4 bytes). to: room for WEBSOCKET_HEAD_SIZE_MAX + size. */
size_t websocket_frame_put(uint8_t *to, enum websocket_opcode opcode, const void *payload,
                           size_t size, const uint8_t *mask);

#endif
