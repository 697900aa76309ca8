#include "cli/journal.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: outcry journal dump DIR [--symbol S] [--json] [--from SEQ] [--to SEQ]\n"
    "       outcry journal ship DIR TO [--watch SECONDS] [--consumer NAME]\n"
    "       outcry journal restore FROM DIR\n"
    "\n"
    "dump writes a shard's journal as CSV or JSON lines; ship keeps a backup of it; restore "
    "begins\n"
    "a new epoch from a backup. `outcry journal dump --help` says more, with examples; so do the\n"
    "others.\n"
    "\n"
    "  outcry journal dump /tmp/outcry/journal/0 --symbol BTC-USD | outcry match -\n"
    "  outcry journal ship /tmp/outcry/journal/0 /mnt/backup/0\n"
    "  outcry journal restore /mnt/backup/0 /tmp/outcry/journal/0\n";

int journal_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*main)(int argc, char **argv);
    } parts[] = {
        {"dump", journal_dump_main},
        {"ship", journal_ship_main},
        {"restore", journal_restore_main},
    };
    for (size_t i = 0; argc >= 2 && i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(argv[1], parts[i].name) == 0)
            return parts[i].main(argc - 1, argv + 1);
    }
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    fprintf(stderr, "outcry journal: found \"%s\", expected dump, ship or restore\n",
            argc >= 2 ? argv[1] : "");
    fputs(usage, stderr);
    return 2;
}
