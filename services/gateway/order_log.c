/* order_log: what happened to orders, as lines of the log. Every gateway hears of every order, and
 * only the one whose command made something happen logs it, with the request it came by: events
 * are kept for a moment, until a result says whose they were. So each is logged once in a cluster,
 * but for what a sweep larger than events_max goes on to do after its result.
 */
#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "gateway/gateway_parts.h"
#include "proto/catalog.h"

static void say(gateway_t *g, enum log_level level, const char *event,
                const struct log_field *fields)
{
    uint8_t *line = outbox_reserve(&g->outbox, LOG_LINE_SIZE_MAX);
    CHECK(line != NULL); /* the step takes nothing in without room for much more */
    size_t size = log_compose((char *)line, g->now_ns, level, "gateway", event, fields);
    if (size > 0)
        outbox_commit(&g->outbox, GATEWAY_OUTPUT_LOG, size);
}

#define SAY(g, level, event, ...) say(g, level, event, LOG_FIELDS(__VA_ARGS__))

static const char *value_text(enum catalog_kind set, uint64_t number)
{
    const char *text = catalog_value_text(set, number);
    return text == NULL ? "" : text;
}

/* A price or quantity of a symbol; empty where there is none. */
static const char *units_text(char text[DECIMAL_TEXT_SIZE], struct i64_or_nil units,
                              const struct decimal_unit *unit)
{
    text[0] = '\0';
    if (units.given)
        decimal_from_units(text, units.value, unit);
    return text;
}

static const char *const submitted_events[] = {[ASK_PLACE] = "order_submitted",
                                               [ASK_CANCEL] = "cancel_submitted",
                                               [ASK_AMEND] = "amend_submitted",
                                               [ASK_MASS_CANCEL] = "mass_cancel_submitted"};

void order_log_submitted(gateway_t *g, const struct shard *s, const struct ask *ask)
{
    static const struct cluster_symbol none = {.tick = {1, 0}, .lot = {1, 0}};
    char price[DECIMAL_TEXT_SIZE], qty[DECIMAL_TEXT_SIZE];
    const struct cluster_symbol *symbol =
        ask->symbol == SYMBOL_NONE ? &none : &g->cluster->symbols[ask->symbol];
    SAY(g, LOG_LEVEL_INFO, submitted_events[ask->kind], LOG_U64("shard", s->number),
        LOG_TEXT("request_id", ask->request_id), LOG_TEXT("account", ask->account),
        LOG_TEXT("symbol", symbol->name), LOG_U64("order_id", ask->order_id),
        LOG_TEXT("client_order_id", ask->client_order_id),
        LOG_TEXT("side", value_text(KIND_side, ask->side)),
        LOG_TEXT("type", value_text(KIND_order_type, ask->type)),
        LOG_TEXT("time_in_force", value_text(KIND_time_in_force, ask->time_in_force)),
        LOG_FLAG("post_only", ask->post_only), LOG_TEXT("stp", value_text(KIND_stp, ask->stp)),
        LOG_TEXT("price", units_text(price, ask->price, &symbol->tick)),
        LOG_TEXT("quantity", units_text(qty, ask->qty, &symbol->lot)),
        LOG_TEXT("quantity_is", value_text(KIND_qty_is, ask->qty_is)));
}

void order_log_keep(struct shard *s, const struct live_order *order, uint64_t seq, uint64_t type,
                    struct wire_reader fields)
{
    struct recent e = {.seq = seq, .type = type, .order_id = order->order_id};
    if (type == MESSAGE_ORDER_FILLED) {
        struct order_filled m;
        order_filled_get_fields(&fields, &m);
        if (m.maker)
            return; /* its taker's line tells of the trade */
        e.trade_id = m.trade_id;
        e.price = m.price;
        e.qty = m.qty;
    } else if (type == MESSAGE_ORDER_CANCELLED) {
        struct order_cancelled m;
        order_cancelled_get_fields(&fields, &m);
        e.qty = m.qty;
        e.reason = (uint16_t)m.reason;
    } else {
        return;
    }
    const struct cluster *c = s->gateway->cluster;
    const struct cluster_symbol *symbol = cluster_symbol_find(c, order->symbol);
    e.symbol = symbol == NULL ? SYMBOL_NONE : (uint32_t)(symbol - c->symbols);
    memcpy(e.account, order->account, sizeof e.account);
    s->recent[s->recent_count++ % RECENT_MAX] = e;
}

