/* journal: lives and deaths on a disk that fails (sim/sim_disk.h). Whatever happens,
 *
 *     what was committed in mode sync is there again
 *     what was durable is there again, in any mode
 *     what is there is what was appended, from the beginning on
 *     if anything that was let out is lost, an epoch begins, greater than any before */
#include "journal/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/fuzz/random.h"
#include "tests/sim/sim_disk.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/journal/journal_kit.h"

enum { LIVES = 12, STEPS = 60, SIZE_MAX_OF_BATCH = 150000 };

struct world {
    sim_disk_t *disk;
    struct kit kit;
    struct random random;
    uint64_t now_ns;
    uint64_t let_out_seq; /* committed, in whatever mode, since it was last made sure of */
    uint64_t durable_seq; /* said to be */
    uint64_t kept_seq;    /* committed in mode sync */
    uint64_t epoch;
    /* what was appended, by command */
    struct {
        uint64_t first_seq, count;
        size_t size;
    } batches[LIVES * STEPS];
    unsigned batch_count;
    unsigned cuts, births /* that failed */, finals, fulls;
};

static uint64_t below(struct world *w, uint64_t bound)
{
    return random_below(&w->random, bound);
}

static void note_standing(struct world *w)
{
    const journal_t *j = w->kit.journal;
    w->let_out_seq = journal_committed_seq(j);
    if (journal_durable_seq(j) > w->durable_seq)
        w->durable_seq = journal_durable_seq(j);
    if (!w->kit.async && journal_committed_seq(j) > w->kept_seq)
        w->kept_seq = journal_committed_seq(j);
    assert_true(journal_durable_seq(j) <= journal_committed_seq(j));
    assert_true(journal_committed(j) < journal_next(j));
}

static void spoil(struct world *w)
{
    static const enum sim_disk_operation operations[] = {
        SIM_DISK_WRITE, SIM_DISK_SYNC, SIM_DISK_RENAME, SIM_DISK_CREATE, SIM_DISK_REMOVE};
    if (below(w, 3) == 0)
        sim_disk_set_full(w->disk, below(w, 3000000));
    else
        sim_disk_fail_next(w->disk, operations[below(w, 5)], 1);
}

static void mend(struct world *w)
{
    for (unsigned i = 0; i < SIM_DISK_OPERATIONS; i++)
        sim_disk_fail_next(w->disk, (enum sim_disk_operation)i, 0);
    sim_disk_set_full(w->disk, UINT64_MAX);
}

/* What came back is what was appended. */
static void check_history(struct world *w)
{
    const struct taken *t = &w->kit.taken;
    unsigned batch = 0;
    for (unsigned i = 0; i < t->count; i++) {
        assert_int_equal(t->records[i].number, i + 1);
        if (t->records[i].kind != RECORD_BATCH)
            continue;
        assert_true(batch < w->batch_count);
        assert_int_equal(t->records[i].first_seq, w->batches[batch].first_seq);
        assert_int_equal(t->records[i].count, w->batches[batch].count);
        assert_int_equal(t->records[i].size, w->batches[batch].size);
        batch++;
    }
    w->batch_count = batch;
}

static void be_born(struct world *w)
{
    struct kit *k = &w->kit;
    k->disk = sim_disk_ops(w->disk);
    k->async = below(w, 2) == 0;
    if (below(w, 2) == 0)
        spoil(w);
    enum status status = kit_recover(k, 0, 0);
    for (unsigned i = 0; i < 3 && status != STATUS_OK && status != STATUS_INVALID; i++) {
        w->births += 1;
        mend(w);
        sim_disk_crash(w->disk, below(w, 2) == 0 ? SIM_DISK_KILL : SIM_DISK_POWER_LOSS);
        status = kit_recover(k, 0, 0);
    }
    if (status != STATUS_OK)
        fail_msg("%s", k->error);
    check_history(w);
    assert_true(k->found.seq >= w->durable_seq);
    assert_true(k->found.seq >= w->kept_seq);
    if (k->found.seq < w->let_out_seq)
        assert_true(k->found.new_epoch);
    if (!k->found.new_epoch)
        assert_int_equal(k->found.epoch, w->epoch);
    w->cuts += k->found.cut_size > 0;
}

