#include "cli/simulate.h"

#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/client.h"
#include "cli/simulate_file.h"
#include "node/host.h"

enum {
    WINDOW = 256,
    WAIT_MS_MAX = 50, /* a look at the sockets, even where nothing is due for long */
};

static const char usage[] =
    "usage: outcry simulate [options] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Sends the orders of many people to a running cluster in real time, or writes them to a file:\n"
    "makers who place and cancel around a price that wanders, and takers, as on two real days. "
    "The\n"
    "same seed gives the same commands. Orders of its accounts (sim-0 .. sim-15) that an earlier\n"
    "run left in these symbols are cancelled first.\n"
    "\n"
    "  --rate N            commands a second, of all symbols together (20)\n"
    "  --symbols A,B       which (all of the configuration); they share the rate equally\n"
    "  --seed N            (1)\n"
    "  --base-price P      about where prices begin (10000 ticks; 0 where any price may be)\n"
    "  --spread S          typical distance from bid to ask (4 ticks)\n"
    "  --size Q            median quantity of an order (20 lots)\n"
    "                      P, S and Q are decimals of the symbol, for all or A=1.50,B=20\n"
    "  --mix L:C:A:M:I     percent that are limit orders, cancels, amends, market orders and IOC\n"
    "                      orders (50:41:3:3:3); between L and C the book decides\n"
    "  --arrivals WHEN     hawkes: in bursts, as on real days; poisson: evenly (hawkes)\n"
    "  --informed SHARE    of takers who know where the price will go, 0 to 1 (0.3)\n"
    "  --count N           stop after so many commands\n"
    "  --duration S        stop after so many seconds\n"
    "  --file OUT          write to a file instead, of one symbol; gzip if it ends in .gz; -:\n"
    "                      standard output\n"
    "  --form FORM         csv: ts,msg_type,side,price,qty,order_id, what `outcry replay --format\n"
    "                      csv` and `outcry backtest` read; commands: "
    "row,ts,op,order_id,side,price,\n"
    "                      qty, without amends and market orders; match: for `outcry match` (csv)\n"
    "\n"
    "  outcry simulate --rate 1000 --seed 7 --count 100000\n"
    "  outcry simulate --symbols AAPL,BTC-USD --base-price AAPL=585.00,BTC-USD=60000 --rate 50\n"
    "  outcry simulate --symbols AAPL --base-price 585 --spread 0.15 --size 100 --rate 13.47 \\\n"
    "                  --duration 23400 --file day.csv.gz\n";

struct simulation {
    struct simulate_options options;
    client_t *client;
    order_flow_t *flow;
    uint64_t clearing[CLUSTER_SYMBOLS_MAX]; /* by shard: how many commands only make room */
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
    if (origin_seq <= s->clearing[shard])
        return;
    if (result->code == 0)
        s->accepted++;
    else
        s->refused++;
}

/* Waits for room in the window. False: stopped, or the matcher forgot us. */
static bool send_command(struct simulation *s, unsigned symbol, struct command *c)
{
    unsigned shard = s->options.chosen[symbol]->shard;
    enum status status;
    uint64_t origin_seq;
    while ((status = client_command(s->client, shard, c, &origin_seq)) == STATUS_FULL &&
           !stop_requested)
        client_poll(s->client, 10);
    return status == STATUS_OK;
}

/* What an earlier run left would stand in the way of books that are to be as the flow has them. */
static void clear(struct simulation *s)
{
    for (unsigned i = 0; i < s->options.flow.symbol_count; i++) {
        for (unsigned a = 0; a < ORDER_FLOW_ACCOUNTS; a++) {
            struct command c = {.type = MESSAGE_MASS_CANCEL,
                                .mass_cancel = {.symbol = text_of(s->options.symbols[i].name),
                                                .account = text_of(order_flow_account(a))}};
            s->clearing[s->options.chosen[i]->shard]++;
            if (!send_command(s, i, &c))
                return;
        }
    }
}

/* Until a time of the flow comes; what happens meanwhile is heard. */
static void wait_until(struct simulation *s, uint64_t since_ns, uint64_t start_ns)
{
    uint64_t now_ns = clock_monotonic_ns() - start_ns;
    while (now_ns < since_ns && !stop_requested && !client_lost(s->client)) {
        uint64_t left_ms = (since_ns - now_ns) / NS_PER_MS;
        client_poll(s->client, left_ms < WAIT_MS_MAX ? (long)left_ms + 1 : WAIT_MS_MAX);
        now_ns = clock_monotonic_ns() - start_ns;
    }
}

static void run(struct simulation *s)
{
    const struct simulate_options *o = &s->options;
    clear(s);
    uint64_t start_ns = clock_monotonic_ns();
    while (!stop_requested && s->sent < o->count_max && !client_lost(s->client)) {
        struct order_flow_command c;
        order_flow_next(s->flow, &c);
        if (c.time_ns > o->duration_ns)
            break;
        wait_until(s, c.time_ns, start_ns);
        if (stop_requested || !send_command(s, c.symbol, &c.command))
            break;
        s->sent++;
    }
    while (!stop_requested && client_unanswered(s->client) > 0 && !client_lost(s->client))
        client_poll(s->client, 10);
}

static int run_live(struct simulation *s, const struct cluster *cluster)
{
    char error[ENDPOINT_ERROR_SIZE], name[ORIGIN_SIZE_MAX + 1];
    snprintf(name, sizeof name, "simulate-%llu",
             (unsigned long long)s->options.flow.seed % 1000000);
    s->client = client_open(cluster, name, WINDOW, &(struct client_owner){s, on_result}, error);
    if (s->client == NULL) {
        fprintf(stderr, "outcry simulate: %s\n", error);
        return EXIT_FAILURE;
    }
    run(s);
    fprintf(stderr, "outcry simulate: %llu commands, %llu done, %llu refused\n",
            (unsigned long long)s->sent, (unsigned long long)s->accepted,
            (unsigned long long)s->refused);
    bool lost = client_lost(s->client);
    if (lost)
        fprintf(stderr, "outcry simulate: the matcher began a new history; start again\n");
    client_close(&s->client);
    return lost ? EXIT_FAILURE : EXIT_SUCCESS;
}

int simulate_main(int argc, char **argv)
{
    static struct cluster cluster;
    static struct simulation s;
    char session[ORDER_FLOW_SESSION_SIZE_MAX + 1] = "";
    host_load(&cluster, &argc, argv, usage);
    int status = simulate_options_read(&s.options, &cluster, argc, argv);
    if (status != 0)
        return status;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    bool live = s.options.file == NULL;
    if (live) /* an id of an earlier run would be taken for a repeat of it */
        snprintf(session, sizeof session, "%llx-",
                 (unsigned long long)(clock_wall_ns() / NS_PER_MS) & 0xFFFFFFFFFFF);
    s.options.flow.start_ns = live ? 0 : SIMULATE_FILE_START_NS;
    s.options.flow.session = session;
    s.flow = order_flow_new(&s.options.flow);
    if (live)
        status = run_live(&s, &cluster);
    else if (simulate_file_write(&s.options, s.flow, &stop_requested) != STATUS_OK)
        status = EXIT_FAILURE;
    order_flow_destroy(&s.flow);
    return status;
}
