/* sim_matcher: the machine of a shard: its clock, its disk, its matcher and its follower; how they
 * end, and how they start again, as main.c starts them.
 *
 * A start that is refused is right only if a bit was flipped: then that is mended, as from a
 * backup, and the next start must succeed. Thread: one. */
#ifndef OUTCRY_SIM_SIM_MATCHER_H
#define OUTCRY_SIM_SIM_MATCHER_H

#include "matcher/follower.h"
#include "matcher/recovery.h"
#include "tests/sim/sim_ear.h"
#include "tests/sim/sim_process.h"

struct sim_matcher {
    struct sim_world *world;
    struct random random;
    struct sim_clock clock;
    struct sim_history *history;
    struct sim_ear *ear;
    enum journal_mode mode;
    struct matcher_options options;
    struct add_symbol symbols[SIM_SYMBOLS_MAX];
    unsigned symbol_count;
    uint64_t snapshot_commands;
    uint64_t epoch_known; /* what the run directory keeps */
    uint64_t restart_ns;  /* a process that ended comes back within this */
    bool calm;

    sim_disk_t *disk;
    struct disk ops; /* the process's: those of one that has ended do nothing */
    struct sim_process process;
    matcher_t *matcher;
    journal_t *journal;
    struct sim_damage damage;
    uint64_t failures; /* of the disk's operations, when the matcher started last */
    struct sim_disk_flip flip;
    uint8_t flipped;   /* the byte as it is since */
    bool flip_pending; /* nobody has started from it yet */
    unsigned starts;

    sim_disk_t *follower_disk;
    struct disk follower_ops;
    struct sim_process follower_process;
    follower_t *follower;
};

/* KEEPS all of it. options: hash_seed and epoch are drawn. Its first start is to come. */
struct sim_matcher_setup {
    struct sim_network *network;
    struct sim_history *history;
    struct sim_ear *ear;
    enum journal_mode mode;
    struct matcher_options options;
    const char *const *symbols;
    unsigned symbol_count;
    uint64_t snapshot_commands;
};
void sim_matcher_init(struct sim_matcher *m, const struct sim_matcher_setup *setup);
void sim_matcher_close(struct sim_matcher *m);

/* The processes end, if they run, and come back. */
void sim_matcher_kill(struct sim_matcher *m);
void sim_matcher_kill_follower(struct sim_matcher *m);
void sim_matcher_lose_power(struct sim_matcher *m);

/* One bit, while it does not run; false: this is no time for it. */
bool sim_matcher_flip(struct sim_matcher *m);

#endif
