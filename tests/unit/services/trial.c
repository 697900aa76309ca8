#include "tests/unit/services/trial.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

static struct trial all;
static struct trial_script script;
static unsigned started;

/* ---- the strategy ---- */

struct probe {
    unsigned number; /* from 1: as they were started */
};

static struct trial_heard *hear(const struct probe *p, trader_t *t, enum trial_heard_kind kind)
{
    static struct trial_heard beyond;
    struct trial_heard *h =
        all.heard_count < TRIAL_HEARD_MAX ? &all.heard[all.heard_count++] : &beyond;
    *h = (struct trial_heard){.kind = kind, .strategy = p->number - 1, .time_ns = trader_now_ns(t)};
    return h;
}

static void on_start(void *self, trader_t *t)
{
    struct probe *p = self;
    p->number = ++started;
    hear(p, t, TRIAL_START);
    if (script.start != NULL)
        script.start(p->number - 1, t);
}

static void on_market_data(void *self, trader_t *t, const struct market_update *u)
{
    struct probe *p = self;
    CHECK(p->number != 0); /* on_start is first */
    hear(p, t, TRIAL_MARKET)->trades = u->trade_count;
    if (script.market != NULL)
        script.market(p->number - 1, t, u);
}

static void on_order(void *self, trader_t *t, const struct own_order *o)
{
    struct probe *p = self;
    struct trial_heard *h = hear(p, t, TRIAL_ORDER);
    h->order = o->number;
    h->state = o->state;
    h->reason = o->reason;
    if (script.order != NULL)
        script.order(p->number - 1, t, o);
}

static void on_fill(void *self, trader_t *t, const struct own_fill *f)
{
    struct probe *p = self;
    struct trial_heard *h = hear(p, t, TRIAL_FILL);
    h->order = f->order->number;
    h->price = f->price;
    h->qty = f->qty;
    h->maker = f->maker;
    if (script.fill != NULL)
        script.fill(p->number - 1, t, f);
}

static void on_timer(void *self, trader_t *t)
{
    struct probe *p = self;
    hear(p, t, TRIAL_TIMER);
    if (script.timer != NULL)
        script.timer(p->number - 1, t);
}

static const struct parameter no_parameters[] = {{.name = NULL}};

static const struct strategy_class probe_class = {
    .abi = STRATEGY_ABI,
    .name = "probe",
    .summary = "does what a test says",
    .parameters = no_parameters,
    .state_size = sizeof(struct probe),
    .on_start = on_start,
    .on_market_data = on_market_data,
    .on_order = on_order,
    .on_fill = on_fill,
    .on_timer = on_timer,
};

/* ---- the recording ---- */

struct configure trial_limits(void)
{
    return (struct configure){.shard = TRIAL_SHARD,
                              .open_orders_max = 1000,
                              .accounts_max = 10,
                              .finished_per_account = 100,
                              .symbols_max = 4,
                              .origins_max = 1,
                              .origin_window = 1,
                              .events_max = 4};
}

struct strategy_symbol trial_symbol(void)
{
    struct strategy_symbol s = {.name = TRIAL_SYMBOL,
                                .tick_size = "0.01",
                                .lot_size = "0.001",
                                .units = {{1, 2}, {1, 3}},
                                .shard = TRIAL_SHARD};
    return s;
}

struct trial *trial_open(enum recording_kind kind, const struct trial_script *wanted)
{
    struct configure limits = trial_limits();
    struct strategy_symbol symbol = trial_symbol();
    all = (struct trial){.recording = recording_new(kind, &limits, &symbol), .seq = 1};
    script = wanted == NULL ? (struct trial_script){NULL} : *wanted;
    started = 0;
    if (kind == RECORDING_COMMANDS) {
        struct command c = {
            .type = MESSAGE_ADD_SYMBOL,
            .add_symbol = {text_of(TRIAL_SYMBOL), text_of("0.01"), text_of("0.001"), false}};
        trial_command(0, &c);
    }
    return &all;
}

