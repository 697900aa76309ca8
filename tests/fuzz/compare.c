#include "tests/fuzz/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void differ(struct difference *d, const char *format, ...)
{
    if (d->text[0] != 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(d->text, sizeof d->text, format, arguments);
    va_end(arguments);
}

static void same(struct difference *d, const char *what, uint64_t engine, uint64_t reference)
{
    if (engine != reference)
        differ(d, "%s: engine %" PRId64 " (%" PRIx64 "), reference %" PRId64 " (%" PRIx64 ")", what,
               (int64_t)engine, engine, (int64_t)reference, reference);
}

static void same_signed(struct difference *d, const char *what, int64_t engine, int64_t reference)
{
    same(d, what, (uint64_t)engine, (uint64_t)reference);
}

static void same_text(struct difference *d, const char *what, struct text engine,
                      const struct reference_name *reference)
{
    if (!text_equal(engine, (struct text){reference->text, reference->size}))
        differ(d, "%s: engine '%.*s', reference '%.*s'", what, (int)engine.size, engine.data,
               (int)reference->size, reference->text);
}

/* ---- results ---- */

static void same_outcome(struct difference *d, const struct outcome *o,
                         const struct reference_outcome *r)
{
    same(d, "outcome ready", o->ready, r->ready);
    if (!r->ready) /* it says no more than that */
        return;
    same(d, "outcome code", o->code, r->code);
    same(d, "outcome seq", o->seq, r->seq);
    same(d, "outcome order_id", o->order_id, r->order_id);
    same(d, "outcome count", o->count, r->count);
    same(d, "outcome duplicate", o->duplicate, r->duplicate);
}

void compare_admission(struct difference *d, const struct admission_answer *engine,
                       const struct reference_answer *reference)
{
    static const enum admission admissions[] = {
        [REFERENCE_NEXT] = ADMIT_NEXT,
        [REFERENCE_REPEAT] = ADMIT_REPEAT,
        [REFERENCE_GAP] = ADMIT_GAP,
        [REFERENCE_REFUSE] = ADMIT_REFUSE,
    };
    same(d, "admission", engine->admission, admissions[reference->admission]);
    if (reference->admission == REFERENCE_GAP)
        same(d, "admission expected_seq", engine->expected_seq, reference->expected_seq);
    if (reference->admission == REFERENCE_REFUSE)
        same(d, "admission code", engine->code, reference->code);
    if (reference->admission == REFERENCE_REPEAT)
        same_outcome(d, &engine->outcome, &reference->outcome);
}

static void same_result(struct difference *d, const engine_t *e, const struct reference *r)
{
    static const struct reference_origin nobody = {0};
    const struct reference_origin *origin = r->result_origin ? r->result_origin : &nobody;
    struct finished_command result = engine_result(e);
    same_text(d, "result origin", result.origin, &origin->name);
    same_outcome(d, &result.outcome, &r->outcome);
    if (r->result_origin == NULL)
        return;
    same(d, "result origin_epoch", result.origin_epoch, origin->epoch);
    same(d, "result origin_seq", result.origin_seq, r->result_origin_seq);
}

/* ---- events ---- */

static void same_event(struct difference *d, const engine_t *e, const struct event *event,
                       const struct reference *r, const struct reference_event *expected)
{
    static const enum event_kind kinds[] = {
        [REFERENCE_ACCEPTED] = EVENT_ACCEPTED, [REFERENCE_REJECTED] = EVENT_REJECTED,
        [REFERENCE_AMENDED] = EVENT_AMENDED,   [REFERENCE_TRADE] = EVENT_TRADE,
        [REFERENCE_RESTED] = EVENT_RESTED,     [REFERENCE_CANCELLED] = EVENT_CANCELLED,
    };
    same(d, "event kind", event->kind, kinds[expected->kind]);
    same(d, "event side", event->side, expected->side);
    same(d, "event reason", event->reason, expected->reason);
    same(d, "event rested", event->rested, expected->rested);
    same(d, "event book", event->book, (uint64_t)(expected->symbol - r->symbols) + 1);
    same(d, "event order", engine_order(e, event->order).order->order_id, expected->order_id);
    same(d, "event maker", event->maker == 0 ? 0 : engine_order(e, event->maker).order->order_id,
         expected->maker_id);
    same_signed(d, "event price", event->price, expected->price);
    same_signed(d, "event qty", event->qty, expected->qty);
    same_signed(d, "event open_qty", event->open_qty, expected->open_qty);
    same_signed(d, "event other_qty", event->other_qty, expected->other_qty);
    same(d, "event id", event->id, expected->id);
}

static void same_events(struct difference *d, const engine_t *e, const struct reference *r)
{
    size_t count;
    const struct event *events = engine_events(e, &count);
    for (size_t i = 0; i < count && i < r->event_count; i++)
        same_event(d, e, &events[i], r, &r->events[i]);
    same(d, "events", count, r->event_count);
}

wide_t compare_entered(const engine_t *e)
{
    size_t count;
    const struct event *events = engine_events(e, &count);
    wide_t entered = 0;
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == EVENT_ACCEPTED)
            entered += events[i].qty;
        else if (events[i].kind == EVENT_AMENDED)
            entered += (wide_t)events[i].open_qty - events[i].other_qty;
        else if (events[i].kind == EVENT_CANCELLED)
            entered -= events[i].qty;
        else if (events[i].kind == EVENT_TRADE)
            entered -= 2 * (wide_t)events[i].qty;
    }
    return entered;
}

