#include "strategy/strategy_host.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "strategy/strategy_host_parts.h"

enum { SESSION_BITS = 40 };

/* ---- making it ---- */

size_t host_base36(char text[16], uint64_t value)
{
    char backwards[16];
    size_t size = 0;
    do {
        backwards[size++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % 36];
        value /= 36;
    } while (value > 0);
    for (size_t i = 0; i < size; i++)
        text[i] = backwards[size - 1 - i];
    text[size] = '\0';
    return size;
}

static struct host_market *market_find(strategy_host_t *h, const struct strategy_symbol *symbol)
{
    for (unsigned i = 0; i < h->market_count; i++) {
        if (strcmp(h->markets[i].symbol.name, symbol->name) == 0)
            return &h->markets[i];
    }
    struct host_market *m = &h->markets[h->market_count++];
    host_market_init(m, symbol, h->books ? &h->pool : NULL);
    return m;
}

static struct host_shard *shard_find(strategy_host_t *h, uint16_t number)
{
    unsigned i = 0;
    while (i < h->shard_count && h->shards[i].number != number)
        i++;
    if (i == h->shard_count)
        h->shards[h->shard_count++] = (struct host_shard){.number = number};
    h->shards[i].sent_max += STRATEGY_UNANSWERED_MAX;
    return &h->shards[i];
}

static void trader_init(trader_t *t, strategy_host_t *h, unsigned index,
                        const struct strategy_spec *spec)
{
    t->host = h;
    t->index = index;
    t->spec = *spec;
    t->market = market_find(h, &spec->symbol);
    t->shard = shard_find(h, spec->symbol.shard);
    t->state = memory_new(1, spec->class->state_size, "the state of a strategy");
    t->notices = memory_new(HOST_CALLS_MAX, sizeof *t->notices, "what a strategy is told");
    t->unpriced = spec->inventory != 0 && spec->inventory_price == 0;
    ledger_init(&t->ledger, &spec->fees, spec->inventory, spec->inventory_price);
    t->wake_ns = HOST_NEVER_NS;
    for (unsigned i = 0; i < STRATEGY_WORKING_MAX; i++)
        t->free[t->free_count++] = (uint16_t)(STRATEGY_WORKING_MAX - 1 - i);
}

strategy_host_t *strategy_host_new(const struct strategy_host_owner *owner,
                                   const struct strategy_spec *specs, unsigned count,
                                   uint64_t session, bool books)
{
    CHECK(count > 0 && count <= STRATEGIES_MAX);
    CHECK(session > 0 && session <= (uint64_t)1 << SESSION_BITS);
    strategy_host_t *h = memory_new(1, sizeof *h, "the host of strategies");
    h->owner = *owner;
    h->books = books;
    h->due_ns = HOST_NEVER_NS;
    host_base36(h->session, session);
    if (books)
        book_pool_init(&h->pool, HOST_BOOK_ORDERS, HOST_BOOK_ORDERS);
    h->traders = memory_new(count, sizeof *h->traders, "strategies");
    h->markets = memory_new(count, sizeof *h->markets, "the books of strategies");
    h->count = count;
    for (unsigned i = 0; i < count; i++)
        trader_init(&h->traders[i], h, i, &specs[i]);
    for (unsigned i = 0; i < h->shard_count; i++) {
        struct host_shard *s = &h->shards[i];
        s->sent = memory_new(s->sent_max, sizeof *s->sent, "unanswered commands");
    }
    return h;
}

void strategy_host_destroy(strategy_host_t **host)
{
    strategy_host_t *h = *host;
    if (h == NULL)
        return;
    for (unsigned i = 0; i < h->count; i++) {
        trader_t *t = &h->traders[i];
        memory_free(t->state, 1, t->spec.class->state_size);
        memory_free(t->notices, HOST_CALLS_MAX, sizeof *t->notices);
    }
    for (unsigned i = 0; i < h->market_count; i++)
        host_market_close(&h->markets[i]);
    for (unsigned i = 0; i < h->shard_count; i++)
        memory_free(h->shards[i].sent, h->shards[i].sent_max, sizeof *h->shards[i].sent);
    if (h->books)
        book_pool_close(&h->pool);
    memory_free(h->traders, h->count, sizeof *h->traders);
    memory_free(h->markets, h->count, sizeof *h->markets);
    memory_free(h, 1, sizeof *h);
    *host = NULL;
}

