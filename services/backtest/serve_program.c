#include "backtest/serve_program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

enum { NOT_RUN = 127, BY_SIGNAL = 128, STOP_MS = 3000 };

extern char **environ;

/* Whether an entry of the environment is one of the variables that take its place. */
static bool replaced(const char *entry, char *const *variables)
{
    size_t size = strcspn(entry, "=") + 1;
    for (; *variables != NULL; variables++) {
        if (strncmp(entry, *variables, size) == 0)
            return true;
    }
    return false;
}

static char **environment_with(char *const *variables)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    size_t more = 0;
    while (variables[more] != NULL)
        more++;
    char **made = calloc(count + more + 1, sizeof *made);
    CHECK(made != NULL);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!replaced(environ[i], variables))
            made[at++] = environ[i];
    }
    memcpy(made + at, variables, more * sizeof *made);
    return made;
}

/* In the process that is to be the program. */
static _Noreturn void become(char *const *argv, char **environment)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execvpe(argv[0], argv, environment);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(NOT_RUN);
}

bool serve_program_start(struct serve_program *p, char *const *argv, char *const *variables)
{
    char **environment = environment_with(variables);
    *p = (struct serve_program){.fd = -1};
    pid_t pid = fork();
    if (pid == 0)
        become(argv, environment);
    free(environment);
    if (pid < 0)
        return false;
    p->pid = pid;
    p->fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (p->fd >= 0)
        return true;
    int why = errno;
    serve_program_stop(p);
    errno = why;
    return false;
}

static void note_end(struct serve_program *p, int status)
{
    p->status = WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    p->pid = 0;
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

bool serve_program_ended(struct serve_program *p)
{
    int status;
    if (p->pid == 0 || waitpid(p->pid, &status, WNOHANG) != p->pid)
        return false;
    note_end(p, status);
    return true;
}

void serve_program_stop(struct serve_program *p)
{
    int status;
    if (p->pid == 0)
        return;
    struct pollfd end = {.fd = p->fd, .events = POLLIN};
    kill(p->pid, SIGTERM);
    if (p->fd < 0 || poll(&end, 1, STOP_MS) <= 0)
        kill(p->pid, SIGKILL);
    if (waitpid(p->pid, &status, 0) == p->pid)
        note_end(p, status);
}
