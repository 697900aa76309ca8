/* history: the last commands of a run, to be printed when something is wrong. */
#ifndef OUTCRY_FUZZ_HISTORY_H
#define OUTCRY_FUZZ_HISTORY_H

#include <stdio.h>

#include "proto/command.h"

enum { HISTORY_MAX = 40 };

struct history_entry {
    uint64_t number;  /* of the command in the whole fuzz */
    uint64_t seq;     /* 0: it was not sequenced */
    uint64_t time_ns; /* when */
    struct command command;
};

struct history {
    struct history_entry entries[HISTORY_MAX];
    uint64_t count;
};

/* The texts of the command are BORROWED until the history is cleared. */
void history_add(struct history *h, const struct history_entry *entry);
void history_clear(struct history *h);

/* One line a command, oldest first. */
void history_print(const struct history *h, FILE *out);

#endif
