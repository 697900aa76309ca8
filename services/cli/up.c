#include "cli/up.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/fetch.h"
#include "cli/reader.h"
#include "cli/rest.h"
#include "cli/supervisor.h"
#include "node/host.h"
#include "strategy/strategy_spec.h"

enum {
    FLAGS_MAX = 80, /* of the command line, handed to every child */
    PATIENCE_S = 15,
    REST_S = 5,
    LOOK_MS = 50,
};

static const char usage[] =
    "usage: outcry up [--rate N] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Starts the cluster of the configuration (four demo symbols on two shards if there is none)\n"
    "on this machine: the matchers, their followers, market data, a gateway, a gentle flow of\n"
    "orders, N a second (20, 0: none), and the strategies that are configured. What dies is\n"
    "started again, and told here. Ctrl-C stops it all, in order; a second one kills what is\n"
    "left.\n"
    "\n"
    "  outcry up\n"
    "  outcry up --rate 0 --run-dir /tmp/other --market-data-address tcp://127.0.0.1:6000 \\\n"
    "            --market-data-requests-address tcp://127.0.0.1:6001 \\\n"
    "            --gateway-address 127.0.0.1:8010 --admin-address 127.0.0.1:8011\n";

/* In which order they are stopped: who has orders of its own to take off, who sends others', who
 * serves people, who serves readers, then the writers of history. A follower outlives its matcher:
 * up to the last batch it answers what would hold the matcher up, takes its snapshots, and lets the
 * journal's old files go. */
enum { TURN_STRATEGY, TURN_FLOW, TURN_GATEWAY, TURN_MARKET_DATA, TURN_MATCHER, TURN_FOLLOWER };

/* What runs besides the cluster. */
struct traders {
    uint64_t rate;       /* of simulated orders; 0: none */
    unsigned strategies; /* configured */
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal)
{
    (void)signal;
    stop_requested++;
}

/* Asked twice. */
static bool in_a_hurry(void)
{
    return stop_requested > 1;
}

/* Every symbol's topic is complete at a reader, as anybody's would be, and the gateway serves. A
 * matcher may have a long journal to read, so this takes as long as it takes; false: one of them
 * cannot start, or we are asked to stop. */
static bool wait_until_ready(const struct cluster *c, supervisor_t *s, char *error)
{
    static char names[CLUSTER_SYMBOLS_MAX][TOPIC_SIZE_MAX + 1];
    static const char *topics[CLUSTER_SYMBOLS_MAX];
    struct rest_gateway gateway;
    for (unsigned i = 0; i < c->symbol_count; i++) {
        snprintf(names[i], sizeof names[i], "bbo.%s", c->symbols[i].name);
        topics[i] = names[i];
    }
    reader_t *reader =
        reader_open(c, &(struct subscriber_owner){.self = NULL}, topics, c->symbol_count, error);
    if (reader == NULL)
        return false;
    uint64_t told_ns = clock_monotonic_ns();
    bool ready = false, hopeless = false;
    rest_gateway(c, &gateway);
    while (!ready && !hopeless && !stop_requested) {
        reader_poll(reader, 50);
        uint64_t now_ns = clock_monotonic_ns();
        hopeless = !supervisor_tend(s, now_ns);
        ready = !hopeless && subscriber_all_live(reader_subscriber(reader)) && rest_ready(&gateway);
        if (!ready && now_ns >= told_ns + PATIENCE_S * NS_PER_SECOND) {
            told_ns = now_ns;
            fprintf(stderr,
                    "outcry up: not ready yet; a matcher with a long journal takes its time (%s/"
                    "*.log)\n",
                    c->settings.run_dir);
        }
    }
    reader_close(&reader);
    snprintf(error, ENDPOINT_ERROR_SIZE, "stopping the rest");
    return ready;
}

