/* report_figures: the table of all figures, expanded by each form into its own. */
#include <stddef.h>
#include <string.h>

#include "backtest/report_parts.h"

#define AT(member) offsetof(struct result_figures, member)

static const struct report_figure figures[] = {
    {"pnl", "Total P&L", REPORT_PNL, REPORT_MONEY_FINE, AT(total), true,
     "Realised and unrealised profit and loss, after fees."},
    {"pnl_realised", "Realised P&L", REPORT_PNL, REPORT_MONEY, AT(ledger.realised), true,
     "Of what was bought and sold again, at average cost, before fees."},
    {"pnl_unrealised", "Unrealised P&L", REPORT_PNL, REPORT_MONEY_FINE, AT(unrealised), false,
     "What is still held, at the last mid, less what it cost."},
    {"fees", "Fees", REPORT_PNL, REPORT_FEES, AT(ledger.fees_micro), true,
     "Paid to the exchange; below zero: rebates received."},
    {"drawdown_max", "Maximum drawdown", REPORT_PNL, REPORT_MONEY_FINE, AT(drawdown_max), true,
     "The most total P&L ever was below its highest before."},
    {"turnover", "Turnover", REPORT_PNL, REPORT_TURNOVER, 0, true,
     "Notional traded, bought and sold together."},
    {"sharpe", "Sharpe ratio", REPORT_PNL, REPORT_NUMBER, AT(sharpe), true,
     "Mean over standard deviation of the changes of total P&L from sample to sample, for a year."},
    {"sortino", "Sortino ratio", REPORT_PNL, REPORT_NUMBER, AT(sortino), true,
     "The same with the deviation of losses only."},

    {"position", "Position", REPORT_INVENTORY, REPORT_LOTS, AT(ledger.position), true,
     "Held at the end; below zero: short."},
    {"position_began", "Began with", REPORT_INVENTORY, REPORT_BEGAN_WITH, 0, false,
     "Held at the beginning."},
    {"position_high", "Highest position", REPORT_INVENTORY, REPORT_LOTS, AT(ledger.position_high),
     false, "The most it was ever long."},
    {"position_low", "Lowest position", REPORT_INVENTORY, REPORT_LOTS, AT(ledger.position_low),
     false, "The most it was ever short."},
    {"mark", "Mark", REPORT_INVENTORY, REPORT_MARK, AT(twice_mark), false,
     "The last mid, at which what is held is valued."},

    {"orders", "Orders", REPORT_TRADING, REPORT_COUNT, AT(orders), true, "Placed."},
    {"amends", "Amends", REPORT_TRADING, REPORT_COUNT, AT(amends), false, "Sent."},
    {"cancels", "Cancels", REPORT_TRADING, REPORT_COUNT, AT(cancels), false, "Sent."},
    {"refused", "Refused", REPORT_TRADING, REPORT_COUNT, AT(refused), false,
     "Orders and amends refused by a limit of the host, and orders rejected by the exchange."},
    {"fills", "Fills", REPORT_TRADING, REPORT_COUNT, AT(fills), true, "Trades of its orders."},
    {"bought", "Bought", REPORT_TRADING, REPORT_LOTS, AT(ledger.bought), false,
     "In the base currency."},
    {"sold", "Sold", REPORT_TRADING, REPORT_LOTS, AT(ledger.sold), false, "In the base currency."},
    {"placed", "Placed", REPORT_TRADING, REPORT_LOTS, AT(placed_qty), false,
     "Quantity of all orders placed, with what amends added."},
    {"fill_ratio", "Fill ratio", REPORT_TRADING, REPORT_SHARE, AT(fill_ratio), true,
     "Quantity filled, of all that was placed."},
    {"order_to_trade", "Order-to-trade", REPORT_TRADING, REPORT_NUMBER, AT(order_to_trade), true,
     "Orders, amends and cancels for each fill."},
    {"share_of_volume", "Share of volume", REPORT_TRADING, REPORT_SHARE, AT(share_of_volume), false,
     "What it bought and sold, of all that traded while it ran."},

    {"average_price", "Average price", REPORT_EXECUTION, REPORT_TICKS_MEAN, AT(average_price),
     false, "Of all its fills, weighted by quantity."},
    {"market_vwap", "Market VWAP", REPORT_EXECUTION, REPORT_TICKS_MEAN, AT(market_vwap), false,
     "Of all trades while it ran, its own included, weighted by quantity."},
    {"market_twap", "Market TWAP", REPORT_EXECUTION, REPORT_TICKS_MEAN, AT(market_twap), false,
     "The mid, averaged over time."},
    {"slippage_arrival", "Slippage to arrival", REPORT_EXECUTION, REPORT_BASIS,
     AT(slippage_arrival), true,
     "Average price against the first mid there was; above zero is worse."},
    {"slippage_vwap", "Slippage to VWAP", REPORT_EXECUTION, REPORT_BASIS, AT(slippage_vwap), true,
     "Average price against the market's VWAP; above zero is worse."},
    {"slippage_twap", "Slippage to TWAP", REPORT_EXECUTION, REPORT_BASIS, AT(slippage_twap), false,
     "Average price against the market's TWAP; above zero is worse."},

    {"queue_ahead_median", "Queue ahead", REPORT_QUEUE, REPORT_LOTS_MEAN, AT(queue_ahead_median),
     false, "Quantity before an order when it began to rest, median."},
    {"queue_wait_median", "Queue wait", REPORT_QUEUE, REPORT_SECONDS, AT(queue_wait_median_s),
     false, "From resting to the first fill, median of those that were filled."},
    {"queue_filled_share", "Resting orders filled", REPORT_QUEUE, REPORT_SHARE,
     AT(queue_filled_share), false, "Resting orders of which anything was filled."},
};

