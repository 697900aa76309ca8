#include "tests/sim/sim_process.h"

#include <stdlib.h>

#include "base/check.h"

enum {
    BOOT_SECONDS = 5000, /* the machines have been up so long */
    LOOK_AGAIN_MS = 100, /* at a journal that is waited for */
};

uint64_t sim_clock_wall_ns(const struct sim_clock *c, const struct sim_world *w)
{
    return (uint64_t)((int64_t)(SIM_BEGINNING_NS + w->now_ns) + c->offset_ns);
}

uint64_t sim_clock_boot_ns(const struct sim_world *w)
{
    return BOOT_SECONDS * NS_PER_SECOND + w->now_ns;
}

/* ---- the service, by way of us ---- */

static void on_begin(void *self, uint64_t now_ns, uint64_t batch)
{
    struct sim_process *p = self;
    p->inner.begin(p->inner.self, now_ns, batch);
}

static enum intake on_receive(void *self, unsigned input, const uint8_t *message, size_t size)
{
    struct sim_process *p = self;
    return p->inner.receive(p->inner.self, input, message, size);
}

static bool on_end(void *self, struct journal_batch *batch)
{
    struct sim_process *p = self;
    p->made = p->inner.end(p->inner.self, batch);
    if (p->made && p->owner.batch != NULL)
        p->owner.batch(p->owner.self, journal_next(p->journal), batch);
    return p->made;
}

static bool on_checkpoint(void *self, bool last, uint64_t *hash)
{
    struct sim_process *p = self;
    return p->inner.checkpoint(p->inner.self, last, hash);
}

static void on_stand(void *self, enum standing standing, uint64_t committed_seq)
{
    struct sim_process *p = self;
    p->standing = standing;
    if (p->owner.stands != NULL)
        p->owner.stands(p->owner.self, standing);
    p->inner.stand(p->inner.self, standing, committed_seq);
}

static void on_subscription(void *self, unsigned output, const uint8_t *message, size_t size)
{
    struct sim_process *p = self;
    if (p->inner.subscription != NULL)
        p->inner.subscription(p->inner.self, output, message, size);
}

/* ---- when the next turn is ---- */

static void turn(void *self, uint64_t generation);

static void schedule(struct sim_process *p, uint64_t delay_ns)
{
    sim_world_after(p->world, delay_ns, turn, p, ++p->generation);
}

static uint64_t work_ns(struct sim_process *p)
{
    return sim_between(&p->random, 5, 60) * NS_PER_US;
}

