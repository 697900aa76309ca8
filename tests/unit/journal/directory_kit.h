/* directory_kit: an empty directory, of the file system or of a simulated disk, and what a test
 * does to its files. What is asked of it is asserted to go well. */
#ifndef OUTCRY_UNIT_JOURNAL_DIRECTORY_KIT_H
#define OUTCRY_UNIT_JOURNAL_DIRECTORY_KIT_H

#include <cmocka.h>

#include "journal/disk.h"
#include "tests/sim/sim_disk.h"

/* The directory; and the simulated disk, NULL if it is no such. */
extern const struct disk *directory;
extern sim_disk_t *simulated;

/* cmocka's setups and teardown. */
int directory_on_sim_disk(void **state);
int directory_on_file_disk(void **state);
int directory_close(void **state);

#define ON_SIM_DISK(name)                                                                          \
    {                                                                                              \
#name " on sim_disk", name, directory_on_sim_disk, directory_close, NULL                   \
    }
#define ON_BOTH_DISKS(name)                                                                        \
    ON_SIM_DISK(name),                                                                             \
    {                                                                                              \
#name " on file_disk", name, directory_on_file_disk, directory_close, NULL                 \
    }

/* Another empty one, on a simulated disk of this seed. */
void directory_reseed(uint64_t seed);

/* The same one in the hands of another process: nothing is open or locked. */
void directory_restart(void);

bool directory_has(const char *name);

/* Files whose name ends so; "": all. */
unsigned directory_count(const char *ending);

/* A whole file, durable; size: how much there is room for, and what it has. */
void directory_put(const char *name, const void *bytes, size_t size);
void directory_get(const char *name, void *bytes, size_t *size);

void directory_flip(const char *name, uint64_t offset, unsigned bit);

#endif
