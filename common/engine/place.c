/* place: a new order. First the checks, in the precedence of reject_table.h; the first that fails
 * refuses the order and nothing else happens. Then it is open, and is matched.
 *
 * A refusal by the rules (quantity, price, ..., FOK) is remembered like an order that finished, so
 * that the same client order id gives the same refusal again. Earlier ones (shape, symbol, a shard
 * that is full) leave nothing behind. */
#include <endian.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "engine/state.h"
#include "proto/names.h"

enum reason check_new_account(const engine_t *e, struct text account)
{
    bool there = account.size > 0 || e->limits.anonymous;
    return there && name_is_plain(account) ? 0 : REJECT_INVALID_ACCOUNT;
}

static enum reason check_client_order_id(struct text id)
{
    return name_is_label(id) ? 0 : REJECT_INVALID_CLIENT_ORDER_ID;
}

enum reason check_order_name(uint64_t order_id, struct text client_order_id)
{
    if (order_id == 0 && client_order_id.size == 0)
        return REJECT_INVALID_CLIENT_ORDER_ID;
    return check_client_order_id(client_order_id);
}

static bool in_set(uint64_t value, uint64_t last)
{
    return value >= 1 && value <= last;
}

static enum reason check_shape(engine_t *e, const struct new_order *m, uint32_t *account)
{
    if (!in_set(m->side, SIDE_SELL) || !in_set(m->type, ORDER_TYPE_MARKET) ||
        !in_set(m->time_in_force, TIME_IN_FORCE_FOK) || !in_set(m->stp, STP_REJECT))
        return REJECT_INVALID_FIELD;
    enum reason code = check_account(e, m->account, account);
    return code != 0 ? code : check_client_order_id(m->client_order_id);
}

static enum reason check_values(const struct symbol *s, const struct new_order *m)
{
    bool market = m->type == ORDER_TYPE_MARKET;
    if (m->qty <= 0)
        return REJECT_INVALID_QUANTITY;
    if (!market && (!m->price.given || (m->price.value <= 0 && !s->any_price)))
        return REJECT_INVALID_PRICE;
    if (market && (m->price.given || m->post_only))
        return REJECT_INVALID_COMBINATION;
    if (m->post_only && m->time_in_force != TIME_IN_FORCE_GTC)
        return REJECT_INVALID_COMBINATION;
    return 0;
}

/* What the book as it stands has against the order. */
static enum reason check_book(const engine_t *e, const struct symbol *s, const struct new_order *m,
                              uint32_t account)
{
    unsigned side = (unsigned)m->side;
    struct limit limit = {.any = m->type == ORDER_TYPE_MARKET, .price = m->price.value};
    bool rests = m->type == ORDER_TYPE_LIMIT && m->time_in_force == TIME_IN_FORCE_GTC;
    if (e->open_count == e->limits.open_orders_max)
        return REJECT_TOO_MANY_OPEN_ORDERS;
    /* A level at the order's own price on its own side means the book does not cross there, so
     * nothing of the order will trade and all of it would join that level. */
    if (rests && !book_has_room(&e->pool, &s->book, side, m->price.value, m->qty))
        return REJECT_QUANTITY_OVERFLOW;
    if (m->post_only && match_would_trade(e, s, side, limit))
        return REJECT_POST_ONLY;
    bool anonymous = e->limits.anonymous && account == ACCOUNT_ANONYMOUS;
    if (m->stp == STP_REJECT && !anonymous && e->accounts[account].open_count > 0 &&
        match_would_meet_own(e, s, side, limit, m->qty, account))
        return REJECT_STP;
    if (m->time_in_force == TIME_IN_FORCE_FOK && !match_could_fill(e, s, side, limit, m->qty))
        return REJECT_FOK_NOT_FILLED;
    return 0;
}

/* Everything of the body that a repeat must share. It is part of the state, so the seed is fixed
 * and the numbers are little-endian on any machine. */
