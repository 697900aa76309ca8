/* floor_book: the floor every rate of the engine is measured against.
 *
 * The barest book that still matches by price and time: a flat array of levels indexed by price,
 * an occupancy bitmap with two summaries, orders in one array indexed by the caller's own dense
 * numbers. No id lookup, no events, no hashes, no accounts, no validation. It is not a product: it
 * believes whatever it is given: a price or ref outside its range is undefined behaviour, and a
 * market order must say IOC.
 * What it may be asked is what flow.h can say: limit and market, GTC and IOC, cancel, replace,
 * reduce. */
#ifndef OUTCRY_BENCH_FLOOR_BOOK_H
#define OUTCRY_BENCH_FLOOR_BOOK_H

#include "flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct floor_book floor_book_t;

enum {
    FLOOR_BOOK_LEVELS_MAX = 1 << 18, /* 64 * 64 * 64: a bitmap of three storeys */
};

#define FLOOR_BOOK_NONE UINT32_MAX /* no order; never a ref */

/* Make an empty book for prices price_min..price_max (ticks) and refs 0..order_count-1.
 * All memory is allocated and touched here, so that no page fault falls into a timed run.
 *
 * price_max - price_min: 0..FLOOR_BOOK_LEVELS_MAX - 3.   price_min: above INT64_MIN.
 * order_count: 1..2^31.
 * Errors: NULL  out of range, or no memory. */
floor_book_t *floor_book_new(int64_t price_min, int64_t price_max, uint32_t order_count);

void floor_book_destroy(floor_book_t **book);

/* Empty the book and touch every page of it again.
 *
 * Cost: one pass over all its memory; keep it out of the timed part. */
void floor_book_reset(floor_book_t *book);

/* Apply one command; returns the quantity executed (lots), so that the work cannot be optimised
 * away. A cancel, replace or reduce of an order that is no longer open does nothing.
 *
 * BORROWS command.
 * Cost: O(1), and O(1) for each order filled and each level emptied. No allocation. */
int64_t floor_book_apply(floor_book_t *book, const struct flow_command *command);

/* Apply a run of commands with the step inlined in the loop; returns the sum of what they executed.
 * This is the figure called the floor.
 *
 * BORROWS commands. */
int64_t floor_book_run(floor_book_t *book, const struct flow_command *commands, size_t count);

/* The same, prefetching the orders of commands still to come: what a caller who sees a whole batch
 * can do. Same result as floor_book_run(). */
int64_t floor_book_run_ahead(floor_book_t *book, const struct flow_command *commands, size_t count);

/* The best price of a side (an enum flow_side), in ticks; false if the side is empty. */
bool floor_book_best(const floor_book_t *book, uint8_t side, int64_t *price);

/* The open quantity of an order, in lots; 0 once it is gone. */
int64_t floor_book_open_qty(const floor_book_t *book, uint32_t ref);

/* Walk one side in the order in which it would trade: the first order, then the one after `ref`.
 * FLOOR_BOOK_NONE at the end. `price` is where the walk stands: floor_book_first() sets it,
 * floor_book_next() reads it and moves it on. */
uint32_t floor_book_first(const floor_book_t *book, uint8_t side, int64_t *price);
uint32_t floor_book_next(const floor_book_t *book, uint8_t side, uint32_t ref, int64_t *price);

#endif
