/* decimal: exact decimals as text, to and from whole units (ticks, lots). No floating point. */
#ifndef OUTCRY_BASE_DECIMAL_H
#define OUTCRY_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 wide_t;
__extension__ typedef unsigned __int128 uwide_t;

enum {
    DECIMAL_SIDE_DIGITS_MAX = 18, /* on either side of the point */
    DECIMAL_TEXT_SIZE = 64,       /* of all text written here: 58 digits, sign, point, NUL */
    DECIMAL_RATIO_DIGITS = 8,     /* of a ratio, beyond the unit's own */
};

/* What one tick or lot is worth: digits x 10^-scale. */
struct decimal_unit {
    uint64_t digits; /* above 0 */
    unsigned scale;  /* 0..18: digits behind the point, as its text has them */
};

enum decimal_read {
    DECIMAL_OK,
    DECIMAL_MALFORMED, /* not digits, at most one point between them, perhaps a minus before */
    DECIMAL_UNEVEN,    /* not a whole number of units */
    DECIMAL_TOO_LARGE, /* more than 18 digits on a side of the point, or units outside int64 */
};

/* Read a unit: a decimal above zero whose digits are a number of 64 bits; false if it is not
 * one. */
bool decimal_unit_read(struct decimal_unit *unit, const char *text, size_t size);

/* How many units the text is: 100.25 in units of 0.05 is 2005. */
enum decimal_read decimal_to_units(const char *text, size_t size, const struct decimal_unit *unit,
                                   int64_t *units);

/* The text of so many units, with the unit's digits behind the point, always: 2005 units of 0.05
 * are 100.25, 2000 are 100.00. Its size without the NUL. */
size_t decimal_from_units(char text[DECIMAL_TEXT_SIZE], int64_t units,
                          const struct decimal_unit *unit);

/* The same for a sum of units that may be beyond int64; every sum has its text. */
size_t decimal_from_sum(char text[DECIMAL_TEXT_SIZE], wide_t units,
                        const struct decimal_unit *unit);

/* sum / count of units, as an average price is: the unit's digits behind the point, then up to
 * DECIMAL_RATIO_DIGITS more, cut there, without zeros at the end of those; no minus before what is
 * cut to 0. count: 1..2^127-1. The quotient fits int64. */
size_t decimal_ratio(char text[DECIMAL_TEXT_SIZE], wide_t sum, uwide_t count,
                     const struct decimal_unit *unit);

#endif
