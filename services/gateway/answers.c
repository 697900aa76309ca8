/* answers: what goes back to civetweb's threads: a head, a position and JSON, written straight
 * into the outbox. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "gateway/gateway_parts.h"
#include "proto/catalog.h"

void at_write(char at[AT_SIZE], unsigned shard, uint64_t epoch, uint64_t seq)
{
    snprintf(at, AT_SIZE, "%u.%" PRIu64 ".%" PRIu64, shard, epoch, seq);
}

void answer_begin(gateway_t *g, struct answering *a, const char *at, size_t size_max)
{
    a->at_size = strlen(at);
    a->problem = false;
    a->place = outbox_reserve(&g->outbox, sizeof(struct answer) + a->at_size + size_max);
    CHECK(a->place != NULL);
    memcpy(a->place + sizeof(struct answer), at, a->at_size);
    json_writer_init(&a->json, (char *)a->place + sizeof(struct answer) + a->at_size, size_max);
}

void answer_end(gateway_t *g, struct answering *a, uint64_t call, unsigned status, enum reason code)
{
    struct answer head = {
        .call = call,
        .waited_ns = g->answered_ns,
        .result_ns = g->answered_ns == 0 ? 0 : g->now_ns,
        .status = (uint16_t)status,
        .code = (uint16_t)code,
        .retry_after_s = code != 0 && problem_retryable(code) ? 1 : 0,
        .problem = a->problem,
        .at_size = (uint16_t)a->at_size,
    };
    memcpy(a->place, &head, sizeof head);
    outbox_commit(&g->outbox, GATEWAY_OUTPUT_ANSWERS,
                  sizeof head + a->at_size + json_writer_size(&a->json));
    g->answered_ns = 0;
}

void answer_problem(gateway_t *g, const struct caller *caller, const struct problem *p,
                    const struct problem_context *context)
{
    struct answering a;
    char at[AT_SIZE] = "";
    memcpy(at, context->at.data, context->at.size < sizeof at ? context->at.size : 0);
    answer_begin(g, &a, at, ANSWER_SMALL);
    a.problem = true;
    json_object_begin(&a.json, NULL);
    problem_put(&a.json, p, context);
    json_object_end(&a.json);
    answer_end(g, &a, caller->call, problem_status(p->code), p->code);
}

struct caller caller_of(const struct ask *ask)
{
    struct caller caller = {.call = ask->call};
    memcpy(caller.request_id, ask->request_id, sizeof caller.request_id);
    return caller;
}

void answer_refuse(gateway_t *g, const struct ask *ask, enum reason code, const char *in,
                   const char *name, const char *detail, ...)
{
    struct problem p;
    char words[PROBLEM_DETAIL_SIZE];
    struct caller caller = caller_of(ask);
    struct problem_context context = {.request_id = text_of(caller.request_id), .at = {"", 0}};
    va_list arguments;
    va_start(arguments, detail);
    vsnprintf(words, sizeof words, detail, arguments);
    va_end(arguments);
    problem_set(&p, code, in, name, "%s", words);
    answer_problem(g, &caller, &p, &context);
}

/* Whether all orders the account had when this was first asked are known here. */
static bool account_known(struct shard *s, const char *account, uint64_t *question)
{
    char topic[TOPIC_SIZE_MAX];
    int size = snprintf(topic, sizeof topic, "acct.%s", account);
    if (*question == 0)
        *question =
            subscriber_question(s->subscriber, s->family, (struct text){topic, (size_t)size});
    return *question != 0 && subscriber_knows(s->subscriber, s->family, *question);
}

bool answer_unknown_order(gateway_t *g, const struct ask *ask, unsigned shard, uint64_t *question,
                          bool last)
{
    bool known = account_known(&g->shards[shard], ask->account, question);
    if (!known && !last)
        return false;
    if (known)
        answer_refuse(g, ask, REJECT_UNKNOWN_ORDER, "path", "id",
                      "account %s has no such order among its open and last finished ones",
                      ask->account);
    else
        answer_refuse(g, ask, REJECT_NOT_CAUGHT_UP, "path", "id",
                      "this gateway knows no such order, and could not make sure with shard %u "
                      "within the wait: there may be one",
                      shard);
    return true;
}

