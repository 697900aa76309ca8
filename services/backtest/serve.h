/* serve: a back-test for strategies outside this process (`outcry backtest --serve`): the real
 * matcher on a virtual clock, behind real sockets, so a client sees the very frames of a live
 * matcher and sends the very commands.
 *
 * The clock stands still until the client lets it go on: its request `advance` says it has taken in
 * everything and wants nothing before wake_ns. Then recorded commands go in, one batch each, until
 * something was published that the client listens to, or wake_ns is reached; the answer, an
 * `advanced`, comes on the same socket behind all of that, with the time it is now. The client's
 * own commands go in at that time plus latency. Private and public topics are published by one
 * socket, so that the order in which they happened is the order in which they are heard.
 *
 * Live, nobody answers `advance` and nobody sends it: a client knows by its environment
 * (OUTCRY_VIRTUAL_TIME=1) which it is. */
#ifndef OUTCRY_BACKTEST_SERVE_H
#define OUTCRY_BACKTEST_SERVE_H

#include "backtest/report.h"
#include "backtest/venue.h"
#include "node/cluster.h"

enum { SERVE_ERROR_SIZE = 512 };

struct serve_options {
    const recording_t *recording;  /* RECORDING_COMMANDS; KEPT */
    const struct cluster *cluster; /* its addresses: run_dir is the server's own */
    struct latency order_latency;
    uint64_t seed;
    struct fees fees;
    /* The program to run: argv, NULL at its end; its environment has OUTCRY_RUN_DIR,
     * OUTCRY_VIRTUAL_TIME, and what else its addresses need. NULL: wait for clients that come by
     * themselves, until the first one has gone. */
    char *const *program;
    void (*progress)(void *self, uint64_t done, uint64_t total);
    void *self;
    unsigned patience_ms; /* a client that says nothing for so long is given up */
};

struct serve_outcome {
    uint64_t recorded, commands; /* the recording's, the client's */
    int program_status;          /* as its shell would say; 0: well, or there was none */
    result_log_t *log;           /* of all accounts that came by a client's origin, as one; the
                                    caller's to destroy. NULL: there was no order */
    const struct result_figures *figures;
};

/* Errors: STATUS_IO  sockets or program; STATUS_INVALID  the client left the protocol; error says.
 */
enum status serve_run(const struct serve_options *o, struct serve_outcome *outcome,
                      char error[SERVE_ERROR_SIZE]);

#endif
