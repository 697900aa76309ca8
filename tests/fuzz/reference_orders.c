/* reference_orders: what clients ask. Of a command everything that speaks against it is considered,
 * and of that the refusal with the smallest precedence in reject_table.h is given. */
#include <stdlib.h>

#include "base/check.h"
#include "tests/fuzz/reference_parts.h"

/* ---- refusals ---- */

static int precedence_of(enum reason code)
{
    switch (code) {
#define PRECEDENCE_CASE(NAME, number, precedence, http_status, text)                               \
    case REJECT_##NAME:                                                                            \
        return precedence;
        REJECT_TABLE(PRECEDENCE_CASE)
#undef PRECEDENCE_CASE
    default:
        return 0;
    }
}

/* `code` speaks against the command, if it applies. */
static void consider(enum reason *verdict, bool applies, enum reason code)
{
    if (applies && (*verdict == 0 || precedence_of(code) < precedence_of(*verdict)))
        *verdict = code;
}

static bool one_of(uint64_t value, uint64_t a, uint64_t b, uint64_t c)
{
    return value == a || value == b || value == c;
}

/* Only letters, digits and these. */
static bool spelled_with(struct text text, const char *others)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        for (const char *other = others; *other != 0; other++)
            good = good || c == *other;
        if (!good)
            return false;
    }
    return true;
}

static bool account_bad(const struct reference *r, struct text account)
{
    return (account.size == 0 && !r->limits.anonymous) || !spelled_with(account, "_-");
}

static bool label_bad(struct text label)
{
    return !spelled_with(label, "_.:-");
}

/* ---- finding ---- */

/* Unique among an account's open and remembered orders. */
static struct reference_order *labelled(const struct reference *r,
                                        const struct reference_account *a, struct text label)
{
    if (label.size == 0)
        return NULL;
    for (size_t i = 0; i < r->open.count; i++) {
        struct reference_order *o = r->open.orders[i];
        if (o->account == a && reference_name_is(&o->label, label))
            return o;
    }
    for (size_t i = 0; a != NULL && i < a->finished.count; i++) {
        if (reference_name_is(&a->finished.orders[i]->label, label))
            return a->finished.orders[i];
    }
    return NULL;
}

static bool may_act(const struct reference *r, struct text account, const struct reference_order *o)
{
    if (r->limits.anonymous && (account.size == 0 || o->account->name.size == 0))
        return true;
    return reference_name_is(&o->account->name, account);
}

/* The open order a command names, if its sender's account may act on it. No symbol: any. */
static struct reference_order *named(const struct reference *r, const struct reference_symbol *s,
                                     struct text account, uint64_t order_id, struct text label)
{
    for (size_t i = 0; i < r->open.count; i++) {
        struct reference_order *o = r->open.orders[i];
        bool meant = order_id != 0 ? o->order_id == order_id
                                   : reference_name_is(&o->label, label) &&
                                         reference_name_is(&o->account->name, account);
        if (meant && (s == NULL || o->symbol == s) && may_act(r, account, o))
            return o;
    }
    return NULL;
}

/* ---- new ---- */

static bool same_body(const struct reference_order *o, const struct reference_symbol *s,
                      const struct new_order *m)
{
    const struct new_order *a = &o->asked;
    return o->symbol == s && a->side == m->side && a->type == m->type &&
           a->time_in_force == m->time_in_force && a->post_only == m->post_only &&
           a->stp == m->stp && a->price.given == m->price.given &&
           a->price.value == m->price.value && a->qty == m->qty;
}

static enum reason shape_of(const struct reference *r, const struct new_order *m)
{
    enum reason verdict = 0;
    bool in_sets =
        one_of(m->side, SIDE_BUY, SIDE_SELL, SIDE_SELL) &&
        one_of(m->type, ORDER_TYPE_LIMIT, ORDER_TYPE_MARKET, ORDER_TYPE_MARKET) &&
        one_of(m->time_in_force, TIME_IN_FORCE_GTC, TIME_IN_FORCE_IOC, TIME_IN_FORCE_FOK) &&
        one_of(m->stp, STP_NONE, STP_REJECT, STP_REJECT);
    consider(&verdict, !in_sets, REJECT_INVALID_FIELD);
    consider(&verdict, account_bad(r, m->account), REJECT_INVALID_ACCOUNT);
    consider(&verdict, label_bad(m->client_order_id), REJECT_INVALID_CLIENT_ORDER_ID);
    consider(&verdict, reference_symbol(r, m->symbol) == NULL, REJECT_UNKNOWN_SYMBOL);
    return verdict;
}

