/* orders: what the matchers tell of orders, checked, into the table of them (order_table.h).
 *
 * An event changes an order only if it is on the topic of the order's account and fits what the
 * order was: then quantities stay within 64 bits and notionals within 128, whatever is sent.
 *
 * The finished ones must stand in the order in which the matcher has them, because that decides
 * which are forgotten. It is the order of the events but for one case: of a trade that finishes
 * both its orders the maker finished first, while the taker's fill is told first. */
#include "gateway/orders.h"

#include "base/memory.h"
#include "gateway/order_table.h"
#include "proto/names.h"

struct orders {
    struct order_table table;
    uint64_t epochs[ORDERS_SHARDS_MAX];
    uint64_t unknown;
    uint64_t full;
};

/* Where and when an event was told. */
struct occasion {
    unsigned shard;
    struct text account;
    uint64_t seq;
    uint64_t time_ns;
};

orders_t *orders_new(const struct orders_limits *limits)
{
    orders_t *o = memory_new(1, sizeof *o, "orders");
    order_table_init(&o->table, limits);
    return o;
}

void orders_destroy(orders_t **orders)
{
    orders_t *o = *orders;
    if (o == NULL)
        return;
    order_table_close(&o->table);
    memory_free(o, 1, sizeof *o);
    *orders = NULL;
}

void orders_reset(orders_t *o, unsigned shard, uint64_t epoch)
{
    if (shard >= o->table.limits.shard_count)
        return;
    order_table_reset(&o->table, shard);
    o->epochs[shard] = epoch;
}

/* ---- orders told whole ---- */

/* What a message `m` says an order is: three messages say it alike. */
#define TERM(kind, field, limit, text) .field = m->field,
#define TERMS                                                                                      \
    (struct new_order)                                                                             \
    {                                                                                              \
        ORDER_TERMS(TERM)                                                                          \
    }

static bool terms_fit(const struct new_order *m)
{
    return name_is_symbol(m->symbol) && name_is_label(m->client_order_id) && m->side >= SIDE_BUY &&
           m->side <= SIDE_SELL && m->type >= ORDER_TYPE_LIMIT && m->type <= ORDER_TYPE_MARKET &&
           m->time_in_force >= TIME_IN_FORCE_GTC && m->time_in_force <= TIME_IN_FORCE_FOK &&
           m->stp >= STP_NONE && m->stp <= STP_REJECT &&
           m->price.given == (m->type == ORDER_TYPE_LIMIT) &&
           m->client_order_id.size <= CLIENT_ORDER_ID_SIZE_MAX && m->account.size > 0 &&
           m->account.size <= ACCOUNT_SIZE_MAX && name_is_plain(m->account);
}

static struct live_order order_of(const struct new_order *m, unsigned shard, uint64_t order_id)
{
    struct live_order order = {
        .order_id = order_id,
        .shard = (uint16_t)shard,
        .side = (uint8_t)m->side,
        .type = (uint8_t)m->type,
        .time_in_force = (uint8_t)m->time_in_force,
        .stp = (uint8_t)m->stp,
        .post_only = m->post_only,
        .price = m->price,
        .qty = m->qty,
    };
    memcpy(order.symbol, m->symbol.data, m->symbol.size);
    memcpy(order.account, m->account.data, m->account.size);
    memcpy(order.client_order_id, m->client_order_id.data, m->client_order_id.size);
    return order;
}

/* An order nobody knew: its row, open for now; 0: there is no room, or it is there already. */
static uint32_t order_begin(orders_t *o, struct live_order *order)
{
    if (order->order_id == 0 || order->order_id >> 48 != order->shard ||
        order_table_find(&o->table, order->order_id) != 0) {
        o->unknown++;
        return 0;
    }
    order->epoch = o->epochs[order->shard];
    uint32_t row = order_table_add(&o->table, order);
    if (row == 0) {
        o->full++;
        return 0;
    }
    struct order_account *a = &o->table.accounts[o->table.rows[row].account];
    if (a->seq < order->changed_seq)
        a->seq = order->changed_seq;
    return row;
}

static void order_finish(orders_t *o, uint32_t row, bool before_last)
{
    o->full += order_table_finish(&o->table, row, before_last);
}

/* Whether quantities go with the status. Those of a refused order are as they were asked for. */
static bool quantities_fit(const struct order_state *m)
{
    if (m->open_qty < 0 || m->filled_qty < 0)
        return false;
    if (m->status == ORDER_STATUS_REJECTED)
        return m->open_qty == 0 && m->filled_qty == 0;
    if (m->qty <= 0 || m->filled_qty > m->qty)
        return false;
    int64_t left = m->qty - m->filled_qty;
    if (m->status == ORDER_STATUS_NEW || m->status == ORDER_STATUS_PARTIALLY_FILLED)
        return left > 0 && m->open_qty == left &&
               (m->filled_qty > 0) == (m->status == ORDER_STATUS_PARTIALLY_FILLED);
    if (m->status == ORDER_STATUS_FILLED)
        return left == 0 && m->open_qty == 0;
    return m->status == ORDER_STATUS_CANCELLED && left > 0 && m->open_qty == 0;
}

