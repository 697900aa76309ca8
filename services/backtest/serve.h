/* serve: a back-test for strategies outside this process (`outcry backtest --serve`): the real
 * matcher on a virtual clock, behind real sockets, so a client sees the very frames of a live
 * matcher and sends the very commands.
 *
 * The clock stands still until the client lets it go on: its request `advance` says it has taken in
 * everything and wants nothing before wake_ns. Then recorded commands go in, one batch each, until
 * something was published that the client listens to, or wake_ns is reached; the answer, an
 * `advanced`, comes on the same socket behind all of that, with the time it is now. What was heard
 * since the last answer counts: it is answered at once then. The client's own commands go in at
 * that time plus latency. Heartbeats and replies stop no clock.
 *
 * One socket takes commands and requests, and one publishes all; each is bound at the addresses of
 * both, as the settings say them. A client that connects once to each, not twice, hears everything
 * in the order in which it happened, and is heard in the order in which it spoke: its run is the
 * same every time. One client lets the clock go on; others may listen and send.
 *
 * Time: as venue.h has it where data has no latency: at one and the same time recorded commands
 * come first, then the client's that arrive, then wake_ns; a command that arrives when it was sent
 * goes in before the next recorded one. What is recorded at the first moment has happened before
 * the client comes. `over` is said when the recording's last moment is past; after it the clock
 * goes on only for commands that are on their way.
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
    const recording_t *recording; /* RECORDING_COMMANDS; KEPT */
    /* Where clients come to, if there is no program; a program has a directory of its own. */
    const struct cluster *cluster;
    struct latency order_latency;
    uint64_t seed;
    struct fees fees;
    struct result_options sampling;
    /* The program to run: argv, NULL at its end; its environment has OUTCRY_VIRTUAL_TIME=1,
     * OUTCRY_SYMBOL (the recording's), OUTCRY_RUN_DIR, and OUTCRY_COMMANDS_ADDRESS,
     * _REQUESTS_ADDRESS, _PRIVATE_ADDRESS and _PUBLIC_ADDRESS. NULL: wait for clients that come by
     * themselves, until the one that lets the clock go on has gone. */
    char *const *program;
    void (*progress)(void *self, uint64_t done, uint64_t total);
    void *self;
    unsigned patience_ms; /* a client that says nothing for so long is given up */
};

struct serve_outcome {
    uint64_t recorded, commands; /* the recording's, the client's */
    uint64_t refused;            /* venue_counts; since the client's first command */
    notional_t short_qty;
    int program_status;        /* as its shell would say; 0: well, or there was none */
    struct strategy_spec spec; /* of log: leave it where it is while that is used */
    result_log_t *log;         /* of all orders that came by a client's origin, as one strategy's
                                  (client_log.h); the caller's to destroy. NULL: there was none */
    const struct result_figures *figures;
};

/* Until the program has ended, the client has gone, or a signal (SIGINT, SIGTERM) came; a program
 * that is still there then is told to end, and killed if it does not.
 *
 * Errors: STATUS_IO       sockets or program, or the signal; error says.
 *         STATUS_INVALID  a client left the protocol, or said nothing for too long; error says. */
enum status serve_run(const struct serve_options *o, struct serve_outcome *outcome,
                      char error[SERVE_ERROR_SIZE]);

#endif
