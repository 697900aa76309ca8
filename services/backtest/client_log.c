#include "backtest/client_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"

/* What a client's program is, as a strategy: nothing of it is known here. */
static const struct parameter no_parameters[] = {{.name = NULL}};
static const struct strategy_class program_class = {
    .abi = STRATEGY_ABI,
    .name = "program",
    .summary = "a strategy outside",
    .parameters = no_parameters,
    .state_size = 1,
};

static struct bbo_state bbo_of(const struct client_log *l)
{
    return book_bbo(engine_pool(l->engine), engine_book(l->engine, l->symbol));
}

void client_log_open(struct client_log *l, const engine_t *engine, const recording_t *recording,
                     uint32_t symbol, const struct fees *fees, const struct result_options *options,
                     struct strategy_spec *spec)
{
    *spec = (struct strategy_spec){
        .class = &program_class, .symbol = *recording_symbol(recording), .fees = *fees};
    snprintf(spec->name, sizeof spec->name, "%s", program_class.name);
    snprintf(spec->type, sizeof spec->type, "%s", program_class.name);
    parameters_init(&spec->parameters, no_parameters);
    *l = (struct client_log){.engine = engine, .symbol = symbol, .spec = spec};
    l->log = result_log_new(spec, options);
    ledger_init(&l->ledger, fees, 0, 0);
    snprintf(l->book_topic, sizeof l->book_topic, "l3.%s", spec->symbol.name);
}

void client_log_close(struct client_log *l)
{
    result_log_destroy(&l->log);
    free(l->accounts);
    free(l->open);
    free(l->trades);
}

/* ---- the market ---- */

static void add_trade(struct client_log *l, struct wire_reader *fields)
{
    struct trade m;
    trade_get_fields(fields, &m);
    l->trades = memory_grown(l->trades, l->trade_count, &l->trade_max, sizeof *l->trades);
    l->trades[l->trade_count++] =
        (struct market_trade){m.trade_id, m.price, m.qty, (uint8_t)m.aggressor};
}

static void on_book(struct client_log *l, struct frame_reader *f)
{
    struct market_update u = {.time_ns = f->head.time_ns, .seq = f->head.seq};
    uint64_t type;
    struct wire_reader fields;
    l->trade_count = 0;
    while (frame_next_group(f)) {
        while (frame_next_event(f, &type, &fields)) {
            if (type == MESSAGE_TRADE)
                add_trade(l, &fields);
            else
                u.book_changed = true;
        }
    }
    u.trades = l->trades;
    u.trade_count = l->trade_count;
    struct bbo_state bbo = bbo_of(l);
    result_log_market(l->log, &u, &bbo, &l->ledger);
}

/* ---- orders ---- */

static struct own_order *order_of(struct client_log *l, uint64_t order_id)
{
    for (size_t i = 0; i < l->open_count; i++) {
        if (l->open[i].order_id == order_id)
            return &l->open[i];
    }
    return NULL;
}

/* Lots before it in its queue, as the book is behind its command; -1: it does not rest. */
static int64_t ahead_of(const struct client_log *l, uint64_t order_id)
{
    return book_ahead(engine_pool(l->engine), order_id, UINT32_MAX);
}

/* The order of the command that is happening: a copy that is kept, unless it is done. */
static void add_order(struct client_log *l, uint64_t order_id, uint16_t reason, uint64_t now_ns)
{
    const struct new_order *m = &l->command->new_order;
    struct own_order o = {
        .number = ++l->numbers,
        .state = reason == 0 ? OWN_WORKING : OWN_DONE,
        .side = (uint8_t)m->side,
        .type = (uint8_t)m->type,
        .time_in_force = (uint8_t)m->time_in_force,
        .post_only = m->post_only,
        .reason = reason,
        .order_id = order_id,
        .price = m->price.given ? m->price.value : 0,
        .qty = m->qty,
        .open_qty = reason == 0 ? m->qty : 0,
        .placed_ns = l->sent_ns,
        .done_ns = reason == 0 ? 0 : now_ns,
    };
    l->told = true;
    if (o.number == 1)
        snprintf(l->spec->account, sizeof l->spec->account, "%.*s", (int)m->account.size,
                 m->account.data);
    result_log_order(l->log, &o, reason == 0 ? ahead_of(l, order_id) : -1, now_ns);
    if (reason != 0)
        return;
    l->open = memory_grown(l->open, l->open_count, &l->open_max, sizeof *l->open);
    l->open[l->open_count++] = o;
}

/* Whether the order is that of the command that is happening, and of our symbol. */
static bool makes_order(const struct client_log *l)
{
    return l->command != NULL && l->command->type == MESSAGE_NEW_ORDER && !l->told &&
           text_equal(l->command->new_order.symbol, text_of(l->spec->symbol.name));
}

static void on_accepted(struct client_log *l, struct wire_reader *fields, uint64_t now_ns)
{
    struct order_accepted m;
    order_accepted_get_fields(fields, &m);
    if (makes_order(l))
        add_order(l, m.order_id, 0, now_ns);
}

static void on_rejected(struct client_log *l, struct wire_reader *fields, uint64_t now_ns)
{
    struct order_rejected m;
    order_rejected_get_fields(fields, &m);
    if (makes_order(l))
        add_order(l, m.order_id, (uint16_t)m.code, now_ns);
}

/* The order is as it is now: it is told, and forgotten if it is done. */
static void changed(struct client_log *l, struct own_order *o, uint64_t now_ns)
{
    if (o->open_qty == 0) {
        o->state = OWN_DONE;
        o->done_ns = now_ns;
    }
    result_log_order(l->log, o, ahead_of(l, o->order_id), now_ns);
}

