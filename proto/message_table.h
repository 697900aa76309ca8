/* Every message there is, and every field of it: the one table that structs, codec, printer,
 * PROTOCOL.md and the Python client are expanded from.
 *
 *     MESSAGE_TABLE(M)     M(name, NAME, type, class, "what it says")
 *     name_FIELDS(F)       F(kind, field, limit, "unit, range, meaning")
 *
 * A message stands on the wire as a msgpack array whose first element is its type (commands and
 * requests have the protocol version before it). Fields follow in the order of the table; later
 * versions only append. Types are never reused.
 *
 * Kinds: u64 (at most limit, 0 meaning no limit), i64, flag (msgpack true or false), text (UTF-8,
 * at most limit bytes), bytes (at most limit), i64_or_nil, u64_or_nil, and the sets of
 * value_table.h by name, which are u64 on the wire: whether the value is in its set is the reader's
 * to check. Classes: COMMAND (clients push it), INTERNAL (only a matcher sequences it, for itself),
 * REQUEST (pushed to a publisher, answered on `re.`), PUBLIC, PRIVATE and SERVICE (events in
 * frames). */
#ifndef OUTCRY_PROTO_MESSAGE_TABLE_H
#define OUTCRY_PROTO_MESSAGE_TABLE_H

enum {
    PROTOCOL_VERSION = 1,
    SYMBOL_SIZE_MAX = 16,
    ACCOUNT_SIZE_MAX = 32,
    CLIENT_ORDER_ID_SIZE_MAX = 36,
    ORIGIN_SIZE_MAX = 32,
    DECIMAL_SIZE_MAX = 20,
    REPLY_SIZE = 32,     /* hexadecimal digits that name a reply topic */
    TOPIC_SIZE_MAX = 63, /* without the NUL; the longest today is candle.<interval>.<symbol> */
    ADDRESS_SIZE_MAX = 127,
    FRAME_SIZE_MAX = 1 << 20, /* no published message is larger; readers may refuse what is */
};

#define MESSAGE_TABLE(M)                                                                           \
    M(new_order, NEW_ORDER, 1, COMMAND, "Place an order.")                                         \
    M(cancel_order, CANCEL_ORDER, 2, COMMAND, "Take an open order off the book.")                  \
    M(amend_order, AMEND_ORDER, 3, COMMAND, "Change price or quantity of an open order.")          \
    M(mass_cancel, MASS_CANCEL, 4, COMMAND, "Cancel all open orders that fit, oldest first.")      \
    M(configure, CONFIGURE, 16, INTERNAL, "The shard's capacities: first record of a history.")    \
    M(add_symbol, ADD_SYMBOL, 17, INTERNAL, "A symbol begins to exist on this shard.")             \
    M(continue_work, CONTINUE_WORK, 18, INTERNAL, "Go on with work a command left over.")          \
    M(resend, RESEND, 32, REQUEST, "Send the frames of a topic again.")                            \
    M(snapshot, SNAPSHOT, 33, REQUEST, "Send the state of a topic.")                               \
    M(resume, RESUME, 34, REQUEST, "The clock that jumped is right: go on.")                       \
    M(following, FOLLOWING, 35, REQUEST, "A matcher's follower lives, and stands here.")           \
    M(committed, COMMITTED, 36, REQUEST, "A matcher tells its follower how far it may read.")      \
    M(advance, ADVANCE, 37, REQUEST, "A virtual clock may go on (`outcry backtest --serve`).")     \
    M(trade, TRADE, 64, PUBLIC, "Two orders traded.")                                              \
    M(add, ADD, 65, PUBLIC, "An order joined the end of its level.")                               \
    M(execute, EXECUTE, 66, PUBLIC, "A resting order traded; at 0 left it is gone.")               \
    M(reduce, REDUCE, 67, PUBLIC, "A resting order became smaller and kept its place.")            \
    M(delete, DELETE, 68, PUBLIC, "A resting order left the book without trading.")                \
    M(level, LEVEL, 69, PUBLIC, "A price level holds this much now.")                              \
    M(bbo, BBO, 70, PUBLIC, "The best bid and offer are these now.")                               \
    M(book_position, BOOK_POSITION, 71, PUBLIC, "Where the topics of a symbol stand.")             \
    M(past_trade, PAST_TRADE, 72, PUBLIC, "Two orders traded before, in a snapshot.")              \
    M(trade_totals, TRADE_TOTALS, 73, PUBLIC, "What a symbol's trades come to, in a snapshot.")    \
    M(heartbeat, HEARTBEAT, 80, SERVICE, "The publisher of this shard lives.")                     \
    M(position, POSITION, 81, SERVICE, "Where one topic stands.")                                  \
    M(reply, REPLY, 82, SERVICE, "Head of each message that answers a request.")                   \
    M(resent, RESENT, 83, SERVICE, "A frame as it was published, in answer to resend.")            \
    M(advanced, ADVANCED, 84, SERVICE, "A virtual clock has gone on, in answer to advance.")       \
    M(result, RESULT, 96, PRIVATE, "What became of a command.")                                    \
    M(origin_gap, ORIGIN_GAP, 97, PRIVATE, "Commands before this one are missing: send again.")    \
    M(order_accepted, ORDER_ACCEPTED, 98, PRIVATE, "An order was accepted.")                       \
    M(order_rejected, ORDER_REJECTED, 99, PRIVATE, "An order was refused.")                        \
    M(order_amended, ORDER_AMENDED, 100, PRIVATE, "An order was changed.")                         \
    M(order_filled, ORDER_FILLED, 101, PRIVATE, "An order traded.")                                \
    M(order_cancelled, ORDER_CANCELLED, 102, PRIVATE, "What was open of an order is gone.")        \
    M(order_state, ORDER_STATE, 103, PRIVATE, "An order as it stands, in a private snapshot.")

