#include "tests/sim/sim_cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/sim/sim_faults.h"

enum {
    FAULTS_SECONDS_LEAST = 4,
    FAULTS_SECONDS_MOST = 16,
    CALM_MS = 500,       /* clients go on that long after the last fault */
    WELL_SECONDS = 40,   /* then, everything is well within this */
    LOOK_MS = 50,        /* whether it is */
    OPERATOR_MS = 200,   /* the operator looks so often */
    HEAVY_IN = 14,       /* one run in so many has much more to do */
    SNAPSHOT_LEAST = 40, /* commands between two snapshots */
};

static const char *const symbols[SIM_SYMBOLS_MAX] = {"BTC-USD", "ETH-USD", "X"};
static const char *const client_names[SIM_CLIENTS] = {"gw-1", "gw-2", "bot"};

/* ---- its temper ---- */

static enum journal_mode draw_mode(struct random *r)
{
    uint64_t n = random_below(r, 12);
    return n == 0 ? JOURNAL_MODE_NONE : n <= 2 ? JOURNAL_MODE_ASYNC : JOURNAL_MODE_SYNC;
}

static struct configure draw_limits(struct random *r)
{
    return (struct configure){
        .shard = 0,
        .open_orders_max = sim_between(r, 20, 400),
        .accounts_max = 6,
        .finished_per_account = random_once_in(r, 2) ? sim_between(r, 2, 40) : 20000,
        .symbols_max = SIM_SYMBOLS_MAX,
        .origins_max = SIM_CLIENTS,
        .origin_window = SIM_WINDOW_MAX,
        .events_max = sim_between(r, 1, 12),
    };
}

static struct matcher_options draw_options(struct random *r, enum journal_mode mode)
{
    return (struct matcher_options){
        .limits = draw_limits(r),
        .journal = mode,
        .checkpoint_commands = sim_between(r, 1, 200),
        .heartbeat_ns = 250 * NS_PER_MS,
        .batch_commands_max = (uint32_t)sim_between(r, 4, 100),
        .batch_origin_max = (uint32_t)sim_between(r, 2, 60),
        .kept_size = (size_t)1 << sim_between(r, 16, 20),
        .requests_address = "ipc://matcher",
    };
}

static struct sim_temper draw_temper(struct random *r, bool heavy)
{
    struct sim_temper t = {
        .gap_ns = sim_between(r, 10, 120) * NS_PER_MS,
        .burst = sim_between(r, 1, 12),
        .labels = random_once_in(r, 3) ? 0 : sim_between(r, 5, 300),
        .accounts = sim_between(r, 1, 6),
        .width = sim_between(r, 2, 40),
        .qty_max = sim_between(r, 1, 30),
        .late_in = sim_between(r, 3, 60),
        .window = (uint32_t)sim_between(r, 4, SIM_WINDOW_MAX),
        .weights = {(unsigned)sim_between(r, 20, 60), (unsigned)sim_between(r, 0, 30),
                    (unsigned)sim_between(r, 0, 20), (unsigned)sim_between(r, 0, 3)},
    };
    if (heavy) {
        t.gap_ns = 16 * NS_PER_MS;
        t.burst = 24;
        t.window = SIM_WINDOW_MAX;
    }
    return t;
}

/* ---- making it ---- */

static void on_operator_arrived(void *self)
{
    (void)self;
}

/* Somebody looks at the standing now and then, and after a while says that the clock is right. */
static void operate(void *self, uint64_t argument)
{
    struct sim_cluster *c = self;
    uint8_t bytes[RESEND_SIZE_MAX + 1];
    struct wire_writer w = {bytes};
    bool jumped = c->matcher.process.running && c->matcher.process.standing == STANDING_CLOCK_JUMP;
    (void)argument;
    if (!jumped) {
        c->resume_ns = 0;
    } else if (c->resume_ns == 0) {
        c->resume_ns = c->world.now_ns + random_below(&c->random, 3 * NS_PER_SECOND);
    } else if (c->world.now_ns >= c->resume_ns) {
        request_write(
            &w, &(struct request){.type = MESSAGE_RESUME,
                                  .resume = {text_of("0123456789abcdef0123456789abcdef"), 1}});
        if (sim_peer_send(&c->network, &c->operator, 0, bytes, (size_t)(w.at - bytes)))
            sim_world_fired(&c->world, SIM_FAULT_RESUMED, 1);
    }
    sim_world_after(&c->world, OPERATOR_MS * NS_PER_MS, operate, c, 0);
}

