#include "cli/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double total(const struct pages *p, const char *name)
{
    return scrape_sum(p->now, name, NULL, NULL);
}

/* Since the page before. */
static double growth(const struct pages *p, const char *name)
{
    return p->before == NULL ? NAN : scrape_growth(p->now, p->before, name, NULL, NULL);
}

static double rate(const struct pages *p, const char *name)
{
    return p->seconds > 0 ? growth(p, name) / p->seconds : NAN;
}

static double quantile(const struct pages *p, const char *name, double q)
{
    return scrape_quantile(p->now, p->before, name, NULL, NULL, q);
}

void figures_of_matcher(struct matcher_figures *f, const struct pages *p)
{
    *f = (struct matcher_figures){
        .commands = rate(p, "outcry_matcher_commands_total"),
        .batch = scrape_mean(p->now, p->before, "outcry_matcher_batch_commands", NULL, NULL),
        .trades = rate(p, "outcry_matcher_trades_total"),
        .rejects = rate(p, "outcry_matcher_rejects_total"),
        .unsequenced = rate(p, "outcry_matcher_unsequenced_total"),
        .gaps = rate(p, "outcry_matcher_gaps_total"),
        .step_p50 = quantile(p, "outcry_node_step_seconds", 0.5),
        .step_p99 = quantile(p, "outcry_node_step_seconds", 0.99),
        .commit_p50 = quantile(p, "outcry_journal_commit_seconds", 0.5),
        .commit_p99 = quantile(p, "outcry_journal_commit_seconds", 0.99),
        .open = total(p, "outcry_matcher_open"),
        .epoch = total(p, "outcry_matcher_epoch"),
        .seq = total(p, "outcry_matcher_seq"),
        .orders = total(p, "outcry_matcher_open_orders"),
        .orders_max = total(p, "outcry_matcher_open_orders_max"),
        .accounts = total(p, "outcry_matcher_accounts"),
        .accounts_max = total(p, "outcry_matcher_accounts_max"),
        .origins = total(p, "outcry_matcher_origins"),
        .origins_max = total(p, "outcry_matcher_origins_max"),
        .journal = total(p, "outcry_journal_size_bytes"),
        .journal_max = total(p, "outcry_journal_size_max_bytes"),
        .journal_free = total(p, "outcry_journal_disk_free_bytes"),
    };
}

void figures_of_follower(struct follower_figures *f, const struct pages *p)
{
    *f = (struct follower_figures){
        .behind = total(p, "outcry_follower_behind_commands"),
        .seq = total(p, "outcry_follower_seq"),
        .snapshot_seq = total(p, "outcry_follower_snapshot_seq"),
        .restarts = total(p, "outcry_follower_restarts_total"),
        .restarts_now = growth(p, "outcry_follower_restarts_total"),
    };
}

static struct stream_figures streams_of(const struct pages *p)
{
    return (struct stream_figures){
        .frames = rate(p, "outcry_stream_frames_total"),
        .gaps = total(p, "outcry_stream_gaps_total"),
        .faults = total(p, "outcry_stream_faults_total"),
        .drops = total(p, "outcry_node_dropped_total"),
        .gaps_now = growth(p, "outcry_stream_gaps_total"),
        .faults_now = growth(p, "outcry_stream_faults_total"),
        .drops_now = growth(p, "outcry_node_dropped_total"),
        .outbox = total(p, "outcry_node_outbox_bytes"),
    };
}

void figures_of_market_data(struct market_data_figures *f, const struct pages *p)
{
    *f = (struct market_data_figures){
        .streams = streams_of(p),
        .known = total(p, "outcry_market_data_symbols_known"),
        .symbols = total(p, "outcry_market_data_symbols"),
        .delay_p50 = quantile(p, "outcry_market_data_delay_seconds", 0.5),
        .delay_p99 = quantile(p, "outcry_market_data_delay_seconds", 0.99),
    };
    f->streams.frames = rate(p, "outcry_publisher_frames_total");
}

/* Answers of a status of 500 and more, ever. */
static double failures_in(const scrape_t *page)
{
    size_t count;
    const struct scrape_series *s =
        scrape_series(page, "outcry_http_request_duration_seconds_count", &count);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += scrape_label(&s[i], "status")[0] == '5' ? s[i].value : 0;
    return sum;
}

static double failures_of(const struct pages *p)
{
    double now = failures_in(p->now), was = failures_in(p->before);
    return p->before == NULL || p->seconds <= 0 ? NAN : (now < was ? now : now - was) / p->seconds;
}

static double stage_p99(const struct pages *p, const char *stage)
{
    return scrape_quantile(p->now, p->before, "outcry_order_stage_seconds", "stage", stage, 0.99);
}

static double order_time(const struct pages *p, double q)
{
    return scrape_quantile(p->now, p->before, "outcry_http_request_duration_seconds", "route",
                           "POST /api/v1/orders", q);
}

void figures_of_gateway(struct gateway_figures *f, const struct pages *p)
{
    *f = (struct gateway_figures){
        .streams = streams_of(p),
        .requests = rate(p, "outcry_http_request_duration_seconds_count"),
        .failures = failures_of(p),
        .refused = rate(p, "outcry_http_refused_total"),
        .order_p50 = order_time(p, 0.5),
        .order_p99 = order_time(p, 0.99),
        .edge_p99 = stage_p99(p, "edge"),
        .matcher_p99 = stage_p99(p, "matcher"),
        .answer_p99 = stage_p99(p, "answer"),
        .connections = total(p, "outcry_http_connections"),
        .websockets = total(p, "outcry_websockets_open"),
        .websockets_waiting = total(p, "outcry_websocket_waiting_messages"),
        .asks = total(p, "outcry_gateway_asks_waiting"),
        .slow = total(p, "outcry_websockets_slow_total"),
        .slow_now = growth(p, "outcry_websockets_slow_total"),
    };
}

void figures_of_strategy(struct strategy_figures *f, const struct pages *p)
{
    *f = (struct strategy_figures){
        .streams = streams_of(p),
        .running = total(p, "outcry_strategy_running"),
        .stopped = total(p, "outcry_strategy_stopped"),
        .working = total(p, "outcry_strategy_working_orders"),
        .orders = rate(p, "outcry_strategy_orders_total"),
        .refused = rate(p, "outcry_strategy_refused_total"),
        .fills = rate(p, "outcry_strategy_fills_total"),
    };
}

/* ---- what a gateway hears of a shard ---- */

static double of_shard(const struct pages *p, const char *name, unsigned shard)
{
    char number[12];
    snprintf(number, sizeof number, "%u", shard);
    return scrape_sum(p->now, name, "shard", number);
}

double figures_heard(const struct pages *p, unsigned shard)
{
    return of_shard(p, "outcry_matcher_up", shard);
}

double figures_unanswered(const struct pages *p, unsigned shard)
{
    return of_shard(p, "outcry_commands_unanswered", shard);
}

const char *figures_standing(const struct pages *p, unsigned shard)
{
    char number[12];
    size_t count;
    const struct scrape_series *s = scrape_series(p->now, "outcry_matcher_standing", &count);
    snprintf(number, sizeof number, "%u", shard);
    for (size_t i = 0; i < count; i++) {
        if (s[i].value > 0 && strcmp(scrape_label(&s[i], "shard"), number) == 0)
            return scrape_label(&s[i], "standing");
    }
    return "";
}
