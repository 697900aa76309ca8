/* replay_check: whether the published book is the recorded one, row by row.
 *
 * It reads `l3.<symbol>` as any reader does, keeps the best levels after each sequenced command,
 * and at the end holds them against the rows of LOBSTER's orderbook file: per level ask price, ask
 * size, bid price, bid size; an empty level has size 0. Which command ended which row the caller
 * tells, from the results. */
#ifndef OUTCRY_CLI_REPLAY_CHECK_H
#define OUTCRY_CLI_REPLAY_CHECK_H

#include "cli/csv.h"
#include "cli/reader.h"

typedef struct replay_check replay_check_t;

struct replay_check_report {
    uint64_t rows;       /* compared */
    uint64_t mismatches; /* rows that differ */
    uint64_t first_row;  /* the first of them */
    uint64_t trades;     /* seen */
    uint64_t frames;
    uint64_t gaps;
    uint64_t faults; /* hashes that differed, sequences that went back */
};

/* Join the symbol's book, and wait until it is complete; it must be empty if rows are to be
 * compared (book not NULL). group_max: sequenced commands to expect. KEEPS book. NULL with error
 * filled in if that fails. */
replay_check_t *replay_check_open(const struct cluster *cluster, const char *symbol,
                                  const struct csv_file *book, uint64_t group_max,
                                  char error[ENDPOINT_ERROR_SIZE]);
void replay_check_close(replay_check_t **c);

/* Take in what has come. */
void replay_check_poll(replay_check_t *c, long timeout_ms);

/* Wait until everything through `seq` has come; false if it does not. */
bool replay_check_reach(replay_check_t *c, uint64_t seq);

/* The recording's row (1, 2, ...) ended with the command sequenced at seq. Rows ascend. */
void replay_check_row(replay_check_t *c, uint64_t row, uint64_t seq);

struct replay_check_report replay_check_report(const replay_check_t *c);

#endif
