/* outcry-matcher: wires one shard's matcher to its sockets. */
#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "matcher/matcher.h"
#include "node/epoch.h"
#include "node/host.h"
#include "node/node.h"

enum { COMMANDS_BUDGET = 1024, REQUESTS_BUDGET = 4 };

static const char usage[] =
    "usage: outcry-matcher --shard N [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Matches the symbols of shard N. `outcry settings` lists every setting.\n"
    "\n"
    "  outcry-matcher --shard 0 --config demo.cfg\n"
    "  OUTCRY_RUN_DIR=/run/outcry outcry-matcher --shard 1 --config venue.cfg\n";

/* The commands that bring the shard's symbols into being; how many. */
static unsigned shard_symbols(const struct cluster *c, unsigned shard, struct add_symbol *symbols)
{
    unsigned count = 0;
    for (unsigned i = 0; i < c->symbol_count; i++) {
        const struct cluster_symbol *s = &c->symbols[i];
        if (s->shard == shard)
            symbols[count++] = (struct add_symbol){text_of(s->name), text_of(s->tick_size),
                                                   text_of(s->lot_size), s->any_price};
    }
    return count;
}

static uint64_t next_epoch(const struct cluster *c, unsigned shard)
{
    char file[SETTING_TEXT_SIZE + 32];
    uint64_t epoch = 0;
    snprintf(file, sizeof file, "%s/%u.epoch", c->settings.run_dir, shard);
    enum status status = epoch_next(file, clock_wall_ns() / NS_PER_SECOND, &epoch);
    if (status != STATUS_OK) {
        fprintf(stderr, "outcry-matcher: %s: %s\n", file,
                status == STATUS_INVALID ? "it holds no epoch; remove it to begin a new one"
                                         : strerror(errno));
        exit(EXIT_FAILURE);
    }
    return epoch;
}

static bool open_sockets(node_t *n, const struct cluster *c, unsigned shard, char *error)
{
    char commands[CLUSTER_ADDRESS_SIZE], requests[CLUSTER_ADDRESS_SIZE];
    char ours[CLUSTER_ADDRESS_SIZE], everybodys[CLUSTER_ADDRESS_SIZE];
    cluster_address(c, c->settings.commands_address, shard, commands);
    cluster_address(c, c->settings.requests_address, shard, requests);
    cluster_address(c, c->settings.private_address, shard, ours);
    cluster_address(c, c->settings.public_address, shard, everybodys);
    return node_open_input(n, ENDPOINT_PULL, commands, COMMANDS_BUDGET, error) != NULL &&
           node_open_input(n, ENDPOINT_PULL, requests, REQUESTS_BUDGET, error) != NULL &&
           node_open_output(n, ENDPOINT_XPUB, ours, error) != NULL &&
           node_open_output(n, ENDPOINT_XPUB, everybodys, error) != NULL;
}

static void log_end(const matcher_t *m, unsigned shard)
{
    struct matcher_counts counts = matcher_counts(m);
    log_info("matcher", "stopped", LOG_U64("shard", shard),
             LOG_U64("seq", engine_seq(matcher_engine(m))), LOG_U64("commands", counts.commands),
             LOG_U64("batches", counts.batches), LOG_U64("repeats", counts.repeats),
             LOG_U64("gaps", counts.gaps), LOG_U64("refused", counts.refused),
             LOG_U64("garbage", counts.garbage), LOG_U64("foreign", counts.foreign),
             LOG_U64("requests_garbage", counts.requests_garbage));
}

int main(int argc, char **argv)
{
    static struct cluster cluster;
    static struct add_symbol symbols[CLUSTER_SYMBOLS_MAX];
    char error[ENDPOINT_ERROR_SIZE], name[32], requests[CLUSTER_ADDRESS_SIZE];
    host_load(&cluster, &argc, argv, usage);
    unsigned shard =
        (unsigned)host_number_flag(&argc, argv, "--shard", 0, cluster.settings.shards - 1, 0);
    host_no_more_flags(argc, argv);
    snprintf(name, sizeof name, "matcher-%u", shard);
    host_enter(&cluster, name);
    cluster_address(&cluster, cluster.settings.requests_address, shard, requests);
    struct matcher_options options = {
        .limits = cluster_limits(&cluster, shard),
        .epoch = next_epoch(&cluster, shard),
        .hash_seed = host_random(),
        .heartbeat_ns = cluster.settings.heartbeat_ms * NS_PER_MS,
        .batch_commands_max = (uint32_t)cluster.settings.batch_commands_max,
        .batch_origin_max = (uint32_t)cluster.settings.batch_origin_max,
        .kept_size = (size_t)cluster.settings.kept_mib << 20,
        .requests_address = requests,
    };
    unsigned symbol_count = shard_symbols(&cluster, shard, symbols);
    matcher_t *matcher = matcher_new(&options, symbols, symbol_count);
    struct service service = matcher_service(matcher);
    journal_t *journal = journal_new_null();
    node_t *node = node_new(&service, journal);
    int status = EXIT_FAILURE;
    if (open_sockets(node, &cluster, shard, error)) {
        log_info("matcher", "started", LOG_U64("shard", shard), LOG_U64("epoch", options.epoch),
                 LOG_U64("symbols", symbol_count), LOG_TEXT("journal", "none"));
        status = node_run(node) == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
        log_end(matcher, shard);
    } else {
        fprintf(stderr, "outcry-matcher: %s\n", error);
    }
    node_destroy(&node);
    journal_destroy(&journal);
    matcher_destroy(&matcher);
    return status;
}
