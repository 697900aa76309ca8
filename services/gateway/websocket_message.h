/* websocket_message: what is written to WebSockets, as the bytes of whole frames: made once,
 * shared by the outboxes of all who get it, and gone with the last of them. Constant once made.
 *
 * Thread: any; each holder counts for one reference. */
#ifndef OUTCRY_GATEWAY_WEBSOCKET_MESSAGE_H
#define OUTCRY_GATEWAY_WEBSOCKET_MESSAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/market.h"
#include "gateway/websocket_frame.h"

struct websocket_message {
    atomic_uint references;
    uint8_t conflation; /* enum conflation */
    uint32_t count;     /* frames */
    size_t size;        /* bytes of all of them */
    uint8_t bytes[];
};

/* Each line of the text in a frame of its own; empty lines are none. The caller holds the first
 * reference. BORROWS text. */
struct websocket_message *websocket_message_texts(const char *text, size_t size,
                                                  enum conflation conflation);

/* A ping or a pong. size: at most WEBSOCKET_CONTROL_SIZE_MAX. BORROWS payload. */
struct websocket_message *websocket_message_control(enum websocket_opcode opcode,
                                                    const void *payload, size_t size);

/* A close frame. BORROWS reason. */
struct websocket_message *websocket_message_close(uint16_t code, const char *reason);

struct websocket_message *websocket_message_keep(struct websocket_message *m);
void websocket_message_release(struct websocket_message **m);

#endif