static uint64_t body_hash(uint32_t symbol, const struct new_order *m)
{
    uint64_t body[] = {symbol,          m->side, m->type,        m->time_in_force,
                       m->post_only,    m->stp,  m->price.given, (uint64_t)m->price.value,
                       (uint64_t)m->qty};
    for (size_t i = 0; i < sizeof body / sizeof body[0]; i++)
        body[i] = htole64(body[i]);
    return XXH3_64bits(body, sizeof body);
}

/* A client order id that is in use: the first result again, or a refusal. */
static void answer_duplicate(engine_t *e, uint32_t first, uint64_t hash)
{
    const struct order *o = order_at(e, first);
    if (e->labels.labels[first].body_hash != hash) {
        engine_refuse(e, REJECT_DUPLICATE_ORDER);
        return;
    }
    e->outcome.order_id = o->order_id;
    e->outcome.code = o->status == ORDER_STATUS_REJECTED ? o->reason : 0;
    e->outcome.duplicate = true;
}

static uint32_t order_make(engine_t *e, uint32_t symbol, uint32_t account,
                           const struct new_order *m, uint64_t hash)
{
    uint32_t slot = order_new(&e->pool);
    CHECK(slot != 0);
    struct order *o = order_at(e, slot);
    o->order_id = e->limits.shard << 48 | e->seq;
    o->open_qty = m->qty;
    o->account = account;
    o->book = (uint16_t)symbol;
    o->side = (uint8_t)m->side;
    o->type = (uint8_t)m->type;
    o->time_in_force = (uint8_t)m->time_in_force;
    o->stp = (uint8_t)m->stp;
    o->status = ORDER_STATUS_NEW;
    o->post_only = m->post_only;
    o->labelled = m->client_order_id.size > 0;
    e->details[slot] = (struct order_detail){
        .price = m->price.value,
        .qty = m->qty,
        .accepted_ns = PLANTED(WALL_CLOCK_IN_MATCHING) ? planted_clock_ns() : e->time_ns,
        .changed_seq = e->seq};
    if (o->labelled)
        labels_add(&e->labels, slot, account, m->client_order_id, hash);
    e->outcome.order_id = o->order_id;
    return slot;
}

void place_order(engine_t *e, const struct new_order *m)
{
    uint32_t account = 0;
    enum reason code = check_shape(e, m, &account);
    if (code != 0) {
        engine_refuse(e, code);
        return;
    }
    uint32_t symbol = name_table_find(&e->symbol_names, m->symbol.data, m->symbol.size);
    if (symbol == 0) {
        engine_refuse(e, REJECT_UNKNOWN_SYMBOL);
        return;
    }
    if (account == 0)
        account = name_table_add(&e->account_names, m->account.data, m->account.size);
    if (account == 0) {
        engine_refuse(e, REJECT_TOO_MANY_ACCOUNTS);
        return;
    }
    uint64_t hash = 0;
    if (m->client_order_id.size > 0) {
        hash = body_hash(symbol, m);
        uint32_t first = labels_find(&e->labels, &e->pool, account, m->client_order_id);
        if (first != 0) {
            answer_duplicate(e, first, hash);
            return;
        }
    }

    const struct symbol *s = &e->symbols[symbol];
    code = check_values(s, m);
    if (code == 0)
        code = check_book(e, s, m, account);
    if (code == REJECT_TOO_MANY_OPEN_ORDERS) {
        engine_refuse(e, code);
        return;
    }
    uint32_t order = order_make(e, symbol, account, m, hash);
    if (code != 0) {
        engine_refuse(e, code);
        order_at(e, order)->open_qty = 0;
        engine_emit(e, EVENT_REJECTED, order)->reason = (uint16_t)code;
        engine_remember(e, order, ORDER_STATUS_REJECTED, code);
        return;
    }
    engine_open(e, order);
    struct event *accepted = engine_emit(e, EVENT_ACCEPTED, order);
    accepted->price = m->price.value;
    accepted->qty = m->qty;
    match_order(e, order);
}
