/* outcry-matcher: wires one shard's matcher, or its follower, to its sockets and its journal. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "journal/file_disk.h"
#include "matcher/follower.h"
#include "matcher/matcher.h"
#include "matcher/matcher_metrics.h"
#include "matcher/recovery.h"
#include "node/epoch.h"
#include "node/host.h"
#include "node/node.h"

enum { COMMANDS_BUDGET = 1024, REQUESTS_BUDGET = 4, ANSWERS_BUDGET = 16, FOLLOWER_BUDGET = 64 };

static const char usage[] =
    "usage: outcry-matcher --shard N [--follow] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Matches the symbols of shard N. With --follow it is the follower of shard N: it reads the\n"
    "journal, writes snapshots, and answers what would stall the matcher. `outcry settings` lists\n"
    "every setting.\n"
    "\n"
    "  outcry-matcher --shard 0 --config demo.cfg\n"
    "  outcry-matcher --shard 0 --config demo.cfg --follow\n"
    "  OUTCRY_RUN_DIR=/run/outcry outcry-matcher --shard 1 --config venue.cfg\n"
    "  outcry-matcher --shard 0 --config demo.cfg --journal-mode none\n";

/* The process: what both kinds of it have. */
struct process {
    struct cluster cluster;
    unsigned shard;
    struct add_symbol symbols[CLUSTER_SYMBOLS_MAX];
    unsigned symbol_count;
    enum journal_mode mode;
    char requests[CLUSTER_ADDRESS_SIZE];  /* where it takes requests */
    char directory[CLUSTER_ADDRESS_SIZE]; /* of the journal */
    char epoch_file[CLUSTER_ADDRESS_SIZE];
    char error[JOURNAL_ERROR_SIZE];
    metrics_t *metrics;
    admin_t *admin;
    matcher_metrics_t *told; /* what is told of it */
    const matcher_t *matcher;
    uint64_t resumes; /* that are on record */
};

/* ---- what is configured ---- */

/* The commands that bring the shard's symbols into being. */
static void find_symbols(struct process *p)
{
    for (unsigned i = 0; i < p->cluster.symbol_count; i++) {
        const struct cluster_symbol *s = &p->cluster.symbols[i];
        if (s->shard == p->shard)
            p->symbols[p->symbol_count++] = (struct add_symbol){
                text_of(s->name), text_of(s->tick_size), text_of(s->lot_size), s->any_price};
    }
}

static struct matcher_options matcher_options_of(const struct process *p)
{
    const struct settings *s = &p->cluster.settings;
    return (struct matcher_options){
        .limits = cluster_limits(&p->cluster, p->shard),
        .hash_seed = host_random(),
        .journal = p->mode,
        .checkpoint_commands = s->checkpoint_commands,
        .heartbeat_ns = s->heartbeat_ms * NS_PER_MS,
        .batch_commands_max = (uint32_t)s->batch_commands_max,
        .batch_origin_max = (uint32_t)s->batch_origin_max,
        .kept_size = (size_t)s->kept_mib << 20,
        .requests_address = p->requests,
    };
}

static bool say_epoch(struct process *p, enum status status)
{
    if (status != STATUS_OK)
        snprintf(p->error, sizeof p->error, "%.512s: %s", p->epoch_file,
                 status == STATUS_INVALID ? "it holds no epoch; remove it to begin a new one"
                                          : strerror(errno));
    return status == STATUS_OK;
}

static void *open_one(node_t *n, struct process *p, enum endpoint_kind kind, const char *name,
                      const char *setting, unsigned budget)
{
    char address[CLUSTER_ADDRESS_SIZE];
    bool binds = kind == ENDPOINT_PULL || kind == ENDPOINT_XPUB;
    (binds ? cluster_listen_address : cluster_address)(&p->cluster, setting, p->shard, address);
    return kind == ENDPOINT_PULL ? node_open_input(n, kind, name, address, budget, p->error)
                                 : node_open_output(n, kind, name, address, p->error);
}

/* ---- the matcher ---- */

