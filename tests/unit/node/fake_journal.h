/* fake_journal: a journal that is full, late or broken, as the test says: in place of the real one
 * in the one program that includes this. */
#ifndef OUTCRY_UNIT_NODE_FAKE_JOURNAL_H
#define OUTCRY_UNIT_NODE_FAKE_JOURNAL_H

#include "journal/journal.h"

struct journal {
    uint64_t appended; /* records */
    uint64_t committed;
    uint64_t committed_seq;
    bool commits_at_once;
    unsigned full; /* appends to refuse */
    bool broken;
    bool no_room;
    bool closed;
    unsigned offered, syncs, tends, checkpoints;
    struct journal_batch last;
    uint64_t last_number;
};

static void journal_keep(journal_t *j)
{
    j->appended++;
    if (j->commits_at_once)
        j->committed = j->appended;
}

uint64_t journal_next(const journal_t *j)
{
    return j->appended + 1;
}

bool journal_has_room(journal_t *j, size_t size)
{
    (void)size;
    return !j->no_room;
}

enum status journal_append(journal_t *j, const struct journal_batch *batch)
{
    j->offered++;
    j->last = *batch;
    j->last_number = j->appended + 1;
    if (j->broken)
        return STATUS_IO;
    if (j->full > 0) {
        j->full--;
        return STATUS_FULL;
    }
    journal_keep(j);
    return STATUS_OK;
}

enum status journal_checkpoint(journal_t *j, uint64_t time_ns, uint64_t hash)
{
    (void)time_ns;
    (void)hash;
    j->checkpoints++;
    journal_keep(j);
    return STATUS_OK;
}

/* A late one is not hurried. */
enum status journal_sync(journal_t *j)
{
    j->syncs++;
    return STATUS_OK;
}

enum status journal_tend(journal_t *j, uint64_t now_ns)
{
    (void)now_ns;
    j->tends++;
    return STATUS_OK;
}

int journal_fd(const journal_t *j)
{
    (void)j;
    return -1;
}

uint64_t journal_patience_ns(const journal_t *j, uint64_t now_ns)
{
    (void)j;
    (void)now_ns;
    return UINT64_MAX;
}

uint64_t journal_committed(const journal_t *j)
{
    return j->committed;
}

uint64_t journal_committed_seq(const journal_t *j)
{
    return j->committed_seq;
}

enum status journal_close(journal_t *j, uint64_t time_ns)
{
    (void)time_ns;
    j->closed = true;
    return STATUS_OK;
}

#endif
