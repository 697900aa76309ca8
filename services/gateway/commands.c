/* commands: what is asked of a matcher: place, cancel, amend, mass cancel. Each is a command of
 * our session with its shard; the result finds its way back by origin_seq.
 *
 *     ask ─> checks that need no matcher ─> origin_command ─> pending
 *     result ─> pending ─> answer: the order as it stands (orders.h), or why not
 *
 * A matcher sends a batch's account events before its results, so when a result comes the order is
 * known; where a frame was lost the result waits until it is repaired. What is not answered in time
 * is called unknown, with the time by which it will be certain. */
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "gateway/gateway_parts.h"
#include "gateway/requests.h"

static struct pending *pending_at(struct shard *s, uint64_t origin_seq)
{
    return &s->pending[origin_seq % s->gateway->window];
}

/* The epoch of what its matcher tells now. When a new one begins it is heard of before any result
 * of it, and orders are known in it (s->epoch) only a little later. */
static uint64_t told_epoch(const struct shard *s)
{
    return subscriber_epoch(s->subscriber, s->family);
}

/* ---- asking ---- */

static struct text symbol_text(const gateway_t *g, uint32_t symbol)
{
    return symbol == SYMBOL_NONE ? (struct text){"", 0} : text_of(g->cluster->symbols[symbol].name);
}

static struct command command_of(const gateway_t *g, const struct ask *ask)
{
    struct text symbol = symbol_text(g, ask->symbol), account = text_of(ask->account);
    struct text label = text_of(ask->client_order_id);
    struct command c = {0};
    switch (ask->kind) {
    case ASK_PLACE:
        c.type = MESSAGE_NEW_ORDER;
        c.new_order = (struct new_order){
            symbol,         account,  label,      ask->side,     ask->type, ask->time_in_force,
            ask->post_only, ask->stp, ask->price, ask->qty.value};
        break;
    case ASK_AMEND:
        c.type = MESSAGE_AMEND_ORDER;
        c.amend_order = (struct amend_order){symbol,      account,  ask->order_id, label,
                                             ask->qty_is, ask->qty, ask->price};
        break;
    case ASK_CANCEL:
        c.type = MESSAGE_CANCEL_ORDER;
        c.cancel_order = (struct cancel_order){symbol, account, ask->order_id, label};
        break;
    default:
        c.type = MESSAGE_MASS_CANCEL;
        c.mass_cancel = (struct mass_cancel){symbol, account, ask->side};
    }
    return c;
}

/* Cancels are never too late; the others are by valid_until, or after deadline_ms. The matcher
 * judges by its own time, which may be ahead of our clock: it goes on, more slowly, while a clock
 * that was set back catches up. */
static uint64_t deadline_of(const gateway_t *g, const struct shard *s, const struct ask *ask)
{
    uint64_t from_ns = s->heartbeat_ns > ask->received_ns ? s->heartbeat_ns : ask->received_ns;
    if (ask->kind == ASK_CANCEL || ask->kind == ASK_MASS_CANCEL)
        return 0;
    return ask->deadline_ns != 0 ? ask->deadline_ns
                                 : from_ns + g->cluster->settings.deadline_ms * NS_PER_MS;
}

/* Hand it to the shard's session. There is room: intake_takes() looked. */
static void send(gateway_t *g, struct shard *s, const struct ask *ask, uint32_t mass)
{
    struct command c = command_of(g, ask);
    uint64_t origin_seq;
    c.envelope.deadline_ns = deadline_of(g, s, ask);
    CHECK(origin_command(s->origin, &c, &origin_seq) == STATUS_OK);
    struct pending *p = pending_at(s, origin_seq);
    *p = (struct pending){
        .caller = caller_of(ask),
        .kind = ask->kind,
        .symbol = ask->symbol,
        .mass = mass,
        .sent_ns = g->now_ns,
        .due_ns = g->now_ns + g->cluster->settings.answer_ms * NS_PER_MS,
        .deadline_ns = c.envelope.deadline_ns,
        .order_id = ask->order_id,
    };
    if (ask->kind == ASK_MASS_CANCEL)
        p->caller.call = 0; /* its mass has it */
    memcpy(p->account, ask->account, sizeof p->account);
    memcpy(p->client_order_id, ask->client_order_id, sizeof p->client_order_id);
    s->next_seq = origin_seq + 1;
    g->counts.commands++;
    order_log_submitted(g, s, ask);
}