static bool open_matcher(node_t *n, struct process *p)
{
    const struct settings *s = &p->cluster.settings;
    return node_guard(n, &p->cluster, "matcher", p->error) &&
           open_one(n, p, ENDPOINT_PULL, "commands", s->commands_address, COMMANDS_BUDGET) !=
               NULL &&
           open_one(n, p, ENDPOINT_PULL, "requests", s->requests_address, REQUESTS_BUDGET) !=
               NULL &&
           open_one(n, p, ENDPOINT_PULL, "private_answers", s->private_answers_address,
                    ANSWERS_BUDGET) != NULL &&
           open_one(n, p, ENDPOINT_PULL, "public_answers", s->public_answers_address,
                    ANSWERS_BUDGET) != NULL &&
           open_one(n, p, ENDPOINT_XPUB, "private", s->private_address, 0) != NULL &&
           open_one(n, p, ENDPOINT_XPUB, "public", s->public_address, 0) != NULL &&
           open_one(n, p, ENDPOINT_PUSH, "follower_requests", s->follower_requests_address, 0) !=
               NULL;
}

static void log_recovered(const struct process *p, const struct recovery *r, uint64_t took_ns)
{
    char hash[24], seconds[24];
    snprintf(hash, sizeof hash, "%016" PRIx64, r->state_hash);
    snprintf(seconds, sizeof seconds, "%.3f", (double)took_ns / 1e9);
    if (r->snapshots_refused > 0)
        log_warn("matcher", "snapshot_refused", LOG_U64("shard", p->shard),
                 LOG_U64("snapshots", r->snapshots_refused), LOG_TEXT("what", r->snapshot_words));
    if (r->found.cut_size > 0)
        log_warn("matcher", "journal_cut", LOG_U64("shard", p->shard), LOG_U64("seq", r->found.seq),
                 LOG_U64("epoch", r->epoch), LOG_U64("size", r->found.cut_size),
                 LOG_TEXT("what", r->found.words));
    if (r->new_history)
        log_info("matcher", "journal_new", LOG_U64("shard", p->shard), LOG_U64("epoch", r->epoch));
    else
        log_info("matcher", "recovered", LOG_U64("shard", p->shard), LOG_U64("seq", r->found.seq),
                 LOG_U64("epoch", r->epoch), LOG_TEXT("state_hash", hash),
                 LOG_U64("commands", r->found.commands), LOG_U64("snapshot_seq", r->snapshot_seq),
                 LOG_TEXT("seconds", seconds));
}

/* From the journal, or a new history that nobody keeps. */
static bool recover(struct process *p, file_disk_t **disk, struct recovery *r)
{
    const struct settings *s = &p->cluster.settings;
    struct recovery_options o = {
        .journal = {.async = p->mode == JOURNAL_MODE_ASYNC,
                    .segment_size = (size_t)s->segment_mib << 20,
                    .size_max = s->journal_mib_max << 20},
        .matcher = matcher_options_of(p),
        .symbols = p->symbols,
        .symbol_count = p->symbol_count,
        .now_ns = clock_wall_ns(),
    };
    uint64_t began_ns = clock_monotonic_ns();
    o.matcher.batch_metric = matcher_metrics_batch(p->told);
    if (!say_epoch(p, epoch_next(p->epoch_file, o.now_ns / NS_PER_SECOND, &o.epoch_min)))
        return false;
    if (p->mode == JOURNAL_MODE_NONE) {
        o.matcher.epoch = o.epoch_min;
        *r = (struct recovery){
            .journal = journal_new_null(),
            .matcher = matcher_new(&o.matcher, p->symbols, p->symbol_count),
            .epoch = o.epoch_min,
            .new_history = true,
        };
        matcher_metrics_recovered(p->told, r, clock_monotonic_ns() - began_ns, NULL);
        return say_epoch(p, epoch_keep(p->epoch_file, r->epoch));
    }
    size_t batch = matcher_batch_size_max(&o.matcher) + 2 * SEGMENT_HEADER_SIZE;
    if (o.journal.segment_size < batch) {
        snprintf(p->error, sizeof p->error,
                 "segment_mib: found %" PRIu64 ", expected at least %zu: a batch of "
                 "batch_commands_max %" PRIu64 " must fit a journal file",
                 s->segment_mib, (batch >> 20) + 1, s->batch_commands_max);
        return false;
    }
    if (file_disk_open(disk, p->directory, true) != STATUS_OK) {
        snprintf(p->error, sizeof p->error, "the journal's directory %.512s: %s", p->directory,
                 strerror(errno));
        return false;
    }
    o.journal.disk = file_disk_ops(*disk);
    if (recovery_run(&o, r, p->error) != STATUS_OK)
        return false;
    uint64_t took_ns = clock_monotonic_ns() - began_ns;
    log_recovered(p, r, took_ns);
    matcher_metrics_recovered(p->told, r, took_ns, p->directory);
    return !r->found.new_epoch || say_epoch(p, epoch_keep(p->epoch_file, r->epoch));
}

