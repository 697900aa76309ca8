#include "tests/unit/services/strategy_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "strategy/strategy_spec.h"
#include "tests/fuzz/random.h"

enum { ORDERS_MAX = 1 << 15, RECENT = 64, MARKET_PRICE = 10000 };

static struct strategy_trial all;
static struct trial *trial;
static venue_t *venue;
static size_t did_size;

/* Orders it placed, by number: what may still trade of each. */
static struct {
    enum side side;
    int64_t qty, filled, amended; /* in all */
    uint64_t order_id;
    bool done;
} orders[ORDERS_MAX];
static uint32_t order_count;

/* ---- writing down ---- */

__attribute__((format(printf, 1, 2))) static void did(const char *words, ...)
{
    va_list list;
    size_t room = sizeof all.did - did_size;
    uint64_t ms = venue_now_ns(venue) / 1000000;
    int head = snprintf(all.did + did_size, room, "%u.%03u ", (unsigned)(ms / 1000),
                        (unsigned)(ms % 1000));
    if ((size_t)head >= room)
        return;
    va_start(list, words);
    int more = vsnprintf(all.did + did_size + head, room - (size_t)head, words, list);
    va_end(list);
    if ((size_t)(head + more) < room)
        did_size += (size_t)(head + more);
}

static uint32_t number_of(struct text label)
{
    uint32_t number = 0;
    size_t at = label.size;
    while (at > 0 && label.data[at - 1] != '-')
        at--;
    for (; at < label.size; at++) {
        char c = label.data[at];
        number = number * 36 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    assert_true(number < ORDERS_MAX);
    return number;
}

static uint32_t number_by_id(uint64_t order_id)
{
    for (uint32_t i = 1; i <= order_count; i++) {
        if (orders[i].order_id == order_id)
            return i;
    }
    fail_msg("a command for an order that is not its own");
    return 0;
}

static void on_new(const struct new_order *m)
{
    static const char *const forces[] = {"", "GTC", "IOC", "FOK"};
    uint32_t n = number_of(m->client_order_id);
    order_count = n > order_count ? n : order_count;
    orders[n].side = (enum side)m->side;
    orders[n].qty = m->qty;
    char price[32] = "market";
    if (m->type == ORDER_TYPE_LIMIT)
        snprintf(price, sizeof price, "%d", (int)m->price.value);
    did("%s %d @ %s %s%s\n", m->side == SIDE_BUY ? "buy" : "sell", (int)m->qty, price,
        forces[m->time_in_force], m->post_only ? " post" : "");
}

static void on_command(void *self, unsigned strategy, struct command *c)
{
    (void)self, (void)strategy;
    all.commands++;
    if (did_size > sizeof all.did - 256)
        did_size = 0; /* only short runs are read */
    if (c->type == MESSAGE_NEW_ORDER) {
        on_new(&c->new_order);
    } else if (c->type == MESSAGE_AMEND_ORDER) {
        uint32_t n = number_by_id(c->amend_order.order_id);
        orders[n].amended = c->amend_order.qty.value;
        all.amends++;
        did("amend %u to %d @ %d\n", n, (int)c->amend_order.qty.value,
            (int)c->amend_order.price.value);
    } else {
        did("cancel %u\n", number_by_id(c->cancel_order.order_id));
    }
}

static void on_order(void *self, unsigned strategy, const struct own_order *o)
{
    (void)self, (void)strategy;
    assert_true(o->number < ORDERS_MAX);
    all.refused += o->refusal != OWN_REFUSED_NOT;
    if (o->refusal != OWN_REFUSED_NOT)
        return;
    orders[o->number].order_id = o->order_id;
    orders[o->number].filled = o->filled_qty;
    orders[o->number].qty = o->qty;
    if (!o->amending)
        orders[o->number].amended = 0;
    orders[o->number].done = o->state == OWN_DONE;
}

static void on_fill(void *self, unsigned strategy, const struct own_fill *f,
                    const struct bbo_state *bbo)
{
    (void)self, (void)strategy, (void)bbo;
    bool buy = f->order->side == SIDE_BUY;
    *(buy ? &all.bought : &all.sold) += f->qty;
    all.position += buy ? f->qty : -f->qty;
    all.low = all.position < all.low ? all.position : all.low;
    all.high = all.position > all.high ? all.position : all.high;
    all.fills++;
    did("fill %u %d @ %d%s\n", f->order->number, (int)f->qty, (int)f->price,
        f->maker ? " maker" : "");
}

static void on_market(void *self, unsigned strategy, const struct market_update *u,
                      const struct bbo_state *bbo)
{
    (void)self, (void)strategy, (void)bbo;
    for (size_t i = 0; i < u->trade_count; i++)
        all.volume += u->trades[i].qty;
}

static void on_log(void *self, unsigned strategy, const char *words)
{
    (void)self, (void)strategy;
    snprintf(all.logged, sizeof all.logged, "%s", words);
}

static void on_ended(void *self, unsigned strategy, const char *why)
{
    (void)self, (void)strategy;
    snprintf(all.why, sizeof all.why, "%s", why);
    all.ended_ns = venue_now_ns(venue);
}

/* ---- what must hold ---- */

static int64_t may_trade(enum side side)
{
    int64_t sum = 0;
    for (uint32_t i = 1; i <= order_count; i++) {
        int64_t most = orders[i].qty > orders[i].amended ? orders[i].qty : orders[i].amended;
        if (orders[i].side == side && !orders[i].done)
            sum += most - orders[i].filled;
    }
    return sum;
}

static void check_step(void)
{
    int64_t buys = may_trade(SIDE_BUY), sells = may_trade(SIDE_SELL);
    if (all.most_bought != INT64_MAX)
        assert_true(all.bought + buys <= all.most_bought);
    if (all.most_sold != INT64_MAX)
        assert_true(all.sold + sells <= all.most_sold);
    if (all.position_most != INT64_MAX) {
        assert_true(all.position + buys <= all.position_most);
        assert_true(all.position - sells >= -all.position_most);
    }
    if (all.share > 0) {
        double ours = (double)(all.bought + all.sold + buys + sells);
        assert_true(ours <= all.share * (double)all.volume + (double)all.clip);
    }
}

/* Nothing of the account rests on the engine's book. */
static void check_book(void)
{
    const engine_t *e = venue_engine(venue);
    const struct book_pool *pool = engine_pool(e);
    for (uint32_t i = 1; i <= order_count; i++) {
        if (orders[i].order_id != 0)
            assert_int_equal(order_find(pool, orders[i].order_id), 0);
    }
}

/* ---- public ---- */

struct strategy_trial *strategy_trial_open(const char *type, const char *const *settings)
{
    char error[STRATEGY_SPEC_ERROR_SIZE];
    struct strategy_symbol s = trial_symbol();
    struct cluster_symbol symbol = {.tick = s.units.tick, .lot = s.units.lot, .shard = s.shard};
    trial = trial_open(RECORDING_COMMANDS, NULL);
    memset(&all, 0, sizeof all);
    memset(orders, 0, sizeof orders);
    order_count = 0;
    did_size = 0;
    all.most_bought = all.most_sold = all.position_most = INT64_MAX;
    strcpy(symbol.name, s.name);
    strcpy(symbol.tick_size, s.tick_size);
    strcpy(symbol.lot_size, s.lot_size);
    strategy_spec_init(&all.spec, "ours");
    bool good = strategy_spec_type(&all.spec, type, error) &&
                strategy_spec_symbol(&all.spec, &symbol, error);
    for (; good && settings[0] != NULL; settings += 2)
        good = strategy_spec_set(&all.spec, settings[0], settings[1], error);
    if (!good || !strategy_spec_complete(&all.spec, error))
        fail_msg("%s", error);
    return &all;
}

void strategy_trial_run(uint64_t latency_ns, uint64_t seed)
{
    struct strategy_host_owner owner = {.command = on_command,
                                        .market = on_market,
                                        .order = on_order,
                                        .fill = on_fill,
                                        .log = on_log,
                                        .ended = on_ended};
    recording_seal(trial->recording);
    trial->options = (struct venue_options){.recording = trial->recording,
                                            .order_latency = {.constant_ns = latency_ns},
                                            .data_latency = {.constant_ns = latency_ns},
                                            .seed = seed};
    all.position = all.low = all.high = all.spec.inventory;
    trial->venue = venue = venue_new(&trial->options, &owner, &all.spec, 1);
    while (venue_step(venue))
        check_step();
    check_step();
    assert_true(strategy_host_all_ended(venue_host(venue)));
    assert_int_equal(strategy_host_standing(venue_host(venue), 0).working, 0);
    assert_int_equal(strategy_host_ledger(venue_host(venue), 0)->position, all.position);
    assert_int_equal(may_trade(SIDE_BUY) + may_trade(SIDE_SELL), 0);
    check_book();
    strategy_host_describe(venue_host(venue), 0, all.described, sizeof all.described);
    all.did[did_size] = '\0';
}

void strategy_trial_close(void)
{
    trial_close();
}

/* ---- markets ---- */

void strategy_trial_quiet(int64_t bid, int64_t ask, int64_t qty, unsigned seconds)
{
    trial_limit(0, SIDE_BUY, bid, qty);
    trial_limit(0, SIDE_SELL, ask, qty);
    for (unsigned s = 1; s <= seconds; s++)
        trial_cancel(s * SECOND, trial_limit(s * SECOND, SIDE_BUY, 1, 1));
}

/* Somebody else cancels all of the strategy's orders: its account is not only its own. */
static void cancel_from_outside(uint64_t time_ns)
{
    struct command c = {.type = MESSAGE_MASS_CANCEL,
                        .mass_cancel = {text_of(TRIAL_SYMBOL), text_of("ours"), 0}};
    trial_command(time_ns, &c);
}

void strategy_trial_market(uint64_t seed, unsigned seconds, bool calm)
{
    struct random r = {seed};
    uint64_t recent[RECENT] = {0}, end_ns = ((uint64_t)seconds + 1) * SECOND;
    int64_t middle = MARKET_PRICE;
    unsigned next = 0;
    for (unsigned i = 0; calm && i < 5; i++) {
        trial_limit(0, SIDE_BUY, MARKET_PRICE - 60 - i, 1000000);
        trial_limit(0, SIDE_SELL, MARKET_PRICE + 60 + i, 1000000);
    }
    for (uint64_t at = SECOND; at < end_ns; at += 1 + random_below(&r, SECOND / 5)) {
        enum side side = random_below(&r, 2) == 0 ? SIDE_BUY : SIDE_SELL;
        int64_t sign = side == SIDE_BUY ? -1 : 1;
        unsigned what = (unsigned)random_below(&r, 100);
        if (what < 10 && middle > MARKET_PRICE - 40 && middle < MARKET_PRICE + 40)
            middle += (int64_t)random_below(&r, 5) - 2;
        else if (what < 10)
            middle = MARKET_PRICE;
        uint64_t *slot = &recent[next++ % RECENT];
        if (*slot != 0) /* so the book stays small */
            trial_cancel(at, *slot);
        *slot = 0;
        if (what < 60)
            *slot = trial_limit(at, side, middle + sign * (1 + (int64_t)random_below(&r, 8)),
                                1 + (int64_t)random_below(&r, 30));
        else if (what < 98 || calm)
            trial_ioc(at, side, middle - sign * (int64_t)random_below(&r, 12),
                      1 + (int64_t)random_below(&r, 40));
        else if (what == 98)
            cancel_from_outside(at);
        else
            for (unsigned i = 0; i < RECENT; i++) { /* the market goes away */
                if (recent[i] != 0)
                    trial_cancel(at, recent[i]);
                recent[i] = 0;
            }
    }
}
