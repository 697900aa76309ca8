#include "cli/tape.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/frame_file.h"
#include "cli/reader.h"
#include "engine/mirror.h"
#include "node/access.h"
#include "node/host.h"
#include "proto/printer.h"

static const char usage[] =
    "usage: outcry tape TOPIC... [--count N] [--raw FILE] [--quiet] [--matcher N]\n"
    "                   [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Prints what market data publishes on each topic: where it stands first, then every event as "
    "it\n"
    "happens. Topics are l2.SYMBOL, l3.SYMBOL, bbo.SYMBOL and trade.SYMBOL.\n"
    "\n"
    "  --count N     end after N groups\n"
    "  --raw FILE    record every message as it came, heartbeats and answers too, for\n"
    "                `outcry verify --frames FILE`; FILE is whole when it has ended\n"
    "  --quiet       print nothing\n"
    "  --matcher N   record what the matcher of shard N itself says of its books (l3.), too; "
    "there\n"
    "                may be no TOPIC then\n"
    "\n"
    "  outcry tape trade.BTC-USD\n"
    "  outcry tape bbo.BTC-USD l2.ETH-USD --count 100\n"
    "  outcry tape l2.BTC-USD bbo.BTC-USD --matcher 0 --raw day.frames --quiet\n";

enum {
    SILENCE_MS = 5000, /* heartbeats come at least once a second */
    WAIT_MS = 100,
    WAIT_BOTH_MS = 5, /* while another socket is read as well */
    DRAIN_MAX = 4096,
    NO_MATCHER = 65536,
};

struct tape {
    const struct cluster *cluster;
    const char *const *topics;
    int topic_count;
    uint64_t groups_left;
    uint64_t shard; /* whose matcher is recorded; NO_MATCHER: none */
    const char *raw_path;
    bool quiet;
    bool heard; /* a heartbeat: somebody publishes */
    reader_t *reader;
    void *context;
    guard_t *guard; /* of that; NULL: no keys */
    void *matcher;  /* its SUB */
    struct frame_recorder raw;
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

static void on_reset(void *self, uint32_t topic)
{
    const struct tape *t = self;
    if (!t->quiet)
        printf("%s snapshot\n", t->topics[topic]);
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    const struct tape *t = self;
    if (t->groups_left == 0 || t->quiet)
        return;
    printf("%s %llu ", t->topics[topic], (unsigned long long)seq);
    printer_event(stdout, type, *fields);
}

static void on_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    const struct tape *t = self;
    if (t->quiet)
        return;
    printf("%s complete at %llu of epoch %llu\n", t->topics[topic], (unsigned long long)head->seq,
           (unsigned long long)head->epoch);
    fflush(stdout);
}

static void on_group(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head)
{
    struct tape *t = self;
    (void)topic, (void)seq, (void)head;
    if (t->groups_left > 0)
        t->groups_left--;
}

static void on_frame(void *self, uint32_t topic, const struct frame_head *head,
                     const uint8_t *bytes, size_t size)
{
    (void)self, (void)topic, (void)head, (void)bytes, (void)size;
    fflush(stdout);
}

static void on_heartbeat(void *self, const struct frame_head *head, const struct heartbeat *m)
{
    (void)head, (void)m;
    ((struct tape *)self)->heard = true;
}

static void on_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    const struct tape *t = self;
    (void)fault;
    log_error("tape", "sequence_went_back", LOG_TEXT("topic", t->topics[topic]));
}

/* Whether there can be such a topic; a configuration without symbols does not know. */
static bool is_topic(const struct cluster *c, const char *topic)
{
    static const char *const kinds[] = {"l2.", "l3.", "bbo.", "trade."};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t size = strlen(kinds[i]);
        if (strncmp(topic, kinds[i], size) == 0)
            return c->symbol_count == 0 || cluster_symbol_find(c, topic + size) != NULL;
    }
    return false;
}

static bool check_topics(const struct tape *t)
{
    for (int i = 0; i < t->topic_count; i++) {
        bool again = false;
        for (int before = 0; before < i; before++)
            again = again || strcmp(t->topics[before], t->topics[i]) == 0;
        if (!again && is_topic(t->cluster, t->topics[i]))
            continue;
        fprintf(stderr, "outcry tape: found \"%s\", expected %s\n", t->topics[i],
                again ? "each topic once"
                      : "l2., l3., bbo. or trade. with a symbol of the configuration");
        return false;
    }
    bool something = t->topic_count > 0 || t->shard != NO_MATCHER;
    if (!something)
        fprintf(stderr, "outcry tape: found nothing, expected a topic (see --help)\n");
    if (something && t->shard != NO_MATCHER && t->raw_path == NULL) {
        fprintf(stderr, "outcry tape: found --matcher, expected --raw FILE with it\n");
        return false;
    }
    return something;
}

/* ---- recording ---- */

static void on_message(void *self, const uint8_t *bytes, size_t size)
{
    frame_recorder_put(&((struct tape *)self)->raw, bytes, size);
}

