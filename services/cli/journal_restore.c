/* journal_restore: `outcry journal restore FROM DIR`: a journal's directory made of a backup, run
 * again whole, and in a new epoch, so that nobody takes what it leads to for what the lost one led
 * to. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/journal.h"
#include "cli/verify.h"
#include "journal/backup.h"
#include "journal/file_disk.h"
#include "journal/journal.h"
#include "node/host.h"

enum { PATH_SIZE_MAX = 4096, NO_FILE = -1 };

static const char usage[] =
    "usage: outcry journal restore FROM DIR\n"
    "\n"
    "Makes a shard's journal in DIR, which must be empty or absent, of the backup in FROM (of\n"
    "`outcry journal ship`, or the journal of a matcher that has stopped). It is verified whole, "
    "as\n"
    "`outcry verify DIR` does, and begins a new epoch, always: whoever followed the lost history\n"
    "joins the new one. FROM is not changed. If anything is wrong, DIR is emptied again.\n"
    "\n"
    "Each shard is restored by itself, and all of a cluster's should be of one time. Start it "
    "with\n"
    "the configuration the journal was written with.\n"
    "\n"
    "  outcry journal restore /mnt/backup/0 /tmp/outcry/journal/0\n";

struct restore {
    const char *from;
    const char *to;
    file_disk_t *from_disk;
    file_disk_t *to_disk;
    int held; /* FROM's lock, shared: nobody begins to write there */
    journal_t *journal;
    char error[JOURNAL_ERROR_SIZE];
};

static bool tell(const struct restore *r, const char *words)
{
    (void)r;
    fprintf(stderr, "outcry journal restore: %s\n", words);
    return false;
}

__attribute__((format(printf, 2, 3))) static bool say(struct restore *r, const char *words, ...)
{
    va_list list;
    va_start(list, words);
    vsnprintf(r->error, sizeof r->error, words, list);
    va_end(list);
    return tell(r, r->error);
}

/* ---- both directories ---- */

/* Whatever stands in DIR, it is not ours to take a place beside. */
static bool is_empty(struct restore *r)
{
    char found[256] = "";
    DIR *d = opendir(r->to);
    if (d == NULL)
        return errno == ENOENT || say(r, "%s: %s", r->to, strerror(errno));
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            snprintf(found, sizeof found, "%s", e->d_name);
    }
    closedir(d);
    return found[0] == '\0' ||
           say(r, "%s: found \"%s\" in it, expected an empty directory, or none", r->to, found);
}

