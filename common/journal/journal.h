/* journal: a shard's history, batch by batch, as opaque bytes.
 *
 * The duty cycle appends each batch and lets out what follows from it only when the batch is
 * committed. This one is the null journal: it keeps nothing, a batch is committed as soon as it
 * is appended, and so every start is a new epoch. Nothing in the interface assumes a local disk.
 * Thread: owner only. */
#ifndef OUTCRY_JOURNAL_JOURNAL_H
#define OUTCRY_JOURNAL_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct journal journal_t;

/* One batch: commands first_seq .. first_seq + count - 1, all stamped time_ns. */
struct journal_batch {
    uint64_t number; /* 1, 2, 3, ... */
    uint64_t first_seq;
    uint64_t count;
    uint64_t time_ns;
    const uint8_t *bytes; /* BORROWED: the commands back to back, as on the wire */
    size_t size;
};

journal_t *journal_new_null(void);
void journal_destroy(journal_t **j);

/* Append the next batch. Not durable until journal_committed() reaches its number.
 * Errors: STATUS_FULL  no space; nothing was written; may be tried again.
 *         STATUS_IO    final until the journal is opened again. */
enum status journal_append(journal_t *j, const struct journal_batch *batch);

/* The number of the last batch that will survive. */
uint64_t journal_committed(journal_t *j);

#endif
