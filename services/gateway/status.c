/* status: how the gateway is, for people, probes and Prometheus. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "gateway/gateway_parts.h"
#include "gateway/standing.h"
#include "proto/catalog.h"

static bool market_heard(const gateway_t *g)
{
    return g->market_heard_ns != 0 && g->now_ns < g->market_heard_ns + 2 * NS_PER_SECOND;
}

static unsigned markets_known(const gateway_t *g)
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
void status_ready(gateway_t *g, const struct ask *ask)
{
    struct answering a;
    bool ready = gateway_ready(g) && all_open(g) && !g->draining;
    answer_begin(g, &a, "", ANSWER_SMALL);
    answer_end(g, &a, ask->call, ready ? 200 : 503, ready ? 0 : REJECT_NOT_READY);
}

/* ---- Prometheus text ---- */

struct lines {
    char *at;
    char *end;
};

__attribute__((format(printf, 2, 3))) static void put_line(struct lines *l, const char *form, ...)
{
    va_list arguments;
    va_start(arguments, form);
    int size = vsnprintf(l->at, (size_t)(l->end - l->at), form, arguments);
    va_end(arguments);
    if (size > 0 && size < l->end - l->at)
        l->at += size;
}

static void put_head(struct lines *l, const char *name, const char *type, const char *help)
{
    put_line(l, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_one(struct lines *l, const char *name, const char *type, const char *help,
                    uint64_t value)
{
    put_head(l, name, type, help);
    put_line(l, "%s %" PRIu64 "\n", name, value);
}

/* One line a standing there is, so that each can be alarmed at by its name. */
static void put_standings(struct lines *l, const gateway_t *g)
{
    put_head(l, "outcry_matcher_standing", "gauge",
             "1 for what the shard's matcher said last; open: it takes commands");
    for (unsigned s = 0; s < g->shard_count; s++) {
        for (uint64_t standing = STANDING_OPEN; standing <= STANDING_STOPPED; standing++)
            put_line(l, "outcry_matcher_standing{shard=\"%u\",standing=\"%s\"} %d\n", s,
                     standing_text(standing), g->shards[s].standing == standing);
    }
}

static void put_shards(struct lines *l, const gateway_t *g)
{
    put_head(l, "outcry_matcher_up", "gauge", "1 while the shard's matcher is heard");
    for (unsigned s = 0; s < g->shard_count; s++)
        put_line(l, "outcry_matcher_up{shard=\"%u\"} %d\n", s, shard_heard(&g->shards[s]));
    put_standings(l, g);
    put_head(l, "outcry_shard_seq", "gauge", "sequence up to which the shard's orders are known");
    for (unsigned s = 0; s < g->shard_count; s++)
        put_line(l, "outcry_shard_seq{shard=\"%u\"} %" PRIu64 "\n", s,
                 subscriber_complete_seq(g->shards[s].subscriber, g->shards[s].family));
    put_head(l, "outcry_commands_unanswered", "gauge", "commands without a result");
    for (unsigned s = 0; s < g->shard_count; s++)
        put_line(l, "outcry_commands_unanswered{shard=\"%u\"} %" PRIu64 "\n", s,
                 origin_unanswered(g->shards[s].origin));
    put_head(l, "outcry_commands_repeated_total", "counter", "times commands were sent again");
    for (unsigned s = 0; s < g->shard_count; s++)
        put_line(l, "outcry_commands_repeated_total{shard=\"%u\"} %" PRIu64 "\n", s,
                 origin_repeats(g->shards[s].origin));
}

/* One stream of the bus each: what was lost on it, and how it was made good. */
static void put_stream(struct lines *l, const char *stream, const subscriber_t *s)
{
    struct subscriber_counts c = subscriber_counts(s);
    put_line(l, "outcry_stream_frames_total{stream=\"%s\"} %" PRIu64 "\n", stream, c.frames);
    put_line(l, "outcry_stream_gaps_total{stream=\"%s\"} %" PRIu64 "\n", stream, c.gaps);
    put_line(l, "outcry_stream_snapshots_total{stream=\"%s\"} %" PRIu64 "\n", stream, c.snapshots);
    put_line(l, "outcry_stream_faults_total{stream=\"%s\"} %" PRIu64 "\n", stream, c.faults);
    put_line(l, "outcry_stream_garbage_total{stream=\"%s\"} %" PRIu64 "\n", stream, c.garbage);
}

static void put_streams(struct lines *l, const gateway_t *g)
{
    char name[24];
    put_stream(l, "market", g->market_subscriber);
    for (unsigned s = 0; s < g->shard_count; s++) {
        snprintf(name, sizeof name, "private-%u", s);
        put_stream(l, name, g->shards[s].subscriber);
    }
}

void status_metrics(gateway_t *g, const struct ask *ask)
{
    struct answering a;
    answer_begin(g, &a, "", ANSWER_MAX);
    struct lines l = {a.json.at, a.json.end};
    struct orders_counts orders = orders_counts(g->orders);
    put_one(&l, "outcry_ready", "gauge", "1 while orders and markets are known", gateway_ready(g));
    put_one(&l, "outcry_orders_open", "gauge", "open orders", orders.open);
    put_one(&l, "outcry_orders_finished", "gauge", "finished orders remembered", orders.finished);
    put_one(&l, "outcry_orders_unplaced_total", "counter",
            "order events that did not fit what is known", orders.unknown + orders.full);
    put_one(&l, "outcry_asks_total", "counter", "requests that reached the step", g->counts.asks);
    put_one(&l, "outcry_answers_total", "counter", "requests it answered", g->counts.answers);
    put_one(&l, "outcry_asks_waiting", "gauge", "requests that wait", gateway_unanswered(g));
    put_one(&l, "outcry_commands_total", "counter", "commands sent", g->counts.commands);
    put_one(&l, "outcry_results_total", "counter", "results of commands", g->counts.results);
    put_one(&l, "outcry_answers_late_total", "counter", "commands answered as unknown",
            g->counts.late);
    put_one(&l, "outcry_sessions_lost_total", "counter", "sessions a matcher did not know any more",
            g->counts.sessions_lost);
    put_one(&l, "outcry_symbols_known", "gauge", "symbols whose book and trades are known",
            markets_known(g));
    put_shards(&l, g);
    put_streams(&l, g);
    a.json.at = l.at;
    answer_end(g, &a, ask->call, 200, 0);
}
