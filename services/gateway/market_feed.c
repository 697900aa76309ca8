/* market_feed: what those who watch a market are told, message by message.
 *
 * Events of the book wait in the scratch until the hash of their frame is found right, and only
 * then it is known which are the last of their sequence and what time they have. A text waits
 * without its end, its writer in front of it:
 *
 *     scratch  [waiting {"type":"add",... room][waiting {"type":"trade",... room] ...
 *                                                  ,"ts":1,"last":true}  goes into the room
 *
 * Trades wait in the same way until their group is complete. */
#include "gateway/market_parts.h"
#include "proto/catalog.h"

enum {
    OPEN_TEXT_MAX = 512, /* a trade is the longest event: at most 381 bytes to its brace */
    TAIL_MAX = 96,       /* `ts`, `last`, `hash`, the brace */
};

/* What stands in front of a text that waits; copied in and out, the scratch is bytes. */
struct waiting_text {
    struct json_writer json;
    size_t next; /* where the next one begins */
    bool last;   /* of its sequence */
};

static bool watched(const struct market *m, enum channel channel)
{
    return m->sink->watched(m->sink->self, m->symbol, channel);
}

static void tell(const struct market *m, enum channel channel, enum conflation conflation,
                 const char *text, size_t size)
{
    m->sink->message(m->sink->self, m->symbol, channel, conflation, text, size);
}

/* ---- best bid and offer ---- */

static void put_quote(struct json_writer *j, const char *key, const struct market *m,
                      const struct bbo_state *bbo, enum side side)
{
    if (bbo->qty[side - 1] == 0) {
        json_null(j, key);
        return;
    }
    json_object_begin(j, key);
    json_units(j, "price", bbo->price[side - 1], &m->tick);
    json_units(j, "quantity", bbo->qty[side - 1], &m->lot);
    json_object_end(j);
}

static void put_bbo(struct json_writer *j, const struct market *m)
{
    struct bbo_state bbo = book_bbo(m->mirror.pool, &m->mirror.book);
    json_object_begin(j, NULL);
    json_string(j, "type", "bbo");
    json_string(j, "symbol", m->name);
    put_quote(j, "bid", m, &bbo, SIDE_BUY);
    put_quote(j, "ask", m, &bbo, SIDE_SELL);
    json_u64(j, "epoch", m->epoch);
    json_u64(j, "seq", m->book_seq);
    json_u64(j, "ts", m->book_ns / 1000);
    json_object_end(j);
}

/* ---- first messages ---- */

static void put_book_message(struct json_writer *j, const struct market *m, const char *type,
                             uint64_t depth, unsigned level)
{
    json_object_begin(j, NULL);
    json_string(j, "type", type);
    if (level == 3)
        json_u64(j, "level", level);
    market_put_book_members(m, j, depth, level);
    json_object_end(j);
}

/* A trade, up to its time. */
static void put_trade(struct json_writer *j, const struct market *m,
                      const struct past_trade_row *row)
{
    json_object_begin(j, NULL);
    json_string(j, "type", "trade");
    json_string(j, "symbol", m->name);
    json_id(j, "trade_id", row->trade_id);
    json_units(j, "price", row->price, &m->tick);
    json_units(j, "quantity", row->qty, &m->lot);
    market_put_aggressor(j, row->aggressor);
    json_u64(j, "epoch", m->trades_epoch);
    json_u64(j, "seq", row->seq);
}

static void put_recent_trade(struct json_writer *j, const struct market *m, uint64_t index)
{
    const struct past_trade_row *row = market_trade_at(m, index);
    bool newest = index + 1 == market_trades_kept(m);
    put_trade(j, m, row);
    json_u64(j, "ts", row->time_ns / 1000);
    json_flag(j, "last", newest || market_trade_at(m, index + 1)->seq != row->seq);
    json_flag(j, "recent", true);
    json_object_end(j);
}

/* Texts one behind the other, a newline after each. */
struct texts_writer {
    char *text;
    size_t size, used;
    bool full;
};

static void text_begin(const struct texts_writer *w, struct json_writer *j)
{
    json_writer_init(j, w->text + w->used, w->size - w->used);
}

