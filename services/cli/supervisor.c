#include "cli/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

enum {
    NAME_SIZE = 32,
    PATH_SIZE = 4096,
    PAUSE_MS = 100,
    PAUSE_MAX_MS = 10000,
    LONG_LIFE_MS = 30000,
    HOPELESS_ENDS = 3,  /* while it begins */
    REFUSED_STATUS = 2, /* a mistake in what it was told: the next try would make it again */
    STOP_MS = 10000,    /* a batch to finish and sync on a slow disk, a snapshot half written */
    LAST_WORDS_SIZE = 2000,
    FLAGS_MAX = 80,
};

struct child {
    char name[NAME_SIZE];
    unsigned turn;
    bool task;
    bool done; /* the task */
    char arguments[SUPERVISOR_ARGUMENTS_MAX][SUPERVISOR_ARGUMENT_SIZE];
    int argument_count;
    char log[PATH_SIZE];
    long log_from; /* where in it this life begins */
    pid_t pid;     /* 0: it does not run */
    uint64_t started_ns;
    uint64_t again_ns; /* when it is started again */
    uint64_t pause_ms; /* the last one; 0: none yet */
    unsigned ends;
};

struct supervisor {
    const char *directory;
    char *const *flags;
    int flag_count;
    char programs[PATH_SIZE]; /* where they are */
    struct child children[SUPERVISOR_CHILDREN_MAX];
    unsigned child_count;
    bool begun;
    bool hopeless;
};

supervisor_t *supervisor_new(const char *directory, char *const *flags, int flag_count)
{
    CHECK(flag_count <= FLAGS_MAX);
    supervisor_t *s = memory_new(1, sizeof *s, "a supervisor");
    ssize_t size = readlink("/proc/self/exe", s->programs, sizeof s->programs - 1);
    CHECK(size > 0);
    s->programs[size] = '\0';
    *strrchr(s->programs, '/') = '\0';
    s->directory = directory;
    s->flags = flags;
    s->flag_count = flag_count;
    return s;
}

void supervisor_destroy(supervisor_t **supervisor)
{
    memory_free(*supervisor, 1, sizeof **supervisor);
    *supervisor = NULL;
}

/* ---- starting ---- */

/* Become the program; all it says goes to its log, to which it may append by another way as well
 * (log_destination). Asked to end with us, however we end. */
_Noreturn static void become(const supervisor_t *s, const struct child *c)
{
    char path[PATH_SIZE + SUPERVISOR_ARGUMENT_SIZE + 1];
    char *argv[SUPERVISOR_ARGUMENTS_MAX + FLAGS_MAX + 1];
    int argc = 0;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0); /* the terminal's Ctrl-C is for us; they are stopped in order */
    int log = open(c->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log >= 0 && null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    for (; argc < c->argument_count; argc++)
        argv[argc] = (char *)(uintptr_t)c->arguments[argc]; /* execv leaves them as they are */
    for (int i = 0; i < s->flag_count; i++)
        argv[argc++] = s->flags[i];
    argv[argc] = NULL;
    snprintf(path, sizeof path, "%s/%s", s->programs, argv[0]);
    execv(path, argv);
    fprintf(stderr, "cannot start %s: %s\n", path, strerror(errno));
    _exit(127);
}

/* What comes to an end is not started again at once, and later each time. */
static void pause_child(struct child *c, uint64_t now_ns)
{
    bool long_life = c->pause_ms == 0 || now_ns >= c->started_ns + LONG_LIFE_MS * NS_PER_MS;
    uint64_t longer_ms = 2 * c->pause_ms < PAUSE_MAX_MS ? 2 * c->pause_ms : PAUSE_MAX_MS;
    c->pause_ms = long_life ? PAUSE_MS : longer_ms;
    c->again_ns = now_ns + c->pause_ms * NS_PER_MS;
}

static void find_end_of_log(struct child *c)
{
    struct stat found;
    c->log_from = stat(c->log, &found) == 0 ? (long)found.st_size : 0;
}

