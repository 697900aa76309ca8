/* supervisor: programs that are to run, and are started again when they end.
 *
 *     start ─> it runs ─> it ends, which is told on stderr ─> a pause ─> it runs again ...
 *     stop:  turn by turn, in order; nothing is started any more
 *
 * A pause is 100 ms, and twice the last one up to 10 s if the program did not live 30 s: what
 * cannot start is tried for ever, and costs nothing. Not so while the whole begins: there, one that
 * refuses what it was told (status 2), or ends for the third time, is hopeless, and whoever started
 * it hears why at once. A task that ends well is done.
 *
 * All a program says goes into a log of its own, <name>.log, new with each supervisor and appended
 * to by each of the program's lives. However the supervisor's process ends, its programs are asked
 * to. Thread: the process's first, the only one. */
#ifndef OUTCRY_CLI_SUPERVISOR_H
#define OUTCRY_CLI_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct supervisor supervisor_t;

enum { SUPERVISOR_CHILDREN_MAX = 136, SUPERVISOR_ARGUMENTS_MAX = 6, SUPERVISOR_ARGUMENT_SIZE = 32 };

/* directory: where the logs go. flags: arguments each program has behind its own. KEEPS both. */
supervisor_t *supervisor_new(const char *directory, char *const *flags, int flag_count);
void supervisor_destroy(supervisor_t **s);

/* What is to run. */
struct supervised {
    const char *name; /* less than 32 bytes, no other's */
    unsigned turn;    /* those of turn 0 are stopped first, then those of 1, ... */
    /* The program, which lies where ours does, and its arguments; up to the first NULL. */
    const char *arguments[SUPERVISOR_ARGUMENTS_MAX + 1];
};

/* Start it. False, and said so, if the system has no room for it. */
bool supervisor_start(supervisor_t *s, const struct supervised *what, uint64_t now_ns);

/* The same, of one that has an end of its own: ended well (status 0), it is not started again. */
bool supervisor_start_task(supervisor_t *s, const struct supervised *what, uint64_t now_ns);

/* Tell what has ended, start again what is due; call it often. False, while it begins: one of them
 * is hopeless. */
bool supervisor_tend(supervisor_t *s, uint64_t now_ns);

/* It has begun: from now on nothing is hopeless. */
void supervisor_begun(supervisor_t *s);

/* Stop all, those of one turn at once, and wait for them; what does not stop in time is killed, as
 * is everything when `hurry` says so. False if one of them did not end well. */
bool supervisor_stop(supervisor_t *s, bool (*hurry)(void));

#endif
