#include "base/name_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "base/memory.h"

static uint32_t bucket_count_for(uint32_t count_max)
{
    uint32_t buckets = 16;
    while (buckets < count_max)
        buckets *= 2;
    return buckets;
}

void name_table_init(struct name_table *t, uint32_t count_max, uint64_t seed, const char *what)
{
    CHECK(count_max < UINT32_MAX / 2);
    uint32_t buckets = bucket_count_for(count_max);
    *t = (struct name_table){
        .names = memory_new((size_t)count_max + 1, sizeof *t->names, what),
        .heads = memory_new(buckets, sizeof *t->heads, what),
        .nexts = memory_new((size_t)count_max + 1, sizeof *t->nexts, what),
        .count_max = count_max,
        .bucket_mask = buckets - 1,
        .last.size = NAME_SIZE_MAX + 1,
        .seed = seed,
    };
}

void name_table_close(struct name_table *t)
{
    memory_free(t->names, (size_t)t->count_max + 1, sizeof *t->names);
    memory_free(t->heads, (size_t)t->bucket_mask + 1, sizeof *t->heads);
    memory_free(t->nexts, (size_t)t->count_max + 1, sizeof *t->nexts);
    *t = (struct name_table){0};
}

static uint32_t *bucket(const struct name_table *t, const char *text, size_t size)
{
    return &t->heads[XXH3_64bits_withSeed(text, size, t->seed) & t->bucket_mask];
}

uint32_t name_table_search(struct name_table *t, const char *text, size_t size)
{
    if (size > NAME_SIZE_MAX)
        return 0;
    for (uint32_t n = *bucket(t, text, size); n != 0; n = t->nexts[n]) {
        if (t->names[n].size == size && name_bytes_equal(t->names[n].text, text, size)) {
            t->last = t->names[n];
            return t->last_found = n;
        }
    }
    return 0;
}

/* Name n is this from now on. */
static void link_name(struct name_table *t, uint32_t n, const char *text, size_t size)
{
    CHECK(size <= NAME_SIZE_MAX);
    uint32_t *head = bucket(t, text, size);
    t->names[n].size = (uint8_t)size;
    if (size > 0)
        memcpy(t->names[n].text, text, size);
    t->nexts[n] = *head;
    *head = n;
}

uint32_t name_table_add(struct name_table *t, const char *text, size_t size)
{
    uint32_t found = name_table_find(t, text, size);
    if (found != 0)
        return found;
    if (t->count == t->count_max)
        return 0;
    link_name(t, ++t->count, text, size);
    return t->count;
}

void name_table_rename(struct name_table *t, uint32_t n, const char *text, size_t size)
{
    CHECK(n >= 1 && n <= t->count && name_table_find(t, text, size) == 0);
    uint32_t *link = bucket(t, t->names[n].text, t->names[n].size);
    while (*link != n)
        link = &t->nexts[*link];
    *link = t->nexts[n];
    t->last.size = NAME_SIZE_MAX + 1; /* what is kept at hand may be the old name */
    link_name(t, n, text, size);
}
