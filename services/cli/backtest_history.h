/* backtest_history: files into a recording: what a back-test runs on. All of it is read and checked
 * before anything runs; a mistake is told as FILE:LINE:COLUMN: found X, expected Y.
 *
 *     journal   a directory of *.segment            exact    backtest_journal.h
 *     lobster   a LOBSTER zip, or a message file    exact    replay_lobster.h
 *     commands  row,ts,op,order_id,side,price,qty   exact    replay_input.h
 *     csv       ts,msg_type,side,price,qty,order_id exact    replay_input.h
 *     l2        ts,msg_type,side,price,qty          levels   backtest_levels.h
 *
 * Where a form says of itself that nothing is missing, that is checked: a journal's records are a
 * chain; a column `seq` of csv and l2 goes up by one from row to row; rows of `commands` never go
 * back (they may jump: hidden executions have none). Times never go back in any. Recorded orders of
 * forms without accounts are of the account `history`. */
#ifndef OUTCRY_CLI_BACKTEST_HISTORY_H
#define OUTCRY_CLI_BACKTEST_HISTORY_H

#include "backtest/recording.h"
#include "cli/csv.h"
#include "cli/history_span.h"
#include "node/cluster.h"

enum history_form {
    HISTORY_UNKNOWN, /* to be guessed */
    HISTORY_JOURNAL,
    HISTORY_LOBSTER,
    HISTORY_COMMANDS,
    HISTORY_CSV,
    HISTORY_L2,
};

#define HISTORY_ACCOUNT "history"

/* Its word: "journal", ... */
const char *history_form_word(enum history_form form);

/* False: no form is called so. */
bool history_form_read(const char *word, enum history_form *form);

struct backtest_history_options {
    const char *path;
    enum history_form form;
    const char *book_path; /* LOBSTER's orderbook file beside a message file, or NULL */
    uint64_t ts_unit_ns;   /* csv and l2: what ts counts */
    bool has_price_unit;   /* commands: what their prices count; else ticks */
    struct decimal_unit price_unit;
    bool has_day; /* files: ts counts from this day; else from 1970, or what LOBSTER's name says */
    uint64_t day_ns;
    struct history_time from, to;
    struct cluster_symbol symbol; /* of a journal: its name is enough */
    struct configure limits;      /* of files: what their engine is to have */
};

struct backtest_history {
    recording_t *recording;
    enum history_form form;
    struct cluster_symbol symbol;
    struct decimal_unit price_unit; /* of the source's prices */
    uint64_t unexplained;           /* rows of LOBSTER's that do not follow from the book before */
};

/* Load it; what is wrong is said on stderr. Errors: STATUS_INVALID  what stands there;
 * STATUS_MISSING, STATUS_IO  it is not there, cannot be read, or is damaged. */
enum status backtest_history_load(struct backtest_history *h,
                                  const struct backtest_history_options *o);
void backtest_history_unload(struct backtest_history *h);

/* The symbol as a recording wants it. */
struct strategy_symbol backtest_history_symbol(const struct cluster_symbol *s);

/* Say what is wrong with a row's time that is before that of the row before, or with its number
 * that is not one more. */
void backtest_history_unsorted(const struct csv_file *file, uint64_t line, uint64_t found_ns,
                               uint64_t before_ns);
void backtest_history_gap(const struct csv_file *file, uint64_t line, struct text found,
                          int64_t expected);

#endif
