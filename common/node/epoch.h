/* epoch: the number of a history. A shard's epoch only grows, and is a new one whenever what was
 * published may not be in the journal; with the null journal, at every start.
 *
 * It is max(last known + 1, Unix seconds). A journal knows its last one; the file remembers it
 * where there is no journal, or no longer, and where the file is lost the seconds have grown. */
#ifndef OUTCRY_NODE_EPOCH_H
#define OUTCRY_NODE_EPOCH_H

#include <stdint.h>

#include "base/status.h"

/* The next epoch, as far as the file knows. Changes nothing.
 * Errors: STATUS_IO      the file cannot be read; errno says why.
 *         STATUS_INVALID the file holds something else. */
enum status epoch_next(const char *file, uint64_t unix_seconds, uint64_t *epoch);

/* Remember that this epoch has begun. Durable on return.
 * Errors: STATUS_IO      the file cannot be written; errno says why. */
enum status epoch_keep(const char *file, uint64_t epoch);

#endif
