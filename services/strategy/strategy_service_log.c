/* strategy_service: what it says: lines composed within the step, written by the node's last
 * output; and once a second what has grown. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/catalog.h"
#include "strategy/strategy_service_parts.h"

enum { MILLION = 1000000 };

/* A line there is no room for is counted: orders go before words. */
static void say(strategy_service_t *s, enum log_level level, const char *event,
                const struct log_field *fields)
{
    uint8_t *line = outbox_reserve(&s->outbox, LOG_LINE_SIZE_MAX);
    size_t size =
        line == NULL ? 0 : log_compose((char *)line, s->now_ns, level, "strategy", event, fields);
    s->unsaid += line == NULL;
    if (size > 0)
        outbox_commit(&s->outbox, 2 * s->shard_count, size);
}

#define SAY(s, level, event, ...) say(s, level, event, LOG_FIELDS(__VA_ARGS__))

static const char *value_text(enum catalog_kind set, uint64_t number)
{
    const char *text = catalog_value_text(set, number);
    return text == NULL ? "" : text;
}

static const char *reason_text(uint64_t reason)
{
    const char *name = reason == 0 ? NULL : catalog_reason_name(reason);
    return name == NULL ? "" : name;
}

static const char *const state_texts[] = {
    [OWN_SENT] = "sent", [OWN_WORKING] = "working", [OWN_DONE] = "done"};

static const char *const refusal_texts[] = {
    [OWN_REFUSED_NOT] = "",
    [OWN_REFUSED_POSITION] = "position_max",
    [OWN_REFUSED_ORDER_SIZE] = "order_max",
    [OWN_REFUSED_RATE] = "messages_per_second",
    [OWN_REFUSED_WORKING] = "too many orders work",
    [OWN_REFUSED_STOPPING] = "the strategy is being stopped",
    [OWN_REFUSED_BOOK] = "the book is not known",
};
enum { REFUSALS = sizeof refusal_texts / sizeof refusal_texts[0] };

static const struct strategy_spec *spec_of(const strategy_service_t *s, unsigned strategy)
{
    return strategy_host_spec(s->host, strategy);
}

/* ---- money ---- */

/* A sum in millionths of half ticks x lots, in the symbol's money, cut to whole ticks x lots;
 * empty if one of these is too small for a decimal. */
static const char *money_text(char text[DECIMAL_TEXT_SIZE], notional_t micro_halves,
                              const struct parameter_units *units)
{
    struct decimal_unit unit;
    text[0] = '\0';
    if (parameter_units_money(units, &unit))
        decimal_from_sum(text, micro_halves / (2 * MILLION), &unit);
    return text;
}

/* Twice the mid; of one side alone, twice that; 0: there is none. */
static int64_t twice_mid(const struct bbo_state *bbo)
{
    bool bid = bbo->qty[0] != 0, ask = bbo->qty[1] != 0;
    if (bid && ask)
        return bbo->price[0] + bbo->price[1];
    return bid ? 2 * bbo->price[0] : ask ? 2 * bbo->price[1] : 0;
}

/* ---- what the host tells ---- */

void service_log_market(void *self, unsigned strategy, const struct market_update *u,
                        const struct bbo_state *bbo)
{
    strategy_service_t *s = self;
    (void)u;
    s->reports[strategy].bbo = *bbo;
}

void service_log_order(void *self, unsigned strategy, const struct own_order *o)
{
    strategy_service_t *s = self;
    const struct strategy_spec *spec = spec_of(s, strategy);
    char price[DECIMAL_TEXT_SIZE], open[DECIMAL_TEXT_SIZE];
    decimal_from_units(price, o->price, &spec->symbol.units.tick);
    decimal_from_units(open, o->open_qty, &spec->symbol.units.lot);
    SAY(s, LOG_LEVEL_DEBUG, "order", LOG_TEXT("strategy", spec->name),
        LOG_U64("shard", spec->symbol.shard), LOG_U64("order", o->number),
        LOG_U64("order_id", o->order_id), LOG_TEXT("state", state_texts[o->state]),
        LOG_TEXT("side", value_text(KIND_side, o->side)), LOG_TEXT("price", price),
        LOG_TEXT("open_quantity", open), LOG_FLAG("amending", o->amending),
        LOG_FLAG("cancelling", o->cancelling), LOG_TEXT("reason", reason_text(o->reason)),
        LOG_TEXT("refused", refusal_texts[o->refusal]));
}

