#include "tests/unit/services/orders.h"

#include "base/check.h"

struct envelope envelope_of(const char *origin, uint64_t epoch, uint64_t seq)
{
    return (struct envelope){.origin = text_of(origin), .origin_epoch = epoch, .origin_seq = seq};
}

struct command new_order_of(enum side side, int64_t price, int64_t qty)
{
    return (struct command){
        .type = MESSAGE_NEW_ORDER,
        .new_order = {.symbol = text_of(SYMBOL_ONE),
                      .account = text_of("a"),
                      .client_order_id = text_of(""),
                      .side = side,
                      .type = ORDER_TYPE_LIMIT,
                      .time_in_force = TIME_IN_FORCE_GTC,
                      .stp = STP_NONE,
                      .price = {price, true},
                      .qty = qty},
    };
}

struct command mass_cancel_of(const char *account)
{
    return (struct command){
        .type = MESSAGE_MASS_CANCEL,
        .mass_cancel = {.symbol = text_of(""), .account = text_of(account)},
    };
}

struct command cancel_of(const char *account, uint64_t order_id)
{
    return (struct command){
        .type = MESSAGE_CANCEL_ORDER,
        .cancel_order = {.symbol = text_of(SYMBOL_ONE),
                         .account = text_of(account),
                         .order_id = order_id,
                         .client_order_id = text_of("")},
    };
}

void message_put_bytes(struct message *m, const void *bytes, size_t size)
{
    CHECK(m->size + size <= sizeof m->bytes);
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

void message_put(struct message *m, const struct command *c, struct envelope envelope)
{
    struct command whole = *c;
    uint8_t bytes[COMMAND_SIZE_MAX];
    struct wire_writer w = {bytes};
    whole.envelope = envelope;
    command_write(&w, &whole);
    message_put_bytes(m, bytes, (size_t)(w.at - bytes));
}

void message_order(struct message *m, uint64_t origin_seq, enum side side, int64_t price,
                   int64_t qty)
{
    struct command c = new_order_of(side, price, qty);
    message_put(m, &c, envelope_of("gw", 1, origin_seq));
}

void message_clear(struct message *m)
{
    m->size = 0;
}
