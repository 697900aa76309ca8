/* backtest_journal: a shard's journal into a recording, all symbols of it, with the digests its
 * batches carry. Damage is judged as `outcry verify` does (past.h). */
#ifndef OUTCRY_CLI_BACKTEST_JOURNAL_H
#define OUTCRY_CLI_BACKTEST_JOURNAL_H

#include "cli/backtest_history.h"

/* *symbol: its name is filled in; the rest is, by the journal. What is wrong was said on stderr.
 * Errors: STATUS_INVALID  it has no such symbol; STATUS_MISSING  it is none, or its beginning is
 * gone; STATUS_IO  it cannot be read, or is damaged. */
enum status backtest_journal_read(recording_t **r, struct cluster_symbol *symbol,
                                  const struct backtest_history_options *o);

#endif
