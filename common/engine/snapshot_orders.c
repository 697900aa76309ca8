/* Accounts, orders and books of the reader of snapshot.h.
 *
 * Orders come in the order of their accounts. Those on a book are put aside until all are there,
 * and then join the books by priority, which is time. */
#include "base/decimal.h"
#include "base/memory.h"
#include "base/mix.h"
#include "engine/snapshot_reading.h"
#include "proto/names.h"

#define IS_REASON(prefix, NAME, number, text) case number:

static bool is_reason(uint64_t value)
{
    switch (value) {
        REASON_TABLE(IS_REASON)
        return true;
    default:
        return false;
    }
}

/* Whether the set did not have the id; it has now. */
static bool ids_add(struct reading *r, uint64_t id)
{
    uint64_t n = mix(id) & r->ids_mask;
    for (; r->ids[n] != 0; n = (n + 1) & r->ids_mask) {
        if (r->ids[n] == id)
            return false;
    }
    r->ids[n] = id;
    return true;
}

/* ---- orders ---- */

/* What there is of it follows from its status and what is filled. NULL: all is well; else what was
 * expected. */
static const char *status_fault(const struct order *o, const struct order_detail *d, bool open)
{
    bool good = false;
    switch (o->status) {
    case ORDER_STATUS_NEW:
        good = open && o->reason == 0 && d->filled_qty == 0 && d->qty > 0;
        break;
    case ORDER_STATUS_PARTIALLY_FILLED:
        good = open && o->reason == 0 && d->filled_qty > 0 && d->filled_qty < d->qty;
        break;
    case ORDER_STATUS_FILLED:
        good = !open && o->reason == 0 && d->filled_qty == d->qty && d->qty > 0;
        break;
    case ORDER_STATUS_CANCELLED:
        good = !open && is_reason(o->reason) && d->filled_qty >= 0 && d->filled_qty < d->qty;
        break;
    case ORDER_STATUS_REJECTED:
        good = !open && reading_is_reject(o->reason) && d->filled_qty == 0;
        break;
    }
    if (good)
        return NULL;
    return open ? "the status, reason, qty and filled_qty of an open one"
                : "the status, reason, qty and filled_qty of a finished one";
}

/* Whether the fills' prices can add up to the notional. */
static bool notional_fits(const struct symbol *s, const struct order_detail *d)
{
    notional_t low = s->any_price ? INT64_MIN : 1;
    return d->notional >= low * d->filled_qty &&
           d->notional <= (notional_t)INT64_MAX * d->filled_qty;
}

/* Whether an order with these terms is let in, wherever it is now. */
static bool terms_fit(const struct symbol *s, const struct order *o, const struct order_detail *d)
{
    if (o->status == ORDER_STATUS_REJECTED)
        return true; /* as it came, for whatever reason it went */
    if (o->post_only && o->time_in_force != TIME_IN_FORCE_GTC)
        return false;
    if (o->type == ORDER_TYPE_MARKET)
        return d->price == 0 && !o->post_only;
    return d->price > 0 || s->any_price;
}

static const char *order_fault(const engine_t *e, const struct order *o,
                               const struct order_detail *d, bool open, uint64_t priority)
{
    const struct symbol *s = &e->symbols[o->book];
    if (status_fault(o, d, open) != NULL)
        return status_fault(o, d, open);
    if (!notional_fits(s, d))
        return "a notional its fills can have";
    if (!terms_fit(s, o, d))
        return "price and options that go together";
    if (priority != 0 && (o->type != ORDER_TYPE_LIMIT || o->time_in_force != TIME_IN_FORCE_GTC))
        return "no priority, as it cannot rest";
    return NULL;
}

static void read_label(struct reading *r, uint32_t slot)
{
    engine_t *e = r->e;
    uint32_t account = order_at(e, slot)->account;
    struct text label = input_text(&r->in, "client_order_id", CLIENT_ORDER_ID_SIZE_MAX);
    if (label.size == 0 || !name_is_label(label) ||
        labels_find(&e->labels, &e->pool, account, label) != 0)
        input_refuse(&r->in,
                     "found \"%.*s\", expected a client_order_id that no other order of the "
                     "account has",
                     (int)label.size, label.data);
    uint64_t body_hash = input_u64(&r->in, "body_hash", 0, UINT64_MAX);
    if (r->in.failed)
        return;
    labels_add(&e->labels, slot, account, label, body_hash);
    order_at(e, slot)->labelled = true;
}