/* What rules and book have against an order of good shape. */
static enum reason rules_against(const struct reference *r, const struct new_order *m,
                                 const struct reference_taker *t)
{
    enum reason verdict = 0;
    bool limit = m->type == ORDER_TYPE_LIMIT;
    bool good_price = m->price.given && (m->price.value > 0 || t->symbol->any_price);
    consider(&verdict, m->qty <= 0, REJECT_INVALID_QUANTITY);
    consider(&verdict, limit && !good_price, REJECT_INVALID_PRICE);
    consider(&verdict, !limit && m->price.given, REJECT_INVALID_COMBINATION);
    consider(&verdict, m->post_only && (!limit || m->time_in_force != TIME_IN_FORCE_GTC),
             REJECT_INVALID_COMBINATION);
    consider(&verdict, r->open.count >= r->limits.open_orders_max, REJECT_TOO_MANY_OPEN_ORDERS);
    consider(&verdict,
             limit && m->time_in_force == TIME_IN_FORCE_GTC && reference_would_overflow(t, NULL),
             REJECT_QUANTITY_OVERFLOW);
    consider(&verdict, m->post_only && reference_would_trade(t), REJECT_POST_ONLY);
    consider(&verdict, m->stp == STP_REJECT && m->account.size > 0 && reference_would_meet_own(t),
             REJECT_STP);
    consider(&verdict, m->time_in_force == TIME_IN_FORCE_FOK && !reference_could_fill(t),
             REJECT_FOK_NOT_FILLED);
    return verdict;
}

static void answer_repeat(struct reference *r, const struct reference_order *first)
{
    r->outcome.order_id = first->order_id;
    r->outcome.code = first->status == ORDER_STATUS_REJECTED ? first->reason : 0;
    r->outcome.duplicate = true;
}

static struct reference_order *make_order(struct reference *r, const struct new_order *m,
                                          struct reference_symbol *s, struct reference_account *a)
{
    struct reference_order *o = calloc(1, sizeof *o);
    CHECK(o != NULL);
    o->order_id = r->limits.shard << 48 | r->seq;
    o->symbol = s;
    o->account = a;
    o->label = reference_name_of(m->client_order_id);
    o->asked = *m;
    o->asked.symbol = o->asked.account = o->asked.client_order_id = (struct text){NULL, 0};
    o->price = m->price.value;
    o->qty = m->qty;
    o->open_qty = m->qty;
    o->accepted_ns = r->time_ns;
    o->changed_seq = r->seq;
    o->status = ORDER_STATUS_NEW;
    r->outcome.order_id = o->order_id;
    return o;
}

/* The account, which exists from its first order on that has the right shape. */
static struct reference_account *account_for(struct reference *r, struct text name)
{
    struct reference_account *a = reference_account(r, name);
    if (a == NULL && r->account_count < r->limits.accounts_max) {
        a = &r->accounts[r->account_count++];
        a->name = reference_name_of(name);
    }
    return a;
}

static enum reason place(struct reference *r, const struct new_order *m, struct reference_symbol *s,
                         struct reference_account *a)
{
    const struct reference_taker t = {
        s, a, m->side, m->type == ORDER_TYPE_MARKET, m->price.value, m->qty};
    enum reason code = rules_against(r, m, &t);
    if (code == REJECT_TOO_MANY_OPEN_ORDERS)
        return code; /* the shard is full: nothing is left behind */
    struct reference_order *o = make_order(r, m, s, a);
    if (code != 0) {
        reference_emit(r, REFERENCE_REJECTED, o)->reason = code;
        reference_finish(r, o, ORDER_STATUS_REJECTED, code);
        return code;
    }
    reference_list_append(&r->open, o);
    struct reference_event *event = reference_emit(r, REFERENCE_ACCEPTED, o);
    event->price = o->price;
    event->qty = o->qty;
    reference_match(r, o);
    return 0;
}