static void text_end(struct texts_writer *w, const struct json_writer *j)
{
    size_t size = json_writer_size(j);
    if (w->full || j->full || w->used + size == w->size) {
        w->full = true;
        return;
    }
    w->used += size;
    w->text[w->used++] = '\n';
}

static void put_first_book(struct texts_writer *w, const struct market *m, enum channel channel)
{
    struct json_writer j;
    if (channel != CHANNEL_QUOTES) {
        text_begin(w, &j);
        if (channel == CHANNEL_EVENTS)
            put_book_message(&j, m, "snapshot", 0, 3);
        else
            put_book_message(&j, m, "snapshot", MARKET_TOP_LEVELS, 2);
        text_end(w, &j);
    }
    if (channel != CHANNEL_EVENTS) {
        text_begin(w, &j);
        put_bbo(&j, m);
        text_end(w, &j);
    }
}

static void put_first_trades(struct texts_writer *w, const struct market *m)
{
    uint64_t kept = market_trades_kept(m);
    struct json_writer j;
    for (uint64_t i = kept > MARKET_TRADES_RECENT ? kept - MARKET_TRADES_RECENT : 0; i < kept;
         i++) {
        text_begin(w, &j);
        put_recent_trade(&j, m, i);
        text_end(w, &j);
    }
}

bool market_put_first(const struct market *m, enum channel channel, char *text, size_t size,
                      size_t *used)
{
    struct texts_writer w = {.text = text, .size = size};
    if (channel == CHANNEL_TRADES && m->trades_known)
        put_first_trades(&w, m);
    else if (channel != CHANNEL_TRADES && m->book_known)
        put_first_book(&w, m, channel);
    *used = w.full ? 0 : w.used;
    return !w.full;
}

/* The book is too large for a message. */
static void tell_reset(const struct market *m, enum channel channel)
{
    struct json_writer j;
    json_writer_init(&j, m->scratch, MARKET_SCRATCH_SIZE);
    json_object_begin(&j, NULL);
    json_string(&j, "type", "reset");
    json_string(&j, "symbol", m->name);
    json_u64(&j, "epoch", m->epoch);
    json_u64(&j, "seq", m->book_seq);
    json_u64(&j, "ts", m->book_ns / 1000);
    json_object_end(&j);
    tell(m, channel, CONFLATION_NEVER, m->scratch, json_writer_size(&j));
}

/* What a newcomer gets, to all. */
static void tell_first(const struct market *m, enum channel channel)
{
    size_t size;
    if (!watched(m, channel))
        return;
    if (!market_put_first(m, channel, m->scratch, MARKET_SCRATCH_SIZE, &size))
        tell_reset(m, channel);
    for (size_t at = 0; at < size;) {
        const char *end = memchr(m->scratch + at, '\n', size - at);
        size_t text_size = (size_t)(end - (m->scratch + at));
        tell(m, channel, CONFLATION_NEVER, m->scratch + at, text_size);
        at += text_size + 1;
    }
}

/* ---- texts that wait ---- */

/* False: there is no room for one more. */
static bool waiting_begin(const struct market *m, struct market_texts *texts, struct json_writer *j)
{
    size_t text = texts->size + sizeof(struct waiting_text);
    texts->full |= text + OPEN_TEXT_MAX + TAIL_MAX > MARKET_SCRATCH_SIZE;
    if (!texts->full)
        json_writer_init(j, m->scratch + text, OPEN_TEXT_MAX);
    return !texts->full;
}

static void waiting_end(const struct market *m, struct market_texts *texts, struct json_writer *j)
{
    size_t size = json_writer_size(j) + TAIL_MAX;
    struct waiting_text head = {.json = *j,
                                .next = texts->size + sizeof(struct waiting_text) + size};
    head.json.end = j->start + size;
    memcpy(m->scratch + texts->size, &head, sizeof head);
    texts->newest = texts->size;
    texts->size = head.next;
}

