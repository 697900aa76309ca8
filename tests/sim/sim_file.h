/* sim_file: one file of a simulated disk: what reads give back, and what of it would be left if
 * the power went now.
 *
 * Each sector written since the last sync keeps its older versions, the oldest of which is the
 * durable one. A write has a stamp, greater than any before it; a sync that began at a stamp makes
 * durable what was written up to it. */
#ifndef OUTCRY_SIM_FILE_H
#define OUTCRY_SIM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/random.h"

enum { SIM_SECTOR_SIZE = 512 };

typedef struct sim_file sim_file_t;

sim_file_t *sim_file_new(void);
void sim_file_destroy(sim_file_t **f);

/* The same bytes, all durable. */
sim_file_t *sim_file_copy(const sim_file_t *f);

uint64_t sim_file_size(const sim_file_t *f);

/* How much was read: less than size at the end of the file. */
size_t sim_file_read(const sim_file_t *f, uint64_t at, void *bytes, size_t size);
void sim_file_write(sim_file_t *f, uint64_t at, const void *bytes, size_t size, uint64_t stamp);

/* A sync that began at this stamp, when the file had this size, has ended well. */
void sim_file_settle(sim_file_t *f, uint64_t stamp, uint64_t size);

/* One has ended badly, and the system has taken the pages for clean: no later sync makes durable
 * what was written up to stamp, until it is written again. */
void sim_file_doom(sim_file_t *f, uint64_t stamp);

/* What a power loss did, where it made a difference. */
struct sim_file_losses {
    uint64_t lost;      /* sectors that are not what was last written, and ends cut off */
    uint64_t torn;      /* writes of which a part survived */
    uint64_t reordered; /* sectors lost although a later write survived */
};

/* Each sector not durable is what it is, or one of its older versions; the file may be shorter. */
void sim_file_power_loss(sim_file_t *f, struct random *random, struct sim_file_losses *losses);

/* Flip one bit, 0..7, of the byte at offset, for good; false: the file is shorter. */
bool sim_file_flip(sim_file_t *f, uint64_t offset, unsigned bit);

#endif
