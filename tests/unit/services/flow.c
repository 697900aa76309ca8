#include "tests/unit/services/flow.h"

#include <stdio.h>

static const char *const symbols[] = {SYMBOL_ONE, SYMBOL_ONE, SYMBOL_OTHER, SYMBOL_ANY};
static const char *const accounts[] = {"a", "b", "c", "d"};

enum { WIDTH = 12, QTY_MAX = 9 };

void flow_init(struct flow *f, uint64_t seed, uint64_t shard)
{
    *f = (struct flow){.random = {seed}, .shard = shard, .seq = 4};
}

/* Mostly a new label; now and then one that is in use, or was. */
static void choose_label(struct flow *f, struct new_order *o)
{
    struct recent_order *n = &f->recent[f->labelled % FLOW_RECENT];
    if (f->labelled > 0 && random_once_in(&f->random, 10)) {
        uint64_t count = f->labelled < FLOW_RECENT ? f->labelled : FLOW_RECENT;
        o->client_order_id = text_of(f->recent[random_below(&f->random, count)].label);
        return;
    }
    snprintf(n->label, sizeof n->label, "L%u", (unsigned)f->labelled++);
    n->symbol = o->symbol;
    n->account = o->account;
    o->client_order_id = text_of(n->label);
}

static int64_t price_of(struct flow *f, struct text symbol)
{
    int64_t price = (int64_t)random_below(&f->random, WIDTH);
    return text_equal(symbol, text_of(SYMBOL_ANY)) ? price - WIDTH / 2 : price + 95;
}

static void new_order(struct flow *f, struct command *c)
{
    struct new_order *o = &c->new_order;
    struct random *r = &f->random;
    c->type = MESSAGE_NEW_ORDER;
    o->symbol = text_of(RANDOM_OF(r, symbols));
    o->account = text_of(RANDOM_OF(r, accounts));
    o->client_order_id = text_of("");
    if (!random_once_in(r, 4))
        choose_label(f, o);
    o->side = 1 + random_below(r, 2);
    bool market = random_once_in(r, 12);
    o->type = market ? ORDER_TYPE_MARKET : ORDER_TYPE_LIMIT;
    o->time_in_force = random_once_in(r, 6) ? 1 + random_below(r, 3) : TIME_IN_FORCE_GTC;
    o->post_only = !market && o->time_in_force == TIME_IN_FORCE_GTC && random_once_in(r, 8);
    o->stp = random_once_in(r, 4) ? STP_REJECT : STP_NONE;
    o->price = (struct i64_or_nil){market ? 0 : price_of(f, o->symbol), !market};
    o->qty = 1 + (int64_t)random_below(r, QTY_MAX);
    if (random_once_in(r, 20))
        o->qty *= 50; /* a sweep */
}

/* What an order to cancel or amend is named by: mostly a recent one's label, else some id. */
static struct cancel_order some_order(struct flow *f)
{
    struct random *r = &f->random;
    if (f->labelled > 0 && !random_once_in(r, 5)) {
        uint64_t count = f->labelled < FLOW_RECENT ? f->labelled : FLOW_RECENT;
        const struct recent_order *n = &f->recent[random_below(r, count)];
        return (struct cancel_order){n->symbol, n->account, 0, text_of(n->label)};
    }
    uint64_t back = random_below(r, 60);
    uint64_t id = f->shard << 48 | (f->seq > back ? f->seq - back : 1);
    return (struct cancel_order){text_of(RANDOM_OF(r, symbols)), text_of(RANDOM_OF(r, accounts)),
                                 id, text_of("")};
}

static void amend_order(struct flow *f, struct command *c)
{
    struct random *r = &f->random;
    struct cancel_order which = some_order(f);
    c->type = MESSAGE_AMEND_ORDER;
    c->amend_order = (struct amend_order){
        .symbol = which.symbol,
        .account = which.account,
        .order_id = which.order_id,
        .client_order_id = which.client_order_id,
        .qty_is = 1 + random_below(r, 3),
        .qty = {1 + (int64_t)random_below(r, QTY_MAX), !random_once_in(r, 4)},
        .price = {price_of(f, which.symbol), random_once_in(r, 2)},
    };
}

void flow_next(struct flow *f, struct command *c)
{
    struct random *r = &f->random;
    uint64_t what = random_below(r, 100);
    *c = (struct command){.type = 0};
    f->seq++;
    if (what < 62)
        new_order(f, c);
    else if (what < 76)
        *c = (struct command){.type = MESSAGE_CANCEL_ORDER, .cancel_order = some_order(f)};
    else if (what < 98)
        amend_order(f, c);
    else
        *c = mass_cancel_of(RANDOM_OF(r, accounts));
}
