#include "cli/replica.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum {
    ANSWERS_PRIVATE = 100, /* outputs nobody else has: what the matcher answers us */
    ANSWERS_PUBLIC,
    HEARTBEATS_MAX = 256, /* each speaks of a slice of the topics; a round is far less */
};

struct replica {
    struct cluster cluster;
    market_data_t *market_data;
    struct service service;
    uint32_t shard;
    uint64_t batch;
    void (*frame)(void *self, const uint8_t *message, size_t size);
    void *self;
};

/* A cluster of this one shard, by its number. */
static void describe(struct cluster *c, const engine_t *e)
{
    const struct configure *limits = engine_limits(e);
    c->settings.shards = limits->shard + 1;
    c->settings.open_orders_max = limits->open_orders_max / c->settings.shards + 1;
    c->settings.kept_mib = 1;
    c->symbol_count = engine_symbol_count(e);
    for (uint32_t n = 1; n <= c->symbol_count; n++) {
        struct cluster_symbol *s = &c->symbols[n - 1];
        struct text name = engine_symbol_name(e, n);
        memcpy(s->name, name.data, name.size);
        s->shard = (uint16_t)limits->shard;
        s->any_price = engine_symbol_any_price(e, n);
    }
}

replica_t *replica_new(const matcher_t *m,
                       void (*frame)(void *self, const uint8_t *message, size_t size), void *self)
{
    replica_t *r = memory_new(1, sizeof *r, "a replica");
    describe(&r->cluster, matcher_engine(m));
    r->shard = (uint32_t)r->cluster.settings.shards - 1;
    r->frame = frame;
    r->self = self;
    r->market_data =
        market_data_new(&(struct market_data_options){.cluster = &r->cluster,
                                                      .requests_address = "",
                                                      .reply = "00000000000000000000000000000000"});
    r->service = market_data_service(r->market_data);
    return r;
}

void replica_destroy(replica_t **replica)
{
    replica_t *r = *replica;
    if (r == NULL)
        return;
    market_data_destroy(&r->market_data);
    memory_free(r, 1, sizeof *r);
    *replica = NULL;
}

/* Hand over what it published; requests stay at the front, for replica_join. True: one is there. */
static bool drain(replica_t *r, struct outgoing *request)
{
    while (outbox_peek(r->service.outbox, UINT64_MAX, request)) {
        if (request->output != 0)
            return true;
        r->frame(r->self, request->bytes, request->size);
        outbox_pop(r->service.outbox);
    }
    return false;
}

void replica_receive(replica_t *r, const uint8_t *message, size_t size, uint64_t now_ns)
{
    struct outgoing request;
    struct journal_batch none;
    r->service.begin(r->service.self, now_ns, ++r->batch);
    (void)r->service.receive(r->service.self, r->shard, message, size);
    (void)r->service.end(r->service.self, &none);
    (void)drain(r, &request);
}

/* What the matcher said, to us. */
static void listen(replica_t *r, matcher_t *m, uint64_t now_ns)
{
    struct outgoing said;
    while (outbox_peek(matcher_outbox(m), UINT64_MAX, &said)) {
        if (said.output == MATCHER_OUTPUT_PUBLIC || said.output == ANSWERS_PUBLIC)
            replica_receive(r, said.bytes, said.size, now_ns);
        outbox_pop(matcher_outbox(m));
    }
}

static void ask(replica_t *r, matcher_t *m, uint64_t now_ns)
{
    struct outgoing wanted;
    while (drain(r, &wanted)) {
        struct request q;
        const uint8_t *at = wanted.bytes;
        if (request_read(&at, wanted.bytes + wanted.size, &q) == COMMAND_READ_OK)
            (void)matcher_answer(m, &q, ANSWERS_PRIVATE, ANSWERS_PUBLIC);
        outbox_pop(r->service.outbox);
        listen(r, m, now_ns);
    }
}

bool replica_join(replica_t *r, matcher_t *m, uint64_t now_ns)
{
    for (unsigned i = 0; i < HEARTBEATS_MAX; i++) {
        matcher_heartbeat(m, now_ns);
        listen(r, m, now_ns);
        ask(r, m, now_ns);
        if (market_data_ready(r->market_data))
            return true;
    }
    return false;
}
