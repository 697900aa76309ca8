/* strategy_service: what matchers are asked: commands, and what becomes of them.
 *
 *     host ─ session_command ─> origin ─ result ─> pending ─ session_go_on ─> host
 *
 * A result waits in `pending` until the account's events up to it are there (a frame of theirs may
 * have been lost, and is asked for again): the host has the events of a batch before its results.
 * Commands of our own, which clear accounts, stand in the same line; the host never hears of
 * them. */
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "strategy/strategy_service_parts.h"

static struct pending *pending_at(struct service_shard *shard, uint64_t number)
{
    return &shard->pending[number % shard->window];
}

/* ---- asking ---- */

static bool origin_push(void *self, const uint8_t *message, size_t size)
{
    struct service_shard *shard = self;
    struct outbox *o = &shard->service->outbox;
    uint8_t *copy = outbox_reserve(o, size);
    if (copy == NULL)
        return false;
    memcpy(copy, message, size);
    outbox_commit(o, 2 * shard->index, size);
    return true;
}

/* An order that comes too late is not the one that was wanted; cancels never are too late. */
static void send(struct service_shard *shard, unsigned strategy, bool clears, struct command *c)
{
    const strategy_service_t *s = shard->service;
    uint64_t origin_seq;
    c->envelope.deadline_ns = s->now_ns + s->cluster->settings.deadline_ms * NS_PER_MS;
    CHECK(shard->sent - shard->told < shard->window);
    CHECK(origin_command(shard->origin, c, &origin_seq) == STATUS_OK);
    *pending_at(shard, shard->sent++) =
        (struct pending){.strategy = strategy, .clears = clears, .type = c->type};
}

void session_command(struct service_shard *shard, unsigned strategy, struct command *c)
{
    CHECK(!shard->lost); /* its strategies have stopped, and nothing of them works */
    send(shard, strategy, false, c);
}

static void clear_account(struct service_shard *shard, unsigned strategy)
{
    struct service_account *a = &shard->service->accounts[strategy];
    const struct strategy_spec *spec = strategy_host_spec(shard->service->host, strategy);
    struct command c = {.type = MESSAGE_MASS_CANCEL,
                        .mass_cancel = {.symbol = {"", 0}, .account = text_of(spec->account)}};
    send(shard, strategy, true, &c);
    a->asked = true;
}

/* ---- results ---- */

/* Whether what this result follows from is told. One that made something happen has an event at its
 * own sequence; of the others nothing is missing that is known to be. */
static bool can_tell(const struct service_shard *shard, const struct pending *p)
{
    const struct result *r = &p->result;
    uint32_t topic = shard->service->accounts[p->strategy].topic;
    bool told = r->code == 0 || (p->type == MESSAGE_NEW_ORDER && r->order_id != 0);
    return p->clears || shard->lost ||
           (subscriber_live(shard->accounts, topic) &&
            (!told || r->duplicate || subscriber_complete_seq(shard->accounts, topic) >= r->seq));
}

/* A refused one had nothing to cancel: the account is unknown, and there is no room for it. */
static void on_cleared(struct service_shard *shard, const struct pending *p)
{
    struct service_account *a = &shard->service->accounts[p->strategy];
    a->asked = false;
    a->clear = true;
    service_log_cleared(shard->service, p->strategy, &p->result);
}

static void tell(struct service_shard *shard, const struct pending *p)
{
    const strategy_service_t *s = shard->service;
    if (p->clears)
        on_cleared(shard, p);
    else if (!shard->lost)
        inputs_result(s->record, s->host, shard->number, s->now_ns, &p->result);
}

void session_go_on(struct service_shard *shard)
{
    while (shard->told < shard->answered) {
        struct pending p = *pending_at(shard, shard->told); /* telling may send another */
        if (!can_tell(shard, &p))
            break;
        shard->told++;
        tell(shard, &p);
    }
    for (uint32_t t = 0; !shard->closed && t < shard->account_count; t++) {
        const struct service_account *a = &shard->service->accounts[shard->strategies[t]];
        if (!a->clear && !a->asked && subscriber_live(shard->accounts, t))
            clear_account(shard, shard->strategies[t]);
    }
}

static void on_result(void *self, uint64_t origin_seq, const struct result *result,
                      uint64_t frame_ns)
{
    struct service_shard *shard = self;
    (void)origin_seq, (void)frame_ns; /* they come in order, each once */
    CHECK(shard->answered < shard->sent);
    pending_at(shard, shard->answered++)->result = *result;
}

/* ---- what is lost ---- */

/* A mass cancel that is on its way will do: nothing of ours can follow it. */
static void unclear(struct service_shard *shard, uint32_t topic)
{
    shard->service->accounts[shard->strategies[topic]].clear = false;
}

/* Strategies that run on the shard are told that it forgot us, once: they wait for nothing any
 * more. What they had working may still be there. */
static void lose(struct service_shard *shard)
{
    const strategy_service_t *s = shard->service;
    if (s->phase == PHASE_JOINING || shard->lost)
        return;
    for (uint32_t t = 0; t < shard->account_count; t++)
        unclear(shard, t);
    shard->lost = true;
    service_log_lost(shard);
    inputs_lost(s->record, s->host, shard->number, s->now_ns);
}

void session_account_lost(struct service_shard *shard, uint32_t topic)
{
    unclear(shard, topic);
    lose(shard);
}

/* A session that was lost begins anew, to clear the accounts, unless there can be none: another
 * host goes under our name, and the two would take it from each other for ever; or the matcher has
 * no room for it. */
static void on_lost(void *self, enum reason code)
{
    struct service_shard *shard = self;
    strategy_service_t *s = shard->service;
    shard->told = shard->answered = shard->sent;
    for (uint32_t t = 0; t < shard->account_count; t++) {
        s->accounts[shard->strategies[t]].asked = false;
        unclear(shard, t);
    }
    lose(shard);
    shard->closed = code == REJECT_OLD_ORIGIN_EPOCH || code == REJECT_TOO_MANY_ORIGINS;
    if (shard->closed) {
        service_log_closed(shard, code);
        return;
    }
    s->session = s->now_ns > s->session ? s->now_ns : s->session + 1;
    origin_restart(shard->origin, s->session);
}

bool sessions_clear(const strategy_service_t *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (!s->accounts[i].clear && !s->accounts[i].shard->closed)
            return false;
    }
    return true;
}

/* ---- making them ---- */

void sessions_open(strategy_service_t *s, const char *origin)
{
    for (unsigned i = 0; i < s->shard_count; i++) {
        struct service_shard *shard = &s->shards[i];
        struct origin_owner owner = {shard, origin_push, on_result, on_lost};
        shard->window = shard->account_count * STRATEGY_WINDOW;
        CHECK(shard->window <= s->cluster->settings.origin_window);
        shard->origin = origin_new(&owner, text_of(origin), s->session, shard->window);
        shard->pending =
            memory_new(shard->window, sizeof *shard->pending, "commands without a result");
    }
}

void sessions_close(strategy_service_t *s)
{
    for (unsigned i = 0; i < s->shard_count; i++) {
        struct service_shard *shard = &s->shards[i];
        origin_destroy(&shard->origin);
        memory_free(shard->pending, shard->window, sizeof *shard->pending);
    }
}
