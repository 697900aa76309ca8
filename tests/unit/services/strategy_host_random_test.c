/* strategy_host: strategies that do anything, on an exchange that does anything within its rules:
 * whatever happens, no limit is passed, every order ends and is told once, the ledger is the truth,
 * and the run can be made again to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mix.h"
#include "strategy/strategy_spec.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/fake_exchange.h"

enum { STEPS = 3000, SESSION = 36, NUMBERS_MAX = 1 << 17, SENT_MAX = 1 << 14 };

static const uint64_t SECOND_NS = 1000000000;

static struct host_kit *k;
static struct fake_exchange *x;

/* ---- strategies ---- */

static uint64_t moods[HOST_KIT_STRATEGIES_MAX];     /* their random numbers */
static uint8_t *told_done[HOST_KIT_STRATEGIES_MAX]; /* times on_order said so, by number */
static uint32_t placed[HOST_KIT_STRATEGIES_MAX];
static int64_t fills_sum[HOST_KIT_STRATEGIES_MAX];
static unsigned stopping_share; /* of ten thousand things that are done: is_done */

static uint64_t draw(unsigned index, uint64_t below)
{
    return mix_next(&moods[index]) % below;
}

/* All that is told changes what it will do, so that whatever is told otherwise is found. */
static void feel(unsigned index, uint64_t word)
{
    moods[index] = mix(moods[index] + word);
}

static int64_t a_qty(unsigned index)
{
    return draw(index, 40) == 0 ? 0 : 1 + (int64_t)draw(index, 12);
}

static int64_t a_price(unsigned index)
{
    return 95 + (int64_t)draw(index, 12);
}

static void place(unsigned index, trader_t *t)
{
    struct order_request r = {
        .side = draw(index, 2) == 0 ? SIDE_BUY : SIDE_SELL,
        .type = draw(index, 8) == 0 ? ORDER_TYPE_MARKET : ORDER_TYPE_LIMIT,
        .time_in_force = draw(index, 4) == 0 ? TIME_IN_FORCE_IOC : TIME_IN_FORCE_GTC,
        .price = a_price(index),
        .qty = a_qty(index),
    };
    placed[index] = trader_place(t, &r);
    assert_true(placed[index] < NUMBERS_MAX);
}

/* One of those that are not done; 0: there is none. */
static uint32_t any_order(unsigned index, const trader_t *t)
{
    uint32_t found = 0;
    uint64_t count = 0;
    for (uint32_t n = trader_next_order(t, 0); n != 0; n = trader_next_order(t, n)) {
        if (draw(index, ++count) == 0)
            found = n;
    }
    return found;
}

static void do_something(unsigned index, trader_t *t)
{
    uint64_t what = draw(index, 100);
    if (what < 25)
        place(index, t);
    else if (what < 50)
        trader_amend(t, any_order(index, t), a_price(index), a_qty(index));
    else if (what < 58)
        trader_cancel(t, any_order(index, t));
    else if (what < 59)
        trader_cancel_all(t);
    else if (what < 67)
        trader_wake(t, trader_now_ns(t) + draw(index, 200000000));
    else if (what < 68)
        trader_log(t, "%u", index);
    if (draw(index, 10000) < stopping_share)
        k->script.done[index] = true;
}

static void on_event(unsigned index, trader_t *t)
{
    for (uint64_t i = draw(index, 4); i > 0; i--)
        do_something(index, t);
    for (uint32_t n = trader_next_order(t, 0); n != 0; n = trader_next_order(t, n))
        assert_true(trader_ahead(t, n) >= -1);
}

static void on_market(unsigned index, trader_t *t, const struct market_update *u)
{
    feel(index, u->time_ns + u->seq + u->book_changed);
    for (size_t i = 0; i < u->trade_count; i++)
        feel(index, u->trades[i].trade_id + (uint64_t)u->trades[i].qty);
    on_event(index, t);
}

static void on_order(unsigned index, trader_t *t, const struct own_order *o)
{
    if (o->state == OWN_DONE)
        told_done[index][o->number]++;
    assert_true(o->open_qty >= 0 && o->filled_qty >= 0);
    feel(index, o->number + o->state + o->reason + o->refusal + o->order_id);
    feel(index, (uint64_t)o->price + (uint64_t)o->open_qty + (uint64_t)o->filled_qty);
    feel(index, o->amending + 2u * o->cancelling + o->placed_ns + o->done_ns);
    on_event(index, t);
}

static void on_fill(unsigned index, trader_t *t, const struct own_fill *f)
{
    fills_sum[index] += f->order->side == SIDE_BUY ? f->qty : -f->qty;
    assert_int_equal(trader_position(t), fills_sum[index]);
    feel(index, f->trade_id + (uint64_t)f->price + f->maker);
    on_event(index, t);
}

static const struct host_kit_script script = {
    .start = on_event, .market = on_market, .order = on_order, .fill = on_fill, .timer = on_event};