/* ---- mass cancel ---- */

static struct mass *mass_new(gateway_t *g, const struct ask *ask)
{
    for (uint32_t i = 0; i < MASS_MAX; i++) {
        struct mass *m = &g->masses[i];
        if (m->caller.call != 0 || m->left > 0)
            continue;
        *m = (struct mass){.caller = caller_of(ask),
                           .due_ns = g->now_ns + g->cluster->settings.answer_ms * NS_PER_MS};
        g->mass_count++;
        return m;
    }
    return NULL;
}

static const char *const mass_outcome_texts[] = {"", "unknown", "done", "refused", "unknown"};

static void put_mass_shard(struct json_writer *j, const struct mass *m, unsigned shard)
{
    char at[AT_SIZE];
    json_object_begin(j, NULL);
    json_u64(j, "shard", shard);
    at_write(at, shard, m->shards[shard].epoch, m->shards[shard].seq);
    if (m->shards[shard].seq > 0)
        json_string(j, "at", at);
    else
        json_null(j, "at");
    json_u64(j, "cancelled", m->shards[shard].cancelled);
    json_string(j, "outcome", mass_outcome_texts[m->shards[shard].outcome]);
    if (m->shards[shard].code != 0)
        json_u64(j, "code", m->shards[shard].code);
    json_object_end(j);
}

/* Positions of the shards that answered, comma separated. */
static void mass_at(const gateway_t *g, const struct mass *m, char at[AT_ALL_SIZE])
{
    size_t size = 0;
    at[0] = '\0';
    for (unsigned s = 0; s < g->shard_count; s++) {
        if (m->shards[s].seq == 0)
            continue;
        if (size > 0)
            at[size++] = ',';
        at_write(at + size, s, m->shards[s].epoch, m->shards[s].seq);
        size += strlen(at + size);
    }
}

static void answer_mass(gateway_t *g, struct mass *m)
{
    struct answering a;
    char at[AT_ALL_SIZE];
    bool complete = true;
    mass_at(g, m, at);
    answer_begin(g, &a, at, ANSWER_SMALL);
    json_object_begin(&a.json, NULL);
    json_array_begin(&a.json, "shards");
    for (unsigned s = 0; s < g->shard_count; s++) {
        if (m->shards[s].outcome == MASS_NONE)
            continue;
        complete = complete && m->shards[s].outcome == MASS_DONE;
        put_mass_shard(&a.json, m, s);
    }
    json_array_end(&a.json);
    json_flag(&a.json, "complete", complete);
    json_object_end(&a.json);
    answer_end(g, &a, m->caller.call, complete ? 200 : 202, complete ? 0 : REJECT_ANSWER_LATE);
    m->caller.call = 0;
    g->mass_count--;
}

static void mass_result(gateway_t *g, const struct shard *s, const struct pending *p,
                        enum mass_outcome outcome, const struct result *r)
{
    struct mass *m = &g->masses[p->mass];
    m->shards[s->number].outcome = (uint8_t)outcome;
    if (r != NULL) {
        m->shards[s->number].code = (uint16_t)r->code;
        m->shards[s->number].epoch = told_epoch(s);
        m->shards[s->number].seq = r->seq;
        m->shards[s->number].cancelled = r->count;
    }
    if (--m->left == 0 && m->caller.call != 0)
        answer_mass(g, m);
}

