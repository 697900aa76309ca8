#include "matcher/matcher_metrics.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "base/check.h"
#include "base/memory.h"
#include "node/counts.h"
#include "proto/catalog.h"

/* What is told of a matcher that is not in a struct of counts. */
struct figures {
    uint64_t unreadable;
    uint64_t orders, orders_max, accounts, accounts_max, origins, origins_max;
    uint64_t seq, epoch, open;
};

static const struct counts_row count_rows[] = {
    {FAMILY_MATCHER_COMMANDS, offsetof(struct matcher_counts, commands)},
    {FAMILY_MATCHER_BATCHES, offsetof(struct matcher_counts, batches)},
    {FAMILY_MATCHER_REPEATS, offsetof(struct matcher_counts, repeats)},
    {FAMILY_MATCHER_GAPS, offsetof(struct matcher_counts, gaps)},
    {FAMILY_MATCHER_REFUSED, offsetof(struct matcher_counts, refused)},
};

static const struct counts_row figure_rows[] = {
    {FAMILY_MATCHER_GARBAGE, offsetof(struct figures, unreadable)},
    {FAMILY_MATCHER_ORDERS, offsetof(struct figures, orders)},
    {FAMILY_MATCHER_ORDERS_MAX, offsetof(struct figures, orders_max)},
    {FAMILY_MATCHER_ACCOUNTS, offsetof(struct figures, accounts)},
    {FAMILY_MATCHER_ACCOUNTS_MAX, offsetof(struct figures, accounts_max)},
    {FAMILY_MATCHER_ORIGINS, offsetof(struct figures, origins)},
    {FAMILY_MATCHER_ORIGINS_MAX, offsetof(struct figures, origins_max)},
    {FAMILY_MATCHER_SEQ, offsetof(struct figures, seq)},
    {FAMILY_MATCHER_EPOCH, offsetof(struct figures, epoch)},
    {FAMILY_MATCHER_OPEN, offsetof(struct figures, open)},
};

struct journal_figures {
    uint64_t syncs, written, size, size_max, free;
};

static const struct counts_row journal_rows[] = {
    {FAMILY_JOURNAL_SYNCS, offsetof(struct journal_figures, syncs)},
    {FAMILY_JOURNAL_BYTES, offsetof(struct journal_figures, written)},
    {FAMILY_JOURNAL_SIZE, offsetof(struct journal_figures, size)},
    {FAMILY_JOURNAL_SIZE_MAX, offsetof(struct journal_figures, size_max)},
    {FAMILY_JOURNAL_FREE, offsetof(struct journal_figures, free)},
};

static const struct counts_row follower_rows[] = {
    {FAMILY_FOLLOWER_SEQ, offsetof(struct follower_counts, seq)},
    {FAMILY_FOLLOWER_EPOCH, offsetof(struct follower_counts, epoch)},
    {FAMILY_FOLLOWER_BEHIND, offsetof(struct follower_counts, behind)},
    {FAMILY_FOLLOWER_SNAPSHOT_SEQ, offsetof(struct follower_counts, snapshot_seq)},
    {FAMILY_FOLLOWER_SNAPSHOTS, offsetof(struct follower_counts, snapshots)},
    {FAMILY_FOLLOWER_SEGMENTS, offsetof(struct follower_counts, segments_removed)},
    {FAMILY_FOLLOWER_DEEP_RESENDS, offsetof(struct follower_counts, deep_resends)},
    {FAMILY_FOLLOWER_RESTARTS, offsetof(struct follower_counts, restarts)},
};

#define ROWS(table) (table), sizeof(table) / sizeof(table)[0]

struct matcher_metrics {
    const struct cluster *cluster;
    metrics_t *metrics;
    admin_t *admin;
    char shard[16];
    const matcher_t *matcher;
    const journal_t *journal;
    const follower_t *follower;
    const char *directory;
    struct counts counted, figures, of_journal, of_follower, said[2];
    metric_t **rejects; /* by row of the table of rejects */
    metric_t **trades;  /* by number of the symbol at the engine; those made so far */
    uint32_t trades_count;
};

