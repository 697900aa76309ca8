/* trade_history: the last trades of one symbol, and what all of them come to since a moment.
 *
 *     join ── add add ... group_end ── add ... group_end ── ...      totals   since the join
 *                                                                    ring     the last TRADES_KEPT
 *
 * It never claims what it did not see: totals count from the epoch's start only if it joined before
 * the first trade; else from where it joined. To join again is to begin anew, unless no trade was
 * missed meanwhile: then readers who stayed with the topic and those who come now know the same.
 * Sums are modulo 2^128. Thread: owner only. Memory is taken by init. */
#ifndef OUTCRY_MARKET_DATA_TRADE_HISTORY_H
#define OUTCRY_MARKET_DATA_TRADE_HISTORY_H

#include "proto/frame.h"

enum { TRADES_KEPT = 1000 }; /* as many as a screen or a chart of the last minutes begins with */

struct trade_history {
    uint64_t epoch;    /* 0: nothing is known */
    uint64_t last_seq; /* of the epoch's last trade, seen or not; 0: there was none */
    struct trade_totals totals;
    struct past_trade *trades; /* ring of TRADES_KEPT; trade n is at n % TRADES_KEPT */
    uint64_t group_count;      /* trades of the group being read: their time is not known yet */
};

void trade_history_init(struct trade_history *h);
void trade_history_close(struct trade_history *h);

/* Something of it may be wrong: the next join begins anew. */
void trade_history_forget(struct trade_history *h);

/* The owner stands at head->seq of head->epoch, where the epoch's last trade was at trade_seq (0:
 * none yet), and sees every trade from here on. */
void trade_history_join(struct trade_history *h, const struct frame_head *head, uint64_t trade_seq);

/* A trade of the group of this seq; the group is complete, and of this time. */
void trade_history_add(struct trade_history *h, uint64_t seq, const struct trade *trade);
void trade_history_group_end(struct trade_history *h, uint64_t time_ns);

/* How many trades are kept; the index'th of them, 0 being the oldest. */
uint64_t trade_history_kept(const struct trade_history *h);
const struct past_trade *trade_history_at(const struct trade_history *h, uint64_t index);

#endif
