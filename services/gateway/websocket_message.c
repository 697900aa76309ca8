#include "gateway/websocket_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* Without memory for what must be told there is nothing left to do: the messages are of bounded
 * size, and a machine that cannot give that much is no place to trade on. */
static struct websocket_message *message_of(size_t size, enum conflation conflation)
{
    struct websocket_message *m = malloc(sizeof *m + size);
    CHECK(m != NULL);
    atomic_init(&m->references, 1);
    m->conflation = (uint8_t)conflation;
    m->count = 0;
    m->size = 0;
    return m;
}

static void put_frame(struct websocket_message *m, enum websocket_opcode opcode,
                      const void *payload, size_t size)
{
    m->size += websocket_frame_head(m->bytes + m->size, opcode, size);
    if (size > 0)
        memcpy(m->bytes + m->size, payload, size);
    m->size += size;
    m->count++;
}

/* The next line that is not empty; false if there is none. */
static bool next_line(const char **at, const char *end, const char **line, size_t *size)
{
    while (*at < end && **at == '\n')
        ++*at;
    *line = *at;
    if (*at == end)
        return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    *at = newline == NULL ? end : newline;
    *size = (size_t)(*at - *line);
    return true;
}

struct websocket_message *websocket_message_texts(const char *text, size_t size,
                                                  enum conflation conflation)
{
    const char *end = text + size, *at, *line;
    size_t line_size, all = 0;
    for (at = text; next_line(&at, end, &line, &line_size);)
        all += websocket_frame_head_size(line_size) + line_size;
    struct websocket_message *m = message_of(all, conflation);
    for (at = text; next_line(&at, end, &line, &line_size);)
        put_frame(m, WEBSOCKET_TEXT, line, line_size);
    return m;
}

struct websocket_message *websocket_message_control(enum websocket_opcode opcode,
                                                    const void *payload, size_t size)
{
    CHECK(size <= WEBSOCKET_CONTROL_SIZE_MAX);
    struct websocket_message *m = message_of(WEBSOCKET_HEAD_SIZE_MAX + size, CONFLATION_NEVER);
    put_frame(m, opcode, payload, size);
    return m;
}

struct websocket_message *websocket_message_close(uint16_t code, const char *reason)
{
    struct websocket_message *m =
        message_of(WEBSOCKET_HEAD_SIZE_MAX + WEBSOCKET_CONTROL_SIZE_MAX, CONFLATION_NEVER);
    m->size = websocket_frame_close(m->bytes, code, reason);
    m->count = 1;
    return m;
}

struct websocket_message *websocket_message_keep(struct websocket_message *m)
{
    atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
    return m;
}

void websocket_message_release(struct websocket_message **message)
{
    struct websocket_message *m = *message;
    *message = NULL;
    if (m != NULL && atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) == 1)
        free(m);
}
