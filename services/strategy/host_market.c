/* host_market: the books strategies see, and what they are told of them. A book is a mirror of the
 * matcher's L3 events, or (strategy_host_book_attach) the engine's own. */
#include "base/check.h"
#include "base/memory.h"
#include "strategy/strategy_host_parts.h"

void host_market_init(struct host_market *m, const struct strategy_symbol *symbol,
                      struct book_pool *pool)
{
    *m = (struct host_market){.symbol = *symbol};
    if (pool == NULL)
        return;
    mirror_init(&m->mirror, pool);
    m->mirrored = true;
    m->book = &m->mirror.book;
    m->pool = pool;
    m->trades = memory_new(HOST_TRADES_MAX, sizeof *m->trades, "the trades of a group");
}

void host_market_close(struct host_market *m)
{
    memory_free(m->trades, HOST_TRADES_MAX, sizeof *m->trades);
    *m = (struct host_market){0};
}

bool host_market_known(const struct host_market *m)
{
    return m->joined && !(m->mirrored && m->mirror.broken);
}

struct bbo_state host_market_bbo(const struct host_market *m)
{
    return host_market_known(m) ? book_bbo(m->pool, m->book) : (struct bbo_state){{0}, {0}};
}

/* ---- where it stands ---- */

/* The first mid there is prices what a strategy began with; half a tick is cut. */
static void price_inventory(strategy_host_t *h, const struct host_market *m)
{
    for (trader_t *t = h->traders; t < h->traders + h->count; t++) {
        if (t->market != m || !t->unpriced)
            continue;
        t->unpriced = false;
        ledger_init(&t->ledger, &t->spec.fees, t->spec.inventory, m->twice_mid / 2);
    }
}

static struct bbo_state market_look(strategy_host_t *h, struct host_market *m)
{
    struct bbo_state bbo = host_market_bbo(m);
    int64_t twice_mid;
    bool both = bbo.qty[0] > 0 && bbo.qty[1] > 0;
    if (!both || __builtin_add_overflow(bbo.price[0], bbo.price[1], &twice_mid))
        return bbo;
    bool first = !m->has_mid;
    m->twice_mid = twice_mid;
    m->has_mid = true;
    if (first)
        price_inventory(h, m);
    return bbo;
}

/* Tell everyone who trades it, one after the other. */
static void market_tell(strategy_host_t *h, struct host_market *m, const struct market_update *u)
{
    struct bbo_state bbo = market_look(h, m);
    for (trader_t *t = h->traders; h->started && t < h->traders + h->count; t++) {
        if (t->market != m)
            continue;
        host_limits_loss(t);
        host_settle(t); /* if it has nothing working, that was its end */
        if (h->owner.market != NULL)
            h->owner.market(h->owner.self, t->index, u, &bbo);
        if (t->spec.class->on_market_data != NULL && host_call_begin(t)) {
            t->spec.class->on_market_data(t->state, t, u);
            host_call_end(t);
        }
        host_settle(t);
    }
}

static struct host_market *market_of(strategy_host_t *h, unsigned symbol)
{
    CHECK(symbol < h->market_count);
    return &h->markets[symbol];
}

/* ---- a mirror ---- */

void strategy_host_book_reset(strategy_host_t *h, unsigned symbol)
{
    struct host_market *m = market_of(h, symbol);
    CHECK(m->mirrored);
    mirror_reset(&m->mirror);
    m->joined = false;
    m->changed = false;
    m->trade_count = 0;
}

static void take_trade(struct host_market *m, struct wire_reader *fields)
{
    struct trade e;
    trade_get_fields(fields, &e);
    if (fields->bad || m->trade_count == HOST_TRADES_MAX) {
        m->mirror.broken = true; /* no matcher says this */
        return;
    }
    m->trades[m->trade_count++] =
        (struct market_trade){e.trade_id, e.price, e.qty, (uint8_t)e.aggressor};
}

void strategy_host_book_event(strategy_host_t *h, unsigned symbol, uint64_t type,
                              struct wire_reader *fields)
{
    struct host_market *m = market_of(h, symbol);
    CHECK(m->mirrored);
    if (type == MESSAGE_TRADE)
        take_trade(m, fields);
    else if (mirror_event(&m->mirror, type, fields).changed)
        m->changed = true;
}

void strategy_host_book_joined(strategy_host_t *h, unsigned symbol, uint64_t now_ns)
{
    struct host_market *m = market_of(h, symbol);
    CHECK(m->mirrored);
    host_input(h, now_ns);
    m->joined = true;
    m->changed = false;
    m->trade_count = 0;
    if (host_market_known(m))
        market_tell(h, m, &(struct market_update){.time_ns = h->now_ns, .book_changed = true});
    host_timers(h);
}

void strategy_host_book_group(strategy_host_t *h, unsigned symbol, uint64_t now_ns, uint64_t seq,
                              uint64_t time_ns)
{
    struct host_market *m = market_of(h, symbol);
    CHECK(m->mirrored);
    host_input(h, now_ns);
    struct market_update u = {time_ns, seq, m->changed, m->trades, m->trade_count};
    m->changed = false;
    m->trade_count = 0; /* what u points to is overwritten by the next event only */
    if (host_market_known(m) && (u.book_changed || u.trade_count > 0))
        market_tell(h, m, &u);
    host_timers(h);
}

/* ---- somebody's own ---- */

void strategy_host_book_attach(strategy_host_t *h, unsigned symbol, const struct book *book,
                               const struct book_pool *pool)
{
    struct host_market *m = market_of(h, symbol);
    m->book = book;
    m->pool = pool;
    m->mirrored = false;
    m->joined = true;
    market_look(h, m);
}

void strategy_host_market(strategy_host_t *h, unsigned symbol, uint64_t now_ns,
                          const struct market_update *u)
{
    struct host_market *m = market_of(h, symbol);
    CHECK(m->joined && !m->mirrored);
    host_input(h, now_ns);
    market_tell(h, m, u);
    host_timers(h);
}

struct u64_or_nil strategy_host_book_hash(const strategy_host_t *h, unsigned symbol)
{
    CHECK(symbol < h->market_count);
    const struct host_market *m = &h->markets[symbol];
    if (m->book == NULL)
        return (struct u64_or_nil){0, false};
    return (struct u64_or_nil){m->mirrored ? mirror_hash(&m->mirror) : m->book->l3_hash, true};
}
