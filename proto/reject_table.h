/* Every refusal there is: one line a code, expanded into the enum, names, HTTP statuses, texts and
 * the table of PROTOCOL.md.
 *
 *     X(NAME, code, precedence, http_status, "text")
 *
 * Where several refusals apply, the one with the smallest precedence is given; 0 stands for codes
 * that are not decided by the engine's checks and so never compete. Codes are never reused.
 * 1xxx transport, 2xxx validation, 3xxx limits, 4xxx matching, 5xxx the service itself. */
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
    X(BAD_JSON, 1009, 0, 400, "The body is not JSON")                                              \
    X(BODY_TOO_LARGE, 1010, 0, 413, "The body is larger than a request may be")                    \
    X(UNSUPPORTED_MEDIA_TYPE, 1011, 0, 415, "The body of a request is application/json")           \
    X(UNKNOWN_PATH, 1012, 0, 404, "There is nothing at this path")                                 \
    X(METHOD_NOT_ALLOWED, 1013, 0, 405, "The path does not know this method")                      \
    X(FOREIGN_HOST, 1014, 0, 421, "The request was meant for another host")                        \
    X(FOREIGN_ORIGIN, 1015, 0, 403, "Pages of this origin may not speak to the exchange")          \
    X(RATE_LIMITED, 1016, 0, 429, "More requests came than the limit allows")                      \
    X(TOO_MANY_CONNECTIONS, 1017, 0, 503, "The gateway serves as many connections as it can")      \
    X(TOO_MANY_WEBSOCKETS, 1018, 0, 503, "The gateway serves as many WebSockets as it can")        \
    X(BODY_INCOMPLETE, 1019, 0, 400, "The body ended, or its time did, before all of it came")     \
    X(UPGRADE_REQUIRED, 1020, 0, 426, "This path speaks WebSocket")                                \
    X(HEADER_TOO_LARGE, 1022, 0, 431, "The head of the request is larger than it may be")          \
    X(BAD_REQUEST, 1021, 0, 400, "The request cannot be read as HTTP")                             \
    X(MALFORMED, 2001, 2, 422, "The body of the command does not have the shape of its type")      \
    X(UNKNOWN_COMMAND, 2002, 2, 422, "There is no command of this type")                           \
    X(INVALID_FIELD, 2003, 3, 422, "A field holds a value outside its set")                        \
    X(INVALID_ACCOUNT, 2004, 4, 422, "An account is 1 to 32 of A-Z a-z 0-9 _ -")                   \
    X(INVALID_CLIENT_ORDER_ID, 2005, 5, 422,                                                       \
      "A client order id is 1 to 36 of A-Z a-z 0-9 _ . : -")                                       \
    X(UNKNOWN_SYMBOL, 2006, 6, 404, "There is no such symbol on this shard")                       \
    X(MISSING_FIELD, 2007, 0, 422, "A field that is needed is not there")                          \
    X(UNKNOWN_FIELD, 2008, 0, 422, "There is no such field")                                       \
    X(WRONG_TYPE, 2009, 0, 422, "A field holds a value of another type")                           \
    X(REPEATED_FIELD, 2010, 0, 422, "A field stands twice")                                        \
    X(INVALID_PARAMETER, 2011, 0, 422, "A parameter of the path or query is not what it may be")   \
    X(INVALID_QUANTITY, 2101, 10, 400, "A quantity is at least 1 lot")                             \
    X(INVALID_PRICE, 2102, 11, 400, "A price is needed, and above zero unless the symbol says so") \
    X(PRICE_NOT_ON_TICK, 2103, 0, 400, "The price is not on a tick")                               \
    X(INVALID_COMBINATION, 2104, 12, 400, "These options do not go together")                      \
    X(QUANTITY_NOT_ON_LOT, 2105, 0, 400, "The quantity is not a whole number of lots")             \
    X(PRICE_OUT_OF_RANGE, 2106, 0, 400, "The price is beyond 2^63-1 ticks")                        \
    X(QUANTITY_OUT_OF_RANGE, 2107, 0, 400, "The quantity is beyond 2^63-1 lots")                   \
    X(NOT_SUPPORTED, 2108, 0, 400, "This release cannot do that yet")                              \
    X(ANSWER_TOO_LARGE, 2109, 0, 400, "The answer would be larger than an answer may be")          \
    X(TOO_MANY_ACCOUNTS, 3001, 7, 503, "The shard holds as many accounts as it is set up for")     \
    X(TOO_MANY_OPEN_ORDERS, 3002, 13, 503, "The shard holds as many open orders as it can")        \
    X(QUANTITY_OVERFLOW, 3003, 14, 400, "The price level would hold more than 2^63-1 lots")        \
    X(DUPLICATE_ORDER, 4001, 8, 409, "The client order id is in use with another body")            \
    X(UNKNOWN_ORDER, 4002, 9, 404, "There is no such open order of this account")                  \
    X(POST_ONLY, 4003, 15, 400, "The post-only order would trade on arrival")                      \
    X(STP, 4004, 16, 400, "The order would trade with an order of its own account")                \
    X(FOK_NOT_FILLED, 4005, 17, 400, "The order cannot be filled whole at once")                   \
    X(ORDER_FINISHED, 4006, 0, 409, "The order is finished")                                       \
    X(INTERNAL, 5001, 0, 500, "The gateway failed")                                                \
    X(ANSWER_LATE, 5002, 0, 202, "Handed over to the matcher, which has not answered yet")         \
    X(MATCHER_SILENT, 5003, 0, 504, "Handed over to the matcher, which is out of reach")           \
    X(MATCHER_UNREACHABLE, 5004, 0, 503, "The matcher is out of reach")                            \
    X(NOT_READY, 5005, 0, 503, "The gateway does not know the state of the market yet")            \
    X(DRAINING, 5006, 0, 503, "The gateway is stopping")                                           \
    X(TOO_BUSY, 5007, 0, 503, "The gateway holds as many requests as it can")                      \
    X(INTAKE_STOPPED, 5008, 0, 503, "The matcher takes no commands now")

#endif
