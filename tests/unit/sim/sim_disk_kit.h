/* sim_disk_kit: one simulated disk, and files of whole sectors each full of one byte. Whatever is
 * asked of it is asserted to go well. */
#ifndef OUTCRY_UNIT_SIM_SIM_DISK_KIT_H
#define OUTCRY_UNIT_SIM_SIM_DISK_KIT_H

#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_file.h"

enum { SECTOR = SIM_SECTOR_SIZE, SECTORS = 8 };

extern sim_disk_t *disk;
extern const struct disk *ops;

/* cmocka's setup and teardown. */
int disk_new(void **state);
int disk_destroy(void **state);

/* Another disk, of this seed. */
void reseed(uint64_t seed);

/* A new and empty file; an existing one. */
int make(const char *name);
int reopen(const char *name);

/* Write sectors full of one byte, SECTORS of them at most. */
void put(int file, unsigned sector, unsigned count, uint8_t byte);

/* The byte a sector is full of; it must be. */
uint8_t get(int file, unsigned sector);

void sync_file(int file);
uint64_t size_of(int file);

/* Syncs take so long from now on; see sim_disk_set_slow. */
void latency(uint64_t least_ns, uint64_t most_ns, uint64_t once_in, uint64_t slow_ns);

#endif
