#include "bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "backtest_bench.h"
#include "edge_bench.h"
#include "engine_bench.h"
#include "sample.h"

struct options {
    struct edge_bench_options edge;
    bool engine;
    bool backtest;
    const char *json_path;
};

static int usage(FILE *out, int status)
{
    fputs(
        "usage: outcry bench [rest] [websocket] [engine] [backtest] [--quick] [--json FILE]\n"
        "\n"
        "Measures; all of them if none is named. Figures go to stderr as a table, then what was\n"
        "conceived beside what was measured. The status is 0 whatever the figures are, and 1 if a\n"
        "request failed or a message was lost.\n"
        "\n"
        "  rest         orders and books over REST, on a demo cluster of its own, beside\n"
        "               civetweb's floor: the same answers without work\n"
        "  websocket    best bids and trades, from the matcher to subscribers of ZeroMQ and to\n"
        "               WebSockets; broadcasts to 100 and 500 clients beside civetweb's floor\n"
        "  engine       the engine alone beside a bare book; named alone it has options of its\n"
        "               own: outcry bench engine --help\n"
        "  backtest     a back-test of a strategy that does nothing beside the engine alone\n"
        "\n"
        "  --quick      one short run a case\n"
        "  --json FILE  figures as JSON too; /dev/stdout for a pipe\n"
        "\n"
        "  outcry bench rest websocket --quick\n"
        "  outcry bench rest --json /dev/stdout | jq '.[] | [.case, .ours, .floor, .ratio]'\n",
        out);
    return status;
}

static bool options_read(int argc, char **argv, struct options *o)
{
    *o = (struct options){.json_path = NULL};
    for (int index = 1; index < argc; index++) {
        const char *word = argv[index];
        if (strcmp(word, "rest") == 0) {
            o->edge.rest = true;
        } else if (strcmp(word, "websocket") == 0) {
            o->edge.websocket = true;
        } else if (strcmp(word, "engine") == 0) {
            o->engine = true;
        } else if (strcmp(word, "backtest") == 0) {
            o->backtest = true;
        } else if (strcmp(word, "--quick") == 0) {
            o->edge.quick = true;
        } else if (strcmp(word, "--json") == 0 && index + 1 < argc) {
            o->json_path = argv[++index];
        } else {
            fprintf(stderr, "outcry bench: found \"%s\", expected a bench or an option\n", word);
            return false;
        }
    }
    if (!o->edge.rest && !o->edge.websocket && !o->engine && !o->backtest) {
        o->edge.rest = o->edge.websocket = o->engine = o->backtest = true;
    }
    return true;
}

static bool run(const void *self, struct sample_report *report)
{
    const struct options *o = self;
    bool good = true;
    if (o->edge.rest || o->edge.websocket) {
        good = edge_bench_run(&o->edge, report);
    }
    if (o->engine) {
        good = engine_bench_run(o->edge.quick, report) && good;
    }
    if (o->backtest) {
        good = backtest_bench_run(o->edge.quick, report) && good;
    }
    return good;
}

/* The engine by itself: its own options count. */
static bool engine_alone(int argc, char **argv)
{
    bool alone = argc >= 2 && strcmp(argv[1], "engine") == 0;
    for (int index = 2; index < argc; index++) {
        alone = alone && strcmp(argv[index], "rest") != 0 &&
                strcmp(argv[index], "websocket") != 0 && strcmp(argv[index], "backtest") != 0;
    }
    return alone;
}

int bench_main(int argc, char **argv)
{
    struct options options;
    if (engine_alone(argc, argv)) {
        return engine_bench_main(argc - 1, argv + 1);
    }
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, 0);
    }
    if (!options_read(argc, argv, &options)) {
        return usage(stderr, 2);
    }
    return sample_report_write(options.json_path, run, &options) ? 0 : 1;
}
