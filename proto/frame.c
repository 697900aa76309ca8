#include "frame.h"

#define CHECK_CASE(name, NAME, type, class, text)                                                  \
    case MESSAGE_##NAME: {                                                                         \
        struct name m;                                                                             \
        known = NAME##_FIELD_COUNT;                                                                \
        if (head.field_count >= known)                                                             \
            name##_get_fields(r, &m);                                                              \
        break;                                                                                     \
    }

/* Pass over one event; a known one must have its fields. */
static void event_check(struct wire_reader *r)
{
    struct event_head head = event_get_head(r);
    uint32_t known = 0;
    switch (head.type) {
        MESSAGE_TABLE(CHECK_CASE)
    default:
        break;
    }
    if (head.field_count < known)
        r->bad = true;
    else
        wire_skip_many(r, head.field_count - known);
}

static void groups_check(struct wire_reader *r, uint32_t group_count)
{
    for (uint32_t g = 0; g < group_count && !r->bad; g++) {
        uint32_t parts = wire_get_array(r);
        wire_get_u64(r, 0);
        uint32_t events = wire_get_array(r);
        if (parts < 2)
            r->bad = true;
        for (uint32_t e = 0; e < events && !r->bad; e++)
            event_check(r);
        if (!r->bad)
            wire_skip_many(r, parts - 2);
    }
}

struct text frame_topic(const uint8_t *message, size_t size)
{
    const uint8_t *nul = size == 0 ? NULL : memchr(message, 0, size);
    if (nul == NULL)
        return (struct text){"", 0};
    return (struct text){(const char *)message, (size_t)(nul - message)};
}

enum frame_read frame_read(struct frame_reader *f, const uint8_t *message, size_t size)
{
    struct frame_head *head = &f->head;
    head->topic = frame_topic(message, size);
    if (size > FRAME_SIZE_MAX || head->topic.size == 0 || head->topic.size > TOPIC_SIZE_MAX)
        return FRAME_READ_GARBAGE;

    struct wire_reader *r = &f->wire;
    *r = (struct wire_reader){message + head->topic.size + 1, message + size, false};
    uint32_t parts = wire_get_array(r);
    uint64_t version = wire_get_u64(r, 0);
    if (r->bad)
        return FRAME_READ_GARBAGE;
    if (version != PROTOCOL_VERSION)
        return FRAME_READ_VERSION;
    head->type = wire_get_u64(r, 0);
    head->epoch = wire_get_u64(r, 0);
    head->prev_seq = wire_get_u64(r, 0);
    head->seq = wire_get_u64(r, 0);
    head->time_ns = wire_get_u64(r, 0);
    head->hash = wire_get_u64_or_nil(r);
    head->group_count = wire_get_array(r);
    if (r->bad || parts < 8 || head->seq < head->prev_seq)
        return FRAME_READ_GARBAGE;

    struct wire_reader check = *r;
    groups_check(&check, head->group_count);
    wire_skip_many(&check, parts - 8);
    if (check.bad || check.at != check.end)
        return FRAME_READ_GARBAGE;
    f->groups_left = head->group_count;
    f->events_left = 0;
    f->parts_left = 0;
    f->group_seq = 0;
    return FRAME_READ_OK;
}

bool frame_next_group(struct frame_reader *f)
{
    /* What was not read of the group before. */
    wire_skip_many(&f->wire, f->events_left + f->parts_left);
    if (f->groups_left == 0)
        return false;
    f->groups_left--;
    f->parts_left = wire_get_array(&f->wire) - 2;
    f->group_seq = wire_get_u64(&f->wire, 0);
    f->events_left = wire_get_array(&f->wire);
    return true;
}

bool frame_next_event(struct frame_reader *f, uint64_t *type, struct wire_reader *fields)
{
    if (f->events_left == 0)
        return false;
    f->events_left--;
    struct event_head head = event_get_head(&f->wire);
    const uint8_t *first = f->wire.at;
    /* Field by field, as event_check() did: one wire_skip() over the whole event would follow one
     * level of nesting less than what was accepted. */
    wire_skip_many(&f->wire, head.field_count);
    *type = head.type;
    *fields = (struct wire_reader){first, f->wire.at, false};
    return true;
}

void frame_head_put(struct wire_writer *w, const struct frame_head *head)
{
    memcpy(w->at, head->topic.data, head->topic.size);
    w->at += head->topic.size;
    *w->at++ = 0;
    wire_put_array(w, 8);
    wire_put_u64(w, PROTOCOL_VERSION);
    wire_put_u64(w, head->type);
    wire_put_u64(w, head->epoch);
    wire_put_u64(w, head->prev_seq);
    wire_put_u64(w, head->seq);
    wire_put_u64(w, head->time_ns);
    wire_put_u64_or_nil(w, head->hash);
    wire_put_array(w, head->group_count);
}