/* No price is beyond 2^63 ticks on either side; so more fills cannot go beyond 128 bits. */
static bool notional_fits(wide_t notional, int64_t filled_qty)
{
    wide_t most = (wide_t)filled_qty << 63;
    return notional <= most && notional >= -most;
}

void orders_state(orders_t *o, unsigned shard, const struct order_state *m)
{
    struct new_order terms = TERMS;
    wide_t notional = (wide_t)((uwide_t)(uint64_t)m->notional_high << 64 | m->notional_low);
    if (shard >= o->table.limits.shard_count || !terms_fit(&terms) || !quantities_fit(m) ||
        !notional_fits(notional, m->filled_qty) || m->reason > UINT16_MAX) {
        o->unknown++;
        return;
    }
    struct live_order order = order_of(&terms, shard, m->order_id);
    order.status = (uint8_t)m->status;
    order.reason = (uint16_t)m->reason;
    order.open_qty = m->open_qty;
    order.filled_qty = m->filled_qty;
    order.notional = notional;
    order.accepted_ns = m->accepted_ns;
    order.changed_ns = m->accepted_ns;
    order.changed_seq = m->changed_seq;
    uint32_t row = order_begin(o, &order);
    if (row != 0 && !live_order_open(&order))
        order_finish(o, row, false);
}

/* ---- events ----
 * Each returns the row of its order; 0: there is none. */

static uint32_t unknown(orders_t *o)
{
    o->unknown++;
    return 0;
}

/* An order comes to be, or is refused, on this occasion. */
static uint32_t order_told(orders_t *o, const struct occasion *at, uint64_t order_id,
                           const struct new_order *terms, enum order_status status, uint64_t reason)
{
    if (!terms_fit(terms) || !text_equal(terms->account, at->account) || reason > UINT16_MAX)
        return unknown(o);
    struct live_order order = order_of(terms, at->shard, order_id);
    order.status = (uint8_t)status;
    order.reason = (uint16_t)reason;
    order.open_qty = status == ORDER_STATUS_NEW ? order.qty : 0;
    order.accepted_ns = at->time_ns;
    order.changed_ns = at->time_ns;
    order.changed_seq = at->seq;
    return order_begin(o, &order);
}

static uint32_t on_accepted(orders_t *o, const struct occasion *at, const struct order_accepted *m)
{
    struct new_order terms = TERMS;
    if (m->qty <= 0)
        return unknown(o);
    return order_told(o, at, m->order_id, &terms, ORDER_STATUS_NEW, 0);
}

static uint32_t on_rejected(orders_t *o, const struct occasion *at, const struct order_rejected *m)
{
    struct new_order terms = TERMS;
    uint32_t row = order_told(o, at, m->order_id, &terms, ORDER_STATUS_REJECTED, m->code);
    if (row != 0)
        order_finish(o, row, false);
    return row;
}

/* The open order an event names, if it is of this shard and account. */
static uint32_t open_order(const orders_t *o, const struct occasion *at, uint64_t order_id)
{
    uint32_t row = order_table_find(&o->table, order_id);
    const struct live_order *order = &o->table.rows[row].order;
    return row != 0 && order->shard == at->shard && live_order_open(order) &&
                   text_equal(text_of(order->account), at->account)
               ? row
               : 0;
}

/* Its row, of which this event is the last change. */
static struct live_order *order_change(orders_t *o, const struct occasion *at, uint32_t row)
{
    struct order_row *r = &o->table.rows[row];
    r->order.changed_ns = at->time_ns;
    r->order.changed_seq = at->seq;
    o->table.accounts[r->account].seq = at->seq;
    return &r->order;
}

static uint32_t on_amended(orders_t *o, const struct occasion *at, const struct order_amended *m)
{
    uint32_t row = open_order(o, at, m->order_id);
    const struct live_order *was = &o->table.rows[row].order;
    if (row == 0 || m->open_qty <= 0 || m->qty <= was->filled_qty ||
        m->qty - was->filled_qty != m->open_qty || !was->price.given)
        return unknown(o);
    struct live_order *order = order_change(o, at, row);
    order->price.value = m->price;
    order->qty = m->qty;
    order->open_qty = m->open_qty;
    return row;
}