wide_t compare_open(const engine_t *e)
{
    wide_t sum = 0;
    for (uint32_t a = 1; a <= engine_account_count(e); a++) {
        for (uint32_t n = engine_next_open(e, a, 0); n != 0; n = engine_next_open(e, a, n))
            sum += engine_order(e, n).order->open_qty;
    }
    return sum;
}

/* ---- books ---- */

static void same_best(struct difference *d, const engine_t *e, const struct book *b,
                      const struct reference_symbol *s)
{
    struct bbo_state bbo = book_bbo(engine_pool(e), b);
    struct reference_bbo expected = reference_bbo(s);
    same_signed(d, "best bid", bbo.price[0], expected.price[0]);
    same_signed(d, "best bid qty", bbo.qty[0], expected.qty[0]);
    same_signed(d, "best offer", bbo.price[1], expected.price[1]);
    same_signed(d, "best offer qty", bbo.qty[1], expected.qty[1]);
    if (bbo.qty[0] > 0 && bbo.qty[1] > 0 && bbo.price[0] >= bbo.price[1])
        differ(d, "the book is crossed: bid %" PRId64 ", offer %" PRId64, bbo.price[0],
               bbo.price[1]);
}

void compare_command(struct difference *d, const engine_t *e, const struct reference *r)
{
    same_result(d, e, r);
    same_events(d, e, r);
    same(d, "seq", engine_seq(e), r->seq);
    same(d, "waiting", engine_waiting(e), r->work.waiting);
    same(d, "symbols", engine_symbol_count(e), r->symbol_count);
    same(d, "accounts", engine_account_count(e), r->account_count);
    for (uint32_t n = 1; n <= r->symbol_count && d->text[0] == 0; n++) {
        const struct reference_symbol *s = &r->symbols[n - 1];
        const struct book *b = engine_book(e, n);
        struct book_marks marks = engine_book_marks(e, n);
        same(d, "L2 hash", b->l2_hash, reference_l2_hash(s));
        same(d, "L3 hash", b->l3_hash, reference_l3_hash(s));
        same(d, "book_seq", marks.book_seq, s->book_seq);
        same(d, "bbo_seq", marks.bbo_seq, s->bbo_seq);
        same(d, "trade_seq", marks.trade_seq, s->trade_seq);
        same_best(d, e, b, s);
    }
}

/* ---- everything ---- */

static void same_order(struct difference *d, const engine_t *e, uint32_t slot,
                       const struct reference_order *r)
{
    struct order_view view = engine_order(e, slot);
    const struct order *o = view.order;
    same(d, "order_id", o->order_id, r->order_id);
    same_text(d, "order account", view.account, &r->account->name);
    same_text(d, "order symbol", view.symbol, &r->symbol->name);
    same_text(d, "order label", view.client_order_id, &r->label);
    same(d, "order side", o->side, r->asked.side);
    same(d, "order type", o->type, r->asked.type);
    same(d, "order time in force", o->time_in_force, r->asked.time_in_force);
    same(d, "order stp", o->stp, r->asked.stp);
    same(d, "order post_only", o->post_only, r->asked.post_only);
    same(d, "order status", o->status, r->status);
    same(d, "order reason", o->reason, r->reason);
    same(d, "order rests", o->level != 0, r->resting);
    same(d, "order priority", r->resting ? o->priority : 0, r->resting ? r->priority : 0);
    same_signed(d, "order open_qty", o->open_qty, r->open_qty);
    same_signed(d, "order price", view.detail->price, r->price);
    same_signed(d, "order qty", view.detail->qty, r->qty);
    same_signed(d, "order filled_qty", view.detail->filled_qty, r->filled_qty);
    same(d, "order notional, low", (uint64_t)view.detail->notional, (uint64_t)r->notional);
    same(d, "order notional, high", (uint64_t)(view.detail->notional >> 64),
         (uint64_t)(r->notional >> 64));
    same(d, "order accepted_ns", view.detail->accepted_ns, r->accepted_ns);
    same(d, "order changed_seq", view.detail->changed_seq, r->changed_seq);
}

