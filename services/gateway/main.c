/* outcry-gateway: wires the step to its sockets, and the edge to the step. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "gateway/edge.h"
#include "gateway/gateway.h"
#include "node/host.h"
#include "node/node.h"
#include "proto/names.h"

enum { DESK_SIZE = 16 << 20, DESK_BUDGET = 512, FRAMES_BUDGET = 256 };

static const char usage[] =
    "usage: outcry-gateway [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Serves REST and WebSocket: orders, books, trades. Without keys it listens on loopback only.\n"
    "`outcry settings` lists every setting.\n"
    "\n"
    "  outcry-gateway --config demo.cfg\n"
    "  outcry-gateway --gateway-name second --gateway-address 127.0.0.1:8010 \\\n"
    "                 --admin-address 127.0.0.1:8011\n"
    "  curl -s 127.0.0.1:8000/health\n";

static bool open_market(node_t *n, const struct cluster *c, const char *reply, char *error)
{
    char address[CLUSTER_ADDRESS_SIZE], topic[TOPIC_SIZE_MAX + 1];
    cluster_address(c, c->settings.market_data_address, 0, address);
    void *socket = node_open_input(n, ENDPOINT_SUB, "market", address, FRAMES_BUDGET, error);
    if (socket == NULL)
        return false;
    endpoint_subscribe(socket, "hb");
    snprintf(topic, sizeof topic, "re.%s", reply);
    endpoint_subscribe(socket, topic);
    for (unsigned i = 0; i < c->symbol_count; i++) {
        snprintf(topic, sizeof topic, "l3.%s", c->symbols[i].name);
        endpoint_subscribe(socket, topic);
        snprintf(topic, sizeof topic, "trade.%s", c->symbols[i].name);
        endpoint_subscribe(socket, topic);
    }
    cluster_address(c, c->settings.market_data_requests_address, 0, address);
    return node_open_output(n, ENDPOINT_PUSH, "market_requests", address, error) != NULL;
}

static bool open_shard(node_t *n, const struct cluster *c, unsigned shard, const char *reply,
                       char *error)
{
    char address[CLUSTER_ADDRESS_SIZE], topic[TOPIC_SIZE_MAX + 1];
    cluster_address(c, c->settings.private_address, shard, address);
    void *socket = node_open_input(n, ENDPOINT_SUB, "private", address, FRAMES_BUDGET, error);
    if (socket == NULL)
        return false;
    endpoint_subscribe(socket, "hb");
    endpoint_subscribe_prefix(socket, "acct.");
    snprintf(topic, sizeof topic, "re.%s", reply);
    endpoint_subscribe(socket, topic);
    snprintf(topic, sizeof topic, "ack.%.*s", ORIGIN_SIZE_MAX, c->settings.gateway_name);
    endpoint_subscribe(socket, topic);
    cluster_address(c, c->settings.commands_address, shard, address);
    if (node_open_output(n, ENDPOINT_PUSH, "commands", address, error) == NULL)
        return false;
    cluster_address(c, c->settings.requests_address, shard, address);
    return node_open_output(n, ENDPOINT_PUSH, "requests", address, error) != NULL;
}

static void write_line(void *self, const uint8_t *line, size_t size)
{
    (void)self;
    log_write((const char *)line, size);
}

/* In the order gateway.h numbers them. */
static bool open_all(node_t *n, const struct cluster *c, mailbox_t *desk, edge_t *edge,
                     const char *reply, char *error)
{
    node_open_mailbox(n, "desk", desk, DESK_BUDGET);
    node_open_neighbour(n, "answers", edge, edge_answer);
    node_open_neighbour(n, "streams", edge, edge_stream);
    node_open_neighbour(n, "log", NULL, write_line);
    bool fine = node_guard(n, c, "gateway", error) && open_market(n, c, reply, error);
    for (unsigned s = 0; fine && s < c->settings.shards; s++)
        fine = open_shard(n, c, s, reply, error);
    return fine;
}

/* The edge stops on a thread of its own, while the step goes on answering what is under way. */
struct stopping {
    edge_t *edge;
    atomic_bool done;
};