/* What stands in front of the fields of every command: [version, type, these..., fields...]. */
#define envelope_FIELDS(F)                                                                         \
    F(text, origin, ORIGIN_SIZE_MAX, "who sends: 1 to 32 of A-Z a-z 0-9 _ -")                      \
    F(u64, origin_epoch, 0, "the sender's session; only grows")                                    \
    F(u64, origin_seq, 0, "1, 2, 3, ... within the session, without holes")                        \
    F(u64, acked_through, 0, "the sender has the results up to here")                              \
    F(u64, deadline_ns, 0, "Unix ns; stamped later, it is refused; 0: none")

/* What an order is, wherever one is told whole. */
#define ORDER_TERMS(F)                                                                             \
    F(text, symbol, SYMBOL_SIZE_MAX, "A-Z 0-9 . _ -, the first a letter or digit")                 \
    F(text, account, ACCOUNT_SIZE_MAX, "1 to 32 of A-Z a-z 0-9 _ -")                               \
    F(text, client_order_id, CLIENT_ORDER_ID_SIZE_MAX, "empty, or 1 to 36 of A-Z a-z 0-9 _ . : -") \
    F(side, side, 0, "")                                                                           \
    F(order_type, type, 0, "")                                                                     \
    F(time_in_force, time_in_force, 0, "")                                                         \
    F(flag, post_only, 0, "refuse rather than trade on arrival")                                   \
    F(stp, stp, 0, "self-trade prevention")                                                        \
    F(i64_or_nil, price, 0, "ticks; nil for a market order")                                       \
    F(i64, qty, 0, "lots in all")

#define new_order_FIELDS(F) ORDER_TERMS(F)

#define cancel_order_FIELDS(F)                                                                     \
    F(text, symbol, SYMBOL_SIZE_MAX, "the order's; with an order_id it may be empty")              \
    F(text, account, ACCOUNT_SIZE_MAX, "the order's account")                                      \
    F(u64, order_id, 0, "0: named by client_order_id")                                             \
    F(text, client_order_id, CLIENT_ORDER_ID_SIZE_MAX, "names it where order_id is 0")

