/* epoch: the number of a history. A shard's epoch only grows, and is a new one whenever what was
 * published may not be in the journal; with the null journal, at every start.
 *
 * It is max(last known + 1, Unix seconds): the file remembers the last one, and where the file is
 * lost the seconds have grown. */
#ifndef OUTCRY_NODE_EPOCH_H
#define OUTCRY_NODE_EPOCH_H

#include <stdint.h>

#include "base/status.h"

/* The next epoch, written to the file (and made durable) before it is returned.
 * Errors: STATUS_IO      the file cannot be written; errno says why.
 *         STATUS_INVALID the file holds something else. */
enum status epoch_next(const char *file, uint64_t unix_seconds, uint64_t *epoch);

#endif
