#include "tests/unit/engine/engine_kit.h"

#include "base/check.h"

struct configure kit_limits(void)
{
    return (struct configure){
        .shard = 3,
        .open_orders_max = 1000,
        .accounts_max = 20,
        .finished_per_account = 10,
        .symbols_max = 4,
        .origins_max = 4,
        .origin_window = 16,
        .events_max = 100,
    };
}

static void add_symbol(struct kit *k, const char *name, bool any_price)
{
    const struct command c = {
        .type = MESSAGE_ADD_SYMBOL,
        .add_symbol = {text_of(name), text_of("0.01"), text_of("1"), any_price},
    };
    CHECK(kit_apply(k, &c) == 0);
}

void kit_open(struct kit *k, const struct configure *limits, uint64_t hash_seed)
{
    *k = (struct kit){.engine = engine_new(limits, hash_seed), .time_ns = 1000};
    const struct command c = {.type = MESSAGE_CONFIGURE, .configure = *limits};
    CHECK(kit_apply(k, &c) == 0);
    add_symbol(k, KIT_SYMBOL, false);
    add_symbol(k, KIT_SPREAD, true);
}

void kit_close(struct kit *k)
{
    engine_destroy(&k->engine);
}

enum reason kit_apply(struct kit *k, const struct command *c)
{
    engine_apply(k->engine, engine_seq(k->engine) + 1, k->time_ns, c);
    return kit_outcome(k).code;
}

struct command kit_new(const char *account, const char *label, enum side side, int64_t price,
                       int64_t qty)
{
    return (struct command){
        .type = MESSAGE_NEW_ORDER,
        .new_order = {.symbol = text_of(KIT_SYMBOL),
                      .account = text_of(account),
                      .client_order_id = text_of(label),
                      .side = side,
                      .type = ORDER_TYPE_LIMIT,
                      .time_in_force = TIME_IN_FORCE_GTC,
                      .stp = STP_NONE,
                      .price = {price, true},
                      .qty = qty},
    };
}

struct command kit_cancel(const char *account, uint64_t order_id)
{
    return (struct command){
        .type = MESSAGE_CANCEL_ORDER,
        .cancel_order = {.symbol = text_of(KIT_SYMBOL),
                         .account = text_of(account),
                         .order_id = order_id,
                         .client_order_id = text_of("")},
    };
}

struct command kit_amend(const char *account, uint64_t order_id, int64_t open_qty, int64_t price)
{
    return (struct command){
        .type = MESSAGE_AMEND_ORDER,
        .amend_order = {.symbol = text_of(KIT_SYMBOL),
                        .account = text_of(account),
                        .order_id = order_id,
                        .client_order_id = text_of(""),
                        .qty_is = QTY_IS_OPEN,
                        .qty = {open_qty, true},
                        .price = {price, true}},
    };
}

struct command kit_mass_cancel(const char *account)
{
    return (struct command){
        .type = MESSAGE_MASS_CANCEL,
        .mass_cancel = {.symbol = text_of(""), .account = text_of(account)},
    };
}

uint64_t kit_place(struct kit *k, const char *account, const char *label, enum side side,
                   int64_t price, int64_t qty)
{
    const struct command c = kit_new(account, label, side, price, qty);
    CHECK(kit_apply(k, &c) == 0);
    return kit_outcome(k).order_id;
}

unsigned kit_continue(struct kit *k)
{
    unsigned count = 0;
    while (engine_waiting(k->engine) != 0) {
        const struct command c = {.type = MESSAGE_CONTINUE_WORK,
                                  .continue_work = {engine_waiting(k->engine)}};
        kit_apply(k, &c);
        count++;
    }
    return count;
}

struct envelope kit_envelope(const char *origin, uint64_t epoch, uint64_t seq, uint64_t acked)
{
    return (struct envelope){.origin = text_of(origin),
                             .origin_epoch = epoch,
                             .origin_seq = seq,
                             .acked_through = acked};
}

struct outcome kit_outcome(const struct kit *k)
{
    return engine_result(k->engine).outcome;
}

size_t kit_event_count(const struct kit *k)
{
    size_t count;
    engine_events(k->engine, &count);
    return count;
}

typedef uint32_t walk_fn(const engine_t *e, uint32_t account, uint32_t previous);

static size_t count_orders(struct kit *k, const char *account, walk_fn *next)
{
    uint32_t number = engine_account_find(k->engine, text_of(account));
    size_t count = 0;
    if (number == 0)
        return 0;
    for (uint32_t n = next(k->engine, number, 0); n != 0; n = next(k->engine, number, n))
        count++;
    return count;
}

size_t kit_open_count(struct kit *k, const char *account)
{
    return count_orders(k, account, engine_next_open);
}

size_t kit_finished_count(struct kit *k, const char *account)
{
    return count_orders(k, account, engine_next_finished);
}