void trial_close(void)
{
    venue_destroy(&all.venue);
    recording_destroy(&all.recording);
}

uint64_t trial_command(uint64_t time_ns, const struct command *c)
{
    recording_command(all.recording, time_ns, ++all.row, ++all.seq, c);
    return (uint64_t)TRIAL_SHARD << 48 | all.seq;
}

struct command trial_new(enum side side, enum time_in_force tif, int64_t price, int64_t qty)
{
    return (struct command){.type = MESSAGE_NEW_ORDER,
                            .new_order = {.symbol = text_of(TRIAL_SYMBOL),
                                          .account = text_of("m"),
                                          .client_order_id = text_of(""),
                                          .side = side,
                                          .type = ORDER_TYPE_LIMIT,
                                          .time_in_force = tif,
                                          .stp = STP_NONE,
                                          .price = {price, true},
                                          .qty = qty}};
}

uint64_t trial_limit(uint64_t time_ns, enum side side, int64_t price, int64_t qty)
{
    struct command c = trial_new(side, TIME_IN_FORCE_GTC, price, qty);
    return trial_command(time_ns, &c);
}

uint64_t trial_ioc(uint64_t time_ns, enum side side, int64_t price, int64_t qty)
{
    struct command c = trial_new(side, TIME_IN_FORCE_IOC, price, qty);
    return trial_command(time_ns, &c);
}

void trial_cancel(uint64_t time_ns, uint64_t order_id)
{
    struct command c = {
        .type = MESSAGE_CANCEL_ORDER,
        .cancel_order = {text_of(TRIAL_SYMBOL), text_of("m"), order_id, text_of("")}};
    trial_command(time_ns, &c);
}

void trial_reduce(uint64_t time_ns, uint64_t order_id, int64_t qty)
{
    struct command c = {.type = MESSAGE_AMEND_ORDER,
                        .amend_order = {.symbol = text_of(TRIAL_SYMBOL),
                                        .account = text_of("m"),
                                        .order_id = order_id,
                                        .client_order_id = text_of(""),
                                        .qty_is = QTY_IS_REDUCE_BY,
                                        .qty = {qty, true}}};
    trial_command(time_ns, &c);
}

/* ---- the run ---- */

static void make_spec(struct strategy_spec *s, unsigned n)
{
    *s = (struct strategy_spec){.class = &probe_class, .symbol = trial_symbol()};
    snprintf(s->name, sizeof s->name, "probe-%u", n);
    snprintf(s->account, sizeof s->account, "probe-%u", n);
    strcpy(s->type, "probe");
    s->parameters.table = no_parameters;
}

venue_t *trial_run_begin(unsigned strategies)
{
    for (unsigned n = 0; n < strategies; n++)
        make_spec(&all.specs[n], n);
    recording_seal(all.recording);
    all.options.recording = all.recording;
    all.venue = venue_new(&all.options, NULL, all.specs, strategies);
    return all.venue;
}

venue_t *trial_run(unsigned strategies)
{
    venue_t *v = trial_run_begin(strategies);
    while (venue_step(v))
        ;
    CHECK(strategy_host_all_ended(venue_host(v)));
    return v;
}

const struct trial_heard *trial_heard_of(enum trial_heard_kind kind, size_t index)
{
    for (size_t i = 0; i < all.heard_count; i++) {
        if (all.heard[i].kind == kind && index-- == 0)
            return &all.heard[i];
    }
    return NULL;
}

const struct trial_heard *trial_fill(size_t index)
{
    return trial_heard_of(TRIAL_FILL, index);
}

int64_t trial_qty_at(enum side side, int64_t price)
{
    const engine_t *e = venue_engine(all.venue);
    const struct book_pool *pool = engine_pool(e);
    const struct book *b = engine_book(e, 1);
    for (uint32_t l = b->sides[side - 1].best; l != 0; l = pool->levels[l].worse) {
        if (pool->levels[l].price == price)
            return pool->levels[l].qty;
    }
    return 0;
}
