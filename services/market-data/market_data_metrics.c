#include "market-data/market_data_metrics.h"

#include "base/clock.h"
#include "base/memory.h"
#include "node/counts.h"

struct of_shard {
    struct counts stream;
    metric_t *delay;
};

struct market_data_metrics {
    market_data_t *market_data;
    admin_t *admin;
    struct counts said;
    struct of_shard *shards;
    unsigned shard_count;
    metric_t *known;
};

market_data_metrics_t *market_data_metrics_new(market_data_t *market_data,
                                               const struct cluster *cluster, metrics_t *metrics,
                                               admin_t *admin)
{
    market_data_metrics_t *m = memory_new(1, sizeof *m, "metrics");
    m->market_data = market_data;
    m->admin = admin;
    m->shard_count = (unsigned)cluster->settings.shards;
    m->shards = memory_new(m->shard_count, sizeof *m->shards, "metrics");
    for (unsigned s = 0; s < m->shard_count; s++) {
        char shard[16];
        snprintf(shard, sizeof shard, "%u", s);
        counts_of_subscriber(&m->shards[s].stream, metrics, "public", shard);
        m->shards[s].delay = metrics_series(metrics, FAMILY_MARKET_DELAY, shard);
    }
    counts_of_publisher(&m->said, metrics, "market");
    m->known = metrics_series(metrics, FAMILY_MARKET_KNOWN);
    metric_set(metrics_series(metrics, FAMILY_MARKET_SYMBOLS), cluster->symbol_count);
    return m;
}

void market_data_metrics_destroy(market_data_metrics_t **metrics)
{
    market_data_metrics_t *m = *metrics;
    if (m == NULL)
        return;
    memory_free(m->shards, m->shard_count, sizeof *m->shards);
    memory_free(m, 1, sizeof *m);
    *metrics = NULL;
}

/* Two clocks: where ours is behind, the delay is told as none. */
void market_data_metrics_turned(void *market_data_metrics)
{
    const market_data_metrics_t *m = market_data_metrics;
    struct market_data_frame frame;
    uint64_t now_ns = 0;
    while (market_data_oldest(m->market_data, &frame)) {
        if (now_ns == 0)
            now_ns = clock_wall_ns();
        metric_observe(m->shards[frame.shard].delay,
                       now_ns > frame.time_ns ? now_ns - frame.time_ns : 0);
    }
}

void market_data_metrics_report(void *market_data_metrics)
{
    const market_data_metrics_t *m = market_data_metrics;
    struct publisher_counts said = market_data_counts(m->market_data);
    counts_set(&m->said, &said);
    for (unsigned s = 0; s < m->shard_count; s++) {
        struct subscriber_counts heard = market_data_heard(m->market_data, s);
        counts_set(&m->shards[s].stream, &heard);
    }
    metric_set(m->known, market_data_known(m->market_data));
    admin_ready(m->admin, market_data_ready(m->market_data), "books are not complete");
}
