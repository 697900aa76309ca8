/* trader: what a strategy calls. Nothing here leads to a callback before the one that called has
 * returned; commands leave then, too. */
#include <stdarg.h>

#include "base/check.h"
#include "strategy/strategy_host_parts.h"

/* ---- seeing ---- */

uint64_t trader_now_ns(const trader_t *t)
{
    return t->host->now_ns;
}

static const struct book_side *side_of(const trader_t *t, enum side side)
{
    CHECK(side == SIDE_BUY || side == SIDE_SELL);
    return host_market_known(t->market) ? &t->market->book->sides[side - 1] : NULL;
}

unsigned trader_levels(const trader_t *t, enum side side, struct market_level *levels,
                       unsigned count)
{
    const struct book_side *s = side_of(t, side);
    unsigned found = 0;
    uint32_t n = s == NULL ? 0 : s->best;
    for (; n != 0 && found < count; n = t->market->pool->levels[n].worse) {
        const struct book_level *l = &t->market->pool->levels[n];
        levels[found++] = (struct market_level){l->price, l->qty, l->order_count};
    }
    return found;
}

bool trader_best(const trader_t *t, enum side side, struct market_level *level)
{
    return trader_levels(t, side, level, 1) == 1;
}

int64_t trader_qty_at(const trader_t *t, enum side side, int64_t price)
{
    if (side_of(t, side) == NULL)
        return 0;
    return INT64_MAX - book_room(t->market->pool, t->market->book, side, price);
}

int64_t trader_ahead(const trader_t *t, uint32_t order)
{
    const struct own_order *own = trader_order(t, order);
    if (own == NULL || own->order_id == 0 || !host_market_known(t->market))
        return -1;
    return book_ahead(t->market->pool, own->order_id, UINT32_MAX);
}

int64_t trader_position(const trader_t *t)
{
    return t->ledger.position;
}

const struct own_order *trader_order(const trader_t *t, uint32_t order)
{
    unsigned at = host_order_at(t, order);
    if (at == t->working_count)
        return NULL;
    const struct own_order *own = &t->slots[t->working[at]].own;
    return own->number == order ? own : NULL;
}

uint32_t trader_next_order(const trader_t *t, uint32_t previous)
{
    unsigned at = previous == UINT32_MAX ? t->working_count : host_order_at(t, previous + 1);
    return at == t->working_count ? 0 : t->slots[t->working[at]].own.number;
}

/* ---- its parameters ---- */

static const struct parameter_value *value_of(const trader_t *t, const char *name,
                                              enum parameter_kind *kind)
{
    const struct parameters *p = &t->spec.parameters;
    const struct parameter_value *v = parameters_get(p, name);
    CHECK(v != NULL);
    *kind = p->table[v - p->values].kind;
    return v;
}

int64_t trader_number(const trader_t *t, const char *name)
{
    enum parameter_kind kind;
    const struct parameter_value *v = value_of(t, name, &kind);
    CHECK(kind != PARAMETER_NUMBER && kind != PARAMETER_FILE);
    return v->number;
}

double trader_real(const trader_t *t, const char *name)
{
    enum parameter_kind kind;
    const struct parameter_value *v = value_of(t, name, &kind);
    CHECK(kind == PARAMETER_NUMBER);
    return v->real;
}

const char *trader_text(const trader_t *t, const char *name)
{
    enum parameter_kind kind;
    const struct parameter_value *v = value_of(t, name, &kind);
    CHECK(kind == PARAMETER_FILE);
    return v->text;
}

/* ---- doing ---- */

static void refuse(trader_t *t, struct own_order *own, enum own_refusal refusal)
{
    own->state = OWN_DONE;
    own->refusal = (uint8_t)refusal;
    own->open_qty = 0;
    own->done_ns = own->placed_ns;
    t->refused[refusal]++;
    host_tell_order(t, own);
}

uint32_t trader_place(trader_t *t, const struct order_request *request)
{
    CHECK(t->number_last < UINT32_MAX);
    struct own_order own = {
        .number = ++t->number_last,
        .state = OWN_SENT,
        .side = (uint8_t)request->side,
        .type = (uint8_t)request->type,
        .time_in_force = (uint8_t)request->time_in_force,
        .post_only = request->post_only,
        .price = request->type == ORDER_TYPE_MARKET ? 0 : request->price,
        .qty = request->qty,
        .open_qty = request->qty,
        .placed_ns = t->host->now_ns,
    };
    enum own_refusal refusal = host_limits_place(t, request);
    if (refusal != OWN_REFUSED_NOT)
        refuse(t, &own, refusal);
    else
        host_order_place(t, &own);
    return own.number;
}

uint32_t trader_limit(trader_t *t, enum side side, int64_t price, int64_t qty)
{
    struct order_request request = {
        .side = side,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = TIME_IN_FORCE_GTC,
        .price = price,
        .qty = qty,
    };
    return trader_place(t, &request);
}

bool trader_amend(trader_t *t, uint32_t order, int64_t price, int64_t open_qty)
{
    struct held_order *o = host_order_find(t, order);
    int64_t qty;
    if (o == NULL || o->own.state != OWN_WORKING || o->own.amending || o->own.cancelling)
        return false;
    if (open_qty <= 0 || __builtin_add_overflow(o->own.filled_qty, open_qty, &qty))
        return false;
    enum own_refusal refusal = host_limits_amend(t, o, open_qty);
    t->refused[refusal] += refusal != OWN_REFUSED_NOT;
    if (refusal == OWN_REFUSED_NOT)
        host_order_amend(t, o, price, open_qty);
    return refusal == OWN_REFUSED_NOT;
}

bool trader_cancel(trader_t *t, uint32_t order)
{
    struct held_order *o = host_order_find(t, order);
    if (o == NULL || o->own.cancelling)
        return false;
    host_order_cancel(t, o);
    return true;
}

void trader_cancel_all(trader_t *t)
{
    for (uint32_t n = trader_next_order(t, 0); n != 0; n = trader_next_order(t, n))
        trader_cancel(t, n);
}

void trader_wake(trader_t *t, uint64_t at_ns)
{
    host_wake(t, at_ns);
}

void trader_log(trader_t *t, const char *words, ...)
{
    char text[HOST_WORDS_SIZE];
    const struct strategy_host_owner *owner = &t->host->owner;
    if (owner->log == NULL)
        return;
    va_list list;
    va_start(list, words);
    vsnprintf(text, sizeof text, words, list);
    va_end(list);
    owner->log(owner->self, t->index, text);
}
