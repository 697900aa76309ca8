/* past: a journal's directory run again, by tools: from its first record or, where that is gone,
 * from a snapshot. It only reads, and its matcher may be running.
 *
 *     past_open ─> past_next, past_take ... ─> past_verdict ─> past_close
 *
 * What stands behind the last whole record is judged by the rule of a start (journal.h). Thread:
 * one. */
#ifndef OUTCRY_CLI_PAST_H
#define OUTCRY_CLI_PAST_H

#include "matcher/history.h"

typedef struct past past_t;

struct past_options {
    const struct disk *disk; /* KEPT */
    uint64_t from_seq; /* begin with the newest sound snapshot before this command; 0: as early as
                          can be */
    void (*frame)(void *self, unsigned output, const uint8_t *message, size_t size);
    void *self; /* KEPT; as in history_options */
};

/* The options of a matcher that is only run again. */
struct matcher_options past_matcher_options(void);

/* Errors: STATUS_MISSING  there is no journal, or no beginning to run it from.
 *         STATUS_INVALID, STATUS_IO;   error says file, offset, found, expected. */
enum status past_open(past_t **p, const struct past_options *o, char error[JOURNAL_ERROR_SIZE]);
void past_close(past_t **p);

/* The snapshot it began with; 0: none. */
uint64_t past_snapshot_seq(const past_t *p);

/* The last command there is, when it was opened: for a progress bar. */
uint64_t past_last_seq(const past_t *p);

const history_t *past_history(const past_t *p);

enum past_step {
    PAST_RECORD,
    PAST_END,    /* past_verdict says of what kind */
    PAST_FAILED, /* it cannot be read on; error says why */
};

/* The next record, whole, the next of its chain, and not yet run. */
enum past_step past_next(past_t *p, struct journal_record *r, char error[JOURNAL_ERROR_SIZE]);

/* Run it. False: it is not what it must be; error says file, offset, found, expected. */
bool past_take(past_t *p, const struct journal_record *r, char error[JOURNAL_ERROR_SIZE]);

enum past_verdict {
    PAST_WHOLE,   /* nothing stands behind it */
    PAST_WRITTEN, /* its matcher is writing more */
    PAST_CUT,     /* a start would cut off what stands there, and begin a new epoch */
    PAST_REFUSED, /* a start would refuse it: something that was durable is damaged or missing */
};

/* After PAST_END. words: empty, or what was found, where, and what a start would do. */
enum past_verdict past_verdict(const past_t *p, const char **words);

#endif
