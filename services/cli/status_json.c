#include "cli/status_json.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* A whole number if it is one; null if it is not known. */
static void put(json_t *object, const char *key, double value)
{
    if (isnan(value))
        json_object_set_new(object, key, json_null());
    else if (fabs(value) < 9e15 && value >= floor(value) && value <= floor(value))
        json_object_set_new(object, key, json_integer((json_int_t)value));
    else
        json_object_set_new(object, key, json_real(value));
}

static void put_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, *text == '\0' ? json_null() : json_string(text));
}

static void put_flag(json_t *object, const char *key, bool flag)
{
    json_object_set_new(object, key, json_boolean(flag));
}

static void put_time(json_t *object, const char *key, uint64_t time_ns)
{
    char text[32];
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    put_text(object, key, text);
}

static json_t *problem_json(const struct problem *p)
{
    static const char *const weights[] = {
        [PROBLEM_STOPS] = "stops", [PROBLEM_THREATS] = "threatens", [PROBLEM_HAPPENS] = "happens"};
    json_t *object = json_object();
    put_text(object, "weight", weights[p->weight]);
    put_text(object, "text", p->text);
    return object;
}

static json_t *service_json(const struct service *s)
{
    json_t *object = json_object();
    put_text(object, "name", s->name);
    put_text(object, "address", s->target.address);
    put_flag(object, "up", s->up);
    put_flag(object, "ready", s->ready);
    put_text(object, "why", s->why);
    put_text(object, "version", s->version);
    if (s->up)
        put_time(object, "started", s->since_ns);
    return object;
}

static void put_matcher(json_t *object, const struct service *m)
{
    struct matcher_figures f;
    json_t *journal = json_object();
    figures_of_matcher(&f, &m->pages);
    put(object, "epoch", f.epoch);
    put(object, "seq", f.seq);
    put(object, "open_orders", f.orders);
    put(object, "open_orders_max", f.orders_max);
    put(object, "accounts", f.accounts);
    put(object, "accounts_max", f.accounts_max);
    put(object, "origins", f.origins);
    put(object, "origins_max", f.origins_max);
    put(journal, "size_bytes", f.journal);
    put(journal, "size_max_bytes", f.journal_max);
    put(journal, "disk_free_bytes", f.journal_free);
    json_object_set_new(object, "journal", journal);
}

static json_t *shard_json(const struct overview *o, unsigned shard)
{
    const struct service *m = overview_of_shard(o, SERVICE_MATCHER, shard);
    const struct service *follower = overview_of_shard(o, SERVICE_FOLLOWER, shard);
    struct follower_figures f;
    json_t *object = json_object();
    put(object, "shard", shard);
    put_text(object, "standing", overview_standing(o, shard));
    put_text(object, "journal_mode", o->journal_modes[shard]);
    if (m != NULL && m->up)
        put_matcher(object, m);
    if (follower != NULL && follower->up) {
        figures_of_follower(&f, &follower->pages);
        json_t *part = json_object();
        put(part, "seq", f.seq);
        put(part, "behind_commands", f.behind);
        put(part, "snapshot_seq", f.snapshot_seq);
        json_object_set_new(object, "follower", part);
    }
    return object;
}

static void put_streams(json_t *object, const struct stream_figures *f)
{
    put(object, "gaps", f->gaps);
    put(object, "faults", f->faults);
    put(object, "dropped", f->drops);
}

static json_t *gateway_json(const struct overview *o, const struct service *s)
{
    struct gateway_figures f;
    json_t *object = json_object(), *shards = json_array();
    figures_of_gateway(&f, &s->pages);
    put_text(object, "name", s->name);
    put(object, "connections", f.connections);
    put(object, "websockets", f.websockets);
    put(object, "requests_waiting", f.asks);
    put_streams(object, &f.streams);
    for (unsigned shard = 0; shard < overview_shards(o); shard++) {
        json_t *one = json_object();
        put(one, "shard", shard);
        put_flag(one, "heard", figures_heard(&s->pages, shard) > 0);
        put_flag(one, "orders_known", (s->orders_known >> shard & 1) != 0);
        put(one, "unanswered", figures_unanswered(&s->pages, shard));
        json_array_append_new(shards, one);
    }
    json_object_set_new(object, "shards", shards);
    return object;
}

static json_t *market_data_json(const struct service *s)
{
    struct market_data_figures f;
    json_t *object = json_object();
    figures_of_market_data(&f, &s->pages);
    put_text(object, "name", s->name);
    put(object, "symbols_known", f.known);
    put(object, "symbols", f.symbols);
    put_streams(object, &f.streams);
    return object;
}

static json_t *strategy_json(const struct service *s)
{
    struct strategy_figures f;
    json_t *object = json_object();
    figures_of_strategy(&f, &s->pages);
    put_text(object, "name", s->name);
    put(object, "running", f.running);
    put(object, "stopped", f.stopped);
    put(object, "working_orders", f.working);
    return object;
}

json_t *status_json(const struct overview *o, const struct problems *problems)
{
    json_t *status = json_object(), *told = json_array(), *services = json_array();
    json_t *shards = json_array(), *gateways = json_array(), *market_data = json_array();
    json_t *strategies = json_array();
    for (unsigned i = 0; i < problems->count; i++)
        json_array_append_new(told, problem_json(&problems->at[i]));
    for (unsigned i = 0; i < o->service_count; i++) {
        const struct service *s = &o->services[i];
        json_array_append_new(services, service_json(s));
        if (s->up && s->kind == SERVICE_GATEWAY)
            json_array_append_new(gateways, gateway_json(o, s));
        if (s->up && s->kind == SERVICE_MARKET_DATA)
            json_array_append_new(market_data, market_data_json(s));
        if (s->up && s->kind == SERVICE_STRATEGY)
            json_array_append_new(strategies, strategy_json(s));
    }
    for (unsigned shard = 0; shard < overview_shards(o); shard++)
        json_array_append_new(shards, shard_json(o, shard));
    put_flag(status, "well", problems->count == 0);
    json_object_set_new(status, "problems", told);
    json_object_set_new(status, "services", services);
    json_object_set_new(status, "shards", shards);
    json_object_set_new(status, "gateways", gateways);
    json_object_set_new(status, "market_data", market_data);
    json_object_set_new(status, "strategies", strategies);
    return status;
}
