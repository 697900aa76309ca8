/* The small closed sets of the protocol: one line a value, expanded into enums, names, parsers and
 * the tables of PROTOCOL.md.
 *
 *     X(PREFIX, NAME, number, "text")
 *
 * The number is what stands on the wire, the text is what stands in CSV, JSON and on a terminal.
 * Numbers are never reused. 0 is never a value a client may send where a value is needed, so that
 * a forgotten field is seen. */
#ifndef OUTCRY_PROTO_VALUE_TABLE_H
#define OUTCRY_PROTO_VALUE_TABLE_H

#define SIDE_TABLE(X)                                                                              \
    X(SIDE, BUY, 1, "buy")                                                                         \
    X(SIDE, SELL, 2, "sell")

#define ORDER_TYPE_TABLE(X)                                                                        \
    X(ORDER_TYPE, LIMIT, 1, "limit")                                                               \
    X(ORDER_TYPE, MARKET, 2, "market")

#define TIME_IN_FORCE_TABLE(X)                                                                     \
    X(TIME_IN_FORCE, GTC, 1, "GTC")                                                                \
    X(TIME_IN_FORCE, IOC, 2, "IOC")                                                                \
    X(TIME_IN_FORCE, FOK, 3, "FOK")

/* Self-trade prevention. */
#define STP_TABLE(X)                                                                               \
    X(STP, NONE, 1, "none")                                                                        \
    X(STP, REJECT, 2, "reject")

/* What the quantity of an amend means. */
#define QTY_IS_TABLE(X)                                                                            \
    X(QTY_IS, OPEN, 1, "open")                                                                     \
    X(QTY_IS, TOTAL, 2, "total")                                                                   \
    X(QTY_IS, REDUCE_BY, 3, "reduce_by")

#define ORDER_STATUS_TABLE(X)                                                                      \
    X(ORDER_STATUS, NEW, 1, "new")                                                                 \
    X(ORDER_STATUS, PARTIALLY_FILLED, 2, "partially_filled")                                       \
    X(ORDER_STATUS, FILLED, 3, "filled")                                                           \
    X(ORDER_STATUS, CANCELLED, 4, "cancelled")                                                     \
    X(ORDER_STATUS, REJECTED, 5, "rejected")

/* When an ack leaves. */
#define JOURNAL_MODE_TABLE(X)                                                                      \
    X(JOURNAL_MODE, SYNC, 1, "sync")                                                               \
    X(JOURNAL_MODE, ASYNC, 2, "async")                                                             \
    X(JOURNAL_MODE, NONE, 3, "none")

/* Whether a matcher takes commands in, and why not. */
#define STANDING_TABLE(X)                                                                          \
    X(STANDING, OPEN, 1, "open")                                                                   \
    X(STANDING, DRAINING, 2, "draining")                                                           \
    X(STANDING, NO_SPACE, 3, "no_space")                                                           \
    X(STANDING, CLOCK_JUMP, 4, "clock_jump")                                                       \
    X(STANDING, FAILED, 5, "failed")                                                               \
    X(STANDING, STOPPED, 6, "stopped")

/* Why something happened that is not a refusal. The numbers share one space with the reject codes
 * of reject_table.h, which start at 1000: an order's `reason` is one or the other. */
#define REASON_TABLE(X)                                                                            \
    X(REASON, USER, 1, "USER")                                                                     \
    X(REASON, REDUCED, 2, "REDUCED")                                                               \
    X(REASON, IOC_REMAINDER, 3, "IOC_REMAINDER")                                                   \
    X(REASON, INSUFFICIENT_LIQUIDITY, 4, "INSUFFICIENT_LIQUIDITY")                                 \
    X(REASON, MASS, 5, "MASS")                                                                     \
    X(REASON, KEPT, 6, "KEPT")                                                                     \
    X(REASON, REQUEUED, 7, "REQUEUED")

#endif
