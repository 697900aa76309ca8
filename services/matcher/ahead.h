/* ahead: the commands of one message, read a little before they are applied, so that the memory
 * each will touch is on its way when its turn comes. With a hundred thousand orders that is most of
 * what a cancel costs (bench/RESULTS.md).
 *
 * Reading ahead decides nothing: a command is the same whenever it is read, and one that is not
 * applied in this batch is read again in the next. */
#ifndef OUTCRY_MATCHER_AHEAD_H
#define OUTCRY_MATCHER_AHEAD_H

#include "engine/engine.h"

enum { AHEAD_MAX = 12 };

struct ahead_command {
    enum command_read read;
    struct command command; /* if read is COMMAND_READ_OK */
    const uint8_t *start;   /* where it stands in the message */
    size_t size;
};

struct ahead {
    struct ahead_command commands[AHEAD_MAX]; /* a ring */
    unsigned first, count;
    const uint8_t *at, *end; /* what is not read yet; at == end after what cannot be read */
};

/* BORROWS at..end until the last ahead_first. */
void ahead_begin(struct ahead *a, const uint8_t *at, const uint8_t *end);

/* The next command; NULL at the end of the message. */
const struct ahead_command *ahead_first(struct ahead *a, const engine_t *e);

/* Go on to the one behind it. */
void ahead_pop(struct ahead *a);

#endif
