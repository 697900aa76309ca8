/* host_orders: a strategy's orders: the commands about them, and what becomes of them.
 *
 *     trader_place ─> SENT ─ accepted ─> WORKING ─ filled, cancelled ─> DONE
 *                      └─ rejected, or a result with a code ──────────────┘
 *
 * Account events say what happened; a result says so only of what leaves no event: a refused amend
 * or cancel, and a new order the engine does not remember. Every command keeps its place in its
 * shard's queue of unanswered ones until its result is there. */
#include <string.h>

#include "base/check.h"
#include "strategy/strategy_host_parts.h"

/* ---- finding ---- */

unsigned host_order_at(const trader_t *t, uint32_t number)
{
    unsigned low = 0, high = t->working_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (t->slots[t->working[middle]].own.number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct held_order *host_order_find(trader_t *t, uint32_t number)
{
    unsigned at = host_order_at(t, number);
    if (at == t->working_count || t->slots[t->working[at]].own.number != number)
        return NULL;
    return &t->slots[t->working[at]];
}

/* Of those that are not done, and those whose end nobody knew. */
static struct held_order *find_id(trader_t *t, uint64_t order_id)
{
    for (unsigned i = 0; order_id != 0 && i < t->working_count + t->lost_count; i++) {
        unsigned slot = i < t->working_count ? t->working[i] : t->lost[i - t->working_count];
        if (t->slots[slot].own.order_id == order_id)
            return &t->slots[slot];
    }
    return NULL;
}

enum { LABEL_SIZE = 64 }; /* more than CLIENT_ORDER_ID_SIZE_MAX, for the longest number */

/* `<name>-<session>-<number>` */
static struct text label_write(const trader_t *t, uint32_t number, char label[LABEL_SIZE])
{
    size_t name = strlen(t->spec.name), session = strlen(t->host->session);
    memcpy(label, t->spec.name, name);
    label[name] = '-';
    memcpy(label + name + 1, t->host->session, session);
    label[name + 1 + session] = '-';
    size_t head = name + session + 2;
    return (struct text){label, head + host_base36(label + head, number)};
}

static bool label_is(const trader_t *t, const struct held_order *o, struct text label)
{
    char mine[LABEL_SIZE];
    return o->own.order_id == 0 && text_equal(label_write(t, o->own.number, mine), label);
}

/* Of those that have no order_id yet. */
static struct held_order *find_label(trader_t *t, struct text label)
{
    for (unsigned i = 0; i < t->working_count; i++) {
        struct held_order *o = &t->slots[t->working[i]];
        if (label_is(t, o, label))
            return o;
    }
    for (unsigned i = 0; i < t->lost_count; i++) {
        struct held_order *o = &t->slots[t->lost[i]];
        if (label_is(t, o, label))
            return o;
    }
    return NULL;
}

/* ---- beginning and end ---- */

void host_order_place(trader_t *t, const struct own_order *own)
{
    CHECK(t->free_count > 0);
    uint16_t slot = t->free[--t->free_count];
    t->slots[slot] = (struct held_order){.own = *own};
    t->working[t->working_count++] = slot;
    t->reserve++;
    t->outgoing[t->outgoing_count++] = (struct host_message){
        .kind = MESSAGE_PLACES, .number = own->number, .price = own->price, .qty = own->qty};
    t->unanswered++;
    t->orders++;
    host_limits_count(t);
}

static bool is_lost(const struct held_order *o)
{
    return o->own.state == OWN_DONE;
}

static void forget_amend(struct held_order *o)
{
    o->own.amending = false;
    o->amend_qty = 0;
}

/* It is done: no more is expected of it. Its slot stays as it is until it is told. */
static uint16_t end(trader_t *t, struct held_order *o)
{
    unsigned at = host_order_at(t, o->own.number);
    uint16_t slot = t->working[at];
    t->working_count--;
    memmove(&t->working[at], &t->working[at + 1], (t->working_count - at) * sizeof t->working[0]);
    if (!o->cancel_sent)
        t->reserve--;
    o->own.state = OWN_DONE;
    o->own.done_ns = t->host->now_ns;
    o->own.cancelling = false;
    forget_amend(o);
    return slot;
}

/* Done, by the exchange's word. */
static void finish(trader_t *t, struct held_order *o, uint16_t reason)
{
    o->own.reason = reason;
    o->own.open_qty = 0;
    if (!is_lost(o))
        t->free[t->free_count++] = end(t, o);
    host_tell_order(t, &o->own);
}

/* ---- commands ---- */

void host_order_amend(trader_t *t, struct held_order *o, int64_t price, int64_t open_qty)
{
    int64_t qty = o->own.filled_qty + open_qty;
    o->own.amending = true;
    o->amend_qty = qty;
    t->outgoing[t->outgoing_count++] = (struct host_message){
        .kind = MESSAGE_AMENDS, .number = o->own.number, .price = price, .qty = qty};
    t->unanswered++;
    t->amends++;
    host_limits_count(t);
}

/* What cannot rest is done before a cancel could reach it. */
static bool may_rest(const struct own_order *own)
{
    return own->type == ORDER_TYPE_LIMIT && own->time_in_force == TIME_IN_FORCE_GTC;
}

void host_order_cancel(trader_t *t, struct held_order *o)
{
    o->own.cancelling = true;
    if (o->own.state != OWN_WORKING || o->cancel_sent || !may_rest(&o->own))
        return;
    o->cancel_sent = true;
    t->reserve--;
    t->outgoing[t->outgoing_count++] =
        (struct host_message){.kind = MESSAGE_CANCELS, .number = o->own.number};
    t->unanswered++;
    t->cancels++;
}

static struct command command_of(const trader_t *t, const struct host_message *m,
                                 const struct own_order *own, struct text label)
{
    struct text symbol = text_of(t->spec.symbol.name), account = text_of(t->spec.account);
    if (m->kind == MESSAGE_PLACES)
        return (struct command){.type = MESSAGE_NEW_ORDER,
                                .new_order = {.symbol = symbol,
                                              .account = account,
                                              .client_order_id = label,
                                              .side = own->side,
                                              .type = own->type,
                                              .time_in_force = own->time_in_force,
                                              .post_only = own->post_only,
                                              .stp = STP_REJECT,
                                              .price = {m->price, own->type != ORDER_TYPE_MARKET},
                                              .qty = m->qty}};
    if (m->kind == MESSAGE_AMENDS)
        return (struct command){.type = MESSAGE_AMEND_ORDER,
                                .amend_order = {.symbol = symbol,
                                                .account = account,
                                                .order_id = own->order_id,
                                                .client_order_id = {"", 0},
                                                .qty_is = QTY_IS_TOTAL,
                                                .qty = {m->qty, true},
                                                .price = {m->price, true}}};
    return (struct command){.type = MESSAGE_CANCEL_ORDER,
                            .cancel_order = {.symbol = symbol,
                                             .account = account,
                                             .order_id = own->order_id,
                                             .client_order_id = {"", 0}}};
}

static void unanswered_add(struct host_shard *s, const trader_t *t, const struct host_message *m)
{
    CHECK(s->sent_count < s->sent_max);
    s->sent[(s->sent_head + s->sent_count++) % s->sent_max] =
        (struct sent_command){(uint16_t)t->index, (uint16_t)m->kind, m->number};
}

void host_orders_send(trader_t *t)
{
    const struct strategy_host_owner *owner = &t->host->owner;
    char label[LABEL_SIZE];
    for (unsigned i = 0; i < t->outgoing_count; i++) {
        const struct host_message *m = &t->outgoing[i];
        const struct held_order *o = host_order_find(t, m->number);
        CHECK(o != NULL);
        struct command c = command_of(t, m, &o->own, label_write(t, m->number, label));
        unanswered_add(t->shard, t, m);
        if (owner->command != NULL)
            owner->command(owner->self, t->index, &c);
        if (m->kind == MESSAGE_PLACES && owner->order != NULL)
            owner->order(owner->self, t->index, &o->own);
    }
    t->outgoing_count = 0;
}

/* ---- what its account's events say ---- */

static void on_accepted(trader_t *t, const struct own_event *e)
{
    struct held_order *o = find_label(t, e->client_order_id);
    if (o == NULL || e->order_id == 0)
        return;
    o->own.order_id = e->order_id;
    if (is_lost(o))
        return;
    o->own.state = OWN_WORKING;
    o->own.price = e->price;
    host_tell_order(t, &o->own);
    if (o->own.cancelling)
        host_order_cancel(t, o);
    host_orders_send(t);
}

static void on_rejected(trader_t *t, const struct own_event *e)
{
    struct held_order *o = find_label(t, e->client_order_id);
    if (o != NULL)
        finish(t, o, e->reason);
}

/* What cannot follow from what we know: nothing more is known for sure. */
static void misfit(trader_t *t)
{
    host_stop(t, "events of its account do not fit its orders");
}

static void on_amended(trader_t *t, struct held_order *o, const struct own_event *e)
{
    if (e->open_qty <= 0 || e->qty < e->open_qty || e->qty - e->open_qty != o->own.filled_qty) {
        misfit(t);
        return;
    }
    o->own.price = e->price;
    o->own.qty = e->qty;
    o->own.open_qty = e->open_qty;
    o->own.reason = e->reason;
    forget_amend(o);
    host_tell_order(t, &o->own);
}

static void ledger_take(trader_t *t, enum side side, const struct own_event *e)
{
    if (t->unpriced) { /* there was no mid yet: the first price there is */
        t->unpriced = false;
        ledger_init(&t->ledger, &t->spec.fees, t->spec.inventory, e->price);
    }
    ledger_fill(&t->ledger, side, e->price, e->qty, e->maker);
}

static void on_filled(trader_t *t, struct held_order *o, const struct own_event *e)
{
    if (e->qty <= 0 || e->qty > o->own.open_qty || e->open_qty != o->own.open_qty - e->qty) {
        misfit(t);
        return;
    }
    ledger_take(t, o->own.side, e);
    o->own.filled_qty += e->qty;
    o->own.open_qty = e->open_qty;
    o->own.reason = 0;
    if (e->open_qty == 0)
        finish(t, o, 0);
    else
        host_tell_order(t, &o->own);
    host_tell_fill(t, &o->own, e);
    host_limits_loss(t);
}

void strategy_host_account(strategy_host_t *h, unsigned strategy, uint64_t now_ns,
                           const struct own_event *e)
{
    CHECK(strategy < h->count);
    trader_t *t = &h->traders[strategy];
    host_input(h, now_ns);
    struct held_order *o = find_id(t, e->order_id);
    if (e->type == MESSAGE_ORDER_ACCEPTED)
        on_accepted(t, e);
    else if (e->type == MESSAGE_ORDER_REJECTED)
        on_rejected(t, e);
    else if (o != NULL && e->type == MESSAGE_ORDER_AMENDED)
        on_amended(t, o, e);
    else if (o != NULL && e->type == MESSAGE_ORDER_FILLED)
        on_filled(t, o, e);
    else if (o != NULL && e->type == MESSAGE_ORDER_CANCELLED)
        finish(t, o, e->reason);
    host_settle(t);
    host_timers(h);
}

/* ---- results ---- */

static void refused(trader_t *t, const struct sent_command *sent, uint16_t code)
{
    struct held_order *o = host_order_find(t, sent->number);
    if (o == NULL)
        return; /* it was done before the command came */
    if (sent->kind == MESSAGE_PLACES) {
        if (o->own.state == OWN_SENT)
            finish(t, o, code);
        return;
    }
    if (sent->kind == MESSAGE_AMENDS) {
        forget_amend(o);
    } else {
        o->own.cancelling = false;
        o->cancel_sent = false;
        t->reserve++;
    }
    o->own.reason = code;
    host_tell_order(t, &o->own);
}

static struct host_shard *shard_of(strategy_host_t *h, uint16_t number)
{
    for (unsigned i = 0; i < h->shard_count; i++) {
        if (h->shards[i].number == number)
            return &h->shards[i];
    }
    return NULL;
}

void strategy_host_result(strategy_host_t *h, uint16_t shard, uint64_t now_ns,
                          const struct result *r)
{
    struct host_shard *s = shard_of(h, shard);
    host_input(h, now_ns);
    if (s != NULL && s->sent_count > 0) {
        struct sent_command sent = s->sent[s->sent_head];
        trader_t *t = &h->traders[sent.strategy];
        s->sent_head = (s->sent_head + 1) % s->sent_max;
        s->sent_count--;
        t->unanswered--;
        if (r->code != 0)
            refused(t, &sent, (uint16_t)r->code);
        host_settle(t);
    }
    host_timers(h);
}

void strategy_host_lost(strategy_host_t *h, uint16_t shard, uint64_t now_ns)
{
    struct host_shard *s = shard_of(h, shard);
    host_input(h, now_ns);
    if (s != NULL)
        s->sent_count = 0;
    for (trader_t *t = h->traders; s != NULL && t < h->traders + h->count; t++) {
        if (t->shard != s)
            continue;
        t->unanswered = 0;
        while (t->working_count > 0) {
            struct held_order *o = &t->slots[t->working[0]];
            t->lost[t->lost_count++] = end(t, o);
            o->own.reason = 0;
            host_tell_order(t, &o->own);
        }
        host_stop(t, "its shard forgot what it sent");
        host_settle(t);
    }
    host_timers(h);
}
