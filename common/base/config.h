/* config: a configuration file (ZPL, read by CZMQ's zconfig) whose every complaint can name file
 * and line.
 *
 * zconfig forgets lines, so config keeps the text beside the tree and finds the line of a path in
 * it when something is to be said. Which settings there are, and what they may hold, is the
 * caller's. Not on any hot path. Thread: one. */
#ifndef OUTCRY_BASE_CONFIG_H
#define OUTCRY_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_ERROR_SIZE = 512, CONFIG_PATH_SIZE = 160 };

typedef struct config config_t;

/* Read a file; NULL with error filled in ("FILE:LINE: ...") if it cannot be read, or says the same
 * thing twice. */
config_t *config_load(const char *file, char error[CONFIG_ERROR_SIZE]);
void config_destroy(config_t **c);

/* The value at a path ("limits/open_orders_max"), or NULL. BORROWED from the config. */
const char *config_get(const config_t *c, const char *path);

/* The line on which the path stands, 1, 2, ...; 0 if it does not. */
unsigned config_line(const config_t *c, const char *path);

/* Walk everything that stands in the file, in its order; false if visit stopped it by returning
 * false. A name without a value has the value "". */
bool config_walk(const config_t *c, void *self,
                 bool (*visit)(void *self, const char *path, const char *value, bool has_children,
                               unsigned line));

const char *config_file(const config_t *c);

/* A whole number in low..high from text, all of it; false if it is not one. */
bool config_u64(const char *text, uint64_t low, uint64_t high, uint64_t *value);

#endif
