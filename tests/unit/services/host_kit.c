#include "tests/unit/services/host_kit.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

static struct host_kit kit;

/* ---- the strategy ---- */

struct probe {
    unsigned number; /* from 1 */
};

static unsigned started;

static struct host_kit_heard *hear(enum host_kit_kind kind, unsigned strategy)
{
    CHECK(kit.heard_count < HOST_KIT_HEARD_MAX);
    struct host_kit_heard *h = &kit.heard[kit.heard_count++];
    *h =
        (struct host_kit_heard){.kind = kind, .strategy = strategy, .in_callback = kit.in_callback};
    return h;
}

/* A callback begins; of which strategy. */
static unsigned enter(struct probe *p, trader_t *t)
{
    CHECK(!kit.in_callback); /* never one within another */
    CHECK(p->number == 0 || !kit.ended[p->number - 1]);
    kit.in_callback = true;
    if (p->number == 0)
        p->number = ++started;
    kit.traders[p->number - 1] = t;
    return p->number - 1;
}

static void on_start(void *self, trader_t *t)
{
    unsigned i = enter(self, t);
    hear(KIT_START, i);
    if (kit.script.start != NULL)
        kit.script.start(i, t);
    kit.in_callback = false;
}

static void on_market_data(void *self, trader_t *t, const struct market_update *u)
{
    unsigned i = enter(self, t);
    hear(KIT_MARKET, i)->update = *u;
    if (kit.script.market != NULL)
        kit.script.market(i, t, u);
    if (i == 0 && kit.todo != NULL)
        kit.todo(t);
    kit.in_callback = false;
}

static void on_order(void *self, trader_t *t, const struct own_order *o)
{
    unsigned i = enter(self, t);
    hear(KIT_ORDER, i)->order = *o;
    if (kit.script.order != NULL)
        kit.script.order(i, t, o);
    kit.in_callback = false;
}

static void on_fill(void *self, trader_t *t, const struct own_fill *f)
{
    unsigned i = enter(self, t);
    struct host_kit_heard *h = hear(KIT_FILL, i);
    h->order = *f->order;
    h->price = f->price;
    h->qty = f->qty;
    h->position = trader_position(t);
    if (kit.script.fill != NULL)
        kit.script.fill(i, t, f);
    kit.in_callback = false;
}

static void on_timer(void *self, trader_t *t)
{
    unsigned i = enter(self, t);
    hear(KIT_TIMER, i);
    if (kit.script.timer != NULL)
        kit.script.timer(i, t);
    kit.in_callback = false;
}

static bool is_done(const void *self)
{
    const struct probe *p = self;
    return kit.script.done[p->number - 1];
}

static void describe(const void *self, char *text, size_t size)
{
    snprintf(text, size, "probe %u", ((const struct probe *)self)->number);
}

static const struct parameter parameters[] = {
    {.name = "edge", .kind = PARAMETER_PRICE, .otherwise = "0.05", .low = 0, .high = 100},
    {.name = "share", .kind = PARAMETER_NUMBER, .otherwise = "0.25", .low = 0, .high = 1},
    {.name = "mode", .kind = PARAMETER_WORD, .otherwise = "slow", .words = "fast|slow"},
    {.name = "profile", .kind = PARAMETER_FILE, .otherwise = "day.csv"},
    {.name = NULL},
};

const struct strategy_class host_kit_class = {
    .abi = STRATEGY_ABI,
    .name = "probe",
    .summary = "does what a test says",
    .parameters = parameters,
    .state_size = sizeof(struct probe),
    .on_start = on_start,
    .on_market_data = on_market_data,
    .on_order = on_order,
    .on_fill = on_fill,
    .on_timer = on_timer,
    .is_done = is_done,
    .describe = describe,
};

/* ---- the owner ---- */

static void own_command(void *self, unsigned strategy, struct command *c)
{
    struct host_kit *k = self;
    CHECK(k->command_count < HOST_KIT_COMMANDS_MAX);
    struct host_kit_command *said = &k->commands[k->command_count++];
    *said = (struct host_kit_command){.strategy = strategy, .command = *c};
    if (c->type == MESSAGE_NEW_ORDER) {
        struct text label = c->new_order.client_order_id;
        CHECK(label.size <= CLIENT_ORDER_ID_SIZE_MAX);
        memcpy(said->label, label.data, label.size);
        said->command.new_order.client_order_id = text_of(said->label);
    }
    hear(KIT_COMMAND, strategy);
    inputs_command(k->record, strategy, c);
    if (k->player != NULL)
        inputs_player_command(k->player, strategy, c);
}

static void own_market(void *self, unsigned strategy, const struct market_update *u,
                       const struct bbo_state *bbo)
{
    struct host_kit *k = self;
    k->bbo = *bbo;
    hear(KIT_TOLD_MARKET, strategy)->update = *u;
}

