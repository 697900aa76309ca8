#include "bus/aside.h"

#include <string.h>

#include "base/memory.h"

enum { TOPIC_DONE = UINT32_MAX };

/* Before each frame's bytes. */
struct head {
    uint32_t topic; /* TOPIC_DONE: done with */
    uint32_t size;
};

void aside_init(struct aside *a, size_t size_max)
{
    *a =
        (struct aside){.bytes = memory_new(1, size_max, "frames kept aside"), .size_max = size_max};
}

void aside_close(struct aside *a)
{
    memory_free(a->bytes, 1, a->size_max);
    *a = (struct aside){0};
}

static struct head head_at(const struct aside *a, size_t at)
{
    struct head head;
    memcpy(&head, a->bytes + at, sizeof head);
    return head;
}

/* Move what is not done with to the front. */
static void compact(struct aside *a)
{
    size_t to = 0;
    for (size_t at = 0; at < a->size;) {
        struct head head = head_at(a, at);
        size_t whole = sizeof head + head.size;
        if (head.topic != TOPIC_DONE) {
            memmove(a->bytes + to, a->bytes + at, whole);
            to += whole;
        }
        at += whole;
    }
    a->size = to;
}

bool aside_keep(struct aside *a, uint32_t topic, const uint8_t *frame, size_t size)
{
    struct head head = {topic, (uint32_t)size};
    if (a->size + sizeof head + size > a->size_max)
        compact(a);
    if (a->size + sizeof head + size > a->size_max) {
        a->size = 0;
        a->count = 0;
        return false;
    }
    memcpy(a->bytes + a->size, &head, sizeof head);
    memcpy(a->bytes + a->size + sizeof head, frame, size);
    a->size += sizeof head + size;
    a->count++;
    return true;
}

bool aside_next(const struct aside *a, struct aside_frame *f)
{
    size_t at = f->bytes == NULL ? 0 : f->at + sizeof(struct head) + f->size;
    while (at < a->size) {
        struct head head = head_at(a, at);
        if (head.topic != TOPIC_DONE) {
            *f = (struct aside_frame){at, head.topic, a->bytes + at + sizeof head, head.size};
            return true;
        }
        at += sizeof head + head.size;
    }
    return false;
}

void aside_done(struct aside *a, const struct aside_frame *f)
{
    struct head head = head_at(a, f->at);
    head.topic = TOPIC_DONE;
    memcpy(a->bytes + f->at, &head, sizeof head);
    if (--a->count == 0)
        a->size = 0;
}