/* Signals wait meanwhile: one that came between fork and exec would be taken by a copy of us. */
static bool run(const supervisor_t *s, struct child *c, uint64_t now_ns)
{
    sigset_t all, before;
    sigfillset(&all);
    find_end_of_log(c);
    c->started_ns = now_ns;
    fflush(NULL); /* or the copy would say it again */
    sigprocmask(SIG_BLOCK, &all, &before);
    c->pid = fork();
    if (c->pid == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        become(s, c);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (c->pid > 0)
        return true;
    c->pid = 0;
    pause_child(c, now_ns);
    fprintf(stderr, "outcry up: cannot start %s: %s\n", c->name, strerror(errno));
    return false;
}

bool supervisor_start(supervisor_t *s, const struct supervised *what, uint64_t now_ns)
{
    CHECK(s->child_count < SUPERVISOR_CHILDREN_MAX);
    struct child *c = &s->children[s->child_count++];
    snprintf(c->name, sizeof c->name, "%s", what->name);
    snprintf(c->log, sizeof c->log, "%s/%s.log", s->directory, what->name);
    c->turn = what->turn;
    for (; what->arguments[c->argument_count] != NULL; c->argument_count++)
        snprintf(c->arguments[c->argument_count], SUPERVISOR_ARGUMENT_SIZE, "%s",
                 what->arguments[c->argument_count]);
    (void)unlink(c->log); /* of another supervisor, if there was one */
    return run(s, c, now_ns);
}

bool supervisor_start_task(supervisor_t *s, const struct supervised *what, uint64_t now_ns)
{
    bool started = supervisor_start(s, what, now_ns);
    s->children[s->child_count - 1].task = true;
    return started;
}

/* ---- ending ---- */

/* The end of a child's log, if it is of this life. */
static void print_last_words(const struct child *c)
{
    char words[LAST_WORDS_SIZE + 1];
    size_t size = 0;
    FILE *f = fopen(c->log, "r");
    if (f != NULL && fseek(f, 0, SEEK_END) == 0) {
        long end = ftell(f);
        long from = end - LAST_WORDS_SIZE > c->log_from ? end - LAST_WORDS_SIZE : c->log_from;
        if (from <= end && fseek(f, from, SEEK_SET) == 0)
            size = fread(words, 1, LAST_WORDS_SIZE, f);
    }
    if (f != NULL)
        fclose(f);
    words[size] = '\0';
    fprintf(stderr, "its last words (%s):\n%s%s", c->log, size == 0 ? "none" : words,
            size == 0 || words[size - 1] != '\n' ? "\n" : "");
}

static void print_end(const struct child *c, pid_t pid, int status)
{
    if (WIFSIGNALED(status))
        fprintf(stderr, "outcry up: %s (process %d) was ended by signal %d (%s); ", c->name,
                (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        fprintf(stderr, "outcry up: %s (process %d) ended with status %d; ", c->name, (int)pid,
                WEXITSTATUS(status));
}

static void on_end(supervisor_t *s, struct child *c, int status, uint64_t now_ns)
{
    bool refused = WIFEXITED(status) && WEXITSTATUS(status) == REFUSED_STATUS;
    pid_t pid = c->pid;
    c->pid = 0;
    c->done = c->task && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (c->done) {
        fprintf(stderr, "outcry up: %s (process %d) has done what it was to do (%s)\n", c->name,
                (int)pid, c->log);
        return;
    }
    c->ends++;
    pause_child(c, now_ns);
    print_end(c, pid, status);
    if (!s->begun && (refused || c->ends >= HOPELESS_ENDS))
        s->hopeless = true;
    else
        fprintf(stderr, "it is started again in %.1f s; ", (double)c->pause_ms / 1000);
    print_last_words(c);
}

static struct child *child_find(supervisor_t *s, pid_t pid)
{
    for (unsigned i = 0; i < s->child_count; i++) {
        if (s->children[i].pid == pid)
            return &s->children[i];
    }
    return NULL;
}

bool supervisor_tend(supervisor_t *s, uint64_t now_ns)
{
    int status;
    pid_t pid;
    while (!s->hopeless && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *c = child_find(s, pid);
        if (c != NULL)
            on_end(s, c, status, now_ns);
    }
    for (unsigned i = 0; i < s->child_count && !s->hopeless; i++) {
        struct child *c = &s->children[i];
        if (c->pid == 0 && !c->done && now_ns >= c->again_ns && run(s, c, now_ns))
            fprintf(stderr, "outcry up: %s is started again (process %d)\n", c->name, (int)c->pid);
    }
    return !s->hopeless;
}

void supervisor_begun(supervisor_t *s)
{
    s->begun = true;
}

/* ---- stopping ---- */

/* Take note of those that have ended; false if one did not end well. Before a program has come to
 * handle signals, the one to stop just ends it. */
static bool reap(supervisor_t *s)
{
    int status;
    pid_t pid;
    bool well = true;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *c = child_find(s, pid);
        if (c == NULL)
            continue;
        c->pid = 0;
        if (WIFSIGNALED(status) ? WTERMSIG(status) == SIGTERM : WEXITSTATUS(status) == 0)
            continue;
        print_end(c, pid, status);
        print_last_words(c);
        well = false;
    }
    return well;
}

/* How many of a turn still run; each of them is sent the signal, unless it is 0. */
static unsigned signal_turn(const supervisor_t *s, unsigned turn, int number)
{
    unsigned count = 0;
    for (unsigned i = 0; i < s->child_count; i++) {
        const struct child *c = &s->children[i];
        if (c->pid == 0 || c->turn != turn)
            continue;
        count++;
        if (number != 0)
            kill(c->pid, number);
        if (number == SIGKILL)
            fprintf(stderr, "outcry up: %s does not stop; killing it\n", c->name);
    }
    return count;
}

static bool stop_turn(supervisor_t *s, unsigned turn, bool (*hurry)(void))
{
    bool well = true, killed = false;
    signal_turn(s, turn, SIGTERM);
    uint64_t give_up_ns = clock_monotonic_ns() + STOP_MS * NS_PER_MS;
    while (signal_turn(s, turn, 0) > 0) {
        if (!killed && (hurry() || clock_monotonic_ns() > give_up_ns)) {
            signal_turn(s, turn, SIGKILL);
            killed = true;
        }
        usleep(5000);
        well = reap(s) && well;
    }
    return well;
}

bool supervisor_stop(supervisor_t *s, bool (*hurry)(void))
{
    bool well = true;
    unsigned last = 0;
    for (unsigned i = 0; i < s->child_count; i++)
        last = s->children[i].turn > last ? s->children[i].turn : last;
    for (unsigned turn = 0; turn <= last; turn++)
        well = stop_turn(s, turn, hurry) && well;
    return well;
}