/* Whether each that tells where it is says that it is ready. */
static bool all_ready(const struct cluster *c)
{
    enum { ANSWER_MS = 500 };
    static struct targets targets;
    static struct fetched answers[TARGETS_MAX];
    bool ready = true;
    targets_find(&targets, c->settings.run_dir);
    fetch_all(&targets, "/readyz", ANSWER_MS, answers);
    for (unsigned i = 0; i < targets.count; i++)
        ready = ready && answers[i].status == 200;
    fetch_free(answers, targets.count);
    return ready;
}

/* What trading can do without, followers above all: they get a moment, so that who looks at once
 * finds all well. */
static void wait_for_the_rest(const struct cluster *c, supervisor_t *s)
{
    uint64_t give_up_ns = clock_monotonic_ns() + REST_S * NS_PER_SECOND;
    while (!stop_requested && !all_ready(c) && clock_monotonic_ns() < give_up_ns) {
        supervisor_tend(s, clock_monotonic_ns());
        usleep(LOOK_MS * 1000);
    }
}

static void print_journal(const struct cluster *c)
{
    char directory[CLUSTER_ADDRESS_SIZE];
    static const char *const promises[] = {
        [JOURNAL_MODE_SYNC] = "an order is acknowledged when it is on disk",
        [JOURNAL_MODE_ASYNC] = "an order is on disk up to 100 ms after it is acknowledged",
    };
    enum journal_mode mode = settings_journal_mode(&c->settings);
    cluster_journal_directory(c, 0, directory);
    *strrchr(directory, '/') = '\0';
    if (mode == JOURNAL_MODE_NONE)
        printf("  journal         none: nothing is kept; every start is a new history\n");
    else
        printf("  journal         %s   (%s: %s)\n", directory, c->settings.journal_mode,
               promises[mode]);
}

static void print_where_to_look(const struct cluster *c, const struct traders *t)
{
    char address[CLUSTER_ADDRESS_SIZE];
    struct rest_gateway gateway;
    rest_gateway(c, &gateway);
    cluster_address(c, c->settings.market_data_address, 0, address);
    printf("Outcry is up: %llu shard%s, %u symbol%s:", (unsigned long long)c->settings.shards,
           c->settings.shards == 1 ? "" : "s", c->symbol_count, c->symbol_count == 1 ? "" : "s");
    for (unsigned i = 0; i < c->symbol_count && i < 8; i++)
        printf(" %s", c->symbols[i].name);
    printf("%s\n\n", c->symbol_count > 8 ? " ..." : "");
    printf("  watch trades    ./outcry tape trade.%s\n", c->symbols[0].name);
    printf("  watch a book    ./outcry book %s\n", c->symbols[0].name);
    printf("  place an order  ./outcry order buy 1 %s 100\n", c->symbols[0].name);
    printf("  REST            %s   (curl -s %s%s%s%s/health)\n", gateway.url,
           gateway.certificate[0] == '\0' ? "" : "--cacert ", gateway.certificate,
           gateway.certificate[0] == '\0' ? "" : " ", gateway.url);
    printf("  market data     %s   (ZeroMQ SUB; README.md, \"A first subscriber\")\n", address);
    print_journal(c);
    printf("  logs            %s/*.log\n", c->settings.run_dir);
    if (t->rate > 0)
        printf("  orders          %llu a second from `outcry simulate`\n",
               (unsigned long long)t->rate);
    if (t->strategies > 0)
        printf("  strategies      %u   (%s/strategy.log)\n", t->strategies, c->settings.run_dir);
    printf("\nCtrl-C stops it.\n");
    fflush(stdout);
}

static bool start(supervisor_t *s, const struct supervised *what)
{
    return supervisor_start(s, what, clock_monotonic_ns());
}

/* A matcher and, if it keeps a journal, its follower. */
static bool start_shard(const struct cluster *c, supervisor_t *s, unsigned shard)
{
    char number[16], matcher[32], follower[32];
    snprintf(number, sizeof number, "%u", shard);
    snprintf(matcher, sizeof matcher, "matcher-%u", shard);
    snprintf(follower, sizeof follower, "follower-%u", shard);
    const struct supervised matches = {
        matcher, TURN_MATCHER, {"outcry-matcher", "--shard", number}};
    const struct supervised follows = {
        follower, TURN_FOLLOWER, {"outcry-matcher", "--shard", number, "--follow"}};
    return start(s, &matches) &&
           (settings_journal_mode(&c->settings) == JOURNAL_MODE_NONE || start(s, &follows));
}