const struct report_figure *report_figure_at(unsigned index)
{
    return index < sizeof figures / sizeof *figures ? &figures[index] : NULL;
}

const char *report_group_name(enum report_group group)
{
    static const char *const names[] = {
        [REPORT_PNL] = "Profit and loss", [REPORT_INVENTORY] = "Inventory",
        [REPORT_TRADING] = "Trading",     [REPORT_EXECUTION] = "Execution",
        [REPORT_QUEUE] = "Queue",
    };
    return names[group];
}

/* ---- values ---- */

/* A statistic, in the symbol's unit: the same digits for people, but fewer. */
static void set_real(struct report_value *v, struct real_or_nil real, double unit, unsigned digits,
                     const char *behind)
{
    v->given = real.given;
    if (!real.given)
        return;
    v->number = real.value * unit;
    snprintf(v->text, sizeof v->text, "%.12g", v->number);
    snprintf(v->shown, sizeof v->shown, "%.*f", (int)digits, v->number);
    report_round(v->shown, digits);
    snprintf(v->shown + strlen(v->shown), sizeof v->shown - strlen(v->shown), "%s", behind);
}

static void set_share(struct report_value *v, struct real_or_nil share)
{
    set_real(v, share, 1, 0, "");
    if (share.given)
        snprintf(v->shown, sizeof v->shown, "%.2f %%", 100 * share.value);
}

static void set_exact(struct report_value *v, double number, unsigned digits)
{
    v->given = v->exact = true;
    v->number = number;
    snprintf(v->shown, sizeof v->shown, "%s", v->text);
    report_round(v->shown, digits);
    report_group_digits(v->shown);
}

static unsigned at_least_two(unsigned digits)
{
    return digits > 2 ? digits : 2;
}

static void set_money(struct report_value *v, const struct strategy_symbol *s, notional_t money,
                      bool fine)
{
    double unit = report_unit(&s->units.tick) * report_unit(&s->units.lot);
    (fine ? report_money_fine : report_money)(v->text, s, money);
    set_exact(v, (double)money * unit / (fine ? 2e6 : 1), at_least_two(s->units.tick.scale));
}

static void set_lots(struct report_value *v, const struct strategy_symbol *s, int64_t lots)
{
    report_qty(v->text, s, lots);
    set_exact(v, (double)lots * report_unit(&s->units.lot), s->units.lot.scale);
}

static void set_count(struct report_value *v, uint64_t count)
{
    snprintf(v->text, sizeof v->text, "%llu", (unsigned long long)count);
    set_exact(v, (double)count, 0);
    v->exact = false; /* a number in JSON */
}

static void set_mark(struct report_value *v, const struct strategy_symbol *s, int64_t halves)
{
    if (halves == 0)
        return;
    report_price_halves(v->text, s, halves);
    set_exact(v, (double)halves / 2 * report_unit(&s->units.tick), s->units.tick.scale + 1);
}

struct report_value report_value(const struct report_figure *figure, const struct result_figures *f)
{
    const struct strategy_symbol *s = &f->spec->symbol;
    const struct ledger *l = &f->ledger;
    const void *at = (const char *)f + figure->offset;
    double tick = report_unit(&s->units.tick), lot = report_unit(&s->units.lot);
    struct report_value v = {.text = "", .shown = "-"};
    switch (figure->kind) {
    case REPORT_MONEY:
        set_money(&v, s, *(const notional_t *)at, false);
        break;
    case REPORT_MONEY_FINE:
        set_money(&v, s, *(const notional_t *)at, true);
        break;
    case REPORT_FEES:
        set_money(&v, s, 2 * *(const notional_t *)at, true);
        break;
    case REPORT_TURNOVER:
        set_money(&v, s, l->bought_notional + l->sold_notional, false);
        break;
    case REPORT_LOTS:
        set_lots(&v, s, *(const int64_t *)at);
        break;
    case REPORT_BEGAN_WITH:
        set_lots(&v, s, l->position - l->bought + l->sold);
        break;
    case REPORT_MARK:
        set_mark(&v, s, *(const int64_t *)at);
        break;
    case REPORT_COUNT:
        set_count(&v, *(const uint64_t *)at);
        break;
    case REPORT_TICKS_MEAN:
        set_real(&v, *(const struct real_or_nil *)at, tick, s->units.tick.scale + 2, "");
        break;
    case REPORT_LOTS_MEAN:
        set_real(&v, *(const struct real_or_nil *)at, lot, s->units.lot.scale, "");
        break;
    case REPORT_SHARE:
        set_share(&v, *(const struct real_or_nil *)at);
        break;
    case REPORT_BASIS:
        set_real(&v, *(const struct real_or_nil *)at, 1, 2, " bp");
        break;
    case REPORT_NUMBER:
        set_real(&v, *(const struct real_or_nil *)at, 1, 2, "");
        break;
    case REPORT_SECONDS:
        set_real(&v, *(const struct real_or_nil *)at, 1, 3, " s");
        break;
    }
    return v;
}
