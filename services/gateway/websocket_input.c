#include "gateway/websocket_input.h"

#include <string.h>

#include "gateway/utf8.h"
#include "gateway/websocket_frame.h"

/* RFC 6455, section 5.2. */
enum {
    FINAL = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0f,
    CONTROL = 0x08,
};

/* A character that was cut goes on, byte by byte; false if it comes to nothing. */
static bool mend(struct websocket_input *i, const char **at, const char *end)
{
    while (i->cut_size > 0 && *at < end) {
        i->cut[i->cut_size++] = *(*at)++;
        if (utf8_size(i->cut, i->cut_size) == i->cut_size)
            i->cut_size = 0;
        else if (i->cut_size == sizeof i->cut)
            return false;
    }
    return true;
}

/* Go on reading UTF-8. What may be a character that is cut is kept for the next fragment; whoever
 * reaches the end looks whether something is left. */
static bool utf8_go_on(struct websocket_input *i, const uint8_t *bytes, size_t size)
{
    const char *at = (const char *)bytes, *end = at + size;
    if (!mend(i, &at, end))
        return false;
    while (at < end) {
        size_t character = utf8_size(at, (size_t)(end - at));
        if (character == 0 && (size_t)(end - at) >= sizeof i->cut)
            return false;
        if (character == 0) {
            i->cut_size = (uint8_t)(end - at);
            memcpy(i->cut, at, i->cut_size);
            character = i->cut_size;
        }
        at += character;
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
    if (!utf8_go_on(&reason, payload + 2, size - 2) || reason.cut_size > 0)
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
    if (!utf8_go_on(i, payload, size) || (final && i->cut_size > 0))
        return bad(code, WEBSOCKET_NOT_UTF8);
    i->message_open = !final;
    if (!final)
        return WEBSOCKET_INPUT_PART;
    i->message_size = 0;
    return WEBSOCKET_INPUT_TEXT;
}

static enum websocket_input_kind take(struct websocket_input *i, uint8_t first,
                                      const uint8_t *payload, size_t size, uint16_t *code)
{
    unsigned opcode = first & OPCODE;
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

enum websocket_input_kind websocket_input_take(struct websocket_input *i, uint8_t first,
                                               const uint8_t *payload, size_t size, uint16_t *code)
{
    *code = WEBSOCKET_NO_CODE;
    if (i->over && (first & CONTROL) == 0)
        return WEBSOCKET_INPUT_PART;
    enum websocket_input_kind kind = take(i, first, payload, size, code);
    i->over = i->over || kind == WEBSOCKET_INPUT_BAD;
    return kind;
}