void service_log_fill(void *self, unsigned strategy, const struct own_fill *f,
                      const struct bbo_state *bbo)
{
    strategy_service_t *s = self;
    const struct strategy_spec *spec = spec_of(s, strategy);
    char price[DECIMAL_TEXT_SIZE], qty[DECIMAL_TEXT_SIZE], position[DECIMAL_TEXT_SIZE];
    (void)bbo;
    decimal_from_units(price, f->price, &spec->symbol.units.tick);
    decimal_from_units(qty, f->qty, &spec->symbol.units.lot);
    decimal_from_units(position, strategy_host_ledger(s->host, strategy)->position,
                       &spec->symbol.units.lot);
    SAY(s, LOG_LEVEL_INFO, "fill", LOG_TEXT("strategy", spec->name),
        LOG_U64("shard", spec->symbol.shard), LOG_TEXT("symbol", spec->symbol.name),
        LOG_U64("order", f->order->number), LOG_U64("order_id", f->order->order_id),
        LOG_U64("trade_id", f->trade_id), LOG_TEXT("side", value_text(KIND_side, f->order->side)),
        LOG_TEXT("price", price), LOG_TEXT("quantity", qty), LOG_FLAG("maker", f->maker),
        LOG_TEXT("position", position));
}

void service_log_words(void *self, unsigned strategy, const char *words)
{
    strategy_service_t *s = self;
    SAY(s, LOG_LEVEL_INFO, "says", LOG_TEXT("strategy", spec_of(s, strategy)->name),
        LOG_TEXT("words", words));
}

void service_log_ended(void *self, unsigned strategy, const char *why)
{
    strategy_service_t *s = self;
    const struct strategy_spec *spec = spec_of(s, strategy);
    const struct parameter_units *units = &spec->symbol.units;
    const struct ledger *l = strategy_host_ledger(s->host, strategy);
    struct strategy_standing at = strategy_host_standing(s->host, strategy);
    int64_t mark = twice_mid(&s->reports[strategy].bbo);
    char position[DECIMAL_TEXT_SIZE], realised[DECIMAL_TEXT_SIZE], fees[DECIMAL_TEXT_SIZE],
        total[DECIMAL_TEXT_SIZE], words[PARAMETER_TEXT_SIZE];
    decimal_from_units(position, l->position, &units->lot);
    strategy_host_describe(s->host, strategy, words, sizeof words);
    SAY(s, LOG_LEVEL_INFO, "ended", LOG_TEXT("strategy", spec->name), LOG_TEXT("why", why),
        LOG_TEXT("position", position),
        LOG_TEXT("realised", money_text(realised, l->realised * 2 * MILLION, units)),
        LOG_TEXT("fees", money_text(fees, l->fees_micro * 2, units)),
        LOG_TEXT("profit", money_text(total, ledger_total_micro_halves(l, mark), units)),
        LOG_U64("fills", l->fill_count), LOG_U64("orders", at.orders), LOG_U64("amends", at.amends),
        LOG_U64("cancels", at.cancels), LOG_TEXT("did", words));
}

/* ---- what the service tells ---- */

void service_log_begun(strategy_service_t *s)
{
    for (unsigned i = 0; i < s->count; i++)
        SAY(s, LOG_LEVEL_INFO, "begun", LOG_TEXT("strategy", spec_of(s, i)->name),
            LOG_TEXT("type", spec_of(s, i)->type), LOG_TEXT("account", spec_of(s, i)->account),
            LOG_TEXT("symbol", spec_of(s, i)->symbol.name),
            LOG_U64("shard", spec_of(s, i)->symbol.shard));
}

