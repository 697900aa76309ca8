#include "cli/up.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "cli/reader.h"
#include "cli/rest.h"
#include "node/host.h"

enum {
    CHILDREN_MAX = 80,
    FLAGS_MAX = 80, /* of the command line, handed to every child */
    READY_MS = 15000,
    STOP_MS = 5000,
    LAST_WORDS_SIZE = 2000,
};

static const char usage[] =
    "usage: outcry up [--rate N] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Starts the cluster of the configuration (four demo symbols on two shards if there is none) "
    "on\n"
    "this machine: the matchers, market data, a gateway, and a gentle flow of orders, N a second "
    "(20,\n"
    "0: none). Ctrl-C stops it all.\n"
    "\n"
    "  outcry up\n"
    "  outcry up --rate 0 --run-dir /tmp/other --market-data-address tcp://127.0.0.1:6000 \\\n"
    "            --market-data-requests-address tcp://127.0.0.1:6001 \\\n"
    "            --gateway-address 127.0.0.1:8010 --admin-address 127.0.0.1:8011\n";

struct child {
    char name[32];
    char log[SETTING_TEXT_SIZE + 48];
    pid_t pid; /* 0: it has ended */
};

struct up {
    struct cluster cluster;
    char directory[4096]; /* of the programs */
    char **flags;         /* settings of the command line */
    int flag_count;
    struct child children[CHILDREN_MAX];
    unsigned child_count;
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

/* ---- children ---- */

static void find_programs(struct up *u)
{
    ssize_t size = readlink("/proc/self/exe", u->directory, sizeof u->directory - 1);
    CHECK(size > 0);
    u->directory[size] = '\0';
    *strrchr(u->directory, '/') = '\0';
}

/* Become the program; all it says goes to its log, to which it may append by another way as well
 * (log_destination). Ends with us, however we end. */
_Noreturn static void become(const struct up *u, const struct child *c, char **argv)
{
    char path[4200];
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0); /* the terminal's Ctrl-C is for us; they are stopped in order */
    int log = open(c->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log >= 0 && null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    snprintf(path, sizeof path, "%s/%s", u->directory, argv[0]);
    execv(path, argv);
    fprintf(stderr, "cannot start %s: %s\n", path, strerror(errno));
    _exit(127);
}

/* Start a program under a name of its own, with its arguments and the flags we were given. */
static bool start(struct up *u, const char *name, const char *const *arguments)
{
    char *argv[FLAGS_MAX + 8];
    int argc = 0;
    for (; *arguments != NULL; arguments++)
        argv[argc++] = (char *)(uintptr_t)*arguments; /* execv leaves them as they are */
    for (int i = 0; i < u->flag_count; i++)
        argv[argc++] = u->flags[i];
    argv[argc] = NULL;

    CHECK(u->child_count < CHILDREN_MAX);
    struct child *c = &u->children[u->child_count++];
    char log[sizeof c->log];
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(log, sizeof log, "%s/%s.log", u->cluster.settings.run_dir, name);
    memcpy(c->log, log, sizeof log);
    c->pid = fork();
    if (c->pid == 0)
        become(u, c, argv);
    if (c->pid < 0) {
        fprintf(stderr, "outcry up: cannot start %s: %s\n", name, strerror(errno));
        c->pid = 0;
        return false;
    }
    return true;
}

/* The end of a child's log. */
static void print_last_words(const struct child *c)
{
    char words[LAST_WORDS_SIZE + 1];
    FILE *f = fopen(c->log, "r");
    if (f == NULL)
        return;
    if (fseek(f, -LAST_WORDS_SIZE, SEEK_END) != 0)
        rewind(f);
    size_t size = fread(words, 1, LAST_WORDS_SIZE, f);
    fclose(f);
    words[size] = '\0';
    fprintf(stderr, "its last words (%s):\n%s", c->log, size == 0 ? "none\n" : words);
}

/* A child that has ended, told in words; false if there is none. */
static bool child_ended(struct up *u)
{
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0)
        return false;
    for (unsigned i = 0; i < u->child_count; i++) {
        struct child *c = &u->children[i];
        if (c->pid != pid)
            continue;
        c->pid = 0;
        if (WIFSIGNALED(status))
            fprintf(stderr, "outcry up: %s (process %d) was ended by signal %d (%s); ", c->name,
                    (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
            fprintf(stderr, "outcry up: %s (process %d) ended with status %d; ", c->name, (int)pid,
                    WEXITSTATUS(status));
        print_last_words(c);
    }
    return true;
}

static bool any_left(struct up *u)
{
    bool left = false;
    for (unsigned i = 0; i < u->child_count; i++) {
        struct child *c = &u->children[i];
        if (c->pid != 0 && waitpid(c->pid, NULL, WNOHANG) == c->pid)
            c->pid = 0;
        left = left || c->pid != 0;
    }
    return left;
}

/* Last started, first stopped: the flow, then the readers, then the matchers. */
static void stop_all(struct up *u)
{
    for (unsigned i = u->child_count; i-- > 0;) {
        if (u->children[i].pid != 0)
            kill(u->children[i].pid, SIGTERM);
        uint64_t give_up_ns = clock_monotonic_ns() + STOP_MS * NS_PER_MS;
        while (u->children[i].pid != 0 && any_left(u) && u->children[i].pid != 0) {
            if (clock_monotonic_ns() > give_up_ns) {
                fprintf(stderr, "outcry up: %s does not stop; killing it\n", u->children[i].name);
                kill(u->children[i].pid, SIGKILL);
            }
            usleep(5000);
        }
    }
}

/* ---- life ---- */

/* Every symbol's topic is complete at a reader, as anybody's would be, and the gateway serves. */
static bool wait_until_ready(struct up *u, char *error)
{
    static char names[CLUSTER_SYMBOLS_MAX][TOPIC_SIZE_MAX + 1];
    static const char *topics[CLUSTER_SYMBOLS_MAX];
    const struct cluster *c = &u->cluster;
    char base[REST_URL_SIZE];
    for (unsigned i = 0; i < c->symbol_count; i++) {
        snprintf(names[i], sizeof names[i], "bbo.%s", c->symbols[i].name);
        topics[i] = names[i];
    }
    reader_t *reader =
        reader_open(c, &(struct subscriber_owner){.self = NULL}, topics, c->symbol_count, error);
    if (reader == NULL)
        return false;
    uint64_t give_up_ns = clock_monotonic_ns() + READY_MS * NS_PER_MS;
    bool ready = false, dead = false;
    rest_base(c, base);
    while (!ready && !dead && !stop_requested && clock_monotonic_ns() < give_up_ns) {
        reader_poll(reader, 50);
        ready = subscriber_all_live(reader_subscriber(reader)) && rest_ready(base);
        dead = child_ended(u);
    }
    reader_close(&reader);
    snprintf(error, ENDPOINT_ERROR_SIZE, "%s",
             dead ? "stopping the rest" : "the cluster did not get ready; stopping it");
    return ready;
}

static void print_where_to_look(const struct up *u, uint64_t rate)
{
    const struct cluster *c = &u->cluster;
    char address[CLUSTER_ADDRESS_SIZE];
    cluster_address(c, c->settings.market_data_address, 0, address);
    printf("Outcry is up: %llu shard%s, %u symbol%s:", (unsigned long long)c->settings.shards,
           c->settings.shards == 1 ? "" : "s", c->symbol_count, c->symbol_count == 1 ? "" : "s");
    for (unsigned i = 0; i < c->symbol_count && i < 8; i++)
        printf(" %s", c->symbols[i].name);
    printf("%s\n\n", c->symbol_count > 8 ? " ..." : "");
    printf("  watch trades    ./outcry tape trade.%s\n", c->symbols[0].name);
    printf("  watch a book    ./outcry book %s\n", c->symbols[0].name);
    printf("  place an order  ./outcry order buy 1 %s 100\n", c->symbols[0].name);
    printf("  REST            http://%s   (curl -s http://%s/health)\n",
           c->settings.gateway_address, c->settings.gateway_address);
    printf("  market data     %s   (ZeroMQ SUB; README.md, \"A first subscriber\")\n", address);
    printf("  logs            %s/*.log\n", c->settings.run_dir);
    if (rate > 0)
        printf("  orders          %llu a second from `outcry simulate`\n",
               (unsigned long long)rate);
    printf("\nCtrl-C stops it.\n");
    fflush(stdout);
}

static bool start_cluster(struct up *u, uint64_t rate)
{
    char number[24], name[32];
    for (unsigned s = 0; s < u->cluster.settings.shards; s++) {
        snprintf(number, sizeof number, "%u", s);
        snprintf(name, sizeof name, "matcher-%u", s);
        if (!start(u, name, (const char *const[]){"outcry-matcher", "--shard", number, NULL}))
            return false;
    }
    if (!start(u, "market-data", (const char *const[]){"outcry-market-data", NULL}) ||
        !start(u, "gateway", (const char *const[]){"outcry-gateway", NULL}))
        return false;
    if (rate == 0)
        return true;
    snprintf(number, sizeof number, "%llu", (unsigned long long)rate);
    return start(u, "simulate",
                 (const char *const[]){"outcry", "simulate", "--rate", number, NULL});
}

/* The configuration file and settings of our command line, as the children are to have them. */
static void keep_flags(struct up *u, int argc, char **argv)
{
    static char *flags[FLAGS_MAX];
    u->flags = flags;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rate") == 0)
            i++;
        else if (u->flag_count < FLAGS_MAX)
            u->flags[u->flag_count++] = argv[i];
    }
}

int up_main(int argc, char **argv)
{
    static struct up u;
    char error[ENDPOINT_ERROR_SIZE] = "not every process could be started; stopping the rest";
    keep_flags(&u, argc, argv);
    host_load(&u.cluster, &argc, argv, usage);
    uint64_t rate = host_number_flag(&argc, argv, "--rate", 0, 100000, 20);
    host_no_more_flags(argc, argv);
    if (u.cluster.symbol_count == 0) {
        fprintf(stderr, "outcry up: the configuration has no symbols\n");
        return 2;
    }
    strcpy(u.cluster.settings.log_destination, "stderr"); /* stdout is for whoever started us */
    host_enter(&u.cluster, "up");
    find_programs(&u);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    bool ready = start_cluster(&u, rate) && wait_until_ready(&u, error);
    if (ready)
        print_where_to_look(&u, rate);
    else if (!stop_requested)
        fprintf(stderr, "outcry up: %s\n", error);
    bool died = false;
    while (ready && !stop_requested && !(died = child_ended(&u)))
        usleep(50000);
    if (died)
        fprintf(stderr, "outcry up: stopping the rest\n");
    stop_all(&u);
    printf("Outcry has stopped.\n");
    return ready && !died ? EXIT_SUCCESS : EXIT_FAILURE;
}