static void add_operator(struct sim_cluster *c)
{
    c->operator=(struct sim_peer){.name = "operator", .arrived = on_operator_arrived, .self = c};
    sim_network_add(&c->network, &c->operator);
    sim_network_push(&c->network, &c->operator, 0, &c->matcher.process.peer,
                     MATCHER_INPUT_REQUESTS);
    sim_peer_start(&c->network, &c->operator);
    operate(c, 0);
}

static void add_clients(struct sim_cluster *c)
{
    for (unsigned i = 0; i < SIM_CLIENTS; i++)
        sim_client_init(&c->clients[i], &(struct sim_client_setup){
                                            .network = &c->network,
                                            .history = &c->history,
                                            .temper = &c->temper,
                                            .matcher = &c->matcher.process.peer,
                                            .name = client_names[i],
                                            .symbols = symbols,
                                            .symbol_count = SIM_SYMBOLS_MAX,
                                        });
}

static void add_readers(struct sim_cluster *c)
{
    struct sim_peer *matcher = &c->matcher.process.peer, *market = &c->market.process.peer;
    const struct sim_reader_setup setups[SIM_READERS] = {
        {.kind = SIM_READER_FLOOR,
         .name = "floor",
         .publisher = matcher,
         .publisher_output = MATCHER_OUTPUT_PUBLIC,
         .publisher_input = MATCHER_INPUT_REQUESTS},
        {.kind = SIM_READER_ACCOUNTS,
         .name = "accounts",
         .publisher = matcher,
         .publisher_output = MATCHER_OUTPUT_PRIVATE,
         .publisher_input = MATCHER_INPUT_REQUESTS},
        {.kind = SIM_READER_MARKET,
         .name = "market",
         .publisher = market,
         .publisher_output = SIM_MARKET_OUTPUT_PUBLIC,
         .publisher_input = SIM_MARKET_INPUT_REQUESTS},
        {.kind = SIM_READER_MARKET,
         .name = "passer-by",
         .publisher = market,
         .publisher_output = SIM_MARKET_OUTPUT_PUBLIC,
         .publisher_input = SIM_MARKET_INPUT_REQUESTS},
    };
    for (unsigned i = 0; i < SIM_READERS; i++) {
        struct sim_reader_setup setup = setups[i];
        setup.network = &c->network;
        setup.history = &c->history;
        setup.symbols = symbols;
        setup.symbol_count = SIM_SYMBOLS_MAX;
        sim_reader_init(&c->readers[i], &setup);
    }
}

static void make(struct sim_cluster *c, uint64_t seed, bool verbose)
{
    sim_world_init(&c->world, seed, verbose);
    c->random = sim_world_stream(&c->world);
    struct random *r = &c->random;
    enum journal_mode mode = draw_mode(r);
    struct matcher_options options = draw_options(r, mode);
    bool heavy = c->heavy = random_once_in(r, HEAVY_IN);
    c->temper = draw_temper(r, heavy);
    c->faults_ns = sim_between(r, FAULTS_SECONDS_LEAST, FAULTS_SECONDS_MOST) * NS_PER_SECOND;
    sim_network_init(&c->network, &c->world);
    sim_history_init(&c->history, &c->world, &options.limits, mode);
    c->history.labels_for_ever = options.limits.finished_per_account == 20000;
    sim_ear_init(&c->ear, &c->world, &c->history);
    sim_matcher_init(&c->matcher,
                     &(struct sim_matcher_setup){
                         .network = &c->network,
                         .history = &c->history,
                         .ear = &c->ear,
                         .mode = mode,
                         .options = options,
                         .symbols = symbols,
                         .symbol_count = SIM_SYMBOLS_MAX,
                         .snapshot_commands = SNAPSHOT_LEAST + random_below(r, heavy ? 3000 : 600),
                     });
    sim_market_init(&c->market, &c->network, &c->ear, &c->matcher.process.peer, symbols,
                    SIM_SYMBOLS_MAX);
    add_clients(c);
    add_readers(c);
    add_operator(c);
    sim_world_note(&c->world, "mode %d%s", mode, heavy ? ", heavy" : "");
}

