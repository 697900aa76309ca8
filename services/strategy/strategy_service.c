#include "strategy/strategy_service.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "strategy/strategy_service_parts.h"

enum {
    OUTBOX_SIZE = 64 << 20,
    OUTBOX_FREE_MIN = 16 << 20, /* every command of 64 strategies twice; with less, no frames */
    PATIENCE_MS = 20,           /* requests and commands are repeated on time */
};

/* ---- making it ---- */

/* In the order of their numbers. */
static void find_shards(strategy_service_t *s)
{
    for (unsigned number = 0; number < SHARDS_MAX; number++) {
        unsigned i = 0, symbols = strategy_host_symbol_count(s->host);
        while (i < symbols && strategy_host_symbol_at(s->host, i)->shard != number)
            i++;
        if (i == symbols)
            continue;
        struct service_shard *shard = &s->shards[s->shard_count];
        shard->service = s;
        shard->index = s->shard_count++;
        shard->number = (uint16_t)number;
        shard->logged.silent = true; /* which is no news before it is heard */
    }
}

static struct service_shard *shard_of(strategy_service_t *s, unsigned strategy)
{
    uint16_t number = strategy_host_spec(s->host, strategy)->symbol.shard;
    unsigned i = 0;
    while (s->shards[i].number != number)
        CHECK(++i < s->shard_count);
    return &s->shards[i];
}

static void host_command(void *self, unsigned strategy, struct command *c)
{
    strategy_service_t *s = self;
    inputs_command(s->record, strategy, c);
    session_command(s->accounts[strategy].shard, strategy, c);
}

strategy_service_t *strategy_service_new(const struct strategy_service_options *o)
{
    strategy_service_t *s = memory_new(1, sizeof *s, "the strategies");
    struct strategy_host_owner owner = {
        .self = s,
        .command = host_command,
        .market = service_log_market,
        .order = service_log_order,
        .fill = service_log_fill,
        .log = service_log_words,
        .ended = service_log_ended,
    };
    s->cluster = o->cluster;
    s->record = o->record;
    s->count = o->count;
    s->session = o->origin_epoch;
    outbox_init(&s->outbox, OUTBOX_SIZE);
    s->host = strategy_host_new(&owner, o->specs, o->count, o->session, true);
    s->accounts = memory_new(o->count, sizeof *s->accounts, "accounts");
    s->reports = memory_new(o->count, sizeof *s->reports, "what was logged");
    find_shards(s);
    for (unsigned i = 0; i < o->count; i++)
        s->accounts[i].shard = shard_of(s, i);
    streams_open(s, o->reply);
    sessions_open(s, o->origin);
    return s;
}

void strategy_service_destroy(strategy_service_t **service)
{
    strategy_service_t *s = *service;
    if (s == NULL)
        return;
    sessions_close(s);
    streams_close(s);
    memory_free(s->reports, s->count, sizeof *s->reports);
    memory_free(s->accounts, s->count, sizeof *s->accounts);
    strategy_host_destroy(&s->host);
    outbox_close(&s->outbox);
    memory_free(s, 1, sizeof *s);
    *service = NULL;
}

unsigned strategy_service_shard_count(const strategy_service_t *s)
{
    return s->shard_count;
}

uint16_t strategy_service_shard(const strategy_service_t *s, unsigned index)
{
    return s->shards[index].number;
}

const strategy_host_t *strategy_service_host(const strategy_service_t *s)
{
    return s->host;
}

/* ---- from beginning to end ---- */

static void end(strategy_service_t *s, bool clean)
{
    s->phase = PHASE_ENDED;
    s->clean = clean;
}

static bool any_closed(const strategy_service_t *s)
{
    for (unsigned i = 0; i < s->shard_count; i++) {
        if (s->shards[i].closed)
            return true;
    }
    return false;
}

static void begin(strategy_service_t *s)
{
    s->phase = PHASE_RUNNING;
    for (unsigned i = 0; i < s->shard_count; i++)
        s->shards[i].epoch = subscriber_epoch(s->shards[i].accounts, 0);
    service_log_begun(s);
    inputs_start(s->record, s->host, s->now_ns);
}