enum reason reference_new_order(struct reference *r, const struct new_order *m)
{
    enum reason code = shape_of(r, m);
    if (code != 0)
        return code;
    struct reference_account *a = account_for(r, m->account);
    if (a == NULL)
        return REJECT_TOO_MANY_ACCOUNTS;
    struct reference_symbol *s = reference_symbol(r, m->symbol);
    const struct reference_order *first = labelled(r, a, m->client_order_id);
    if (first == NULL)
        return place(r, m, s, a);
    if (!same_body(first, s, m))
        return REJECT_DUPLICATE_ORDER;
    answer_repeat(r, first);
    return r->outcome.code;
}

/* ---- cancel ---- */

void reference_cancel_order(struct reference *r, struct reference_order *o, enum reason reason)
{
    struct reference_event *event = reference_emit(r, REFERENCE_CANCELLED, o);
    event->price = o->price;
    event->qty = o->open_qty;
    event->reason = reason;
    event->rested = o->resting;
    if (o->resting)
        reference_take_off(r, o, o->open_qty);
    reference_finish(r, o, ORDER_STATUS_CANCELLED, reason);
}

/* What cancel and amend share: who asks, and of which order. */
static enum reason name_against(const struct reference *r, struct text symbol, struct text account,
                                uint64_t order_id, struct text label)
{
    enum reason verdict = 0;
    const struct reference_symbol *s = reference_symbol(r, symbol);
    consider(&verdict, account_bad(r, account), REJECT_INVALID_ACCOUNT);
    consider(&verdict, label_bad(label) || (order_id == 0 && label.size == 0),
             REJECT_INVALID_CLIENT_ORDER_ID);
    bool whichever = symbol.size == 0 && order_id != 0;
    consider(&verdict, s == NULL && !whichever, REJECT_UNKNOWN_SYMBOL);
    consider(&verdict, named(r, s, account, order_id, label) == NULL, REJECT_UNKNOWN_ORDER);
    return verdict;
}

enum reason reference_cancel(struct reference *r, const struct cancel_order *m)
{
    enum reason code = name_against(r, m->symbol, m->account, m->order_id, m->client_order_id);
    if (code != 0)
        return code;
    struct reference_order *o =
        named(r, reference_symbol(r, m->symbol), m->account, m->order_id, m->client_order_id);
    r->outcome.order_id = o->order_id;
    reference_cancel_order(r, o, REASON_USER);
    return 0;
}

enum reason reference_mass_cancel(struct reference *r, const struct mass_cancel *m)
{
    enum reason verdict = 0;
    consider(&verdict, !one_of(m->side, 0, SIDE_BUY, SIDE_SELL), REJECT_INVALID_FIELD);
    consider(&verdict, account_bad(r, m->account), REJECT_INVALID_ACCOUNT);
    consider(&verdict, m->symbol.size > 0 && reference_symbol(r, m->symbol) == NULL,
             REJECT_UNKNOWN_SYMBOL);
    if (verdict != 0)
        return verdict;
    r->work = (struct reference_work){
        .waiting = true,
        .symbol = m->symbol.size > 0 ? reference_symbol(r, m->symbol) : NULL,
        .account = reference_name_of(m->account),
        .side = m->side,
        .origin = r->result_origin,
        .origin_seq = r->result_origin_seq,
        .outcome = r->outcome,
    };
    reference_mass_cancel_go_on(r);
    return 0;
}

/* The oldest open order the running mass cancel is about; NULL if none is left. */
static struct reference_order *next_to_cancel(const struct reference *r)
{
    const struct reference_work *w = &r->work;
    for (size_t i = 0; i < r->open.count; i++) {
        struct reference_order *o = r->open.orders[i];
        struct text account = {w->account.text, w->account.size};
        if ((account.size == 0 || reference_name_is(&o->account->name, account)) &&
            (w->symbol == NULL || o->symbol == w->symbol) &&
            (w->side == 0 || o->asked.side == w->side))
            return o;
    }
    return NULL;
}

void reference_mass_cancel_go_on(struct reference *r)
{
    struct reference_order *o;
    while ((o = next_to_cancel(r)) != NULL && r->units_left > 0) {
        r->units_left--;
        reference_cancel_order(r, o, REASON_MASS);
        r->work.outcome.count++;
    }
    r->outcome = r->work.outcome;
    r->outcome.ready = o == NULL;
    if (o != NULL)
        return;
    r->work.waiting = false;
    r->result_origin = r->work.origin;
    r->result_origin_seq = r->work.origin_seq;
}

