/* scratch: a directory of a test's own, gone afterwards, and the current one meanwhile; and none of
 * the variables (OUTCRY_...) that settings are read from, neither before nor after. */
#ifndef OUTCRY_UNIT_BASE_SCRATCH_H
#define OUTCRY_UNIT_BASE_SCRATCH_H

/* cmocka's setup and teardown. The directory is under /tmp and short: sockets may stand in it. */
int scratch_open(void **state);
int scratch_close(void **state);

/* The directory's path. */
const char *scratch_path(void);

/* Write a file in it. */
void scratch_write(const char *name, const char *text);

#endif
