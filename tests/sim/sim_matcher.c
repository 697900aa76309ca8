#include "tests/sim/sim_matcher.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"

enum {
    COMMANDS_BUDGET = 1024,
    REQUESTS_BUDGET = 4,
    ANSWERS_BUDGET = 16,
    FOLLOWER_BUDGET = 64,
    SEGMENT_SIZE = 1 << 20,
    SEGMENTS_MAX = 4,
};

static void start(void *self, uint64_t argument);
static void start_follower(void *self, uint64_t argument);

/* ---- ending ---- */

/* Nobody is there any more to close a file. */
static void close_nothing(void *self, int file)
{
    (void)self;
    (void)file;
}

static uint64_t restart_ns(struct sim_matcher *m)
{
    return NS_PER_MS + random_below(&m->random, m->restart_ns);
}

/* Operations of the disk that failed so far. */
static uint64_t disk_failures(const struct sim_matcher *m)
{
    struct sim_disk_counts counts = sim_disk_counts(m->disk);
    return counts.failed + counts.vanished;
}

static void end(struct sim_matcher *m)
{
    m->damage.unwritten = m->process.cycle.unwritten;
    sim_process_end(&m->process);
    if (m->disk != NULL) {
        sim_disk_crash(m->disk, SIM_DISK_KILL);
        m->ops.close = close_nothing;
    }
    journal_destroy(&m->journal);
    matcher_destroy(&m->matcher);
    sim_world_after(m->world, restart_ns(m), start, m, 0);
}

static void on_ended(void *self, enum sim_end how)
{
    static const enum sim_fault faults[] = {
        [SIM_END_IDLE] = SIM_FAULT_KILLED_IDLE,
        [SIM_END_BEFORE_APPEND] = SIM_FAULT_KILLED_BEFORE_APPEND,
        [SIM_END_BEFORE_SYNC] = SIM_FAULT_KILLED_BEFORE_SYNC,
        [SIM_END_BEFORE_SEND] = SIM_FAULT_KILLED_BEFORE_SEND,
        [SIM_END_WHILE_SENDING] = SIM_FAULT_KILLED_WHILE_SENDING,
        [SIM_END_STOPPED] = SIM_FAULT_STOPPED,
    };
    struct sim_matcher *m = self;
    sim_world_note(m->world, "the matcher ends (%d) at %" PRIu64, how, m->history->seq);
    if (how == SIM_END_FAILED)
        m->damage.failed = true;
    else
        sim_world_fired(m->world, faults[how], 1);
    if (how == SIM_END_STOPPED && m->ear->standing != STANDING_STOPPED)
        sim_world_fail(m->world, "the matcher's last word is standing %" PRIu64, m->ear->standing);
    m->damage.stopped = how == SIM_END_STOPPED;
    end(m);
}

static void end_follower(struct sim_matcher *m)
{
    sim_process_end(&m->follower_process);
    sim_disk_crash(m->follower_disk, SIM_DISK_KILL);
    m->follower_ops.close = close_nothing;
    follower_destroy(&m->follower);
    sim_world_after(m->world, restart_ns(m), start_follower, m, 0);
}

static void on_follower_ended(void *self, enum sim_end how)
{
    (void)how;
    end_follower(self);
}

void sim_matcher_kill(struct sim_matcher *m)
{
    if (m->process.running)
        on_ended(m, SIM_END_IDLE);
}

void sim_matcher_kill_follower(struct sim_matcher *m)
{
    if (!m->follower_process.running)
        return;
    sim_world_fired(m->world, SIM_FAULT_KILLED_FOLLOWER, 1);
    end_follower(m);
}

void sim_matcher_lose_power(struct sim_matcher *m)
{
    sim_world_note(m->world, "the power is lost at %" PRIu64, m->history->seq);
    sim_world_fired(m->world, SIM_FAULT_POWER_LOST, 1);
    m->damage.power_lost = true;
    m->damage.stopped = false;
    if (m->process.running)
        end(m);
    if (m->follower_process.running)
        end_follower(m);
    if (m->disk != NULL)
        sim_disk_crash(m->disk, SIM_DISK_POWER_LOSS);
}

