#include "tests/sim/sim_market.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "matcher/matcher.h"

enum { FRAMES_BUDGET = 256, REQUESTS_BUDGET = 4, OPEN_ORDERS_MAX = 2000 };

static void draw_reply(struct sim_market *m)
{
    snprintf(m->reply, sizeof m->reply, "%016" PRIx64 "%016" PRIx64, random_next(&m->random),
             random_next(&m->random));
}

static void start(void *self, uint64_t argument)
{
    struct sim_market *m = self;
    (void)argument;
    draw_reply(m);
    sim_link_reply(m->link, m->reply);
    m->market_data =
        market_data_new(&(struct market_data_options){m->cluster, "ipc://market-data", m->reply});
    struct service service = market_data_service(m->market_data);
    sim_process_start(&m->process, &service, NULL, NULL, 0, 0);
}

static void on_said(void *self, unsigned output, const uint8_t *bytes, size_t size)
{
    struct sim_market *m = self;
    if (output == SIM_MARKET_OUTPUT_PUBLIC)
        sim_ear_hear(m->ear, "market-data", bytes, size);
}

static void on_ended(void *self, enum sim_end how)
{
    struct sim_market *m = self;
    (void)how;
    sim_process_end(&m->process);
    market_data_destroy(&m->market_data);
    sim_world_after(m->world, random_below(&m->random, m->restart_ns), start, m, 0);
}

void sim_market_kill(struct sim_market *m)
{
    if (!m->process.running)
        return;
    sim_world_fired(m->world, SIM_FAULT_KILLED_MARKET_DATA, 1);
    sim_world_note(m->world, "market-data is killed");
    on_ended(m, SIM_END_IDLE);
}

static struct cluster *make_cluster(const char *const *symbols, unsigned symbol_count)
{
    struct cluster *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    c->settings.shards = 1;
    c->settings.open_orders_max = OPEN_ORDERS_MAX;
    c->settings.kept_mib = 1;
    c->symbol_count = symbol_count;
    for (unsigned i = 0; i < symbol_count; i++)
        snprintf(c->symbols[i].name, sizeof c->symbols[i].name, "%s", symbols[i]);
    return c;
}

static void subscribe(struct sim_market *m, struct sim_link *l)
{
    char topic[TOPIC_SIZE_MAX + 1];
    sim_link_topic(l, "hb", false);
    snprintf(topic, sizeof topic, "re.%s", m->reply);
    sim_link_topic(l, topic, false);
    for (unsigned i = 0; i < m->cluster->symbol_count; i++) {
        snprintf(topic, sizeof topic, "l3.%s", m->cluster->symbols[i].name);
        sim_link_topic(l, topic, false);
    }
}

void sim_market_init(struct sim_market *m, struct sim_network *network, struct sim_ear *ear,
                     struct sim_peer *matcher, const char *const *symbols, unsigned symbol_count)
{
    *m = (struct sim_market){
        .world = network->world,
        .random = sim_world_stream(network->world),
        .ear = ear,
        .cluster = make_cluster(symbols, symbol_count),
        .restart_ns = NS_PER_SECOND,
    };
    draw_reply(m);
    sim_process_init(&m->process, network, "market-data", &m->clock,
                     &(struct sim_process_owner){.self = m, .said = on_said, .ended = on_ended});
    sim_process_input(&m->process, FRAMES_BUDGET);
    sim_process_input(&m->process, REQUESTS_BUDGET);
    sim_network_push(network, &m->process.peer, SIM_MARKET_OUTPUT_REQUESTS, matcher,
                     MATCHER_INPUT_REQUESTS);
    m->link = sim_network_subscribe(network, matcher, MATCHER_OUTPUT_PUBLIC, &m->process.peer,
                                    SIM_MARKET_INPUT_FRAMES);
    subscribe(m, m->link);
    sim_world_after(m->world, random_below(&m->random, m->restart_ns), start, m, 0);
}

void sim_market_close(struct sim_market *m)
{
    market_data_destroy(&m->market_data);
    free(m->cluster);
}