/* Finish each and tell it. hash: of the newest one. */
static void tell_waiting(const struct market *m, const struct market_texts *texts,
                         enum channel channel, uint64_t time_ns, struct u64_or_nil hash)
{
    struct waiting_text head;
    for (size_t at = 0; at < texts->size; at = head.next) {
        memcpy(&head, m->scratch + at, sizeof head);
        json_u64(&head.json, "ts", time_ns / 1000);
        json_flag(&head.json, "last", head.last);
        if (hash.given && at == texts->newest)
            json_hash(&head.json, "hash", hash.value);
        json_object_end(&head.json);
        tell(m, channel, CONFLATION_NEVER, head.json.start, json_writer_size(&head.json));
    }
}

/* A group that made no text marks the one before it once more, which is marked already. */
void market_feed_group_end(const struct market *m, struct market_texts *texts)
{
    struct waiting_text head;
    if (texts->size == 0)
        return;
    memcpy(&head, m->scratch + texts->newest, sizeof head);
    head.last = true;
    memcpy(m->scratch + texts->newest, &head, sizeof head);
}

/* ---- events of the book ---- */

static void put_add(struct json_writer *j, const struct market *m, struct wire_reader *fields)
{
    struct add a;
    add_get_fields(fields, &a);
    json_id(j, "order_id", a.order_id);
    json_string(j, "side", catalog_value_text(KIND_side, a.side));
    json_units(j, "price", a.price, &m->tick);
    json_units(j, "quantity", a.qty, &m->lot);
    json_u64(j, "priority", a.priority);
}

static void put_execute(struct json_writer *j, const struct market *m, struct wire_reader *fields)
{
    struct execute e;
    execute_get_fields(fields, &e);
    json_id(j, "order_id", e.order_id);
    json_units(j, "quantity", e.qty, &m->lot);
}

static void put_reduce(struct json_writer *j, const struct market *m, struct wire_reader *fields)
{
    struct reduce r;
    reduce_get_fields(fields, &r);
    json_id(j, "order_id", r.order_id);
    json_units(j, "quantity", r.qty, &m->lot);
}

static void put_delete(struct json_writer *j, const struct market *m, struct wire_reader *fields)
{
    struct delete d;
    (void)m;
    delete_get_fields(fields, &d);
    json_id(j, "order_id", d.order_id);
}

static void put_both_orders(struct json_writer *j, const struct market *m,
                            struct wire_reader *fields)
{
    struct trade t;
    trade_get_fields(fields, &t);
    json_id(j, "trade_id", t.trade_id);
    json_id(j, "maker_order_id", t.maker_order_id);
    json_id(j, "taker_order_id", t.taker_order_id);
    json_units(j, "price", t.price, &m->tick);
    json_units(j, "quantity", t.qty, &m->lot);
    market_put_aggressor(j, t.aggressor);
}

static const struct event_form {
    uint64_t type;
    const char *name;
    void (*put)(struct json_writer *j, const struct market *m, struct wire_reader *fields);
} event_forms[] = {
    {MESSAGE_ADD, "add", put_add},
    {MESSAGE_EXECUTE, "execute", put_execute},
    {MESSAGE_REDUCE, "reduce", put_reduce},
    {MESSAGE_DELETE, "delete", put_delete},
    {MESSAGE_TRADE, "trade", put_both_orders},
};

static const struct event_form *event_form_find(uint64_t type)
{
    for (size_t i = 0; i < sizeof event_forms / sizeof event_forms[0]; i++) {
        if (event_forms[i].type == type)
            return &event_forms[i];
    }
    return NULL;
}

void market_feed_event(struct market *m, uint64_t seq, uint64_t type, struct wire_reader *fields)
{
    const struct event_form *form = event_form_find(type);
    struct json_writer j;
    if (form == NULL || !waiting_begin(m, &m->book_texts, &j))
        return;
    json_object_begin(&j, NULL);
    json_string(&j, "type", form->name);
    json_string(&j, "symbol", m->name);
    form->put(&j, m, fields);
    json_u64(&j, "epoch", m->epoch);
    json_u64(&j, "seq", seq);
    waiting_end(m, &m->book_texts, &j);
}

