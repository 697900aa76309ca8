#include "tests/sim/sim_faults.h"

#include "base/check.h"

static struct sim_world *world_of(const struct sim_faults *f)
{
    return &f->cluster->world;
}

/* Let it end in a while. */
static void later(struct sim_faults *f, uint64_t least_ms, uint64_t most_ms,
                  void (*happen)(void *self, uint64_t argument), uint64_t argument)
{
    sim_world_after(world_of(f), sim_between(&f->random, least_ms, most_ms) * NS_PER_MS, happen, f,
                    argument);
}

/* ---- processes ---- */

static void doom_matcher(struct sim_faults *f)
{
    struct sim_process *p = &f->cluster->matcher.process;
    if (p->running)
        p->doom =
            (enum sim_end)sim_between(&f->random, SIM_END_BEFORE_APPEND, SIM_END_WHILE_SENDING);
}

static void kill_matcher(struct sim_faults *f)
{
    sim_matcher_kill(&f->cluster->matcher);
}

static void stop_matcher(struct sim_faults *f)
{
    if (f->cluster->matcher.process.running)
        sim_process_stop(&f->cluster->matcher.process);
}

static void kill_follower(struct sim_faults *f)
{
    sim_matcher_kill_follower(&f->cluster->matcher);
}

static void kill_market(struct sim_faults *f)
{
    sim_market_kill(&f->cluster->market);
}

static void kill_client(struct sim_faults *f)
{
    sim_client_kill(&f->cluster->clients[random_below(&f->random, SIM_CLIENTS)]);
}

static void kill_reader(struct sim_faults *f)
{
    sim_reader_kill(&f->cluster->readers[SIM_READER_KILLED]);
}

static void pause(struct sim_faults *f)
{
    struct sim_process *processes[] = {&f->cluster->matcher.process,
                                       &f->cluster->matcher.follower_process,
                                       &f->cluster->market.process};
    struct sim_process *p = RANDOM_OF(&f->random, processes);
    if (!p->running)
        return;
    sim_world_fired(world_of(f), SIM_FAULT_PAUSED, 1);
    sim_world_note(world_of(f), "%s is paused", p->peer.name);
    sim_process_pause(p, sim_between(&f->random, 20, 2500) * NS_PER_MS);
}

/* ---- the machine ---- */

static void lose_power(struct sim_faults *f)
{
    sim_matcher_lose_power(&f->cluster->matcher);
}

static void lose_power_later(void *self, uint64_t argument)
{
    struct sim_faults *f = self;
    (void)argument;
    if (!f->over)
        lose_power(f);
}

static void flip(struct sim_faults *f)
{
    struct sim_matcher *m = &f->cluster->matcher;
    sim_matcher_kill(m);
    (void)sim_matcher_flip(m);
}

static void normal_speed(void *self, uint64_t argument)
{
    struct sim_faults *f = self;
    (void)argument;
    if (f->cluster->matcher.disk != NULL)
        sim_disk_set_slow(
            f->cluster->matcher.disk,
            &(struct sim_disk_latency){80 * NS_PER_US, 200 * NS_PER_US, 1000, 50 * NS_PER_MS});
}

static void slow_disk(struct sim_faults *f)
{
    sim_world_note(world_of(f), "the disk is slow");
    sim_disk_set_slow(f->cluster->matcher.disk,
                      &(struct sim_disk_latency){sim_between(&f->random, 1, 10) * NS_PER_MS,
                                                 sim_between(&f->random, 10, 100) * NS_PER_MS, 10,
                                                 sim_between(&f->random, 100, 800) * NS_PER_MS});
    later(f, 100, 3000, normal_speed, 0);
}

static void free_disk(void *self, uint64_t argument)
{
    struct sim_faults *f = self;
    (void)argument;
    if (f->cluster->matcher.disk != NULL)
        sim_disk_set_full(f->cluster->matcher.disk, UINT64_MAX);
}

