/* sweep: see sweep.h. A child writes what became of its point into a pipe and ends without
 * returning, so that nothing of the parent's (buffers, handlers at exit) happens twice. What is in
 * the pipe is a struct of this very process's image, and two texts behind it. */
#include "backtest/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

/* What a child says: this, then `ended` with its NUL. */
struct told {
    bool well;
    struct result_figures figures; /* `described`: words, if it did not go well */
    size_t ended_size;
};

struct child {
    pid_t pid;
    int fd; /* -1: this place is free */
    unsigned point;
    char *bytes;
    size_t size, size_max;
};

struct sweep {
    const struct sweep_options *o;
    struct report_point *points;
    unsigned count, next, done;
    struct child *children;
    struct pollfd *polled;
    unsigned at_once, running;
};

/* ---- points ---- */

/* The values of a point: the last axis turns fastest. */
static void values_of(const struct sweep_options *o, unsigned point,
                      const char *values[SWEEP_AXES_MAX])
{
    for (unsigned i = o->axis_count; i-- > 0; point /= o->axes[i].count)
        values[i] = o->axes[i].values[point % o->axes[i].count];
}

static char *duplicate(const char *text)
{
    char *copy = strdup(text);
    CHECK(copy != NULL);
    return copy;
}

static void name_point(const struct sweep_options *o, unsigned index, struct report_point *point)
{
    const char *values[SWEEP_AXES_MAX];
    char text[SWEEP_AXES_MAX * (sizeof o->axes->name + SWEEP_VALUE_SIZE + 2)] = "";
    size_t size = 0;
    values_of(o, index, values);
    for (unsigned i = 0; i < o->axis_count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s=%s", i > 0 ? " " : "",
                                 o->axes[i].name, values[i]);
    point->values = duplicate(text);
    point->x = strtod(values[0], NULL);
}

/* How many there are; 0: too many. */
static unsigned count_points(const struct sweep_options *o)
{
    unsigned count = 1;
    for (unsigned i = 0; i < o->axis_count; i++) {
        CHECK(o->axes[i].count > 0 && o->axes[i].count <= SWEEP_POINTS_MAX);
        count *= o->axes[i].count;
        if (count > SWEEP_POINTS_MAX)
            return 0;
    }
    return count;
}

void sweep_free(struct report_point **points, unsigned count)
{
    for (unsigned i = 0; *points != NULL && i < count; i++) {
        free((char *)(*points)[i].values);
        free((char *)(*points)[i].figures.ended);
    }
    free(*points);
    *points = NULL;
}

/* ---- the child ---- */

