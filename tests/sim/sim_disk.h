/* sim_disk: a directory on a disk that fails, in memory, as a `struct disk` (journal/disk.h). What
 * it does depends on its seed and on what is asked of it, and on nothing else.
 *
 * Time is the simulator's. A sync in the background ends some virtual time after it began, when
 * sim_disk_advance() is told of it; what waits for the disk returns at once and adds the time it
 * would have taken to sim_disk_spent_ns(). A lost or torn write is an unsynced one that a power
 * loss took; see sim_file.h.
 *
 *     d = sim_disk_new(seed)           the directory, and the first process that uses it
 *     e = sim_disk_share(d)            another process: its own open files, lock and syncs
 *     sim_disk_crash(d, SIM_DISK_KILL)         the process is killed: what it wrote stays
 *     sim_disk_crash(d, SIM_DISK_POWER_LOSS)   the machine: of all who share the directory
 *
 * After a crash the same sim_disk_t is the next process. Faults, latencies, space and counts are
 * the directory's, whichever process sets or asks. Misuse, such as a file number that is not open,
 * is a CHECK: it would be a fault of whoever uses the disk. */
#ifndef OUTCRY_SIM_SIM_DISK_H
#define OUTCRY_SIM_SIM_DISK_H

#include "journal/disk.h"

typedef struct sim_disk sim_disk_t;

sim_disk_t *sim_disk_new(uint64_t seed);
sim_disk_t *sim_disk_share(sim_disk_t *d);

/* A directory of its own with the same files as they are read now, all durable; no faults, no
 * locks, nothing open. */
sim_disk_t *sim_disk_copy(const sim_disk_t *d, uint64_t seed);

/* The directory goes with the last who shares it. */
void sim_disk_destroy(sim_disk_t **d);

/* Valid as long as d is. fd() is -1: there is nothing to poll but sim_disk_next_ns(). */
const struct disk *sim_disk_ops(sim_disk_t *d);

/* It is now_ns, which never goes back: this process's background syncs due by then have ended. */
void sim_disk_advance(sim_disk_t *d, uint64_t now_ns);

/* When the next of them ends; UINT64_MAX: none is running. */
uint64_t sim_disk_next_ns(const sim_disk_t *d);

/* The time this process has waited for the disk, in all. */
uint64_t sim_disk_spent_ns(const sim_disk_t *d);

enum sim_disk_crash { SIM_DISK_KILL, SIM_DISK_POWER_LOSS };
void sim_disk_crash(sim_disk_t *d, enum sim_disk_crash kind);

/* Flip one bit, 0..7, of the byte at offset, for good; false: there is no such byte. */
bool sim_disk_flip(sim_disk_t *d, const char *name, uint64_t offset, unsigned bit);

/* The same anywhere, half the time where something else than zeros stands. ending: only in files
 * whose name ends so; NULL: in any. False: there is no byte. */
struct sim_disk_flip {
    char name[DISK_NAME_SIZE];
    uint64_t offset;
    unsigned bit;
};
bool sim_disk_flip_random(sim_disk_t *d, const char *ending, struct sim_disk_flip *flipped);

/* Files may grow by so many bytes in all; UINT64_MAX, at first: there is no end to space. What is
 * removed gives back its bytes. A write that does not fit is done as far as it does. */
void sim_disk_set_full(sim_disk_t *d, uint64_t bytes_free);

/* A sync takes from least_ns to most_ns; but once in slow_once_in (0: never) slow_ns. At first
 * 80,000 to 200,000, and once in 1000 50,000,000. */
struct sim_disk_latency {
    uint64_t least_ns, most_ns;
    uint64_t slow_once_in, slow_ns;
};
void sim_disk_set_slow(sim_disk_t *d, const struct sim_disk_latency *latency);

/* The next `count` of one operation fail with STATUS_IO. Half of them were done, or done in part,
 * all the same; a sync was not. A sync in the background fails when it ends. */
enum sim_disk_operation {
    SIM_DISK_LIST,
    SIM_DISK_OPEN,
    SIM_DISK_CREATE,
    SIM_DISK_READ,
    SIM_DISK_WRITE,
    SIM_DISK_SYNC,
    SIM_DISK_RENAME,
    SIM_DISK_REMOVE,
    SIM_DISK_OPERATIONS,
};
void sim_disk_fail_next(sim_disk_t *d, enum sim_disk_operation operation, unsigned count);

/* Whether a failed sync leaves pages marked clean, as Linux does: until they are written again,
 * later syncs say that all is well and do nothing for them. At first not. */
void sim_disk_set_forgetful(sim_disk_t *d, bool forgetful);

/* The directory has vanished, or is back: its names are not to be found, what is open works on. */
void sim_disk_set_vanished(sim_disk_t *d, bool vanished);

/* How often each fault has made a difference. */
struct sim_disk_counts {
    uint64_t torn;      /* writes of which a power loss left a part */
    uint64_t lost;      /* sectors a power loss took back, and ends cut off */
    uint64_t reordered; /* sectors lost although a later write to their file survived */
    uint64_t flipped;   /* bits */
    uint64_t full;      /* writes that did not fit */
    uint64_t slow;      /* syncs */
    uint64_t failed;    /* operations that gave STATUS_IO because they were told to */
    uint64_t vanished;  /* operations that met a vanished directory */
};
struct sim_disk_counts sim_disk_counts(const sim_disk_t *d);

#endif