#define amend_order_FIELDS(F)                                                                      \
    F(text, symbol, SYMBOL_SIZE_MAX, "the order's; with an order_id it may be empty")              \
    F(text, account, ACCOUNT_SIZE_MAX, "the order's account")                                      \
    F(u64, order_id, 0, "0: named by client_order_id")                                             \
    F(text, client_order_id, CLIENT_ORDER_ID_SIZE_MAX, "names it where order_id is 0")             \
    F(qty_is, qty_is, 0, "what qty means")                                                         \
    F(i64_or_nil, qty, 0, "lots; nil: as it is")                                                   \
    F(i64_or_nil, price, 0, "ticks; nil: as it is")

#define mass_cancel_FIELDS(F)                                                                      \
    F(text, symbol, SYMBOL_SIZE_MAX, "empty: every symbol of the shard")                           \
    F(text, account, ACCOUNT_SIZE_MAX, "whose orders")                                             \
    F(side, side, 0, "0: both")

#define configure_FIELDS(F)                                                                        \
    F(u64, shard, 65535, "top 16 bits of the ids born here")                                       \
    F(u64, open_orders_max, 0, "open orders at once")                                              \
    F(u64, accounts_max, 0, "accounts ever seen")                                                  \
    F(u64, finished_per_account, 0, "finished orders remembered (W)")                              \
    F(u64, symbols_max, 0, "symbols")                                                              \
    F(u64, origins_max, 0, "origins known at once")                                                \
    F(u64, origin_window, 0, "unacknowledged commands an origin may have")                         \
    F(u64, events_max, 0, "fills or cancels one command may make")                                 \
    F(flag, anonymous, 0, "the empty account exists; only in `outcry match`")

#define add_symbol_FIELDS(F)                                                                       \
    F(text, symbol, SYMBOL_SIZE_MAX, "its name")                                                   \
    F(text, tick_size, DECIMAL_SIZE_MAX, "price of one tick, a decimal")                           \
    F(text, lot_size, DECIMAL_SIZE_MAX, "size of one lot, a decimal")                              \
    F(flag, any_price, 0, "prices may be zero or below")

#define continue_work_FIELDS(F) F(u64, waiting, 0, "pieces of work that wait, this one included")

#define resend_FIELDS(F)                                                                           \
    F(text, reply, REPLY_SIZE, "32 hexadecimal digits chosen by the asker")                        \
    F(u64, request_id, 0, "comes back in the answer")                                              \
    F(text, topic, TOPIC_SIZE_MAX, "which topic")                                                  \
    F(u64, epoch, 0, "the epoch the asker reads")                                                  \
    F(u64, after_seq, 0, "the asker has everything up to here")                                    \
    F(u64, through_seq, 0, "and wants everything up to here")

#define snapshot_FIELDS(F)                                                                         \
    F(text, reply, REPLY_SIZE, "32 hexadecimal digits chosen by the asker")                        \
    F(u64, request_id, 0, "comes back in the answer")                                              \
    F(text, topic, TOPIC_SIZE_MAX, "which topic")                                                  \
    F(u64, min_seq, 0, "the state must be at least as new as this")

#define resume_FIELDS(F)                                                                           \
    F(text, reply, REPLY_SIZE, "32 hexadecimal digits chosen by the asker")                        \
    F(u64, request_id, 0, "comes back in the answer")

#define following_FIELDS(F)                                                                        \
    F(u64, epoch, 0, "of what it has read")                                                        \
    F(u64, seq, 0, "the last command it has read")                                                 \
    F(u64, snapshot_seq, 0, "of its newest snapshot; 0: none yet")

#define committed_FIELDS(F)                                                                        \
    F(u64, epoch, 0, "")                                                                           \
    F(u64, seq, 0, "the last command that is committed")