static void ask_mass_cancel(gateway_t *g, const struct ask *ask)
{
    unsigned first = 0, last = g->shard_count - 1;
    if (ask->symbol != SYMBOL_NONE)
        first = last = g->cluster->symbols[ask->symbol].shard;
    for (unsigned s = first; s <= last; s++) {
        if (!intake_takes(g, &g->shards[s], ask))
            return; /* all or nothing: what is told as refused was sent nowhere */
    }
    struct mass *m = mass_new(g, ask);
    if (m == NULL) {
        answer_refuse(g, ask, REJECT_TOO_BUSY, NULL, NULL,
                      "too many mass cancels wait; nothing was sent");
        return;
    }
    m->left = last - first + 1;
    for (unsigned s = first; s <= last; s++) {
        m->shards[s].outcome = MASS_ASKED;
        send(g, &g->shards[s], ask, (uint32_t)(m - g->masses));
    }
}

static void ask_one(gateway_t *g, const struct ask *ask)
{
    uint64_t shard =
        ask->symbol != SYMBOL_NONE ? g->cluster->symbols[ask->symbol].shard : ask->order_id >> 48;
    if (shard >= g->shard_count)
        answer_refuse(g, ask, REJECT_UNKNOWN_ORDER, "path", "id",
                      "no shard of this cluster made this id");
    else if (intake_takes(g, &g->shards[shard], ask))
        send(g, &g->shards[shard], ask, 0);
}

void commands_ask(gateway_t *g, const struct ask *ask)
{
    if (ask->kind == ASK_MASS_CANCEL)
        ask_mass_cancel(g, ask);
    else
        ask_one(g, ask);
}

/* ---- amend: which units its numbers are in only the order says ---- */

static bool amend_units(const gateway_t *g, struct ask *ask, struct problem *p)
{
    const struct cluster_symbol *symbol = &g->cluster->symbols[ask->symbol];
    static const char *const names[] = {"", "open_quantity", "quantity", "reduce_by"};
    ask->price.given = ask->price_text[0] != '\0';
    ask->qty.given = ask->qty_text[0] != '\0';
    return (!ask->price.given || request_price(symbol, ask->price_text, &ask->price.value, p)) &&
           (!ask->qty.given ||
            request_qty(symbol, names[ask->qty_is], ask->qty_text, &ask->qty.value, p));
}

bool commands_try_amend(gateway_t *g, const struct ask *asked, uint64_t *question, bool last)
{
    struct ask ask = *asked;
    struct problem p;
    uint64_t shard = ask.order_id >> 48;
    if (ask.symbol == SYMBOL_NONE && shard < g->shard_count) {
        const struct live_order *o = orders_find(g->orders, ask.order_id);
        if (o == NULL || strcmp(o->account, ask.account) != 0)
            return answer_unknown_order(g, asked, (unsigned)shard, question, last);
        const struct cluster_symbol *symbol = cluster_symbol_find(g->cluster, o->symbol);
        if (symbol == NULL) {
            answer_refuse(g, &ask, REJECT_UNKNOWN_SYMBOL, "path", "id",
                          "this gateway is not configured for symbol %s", o->symbol);
            return true;
        }
        ask.symbol = (uint32_t)(symbol - g->cluster->symbols);
    }
    if (ask.symbol != SYMBOL_NONE && !amend_units(g, &ask, &p))
        answer_refuse(g, &ask, p.code, p.in, p.name, "%s", p.detail);
    else
        ask_one(g, &ask);
    return true;
}

/* ---- results ---- */

static const struct live_order *order_of(const gateway_t *g, const struct shard *s,
                                         const struct pending *p, const struct result *r)
{
    if (r->order_id != 0)
        return orders_find(g->orders, r->order_id);
    if (p->order_id != 0)
        return orders_find(g->orders, p->order_id);
    return orders_find_label(g->orders, s->number, text_of(p->account),
                             text_of(p->client_order_id));
}

static bool owned(const struct live_order *o, const struct pending *p)
{
    return o != NULL && strcmp(o->account, p->account) == 0;
}

