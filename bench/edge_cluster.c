#include "edge_cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http_load.h"
#include "tcp.h"

enum {
    CHILDREN_MAX = 4,
    READY_MS = 60000, /* a sanitizer's build takes its time */
    STOP_MS = 10000,
    LAST_WORDS_SIZE = 2000,
    PATH_SIZE = 512,
};

static const char configuration[] = "shards = 2\n"
                                    "symbols\n"
                                    "    " EDGE_CLUSTER_SYMBOL "\n"
                                    "        shard = 0\n"
                                    "        tick_size = 0.01\n"
                                    "        lot_size = 0.0001\n"
                                    "    ETH-USD\n"
                                    "        shard = 0\n"
                                    "        tick_size = 0.01\n"
                                    "        lot_size = 0.001\n"
                                    "    AAPL\n"
                                    "        shard = 1\n"
                                    "        tick_size = 0.01\n"
                                    "        lot_size = 1\n"
                                    "    POWER-SPREAD\n"
                                    "        shard = 1\n"
                                    "        tick_size = 0.05\n"
                                    "        lot_size = 1\n"
                                    "        any_price = 1\n";

struct child {
    const char *name;
    pid_t pid; /* 0: it is not there */
};

struct edge_cluster {
    struct cluster settings;
    char run_dir[64];
    char programs[4096]; /* their directory */
    uint16_t port;
    pthread_mutex_t mutex; /* over the children */
    struct child children[CHILDREN_MAX];
    unsigned child_count;
    pthread_t watch; /* waits for Ctrl-C */
    sigset_t mask;   /* of signals, as it was before */
};

/* ---- settings ---- */

/* A setting for the programs and for us: by the environment, which outranks .env. */
static void set(const char *name, const char *value)
{
    CHECK(setenv(name, value, 1) == 0);
}

static void set_address(const char *name, uint16_t port)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    set(name, address);
}

static void forget_settings(void)
{
    extern char **environ;
    for (char **variable = environ; *variable;) {
        char name[128];
        size_t size = strcspn(*variable, "=");
        if (strncmp(*variable, "OUTCRY_", 7) == 0 && size < sizeof name) {
            memcpy(name, *variable, size);
            name[size] = '\0';
            unsetenv(name);
            variable = environ;
        } else {
            variable++;
        }
    }
}

static bool write_configuration(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        return false;
    }
    bool good = fputs(configuration, file) >= 0;
    return fclose(file) == 0 && good;
}

static bool make_settings(edge_cluster_t *c, char *error)
{
    char path[PATH_SIZE], why[CONFIG_ERROR_SIZE];
    char *argv[] = {"outcry", NULL};
    int argc = 1;
    uint16_t ports[2];
    snprintf(c->run_dir, sizeof c->run_dir, "/tmp/outcry-bench-XXXXXX");
    if (!mkdtemp(c->run_dir) || !tcp_free_ports(ports, 2)) {
        snprintf(error, EDGE_CLUSTER_ERROR_SIZE, "%s: %s", c->run_dir, strerror(errno));
        return false;
    }
    c->port = ports[0];
    snprintf(path, sizeof path, "%s/cluster.cfg", c->run_dir);
    if (!write_configuration(path)) {
        snprintf(error, EDGE_CLUSTER_ERROR_SIZE, "%s: %s", path, strerror(errno));
        return false;
    }
    forget_settings();
    set("OUTCRY_CONFIG", path);
    set("OUTCRY_RUN_DIR", c->run_dir);
    set("OUTCRY_MARKET_DATA_ADDRESS", "ipc://{run_dir}/market-data");
    set("OUTCRY_MARKET_DATA_REQUESTS_ADDRESS", "ipc://{run_dir}/market-data.requests");
    set_address("OUTCRY_GATEWAY_ADDRESS", ports[0]);
    set_address("OUTCRY_ADMIN_ADDRESS", ports[1]);
    if (!cluster_load(&c->settings, &argc, argv, why)) {
        snprintf(error, EDGE_CLUSTER_ERROR_SIZE, "%s", why);
        return false;
    }
    return true;
}

/* ---- children ---- */

