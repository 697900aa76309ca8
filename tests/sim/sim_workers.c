#include "tests/sim/sim_workers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

struct worker {
    pid_t pid;
    int orders;  /* it is told seeds here */
    int results; /* and tells what came of them here */
    bool busy;
    uint64_t seed;
};

/* ---- in the worker ---- */

static bool write_all(int fd, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const char *)bytes + done, size - done);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* False: the other end is gone. */
static bool read_all(int fd, void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)bytes + done, size - done);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static void run_seed(uint64_t seed, struct sim_result *result)
{
    struct sim_result again;
    sim_cluster_run(seed, false, result);
    if (seed % SIM_TWICE_EVERY != 0 || result->failure[0] != '\0')
        return;
    sim_cluster_run(seed, false, &again);
    if (again.digest != result->digest || again.now_ns != result->now_ns)
        snprintf(result->failure, sizeof result->failure,
                 "run twice it is not the same: digests %016" PRIx64 " and %016" PRIx64,
                 result->digest, again.digest);
}

_Noreturn static void work(int orders, int results, bool quiet)
{
    uint64_t seed;
    struct sim_result result;
    if (quiet)
        (void)!freopen("/dev/null", "w", stderr);
    while (read_all(orders, &seed, sizeof seed)) {
        run_seed(seed, &result);
        if (!write_all(results, &result, sizeof result))
            break;
    }
    exit(EXIT_SUCCESS);
}

/* ---- outside ---- */

static void worker_start(struct worker *w, bool quiet)
{
    int orders[2], results[2];
    CHECK(pipe2(orders, O_CLOEXEC) == 0 && pipe2(results, O_CLOEXEC) == 0);
    fflush(stdout);
    fflush(stderr);
    w->pid = fork();
    CHECK(w->pid >= 0);
    if (w->pid == 0) {
        close(orders[1]);
        close(results[0]);
        work(orders[0], results[1], quiet);
    }
    close(orders[0]);
    close(results[1]);
    w->orders = orders[1];
    w->results = results[0];
    w->busy = false;
}

static void worker_dismiss(struct worker *w)
{
    close(w->orders);
    close(w->results);
}

static int worker_wait(const struct worker *w)
{
    int status = 0;
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void worker_order(struct worker *w, uint64_t seed)
{
    w->seed = seed;
    w->busy = true;
    (void)write_all(w->orders, &seed, sizeof seed); /* one that is gone is seen when it is read */
}

/* What came of the seed it works on, or how it ended; then another takes its place. */
static void worker_collect(struct worker *w, bool quiet, struct sim_result *result)
{
    w->busy = false;
    if (read_all(w->results, result, sizeof *result))
        return;
    worker_dismiss(w); /* it has ended already */
    int status = worker_wait(w);
    *result = (struct sim_result){.seed = w->seed};
    if (WIFSIGNALED(status))
        snprintf(result->failure, sizeof result->failure, "the process was ended by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(result->failure, sizeof result->failure, "the process ended with status %d",
                 WEXITSTATUS(status));
    worker_start(w, quiet);
}

static void add(struct sim_totals *t, const struct sim_result *r)
{
    t->seeds++;
    t->commands += r->commands;
    t->virtual_ns += r->now_ns;
    t->twice += r->seed % SIM_TWICE_EVERY == 0;
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        t->faults[i] += r->faults[i];
    if (r->failure[0] == '\0')
        return;
    if (t->failures++ > 0)
        return;
    t->first_failed = r->seed;
    memcpy(t->first_failure, r->failure, sizeof t->first_failure);
}

static bool wants_more(const struct sim_plan *p, const struct sim_totals *t, uint64_t ordered,
                       uint64_t began_ns)
{
    if (p->until_failure && t->failures > 0)
        return false;
    return ordered < p->seeds || clock_monotonic_ns() - began_ns < p->minutes * 60 * NS_PER_SECOND;
}

void sim_workers_run(const struct sim_plan *p, struct sim_totals *totals,
                     void (*done)(const struct sim_totals *totals, const struct sim_result *result))
{
    struct worker workers[SIM_WORKERS];
    struct sim_result *result = calloc(1, sizeof *result);
    uint64_t ordered = 0, began_ns = clock_monotonic_ns();
    unsigned busy = 0;
    CHECK(result != NULL);
    signal(SIGPIPE, SIG_IGN);
    *totals = (struct sim_totals){0};
    for (unsigned i = 0; i < SIM_WORKERS; i++)
        worker_start(&workers[i], p->quiet);
    do {
        struct pollfd fds[SIM_WORKERS];
        for (unsigned i = 0; i < SIM_WORKERS; i++) {
            if (!workers[i].busy && wants_more(p, totals, ordered, began_ns)) {
                worker_order(&workers[i], p->first + ordered++);
                busy++;
            }
            fds[i] =
                (struct pollfd){.fd = workers[i].busy ? workers[i].results : -1, .events = POLLIN};
        }
        (void)poll(fds, SIM_WORKERS, busy > 0 ? -1 : 0);
        for (unsigned i = 0; i < SIM_WORKERS; i++) {
            if (!workers[i].busy || fds[i].revents == 0)
                continue;
            worker_collect(&workers[i], p->quiet, result);
            busy--;
            add(totals, result);
            done(totals, result);
        }
    } while (busy > 0 || wants_more(p, totals, ordered, began_ns));
    /* Each holds the ends of those started before it: all are told before any is waited for. */
    for (unsigned i = 0; i < SIM_WORKERS; i++)
        worker_dismiss(&workers[i]);
    for (unsigned i = 0; i < SIM_WORKERS; i++)
        (void)worker_wait(&workers[i]);
    free(result);
}
