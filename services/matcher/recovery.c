#include "matcher/recovery.h"

#include <stdio.h>
#include <string.h>

#include "base/planted.h"
#include "journal/snapshots.h"
#include "matcher/history.h"

enum { BEGIN_TRIES_MAX = 10 };

/* ---- the snapshot ---- */

/* Read and restore one; false: it is not sound, and words say why. */
static bool try_snapshot(const struct disk *disk, uint64_t seq, history_t *h,
                         struct snapshot_head *head, char words[JOURNAL_ERROR_SIZE])
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum status status = snapshots_read(disk, seq, head, &bytes, &size, words);
    if (status == STATUS_IO)
        snprintf(words, JOURNAL_ERROR_SIZE, "%s: the snapshot of %llu cannot be read", disk->path,
                 (unsigned long long)seq);
    if (status != STATUS_OK)
        return false;
    bool sound = history_restore(h, head, bytes, size, words);
    snapshots_free(&bytes, size);
    return sound;
}

/* The newest sound one is restored; 0: there is none. *durable_seq: what is known to be on disk. */
static enum status restore_newest(const struct disk *disk, history_t *h, struct recovery *r,
                                  uint64_t *durable_seq)
{
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count = 0;
    enum status status = snapshots_list(disk, seqs, &count);
    for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
        struct snapshot_head head = {0};
        if (try_snapshot(disk, seqs[i], h, &head, r->snapshot_words)) {
            r->snapshot_seq = head.seq;
            *durable_seq = head.seq;
            break;
        }
        r->snapshots_refused++;
    }
    return status;
}

/* ---- the configuration ---- */

struct limit_pair {
    const char *name;
    uint64_t found, expected;
};

static bool same_limits(const struct configure *history, const struct configure *ours,
                        char error[JOURNAL_ERROR_SIZE])
{
    const struct limit_pair pairs[] = {
        {"shard", history->shard, ours->shard},
        {"open_orders_max", history->open_orders_max, ours->open_orders_max},
        {"accounts_max", history->accounts_max, ours->accounts_max},
        {"finished_per_account", history->finished_per_account, ours->finished_per_account},
        {"symbols_max", history->symbols_max, ours->symbols_max},
        {"origins_max", history->origins_max, ours->origins_max},
        {"origin_window", history->origin_window, ours->origin_window},
        {"events_max", history->events_max, ours->events_max},
        {"anonymous", history->anonymous, ours->anonymous},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].found == pairs[i].expected)
            continue;
        snprintf(
            error, JOURNAL_ERROR_SIZE,
            "the configuration is not that of the journal: %s is %llu in the configuration and "
            "%llu in the journal; it decides matching, so it cannot change by a restart",
            pairs[i].name, (unsigned long long)pairs[i].expected,
            (unsigned long long)pairs[i].found);
        return false;
    }
    return true;
}

static bool same_symbol(const engine_t *e, uint32_t n, const struct add_symbol *s)
{
    return text_equal(engine_symbol_name(e, n), s->symbol) &&
           text_equal(engine_symbol_tick_size(e, n), s->tick_size) &&
           text_equal(engine_symbol_lot_size(e, n), s->lot_size) &&
           engine_symbol_any_price(e, n) == s->any_price;
}

#define TEXT(text) (int)(text).size, (text).data

static bool same_symbols(const engine_t *e, const struct recovery_options *o,
                         char error[JOURNAL_ERROR_SIZE])
{
    uint32_t count = engine_symbol_count(e);
    if (count != o->symbol_count) {
        snprintf(error, JOURNAL_ERROR_SIZE,
                 "the configuration is not that of the journal: it has %u symbols for this shard, "
                 "the journal has %u",
                 o->symbol_count, count);
        return false;
    }
    for (uint32_t n = 1; n <= count; n++) {
        const struct add_symbol *s = &o->symbols[n - 1];
        if (same_symbol(e, n, s))
            continue;
        snprintf(error, JOURNAL_ERROR_SIZE,
                 "the configuration is not that of the journal: symbol %u is %.*s (tick %.*s, lot "
                 "%.*s%s) in the configuration and %.*s (tick %.*s, lot %.*s%s) in the journal",
                 n, TEXT(s->symbol), TEXT(s->tick_size), TEXT(s->lot_size),
                 s->any_price ? ", any price" : "", TEXT(engine_symbol_name(e, n)),
                 TEXT(engine_symbol_tick_size(e, n)), TEXT(engine_symbol_lot_size(e, n)),
                 engine_symbol_any_price(e, n) ? ", any price" : "");
        return false;
    }
    return true;
}

