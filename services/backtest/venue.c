/* venue: what happens next. Four things come of themselves, each in an order of its own: recorded
 * commands, commands of ours that are on their way, parcels of news, and timers; the earliest of
 * them is the next step. Nothing is ever done from within a callback: what a strategy sends there
 * is put by, and is a step of its own. */
#include "backtest/venue.h"

#include "backtest/venue_parts.h"
#include "base/check.h"
#include "base/memory.h"

enum {
    SESSION = 1,
    HASH_SEED = 0,
    /* Commands of ours at one moment. A strategy without latency that answers each answer with one
     * more would go on for ever, and time would not. */
    AT_ONE_MOMENT_MAX = 1 << 16,
};

/* ---- what the host tells is handed on ---- */

static void on_market(void *self, unsigned strategy, const struct market_update *u,
                      const struct bbo_state *bbo)
{
    const struct strategy_host_owner *o = &((venue_t *)self)->owner;
    o->market(o->self, strategy, u, bbo);
}

static void on_order(void *self, unsigned strategy, const struct own_order *order)
{
    const struct strategy_host_owner *o = &((venue_t *)self)->owner;
    o->order(o->self, strategy, order);
}

static void on_fill(void *self, unsigned strategy, const struct own_fill *f,
                    const struct bbo_state *bbo)
{
    const struct strategy_host_owner *o = &((venue_t *)self)->owner;
    o->fill(o->self, strategy, f, bbo);
}

static void on_log(void *self, unsigned strategy, const char *words)
{
    const struct strategy_host_owner *o = &((venue_t *)self)->owner;
    o->log(o->self, strategy, words);
}

static void on_ended(void *self, unsigned strategy, const char *why)
{
    const struct strategy_host_owner *o = &((venue_t *)self)->owner;
    o->ended(o->self, strategy, why);
}

/* What its owner does not want is not asked for either. */
static struct strategy_host_owner host_owner(venue_t *v)
{
    const struct strategy_host_owner *o = &v->owner;
    return (struct strategy_host_owner){
        .self = v,
        .command = venue_command,
        .market = o->market == NULL ? NULL : on_market,
        .order = o->order == NULL ? NULL : on_order,
        .fill = o->fill == NULL ? NULL : on_fill,
        .log = o->log == NULL ? NULL : on_log,
        .ended = o->ended == NULL ? NULL : on_ended,
    };
}

/* ---- its life ---- */

/* Each way draws from a run of numbers of its own, so that one more order moves no news. */
static void init_ways(venue_t *v, struct delay *data)
{
    delay_init(&v->order_delay, &v->options.order_latency, v->options.seed);
    delay_init(data, &v->options.data_latency, ~v->options.seed);
}

venue_t *venue_new(const struct venue_options *o, const struct strategy_host_owner *owner,
                   const struct strategy_spec *specs, unsigned count)
{
    venue_t *v = memory_new(1, sizeof *v, "a venue");
    v->options = *o;
    if (owner != NULL)
        v->owner = *owner;
    v->without = text_of(o->without_account == NULL ? "" : o->without_account);
    v->now_ns = recording_begin_ns(o->recording);
    v->end_ns = recording_end_ns(o->recording);
    struct delay data;
    init_ways(v, &data);
    struct configure limits = venue_limits(o->recording, count);
    v->engine = engine_new(&limits, HASH_SEED);
    struct strategy_host_owner ours = host_owner(v);
    v->host = strategy_host_new(&ours, specs, count, SESSION, !delay_none(&data));
    CHECK(strategy_host_symbol_count(v->host) == 1 &&
          text_equal(text_of(strategy_host_symbol_at(v->host, 0)->name),
                     text_of(recording_symbol(o->recording)->name)));
    seq_map_init(&v->seqs);
    order_queue_init(&v->orders);
    news_init(&v->news, v->engine, v->host, &data);
    upcoming_init(&v->upcoming, o->recording, &v->seqs);
    venue_begin(v);
    return v;
}

void venue_destroy(venue_t **venue)
{
    venue_t *v = *venue;
    if (v == NULL)
        return;
    strategy_host_destroy(&v->host);
    engine_destroy(&v->engine);
    seq_map_close(&v->seqs);
    order_queue_close(&v->orders);
    news_close(&v->news);
    memory_free(v, 1, sizeof *v);
    *venue = NULL;
}

