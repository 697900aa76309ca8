#include "node/cycle.h"

#include <string.h>

#include "base/check.h"
#include "base/planted.h"

void cycle_init(struct cycle *c, const struct service *service, journal_t *journal, uint64_t now_ns)
{
    *c = (struct cycle){.service = *service, .journal = journal, .now_ns = now_ns};
}

/* ---- time ---- */

/* A wall clock that is behind where it should be is not gone by: when it comes back, it has not
 * jumped. Time goes on meanwhile, half as fast, for timers go by it, too: standing still, a matcher
 * would be taken for silent until its clock had caught up. */
static void stamp(struct cycle *c, uint64_t wall_ns, uint64_t boot_ns)
{
    uint64_t passed_ns = c->turn_ns == 0 ? 0 : boot_ns - c->turn_ns;
    uint64_t least_ns = c->now_ns + passed_ns / 2;
    bool first = c->wall_ns == 0;
    uint64_t expected_ns = first ? wall_ns : c->wall_ns + (boot_ns - c->boot_ns);
    c->jumped =
        c->journal != NULL && wall_ns > expected_ns && wall_ns - expected_ns > CLOCK_JUMP_MAX_NS;
    uint64_t at_ns = c->jumped ? expected_ns : wall_ns;
    if (!c->jumped && wall_ns >= expected_ns) {
        c->wall_ns = wall_ns;
        c->boot_ns = boot_ns;
    }
    c->now_ns = at_ns > least_ns ? at_ns : least_ns;
    c->turn_ns = boot_ns;
}

/* Somebody says that the clock is right. */
static void believe(struct cycle *c)
{
    c->wall_ns = 0;
    c->jumped = false;
}

/* ---- standing ---- */

static bool has_room(const struct cycle *c)
{
    return c->journal == NULL || journal_has_room(c->journal, c->service.batch_size_max);
}

static void stand(struct cycle *c, enum standing standing)
{
    if (standing == c->standing)
        return;
    c->standing = standing;
    if (c->service.stand != NULL)
        c->service.stand(c->service.self, standing,
                         c->journal == NULL ? 0 : journal_committed_seq(c->journal));
}

static void look_around(struct cycle *c)
{
    if (c->failed)
        stand(c, STANDING_FAILED);
    else if (c->closed)
        stand(c, STANDING_STOPPED);
    else if (c->stopping)
        stand(c, STANDING_DRAINING);
    else if (c->jumped)
        stand(c, STANDING_CLOCK_JUMP);
    else if (!has_room(c))
        stand(c, STANDING_NO_SPACE);
    else
        stand(c, STANDING_OPEN);
}

/* Nobody knows what is on disk: what is not committed is never heard of. */
static enum status fail(struct cycle *c)
{
    outbox_drop(c->service.outbox, journal_committed(c->journal));
    c->failed = true;
    return STATUS_IO;
}

/* ---- the turn ---- */

static enum status write_batch(struct cycle *c, const struct journal_batch *batch)
{
    uint64_t hash;
    enum status status = journal_append(c->journal, batch);
    c->unwritten = status == STATUS_FULL;
    if (c->unwritten)
        c->kept = *batch;
    if (status == STATUS_OK && c->service.checkpoint != NULL &&
        c->service.checkpoint(c->service.self, false, &hash))
        status = journal_checkpoint(c->journal, c->now_ns, hash);
    return status == STATUS_IO ? fail(c) : STATUS_OK;
}

bool cycle_begin(struct cycle *c, uint64_t wall_ns, uint64_t boot_ns)
{
    stamp(c, wall_ns, boot_ns);
    if (c->unwritten)
        return false;
    look_around(c);
    c->batch = c->journal == NULL ? 1 : journal_next(c->journal);
    c->service.begin(c->service.self, c->now_ns, c->batch);
    return true;
}

bool cycle_reads(const struct cycle *c, unsigned input)
{
    return (int)input != c->service.commands_input || c->standing == STANDING_OPEN;
}

enum intake cycle_offer(struct cycle *c, unsigned input, const uint8_t *message, size_t size)
{
    enum intake intake = c->service.receive(c->service.self, input, message, size);
    if (intake != INTAKE_RESUME)
        return intake;
    believe(c);
    return INTAKE_MORE;
}

enum status cycle_end(struct cycle *c)
{
    struct journal_batch batch;
    if (c->unwritten)
        return write_batch(c, &c->kept);
    if (!c->service.end(c->service.self, &batch))
        return STATUS_OK;
    CHECK(c->journal != NULL && !c->failed);
    return write_batch(c, &batch);
}

enum status cycle_commit(struct cycle *c, bool idle, uint64_t boot_ns)
{
    if (c->journal == NULL || c->failed)
        return STATUS_OK;
    enum status status =
        idle && !cycle_committed(c) ? journal_sync(c->journal) : journal_tend(c->journal, boot_ns);
    return status == STATUS_IO ? fail(c) : STATUS_OK;
}

bool cycle_committed(const struct cycle *c)
{
    return c->journal == NULL || c->failed ||
           (journal_committed(c->journal) + 1 == journal_next(c->journal) && !c->unwritten);
}

bool cycle_waits(const struct cycle *c)
{
    /* 2: one is being synced, the other waits for the next sync. */
    return c->journal != NULL && !c->failed &&
           journal_next(c->journal) - 1 >= journal_committed(c->journal) + 2;
}

bool cycle_due(struct cycle *c, struct outgoing *m)
{
    uint64_t due = UINT64_MAX;
    if (c->journal != NULL && !c->failed) {
        due = journal_committed(c->journal);
        /* What a turn without commands said carries the number of the batch to come, and waits for
         * those before it. */
        if (cycle_committed(c) || PLANTED(ACK_BEFORE_SYNC))
            due = UINT64_MAX;
    }
    return outbox_peek(c->service.outbox, due, m);
}

void cycle_sent(struct cycle *c)
{
    outbox_pop(c->service.outbox);
}

/* ---- the end ---- */

void cycle_stop(struct cycle *c)
{
    c->stopping = true;
}

bool cycle_stopped(const struct cycle *c)
{
    return c->standing == STANDING_DRAINING && cycle_committed(c);
}

enum status cycle_close(struct cycle *c)
{
    enum status status = STATUS_OK;
    uint64_t hash;
    if (c->journal != NULL) {
        if (c->service.checkpoint != NULL && c->service.checkpoint(c->service.self, true, &hash))
            status = journal_checkpoint(c->journal, c->now_ns, hash);
        if (status == STATUS_OK)
            status = journal_close(c->journal, c->now_ns);
    }
    c->closed = true;
    look_around(c);
    return status;
}
