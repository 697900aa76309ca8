/* reads: what is answered from what the gateway follows: orders, books, trades, statistics. A
 * reader may name the positions its answer must be as new as; until they are reached, or the wait
 * is over, the ask is kept. An amend reads too: its order, to know which units it speaks of. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "gateway/gateway_parts.h"

/* Orders looked at for one page: a page of few, or none, that says there is more is better than a
 * step that takes long. */
enum { LOOKED_MAX = 1 << 16 };

/* ---- positions ---- */

enum reached { REACHED, NOT_YET, EPOCH_OVER };

static enum reached position_reached(uint64_t epoch, uint64_t seq,
                                     const struct position_wanted *wanted)
{
    if (wanted->epoch != 0 && epoch > wanted->epoch)
        return EPOCH_OVER;
    if (epoch == 0 || (wanted->epoch != 0 && epoch < wanted->epoch) || seq < wanted->seq)
        return NOT_YET;
    return REACHED;
}

static uint32_t book_topic(uint32_t symbol)
{
    return 2 * symbol;
}

/* The topic of market-data that an ask reads. */
static uint32_t market_topic(const struct ask *ask)
{
    return book_topic(ask->symbol) + (ask->kind == ASK_BOOK ? 0 : 1);
}

static enum reached market_reached(const gateway_t *g, const struct ask *ask,
                                   const struct position_wanted *wanted)
{
    if (wanted->shard != g->cluster->symbols[ask->symbol].shard)
        return REACHED; /* a position of a shard that has no part in this answer */
    const subscriber_t *s = g->market_subscriber;
    enum reached book = position_reached(subscriber_epoch(s, market_topic(ask)),
                                         subscriber_complete_seq(s, market_topic(ask)), wanted);
    if (book != REACHED || ask->kind != ASK_STATS)
        return book;
    return position_reached(subscriber_epoch(s, book_topic(ask->symbol)),
                            subscriber_complete_seq(s, book_topic(ask->symbol)), wanted);
}

/* How far the account's orders of a shard are known: its own last event, for its topic is in order,
 * or more, if nothing happened to anybody since. */
static uint64_t known_seq(const gateway_t *g, const struct ask *ask, const struct shard *s)
{
    uint64_t all = subscriber_complete_seq(s->subscriber, s->family);
    uint64_t own = orders_account_seq(g->orders, s->number, text_of(ask->account));
    return own > all ? own : all;
}

static enum reached orders_reached(const gateway_t *g, const struct ask *ask,
                                   const struct position_wanted *wanted)
{
    if (wanted->shard >= g->shard_count)
        return REACHED;
    const struct shard *s = &g->shards[wanted->shard];
    return position_reached(s->epoch, known_seq(g, ask, s), wanted);
}

static bool of_market(const struct ask *ask)
{
    return ask->kind == ASK_BOOK || ask->kind == ASK_TRADES || ask->kind == ASK_STATS;
}

/* The first position that is not reached, or NULL; *over: it never will be. */
static const struct position_wanted *not_reached(const gateway_t *g, const struct ask *ask,
                                                 bool *over)
{
    for (uint32_t i = 0; i < ask->wanted_count; i++) {
        const struct position_wanted *w = &ask->wanted[i];
        enum reached reached =
            of_market(ask) ? market_reached(g, ask, w) : orders_reached(g, ask, w);
        *over = reached == EPOCH_OVER;
        if (reached != REACHED)
            return w;
    }
    return NULL;
}

/* ---- orders ---- */

/* True: it is answered. */
static bool answer_one(gateway_t *g, const struct ask *ask, unsigned shard, uint64_t *question,
                       bool last)
{
    const struct shard *s = &g->shards[shard];
    char at[AT_SIZE];
    struct caller caller = caller_of(ask);
    const struct live_order *o = ask->order_id != 0
                                     ? orders_find(g->orders, ask->order_id)
                                     : orders_find_label(g->orders, shard, text_of(ask->account),
                                                         text_of(ask->client_order_id));
    bool other = o != NULL && ask->symbol != SYMBOL_NONE &&
                 strcmp(o->symbol, g->cluster->symbols[ask->symbol].name) != 0;
    if (o == NULL || other || strcmp(o->account, ask->account) != 0)
        return answer_unknown_order(g, ask, shard, question, last);
    at_write(at, shard, s->epoch, known_seq(g, ask, s));
    answer_order(g, &caller, 200, o, false, at);
    return true;
}