static void *stop_edge(void *self)
{
    struct stopping *s = self;
    edge_drain(s->edge);
    edge_close(s->edge);
    atomic_store(&s->done, true);
    return NULL;
}

static void stop(node_t *n, edge_t *edge)
{
    struct stopping s = {.edge = edge};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, stop_edge, &s) == 0);
    while (!atomic_load(&s.done))
        (void)node_cycle(n);
    pthread_join(thread, NULL);
}

static int run(node_t *n, const struct cluster *c, edge_t *edge)
{
    char error[EDGE_ERROR_SIZE];
    if (!edge_open(edge, error)) {
        edge_close(edge);
        fprintf(stderr, "outcry-gateway: %s\n", error);
        return EXIT_FAILURE;
    }
    log_info("gateway", "started", LOG_TEXT("address", c->settings.gateway_address),
             LOG_TEXT("admin_address", c->settings.admin_address),
             LOG_TEXT("name", c->settings.gateway_name), LOG_U64("shards", c->settings.shards),
             LOG_U64("symbols", c->symbol_count));
    enum status status = node_run(n);
    stop(n, edge);
    log_info("gateway", "stopped", LOG_TEXT("name", c->settings.gateway_name));
    return status == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool is_gateways(struct text origin)
{
    return access_owns(&(struct guard_sender){"gateway", "gateway", ""}, origin.data, origin.size);
}

static void check_settings(const struct cluster *c)
{
    char error[EDGE_ERROR_SIZE];
    struct text name = text_of(c->settings.gateway_name);
    bool fine = name.size <= ORIGIN_SIZE_MAX && name_is_plain(name);
    if (!fine)
        snprintf(error, sizeof error,
                 "gateway_name: found \"%s\", expected 1 to 32 of A-Z a-z 0-9 _ -",
                 c->settings.gateway_name);
    /* With keys a sender's name begins with that of its key (node/access.h). */
    if (fine && strcmp(c->settings.keys_dir, "none") != 0 && !is_gateways(name)) {
        fine = false;
        snprintf(error, sizeof error,
                 "gateway_name: found \"%s\", expected gateway, or gateway- and more: with "
                 "keys_dir its commands are taken under no other name",
                 c->settings.gateway_name);
    }
    if (fine && edge_may_listen(c, error))
        return;
    fprintf(stderr, "outcry-gateway: %s\n", error);
    exit(2);
}

int main(int argc, char **argv)
{
    static struct cluster cluster;
    char error[ENDPOINT_ERROR_SIZE], reply[REPLY_SIZE + 1], name[64];
    host_load(&cluster, &argc, argv, usage);
    host_no_more_flags(argc, argv);
    check_settings(&cluster);
    snprintf(name, sizeof name, "gateway-%.*s", ORIGIN_SIZE_MAX, cluster.settings.gateway_name);
    host_enter(&cluster, name);
    host_random_reply(reply);
    metrics_t *metrics = metrics_of_service("gateway");
    gateway_t *gateway = gateway_new(&(struct gateway_options){
        .cluster = &cluster,
        .reply = reply,
        .origin_epoch = host_session(&cluster, name) * NS_PER_SECOND,
        .hash_seed = host_random(),
        .metrics = metrics,
    });
    mailbox_t *desk = mailbox_new(DESK_SIZE);
    edge_t *edge =
        edge_new(&(struct edge_options){&cluster, desk, host_random(), host_random(), metrics});
    struct service service = gateway_service(gateway);
    node_t *node = node_new(&service, NULL, 0);
    node_catch_signals();
    node_watch(node, &(struct node_watch){.metrics = metrics});
    int status = EXIT_FAILURE;
    if (open_all(node, &cluster, desk, edge, reply, error))
        status = run(node, &cluster, edge);
    else
        fprintf(stderr, "outcry-gateway: %s\n", error);
    node_destroy(&node);
    edge_destroy(&edge);
    mailbox_destroy(&desk);
    gateway_destroy(&gateway);
    metrics_destroy(&metrics);
    return status;
}
