#include "gateway/gateway_metrics.h"

#include <stdio.h>

#include "base/memory.h"
#include "gateway/gateway_parts.h"
#include "gateway/standing.h"
#include "node/counts.h"

struct shard_series {
    metric_t *up, *seq, *unanswered, *repeated;
    metric_t *standing[STANDING_STOPPED + 1]; /* one for each there is: each can be alarmed at */
    struct counts stream;
};

struct gateway_metrics {
    metric_t *ready;
    struct counts own, market;
    struct shard_series shards[ORDERS_SHARDS_MAX];
};

/* What is counted of the whole. */
struct own_counts {
    uint64_t open, finished, unplaced, commands, late, sessions_lost, known, waiting;
};

static const struct counts_row own_rows[] = {
    {FAMILY_ORDERS_OPEN, offsetof(struct own_counts, open)},
    {FAMILY_ORDERS_FINISHED, offsetof(struct own_counts, finished)},
    {FAMILY_ORDERS_UNPLACED, offsetof(struct own_counts, unplaced)},
    {FAMILY_COMMANDS, offsetof(struct own_counts, commands)},
    {FAMILY_ANSWERS_LATE, offsetof(struct own_counts, late)},
    {FAMILY_SESSIONS_LOST, offsetof(struct own_counts, sessions_lost)},
    {FAMILY_SYMBOLS_KNOWN, offsetof(struct own_counts, known)},
    {FAMILY_GATEWAY_ASKS, offsetof(struct own_counts, waiting)},
};

static void make_shard(struct shard_series *s, metrics_t *metrics, unsigned number)
{
    char shard[16];
    snprintf(shard, sizeof shard, "%u", number);
    s->up = metrics_series(metrics, FAMILY_MATCHER_UP, shard);
    s->seq = metrics_series(metrics, FAMILY_SHARD_SEQ, shard);
    s->unanswered = metrics_series(metrics, FAMILY_UNANSWERED, shard);
    s->repeated = metrics_series(metrics, FAMILY_REPEATED, shard);
    for (uint64_t i = STANDING_OPEN; i <= STANDING_STOPPED; i++)
        s->standing[i] = metrics_series(metrics, FAMILY_MATCHER_STANDING, shard, standing_text(i));
    counts_of_subscriber(&s->stream, metrics, "private", shard);
}

gateway_metrics_t *gateway_metrics_new(const gateway_t *g, metrics_t *metrics)
{
    gateway_metrics_t *m = memory_new(1, sizeof *m, "metrics");
    m->ready = metrics_series(metrics, FAMILY_READY);
    counts_init(&m->own, metrics, own_rows, sizeof own_rows / sizeof own_rows[0], NULL, NULL);
    counts_of_subscriber(&m->market, metrics, "market", "");
    for (unsigned s = 0; s < g->shard_count; s++)
        make_shard(&m->shards[s], metrics, s);
    return m;
}

void gateway_metrics_destroy(gateway_metrics_t **metrics)
{
    if (*metrics != NULL)
        memory_free(*metrics, 1, sizeof **metrics);
    *metrics = NULL;
}

static void set_shard(const struct shard_series *series, const struct shard *s)
{
    struct subscriber_counts stream = subscriber_counts(s->subscriber);
    metric_set(series->up, shard_heard(s));
    metric_set(series->seq, subscriber_complete_seq(s->subscriber, s->family));
    metric_set(series->unanswered, origin_unanswered(s->origin));
    metric_set(series->repeated, origin_repeats(s->origin));
    for (uint64_t i = STANDING_OPEN; i <= STANDING_STOPPED; i++)
        metric_set(series->standing[i], s->standing == i);
    counts_set(&series->stream, &stream);
}

void gateway_metrics_set(gateway_metrics_t *m, const gateway_t *g, bool ready)
{
    struct orders_counts orders = orders_counts(g->orders);
    struct subscriber_counts market = subscriber_counts(g->market_subscriber);
    struct own_counts own = {
        .open = orders.open,
        .finished = orders.finished,
        .unplaced = orders.unknown + orders.full,
        .commands = g->counts.commands,
        .late = g->counts.late,
        .sessions_lost = g->counts.sessions_lost,
        .known = markets_known(g),
        .waiting = gateway_unanswered(g),
    };
    metric_set(m->ready, ready);
    counts_set(&m->own, &own);
    counts_set(&m->market, &market);
    for (unsigned s = 0; s < g->shard_count; s++)
        set_shard(&m->shards[s], &g->shards[s]);
}