/* What has come from the matcher itself. */
static void drain_matcher(struct tape *t, long timeout_ms)
{
    zmq_pollitem_t item = {.socket = t->matcher, .events = ZMQ_POLLIN};
    zmq_msg_t message;
    guard_tend(t->guard);
    (void)zmq_poll(&item, 1, timeout_ms);
    zmq_msg_init(&message);
    for (unsigned i = 0; i < DRAIN_MAX && zmq_msg_recv(&message, t->matcher, ZMQ_DONTWAIT) >= 0;
         i++) {
        on_message(t, zmq_msg_data(&message), zmq_msg_size(&message));
        t->heard = true;
    }
    zmq_msg_close(&message);
}

static bool open_matcher(struct tape *t, char error[ENDPOINT_ERROR_SIZE])
{
    char address[CLUSTER_ADDRESS_SIZE];
    if (t->shard == NO_MATCHER)
        return true;
    cluster_address(t->cluster, t->cluster->settings.public_address, (unsigned)t->shard, address);
    t->context = zmq_ctx_new();
    if (access_guard(t->cluster, "operator", t->context, &t->guard, error))
        t->matcher = endpoint_open_guarded(t->context, t->guard, ENDPOINT_SUB, "public", address,
                                           NULL, error);
    if (t->matcher == NULL)
        return false;
    endpoint_subscribe_prefix(t->matcher, "l3.");
    endpoint_subscribe(t->matcher, "hb");
    return true;
}

static bool open_raw(struct tape *t, char error[ENDPOINT_ERROR_SIZE])
{
    if (t->raw_path == NULL || frame_recorder_open(&t->raw, t->raw_path) == STATUS_OK)
        return true;
    snprintf(error, ENDPOINT_ERROR_SIZE, "cannot write %.120s: %s", t->raw_path,
             strerror(t->raw.error));
    return false;
}

static bool close_raw(struct tape *t)
{
    if (t->raw_path == NULL || frame_recorder_close(&t->raw) == STATUS_OK)
        return true;
    fprintf(stderr, "outcry tape: cannot write %s: %s\n", t->raw_path, strerror(t->raw.error));
    return false;
}

/* ---- running ---- */

static bool open_all(struct tape *t, const struct subscriber_owner *owner,
                     char error[ENDPOINT_ERROR_SIZE])
{
    if (!open_raw(t, error))
        return false;
    if (t->topic_count > 0) {
        t->reader = reader_open(t->cluster, owner, t->topics, (unsigned)t->topic_count, error);
        if (t->reader == NULL)
            return false;
        if (t->raw_path != NULL)
            reader_watch(t->reader, on_message, t);
    }
    return open_matcher(t, error);
}

static bool close_all(struct tape *t)
{
    reader_close(&t->reader);
    endpoint_close(&t->matcher);
    guard_close(&t->guard);
    if (t->context != NULL)
        zmq_ctx_term(t->context);
    return close_raw(t);
}

/* Until there is an end to it; false if there was nothing to read. */
static bool run(struct tape *t)
{
    uint64_t give_up_ns = clock_monotonic_ns() + SILENCE_MS * NS_PER_MS;
    bool both = t->reader != NULL && t->matcher != NULL;
    while (!stop_requested && t->groups_left > 0 && !ferror(stdout) && t->raw.error == 0) {
        if (t->reader != NULL)
            reader_poll(t->reader, both ? WAIT_BOTH_MS : WAIT_MS);
        if (t->matcher != NULL)
            drain_matcher(t, both ? 0 : WAIT_MS);
        if (!t->heard && clock_monotonic_ns() > give_up_ns)
            return false;
    }
    return true;
}

static const char *text_flag(int *argc, char **argv, const char *flag)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) != 0)
            continue;
        const char *value = argv[i + 1];
        if (value == NULL) {
            fprintf(stderr, "outcry tape: %s: found nothing, expected a FILE\n", flag);
            exit(2);
        }
        memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof argv[0]);
        *argc -= 2;
        return value;
    }
    return NULL;
}

int tape_main(int argc, char **argv)
{
    static struct cluster cluster;
    char error[ENDPOINT_ERROR_SIZE];
    host_load(&cluster, &argc, argv, usage);
    struct tape tape = {.cluster = &cluster};
    tape.groups_left = host_number_flag(&argc, argv, "--count", 1, UINT64_MAX - 1, UINT64_MAX);
    tape.shard =
        host_number_flag(&argc, argv, "--matcher", 0, cluster.settings.shards - 1, NO_MATCHER);
    tape.raw_path = text_flag(&argc, argv, "--raw");
    tape.quiet = host_flag(&argc, argv, "--quiet");
    tape.topics = (const char *const *)(argv + 1);
    tape.topic_count = argc - 1;
    if (!check_topics(&tape))
        return 2;
    struct subscriber_owner owner = {.self = &tape,
                                     .reset = on_reset,
                                     .event = on_event,
                                     .joined = on_joined,
                                     .group = on_group,
                                     .frame = on_frame,
                                     .heartbeat = on_heartbeat,
                                     .fault = on_fault};
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    bool opened = open_all(&tape, &owner, error);
    bool heard = opened && run(&tape);
    bool closed = close_all(&tape);
    if (!opened)
        fprintf(stderr, "outcry tape: %s\n", error);
    else if (!heard)
        fprintf(stderr,
                "outcry tape: nothing is published at %s; is a cluster running "
                "(./outcry up)?\n",
                tape.topic_count == 0 ? cluster.settings.public_address
                                      : cluster.settings.market_data_address);
    return heard && closed && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
