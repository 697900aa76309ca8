#include "tests/unit/base/death.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

/* The child: no core file, and no sanitizer's or cmocka's handler between abort() and its end. */
_Noreturn static void child(int words, void (*act)(void *self), void *self)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGABRT, SIG_DFL);
    dup2(words, STDERR_FILENO);
    dup2(words, STDOUT_FILENO);
    act(self);
    _exit(EXIT_SUCCESS);
}

struct death death_of(void (*act)(void *self), void *self)
{
    struct death d = {.status = -1};
    int ends[2], status;
    size_t size = 0;
    ssize_t got;
    CHECK(pipe(ends) == 0);
    fflush(stdout); /* else the child would say it again */
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        child(ends[1], act, self);
    close(ends[1]);
    while ((got = read(ends[0], d.words + size, sizeof d.words - 1 - size)) > 0)
        size += (size_t)got;
    close(ends[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    d.aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    if (WIFEXITED(status))
        d.status = WEXITSTATUS(status);
    return d;
}
