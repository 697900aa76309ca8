/* name_table: short names, each with a small number, for good.
 *
 * The first name is 1, the next 2, ...; 0 is "no such name". Names are never taken back, so a
 * number means the same for the life of the table, and numbers depend on nothing but the order
 * in which names were added. Lookup is one hash and on average one comparison.
 * Thread: owner only. Memory is taken by init. */
#ifndef OUTCRY_BASE_NAME_TABLE_H
#define OUTCRY_BASE_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { NAME_SIZE_MAX = 63 };

struct name {
    uint8_t size;
    char text[NAME_SIZE_MAX];
};

struct name_table {
    struct name *names; /* 1..count */
    uint32_t *heads;    /* hash bucket -> name */
    uint32_t *nexts;    /* name -> next in its bucket */
    uint32_t count;
    uint32_t count_max;
    uint32_t bucket_mask;
    uint32_t last_found; /* most lookups ask for the name before again */
    uint64_t seed;
};

/* seed: better unpredictable, so that strangers cannot choose names that share a bucket; it
 * decides nothing else. */
void name_table_init(struct name_table *t, uint32_t count_max, uint64_t seed, const char *what);
void name_table_close(struct name_table *t);

/* The name's number, or 0. */
uint32_t name_table_find(struct name_table *t, const char *text, size_t size);

/* The name's number, added if new; 0 if the table is full. size: 0..NAME_SIZE_MAX. */
uint32_t name_table_add(struct name_table *t, const char *text, size_t size);

#endif