static void forget_if_done(struct client_log *l, struct own_order *o)
{
    if (o->state == OWN_DONE)
        *o = l->open[--l->open_count];
}

static void on_amended(struct client_log *l, struct wire_reader *fields, uint64_t now_ns)
{
    struct order_amended m;
    order_amended_get_fields(fields, &m);
    struct own_order *o = order_of(l, m.order_id);
    if (o == NULL)
        return;
    o->price = m.price;
    o->qty = m.qty;
    o->open_qty = m.open_qty;
    changed(l, o, now_ns);
    forget_if_done(l, o);
}

static void on_filled(struct client_log *l, struct wire_reader *fields, uint64_t now_ns)
{
    struct order_filled m;
    order_filled_get_fields(fields, &m);
    struct own_order *o = order_of(l, m.order_id);
    if (o == NULL)
        return;
    o->open_qty = m.open_qty;
    o->filled_qty += m.qty;
    ledger_fill(&l->ledger, o->side, m.price, m.qty, m.maker);
    changed(l, o, now_ns);
    struct own_fill fill = {o, m.trade_id, m.price, m.qty, m.maker};
    struct bbo_state bbo = bbo_of(l);
    result_log_fill(l->log, &fill, &bbo, &l->ledger, now_ns);
    forget_if_done(l, o);
}

static void on_cancelled(struct client_log *l, struct wire_reader *fields, uint64_t now_ns)
{
    struct order_cancelled m;
    order_cancelled_get_fields(fields, &m);
    struct own_order *o = order_of(l, m.order_id);
    if (o == NULL)
        return;
    o->open_qty = 0;
    o->reason = (uint16_t)m.reason;
    changed(l, o, now_ns);
    forget_if_done(l, o);
}

static void on_account(struct client_log *l, struct frame_reader *f)
{
    uint64_t type, now_ns = f->head.time_ns;
    struct wire_reader fields;
    while (frame_next_group(f)) {
        while (frame_next_event(f, &type, &fields)) {
            if (type == MESSAGE_ORDER_ACCEPTED)
                on_accepted(l, &fields, now_ns);
            else if (type == MESSAGE_ORDER_REJECTED)
                on_rejected(l, &fields, now_ns);
            else if (type == MESSAGE_ORDER_AMENDED)
                on_amended(l, &fields, now_ns);
            else if (type == MESSAGE_ORDER_FILLED)
                on_filled(l, &fields, now_ns);
            else if (type == MESSAGE_ORDER_CANCELLED)
                on_cancelled(l, &fields, now_ns);
        }
    }
}

static bool of_client(const struct client_log *l, struct text topic)
{
    for (size_t i = 0; i < l->account_count; i++) {
        if (text_equal(text_of(l->accounts[i]), topic))
            return true;
    }
    return false;
}

void client_log_frame(struct client_log *l, const uint8_t *message, size_t size)
{
    struct text topic = frame_topic(message, size);
    struct frame_reader f;
    bool book = text_equal(topic, text_of(l->book_topic));
    if (!book && !of_client(l, topic))
        return;
    CHECK(frame_read(&f, message, size) == FRAME_READ_OK); /* our own matcher's */
    if (book)
        on_book(l, &f);
    else
        on_account(l, &f);
}

/* ---- commands ---- */

/* The account, if the command names one that may place orders. */
static void learn_account(struct client_log *l, const struct new_order *m)
{
    char topic[TOPIC_SIZE_MAX + 1];
    snprintf(topic, sizeof topic, "acct.%.*s", (int)m->account.size, m->account.data);
    if (m->account.size == 0 || of_client(l, text_of(topic)))
        return;
    l->accounts = memory_grown(l->accounts, l->account_count, &l->account_max, sizeof *l->accounts);
    memcpy(l->accounts[l->account_count++], topic, sizeof topic);
}

void client_log_command(struct client_log *l, const struct command *c, uint64_t sent_ns)
{
    if (c->type == MESSAGE_NEW_ORDER)
        learn_account(l, &c->new_order);
    l->command = c;
    l->sent_ns = sent_ns;
    l->told = false;
}

void client_log_done(struct client_log *l, bool sequenced, uint64_t now_ns)
{
    uint64_t type = l->command->type;
    struct outcome outcome = engine_result(l->engine).outcome;
    if (sequenced && type == MESSAGE_NEW_ORDER && !outcome.duplicate) {
        l->standing.orders++;
        if (makes_order(l) && outcome.code != 0)
            add_order(l, 0, outcome.code, now_ns);
    }
    l->standing.amends += sequenced && type == MESSAGE_AMEND_ORDER;
    l->standing.cancels +=
        sequenced && (type == MESSAGE_CANCEL_ORDER || type == MESSAGE_MASS_CANCEL);
    l->command = NULL;
}

/* ---- the end ---- */

result_log_t *client_log_finish(struct client_log *l, uint64_t now_ns, const char *why,
                                const struct result_figures **figures)
{
    if (l->numbers == 0)
        return NULL;
    result_log_end(l->log, now_ns, why);
    snprintf(l->described, sizeof l->described, "%u orders of %zu account%s", l->numbers,
             l->account_count, l->account_count == 1 ? "" : "s");
    *figures = result_log_finish_as(l->log, &l->ledger, &l->standing, l->described);
    result_log_t *log = l->log;
    l->log = NULL;
    return log;
}
