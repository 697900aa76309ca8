/* admission: what whoever came through a guarded socket (bus/guard.h) may say to a matcher or its
 * follower. Nothing here is part of history: what is passed over was never heard.
 *
 *     commands   as an origin of his own: his name, or that and a dash before more; and, if he is
 *                for some accounts only, for these. A message is taken whole or not at all.
 *     requests   resends and snapshots by all, but what names accounts only by those who are for
 *                all; that the clock is right by operators; of a follower by followers, of a
 *                matcher by matchers
 *     answers    by followers: who else may connect is no one (node/access.h)
 *
 * What cannot be read is let through, to be counted as such. Thread: any. */
#ifndef OUTCRY_MATCHER_ADMISSION_H
#define OUTCRY_MATCHER_ADMISSION_H

#include "bus/guard.h"

bool admission_commands(const struct guard_sender *sender, const uint8_t *message, size_t size);
bool admission_requests(const struct guard_sender *sender, const uint8_t *message, size_t size);

#endif
