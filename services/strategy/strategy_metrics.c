#include "strategy/strategy_metrics.h"

#include <stdio.h>

#include "base/memory.h"
#include "node/counts.h"

/* Of all strategies of a symbol. */
struct figures {
    uint64_t running, stopped, orders, refused, fills, working;
};

static const struct counts_row rows[] = {
    {FAMILY_STRATEGY_RUNNING, offsetof(struct figures, running)},
    {FAMILY_STRATEGY_STOPPED, offsetof(struct figures, stopped)},
    {FAMILY_STRATEGY_ORDERS, offsetof(struct figures, orders)},
    {FAMILY_STRATEGY_REFUSED, offsetof(struct figures, refused)},
    {FAMILY_STRATEGY_FILLS, offsetof(struct figures, fills)},
    {FAMILY_STRATEGY_WORKING, offsetof(struct figures, working)},
};

struct of_symbol {
    struct counts told;
    struct figures figures;
};

struct of_shard {
    struct counts books, accounts;
};

struct strategy_metrics {
    const strategy_service_t *service;
    const strategy_host_t *host;
    admin_t *admin;
    struct of_symbol *symbols;
    struct of_shard *shards;
    unsigned symbol_count, shard_count;
};

strategy_metrics_t *strategy_metrics_new(const strategy_service_t *service, metrics_t *metrics,
                                         admin_t *admin)
{
    strategy_metrics_t *m = memory_new(1, sizeof *m, "metrics");
    m->service = service;
    m->host = strategy_service_host(service);
    m->admin = admin;
    m->symbol_count = strategy_host_symbol_count(m->host);
    m->shard_count = strategy_service_shard_count(service);
    m->symbols = memory_new(m->symbol_count, sizeof *m->symbols, "metrics");
    m->shards = memory_new(m->shard_count, sizeof *m->shards, "metrics");
    for (unsigned i = 0; i < m->symbol_count; i++)
        counts_init(&m->symbols[i].told, metrics, rows, sizeof rows / sizeof rows[0],
                    strategy_host_symbol_at(m->host, i)->name, NULL);
    for (unsigned i = 0; i < m->shard_count; i++) {
        char shard[16];
        snprintf(shard, sizeof shard, "%u", (unsigned)strategy_service_shard(service, i));
        counts_of_subscriber(&m->shards[i].books, metrics, "public", shard);
        counts_of_subscriber(&m->shards[i].accounts, metrics, "private", shard);
    }
    return m;
}

void strategy_metrics_destroy(strategy_metrics_t **metrics)
{
    strategy_metrics_t *m = *metrics;
    if (m == NULL)
        return;
    memory_free(m->symbols, m->symbol_count, sizeof *m->symbols);
    memory_free(m->shards, m->shard_count, sizeof *m->shards);
    memory_free(m, 1, sizeof *m);
    *metrics = NULL;
}

static void add_strategy(const strategy_metrics_t *m, unsigned strategy, bool running)
{
    struct figures *f = &m->symbols[strategy_host_symbol(m->host, strategy)].figures;
    struct strategy_standing at = strategy_host_standing(m->host, strategy);
    f->running += running && !at.stopping && !at.ended;
    f->stopped += at.stopping || at.ended;
    f->orders += at.orders;
    f->fills += strategy_host_ledger(m->host, strategy)->fill_count;
    f->working += at.working;
    for (unsigned r = 0; r < sizeof at.refused / sizeof at.refused[0]; r++)
        f->refused += at.refused[r];
}

void strategy_metrics_report(void *strategy_metrics)
{
    const strategy_metrics_t *m = strategy_metrics;
    bool running = strategy_service_running(m->service);
    for (unsigned i = 0; i < m->symbol_count; i++)
        m->symbols[i].figures = (struct figures){0};
    for (unsigned s = 0; s < strategy_host_count(m->host); s++)
        add_strategy(m, s, running);
    for (unsigned i = 0; i < m->symbol_count; i++)
        counts_set(&m->symbols[i].told, &m->symbols[i].figures);
    for (unsigned i = 0; i < m->shard_count; i++) {
        struct subscriber_counts books = strategy_service_heard(m->service, i, false);
        struct subscriber_counts accounts = strategy_service_heard(m->service, i, true);
        counts_set(&m->shards[i].books, &books);
        counts_set(&m->shards[i].accounts, &accounts);
    }
    admin_ready(m->admin, running, "it is joining its matchers, or stopping");
}