static void begin_epoch(struct world *w)
{
    if (!w->kit.found.new_epoch)
        return;
    assert_true(w->kit.found.epoch >= w->epoch); /* so that one more was never used */
    uint64_t epoch = w->kit.found.epoch + 1;
    enum status status = journal_begin_epoch(w->kit.journal, epoch, w->now_ns);
    w->epoch = epoch;        /* it may be on disk although it was not said to be */
    if (status != STATUS_OK) /* nothing is let out, and nothing can be appended */
        journal_destroy(&w->kit.journal);
}

static enum status append(struct world *w)
{
    uint64_t count = 1 + below(w, 3), first_seq = w->kit.seq + 1;
    size_t size = (size_t)below(w, (uint64_t)1 << below(w, 17));
    size = below(w, 10) == 0 ? SIZE_MAX_OF_BATCH - size : size;
    bool room = journal_has_room(w->kit.journal, size);
    w->fulls += !room;
    enum status status = room ? kit_append(&w->kit, count, size) : STATUS_FULL;
    if (status == STATUS_FULL)
        return STATUS_OK;
    /* When it fails it may be there all the same. */
    w->batches[w->batch_count].first_seq = first_seq;
    w->batches[w->batch_count].count = count;
    w->batches[w->batch_count++].size = size;
    return status;
}

static enum status step(struct world *w)
{
    journal_t *j = w->kit.journal;
    w->now_ns += below(w, 60 * NS_PER_MS);
    sim_disk_advance(w->disk, w->now_ns);
    switch (below(w, 40)) {
    case 0:
        return journal_sync(j);
    case 1:
        if (w->kit.seq == 0 || !journal_has_room(j, 0))
            return STATUS_OK;
        return journal_checkpoint(j, w->now_ns, 1) == STATUS_IO ? STATUS_IO : STATUS_OK;
    case 2:
        sim_disk_set_full(w->disk, UINT64_MAX);
        return STATUS_OK;
    case 3:
        if (below(w, 4) == 0)
            spoil(w);
        return STATUS_OK;
    default:
        return below(w, 2) == 0 ? append(w) : journal_tend(j, w->now_ns);
    }
}

static void live(struct world *w)
{
    enum status status = STATUS_OK;
    unsigned steps = (unsigned)below(w, below(w, 2) == 0 ? 4 : STEPS);
    for (unsigned i = 0; i < steps && status == STATUS_OK; i++) {
        status = step(w);
        note_standing(w);
    }
    w->finals += status != STATUS_OK;
    if (status == STATUS_OK && below(w, 3) == 0 &&
        journal_close(w->kit.journal, w->now_ns) == STATUS_OK)
        w->kept_seq = w->durable_seq = w->kit.seq;
}

static void die(struct world *w)
{
    mend(w);
    kit_end(&w->kit); /* which changes nothing on disk */
    sim_disk_crash(w->disk, below(w, 2) == 0 ? SIM_DISK_KILL : SIM_DISK_POWER_LOSS);
}

static unsigned all_cuts, all_finals, all_fulls, all_births;

static void random_lives(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    w->disk = sim_disk_new(seed);
    w->random.state = seed;
    sim_disk_set_forgetful(w->disk, true);
    for (unsigned life = 0; life < LIVES; life++) {
        be_born(w);
        begin_epoch(w);
        w->let_out_seq = w->kit.seq;
        if (w->kit.journal != NULL)
            live(w);
        die(w);
    }
    be_born(w);
    kit_end(&w->kit);
    all_cuts += w->cuts;
    all_finals += w->finals;
    all_fulls += w->fulls;
    all_births += w->births;
    sim_disk_destroy(&w->disk);
    free(w);
}

static void nothing_promised_is_lost(void **state)
{
    (void)state;
    all_cuts = all_finals = all_fulls = all_births = 0;
    seeds_run("nothing_promised_is_lost", 100, random_lives);
    print_message("%u cuts, %u final failures, %u times no room, %u failures to recover\n",
                  all_cuts, all_finals, all_fulls, all_births);
    if (getenv("OUTCRY_TEST_SEED") == NULL)
        assert_true(all_cuts > 0 && all_finals > 0 && all_fulls > 0 && all_births > 0);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(nothing_promised_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
