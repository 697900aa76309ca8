#include "backtest/news.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "matcher/l3.h"

enum { BYTES_FIRST = 1 << 16 };

/* What stands in front of a parcel: own news, L3 messages. */
struct parcel {
    uint64_t due_ns;
    uint64_t time_ns; /* of the engine */
    uint64_t seq;
    size_t own_size;
    size_t l3_size;
    bool has_result;
    struct result result;
};

/* ---- bytes ---- */

static void bytes_init(struct news_bytes *b)
{
    *b = (struct news_bytes){.size_max = BYTES_FIRST};
    b->data = memory_new(b->size_max, 1, "news");
}

static void bytes_close(struct news_bytes *b)
{
    memory_free(b->data, b->size_max, 1);
}

/* Room for so many more. */
static uint8_t *bytes_room(struct news_bytes *b, size_t size)
{
    size_t size_max = b->size_max;
    while (size_max - b->size < size)
        size_max *= 2;
    if (size_max > b->size_max) {
        uint8_t *more = memory_new(size_max, 1, "news");
        memcpy(more, b->data, b->size);
        memory_free(b->data, b->size_max, 1);
        b->data = more;
        b->size_max = size_max;
    }
    return b->data + b->size;
}

static void bytes_add(struct news_bytes *b, const void *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(bytes_room(b, size), data, size);
    b->size += size;
}

/* ---- its life ---- */

void news_init(struct news *n, engine_t *engine, strategy_host_t *host, const struct delay *data)
{
    *n = (struct news){.engine = engine, .host = host, .delay = *data};
    n->attached = delay_none(data);
    n->account_max = (uint32_t)engine_limits(engine)->accounts_max;
    n->strategies = memory_new((size_t)n->account_max + 1, sizeof *n->strategies, "accounts");
    bytes_init(&n->trades);
    bytes_init(&n->own);
    bytes_init(&n->l3);
    bytes_init(&n->queue);
}

void news_close(struct news *n)
{
    memory_free(n->strategies, (size_t)n->account_max + 1, sizeof *n->strategies);
    bytes_close(&n->trades);
    bytes_close(&n->own);
    bytes_close(&n->l3);
    bytes_close(&n->queue);
}

static void put_l3(struct news *n, const struct l3_message *m)
{
    uint8_t *at = bytes_room(&n->l3, 1 + L3_MESSAGE_SIZE_MAX);
    struct wire_writer w = {at + 1};
    l3_message_put(&w, m);
    *at = (uint8_t)(w.at - at - 1);
    n->l3.size += 1 + (size_t)*at;
}

static void tell_book(struct news *n, const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    while (at < end) {
        struct wire_reader r = {at + 1, at + 1 + *at, false};
        struct event_head head = event_get_head(&r);
        strategy_host_book_event(n->host, 0, head.type, &r);
        at += 1 + *at;
    }
}

/* The book's orders, best level first, in the order of their queues. */
static void put_side(struct news *n, const struct book *b, unsigned side)
{
    const struct book_pool *pool = engine_pool(n->engine);
    for (uint32_t l = b->sides[side - 1].best; l != 0; l = pool->levels[l].worse) {
        const struct book_level *level = &pool->levels[l];
        for (uint32_t o = level->head; o != 0; o = pool->orders[o].next) {
            const struct order *order = &pool->orders[o];
            struct l3_message m = {
                .type = MESSAGE_ADD,
                .add = {order->order_id, side, level->price, order->open_qty, order->priority}};
            put_l3(n, &m);
        }
    }
}

void news_begin(struct news *n, uint64_t now_ns)
{
    CHECK(n->symbol != 0 && !n->begun);
    const struct book *b = engine_book(n->engine, n->symbol);
    n->begun = true;
    if (n->attached) {
        strategy_host_book_attach(n->host, 0, b, engine_pool(n->engine));
        return;
    }
    strategy_host_book_reset(n->host, 0);
    put_side(n, b, SIDE_BUY);
    put_side(n, b, SIDE_SELL);
    tell_book(n, n->l3.data, n->l3.size);
    n->l3.size = 0;
    strategy_host_book_joined(n->host, 0, now_ns);
}

