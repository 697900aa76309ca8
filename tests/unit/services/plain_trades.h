/* plain_trades: every trade of a symbol's epoch in a list, and whether what a snapshot tells of
 * them is what the list comes to. */
#ifndef OUTCRY_UNIT_SERVICES_PLAIN_TRADES_H
#define OUTCRY_UNIT_SERVICES_PLAIN_TRADES_H

#include "proto/frame.h"

enum { PLAIN_TRADES = 20000, PLAIN_TRADES_TOLD = 1000 };

struct plain_trades {
    struct past_trade trades[PLAIN_TRADES];
    unsigned count;
};

/* What a snapshot of a `trade.` topic says. */
struct trades_told {
    struct trade_totals totals;
    struct past_trade trades[PLAIN_TRADES_TOLD];
    unsigned count;
};

/* One more, a `trade` of this group and frame. False: there is no room. */
bool plain_trades_add(struct plain_trades *p, uint64_t seq, uint64_t time_ns,
                      struct wire_reader *fields);

/* One event of a snapshot behind its `reply`. False: it does not belong there. */
bool trades_told_event(struct trades_told *t, uint64_t type, struct wire_reader *fields);

/* Whether all of it is true of the trades up to `at` that it claims to count. */
bool plain_trades_fit(const struct plain_trades *p, uint64_t at, const struct trades_told *t);

#endif
