/* snapshot_format: how an engine's state stands in bytes, for the writer and the reader of
 * snapshot.h.
 *
 *     [version, limits, seq, time_ns, trade_count, [symbol, ...], [account, ...], [origin, ...],
 *      work]
 *
 *     limits   [the fields of the message configure]
 *     symbol   [name, tick_size, lot_size, any_price, next_priority, book_seq, bbo_seq, trade_seq]
 *     account  [name, [open order, ...], [finished order, ...]]
 *     order    [order_id, symbol, side, type, time_in_force, stp, post_only, status, reason, price,
 *               qty, filled_qty, notional's upper 64 bits, its lower, accepted_ns, changed_seq,
 *               priority], and if it has a client order id [..., client_order_id, body_hash]
 *     origin   [name, last_ns, epoch, next_seq, acked_through, [outcome of acked_through + 1, ...]]
 *     outcome  [seq, order_id, count, code, duplicate, ready]
 *     work     [WORK_NONE], [WORK_SWEEP, order_id] or [WORK_MASS_CANCEL, symbol, account, side,
 *               everybody, origin, origin_seq, outcome, [order_id of a cursor, ...]]: one cursor,
 *               or everybody's: one for each account, 0 for one that is through
 *
 * Symbols, accounts and origins are named by their numbers, which are their places in the arrays.
 * An order's priority is 0 if it is on no book. What follows from the rest is not there: the open
 * quantity (what is not filled while the order is open, else none), levels, hashes, indexes, the
 * heap of a mass cancel. Nor are the events and the result of the last command: whoever wants them
 * has read them. */
#ifndef OUTCRY_ENGINE_SNAPSHOT_FORMAT_H
#define OUTCRY_ENGINE_SNAPSHOT_FORMAT_H

#include "base/name_table.h"

enum {
    ENGINE_SNAPSHOT_VERSION = 2,

    ENGINE_SNAPSHOT_FIELDS = 9,
    SYMBOL_ENTRY_FIELDS = 8,
    ACCOUNT_ENTRY_FIELDS = 3,
    ORDER_ENTRY_FIELDS = 17,
    ORDER_LABEL_FIELDS = 2,
    ORIGIN_ENTRY_FIELDS = 6,
    OUTCOME_FIELDS = 6,
    WORK_NONE_FIELDS = 1,
    WORK_SWEEP_FIELDS = 2,
    WORK_MASS_CANCEL_FIELDS = 9,

    NAME_TEXT_SIZE_MAX = NAME_SIZE_MAX + 5,        /* of every text there is */
    ORDER_ENTRY_SIZE_MIN = 3 + ORDER_ENTRY_FIELDS, /* a byte each, behind the array's three */
};

#endif