/* The byte that was flipped, as it is now; false: it is gone. */
static bool read_flipped(const struct sim_matcher *m, uint8_t *byte)
{
    const struct disk *d = sim_disk_ops(m->disk);
    int file;
    size_t got = 0;
    if (d->open(d->self, m->flip.name, &file) != STATUS_OK)
        return false;
    bool read = d->read(d->self, file, m->flip.offset, byte, 1, &got) == STATUS_OK && got == 1;
    d->close(d->self, file);
    return read;
}

/* Whether the flip is still there: a cut writes zeros, and a file may be made anew. */
static bool is_flipped(const struct sim_matcher *m)
{
    uint8_t byte;
    return read_flipped(m, &byte) && byte == m->flipped;
}

static void pass_over(void *self, const char *name, uint64_t size)
{
    (void)self;
    (void)name;
    (void)size;
}

/* Whether the directory is there. */
static bool has_directory(const struct sim_matcher *m)
{
    const struct disk *d = sim_disk_ops(m->disk);
    return d->list(d->self, pass_over, NULL) == STATUS_OK;
}

bool sim_matcher_flip(struct sim_matcher *m)
{
    static const char *const endings[] = {NULL, ".segment", ".segment", ".snapshot"};
    const struct sim_damage *d = &m->damage;
    if (m->process.running || m->disk == NULL || d->flipped || d->power_lost || d->failed ||
        d->start_failed || m->starts == 0 || !has_directory(m) ||
        !sim_disk_flip_random(m->disk, RANDOM_OF(&m->random, endings), &m->flip))
        return false;
    CHECK(read_flipped(m, &m->flipped));
    sim_world_note(m->world, "bit %u of byte %" PRIu64 " of %s is flipped", m->flip.bit,
                   m->flip.offset, m->flip.name);
    m->damage.flipped = true;
    m->damage.stopped = false;
    m->flip_pending = true;
    return true;
}

/* ---- starting ---- */

static void mend(struct sim_matcher *m)
{
    if (is_flipped(m))
        (void)sim_disk_flip(m->disk, m->flip.name, m->flip.offset, m->flip.bit);
    m->flip_pending = false;
}

static void on_refused(struct sim_matcher *m, enum status status, const char *error)
{
    sim_world_note(m->world, "the matcher does not start: %s", error);
    if (status == STATUS_INVALID && m->flip_pending) {
        sim_world_fired(m->world, SIM_FAULT_FLIP_REFUSED, 1);
        mend(m);
    } else if (status == STATUS_INVALID || status == STATUS_IN_USE) {
        sim_world_fail(m->world, "a start is refused: %s", error);
    }
    m->damage.start_failed = true;
    sim_disk_crash(m->disk, SIM_DISK_KILL);
    sim_world_after(m->world, restart_ns(m), start, m, 0);
}

/* The flip that was there when it started: what came of it? */
static void judge_flip(struct sim_matcher *m, const struct recovery *r)
{
    if (!m->flip_pending)
        return;
    bool cut = r->found.cut_size > 0 || !is_flipped(m);
    sim_world_fired(m->world, cut ? SIM_FAULT_FLIP_CUT : SIM_FAULT_FLIP_HARMLESS, 1);
    if (!cut)
        mend(m);
    m->flip_pending = false;
}

