/* result: what came of one strategy's run: gathered while it runs, from what its host tells
 * (strategy_host_owner), finished into figures. The same for a back-test and for a live run played
 * again.
 *
 * Figures and their sources:
 *   pnl              ledger.h; `marked` values what is held at the last mid
 *   fill ratio       lots filled / lots of all orders placed (an amend counts what it adds; what
 *                    was refused was not placed)
 *   slippage         signed so that above 0 is worse than the benchmark, in basis points of it:
 *                    (average price - benchmark) / benchmark for buys, the other way for sells;
 *                    arrival: the first mid there was; vwap: sum(price qty) / sum(qty) of all
 *                    trades of the market while it ran, its own included; twap: the mid averaged
 *                    over time (implementation shortfall: Perold 1988)
 *   sharpe           mean / standard deviation of the changes of total P&L from sample to sample,
 *                    times sqrt(samples in 252 trading days of 6.5 h, or of 365 of 24 h where it
 *                    ran on a venue that never closes: `samples_per_year`); Sharpe 1994
 *   sortino          the same with the downside deviation below 0; Sortino and Price 1994
 *   drawdown         the most total P&L ever was below its highest before
 *   turnover         notional traded
 *   order-to-trade   (orders + amends + cancels) / fills
 *   queue            lots before it when an order began to rest, and time from there to its first
 *                    fill, medians; share of resting orders of which something was filled. What an
 *                    order takes as it arrives is not of its rest
 * The curves are sampled every sample_ns from the beginning, and once at the end; of a silence of
 * many samples only the first and the last are kept, for nothing changed between them.
 * Sharpe and the like are doubles, and nil where they are not defined; money is exact. Thread:
 * one. */
#ifndef OUTCRY_BACKTEST_RESULT_H
#define OUTCRY_BACKTEST_RESULT_H

#include "base/status.h"
#include "strategy/strategy_host.h"

typedef struct result_log result_log_t; /* of one strategy */

struct result_options {
    uint64_t sample_ns;        /* between two points of the curves, 0: 1 s */
    uint64_t samples_per_year; /* 0: 252 x 6.5 h of sample_ns each */
};

result_log_t *result_log_new(const struct strategy_spec *spec, const struct result_options *o);
void result_log_destroy(result_log_t **l);

/* From the host's owner; ledger and ahead: as they are then (ahead: -1 unknown). */
void result_log_market(result_log_t *l, const struct market_update *u, const struct bbo_state *bbo,
                       const struct ledger *ledger);
void result_log_order(result_log_t *l, const struct own_order *o, int64_t ahead, uint64_t now_ns);
void result_log_fill(result_log_t *l, const struct own_fill *f, const struct bbo_state *bbo,
                     const struct ledger *ledger, uint64_t now_ns);
void result_log_note(result_log_t *l, uint64_t now_ns, const char *words);
void result_log_end(result_log_t *l, uint64_t now_ns, const char *why);

/* One point of the curves. Money: millionths of half ticks x lots. */
struct result_point {
    uint64_t time_ns;
    int64_t twice_mid; /* 0: no mid */
    int64_t position;
    notional_t total;
    notional_t realised; /* of it; after all fees */
    notional_t drawdown; /* 0 or above */
};

struct result_fill {
    uint64_t time_ns;
    uint64_t trade_id;
    uint32_t order;
    uint8_t side;
    bool maker;
    int64_t price;
    int64_t qty;
    int64_t position; /* after it */
};

struct result_order {
    /* 0: never. filled: first, since it rests if it does. */
    uint64_t placed_ns, rested_ns, filled_ns, done_ns;
    uint32_t number;
    uint8_t side, type, time_in_force, state, refusal;
    bool post_only;
    uint16_t reason;
    int64_t price, qty, filled_qty;
    int64_t ahead; /* when it began to rest; -1 */
};

struct real_or_nil {
    double value;
    bool given;
};

struct result_figures {
    const struct strategy_spec *spec;
    struct ledger ledger;
    uint64_t begin_ns, end_ns;
    const char *ended;   /* why */
    char described[512]; /* the strategy's own line */
    int64_t twice_mark;  /* the last mid, halves of ticks; 0: there was none */
    notional_t total;    /* P&L after fees, millionths of half ticks x lots, as the next two */
    notional_t unrealised;
    notional_t drawdown_max;
    uint64_t orders, amends, cancels, fills, refused;
    int64_t placed_qty, filled_qty;
    struct real_or_nil fill_ratio, slippage_arrival, slippage_vwap, slippage_twap; /* bp */
    struct real_or_nil market_vwap, market_twap, average_price;                    /* ticks */
    struct real_or_nil sharpe, sortino, order_to_trade;
    struct real_or_nil share_of_volume; /* ours of all that traded while it ran */
    struct real_or_nil queue_ahead_median, queue_wait_median_s, queue_filled_share;
};

/* Once, at the end; good as long as l. */
const struct result_figures *result_log_finish(result_log_t *l, const strategy_host_t *h,
                                               unsigned strategy);

/* The same, of what no host has run. BORROWS all. */
const struct result_figures *result_log_finish_as(result_log_t *l, const struct ledger *ledger,
                                                  const struct strategy_standing *standing,
                                                  const char *described);
const struct result_point *result_log_points(const result_log_t *l, size_t *count);
const struct result_fill *result_log_fills(const result_log_t *l, size_t *count);
const struct result_order *result_log_orders(const result_log_t *l, size_t *count);
struct result_note {
    uint64_t time_ns;
    const char *words;
};
const struct result_note *result_log_notes(const result_log_t *l, size_t *count);

#endif