static void log_path(const edge_cluster_t *c, const char *name, const char *ending, char *path)
{
    snprintf(path, PATH_SIZE, "%s/%s.%s", c->run_dir, name, ending);
}

/* Become the program; whatever it says goes to its logs. Ends with us, however we end. */
_Noreturn static void become(const edge_cluster_t *c, const char *name, char *const *argv)
{
    char path[PATH_SIZE], program[4200];
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0); /* the terminal's Ctrl-C is for us; they are stopped in order */
    sigprocmask(SIG_SETMASK, &c->mask, NULL);
    log_path(c, name, "log", path);
    set("OUTCRY_LOG_DESTINATION", path);
    log_path(c, name, "err", path);
    int words = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (words >= 0 && null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(words, STDOUT_FILENO);
        dup2(words, STDERR_FILENO);
    }
    snprintf(program, sizeof program, "%s/%s", c->programs, argv[0]);
    if (chdir(c->run_dir) == 0) { /* away from any .env */
        execv(program, argv);
    }
    fprintf(stderr, "cannot start %s: %s\n", program, strerror(errno));
    _exit(127);
}

static void start(edge_cluster_t *c, const char *name, char *const *argv)
{
    pthread_mutex_lock(&c->mutex);
    CHECK(c->child_count < CHILDREN_MAX);
    struct child *child = &c->children[c->child_count++];
    child->name = name;
    child->pid = fork();
    if (child->pid == 0) {
        become(c, name, argv);
    }
    CHECK(child->pid > 0);
    pthread_mutex_unlock(&c->mutex);
}

/* Add the end of a file; `size` is what error holds. */
static size_t add_last_words(const edge_cluster_t *c, const char *name, const char *ending,
                             char *error, size_t size)
{
    char path[PATH_SIZE];
    log_path(c, name, ending, path);
    FILE *file = fopen(path, "r");
    if (!file) {
        return size;
    }
    if (fseek(file, -LAST_WORDS_SIZE, SEEK_END) != 0) {
        rewind(file);
    }
    size_t room = EDGE_CLUSTER_ERROR_SIZE - 1 - size;
    size += fread(error + size, 1, room < LAST_WORDS_SIZE ? room : LAST_WORDS_SIZE, file);
    error[size] = '\0';
    fclose(file);
    return size;
}

static void tell_end(const edge_cluster_t *c, const struct child *child, int status, char *error)
{
    size_t size = (size_t)snprintf(error, EDGE_CLUSTER_ERROR_SIZE, "%s ended with %s %d:\n",
                                   child->name, WIFSIGNALED(status) ? "signal" : "status",
                                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    size = add_last_words(c, child->name, "err", error, size);
    add_last_words(c, child->name, "log", error, size);
}

/* One that ended when nobody asked. */
static bool child_ended(edge_cluster_t *c, char *error)
{
    bool ended = false;
    pthread_mutex_lock(&c->mutex);
    for (unsigned index = 0; !ended && index < c->child_count; index++) {
        struct child *child = &c->children[index];
        int status;
        if (child->pid != 0 && waitpid(child->pid, &status, WNOHANG) == child->pid) {
            child->pid = 0;
            tell_end(c, child, status, error);
            ended = true;
        }
    }
    pthread_mutex_unlock(&c->mutex);
    return ended;
}

static bool child_stop(const edge_cluster_t *c, struct child *child, char *error)
{
    int status = 0;
    uint64_t give_up_ns = clock_monotonic_ns() + STOP_MS * NS_PER_MS;
    kill(child->pid, SIGTERM);
    while (waitpid(child->pid, &status, WNOHANG) == 0) {
        if (clock_monotonic_ns() > give_up_ns) {
            kill(child->pid, SIGKILL);
        }
        usleep(5000);
    }
    child->pid = 0;
    if (status != 0) {
        tell_end(c, child, status, error);
    }
    return status == 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

/* With the journals in it; a link is removed, not what it leads to. */
static void remove_run_dir(const edge_cluster_t *c)
{
    enum { OPEN_MAX_AT_ONCE = 8 };
    nftw(c->run_dir, remove_entry, OPEN_MAX_AT_ONCE, FTW_DEPTH | FTW_PHYS);
}

static bool stop_all(edge_cluster_t *c, char *error)
{
    bool good = true;
    pthread_mutex_lock(&c->mutex);
    for (unsigned index = c->child_count; index-- > 0;) {
        struct child *child = &c->children[index];
        good = (child->pid == 0 || child_stop(c, child, error)) && good;
    }
    pthread_mutex_unlock(&c->mutex);
    return good;
}

/* ---- interruption ---- */

enum { WATCH_END = SIGUSR1 }; /* the watch itself is to end */

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, WATCH_END);
}

