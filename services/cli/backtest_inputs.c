#include "cli/backtest_inputs.h"

#include <stdlib.h>

#include "base/clock.h"
#include "cli/backtest_logs.h"
#include "cli/backtest_report.h"
#include "cli/progress.h"
#include "strategy/inputs.h"

struct replayed {
    const struct backtest_options *o;
    inputs_player_t *player;
    strategy_host_t *host;
    struct backtest_logs logs;
    char error[INPUTS_ERROR_SIZE];
};

static void on_command(void *self, unsigned strategy, struct command *c)
{
    struct replayed *r = self;
    inputs_player_command(r->player, strategy, c);
}

static enum inputs_step play_all(struct replayed *r)
{
    struct progress progress;
    enum inputs_step step;
    progress_begin(&progress, "play", inputs_player_size(r->player));
    while ((step = inputs_player_next(r->player, r->host, r->error)) == INPUTS_MORE)
        progress_at(&progress, inputs_player_at(r->player));
    progress_end(&progress);
    return step;
}

static bool report(const struct replayed *r, double seconds)
{
    struct inputs_end end = inputs_player_end(r->player);
    struct report_run run = {
        .history = r->o->inputs,
        .form = "inputs",
        .mode = "as it was live",
        .latency = "as it was",
        .seed = "none",
        .events = end.records,
        .short_qty = "0",
        .seconds = seconds,
    };
    if (!backtest_report(r->o, &run, r->logs.logs, r->logs.figures, r->logs.count))
        return false;
    FILE *out =
        r->o->json != NULL && r->o->json[0] == '-' && r->o->json[1] == '\0' ? stderr : stdout;
    putc('\n', out);
    for (unsigned i = 0; i < r->logs.count; i++)
        backtest_report_refused(out, r->host, i);
    fprintf(out, "inputs   %llu, commands %llu, every one the same to the byte%s\n",
            (unsigned long long)end.records, (unsigned long long)end.commands,
            end.torn ? "; its end was cut" : "");
    return fflush(out) == 0;
}

/* host and logs are there. */
static int play(struct replayed *r)
{
    uint64_t start_ns = clock_monotonic_ns();
    if (play_all(r) != INPUTS_END) {
        fprintf(stderr, "outcry backtest: %s\n", r->error);
        return EXIT_FAILURE;
    }
    double seconds = (double)(clock_monotonic_ns() - start_ns) / (double)NS_PER_SECOND;
    backtest_logs_finish(&r->logs);
    return report(r, seconds) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int backtest_inputs_run(const struct backtest_options *o, const struct result_options *result)
{
    struct replayed r = {.o = o};
    unsigned count;
    enum status status = inputs_player_open(&r.player, o->inputs, r.error);
    if (status != STATUS_OK) {
        fprintf(stderr, "outcry backtest: %s\n", r.error);
        return status == STATUS_INVALID ? 2 : EXIT_FAILURE;
    }
    const struct strategy_spec *specs = inputs_player_specs(r.player, &count);
    backtest_logs_init(&r.logs, specs, count, result);
    r.logs.command = on_command;
    r.logs.to = &r;
    struct strategy_host_owner owner = backtest_logs_owner(&r.logs);
    r.host = strategy_host_new(&owner, specs, count, inputs_player_session(r.player), true);
    backtest_logs_attach(&r.logs, r.host);
    int exit_status = play(&r);
    backtest_logs_close(&r.logs);
    strategy_host_destroy(&r.host);
    inputs_player_close(&r.player);
    return exit_status;
}
