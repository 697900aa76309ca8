/* websocket_frame: what a server writes of RFC 6455: the head that stands before a payload, and
 * whole frames that close. A server's frames are not masked, and ours are never in pieces. Pure. */
#ifndef OUTCRY_GATEWAY_WEBSOCKET_FRAME_H
#define OUTCRY_GATEWAY_WEBSOCKET_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0x0,
    WEBSOCKET_TEXT = 0x1,
    WEBSOCKET_BINARY = 0x2,
    WEBSOCKET_CLOSE = 0x8,
    WEBSOCKET_PING = 0x9,
    WEBSOCKET_PONG = 0xA,
};

enum websocket_close_code {
    WEBSOCKET_NO_CODE = 0, /* a close frame that says nothing */
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_NOT_TEXT = 1003,
    WEBSOCKET_NOT_UTF8 = 1007,
    WEBSOCKET_TOO_LARGE = 1009,
    WEBSOCKET_TRY_LATER = 1013,
    WEBSOCKET_TOO_SLOW = 4008,
};

enum {
    WEBSOCKET_HEAD_SIZE_MAX = 10,
    WEBSOCKET_CONTROL_SIZE_MAX = 125, /* the payload of a ping, a pong or a close */
};

/* Write the head of a frame with so many bytes of payload; returns its size.
 * to: room for WEBSOCKET_HEAD_SIZE_MAX. */
size_t websocket_frame_head(uint8_t *to, enum websocket_opcode opcode, size_t payload_size);
size_t websocket_frame_head_size(size_t payload_size);

/* Write a whole close frame; returns its size. The reason, if there is one, is cut at what a
 * control frame holds; ASCII.
 * BORROWS reason.   to: room for WEBSOCKET_HEAD_SIZE_MAX + WEBSOCKET_CONTROL_SIZE_MAX. */
size_t websocket_frame_close(uint8_t *to, uint16_t code, const char *reason);

#endif
