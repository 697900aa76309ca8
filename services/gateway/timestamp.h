/* timestamp: times as requests may give them. Pure. */
#ifndef OUTCRY_GATEWAY_TIMESTAMP_H
#define OUTCRY_GATEWAY_TIMESTAMP_H

#include "proto/wire.h"

/* RFC 3339 in UTC, "2026-11-21T02:10:00Z", with up to nine digits of a second; years 1970 to 2554.
 * Into Unix ns; false if it is not one. */
bool timestamp_read(struct text text, uint64_t *time_ns);

/* Microseconds since 1970, a whole number of at most 16 digits. */
bool timestamp_read_us(struct text text, uint64_t *time_ns);

#endif