static void log_end(const struct process *p, const matcher_t *m, const node_t *n,
                    const journal_t *j)
{
    struct matcher_counts counts = matcher_counts(m);
    struct journal_counts kept = journal_counts(j);
    char hash[24];
    snprintf(hash, sizeof hash, "%016" PRIx64, engine_state_hash(matcher_engine(m)));
    log_info("matcher", "stopped", LOG_U64("shard", p->shard),
             LOG_U64("seq", engine_seq(matcher_engine(m))), LOG_U64("epoch", matcher_epoch(m)),
             LOG_TEXT("state_hash", hash), LOG_U64("commands", counts.commands),
             LOG_U64("batches", counts.batches), LOG_U64("syncs", kept.syncs),
             LOG_U64("repeats", counts.repeats), LOG_U64("gaps", counts.gaps),
             LOG_U64("refused", counts.refused), LOG_U64("garbage", counts.garbage),
             LOG_U64("foreign", counts.foreign),
             LOG_U64("requests_garbage", counts.requests_garbage),
             LOG_U64("private_drops", node_drops(n, MATCHER_OUTPUT_PRIVATE)),
             LOG_U64("public_drops", node_drops(n, MATCHER_OUTPUT_PUBLIC)));
}

/* Outside the step, once a second. What an operator told it is on record here as well, whoever's
 * tool it was. */
static void report(void *self)
{
    struct process *p = self;
    uint64_t resumes = matcher_counts(p->matcher).resumes;
    matcher_metrics_report(p->told);
    if (resumes > p->resumes)
        host_audit(&p->cluster, "clock_confirmed",
                   LOG_FIELDS(LOG_U64("shard", p->shard), LOG_U64("times", resumes - p->resumes)));
    p->resumes = resumes;
}

static int run_matcher(struct process *p)
{
    struct recovery r = {0};
    file_disk_t *disk = NULL;
    int status = EXIT_FAILURE;
    node_end_on_signals();
    if (!recover(p, &disk, &r)) {
        fprintf(stderr, "outcry-matcher: %s\n", p->error);
        file_disk_close(&disk);
        return EXIT_FAILURE;
    }
    struct service service = matcher_service(r.matcher);
    p->matcher = r.matcher;
    node_t *node = node_new(&service, r.journal, r.found.time_ns);
    node_catch_signals();
    node_watch(node, &(struct node_watch){.metrics = p->metrics,
                                          .commit = matcher_metrics_commit(p->told),
                                          .admin = p->admin,
                                          .report = report,
                                          .self = p});
    if (open_matcher(node, p)) {
        admin_started(p->admin);
        log_info("matcher", "started", LOG_U64("shard", p->shard), LOG_U64("epoch", r.epoch),
                 LOG_U64("symbols", p->symbol_count),
                 LOG_TEXT("journal", p->cluster.settings.journal_mode));
        enum status ended = node_run(node);
        report(p); /* of the second that is not over */
        if (ended == STATUS_OK) {
            status = EXIT_SUCCESS;
            log_end(p, r.matcher, node, r.journal);
        } else {
            fprintf(stderr,
                    "outcry-matcher: the journal of shard %u in %s failed: %s; what was not "
                    "acknowledged may be lost, what was is on disk; a start reads what is there\n",
                    p->shard, p->directory, strerror(journal_error(r.journal)));
        }
    } else {
        fprintf(stderr, "outcry-matcher: %s\n", p->error);
    }
    node_destroy(&node);
    journal_destroy(&r.journal);
    matcher_destroy(&r.matcher);
    file_disk_close(&disk);
    return status;
}

/* ---- the follower ---- */

