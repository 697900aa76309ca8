#include "base/check.h"
#include "base/memory.h"
#include "journal/journal.h"

struct journal {
    uint64_t appended; /* number of the last batch */
};

journal_t *journal_new_null(void)
{
    return memory_new(1, sizeof(journal_t), "the journal");
}

void journal_destroy(journal_t **j)
{
    memory_free(*j, 1, sizeof **j);
    *j = NULL;
}

enum status journal_append(journal_t *j, const struct journal_batch *batch)
{
    CHECK(batch->number == j->appended + 1);
    j->appended = batch->number;
    return STATUS_OK;
}

uint64_t journal_committed(journal_t *j)
{
    return j->appended;
}
