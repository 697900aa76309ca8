#include "simulate/order_flow.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "simulate/flow_arrivals.h"
#include "simulate/flow_market.h"

enum { LABEL_SIZE = ORDER_FLOW_SESSION_SIZE_MAX + 20, EVENTS_MAX = 4096 };

/* New orders 50, cancels 41, amends 3 and aggressors 6 of GOOG's 103,767 events (flow_shapes.h).
 * How many of those were market orders the days do not tell: half. */
const struct order_flow_mix order_flow_mix_real = {50.0, 41.0, 3.0, 3.0, 3.0};

/* A market among the others, and when it acts next. */
struct turn {
    struct flow_market market;
    struct flow_arrivals arrivals;
    struct flow_random random; /* of its arrivals: a book does not change when the next order is */
    uint64_t next_ns;
    uint32_t book; /* the engine's number of its symbol */
};

struct order_flow {
    struct order_flow_options options;
    engine_t *engine;
    struct turn *turns;
    uint32_t *queue; /* turns by next_ns, a binary heap */
    struct flow_order *known;
    uint64_t time_ns;
    uint64_t labels;
    unsigned opening; /* markets that are open */
    char label[LABEL_SIZE];
};

const char *order_flow_account(unsigned account)
{
    static const char *const names[ORDER_FLOW_ACCOUNTS] = {
        "sim-0", "sim-1", "sim-2",  "sim-3",  "sim-4",  "sim-5",  "sim-6",  "sim-7",
        "sim-8", "sim-9", "sim-10", "sim-11", "sim-12", "sim-13", "sim-14", "sim-15"};
    CHECK(account < ORDER_FLOW_ACCOUNTS);
    return names[account];
}

/* ---- the engine ---- */

static void apply(order_flow_t *f, const struct command *c)
{
    engine_apply(f->engine, engine_seq(f->engine) + 1, f->time_ns, c);
    CHECK(engine_result(f->engine).outcome.code == 0);
}

static void make_engine(order_flow_t *f)
{
    const struct configure limits = {
        .open_orders_max = (uint64_t)f->options.symbol_count * ORDER_FLOW_OPEN_MAX + 1,
        .accounts_max = ORDER_FLOW_ACCOUNTS,
        .symbols_max = f->options.symbol_count,
        .origins_max = 1,
        .origin_window = 1,
        .events_max = EVENTS_MAX,
    };
    uint64_t low, high;
    CHECK(engine_limits_check(&limits, &low, &high) == NULL);
    f->engine = engine_new(&limits, f->options.seed);
    apply(f, &(struct command){.type = MESSAGE_CONFIGURE, .configure = limits});
    for (unsigned i = 0; i < f->options.symbol_count; i++) {
        const struct order_flow_symbol *s = &f->turns[i].market.symbol;
        apply(f, &(struct command){
                     .type = MESSAGE_ADD_SYMBOL,
                     .add_symbol = {text_of(s->name), text_of("1"), text_of("1"), s->any_price}});
        f->turns[i].book = engine_symbol_count(f->engine);
    }
}

/* ---- whose turn it is ---- */

static bool earlier(const order_flow_t *f, uint32_t x, uint32_t y)
{
    uint64_t x_ns = f->turns[x].next_ns, y_ns = f->turns[y].next_ns;
    return x_ns < y_ns || (x_ns == y_ns && x < y);
}

/* The turn at this place of the queue may be later than those behind it. */
static void queue_sink(order_flow_t *f, uint32_t place)
{
    uint32_t count = f->options.symbol_count, turn = f->queue[place];
    for (uint32_t child = 2 * place + 1; child < count; child = 2 * place + 1) {
        if (child + 1 < count && earlier(f, f->queue[child + 1], f->queue[child]))
            child++;
        if (!earlier(f, f->queue[child], turn))
            break;
        f->queue[place] = f->queue[child];
        place = child;
    }
    f->queue[place] = turn;
}

static void make_turns(order_flow_t *f)
{
    const struct order_flow_options *o = &f->options;
    for (unsigned i = 0; i < o->symbol_count; i++) {
        struct turn *t = &f->turns[i];
        flow_market_init(&t->market, o, i, f->known);
        t->random.state = mix(t->market.random.state);
        flow_arrivals_init(&t->arrivals, o->arrivals, o->rate / o->symbol_count, &t->random);
        t->next_ns = o->start_ns + flow_arrivals_gap_ns(&t->arrivals, &t->random);
        f->queue[i] = i;
    }
    for (uint32_t i = o->symbol_count; i > 0; i--)
        queue_sink(f, i - 1);
}

