/* websocket_input: what one client sends, frame by frame, held to RFC 6455. What its texts say is
 * nobody's concern, so nothing of them is kept: of a message in pieces only its size so far and
 * how a character goes on that was cut. Pure. Thread: owner only. */
#ifndef OUTCRY_GATEWAY_WEBSOCKET_INPUT_H
#define OUTCRY_GATEWAY_WEBSOCKET_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one message, its fragments together. */
enum { WEBSOCKET_RECEIVED_MAX = 64 << 10 };

/* Zeroed is right at the start. */
struct websocket_input {
    uint64_t message_size; /* of the message that is open */
    bool message_open;     /* its last fragment has not come */
    char cut[4];           /* the begin of a character, at the end of a fragment */
    uint8_t cut_size;
    bool over; /* something was bad: data that comes behind it is passed over */
};

enum websocket_input_kind {
    WEBSOCKET_INPUT_PART, /* of a message; more must come */
    WEBSOCKET_INPUT_TEXT, /* a message is whole */
    WEBSOCKET_INPUT_PING,
    WEBSOCKET_INPUT_PONG,
    WEBSOCKET_INPUT_CLOSE,
    WEBSOCKET_INPUT_BAD, /* the connection must end */
};

/* Take a frame in: its first byte (final, reserved bits, opcode) and its payload, unmasked.
 * Behind what was BAD, data is a PART of nothing, and only control frames count.
 * *code, of CLOSE: the client's, or WEBSOCKET_NO_CODE; of BAD: the one to close with.
 *
 * BORROWS payload. */
enum websocket_input_kind websocket_input_take(struct websocket_input *i, uint8_t first,
                                               const uint8_t *payload, size_t size, uint16_t *code);

#endif