static bool finished(const struct live_order *o)
{
    return o->status != ORDER_STATUS_NEW && o->status != ORDER_STATUS_PARTIALLY_FILLED;
}

/* What was refused, in the words of who asked. */
static void result_problem(struct problem *p, const struct result *r)
{
    const char *in = NULL, *name = NULL, *detail = "";
    switch (r->code) {
    case REJECT_UNKNOWN_ORDER:
        in = "path", name = "id", detail = "there is no such order of this account";
        break;
    case REJECT_INVALID_PRICE:
        in = "body", name = "price";
        break;
    case REJECT_INVALID_QUANTITY:
    case REJECT_QUANTITY_OVERFLOW:
        in = "body", name = "quantity";
        break;
    case REJECT_DUPLICATE_ORDER:
        in = "body", name = "client_order_id";
        break;
    default:
        break;
    }
    problem_set(p, (enum reason)r->code, in, name, "%s", detail);
}

static void answer_refusal(gateway_t *g, const struct shard *s, const struct pending *p,
                           const struct result *r, const char *at)
{
    const struct live_order *o = order_of(g, s, p, r);
    if (r->code == REJECT_UNKNOWN_ORDER && owned(o, p) && finished(o)) {
        answer_finished(g, &p->caller, o, at);
        return;
    }
    struct problem problem;
    struct problem_context context = {
        .request_id = text_of(p->caller.request_id), .at = text_of(at), .order_id = r->order_id};
    result_problem(&problem, r);
    answer_problem(g, &p->caller, &problem, &context);
}

/* Whether what the result speaks of is known here: the order, as new as the result. That there is
 * no such order any more may be what a lost frame would have told: how it ended, it or others must
 * have said before we do. */
static bool known(const gateway_t *g, const struct shard *s, const struct pending *p,
                  const struct result *r)
{
    const struct live_order *o = order_of(g, s, p, r);
    if (r->code != 0 && r->code != REJECT_UNKNOWN_ORDER)
        return true; /* the code says it all */
    if (r->code == REJECT_UNKNOWN_ORDER)
        return (owned(o, p) && finished(o)) ||
               subscriber_complete_seq(s->subscriber, s->family) >= r->seq;
    return o != NULL && (r->duplicate || o->changed_seq >= r->seq);
}

static void answer_unknown(gateway_t *g, const struct shard *s, const struct pending *p)
{
    struct problem problem;
    problem_set(&problem, shard_heard(s) ? REJECT_ANSWER_LATE : REJECT_MATCHER_SILENT, NULL, NULL,
                p->deadline_ns != 0
                    ? "it was handed over and may yet be executed; after certain_by it will not be"
                    : "the cancel was handed over, is repeated until it is answered, and may yet "
                      "be executed; ask for the order");
    struct problem_context context = {.request_id = text_of(p->caller.request_id),
                                      .at = {"", 0},
                                      .outcome_unknown = true,
                                      .certain_by_ns = p->deadline_ns};
    answer_problem(g, &p->caller, &problem, &context);
    g->counts.late++;
}

/* The matcher's result is there, and what came of it is not known here, for a frame was lost: so
 * much is certain. */
static void answer_without_order(gateway_t *g, const struct shard *s, const struct pending *p,
                                 const struct result *r)
{
    struct problem problem;
    char at[AT_SIZE] = "";
    if (r->seq > 0)
        at_write(at, s->number, told_epoch(s), r->seq);
    if (r->code != 0) {
        struct problem_context refused = {.request_id = text_of(p->caller.request_id),
                                          .at = text_of(at)};
        problem_set(&problem, REJECT_NOT_CAUGHT_UP, "path", "id",
                    "the shard has no such open order, and this gateway does not know yet whether "
                    "it had one; nothing was changed");
        answer_problem(g, &p->caller, &problem, &refused);
        return;
    }
    problem_set(&problem, REJECT_ANSWER_LATE, NULL, NULL,
                "it was executed; this gateway does not know the order yet: read it");
    struct problem_context context = {.request_id = text_of(p->caller.request_id),
                                      .at = text_of(at),
                                      .outcome_unknown = true,
                                      .certain_by_ns = g->now_ns,
                                      .order_id = r->order_id};
    answer_problem(g, &p->caller, &problem, &context);
    g->counts.late++;
}

