/* desk: what civetweb's threads ask of the gateway's step (through a mailbox), and what the step
 * answers. An ask is checked and in units already: what is wrong with a request by itself is told
 * by the thread that read it. Plain data on both ways; a copy is all that is shared. */
#ifndef OUTCRY_GATEWAY_DESK_H
#define OUTCRY_GATEWAY_DESK_H

#include "gateway/orders.h"
#include "proto/messages.h"

enum ask_kind {
    /* the first four change something; the others only read */
    ASK_PLACE,       /* POST /api/v1/orders */
    ASK_CANCEL,      /* DELETE /api/v1/orders/{id} */
    ASK_AMEND,       /* PATCH /api/v1/orders/{id} */
    ASK_MASS_CANCEL, /* DELETE /api/v1/orders */
    ASK_ORDER,       /* GET /api/v1/orders/{id} */
    ASK_ORDERS,      /* GET /api/v1/orders */
    ASK_BOOK,        /* GET /api/v1/orderbook/{symbol} */
    ASK_TRADES,      /* GET /api/v1/trades/{symbol} */
    ASK_STATS,       /* GET /stats/{symbol} */
    ASK_HEALTH,      /* GET /health */
    ASK_STARTED,     /* GET /startupz, and /livez, which wants an answer, whatever it says */
    ASK_READY,       /* GET /readyz */
    ASK_METRICS,     /* GET /metrics: set what the step counts; the answer has no body */
    ASK_SUBSCRIBE,   /* a WebSocket wants a channel; no call, the answer is a stream message */
    ASK_UNSUBSCRIBE, /* it is gone */
    ASK_DRAIN,       /* SIGTERM: nothing new is taken */
};

enum {
    ASK_POSITIONS_MAX = 64, /* one for each shard there can be */
    ASK_DECIMAL_SIZE = 40,  /* a well-formed decimal and its NUL */
    REQUEST_ID_SIZE_MAX = 64,
    SYMBOL_NONE = UINT32_MAX,
};

/* A position a reader wants the answer to be as new as. */
struct position_wanted {
    uint16_t shard;
    uint64_t epoch; /* 0: whichever is current */
    uint64_t seq;
};

struct ask {
    uint32_t kind;        /* enum ask_kind */
    uint32_t symbol;      /* index in the cluster's configuration; SYMBOL_NONE: not given */
    uint64_t call;        /* comes back in the answer; of ASK_SUBSCRIBE: the socket */
    uint64_t received_ns; /* Unix ns: when the request was read */
    char request_id[REQUEST_ID_SIZE_MAX + 1];
    char account[ACCOUNT_SIZE_MAX + 1];
    char client_order_id[CLIENT_ORDER_ID_SIZE_MAX + 1]; /* names the order where order_id is 0 */
    uint64_t order_id;
    uint64_t deadline_ns;                           /* valid_until; 0: the default */
    uint8_t side, type, time_in_force, stp, qty_is; /* as in proto; 0: not given */
    bool post_only;
    bool open_only, finished_only; /* ASK_ORDERS */
    struct i64_or_nil price, qty;
    /* ASK_AMEND: as they stand in the body; empty: not given. Which units they are in only the
     * order says. */
    char price_text[ASK_DECIMAL_SIZE], qty_text[ASK_DECIMAL_SIZE];
    uint32_t channel;          /* enum channel, of ASK_SUBSCRIBE and ASK_UNSUBSCRIBE */
    uint32_t level;            /* ASK_BOOK: 2 or 3 */
    uint64_t depth;            /* ASK_BOOK; 0: all */
    uint32_t limit;            /* of lists */
    struct orders_place place; /* of ASK_ORDERS: the cursor */
    uint64_t before_trade_id;  /* of ASK_TRADES: the cursor */
    uint32_t wanted_count;
    struct position_wanted wanted[ASK_POSITIONS_MAX];
};

enum { ANSWER_BODY_MAX = 16 << 20 };

/* The head of an answer. The position (X-At: `shard.epoch.seq`, comma separated; at_size bytes,
 * perhaps none) follows it, then the body: JSON. */
struct answer {
    uint64_t call;
    uint64_t waited_ns;     /* from command to result, for Server-Timing; 0: no command */
    uint64_t result_ns;     /* Unix ns: stamp of the batch the result came in; 0: no command */
    uint16_t status;        /* HTTP */
    uint16_t code;          /* enum reason: why it is not a success; 0: it is */
    uint16_t retry_after_s; /* 0: none */
    bool problem;           /* the body is application/problem+json */
    uint16_t at_size;
};

#endif
