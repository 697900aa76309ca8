#include "matcher/l3.h"

_Static_assert((int)ADD_SIZE_MAX <= L3_MESSAGE_SIZE_MAX &&
                   (int)EXECUTE_SIZE_MAX <= L3_MESSAGE_SIZE_MAX &&
                   (int)REDUCE_SIZE_MAX <= L3_MESSAGE_SIZE_MAX &&
                   (int)DELETE_SIZE_MAX <= L3_MESSAGE_SIZE_MAX,
               "the size of the largest");

static uint64_t id_of(const engine_t *engine, uint32_t order)
{
    return engine_order(engine, order).order->order_id;
}

static unsigned traded(const engine_t *engine, const struct event *e, struct l3_message *m)
{
    uint64_t maker = id_of(engine, e->maker);
    m[0].type = MESSAGE_TRADE;
    m[0].trade = (struct trade){e->id, maker, id_of(engine, e->order), e->price, e->qty, e->side};
    m[1].type = MESSAGE_EXECUTE;
    m[1].execute = (struct execute){maker, e->qty};
    return 2;
}

static unsigned deleted(const engine_t *engine, const struct event *e, struct l3_message *m)
{
    m->type = MESSAGE_DELETE;
    m->delete = (struct delete){id_of(engine, e->order)};
    return 1;
}

static unsigned amended(const engine_t *engine, const struct event *e, struct l3_message *m)
{
    int64_t less = e->other_qty - e->open_qty;
    if (e->reason == REASON_REQUEUED)
        return deleted(engine, e, m);
    if (less <= 0)
        return 0;
    m->type = MESSAGE_REDUCE;
    m->reduce = (struct reduce){id_of(engine, e->order), less};
    return 1;
}

static unsigned rested(const engine_t *engine, const struct event *e, struct l3_message *m)
{
    m->type = MESSAGE_ADD;
    m->add = (struct add){id_of(engine, e->order), e->side, e->price, e->open_qty, e->id};
    return 1;
}

unsigned l3_messages(const engine_t *engine, const struct event *e,
                     struct l3_message messages[L3_MESSAGES_MAX])
{
    if (e->kind == EVENT_TRADE)
        return traded(engine, e, messages);
    if (e->kind == EVENT_RESTED)
        return rested(engine, e, messages);
    if (e->kind == EVENT_AMENDED)
        return amended(engine, e, messages);
    if (e->kind == EVENT_CANCELLED && e->rested)
        return deleted(engine, e, messages);
    return 0;
}

/* Each type there is, with what it is called. */
#define L3_TYPES(X)                                                                                \
    X(trade, TRADE)                                                                                \
    X(add, ADD)                                                                                    \
    X(execute, EXECUTE)                                                                            \
    X(reduce, REDUCE)                                                                              \
    X(delete, DELETE)

size_t l3_message_size_max(const struct l3_message *m)
{
#define SIZE_CASE(name, NAME)                                                                      \
    case MESSAGE_##NAME:                                                                           \
        return NAME##_SIZE_MAX;
    switch (m->type) {
        L3_TYPES(SIZE_CASE)
    default:
        return 0;
    }
}

void l3_message_put(struct wire_writer *w, const struct l3_message *m)
{
#define PUT_CASE(name, NAME)                                                                       \
    case MESSAGE_##NAME:                                                                           \
        name##_put(w, &m->name);                                                                   \
        break;
    switch (m->type) {
        L3_TYPES(PUT_CASE)
    default:
        break;
    }
}
