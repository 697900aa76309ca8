#include "node/host.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/audit.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "node/epoch.h"

_Noreturn static void leave(int status, const char *program, const char *message)
{
    fprintf(stderr, "%s: %s\n", program, message);
    exit(status);
}

static const char *program_of(char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    return slash == NULL ? argv[0] : slash + 1;
}

void host_load(struct cluster *c, int *argc, char **argv, const char *usage)
{
    char error[CONFIG_ERROR_SIZE];
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        }
    }
    if (!cluster_load(c, argc, argv, error))
        leave(2, program_of(argv), error);
}

uint64_t host_number_flag(int *argc, char **argv, const char *flag, uint64_t low, uint64_t high,
                          uint64_t otherwise)
{
    char message[256];
    uint64_t value = otherwise;
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) != 0)
            continue;
        if (i + 1 == *argc || !config_u64(argv[i + 1], low, high, &value)) {
            snprintf(message, sizeof message,
                     "%s: found \"%.80s\", expected a whole number from %llu to %llu", flag,
                     i + 1 == *argc ? "nothing" : argv[i + 1], (unsigned long long)low,
                     (unsigned long long)high);
            leave(2, program_of(argv), message);
        }
        memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof argv[0]);
        *argc -= 2;
        break;
    }
    return value;
}

bool host_flag(int *argc, char **argv, const char *flag)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) != 0)
            continue;
        memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof argv[0]);
        (*argc)--;
        return true;
    }
    return false;
}

void host_no_more_flags(int argc, char **argv)
{
    char message[256];
    if (argc <= 1)
        return;
    snprintf(message, sizeof message,
             "found \"%.100s\", expected a flag that is a setting (see --help)", argv[1]);
    leave(2, program_of(argv), message);
}

/* What cannot be opened is no reason not to trade: the log goes on at stderr. */
static void open_log(const struct cluster *c, const char *name)
{
    char destination[CLUSTER_ADDRESS_SIZE];
    struct log_options options = cluster_log_options(c, name, destination);
    if (log_open(&options) != STATUS_OK)
        log_error("log", "open_failed", LOG_TEXT("destination", destination),
                  LOG_TEXT("why", strerror(errno)));
    signal(SIGPIPE, SIG_IGN); /* nor is a log's reader that has gone away */
}

void host_enter(const struct cluster *c, const char *name)
{
    char file[SETTING_TEXT_SIZE + 64];
    char message[SETTING_TEXT_SIZE + 256];
    int holder = 0;
    if (mkdir(c->settings.run_dir, 0700) != 0 && errno != EEXIST) {
        snprintf(message, sizeof message, "cannot make the run directory %s: %s",
                 c->settings.run_dir, strerror(errno));
        leave(1, name, message);
    }
    snprintf(file, sizeof file, "%s/%s.lock", c->settings.run_dir, name);
    enum status status = lock_take(file, &holder);
    if (status == STATUS_OK) {
        open_log(c, name);
        check_prepare();
        return;
    }
    if (status == STATUS_IN_USE)
        snprintf(message, sizeof message,
                 "another %s already runs in %s (process %d); stop it, or choose another run_dir",
                 name, c->settings.run_dir, holder);
    else
        snprintf(message, sizeof message, "cannot lock %s: %s", file, strerror(errno));
    leave(1, name, message);
}

void host_audit(const struct cluster *c, const char *action, const struct log_field *fields)
{
    char path[CLUSTER_ADDRESS_SIZE], actor[AUDIT_ACTOR_SIZE];
    cluster_address(c, c->settings.audit_destination, 0, path);
    audit_actor(actor);
    if (strncmp(c->settings.audit_destination, "{run_dir}/", 10) == 0)
        (void)mkdir(c->settings.run_dir, 0700); /* a tool's may not be there yet */
    if (audit_write(path, action, actor, fields) != STATUS_OK)
        fprintf(stderr, "outcry: %s could not be recorded in %s: %s\n", action, path,
                strerror(errno));
}

uint64_t host_session(const struct cluster *c, const char *name)
{
    char file[SETTING_TEXT_SIZE + 64], message[SETTING_TEXT_SIZE + 256];
    uint64_t session;
    snprintf(file, sizeof file, "%s/%s.session", c->settings.run_dir, name);
    enum status status = epoch_next(file, clock_wall_ns() / NS_PER_SECOND, &session);
    if (status == STATUS_OK)
        status = epoch_keep(file, session);
    if (status == STATUS_OK)
        return session;
    snprintf(message, sizeof message, "cannot count its lives in %s: %s", file,
             status == STATUS_INVALID ? "it holds no number; remove it" : strerror(errno));
    leave(1, name, message);
}

uint64_t host_random(void)
{
    uint64_t number;
    CHECK(getrandom(&number, sizeof number, 0) == (ssize_t)sizeof number);
    return number;
}

void host_random_reply(char reply[33])
{
    snprintf(reply, 33, "%016llx%016llx", (unsigned long long)host_random(),
             (unsigned long long)host_random());
}
