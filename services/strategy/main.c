/* outcry-strategy: wires the strategies of the configuration to the matchers of their symbols. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/host.h"
#include "node/node.h"
#include "proto/names.h"
#include "strategy/strategies.h"
#include "strategy/strategy_metrics.h"
#include "strategy/strategy_service.h"
#include "strategy/strategy_spec.h"

enum {
    FRAMES_BUDGET = 256,
    HOST_NAME_MAX_SIZE = ORIGIN_SIZE_MAX - 9, /* "strategy-" before it is an origin's name */
};

static const char usage[] =
    "usage: outcry-strategy [--config FILE] [--name HOST] [--only NAME] [--SETTING VALUE ...]\n"
    "       outcry-strategy --list\n"
    "\n"
    "Runs the strategies of the configuration's section `strategies`, or the one NAME, against "
    "the\n"
    "matchers, until they have ended or it is stopped (Ctrl-C): then it cancels what works. HOST\n"
    "(strategy) is its name: each of a cluster has its own. All it is told is kept in the "
    "directory\n"
    "strategy_inputs_dir; `outcry backtest --inputs FILE` makes that run again.\n"
    "\n"
    "Each life begins with the inventory that is configured, and cancels whatever an earlier one\n"
    "left working in the accounts. --list says what can be configured. `outcry settings` lists\n"
    "every setting.\n"
    "\n"
    "  outcry-strategy --config services/strategy/examples/maker.cfg\n"
    "  outcry-strategy --config venue.cfg --only maker-1 --name desk2\n"
    "\n"
    "Exit status: 0: ended, and nothing of it is left on a book; 1: it could not run, or orders\n"
    "may be left (the log says which); 2: a mistake in what it was told.\n";

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

_Noreturn static void refuse(const char *what)
{
    fprintf(stderr, "outcry-strategy: %s\n", what);
    exit(2);
}

/* ---- what it was told ---- */

/* A word of the program's own, taken out of argv; `otherwise` if it does not stand there. */
static const char *word_flag(int *argc, char **argv, const char *flag, const char *otherwise)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) != 0)
            continue;
        if (i + 1 == *argc) {
            fprintf(stderr, "outcry-strategy: %s: found nothing, expected a name after it\n", flag);
            exit(2);
        }
        const char *word = argv[i + 1];
        memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof argv[0]);
        *argc -= 2;
        return word;
    }
    return otherwise;
}

static void list(void)
{
    strategy_spec_print(stdout);
    for (unsigned i = 0; strategies_at(i) != NULL; i++) {
        const struct strategy_class *c = strategies_at(i);
        printf("\n%s: %s\n", c->name, c->summary);
        parameters_print(c->parameters, stdout);
    }
}

struct told {
    const char *name, *only;
    const char *file; /* of the configuration */
    struct strategy_spec specs[STRATEGIES_MAX];
    unsigned count;
};

/* Of each shard only so many commands may be on their way at once. */
static void check_window(const struct cluster *c, const struct told *t)
{
    char error[256];
    unsigned most = (unsigned)c->settings.origin_window / STRATEGY_WINDOW;
    for (unsigned shard = 0; shard < c->settings.shards; shard++) {
        unsigned count = 0;
        for (unsigned i = 0; i < t->count; i++)
            count += t->specs[i].symbol.shard == shard;
        if (count <= most)
            continue;
        snprintf(error, sizeof error,
                 "strategies on shard %u: found %u, expected at most %u: one has up to %d commands "
                 "on their way, and origin_window is %llu",
                 shard, count, most, STRATEGY_WINDOW,
                 (unsigned long long)c->settings.origin_window);
        refuse(error);
    }
}

static void read_strategies(const struct cluster *c, struct told *t)
{
    static char error[STRATEGY_SPEC_ERROR_SIZE];
    struct text name = text_of(t->name);
    if (name.size < 1 || name.size > HOST_NAME_MAX_SIZE || !name_is_plain(name)) {
        snprintf(error, sizeof error,
                 "--name: found \"%.80s\", expected 1 to %d of A-Z a-z 0-9 _ -", t->name,
                 HOST_NAME_MAX_SIZE);
        refuse(error);
    }
    if (t->file == NULL)
        refuse("found no configuration, expected --config FILE with a section `strategies`");
    if (!strategy_specs_load(c, t->file, t->only, t->specs, STRATEGIES_MAX, &t->count, error))
        refuse(error);
    if (t->count == 0) {
        snprintf(error, sizeof error,
                 "%.200s: found no strategies, expected a section `strategies`", t->file);
        refuse(error);
    }
    check_window(c, t);
}