#define advance_FIELDS(F)                                                                          \
    F(text, reply, REPLY_SIZE, "32 hexadecimal digits chosen by the asker")                        \
    F(u64, request_id, 0, "comes back in the answer")                                              \
    F(u64, wake_ns, 0, "Unix ns: answer then at the latest; 0: when something is heard")

#define trade_FIELDS(F)                                                                            \
    F(u64, trade_id, 0, "")                                                                        \
    F(u64, maker_order_id, 0, "the order that rested")                                             \
    F(u64, taker_order_id, 0, "the order that came in")                                            \
    F(i64, price, 0, "ticks: the maker's price")                                                   \
    F(i64, qty, 0, "lots")                                                                         \
    F(side, aggressor, 0, "the taker's side; 0: none")

#define add_FIELDS(F)                                                                              \
    F(u64, order_id, 0, "")                                                                        \
    F(side, side, 0, "")                                                                           \
    F(i64, price, 0, "ticks")                                                                      \
    F(i64, qty, 0, "lots shown")                                                                   \
    F(u64, priority, 0, "place in the symbol's time order")

#define execute_FIELDS(F)                                                                          \
    F(u64, order_id, 0, "")                                                                        \
    F(i64, qty, 0, "lots taken off")

#define reduce_FIELDS(F)                                                                           \
    F(u64, order_id, 0, "")                                                                        \
    F(i64, qty, 0, "lots taken off")

#define delete_FIELDS(F) F(u64, order_id, 0, "")

#define level_FIELDS(F)                                                                            \
    F(side, side, 0, "")                                                                           \
    F(i64, price, 0, "ticks")                                                                      \
    F(i64, qty, 0, "lots shown in all; 0: the level is gone")

#define bbo_FIELDS(F)                                                                              \
    F(i64_or_nil, bid_price, 0, "ticks; nil: no bids")                                             \
    F(i64, bid_qty, 0, "lots; 0: no bids")                                                         \
    F(i64_or_nil, ask_price, 0, "ticks; nil: no asks")                                             \
    F(i64, ask_qty, 0, "lots; 0: no asks")

#define book_position_FIELDS(F)                                                                    \
    F(text, symbol, SYMBOL_SIZE_MAX, "")                                                           \
    F(u64, book_seq, 0, "last change of the book: `l3.` and `l2.`")                                \
    F(u64, bbo_seq, 0, "last change of best bid or offer: `bbo.`")                                 \
    F(u64, trade_seq, 0, "last trade: `trade.`")

#define past_trade_FIELDS(F)                                                                       \
    F(u64, seq, 0, "of its group in `trade.`")                                                     \
    F(u64, time_ns, 0, "Unix ns, of the group's frame")                                            \
    trade_FIELDS(F)

#define trade_totals_FIELDS(F)                                                                     \
    F(u64, since_ns, 0, "Unix ns: from when they count; 0: from the epoch's start")                \
    F(u64, since_seq, 0, "the first sequence that counts; 1: from the epoch's start")              \
    F(u64, trade_count, 0, "trades")                                                               \
    F(i64, qty_high, 0, "lots traded in all, bits 64 to 127")                                      \
    F(u64, qty_low, 0, "the same, bits 0 to 63")                                                   \
    F(i64, notional_high, 0, "sum of price x qty in ticks x lots, bits 64 to 127")                 \
    F(u64, notional_low, 0, "the same, bits 0 to 63")                                              \
    F(i64_or_nil, first_price, 0, "ticks; nil: no trade")                                          \
    F(i64_or_nil, last_price, 0, "ticks; nil: no trade")                                           \
    F(i64_or_nil, high_price, 0, "ticks; nil: no trade")                                           \
    F(i64_or_nil, low_price, 0, "ticks; nil: no trade")

#define heartbeat_FIELDS(F)                                                                        \
    F(u64, shard, 65535, "")                                                                       \
    F(text, requests, ADDRESS_SIZE_MAX, "where this very publisher takes requests")                \
    F(standing, standing, 0, "whether commands are taken in; 0: it takes none by its nature")      \
    F(journal_mode, journal, 0, "when a command is acknowledged; 0: likewise")