static void say_recent(gateway_t *g, const struct shard *s, const struct pending *p,
                       const struct recent *e)
{
    char price[DECIMAL_TEXT_SIZE], qty[DECIMAL_TEXT_SIZE];
    if (e->symbol == SYMBOL_NONE)
        return; /* a symbol this configuration does not have */
    const struct cluster_symbol *symbol = &g->cluster->symbols[e->symbol];
    decimal_from_units(qty, e->qty, &symbol->lot);
    decimal_from_units(price, e->price, &symbol->tick);
    if (e->type == MESSAGE_ORDER_FILLED)
        SAY(g, LOG_LEVEL_INFO, "trade_executed", LOG_U64("shard", s->number),
            LOG_U64("seq", e->seq), LOG_TEXT("request_id", p->caller.request_id),
            LOG_U64("trade_id", e->trade_id), LOG_U64("taker_order_id", e->order_id),
            LOG_TEXT("taker_account", e->account), LOG_TEXT("symbol", symbol->name),
            LOG_TEXT("price", price), LOG_TEXT("quantity", qty));
    else
        SAY(g, LOG_LEVEL_INFO, "order_cancelled", LOG_U64("shard", s->number),
            LOG_U64("seq", e->seq), LOG_TEXT("request_id", p->caller.request_id),
            LOG_U64("order_id", e->order_id), LOG_TEXT("account", e->account),
            LOG_TEXT("symbol", symbol->name), LOG_TEXT("quantity", qty),
            LOG_TEXT("reason", catalog_reason_name(e->reason)));
}

/* Whether the command caused the event: its own order's, or one of a mass cancel's. What it left
 * over came behind it, under later sequences. */
static bool caused(const struct pending *p, const struct result *r, const struct recent *e)
{
    if (p->kind == ASK_MASS_CANCEL)
        return e->reason == REASON_MASS && strcmp(e->account, p->account) == 0;
    bool swept_on = p->kind == ASK_PLACE && e->type == MESSAGE_ORDER_FILLED;
    return e->order_id == r->order_id && (e->seq == r->seq || swept_on);
}

void order_log_result(gateway_t *g, const struct shard *s, const struct pending *p,
                      const struct result *r)
{
    if (r->code != 0) {
        const char *name = catalog_reason_name(r->code);
        SAY(g, LOG_LEVEL_INFO, p->kind == ASK_PLACE ? "order_rejected" : "command_rejected",
            LOG_U64("shard", s->number), LOG_U64("seq", r->seq),
            LOG_TEXT("request_id", p->caller.request_id), LOG_TEXT("account", p->account),
            LOG_U64("order_id", r->order_id != 0 ? r->order_id : p->order_id),
            LOG_TEXT("client_order_id", p->client_order_id),
            LOG_TEXT("error", name == NULL ? "" : name), LOG_U64("code", r->code),
            LOG_FLAG("duplicate", r->duplicate));
        return;
    }
    if (r->duplicate)
        return; /* it happened, and was told, before */
    uint64_t oldest = s->recent_count > RECENT_MAX ? s->recent_count - RECENT_MAX : 0;
    uint64_t first = s->recent_count;
    while (first > oldest && s->recent[(first - 1) % RECENT_MAX].seq >= r->seq)
        first--;
    uint64_t left = p->kind == ASK_MASS_CANCEL ? r->count : RECENT_MAX;
    for (uint64_t i = first; left > 0 && i < s->recent_count; i++) {
        const struct recent *e = &s->recent[i % RECENT_MAX];
        if (!caused(p, r, e))
            continue;
        say_recent(g, s, p, e);
        left--;
    }
}