static uint32_t on_filled(orders_t *o, const struct occasion *at, const struct order_filled *m)
{
    uint32_t row = open_order(o, at, m->order_id);
    const struct live_order *was = &o->table.rows[row].order;
    if (row == 0 || m->qty <= 0 || m->qty > was->open_qty || m->open_qty != was->open_qty - m->qty)
        return unknown(o);
    struct live_order *order = order_change(o, at, row);
    order->filled_qty += m->qty;
    order->open_qty = m->open_qty;
    order->notional += (wide_t)m->price * m->qty;
    order->status = ORDER_STATUS_PARTIALLY_FILLED;
    if (m->open_qty > 0)
        return row;
    struct order_account *a = &o->table.accounts[o->table.rows[row].account];
    order->status = ORDER_STATUS_FILLED;
    order_finish(o, row, m->maker && a->filled_trade_id == m->trade_id);
    if (!m->maker)
        a->filled_trade_id = m->trade_id;
    return row;
}

static uint32_t on_cancelled(orders_t *o, const struct occasion *at,
                             const struct order_cancelled *m)
{
    uint32_t row = open_order(o, at, m->order_id);
    if (row == 0 || m->qty != o->table.rows[row].order.open_qty || m->reason > UINT16_MAX)
        return unknown(o);
    struct live_order *order = order_change(o, at, row);
    order->open_qty = 0;
    order->status = ORDER_STATUS_CANCELLED;
    order->reason = (uint16_t)m->reason;
    order_finish(o, row, false);
    return row;
}

#define EVENT(name, NAME)                                                                          \
    case MESSAGE_ORDER_##NAME: {                                                                   \
        struct order_##name m;                                                                     \
        order_##name##_get_fields(fields, &m);                                                     \
        row = fields->bad ? unknown(o) : on_##name(o, &at, &m);                                    \
        break;                                                                                     \
    }

const struct live_order *orders_event(orders_t *o, unsigned shard, struct text account,
                                      uint64_t seq, uint64_t time_ns, uint64_t type,
                                      struct wire_reader *fields)
{
    const struct occasion at = {shard, account, seq, time_ns};
    uint32_t row = 0;
    switch (shard < o->table.limits.shard_count ? type : 0) {
        EVENT(accepted, ACCEPTED)
        EVENT(rejected, REJECTED)
        EVENT(amended, AMENDED)
        EVENT(filled, FILLED)
        EVENT(cancelled, CANCELLED)
    default:
        unknown(o);
    }
    return row == 0 ? NULL : &o->table.rows[row].order;
}

/* ---- reading ---- */

static const struct live_order *order_at(const orders_t *o, uint32_t row)
{
    return row == 0 ? NULL : &o->table.rows[row].order;
}

const struct live_order *orders_find(const orders_t *o, uint64_t order_id)
{
    return order_at(o, order_table_find(&o->table, order_id));
}

const struct live_order *orders_find_label(const orders_t *o, unsigned shard, struct text account,
                                           struct text client_order_id)
{
    uint32_t n = order_table_find_account(&o->table, shard, account);
    return n == 0 ? NULL : order_at(o, order_table_find_label(&o->table, n, client_order_id));
}

uint64_t orders_account_seq(const orders_t *o, unsigned shard, struct text account)
{
    return o->table.accounts[order_table_find_account(&o->table, shard, account)].seq;
}

void orders_walk_begin(orders_t *o, struct text account, const struct orders_place *place,
                       struct orders_walk *walk)
{
    *walk = (struct orders_walk){{0}};
    bool from_start = place->accepted_ns == 0 && place->shard == 0 && place->order_id == 0;
    for (unsigned shard = 0; shard < o->table.limits.shard_count; shard++) {
        uint32_t n = order_table_find_account(&o->table, shard, account);
        if (n == 0)
            continue;
        order_table_sort(&o->table, n);
        uint32_t row = o->table.accounts[n].newest;
        while (!from_start && row != 0 &&
               !orders_place_before(live_order_place(&o->table.rows[row].order), *place))
            row = o->table.rows[row].older;
        walk->next[shard] = row;
    }
}

const struct live_order *orders_walk_next(const orders_t *o, struct orders_walk *walk)
{
    const struct order_row *rows = o->table.rows;
    unsigned newest = 0;
    for (unsigned shard = 1; shard < o->table.limits.shard_count; shard++) {
        uint32_t row = walk->next[shard], best = walk->next[newest];
        if (row != 0 && (best == 0 || orders_place_before(live_order_place(&rows[best].order),
                                                          live_order_place(&rows[row].order))))
            newest = shard;
    }
    uint32_t row = walk->next[newest];
    if (row == 0)
        return NULL;
    walk->next[newest] = rows[row].older;
    return &rows[row].order;
}

struct orders_counts orders_counts(const orders_t *o)
{
    return (struct orders_counts){
        .open = o->table.open_count,
        .finished = o->table.finished_count,
        .unknown = o->unknown,
        .full = o->full,
    };
}
