/* journal_ship: `outcry journal ship DIR TO`: a backup, once or again and again. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/config.h"
#include "cli/journal.h"
#include "journal/backup.h"
#include "journal/file_disk.h"

enum { WATCH_MAX = 86400, AGAIN_MS = 250, AGAIN_MAX = 8 };

static const char usage[] =
    "usage: outcry journal ship DIR TO [--watch SECONDS] [--consumer NAME]\n"
    "\n"
    "Copies to TO what it does not have yet of the journal in DIR: segments, snapshots, and of "
    "the\n"
    "last segment all that is durable. Every record's checksum and chain is checked on the way, "
    "and\n"
    "all is durable in TO at the end. TO is made if it is not there, may be on another file "
    "system,\n"
    "and is a journal's directory itself: verify, dump and restore take it. DIR's matcher may be\n"
    "running. Then DIR is told how far the backup is (NAME.cursor), so that nothing it lacks is\n"
    "removed: who stops backing up removes that file. TO keeps the two newest snapshots and every\n"
    "segment; it grows.\n"
    "\n"
    "  --watch SECONDS   again and again, until SIGINT or SIGTERM\n"
    "  --consumer NAME   the cursor's name, for a second backup (backup)\n"
    "\n"
    "  outcry journal ship /tmp/outcry/journal/0 /mnt/backup/0\n"
    "  outcry journal ship /tmp/outcry/journal/0 /mnt/backup/0 --watch 60\n";

struct ship {
    const char *from;
    const char *to;
    const char *consumer;
    uint64_t watch_s; /* 0: once */
    file_disk_t *from_disk;
    file_disk_t *to_disk;
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000 * NS_PER_MS)};
    if (!stop_requested)
        nanosleep(&t, NULL);
}

static int mistake(const char *found, const char *expected)
{
    fprintf(stderr, "outcry journal ship: found %s, expected %s (see --help)\n", found, expected);
    return 2;
}

static void report(const struct ship *s, const struct backup_copied *c)
{
    printf("%s: %" PRIu64 " records and %" PRIu64 " snapshots copied, %" PRIu64 " bytes in %" PRIu64
           " segments; it has commands up to %" PRIu64 " of epoch %" PRIu64 "\n",
           s->to, c->records, c->snapshots, c->bytes, c->segments, c->seq, c->epoch);
    fflush(stdout);
}

/* Once. What is no record behind the end may be just being written: then it is one soon. */
static enum status ship(const struct ship *s)
{
    char error[JOURNAL_ERROR_SIZE];
    struct backup_copied copied, total = {0};
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < AGAIN_MAX && status == STATUS_OK; i++) {
        status = backup_ship(file_disk_ops(s->from_disk), file_disk_ops(s->to_disk), s->consumer,
                             &copied, error);
        total.records += copied.records;
        total.snapshots += copied.snapshots;
        total.segments += copied.segments;
        total.bytes += copied.bytes;
        if (copied.behind[0] == '\0' || copied.records > 0)
            break;
        sleep_ms(AGAIN_MS);
    }
    total.seq = copied.seq;
    total.epoch = copied.epoch;
    if (status == STATUS_OK && (s->watch_s == 0 || total.records + total.snapshots > 0))
        report(s, &total);
    if (status != STATUS_OK) {
        fprintf(stderr, "outcry journal ship: %s\n", error);
    } else if (copied.behind[0] != '\0' && copied.records == 0) {
        fprintf(stderr,
                "outcry journal ship: what stands behind the last record is not copied: %s; "
                "`outcry verify %s` says more\n",
                copied.behind, s->from);
        status = STATUS_INVALID;
    }
    return status;
}

/* Lack of space and trouble with a disk may pass; what is damaged or foreign does not. */
static enum status watch(const struct ship *s)
{
    enum status status = ship(s);
    while (!stop_requested &&
           (status == STATUS_OK || status == STATUS_FULL || status == STATUS_IO)) {
        sleep_ms(s->watch_s * 1000);
        if (!stop_requested)
            status = ship(s);
    }
    return status;
}

static bool open_disk(file_disk_t **disk, const char *directory, bool make)
{
    if (file_disk_open(disk, directory, make) == STATUS_OK)
        return true;
    fprintf(stderr, "outcry journal ship: %s: %s\n", directory, strerror(errno));
    return false;
}

/* The one that ships to TO, which is no other name of DIR. */
static bool be_the_one(const struct ship *s)
{
    const struct disk *to = file_disk_ops(s->to_disk);
    int holder = 0;
    enum status status = to->lock(to->self, &holder);
    if (status == STATUS_IN_USE)
        fprintf(
            stderr,
            "outcry journal ship: process %d writes to %s; expected a backup, and one ship at a "
            "time\n",
            holder, s->to);
    else if (status != STATUS_OK)
        fprintf(stderr, "outcry journal ship: %s cannot be locked: %s\n", s->to, strerror(errno));
    return status == STATUS_OK;
}

static int run(struct ship *s)
{
    enum status status = STATUS_IO;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (open_disk(&s->from_disk, s->from, false) && open_disk(&s->to_disk, s->to, true) &&
        be_the_one(s))
        status = s->watch_s > 0 ? watch(s) : ship(s);
    file_disk_close(&s->from_disk);
    file_disk_close(&s->to_disk);
    return status == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int journal_ship_main(int argc, char **argv)
{
    struct ship s = {.consumer = "backup"};
    for (int i = 1; i < argc; i++) {
        bool last = i + 1 == argc;
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (strcmp(argv[i], "--watch") == 0) {
            if (last || !config_u64(argv[i + 1], 1, WATCH_MAX, &s.watch_s))
                return mistake(last ? "nothing behind --watch" : argv[i + 1],
                               "seconds from 1 to 86400");
            i++;
        } else if (strcmp(argv[i], "--consumer") == 0) {
            if (last)
                return mistake("nothing behind --consumer", "a NAME");
            s.consumer = argv[++i];
        } else if (argv[i][0] != '-' && s.from == NULL) {
            s.from = argv[i];
        } else if (argv[i][0] != '-' && s.to == NULL) {
            s.to = argv[i];
        } else {
            return mistake(argv[i], "DIR, TO and flags that --help lists");
        }
    }
    if (s.to == NULL)
        return mistake("too little", "DIR and TO");
    return run(&s);
}