static void run(struct sim_matcher *m, const struct recovery *r, uint64_t delay_ns)
{
    m->starts++;
    m->matcher = r->matcher;
    m->journal = r->journal;
    m->epoch_known = r->epoch;
    sim_world_note(m->world,
                   "the matcher starts at %" PRIu64 " of epoch %" PRIu64 " (snapshot %" PRIu64
                   ")%s%s",
                   r->found.seq, r->epoch, r->snapshot_seq, r->found.words[0] == '\0' ? "" : ": ",
                   r->found.words);
    if (m->disk != NULL && disk_failures(m) != m->failures)
        m->damage.failed = true;
    sim_history_recovered(m->history, m->disk == NULL ? NULL : &m->ops, r, &m->damage);
    judge_flip(m, r);
    m->damage = (struct sim_damage){0};
    m->failures = m->disk == NULL ? 0 : disk_failures(m);
    struct service service = matcher_service(m->matcher);
    sim_process_start(&m->process, &service, m->journal, m->disk, r->found.time_ns, delay_ns);
}

/* An epoch above the last one the run directory knows of. */
static uint64_t epoch_above_known(const struct sim_matcher *m)
{
    uint64_t seconds = sim_clock_wall_ns(&m->clock, m->world) / NS_PER_SECOND;
    return m->epoch_known + 1 > seconds ? m->epoch_known + 1 : seconds;
}

static void start_with_nothing(struct sim_matcher *m)
{
    struct recovery r = {.journal = journal_new_null(), .new_history = true};
    r.found.new_epoch = true;
    r.epoch = m->options.epoch = epoch_above_known(m);
    r.matcher = matcher_new(&m->options, m->symbols, m->symbol_count);
    run(m, &r, 0);
}

static void start(void *self, uint64_t argument)
{
    struct sim_matcher *m = self;
    char error[JOURNAL_ERROR_SIZE];
    struct recovery r;
    (void)argument;
    m->options.hash_seed = random_next(&m->random);
    if (m->disk == NULL) {
        start_with_nothing(m);
        return;
    }
    sim_disk_advance(m->disk, m->world->now_ns);
    uint64_t spent_ns = sim_disk_spent_ns(m->disk);
    m->ops = *sim_disk_ops(m->disk);
    struct recovery_options o = {
        .journal = {.disk = &m->ops,
                    .async = m->mode == JOURNAL_MODE_ASYNC,
                    .segment_size = SEGMENT_SIZE,
                    .size_max = SEGMENTS_MAX * SEGMENT_SIZE},
        .matcher = m->options,
        .symbols = m->symbols,
        .symbol_count = m->symbol_count,
        .epoch_min = epoch_above_known(m),
        .now_ns = sim_clock_wall_ns(&m->clock, m->world),
    };
    enum status status = recovery_run(&o, &r, error);
    if (status == STATUS_OK)
        run(m, &r, sim_disk_spent_ns(m->disk) - spent_ns);
    else
        on_refused(m, status, error);
}

static void start_follower(void *self, uint64_t argument)
{
    struct sim_matcher *m = self;
    (void)argument;
    m->follower_ops = *sim_disk_ops(m->follower_disk);
    struct follower_options o = {
        .disk = &m->follower_ops, .matcher = m->options, .snapshot_commands = m->snapshot_commands};
    o.matcher.hash_seed = random_next(&m->random);
    o.matcher.requests_address = "ipc://follower";
    m->follower = follower_new(&o);
    struct service service = follower_service(m->follower);
    sim_process_start(&m->follower_process, &service, NULL, m->follower_disk, 0, 0);
}

/* ---- what it says and does ---- */

static void on_batch(void *self, uint64_t number, const struct journal_batch *batch)
{
    struct sim_matcher *m = self;
    sim_history_made(m->history, number, batch, journal_durable_seq(m->journal));
}

static void on_committed(void *self, uint64_t number)
{
    struct sim_matcher *m = self;
    sim_history_committed(m->history, number, journal_durable_seq(m->journal));
}

static void on_said(void *self, unsigned output, const uint8_t *bytes, size_t size)
{
    struct sim_matcher *m = self;
    if (output != MATCHER_OUTPUT_FOLLOWER)
        sim_ear_hear(m->ear, SIM_EAR_MATCHER, bytes, size);
}