static void own_order(void *self, unsigned strategy, const struct own_order *o)
{
    (void)self;
    hear(KIT_TOLD_ORDER, strategy)->order = *o;
}

static void own_fill(void *self, unsigned strategy, const struct own_fill *f,
                     const struct bbo_state *bbo)
{
    (void)self;
    (void)bbo;
    struct host_kit_heard *h = hear(KIT_TOLD_FILL, strategy);
    h->order = *f->order;
    h->price = f->price;
    h->qty = f->qty;
}

static void own_log(void *self, unsigned strategy, const char *words)
{
    struct host_kit *k = self;
    (void)strategy;
    snprintf(k->log, sizeof k->log, "%s", words);
}

static void own_ended(void *self, unsigned strategy, const char *why)
{
    struct host_kit *k = self;
    hear(KIT_ENDED, strategy);
    k->ended[strategy] = true;
    snprintf(k->why, sizeof k->why, "%s", why);
    k->ended_count++;
}

struct strategy_host_owner host_kit_owner(struct host_kit *k)
{
    return (struct strategy_host_owner){
        .self = k,
        .command = own_command,
        .market = own_market,
        .order = own_order,
        .fill = own_fill,
        .log = own_log,
        .ended = own_ended,
    };
}

/* ---- opening ---- */

static void spec_fill(struct strategy_spec *s, unsigned index)
{
    char error[PARAMETER_ERROR_SIZE];
    *s = (struct strategy_spec){.type = "probe", .class = &host_kit_class};
    snprintf(s->name, sizeof s->name, "s%u", index);
    snprintf(s->account, sizeof s->account, "a%u", index);
    s->symbol = (struct strategy_symbol){
        .name = "BTC-USD", .tick_size = "0.01", .lot_size = "0.001", .units = {{1, 2}, {1, 3}}};
    parameters_init(&s->parameters, parameters);
    CHECK(parameters_complete(&s->parameters, &s->symbol.units, error));
}

struct host_kit *host_kit_open(unsigned count)
{
    memset(&kit, 0, sizeof kit);
    started = 0;
    kit.count = count;
    kit.now_ns = HOST_KIT_T0;
    for (unsigned i = 0; i < count; i++)
        spec_fill(&kit.specs[i], i);
    return &kit;
}

void host_kit_close(struct host_kit *k)
{
    strategy_host_destroy(&k->host);
}

void host_kit_begin(struct host_kit *k, bool joined)
{
    struct strategy_host_owner owner = host_kit_owner(k);
    k->host = strategy_host_new(&owner, k->specs, k->count, 36, true);
    for (unsigned i = 0; joined && i < strategy_host_symbol_count(k->host); i++) {
        inputs_book_reset(k->record, k->host, i);
        inputs_book_joined(k->record, k->host, i, k->now_ns);
    }
    inputs_start(k->record, k->host, k->now_ns);
}

void host_kit_begin_market(struct host_kit *k)
{
    host_kit_begin(k, true);
    host_kit_quote(k, 100, 110);
    host_kit_clear(k);
}

void host_kit_begin_working(struct host_kit *k)
{
    host_kit_begin_market(k);
    host_kit_act(k, host_kit_buy_5);
    host_kit_accepted(k, 0, 1, 100);
    host_kit_result(k, 0);
    host_kit_clear(k);
}

void host_kit_todo(struct host_kit *k, void (*what)(trader_t *t))
{
    k->todo = what;
}

void host_kit_act(struct host_kit *k, void (*what)(trader_t *t))
{
    host_kit_todo(k, what);
    host_kit_trade(k, 9, 105, 1);
    host_kit_group(k);
    host_kit_todo(k, NULL);
}

void host_kit_buy_5(trader_t *t)
{
    trader_limit(t, SIDE_BUY, 100, 5);
}

/* ---- looking ---- */

bool host_kit_heard_are(const struct host_kit *k, const enum host_kit_kind *kinds, unsigned count)
{
    unsigned same = 0;
    while (same < count && same < k->heard_count && k->heard[same].kind == kinds[same])
        same++;
    return same == count && k->heard_count == count;
}

void host_kit_clear(struct host_kit *k)
{
    k->heard_count = 0;
    k->command_count = 0;
}

unsigned host_kit_count(const struct host_kit *k, enum host_kit_kind kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < k->heard_count; i++)
        count += k->heard[i].kind == kind;
    return count;
}

const struct host_kit_heard *host_kit_last(const struct host_kit *k, enum host_kit_kind kind)
{
    unsigned i = k->heard_count;
    while (i > 0 && k->heard[i - 1].kind != kind)
        i--;
    CHECK(i > 0);
    return &k->heard[i - 1];
}

const struct host_kit_command *host_kit_command(const struct host_kit *k, unsigned from_last)
{
    CHECK(from_last < k->command_count);
    return &k->commands[k->command_count - 1 - from_last];
}

/* ---- the market ---- */

