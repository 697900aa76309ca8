/* outcry-sim: whole clusters, simulated from seeds.
 *
 *     outcry-sim --seeds N [--first S] [--minutes M]   N seeds from S on, and more for M minutes
 *     outcry-sim --seed X                              one seed, with a trace of what happens
 *     outcry-sim --planted NAME|all [--seeds N]        (outcry-sim-planted) is the bug found?
 *
 * A failure prints its seed, which gives the same run, to the byte, in every build. A kind of fault
 * that never fired is a failure too, but of few seeds (EXPECT_ALL_FROM). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/sim/planted.h"
#include "tests/sim/sim_workers.h"

enum { EXPECT_ALL_FROM = 300, SEEDS_DEFAULT = 500, PLANTED_SEEDS_DEFAULT = 300, BAR = 40 };

static const char usage[] =
    "usage: outcry-sim [--seeds N] [--first S] [--minutes M] | --seed X | --planted NAME|all\n";

struct options {
    struct sim_plan plan;
    uint64_t seed;
    bool one;
    const char *planted;
};

/* ---- many seeds ---- */

static uint64_t wanted;

static void show(const struct sim_totals *t, const struct sim_result *r)
{
    bool bar = isatty(STDERR_FILENO) && wanted > 0;
    if (bar)
        fprintf(stderr, "\r%*s\r", BAR + 40, "");
    if (r->failure[0] != '\0') {
        printf("FAILED seed %" PRIu64 " at %.6f s: %s\n", r->seed,
               (double)r->now_ns / (double)NS_PER_SECOND, r->failure);
        fflush(stdout);
    }
    if (!bar)
        return;
    uint64_t most = t->seeds > wanted ? t->seeds : wanted;
    int full = (int)(t->seeds * BAR / most);
    fprintf(stderr, "[%.*s%*s] %" PRIu64 " seeds, %" PRIu64 " failed", full,
            "########################################", BAR - full, "", t->seeds, t->failures);
}

/* False: one never fired. */
static bool show_faults(const struct sim_totals *t)
{
    bool all = true;
    printf("\n%12s  fault\n", "fired");
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++) {
        bool missing = t->faults[i] == 0 && t->seeds >= EXPECT_ALL_FROM;
        printf("%12" PRIu64 "  %s%s\n", t->faults[i], sim_fault_texts[i],
               missing ? "   NEVER: the simulator proves nothing about it" : "");
        all = all && !missing;
    }
    return all;
}

static int run_many(const struct options *o)
{
    struct sim_totals t;
    uint64_t began_ns = clock_monotonic_ns();
    wanted = o->plan.seeds;
    printf("seeds %" PRIu64 " to %" PRIu64 "%s\n", o->plan.first, o->plan.first + o->plan.seeds - 1,
           o->plan.minutes > 0 ? " and on" : "");
    sim_workers_run(&o->plan, &t, show);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\n");
    double seconds = (double)(clock_monotonic_ns() - began_ns) / (double)NS_PER_SECOND;
    bool all = show_faults(&t);
    printf("\n%" PRIu64 " seeds, %" PRIu64 " of them twice, %" PRIu64
           " failed; %.0f hours of virtual time, %" PRIu64 " commands; %.1f s, %.1f seeds/s\n",
           t.seeds, t.twice, t.failures, (double)t.virtual_ns / 3600.0 / (double)NS_PER_SECOND,
           t.commands, seconds, (double)t.seeds / seconds);
    if (t.failures > 0)
        printf("see one again: outcry-sim --seed %" PRIu64 "\n", t.first_failed);
    return t.failures == 0 && all ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- one seed ---- */

static int run_one(uint64_t seed)
{
    struct sim_result *r = calloc(1, sizeof *r);
    if (r == NULL)
        return EXIT_FAILURE;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sim_cluster_run(seed, true, r);
    printf("seed %" PRIu64 ": %.6f s of virtual time, %" PRIu64 " commands, digest %016" PRIx64
           "%s%s\n",
           seed, (double)r->now_ns / (double)NS_PER_SECOND, r->commands, r->digest,
           r->failure[0] == '\0' ? "" : ": FAILED: ", r->failure);
    int status = r->failure[0] == '\0' ? EXIT_SUCCESS : EXIT_FAILURE;
    free(r);
    return status;
}

/* ---- bugs that are there on purpose ---- */

#ifdef OUTCRY_PLANTED

static void show_nothing(const struct sim_totals *t, const struct sim_result *r)
{
    (void)t;
    (void)r;
}

static bool find_planted(const struct sim_plan *plan, const char *name)
{
    struct sim_totals t;
    struct sim_plan p = *plan;
    p.until_failure = true;
    p.quiet = true;
    (void)planted_select(name);
    sim_workers_run(&p, &t, show_nothing);
    bool found = t.failures > 0;
    if (found)
        printf("%-24s found by seed %" PRIu64 ": %.160s\n", name, t.first_failed, t.first_failure);
    else
        printf("%-24s NOT FOUND by %" PRIu64 " seeds: %s\n", name, t.seeds,
               planted_words(planted_bug));
    fflush(stdout);
    return found;
}

static int run_planted(const struct options *o)
{
    bool all = true;
    if (strcmp(o->planted, "all") != 0) {
        if (!planted_select(o->planted)) {
            fprintf(stderr, "outcry-sim: there is no bug '%s'\n", o->planted);
            return 2;
        }
        return find_planted(&o->plan, o->planted) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    for (unsigned bug = PLANTED_NONE + 1; bug < PLANTED_COUNT; bug++)
        all = find_planted(&o->plan, planted_name((enum planted)bug)) && all;
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}

#else

static int run_planted(const struct options *o)
{
    fprintf(stderr, "outcry-sim: --planted %s: bugs are only in outcry-sim-planted\n", o->planted);
    return 2;
}

#endif

/* ---- what is asked ---- */

static bool number_given(int argc, char **argv, int *at, const char *option, uint64_t *value)
{
    if (strcmp(argv[*at], option) != 0 || *at + 1 == argc)
        return false;
    char *end;
    *value = strtoull(argv[++*at], &end, 10);
    return *end == '\0' && end != argv[*at];
}

static bool read_options(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (number_given(argc, argv, &i, "--seeds", &o->plan.seeds) ||
            number_given(argc, argv, &i, "--first", &o->plan.first) ||
            number_given(argc, argv, &i, "--minutes", &o->plan.minutes))
            continue;
        if (number_given(argc, argv, &i, "--seed", &o->seed))
            o->one = true;
        else if (strcmp(argv[i], "--planted") == 0 && i + 1 < argc)
            o->planted = argv[++i];
        else
            return false;
    }
    if (o->plan.seeds == 0)
        o->plan.seeds = o->planted == NULL ? SEEDS_DEFAULT : PLANTED_SEEDS_DEFAULT;
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {.plan = {.first = 1}};
    if (!read_options(argc, argv, &o)) {
        fputs(usage, stderr);
        return 2;
    }
    log_set_level(LOG_LEVEL_ERROR);
#ifdef OUTCRY_PLANTED
    if (o.one && o.planted != NULL && !planted_select(o.planted))
        return 2;
#endif
    if (o.one)
        return run_one(o.seed);
    return o.planted != NULL ? run_planted(&o) : run_many(&o);
}
