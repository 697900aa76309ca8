#include "tests/unit/services/pretend_run.h"

#include <string.h>

struct pretend pretend;

void pretend_begin(const struct fees *fees, const struct result_options *o)
{
    memset(&pretend, 0, sizeof pretend);
    struct strategy_spec *s = &pretend.spec;
    strcpy(s->name, "maker-1");
    strcpy(s->type, "maker");
    strcpy(s->account, "maker-1");
    strcpy(s->symbol.name, "AAPL");
    s->symbol.units.tick = (struct decimal_unit){1, 2};
    s->symbol.units.lot = (struct decimal_unit){1, 0};
    s->fees = *fees;
    pretend.described = "";
    ledger_init(&pretend.ledger, fees, 0, 0);
    pretend.log = result_log_new(s, o);
}

void pretend_market(uint64_t time_ns, int64_t bid, int64_t ask, int64_t price, int64_t qty)
{
    const struct market_trade trade = {.price = price, .qty = qty};
    const struct market_update u = {
        .time_ns = time_ns, .trades = &trade, .trade_count = qty != 0 ? 1 : 0};
    pretend.bbo = (struct bbo_state){{bid, ask}, {bid != 0 ? 1 : 0, ask != 0 ? 1 : 0}};
    result_log_market(pretend.log, &u, &pretend.bbo, &pretend.ledger);
}

void pretend_fill(uint64_t time_ns, const struct own_order *o, int64_t price, int64_t qty,
                  bool maker)
{
    const struct own_fill f = {
        .order = o, .trade_id = 77, .price = price, .qty = qty, .maker = maker};
    ledger_fill(&pretend.ledger, (enum side)o->side, price, qty, maker);
    result_log_fill(pretend.log, &f, &pretend.bbo, &pretend.ledger, time_ns);
}

const struct result_figures *pretend_finish(void)
{
    return result_log_finish_as(pretend.log, &pretend.ledger, &pretend.standing, pretend.described);
}

void pretend_end(void)
{
    result_log_destroy(&pretend.log);
}
