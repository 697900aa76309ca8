/* venue_orders: commands into the engine. None has an origin: nothing is lost or repeated on the
 * way, so there is nothing an origin's sequence could tell. */
#include "backtest/venue_parts.h"
#include "base/check.h"

enum {
    OPEN_ORDERS_MOST = 1 << 26, /* what the engine allows */
    ACCOUNTS_MOST = 1 << 20,
    LEVEL_ORDERS = 1 << 22, /* anonymous orders of a queue model: each that grows a level is one */
};

/* ---- the beginning ---- */

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct configure venue_limits(const recording_t *recording, unsigned strategy_count)
{
    struct configure l = *recording_limits(recording);
    uint64_t accounts_most = ACCOUNTS_MOST;
    if (l.finished_per_account > 0)
        accounts_most = lower(accounts_most, (UINT64_C(1) << 30) / l.finished_per_account);
    if (recording_kind_of(recording) == RECORDING_LEVELS) {
        l.anonymous = true;
        l.accounts_max++;
        l.open_orders_max = LEVEL_ORDERS;
    }
    l.accounts_max = lower(l.accounts_max + strategy_count, accounts_most);
    l.open_orders_max = lower(l.open_orders_max + (uint64_t)strategy_count * STRATEGY_WORKING_MAX,
                              OPEN_ORDERS_MOST);
    return l;
}

static void apply(venue_t *v, const struct command *c)
{
    engine_apply(v->engine, engine_seq(v->engine) + 1, v->now_ns, c);
}

void venue_begin(venue_t *v)
{
    const recording_t *r = v->options.recording;
    const struct strategy_symbol *s = recording_symbol(r);
    struct command c = {.type = MESSAGE_CONFIGURE, .configure = *engine_limits(v->engine)};
    apply(v, &c);
    if (recording_adds_symbol(r))
        return;
    c = (struct command){.type = MESSAGE_ADD_SYMBOL,
                         .add_symbol = {text_of(s->name), text_of(s->tick_size),
                                        text_of(s->lot_size), s->any_price}};
    apply(v, &c);
    v->news.symbol = engine_symbol_find(v->engine, text_of(s->name));
}

/* ---- what comes of a command ---- */

static bool cut(const struct event *e)
{
    return e->kind == EVENT_CANCELLED && !e->rested &&
           (e->reason == REASON_IOC_REMAINDER || e->reason == REASON_INSUFFICIENT_LIQUIDITY);
}

static void count_short(venue_t *v)
{
    size_t count;
    const struct event *events = engine_events(v->engine, &count);
    for (size_t i = 0; i < count; i++) {
        if (cut(&events[i]) && events[i].book == v->news.symbol)
            v->counts.short_qty += events[i].qty;
    }
}

/* Go on with what the last command left over; false: nothing is. */
static bool go_on(venue_t *v)
{
    if (engine_waiting(v->engine) == 0)
        return false;
    apply(v, &(struct command){.type = MESSAGE_CONTINUE_WORK,
                               .continue_work = {engine_waiting(v->engine)}});
    news_take(&v->news);
    return true;
}

void venue_apply(venue_t *v, const struct command *c)
{
    apply(v, c);
    news_take(&v->news);
    count_short(v);
    while (go_on(v))
        count_short(v);
}

/* ---- recorded ones ---- */

/* It is never noted where it is, so nobody finds it by its id. */
static bool left_out(venue_t *v, const struct recorded *e)
{
    if (v->without.size == 0 || !text_equal(command_account(&e->command), v->without))
        return false;
    v->counts.left_out++;
    v->changed = true;
    return true;
}

static void apply_recorded(venue_t *v, struct command *c)
{
    bool names = c->type == MESSAGE_CANCEL_ORDER || c->type == MESSAGE_AMEND_ORDER;
    if (!names) {
        apply(v, c);
        return;
    }
    uint64_t recorded_id = c->cancel_order.order_id; /* both begin alike */
    c->cancel_order.order_id = upcoming_order_id(&v->upcoming, recorded_id);
    apply(v, c);
    c->cancel_order.order_id = recorded_id;
}

/* A group of a recorded command: it is heard, and watched. */
static void group(venue_t *v, const struct recorded *e)
{
    if (v->changed)
        count_short(v);
    news_send(&v->news, v->now_ns);
    if (v->options.watch != NULL)
        v->options.watch(v->options.self, e, v->engine);
}

static void find_symbol(venue_t *v)
{
    if (v->news.symbol == 0)
        v->news.symbol =
            engine_symbol_find(v->engine, text_of(recording_symbol(v->options.recording)->name));
}

void venue_recorded(venue_t *v, struct recorded *e)
{
    if (left_out(v, e))
        return;
    seq_map_note(&v->seqs, e->seq, engine_seq(v->engine) + 1);
    apply_recorded(v, &e->command);
    if (e->command.type == MESSAGE_ADD_SYMBOL)
        find_symbol(v);
    news_take(&v->news);
    v->counts.recorded++;
    if (v->changed && engine_result(v->engine).outcome.code != 0)
        v->counts.refused++;
    group(v, e);
    while (go_on(v))
        group(v, e);
    if (e->has_digest && !v->changed) {
        v->counts.digests++;
        v->counts.digests_differ += engine_books_hash(v->engine) != e->books_hash;
    }
}

/* ---- ours ---- */

void venue_command(void *self, unsigned strategy, struct command *c)
{
    venue_t *v = self;
    uint64_t arrival_ns = delay_arrival_ns(&v->order_delay, v->now_ns);
    order_queue_add(&v->orders, arrival_ns, arrival_ns == v->now_ns, strategy, c);
    if (v->owner.command != NULL)
        v->owner.command(v->owner.self, strategy, c);
}

/* With its first order an account begins to be, and its events are the strategy's. */
static void learn_account(venue_t *v, const struct queued_order *o)
{
    if (o->command.type != MESSAGE_NEW_ORDER)
        return;
    uint32_t account = engine_account_find(v->engine, o->command.new_order.account);
    if (account != 0 && !news_knows(&v->news, account))
        news_account(&v->news, account, o->strategy);
}

static struct result result_of(uint64_t number, const struct outcome *o)
{
    return (struct result){1, number, o->seq, o->code, o->order_id, o->duplicate, o->count};
}

void venue_ours(venue_t *v)
{
    struct queued_order o;
    order_queue_take(&v->orders, &o);
    v->changed = true;
    v->counts.ours++;
    apply(v, &o.command);
    learn_account(v, &o);
    news_take(&v->news);
    struct outcome outcome = engine_result(v->engine).outcome;
    struct result r = result_of(v->counts.ours, &outcome);
    news_result(&v->news, &r);
    news_send(&v->news, v->now_ns);
    while (go_on(v))
        news_send(&v->news, v->now_ns);
}