static void read_terms(struct reading *r, struct order *o)
{
    struct snapshot_input *in = &r->in;
    uint32_t symbols = r->e->symbol_names.count;
    o->order_id = reading_order_id(r, false);
    if (!in->failed && !ids_add(r, o->order_id))
        input_refuse(in, "found order_id %" PRIu64 " again, expected another", o->order_id);
    o->book = (uint16_t)input_u64(in, "symbol", 1, symbols);
    o->side = (uint8_t)input_u64(in, "side", SIDE_BUY, SIDE_SELL);
    o->type = (uint8_t)input_u64(in, "type", ORDER_TYPE_LIMIT, ORDER_TYPE_MARKET);
    o->time_in_force =
        (uint8_t)input_u64(in, "time_in_force", TIME_IN_FORCE_GTC, TIME_IN_FORCE_FOK);
    o->stp = (uint8_t)input_u64(in, "stp", STP_NONE, STP_REJECT);
    o->post_only = input_flag(in, "post_only");
    o->status = (uint8_t)input_u64(in, "status", ORDER_STATUS_NEW, ORDER_STATUS_REJECTED);
    o->reason = (uint16_t)input_u64(in, "reason", 0, UINT16_MAX);
}

static void read_detail(struct reading *r, const struct order *o, struct order_detail *d)
{
    struct snapshot_input *in = &r->in;
    d->price = input_i64(in, "price");
    d->qty = input_i64(in, "qty");
    d->filled_qty = input_i64(in, "filled_qty");
    uint64_t upper = (uint64_t)input_i64(in, "the upper half of notional");
    uint64_t lower = input_u64(in, "the lower half of notional", 0, UINT64_MAX);
    d->notional = (notional_t)((uwide_t)upper << 64 | lower);
    d->accepted_ns = input_u64(in, "accepted_ns", 0, r->e->time_ns);
    d->changed_seq = input_u64(in, "changed_seq", o->order_id & COUNTER_MAX, r->e->seq);
}

/* An open order waits for its book, or is a sweep's. */
static void put_aside(struct reading *r, uint32_t slot, uint64_t priority, const uint8_t *at)
{
    struct order *o = order_at(r->e, slot);
    if (priority > 0) {
        o->priority = priority;
        r->resting[r->resting_count++] = (struct resting){priority, at, o->book, slot};
    } else if (r->adrift == 0) {
        r->adrift = slot;
    } else {
        input_refuse(&r->in, "found a second open order on no book, expected at most one");
    }
}

/* The order joins its account; 0: something failed. */
static uint32_t read_order(struct reading *r, uint32_t account, bool open)
{
    struct snapshot_input *in = &r->in;
    engine_t *e = r->e;
    struct order terms = {.account = account};
    struct order_detail detail;
    const uint8_t *at = in->reader.at;
    uint32_t fields = input_array(in, "the fields of an order", ORDER_ENTRY_FIELDS,
                                  ORDER_ENTRY_FIELDS + ORDER_LABEL_FIELDS);
    read_terms(r, &terms);
    read_detail(r, &terms, &detail);
    uint64_t priority_max = open ? e->symbols[terms.book].next_priority - 1 : 0;
    uint64_t priority = input_u64(in, "priority", 0, priority_max);
    if (in->failed)
        return 0;
    in->at = at;
    const char *expected = order_fault(e, &terms, &detail, open, priority);
    if (expected != NULL || fields == ORDER_ENTRY_FIELDS + 1)
        input_refuse(in, "found order %" PRIu64 " as it cannot be, expected %s", terms.order_id,
                     expected != NULL ? expected : "client_order_id and body_hash, or neither");
    uint32_t slot = in->failed ? 0 : order_new(&e->pool);
    if (slot == 0)
        return 0; /* the counts were held against the limits, so it is never the pool */
    *order_at(e, slot) = terms;
    e->details[slot] = detail;
    if (fields > ORDER_ENTRY_FIELDS)
        read_label(r, slot);
    if (!open) {
        engine_remember(e, slot, terms.status, terms.reason);
        e->details[slot].changed_seq = detail.changed_seq; /* not now, as engine_remember() says */
        return slot;
    }
    order_at(e, slot)->open_qty = detail.qty - detail.filled_qty;
    engine_open(e, slot);
    put_aside(r, slot, priority, at);
    return slot;
}

/* ---- accounts ---- */

static void read_open(struct reading *r, uint32_t account)
{
    struct snapshot_input *in = &r->in;
    engine_t *e = r->e;
    uint32_t count = input_array(in, "open orders", 0, e->limits.open_orders_max - e->open_count);
    uint64_t last = 0;
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        uint64_t id = order_at(e, read_order(r, account, true))->order_id;
        if (id < last)
            input_refuse(in, "found order %" PRIu64 " behind %" PRIu64 ", expected it before", id,
                         last);
        last = id;
    }
}

