/* decimal: exact decimals as text, to and from whole units (ticks, lots). No floating point. */
#ifndef OUTCRY_BASE_DECIMAL_H
#define OUTCRY_BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum decimal_read {
    DECIMAL_OK,
    DECIMAL_MALFORMED, /* not digits, at most one point between them, perhaps a minus before */
    DECIMAL_UNEVEN,    /* not a whole number of units */
    DECIMAL_TOO_LARGE, /* more than 18 digits on a side of the point, or units outside int64 */
};

/* How many units the text is: 100.25 in units of 0.05 is 2005. unit: a decimal above zero of at
 * most 18 digits on either side of its point. */
enum decimal_read decimal_to_units(const char *text, size_t size, const char *unit,
                                   size_t unit_size, int64_t *units);

#endif