static void destroy(struct sim_cluster *c)
{
    for (unsigned i = 0; i < SIM_READERS; i++)
        sim_reader_close(&c->readers[i]);
    for (unsigned i = 0; i < SIM_CLIENTS; i++)
        sim_client_close(&c->clients[i]);
    sim_market_close(&c->market);
    sim_matcher_close(&c->matcher);
    sim_ear_close(&c->ear);
    sim_history_close(&c->history);
    sim_network_close(&c->network);
    sim_world_close(&c->world);
}

/* ---- a run ---- */

static void run_until(struct sim_cluster *c, uint64_t until_ns)
{
    while (!sim_world_failed(&c->world) && sim_world_next(&c->world, until_ns))
        continue;
}

/* Whether everything is as it should be; if not, what is not is told. */
static bool is_well(const struct sim_cluster *c, struct difference *d)
{
    const struct sim_process *matcher = &c->matcher.process;
    if (!matcher->running || matcher->standing != STANDING_OPEN)
        differ(d, "the matcher %s, standing %d", matcher->running ? "runs" : "does not run",
               matcher->standing);
    for (unsigned i = 0; i < SIM_CLIENTS; i++) {
        const struct sim_client *client = &c->clients[i];
        if (!sim_client_done(client))
            differ(d, "%s waits for results", client->peer.name);
    }
    if (d->text[0] == '\0' && c->matcher.disk != NULL &&
        (c->matcher.follower == NULL || follower_counts(c->matcher.follower).seq != c->history.seq))
        differ(d, "the follower is not at %" PRIu64, c->history.seq);
    for (unsigned i = 0; i < SIM_READERS && d->text[0] == '\0'; i++)
        (void)sim_reader_right(&c->readers[i], d);
    return d->text[0] == '\0';
}

static void wait_until_well(struct sim_cluster *c)
{
    uint64_t give_up_ns = c->world.now_ns + WELL_SECONDS * NS_PER_SECOND;
    for (;;) {
        struct difference d = {""};
        run_until(c, c->world.now_ns + LOOK_MS * NS_PER_MS);
        if (sim_world_failed(&c->world) || is_well(c, &d))
            return;
        if (c->world.now_ns >= give_up_ns)
            sim_world_fail(&c->world, "%d s after the last fault: %s", WELL_SECONDS, d.text);
    }
}

static void count_disk_faults(struct sim_cluster *c)
{
    if (c->matcher.disk == NULL)
        return;
    struct sim_disk_counts counts = sim_disk_counts(c->matcher.disk);
    sim_world_fired(&c->world, SIM_FAULT_SECTORS_LOST, counts.lost);
    sim_world_fired(&c->world, SIM_FAULT_WRITES_TORN, counts.torn);
    sim_world_fired(&c->world, SIM_FAULT_WRITES_REORDERED, counts.reordered);
    sim_world_fired(&c->world, SIM_FAULT_SLOW_DISK, counts.slow);
    sim_world_fired(&c->world, SIM_FAULT_DISK_FULL, counts.full);
    sim_world_fired(&c->world, SIM_FAULT_DIRECTORY_VANISHED, counts.vanished);
}

void sim_cluster_run(uint64_t seed, bool verbose, struct sim_result *result)
{
    struct sim_cluster *c = calloc(1, sizeof *c);
    struct sim_faults faults;
    CHECK(c != NULL);
    make(c, seed, verbose);
    sim_faults_init(&faults, c);
    run_until(c, c->faults_ns);
    sim_faults_end(&faults);
    sim_world_note(&c->world, "no more faults");
    run_until(c, c->world.now_ns + CALM_MS * NS_PER_MS);
    for (unsigned i = 0; i < SIM_CLIENTS; i++)
        c->clients[i].finishing = true;
    wait_until_well(c);
    if (!sim_world_failed(&c->world))
        sim_history_compare(&c->history, matcher_engine(c->matcher.matcher));
    count_disk_faults(c);
    *result = (struct sim_result){.seed = seed,
                                  .digest = c->world.digest,
                                  .now_ns = c->world.now_ns,
                                  .commands = c->history.commands};
    memcpy(result->faults, c->world.faults, sizeof result->faults);
    memcpy(result->failure, c->world.failure, sizeof result->failure);
    destroy(c);
    free(c);
}
