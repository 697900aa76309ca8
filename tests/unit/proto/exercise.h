/* exercise: what must hold for any bytes at all; for the tests that flip and cut vectors, and for
 * the fuzzer. */
#ifndef OUTCRY_TESTS_EXERCISE_H
#define OUTCRY_TESTS_EXERCISE_H

#include <stdint.h>
#include <stdio.h>

/* Hand the bytes to every reader of proto/ and to the printer, which writes to `out`, and hold
 * them to their headers: nothing is read past the end (run it under ASan), a frame that was
 * accepted can be walked to its end without a fault, and what was read is the same when it is
 * written and read again, in no more bytes than its size_max. Aborts otherwise.
 *
 * BORROWS bytes. */
void exercise(const uint8_t *bytes, size_t size, FILE *out);

#endif