static void go_on(strategy_service_t *s)
{
    bool clear = sessions_clear(s);
    if (s->phase == PHASE_JOINING && any_closed(s)) {
        end(s, false);
    } else if (s->phase == PHASE_JOINING && clear && streams_live(s)) {
        begin(s);
    } else if (s->phase == PHASE_RUNNING || s->phase == PHASE_STOPPING) {
        if (strategy_host_all_ended(s->host) && clear)
            end(s, !any_closed(s));
        else if (s->phase == PHASE_STOPPING &&
                 s->now_ns >= s->stop_ns + STRATEGY_STOP_MS * NS_PER_MS)
            end(s, false);
    }
}

void strategy_service_stop(strategy_service_t *s, const char *why)
{
    if (s->phase == PHASE_JOINING)
        end(s, true);
    if (s->phase != PHASE_RUNNING)
        return;
    s->phase = PHASE_STOPPING;
    s->stop_ns = s->now_ns;
    inputs_stop_all(s->record, s->host, s->now_ns, why);
}

struct subscriber_counts strategy_service_heard(const strategy_service_t *s, unsigned index,
                                                bool accounts)
{
    const struct service_shard *shard = &s->shards[index];
    return subscriber_counts(accounts ? shard->accounts : shard->books);
}

bool strategy_service_running(const strategy_service_t *s)
{
    return s->phase == PHASE_RUNNING;
}

bool strategy_service_ended(const strategy_service_t *s)
{
    return s->phase == PHASE_ENDED;
}

bool strategy_service_clean(const strategy_service_t *s)
{
    return s->clean;
}

/* ---- the step ---- */

static void service_begin(void *self, uint64_t now_ns, uint64_t batch)
{
    strategy_service_t *s = self;
    s->now_ns = now_ns;
    s->outbox.batch = batch;
    for (unsigned i = 0; i < s->shard_count; i++) {
        subscriber_tick(s->shards[i].books, now_ns);
        subscriber_tick(s->shards[i].accounts, now_ns);
    }
}

static enum intake service_receive(void *self, unsigned input, const uint8_t *message, size_t size)
{
    strategy_service_t *s = self;
    if (outbox_room(&s->outbox) < OUTBOX_FREE_MIN)
        return INTAKE_FULL;
    struct service_shard *shard = &s->shards[input / 2];
    streams_receive(shard, input % 2 == 1, message, size);
    session_go_on(shard); /* what the account's events made a result wait for may be there */
    return INTAKE_MORE;
}

static bool service_end(void *self, struct journal_batch *batch)
{
    strategy_service_t *s = self;
    (void)batch;
    for (unsigned i = 0; i < s->shard_count; i++)
        session_go_on(&s->shards[i]);
    if ((s->phase == PHASE_RUNNING || s->phase == PHASE_STOPPING) &&
        strategy_host_due_ns(s->host) <= s->now_ns)
        inputs_time(s->record, s->host, s->now_ns);
    go_on(s);
    for (unsigned i = 0; i < s->shard_count; i++)
        origin_tick(s->shards[i].origin, s->now_ns);
    return false; /* it has nothing to remember: the matchers have, and the recording */
}

static unsigned service_patience_ms(void *self)
{
    const strategy_service_t *s = self;
    if (s->phase != PHASE_RUNNING && s->phase != PHASE_STOPPING)
        return PATIENCE_MS;
    uint64_t due_ns = strategy_host_due_ns(s->host);
    if (due_ns >= s->now_ns + PATIENCE_MS * NS_PER_MS)
        return PATIENCE_MS;
    return due_ns <= s->now_ns ? 1 : (unsigned)((due_ns - s->now_ns - 1) / NS_PER_MS) + 1;
}

struct service strategy_service(strategy_service_t *s)
{
    return (struct service){
        .self = s,
        .outbox = &s->outbox,
        .commands_input = SERVICE_NO_COMMANDS,
        .begin = service_begin,
        .receive = service_receive,
        .end = service_end,
        .patience_ms = service_patience_ms,
        .report = service_report,
    };
}
