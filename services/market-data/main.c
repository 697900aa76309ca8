/* outcry-market-data: wires market-data to every shard's matcher and to its readers. */
#include <stdlib.h>

#include "base/log.h"
#include "market-data/market_data.h"
#include "market-data/market_data_metrics.h"
#include "node/host.h"
#include "node/node.h"

enum { FRAMES_BUDGET = 256, REQUESTS_BUDGET = 4 };

static const char usage[] =
    "usage: outcry-market-data [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Publishes best bid and offer, L2, L3 and trades of every symbol. `outcry settings` lists "
    "every\n"
    "setting.\n"
    "\n"
    "  outcry-market-data --config demo.cfg\n"
    "  outcry-market-data --config venue.cfg --market-data-address tcp://0.0.0.0:5560\n";

/* What we read of one shard. */
static void subscribe(void *socket, const struct cluster *c, unsigned shard, const char *reply)
{
    char topic[TOPIC_SIZE_MAX + 1];
    endpoint_subscribe(socket, "hb");
    snprintf(topic, sizeof topic, "re.%s", reply);
    endpoint_subscribe(socket, topic);
    for (unsigned i = 0; i < c->symbol_count; i++) {
        if (c->symbols[i].shard != shard)
            continue;
        snprintf(topic, sizeof topic, "l3.%s", c->symbols[i].name);
        endpoint_subscribe(socket, topic);
    }
}

static bool open_upstream(node_t *n, const struct cluster *c, const char *reply, char *error)
{
    char address[CLUSTER_ADDRESS_SIZE];
    for (unsigned s = 0; s < c->settings.shards; s++) {
        cluster_address(c, c->settings.public_address, s, address);
        void *socket = node_open_input(n, ENDPOINT_SUB, "public", address, FRAMES_BUDGET, error);
        if (socket == NULL)
            return false;
        subscribe(socket, c, s, reply);
        cluster_address(c, c->settings.requests_address, s, address);
        if (node_open_output(n, ENDPOINT_PUSH, "requests", address, error) == NULL)
            return false;
    }
    return true;
}

static void log_end(const market_data_t *m)
{
    struct publisher_counts counts = market_data_counts(m);
    log_info("market_data", "stopped", LOG_U64("frames", counts.frames),
             LOG_U64("resends", counts.resends), LOG_U64("snapshots", counts.snapshots),
             LOG_U64("requests_refused", counts.refused),
             LOG_U64("requests_garbage", counts.garbage),
             LOG_U64("requests_dropped", counts.dropped));
}

/* What is looked at from outside. */
struct watched {
    metrics_t *metrics;
    admin_t *admin;
    market_data_metrics_t *told;
};

/* address: where it publishes. */
static bool open_all(node_t *n, const struct cluster *c, const char *address, const char *reply,
                     char *error)
{
    char requests[CLUSTER_ADDRESS_SIZE];
    cluster_listen_address(c, c->settings.market_data_requests_address, 0, requests);
    return node_guard(n, c, "market-data", error) &&
           node_open_output(n, ENDPOINT_XPUB, "market", address, error) != NULL &&
           open_upstream(n, c, reply, error) &&
           node_open_input(n, ENDPOINT_PULL, "market_requests", requests, REQUESTS_BUDGET, error) !=
               NULL;
}

static int run(const struct cluster *c, market_data_t *m, const struct watched *w,
               const char *reply)
{
    char error[ENDPOINT_ERROR_SIZE], address[CLUSTER_ADDRESS_SIZE];
    int status = EXIT_FAILURE;
    struct service service = market_data_service(m);
    node_t *node = node_new(&service, NULL, 0);
    node_catch_signals();
    node_watch(node, &(struct node_watch){.metrics = w->metrics,
                                          .admin = w->admin,
                                          .turned = market_data_metrics_turned,
                                          .report = market_data_metrics_report,
                                          .self = w->told});
    cluster_listen_address(c, c->settings.market_data_address, 0, address);
    if (open_all(node, c, address, reply, error)) {
        admin_started(w->admin);
        log_info("market_data", "started", LOG_U64("shards", c->settings.shards),
                 LOG_U64("symbols", c->symbol_count), LOG_TEXT("address", address));
        status = node_run(node) == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
        log_end(m);
    } else {
        fprintf(stderr, "outcry-market-data: %s\n", error);
    }
    node_destroy(&node);
    return status;
}

int main(int argc, char **argv)
{
    static struct cluster cluster;
    static const char name[] = "market-data";
    char error[ADMIN_ERROR_SIZE], reply[REPLY_SIZE + 1], requests[CLUSTER_ADDRESS_SIZE];
    struct watched w;
    host_load(&cluster, &argc, argv, usage);
    host_no_more_flags(argc, argv);
    host_enter(&cluster, name);
    w.metrics = metrics_of_service(name);
    if (!admin_open(&w.admin, &cluster, name, w.metrics, error)) {
        fprintf(stderr, "outcry-market-data: %s\n", error);
        return EXIT_FAILURE;
    }
    host_random_reply(reply);
    cluster_address(&cluster, cluster.settings.market_data_requests_address, 0, requests);
    market_data_t *market_data =
        market_data_new(&(struct market_data_options){&cluster, requests, reply});
    w.told = market_data_metrics_new(market_data, &cluster, w.metrics, w.admin);
    int status = run(&cluster, market_data, &w, reply);
    admin_close(&w.admin);
    market_data_metrics_destroy(&w.told);
    market_data_destroy(&market_data);
    metrics_destroy(&w.metrics);
    return status;
}