static bool write_all(int fd, const void *bytes, size_t size)
{
    for (const char *at = bytes; size > 0;) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

_Noreturn static void run_point(const struct sweep_options *o, unsigned point, int fd)
{
    const char *values[SWEEP_AXES_MAX];
    char words[SWEEP_ERROR_SIZE] = "";
    struct told told;
    values_of(o, point, values);
    memset(&told, 0, sizeof told); /* what lies between its members goes into the pipe too */
    told.well = o->run(o->self, values, &told.figures, words);
    const char *ended = told.well && told.figures.ended != NULL ? told.figures.ended : "";
    if (!told.well)
        snprintf(told.figures.described, sizeof told.figures.described, "%s", words);
    told.ended_size = strlen(ended) + 1;
    bool written = write_all(fd, &told, sizeof told) && write_all(fd, ended, told.ended_size);
    _exit(written ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* ---- the parent ---- */

/* A child outlives its parent for no longer than the kernel needs to say so. */
static bool start(struct sweep *s, struct child *c)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    c->pid = fork();
    if (c->pid < 0) {
        int why = errno;
        close(ends[0]);
        close(ends[1]);
        errno = why;
        return false;
    }
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(EXIT_FAILURE);
        close(ends[0]);
        run_point(s->o, s->next, ends[1]);
    }
    close(ends[1]);
    c->fd = ends[0];
    c->point = s->next++;
    c->size = 0;
    s->running++;
    return true;
}

/* How it ended that said nothing whole. */
static void tell_death(struct report_point *p, int status)
{
    char *words = p->figures.described;
    if (WIFSIGNALED(status))
        snprintf(words, sizeof p->figures.described, "its process was ended by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(words, sizeof p->figures.described, "its process ended with status %d",
                 WEXITSTATUS(status));
}

static bool whole(const struct child *c, struct told *t)
{
    if (c->size < sizeof *t)
        return false;
    memcpy(t, c->bytes, sizeof *t);
    return c->size == sizeof *t + t->ended_size;
}

/* The pipe is at its end: the child has said all it will. */
static void finish(struct sweep *s, struct child *c)
{
    struct report_point *p = &s->points[c->point];
    struct told told;
    int status = 0;
    close(c->fd);
    c->fd = -1;
    while (waitpid(c->pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    s->running--;
    s->done++;
    if (!whole(c, &told)) {
        tell_death(p, status);
        p->figures.ended = duplicate("");
    } else {
        p->figures = told.figures;
        p->figures.spec = told.well ? s->o->spec : NULL;
        p->figures.ended = duplicate(c->bytes + sizeof told);
    }
    if (s->o->progress != NULL)
        s->o->progress(s->o->self, s->done, s->count);
}

/* What it has said since; at the end of its pipe it is finished. */
static void hear(struct sweep *s, struct child *c)
{
    if (c->size == c->size_max) {
        c->size_max = c->size_max == 0 ? 2 * sizeof(struct told) : 2 * c->size_max;
        c->bytes = realloc(c->bytes, c->size_max);
        CHECK(c->bytes != NULL);
    }
    ssize_t got = read(c->fd, c->bytes + c->size, c->size_max - c->size);
    if (got > 0)
        c->size += (size_t)got;
    else if (got == 0)
        finish(s, c);
    else
        CHECK(errno == EINTR);
}

static bool fill_places(struct sweep *s)
{
    for (unsigned i = 0; i < s->at_once && s->next < s->count; i++)
        if (s->children[i].fd < 0 && !start(s, &s->children[i]))
            return false;
    return true;
}

static void hear_all(struct sweep *s)
{
    for (unsigned i = 0; i < s->at_once; i++)
        s->polled[i] = (struct pollfd){.fd = s->children[i].fd, .events = POLLIN};
    if (poll(s->polled, s->at_once, -1) < 0) {
        CHECK(errno == EINTR);
        return;
    }
    for (unsigned i = 0; i < s->at_once; i++)
        if (s->polled[i].revents != 0)
            hear(s, &s->children[i]);
}

static void kill_all(struct sweep *s)
{
    for (unsigned i = 0; i < s->at_once; i++) {
        struct child *c = &s->children[i];
        if (c->fd < 0)
            continue;
        kill(c->pid, SIGKILL);
        close(c->fd);
        while (waitpid(c->pid, NULL, 0) < 0)
            CHECK(errno == EINTR);
    }
}

static unsigned processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static void begin(struct sweep *s, const struct sweep_options *o, unsigned count)
{
    *s = (struct sweep){.o = o, .count = count};
    s->at_once = o->at_once != 0 ? o->at_once : processors();
    if (s->at_once > count)
        s->at_once = count;
    s->points = calloc(count, sizeof *s->points);
    s->children = calloc(s->at_once, sizeof *s->children);
    s->polled = calloc(s->at_once, sizeof *s->polled);
    CHECK(s->points != NULL && s->children != NULL && s->polled != NULL);
    for (unsigned i = 0; i < count; i++)
        name_point(o, i, &s->points[i]);
    for (unsigned i = 0; i < s->at_once; i++)
        s->children[i].fd = -1;
}

static void end(struct sweep *s)
{
    for (unsigned i = 0; i < s->at_once; i++)
        free(s->children[i].bytes);
    free(s->children);
    free(s->polled);
}

enum status sweep_run(const struct sweep_options *o, struct report_point **points, unsigned *count,
                      char error[SWEEP_ERROR_SIZE])
{
    CHECK(o->axis_count > 0 && o->axis_count <= SWEEP_AXES_MAX);
    *points = NULL;
    *count = count_points(o);
    if (*count == 0) {
        snprintf(error, SWEEP_ERROR_SIZE, "the axes have more than %d points together",
                 SWEEP_POINTS_MAX);
        return STATUS_INVALID;
    }
    struct sweep s;
    begin(&s, o, *count);
    enum status status = STATUS_OK;
    fflush(NULL); /* or a child that prints would print the parent's words again */
    while (status == STATUS_OK && s.done < s.count) {
        if (fill_places(&s)) {
            hear_all(&s);
            continue;
        }
        snprintf(error, SWEEP_ERROR_SIZE, "a process for %s could not be made: %s",
                 s.points[s.next].values, strerror(errno));
        kill_all(&s);
        sweep_free(&s.points, s.count);
        status = STATUS_IO;
    }
    end(&s);
    *points = s.points;
    *count = s.points != NULL ? s.count : 0;
    return status;
}
