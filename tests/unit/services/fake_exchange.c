#include "tests/unit/services/fake_exchange.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mix.h"

enum { OTHERS = HOST_KIT_STRATEGIES_MAX, PRICE_LOW = 95, PRICES = 12 };

void fake_exchange_init(struct fake_exchange *x, uint64_t seed)
{
    memset(x, 0, sizeof *x);
    x->random = mix(seed);
}

uint64_t fake_exchange_random(struct fake_exchange *x, uint64_t below)
{
    return mix_next(&x->random) % below;
}

static bool chance(struct fake_exchange *x, unsigned percent)
{
    return fake_exchange_random(x, 100) < percent;
}

void fake_exchange_send(struct fake_exchange *x, const struct host_kit_command *c)
{
    CHECK(x->command_count < FAKE_STREAM_MAX);
    x->commands[(x->command_head + x->command_count++) % FAKE_STREAM_MAX] = *c;
}

/* ---- what it says ---- */

static struct fake_word *say(struct fake_exchange *x, unsigned strategy)
{
    CHECK(x->private_count < FAKE_STREAM_MAX);
    struct fake_word *w = &x->private[(x->private_head + x->private_count++) % FAKE_STREAM_MAX];
    *w = (struct fake_word){.strategy = strategy};
    return w;
}

static void say_event(struct fake_exchange *x, const struct fake_order *o,
                      const struct own_event *e)
{
    if (o->strategy == OTHERS)
        return;
    struct fake_word *w = say(x, o->strategy);
    w->event = *e;
    w->event.order_id = o->order_id;
    if (e->type == MESSAGE_ORDER_ACCEPTED || e->type == MESSAGE_ORDER_REJECTED)
        strcpy(w->label, o->label);
}

static struct fake_group *group;

static void group_begin(struct fake_exchange *x)
{
    CHECK(x->public_count < FAKE_STREAM_MAX);
    group = &x->public[(x->public_head + x->public_count) % FAKE_STREAM_MAX];
    group->count = 0;
}

static void group_end(struct fake_exchange *x)
{
    x->public_count += group->count > 0;
    group = NULL;
}

static void show(uint64_t type, const struct fake_order *o, int64_t price, int64_t qty)
{
    CHECK(group->count < FAKE_GROUP_MAX);
    group->events[group->count++] =
        (struct fake_market_event){type, o->order_id, o->side, price, qty};
}

/* ---- orders ---- */

static void rest(struct fake_order *o)
{
    o->rests = true;
    show(MESSAGE_ADD, o, o->price, o->open);
}

static void unrest(struct fake_order *o)
{
    if (o->rests)
        show(MESSAGE_DELETE, o, o->price, 0);
    o->rests = false;
}

static void cancel(struct fake_exchange *x, struct fake_order *o, uint16_t reason)
{
    unrest(o);
    struct own_event e = {.type = MESSAGE_ORDER_CANCELLED, .qty = o->open, .reason = reason};
    o->open = 0;
    say_event(x, o, &e);
}

static void fill(struct fake_exchange *x, struct fake_order *o, int64_t qty)
{
    bool maker = o->rests;
    if (maker) {
        show(MESSAGE_TRADE, o, o->price, qty);
        show(MESSAGE_EXECUTE, o, o->price, qty);
    }
    o->open -= qty;
    o->filled += qty;
    o->rests = maker && o->open > 0;
    if (o->strategy != OTHERS)
        x->position[o->strategy] += o->side == SIDE_BUY ? qty : -qty;
    x->fills++;
    say_event(x, o,
              &(struct own_event){.type = MESSAGE_ORDER_FILLED,
                                  .trade_id = x->fills,
                                  .price = o->price,
                                  .qty = qty,
                                  .open_qty = o->open,
                                  .maker = maker});
}

/* Some of it trades on arrival, perhaps; the rest rests, or is cancelled. */
static void arrive(struct fake_exchange *x, struct fake_order *o, bool may_rest)
{
    if (chance(x, 40))
        fill(x, o, 1 + (int64_t)fake_exchange_random(x, (uint64_t)o->open));
    if (o->open > 0 && may_rest)
        rest(o);
    else if (o->open > 0)
        cancel(x, o, REASON_IOC_REMAINDER);
}

