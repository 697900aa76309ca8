/* progress: a bar on the terminal for what takes long; nothing where stderr is not a terminal. */
#ifndef OUTCRY_CLI_PROGRESS_H
#define OUTCRY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what;
    uint64_t total;
    uint64_t start_ns;
    uint64_t drawn_ns;
    bool shown;
};

void progress_begin(struct progress *p, const char *what, uint64_t total);

/* `done` of the total; draws at most ten times a second. */
void progress_at(struct progress *p, uint64_t done);

/* Take the bar away. */
void progress_end(struct progress *p);

#endif