static void read_finished(struct reading *r, uint32_t account)
{
    struct snapshot_input *in = &r->in;
    engine_t *e = r->e;
    uint32_t count = input_array(in, "finished orders", 0, e->limits.finished_per_account);
    uint64_t last = 0;
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        uint64_t changed_seq = e->details[read_order(r, account, false)].changed_seq;
        if (changed_seq < last)
            input_refuse(in,
                         "found an order finished at %" PRIu64 " behind one at %" PRIu64
                         ", expected it before",
                         changed_seq, last);
        last = changed_seq;
    }
}

static void read_account(struct reading *r, uint32_t account)
{
    struct snapshot_input *in = &r->in;
    struct name_table *names = &r->e->account_names;
    bool nameless = r->e->limits.anonymous && account == ACCOUNT_ANONYMOUS;
    input_array(in, "the fields of an account", ACCOUNT_ENTRY_FIELDS, ACCOUNT_ENTRY_FIELDS);
    struct text name = input_text(in, "an account's name", ACCOUNT_SIZE_MAX);
    bool good = nameless
                    ? name.size == 0
                    : reading_is_name(name) && name_table_find(names, name.data, name.size) == 0;
    if (!good)
        input_refuse(in, "found \"%.*s\", expected %s", (int)name.size, name.data,
                     nameless ? "the account without a name" : "the name of another account");
    if (in->failed)
        return;
    name_table_add(names, name.data, name.size);
    read_open(r, account);
    read_finished(r, account);
}

void reading_accounts(struct reading *r)
{
    const struct configure *limits = &r->e->limits;
    uint32_t count = input_array(&r->in, "accounts", limits->anonymous, limits->accounts_max);
    for (uint32_t a = 1; a <= count && !r->in.failed; a++)
        read_account(r, a);
}

/* ---- books ---- */

static bool before(const struct resting *one, const struct resting *other)
{
    return one->symbol != other->symbol ? one->symbol < other->symbol
                                        : one->priority < other->priority;
}

/* Merge the sorted runs [begin, middle) and [middle, end). */
static void merge(struct resting *to, const struct resting *from, uint32_t begin, uint32_t middle,
                  uint32_t end)
{
    uint32_t left = begin, right = middle;
    for (uint32_t n = begin; n < end; n++) {
        bool take_left = right == end || (left < middle && !before(&from[right], &from[left]));
        to[n] = from[take_left ? left++ : right++];
    }
}

/* By symbol and priority: a merge sort, since all its memory is ours to bound. */
static void sort_resting(struct reading *r)
{
    uint32_t count = r->resting_count;
    struct resting *spare = memory_new(r->orders_max, sizeof *spare, "resting orders");
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t begin = 0; begin < count; begin += 2 * width) {
            uint64_t middle = begin + width < count ? begin + width : count;
            uint64_t end = middle + width < count ? middle + width : count;
            merge(spare, r->resting, (uint32_t)begin, (uint32_t)middle, (uint32_t)end);
        }
        struct resting *sorted = spare;
        spare = r->resting;
        r->resting = sorted;
    }
    memory_free(spare, r->orders_max, sizeof *spare);
}

static void fill_books(struct reading *r)
{
    engine_t *e = r->e;
    sort_resting(r);
    for (uint32_t i = 0; i < r->resting_count && !r->in.failed; i++) {
        const struct resting *now = &r->resting[i];
        const struct order *o = order_at(e, now->order);
        struct book *book = &e->symbols[now->symbol].book;
        int64_t price = e->details[now->order].price;
        r->in.at = now->at;
        if (i > 0 && !before(now - 1, now))
            input_refuse(&r->in, "found priority %" PRIu64 " again, expected another",
                         now->priority);
        else if (!book_has_room(&e->pool, book, o->side, price, o->open_qty))
            input_refuse(&r->in,
                         "found %" PRId64 " open, expected at most %" PRId64 " more at the price",
                         o->open_qty, book_room(&e->pool, book, o->side, price));
        else
            book_insert(&e->pool, book, now->order, price);
    }
}

/* What a symbol has beside its orders follows from them. */
static void settle_books(struct reading *r)
{
    for (uint32_t n = 1; n <= r->e->symbol_names.count && !r->in.failed; n++) {
        struct symbol *s = &r->e->symbols[n];
        s->bbo = book_bbo(&r->e->pool, &s->book);
        if (s->bbo.qty[0] > 0 && s->bbo.qty[1] > 0 && s->bbo.price[0] >= s->bbo.price[1])
            input_refuse(&r->in,
                         "found symbol %" PRIu32 " bid at %" PRId64 " and offered at %" PRId64
                         ", expected the bid below",
                         n, s->bbo.price[0], s->bbo.price[1]);
        engine_settle_hash(r->e, n);
    }
}

void reading_books(struct reading *r)
{
    fill_books(r);
    settle_books(r);
}