matcher_metrics_t *matcher_metrics_new(const struct cluster *cluster, unsigned shard,
                                       metrics_t *metrics, admin_t *admin)
{
    uint32_t rejects;
    matcher_metrics_t *m = memory_new(1, sizeof *m, "metrics");
    (void)catalog_rejects(&rejects);
    m->cluster = cluster;
    m->metrics = metrics;
    m->admin = admin;
    snprintf(m->shard, sizeof m->shard, "%u", shard);
    m->rejects = memory_new(rejects, sizeof *m->rejects, "metrics");
    m->trades = memory_new(CLUSTER_SYMBOLS_MAX + 1, sizeof *m->trades, "metrics");
    return m;
}

void matcher_metrics_destroy(matcher_metrics_t **metrics)
{
    uint32_t rejects;
    matcher_metrics_t *m = *metrics;
    if (m == NULL)
        return;
    (void)catalog_rejects(&rejects);
    memory_free(m->trades, CLUSTER_SYMBOLS_MAX + 1, sizeof *m->trades);
    memory_free(m->rejects, rejects, sizeof *m->rejects);
    memory_free(m, 1, sizeof *m);
    *metrics = NULL;
}

metric_t *matcher_metrics_batch(matcher_metrics_t *m)
{
    return metrics_series(m->metrics, FAMILY_MATCHER_BATCH, m->shard);
}

metric_t *matcher_metrics_commit(matcher_metrics_t *m)
{
    return metrics_series(m->metrics, FAMILY_JOURNAL_COMMIT, m->shard);
}

/* ---- a matcher ---- */

static void said_init(matcher_metrics_t *m)
{
    counts_of_publisher(&m->said[0], m->metrics, "private");
    counts_of_publisher(&m->said[1], m->metrics, "public");
}

void matcher_metrics_recovered(matcher_metrics_t *m, const struct recovery *r, uint64_t took_ns,
                               const char *directory)
{
    m->matcher = r->matcher;
    m->journal = r->journal;
    m->directory = directory;
    metric_set(metrics_series(m->metrics, FAMILY_MATCHER_RECOVERY, m->shard), took_ns);
    metric_set(metrics_series(m->metrics, FAMILY_MATCHER_RECOVERED, m->shard), r->found.commands);
    metric_set(metrics_series(m->metrics, FAMILY_MATCHER_SNAPSHOTS_REFUSED, m->shard),
               r->snapshots_refused);
    metric_set(metrics_series(m->metrics, FAMILY_MATCHER_CUT, m->shard), r->found.cut_size);
    counts_init(&m->counted, m->metrics, ROWS(count_rows), m->shard, NULL);
    counts_init(&m->figures, m->metrics, ROWS(figure_rows), m->shard, NULL);
    if (directory != NULL)
        counts_init(&m->of_journal, m->metrics, ROWS(journal_rows), m->shard, NULL);
    said_init(m);
}

static void copy_figures(const matcher_metrics_t *m, const struct matcher_counts *counts)
{
    const engine_t *e = matcher_engine(m->matcher);
    const struct configure *limits = engine_limits(e);
    counts_set(&m->figures, &(struct figures){
                                .unreadable = counts->garbage + counts->foreign,
                                .orders = engine_open_count(e),
                                .orders_max = limits->open_orders_max,
                                .accounts = engine_account_count(e),
                                .accounts_max = limits->accounts_max,
                                .origins = engine_origin_count(e),
                                .origins_max = limits->origins_max,
                                .seq = engine_seq(e),
                                .epoch = matcher_epoch(m->matcher),
                                .open = matcher_standing(m->matcher) == STANDING_OPEN,
                            });
}

