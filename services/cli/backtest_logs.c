#include "cli/backtest_logs.h"

void backtest_logs_init(struct backtest_logs *l, const struct strategy_spec *specs, unsigned count,
                        const struct result_options *options)
{
    *l = (struct backtest_logs){.count = count};
    for (unsigned i = 0; i < count; i++)
        l->logs[i] = result_log_new(&specs[i], options);
}

static void on_command(void *self, unsigned strategy, struct command *c)
{
    struct backtest_logs *l = self;
    l->command(l->to, strategy, c);
}

static void on_market(void *self, unsigned strategy, const struct market_update *u,
                      const struct bbo_state *bbo)
{
    struct backtest_logs *l = self;
    result_log_market(l->logs[strategy], u, bbo, strategy_host_ledger(l->host, strategy));
}

static void on_order(void *self, unsigned strategy, const struct own_order *o)
{
    struct backtest_logs *l = self;
    result_log_order(l->logs[strategy], o, strategy_host_ahead(l->host, strategy, o->number),
                     strategy_host_now_ns(l->host));
}

static void on_fill(void *self, unsigned strategy, const struct own_fill *f,
                    const struct bbo_state *bbo)
{
    struct backtest_logs *l = self;
    result_log_fill(l->logs[strategy], f, bbo, strategy_host_ledger(l->host, strategy),
                    strategy_host_now_ns(l->host));
}

static void on_log(void *self, unsigned strategy, const char *words)
{
    struct backtest_logs *l = self;
    result_log_note(l->logs[strategy], strategy_host_now_ns(l->host), words);
}

static void on_ended(void *self, unsigned strategy, const char *why)
{
    struct backtest_logs *l = self;
    result_log_end(l->logs[strategy], strategy_host_now_ns(l->host), why);
}

struct strategy_host_owner backtest_logs_owner(struct backtest_logs *l)
{
    return (struct strategy_host_owner){
        .self = l,
        .command = l->command == NULL ? NULL : on_command,
        .market = on_market,
        .order = on_order,
        .fill = on_fill,
        .log = on_log,
        .ended = on_ended,
    };
}

void backtest_logs_attach(struct backtest_logs *l, const strategy_host_t *host)
{
    l->host = host;
}

void backtest_logs_finish(struct backtest_logs *l)
{
    for (unsigned i = 0; i < l->count; i++)
        l->figures[i] = result_log_finish(l->logs[i], l->host, i);
}

void backtest_logs_close(struct backtest_logs *l)
{
    for (unsigned i = 0; i < l->count; i++)
        result_log_destroy(&l->logs[i]);
    *l = (struct backtest_logs){.count = 0};
}