#define position_FIELDS(F)                                                                         \
    F(text, topic, TOPIC_SIZE_MAX, "")                                                             \
    F(u64, last_seq, 0, "of the topic's last frame; 0: none yet")                                  \
    F(u64_or_nil, hash, 0, "what the state behind it must hash to now")

#define reply_FIELDS(F)                                                                            \
    F(u64, request_id, 0, "of the request")                                                        \
    F(u64, request_type, 0, "type of the request")                                                 \
    F(reason, code, 0, "0, or why there is no answer (reject code)")                               \
    F(u64, chunk, 0, "0, 1, 2, ...")                                                               \
    F(flag, last, 0, "nothing follows")

#define resent_FIELDS(F) F(bytes, frame, FRAME_SIZE_MAX, "topic, NUL, payload")

#define advanced_FIELDS(F)                                                                         \
    F(u64, time_ns, 0, "Unix ns: the time it is now")                                              \
    F(flag, over, 0, "the recording has ended: the clock goes no further")

#define result_FIELDS(F)                                                                           \
    F(u64, origin_epoch, 0, "of the command")                                                      \
    F(u64, origin_seq, 0, "of the command")                                                        \
    F(u64, seq, 0, "where it was sequenced; 0: it was not")                                        \
    F(reason, code, 0, "0: done; else the reject code")                                            \
    F(u64, order_id, 0, "the order it made or acted on; 0: none")                                  \
    F(flag, duplicate, 0, "an earlier command's client_order_id and body")                         \
    F(u64, count, 0, "orders a mass cancel took off")

#define origin_gap_FIELDS(F)                                                                       \
    F(u64, origin_epoch, 0, "")                                                                    \
    F(u64, expected_seq, 0, "the origin_seq the matcher waits for")

#define order_accepted_FIELDS(F)                                                                   \
    F(u64, order_id, 0, "")                                                                        \
    ORDER_TERMS(F)

#define order_rejected_FIELDS(F)                                                                   \
    F(u64, order_id, 0, "")                                                                        \
    ORDER_TERMS(F)                                                                                 \
    F(reason, code, 0, "reject code")

#define order_amended_FIELDS(F)                                                                    \
    F(u64, order_id, 0, "")                                                                        \
    F(i64, price, 0, "ticks")                                                                      \
    F(i64, qty, 0, "lots in all")                                                                  \
    F(i64, open_qty, 0, "lots open, before any fill")                                              \
    F(reason, reason, 0, "KEPT or REQUEUED")

#define order_filled_FIELDS(F)                                                                     \
    F(u64, order_id, 0, "")                                                                        \
    F(u64, trade_id, 0, "")                                                                        \
    F(i64, price, 0, "ticks")                                                                      \
    F(i64, qty, 0, "lots")                                                                         \
    F(i64, open_qty, 0, "lots left")                                                               \
    F(flag, maker, 0, "it rested")

#define order_cancelled_FIELDS(F)                                                                  \
    F(u64, order_id, 0, "")                                                                        \
    F(i64, qty, 0, "lots taken off")                                                               \
    F(reason, reason, 0, "")

#define order_state_FIELDS(F)                                                                      \
    F(u64, order_id, 0, "")                                                                        \
    ORDER_TERMS(F)                                                                                 \
    F(order_status, status, 0, "")                                                                 \
    F(reason, reason, 0, "also a reject code; 0: none")                                            \
    F(i64, open_qty, 0, "lots open")                                                               \
    F(i64, filled_qty, 0, "lots traded")                                                           \
    F(i64, notional_high, 0, "sum of price x qty over its fills, bits 64 to 127")                  \
    F(u64, notional_low, 0, "the same, bits 0 to 63")                                              \
    F(u64, accepted_ns, 0, "Unix ns")                                                              \
    F(u64, changed_seq, 0, "sequence of its last change")

#endif