static bool listed(const struct ask *ask, const gateway_t *g, const struct live_order *o)
{
    bool open = o->status == ORDER_STATUS_NEW || o->status == ORDER_STATUS_PARTIALLY_FILLED;
    return (ask->symbol == SYMBOL_NONE ||
            strcmp(o->symbol, g->cluster->symbols[ask->symbol].name) == 0) &&
           (ask->side == 0 || o->side == ask->side) && !(ask->open_only && !open) &&
           !(ask->finished_only && open);
}

/* Where every shard's orders stand. */
static void all_at(const gateway_t *g, const struct ask *ask, char at[AT_ALL_SIZE])
{
    size_t size = 0;
    at[0] = '\0';
    for (unsigned i = 0; i < g->shard_count; i++) {
        const struct shard *s = &g->shards[i];
        if (size > 0)
            at[size++] = ',';
        at_write(at + size, i, s->epoch, known_seq(g, ask, s));
        size += strlen(at + size);
    }
}

/* Opaque to its reader: where the next page begins. */
static void put_page(struct json_writer *j, const char *cursor, bool more)
{
    json_string(j, "next_cursor", more ? cursor : "");
    json_flag(j, "has_more", more);
}

static void answer_list(gateway_t *g, const struct ask *ask)
{
    struct answering a;
    struct orders_walk walk;
    char at[AT_ALL_SIZE], cursor[80] = "";
    const struct live_order *o;
    uint32_t count = 0, looked = 0;
    all_at(g, ask, at);
    answer_begin(g, &a, at, ANSWER_MAX);
    json_object_begin(&a.json, NULL);
    json_array_begin(&a.json, "data");
    orders_walk_begin(g->orders, text_of(ask->account), &ask->place, &walk);
    while ((o = orders_walk_next(g->orders, &walk)) != NULL) {
        if (count == ask->limit || looked++ == LOOKED_MAX)
            break;
        snprintf(cursor, sizeof cursor, "%" PRIx64 "-%x-%" PRIx64, o->accepted_ns, o->shard,
                 o->order_id);
        if (!listed(ask, g, o))
            continue;
        order_put(g, &a.json, NULL, o, false);
        count++;
    }
    json_array_end(&a.json);
    put_page(&a.json, cursor, o != NULL);
    json_object_end(&a.json);
    answer_end(g, &a, ask->call, 200, 0);
}

/* ---- the market ---- */

static void market_at(const gateway_t *g, const struct ask *ask, char at[AT_SIZE])
{
    uint32_t topic = market_topic(ask);
    at_write(at, g->cluster->symbols[ask->symbol].shard,
             subscriber_epoch(g->market_subscriber, topic),
             subscriber_complete_seq(g->market_subscriber, topic));
}

static void put_trades(const struct market *m, struct json_writer *j, const struct ask *ask)
{
    uint64_t next = 0;
    bool more = false;
    char cursor[24];
    json_object_begin(j, NULL);
    market_put_trades(m, j, ask->before_trade_id, ask->limit, &next, &more);
    snprintf(cursor, sizeof cursor, "%" PRIu64, next);
    put_page(j, cursor, more);
    json_object_end(j);
}

static void answer_market(gateway_t *g, const struct ask *ask)
{
    const struct market *m = &g->markets[ask->symbol];
    struct answering a;
    char at[AT_SIZE];
    market_at(g, ask, at);
    answer_begin(g, &a, at, ANSWER_MAX);
    if (ask->kind == ASK_BOOK)
        market_put_book(m, &a.json, ask->depth, ask->level);
    else if (ask->kind == ASK_TRADES)
        put_trades(m, &a.json, ask);
    else
        market_put_stats(m, &a.json);
    if (a.json.full)
        answer_refuse(g, ask, REJECT_ANSWER_TOO_LARGE, "query", "depth",
                      "the answer would be larger than %d MiB; ask for less depth",
                      ANSWER_MAX >> 20);
    else
        answer_end(g, &a, ask->call, 200, 0);
}

/* ---- now, or later ---- */

