#include "websocket_frame.h"

#include <stdbool.h>
#include <string.h>

enum {
    FIN = 0x80,
    MASKED = 0x80,
    LENGTH_16 = 126, /* what stands in the short length where a longer one follows */
    LENGTH_64 = 127,
};

static uint64_t read_big_endian(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t index = 0; index < size; index++) {
        value = value << 8 | bytes[index];
    }
    return value;
}

static void put_big_endian(uint8_t *to, uint64_t value, size_t size)
{
    for (size_t index = size; index-- > 0; value >>= 8) {
        to[index] = (uint8_t)value;
    }
}

/* The first two bytes: whole messages, no extension, nothing masked. */
static bool start_good(const uint8_t *bytes)
{
    unsigned opcode = bytes[0] & 0x0F;
    bool control = opcode >= WEBSOCKET_CLOSE && opcode <= WEBSOCKET_PONG;
    bool data = opcode == WEBSOCKET_TEXT || opcode == WEBSOCKET_BINARY;
    unsigned length = bytes[1] & 0x7F;
    return (bytes[0] & 0xF0) == FIN && (bytes[1] & MASKED) == 0 &&
           (data || (control && length <= WEBSOCKET_CONTROL_SIZE_MAX));
}

enum websocket_frame_read websocket_frame_read(struct websocket_frame *frame, const uint8_t *bytes,
                                               size_t size)
{
    if (size < 2) {
        return WEBSOCKET_FRAME_PART;
    }
    if (!start_good(bytes)) {
        return WEBSOCKET_FRAME_GARBAGE;
    }
    uint64_t length = bytes[1];
    size_t more = length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
    if (size < 2 + more) {
        return WEBSOCKET_FRAME_PART;
    }
    if (more > 0) {
        uint64_t least = more == 8 ? UINT64_C(1) << 16 : LENGTH_16; /* the shortest coding only */
        length = read_big_endian(bytes + 2, more);
        if (length < least) {
            return WEBSOCKET_FRAME_GARBAGE;
        }
    }
    size_t head_size = 2 + more;
    if (length > WEBSOCKET_FRAME_SIZE_MAX - head_size) {
        return WEBSOCKET_FRAME_GARBAGE;
    }
    if (size < head_size + length) {
        return WEBSOCKET_FRAME_PART;
    }
    *frame = (struct websocket_frame){
        .opcode = (enum websocket_opcode)(bytes[0] & 0x0F),
        .payload = bytes + head_size,
        .payload_size = (size_t)length,
        .size = head_size + (size_t)length,
    };
    return WEBSOCKET_FRAME_WHOLE;
}

size_t websocket_frame_put(uint8_t *to, enum websocket_opcode opcode, const void *payload,
                           size_t size, const uint8_t *mask)
{
    size_t more = size > UINT16_MAX ? 8 : size >= LENGTH_16 ? 2 : 0;
    unsigned length = more == 8 ? LENGTH_64 : more == 2 ? LENGTH_16 : (unsigned)size;
    uint8_t *at = to;
    *at++ = (uint8_t)(FIN | opcode);
    *at++ = (uint8_t)(length | (mask ? MASKED : 0));
    put_big_endian(at, size, more);
    at += more;
    if (mask) {
        memcpy(at, mask, 4);
        at += 4;
    }
    const uint8_t *from = payload;
    for (size_t index = 0; index < size; index++) {
        at[index] = mask ? from[index] ^ mask[index % 4] : from[index];
    }
    return (size_t)(at - to) + size;
}