void service_log_cleared(strategy_service_t *s, unsigned strategy, const struct result *r)
{
    const struct strategy_spec *spec = spec_of(s, strategy);
    SAY(s, r->count > 0 || r->code != 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "account_cleared",
        LOG_TEXT("strategy", spec->name), LOG_TEXT("account", spec->account),
        LOG_U64("shard", spec->symbol.shard), LOG_U64("seq", r->seq),
        LOG_U64("cancelled", r->count), LOG_TEXT("refused", reason_text(r->code)));
}

void service_log_closed(struct service_shard *shard, enum reason code)
{
    const char *why = code == REJECT_TOO_MANY_ORIGINS
                          ? "it has no room for one more sender of commands (origins_max)"
                          : "another host sends commands under this name";
    SAY(shard->service, LOG_LEVEL_ERROR, "matcher_refuses_us", LOG_U64("shard", shard->number),
        LOG_TEXT("why", why));
}

void service_log_lost(struct service_shard *shard)
{
    SAY(shard->service, LOG_LEVEL_WARN, "matcher_forgot_us", LOG_U64("shard", shard->number),
        LOG_TEXT("so", "strategies on it stop, and their accounts are cleared"));
}

/* ---- once a second ---- */

static void report_strategy(strategy_service_t *s, unsigned strategy)
{
    struct strategy_standing at = strategy_host_standing(s->host, strategy);
    struct service_report *told = &s->reports[strategy];
    for (unsigned r = 1; r < REFUSALS; r++) {
        if (at.refused[r] != told->refused[r])
            log_warn("strategy", "refused", LOG_TEXT("strategy", spec_of(s, strategy)->name),
                     LOG_TEXT("limit", refusal_texts[r]),
                     LOG_U64("times", at.refused[r] - told->refused[r]));
        told->refused[r] = at.refused[r];
    }
}

static void report_shard(struct service_shard *shard)
{
    const strategy_service_t *s = shard->service;
    uint64_t patience_ns = 4 * s->cluster->settings.heartbeat_ms * NS_PER_MS + NS_PER_SECOND;
    bool silent = shard->heard_ns == 0 || s->now_ns >= shard->heard_ns + patience_ns;
    uint64_t faults =
        subscriber_counts(shard->books).faults + subscriber_counts(shard->accounts).faults;
    if (silent != shard->logged.silent)
        LOG_AT(silent ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "strategy",
               silent ? "matcher_silent" : "matcher_heard", LOG_U64("shard", shard->number));
    if (shard->standing != shard->logged.standing)
        LOG_AT(shard->standing == STANDING_OPEN ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "strategy",
               "matcher_standing", LOG_U64("shard", shard->number),
               LOG_TEXT("standing", value_text(KIND_standing, shard->standing)));
    if (faults != shard->logged.faults)
        log_error("strategy", "matcher_contradicts_itself", LOG_U64("shard", shard->number),
                  LOG_U64("faults", faults));
    if (shard->unreadable != shard->logged.unreadable)
        log_error("strategy", "events_unreadable", LOG_U64("shard", shard->number),
                  LOG_U64("events", shard->unreadable));
    shard->logged.silent = silent;
    shard->logged.standing = shard->standing;
    shard->logged.faults = faults;
    shard->logged.unreadable = shard->unreadable;
}

void service_report(void *self)
{
    strategy_service_t *s = self;
    char error[INPUTS_ERROR_SIZE];
    for (unsigned i = 0; i < s->count; i++)
        report_strategy(s, i);
    for (unsigned i = 0; i < s->shard_count; i++)
        report_shard(&s->shards[i]);
    if (s->unsaid > 0)
        log_warn("strategy", "lines_dropped", LOG_U64("lines", s->unsaid));
    s->unsaid = 0;
    if (s->record != NULL && inputs_flush(s->record, error) != STATUS_OK)
        log_error("strategy", "not_recorded", LOG_TEXT("why", error));
}