void news_account(struct news *n, uint32_t account, unsigned strategy)
{
    CHECK(account != 0 && account <= n->account_max && strategy < UINT8_MAX);
    n->strategies[account] = (uint8_t)(strategy + 1);
    n->account_count++;
}

bool news_knows(const struct news *n, uint32_t account)
{
    return n->strategies[account] != 0;
}

/* ---- gathering ---- */

static void take_trade(struct news *n, const struct event *e)
{
    struct market_trade t = {e->id, e->price, e->qty, e->side};
    bytes_add(&n->trades, &t, sizeof t);
    n->trade_count++;
}

static void take_l3(struct news *n, const struct event *e)
{
    struct l3_message messages[L3_MESSAGES_MAX];
    unsigned count = l3_messages(n->engine, e, messages);
    for (unsigned i = 0; i < count; i++)
        put_l3(n, &messages[i]);
}

/* Tell the strategy whose order it is, if it is one's. */
static void put_own(struct news *n, const struct order_view *v, const struct own_event *event)
{
    unsigned strategy = n->strategies[v->order->account];
    if (strategy == 0)
        return;
    struct own_news news = {.strategy = strategy - 1, .event = *event};
    news.event.order_id = v->order->order_id;
    if (event->type == MESSAGE_ORDER_ACCEPTED || event->type == MESSAGE_ORDER_REJECTED) {
        news.event.client_order_id = v->client_order_id;
        memcpy(news.client_order_id, v->client_order_id.data, v->client_order_id.size);
    }
    bytes_add(&n->own, &news, sizeof news);
}

static void take_fill(struct news *n, const struct event *e, uint32_t order, int64_t open_qty,
                      bool maker)
{
    struct order_view v = engine_order(n->engine, order);
    put_own(n, &v,
            &(struct own_event){.type = MESSAGE_ORDER_FILLED,
                                .price = e->price,
                                .qty = e->qty,
                                .open_qty = open_qty,
                                .trade_id = e->id,
                                .maker = maker});
}

/* As the private feed says it. */
static void take_own(struct news *n, const struct event *e)
{
    struct order_view v = engine_order(n->engine, e->order);
    switch (e->kind) {
    case EVENT_ACCEPTED:
        put_own(n, &v,
                &(struct own_event){.type = MESSAGE_ORDER_ACCEPTED,
                                    .price = e->price,
                                    .qty = e->qty,
                                    .open_qty = e->qty});
        break;
    case EVENT_REJECTED:
        put_own(n, &v, &(struct own_event){.type = MESSAGE_ORDER_REJECTED, .reason = e->reason});
        break;
    case EVENT_AMENDED:
        put_own(n, &v,
                &(struct own_event){.type = MESSAGE_ORDER_AMENDED,
                                    .price = e->price,
                                    .qty = v.detail->qty,
                                    .open_qty = e->open_qty,
                                    .reason = e->reason});
        break;
    case EVENT_CANCELLED:
        put_own(n, &v,
                &(struct own_event){
                    .type = MESSAGE_ORDER_CANCELLED, .qty = e->qty, .reason = e->reason});
        break;
    case EVENT_TRADE:
        take_fill(n, e, e->order, e->open_qty, false);
        take_fill(n, e, e->maker, e->other_qty, true);
        break;
    default:
        break;
    }
}

static void take_event(struct news *n, const struct event *e)
{
    bool here = e->book == n->symbol;
    if (here && e->kind == EVENT_TRADE)
        take_trade(n, e);
    if (here && n->begun && !n->attached)
        take_l3(n, e);
    if (n->account_count > 0)
        take_own(n, e);
}

void news_take(struct news *n)
{
    if (n->symbol == 0)
        return;
    struct book_marks marks = engine_book_marks(n->engine, n->symbol);
    uint64_t seq = engine_seq(n->engine);
    n->book_changed |= marks.book_seq == seq;
    /* With its book attached, a strategy that owns nothing need only hear of trades. */
    bool mirrored = n->begun && !n->attached;
    if (marks.trade_seq != seq && n->account_count == 0 && !mirrored)
        return;
    size_t count;
    const struct event *events = engine_events(n->engine, &count);
    for (size_t i = 0; i < count; i++)
        take_event(n, &events[i]);
}

