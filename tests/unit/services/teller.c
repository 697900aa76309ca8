#include "tests/unit/services/teller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void teller_open(struct teller *t, uint32_t shards, uint32_t open, uint32_t accounts,
                 uint32_t finished)
{
    *t = (struct teller){
        .orders = orders_new(&(struct orders_limits){shards, open, accounts, finished, 5}),
        .now_ns = 1000,
        .seq = 1000,
    };
    for (unsigned i = 0; i < shards; i++)
        orders_reset(t->orders, i, TELLER_EPOCH + i);
}

void teller_close(struct teller *t)
{
    orders_destroy(&t->orders);
    assert_null(t->orders);
    orders_destroy(&t->orders); /* once more is no harm */
}

/* ---- events ---- */

const struct live_order *teller_event(struct teller *t, unsigned shard, const char *account,
                                      uint64_t type, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0)); /* exact, so that ASan sees a byte too far */
    memcpy(copy, bytes, size);
    struct wire_reader fields = {copy, copy + size, false};
    const struct live_order *o =
        orders_event(t->orders, shard, text_of(account), t->seq, t->now_ns, type, &fields);
    free(copy);
    return o;
}

#define TELL(id, account, message, NAME, ...)                                                      \
    uint8_t bytes[NAME##_SIZE_MAX];                                                                \
    struct wire_writer w = {bytes};                                                                \
    message##_put_fields(&w, &(struct message){id, __VA_ARGS__});                                  \
    return teller_event(t, (unsigned)((id) >> 48), account, MESSAGE_##NAME, bytes,                 \
                        (size_t)(w.at - bytes))

const struct live_order *teller_accepted(struct teller *t, uint64_t id, const char *account,
                                         const char *label, int64_t qty)
{
    TELL(id, account, order_accepted, ORDER_ACCEPTED, text_of("X-Y"), text_of(account),
         text_of(label), SIDE_BUY, ORDER_TYPE_LIMIT, TIME_IN_FORCE_GTC, false, STP_NONE,
         {100, true}, qty);
}

const struct live_order *teller_rejected(struct teller *t, uint64_t id, const char *account,
                                         const char *label)
{
    TELL(id, account, order_rejected, ORDER_REJECTED, text_of("X-Y"), text_of(account),
         text_of(label), SIDE_SELL, ORDER_TYPE_MARKET, TIME_IN_FORCE_IOC, false, STP_REJECT,
         {0, false}, -7, REJECT_INVALID_QUANTITY);
}

const struct live_order *teller_amended(struct teller *t, uint64_t id, const char *account,
                                        int64_t price, int64_t qty, int64_t open_qty)
{
    TELL(id, account, order_amended, ORDER_AMENDED, price, qty, open_qty, REASON_REQUEUED);
}

const struct live_order *teller_filled(struct teller *t, uint64_t id, const char *account,
                                       uint64_t trade_id, int64_t price, int64_t qty,
                                       int64_t open_qty, bool maker)
{
    TELL(id, account, order_filled, ORDER_FILLED, trade_id, price, qty, open_qty, maker);
}

const struct live_order *teller_cancelled(struct teller *t, uint64_t id, const char *account,
                                          int64_t qty)
{
    TELL(id, account, order_cancelled, ORDER_CANCELLED, qty, REASON_USER);
}

void teller_finished(struct teller *t, uint64_t id, const char *account, const char *label)
{
    assert_non_null(teller_accepted(t, id, account, label, 5));
    assert_non_null(teller_cancelled(t, id, account, 5));
}

struct order_state teller_state(const struct teller *t, uint64_t id)
{
    return (struct order_state){
        .order_id = id,
        .symbol = text_of("X-Y"),
        .account = text_of("a"),
        .client_order_id = text_of(""),
        .side = SIDE_BUY,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = TIME_IN_FORCE_GTC,
        .stp = STP_NONE,
        .price = {100, true},
        .qty = 5,
        .status = ORDER_STATUS_PARTIALLY_FILLED,
        .open_qty = 3,
        .filled_qty = 2,
        .notional_low = 200,
        .accepted_ns = t->now_ns,
        .changed_seq = t->seq,
    };
}

/* ---- what it knows ---- */

void teller_assert_counts(const struct teller *t, uint64_t open, uint64_t finished,
                          uint64_t unknown, uint64_t full)
{
    struct orders_counts c = orders_counts(t->orders);
    assert_int_equal(c.open, open);
    assert_int_equal(c.finished, finished);
    assert_int_equal(c.unknown, unknown);
    assert_int_equal(c.full, full);
}

uint64_t teller_labelled(const struct teller *t, unsigned shard, const char *account,
                         const char *label)
{
    const struct live_order *o =
        orders_find_label(t->orders, shard, text_of(account), text_of(label));
    return o == NULL ? 0 : o->order_id;
}

void teller_assert_list(const struct teller *t, const char *account, struct orders_place place,
                        const uint64_t *ids, unsigned count)
{
    struct orders_walk walk;
    orders_walk_begin(t->orders, text_of(account), &place, &walk);
    for (unsigned i = 0; i < count; i++) {
        const struct live_order *o = orders_walk_next(t->orders, &walk);
        assert_non_null(o);
        assert_true(o->order_id == ids[i]);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_null(orders_walk_next(t->orders, &walk));
}
