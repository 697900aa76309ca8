#include "cli/tape.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/reader.h"
#include "engine/mirror.h"
#include "node/host.h"
#include "proto/printer.h"

static const char usage[] =
    "usage: outcry tape TOPIC... [--count N] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Prints what market data publishes on each topic: where it stands first, then every event as "
    "it\n"
    "happens. Topics are l2.SYMBOL, l3.SYMBOL, bbo.SYMBOL and trade.SYMBOL. --count ends it after "
    "N\n"
    "groups.\n"
    "\n"
    "  outcry tape trade.BTC-USD\n"
    "  outcry tape bbo.BTC-USD l2.ETH-USD --count 100\n";

enum { SILENCE_MS = 5000 }; /* heartbeats come at least once a second */

struct tape {
    const char *const *topics;
    uint64_t groups_left;
    bool heard; /* a heartbeat: somebody publishes */
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
    printf("%s snapshot\n", t->topics[topic]);
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    const struct tape *t = self;
    if (t->groups_left == 0)
        return;
    printf("%s %llu ", t->topics[topic], (unsigned long long)seq);
    printer_event(stdout, type, *fields);
}

static void on_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    const struct tape *t = self;
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

static void on_heartbeat(void *self, const struct frame_head *head, uint16_t shard)
{
    (void)head, (void)shard;
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

static bool check_topics(const struct cluster *c, const char *const *topics, int count)
{
    for (int i = 0; i < count; i++) {
        bool again = false;
        for (int before = 0; before < i; before++)
            again = again || strcmp(topics[before], topics[i]) == 0;
        if (!again && is_topic(c, topics[i]))
            continue;
        fprintf(stderr, "outcry tape: found \"%s\", expected %s\n", topics[i],
                again ? "each topic once"
                      : "l2., l3., bbo. or trade. with a symbol of the configuration");
        return false;
    }
    if (count < 1)
        fprintf(stderr, "outcry tape: found nothing, expected a topic (see --help)\n");
    return count >= 1;
}

/* Until there is an end to it; false if there was nothing to read. */
static bool run(reader_t *reader, const struct tape *t)
{
    uint64_t give_up_ns = clock_monotonic_ns() + SILENCE_MS * NS_PER_MS;
    while (!stop_requested && t->groups_left > 0 && !ferror(stdout)) {
        reader_poll(reader, 100);
        if (!t->heard && clock_monotonic_ns() > give_up_ns)
            return false;
    }
    return true;
}

int tape_main(int argc, char **argv)
{
    static struct cluster cluster;
    char error[ENDPOINT_ERROR_SIZE];
    host_load(&cluster, &argc, argv, usage);
    uint64_t count = host_number_flag(&argc, argv, "--count", 1, UINT64_MAX - 1, UINT64_MAX);
    struct tape tape = {(const char *const *)(argv + 1), count, false};
    if (!check_topics(&cluster, tape.topics, argc - 1))
        return 2;
    struct subscriber_owner owner = {.self = &tape,
                                     .reset = on_reset,
                                     .event = on_event,
                                     .joined = on_joined,
                                     .group = on_group,
                                     .frame = on_frame,
                                     .heartbeat = on_heartbeat,
                                     .fault = on_fault};
    reader_t *reader = reader_open(&cluster, &owner, tape.topics, (unsigned)argc - 1, error);
    if (reader == NULL) {
        fprintf(stderr, "outcry tape: %s\n", error);
        return EXIT_FAILURE;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    bool heard = run(reader, &tape);
    reader_close(&reader);
    if (!heard)
        fprintf(stderr,
                "outcry tape: nothing is published at %s; is a cluster running "
                "(./outcry up)?\n",
                cluster.settings.market_data_address);
    return heard && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
