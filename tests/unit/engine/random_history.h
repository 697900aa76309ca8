/* random_history: the commands of a history that the fuzz's maker aims, one that may be sequenced
 * after the other: the limits, the symbols, then clients and the work they leave over. */
#ifndef OUTCRY_UNIT_ENGINE_RANDOM_HISTORY_H
#define OUTCRY_UNIT_ENGINE_RANDOM_HISTORY_H

#include "tests/fuzz/command_maker.h"

struct random_history {
    struct command_maker maker; /* .limits, and .time_ns of the command */
    struct reference *reference;
};

void random_history_open(struct random_history *h, uint64_t seed);
void random_history_close(struct random_history *h);

/* The next command; the reference is past it. */
struct command random_history_next(struct random_history *h);

#endif