/* ---- amend ---- */

/* What the order is to be. Wide, because what is asked may be beyond all bounds. */
struct wish {
    int64_t price;
    wide_t open_qty; /* 0: it is cancelled */
};

static struct wish wish_of(const struct reference_order *o, const struct amend_order *m)
{
    struct wish w = {m->price.given ? m->price.value : o->price, o->open_qty};
    if (m->qty.given && m->qty_is == QTY_IS_OPEN)
        w.open_qty = m->qty.value;
    if (m->qty.given && m->qty_is == QTY_IS_TOTAL)
        w.open_qty = (wide_t)m->qty.value - o->filled_qty;
    if (m->qty.given && m->qty_is == QTY_IS_REDUCE_BY)
        w.open_qty = (wide_t)o->open_qty - m->qty.value;
    if (w.open_qty < 0)
        w.open_qty = 0;
    return w;
}

static bool keeps_place(const struct reference_order *o, const struct wish *w)
{
    return w->price == o->price && w->open_qty <= o->open_qty;
}

static enum reason values_against(const struct reference_order *o, const struct amend_order *m,
                                  const struct wish *w)
{
    enum reason verdict = 0;
    bool needs_qty = m->qty_is == QTY_IS_REDUCE_BY;
    consider(&verdict, m->qty.given ? m->qty.value <= 0 : needs_qty, REJECT_INVALID_QUANTITY);
    consider(&verdict, m->price.given && m->price.value <= 0 && !o->symbol->any_price,
             REJECT_INVALID_PRICE);
    consider(&verdict, o->filled_qty + w->open_qty > INT64_MAX, REJECT_QUANTITY_OVERFLOW);
    return verdict;
}

/* What the book has against the order coming in again. */
static enum reason book_against(struct reference_order *o, const struct wish *w)
{
    enum reason verdict = 0;
    const struct reference_taker t = {o->symbol, o->account, o->asked.side,
                                      false,     w->price,   (int64_t)w->open_qty};
    consider(&verdict, reference_would_overflow(&t, o), REJECT_QUANTITY_OVERFLOW);
    consider(&verdict, o->asked.post_only && reference_would_trade(&t), REJECT_POST_ONLY);
    consider(&verdict,
             o->asked.stp == STP_REJECT && o->account->name.size > 0 &&
                 reference_would_meet_own(&t),
             REJECT_STP);
    return verdict;
}

static void amend_order(struct reference *r, struct reference_order *o, const struct wish *w)
{
    bool keeps = keeps_place(o, w);
    int64_t open_qty = (int64_t)w->open_qty;
    int64_t before = o->open_qty;
    struct reference_event *event = reference_emit(r, REFERENCE_AMENDED, o);
    event->price = w->price;
    event->qty = open_qty;
    event->open_qty = open_qty;
    event->other_qty = before;
    event->reason = keeps ? REASON_KEPT : REASON_REQUEUED;
    o->changed_seq = r->seq;
    o->qty = o->filled_qty + open_qty;
    if (keeps && open_qty < before)
        reference_take_off(r, o, before - open_qty);
    if (keeps)
        return;
    reference_take_off(r, o, before);
    o->price = w->price;
    o->open_qty = open_qty;
    reference_match(r, o);
}

enum reason reference_amend(struct reference *r, const struct amend_order *m)
{
    enum reason code = name_against(r, m->symbol, m->account, m->order_id, m->client_order_id);
    consider(&code, !one_of(m->qty_is, QTY_IS_OPEN, QTY_IS_TOTAL, QTY_IS_REDUCE_BY),
             REJECT_INVALID_FIELD);
    if (code != 0)
        return code;
    struct reference_order *o =
        named(r, reference_symbol(r, m->symbol), m->account, m->order_id, m->client_order_id);
    struct wish w = wish_of(o, m);
    code = values_against(o, m, &w);
    if (code == 0 && w.open_qty > 0 && !keeps_place(o, &w))
        code = book_against(o, &w);
    if (code != 0)
        return code;
    r->outcome.order_id = o->order_id;
    if (w.open_qty == 0)
        reference_cancel_order(r, o, REASON_REDUCED);
    else
        amend_order(r, o, &w);
    return 0;
}