static struct fake_order *order_add(struct fake_exchange *x, unsigned strategy, enum side side,
                                    int64_t price, int64_t qty)
{
    CHECK(x->order_count < FAKE_ORDERS_MAX);
    struct fake_order *o = &x->orders[x->order_count++];
    *o = (struct fake_order){.order_id = ++x->ids,
                             .strategy = strategy,
                             .side = side,
                             .price = price,
                             .qty = qty,
                             .open = qty};
    return o;
}

/* An open order; NULL: no such. */
static struct fake_order *order_of(struct fake_exchange *x, uint64_t order_id, unsigned strategy)
{
    for (unsigned i = 0; i < x->order_count; i++) {
        struct fake_order *o = &x->orders[i];
        if (o->order_id == order_id && o->strategy == strategy && o->open > 0)
            return o;
    }
    return NULL;
}

/* ---- commands; each gives its code ---- */

static uint16_t do_place(struct fake_exchange *x, const struct host_kit_command *c)
{
    const struct new_order *n = &c->command.new_order;
    if (chance(x, 5))
        return REJECT_TOO_MANY_OPEN_ORDERS; /* which leaves no event */
    struct fake_order *o = order_add(x, c->strategy, (enum side)n->side,
                                     n->price.given ? n->price.value : PRICE_LOW, n->qty);
    strcpy(o->label, c->label);
    if (n->qty <= 0 || chance(x, 8)) {
        o->open = 0;
        uint16_t code = n->qty <= 0 ? REJECT_INVALID_QUANTITY : REJECT_STP;
        say_event(x, o, &(struct own_event){.type = MESSAGE_ORDER_REJECTED, .reason = code});
        return code;
    }
    say_event(x, o,
              &(struct own_event){.type = MESSAGE_ORDER_ACCEPTED,
                                  .price = n->price.given ? n->price.value : 0});
    arrive(x, o, n->type == ORDER_TYPE_LIMIT && n->time_in_force == TIME_IN_FORCE_GTC);
    return 0;
}

static void amend_to(struct fake_exchange *x, struct fake_order *o, int64_t price, int64_t open)
{
    bool keeps = price == o->price && open <= o->open;
    if (keeps && open < o->open)
        show(MESSAGE_REDUCE, o, price, o->open - open);
    else if (!keeps)
        unrest(o);
    o->price = price;
    o->open = open;
    o->qty = o->filled + open;
    say_event(x, o,
              &(struct own_event){.type = MESSAGE_ORDER_AMENDED,
                                  .price = price,
                                  .qty = o->qty,
                                  .open_qty = open,
                                  .reason = keeps ? REASON_KEPT : REASON_REQUEUED});
    if (!keeps)
        arrive(x, o, true);
}

static uint16_t do_amend(struct fake_exchange *x, const struct host_kit_command *c)
{
    const struct amend_order *a = &c->command.amend_order;
    struct fake_order *o = order_of(x, a->order_id, c->strategy);
    CHECK(a->qty_is == QTY_IS_TOTAL && a->qty.given && a->price.given);
    if (o == NULL)
        return REJECT_UNKNOWN_ORDER;
    if (chance(x, 10))
        return REJECT_STP;
    if (a->qty.value <= o->filled)
        cancel(x, o, REASON_REDUCED);
    else
        amend_to(x, o, a->price.value, a->qty.value - o->filled);
    return 0;
}

static uint16_t do_cancel(struct fake_exchange *x, const struct host_kit_command *c)
{
    struct fake_order *o = order_of(x, c->command.cancel_order.order_id, c->strategy);
    if (o == NULL)
        return REJECT_UNKNOWN_ORDER;
    cancel(x, o, REASON_USER);
    return 0;
}

