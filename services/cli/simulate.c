#include "cli/simulate.h"

#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mix.h"
#include "cli/client.h"
#include "node/host.h"

enum {
    WORKING_MAX = 64, /* orders it keeps working on a symbol, oldest cancelled first */
    ACCOUNTS = 8,
    WINDOW = 256,
    START_PRICE = 10000, /* ticks */
    START_SPREAD_PRICE = 0,
    OFFSET_MAX = 12, /* ticks from the reference price */
    QTY_MAX = 20,
};

static const char usage[] =
    "usage: outcry simulate [--rate N] [--seed N] [--count N] [--config FILE] [--SETTING VALUE "
    "...]\n"
    "\n"
    "Sends orders to every symbol of a running cluster: N a second (20), for ever or --count of\n"
    "them. The same seed (1) sends the same commands.\n"
    "\n"
    "  outcry simulate\n"
    "  outcry simulate --rate 1000 --seed 7 --count 100000\n";

/* One symbol's market: a reference price that wanders, and the orders still working. */
struct market {
    const struct cluster_symbol *symbol;
    int64_t reference;
    char working[WORKING_MAX][CLIENT_ORDER_ID_SIZE_MAX + 1];
    unsigned accounts[WORKING_MAX];
    unsigned first, count;
};

struct simulation {
    client_t *client;
    struct market markets[CLUSTER_SYMBOLS_MAX];
    unsigned market_count;
    uint64_t random;
    uint64_t seed;
    uint64_t session;
    uint64_t sent;
    uint64_t accepted;
    uint64_t refused;
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

static void on_result(void *self, unsigned shard, uint64_t origin_seq, const struct result *result)
{
    struct simulation *s = self;
    (void)shard, (void)origin_seq;
    if (result->code == 0)
        s->accepted++;
    else
        s->refused++;
}

/* SplitMix64; uniform enough below small limits. */
static uint64_t random_below(struct simulation *s, uint64_t limit)
{
    s->random += UINT64_C(0x9E3779B97F4A7C15);
    return mix(s->random) % limit;
}

static struct text account_text(unsigned account, char *text, size_t size)
{
    return (struct text){text, (size_t)snprintf(text, size, "sim-%u", account)};
}

/* Send what was put together; waits for room in the window. */
static void send_command(struct simulation *s, const struct market *m, struct command *c)
{
    uint64_t origin_seq;
    while (client_command(s->client, m->symbol->shard, c, &origin_seq) == STATUS_FULL &&
           !stop_requested)
        client_poll(s->client, 10);
    s->sent++;
}

static void cancel_oldest(struct simulation *s, struct market *m)
{
    char account[16];
    unsigned at = m->first;
    struct command c = {.type = MESSAGE_CANCEL_ORDER};
    c.cancel_order.symbol = text_of(m->symbol->name);
    c.cancel_order.account = account_text(m->accounts[at], account, sizeof account);
    c.cancel_order.client_order_id = text_of(m->working[at]);
    m->first = (m->first + 1) % WORKING_MAX;
    m->count--;
    send_command(s, m, &c);
}

/* A limit order around the reference price; aggressive ones are IOC and reach across it. */
static void place(struct simulation *s, struct market *m, bool aggressive)
{
    char account[16];
    unsigned owner = (unsigned)random_below(s, ACCOUNTS);
    unsigned at = (m->first + m->count) % WORKING_MAX;
    bool buy = random_below(s, 2) == 0;
    int64_t offset = 1 + (int64_t)random_below(s, OFFSET_MAX);
    int64_t price = (buy == aggressive) ? m->reference + offset : m->reference - offset;
    struct command c = {.type = MESSAGE_NEW_ORDER};
    snprintf(m->working[at], sizeof m->working[at], "s%llx-%llu", (unsigned long long)s->session,
             (unsigned long long)s->sent);
    c.new_order = (struct new_order){
        .symbol = text_of(m->symbol->name),
        .account = account_text(owner, account, sizeof account),
        .client_order_id = text_of(m->working[at]),
        .side = buy ? SIDE_BUY : SIDE_SELL,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = aggressive ? TIME_IN_FORCE_IOC : TIME_IN_FORCE_GTC,
        .stp = STP_REJECT,
        .price = {m->symbol->any_price || price > 0 ? price : 1, true},
        .qty = 1 + (int64_t)random_below(s, QTY_MAX),
    };
    if (!aggressive) {
        m->accounts[at] = owner;
        m->count++;
    }
    send_command(s, m, &c);
}

/* One thing happens in one market: the reference wanders, then an order comes or goes. */
static void act(struct simulation *s)
{
    struct market *m = &s->markets[random_below(s, s->market_count)];
    uint64_t wander = random_below(s, 20);
    if (wander == 0)
        m->reference++;
    else if (wander == 1 && (m->symbol->any_price || m->reference > OFFSET_MAX + 1))
        m->reference--;
    uint64_t choice = random_below(s, 100);
    if (m->count == WORKING_MAX || (m->count > WORKING_MAX / 2 && choice < 45))
        cancel_oldest(s, m);
    else
        place(s, m, choice >= 88);
}

static void run(struct simulation *s, uint64_t rate, uint64_t count)
{
    uint64_t start_ns = clock_monotonic_ns();
    while (!stop_requested && s->sent < count && !client_lost(s->client)) {
        uint64_t due = (clock_monotonic_ns() - start_ns) / (NS_PER_SECOND / rate);
        for (; s->sent < due && s->sent < count && !stop_requested;)
            act(s);
        client_poll(s->client, 1 + (long)(500 / rate));
    }
    while (!stop_requested && client_unanswered(s->client) > 0 && !client_lost(s->client))
        client_poll(s->client, 10);
}

int simulate_main(int argc, char **argv)
{
    static struct cluster cluster;
    static struct simulation s;
    char error[ENDPOINT_ERROR_SIZE], name[ORIGIN_SIZE_MAX + 1];
    host_load(&cluster, &argc, argv, usage);
    uint64_t rate = host_number_flag(&argc, argv, "--rate", 1, 1000000, 20);
    s.seed = host_number_flag(&argc, argv, "--seed", 0, UINT64_MAX, 1);
    uint64_t count = host_number_flag(&argc, argv, "--count", 1, UINT64_MAX - 1, UINT64_MAX);
    host_no_more_flags(argc, argv);
    s.random = s.seed;
    s.session = clock_wall_ns() / NS_PER_SECOND; /* ids of an earlier run are not ours */
    for (unsigned i = 0; i < cluster.symbol_count; i++) {
        struct market *m = &s.markets[s.market_count++];
        m->symbol = &cluster.symbols[i];
        m->reference = m->symbol->any_price ? START_SPREAD_PRICE : START_PRICE;
    }
    if (s.market_count == 0) {
        fprintf(stderr, "outcry simulate: the configuration has no symbols\n");
        return 2;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    snprintf(name, sizeof name, "simulate-%llu", (unsigned long long)s.seed % 1000000);
    s.client = client_open(&cluster, name, WINDOW, &(struct client_owner){&s, on_result}, error);
    if (s.client == NULL) {
        fprintf(stderr, "outcry simulate: %s\n", error);
        return EXIT_FAILURE;
    }
    run(&s, rate, count);
    fprintf(stderr, "outcry simulate: %llu commands, %llu done, %llu refused\n",
            (unsigned long long)s.sent, (unsigned long long)s.accepted,
            (unsigned long long)s.refused);
    bool lost = client_lost(s.client);
    if (lost)
        fprintf(stderr, "outcry simulate: the matcher began a new history; start again\n");
    client_close(&s.client);
    return lost ? EXIT_FAILURE : EXIT_SUCCESS;
}