static void moods_begin(uint64_t seed)
{
    for (unsigned i = 0; i < k->count; i++) {
        moods[i] = mix(seed * 8 + i);
        placed[i] = 0;
        fills_sum[i] = 0;
        memset(told_done[i], 0, NUMBERS_MAX);
    }
    k->script = script;
}

/* ---- what is watched ---- */

static uint64_t sent_ns[HOST_KIT_STRATEGIES_MAX][SENT_MAX]; /* orders and amends, as they left */
static unsigned sent_count[HOST_KIT_STRATEGIES_MAX];

static void watch_message(const struct host_kit_command *c)
{
    const struct strategy_limits *l = &k->specs[c->strategy].limits;
    unsigned n = sent_count[c->strategy]++;
    assert_true(n < SENT_MAX);
    sent_ns[c->strategy][n] = k->now_ns;
    uint32_t most = l->messages_per_second;
    if (most > 0 && n >= most)
        assert_true(k->now_ns - sent_ns[c->strategy][n - most] > SECOND_NS);
}

static void watch_command(const struct host_kit_command *c)
{
    const struct strategy_limits *l = &k->specs[c->strategy].limits;
    if (c->command.type != MESSAGE_CANCEL_ORDER)
        watch_message(c);
    if (c->command.type == MESSAGE_NEW_ORDER && l->order_max > 0)
        assert_true(c->command.new_order.qty <= l->order_max);
    if (c->command.type == MESSAGE_AMEND_ORDER && l->order_max > 0)
        assert_true(c->command.amend_order.qty.value <= l->order_max);
}

static void watch_strategy(unsigned i)
{
    const struct strategy_limits *l = &k->specs[i].limits;
    struct strategy_standing s = strategy_host_standing(k->host, i);
    assert_true(s.working <= STRATEGY_WORKING_MAX);
    assert_true(s.unanswered <= STRATEGY_UNANSWERED_MAX);
    assert_false(s.ended && s.working > 0);
    if (l->position_max > 0) {
        assert_true(x->position[i] + fake_exchange_open(x, i, SIDE_BUY) <= l->position_max);
        assert_true(-x->position[i] + fake_exchange_open(x, i, SIDE_SELL) <= l->position_max);
    }
    bool mid = k->bbo.qty[0] > 0 && k->bbo.qty[1] > 0;
    if (l->has_loss_max && mid) {
        notional_t total = ledger_total_micro_halves(strategy_host_ledger(k->host, i),
                                                     k->bbo.price[0] + k->bbo.price[1]);
        assert_true(s.stopping || -total <= l->loss_max * 2000000);
    }
}

/* What the last input led to goes to the exchange. */
static uint64_t carry(void)
{
    uint64_t carried = k->command_count;
    for (unsigned i = 0; i < k->command_count; i++) {
        struct host_kit_command c = k->commands[i];
        watch_command(&c);
        fake_exchange_send(x, &c);
    }
    host_kit_clear(k);
    for (unsigned i = 0; i < k->count; i++)
        watch_strategy(i);
    return carried;
}

/* ---- a run ---- */

static void step(void)
{
    uint64_t what = fake_exchange_random(x, 100);
    k->now_ns += fake_exchange_random(x, 2) * fake_exchange_random(x, 30000000);
    if (what < 50)
        fake_exchange_private(x, k);
    else if (what < 65)
        fake_exchange_public(x, k);
    else if (what < 85)
        fake_exchange_work(x);
    else if (what < 96)
        fake_exchange_others(x);
    else if (what < 99)
        inputs_time(k->record, k->host, k->now_ns);
    else
        fake_exchange_snapshot(x, k);
}

/* Everything that is on its way arrives. */
static void come_home(void)
{
    bool more = true;
    while (more || x->command_count > 0) {
        fake_exchange_work(x);
        more = fake_exchange_private(x, k);
        more = fake_exchange_public(x, k) || more;
        carry();
    }
}

/* As some strategy there is, so that it can be found again when played; with some limits. */
static void spec_fill(unsigned i)
{
    char name[16], words[STRATEGY_SPEC_ERROR_SIZE];
    struct strategy_spec *s = &k->specs[i];
    struct cluster_symbol symbol = {
        .name = "BTC-USD", .tick_size = "0.01", .lot_size = "0.001", .tick = {1, 2}, .lot = {1, 3}};
    snprintf(name, sizeof name, "s%u", i);
    strategy_spec_init(s, name);
    assert_true(strategy_spec_type(s, "maker", words));
    assert_true(strategy_spec_symbol(s, &symbol, words));
    assert_true(strategy_spec_complete(s, words));
    s->limits = (struct strategy_limits){
        .position_max = (int64_t)fake_exchange_random(x, 3) * 15,
        .order_max = (int64_t)fake_exchange_random(x, 2) * 8,
        .has_loss_max = fake_exchange_random(x, 4) == 0,
        .loss_max = 200 + (int64_t)fake_exchange_random(x, 2000),
        .messages_per_second = (uint32_t)fake_exchange_random(x, 3) * 20,
    };
}