static void give_event(struct host_kit *k, uint64_t type, const uint8_t *bytes,
                       const struct wire_writer *w)
{
    struct wire_reader r = {bytes, w->at, false};
    inputs_book_event(k->record, k->host, 0, type, &r);
}

void host_kit_add_order(struct host_kit *k, uint64_t order_id, enum side side, int64_t price,
                        int64_t qty)
{
    uint8_t bytes[ADD_SIZE_MAX];
    struct wire_writer w = {bytes};
    add_put_fields(&w, &(struct add){order_id, side, price, qty, ++k->order_ids});
    give_event(k, MESSAGE_ADD, bytes, &w);
}

uint64_t host_kit_add(struct host_kit *k, enum side side, int64_t price, int64_t qty)
{
    uint64_t order_id = ++k->order_ids;
    host_kit_add_order(k, order_id, side, price, qty);
    return order_id;
}

void host_kit_delete(struct host_kit *k, uint64_t order_id)
{
    uint8_t bytes[DELETE_SIZE_MAX];
    struct wire_writer w = {bytes};
    delete_put_fields(&w, &(struct delete){order_id});
    give_event(k, MESSAGE_DELETE, bytes, &w);
}

void host_kit_trade(struct host_kit *k, uint64_t trade_id, int64_t price, int64_t qty)
{
    uint8_t bytes[TRADE_SIZE_MAX];
    struct wire_writer w = {bytes};
    trade_put_fields(&w, &(struct trade){trade_id, 1, 2, price, qty, SIDE_SELL});
    give_event(k, MESSAGE_TRADE, bytes, &w);
}

void host_kit_group(struct host_kit *k)
{
    k->seq++;
    inputs_book_group(k->record, k->host, 0, k->now_ns, k->seq, k->now_ns - 5);
}

void host_kit_quote(struct host_kit *k, int64_t bid, int64_t ask)
{
    host_kit_add(k, SIDE_BUY, bid, 10);
    host_kit_add(k, SIDE_SELL, ask, 10);
    host_kit_group(k);
}

/* ---- the exchange ---- */

uint64_t host_kit_id(uint32_t number)
{
    return 1000 + number;
}

static void give(struct host_kit *k, unsigned strategy, const struct own_event *e)
{
    inputs_account(k->record, k->host, strategy, k->now_ns, e);
}

/* `<name>-<session>-<number>`: session 36 is "10"; numbers here are below 36 x 36. */
static void label_of(const struct host_kit *k, unsigned strategy, uint32_t number, char label[64])
{
    const char *digits = "0123456789abcdefghijklmnopqrstuvwxyz";
    char high[2] = {number < 36 ? '\0' : digits[number / 36], '\0'};
    CHECK(number < 36 * 36);
    snprintf(label, 64, "%s-10-%s%c", k->specs[strategy].name, high, digits[number % 36]);
}

void host_kit_accepted(struct host_kit *k, unsigned strategy, uint32_t number, int64_t price)
{
    char label[64];
    label_of(k, strategy, number, label);
    give(k, strategy,
         &(struct own_event){.type = MESSAGE_ORDER_ACCEPTED,
                             .order_id = host_kit_id(number),
                             .client_order_id = text_of(label),
                             .price = price});
}

void host_kit_rejected(struct host_kit *k, unsigned strategy, uint32_t number, uint16_t code)
{
    char label[64];
    label_of(k, strategy, number, label);
    give(k, strategy,
         &(struct own_event){.type = MESSAGE_ORDER_REJECTED,
                             .order_id = host_kit_id(number),
                             .client_order_id = text_of(label),
                             .reason = code});
}

void host_kit_amended(struct host_kit *k, unsigned strategy, uint32_t number, int64_t price,
                      int64_t qty, int64_t open_qty)
{
    give(k, strategy,
         &(struct own_event){.type = MESSAGE_ORDER_AMENDED,
                             .order_id = host_kit_id(number),
                             .price = price,
                             .qty = qty,
                             .open_qty = open_qty,
                             .reason = REASON_REQUEUED});
}

void host_kit_filled(struct host_kit *k, unsigned strategy, uint32_t number, int64_t price,
                     int64_t qty, int64_t open_qty)
{
    give(k, strategy,
         &(struct own_event){.type = MESSAGE_ORDER_FILLED,
                             .order_id = host_kit_id(number),
                             .trade_id = 77,
                             .price = price,
                             .qty = qty,
                             .open_qty = open_qty,
                             .maker = true});
}

void host_kit_cancelled(struct host_kit *k, unsigned strategy, uint32_t number, int64_t qty,
                        uint16_t reason)
{
    give(k, strategy,
         &(struct own_event){.type = MESSAGE_ORDER_CANCELLED,
                             .order_id = host_kit_id(number),
                             .qty = qty,
                             .reason = reason});
}

void host_kit_result(struct host_kit *k, uint16_t code)
{
    struct result result = {.seq = ++k->seq, .code = code};
    inputs_result(k->record, k->host, 0, k->now_ns, &result);
}
