#include "matcher/ahead.h"

/* How many commands before its turn each step of a command's memory is asked for. */
enum { ORDER_AT = 8, NEIGHBOURS_AT = 4 };

void ahead_begin(struct ahead *a, const uint8_t *at, const uint8_t *end)
{
    a->first = 0;
    a->count = 0;
    a->at = at;
    a->end = end;
}

static struct ahead_command *command_at(struct ahead *a, unsigned place)
{
    return &a->commands[(a->first + place) % AHEAD_MAX];
}

static void ask(struct ahead *a, const engine_t *e, unsigned place, enum engine_ahead distance)
{
    const struct ahead_command *c = command_at(a, place);
    if (place < a->count && c->read == COMMAND_READ_OK)
        engine_prefetch(e, &c->command, distance);
}

static void read_one(struct ahead *a, const engine_t *e)
{
    struct ahead_command *c = command_at(a, a->count);
    c->start = a->at;
    c->read = command_read(&a->at, a->end, &c->command);
    c->size = (size_t)(a->at - c->start);
    if (c->read != COMMAND_READ_OK)
        a->at = a->end;
    a->count++;
    ask(a, e, a->count - 1, ENGINE_AHEAD_INDEX);
}

const struct ahead_command *ahead_first(struct ahead *a, const engine_t *e)
{
    while (a->count < AHEAD_MAX && a->at < a->end)
        read_one(a, e);
    ask(a, e, ORDER_AT, ENGINE_AHEAD_ORDER);
    ask(a, e, NEIGHBOURS_AT, ENGINE_AHEAD_NEIGHBOURS);
    return a->count == 0 ? NULL : command_at(a, 0);
}

void ahead_pop(struct ahead *a)
{
    a->first = (a->first + 1) % AHEAD_MAX;
    a->count--;
}
