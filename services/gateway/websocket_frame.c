#include "gateway/websocket_frame.h"

#include <string.h>

/* RFC 6455, section 5.2. */
enum {
    FINAL = 0x80,
    SIZE_IN_16_BITS = 126,
    SIZE_IN_64_BITS = 127,
    CODE_SIZE = 2,
};

size_t websocket_frame_head_size(size_t payload_size)
{
    if (payload_size < SIZE_IN_16_BITS)
        return 2;
    return payload_size <= UINT16_MAX ? 4 : 10;
}

static void put_big_endian(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

size_t websocket_frame_head(uint8_t *to, enum websocket_opcode opcode, size_t payload_size)
{
    size_t size = websocket_frame_head_size(payload_size);
    to[0] = (uint8_t)(FINAL | opcode);
    to[1] = size == 2 ? (uint8_t)payload_size : size == 4 ? SIZE_IN_16_BITS : SIZE_IN_64_BITS;
    put_big_endian(to + 2, payload_size, (unsigned)size - 2);
    return size;
}

size_t websocket_frame_close(uint8_t *to, uint16_t code, const char *reason)
{
    size_t payload_size = 0;
    if (code != WEBSOCKET_NO_CODE) {
        payload_size = strnlen(reason, WEBSOCKET_CONTROL_SIZE_MAX - CODE_SIZE) + CODE_SIZE;
        put_big_endian(to + 2, code, CODE_SIZE);
        memcpy(to + 2 + CODE_SIZE, reason, payload_size - CODE_SIZE);
    }
    return websocket_frame_head(to, WEBSOCKET_CLOSE, payload_size) + payload_size;
}
