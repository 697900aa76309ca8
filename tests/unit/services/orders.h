/* orders: commands in one line each, as they stand in a message, for the services' tests. */
#ifndef OUTCRY_UNIT_SERVICES_ORDERS_H
#define OUTCRY_UNIT_SERVICES_ORDERS_H

#include "proto/command.h"

#define SYMBOL_ONE   "BTC-USD"
#define SYMBOL_OTHER "BTC-USDT"
#define SYMBOL_ANY   "SPREAD" /* its prices may be zero and below */

enum { ORDERS_MESSAGE_SIZE = 128 << 10 };

/* A message being written: commands back to back. */
struct message {
    uint8_t bytes[ORDERS_MESSAGE_SIZE];
    size_t size;
};

struct envelope envelope_of(const char *origin, uint64_t epoch, uint64_t seq);

/* A GTC limit order on SYMBOL_ONE of account "a", without a label, self-trade prevention off, to
 * be changed at will. */
struct command new_order_of(enum side side, int64_t price, int64_t qty);
struct command mass_cancel_of(const char *account);
struct command cancel_of(const char *account, uint64_t order_id);

/* Put a command behind those already there; the second in one line for "gw" of epoch 1. */
void message_put(struct message *m, const struct command *c, struct envelope envelope);
void message_order(struct message *m, uint64_t origin_seq, enum side side, int64_t price,
                   int64_t qty);
void message_put_bytes(struct message *m, const void *bytes, size_t size);
void message_clear(struct message *m);

#endif