static void be_probes(void)
{
    for (unsigned i = 0; i < k->count; i++)
        k->specs[i].class = &host_kit_class;
}

static void assert_home(void)
{
    for (unsigned i = 0; i < k->count; i++) {
        struct strategy_standing s = strategy_host_standing(k->host, i);
        assert_true(s.ended);
        assert_int_equal(s.working, 0);
        assert_int_equal(s.unanswered, 0);
        assert_int_equal(fake_exchange_open(x, i, SIDE_BUY) + fake_exchange_open(x, i, SIDE_SELL),
                         0);
        assert_int_equal(strategy_host_ledger(k->host, i)->position, x->position[i]);
        assert_int_equal(fills_sum[i], x->position[i]);
        for (uint32_t n = 1; n <= placed[i]; n++)
            assert_int_equal(told_done[i][n], 1);
    }
    assert_int_equal(k->ended_count, k->count);
}

/* Record a run in the file `run`; the commands of it. */
static uint64_t run(uint64_t seed)
{
    char error[INPUTS_ERROR_SIZE];
    uint64_t commands = 0;
    k = host_kit_open(2);
    fake_exchange_init(x, seed);
    memset(sent_count, 0, sizeof sent_count);
    stopping_share = (unsigned)fake_exchange_random(x, 2);
    for (unsigned i = 0; i < k->count; i++)
        spec_fill(i);
    unlink("run");
    k->record = inputs_recorder_open("run", k->specs, k->count, SESSION, error);
    assert_non_null(k->record);
    be_probes();
    moods_begin(seed);
    host_kit_begin(k, fake_exchange_random(x, 2) == 0);
    commands += carry();
    for (unsigned i = 0; i < STEPS; i++) {
        step();
        commands += carry();
    }
    inputs_stop_all(k->record, k->host, k->now_ns, "the run is over");
    commands += carry();
    come_home();
    assert_home();
    assert_int_equal(inputs_recorder_close(&k->record, error), STATUS_OK);
    host_kit_close(k);
    return commands;
}

/* The file is played; how that went. */
static enum inputs_step play(const char *name, uint64_t seed, struct inputs_end *end)
{
    char error[INPUTS_ERROR_SIZE];
    unsigned count;
    enum inputs_step step;
    k = host_kit_open(2);
    if (inputs_player_open(&k->player, name, error) != STATUS_OK)
        return INPUTS_INVALID;
    const struct strategy_spec *specs = inputs_player_specs(k->player, &count);
    assert_int_equal(count, 2);
    for (unsigned i = 0; i < count; i++)
        k->specs[i] = specs[i];
    be_probes();
    moods_begin(seed);
    struct strategy_host_owner owner = host_kit_owner(k);
    k->host = strategy_host_new(&owner, k->specs, count, SESSION, true);
    while ((step = inputs_player_next(k->player, k->host, error)) == INPUTS_MORE)
        host_kit_clear(k);
    *end = inputs_player_end(k->player);
    inputs_player_close(&k->player);
    host_kit_close(k);
    return step;
}

/* The byte there becomes another: `flip` says how. */
static void flip_byte(long at, int flip)
{
    FILE *f = fopen("run", "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    int byte = getc(f) ^ flip;
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(putc(byte, f), byte);
    assert_int_equal(fclose(f), 0);
}

/* Any byte is another, but for those that say it is the end: that is found. */
static void damage(uint64_t seed)
{
    struct inputs_end end;
    struct stat file;
    assert_int_equal(stat("run", &file), 0);
    long at = (long)fake_exchange_random(x, (uint64_t)file.st_size - 30);
    int flip = (int)(1 + fake_exchange_random(x, 255));
    flip_byte(at, flip);
    assert_int_equal(play("run", seed, &end), INPUTS_INVALID);
    flip_byte(at, flip);
}

static uint64_t commands_in_all, fills_in_all;

static void body(uint64_t seed)
{
    struct inputs_end end;
    uint64_t commands = run(seed);
    commands_in_all += commands;
    fills_in_all += x->fills;
    assert_int_equal(play("run", seed, &end), INPUTS_END);
    assert_false(end.torn);
    assert_true(end.commands >= commands); /* those of coming home, too */
    for (unsigned i = 0; i < 3; i++)
        damage(seed);
}

static void anything_may_happen(void **state)
{
    (void)state;
    seeds_run("strategy_host_random", 30, body);
    assert_true(commands_in_all > 0 && fills_in_all > 0);
}

static int setup(void **state)
{
    x = malloc(sizeof *x);
    for (unsigned i = 0; i < HOST_KIT_STRATEGIES_MAX; i++)
        told_done[i] = calloc(NUMBERS_MAX, 1);
    return x == NULL ? -1 : scratch_open(state);
}

static int teardown(void **state)
{
    free(x);
    for (unsigned i = 0; i < HOST_KIT_STRATEGIES_MAX; i++)
        free(told_done[i]);
    return scratch_close(state);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {SEEDS_TEST(anything_may_happen)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