/* A backup has a lock only if something was shipped there or run from it. */
static bool hold_source(struct restore *r)
{
    char path[PATH_SIZE_MAX], holder[16] = "?";
    snprintf(path, sizeof path, "%s/lock", r->from);
    r->held = open(path, O_RDONLY | O_CLOEXEC);
    if (r->held == NO_FILE || flock(r->held, LOCK_SH | LOCK_NB) == 0)
        return true;
    ssize_t size = read(r->held, holder, sizeof holder - 1);
    holder[size > 0 ? (size_t)size : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return say(
        r,
        "%s: process %s writes there, a matcher or a ship; stop it, or restore from a backup "
        "of it (`outcry journal ship`)",
        r->from, holder);
}

static bool open_disks(struct restore *r)
{
    if (file_disk_open(&r->from_disk, r->from, false) != STATUS_OK)
        return say(r, "%s: %s", r->from, strerror(errno));
    if (!hold_source(r) || !is_empty(r))
        return false;
    if (file_disk_open(&r->to_disk, r->to, true) != STATUS_OK)
        return say(r, "%s: %s", r->to, strerror(errno));
    return true;
}

/* The size of its newest segment: what a new one would have, too. */
struct newest {
    char name[DISK_NAME_SIZE];
    uint64_t size;
};

static void look(void *to, const char *name, uint64_t size)
{
    struct newest *n = to;
    size_t length = strlen(name), end = strlen(".segment");
    if (length <= end || strcmp(name + length - end, ".segment") != 0 || strcmp(name, n->name) < 0)
        return;
    snprintf(n->name, sizeof n->name, "%s", name);
    n->size = size;
}

static bool open_journal(struct restore *r)
{
    struct newest newest = {.size = 0};
    const struct disk *from = file_disk_ops(r->from_disk);
    if (from->list(from->self, look, &newest) != STATUS_OK)
        return say(r, "%s: it cannot be read: %s", r->from, strerror(errno));
    size_t size = newest.size / SEGMENT_HEADER_SIZE * SEGMENT_HEADER_SIZE;
    struct journal_options o = {
        .disk = file_disk_ops(r->to_disk),
        .segment_size = size < JOURNAL_SEGMENT_SIZE_MIN ? JOURNAL_SEGMENT_SIZE_MIN : size,
        .size_max = UINT64_MAX,
    };
    return journal_open(&r->journal, &o, r->error) == STATUS_OK || tell(r, r->error);
}

/* ---- a new epoch ---- */

static bool pass(void *self, const struct journal_record *record, char error[JOURNAL_ERROR_SIZE])
{
    (void)self, (void)record, (void)error; /* verify has just run them all */
    return true;
}

static bool begin_epoch(struct restore *r, const struct verify_end *end)
{
    struct journal_recovery found;
    uint64_t now_ns = clock_wall_ns();
    if (journal_recover(r->journal, end->seq, 0, &(struct journal_taker){NULL, pass}, &found,
                        r->error) != STATUS_OK)
        return tell(r, r->error);
    uint64_t epoch = found.epoch + 1;
    if (epoch < now_ns / NS_PER_SECOND)
        epoch = now_ns / NS_PER_SECOND;
    if (now_ns < found.time_ns)
        now_ns = found.time_ns;
    if (journal_begin_epoch(r->journal, epoch, now_ns) != STATUS_OK ||
        journal_close(r->journal, now_ns) != STATUS_OK)
        return say(r, "%s: epoch %" PRIu64 " cannot be written: %s", r->to, epoch, strerror(errno));
    printf("restored    commands up to %" PRIu64 ", state hash %016" PRIx64 "\n"
           "epoch       %" PRIu64 " until here, %" PRIu64 " from here on\n",
           end->seq, end->state_hash, end->epoch, epoch);
    return true;
}

/* ---- all of it ---- */

struct leftovers {
    char name[DISK_NAME_SIZE];
};

static void pick(void *to, const char *name, uint64_t size)
{
    struct leftovers *l = to;
    (void)size;
    if (strcmp(name, "lock") != 0 || l->name[0] == '\0')
        snprintf(l->name, sizeof l->name, "%s", name);
}

/* It was empty, so all that is there is ours; the lock goes last. */
static void empty_again(struct restore *r)
{
    const struct disk *to = file_disk_ops(r->to_disk);
    for (;;) {
        struct leftovers left = {.name = ""};
        if (to->list(to->self, pick, &left) != STATUS_OK || left.name[0] == '\0' ||
            to->remove(to->self, left.name) != STATUS_OK)
            return;
    }
}

static bool fill(struct restore *r)
{
    struct backup_copied copied;
    struct verify_end end;
    struct verify_options verify = {.command = "journal restore",
                                    .disk = file_disk_ops(r->to_disk)};
    if (backup_restore(file_disk_ops(r->from_disk), verify.disk, &copied, r->error) != STATUS_OK)
        return tell(r, r->error);
    if (verify_run(&verify, &end) == VERIFY_UNSOUND)
        return say(r, "%s cannot be restored from", r->from);
    if (end.seq == 0)
        return say(r, "%s: found no command in it, expected the backup of a history", r->from);
    return begin_epoch(r, &end);
}

static bool run(struct restore *r)
{
    if (!open_disks(r) || !open_journal(r))
        return false;
    bool filled = fill(r);
    if (!filled)
        empty_again(r);
    return filled;
}

int journal_restore_main(int argc, char **argv)
{
    static struct cluster cluster;
    host_load(&cluster, &argc, argv, usage);
    if (argc != 3 || argv[1][0] == '-' || argv[2][0] == '-') {
        fprintf(stderr,
                "outcry journal restore: found %d arguments, expected FROM and DIR (see "
                "--help)\n",
                argc - 1);
        return 2;
    }
    struct restore r = {.from = argv[1], .to = argv[2], .held = NO_FILE};
    bool restored = run(&r);
    host_audit(&cluster, "journal_restore",
               LOG_FIELDS(LOG_TEXT("from", r.from), LOG_TEXT("to", r.to),
                          LOG_TEXT("outcome", restored ? "restored" : "refused")));
    journal_destroy(&r.journal);
    file_disk_close(&r.to_disk);
    file_disk_close(&r.from_disk);
    if (r.held != NO_FILE)
        close(r.held);
    return restored && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
