/* outcry-market-data: wires market-data to every shard's matcher and to its readers. */
#include <stdlib.h>

#include "base/log.h"
#include "market-data/market_data.h"
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
        void *socket = node_open_input(n, ENDPOINT_SUB, address, FRAMES_BUDGET, error);
        if (socket == NULL)
            return false;
        subscribe(socket, c, s, reply);
        cluster_address(c, c->settings.requests_address, s, address);
        if (node_open_output(n, ENDPOINT_PUSH, address, error) == NULL)
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

int main(int argc, char **argv)
{
    static struct cluster cluster;
    char error[ENDPOINT_ERROR_SIZE], reply[REPLY_SIZE + 1];
    char address[CLUSTER_ADDRESS_SIZE], requests[CLUSTER_ADDRESS_SIZE];
    host_load(&cluster, &argc, argv, usage);
    host_no_more_flags(argc, argv);
    host_enter(&cluster, "market-data");
    host_random_reply(reply);
    cluster_listen_address(&cluster, cluster.settings.market_data_address, 0, address);
    cluster_address(&cluster, cluster.settings.market_data_requests_address, 0, requests);
    market_data_t *market_data =
        market_data_new(&(struct market_data_options){&cluster, requests, reply});
    struct service service = market_data_service(market_data);
    node_t *node = node_new(&service, NULL, 0);
    int status = EXIT_FAILURE;
    cluster_listen_address(&cluster, cluster.settings.market_data_requests_address, 0, requests);
    if (node_open_output(node, ENDPOINT_XPUB, address, error) != NULL &&
        open_upstream(node, &cluster, reply, error) &&
        node_open_input(node, ENDPOINT_PULL, requests, REQUESTS_BUDGET, error) != NULL) {
        log_info("market_data", "started", LOG_U64("shards", cluster.settings.shards),
                 LOG_U64("symbols", cluster.symbol_count), LOG_TEXT("address", address));
        status = node_run(node) == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
        log_end(market_data);
    } else {
        fprintf(stderr, "outcry-market-data: %s\n", error);
    }
    node_destroy(&node);
    market_data_destroy(&market_data);
    return status;
}
