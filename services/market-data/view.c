#include "market-data/view.h"

#include <stdio.h>

#include "base/memory.h"
#include "node/book_reply.h"

enum {
    /* A matcher's group is at most events_max (4096) fills or cancels; one larger than this is not
     * a matcher's, and what it made would not fit a frame. */
    TOUCHED_MAX = 1 << 14,
    TRADES_MAX = 1 << 13,
};

void view_group_init(struct view_group *g)
{
    *g = (struct view_group){.touched = memory_new(TOUCHED_MAX, sizeof *g->touched, "levels")};
}

void view_group_close(struct view_group *g)
{
    memory_free(g->touched, TOUCHED_MAX, sizeof *g->touched);
    *g = (struct view_group){0};
}

static uint32_t topic_add(const struct view *v, uint32_t shard, const char *prefix,
                          enum topic_kind kind)
{
    char topic[TOPIC_SIZE_MAX + 1];
    snprintf(topic, sizeof topic, "%s%.*s", prefix, (int)v->symbol.size, v->symbol.data);
    return publisher_topic_add(v->publisher, shard, text_of(topic), kind);
}

void view_init(struct view *v, publisher_t *publisher, uint32_t shard, struct book_pool *pool,
               struct view_group *group, struct text symbol)
{
    *v = (struct view){.publisher = publisher, .group = group, .symbol = symbol};
    mirror_init(&v->mirror, pool);
    v->l3 = topic_add(v, shard, "l3.", TOPIC_HASHED);
    v->l2 = topic_add(v, shard, "l2.", TOPIC_HASHED);
    v->bbo_topic = topic_add(v, shard, "bbo.", TOPIC_PLAIN);
    v->trade = topic_add(v, shard, "trade.", TOPIC_PLAIN);
    trade_history_init(&v->trades);
    view_tell(v, false);
}

void view_close(struct view *v)
{
    trade_history_close(&v->trades);
}

void view_tell(struct view *v, bool told)
{
    publisher_topic_tell(v->publisher, v->l3, told);
    publisher_topic_tell(v->publisher, v->l2, told);
    publisher_topic_tell(v->publisher, v->bbo_topic, told);
    publisher_topic_tell(v->publisher, v->trade, told);
}

/* ---- joining ---- */

void view_reset(struct view *v)
{
    mirror_reset(&v->mirror);
    view_tell(v, false);
}

void view_snapshot_event(struct view *v, uint64_t type, struct wire_reader *fields)
{
    if (type == MESSAGE_BOOK_POSITION) {
        book_position_get_fields(fields, &v->position);
        v->position.symbol = v->symbol; /* the message's will be gone */
    } else {
        mirror_event(&v->mirror, type, fields);
    }
}

void view_joined(struct view *v, const struct frame_head *head)
{
    publisher_topic_restart(v->publisher, v->l3, v->position.book_seq);
    publisher_topic_restart(v->publisher, v->l2, v->position.book_seq);
    publisher_topic_restart(v->publisher, v->bbo_topic, v->position.bbo_seq);
    publisher_topic_restart(v->publisher, v->trade, v->position.trade_seq);
    v->bbo = book_bbo(v->mirror.pool, &v->mirror.book);
    trade_history_join(&v->trades, head, v->position.trade_seq);
    view_tell(v, true);
}

/* ---- one group ---- */

static bool level_before(const struct touched_level *a, const struct touched_level *b)
{
    if (a->side != b->side)
        return a->side < b->side;
    return level_tree_key(a->side, a->price) < level_tree_key(b->side, b->price);
}

/* Note a touched level; false if the group touches more than a group can. */
static bool touch(struct view_group *g, const struct touched_level *level)
{
    uint32_t at = g->touched_count;
    while (at > 0 && level_before(level, &g->touched[at - 1]))
        at--;
    if (at > 0 && !level_before(&g->touched[at - 1], level))
        return true;
    if (g->touched_count == TOUCHED_MAX)
        return false;
    memmove(&g->touched[at + 1], &g->touched[at], (g->touched_count - at) * sizeof g->touched[0]);
    g->touched[at] = *level;
    g->touched_count++;
    return true;
}

static void put_trade(struct view *v, uint64_t seq, struct wire_reader fields)
{
    struct trade message;
    trade_get_fields(&fields, &message);
    trade_put(publisher_event(v->publisher, v->trade, seq, TRADE_SIZE_MAX), &message);
    publisher_event_end(v->publisher);
    trade_history_add(&v->trades, seq, &message);
}

