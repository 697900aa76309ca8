/* strategy_service: a market maker in random markets and weather, in which any message may be lost:
 * what it knows of its orders is at last what the matcher knows, its limits hold, nothing of it is
 * left, and its recording gives the same orders again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "strategy/strategy_spec.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/floor.h"

enum { POSITION_MAX = 9, TURNS = 4000 };

static const char record_file[] = "a.inputs";

/* One that comes with Outcry: its class is found again by whoever plays the recording. */
static void maker_make(struct strategy_spec *s)
{
    static const struct cluster_symbol symbol = {.name = SYMBOL_ONE,
                                                 .tick_size = "0.01",
                                                 .lot_size = "1",
                                                 .tick = {1, 2},
                                                 .lot = {1, 0},
                                                 .shard = STAGE_SHARD};
    static const char *const settings[][2] = {{"mode", "symmetric"}, {"half_spread", "2"},
                                              {"quantity", "4"},     {"inventory_max", "20"},
                                              {"pace", "0.01"},      {"position_max", "9"}};
    char error[STRATEGY_SPEC_ERROR_SIZE] = "";
    strategy_spec_init(s, "mine");
    bool fine = strategy_spec_type(s, "maker", error) && strategy_spec_symbol(s, &symbol, error);
    for (unsigned i = 0; fine && i < sizeof settings / sizeof settings[0]; i++)
        fine = strategy_spec_set(s, settings[i][0], settings[i][1], error);
    if (!fine || !strategy_spec_complete(s, error))
        fail_msg("%s", error);
}

/* ---- the run ---- */

static void others_trade(struct floor *f, int64_t *mid)
{
    struct random *r = &f->random;
    *mid += (int64_t)random_below(r, 3) - 1;
    int64_t away = (int64_t)random_below(r, 9) - 3;
    bool buys = random_once_in(r, 2);
    floor_order(f, buys ? SIDE_BUY : SIDE_SELL, buys ? *mid - away : *mid + away,
                1 + (int64_t)random_below(r, 6));
}

static void assert_within_limits(const struct floor *f)
{
    int64_t position = floor_position_of(f, "mine");
    assert_true(position <= POSITION_MAX && position >= -POSITION_MAX);
}

/* Nothing is lost, and it has much to do. */
static bool is_calm(uint64_t seed)
{
    return seed % 4 == 0;
}

/* Until it has ended; what it came to. */
static struct ledger run(struct floor *f, uint64_t seed)
{
    char error[INPUTS_ERROR_SIZE];
    int64_t mid = 1000;
    f->random.state = seed;
    maker_make(&f->specs[0]);
    inputs_recorder_t *record =
        inputs_recorder_open(record_file, f->specs, 1, f->now_ns / NS_PER_SECOND, error);
    if (record == NULL)
        fail_msg("%s", error);
    floor_serve(f, record);
    f->lose_once_in = is_calm(seed) ? 0 : 5 + (unsigned)random_below(&f->random, 100);
    for (unsigned i = 0; i < TURNS; i++) {
        if (random_once_in(&f->random, 3))
            others_trade(f, &mid);
        floor_turn(f);
        assert_within_limits(f);
    }
    f->lose_once_in = 0;
    strategy_service_stop(f->strategies, "the test says so");
    FLOOR_UNTIL(f, floor_ended(f));
    assert_int_equal(inputs_recorder_close(&record, error), STATUS_OK);
    return *strategy_host_ledger(strategy_service_host(f->strategies), 0);
}

/* ---- its recording ---- */

static void play_command(void *self, unsigned strategy, struct command *c)
{
    inputs_player_command(*(inputs_player_t **)self, strategy, c);
}

static void assert_plays_again(const struct strategy_standing *live, const struct ledger *ledger)
{
    inputs_player_t *player;
    char error[INPUTS_ERROR_SIZE];
    unsigned count;
    enum inputs_step step;
    if (inputs_player_open(&player, record_file, error) != STATUS_OK)
        fail_msg("%s", error);
    const struct strategy_spec *specs = inputs_player_specs(player, &count);
    assert_true(count == 1 && strcmp(specs[0].name, "mine") == 0);
    const struct strategy_host_owner owner = {.self = &player, .command = play_command};
    strategy_host_t *h =
        strategy_host_new(&owner, specs, count, inputs_player_session(player), true);
    while ((step = inputs_player_next(player, h, error)) == INPUTS_MORE)
        ;
    if (step != INPUTS_END)
        fail_msg("%s", error);
    struct inputs_end end = inputs_player_end(player);
    assert_true(end.commands == live->orders + live->amends + live->cancels && !end.torn);
    assert_memory_equal(strategy_host_ledger(h, 0), ledger, sizeof *ledger);
    strategy_host_destroy(&h);
    inputs_player_close(&player);
}

static void one_run(uint64_t seed)
{
    void *state;
    assert_int_equal(floor_open(&state), 0);
    struct floor *f = state;
    struct ledger ledger = run(f, seed);
    struct strategy_standing at = floor_standing(f, 0);
    assert_true(strategy_service_clean(f->strategies));
    assert_string_equal(at.why, "the test says so"); /* whatever was lost was had again */
    assert_int_equal(floor_open_price(f, "mine"), 0);
    assert_int_equal(at.working, 0);
    assert_int_equal(ledger.position, floor_position_of(f, "mine"));
    if (is_calm(seed))
        assert_true(at.orders > 1 && at.amends > 5 && ledger.fill_count > 2);
    assert_plays_again(&at, &ledger);
    assert_int_equal(floor_close(&state), 0);
}

static void whatever_is_lost_it_knows_its_orders_and_keeps_to_its_limits(void **state)
{
    (void)state;
    seeds_run("strategy_service", 30, one_run);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(whatever_is_lost_it_knows_its_orders_and_keeps_to_its_limits),
    };
    seeds_arguments(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