/* ---- what happens next ---- */

static void recorded(venue_t *v)
{
    struct recorded *e = upcoming_first(&v->upcoming);
    v->now_ns = e->time_ns;
    if (v->upcoming.commands)
        venue_recorded(v, e);
    else
        queue_model_update(v, e);
    upcoming_pop(&v->upcoming, v->engine);
    v->counts.events++;
}

static void ours(venue_t *v, uint64_t at_ns)
{
    unsigned strategy = order_queue_first(&v->orders)->strategy;
    v->moment_count = at_ns == v->moment_ns ? v->moment_count + 1 : 1;
    v->now_ns = v->moment_ns = at_ns;
    venue_ours(v);
    v->counts.events++;
    if (v->moment_count % AT_ONE_MOMENT_MAX == 0)
        strategy_host_stop(v->host, strategy, at_ns, "it sent 65536 commands at one moment");
}

static void timers(venue_t *v, uint64_t at_ns)
{
    v->now_ns = at_ns;
    strategy_host_time(v->host, v->now_ns);
    v->counts.events++;
}

static void deliver(venue_t *v, uint64_t at_ns)
{
    v->now_ns = at_ns;
    news_deliver(&v->news, at_ns);
}

static void start(venue_t *v)
{
    v->started = true;
    news_begin(&v->news, v->now_ns);
    strategy_host_start(v->host, v->now_ns);
}

static void stop(venue_t *v)
{
    v->stopped = true;
    v->now_ns = v->end_ns > v->now_ns ? v->end_ns : v->now_ns;
    strategy_host_stop_all(v->host, v->now_ns, "the recording is over");
}

/* When timers are next: one may be overdue when it is set. */
static uint64_t timer_ns(const venue_t *v)
{
    uint64_t due_ns = v->started ? strategy_host_due_ns(v->host) : UINT64_MAX;
    return due_ns > v->now_ns ? due_ns : v->now_ns;
}

/* The times of what is next, UINT64_MAX where nothing is. */
struct next {
    uint64_t recorded_ns, ours_ns, news_ns, timer_ns;
    bool at_once; /* the next of ours arrives when it was sent: before all else */
};

static struct next next_of(const venue_t *v)
{
    const struct queued_order *o = order_queue_first(&v->orders);
    return (struct next){
        .recorded_ns = upcoming_ns(&v->upcoming),
        .ours_ns = o == NULL ? UINT64_MAX : o->arrival_ns,
        .news_ns = news_due_ns(&v->news),
        .timer_ns = timer_ns(v),
        .at_once = o != NULL && o->at_once,
    };
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool venue_step(venue_t *v)
{
    struct next n = next_of(v);
    if (n.at_once && n.ours_ns <= v->now_ns) {
        ours(v, v->now_ns);
        return true;
    }
    if (!v->started && v->news.symbol != 0 && n.recorded_ns > v->now_ns) {
        start(v);
        return true;
    }
    uint64_t delayed_ns = earlier(n.ours_ns, n.news_ns);
    uint64_t next_ns = earlier(n.recorded_ns, earlier(delayed_ns, n.timer_ns));
    bool over = n.recorded_ns == UINT64_MAX;
    if (over && !v->stopped && (next_ns > v->end_ns || next_ns == UINT64_MAX)) {
        stop(v);
        return true;
    }
    if (over && delayed_ns == UINT64_MAX && v->stopped)
        return false; /* whatever timers wait for, nothing will come */
    if (n.recorded_ns == next_ns)
        recorded(v);
    else if (n.ours_ns == next_ns)
        ours(v, next_ns);
    else if (n.news_ns == next_ns)
        deliver(v, next_ns);
    else
        timers(v, next_ns);
    return true;
}

uint64_t venue_run(venue_t *v, uint64_t steps)
{
    uint64_t done = 0;
    while (done < steps && venue_step(v))
        done++;
    return done;
}

/* ---- looking ---- */

strategy_host_t *venue_host(venue_t *v)
{
    return v->host;
}

const engine_t *venue_engine(const venue_t *v)
{
    return v->engine;
}

uint64_t venue_now_ns(const venue_t *v)
{
    return v->now_ns;
}

struct venue_counts venue_counts(const venue_t *v)
{
    struct venue_counts counts = v->counts;
    counts.trades = v->news.trade_count;
    return counts;
}
