/* lock: one process at a time. A file that is locked for as long as its holder lives, and says who
 * it is; the kernel frees it however the holder ends. */
#ifndef OUTCRY_BASE_LOCK_H
#define OUTCRY_BASE_LOCK_H

#include "base/status.h"

/* Take the lock, for the life of the process. The file is made if need be, and holds our pid.
 * Errors: STATUS_IN_USE  another process has it: *holder is its pid.
 *         STATUS_IO      errno says why. */
enum status lock_take(const char *file, int *holder);

#endif
