/* standing: whether a matcher takes commands, as its heartbeats say it (enum standing), in the
 * words of people. */
#ifndef OUTCRY_GATEWAY_STANDING_H
#define OUTCRY_GATEWAY_STANDING_H

#include <stdint.h>

/* Its name; "unknown" if it has none here. */
const char *standing_text(uint64_t standing);

/* Why none are taken, and what helps; NULL: they are. */
const char *standing_why(uint64_t standing);

#endif
