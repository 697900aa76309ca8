#include "backtest/upcoming.h"

enum {
    INDEX_AT = UPCOMING_MAX - 1, /* how far ahead each step of a command's memory is asked for */
    ORDER_AT = 10,
    NEIGHBOURS_AT = 5,
    SEQ_BITS = 48,
};

static struct recorded *at(struct upcoming *u, unsigned index)
{
    return &u->entries[(u->first + index) % UPCOMING_MAX];
}

static void fill(struct upcoming *u)
{
    while (u->more && u->count < UPCOMING_MAX) {
        u->more = recording_next(&u->cursor, at(u, u->count));
        u->count += u->more;
    }
}

void upcoming_init(struct upcoming *u, const recording_t *recording, const struct seq_map *seqs)
{
    *u = (struct upcoming){
        .seqs = seqs,
        .shard = recording_limits(recording)->shard,
        .commands = recording_kind_of(recording) == RECORDING_COMMANDS,
        .more = true,
    };
    recording_begin(recording, &u->cursor);
    fill(u);
}

uint64_t upcoming_order_id(const struct upcoming *u, uint64_t recorded_id)
{
    uint64_t seq = recorded_id & ((UINT64_C(1) << SEQ_BITS) - 1);
    if (recorded_id == 0 || recorded_id >> SEQ_BITS != u->shard)
        return recorded_id; /* it names none, or none of this shard */
    return u->shard << SEQ_BITS | seq_map_find(u->seqs, seq);
}

/* Sequences may still shift before it is its turn: then another line is asked for, in vain. */
static void ask(struct upcoming *u, const engine_t *engine, unsigned index,
                enum engine_ahead distance)
{
    if (index >= u->count)
        return;
    struct command *c = &at(u, index)->command;
    bool names = c->type == MESSAGE_CANCEL_ORDER || c->type == MESSAGE_AMEND_ORDER;
    if (!names)
        return;
    uint64_t recorded_id = c->cancel_order.order_id; /* both begin alike */
    c->cancel_order.order_id = upcoming_order_id(u, recorded_id);
    engine_prefetch(engine, c, distance);
    c->cancel_order.order_id = recorded_id;
}

void upcoming_pop(struct upcoming *u, const engine_t *engine)
{
    u->first = (u->first + 1) % UPCOMING_MAX;
    u->count--;
    fill(u);
    if (!u->commands)
        return;
    ask(u, engine, INDEX_AT, ENGINE_AHEAD_INDEX);
    ask(u, engine, ORDER_AT, ENGINE_AHEAD_ORDER);
    ask(u, engine, NEIGHBOURS_AT, ENGINE_AHEAD_NEIGHBOURS);
}
