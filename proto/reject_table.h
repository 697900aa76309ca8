/* Every refusal there is: one line a code, expanded into the enum, names, HTTP statuses, texts and
 * the table of PROTOCOL.md.
 *
 *     X(NAME, code, precedence, http_status, "text")
 *
 * Where several refusals apply, the one with the smallest precedence is given; 0 stands for codes
 * that are not decided by the engine's checks and so never compete. Codes are never reused.
 * 1xxx transport, 2xxx validation, 3xxx limits, 4xxx matching. */
#ifndef OUTCRY_PROTO_REJECT_TABLE_H
#define OUTCRY_PROTO_REJECT_TABLE_H

#define REJECT_TABLE(X)                                                                            \
    X(TOO_LATE, 1001, 1, 503, "The command reached its matcher after its deadline")                \
    X(OLD_ORIGIN_EPOCH, 1002, 0, 409, "A newer session of this origin exists")                     \
    X(ORIGIN_WINDOW_FULL, 1003, 0, 503, "The origin has too many unacknowledged commands")         \
    X(TOO_MANY_ORIGINS, 1004, 0, 503, "The shard follows as many origins as it is set up for")     \
    X(TOO_OLD, 1005, 0, 410, "What was asked for is older than what is kept")                      \
    X(NOT_CAUGHT_UP, 1006, 0, 503, "The position asked for has not been reached yet")              \
    X(UNKNOWN_TOPIC, 1007, 0, 404, "Nothing is published under this topic here")                   \
    X(EPOCH_CHANGED, 1008, 0, 409, "The epoch asked for is not the current one")                   \
    X(MALFORMED, 2001, 2, 422, "The body of the command does not have the shape of its type")      \
    X(UNKNOWN_COMMAND, 2002, 2, 422, "There is no command of this type")                           \
    X(INVALID_FIELD, 2003, 3, 422, "A field holds a value outside its set")                        \
    X(INVALID_ACCOUNT, 2004, 4, 422, "An account is 1 to 32 of A-Z a-z 0-9 _ -")                   \
    X(INVALID_CLIENT_ORDER_ID, 2005, 5, 422,                                                       \
      "A client order id is 1 to 36 of A-Z a-z 0-9 _ . : -")                                       \
    X(UNKNOWN_SYMBOL, 2006, 6, 404, "There is no such symbol on this shard")                       \
    X(INVALID_QUANTITY, 2101, 10, 400, "A quantity is at least 1 lot")                             \
    X(INVALID_PRICE, 2102, 11, 400, "A price is needed, and above zero unless the symbol says so") \
    X(INVALID_COMBINATION, 2103, 12, 400, "These options do not go together")                      \
    X(TOO_MANY_ACCOUNTS, 3001, 7, 503, "The shard holds as many accounts as it is set up for")     \
    X(TOO_MANY_OPEN_ORDERS, 3002, 13, 503, "The shard holds as many open orders as it can")        \
    X(QUANTITY_OVERFLOW, 3003, 14, 400, "The price level would hold more than 2^63-1 lots")        \
    X(DUPLICATE_ORDER, 4001, 8, 409, "The client order id is in use with another body")            \
    X(UNKNOWN_ORDER, 4002, 9, 404, "There is no such open order of this account")                  \
    X(POST_ONLY, 4003, 15, 400, "The post-only order would trade on arrival")                      \
    X(STP, 4004, 16, 400, "The order would trade with an order of its own account")                \
    X(FOK_NOT_FILLED, 4005, 17, 400, "The order cannot be filled whole at once")

#endif