/* ---- its files ---- */

/* NULL in *record: nothing is to be recorded. */
static bool open_record(const struct cluster *c, const struct told *t, uint64_t session,
                        inputs_recorder_t **record)
{
    char directory[CLUSTER_ADDRESS_SIZE], file[CLUSTER_ADDRESS_SIZE + 64];
    static char error[INPUTS_ERROR_SIZE];
    *record = NULL;
    if (strcmp(c->settings.strategy_inputs_dir, "none") == 0)
        return true;
    cluster_address(c, c->settings.strategy_inputs_dir, 0, directory);
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "outcry-strategy: cannot make the directory %s: %s\n", directory,
                strerror(errno));
        return false;
    }
    snprintf(file, sizeof file, "%s/%s-%llu.inputs", directory, t->name,
             (unsigned long long)session);
    *record = inputs_recorder_open(file, t->specs, t->count, session, error);
    if (*record == NULL)
        fprintf(stderr, "outcry-strategy: %s\n", error);
    else
        log_info("strategy", "records", LOG_TEXT("file", file), LOG_U64("session", session));
    return *record != NULL;
}

/* ---- its sockets ---- */

/* A matcher's publisher, where requests are answered on re.<reply>. */
static void *open_stream(node_t *n, const struct cluster *c, const char *name, const char *setting,
                         unsigned shard, const char *reply, char *error)
{
    char address[CLUSTER_ADDRESS_SIZE], topic[TOPIC_SIZE_MAX + 1];
    cluster_address(c, setting, shard, address);
    void *socket = node_open_input(n, ENDPOINT_SUB, name, address, FRAMES_BUDGET, error);
    if (socket == NULL)
        return NULL;
    endpoint_subscribe(socket, "hb");
    snprintf(topic, sizeof topic, "re.%s", reply);
    endpoint_subscribe(socket, topic);
    return socket;
}

static bool open_shard(node_t *n, const struct cluster *c, const struct told *t, unsigned shard,
                       const char *reply, const char *origin, char *error)
{
    const struct settings *settings = &c->settings;
    char address[CLUSTER_ADDRESS_SIZE], topic[TOPIC_SIZE_MAX + 1];
    void *public = open_stream(n, c, "public", settings->public_address, shard, reply, error);
    void *private = public == NULL ? NULL
                                   : open_stream(n, c, "private", settings->private_address, shard,
                                                 reply, error);
    if (private == NULL)
        return false;
    snprintf(topic, sizeof topic, "ack.%s", origin);
    endpoint_subscribe(private, topic);
    for (unsigned i = 0; i < t->count; i++) {
        if (t->specs[i].symbol.shard != shard)
            continue;
        snprintf(topic, sizeof topic, "l3.%s", t->specs[i].symbol.name);
        endpoint_subscribe(public, topic);
        snprintf(topic, sizeof topic, "acct.%s", t->specs[i].account);
        endpoint_subscribe(private, topic);
    }
    cluster_address(c, settings->commands_address, shard, address);
    if (node_open_output(n, ENDPOINT_PUSH, "commands", address, error) == NULL)
        return false;
    cluster_address(c, settings->requests_address, shard, address);
    return node_open_output(n, ENDPOINT_PUSH, "requests", address, error) != NULL;
}

static void write_line(void *self, const uint8_t *line, size_t size)
{
    (void)self;
    log_write((const char *)line, size);
}

