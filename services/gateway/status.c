/* status: how the gateway is, for people, probes and Prometheus. */
#include <stdio.h>

#include "base/clock.h"
#include "gateway/gateway_parts.h"
#include "gateway/standing.h"
#include "proto/catalog.h"

static bool market_heard(const gateway_t *g)
{
    return g->market_heard_ns != 0 && g->now_ns < g->market_heard_ns + 2 * NS_PER_SECOND;
}

unsigned markets_known(const gateway_t *g)
{
    unsigned count = 0;
    for (unsigned i = 0; i < g->cluster->symbol_count; i++)
        count += g->markets[i].book_known && g->markets[i].trades_known;
    return count;
}

/* Whether every matcher takes commands. */
static bool all_open(const gateway_t *g)
{
    bool open = true;
    for (unsigned s = 0; s < g->shard_count; s++)
        open = open && shard_open(&g->shards[s]);
    return open;
}

static void put_text_or_null(struct json_writer *j, const char *key, const char *text)
{
    if (text != NULL)
        json_string(j, key, text);
    else
        json_null(j, key);
}

/* The last its matcher said. */
static void put_standing(struct json_writer *j, const struct shard *s)
{
    bool said = s->heard_ns != 0;
    put_text_or_null(j, "standing", said ? standing_text(s->standing) : NULL);
    put_text_or_null(j, "why", said ? standing_why(s->standing) : NULL);
    put_text_or_null(j, "journal", catalog_value_text(KIND_journal_mode, s->journal));
}

static void put_shard(struct json_writer *j, const struct shard *s)
{
    json_object_begin(j, NULL);
    json_u64(j, "shard", s->number);
    json_string(j, "matcher", shard_heard(s) ? "up" : "silent");
    put_standing(j, s);
    json_flag(j, "orders_known", shard_ready(s));
    json_flag(j, "superseded", s->superseded);
    json_u64(j, "epoch", s->epoch);
    json_u64(j, "seq", subscriber_complete_seq(s->subscriber, s->family));
    json_u64(j, "unanswered", origin_unanswered(s->origin));
    json_object_end(j);
}

void status_health(gateway_t *g, const struct ask *ask)
{
    struct answering a;
    bool fine = gateway_ready(g) && market_heard(g) && all_open(g) && !g->draining;
    answer_begin(g, &a, "", ANSWER_MAX);
    json_object_begin(&a.json, NULL);
    json_string(&a.json, "status", g->draining ? "draining" : fine ? "ok" : "degraded");
    json_string(&a.json, "gateway", g->cluster->settings.gateway_name);
    json_time(&a.json, "timestamp", g->now_ns);
    json_u64(&a.json, "ts", g->now_ns / 1000);
    json_string(&a.json, "market_data", market_heard(g) ? "up" : "silent");
    json_u64(&a.json, "symbols", g->cluster->symbol_count);
    json_u64(&a.json, "symbols_known", markets_known(g));
    json_u64(&a.json, "open_orders", orders_counts(g->orders).open);
    json_array_begin(&a.json, "shards");
    for (unsigned s = 0; s < g->shard_count; s++)
        put_shard(&a.json, &g->shards[s]);
    json_array_end(&a.json);
    json_object_end(&a.json);
    answer_end(g, &a, ask->call, fine ? 200 : 503, fine ? 0 : REJECT_NOT_READY);
}

/* A matcher that recovers (it is silent), drains or takes no commands makes the gateway unready:
 * whoever waits for "ready" means to trade. It goes on serving the other shards and all reads, and
 * tells whoever asks for this one why not. */
static bool is_ready(const gateway_t *g)
{
    return gateway_ready(g) && all_open(g) && !g->draining;
}

/* Why a shard is not known, or known and not open; NULL: it is. */
static const char *why_not_known(const struct shard *s)
{
    if (s->superseded)
        return "another gateway has this one's name";
    if (shard_ready(s))
        return NULL;
    return shard_heard(s) ? "its orders are not known yet" : "its matcher is silent";
}

static const char *why_not_open(const struct shard *s)
{
    if (!s->superseded && !shard_heard(s))
        return "its matcher is silent";
    if (!s->superseded && s->standing != STANDING_OPEN)
        return standing_why(s->standing);
    return why_not_known(s);
}

/* The first thing there is. */
static void put_why_not(struct json_writer *j, const gateway_t *g,
                        const char *(*why_not)(const struct shard *))
{
    char detail[256] = "books and trades are not known yet";
    unsigned s = 0;
    while (s < g->shard_count && why_not(&g->shards[s]) == NULL)
        s++;
    if (g->draining)
        snprintf(detail, sizeof detail, "it is stopping");
    else if (s < g->shard_count)
        snprintf(detail, sizeof detail, "shard %u: %s", s, why_not(&g->shards[s]));
    json_string(j, "detail", detail);
}

static void answer_probe(gateway_t *g, const struct ask *ask, bool fine,
                         const char *(*why_not)(const struct shard *))
{
    struct answering a;
    answer_begin(g, &a, "", ANSWER_SMALL);
    json_object_begin(&a.json, NULL);
    json_string(&a.json, "status", fine ? "ok" : "not_ready");
    if (!fine)
        put_why_not(&a.json, g, why_not);
    json_object_end(&a.json);
    answer_end(g, &a, ask->call, fine ? 200 : 503, fine ? 0 : REJECT_NOT_READY);
}

/* A shard that is known and takes no commands does not keep a new gateway from the others. */
void status_started(gateway_t *g, const struct ask *ask)
{
    answer_probe(g, ask, g->started, why_not_known);
}

void status_ready(gateway_t *g, const struct ask *ask)
{
    answer_probe(g, ask, is_ready(g), why_not_open);
}

void status_metrics(gateway_t *g, const struct ask *ask)
{
    struct answering a;
    gateway_metrics_set(g->metrics, g, is_ready(g));
    answer_begin(g, &a, "", ANSWER_SMALL);
    answer_end(g, &a, ask->call, 200, 0);
}