/* ---- the start ---- */

static uint64_t next_epoch(const struct recovery_options *o, uint64_t last)
{
    return last + 1 > o->epoch_min ? last + 1 : o->epoch_min;
}

static enum status begin_epoch(const struct recovery_options *o, struct recovery *r,
                               char error[JOURNAL_ERROR_SIZE])
{
    uint64_t now_ns = o->now_ns > r->found.time_ns ? o->now_ns : r->found.time_ns;
    r->epoch = next_epoch(o, r->found.epoch);
    enum status status = journal_begin_epoch(r->journal, r->epoch, now_ns);
    if (status != STATUS_OK)
        snprintf(error, JOURNAL_ERROR_SIZE, "%s: epoch %llu cannot be written",
                 o->journal.disk->path, (unsigned long long)r->epoch);
    return status;
}

/* What is there is recovered into h and the journal stands ready; then what is to be done about it.
 */
static enum status settle(const struct recovery_options *o, history_t **h, struct recovery *r,
                          char error[JOURNAL_ERROR_SIZE])
{
    enum status status = STATUS_OK;
    const matcher_t *m = history_matcher(*h);
    r->new_history = m == NULL;
    r->epoch = r->found.epoch;
    if (m != NULL && (!same_limits(engine_limits(matcher_engine(m)), &o->matcher.limits, error) ||
                      !same_symbols(matcher_engine(m), o, error)))
        return STATUS_INVALID;
    r->state_hash = history_state_hash(*h);
    if (PLANTED(EPOCH_NOT_CHANGED) && !r->new_history)
        r->found.new_epoch = false;
    if (r->found.new_epoch)
        status = begin_epoch(o, r, error);
    if (status != STATUS_OK)
        return status;
    r->matcher = history_end(h);
    if (r->new_history) {
        struct matcher_options options = o->matcher;
        options.epoch = r->epoch;
        r->matcher = matcher_new(&options, o->symbols, o->symbol_count);
    } else if (r->found.new_epoch) {
        matcher_epoch_set(r->matcher, r->epoch);
    }
    return STATUS_OK;
}

static uint64_t newest_snapshot(const struct disk *disk)
{
    uint64_t seqs[SNAPSHOTS_MAX];
    unsigned count = 0;
    return snapshots_list(disk, seqs, &count) == STATUS_OK && count > 0 ? seqs[0] : 0;
}

/* Snapshot and records into a new history. */
static enum status read_all(const struct recovery_options *o, history_t **h, struct recovery *r,
                            char error[JOURNAL_ERROR_SIZE])
{
    uint64_t durable_seq = 0;
    *h = history_new(&(struct history_options){.matcher = o->matcher});
    r->snapshots_refused = 0;
    r->snapshot_seq = 0;
    enum status status = restore_newest(o->journal.disk, *h, r, &durable_seq);
    if (status != STATUS_OK) {
        snprintf(error, JOURNAL_ERROR_SIZE, "%s: the directory cannot be read",
                 o->journal.disk->path);
        return status;
    }
    return journal_recover(r->journal, history_seq(*h), durable_seq,
                           &(struct journal_taker){*h, history_take}, &r->found, error);
}

enum status recovery_run(const struct recovery_options *o, struct recovery *r,
                         char error[JOURNAL_ERROR_SIZE])
{
    history_t *h = NULL;
    *r = (struct recovery){0};
    enum status status = journal_open(&r->journal, &o->journal, error);
    if (status != STATUS_OK)
        return status;
    /* A follower that lives may write a newer snapshot meanwhile, and remove the segments the one
     * we began with needs: then that newer one is where to begin. */
    for (unsigned tries = 0;; tries++) {
        uint64_t newest = newest_snapshot(o->journal.disk);
        status = read_all(o, &h, r, error);
        if (status != STATUS_INVALID || tries == BEGIN_TRIES_MAX ||
            newest_snapshot(o->journal.disk) <= newest)
            break;
        history_destroy(&h);
    }
    if (status == STATUS_OK)
        status = settle(o, &h, r, error);
    history_destroy(&h);
    if (status != STATUS_OK)
        journal_destroy(&r->journal);
    return status;
}
