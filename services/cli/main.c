/* outcry: the command line. Each command is a file of its own; this finds it. Called as
 * `lob-replay` it is `outcry replay --format csv`. */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/backtest.h"
#include "cli/journal.h"
#include "cli/keys.h"
#include "cli/ladder.h"
#include "cli/match.h"
#include "cli/metrics.h"
#include "cli/order.h"
#include "cli/probe.h"
#include "cli/replay.h"
#include "cli/resume.h"
#include "cli/simulate.h"
#include "cli/status.h"
#include "cli/strategy.h"
#include "cli/tape.h"
#include "cli/top.h"
#include "cli/up.h"
#include "cli/verify.h"
#include "node/settings.h"

static int settings_main(int argc, char **argv)
{
    static const char usage[] =
        "usage: outcry settings [--markdown]\n\nLists every setting with its default: "
        ".env.example; with --markdown, k8s/CONFIGURATION.md.\n";
    if (argc == 1) {
        settings_print(stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
        settings_print_reference(stdout);
        return 0;
    }
    bool help = strcmp(argv[1], "--help") == 0;
    fputs(usage, help ? stdout : stderr);
    return help ? 0 : 2;
}

static const struct command_line {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"up", up_main, "start a cluster on this machine, until Ctrl-C"},
    {"status", status_main, "how a running cluster is"},
    {"top", top_main, "the same at work, as it changes"},
    {"probe", probe_main, "whether services are alive, as an exit status"},
    {"order", order_main, "place an order"},
    {"amend", amend_main, "change one"},
    {"cancel", cancel_main, "take one off the book, or all"},
    {"book", ladder_main, "show a book as it changes"},
    {"tape", tape_main, "print what is published, as it happens"},
    {"simulate", simulate_main, "send orders as on a real day, or write them to a file"},
    {"backtest", backtest_main, "run strategies against recorded orders, with a report"},
    {"strategy", strategy_main, "run strategies against a running cluster"},
    {"replay", replay_main, "send a recorded day through the cluster, and check the book"},
    {"match", match_main, "run a CSV of orders through the engine alone"},
    {"verify", verify_main, "run a journal again, and compare everything"},
    {"journal", journal_main, "dump a journal, keep a backup of it, restore one"},
    {"keys", keys_main, "make, list and change the keys of a cluster"},
    {"resume", resume_main, "say that a clock that jumped is right"},
    {"bench", bench_main, "measure"},
    {"settings", settings_main, "list every setting"},
    {"metrics", metrics_main, "list every metric"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *out)
{
    fputs("usage: outcry COMMAND [...]\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("  test       run the tests (--full: those that take long, too)\n"
          "\n"
          "  outcry COMMAND --help says more, with examples.\n",
          out);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    if (strcmp(slash == NULL ? argv[0] : slash + 1, "lob-replay") == 0)
        return lob_replay_main(argc, argv);
    for (size_t i = 0; argc >= 2 && i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].main(argc - 1, argv + 1);
    }
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (argc >= 2)
        fprintf(stderr, "outcry: found \"%s\", expected a command\n", argv[1]);
    print_usage(stderr);
    return 2;
}
