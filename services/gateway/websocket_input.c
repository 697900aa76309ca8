#include "gateway/websocket_input.h"

#include "gateway/websocket_frame.h"

/* RFC 6455, section 5.2. */
enum {
    FINAL = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0f,
    CONTROL = 0x08,
};

/* Go on reading UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF). */
static bool utf8_go_on(struct websocket_input *i, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        uint8_t b = bytes[at];
        if (i->more > 0) {
            if (b < i->low || b > i->high)
                return false;
            i->more--;
            i->low = 0x80;
            i->high = 0xbf;
        } else if (b >= 0x80) {
            if (b < 0xc2 || b > 0xf4)
                return false;
            i->more = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
            i->low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
            i->high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
        }
    }
    return true;
}

static enum websocket_input_kind bad(uint16_t *code, enum websocket_close_code why)
{
    *code = (uint16_t)why;
    return WEBSOCKET_INPUT_BAD;
}

/* Codes a close frame may carry: section 7.4 and what was registered since (1012 to 1014). */
static bool code_fine(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static enum websocket_input_kind take_close(const uint8_t *payload, size_t size, uint16_t *code)
{
    struct websocket_input reason = {0};
    *code = WEBSOCKET_NO_CODE;
    if (size == 0)
        return WEBSOCKET_INPUT_CLOSE;
    unsigned given = size == 1 ? 0 : (unsigned)(payload[0] << 8 | payload[1]);
    if (!code_fine(given))
        return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    if (!utf8_go_on(&reason, payload + 2, size - 2) || reason.more > 0)
        return bad(code, WEBSOCKET_NOT_UTF8);
    *code = (uint16_t)given;
    return WEBSOCKET_INPUT_CLOSE;
}

static enum websocket_input_kind take_control(uint8_t first, const uint8_t *payload, size_t size,
                                              uint16_t *code)
{
    if ((first & FINAL) == 0 || size > WEBSOCKET_CONTROL_SIZE_MAX)
        return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    switch (first & OPCODE) {
    case WEBSOCKET_CLOSE:
        return take_close(payload, size, code);
    case WEBSOCKET_PING:
        return WEBSOCKET_INPUT_PING;
    case WEBSOCKET_PONG:
        return WEBSOCKET_INPUT_PONG;
    default:
        return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    }
}

static enum websocket_input_kind take_text(struct websocket_input *i, bool final,
                                           const uint8_t *payload, size_t size, uint16_t *code)
{
    i->message_size += size;
    if (i->message_size > WEBSOCKET_RECEIVED_MAX)
        return bad(code, WEBSOCKET_TOO_LARGE);
    if (!utf8_go_on(i, payload, size) || (final && i->more > 0))
        return bad(code, WEBSOCKET_NOT_UTF8);
    i->message_open = !final;
    if (!final)
        return WEBSOCKET_INPUT_PART;
    i->message_size = 0;
    return WEBSOCKET_INPUT_TEXT;
}

enum websocket_input_kind websocket_input_take(struct websocket_input *i, uint8_t first,
                                               const uint8_t *payload, size_t size, uint16_t *code)
{
    unsigned opcode = first & OPCODE;
    *code = WEBSOCKET_NO_CODE;
    if ((first & RESERVED) != 0)
        return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    if ((first & CONTROL) != 0)
        return take_control(first, payload, size, code);
    if (opcode == WEBSOCKET_BINARY && !i->message_open)
        return bad(code, WEBSOCKET_NOT_TEXT);
    if (opcode != (i->message_open ? WEBSOCKET_CONTINUATION : WEBSOCKET_TEXT))
        return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    return take_text(i, (first & FINAL) != 0, payload, size, code);
}