/* In the order strategy_service.h numbers them. */
static bool open_all(node_t *n, const struct cluster *c, const struct told *t,
                     const strategy_service_t *s, const char *reply, const char *origin)
{
    char error[ENDPOINT_ERROR_SIZE];
    bool fine = node_guard(n, c, "strategy", error);
    for (unsigned i = 0; fine && i < strategy_service_shard_count(s); i++)
        fine = open_shard(n, c, t, strategy_service_shard(s, i), reply, origin, error);
    if (fine)
        node_open_neighbour(n, "log", NULL, write_line);
    else
        fprintf(stderr, "outcry-strategy: %s\n", error);
    return fine;
}

/* ---- running ---- */

static int run(node_t *n, const struct service *service, strategy_service_t *s,
               const struct told *t, admin_t *admin)
{
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    admin_started(admin);
    log_info("strategy", "started", LOG_TEXT("name", t->name), LOG_U64("strategies", t->count),
             LOG_U64("shards", strategy_service_shard_count(s)));
    while (!strategy_service_ended(s)) {
        if (stop_requested)
            strategy_service_stop(s, "it was told to stop");
        (void)node_cycle(n); /* without a journal there is nothing that can fail */
    }
    service->report(service->self); /* of the second that is not over */
    bool clean = strategy_service_clean(s);
    LOG_AT(clean ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "strategy", "stopped",
           LOG_TEXT("name", t->name), LOG_FLAG("clean", clean),
           LOG_TEXT("why", clean ? "nothing of it is left" : "orders may still work"));
    return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int host(const struct cluster *c, const struct told *t, const char *origin, uint64_t session,
                inputs_recorder_t *record, metrics_t *metrics, admin_t *admin)
{
    char reply[REPLY_SIZE + 1];
    host_random_reply(reply);
    strategy_service_t *s = strategy_service_new(&(struct strategy_service_options){
        .cluster = c,
        .specs = t->specs,
        .count = t->count,
        .origin = origin,
        .origin_epoch = session * NS_PER_SECOND,
        .session = session,
        .reply = reply,
        .record = record,
    });
    struct service service = strategy_service(s);
    node_t *n = node_new(&service, NULL, 0);
    strategy_metrics_t *told = strategy_metrics_new(s, metrics, admin);
    node_watch(n, &(struct node_watch){.metrics = metrics,
                                       .admin = admin,
                                       .report = strategy_metrics_report,
                                       .self = told});
    int status = open_all(n, c, t, s, reply, origin) ? run(n, &service, s, t, admin) : EXIT_FAILURE;
    node_destroy(&n);
    strategy_metrics_destroy(&told);
    strategy_service_destroy(&s);
    return status;
}

/* The same, looked at from outside. */
static int host_watched(const struct cluster *c, const struct told *t, const char *origin,
                        uint64_t session, inputs_recorder_t *record)
{
    char error[ADMIN_ERROR_SIZE];
    admin_t *admin;
    int status = EXIT_FAILURE;
    metrics_t *metrics = metrics_of_service("strategy");
    if (admin_open(&admin, c, origin, metrics, error))
        status = host(c, t, origin, session, record, metrics, admin);
    else
        fprintf(stderr, "outcry-strategy: %s\n", error);
    admin_close(&admin);
    metrics_destroy(&metrics);
    return status;
}

int main(int argc, char **argv)
{
    static struct cluster cluster;
    static struct told told;
    static char error[INPUTS_ERROR_SIZE];
    char origin[ORIGIN_SIZE_MAX + 1];
    inputs_recorder_t *record;
    told.file = cluster_config_file(argc, argv);
    host_load(&cluster, &argc, argv, usage);
    if (host_flag(&argc, argv, "--list")) {
        list();
        return EXIT_SUCCESS;
    }
    told.name = word_flag(&argc, argv, "--name", "strategy");
    told.only = word_flag(&argc, argv, "--only", NULL);
    host_no_more_flags(argc, argv);
    read_strategies(&cluster, &told);
    snprintf(origin, sizeof origin, "strategy-%s", told.name);
    host_enter(&cluster, origin);
    uint64_t session = host_session(&cluster, origin);
    if (!open_record(&cluster, &told, session, &record))
        return EXIT_FAILURE;
    int status = host_watched(&cluster, &told, origin, session, record);
    if (record != NULL && inputs_recorder_close(&record, error) != STATUS_OK)
        log_error("strategy", "not_recorded", LOG_TEXT("why", error));
    return status;
}