void view_event(struct view *v, uint64_t seq, uint64_t type, struct wire_reader *fields)
{
    struct view_group *g = v->group;
    struct wire_reader again = *fields;
    struct mirror_change change = mirror_event(&v->mirror, type, fields);
    if (type == MESSAGE_TRADE && g->trade_count++ < TRADES_MAX)
        put_trade(v, seq, again);
    struct touched_level level = {change.side, change.price};
    if (g->trade_count > TRADES_MAX || (change.changed && !touch(g, &level)))
        v->mirror.broken = true;
}

static int64_t level_qty(const struct view *v, const struct touched_level *l)
{
    return INT64_MAX - book_room(v->mirror.pool, &v->mirror.book, l->side, l->price);
}

static void put_levels(struct view *v, uint64_t seq)
{
    struct view_group *g = v->group;
    for (uint32_t i = 0; i < g->touched_count; i++) {
        const struct touched_level *l = &g->touched[i];
        level_put(publisher_event(v->publisher, v->l2, seq, LEVEL_SIZE_MAX),
                  &(struct level){l->side, l->price, level_qty(v, l)});
        publisher_event_end(v->publisher);
    }
}

static struct bbo bbo_message(const struct bbo_state *b)
{
    return (struct bbo){
        {b->price[0], b->qty[0] > 0}, b->qty[0], {b->price[1], b->qty[1] > 0}, b->qty[1]};
}

static void put_bbo(struct view *v, uint64_t seq)
{
    struct bbo_state now = book_bbo(v->mirror.pool, &v->mirror.book);
    if (bbo_equal(&now, &v->bbo))
        return;
    v->bbo = now;
    struct bbo message = bbo_message(&now);
    bbo_put(publisher_event(v->publisher, v->bbo_topic, seq, BBO_SIZE_MAX), &message);
    publisher_event_end(v->publisher);
}

static void forget_group(struct view *v)
{
    v->group->touched_count = 0;
    v->group->trade_count = 0;
}

void view_group_end(struct view *v, uint64_t seq, uint64_t time_ns)
{
    put_levels(v, seq);
    put_bbo(v, seq);
    forget_group(v);
    trade_history_group_end(&v->trades, time_ns);
    publisher_group_end(v->publisher, time_ns);
}

void view_frame_end(struct view *v, const struct frame_head *head, const uint8_t *bytes,
                    size_t size)
{
    publisher_forward(v->publisher, v->l3, head->prev_seq, head->seq, bytes, size);
    publisher_flush(v->publisher, head->time_ns);
}

void view_fault(struct view *v)
{
    publisher_discard(v->publisher);
    forget_group(v);
    trade_history_forget(&v->trades); /* what was just discarded is in it */
    view_tell(v, false);
}

/* ---- what readers ask ---- */

struct u64_or_nil view_hash(const struct view *v, uint32_t topic)
{
    if (topic == v->l3)
        return (struct u64_or_nil){mirror_hash(&v->mirror), true};
    if (topic == v->l2)
        return (struct u64_or_nil){v->mirror.book.l2_hash, true};
    return (struct u64_or_nil){0, false};
}

static void put_position(const struct view *v)
{
    struct book_position position = {
        .symbol = v->symbol,
        .book_seq = publisher_topic_seq(v->publisher, v->l3),
        .bbo_seq = publisher_topic_seq(v->publisher, v->bbo_topic),
        .trade_seq = publisher_topic_seq(v->publisher, v->trade),
    };
    book_reply_position(v->publisher, &position);
}

static void put_trades(const struct view *v)
{
    const struct trade_history *h = &v->trades;
    trade_totals_put(publisher_message_event(v->publisher, TRADE_TOTALS_SIZE_MAX), &h->totals);
    publisher_message_event_end(v->publisher);
    for (uint64_t i = 0; i < trade_history_kept(h); i++) {
        past_trade_put(publisher_message_event(v->publisher, PAST_TRADE_SIZE_MAX),
                       trade_history_at(h, i));
        publisher_message_event_end(v->publisher);
    }
}

void view_put_snapshot(const struct view *v, uint32_t topic)
{
    put_position(v);
    if (topic == v->l3) {
        book_reply_orders(v->publisher, v->mirror.pool, &v->mirror.book);
    } else if (topic == v->l2) {
        book_reply_levels(v->publisher, v->mirror.pool, &v->mirror.book);
    } else if (topic == v->bbo_topic) {
        struct bbo message = bbo_message(&v->bbo);
        bbo_put(publisher_message_event(v->publisher, BBO_SIZE_MAX), &message);
        publisher_message_event_end(v->publisher);
    } else {
        put_trades(v);
    }
}