/* More than the scratch holds is not what a matcher makes of a batch; should it be, the book itself
 * is told instead of what led to it. */
static void tell_events(struct market *m)
{
    if (m->book_texts.full)
        tell_first(m, CHANNEL_EVENTS);
    else
        tell_waiting(m, &m->book_texts, CHANNEL_EVENTS, m->book_ns, market_book_hash(m));
    m->book_texts = (struct market_texts){0};
}

/* ---- the top ---- */

static void read_top(const struct market *m, struct market_level top[2][MARKET_TOP_LEVELS])
{
    const struct book_level *levels = m->mirror.pool->levels;
    for (unsigned side = 0; side < 2; side++) {
        uint32_t n = m->mirror.book.sides[side].best;
        for (unsigned i = 0; i < MARKET_TOP_LEVELS; i++) {
            /* Level 0 is never used: all zero, and nothing is worse. */
            top[side][i] = (struct market_level){levels[n].price, levels[n].qty};
            n = levels[n].worse;
        }
    }
}

static bool level_equal(const struct market_level *a, const struct market_level *b)
{
    return a->price == b->price && a->qty == b->qty;
}

static void tell_bbo(const struct market *m)
{
    struct json_writer j;
    bool market_data = watched(m, CHANNEL_MARKET_DATA), quotes = watched(m, CHANNEL_QUOTES);
    if (!market_data && !quotes)
        return;
    json_writer_init(&j, m->scratch, MARKET_SCRATCH_SIZE);
    put_bbo(&j, m);
    if (market_data)
        tell(m, CHANNEL_MARKET_DATA, CONFLATION_BBO, m->scratch, json_writer_size(&j));
    if (quotes)
        tell(m, CHANNEL_QUOTES, CONFLATION_BBO, m->scratch, json_writer_size(&j));
}

static void tell_top(const struct market *m)
{
    struct json_writer j;
    if (!watched(m, CHANNEL_MARKET_DATA))
        return;
    json_writer_init(&j, m->scratch, MARKET_SCRATCH_SIZE);
    put_book_message(&j, m, "orderbook", MARKET_TOP_LEVELS, 2);
    tell(m, CHANNEL_MARKET_DATA, CONFLATION_BOOK, m->scratch, json_writer_size(&j));
}

/* ---- when ---- */

void market_feed_book_joined(struct market *m)
{
    read_top(m, m->told);
    tell_first(m, CHANNEL_MARKET_DATA);
    tell_first(m, CHANNEL_EVENTS);
    tell_first(m, CHANNEL_QUOTES);
}

/* The top is compared even if nobody watches: who comes is told what it is then, and must not be
 * told the same again. */
void market_feed_frame_end(struct market *m)
{
    struct market_level top[2][MARKET_TOP_LEVELS];
    tell_events(m);
    read_top(m, top);
    bool bbo_changed =
        !level_equal(&top[0][0], &m->told[0][0]) || !level_equal(&top[1][0], &m->told[1][0]);
    bool top_changed = memcmp(top, m->told, sizeof top) != 0;
    memcpy(m->told, top, sizeof top);
    if (bbo_changed)
        tell_bbo(m);
    if (top_changed)
        tell_top(m);
}

void market_feed_trades_joined(struct market *m)
{
    tell_first(m, CHANNEL_TRADES);
}

void market_feed_trade(struct market *m, uint64_t seq, const struct trade *t)
{
    struct json_writer j;
    if (!waiting_begin(m, &m->trade_texts, &j))
        return;
    put_trade(&j, m, &(struct past_trade_row){t->trade_id, seq, 0, t->price, t->qty, t->aggressor});
    waiting_end(m, &m->trade_texts, &j);
}

/* As with events, what is too much is told by what it led to. */
void market_feed_trades_end(struct market *m, uint64_t time_ns)
{
    if (m->trade_texts.full)
        tell_first(m, CHANNEL_TRADES);
    else
        tell_waiting(m, &m->trade_texts, CHANNEL_TRADES, time_ns, (struct u64_or_nil){0, false});
    m->trade_texts = (struct market_texts){0};
}
