/* replay_lobster: LOBSTER's raw files as rows to replay.
 *
 * Messages: time (s after midnight), type, order id, size, price, direction (1: a resting buy).
 * Types 1 new, 2 partial cancel, 3 delete, 4 execution of a visible order, 5 of a hidden one (the
 * book does not change), 6 a cross, 7 a halt. An execution is sent as an IOC order of the other
 * side at its price.
 *
 * A recording shows a window of the best N levels of each side: what happens behind them has no
 * message. With the orderbook file, whose row is the book after each message, the rows to replay
 * are made so that the book is the window: what rested before the recording began, and what comes
 * into the window from behind, is seeded, one order a level, and stands for ids nobody has heard
 * of at its price; what leaves the window is cancelled. A row the message and the moving window do
 * not explain (an execution out of price-time order is one) is counted, and the book is put right
 * by reducing, cancelling and seeding. Without that file such rows are counted and passed over. */
#ifndef OUTCRY_CLI_REPLAY_LOBSTER_H
#define OUTCRY_CLI_REPLAY_LOBSTER_H

#include "cli/replay_input.h"

enum {
    REPLAY_ID_SIZE_MAX = 24, /* so that the run's own mark fits before it in a client order id */
};

/* Fill in->rows from in->file and in->book; false with the fault of the message file. */
bool replay_lobster_read(struct replay_input *in, struct csv_fault *fault);
void replay_lobster_free_ids(struct replay_made_ids **ids);

#endif
