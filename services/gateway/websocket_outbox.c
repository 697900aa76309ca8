#include "gateway/websocket_outbox.h"

#include <stdlib.h>

static unsigned place_of(const struct websocket_outbox *o, unsigned index)
{
    return (o->head + index) % (o->max + 1);
}

bool websocket_outbox_init(struct websocket_outbox *o, unsigned message_max)
{
    *o = (struct websocket_outbox){.max = message_max};
    o->ring = calloc(message_max + 1, sizeof(struct websocket_message *));
    return o->ring != NULL;
}

void websocket_outbox_close(struct websocket_outbox *o)
{
    websocket_outbox_clear(o);
    free(o->ring);
    o->ring = NULL;
}

static void append(struct websocket_outbox *o, struct websocket_message *m)
{
    o->ring[place_of(o, o->count)] = m;
    o->count++;
    o->bytes += m->size;
}

/* Drop all of that kind. Walks what waits: where there is something to drop, little does, since
 * all of the channel's usual messages are of such kinds. */
static void drop_kind(struct websocket_outbox *o, uint8_t conflation)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < o->count; i++) {
        struct websocket_message *m = o->ring[place_of(o, i)];
        if (m->conflation == conflation) {
            o->bytes -= m->size;
            websocket_message_release(&m);
        } else {
            o->ring[place_of(o, kept++)] = m;
        }
    }
    o->conflated += o->count - kept;
    o->count = kept;
}

enum status websocket_outbox_put(struct websocket_outbox *o, struct websocket_message *m)
{
    if (o->finishing)
        return STATUS_MISSING;
    if (o->count > WEBSOCKET_LAG && m->conflation != CONFLATION_NEVER)
        drop_kind(o, m->conflation);
    if (o->count >= o->max || m->size > WEBSOCKET_QUEUE_BYTES_MAX - o->bytes)
        return STATUS_FULL;
    append(o, websocket_message_keep(m));
    return STATUS_OK;
}

void websocket_outbox_urge(struct websocket_outbox *o, enum websocket_urgent kind,
                           struct websocket_message **m)
{
    websocket_message_release(&o->urgent[kind]);
    o->urgent[kind] = *m;
    *m = NULL;
}

void websocket_outbox_clear(struct websocket_outbox *o)
{
    for (unsigned i = 0; i < o->count; i++)
        websocket_message_release(&o->ring[place_of(o, i)]);
    for (unsigned k = 0; k < WEBSOCKET_URGENT_COUNT; k++)
        websocket_message_release(&o->urgent[k]);
    o->head = o->count = 0;
    o->bytes = 0;
}

void websocket_outbox_finish(struct websocket_outbox *o, struct websocket_message **close)
{
    if (o->finishing) {
        websocket_message_release(close);
        return;
    }
    append(o, *close);
    o->finishing = true;
    *close = NULL;
}

bool websocket_outbox_empty(const struct websocket_outbox *o)
{
    return o->count == 0 && o->urgent[WEBSOCKET_URGENT_PONG] == NULL &&
           o->urgent[WEBSOCKET_URGENT_PING] == NULL;
}

static void add(struct websocket_batch *batch, struct websocket_message *m)
{
    batch->messages[batch->count++] = m;
    batch->bytes += m->size;
}

void websocket_outbox_take(struct websocket_outbox *o, struct websocket_batch *batch)
{
    batch->count = 0;
    batch->bytes = 0;
    for (unsigned k = 0; k < WEBSOCKET_URGENT_COUNT; k++) {
        if (o->urgent[k] != NULL)
            add(batch, o->urgent[k]);
        o->urgent[k] = NULL;
    }
    while (o->count > 0 && batch->count < WEBSOCKET_BATCH_MAX) {
        struct websocket_message *m = o->ring[o->head];
        if (batch->count > 0 && batch->bytes + m->size > WEBSOCKET_BATCH_BYTES)
            break;
        add(batch, m);
        o->bytes -= m->size;
        o->head = place_of(o, 1);
        o->count--;
    }
    batch->last = o->finishing && o->count == 0 && batch->count > 0;
}
