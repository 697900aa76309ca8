#include "cli/probe.h"

#include <stdlib.h>
#include <string.h>

#include "cli/fetch.h"
#include "node/host.h"

enum { TIMEOUT_MS = 2000 };

static const char usage[] =
    "usage: outcry probe [livez|readyz|startupz] [HOST:PORT] [--config FILE] [--SETTING VALUE "
    "...]\n"
    "\n"
    "Asks a service whether it is alive (livez, which is asked if nothing is said), ready or\n"
    "started; without an address, every service that tells its own in the run directory. The exit\n"
    "status is 0 if all say so within 2 s; else 1, with a line each that says which does not and\n"
    "why. For health checks: HEALTHCHECK CMD [\"outcry\", \"probe\"]\n"
    "\n"
    "  outcry probe\n"
    "  outcry probe readyz 127.0.0.1:8001\n";

static const char *const paths[] = {"livez", "readyz", "startupz"};

enum { PATH_COUNT = sizeof paths / sizeof paths[0] };

/* The probe that argv[1] names, taken out; livez if it names none. */
static const char *probe_of(int *argc, char **argv)
{
    for (int i = 0; *argc > 1 && i < PATH_COUNT; i++) {
        if (strcmp(argv[1], paths[i]) != 0)
            continue;
        memmove(&argv[1], &argv[2], (size_t)(*argc - 1) * sizeof argv[0]);
        --*argc;
        return paths[i];
    }
    return paths[0];
}

static void say_why(const struct target *t, const char *probe, const struct fetched *answer)
{
    char why[FETCH_WHY_SIZE];
    fetch_why(answer, why);
    fprintf(stderr, "outcry probe: %s: %s: %s\n", target_shown(t), probe, why);
}

static int probe_all(const struct targets *t, const char *probe)
{
    static struct fetched answers[TARGETS_MAX];
    char path[16];
    int status = EXIT_SUCCESS;
    snprintf(path, sizeof path, "/%s", probe);
    fetch_all(t, path, TIMEOUT_MS, answers);
    for (unsigned i = 0; i < t->count; i++) {
        if (answers[i].status == 200)
            continue;
        say_why(&t->at[i], probe, &answers[i]);
        status = EXIT_FAILURE;
    }
    fetch_free(answers, t->count);
    return status;
}

int probe_main(int argc, char **argv)
{
    static struct cluster cluster;
    static struct targets targets;
    const char *probe = probe_of(&argc, argv);
    const char *address = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    if (address != NULL && argc == 2) { /* needs no configuration */
        targets_of(&targets, "probe", &cluster, address);
        return probe_all(&targets, probe);
    }
    host_load(&cluster, &argc, argv, usage);
    host_no_more_flags(argc, argv);
    targets_of(&targets, "probe", &cluster, NULL);
    if (targets.count == 0) {
        fprintf(stderr,
                "outcry probe: no service tells where it is in %s/*.admin; is one running?\n",
                cluster.settings.run_dir);
        return EXIT_FAILURE;
    }
    return probe_all(&targets, probe);
}
