#include "exercise.h"

#include <string.h>

#include "base/check.h"
#include "proto/catalog.h"
#include "proto/command.h"
#include "proto/frame.h"
#include "proto/printer.h"

/* ---- commands and requests ---- */

static bool same_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    return a_size == b_size && memcmp(a, b, a_size) == 0;
}

/* A command that was read, written, read and written again, is the same bytes. */
static void command_round_trip(const struct command *c)
{
    uint8_t first[COMMAND_SIZE_MAX];
    uint8_t second[COMMAND_SIZE_MAX];
    struct wire_writer w = {first};
    command_write(&w, c);
    size_t size = (size_t)(w.at - first);
    CHECK(size <= sizeof first);

    struct command again;
    const uint8_t *at = first;
    CHECK(command_read(&at, first + size, &again) == COMMAND_READ_OK);
    CHECK(at == first + size && again.type == c->type);
    w.at = second;
    command_write(&w, &again);
    CHECK(same_bytes(first, size, second, (size_t)(w.at - second)));
}

static void exercise_commands(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = bytes + size;
    struct command c;
    for (const uint8_t *at = bytes; at != end;) {
        const uint8_t *before = at;
        if (command_read(&at, end, &c) != COMMAND_READ_OK)
            break;
        CHECK(at > before && at <= end);
        const struct catalog_message *m = catalog_message_find(c.type);
        if (m != NULL && (m->class == CLASS_COMMAND || m->class == CLASS_INTERNAL))
            command_round_trip(&c);
    }
}

static void request_round_trip(const struct request *q)
{
    uint8_t first[RESEND_SIZE_MAX + 1];
    uint8_t second[RESEND_SIZE_MAX + 1];
    struct wire_writer w = {first};
    request_write(&w, q);
    size_t size = (size_t)(w.at - first);
    CHECK(size <= sizeof first);

    struct request again;
    const uint8_t *at = first;
    CHECK(request_read(&at, first + size, &again) == COMMAND_READ_OK);
    CHECK(at == first + size && again.type == q->type);
    w.at = second;
    request_write(&w, &again);
    CHECK(same_bytes(first, size, second, (size_t)(w.at - second)));
}

static void exercise_requests(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = bytes + size;
    struct request q;
    for (const uint8_t *at = bytes; at != end;) {
        const uint8_t *before = at;
        if (request_read(&at, end, &q) != COMMAND_READ_OK)
            break;
        CHECK(at > before && at <= end);
        request_round_trip(&q);
    }
}

/* ---- events and frames ---- */

#define EVENT_CASE(name, NAME, number, class, text)                                                \
    case MESSAGE_##NAME: {                                                                         \
        struct name m, again;                                                                      \
        name##_get_fields(&fields, &m);                                                            \
        if (fields.bad)                                                                            \
            return false;                                                                          \
        struct wire_writer w = {first};                                                            \
        name##_put(&w, &m);                                                                        \
        size = (size_t)(w.at - first);                                                             \
        CHECK(size <= NAME##_SIZE_MAX);                                                            \
        struct wire_reader r = {first, w.at, false};                                               \
        struct event_head head = event_get_head(&r);                                               \
        CHECK(head.type == MESSAGE_##NAME && head.field_count == NAME##_FIELD_COUNT);              \
        name##_get_fields(&r, &again);                                                             \
        CHECK(!r.bad && r.at == r.end);                                                            \
        w.at = second;                                                                             \
        name##_put(&w, &again);                                                                    \
        CHECK(same_bytes(first, size, second, (size_t)(w.at - second)));                           \
        break;                                                                                     \
    }

/* The same for an event; false if its fields do not fit a type that is known. */
static bool event_round_trip(uint64_t type, struct wire_reader fields)
{
    static uint8_t first[RESENT_SIZE_MAX];
    static uint8_t second[RESENT_SIZE_MAX];
    size_t size;
    switch (type) {
        MESSAGE_TABLE(EVENT_CASE)
    default:
        break;
    }
    return true;
}

static void exercise_frame(const uint8_t *bytes, size_t size)
{
    struct frame_reader f;
    if (frame_read(&f, bytes, size) != FRAME_READ_OK)
        return;
    uint8_t head[FRAME_HEAD_SIZE_MAX];
    struct wire_writer w = {head};
    frame_head_put(&w, &f.head);
    CHECK((size_t)(w.at - head) <= sizeof head);

    uint32_t groups = 0;
    while (frame_next_group(&f)) {
        uint64_t type;
        struct wire_reader fields;
        groups++;
        while (frame_next_event(&f, &type, &fields)) {
            CHECK(event_round_trip(type, fields));
            struct resent m;
            if (type == MESSAGE_RESENT) {
                resent_get_fields(&fields, &m);
                exercise_frame(m.frame.data, m.frame.size);
            }
        }
    }
    CHECK(groups == f.head.group_count && !f.wire.bad);

    /* A reader who takes only some of it, or none, gets as far. */
    CHECK(frame_read(&f, bytes, size) == FRAME_READ_OK);
    while (frame_next_group(&f))
        groups--;
    CHECK(groups == 0 && !f.wire.bad);
}

/* The bytes as an event that stands alone. */
static void exercise_event(const uint8_t *bytes, size_t size, FILE *out)
{
    struct wire_reader r = {bytes, bytes + size, false};
    struct event_head head = event_get_head(&r);
    event_round_trip(head.type, r);
    printer_event(out, head.type, r);
}

void exercise(const uint8_t *bytes, size_t size, FILE *out)
{
    exercise_commands(bytes, size);
    exercise_requests(bytes, size);
    exercise_frame(bytes, size);
    exercise_event(bytes, size, out);
    printer_commands(out, bytes, size);
    printer_requests(out, bytes, size);
    printer_frame(out, bytes, size);
}