static void full_disk(struct sim_faults *f)
{
    sim_world_note(world_of(f), "the disk is full");
    uint64_t bytes_free = random_once_in(&f->random, 2) ? 0 : random_below(&f->random, 1 << 20);
    sim_disk_set_full(f->cluster->matcher.disk, bytes_free);
    later(f, 100, f->cluster->heavy ? 9000 : 4000, free_disk, 0);
}

/* The power may go before anybody has written it again. */
static void fail_sync(struct sim_faults *f)
{
    sim_world_note(world_of(f), "a sync is to fail");
    sim_disk_fail_next(f->cluster->matcher.disk, SIM_DISK_SYNC, 1);
    sim_world_fired(world_of(f), SIM_FAULT_SYNC_FAILED, 1);
    if (random_once_in(&f->random, 2))
        later(f, 5, 400, lose_power_later, 0);
}

static void fail_write(struct sim_faults *f)
{
    sim_world_note(world_of(f), "a write is to fail");
    sim_disk_fail_next(f->cluster->matcher.disk, SIM_DISK_WRITE, 1);
    sim_world_fired(world_of(f), SIM_FAULT_WRITE_FAILED, 1);
}

static void come_back(void *self, uint64_t argument)
{
    struct sim_faults *f = self;
    (void)argument;
    if (f->cluster->matcher.disk != NULL)
        sim_disk_set_vanished(f->cluster->matcher.disk, false);
}

static void vanish(struct sim_faults *f)
{
    sim_world_note(world_of(f), "the directory vanishes");
    sim_disk_set_vanished(f->cluster->matcher.disk, true);
    later(f, 50, 2500, come_back, 0);
}

/* ---- the network ---- */

static void heal(void *self, uint64_t link)
{
    struct sim_faults *f = self;
    const struct sim_link *l = &f->cluster->network.links[link];
    sim_network_heal(&f->cluster->network, l->from, l->to);
}

static void part(struct sim_faults *f)
{
    struct sim_network *n = &f->cluster->network;
    uint64_t link = random_below(&f->random, n->link_count);
    const struct sim_link *l = &n->links[link];
    bool cut = random_once_in(&f->random, 2);
    sim_world_fired(world_of(f), cut ? SIM_FAULT_PARTITION : SIM_FAULT_STALL, 1);
    sim_world_note(world_of(f), "%s and %s are %s", l->from->name, l->to->name,
                   cut ? "parted" : "stalled");
    sim_network_part(n, l->from, l->to, cut);
    later(f, 5, 4000, heal, link);
}

/* ---- the clock ---- */

static void set_clock(struct sim_faults *f, int64_t by_ns)
{
    sim_world_note(world_of(f), "the matcher's clock is set by %lld ms",
                   (long long)(by_ns / (int64_t)NS_PER_MS));
    f->cluster->matcher.clock.offset_ns += by_ns;
}

/* Market-data's is nobody's business: it may be anything. */
static void set_other_clock(struct sim_faults *f)
{
    sim_world_note(world_of(f), "market-data's clock is set");
    f->cluster->market.clock.offset_ns +=
        (int64_t)(sim_between(&f->random, 0, 4000) * NS_PER_MS) - (int64_t)(2000 * NS_PER_MS);
}

static void clock_forward(struct sim_faults *f)
{
    sim_world_fired(world_of(f), SIM_FAULT_CLOCK_FORWARD, 1);
    set_other_clock(f);
    set_clock(f, (int64_t)(sim_between(&f->random, 1, 50000) * NS_PER_MS));
}

static void clock_jump(struct sim_faults *f)
{
    set_clock(f, (int64_t)(sim_between(&f->random, 61, 100000) * NS_PER_SECOND));
}

static void set_clock_again(void *self, uint64_t by_ms)
{
    struct sim_faults *f = self;
    set_clock(f, (int64_t)(by_ms * NS_PER_MS));
}