/* The orders of one level against those of the side from *at on; moves *at past them. */
static void same_level(struct difference *d, const engine_t *e, uint32_t number,
                       const struct reference_list *side, size_t *at)
{
    const struct book_pool *pool = engine_pool(e);
    const struct book_level *l = &pool->levels[number];
    wide_t sum = 0;
    uint32_t count = 0, previous = 0;
    for (uint32_t n = l->head; n != 0; n = pool->orders[n].next) {
        const struct order *o = &pool->orders[n];
        if (*at == side->count) {
            differ(d, "the engine has more orders on a side than the reference's %zu", *at);
            return;
        }
        same_order(d, e, n, side->orders[*at]);
        same_signed(d, "level price", l->price, side->orders[*at]->price);
        same(d, "level of an order", o->level, number);
        same(d, "order before, in its level", o->prev, previous);
        same(d, "order by its id", order_find(pool, o->order_id), n);
        sum += o->open_qty;
        count++;
        previous = n;
        ++*at;
    }
    same(d, "last order of a level", l->tail, previous);
    same(d, "orders of a level", l->order_count, count);
    if (count == 0 || sum != l->qty)
        differ(d, "level at %" PRId64 " is empty or does not add up", l->price);
}

static void same_side(struct difference *d, const engine_t *e, const struct book *b, unsigned side,
                      const struct reference_list *expected)
{
    const struct book_pool *pool = engine_pool(e);
    const struct book_side *s = &b->sides[side - 1];
    uint32_t better = 0, levels = 0;
    size_t at = 0;
    for (uint32_t n = s->best; n != 0 && d->text[0] == 0; n = pool->levels[n].worse) {
        const struct book_level *l = &pool->levels[n];
        same_level(d, e, n, expected, &at);
        same(d, "side of a level", l->side, side);
        same(d, "level before", l->better, better);
        same(d, "level by its price",
             level_tree_find(&pool->nodes, s->tree, level_tree_key(side, l->price)), n);
        better = n;
        levels++;
    }
    same(d, "orders of a side", at, expected->count);
    same(d, "levels of a side", s->level_count, levels);
}

static void same_open(struct difference *d, const engine_t *e, uint32_t account,
                      const struct reference *r)
{
    uint32_t n = engine_next_open(e, account, 0);
    for (size_t i = 0; i < r->open.count; i++) {
        if (r->open.orders[i]->account != &r->accounts[account - 1])
            continue;
        if (n == 0) {
            differ(d, "account %u: an open order is missing", account);
            return;
        }
        same_order(d, e, n, r->open.orders[i]);
        same(d, "open order by its id", order_find(engine_pool(e), r->open.orders[i]->order_id), n);
        n = engine_next_open(e, account, n);
    }
    same(d, "open orders past the last", n, 0);
}

static void same_finished(struct difference *d, const engine_t *e, uint32_t account,
                          const struct reference_list *expected)
{
    uint32_t n = engine_next_finished(e, account, 0);
    for (size_t i = 0; i < expected->count; i++) {
        if (n == 0) {
            differ(d, "account %u: a finished order is missing", account);
            return;
        }
        same_order(d, e, n, expected->orders[i]);
        same(d, "finished order by its id",
             order_find(engine_pool(e), expected->orders[i]->order_id), 0);
        n = engine_next_finished(e, account, n);
    }
    same(d, "finished orders past the last", n, 0);
}

void compare_all(struct difference *d, engine_t *e, const struct reference *r)
{
    for (uint32_t n = 1; n <= r->symbol_count; n++) {
        const struct reference_symbol *s = &r->symbols[n - 1];
        const struct book *b = engine_book(e, n);
        same_text(d, "symbol", engine_symbol_name(e, n), &s->name);
        same(d, "symbol by its name", engine_symbol_find(e, engine_symbol_name(e, n)), n);
        same_side(d, e, b, SIDE_BUY, &s->sides[SIDE_BUY - 1]);
        same_side(d, e, b, SIDE_SELL, &s->sides[SIDE_SELL - 1]);
        same(d, "orders of a book", b->order_count, s->sides[0].count + s->sides[1].count);
    }
    for (uint32_t n = 1; n <= r->account_count; n++) {
        const struct reference_account *a = &r->accounts[n - 1];
        same_text(d, "account", engine_account_name(e, n), &a->name);
        same(d, "account by its name", engine_account_find(e, engine_account_name(e, n)), n);
        same_open(d, e, n, r);
        same_finished(d, e, n, &a->finished);
    }
}
