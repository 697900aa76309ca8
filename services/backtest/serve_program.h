/* serve_program: the program a back-test is served to, as a process of its own. Thread: one. */
#ifndef OUTCRY_BACKTEST_SERVE_PROGRAM_H
#define OUTCRY_BACKTEST_SERVE_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

struct serve_program {
    pid_t pid; /* 0: none, or its end has been taken note of */
    int fd;    /* readable once it has ended; -1: none */
    int status;
};

/* argv: NULL at its end, found by PATH. variables: NAME=VALUE, NULL at their end, added to our own
 * environment. It is told to end when we do. False: there is no room for it; errno says. */
bool serve_program_start(struct serve_program *p, char *const *argv, char *const *variables);

/* Whether it has ended: p->status then is as a shell says it; 127: it could not be run, which it
 * has said. */
bool serve_program_ended(struct serve_program *p);

/* If it runs: tell it to end, wait a little, kill it. */
void serve_program_stop(struct serve_program *p);

#endif