static bool open_follower(node_t *n, struct process *p)
{
    const struct settings *s = &p->cluster.settings;
    return node_guard(n, &p->cluster, "follower", p->error) &&
           open_one(n, p, ENDPOINT_PULL, "follower_requests", s->follower_requests_address,
                    FOLLOWER_BUDGET) != NULL &&
           open_one(n, p, ENDPOINT_XPUB, "follower_private", s->follower_private_address, 0) !=
               NULL &&
           open_one(n, p, ENDPOINT_XPUB, "follower_public", s->follower_public_address, 0) !=
               NULL &&
           open_one(n, p, ENDPOINT_PUSH, "private_answers", s->private_answers_address, 0) !=
               NULL &&
           open_one(n, p, ENDPOINT_PUSH, "public_answers", s->public_answers_address, 0) != NULL &&
           open_one(n, p, ENDPOINT_PUSH, "requests", s->requests_address, 0) != NULL;
}

static int run_follower(struct process *p)
{
    file_disk_t *disk = NULL;
    int status = EXIT_FAILURE;
    if (p->mode == JOURNAL_MODE_NONE) {
        fprintf(stderr, "outcry-matcher: with journal_mode none there is nothing to follow\n");
        return 2;
    }
    if (file_disk_open(&disk, p->directory, true) != STATUS_OK) {
        fprintf(stderr, "outcry-matcher: the journal's directory %s: %s\n", p->directory,
                strerror(errno));
        return EXIT_FAILURE;
    }
    follower_t *follower = follower_new(&(struct follower_options){
        .disk = file_disk_ops(disk),
        .matcher = matcher_options_of(p),
        .snapshot_commands = p->cluster.settings.snapshot_commands,
    });
    struct service service = follower_service(follower);
    node_t *node = node_new(&service, NULL, 0);
    node_catch_signals();
    matcher_metrics_follows(p->told, follower);
    node_watch(node, &(struct node_watch){.metrics = p->metrics,
                                          .admin = p->admin,
                                          .report = matcher_metrics_report_follower,
                                          .self = p->told});
    if (open_follower(node, p)) {
        admin_started(p->admin);
        log_info("follower", "started", LOG_U64("shard", p->shard),
                 LOG_TEXT("directory", p->directory));
        status = node_run(node) == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
        struct follower_counts counts = follower_counts(follower);
        log_info("follower", "stopped", LOG_U64("shard", p->shard), LOG_U64("seq", counts.seq),
                 LOG_U64("epoch", counts.epoch), LOG_U64("snapshot_seq", counts.snapshot_seq),
                 LOG_U64("snapshots", counts.snapshots),
                 LOG_U64("segments_removed", counts.segments_removed),
                 LOG_U64("deep_resends", counts.deep_resends),
                 LOG_U64("restarts", counts.restarts));
    } else {
        fprintf(stderr, "outcry-matcher: %s\n", p->error);
    }
    node_destroy(&node);
    follower_destroy(&follower);
    file_disk_close(&disk);
    return status;
}

int main(int argc, char **argv)
{
    static struct process p;
    char name[32];
    host_load(&p.cluster, &argc, argv, usage);
    p.shard =
        (unsigned)host_number_flag(&argc, argv, "--shard", 0, p.cluster.settings.shards - 1, 0);
    bool follows = host_flag(&argc, argv, "--follow");
    host_no_more_flags(argc, argv);
    snprintf(name, sizeof name, follows ? "follower-%u" : "matcher-%u", p.shard);
    host_enter(&p.cluster, name);
    p.mode = settings_journal_mode(&p.cluster.settings);
    cluster_address(&p.cluster,
                    follows ? p.cluster.settings.follower_requests_address
                            : p.cluster.settings.requests_address,
                    p.shard, p.requests);
    cluster_journal_directory(&p.cluster, p.shard, p.directory);
    snprintf(p.epoch_file, sizeof p.epoch_file, "%s/%u.epoch", p.cluster.settings.run_dir, p.shard);
    find_symbols(&p);
    p.metrics = metrics_of_service(follows ? "follower" : "matcher");
    if (!admin_open(&p.admin, &p.cluster, name, p.metrics, p.error)) {
        fprintf(stderr, "outcry-matcher: %s\n", p.error);
        return EXIT_FAILURE;
    }
    p.told = matcher_metrics_new(&p.cluster, p.shard, p.metrics, p.admin);
    int status = follows ? run_follower(&p) : run_matcher(&p);
    admin_close(&p.admin);
    matcher_metrics_destroy(&p.told);
    metrics_destroy(&p.metrics);
    return status;
}
