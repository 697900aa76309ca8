/* memory: what a process holds for its whole life, taken at start-up and never after.
 *
 * Capacities are given by the configuration and are often far above what a day uses. So the pages
 * are asked for in one piece, zeroed, without reserving swap: what is not touched costs nothing. */
#ifndef OUTCRY_BASE_MEMORY_H
#define OUTCRY_BASE_MEMORY_H

#include <stddef.h>

/* count * size zeroed bytes, aligned to 64. Never NULL: at start-up a lack of memory ends the
 * process with a message that names `what`. Freed by memory_free with the same count and size. */
void *memory_new(size_t count, size_t size, const char *what);
void memory_free(void *memory, size_t count, size_t size);

/* For who cannot know how much there will be, so never for a step: room for one more item of
 * `size` bytes behind `count`, *max of which fit. NULL and 0 to begin with; freed by free(). */
void *memory_grown(void *items, size_t count, size_t *max, size_t size);

#endif