void answer_finished(gateway_t *g, const struct caller *caller, const struct live_order *order,
                     const char *at)
{
    struct answering a;
    struct problem p;
    struct problem_context context = {.request_id = text_of(caller->request_id), .at = text_of(at)};
    problem_set(&p, REJECT_ORDER_FINISHED, "path", "id", "the order is %s already",
                catalog_value_text(KIND_order_status, order->status));
    answer_begin(g, &a, at, ANSWER_SMALL);
    a.problem = true;
    json_object_begin(&a.json, NULL);
    problem_put(&a.json, &p, &context);
    order_put(g, &a.json, "order", order, false);
    json_object_end(&a.json);
    answer_end(g, &a, caller->call, problem_status(p.code), p.code);
}

void answer_order(gateway_t *g, const struct caller *caller, unsigned status,
                  const struct live_order *order, bool duplicate, const char *at)
{
    struct answering a;
    answer_begin(g, &a, at, ANSWER_SMALL);
    order_put(g, &a.json, NULL, order, duplicate);
    answer_end(g, &a, caller->call, status, 0);
}

/* ---- an order ---- */

static const struct market *order_market(const gateway_t *g, const struct live_order *o)
{
    const struct cluster_symbol *symbol = cluster_symbol_find(g->cluster, o->symbol);
    return symbol == NULL ? NULL : &g->markets[symbol - g->cluster->symbols];
}

static void put_values(struct json_writer *j, const struct live_order *o, const struct market *m)
{
    if (o->price.given)
        json_units(j, "price", o->price.value, &m->tick);
    else
        json_null(j, "price");
    json_units(j, "quantity", o->qty, &m->lot);
    json_units(j, "filled_quantity", o->filled_qty, &m->lot);
    json_units(j, "open_quantity", o->open_qty, &m->lot);
    if (o->filled_qty > 0)
        json_ratio(j, "avg_price", o->notional, (uwide_t)o->filled_qty, &m->tick);
    else
        json_null(j, "avg_price");
}

/* Known only while the book is as new as the order's last change. */
static void put_queue_ahead(struct json_writer *j, const struct live_order *o,
                            const struct market *m)
{
    int64_t ahead;
    if (o->open_qty > 0 && m->epoch == o->epoch && m->book_seq >= o->changed_seq &&
        market_queue_ahead(m, o->order_id, &ahead))
        json_units(j, "queue_ahead", ahead, &m->lot);
    else
        json_null(j, "queue_ahead");
}

void order_put(const gateway_t *g, struct json_writer *j, const char *key,
               const struct live_order *o, bool duplicate)
{
    const struct market *m = order_market(g, o);
    json_object_begin(j, key);
    json_id(j, "order_id", o->order_id);
    if (o->client_order_id[0] != '\0')
        json_string(j, "client_order_id", o->client_order_id);
    else
        json_null(j, "client_order_id");
    json_string(j, "account", o->account);
    json_string(j, "symbol", o->symbol);
    json_string(j, "side", catalog_value_text(KIND_side, o->side));
    json_string(j, "type", catalog_value_text(KIND_order_type, o->type));
    json_string(j, "time_in_force", catalog_value_text(KIND_time_in_force, o->time_in_force));
    json_flag(j, "post_only", o->post_only);
    json_string(j, "stp", catalog_value_text(KIND_stp, o->stp));
    if (m != NULL)
        put_values(j, o, m);
    json_string(j, "status", catalog_value_text(KIND_order_status, o->status));
    if (o->reason != 0)
        json_string(j, "reason", catalog_reason_name(o->reason));
    else
        json_null(j, "reason");
    if (m != NULL)
        put_queue_ahead(j, o, m);
    json_time(j, "timestamp", o->accepted_ns);
    json_u64(j, "ts", o->accepted_ns / 1000);
    json_u64(j, "epoch", o->epoch);
    json_u64(j, "seq", o->changed_seq);
    json_flag(j, "duplicate", duplicate);
    json_object_end(j);
}
