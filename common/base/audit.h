/* audit: the record of admin actions: who did what, to what, and what came of it.
 *
 *     {"time":"...","level":"info","module":"audit","event":"keys_rotate",
 *      "actor":"alice (uid 1000)","pid":4711,"name":"matcher","outcome":"done",...}
 *
 * A line of JSON each, appended with one write and on disk before audit_write returns; several
 * processes may share the file. Nothing of ours ever rotates or shortens it. What is recorded is
 * what an operator does to the cluster (starts and stops it, makes keys, restores a journal,
 * confirms a clock), never what clients do: that is in the journal. */
#ifndef OUTCRY_BASE_AUDIT_H
#define OUTCRY_BASE_AUDIT_H

#include "base/log.h"

enum { AUDIT_ACTOR_SIZE = 96 };

/* Append one line. path: the file; "none": nowhere. actor: who asked for it. BORROWS all.
 * Errors: STATUS_IO  it could not be written or synced; errno says why. */
enum status audit_write(const char *path, const char *action, const char *actor,
                        const struct log_field *fields);

/* Who runs this process, `NAME (uid N)`, and behind sudo, who called that as well. */
void audit_actor(char actor[AUDIT_ACTOR_SIZE]);

#endif