void news_result(struct news *n, const struct result *r)
{
    n->has_result = true;
    n->result = *r;
}

/* ---- telling ---- */

static void tell_own(struct news *n, const uint8_t *at, size_t size, uint64_t now_ns)
{
    for (const uint8_t *end = at + size; at < end; at += sizeof(struct own_news)) {
        struct own_news news;
        memcpy(&news, at, sizeof news);
        if (news.event.client_order_id.size > 0)
            news.event.client_order_id.data = news.client_order_id;
        strategy_host_account(n->host, news.strategy, now_ns, &news.event);
    }
}

static void tell_result(struct news *n, const struct result *r, uint64_t now_ns)
{
    strategy_host_result(n->host, (uint16_t)engine_limits(n->engine)->shard, now_ns, r);
}

static void forget(struct news *n)
{
    n->book_changed = false;
    n->trades.size = 0;
    n->own.size = 0;
    n->l3.size = 0;
    n->has_result = false;
}

/* Right now. Nothing a strategy answers with happens before it returns, so nothing is gathered
 * meanwhile. */
static void tell(struct news *n, uint64_t now_ns)
{
    if (n->book_changed || n->trades.size > 0) {
        struct market_update u = {.time_ns = engine_time_ns(n->engine),
                                  .seq = engine_seq(n->engine),
                                  .book_changed = n->book_changed,
                                  .trades = (const struct market_trade *)n->trades.data,
                                  .trade_count = n->trades.size / sizeof(struct market_trade)};
        strategy_host_market(n->host, 0, now_ns, &u);
    }
    tell_own(n, n->own.data, n->own.size, now_ns);
    if (n->has_result)
        tell_result(n, &n->result, now_ns);
}

/* ---- parcels ---- */

/* What was delivered makes room before more is taken. */
static void pack(struct news_bytes *q, size_t *first)
{
    if (*first < q->size / 2)
        return;
    memmove(q->data, q->data + *first, q->size - *first);
    q->size -= *first;
    *first = 0;
}

static void put_by(struct news *n, uint64_t now_ns)
{
    struct parcel p = {.due_ns = delay_arrival_ns(&n->delay, now_ns),
                       .time_ns = engine_time_ns(n->engine),
                       .seq = engine_seq(n->engine),
                       .own_size = n->own.size,
                       .l3_size = n->l3.size,
                       .has_result = n->has_result,
                       .result = n->result};
    pack(&n->queue, &n->first);
    bytes_add(&n->queue, &p, sizeof p);
    bytes_add(&n->queue, n->own.data, n->own.size);
    bytes_add(&n->queue, n->l3.data, n->l3.size);
}

void news_send(struct news *n, uint64_t now_ns)
{
    bool any = n->book_changed || n->trades.size > 0 || n->own.size > 0 || n->has_result;
    if (!any)
        return;
    if (n->begun && n->attached)
        tell(n, now_ns);
    else if (n->begun)
        put_by(n, now_ns);
    forget(n);
}

uint64_t news_due_ns(const struct news *n)
{
    uint64_t due_ns;
    if (n->first == n->queue.size)
        return UINT64_MAX;
    memcpy(&due_ns, n->queue.data + n->first + offsetof(struct parcel, due_ns), sizeof due_ns);
    return due_ns;
}

void news_deliver(struct news *n, uint64_t now_ns)
{
    struct parcel p;
    memcpy(&p, n->queue.data + n->first, sizeof p);
    const uint8_t *own = n->queue.data + n->first + sizeof p;
    const uint8_t *l3 = own + p.own_size;
    n->first += sizeof p + p.own_size + p.l3_size;
    if (p.l3_size > 0) {
        tell_book(n, l3, p.l3_size);
        strategy_host_book_group(n->host, 0, now_ns, p.seq, p.time_ns);
    }
    tell_own(n, own, p.own_size, now_ns);
    if (p.has_result)
        tell_result(n, &p.result, now_ns);
}