/* Whatever the bench is doing, Ctrl-C leaves no process and no directory behind. */
static void *watch_main(void *self)
{
    edge_cluster_t *c = self;
    char ignored[EDGE_CLUSTER_ERROR_SIZE];
    sigset_t set;
    int number;
    watched_signals(&set);
    CHECK(sigwait(&set, &number) == 0);
    if (number == WATCH_END) {
        return NULL;
    }
    stop_all(c, ignored);
    remove_run_dir(c);
    _exit(128 + number);
}

static void watch_begin(edge_cluster_t *c)
{
    sigset_t set;
    watched_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, &c->mask);
    CHECK(pthread_create(&c->watch, NULL, watch_main, c) == 0);
}

static void watch_end(edge_cluster_t *c)
{
    pthread_kill(c->watch, WATCH_END);
    CHECK(pthread_join(c->watch, NULL) == 0);
    pthread_sigmask(SIG_SETMASK, &c->mask, NULL);
}

/* ---- life ---- */

static bool wait_until_ready(edge_cluster_t *c, char *error)
{
    static char bytes[HTTP_ANSWER_SIZE_MAX + 1];
    char request[96];
    uint64_t give_up_ns = clock_monotonic_ns() + READY_MS * NS_PER_MS;
    struct http_answer answer = {0};
    snprintf(error, EDGE_CLUSTER_ERROR_SIZE, "the gateway did not get ready within %d s",
             READY_MS / 1000);
    snprintf(request, sizeof request, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
             c->port);
    while (clock_monotonic_ns() < give_up_ns && !child_ended(c, error)) {
        if (http_load_once(c->port, request, &answer, bytes) && answer.status == 200) {
            return true;
        }
        usleep(20000);
    }
    return false;
}

edge_cluster_t *edge_cluster_start(char error[EDGE_CLUSTER_ERROR_SIZE])
{
    edge_cluster_t *c = memory_new(1, sizeof *c, "a cluster");
    ssize_t size = readlink("/proc/self/exe", c->programs, sizeof c->programs - 1);
    CHECK(size > 0);
    *strrchr(c->programs, '/') = '\0';
    CHECK(pthread_mutex_init(&c->mutex, NULL) == 0);
    bool good = make_settings(c, error);
    watch_begin(c);
    if (good) {
        start(c, "matcher-0", (char *[]){"outcry-matcher", "--shard", "0", NULL});
        start(c, "matcher-1", (char *[]){"outcry-matcher", "--shard", "1", NULL});
        start(c, "market-data", (char *[]){"outcry-market-data", NULL});
        start(c, "gateway", (char *[]){"outcry-gateway", NULL});
        good = wait_until_ready(c, error);
    }
    if (!good) {
        char ignored[EDGE_CLUSTER_ERROR_SIZE];
        edge_cluster_stop(&c, ignored);
    }
    return c;
}

bool edge_cluster_stop(edge_cluster_t **cluster, char error[EDGE_CLUSTER_ERROR_SIZE])
{
    edge_cluster_t *c = *cluster;
    if (!c) {
        return true;
    }
    watch_end(c);
    bool good = !child_ended(c, error);
    good = stop_all(c, error) && good;
    remove_run_dir(c);
    pthread_mutex_destroy(&c->mutex);
    memory_free(c, 1, sizeof *c);
    *cluster = NULL;
    return good;
}

const struct cluster *edge_cluster_settings(const edge_cluster_t *c)
{
    return &c->settings;
}

uint16_t edge_cluster_port(const edge_cluster_t *c)
{
    return c->port;
}