bool commands_try_result(gateway_t *g, const struct waiting *w, bool last)
{
    const struct shard *s = &g->shards[w->shard];
    const struct pending *p = &w->pending;
    const struct result *r = &w->result;
    char at[AT_SIZE] = "";
    if (!known(g, s, p, r)) {
        if (last)
            answer_without_order(g, s, p, r);
        return last;
    }
    if (r->seq > 0)
        at_write(at, s->number, told_epoch(s), r->seq);
    g->answered_ns = g->now_ns - p->sent_ns + 1;
    if (r->code != 0)
        answer_refusal(g, s, p, r, at);
    else
        answer_order(g, &p->caller, p->kind == ASK_PLACE && !r->duplicate ? 201 : 200,
                     order_of(g, s, p, r), r->duplicate, at);
    return true;
}

void commands_result(struct shard *s, uint64_t origin_seq, const struct result *r)
{
    gateway_t *g = s->gateway;
    struct pending *p = pending_at(s, origin_seq);
    order_log_result(g, s, p, r);
    if (p->kind == ASK_MASS_CANCEL) {
        mass_result(g, s, p, r->code == 0 ? MASS_DONE : MASS_REFUSED, r);
    } else if (p->caller.call != 0) {
        struct waiting w = {.shard = s->number, .pending = *p, .result = *r};
        if (!commands_try_result(g, &w, false) && !reads_wait_result(g, s, p, r))
            answer_without_order(g, s, p, r);
    }
    p->caller.call = 0;
}

void commands_lost(struct shard *s, enum reason code)
{
    gateway_t *g = s->gateway;
    g->counts.sessions_lost++;
    s->superseded = code == REJECT_OLD_ORIGIN_EPOCH;
    for (uint64_t seq = s->next_seq - origin_unanswered(s->origin); seq < s->next_seq; seq++) {
        struct pending *p = pending_at(s, seq);
        struct result refused = {.code = REJECT_TOO_MANY_ORIGINS};
        bool taken = code != REJECT_TOO_MANY_ORIGINS; /* then none of this session was */
        if (p->kind == ASK_MASS_CANCEL)
            mass_result(g, s, p, taken ? MASS_UNKNOWN : MASS_REFUSED, taken ? NULL : &refused);
        else if (p->caller.call != 0 && taken)
            answer_unknown(g, s, p);
        else if (p->caller.call != 0)
            answer_refusal(g, s, p, &refused, "");
        p->caller.call = 0;
    }
}

/* Every wait is as long as the next, so the oldest are due first. */
static void answer_due(struct shard *s)
{
    gateway_t *g = s->gateway;
    uint64_t oldest = s->next_seq - origin_unanswered(s->origin);
    if (s->due_through + 1 < oldest)
        s->due_through = oldest - 1;
    while (s->due_through + 1 < s->next_seq) {
        struct pending *p = pending_at(s, s->due_through + 1);
        if (g->now_ns < p->due_ns)
            break;
        if (p->caller.call != 0)
            answer_unknown(g, s, p);
        p->caller.call = 0;
        s->due_through++;
    }
}

void commands_end(gateway_t *g)
{
    for (unsigned s = 0; s < g->shard_count; s++) {
        answer_due(&g->shards[s]);
        origin_tick(g->shards[s].origin, g->now_ns);
    }
    for (uint32_t i = 0; g->mass_count > 0 && i < MASS_MAX; i++) {
        if (g->masses[i].caller.call != 0 && g->now_ns >= g->masses[i].due_ns)
            answer_mass(g, &g->masses[i]);
    }
}