/* First every market opens, one after the other. */
static struct turn *next_turn(order_flow_t *f)
{
    if (f->opening < f->options.symbol_count && f->turns[f->opening].market.opening == 0)
        f->opening++;
    if (f->opening < f->options.symbol_count)
        return &f->turns[f->opening];
    struct turn *t = &f->turns[f->queue[0]];
    f->time_ns = t->next_ns;
    t->next_ns += flow_arrivals_gap_ns(&t->arrivals, &t->random);
    queue_sink(f, 0);
    return t;
}

/* ---- commands ---- */

/* The session is in front already. */
static struct text label_text(order_flow_t *f, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits, session = strlen(f->options.session);
    for (; number > 0; number /= 10)
        digits[--first] = (char)('0' + number % 10);
    memcpy(f->label + session, digits + first, sizeof digits - first);
    return (struct text){f->label, session + sizeof digits - first};
}

/* An order's terms without its name, which the engine here has no use for. */
static struct new_order order_of(struct turn *t, const struct flow_decision *d, unsigned account)
{
    bool takes = d->act == FLOW_TAKE;
    return (struct new_order){
        .symbol = text_of(t->market.symbol.name),
        .account = text_of(order_flow_account(account)),
        .client_order_id = {"", 0},
        .side = d->side,
        .type = d->priced ? ORDER_TYPE_LIMIT : ORDER_TYPE_MARKET,
        .time_in_force = takes ? TIME_IN_FORCE_IOC : TIME_IN_FORCE_GTC,
        .stp = STP_NONE,
        .price = {d->price, d->priced},
        .qty = d->qty,
    };
}

static unsigned choose_account(struct turn *t, enum flow_act act)
{
    const uint32_t makers = ORDER_FLOW_ACCOUNTS - ORDER_FLOW_TAKERS;
    if (act == FLOW_TAKE)
        return makers + flow_random_below(&t->market.random, ORDER_FLOW_TAKERS);
    return flow_random_below(&t->market.random, makers);
}

/* The decision as a command that names its order by the engine's id. */
static struct command command_of(order_flow_t *f, struct turn *t, const struct flow_decision *d,
                                 struct flow_order *order)
{
    struct text symbol = text_of(t->market.symbol.name);
    struct command c = {.type = MESSAGE_NEW_ORDER};
    if (d->act == FLOW_PLACE || d->act == FLOW_TAKE) {
        *order = (struct flow_order){.label = ++f->labels, .account = choose_account(t, d->act)};
        c.new_order = order_of(t, d, order->account);
        return c;
    }
    *order = f->known[d->order];
    struct text account = text_of(order_flow_account(order->account));
    uint64_t order_id = engine_order(f->engine, d->order).order->order_id;
    if (d->act == FLOW_CANCEL) {
        c.type = MESSAGE_CANCEL_ORDER;
        c.cancel_order = (struct cancel_order){symbol, account, order_id, {"", 0}};
    } else {
        c.type = MESSAGE_AMEND_ORDER;
        c.amend_order = (struct amend_order){.symbol = symbol,
                                             .account = account,
                                             .order_id = order_id,
                                             .client_order_id = {"", 0},
                                             .qty_is = QTY_IS_OPEN,
                                             .qty = {d->qty, true},
                                             .price = {d->price, d->priced}};
    }
    return c;
}

/* The same command for others, who name the order by its label. */
static void name_order(order_flow_t *f, struct command *c, uint64_t label)
{
    struct text text = label_text(f, label);
    if (c->type == MESSAGE_NEW_ORDER) {
        c->new_order.client_order_id = text;
    } else if (c->type == MESSAGE_CANCEL_ORDER) {
        c->cancel_order.order_id = 0;
        c->cancel_order.client_order_id = text;
    } else {
        c->amend_order.order_id = 0;
        c->amend_order.client_order_id = text;
    }
}

static void rested(order_flow_t *f, struct turn *t, const struct flow_decision *d,
                   const struct flow_order *order, const struct event *e)
{
    const struct book_pool *pool = engine_pool(f->engine);
    const struct book *book = engine_book(f->engine, t->book);
    f->known[e->order] = *order;
    f->known[e->order].due_ns = f->time_ns + d->life_ns;
    flow_orders_add(&t->market.orders, e->order);
    const struct book_level *level = &pool->levels[pool->orders[e->order].level];
    if (level->better == 0 && level->order_count == 1)
        flow_market_outbid(&t->market, pool, book, (enum side)e->side, f->time_ns);
}

