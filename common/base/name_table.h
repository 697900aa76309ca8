/* name_table: short names, each with a small number.
 *
 * The first name is 1, the next 2, ...; 0 is "no such name". A number means the same for good,
 * unless its owner gives it to another name, and numbers depend on nothing but the order in which
 * names were added. Lookup is one hash and on average one comparison.
 * Thread: owner only. Memory is taken by init. */
#ifndef OUTCRY_BASE_NAME_TABLE_H
#define OUTCRY_BASE_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { NAME_SIZE_MAX = 63 };

struct name {
    uint8_t size;
    char text[NAME_SIZE_MAX];
};

struct name_table {
    struct name *names; /* 1..count; 0 is empty, for whoever prints "no such name" */
    uint32_t *heads;    /* hash bucket -> name */
    uint32_t *nexts;    /* name -> next in its bucket */
    uint32_t count;
    uint32_t count_max;
    uint32_t bucket_mask;
    uint32_t last_found; /* most lookups ask for the name before again, */
    struct name last;    /* so it is kept at hand; at first one that nobody can ask for */
    uint64_t seed;
};

/* seed: better unpredictable, so that strangers cannot choose names that share a bucket; it
 * decides nothing else. */
void name_table_init(struct name_table *t, uint32_t count_max, uint64_t seed, const char *what);
void name_table_close(struct name_table *t);

/* Whether two runs of bytes are equal. Names are a few bytes long, and for those two loads of each,
 * which may overlap, take the place of a call of memcmp. */
static inline bool name_bytes_equal(const char *a, const char *b, size_t size)
{
    if (size >= 8 && size <= 16) {
        uint64_t x[2], y[2];
        memcpy(&x[0], a, 8);
        memcpy(&y[0], b, 8);
        memcpy(&x[1], a + size - 8, 8);
        memcpy(&y[1], b + size - 8, 8);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
    if (size >= 4 && size < 8) {
        uint32_t x[2], y[2];
        memcpy(&x[0], a, 4);
        memcpy(&y[0], b, 4);
        memcpy(&x[1], a + size - 4, 4);
        memcpy(&y[1], b + size - 4, 4);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
    return size == 0 || (size <= NAME_SIZE_MAX && memcmp(a, b, size) == 0);
}

/* Behind name_table_find(): by its hash. */
uint32_t name_table_search(struct name_table *t, const char *text, size_t size);

/* The name's number, or 0. */
static inline uint32_t name_table_find(struct name_table *t, const char *text, size_t size)
{
    if (t->last.size == size && name_bytes_equal(t->last.text, text, size))
        return t->last_found;
    return name_table_search(t, text, size);
}

/* The name's number, added if new; 0 if the table is full. size: 0..NAME_SIZE_MAX. */
uint32_t name_table_add(struct name_table *t, const char *text, size_t size);

/* Give the number of a name to another one, which must be new. size: 0..NAME_SIZE_MAX. */
void name_table_rename(struct name_table *t, uint32_t n, const char *text, size_t size);

#endif
