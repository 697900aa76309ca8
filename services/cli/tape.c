#include "cli/tape.h"

#include <signal.h>
#include <stdlib.h>

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

struct tape {
    const char *const *topics;
    uint64_t groups_left;
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

static void on_fault(void *self, uint32_t topic, enum subscriber_fault fault)
{
    const struct tape *t = self;
    (void)fault;
    log_error("tape", "sequence_went_back", LOG_TEXT("topic", t->topics[topic]));
}

int tape_main(int argc, char **argv)
{
    static struct cluster cluster;
    char error[ENDPOINT_ERROR_SIZE];
    host_load(&cluster, &argc, argv, usage);
    uint64_t count = host_number_flag(&argc, argv, "--count", 1, UINT64_MAX - 1, UINT64_MAX);
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "outcry tape: found %s, expected a topic (see --help)\n",
                argc < 2 ? "nothing" : argv[1]);
        return 2;
    }
    struct tape tape = {(const char *const *)(argv + 1), count};
    struct subscriber_owner owner = {.self = &tape,
                                     .reset = on_reset,
                                     .event = on_event,
                                     .joined = on_joined,
                                     .group = on_group,
                                     .frame = on_frame,
                                     .fault = on_fault};
    reader_t *reader = reader_open(&cluster, &owner, tape.topics, (unsigned)argc - 1, error);
    if (reader == NULL) {
        fprintf(stderr, "outcry tape: %s\n", error);
        return EXIT_FAILURE;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    while (!stop_requested && tape.groups_left > 0 && !ferror(stdout))
        reader_poll(reader, 100);
    reader_close(&reader);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