void fake_exchange_work(struct fake_exchange *x)
{
    uint16_t codes[4];
    unsigned strategies[4], count = 0;
    uint64_t batch = 1 + fake_exchange_random(x, 4);
    for (; x->command_count > 0 && count < batch; count++) {
        const struct host_kit_command *c = &x->commands[x->command_head];
        x->command_head = (x->command_head + 1) % FAKE_STREAM_MAX;
        x->command_count--;
        group_begin(x);
        codes[count] = c->command.type == MESSAGE_NEW_ORDER     ? do_place(x, c)
                       : c->command.type == MESSAGE_AMEND_ORDER ? do_amend(x, c)
                                                                : do_cancel(x, c);
        group_end(x);
        strategies[count] = c->strategy;
    }
    for (unsigned i = 0; i < count; i++) {
        struct fake_word *w = say(x, strategies[i]);
        w->is_result = true;
        w->code = codes[i];
    }
}

void fake_exchange_others(struct fake_exchange *x)
{
    group_begin(x);
    struct fake_order *o =
        x->order_count == 0 ? NULL : &x->orders[fake_exchange_random(x, x->order_count)];
    if (o != NULL && o->rests && chance(x, 70))
        fill(x, o, 1 + (int64_t)fake_exchange_random(x, (uint64_t)o->open));
    else if (o != NULL && o->rests && o->strategy == OTHERS)
        cancel(x, o, REASON_USER);
    else if (x->order_count < FAKE_ORDERS_MAX / 2)
        rest(order_add(x, OTHERS, chance(x, 50) ? SIDE_BUY : SIDE_SELL,
                       PRICE_LOW + (int64_t)fake_exchange_random(x, PRICES),
                       1 + (int64_t)fake_exchange_random(x, 20)));
    group_end(x);
}

/* ---- hearing it ---- */

bool fake_exchange_private(struct fake_exchange *x, struct host_kit *k)
{
    if (x->private_count == 0)
        return false;
    struct fake_word *w = &x->private[x->private_head];
    x->private_head = (x->private_head + 1) % FAKE_STREAM_MAX;
    x->private_count--;
    if (w->is_result) {
        host_kit_result(k, w->code);
        return true;
    }
    w->event.client_order_id = text_of(w->label);
    inputs_account(k->record, k->host, w->strategy, k->now_ns, &w->event);
    return true;
}

static void give(struct host_kit *k, const struct fake_market_event *e)
{
    uint8_t bytes[TRADE_SIZE_MAX];
    struct wire_writer w = {bytes};
    switch (e->type) {
    case MESSAGE_ADD:
        add_put_fields(&w, &(struct add){e->order_id, e->side, e->price, e->qty, e->order_id});
        break;
    case MESSAGE_EXECUTE:
        execute_put_fields(&w, &(struct execute){e->order_id, e->qty});
        break;
    case MESSAGE_REDUCE:
        reduce_put_fields(&w, &(struct reduce){e->order_id, e->qty});
        break;
    case MESSAGE_DELETE:
        delete_put_fields(&w, &(struct delete){e->order_id});
        break;
    default:
        trade_put_fields(&w, &(struct trade){1, e->order_id, 1, e->price, e->qty, e->side});
        break;
    }
    struct wire_reader r = {bytes, w.at, false};
    inputs_book_event(k->record, k->host, 0, e->type, &r);
}

bool fake_exchange_public(struct fake_exchange *x, struct host_kit *k)
{
    if (x->public_count == 0)
        return false;
    const struct fake_group *g = &x->public[x->public_head];
    x->public_head = (x->public_head + 1) % FAKE_STREAM_MAX;
    x->public_count--;
    for (unsigned i = 0; i < g->count; i++)
        give(k, &g->events[i]);
    host_kit_group(k);
    return true;
}

void fake_exchange_snapshot(struct fake_exchange *x, struct host_kit *k)
{
    x->public_count = 0;
    inputs_book_reset(k->record, k->host, 0);
    for (unsigned i = 0; i < x->order_count; i++) {
        const struct fake_order *o = &x->orders[i];
        if (o->rests)
            give(k,
                 &(struct fake_market_event){MESSAGE_ADD, o->order_id, o->side, o->price, o->open});
    }
    inputs_book_joined(k->record, k->host, 0, k->now_ns);
}

int64_t fake_exchange_open(const struct fake_exchange *x, unsigned strategy, enum side side)
{
    int64_t open = 0;
    for (unsigned i = 0; i < x->order_count; i++) {
        const struct fake_order *o = &x->orders[i];
        if (o->strategy == strategy && o->side == side)
            open += o->open;
    }
    return open;
}
