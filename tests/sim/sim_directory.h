/* sim_directory: the names and files of a simulated disk, and its faults: what all processes that
 * use it share. For sim_disk.c only. */
#ifndef OUTCRY_SIM_SIM_DIRECTORY_H
#define OUTCRY_SIM_SIM_DIRECTORY_H

#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_file.h"

struct entry {
    struct entry *next;
    char name[DISK_NAME_SIZE]; /* empty: it has none any more */
    sim_file_t *file;
    unsigned opened;
};

struct directory {
    struct entry *entries; /* the newest first */
    sim_disk_t *users;
    struct random random;
    struct sim_disk_latency latency;
    struct sim_disk_counts counts;
    uint64_t bytes_free;
    uint64_t stamp; /* of the last write */
    unsigned fail[SIM_DISK_OPERATIONS];
    bool forgetful, vanished;
    const sim_disk_t *locked_by;
    int processes; /* there have been */
};

struct directory *directory_new(uint64_t seed);
void directory_destroy(struct directory **dir);

/* NULL: there is none of this name. */
struct entry *directory_find(const struct directory *dir, const char *name);

/* TAKES file. Whatever had the name loses it. */
struct entry *directory_add(struct directory *dir, const char *name, sim_file_t *file);
void directory_rename(struct directory *dir, struct entry *e, const char *name);

/* Nobody finds it by name any more. */
void directory_unname(struct directory *dir, struct entry *e);

/* An entry is gone, and its space free, that has no name and that nobody has open. */
void directory_release(struct directory *dir, struct entry *e);

/* Whether this operation is one that was told to fail; then errno says how. */
bool directory_fails(struct directory *dir, enum sim_disk_operation operation);

/* Whether the directory has vanished; then errno says so. */
bool directory_vanished(struct directory *dir);

/* How much of a write of `size` at `at` has room. */
size_t directory_room(struct directory *dir, const struct entry *e, uint64_t at, size_t size);

/* How long the next sync takes. */
uint64_t directory_latency(struct directory *dir);

/* What is not durable may be lost. */
void directory_power_loss(struct directory *dir);

/* One byte of the files whose name ends so (NULL: of all); false: there is none. */
bool directory_byte(struct directory *dir, const char *ending, const struct entry **e,
                    uint64_t *offset);

#endif
