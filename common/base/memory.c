#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

/* Below this malloc does; above it, pages of our own that are not touched until used. */
enum { PAGES_FROM = 1 << 20 };

static size_t rounded(size_t count, size_t size)
{
    size_t bytes;
    CHECK(!__builtin_mul_overflow(count, size, &bytes));
    CHECK(bytes <= SIZE_MAX - 64);
    return bytes == 0 ? 64 : (bytes + 63) / 64 * 64;
}

void *memory_new(size_t count, size_t size, const char *what)
{
    size_t bytes = rounded(count, size);
    void *memory;
    if (bytes < PAGES_FROM) {
        memory = aligned_alloc(64, bytes);
        if (memory != NULL)
            memset(memory, 0, bytes);
    } else {
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            memory = NULL;
    }
    if (memory == NULL) {
        fprintf(stderr, "outcry: no memory for %s: %zu bytes were asked for\n", what, bytes);
        exit(EXIT_FAILURE);
    }
    return memory;
}

void memory_free(void *memory, size_t count, size_t size)
{
    if (memory == NULL)
        return;
    size_t bytes = rounded(count, size);
    if (bytes < PAGES_FROM)
        free(memory);
    else
        munmap(memory, bytes);
}

void *memory_grown(void *items, size_t count, size_t *max, size_t size)
{
    if (count < *max)
        return items;
    *max = *max == 0 ? 64 : 2 * *max;
    items = realloc(items, *max * size);
    CHECK(items != NULL);
    return items;
}
