/* client_log: what clients outside this process did, gathered from what the matcher publishes of
 * them, as the result of one strategy (result.h): for serve.h.
 *
 *     before and after each command of a client: client_log_command, client_log_done
 *     every frame the matcher says, in order:    client_log_frame
 *
 * An order is a client's if one of its commands made it; of accounts that are in the recording as
 * well, only those are. Orders of all clients are numbered 1, 2, ... as they came. An order refused
 * for what the engine does not remember (TOO_LATE, ...) is one, too; one that its program did not
 * send, by a limit of its own, nobody hears of. Thread: one. */
#ifndef OUTCRY_BACKTEST_CLIENT_LOG_H
#define OUTCRY_BACKTEST_CLIENT_LOG_H

#include "backtest/recording.h"
#include "backtest/result.h"
#include "proto/command.h"
#include "proto/frame.h"

struct client_log {
    const engine_t *engine;
    uint32_t symbol; /* of the engine's */
    result_log_t *log;
    struct strategy_spec *spec;
    struct ledger ledger;
    struct strategy_standing standing;
    uint32_t numbers;                     /* orders so far */
    char (*accounts)[TOPIC_SIZE_MAX + 1]; /* `acct.<account>`, each that a client has named */
    size_t account_count, account_max;
    struct own_order *open; /* orders that are not done */
    size_t open_count, open_max;
    struct market_trade *trades; /* of the frame being read */
    size_t trade_count, trade_max;
    const struct command *command; /* the client's that is happening; NULL: none of theirs is */
    uint64_t sent_ns;              /* when it was sent */
    bool told;                     /* its order was told of */
    char book_topic[TOPIC_SIZE_MAX + 1];
    char described[128];
};

/* It begins. spec: filled in, and KEPT by the log; its account is the first
 * that comes. KEEPS engine. */
void client_log_open(struct client_log *l, const engine_t *engine, const recording_t *recording,
                     uint32_t symbol, const struct fees *fees, const struct result_options *options,
                     struct strategy_spec *spec);
void client_log_close(struct client_log *l);

/* It was sent then, and arrives now. BORROWS c until _done. */
void client_log_command(struct client_log *l, const struct command *c, uint64_t sent_ns);
void client_log_done(struct client_log *l, bool sequenced, uint64_t now_ns);

void client_log_frame(struct client_log *l, const uint8_t *message, size_t size);

/* The end: the log, which is the caller's then, and its figures; NULL: there was no order. Once. */
result_log_t *client_log_finish(struct client_log *l, uint64_t now_ns, const char *why,
                                const struct result_figures **figures);

#endif
