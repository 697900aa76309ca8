#include "cli/twin.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum {
    ANSWERS_PRIVATE = 100, /* outputs nobody else has: what the matcher answers us */
    ANSWERS_PUBLIC,
    HEARTBEATS_MAX = 256, /* each speaks of a slice of the topics; a round is far less */
};

struct twin {
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

twin_t *twin_new(const matcher_t *m, void (*frame)(void *self, const uint8_t *message, size_t size),
                 void *self)
{
    twin_t *t = memory_new(1, sizeof *t, "a twin");
    describe(&t->cluster, matcher_engine(m));
    t->shard = (uint32_t)t->cluster.settings.shards - 1;
    t->frame = frame;
    t->self = self;
    t->market_data =
        market_data_new(&(struct market_data_options){.cluster = &t->cluster,
                                                      .requests_address = "",
                                                      .reply = "00000000000000000000000000000000"});
    t->service = market_data_service(t->market_data);
    return t;
}

void twin_destroy(twin_t **twin)
{
    twin_t *t = *twin;
    if (t == NULL)
        return;
    market_data_destroy(&t->market_data);
    memory_free(t, 1, sizeof *t);
    *twin = NULL;
}

/* Hand over what it published, up to a request, which stays at the front. True: one is there. */
static bool drain(twin_t *t, struct outgoing *request)
{
    while (outbox_peek(t->service.outbox, UINT64_MAX, request)) {
        if (request->output != 0)
            return true;
        t->frame(t->self, request->bytes, request->size);
        outbox_pop(t->service.outbox);
    }
    return false;
}

void twin_receive(twin_t *t, const uint8_t *message, size_t size, uint64_t now_ns)
{
    struct outgoing request;
    struct journal_batch none;
    t->service.begin(t->service.self, now_ns, ++t->batch);
    (void)t->service.receive(t->service.self, t->shard, message, size);
    (void)t->service.end(t->service.self, &none);
    (void)drain(t, &request);
}

/* What the matcher said, to us. */
static void hear(twin_t *t, matcher_t *m, uint64_t now_ns)
{
    struct outgoing said;
    while (outbox_peek(matcher_outbox(m), UINT64_MAX, &said)) {
        if (said.output == MATCHER_OUTPUT_PUBLIC || said.output == ANSWERS_PUBLIC)
            twin_receive(t, said.bytes, said.size, now_ns);
        outbox_pop(matcher_outbox(m));
    }
}

void twin_answer(twin_t *t, matcher_t *m, uint64_t now_ns)
{
    struct outgoing wanted;
    while (drain(t, &wanted)) {
        struct request q;
        const uint8_t *at = wanted.bytes;
        if (request_read(&at, wanted.bytes + wanted.size, &q) == COMMAND_READ_OK)
            (void)matcher_answer(m, &q, ANSWERS_PRIVATE, ANSWERS_PUBLIC);
        outbox_pop(t->service.outbox);
        hear(t, m, now_ns);
    }
}

bool twin_join(twin_t *t, matcher_t *m, uint64_t now_ns)
{
    for (unsigned i = 0; i < HEARTBEATS_MAX; i++) {
        matcher_heartbeat(m, now_ns);
        hear(t, m, now_ns);
        twin_answer(t, m, now_ns);
        if (market_data_ready(t->market_data))
            return true;
    }
    return false;
}