/* What the engine made of it: which orders rest now, and which do not. */
static void keep_up(order_flow_t *f, struct turn *t, const struct flow_decision *d,
                    const struct flow_order *order)
{
    size_t count;
    const struct event *events = engine_events(f->engine, &count);
    for (size_t i = 0; i < count; i++) {
        const struct event *e = &events[i];
        if (e->kind == EVENT_RESTED) {
            rested(f, t, d, order, e);
        } else if (e->kind == EVENT_TRADE && e->other_qty == 0) {
            flow_orders_remove(&t->market.orders, e->maker);
        } else if ((e->kind == EVENT_CANCELLED && e->rested) ||
                   (e->kind == EVENT_AMENDED && e->reason == REASON_REQUEUED)) {
            flow_orders_remove(&t->market.orders, e->order);
        }
    }
}

void order_flow_next(order_flow_t *f, struct order_flow_command *c)
{
    struct turn *t = next_turn(f);
    struct flow_decision d = flow_market_decide(&t->market, engine_pool(f->engine),
                                                engine_book(f->engine, t->book), f->time_ns);
    struct flow_order order;
    c->time_ns = f->time_ns;
    c->symbol = (unsigned)(t - f->turns);
    c->command = command_of(f, t, &d, &order);
    apply(f, &c->command);
    keep_up(f, t, &d, &order);
    while (engine_waiting(f->engine) > 0) {
        apply(f, &(struct command){.type = MESSAGE_CONTINUE_WORK,
                                   .continue_work = {engine_waiting(f->engine)}});
        keep_up(f, t, &d, &order);
    }
    name_order(f, &c->command, order.label);
}

/* ---- life ---- */

static void check_options(const struct order_flow_options *o)
{
    const struct order_flow_mix *mix = &o->mix;
    CHECK(o->symbol_count >= 1 && o->symbol_count <= ORDER_FLOW_SYMBOLS_MAX);
    CHECK(o->rate > 0.0 && o->rate <= ORDER_FLOW_RATE_MAX);
    CHECK(o->informed >= 0.0 && o->informed <= 1.0);
    CHECK(mix->limit > 0.0 && mix->cancel >= 0.0 && mix->amend >= 0.0 && mix->market >= 0.0 &&
          mix->ioc >= 0.0);
    double sum = mix->limit + mix->cancel + mix->amend + mix->market + mix->ioc;
    CHECK(sum > 99.999 && sum < 100.001);
    CHECK(strlen(o->session) <= ORDER_FLOW_SESSION_SIZE_MAX);
    for (unsigned i = 0; i < o->symbol_count; i++) {
        const struct order_flow_symbol *s = &o->symbols[i];
        CHECK(s->base_price <= ORDER_FLOW_PRICE_MAX);
        CHECK(s->base_price >= (s->any_price ? -ORDER_FLOW_PRICE_MAX : 1));
        CHECK(s->spread >= 1 && s->spread <= ORDER_FLOW_SPREAD_MAX);
        CHECK(s->size >= 1 && s->size <= ORDER_FLOW_SIZE_MAX);
    }
}

order_flow_t *order_flow_new(const struct order_flow_options *o)
{
    check_options(o);
    order_flow_t *f = memory_new(1, sizeof *f, "a flow of orders");
    f->options = *o;
    f->time_ns = o->start_ns;
    memcpy(f->label, o->session, strlen(o->session));
    f->turns = memory_new(o->symbol_count, sizeof *f->turns, "markets");
    f->queue = memory_new(o->symbol_count, sizeof *f->queue, "turns of markets");
    for (unsigned i = 0; i < o->symbol_count; i++)
        f->turns[i].market.symbol = o->symbols[i];
    make_engine(f);
    f->known = memory_new((size_t)engine_pool(f->engine)->order_max + 1, sizeof *f->known,
                          "orders of a flow");
    make_turns(f);
    f->options.symbols = NULL;
    return f;
}

void order_flow_destroy(order_flow_t **flow)
{
    order_flow_t *f = *flow;
    if (f == NULL)
        return;
    uint32_t count = f->options.symbol_count;
    memory_free(f->known, (size_t)engine_pool(f->engine)->order_max + 1, sizeof *f->known);
    engine_destroy(&f->engine);
    memory_free(f->queue, count, sizeof *f->queue);
    memory_free(f->turns, count, sizeof *f->turns);
    memory_free(f, 1, sizeof *f);
    *flow = NULL;
}

const struct book *order_flow_book(const order_flow_t *f, unsigned symbol)
{
    CHECK(symbol < f->options.symbol_count);
    return engine_book(f->engine, f->turns[symbol].book);
}

const struct book_pool *order_flow_pool(const order_flow_t *f)
{
    return engine_pool(f->engine);
}