static void copy_journal(const matcher_metrics_t *m)
{
    struct statvfs disk;
    struct journal_counts counts = journal_counts(m->journal);
    uint64_t left = 0;
    if (statvfs(m->directory, &disk) == 0)
        left = (uint64_t)disk.f_bavail * disk.f_frsize;
    counts_set(&m->of_journal, &(struct journal_figures){
                                   .syncs = counts.syncs,
                                   .written = counts.bytes,
                                   .size = counts.size,
                                   .size_max = m->cluster->settings.journal_mib_max << 20,
                                   .free = left,
                               });
}

/* Those the engine's checks may decide are there from the start, at 0, so that a rate of them is
 * known from the first; of the others, those that have been. */
static void copy_rejects(const matcher_metrics_t *m)
{
    uint32_t rows;
    const struct catalog_reject *table = catalog_rejects(&rows);
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t count = matcher_rejects(m->matcher, (uint16_t)table[i].code);
        if (m->rejects[i] == NULL && (count > 0 || table[i].precedence > 0))
            m->rejects[i] =
                metrics_series(m->metrics, FAMILY_MATCHER_REJECTS, m->shard, table[i].name);
        metric_set(m->rejects[i], count);
    }
}

/* Its symbols come into being by commands. */
static void copy_trades(matcher_metrics_t *m)
{
    const engine_t *e = matcher_engine(m->matcher);
    CHECK(engine_symbol_count(e) <= CLUSTER_SYMBOLS_MAX);
    while (m->trades_count < engine_symbol_count(e)) {
        struct text name = engine_symbol_name(e, ++m->trades_count);
        char symbol[SYMBOL_SIZE_MAX + 1];
        snprintf(symbol, sizeof symbol, "%.*s", (int)name.size, name.data);
        m->trades[m->trades_count] =
            metrics_series(m->metrics, FAMILY_MATCHER_TRADES, m->shard, symbol);
    }
    for (uint32_t s = 1; s <= m->trades_count; s++)
        metric_set(m->trades[s], matcher_trades(m->matcher, s));
}

/* NULL: it takes commands. */
static const char *why_not_open(enum standing standing)
{
    switch (standing) {
    case STANDING_OPEN:
        return NULL;
    case STANDING_DRAINING:
        return "it is stopping";
    case STANDING_NO_SPACE:
        return "its journal has no space";
    case STANDING_CLOCK_JUMP:
        return "the clock has jumped: `outcry resume` says that it is right";
    case STANDING_FAILED:
        return "its journal has failed";
    default:
        return "it has stopped";
    }
}

void matcher_metrics_report(void *matcher_metrics)
{
    matcher_metrics_t *m = matcher_metrics;
    const char *why_not = why_not_open(matcher_standing(m->matcher));
    struct matcher_counts counts = matcher_counts(m->matcher);
    struct publisher_counts private = matcher_said(m->matcher, MATCHER_OUTPUT_PRIVATE);
    struct publisher_counts public = matcher_said(m->matcher, MATCHER_OUTPUT_PUBLIC);
    counts_set(&m->counted, &counts);
    counts_set(&m->said[0], &private);
    counts_set(&m->said[1], &public);
    copy_figures(m, &counts);
    if (m->directory != NULL)
        copy_journal(m);
    copy_rejects(m);
    copy_trades(m);
    admin_ready(m->admin, why_not == NULL, why_not);
}

/* ---- a follower ---- */

void matcher_metrics_follows(matcher_metrics_t *m, const follower_t *follower)
{
    m->follower = follower;
    counts_init(&m->of_follower, m->metrics, ROWS(follower_rows), m->shard, NULL);
    said_init(m);
}

void matcher_metrics_report_follower(void *matcher_metrics)
{
    matcher_metrics_t *m = matcher_metrics;
    struct follower_counts counts = follower_counts(m->follower);
    struct publisher_counts private = follower_said(m->follower, FOLLOWER_OUTPUT_PRIVATE);
    struct publisher_counts public = follower_said(m->follower, FOLLOWER_OUTPUT_PUBLIC);
    counts_set(&m->of_follower, &counts);
    counts_set(&m->said[0], &private);
    counts_set(&m->said[1], &public);
    admin_ready(m->admin, counts.reads, "its journal cannot be read");
}