static void on_follower_said(void *self, unsigned output, const uint8_t *bytes, size_t size)
{
    struct sim_matcher *m = self;
    if (output != FOLLOWER_OUTPUT_MATCHER)
        sim_ear_hear(m->ear, "the follower", bytes, size);
}

static void on_stands(void *self, enum standing standing)
{
    struct sim_matcher *m = self;
    sim_world_note(m->world, "the matcher's standing is %d", standing);
    if (standing == STANDING_NO_SPACE)
        sim_world_fired(m->world, SIM_FAULT_NO_SPACE, 1);
    if (standing == STANDING_CLOCK_JUMP)
        sim_world_fired(m->world, SIM_FAULT_CLOCK_JUMPED, 1);
}

/* ---- making it ---- */

static void make_processes(struct sim_matcher *m, struct sim_network *network)
{
    sim_process_init(&m->process, network, "matcher", &m->clock,
                     &(struct sim_process_owner){.self = m,
                                                 .batch = on_batch,
                                                 .committed = on_committed,
                                                 .said = on_said,
                                                 .stands = on_stands,
                                                 .ended = on_ended});
    sim_process_input(&m->process, COMMANDS_BUDGET);
    sim_process_input(&m->process, REQUESTS_BUDGET);
    sim_process_input(&m->process, ANSWERS_BUDGET);
    sim_process_input(&m->process, ANSWERS_BUDGET);
    sim_process_init(&m->follower_process, network, "follower", &m->clock,
                     &(struct sim_process_owner){
                         .self = m, .said = on_follower_said, .ended = on_follower_ended});
    sim_process_input(&m->follower_process, FOLLOWER_BUDGET);
    struct sim_peer *matcher = &m->process.peer, *follower = &m->follower_process.peer;
    sim_network_push(network, matcher, MATCHER_OUTPUT_FOLLOWER, follower, FOLLOWER_INPUT_REQUESTS);
    sim_network_push(network, follower, FOLLOWER_OUTPUT_PRIVATE_ANSWERS, matcher,
                     MATCHER_INPUT_PRIVATE_ANSWERS);
    sim_network_push(network, follower, FOLLOWER_OUTPUT_PUBLIC_ANSWERS, matcher,
                     MATCHER_INPUT_PUBLIC_ANSWERS);
    sim_network_push(network, follower, FOLLOWER_OUTPUT_MATCHER, matcher, MATCHER_INPUT_REQUESTS);
}

void sim_matcher_init(struct sim_matcher *m, const struct sim_matcher_setup *setup)
{
    struct sim_world *world = setup->network->world;
    *m = (struct sim_matcher){
        .world = world,
        .random = sim_world_stream(world),
        .history = setup->history,
        .ear = setup->ear,
        .mode = setup->mode,
        .options = setup->options,
        .symbol_count = setup->symbol_count,
        .snapshot_commands = setup->snapshot_commands,
        .restart_ns = 2 * NS_PER_SECOND,
    };
    for (unsigned i = 0; i < setup->symbol_count; i++)
        m->symbols[i] =
            (struct add_symbol){text_of(setup->symbols[i]), text_of("0.01"), text_of("1"), false};
    if (m->mode != JOURNAL_MODE_NONE) {
        m->disk = sim_disk_new(random_next(&m->random));
        m->follower_disk = sim_disk_share(m->disk);
        sim_world_after(world, restart_ns(m), start_follower, m, 0);
    }
    make_processes(m, setup->network);
    sim_world_after(world, 0, start, m, 0);
}

void sim_matcher_close(struct sim_matcher *m)
{
    m->ops.close = close_nothing;
    m->follower_ops.close = close_nothing;
    journal_destroy(&m->journal);
    matcher_destroy(&m->matcher);
    follower_destroy(&m->follower);
    sim_disk_destroy(&m->follower_disk);
    sim_disk_destroy(&m->disk);
}
