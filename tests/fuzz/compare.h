/* compare: the engine beside the reference, and beside what must always be true of a book.
 *
 * Two reaches: after every command what it did and where all books stand; now and then everything
 * that can be read at all: each level, each order, each list. */
#ifndef OUTCRY_FUZZ_COMPARE_H
#define OUTCRY_FUZZ_COMPARE_H

#include "engine/engine.h"
#include "tests/fuzz/reference.h"

/* The first difference that was found, in words; empty: none. */
struct difference {
    char text[400];
};

__attribute__((format(printf, 2, 3))) void differ(struct difference *d, const char *format, ...);

/* Whether the two would let a command in, and the first results they give. */
void compare_admission(struct difference *d, const struct admission_answer *engine,
                       const struct reference_answer *reference);

/* Result, events, work that waits, and of each book marks, hashes and best prices. */
void compare_command(struct difference *d, const engine_t *e, const struct reference *r);

/* Symbols, books, accounts and orders, whole. */
void compare_all(struct difference *d, engine_t *e, const struct reference *r);

/* The lots by which the events of the last command made the sum of all open orders larger. */
wide_t compare_entered(const engine_t *e);

/* That sum, by a walk over all accounts. */
wide_t compare_open(const engine_t *e);

#endif
