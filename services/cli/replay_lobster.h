/* replay_lobster: LOBSTER's raw files as rows to replay.
 *
 * Messages: time (s after midnight), type, order id, size, price, direction (1: a resting buy).
 * Types 1 new, 2 partial cancel, 3 delete, 4 execution of a visible order, 5 of a hidden one (the
 * book does not change). An execution is sent as an IOC order of the other side at its price.
 * What rested before the recording began has no message: it is seeded, one order a level, from the
 * first row of the orderbook file, and stands in for ids nobody has heard of at its price. */
#ifndef OUTCRY_CLI_REPLAY_LOBSTER_H
#define OUTCRY_CLI_REPLAY_LOBSTER_H

#include "cli/replay_input.h"

enum {
    REPLAY_SEEDS_MAX = 256,  /* levels of an orderbook file: 10 a side are usual */
    REPLAY_ID_SIZE_MAX = 24, /* so that the run's own mark fits before it in a client order id */
};

/* Fill in->rows from in->file and in->book; false with the fault of the message file. */
bool replay_lobster_read(struct replay_input *in, struct csv_fault *fault);

#endif