static bool start_cluster(const struct cluster *c, supervisor_t *s)
{
    static const struct supervised market_data = {
        "market-data", TURN_MARKET_DATA, {"outcry-market-data"}};
    static const struct supervised gateway = {"gateway", TURN_GATEWAY, {"outcry-gateway"}};
    for (unsigned shard = 0; shard < c->settings.shards; shard++) {
        if (!start_shard(c, s, shard))
            return false;
    }
    return start(s, &market_data) && start(s, &gateway);
}

/* Orders, for which the cluster must be ready. */
static bool start_traders(supervisor_t *s, const struct traders *t)
{
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)t->rate);
    const struct supervised flow = {
        "simulate", TURN_FLOW, {"outcry", "simulate", "--rate", number}};
    const struct supervised strategies = {"strategy", TURN_STRATEGY, {"outcry-strategy"}};
    return (t->rate == 0 || start(s, &flow)) &&
           (t->strategies == 0 || supervisor_start_task(s, &strategies, clock_monotonic_ns()));
}

/* The configuration file and settings of our command line, as the children are to have them. */
static int keep_flags(char **flags, int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rate") == 0)
            i++;
        else if (count < FLAGS_MAX)
            flags[count++] = argv[i];
    }
    return count;
}

static int run(const struct cluster *c, supervisor_t *s, const struct traders *t)
{
    char error[ENDPOINT_ERROR_SIZE] = "not every process could be started; stopping the rest";
    bool ready = start_cluster(c, s) && wait_until_ready(c, s, error) && start_traders(s, t);
    supervisor_begun(s);
    if (ready) {
        wait_for_the_rest(c, s);
        print_where_to_look(c, t);
    } else if (!stop_requested) {
        fprintf(stderr, "outcry up: %s\n", error);
    }
    while (ready && !stop_requested) {
        supervisor_tend(s, clock_monotonic_ns());
        usleep(LOOK_MS * 1000);
    }
    bool well = supervisor_stop(s, in_a_hurry);
    printf("Outcry has stopped.\n");
    return ready && well ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* How many strategies are configured; a mistake in one of them exits 2, before anything runs. */
static unsigned count_strategies(const struct cluster *c, const char *file)
{
    static struct strategy_spec specs[STRATEGIES_MAX];
    static char error[STRATEGY_SPEC_ERROR_SIZE];
    unsigned count = 0;
    if (file == NULL || strategy_specs_load(c, file, NULL, specs, STRATEGIES_MAX, &count, error))
        return count;
    fprintf(stderr, "outcry up: %s\n", error);
    exit(2);
}

int up_main(int argc, char **argv)
{
    static struct cluster cluster;
    static char *flags[FLAGS_MAX];
    int flag_count = keep_flags(flags, argc, argv);
    const char *file = cluster_config_file(argc, argv);
    host_load(&cluster, &argc, argv, usage);
    struct traders traders = {.rate = host_number_flag(&argc, argv, "--rate", 0, 100000, 20)};
    host_no_more_flags(argc, argv);
    if (cluster.symbol_count == 0) {
        fprintf(stderr, "outcry up: the configuration has no symbols\n");
        return 2;
    }
    traders.strategies = count_strategies(&cluster, file);
    strcpy(cluster.settings.log_destination, "stderr"); /* stdout is for whoever started us */
    host_enter(&cluster, "up");
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    supervisor_t *supervisor = supervisor_new(cluster.settings.run_dir, flags, flag_count);
    host_audit(&cluster, "up", LOG_FIELDS(LOG_TEXT("configuration", file)));
    int status = run(&cluster, supervisor, &traders);
    host_audit(&cluster, "down", LOG_FIELDS(LOG_I64("status", status)));
    supervisor_destroy(&supervisor);
    return status;
}