static void clock_back(struct sim_faults *f)
{
    uint64_t by_ms = sim_between(&f->random, 1, random_once_in(&f->random, 3) ? 90000 : 3000);
    sim_world_fired(world_of(f), SIM_FAULT_CLOCK_BACK, 1);
    set_clock(f, -(int64_t)(by_ms * NS_PER_MS));
    later(f, 100, 3000, set_clock_again, by_ms);
}

/* ---- which, and when ---- */

struct kind {
    void (*happen)(struct sim_faults *f);
    unsigned weight;
    bool needs_disk;
};

static const struct kind kinds[] = {
    {doom_matcher, 40, false},  {kill_matcher, 8, false},  {stop_matcher, 8, false},
    {kill_follower, 12, false}, {kill_market, 10, false},  {kill_client, 10, false},
    {kill_reader, 10, false},   {pause, 12, false},        {lose_power, 20, true},
    {flip, 12, true},           {slow_disk, 10, true},     {full_disk, 10, true},
    {fail_sync, 8, true},       {fail_write, 4, true},     {vanish, 3, true},
    {part, 30, false},          {clock_forward, 4, false}, {clock_back, 4, false},
    {clock_jump, 3, false},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static void happen(void *self, uint64_t argument)
{
    struct sim_faults *f = self;
    uint64_t sum = 0;
    (void)argument;
    if (f->over)
        return;
    for (unsigned i = 0; i < KINDS; i++)
        sum += f->weights[i];
    uint64_t at = random_below(&f->random, sum);
    unsigned kind = 0;
    while (at >= f->weights[kind])
        at -= f->weights[kind++];
    kinds[kind].happen(f);
    sim_world_after(world_of(f), random_below(&f->random, f->gap_ns), happen, f, 0);
}

/* A journal fills its segments only if it is let alone for a while; then there may be no space. */
static void let_it_work(struct sim_faults *f)
{
    f->gap_ns += 2 * NS_PER_SECOND;
    f->cluster->matcher.restart_ns = 300 * NS_PER_MS;
    for (unsigned i = 0; i < KINDS; i++) {
        if (kinds[i].happen == full_disk && f->cluster->matcher.disk != NULL)
            f->weights[i] += 100;
    }
}

/* A run without a kind of fault finds other things than one that is full of them. */
void sim_faults_init(struct sim_faults *f, struct sim_cluster *cluster)
{
    *f = (struct sim_faults){.cluster = cluster, .random = sim_world_stream(&cluster->world)};
    f->gap_ns = sim_between(&f->random, 100, 2000) * NS_PER_MS;
    for (unsigned i = 0; i < KINDS; i++) {
        static const unsigned likes[] = {0, 1, 1, 5};
        bool can = !kinds[i].needs_disk || cluster->matcher.disk != NULL;
        f->weights[i] = can ? kinds[i].weight * RANDOM_OF(&f->random, likes) : 0;
    }
    f->weights[0]++; /* there is always something that can happen */
    if (cluster->heavy)
        let_it_work(f);
    if (cluster->matcher.disk != NULL)
        sim_disk_set_forgetful(cluster->matcher.disk, true);
    sim_world_after(&cluster->world, random_below(&f->random, f->gap_ns), happen, f, 0);
}

void sim_faults_end(struct sim_faults *f)
{
    struct sim_cluster *c = f->cluster;
    f->over = true;
    c->network.calm = true;
    c->matcher.process.doom = SIM_END_IDLE;
    c->matcher.process.paused_until_ns = 0;
    c->matcher.follower_process.paused_until_ns = 0;
    c->market.process.paused_until_ns = 0;
    normal_speed(f, 0);
    free_disk(f, 0);
    come_back(f, 0);
    for (unsigned o = 0; c->matcher.disk != NULL && o < SIM_DISK_OPERATIONS; o++)
        sim_disk_fail_next(c->matcher.disk, (enum sim_disk_operation)o, 0);
    for (unsigned i = 0; i < c->network.link_count; i++)
        heal(f, i);
}