static bool has_input(const struct sim_process *p)
{
    for (unsigned i = 0; i < p->input_count; i++) {
        if (cycle_reads(&p->cycle, i) && sim_peer_peek(&p->peer, i) != NULL)
            return true;
    }
    return false;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How long it may sleep if nothing comes. */
static uint64_t patience_ns(const struct sim_process *p)
{
    uint64_t sleep_ns = p->inner.patience_ms(p->inner.self) * NS_PER_MS;
    if (cycle_waits(&p->cycle))
        sleep_ns = LOOK_AGAIN_MS * NS_PER_MS;
    else if (p->journal != NULL)
        sleep_ns = least(sleep_ns, journal_patience_ns(p->journal, sim_clock_boot_ns(p->world)));
    if (p->disk != NULL && sim_disk_next_ns(p->disk) != UINT64_MAX)
        sleep_ns = least(sleep_ns, sim_disk_next_ns(p->disk) -
                                       least(p->world->now_ns, sim_disk_next_ns(p->disk)));
    return sleep_ns;
}

static void go_on(struct sim_process *p)
{
    bool waits = cycle_waits(&p->cycle);
    uint64_t delay_ns = work_ns(p);
    p->asleep = waits || (!p->busy && !has_input(p) && p->peer.subscriptions.first == NULL);
    if (p->asleep && patience_ns(p) > delay_ns)
        delay_ns = patience_ns(p);
    schedule(p, delay_ns);
}

static void on_arrived(void *self)
{
    struct sim_process *p = self;
    if (!p->running || !p->asleep || cycle_waits(&p->cycle) ||
        (!has_input(p) && p->peer.subscriptions.first == NULL))
        return;
    p->asleep = false;
    schedule(p, work_ns(p));
}

/* ---- the phases ---- */

static bool dies(struct sim_process *p, enum sim_end end)
{
    if (p->doom != end)
        return false;
    p->owner.ended(p->owner.self, end);
    return true;
}

static bool drain(struct sim_process *p, unsigned input)
{
    struct sim_message *m;
    for (unsigned taken = 0; taken < p->budgets[input]; taken++) {
        if (!cycle_reads(&p->cycle, input) || (m = sim_peer_peek(&p->peer, input)) == NULL)
            return false;
        if (cycle_offer(&p->cycle, input, m->bytes, m->size) == INTAKE_FULL)
            return true;
        sim_peer_pop(&p->peer, input);
    }
    return true;
}

static void take_subscriptions(struct sim_process *p)
{
    struct sim_message *m;
    while ((m = sim_peer_subscription(&p->peer)) != NULL) {
        p->cycle.service.subscription(p, m->output, m->bytes, m->size);
        free(m);
    }
}

/* False: it died. */
static bool make_batch(struct sim_process *p)
{
    p->busy = p->made = false;
    if (cycle_begin(&p->cycle, sim_clock_wall_ns(p->clock, p->world),
                    sim_clock_boot_ns(p->world))) {
        take_subscriptions(p);
        for (unsigned i = 0; i < p->input_count; i++) {
            bool commands = (int)i == p->inner.commands_input && sim_peer_peek(&p->peer, i) != NULL;
            if (drain(p, i))
                p->busy = true;
            if (commands && dies(p, SIM_END_BEFORE_APPEND))
                return false;
        }
    }
    p->status = cycle_end(&p->cycle);
    return !p->made || !dies(p, SIM_END_BEFORE_SYNC);
}

/* False: it died. */
static bool send_due(struct sim_process *p)
{
    struct outgoing m;
    bool first = true;
    while (cycle_due(&p->cycle, &m)) {
        if (!first && dies(p, SIM_END_WHILE_SENDING))
            return false;
        if (p->owner.said != NULL)
            p->owner.said(p->owner.self, m.output, m.bytes, m.size);
        sim_peer_send(p->network, &p->peer, m.output, m.bytes, m.size);
        cycle_sent(&p->cycle);
        first = false;
    }
    return true;
}

/* One more turn without input, to say where it stands. */
static void last_words(struct sim_process *p, enum sim_end end)
{
    p->doom = SIM_END_IDLE;
    if (cycle_begin(&p->cycle, sim_clock_wall_ns(p->clock, p->world), sim_clock_boot_ns(p->world)))
        (void)cycle_end(&p->cycle);
    (void)send_due(p);
    p->owner.ended(p->owner.self, end);
}

static void send_out(void *self, uint64_t generation)
{
    struct sim_process *p = self;
    if (generation != p->generation)
        return;
    if (p->made && dies(p, SIM_END_BEFORE_SEND))
        return;
    if (!send_due(p))
        return;
    if (p->status == STATUS_IO) {
        last_words(p, SIM_END_FAILED);
    } else if (cycle_stopped(&p->cycle)) {
        enum status status = cycle_close(&p->cycle);
        last_words(p, status == STATUS_OK ? SIM_END_STOPPED : SIM_END_FAILED);
    } else {
        go_on(p);
    }
}

static void turn(void *self, uint64_t generation)
{
    struct sim_process *p = self;
    if (generation != p->generation)
        return;
    if (p->world->now_ns < p->paused_until_ns) {
        schedule(p, p->paused_until_ns - p->world->now_ns);
        return;
    }
    p->asleep = false;
    uint64_t spent_ns = 0;
    if (p->disk != NULL) {
        sim_disk_advance(p->disk, p->world->now_ns);
        spent_ns = sim_disk_spent_ns(p->disk);
    }
    if (!cycle_waits(&p->cycle) && !make_batch(p))
        return;
    if (p->status == STATUS_OK) {
        bool idle = p->cycle.stopping || (!p->busy && !has_input(p));
        p->status = cycle_commit(&p->cycle, idle, sim_clock_boot_ns(p->world));
    }
    if (p->journal != NULL && p->owner.committed != NULL)
        p->owner.committed(p->owner.self, journal_committed(p->journal));
    if (p->disk != NULL)
        spent_ns = sim_disk_spent_ns(p->disk) - spent_ns;
    sim_world_after(p->world, spent_ns, send_out, p, ++p->generation);
}

/* ---- its life ---- */

void sim_process_init(struct sim_process *p, struct sim_network *network, const char *name,
                      const struct sim_clock *clock, const struct sim_process_owner *owner)
{
    *p = (struct sim_process){
        .world = network->world,
        .network = network,
        .peer = {.name = name, .arrived = on_arrived, .self = p},
        .owner = *owner,
        .clock = clock,
        .random = sim_world_stream(network->world),
    };
    sim_network_add(network, &p->peer);
}

void sim_process_input(struct sim_process *p, unsigned budget)
{
    CHECK(p->input_count < SIM_INPUTS_MAX);
    p->budgets[p->input_count++] = budget;
}

void sim_process_start(struct sim_process *p, const struct service *service, journal_t *journal,
                       sim_disk_t *disk, uint64_t now_ns, uint64_t delay_ns)
{
    CHECK(!p->running);
    struct service outer = *service;
    outer.self = p;
    outer.begin = on_begin;
    outer.receive = on_receive;
    outer.end = on_end;
    outer.checkpoint = service->checkpoint == NULL ? NULL : on_checkpoint;
    outer.stand = service->stand == NULL ? NULL : on_stand;
    outer.subscription = on_subscription;
    p->inner = *service;
    p->journal = journal;
    p->disk = disk;
    p->running = true;
    p->busy = p->made = p->asleep = false;
    p->status = STATUS_OK;
    p->standing = 0;
    p->doom = SIM_END_IDLE;
    p->paused_until_ns = 0;
    cycle_init(&p->cycle, &outer, journal, now_ns);
    sim_peer_start(p->network, &p->peer);
    schedule(p, delay_ns);
}

void sim_process_end(struct sim_process *p)
{
    CHECK(p->running);
    p->running = false;
    p->generation++;
    sim_peer_end(p->network, &p->peer);
}

void sim_process_pause(struct sim_process *p, uint64_t for_ns)
{
    p->paused_until_ns = p->world->now_ns + for_ns;
}

void sim_process_stop(struct sim_process *p)
{
    cycle_stop(&p->cycle);
    if (!p->running || !p->asleep)
        return;
    p->asleep = false;
    schedule(p, work_ns(p));
}
