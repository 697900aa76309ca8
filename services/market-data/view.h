/* view: one symbol's book, kept from its matcher's L3 events, and the four topics made of it.
 *
 *     l3.     the matcher's frames as they came
 *     l2.     per group, every level it touched: bids first, best first
 *     bbo.    per group, best bid and offer, if they changed
 *     trade.  per group, its trades; behind them a trade_history
 *
 * Thread: owner only. */
#ifndef OUTCRY_MARKET_DATA_VIEW_H
#define OUTCRY_MARKET_DATA_VIEW_H

#include "bus/publisher.h"
#include "engine/mirror.h"
#include "market-data/trade_history.h"

enum { VIEW_TOPIC_COUNT = 4 };

struct touched_level {
    unsigned side;
    int64_t price;
};

/* What the group being read did so far. One serves all views: groups do not overlap. */
struct view_group {
    struct touched_level *touched; /* by side and price, best first, each once */
    uint32_t touched_count;
    uint32_t trade_count;
};

struct view {
    publisher_t *publisher;
    struct view_group *group;
    struct mirror mirror;
    struct book_position position; /* where the matcher's snapshot says the topics stand */
    struct bbo_state bbo;          /* as last published */
    struct trade_history trades;
    uint32_t l3, l2, bbo_topic, trade;
    struct text symbol;
};

void view_group_init(struct view_group *g);
void view_group_close(struct view_group *g);

/* The topics come into being; heartbeats do not speak of them yet. KEEPS publisher, pool, group
 * and symbol's text. shard: the publisher's number of it. */
void view_init(struct view *v, publisher_t *publisher, uint32_t shard, struct book_pool *pool,
               struct view_group *group, struct text symbol);
void view_close(struct view *v);

/* Whether heartbeats speak of its topics: only while it is complete. */
void view_tell(struct view *v, bool told);

/* A snapshot begins; its events; it is complete, as of head: the topics' chains go on where the
 * matcher says they stand. */
void view_reset(struct view *v);
void view_snapshot_event(struct view *v, uint64_t type, struct wire_reader *fields);
void view_joined(struct view *v, const struct frame_head *head);

/* One event of the group of this seq; the group is complete; the frame is, and its hash was right;
 * or it was wrong. */
void view_event(struct view *v, uint64_t seq, uint64_t type, struct wire_reader *fields);
void view_group_end(struct view *v, uint64_t seq, uint64_t time_ns);
void view_frame_end(struct view *v, const struct frame_head *head, const uint8_t *bytes,
                    size_t size);
void view_fault(struct view *v);

/* What one of its topics must hash to; nil if it has no hash. */
struct u64_or_nil view_hash(const struct view *v, uint32_t topic);

/* The events of a snapshot of one of its topics, into the publisher's reply. */
void view_put_snapshot(const struct view *v, uint32_t topic);

#endif