/* ---- inputs; those of books are in host_market.c, those of orders in host_orders.c ---- */

void strategy_host_start(strategy_host_t *h, uint64_t now_ns)
{
    CHECK(!h->started);
    host_input(h, now_ns);
    h->started = true;
    for (trader_t *t = h->traders; t < h->traders + h->count; t++) {
        if (t->spec.class->on_start != NULL && host_call_begin(t)) {
            t->spec.class->on_start(t->state, t);
            host_call_end(t);
        }
        host_settle(t);
    }
    host_timers(h);
}

void strategy_host_time(strategy_host_t *h, uint64_t now_ns)
{
    host_input(h, now_ns);
    host_timers(h);
}

void host_stop(trader_t *t, const char *why)
{
    if (t->stopping)
        return;
    t->stopping = true;
    snprintf(t->why, sizeof t->why, "%s", why);
    trader_cancel_all(t);
    host_orders_send(t);
}

void strategy_host_stop(strategy_host_t *h, unsigned strategy, uint64_t now_ns, const char *why)
{
    CHECK(strategy < h->count);
    host_input(h, now_ns);
    host_stop(&h->traders[strategy], why);
    host_settle(&h->traders[strategy]);
    host_timers(h);
}

void strategy_host_stop_all(strategy_host_t *h, uint64_t now_ns, const char *why)
{
    host_input(h, now_ns);
    for (trader_t *t = h->traders; t < h->traders + h->count; t++) {
        host_stop(t, why);
        host_settle(t);
    }
    host_timers(h);
}

/* ---- looking ---- */

uint64_t strategy_host_due_ns(const strategy_host_t *h)
{
    return h->due_ns;
}

uint64_t strategy_host_now_ns(const strategy_host_t *h)
{
    return h->now_ns;
}

unsigned strategy_host_count(const strategy_host_t *h)
{
    return h->count;
}

static const trader_t *trader_at(const strategy_host_t *h, unsigned strategy)
{
    CHECK(strategy < h->count);
    return &h->traders[strategy];
}

const struct strategy_spec *strategy_host_spec(const strategy_host_t *h, unsigned strategy)
{
    return &trader_at(h, strategy)->spec;
}

unsigned strategy_host_symbol_count(const strategy_host_t *h)
{
    return h->market_count;
}

const struct strategy_symbol *strategy_host_symbol_at(const strategy_host_t *h, unsigned symbol)
{
    CHECK(symbol < h->market_count);
    return &h->markets[symbol].symbol;
}

unsigned strategy_host_symbol(const strategy_host_t *h, unsigned strategy)
{
    return (unsigned)(trader_at(h, strategy)->market - h->markets);
}

const struct ledger *strategy_host_ledger(const strategy_host_t *h, unsigned strategy)
{
    return &trader_at(h, strategy)->ledger;
}

struct strategy_standing strategy_host_standing(const strategy_host_t *h, unsigned strategy)
{
    const trader_t *t = trader_at(h, strategy);
    struct strategy_standing s = {
        .ended = t->ended,
        .stopping = t->stopping,
        .working = t->working_count,
        .unanswered = t->unanswered,
        .orders = t->orders,
        .amends = t->amends,
        .cancels = t->cancels,
        .callbacks = t->callbacks,
        .why = t->why,
    };
    memcpy(s.refused, t->refused, sizeof s.refused);
    return s;
}

bool strategy_host_all_ended(const strategy_host_t *h)
{
    unsigned ended = 0;
    for (unsigned i = 0; i < h->count; i++)
        ended += h->traders[i].ended;
    return ended == h->count;
}

int64_t strategy_host_ahead(const strategy_host_t *h, unsigned strategy, uint32_t order)
{
    return trader_ahead(trader_at(h, strategy), order);
}

void strategy_host_describe(const strategy_host_t *h, unsigned strategy, char *text, size_t size)
{
    const trader_t *t = trader_at(h, strategy);
    CHECK(size > 0);
    text[0] = '\0';
    if (t->spec.class->describe != NULL)
        t->spec.class->describe(t->state, text, size);
}