static unsigned shard_of(const gateway_t *g, const struct ask *ask)
{
    return ask->symbol != SYMBOL_NONE ? g->cluster->symbols[ask->symbol].shard
                                      : (unsigned)(ask->order_id >> 48);
}

/* Whether what the ask reads is known at all. */
static bool sources_known(const gateway_t *g, const struct ask *ask)
{
    if (of_market(ask))
        return subscriber_live(g->market_subscriber, market_topic(ask)) &&
               (ask->kind != ASK_STATS ||
                subscriber_live(g->market_subscriber, book_topic(ask->symbol)));
    if (ask->kind == ASK_ORDER || ask->kind == ASK_AMEND)
        return shard_of(g, ask) >= g->shard_count || shard_ready(&g->shards[shard_of(g, ask)]);
    for (unsigned s = 0; s < g->shard_count; s++) {
        if (!shard_ready(&g->shards[s]))
            return false;
    }
    return true;
}

/* True: it is answered. */
static bool answer_now(gateway_t *g, const struct ask *ask, uint64_t *question, bool last)
{
    if (of_market(ask))
        answer_market(g, ask);
    else if (ask->kind == ASK_ORDERS)
        answer_list(g, ask);
    else if (shard_of(g, ask) >= g->shard_count)
        answer_refuse(g, ask, REJECT_UNKNOWN_ORDER, "path", "id",
                      "no shard of this cluster made this id");
    else
        return answer_one(g, ask, shard_of(g, ask), question, last);
    return true;
}

/* True: it is answered. */
static bool try_answer(gateway_t *g, const struct ask *ask, uint64_t *question, bool last)
{
    bool over = false;
    bool known = sources_known(g, ask);
    const struct position_wanted *w = known ? not_reached(g, ask, &over) : NULL;
    if (known && w == NULL && ask->kind == ASK_AMEND)
        return commands_try_amend(g, ask, question, last);
    if (known && w == NULL)
        return answer_now(g, ask, question, last);
    if (over)
        answer_refuse(g, ask, REJECT_EPOCH_CHANGED, "query", "min_at",
                      "epoch %" PRIu64 " of shard %u is over", w->epoch, w->shard);
    else if (!last)
        return false;
    else if (!known)
        answer_refuse(g, ask, REJECT_NOT_READY, NULL, NULL,
                      "this gateway is still learning what it is asked for");
    else
        answer_refuse(g, ask, REJECT_NOT_CAUGHT_UP, "query", "min_at",
                      "sequence %" PRIu64 " of shard %u did not come within the wait", w->seq,
                      w->shard);
    return true;
}

static struct waiting *wait_for(gateway_t *g, uint64_t since_ns)
{
    if (g->waiting_count == WAITING_MAX)
        return NULL;
    struct waiting *w = &g->waiting[g->waiting_count++];
    w->due_ns = since_ns + g->cluster->settings.answer_ms * NS_PER_MS;
    return w;
}

void reads_ask(gateway_t *g, const struct ask *ask)
{
    uint64_t question = 0;
    if (try_answer(g, ask, &question, false))
        return;
    struct waiting *w = wait_for(g, g->now_ns);
    if (w == NULL) {
        (void)try_answer(g, ask, &question, true);
        return;
    }
    w->has_result = false;
    w->ask = *ask;
    w->question = question;
}

bool reads_wait_result(gateway_t *g, const struct shard *s, const struct pending *p,
                       const struct result *result)
{
    struct waiting *w = wait_for(g, p->sent_ns);
    if (w == NULL)
        return false;
    w->has_result = true;
    w->shard = s->number;
    w->pending = *p;
    w->result = *result;
    return true;
}

void reads_end(gateway_t *g)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < g->waiting_count; i++) {
        struct waiting *w = &g->waiting[i];
        bool last = g->now_ns >= w->due_ns || g->draining;
        bool room = outbox_room(&g->outbox) >= OUTBOX_FREE_MIN;
        if (room && (w->has_result ? commands_try_result(g, w, last)
                                   : try_answer(g, &w->ask, &w->question, last)))
            continue;
        if (kept != i)
            g->waiting[kept] = *w;
        kept++;
    }
    g->waiting_count = kept;
    for (unsigned s = 0; kept > 0 && s < g->shard_count; s++)
        subscriber_tick(g->shards[s].subscriber, g->now_ns); /* what they ask leaves at once */
}
